//! What every function does alike at its edge: logs and metrics that quote nothing, panics kept where they happen,
//! the clock, and the moment by which an answer must be there.
//!
//! What it is **not**: a handler, or a place that reads the environment but for `RUST_LOG`.

mod guard;
mod telemetry;

use std::time::{SystemTime, UNIX_EPOCH};

pub use guard::survive;
pub use telemetry::{log_panics_without_their_text, start_logs, start_metrics, subscriber};

use crate::domain::time::Timestamp;

/// When the answer must be there. Lambda names a moment, in milliseconds since 1970; `cargo lambda watch` gives the
/// 600,000 ms that it grants in the same field, and no function has to answer in 1970.
#[must_use]
pub fn deadline(stamped_millis: u64, now: Timestamp) -> Timestamp {
    const YEAR_1971_MILLIS: i64 = 31_536_000_000;
    match i64::try_from(stamped_millis).unwrap_or(i64::MAX) {
        granted if granted < YEAR_1971_MILLIS => now.plus_millis(granted),
        moment => Timestamp::from_millis(moment),
    }
}

/// The clock that a composition root hands in.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "the composition roots take their clock from here"
)]
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_a_moment_or_counts_from_now() {
        let now = Timestamp::from_millis(1_800_000_000_000);
        let moment = 1_800_000_030_000;
        assert_eq!(deadline(moment, now), now.plus_millis(30_000));
        assert_eq!(deadline(600_000, now), now.plus_millis(600_000));
        assert_eq!(deadline(u64::MAX, now), Timestamp::from_millis(i64::MAX));
    }
}
