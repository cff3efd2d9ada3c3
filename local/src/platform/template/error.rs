//! Why a template cannot be read: always with the path of what is not understood.

/// A template that the local deployment does not understand as a whole is not used at all.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The text is no YAML.
    #[error("the template is not YAML")]
    NotYaml(#[from] serde_yaml_ng::Error),
    /// A section that the reader does not know.
    #[error("{path}: the local deployment does not know this section or attribute of a template")]
    UnknownSection {
        /// Where it stands.
        path: String,
    },
    /// An intrinsic function that the reader does not know.
    #[error("{path}: the local deployment does not know the intrinsic function {name}")]
    UnknownIntrinsic {
        /// Where it stands.
        path: String,
        /// Its short name, such as `ImportValue`.
        name: String,
    },
    /// A resource type that the reader does not know.
    #[error("{path}: the local deployment does not know the resource type {kind}")]
    UnknownResourceType {
        /// Where it stands.
        path: String,
        /// The type.
        kind: String,
    },
    /// A property that the reader does not know.
    #[error("{path}: the local deployment does not know this property")]
    UnknownProperty {
        /// Where it stands.
        path: String,
    },
    /// A name that is neither a parameter, nor a pseudo parameter, nor a resource of this deployment.
    #[error("{path}: {name} is neither a parameter nor a resource of this deployment")]
    Unresolved {
        /// Where it is used.
        path: String,
        /// The name.
        name: String,
    },
    /// A resource that stands on AWS alone.
    #[error("{path}: {name} has no counterpart in the local deployment")]
    Elsewhere {
        /// Where it is used.
        path: String,
        /// Its logical id.
        name: String,
    },
    /// An attribute that a resource of this type does not have here.
    #[error("{path}: the local deployment does not know {resource}.{attribute}")]
    UnknownAttribute {
        /// Where it is used.
        path: String,
        /// The logical id.
        resource: String,
        /// The attribute; `Ref` for a plain reference.
        attribute: String,
    },
    /// Names that refer to one another in a circle.
    #[error("these refer to one another in a circle: {}", chain.join(" → "))]
    Cyclic {
        /// The circle; its first name is also its last.
        chain: Vec<String>,
    },
    /// A parameter without a default was not given.
    #[error("the parameter {name} has no default and was not given")]
    MissingParameter {
        /// Its name.
        name: String,
    },
    /// A parameter was given that the template does not declare.
    #[error("the template declares no parameter {name}")]
    UndeclaredParameter {
        /// Its name.
        name: String,
    },
    /// Something required is not there.
    #[error("{path}: missing")]
    Missing {
        /// Where it should stand.
        path: String,
    },
    /// Something is there, but not what can stand in this place.
    #[error("{path}: expected {expected}")]
    Unexpected {
        /// Where it stands.
        path: String,
        /// What could stand there.
        expected: &'static str,
    },
}
