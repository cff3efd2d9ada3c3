//! A dead-letter queue of everything, drained by the real redrive into the real matcher, while calls of both are lost,
//! throttled, taken in part, panic, and processes die: each letter ends in exactly one place.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod letters;
mod verdict;
mod world;

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use symbolon_shared::domain::reason::{PoisonReason, StopReason};
use symbolon_shared::testing::{Mishap, Unlucky};

use crate::letters::{Kind, mixed};
use crate::world::{DEAD_URL, World};

/// Letters in the queue.
const LETTERS: usize = 5_000;

/// Runs that must be enough.
const RUNS: usize = 150;

/// What happened in all runs.
#[derive(Debug, Default)]
struct Figures {
    runs: usize,
    died: usize,
    received: u64,
    sent_back: u64,
    canaries: u64,
    relapsed: u64,
    quarantined: BTreeMap<PoisonReason, u64>,
    stopped: BTreeMap<StopReason, usize>,
    unfinished: usize,
    mishaps: BTreeMap<Mishap, u64>,
    calls: usize,
}

/// Of the reads of the quarantine, nine for each letter, few have a mishap; of all other calls one in thirty. Deaths are
/// rarer than the rest, so that some runs live long.
fn luck(seed: u64) -> impl FnMut(usize, &'static str) -> Option<Mishap> + Send {
    let mut dice = StdRng::seed_from_u64(seed);
    move |_, operation| {
        let one_in = if operation == "read_quarantined" {
            4_000
        } else {
            30
        };
        if dice.random_range(0..one_in) != 0 {
            return None;
        }
        let mishap = Mishap::ALL[dice.random_range(0..Mishap::ALL.len())];
        let dies = matches!(mishap, Mishap::DiesBefore | Mishap::DiesAfter);
        (!dies || dice.random_range(0..8) == 0).then_some(mishap)
    }
}

async fn drain(world: &World, seed: u64) -> Figures {
    let mut figures = Figures::default();
    while figures.runs < RUNS && !world.is_done() {
        let ports = Unlucky::new(world.memory.clone(), luck(seed + figures.runs as u64));
        let report = world.run(ports.clone()).await;
        figures.runs += 1;
        figures.calls += ports.calls();
        for ((_, mishap), times) in ports.met() {
            *figures.mishaps.entry(mishap).or_default() += times;
        }
        let Some(report) = report else {
            figures.died += 1;
            continue;
        };
        figures.received += report.received;
        figures.sent_back += report.sent_back;
        figures.canaries += report.canaries;
        figures.relapsed += report.relapsed;
        for (reason, times) in report.quarantined {
            *figures.quarantined.entry(reason).or_default() += times;
        }
        if let Some(why) = report.stopped {
            *figures.stopped.entry(why).or_default() += 1;
        }
        figures.unfinished += usize::from(report.unfinished);
    }
    figures
}

/// The clock of tokio stands, so pauses between attempts take no time.
#[tokio::test(start_paused = true)]
async fn of_five_thousand_mixed_letters_each_ends_in_exactly_one_place() {
    let seed = 7;
    let world = World::new(seed);
    let expected = mixed(&world, LETTERS, seed).await;
    assert_eq!(world.memory.letters(DEAD_URL).len(), LETTERS);
    // The panics that are asked for are nobody's news; one of an assertion is.
    std::panic::set_hook(Box::new(|_| {}));
    let figures = drain(&world, seed).await;
    drop(std::panic::take_hook());
    let found = verdict::verdict(&world, &expected);
    println!("{figures:#?}\n{found:#?}");
    assert!(world.is_done(), "letters are left");
    assert!(found.submissions > LETTERS / 2 && found.matches > 100);
    assert_eq!(figures.mishaps.len(), Mishap::ALL.len(), "every mishap was met");
    assert!(figures.died > 0 && figures.canaries > 0);
    assert!(figures.stopped.contains_key(&StopReason::CanaryRelapsed));
    for kind in Kind::ALL {
        assert!(found.letters[&kind] > 0, "{kind:?}");
    }
}
