//! Panics: one fails its record or its lane, never the process, and redelivery repairs what it left half done.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use matcher::{Matcher, Surroundings};
use serde_json::{Value, json};
use symbolon_shared::testing::{MemoryPorts, Operation};

use crate::checks::check;
use crate::hooked::{Call, HookedPorts, OPERATIONS, Step, go_on};
use crate::records::{buy, cancel, id, raw_record, record_at, replace, sell, sender_id, with};
use crate::world::{REGION, World, fresh_seed, own_roles};

/// Two symbols, each with a match, one with something left; and something to set aside.
fn records() -> Vec<Value> {
    let ether = |body: Value| with(body, &json!({"symbol": "ETHUSD"}));
    vec![
        record_at(1, 0, &sell("A-1", "1", "100")),
        record_at(2, 1, &buy("B-1", "3", "100")),
        record_at(3, 2, &ether(sell("A-1", "1", "100"))),
        record_at(4, 3, &ether(buy("B-1", "1", "100"))),
        raw_record(&sender_id(5), 4, "not json"),
    ]
}

fn market() -> World {
    let world = World::new();
    world.add_symbol("ETHUSD");
    world
}

fn panics_when(
    condition: impl Fn(&Call) -> bool + Send + Sync + 'static,
) -> impl Fn(Call) -> Step + Send + Sync {
    move |call| {
        assert!(!condition(&call), "as the test wants it");
        go_on()
    }
}

fn about_ether(call: &Call) -> bool {
    let reads = call
        .book
        .as_ref()
        .is_some_and(|book| book.symbol.as_str() == "ETHUSD");
    reads || call.orders.iter().any(|order| order.owner.as_str() == "cp-3")
}

/// Delivers the records to ports that panic, expects only those at `back` to come back, and then that a further
/// delivery puts everything right.
async fn only_some_come_back(world: &World, ports: HookedPorts<MemoryPorts>, back: &[usize]) {
    let records = records();
    let failed = world.deliver(&world.matcher_over(ports), records.clone()).await;
    let expected: Vec<String> = back.iter().map(|index| id(&records[*index])).collect();
    assert_eq!(failed, expected);
    assert!(world.deliver(&world.matcher(), records).await.is_empty());
    assert_eq!(world.memory.matches().len(), 2);
    check(world);
}

#[tokio::test]
async fn a_panic_before_a_write_fails_its_symbol_alone() {
    let world = market();
    let of_ether = |call: &Call| call.operation == Operation::ReadPage && about_ether(call);
    let ports = world.hooked().before(panics_when(of_ether));
    only_some_come_back(&world, ports, &[2, 3]).await;
}

#[tokio::test]
async fn a_panic_after_a_write_fails_its_symbol_alone_and_redelivery_tells() {
    let world = market();
    let of_ether = |call: &Call| call.operation == Operation::Commit && about_ether(call);
    let ports = world.hooked().after(panics_when(of_ether));
    only_some_come_back(&world, ports, &[2, 3]).await;
}

#[tokio::test]
async fn a_panic_in_a_send_fails_whom_it_was_for() {
    let world = market();
    let to_four = |call: &Call| call.queue.as_deref() == Some("inbox-4");
    let ports = world.hooked().before(panics_when(to_four));
    only_some_come_back(&world, ports, &[3]).await;
}

#[tokio::test]
async fn a_panic_in_the_mark_fails_its_record() {
    let world = market();
    let of_four = |call: &Call| {
        call.operation == Operation::MarkTold
            && call.orders.iter().any(|order| order.owner.as_str() == "cp-4")
    };
    let ports = world.hooked().before(panics_when(of_four));
    only_some_come_back(&world, ports, &[3]).await;
}

#[tokio::test]
async fn a_panic_in_setting_aside_fails_what_was_to_be_set_aside() {
    let world = market();
    let ports = world
        .hooked()
        .before(panics_when(|call| call.operation == Operation::SendDeadLetters));
    only_some_come_back(&world, ports, &[4]).await;
}

#[tokio::test]
async fn a_panic_on_the_way_to_the_lanes_leaves_the_rest_to_be_set_aside() {
    for operation in [
        Operation::ReadKey,
        Operation::GenerateKey,
        Operation::PutKey,
        Operation::UnwrapKey,
    ] {
        let world = market();
        let ports = world
            .hooked()
            .before(panics_when(move |call| call.operation == operation));
        only_some_come_back(&world, ports, &[0, 1, 2, 3]).await;
    }
}

#[tokio::test]
async fn wherever_a_port_panics_an_answer_is_given_and_redelivery_repairs() {
    for operation in OPERATIONS {
        for nth in 1..=6 {
            for after in [false, true] {
                let world = market();
                let hook = panics_when(move |call| call.operation == operation && call.nth == nth);
                let ports = if after {
                    world.hooked().after(hook)
                } else {
                    world.hooked().before(hook)
                };
                let mut records = records();
                records.push(record_at(2, 6, &replace("B-2", "B-1", "2")));
                records.push(record_at(2, 7, &cancel("B-3", "B-2")));
                let failed = world.deliver(&world.matcher_over(ports), records.clone()).await;
                let back = records.into_iter().filter(|record| failed.contains(&id(record)));
                assert!(
                    world.deliver(&world.matcher(), back).await.is_empty(),
                    "{operation} {nth} {after}"
                );
                assert_eq!(world.memory.matches().len(), 2, "{operation} {nth} {after}");
                check(&world);
            }
        }
    }
}

fn matcher_with(world: &World, surroundings: Surroundings) -> Matcher<MemoryPorts> {
    Matcher::new(world.memory.clone(), REGION.to_owned(), own_roles(), surroundings)
}

#[tokio::test]
async fn without_randomness_a_lane_comes_back_and_the_others_are_done() {
    let world = market();
    let calls = AtomicU64::new(0);
    let surroundings = Surroundings {
        seed: Box::new(move || {
            assert!(calls.fetch_add(1, Ordering::SeqCst) > 0, "as the test wants it");
            fresh_seed()
        }),
        ..world.surroundings()
    };
    let matcher = matcher_with(&world, surroundings);
    let records = records();
    // The first lane is BTCUSD's.
    assert_eq!(
        world.deliver(&matcher, records.clone()).await,
        [id(&records[0]), id(&records[1])]
    );
    assert!(world.deliver(&matcher, records).await.is_empty());
    check(&world);
}

#[tokio::test]
async fn whenever_the_clock_panics_an_answer_is_given_and_redelivery_repairs() {
    let left = Arc::new(AtomicI64::new(0));
    for reading in 0..40 {
        let world = market();
        let (clock, countdown) = (world.clock.clone(), Arc::clone(&left));
        let surroundings = Surroundings {
            clock: Box::new(move || {
                assert_ne!(
                    countdown.fetch_sub(1, Ordering::SeqCst),
                    0,
                    "as the test wants it"
                );
                clock.now()
            }),
            ..world.surroundings()
        };
        left.store(reading, Ordering::SeqCst);
        let matcher = matcher_with(&world, surroundings);
        let records = records();
        let failed = world.deliver(&matcher, records.clone()).await;
        let back = records.into_iter().filter(|record| failed.contains(&id(record)));
        assert!(
            world.deliver(&world.matcher(), back).await.is_empty(),
            "{reading}"
        );
        assert_eq!(world.memory.matches().len(), 2, "{reading}");
        check(&world);
    }
}
