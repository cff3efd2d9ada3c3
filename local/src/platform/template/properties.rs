//! A map of the template that is read key by key, so that a key nobody asked for is noticed.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::error::TemplateError;
use super::node::{Node, below};
use super::scope::{Head, Scope};
use super::text::Text;

/// A property that is known and has no meaning in the local deployment, with the reason.
pub(super) type WithoutMeaning = (&'static str, &'static str);

/// The keys of one map that were not yet asked for.
pub(super) struct Properties<'s, 'n> {
    scope: &'s Scope<'n>,
    path: String,
    left: BTreeMap<&'n str, &'n Node>,
}

impl<'s, 'n> Properties<'s, 'n> {
    pub(super) fn new(scope: &'s Scope<'n>, path: String, entries: &'n BTreeMap<String, Node>) -> Self {
        let left = entries.iter().map(|(key, node)| (key.as_str(), node)).collect();
        Self { scope, path, left }
    }

    pub(super) fn none(scope: &'s Scope<'n>, path: String) -> Self {
        Self {
            scope,
            path,
            left: BTreeMap::new(),
        }
    }

    /// The map at `node`.
    pub(super) fn of(scope: &'s Scope<'n>, path: String, node: &'n Node) -> Result<Self, TemplateError> {
        match scope.head(node, &path)? {
            Head::Map(entries) => Ok(Self::new(scope, path, entries)),
            _ => Err(TemplateError::Unexpected {
                path,
                expected: "a map",
            }),
        }
    }

    pub(super) fn path_of(&self, key: &str) -> String {
        below(&self.path, key)
    }

    pub(super) fn pass_over(&mut self, without_meaning: &[(&str, &'static str)]) {
        for (key, reason) in without_meaning {
            if self.left.remove(*key).is_some() {
                self.scope
                    .passed_over
                    .borrow_mut()
                    .insert(self.path_of(key), reason);
            }
        }
    }

    /// Every key must have been asked for or passed over by now.
    pub(super) fn finish(self) -> Result<(), TemplateError> {
        match self.left.keys().next() {
            Some(key) => Err(TemplateError::UnknownProperty {
                path: self.path_of(key),
            }),
            None => Ok(()),
        }
    }

    pub(super) fn take(&mut self, key: &str) -> Option<&'n Node> {
        self.left.remove(key)
    }

    fn head(&mut self, key: &str) -> Result<Option<Head<'n>>, TemplateError> {
        let path = self.path_of(key);
        match self
            .left
            .remove(key)
            .map(|node| self.scope.head(node, &path))
            .transpose()?
        {
            None | Some(Head::Absent) => Ok(None),
            head => Ok(head),
        }
    }

    pub(super) fn text(&mut self, key: &str) -> Result<Option<Text>, TemplateError> {
        match self.head(key)? {
            None => Ok(None),
            Some(Head::Text(text)) => Ok(Some(text)),
            Some(_) => Err(self.unexpected(key, "text")),
        }
    }

    /// Text that is known before anything exists.
    pub(super) fn known(&mut self, key: &str) -> Result<Option<String>, TemplateError> {
        match self.text(key)? {
            None => Ok(None),
            Some(text) => match text.literal() {
                Some(literal) => Ok(Some(literal)),
                None => Err(self.unexpected(key, "text that does not depend on a resource")),
            },
        }
    }

    pub(super) fn number<N: FromStr>(&mut self, key: &str) -> Result<Option<N>, TemplateError> {
        let parsed = self.known(key)?.map(|text| text.parse());
        parsed
            .transpose()
            .map_err(|_| self.unexpected(key, "a whole number in range"))
    }

    pub(super) fn flag(&mut self, key: &str) -> Result<Option<bool>, TemplateError> {
        let parsed = self.known(key)?.map(|text| text.parse());
        parsed
            .transpose()
            .map_err(|_| self.unexpected(key, "true or false"))
    }

    pub(super) fn map(&mut self, key: &str) -> Result<Option<Self>, TemplateError> {
        match self.head(key)? {
            None => Ok(None),
            Some(Head::Map(entries)) => Ok(Some(Self::new(self.scope, self.path_of(key), entries))),
            Some(_) => Err(self.unexpected(key, "a map")),
        }
    }

    /// The members of a list with their paths; none if the key is not there.
    pub(super) fn list(&mut self, key: &str) -> Result<Vec<(String, &'n Node)>, TemplateError> {
        match self.head(key)? {
            None => Ok(Vec::new()),
            Some(Head::List(items)) => {
                let path = self.path_of(key);
                Ok(items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| (format!("{path}[{index}]"), item))
                    .collect())
            }
            Some(_) => Err(self.unexpected(key, "a list")),
        }
    }

    /// The members of a list of maps.
    pub(super) fn maps(&mut self, key: &str) -> Result<Vec<Self>, TemplateError> {
        let scope = self.scope;
        self.list(key)?
            .into_iter()
            .map(|(path, node)| Self::of(scope, path, node))
            .collect()
    }

    /// What was found under `key`, which must be there.
    pub(super) fn required<T>(&self, key: &str, found: Option<T>) -> Result<T, TemplateError> {
        found.ok_or_else(|| TemplateError::Missing {
            path: self.path_of(key),
        })
    }

    pub(super) fn unexpected(&self, key: &str, expected: &'static str) -> TemplateError {
        TemplateError::Unexpected {
            path: self.path_of(key),
            expected,
        }
    }

    /// The keys that were not yet asked for.
    pub(super) fn keys(&self) -> Vec<&'n str> {
        self.left.keys().copied().collect()
    }

    pub(super) fn scope(&self) -> &'s Scope<'n> {
        self.scope
    }
}
