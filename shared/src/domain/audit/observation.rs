//! What the stream showed of one match, and what is logged of it.

use super::entry::{Entry, Event, EventId, Invariant};
use super::format::{Chain, LogRegion};
use crate::domain::match_record::MatchRecord;
use crate::domain::time::Timestamp;
use crate::domain::token::{Commitment, MatchId};

/// How an item changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It was not there before.
    Inserted,
    /// It was there before, and still is.
    Modified,
    /// It is gone.
    Removed {
        /// Whether DynamoDB's own TTL took it.
        by_ttl: bool,
    },
}

/// One record of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// The stream's id of it.
    pub event_id: EventId,
    /// When the stream recorded it.
    pub recorded_at: Timestamp,
    /// Which match, by the item's key.
    pub match_id: MatchId,
    /// How it changed.
    pub change: Change,
    /// The item as it is now, or as it was when it went; `None` when it is not of the stored form.
    pub image: Option<MatchRecord>,
}

/// What has to be known beside the record itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Surroundings {
    /// Whether the epoch that the item names has a key.
    pub epoch_has_key: bool,
    /// Whether this match was minted before, as far as the writer looks back.
    pub minted_before: bool,
}

impl Observation {
    /// The chain that it is logged in.
    #[must_use]
    pub fn chain(&self) -> Chain {
        Chain::of(&self.match_id)
    }

    /// What is logged: the event, then each invariant that does not hold of it.
    #[must_use]
    pub fn entries(&self, surroundings: Surroundings) -> Vec<Entry> {
        let broken = self.broken(surroundings);
        let broken = broken.into_iter().map(|invariant| Entry {
            invariant: Some(invariant),
            ..self.bare(Event::Broken)
        });
        std::iter::once(self.event()).chain(broken).collect()
    }

    fn event(&self) -> Entry {
        let event = match self.change {
            Change::Inserted => Event::Minted,
            Change::Modified => Event::Changed,
            Change::Removed { by_ttl: true } => Event::Expired,
            Change::Removed { by_ttl: false } => Event::Deleted,
        };
        let Some(item) = &self.image else {
            return self.bare(event);
        };
        Entry {
            commitment: Some(item.commitment),
            // The one field of the item that could hold any text at all.
            region: LogRegion::new(item.region.as_str()).ok(),
            key_epoch: Some(item.key_epoch),
            parameter_version: Some(item.parameter_version),
            matched_at: Some(item.matched_at),
            expires_at: Some(expiry(item)),
            ..self.bare(event)
        }
    }

    fn bare(&self, event: Event) -> Entry {
        Entry {
            event,
            invariant: None,
            event_id: self.event_id,
            recorded_at: self.recorded_at,
            match_id: self.match_id,
            commitment: None,
            region: None,
            key_epoch: None,
            parameter_version: None,
            matched_at: None,
            expires_at: None,
        }
    }

    fn broken(&self, surroundings: Surroundings) -> Vec<Invariant> {
        let readable = self
            .image
            .as_ref()
            .filter(|item| is_readable(item, self.match_id));
        let Some(item) = readable else {
            return match self.change {
                // Changed for the worse: both are said.
                Change::Modified => vec![Invariant::ItemReadable, Invariant::UnchangedAfterMinting],
                _ => vec![Invariant::ItemReadable],
            };
        };
        let of_what_is_there = [
            (Invariant::TokensFitCommitment, tokens_fit(item)),
            (Invariant::KeyEpochKnown, surroundings.epoch_has_key),
            (Invariant::WithinKeyEpoch, item.key_epoch.covers(item.matched_at)),
        ];
        let checked = match self.change {
            Change::Inserted => {
                let mut checked = of_what_is_there.to_vec();
                checked.push((Invariant::MintedOnce, !surroundings.minted_before));
                checked
            }
            Change::Modified => {
                let mut checked = of_what_is_there.to_vec();
                checked.push((Invariant::UnchangedAfterMinting, false));
                checked
            }
            // DynamoDB takes an item at the earliest in its second, and the record's own time is cut to the second.
            Change::Removed { .. } => {
                vec![(Invariant::UnchangedAfterMinting, self.recorded_at >= expiry(item))]
            }
        };
        let broken = checked.into_iter().filter(|(_, holds)| !holds);
        broken.map(|(invariant, _)| invariant).collect()
    }
}

/// Whether an item is what its key says, and all that is logged of it can be.
fn is_readable(item: &MatchRecord, match_id: MatchId) -> bool {
    item.match_id == match_id && LogRegion::new(item.region.as_str()).is_ok()
}

fn tokens_fit(item: &MatchRecord) -> bool {
    item.buy_token.match_id() == item.match_id
        && item.sell_token.match_id() == item.match_id
        && Commitment::of(&item.buy_token, &item.sell_token) == item.commitment
}

fn expiry(item: &MatchRecord) -> Timestamp {
    Timestamp::from_millis(item.expires_at.saturating_mul(1_000))
}
