//! Whatever goes wrong at any call: the next runs end it, and each letter is in exactly one place.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::json;
use symbolon_shared::domain::redrive::{Content, QuarantineObject};
use symbolon_shared::testing::{MemoryRedrive, Mishap, Unlucky};

use crate::world::{Fate, NOON, SENT, SOURCE_URL, World, from, interest, letter, relapsed, sender};

/// Runs that must be enough to end it.
const RUNS: usize = 6;

const GOOD: [&str; 6] = ["A-0", "A-1", "A-2", "A-3", "A-4", "A-5"];
const SET_ASIDE: &str = "S-1";
const EXHAUSTED: &str = "E-1";
const STALE: &str = "O-1";
const NO_JSON: &str = "no JSON";

fn mixed() -> World {
    let world = World::new();
    for id in GOOD {
        world.moved(id);
    }
    world.moved(GOOD[2]); // a copy
    world.dead(letter(NO_JSON));
    world.dead(relapsed(EXHAUSTED, 3));
    world.dead(from(&sender(1), &interest(STALE), NOON.plus_days(-500)));
    world.moved(SET_ASIDE);
    world.fate(SET_ASIDE, Fate::SetsAside);
    world.dead(from(&sender(2), &interest("A-6"), SENT));
    world
}

/// One run, which may die at a call. Whether it answered.
async fn once(world: &World, ports: Unlucky<MemoryRedrive>) -> bool {
    let redrive = world.over(ports);
    let run = redrive.handle(json!({}), world.deadline());
    tokio::time::timeout(Duration::from_millis(1), run).await.is_ok()
}

async fn repaired(world: &World) {
    for _ in 0..RUNS {
        world.later().await;
        let plain = Unlucky::new(world.memory.clone(), |_, _| None);
        assert!(once(world, plain).await);
        world.consume().await;
        if world.dead_letters().is_empty() {
            return;
        }
    }
}

/// The bodies in the quarantine, and how often each is there.
fn kept(world: &World) -> BTreeMap<String, usize> {
    let mut kept = BTreeMap::new();
    for body in world.memory.objects().into_values() {
        let body = match QuarantineObject::parse(&body).unwrap().content {
            Content::Enveloped(envelope) => envelope.body,
            Content::Unstamped(body) => body,
        };
        *kept.entry(body).or_default() += 1;
    }
    kept
}

fn assert_each_in_one_place(world: &World, what: &str) {
    assert!(world.dead_letters().is_empty(), "{what}: letters are left");
    assert!(world.memory.letters(SOURCE_URL).is_empty());
    let good: BTreeMap<String, u32> = GOOD
        .iter()
        .chain(&["A-6"])
        .map(|id| ((*id).to_owned(), 1))
        .collect();
    assert_eq!(world.effects(), good, "{what}");
    let poison: BTreeSet<String> = [SET_ASIDE, EXHAUSTED, STALE]
        .map(interest)
        .into_iter()
        .chain([NO_JSON.to_owned()])
        .collect();
    let kept = kept(world);
    assert_eq!(kept.keys().cloned().collect::<BTreeSet<_>>(), poison, "{what}");
    assert!(
        kept.values().all(|times| *times == 1),
        "{what}: {:?}",
        world.quarantined()
    );
}

#[tokio::test(start_paused = true)]
async fn whatever_goes_wrong_at_any_boundary_the_next_runs_repair() {
    let world = mixed();
    let plain = Unlucky::new(world.memory.clone(), |_, _| None);
    assert!(once(&world, plain.clone()).await);
    repaired(&world).await;
    assert_each_in_one_place(&world, "plain");
    let calls = plain.calls();
    assert!(calls > 60, "{calls}");
    for mishap in Mishap::ALL {
        for at in 0..calls {
            let world = mixed();
            let ports = Unlucky::new(world.memory.clone(), move |call, _| {
                (call == at).then_some(mishap)
            });
            let answered = once(&world, ports.clone()).await;
            assert_eq!(
                answered,
                !matches!(mishap, Mishap::DiesBefore | Mishap::DiesAfter)
            );
            assert_eq!(ports.met().len(), 1, "{mishap:?} at {at} was not met");
            repaired(&world).await;
            assert_each_in_one_place(&world, &format!("{mishap:?} at {at}"));
        }
    }
}
