//! Moments, as integers of milliseconds since the epoch. The domain has no clock: time is an argument.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z. Serialises as a number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

/// Not an RFC 3339 moment in UTC between the years 1970 and 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 time in UTC")]
pub struct InvalidTimestamp;

impl Timestamp {
    /// From milliseconds since the epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded up: a TTL never comes early.
    #[must_use]
    pub const fn as_seconds_ceil(self) -> i64 {
        self.0.div_euclid(1000) + (self.0.rem_euclid(1000) != 0) as i64
    }

    /// This moment and `millis` more (saturating).
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// This moment and `days` days more (saturating).
    #[must_use]
    pub const fn plus_days(self, days: i64) -> Self {
        Self(self.0.saturating_add(days.saturating_mul(86_400_000)))
    }

    /// Milliseconds from `earlier` to this moment; negative when this one is the earlier.
    #[must_use]
    pub const fn millis_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Parses RFC 3339 in UTC (`Z`, `+00:00` or `-00:00`, letters in either case); below a millisecond is cut off.
    ///
    /// # Errors
    /// [`InvalidTimestamp`] for any other form, offset or a year outside 1970–9999.
    pub fn parse_rfc3339(text: &str) -> Result<Self, InvalidTimestamp> {
        let text = text.to_ascii_uppercase();
        let utc = ["Z", "+00:00", "-00:00"]
            .iter()
            .find_map(|utc| text.strip_suffix(utc));
        // jiff also takes ISO 8601 forms that RFC 3339 does not know (basic dates, spaces, comma fractions).
        let bytes = text.as_bytes();
        let shape = (20..=40).contains(&bytes.len())
            && bytes.iter().enumerate().take(19).all(|(i, b)| match i {
                4 | 7 => *b == b'-',
                10 => *b == b'T',
                13 | 16 => *b == b':',
                _ => b.is_ascii_digit(),
            })
            && matches!(bytes[19], b'.' | b'Z' | b'+' | b'-');
        let Some(local) = utc.filter(|_| shape) else {
            return Err(InvalidTimestamp);
        };
        let (seconds, fraction) = local.split_once('.').unwrap_or((local, "0"));
        if fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
            return Err(InvalidTimestamp);
        }
        // RFC 3339 sets no end to the digits of a fraction, jiff ends at nine.
        let exact = format!("{seconds}.{fraction:.9}Z");
        let parsed: jiff::Timestamp = exact.parse().map_err(|_| InvalidTimestamp)?;
        let millis = parsed.as_millisecond();
        if millis < 0 {
            Err(InvalidTimestamp)
        } else {
            Ok(Self(millis))
        }
    }

    /// `2026-11-23T10:15:30.123Z`; a moment outside the calendar prints as its bounds.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        let moment = jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::MAX);
        format!("{moment:.3}")
    }

    /// The UTC calendar day, `2026-11-23`.
    #[must_use]
    pub fn utc_day(self) -> String {
        self.to_rfc3339().chars().take(10).collect()
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_rfc3339())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The calendar's last moment here is jiff's, a day before that of RFC 3339; both lie beyond every expiry.
    const LAST: &str = "9999-12-30T22:00:00.999Z";

    #[test]
    fn impossible_moments_are_no_moments() {
        for wrong in [
            "9999-12-31T23:59:59Z",
            "0000-01-01T00:00:00Z",
            "2026-12-01T16:00:61Z",
            "2026-12-01T24:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-12-00T00:00:00Z",
            "２０２６-12-01T16:00:00Z",
            "2026-12-01T16:00:00\u{1d7d8}Z",
            "2026-12-01T16:00:00.\u{663}Z",
            "2026-12-01T16:00:00Z\0",
        ] {
            assert_eq!(Timestamp::parse_rfc3339(wrong), Err(InvalidTimestamp), "{wrong}");
        }
        assert_eq!(Timestamp::parse_rfc3339(LAST).unwrap().to_rfc3339(), LAST);
        let leap = Timestamp::parse_rfc3339("2016-12-31T23:59:60Z").unwrap();
        assert_eq!(leap.to_rfc3339(), "2016-12-31T23:59:59.000Z");
        assert!(Timestamp::parse_rfc3339(&"2026-12-01".repeat(100_000)).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in prop_oneof![
            any::<String>(), "[0-9TZ:.+-]{0,45}", "\\PC{19}[.Z+-]\\PC{0,9}",
            "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,19})?(Z|[+-]00:00)",
        ]) {
            if let Ok(read) = Timestamp::parse_rfc3339(&text) {
                prop_assert!(read.as_millis() >= 0);
                prop_assert_eq!(Timestamp::parse_rfc3339(&read.to_rfc3339()), Ok(read));
            }
        }

        /// A stamp that lies may hold any 64 bits.
        #[test]
        fn any_moment_can_be_reckoned_with(millis: i64, more: i64, days: i64) {
            let at = Timestamp::from_millis(millis);
            let later = at.plus_millis(more).plus_days(days);
            prop_assert!(more < 0 || days < 0 || later >= at);
            prop_assert!((later.millis_since(at) < 0) == (later < at));
            prop_assert_eq!(i128::from(at.as_seconds_ceil()), i128::from(millis).div_euclid(1000) + i128::from(millis.rem_euclid(1000) != 0));
            prop_assert_eq!(at.utc_day().len(), at.to_rfc3339().find('T').unwrap().min(10));
        }
    }

    #[test]
    fn rfc3339_in_utc_only() {
        let at = Timestamp::parse_rfc3339("2026-12-01T16:00:00Z").unwrap();
        assert_eq!(at.as_millis(), 1_796_140_800_000);
        assert_eq!(at.to_rfc3339(), "2026-12-01T16:00:00.000Z");
        assert_eq!(
            Timestamp::parse_rfc3339("2026-12-01T16:00:00.1239+00:00")
                .unwrap()
                .to_rfc3339(),
            "2026-12-01T16:00:00.123Z"
        );
        assert_eq!(at.utc_day(), "2026-12-01");
        for same in [
            "2026-12-01t16:00:00z",
            "2026-12-01T16:00:00-00:00",
            "2026-12-01T16:00:00.000123456789Z",
        ] {
            assert_eq!(Timestamp::parse_rfc3339(same), Ok(at), "{same}");
        }
        for wrong in [
            "",
            "Z",
            "2026-12-01",
            "2026-12-01T16:00:00",
            "2026-12-01T16:00:00+01:00",
            "2026-12-01 16:00:00Z",
            "20261201T160000Z",
            "1969-12-31T23:59:59Z",
            "2026-13-01T00:00:00Z",
            "2026-02-30T00:00:00Z",
            "2026-12-01T25:00:00Z",
            "+002026-12-01T16:00:00Z",
            "2026-12-01T16:00:00.Z",
            "2026-12-01T16:00:00,5Z",
        ] {
            assert_eq!(Timestamp::parse_rfc3339(wrong), Err(InvalidTimestamp), "{wrong}");
        }
    }

    #[test]
    fn seconds_round_up() {
        assert_eq!(Timestamp::from_millis(1_000).as_seconds_ceil(), 1);
        assert_eq!(Timestamp::from_millis(1_001).as_seconds_ceil(), 2);
    }
}
