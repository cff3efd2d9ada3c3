//! The rate at which letters go back.

use std::time::Duration;

use symbolon_shared::domain::time::Timestamp;

/// Says how long to wait before the next letters.
#[derive(Debug)]
pub(crate) struct Pace {
    per_second: u32,
    next: Timestamp,
}

impl Pace {
    pub(crate) fn new(per_second: u32) -> Self {
        Self {
            per_second: per_second.max(1),
            next: Timestamp::from_millis(0),
        }
    }

    /// The wait before `letters` more may go, which they then do.
    pub(crate) fn wait(&mut self, letters: usize, now: Timestamp) -> Duration {
        let start = self.next.max(now);
        let letters = i64::try_from(letters).unwrap_or(i64::MAX / 1_000);
        // Rounded up: never faster.
        let takes = (letters * 1_000).div_euclid(i64::from(self.per_second)) + 1;
        self.next = start.plus_millis(takes);
        Duration::from_millis(u64::try_from(start.millis_since(now)).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_never_faster_than_the_rate() {
        let mut pace = Pace::new(20);
        let start = Timestamp::from_millis(1_000);
        let mut now = start;
        for _ in 0..100 {
            let wait = pace.wait(10, now);
            now = now.plus_millis(i64::try_from(wait.as_millis()).unwrap());
        }
        // A thousand letters: the first ten at once, the others at 20 in a second.
        assert!((49_500..50_000).contains(&now.millis_since(start)), "{now:?}");
        // What was not used is not saved up.
        let later = now.plus_millis(3_600_000);
        assert_eq!(pace.wait(10, later), Duration::ZERO);
        assert!(pace.wait(10, later) >= Duration::from_millis(500));
    }
}
