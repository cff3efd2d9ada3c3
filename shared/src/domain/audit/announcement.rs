//! What is said of the log outside of it, on the event bus: where each head has come to, and which invariant broke.
//!
//! Neither bears a match, a token or an identity: hashes, numbers and names of invariants alone.

use serde_json::json;

use super::entry::Invariant;
use super::format::{Chain, LogRegion};
use super::object::Sealed;

/// Something that is announced. Its form is part of `docs/audit-log.md`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Announcement {
    /// A head, for whoever wants to remember it: a log that is cut later does not reach it.
    Head {
        /// Whose log it is.
        region: LogRegion,
        /// The statement's line.
        statement: String,
        /// Its signature, as the log has it.
        signature: String,
    },
    /// An invariant does not hold of what an object says.
    Broken {
        /// Whose log it is.
        region: LogRegion,
        /// The chain.
        chain: Chain,
        /// The object that says it.
        sequence: u64,
        /// Which one.
        invariant: Invariant,
        /// How many entries of the object say so.
        times: u64,
    },
}

impl Announcement {
    /// The head of what was sealed.
    #[must_use]
    pub fn head(sealed: &Sealed) -> Self {
        let head = sealed.head();
        let (statement, signature) = head.split_once('\n').unwrap_or_default();
        Self::Head {
            region: sealed.statement.region.clone(),
            statement: statement.to_owned(),
            signature: signature.trim_end().to_owned(),
        }
    }

    /// The event's `detail-type`.
    #[must_use]
    pub fn detail_type(&self) -> &'static str {
        match self {
            Self::Head { .. } => "Audit Head Moved",
            Self::Broken { .. } => "Audit Invariant Broken",
        }
    }

    /// The event's `detail`: a JSON object.
    #[must_use]
    pub fn detail(&self) -> String {
        match self {
            Self::Head {
                region,
                statement,
                signature,
            } => json!({ "region": region.as_str(), "statement": statement, "signature": signature }),
            Self::Broken {
                region,
                chain,
                sequence,
                invariant,
                times,
            } => json!({
                "region": region.as_str(),
                "chain": chain.number(),
                "sequence": sequence,
                "invariant": invariant.as_str(),
                "times": times,
            }),
        }
        .to_string()
    }
}
