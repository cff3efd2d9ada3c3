//! Names: of functions, and of objects in the bucket.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::digest::Digest;
use crate::domain::time::Timestamp;

/// Not a name of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a {what}")]
pub struct InvalidName {
    /// Of what it should have been one.
    pub what: &'static str,
}

/// Whether a text is 1 to `most` letters, digits and signs of `others`. Nothing of that kind leaves a prefix of the bucket.
fn is_plain(text: &str, most: usize, others: &[u8]) -> bool {
    (1..=most).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || others.contains(&b))
}

/// The name of a function, without account, region or version: 1–64 of `A–Z a–z 0–9 _ -` (Lambda API reference,
/// `FunctionName`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FunctionName(String);

impl FunctionName {
    /// Reads a name.
    ///
    /// # Errors
    /// [`InvalidName`] for any other character, none, or more than 64.
    pub fn new(name: impl Into<String>) -> Result<Self, InvalidName> {
        let name = name.into();
        let fits = is_plain(&name, 64, b"_-");
        Some(Self(name))
            .filter(|_| fits)
            .ok_or(InvalidName { what: "function" })
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for FunctionName {
    type Error = InvalidName;
    fn try_from(name: String) -> Result<Self, InvalidName> {
        Self::new(name)
    }
}

impl From<FunctionName> for String {
    fn from(name: FunctionName) -> String {
        name.0
    }
}

impl fmt::Display for FunctionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whose export it is: a stack in a region. Everything of it lies below one prefix of the bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    stack: String,
    region: String,
}

impl Scope {
    /// Of a stack (1–128 of `A–Z a–z 0–9 -`, CloudFormation API reference, `StackName`) in a region.
    ///
    /// # Errors
    /// [`InvalidName`] says which of the two is none.
    pub fn new(stack: impl Into<String>, region: impl Into<String>) -> Result<Self, InvalidName> {
        let (stack, region) = (stack.into(), region.into());
        if !is_plain(&stack, 128, b"-") {
            return Err(InvalidName { what: "stack" });
        }
        if !is_plain(&region, 32, b"-") {
            return Err(InvalidName { what: "region" });
        }
        Ok(Self { stack, region })
    }

    /// The stack.
    #[must_use]
    pub fn stack(&self) -> &str {
        &self.stack
    }

    /// The region.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// What every key of this export begins with.
    #[must_use]
    pub fn prefix(&self) -> String {
        format!("functions/{}/{}/", self.stack, self.region)
    }

    /// The key of what has this hash.
    #[must_use]
    pub fn object_key(&self, digest: Digest) -> String {
        format!("{}objects/{}", self.prefix(), digest.hex())
    }

    /// The key of the manifest that holds.
    #[must_use]
    pub fn latest_key(&self) -> String {
        format!("{}latest.json", self.prefix())
    }

    /// The key under which a manifest is kept beside those before and after it: to the second, without colons.
    #[must_use]
    pub fn dated_key(&self, at: Timestamp) -> String {
        let moment: String = at.to_rfc3339().chars().take(19).filter(|c| *c != ':').collect();
        format!("{}manifests/{moment}Z.json", self.prefix())
    }
}
