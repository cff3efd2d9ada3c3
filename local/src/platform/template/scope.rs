//! What the names in a template mean, and the evaluation of its intrinsic functions.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::Deployment;
use super::error::TemplateError;
use super::node::{Call, Node, Piece, below};
use super::text::{Attribute, Text};

/// Everything that a name can mean.
pub(super) struct Scope<'n> {
    pub(super) deployment: &'n Deployment,
    pub(super) parameters: BTreeMap<String, String>,
    pub(super) conditions: BTreeMap<String, &'n Node>,
    pub(super) mappings: &'n BTreeMap<String, Node>,
    /// The resources that exist under the conditions, with the attributes that have a meaning here.
    pub(super) resources: BTreeMap<String, &'static [&'static str]>,
    /// The resources that exist under the conditions, but on AWS alone.
    pub(super) elsewhere: BTreeSet<String>,
    /// What was passed over, with the reason.
    pub(super) passed_over: RefCell<BTreeMap<String, &'static str>>,
}

/// A node of which the outermost intrinsics are evaluated.
pub(super) enum Head<'n> {
    /// `AWS::NoValue`: as if the property were not there.
    Absent,
    Text(Text),
    List(&'n [Node]),
    Map(&'n BTreeMap<String, Node>),
}

const NO_VALUE: &str = "AWS::NoValue";

impl<'n> Scope<'n> {
    pub(super) fn head(&self, node: &'n Node, path: &str) -> Result<Head<'n>, TemplateError> {
        match node {
            Node::Null => Err(TemplateError::Unexpected {
                path: path.to_owned(),
                expected: "a value, not null",
            }),
            Node::Text(text) => Ok(Head::Text(Text::of(text))),
            Node::List(items) => Ok(Head::List(items)),
            Node::Map(entries) => Ok(Head::Map(entries)),
            Node::Call(call) => self.call(call, path),
        }
    }

    fn call(&self, call: &'n Call, path: &str) -> Result<Head<'n>, TemplateError> {
        match call {
            Call::Ref(name) if name == NO_VALUE => Ok(Head::Absent),
            Call::Ref(name) => self.reference(name, path).map(Head::Text),
            Call::GetAtt(attribute) => self.attribute(attribute, path).map(Head::Text),
            Call::Sub { pieces, variables } => self.substitute(pieces, variables, path).map(Head::Text),
            Call::Join { delimiter, parts } => self.join(delimiter, parts, path).map(Head::Text),
            Call::If {
                condition,
                then,
                otherwise,
            } => {
                let chosen = if self.condition(condition, path, &[])? {
                    then
                } else {
                    otherwise
                };
                self.head(chosen, path)
            }
            Call::FindInMap { map, first, second } => self.head(self.find(map, first, second, path)?, path),
            Call::Split { .. } => Err(TemplateError::Unexpected {
                path: path.to_owned(),
                expected: "a value; what a Split makes can only be joined",
            }),
            Call::Condition(_) | Call::Equals(..) | Call::And(_) | Call::Or(_) | Call::Not(_) => {
                Err(TemplateError::Unexpected {
                    path: path.to_owned(),
                    expected: "a value, not a condition",
                })
            }
        }
    }

    pub(super) fn text(&self, node: &'n Node, path: &str) -> Result<Text, TemplateError> {
        match self.head(node, path)? {
            Head::Text(text) => Ok(text),
            _ => Err(TemplateError::Unexpected {
                path: path.to_owned(),
                expected: "text",
            }),
        }
    }

    fn reference(&self, name: &str, path: &str) -> Result<Text, TemplateError> {
        if let Some(value) = self
            .parameters
            .get(name)
            .cloned()
            .or_else(|| self.deployment.pseudo_parameter(name))
        {
            return Ok(Text::of(value));
        }
        self.attribute(&Attribute::new(name, Attribute::REF), path)
    }

    fn attribute(&self, attribute: &Attribute, path: &str) -> Result<Text, TemplateError> {
        let Attribute { resource, name } = attribute;
        if self.elsewhere.contains(resource) {
            return Err(TemplateError::Elsewhere {
                path: path.to_owned(),
                name: resource.clone(),
            });
        }
        match self.resources.get(resource) {
            Some(known) if known.contains(&name.as_str()) => Ok(Text::attribute(attribute.clone())),
            Some(_) => Err(TemplateError::UnknownAttribute {
                path: path.to_owned(),
                resource: resource.clone(),
                attribute: name.clone(),
            }),
            None => Err(TemplateError::Unresolved {
                path: path.to_owned(),
                name: resource.clone(),
            }),
        }
    }

    fn substitute(
        &self,
        pieces: &'n [Piece],
        variables: &'n BTreeMap<String, Node>,
        path: &str,
    ) -> Result<Text, TemplateError> {
        let mut whole = Text::default();
        for piece in pieces {
            whole.append(match piece {
                Piece::Literal(text) => Text::of(text),
                Piece::Attribute(attribute) => self.attribute(attribute, path)?,
                Piece::Name(name) => match variables.get(name) {
                    Some(variable) => self.text(variable, &below(path, name))?,
                    None => self.reference(name, path)?,
                },
            });
        }
        Ok(whole)
    }

    fn join(&self, delimiter: &str, parts: &'n Node, path: &str) -> Result<Text, TemplateError> {
        let mut whole = Text::default();
        for (index, part) in self.parts(parts, path)?.into_iter().enumerate() {
            if index > 0 {
                whole.append(Text::of(delimiter));
            }
            whole.append(part);
        }
        Ok(whole)
    }

    /// The texts of a list, or those that a Split makes.
    fn parts(&self, node: &'n Node, path: &str) -> Result<Vec<Text>, TemplateError> {
        if let Node::Call(call) = node
            && let Call::Split { delimiter, text } = call.as_ref()
        {
            let whole = self.known(text, path)?;
            return Ok(whole.split(delimiter.as_str()).map(Text::of).collect());
        }
        let Head::List(parts) = self.head(node, path)? else {
            return Err(TemplateError::Unexpected {
                path: path.to_owned(),
                expected: "a list to join",
            });
        };
        parts
            .iter()
            .enumerate()
            .map(|(index, part)| self.text(part, &format!("{path}[{index}]")))
            .collect()
    }

    /// What a mapping holds under two keys.
    fn find(
        &self,
        map: &str,
        first: &'n Node,
        second: &'n Node,
        path: &str,
    ) -> Result<&'n Node, TemplateError> {
        let mut found = self.mappings.get(map);
        let mut name = map.to_owned();
        for key in [first, second] {
            let key = self.known(key, path)?;
            found = match found {
                Some(Node::Map(entries)) => entries.get(&key),
                _ => None,
            };
            name = below(&name, &key);
        }
        found.ok_or_else(|| TemplateError::Unresolved {
            path: path.to_owned(),
            name,
        })
    }

    /// Whether the condition called `name` holds; `asking` are the conditions that wait for the answer.
    pub(super) fn condition(&self, name: &str, path: &str, asking: &[&str]) -> Result<bool, TemplateError> {
        let chain = [asking, &[name]].concat();
        if asking.contains(&name) {
            return Err(TemplateError::Cyclic {
                chain: chain.into_iter().map(str::to_owned).collect(),
            });
        }
        match self.conditions.get(name) {
            Some(node) => self.holds(node, &below("Conditions", name), &chain),
            None => Err(TemplateError::Unresolved {
                path: path.to_owned(),
                name: name.to_owned(),
            }),
        }
    }

    fn holds(&self, node: &'n Node, path: &str, asking: &[&str]) -> Result<bool, TemplateError> {
        match node {
            Node::Call(call) => self.call_holds(call, path, asking),
            Node::Map(entries) => match entries.get("Condition") {
                Some(Node::Text(name)) if entries.len() == 1 => self.condition(name, path, asking),
                _ => Err(TemplateError::Unexpected {
                    path: path.to_owned(),
                    expected: "a condition",
                }),
            },
            _ => Err(TemplateError::Unexpected {
                path: path.to_owned(),
                expected: "a condition",
            }),
        }
    }

    fn call_holds(&self, call: &'n Call, path: &str, asking: &[&str]) -> Result<bool, TemplateError> {
        // Every member is evaluated, so that a mistake in any of them is seen.
        let each = |conditions: &'n [Node]| -> Result<Vec<bool>, TemplateError> {
            conditions
                .iter()
                .map(|condition| self.holds(condition, path, asking))
                .collect()
        };
        match call {
            Call::Condition(name) => self.condition(name, path, asking),
            Call::Equals(left, right) => Ok(self.known(left, path)? == self.known(right, path)?),
            Call::And(conditions) => Ok(each(conditions)?.into_iter().all(|holds| holds)),
            Call::Or(conditions) => Ok(each(conditions)?.into_iter().any(|holds| holds)),
            Call::Not(condition) => Ok(!self.holds(condition, path, asking)?),
            _ => Err(TemplateError::Unexpected {
                path: path.to_owned(),
                expected: "a condition",
            }),
        }
    }

    /// Text that is known before anything exists.
    pub(super) fn known(&self, node: &'n Node, path: &str) -> Result<String, TemplateError> {
        self.text(node, path)?
            .literal()
            .ok_or_else(|| TemplateError::Unexpected {
                path: path.to_owned(),
                expected: "text that does not depend on a resource",
            })
    }
}
