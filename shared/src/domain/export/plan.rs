//! What has to be copied: by what is there, not by what was done before.

use super::digest::Digest;
use crate::domain::time::Timestamp;

const DAY_MILLIS: i64 = 86_400_000;

/// What the bucket says of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// The hash that the store itself took of the whole content; none, if it was put without one.
    pub digest: Option<Digest>,
    /// When it was put.
    pub modified: Timestamp,
}

/// Days after which an object that is still named is put again, because the bucket's lifecycle counts from the put:
/// less than that lifecycle, so that what a manifest names never expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RenewAfter {
    days: i64,
}

impl RenewAfter {
    /// For a bucket that keeps objects for so many days: at half of them, so that a manifest which is superseded can
    /// still be restored from for the other half.
    #[must_use]
    pub const fn half_of(retention_days: i64) -> Self {
        Self {
            days: retention_days / 2,
        }
    }
}

/// What has to be done with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// It is there as it must be.
    Nothing,
    /// It is not there.
    First,
    /// What is there is something else: whoever put it, its name says what belongs there.
    Repair,
    /// It is there, and old.
    Renew,
}

/// What has to be done so that `digest` lies under its name, and stays.
#[must_use]
pub fn need(stored: Option<&Stored>, digest: Digest, now: Timestamp, renew_after: RenewAfter) -> Need {
    match stored {
        None => Need::First,
        Some(stored) if stored.digest != Some(digest) => Need::Repair,
        Some(stored) if now.millis_since(stored.modified) >= renew_after.days.saturating_mul(DAY_MILLIS) => {
            Need::Renew
        }
        Some(_) => Need::Nothing,
    }
}
