//! What goes wrong with an attempt, drawn from a seed.

use std::collections::HashSet;
use std::time::Duration;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

use crate::platform::faults::{Attempt, Faults, Injection};

/// Of so many attempts about one goes wrong, where everything is to be met.
pub(super) const OFTEN: u32 = 15;
/// The same where one message may need hundreds of attempts, and must get through within its ten receives.
pub(super) const SELDOM: u32 = 250;

/// Each with its weight among the others that fit the operation. Crashes bring a whole batch back and silence waits
/// for a time-out, so they are rarer.
fn weights(operation: &str) -> Vec<(u32, Injection)> {
    let mut all = vec![
        (4, Injection::RequestLost),
        (6, Injection::ResponseLost),
        (1, Injection::Silence),
        (2, Injection::Late(Duration::from_millis(60))),
        (6, Injection::Throttled),
        (4, Injection::InternalError),
        (2, Injection::Denied),
        (1, Injection::CrashBefore),
        (2, Injection::CrashAfter),
        (1, Injection::Panic),
    ];
    if operation == "dynamodb:TransactWriteItems" {
        all.push((8, Injection::Conflict));
    }
    if BATCHES.contains(&operation) {
        all.push((8, Injection::NotTaken(vec![0, 3, 4])));
    }
    all
}

/// Calls whose entries may fail alone.
const BATCHES: [&str; 2] = ["sqs:SendMessageBatch", "dynamodb:BatchGetItem"];

/// A wire on which any attempt may go wrong in any way that fits it; what has not been met yet comes first.
/// Of `one_in` attempts about one does.
pub(super) fn faults(seed: u64, one_in: u32) -> Faults {
    let mut dice = Dice::new(seed, one_in);
    Faults::by(move |attempt| dice.roll(attempt))
}

struct Dice {
    rng: Xoshiro256PlusPlus,
    one_in: u32,
    met: HashSet<(String, &'static str)>,
}

impl Dice {
    fn new(seed: u64, one_in: u32) -> Self {
        Self {
            rng: Xoshiro256PlusPlus::seed_from_u64(seed),
            one_in,
            met: HashSet::new(),
        }
    }

    fn roll(&mut self, attempt: &Attempt<'_>) -> Option<Injection> {
        let key = |injection: &Injection| (attempt.operation.to_owned(), injection.name());
        let all = weights(attempt.operation);
        let (new, met): (Vec<_>, Vec<_>) = all
            .into_iter()
            .partition(|(_, injection)| !self.met.contains(&key(injection)));
        // Twice as often until every kind was met: a short run is to meet them all, whatever it draws.
        let one_in = self.one_in(attempt.operation) / if new.is_empty() { 1 } else { 2 };
        if self.rng.random_range(0..one_in.max(1)) > 0 {
            return None;
        }
        let drawn = self.draw(if new.is_empty() { met } else { new })?;
        self.met.insert(key(&drawn));
        Some(drawn)
    }

    /// A process asks KMS only once in its life: there it goes wrong five times as often.
    fn one_in(&self, operation: &str) -> u32 {
        if operation.starts_with("kms:") {
            (self.one_in / 5).max(2)
        } else {
            self.one_in
        }
    }

    fn draw(&mut self, among: Vec<(u32, Injection)>) -> Option<Injection> {
        let mut place = self
            .rng
            .random_range(0..among.iter().map(|(weight, _)| weight).sum::<u32>());
        among.into_iter().find_map(|(weight, injection)| {
            if place < weight {
                return Some(injection);
            }
            place -= weight;
            None
        })
    }
}

/// A wire on which now and then another transaction is in the way, and nothing else goes wrong.
pub(super) fn conflicts(seed: u64) -> Faults {
    let mut dice = Xoshiro256PlusPlus::seed_from_u64(seed);
    Faults::by(move |attempt| {
        let writes = attempt.operation == "dynamodb:TransactWriteItems";
        (writes && dice.random_range(0..OFTEN / 2) == 0).then_some(Injection::Conflict)
    })
}

/// What a run meets: everything that can go wrong with a transaction and with a batch of messages.
pub(super) fn wanted() -> Vec<(&'static str, Injection)> {
    let of = |operation: &'static str| {
        weights(operation)
            .into_iter()
            .map(move |(_, one)| (operation, one))
    };
    of("dynamodb:TransactWriteItems")
        .chain(of("sqs:SendMessageBatch"))
        .chain([("dynamodb:BatchGetItem", Injection::NotTaken(Vec::new()))])
        .collect()
}

/// Operations of which something, whatever it is, must have gone wrong: a short run asks them too seldom for all.
pub(super) const WANTED_SOMEHOW: [&str; 3] = ["dynamodb:Query", "dynamodb:UpdateItem", "kms:Decrypt"];

#[cfg(test)]
mod tests {
    use super::*;

    fn rolled(seed: u64, count: u64) -> Vec<Option<&'static str>> {
        let mut dice = Dice::new(seed, OFTEN);
        let attempt = |nth| Attempt {
            operation: "sqs:SendMessageBatch",
            nth,
            body: "",
        };
        (1..=count)
            .map(|nth| dice.roll(&attempt(nth)).map(|injection| injection.name()))
            .collect()
    }

    #[test]
    fn the_same_seed_rolls_the_same() {
        assert_eq!(rolled(7, 2_000), rolled(7, 2_000));
        assert_ne!(rolled(7, 2_000), rolled(8, 2_000));
        let share = rolled(7, 15_000).iter().flatten().count();
        assert!((800..1_200).contains(&share), "{share} of 15,000");
    }

    #[test]
    fn every_kind_comes_up_before_any_comes_again() {
        let kinds: HashSet<&str> = weights("sqs:SendMessageBatch")
            .iter()
            .map(|(_, injection)| injection.name())
            .collect();
        let first: HashSet<&str> = rolled(7, 2_000).into_iter().flatten().take(kinds.len()).collect();
        assert_eq!(first, kinds);
    }
}
