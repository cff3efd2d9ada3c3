//! How long a request takes.

use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;

/// Never less than `floor`; beyond it an exponential tail. The median is `floor` + 0.69 × `tail`, and one request in
/// a hundred takes longer than `floor` + 4.6 × `tail`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latency {
    /// The least.
    pub floor: Duration,
    /// The mean of what comes on top.
    pub tail: Duration,
}

impl Latency {
    /// From microseconds.
    #[must_use]
    pub const fn micros(floor: u64, tail: u64) -> Self {
        Self {
            floor: Duration::from_micros(floor),
            tail: Duration::from_micros(tail),
        }
    }

    /// This and `count` times `each`.
    #[must_use]
    pub fn and(self, each: Self, count: usize) -> Self {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        Self {
            floor: self.floor + each.floor * count,
            tail: self.tail + each.tail * count,
        }
    }

    pub(super) fn draw(self, dice: &mut StdRng) -> Duration {
        let share: f64 = dice.random();
        self.floor + self.tail.mul_f64(-(1.0 - share).ln())
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn the_doc_comment_says_what_is_drawn() {
        let latency = Latency::micros(10_000, 4_000);
        let mut dice = StdRng::seed_from_u64(1);
        let mut drawn: Vec<Duration> = (0..10_000).map(|_| latency.draw(&mut dice)).collect();
        drawn.sort();
        let near = |at: usize, micros: u64| {
            let off = drawn[at].as_micros().abs_diff(u128::from(micros));
            assert!(off < 1_000, "{:?} at {at}", drawn[at]);
        };
        assert!(drawn[0] >= latency.floor);
        near(5_000, 12_770);
        near(9_900, 28_420);
    }

    #[test]
    fn a_part_for_each_is_added() {
        let sum = Latency::micros(5, 1).and(Latency::micros(2, 3), 10);
        assert_eq!(sum, Latency::micros(25, 31));
    }
}
