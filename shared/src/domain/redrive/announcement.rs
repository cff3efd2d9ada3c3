//! What is said of the redrive on the event bus. Neither sender nor body: names of sources, codes and hashes.

use serde_json::json;

use super::letter::Identity;
use super::source::SourceName;
use crate::domain::audit::LogRegion;
use crate::domain::reason::{PoisonReason, StopReason};

/// What was done with an object of the quarantine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QuarantineAct {
    /// It was put there.
    Quarantined,
    /// Somebody is about to see it.
    Shown,
    /// It is about to be sent to its source again.
    Released,
    /// It is about to be removed for good.
    Purged,
}

impl QuarantineAct {
    /// The word for it in events.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Quarantined => "quarantined",
            Self::Shown => "shown",
            Self::Released => "released",
            Self::Purged => "purged",
        }
    }
}

/// Something that is announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Announcement {
    /// Letters stay in a dead-letter queue though nothing is wrong with them.
    Stopped {
        /// Where.
        region: LogRegion,
        /// Whose dead letters.
        source: SourceName,
        /// Why.
        why: StopReason,
    },
    /// Somebody is about to see names of what is in the quarantine.
    Listed {
        /// Where.
        region: LogRegion,
        /// Of which source; every one's if none.
        source: Option<SourceName>,
        /// For which reason; every one if none.
        reason: Option<PoisonReason>,
    },
    /// Something was done, or is about to be, with an object of the quarantine.
    Act {
        /// Where.
        region: LogRegion,
        /// What.
        act: QuarantineAct,
        /// Which message.
        identity: Identity,
        /// Why it was in the quarantine.
        reason: PoisonReason,
        /// Which queue it was on first.
        source: SourceName,
    },
}

impl Announcement {
    /// The event's `detail-type`.
    #[must_use]
    pub fn detail_type(&self) -> &'static str {
        match self {
            Self::Stopped { .. } => "Redrive Stopped",
            Self::Act { .. } | Self::Listed { .. } => "Quarantine Act",
        }
    }

    /// The event's `detail`: a JSON object.
    #[must_use]
    pub fn detail(&self) -> String {
        match self {
            Self::Stopped { region, source, why } => {
                json!({ "region": region.as_str(), "queue": source, "why": why })
            }
            Self::Listed {
                region,
                source,
                reason,
            } => json!({ "region": region.as_str(), "act": "listed", "source": source, "reason": reason }),
            Self::Act {
                region,
                act,
                identity,
                reason,
                source,
            } => json!({
                "region": region.as_str(),
                "act": act.as_str(),
                "hash": identity,
                "reason": reason,
                "source": source,
            }),
        }
        .to_string()
    }
}
