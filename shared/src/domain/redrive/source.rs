//! The name of a source: which queue a dead letter was on first.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::identifiers::InvalidIdentifier;

/// What we call a source queue, such as `intake`: 1–32 of `a–z 0–9 -`. It stands in object names and log lines.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SourceName(String);

impl SourceName {
    /// Checks and takes the name.
    ///
    /// # Errors
    /// [`InvalidIdentifier`] when the rule in the type's documentation is broken.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidIdentifier> {
        let text = text.into();
        let allowed = |b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-');
        if (1..=32).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text))
        } else {
            Err(InvalidIdentifier { what: "source" })
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for SourceName {
    type Error = InvalidIdentifier;
    fn try_from(text: String) -> Result<Self, InvalidIdentifier> {
        Self::new(text)
    }
}

impl From<SourceName> for String {
    fn from(name: SourceName) -> String {
        name.0
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
