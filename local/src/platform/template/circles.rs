//! Finds resources that refer to one another in a circle, which CloudFormation refuses too.

use std::collections::{BTreeMap, BTreeSet};

use super::error::TemplateError;
use super::node::Node;

/// Who refers to whom; names that are no resource lead nowhere.
pub(super) struct References<'n>(BTreeMap<&'n str, BTreeSet<String>>);

impl<'n> References<'n> {
    pub(super) fn of(resources: &'n BTreeMap<String, Node>) -> Self {
        Self(
            resources
                .iter()
                .map(|(id, node)| (id.as_str(), names(node)))
                .collect(),
        )
    }

    pub(super) fn refuse_circles(&self) -> Result<(), TemplateError> {
        let mut cleared = BTreeSet::new();
        self.0
            .keys()
            .try_for_each(|id| self.walk(id, &mut Vec::new(), &mut cleared))
    }

    fn walk(
        &self,
        id: &str,
        chain: &mut Vec<String>,
        cleared: &mut BTreeSet<String>,
    ) -> Result<(), TemplateError> {
        let Some(names) = self.0.get(id).filter(|_| !cleared.contains(id)) else {
            return Ok(());
        };
        let start = chain.iter().position(|earlier| earlier == id);
        chain.push(id.to_owned());
        if let Some(start) = start {
            return Err(TemplateError::Cyclic {
                chain: chain.split_off(start),
            });
        }
        for name in names {
            self.walk(name, chain, cleared)?;
        }
        chain.pop();
        cleared.insert(id.to_owned());
        Ok(())
    }
}

/// SAM makes resources of their own from a function's events, so those are no references of the function.
fn names(resource: &Node) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let Node::Map(attributes) = resource else {
        return names;
    };
    match attributes.get("Properties") {
        Some(Node::Map(properties)) => {
            properties
                .iter()
                .filter(|(key, _)| *key != "Events")
                .for_each(|(_, node)| node.collect_names(&mut names));
        }
        Some(other) => other.collect_names(&mut names),
        None => {}
    }
    match attributes.get("DependsOn") {
        Some(Node::Text(id)) => _ = names.insert(id.clone()),
        Some(Node::List(ids)) => names.extend(ids.iter().filter_map(|id| match id {
            Node::Text(id) => Some(id.clone()),
            _ => None,
        })),
        _ => {}
    }
    names
}
