//! In which order the events of a flow are delivered when duplicates and disorder are asked for, as a standard
//! queue may deliver them.

use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, SeedableRng};

/// Nine of ten second deliveries come within so many places of the first, the others anywhere after it: most
/// redeliveries of a queue follow soon, while the first is at work or just done, and some when all is over.
const SOON: usize = 300;

/// How unruly the delivery is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Disorder {
    /// The share of events that are delivered a second time, 0 to 1.
    pub duplicates: f64,
    /// The window within which first deliveries are reordered: each is early or late by fewer places than this.
    pub shuffle: usize,
    /// The share of a stream's batches that are delivered a second time, 0 to 1.
    pub stream_duplicates: f64,
    /// The same seed, the same plan.
    pub seed: u64,
}

/// One delivery of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// Its index in the flow.
    pub event: usize,
    /// Whether it was delivered before.
    pub duplicate: bool,
}

/// The order in which `events` events are delivered: each once, and a share of them once more later.
#[must_use]
pub fn plan(events: usize, disorder: &Disorder) -> Vec<Delivery> {
    // A named generator: a seed that showed a bug must show it after an update of the crate too, which promises
    // that only for these.
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(disorder.seed);
    let firsts = shuffled(events, disorder.shuffle, &mut rng);
    let mut deliveries: Vec<(usize, bool, usize)> = Vec::with_capacity(events);
    for (place, event) in firsts.into_iter().enumerate() {
        deliveries.push((place, false, event));
        if f64::from(rng.next_u32()) < disorder.duplicates * (f64::from(u32::MAX) + 1.0) {
            deliveries.push((place.saturating_add(lag(events, &mut rng)), true, event));
        }
    }
    // At one place the first delivery of one event goes before second deliveries of others.
    deliveries.sort_unstable();
    deliveries
        .into_iter()
        .map(|(_, duplicate, event)| Delivery { event, duplicate })
        .collect()
}

/// Each event is put off by 0 to `window` places, and ties stay in order: so one passes another only when fewer
/// than `window` places lie between where they were.
fn shuffled(events: usize, window: usize, rng: &mut impl Rng) -> Vec<usize> {
    let mut put_off: Vec<(usize, usize)> = (0..events)
        .map(|event| (event.saturating_add(below(window.saturating_add(1), rng)), event))
        .collect();
    put_off.sort_unstable();
    put_off.into_iter().map(|(_, event)| event).collect()
}

/// How many places after the first delivery the second one comes.
fn lag(events: usize, rng: &mut impl Rng) -> usize {
    let soon = below(10, rng) < 9;
    1 + below(if soon { SOON } else { events }, rng)
}

/// A number from 0 to `bound` − 1; `bound` is above zero. The remainder's bias does not matter here.
fn below(bound: usize, rng: &mut impl Rng) -> usize {
    rng.next_u32() as usize % bound
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disorder(duplicates: f64, shuffle: usize, seed: u64) -> Disorder {
        Disorder {
            duplicates,
            shuffle,
            stream_duplicates: 0.0,
            seed,
        }
    }

    fn firsts(plan: &[Delivery]) -> Vec<usize> {
        plan.iter()
            .filter(|delivery| !delivery.duplicate)
            .map(|delivery| delivery.event)
            .collect()
    }

    #[test]
    fn without_disorder_it_is_the_file() {
        for seed in 0..20 {
            let plan = plan(1_000, &disorder(0.0, 0, seed));
            assert!(plan.iter().all(|delivery| !delivery.duplicate));
            assert_eq!(firsts(&plan), (0..1_000).collect::<Vec<_>>());
        }
        assert!(plan(0, &disorder(1.0, 50, 1)).is_empty());
    }

    #[test]
    fn every_event_is_delivered_first_exactly_once() {
        for seed in 0..50 {
            let mut firsts = firsts(&plan(1_000, &disorder(0.2, 50, seed)));
            firsts.sort_unstable();
            assert_eq!(firsts, (0..1_000).collect::<Vec<_>>(), "seed {seed}");
        }
    }

    #[test]
    fn no_first_delivery_leaves_its_window() {
        for (seed, window) in (0..50).zip([0, 1, 2, 7, 50, 400].into_iter().cycle()) {
            let firsts = firsts(&plan(1_000, &disorder(0.2, window, seed)));
            let furthest = firsts
                .iter()
                .enumerate()
                .map(|(place, event)| place.abs_diff(*event))
                .max();
            assert!(
                furthest <= Some(window),
                "seed {seed}, window {window}: {furthest:?}"
            );
            assert!(
                window < 2 || furthest > Some(window / 4),
                "seed {seed}, window {window}: {furthest:?}"
            );
        }
    }

    #[test]
    fn duplicates_follow_their_first_delivery_and_come_once() {
        for seed in 0..50 {
            let (mut first, mut second) = (vec![false; 1_000], vec![false; 1_000]);
            for Delivery { event, duplicate } in plan(1_000, &disorder(0.5, 20, seed)) {
                let seen = if duplicate { &mut second } else { &mut first };
                assert!(!seen[event], "seed {seed}: event {event} again");
                seen[event] = true;
                assert!(
                    first[event],
                    "seed {seed}: event {event} came as a duplicate first"
                );
            }
        }
    }

    #[test]
    fn the_share_of_duplicates_is_what_was_asked_for() {
        for (share, range) in [
            (0.0, 0..=0),
            (0.2, 1_750..=2_250),
            (0.9, 8_800..=9_200),
            (1.0, 10_000..=10_000),
        ] {
            for seed in 0..10 {
                let plan = plan(10_000, &disorder(share, 50, seed));
                let duplicates = plan.iter().filter(|delivery| delivery.duplicate).count();
                assert!(
                    range.contains(&duplicates),
                    "share {share}, seed {seed}: {duplicates}"
                );
            }
        }
    }

    #[test]
    fn most_duplicates_follow_soon_and_some_late() {
        let plan = plan(10_000, &disorder(0.2, 50, 7));
        let mut first = vec![0; 10_000];
        let mut lags = Vec::new();
        for (place, delivery) in plan.iter().enumerate() {
            if delivery.duplicate {
                lags.push(place - first[delivery.event]);
            } else {
                first[delivery.event] = place;
            }
        }
        let soon = lags.iter().filter(|lag| **lag <= 2 * SOON).count();
        assert!(
            soon * 10 > lags.len() * 8 && soon < lags.len(),
            "{soon} of {}",
            lags.len()
        );
        assert!(lags.iter().any(|lag| *lag > 2_000), "none late");
    }

    #[test]
    fn a_seed_is_a_plan() {
        let unruly = |seed| plan(1_000, &disorder(0.2, 50, seed));
        assert_eq!(unruly(3), unruly(3));
        assert_ne!(unruly(3), unruly(4));
        // Frozen: a seed in an old report must lead to the same deliveries.
        let start: Vec<usize> = plan(12, &disorder(0.3, 4, 1))
            .iter()
            .map(|delivery| delivery.event)
            .collect();
        assert_eq!(start, [2, 1, 3, 0, 4, 5, 6, 7, 9, 8, 10, 11, 1, 6, 4, 2]);
    }
}
