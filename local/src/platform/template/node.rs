//! The template's text as a tree in which every intrinsic function is a node of its own.

use std::collections::{BTreeMap, BTreeSet};

use serde_yaml_ng::{Mapping, Value};

use super::error::TemplateError;
use super::text::Attribute;

/// One place of the template.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Null,
    /// Every scalar: CloudFormation makes no difference between `30` and `"30"`.
    Text(String),
    List(Vec<Node>),
    Map(BTreeMap<String, Node>),
    Call(Box<Call>),
}

/// An intrinsic function with its arguments.
#[derive(Debug, Clone)]
pub(super) enum Call {
    Ref(String),
    GetAtt(Attribute),
    Sub {
        pieces: Vec<Piece>,
        variables: BTreeMap<String, Node>,
    },
    Join {
        delimiter: String,
        parts: Node,
    },
    If {
        condition: String,
        then: Node,
        otherwise: Node,
    },
    FindInMap {
        map: String,
        first: Node,
        second: Node,
    },
    Split {
        delimiter: String,
        text: Node,
    },
    Condition(String),
    Equals(Node, Node),
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Node),
}

/// A piece of the text of a `Sub`.
#[derive(Debug, Clone)]
pub(super) enum Piece {
    Literal(String),
    /// `${Name}`: a variable of the `Sub`, a parameter or a resource.
    Name(String),
    Attribute(Attribute),
}

/// The path of `key` below `path`.
pub(super) fn below(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

pub(super) fn parse(value: Value, path: &str) -> Result<Node, TemplateError> {
    match value {
        Value::Null => Ok(Node::Null),
        Value::Bool(flag) => Ok(Node::Text(flag.to_string())),
        Value::Number(number) => Ok(Node::Text(number.to_string())),
        Value::String(text) => Ok(Node::Text(text)),
        Value::Sequence(items) => Ok(Node::List(parse_items(items, path)?)),
        Value::Mapping(entries) => parse_map(entries, path),
        Value::Tagged(tagged) => {
            let name = tagged.tag.to_string();
            parse_call(name.trim_start_matches('!'), tagged.value, path)
        }
    }
}

fn parse_items(items: Vec<Value>, path: &str) -> Result<Vec<Node>, TemplateError> {
    items
        .into_iter()
        .enumerate()
        .map(|(index, item)| parse(item, &format!("{path}[{index}]")))
        .collect()
}

/// A map of one entry whose key names an intrinsic is the long form of a call.
fn parse_map(entries: Mapping, path: &str) -> Result<Node, TemplateError> {
    let alone = entries.len() == 1;
    let mut map = BTreeMap::new();
    for (key, value) in entries {
        let key = key_text(key, path)?;
        match long_form(&key, &value) {
            Some(name) if alone => return parse_call(name, value, path),
            Some(_) => {
                return Err(TemplateError::Unexpected {
                    path: below(path, &key),
                    expected: "an intrinsic alone in its map",
                });
            }
            None => map.insert(key.clone(), parse(value, &below(path, &key))?),
        };
    }
    Ok(Node::Map(map))
}

fn key_text(key: Value, path: &str) -> Result<String, TemplateError> {
    match key {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(flag) => Ok(flag.to_string()),
        _ => Err(TemplateError::Unexpected {
            path: path.to_owned(),
            expected: "plain text as a key",
        }),
    }
}

/// `Condition` is also an attribute of resources and a key of policies, with siblings or with a map for its value.
fn long_form<'k>(key: &'k str, value: &Value) -> Option<&'k str> {
    match key {
        "Ref" if value.is_string() => Some(key),
        _ => key.strip_prefix("Fn::"),
    }
}

fn parse_call(name: &str, argument: Value, path: &str) -> Result<Node, TemplateError> {
    let argument_path = below(path, name);
    let unexpected = |expected| TemplateError::Unexpected {
        path: argument_path.clone(),
        expected,
    };
    let argument = parse(argument, &argument_path)?;
    let call = match (name, argument) {
        ("Ref", Node::Text(target)) => Call::Ref(target),
        ("Condition", Node::Text(condition)) => Call::Condition(condition),
        ("GetAtt", target) => Call::GetAtt(get_att(target).ok_or_else(|| unexpected("Resource.Attribute"))?),
        ("Sub", argument) => sub(argument).ok_or_else(|| unexpected("text, or text with variables"))?,
        ("Join", argument) => join(argument).ok_or_else(|| unexpected("a delimiter and a list"))?,
        ("FindInMap", argument) => {
            find_in_map(argument).ok_or_else(|| unexpected("the name of a mapping and two keys"))?
        }
        ("Split", argument) => split(argument).ok_or_else(|| unexpected("a delimiter and text"))?,
        ("If", argument) => choice(argument).ok_or_else(|| unexpected("a condition and two values"))?,
        ("Equals", argument) => {
            let [left, right] = list_of(argument).ok_or_else(|| unexpected("two values"))?;
            Call::Equals(left, right)
        }
        ("Not", argument) => {
            let [condition] = list_of(argument).ok_or_else(|| unexpected("a list of one condition"))?;
            Call::Not(condition)
        }
        ("And", Node::List(conditions)) => Call::And(conditions),
        ("Or", Node::List(conditions)) => Call::Or(conditions),
        ("Ref" | "Condition", _) => return Err(unexpected("a name")),
        ("And" | "Or", _) => return Err(unexpected("a list of conditions")),
        _ => {
            return Err(TemplateError::UnknownIntrinsic {
                path: path.to_owned(),
                name: name.to_owned(),
            });
        }
    };
    Ok(Node::Call(Box::new(call)))
}

