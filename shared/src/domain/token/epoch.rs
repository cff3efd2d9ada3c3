//! The name of an epoch: the UTC day and lease generation whose tokens share one data key.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::identifiers::InvalidIdentifier;
use crate::domain::time::Timestamp;

const DAY_MILLIS: i64 = 86_400_000;

/// `YYYY-MM-DD.g<lease generation>`, such as `2026-11-23.g7`.
///
/// The generation is part of the name because two regions may each have made a key for one day before a lease
/// changed hands: neither overwrites the other's. It says nothing of anyone, so `Debug` and `Display` show it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EpochId {
    midnight: Timestamp,
    generation: u64,
}

impl EpochId {
    /// The epoch of the UTC day of `at` under lease generation `generation`. A moment before 1970 counts as the
    /// first day of 1970.
    #[must_use]
    pub fn new(at: Timestamp, generation: u64) -> Self {
        let days = at.as_millis().max(0) / DAY_MILLIS;
        Self {
            midnight: Timestamp::from_millis(days * DAY_MILLIS),
            generation,
        }
    }

    /// Reads the text form.
    ///
    /// # Errors
    /// [`InvalidIdentifier`] for any other form, a day that the calendar does not have, leading zeros or a sign in
    /// the generation.
    pub fn parse(text: &str) -> Result<Self, InvalidIdentifier> {
        Self::read(text)
            // One text per epoch: `g07` must not name a second item beside `g7`.
            .filter(|epoch| epoch.encode() == text)
            .ok_or(InvalidIdentifier { what: "key epoch" })
    }

    fn read(text: &str) -> Option<Self> {
        let (day, generation) = text.split_once(".g")?;
        let midnight = Timestamp::parse_rfc3339(&format!("{day}T00:00:00Z")).ok()?;
        Some(Self {
            midnight,
            generation: generation.parse().ok()?,
        })
    }

    /// The text form: the key of an item in `keys`, and what a KMS encryption context names.
    #[must_use]
    pub fn encode(&self) -> String {
        format!("{}.g{}", self.day(), self.generation)
    }

    /// The UTC day, `2026-11-23`.
    #[must_use]
    pub fn day(&self) -> String {
        self.midnight.utc_day()
    }

    /// The lease generation.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The epoch of the following day under the same generation: keys are made a day ahead.
    #[must_use]
    pub fn next_day(&self) -> Self {
        Self::new(self.midnight.plus_days(1), self.generation)
    }

    /// Whether `at` falls on this epoch's day.
    #[must_use]
    pub fn covers(&self, at: Timestamp) -> bool {
        (0..DAY_MILLIS).contains(&at.millis_since(self.midnight))
    }
}

impl TryFrom<String> for EpochId {
    type Error = InvalidIdentifier;
    fn try_from(text: String) -> Result<Self, InvalidIdentifier> {
        Self::parse(&text)
    }
}

impl From<EpochId> for String {
    fn from(epoch: EpochId) -> String {
        epoch.encode()
    }
}

impl fmt::Display for EpochId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.encode())
    }
}

impl fmt::Debug for EpochId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.encode())
    }
}
