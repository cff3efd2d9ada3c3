//! The values of the template's parameters: given, or their defaults.

use std::collections::BTreeMap;

use super::Deployment;
use super::error::TemplateError;
use super::node::{Node, below};

const SECTION: &str = "Parameters";

/// What may be said of a parameter beside its type, default and bounds, and is nothing to check here.
const ONLY_FOR_PEOPLE: [&str; 2] = ["Description", "ConstraintDescription"];

pub(super) fn values(
    declared: &BTreeMap<String, Node>,
    deployment: &Deployment,
) -> Result<BTreeMap<String, String>, TemplateError> {
    if let Some(name) = deployment
        .parameters
        .keys()
        .find(|name| !declared.contains_key(*name))
    {
        return Err(TemplateError::UndeclaredParameter { name: name.clone() });
    }
    declared
        .iter()
        .map(|(name, node)| Ok((name.clone(), value(name, node, deployment)?)))
        .collect()
}

fn value(name: &str, node: &Node, deployment: &Deployment) -> Result<String, TemplateError> {
    let path = below(SECTION, name);
    let Node::Map(declaration) = node else {
        return Err(TemplateError::Unexpected {
            path,
            expected: "a parameter",
        });
    };
    let value = match (deployment.parameters.get(name), declaration.get("Default")) {
        (Some(given), _) => given.clone(),
        (None, Some(Node::Text(default))) => default.clone(),
        (None, Some(_)) => {
            return Err(TemplateError::Unexpected {
                path,
                expected: "a plain default",
            });
        }
        (None, None) => {
            return Err(TemplateError::MissingParameter {
                name: name.to_owned(),
            });
        }
    };
    declaration
        .iter()
        .try_for_each(|(key, rule)| check(&path, key, rule, &value))?;
    Ok(value)
}

fn check(path: &str, key: &str, rule: &Node, value: &str) -> Result<(), TemplateError> {
    let kept = match (key, rule) {
        ("Default", _) => true,
        ("Type", Node::Text(kind)) if kind == "String" => true,
        ("Type", Node::Text(kind)) if kind == "Number" => value.parse::<f64>().is_ok(),
        ("Type", _) => {
            return Err(TemplateError::Unexpected {
                path: below(path, key),
                expected: "String or Number",
            });
        }
        ("AllowedValues", Node::List(allowed)) => allowed
            .iter()
            .any(|allowed| matches!(allowed, Node::Text(text) if text == value)),
        ("MinValue", Node::Text(bound)) => ordered(bound, value),
        ("MaxValue", Node::Text(bound)) => ordered(value, bound),
        (key, _) if ONLY_FOR_PEOPLE.contains(&key) => true,
        _ => {
            return Err(TemplateError::UnknownProperty {
                path: below(path, key),
            });
        }
    };
    let expected = "a value that the parameter's own rules allow";
    if kept {
        Ok(())
    } else {
        Err(TemplateError::Unexpected {
            path: path.to_owned(),
            expected,
        })
    }
}

fn ordered(low: &str, high: &str) -> bool {
    matches!((low.parse::<f64>(), high.parse::<f64>()), (Ok(low), Ok(high)) if low <= high)
}
