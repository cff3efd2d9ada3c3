//! What a stack was deployed with, beside its template: without the parameters the template cannot be deployed again.

use serde::{Deserialize, Serialize};

/// Parameters and tags of a stack, in the form that `aws cloudformation create-stack --cli-input-json` takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct StackSettings {
    /// The stack's name.
    pub stack_name: String,
    /// What it may do, such as `CAPABILITY_NAMED_IAM`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<String>,
    /// Its parameters, in the order of their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<StackParameter>,
    /// Its tags, in the order of their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<StackTag>,
}

impl StackSettings {
    /// The stored form: one text for the same settings.
    #[must_use]
    pub fn document(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).unwrap_or_default()
    }
}

/// A parameter and its value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct StackParameter {
    /// Its name.
    pub parameter_key: String,
    /// Its value.
    pub parameter_value: String,
}

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct StackTag {
    /// Its name.
    pub key: String,
    /// Its value.
    pub value: String,
}