fn list_of<const N: usize>(node: Node) -> Option<[Node; N]> {
    match node {
        Node::List(items) => items.try_into().ok(),
        _ => None,
    }
}

fn get_att(target: Node) -> Option<Attribute> {
    match target {
        Node::Text(dotted) => dotted
            .split_once('.')
            .map(|(resource, name)| Attribute::new(resource, name)),
        list => match list_of(list)? {
            [Node::Text(resource), Node::Text(name)] => Some(Attribute::new(&resource, &name)),
            _ => None,
        },
    }
}

fn join(argument: Node) -> Option<Call> {
    match list_of(argument)? {
        [Node::Text(delimiter), parts] => Some(Call::Join { delimiter, parts }),
        _ => None,
    }
}

fn find_in_map(argument: Node) -> Option<Call> {
    match list_of(argument)? {
        [Node::Text(map), first, second] => Some(Call::FindInMap { map, first, second }),
        _ => None,
    }
}

fn split(argument: Node) -> Option<Call> {
    match list_of(argument)? {
        [Node::Text(delimiter), text] if !delimiter.is_empty() => Some(Call::Split { delimiter, text }),
        _ => None,
    }
}

fn choice(argument: Node) -> Option<Call> {
    match list_of(argument)? {
        [Node::Text(condition), then, otherwise] => Some(Call::If {
            condition,
            then,
            otherwise,
        }),
        _ => None,
    }
}

fn sub(argument: Node) -> Option<Call> {
    match argument {
        Node::Text(text) => Some(Call::Sub {
            pieces: pieces(&text)?,
            variables: BTreeMap::new(),
        }),
        list => match list_of(list)? {
            [Node::Text(text), Node::Map(variables)] => Some(Call::Sub {
                pieces: pieces(&text)?,
                variables,
            }),
            _ => None,
        },
    }
}

/// `None` where a `${` is never closed.
fn pieces(text: &str) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, behind) = after.split_once('}')?;
        pieces.push(Piece::Literal(before.to_owned()));
        pieces.push(piece(name.trim()));
        rest = behind;
    }
    pieces.push(Piece::Literal(rest.to_owned()));
    Some(pieces)
}

fn piece(name: &str) -> Piece {
    match (name.strip_prefix('!'), name.split_once('.')) {
        (Some(literal), _) => Piece::Literal(format!("${{{literal}}}")),
        (None, Some((resource, attribute))) => Piece::Attribute(Attribute::new(resource, attribute)),
        (None, None) => Piece::Name(name.to_owned()),
    }
}

impl Node {
    /// Adds every name that this place or anything below it refers to.
    pub(super) fn collect_names(&self, names: &mut BTreeSet<String>) {
        match self {
            Self::Null | Self::Text(_) => {}
            Self::List(items) => items.iter().for_each(|item| item.collect_names(names)),
            Self::Map(entries) => entries.values().for_each(|entry| entry.collect_names(names)),
            Self::Call(call) => call.collect_names(names),
        }
    }
}

impl Call {
    fn collect_names(&self, names: &mut BTreeSet<String>) {
        match self {
            Self::Ref(name) => _ = names.insert(name.clone()),
            Self::GetAtt(attribute) => _ = names.insert(attribute.resource.clone()),
            Self::Sub { pieces, variables } => {
                names.extend(pieces.iter().filter_map(|piece| piece.name(variables)));
                for variable in variables.values() {
                    variable.collect_names(names);
                }
            }
            Self::Join { parts: part, .. } | Self::Split { text: part, .. } => part.collect_names(names),
            Self::If {
                then: one,
                otherwise: other,
                ..
            }
            | Self::FindInMap {
                first: one,
                second: other,
                ..
            } => {
                one.collect_names(names);
                other.collect_names(names);
            }
            Self::Condition(_) | Self::Equals(..) | Self::And(_) | Self::Or(_) | Self::Not(_) => {}
        }
    }
}

impl Piece {
    fn name(&self, variables: &BTreeMap<String, Node>) -> Option<String> {
        match self {
            Self::Literal(_) => None,
            Self::Name(name) => (!variables.contains_key(name)).then(|| name.clone()),
            Self::Attribute(attribute) => Some(attribute.resource.clone()),
        }
    }
}
