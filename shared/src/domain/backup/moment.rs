//! A moment as reports write it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::time::{InvalidTimestamp, Timestamp};

/// A [`Timestamp`] that serialises as RFC 3339 in UTC: reports are read by people, too.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Moment(pub Timestamp);

impl Moment {
    /// How long before `now` it was, in whole minutes, rounded up; zero when it is still to come.
    #[must_use]
    pub fn minutes_before(self, now: Timestamp) -> u64 {
        const MINUTE_MILLIS: u64 = 60_000;
        u64::try_from(now.millis_since(self.0))
            .unwrap_or(0)
            .div_ceil(MINUTE_MILLIS)
    }
}

impl TryFrom<String> for Moment {
    type Error = InvalidTimestamp;
    fn try_from(text: String) -> Result<Self, InvalidTimestamp> {
        Timestamp::parse_rfc3339(&text).map(Self)
    }
}

impl From<Moment> for String {
    fn from(moment: Moment) -> Self {
        moment.0.to_rfc3339()
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_rfc3339())
    }
}
