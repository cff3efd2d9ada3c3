//! What is wrong, in codes and figures. Sentences are made of them for people, elsewhere.

use serde::{Deserialize, Serialize};

use super::store::Fact;
use super::verdict::Verdict;

macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident $name:literal is $verdict:ident;)*) => {
        /// What is wrong with a fact.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Code {
            $($(#[$doc])* #[serde(rename = $name)] $code,)*
        }

        impl Code {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$code),*];

            /// Its name in reports, logs and events.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$code => $name),* }
            }

            /// What a store is that it is found of.
            #[must_use]
            pub fn verdict(self) -> Verdict {
                match self { $(Self::$code => Verdict::$verdict),* }
            }
        }
    };
}

codes! {
    /// It is not there.
    Missing "missing" is Bad;
    /// It has never done its work.
    NeverRan "neverRan" is Bad;
    /// It is switched off.
    Disabled "disabled" is Bad;
    /// It is older than it may be.
    Stale "stale" is Bad;
    /// It is behind by more than it may be.
    Lagging "lagging" is Bad;
    /// It is in a state in which it is of no use.
    WrongState "wrongState" is Bad;
    /// It was tried, and failed.
    Failing "failing" is Bad;
    /// It is not what it is a copy of.
    Differs "differs" is Bad;
    /// It does not reach as far as it must.
    Short "short" is Bad;
    /// The service refuses to say.
    Denied "denied" is Unknown;
    /// It could not be read.
    Failed "failed" is Unknown;
    /// There was no time to ask.
    NotAsked "notAsked" is Unknown;
    /// A metric has no points.
    Silent "silent" is Unknown;
    /// The answer lacks what is needed to judge it.
    Incomplete "incomplete" is Unknown;
    /// The answer cannot be true: it tells of a time to come, or of another fact.
    Implausible "implausible" is Unknown;
}

/// The word of a replication rule whose filter leaves objects out.
pub(super) const FILTER: &str = "Filter";
/// The word of a replication rule that leaves out what is encrypted under a key of KMS.
pub(super) const KMS_OBJECTS: &str = "SseKmsEncryptedObjects";

/// A number, and of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Figure {
    /// Minutes.
    Minutes(u64),
    /// Days.
    Days(u64),
    /// So many.
    Count(u64),
}

/// One thing that is wrong with one store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Finding {
    /// With what.
    pub fact: Fact,
    /// What.
    pub code: Code,
    /// With which part, when the fact has several: a function, a table, a rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is: Option<Figure>,
    /// What it may be at most, or must be at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<Figure>,
    /// What the service calls it: a state, an operation, an error code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word: Option<String>,
}

impl Finding {
    /// A finding without figures.
    #[must_use]
    pub(super) fn new(fact: Fact, code: Code) -> Self {
        Self {
            fact,
            code,
            part: None,
            is: None,
            bound: None,
            word: None,
        }
    }

    pub(super) fn part(self, part: &str) -> Self {
        Self {
            part: Some(part.to_owned()),
            ..self
        }
    }

    pub(super) fn figures(self, is: Figure, bound: Figure) -> Self {
        Self {
            is: Some(is),
            bound: Some(bound),
            ..self
        }
    }

    pub(super) fn word(self, word: &str) -> Self {
        Self {
            word: Some(word.to_owned()),
            ..self
        }
    }

    /// `pitrWindow:stale`: fact and code, as events and logs have it.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{}:{}", self.fact.as_str(), self.code.as_str())
    }
}
