//! One line of the log.

use std::fmt;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::format::LogRegion;
use crate::domain::identifiers::InvalidIdentifier;
use crate::domain::time::Timestamp;
use crate::domain::token::{Commitment, EpochId, MatchId};

const EVENT_LABEL: &str = "symbolon/audit/event/v1";

/// What happened to a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It was put: both of its tokens exist from now on.
    Minted,
    /// It was changed, which nobody may do.
    Changed,
    /// DynamoDB took it away by its TTL.
    Expired,
    /// Somebody took it away, or the other region's TTL did: a replica's stream does not tell the two apart.
    Deleted,
    /// An invariant does not hold of the event before.
    Broken,
}

/// What must hold of every match that is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Invariant {
    /// The item is of the stored form, and what the event needs of it is there.
    ItemReadable,
    /// There are two tokens, both of this match, and they fit the commitment.
    TokensFitCommitment,
    /// No match is minted twice.
    MintedOnce,
    /// Nothing changes a match once it is minted, and nothing takes it away before its time.
    UnchangedAfterMinting,
    /// The epoch that it names has a key.
    KeyEpochKnown,
    /// It was made on the day of that epoch.
    WithinKeyEpoch,
}

impl Invariant {
    /// Its name in the log, in metrics and in events.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ItemReadable => "item_readable",
            Self::TokensFitCommitment => "tokens_fit_commitment",
            Self::MintedOnce => "minted_once",
            Self::UnchangedAfterMinting => "unchanged_after_minting",
            Self::KeyEpochKnown => "key_epoch_known",
            Self::WithinKeyEpoch => "within_key_epoch",
        }
    }
}

/// Which event of the stream it was, the same however often it is delivered; as text 32 lower-case hex digits.
///
/// A hash of DynamoDB's own id: what that looks like is not promised, and what stands in the log must not be able to
/// be anything else in disguise.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EventId([u8; 16]);

impl EventId {
    /// The first half of SHA-256 over a label and the stream's own id of the event.
    #[must_use]
    pub fn of(stream_event_id: &str) -> Self {
        let hash = Sha256::new()
            .chain_update(EVENT_LABEL)
            .chain_update(stream_event_id)
            .finalize();
        let mut half = [0; 16];
        half.copy_from_slice(&hash[..16]);
        Self(half)
    }
}

impl TryFrom<String> for EventId {
    type Error = InvalidIdentifier;
    fn try_from(text: String) -> Result<Self, InvalidIdentifier> {
        let bytes = HEXLOWER.decode(text.as_bytes()).ok();
        let id = bytes.and_then(|bytes| bytes.try_into().ok()).map(Self);
        id.ok_or(InvalidIdentifier {
            what: "id of a stream event",
        })
    }
}

impl From<EventId> for String {
    fn from(id: EventId) -> String {
        HEXLOWER.encode(&id.0)
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

/// One entry of the log. It has no room for an owner, an order or a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Entry {
    /// What happened.
    pub event: Event,
    /// Of [`Event::Broken`]: what does not hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invariant: Option<Invariant>,
    /// The stream's id of it; a broken invariant bears that of the event of which it is said.
    pub event_id: EventId,
    /// When the stream recorded it, to the second that DynamoDB gives.
    pub recorded_at: Timestamp,
    /// Which match.
    pub match_id: MatchId,
    /// The hash over both of its tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commitment: Option<Commitment>,
    /// The region that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<LogRegion>,
    /// The epoch whose key minted its tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_epoch: Option<EpochId>,
    /// The version of its symbol's parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter_version: Option<u64>,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matched_at: Option<Timestamp>,
    /// When TTL may take it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

impl Entry {
    /// The canonical form: JSON without blanks, the fields in the order of this type, absent ones left out. No value
    /// has a character that JSON would escape.
    #[must_use]
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "strings, integers and names of variants always serialise"
    )]
    pub fn line(&self) -> String {
        serde_json::to_string(self).expect("an entry serialises")
    }

    /// Reads a line, if it is the canonical form of its entry.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let entry: Self = serde_json::from_str(line).ok()?;
        (entry.line() == line).then_some(entry)
    }
}
