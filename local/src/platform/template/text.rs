//! Text of which some parts are known only once the stack stands, such as the URL of a queue.

/// An attribute of a resource, known once the resource exists.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attribute {
    /// The resource's logical id.
    pub resource: String,
    /// The attribute's name; [`Attribute::REF`] for a plain reference.
    pub name: String,
}

impl Attribute {
    /// The name under which `Ref` asks for a resource.
    pub const REF: &'static str = "Ref";

    pub(super) fn new(resource: &str, name: &str) -> Self {
        Self {
            resource: resource.to_owned(),
            name: name.to_owned(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Attribute(Attribute),
}

/// Literal text with holes for attributes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text(Vec<Part>);

impl Text {
    pub(super) fn of(literal: impl Into<String>) -> Self {
        Self(vec![Part::Literal(literal.into())])
    }

    pub(super) fn attribute(attribute: Attribute) -> Self {
        Self(vec![Part::Attribute(attribute)])
    }

    pub(super) fn append(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The text, if nothing of it depends on a resource.
    #[must_use]
    pub fn literal(&self) -> Option<String> {
        self.0
            .iter()
            .map(|part| match part {
                Part::Literal(text) => Some(text.as_str()),
                Part::Attribute(_) => None,
            })
            .collect()
    }

    /// The attribute, if the text is exactly one.
    #[must_use]
    pub fn only_attribute(&self) -> Option<&Attribute> {
        match self.0.as_slice() {
            [Part::Attribute(attribute)] => Some(attribute),
            _ => None,
        }
    }

    /// The text with every hole filled in by `value`.
    ///
    /// # Errors
    ///
    /// The first error of `value`.
    pub fn resolve<E>(&self, value: impl Fn(&Attribute) -> Result<String, E>) -> Result<String, E> {
        self.0
            .iter()
            .map(|part| match part {
                Part::Literal(text) => Ok(text.clone()),
                Part::Attribute(attribute) => value(attribute),
            })
            .collect()
    }
}
