//! The second look: interests that arrive together find each other after they are written.

use std::sync::Arc;

use futures::FutureExt;
use futures::stream::{self, StreamExt};
use serde_json::Value;
use symbolon_shared::ports::Fault;
use symbolon_shared::testing::{MemoryPorts, Operation};
use tokio::sync::Barrier;

use crate::checks::check;
use crate::hooked::{Call, HookedPorts, Step, fail, go_on};
use crate::records::{buy, id, record, record_at, sell, with};
use crate::world::World;

/// Waits, before the first call of `operation`, for as many others as the barrier has room for.
fn meets(barrier: &Arc<Barrier>, operation: Operation) -> impl Fn(Call) -> Step + Send + Sync + 'static {
    let barrier = Arc::clone(barrier);
    move |call| {
        if call.operation != operation || call.nth > 1 {
            return go_on();
        }
        let barrier = Arc::clone(&barrier);
        async move {
            barrier.wait().await;
            Ok(())
        }
        .boxed()
    }
}

/// A matcher for each record, none of which writes before all of them have read.
async fn all_at_once(world: &World, records: &[Value]) {
    let barrier = Arc::new(Barrier::new(records.len()));
    let meeting = |ports: HookedPorts<MemoryPorts>| ports.before(meets(&barrier, Operation::Commit));
    let matchers: Vec<_> = records
        .iter()
        .map(|_| world.matcher_over(meeting(world.hooked())))
        .collect();
    let deliveries = matchers
        .iter()
        .zip(records)
        .map(|(matcher, record)| world.deliver(matcher, [record.clone()]));
    let failed: Vec<Vec<String>> = stream::iter(deliveries)
        .buffer_unordered(records.len())
        .collect()
        .await;
    assert!(failed.iter().all(Vec::is_empty), "{failed:?}");
}

#[tokio::test(start_paused = true)]
async fn two_that_both_see_an_empty_book_find_each_other() {
    let world = World::new();
    let records = [
        record(1, &sell("A-1", "3", "100")),
        record(2, &buy("B-1", "5", "101")),
    ];
    all_at_once(&world, &records).await;
    assert_eq!(world.memory.matches().len(), 1);
    assert_eq!(world.submission(2, "B-1").unwrap().leaves_qty.to_string(), "2");
    check(&world);
}

#[tokio::test(start_paused = true)]
async fn the_earlier_accepted_of_two_sets_the_price_whoever_looks() {
    for (sold_at, bought_at, price) in [(0, 5, "100"), (5, 0, "101")] {
        let world = World::new();
        let records = [
            record_at(1, sold_at, &sell("A-1", "1", "100")),
            record_at(2, bought_at, &buy("B-1", "1", "101")),
        ];
        all_at_once(&world, &records).await;
        assert_eq!(world.inbox(1)[0]["lastPx"], price);
        check(&world);
    }
}

#[tokio::test(start_paused = true)]
async fn many_that_all_see_an_empty_book_find_all_there_is() {
    let world = World::new();
    let records: Vec<Value> = (1..=12_usize)
        .map(|n| {
            let name = format!("O-{n}");
            let body = if n % 2 == 0 {
                sell(&name, "2", "100")
            } else {
                buy(&name, "3", "100")
            };
            record(n, &body)
        })
        .collect();
    all_at_once(&world, &records).await;
    let sold = world
        .memory
        .entries()
        .iter()
        .all(|entry| entry.book.side.as_str() == "buy");
    assert!(sold, "twelve of eighteen were wanted");
    check(&world);
}

#[tokio::test(start_paused = true)]
async fn a_minimum_is_met_or_left_alone_by_the_look_too() {
    use serde_json::json;
    for (min, matches) in [("2", 1), ("3", 0)] {
        let world = World::new();
        let records = [
            record(1, &sell("A-1", "2", "100")),
            record(2, &with(buy("B-1", "5", "100"), &json!({"minQty": min}))),
        ];
        all_at_once(&world, &records).await;
        assert_eq!(world.memory.matches().len(), matches);
        check(&world);
    }
}

/// Two that cross and rest, because both died between their write and their look.
async fn both_die_before_their_look(world: &World, records: &[Value; 2]) {
    let barrier = Arc::new(Barrier::new(2));
    let blind = |call: Call| match call.operation {
        Operation::ReadPage if call.nth > 1 => fail(Fault::Unavailable),
        _ => go_on(),
    };
    let matchers = [(), ()].map(|()| {
        let ports = world.hooked().before(meets(&barrier, Operation::Commit));
        world.matcher_over(HookedPorts::new(ports).before(blind))
    });
    let (first, second) = tokio::join!(
        world.deliver(&matchers[0], [records[0].clone()]),
        world.deliver(&matchers[1], [records[1].clone()])
    );
    assert_eq!((first, second), (vec![id(&records[0])], vec![id(&records[1])]));
    assert_eq!(
        (world.memory.entries().len(), world.memory.matches().len()),
        (2, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn redelivery_of_either_looks_again() {
    for redelivered in [0, 1] {
        let world = World::new();
        let records = [
            record(1, &sell("A-1", "1", "100")),
            record(2, &buy("B-1", "1", "100")),
        ];
        both_die_before_their_look(&world, &records).await;
        let again = records[redelivered].clone();
        assert!(world.deliver(&world.matcher(), [again]).await.is_empty());
        assert_eq!(world.memory.matches().len(), 1);
        check(&world);
        // The other one is a duplicate by then, and its match is told already.
        assert!(world.deliver(&world.matcher(), records).await.is_empty());
        assert_eq!(world.kinds(1), ["match"]);
        check(&world);
    }
}

#[tokio::test(start_paused = true)]
async fn both_redelivered_side_by_side_make_one_match() {
    let world = World::new();
    let records = [
        record(1, &sell("A-1", "1", "100")),
        record(2, &buy("B-1", "1", "100")),
    ];
    both_die_before_their_look(&world, &records).await;
    all_at_once(&world, &records).await;
    assert_eq!(world.memory.matches().len(), 1);
    check(&world);
}

#[tokio::test(start_paused = true)]
async fn a_look_goes_through_page_after_page_and_more_matches_than_one_transaction_holds() {
    let world = World::new();
    let ports = world.memory.clone().with_page_entries(7);
    let barrier = Arc::new(Barrier::new(2));
    let matchers = [(), ()].map(|()| {
        let hooked = HookedPorts::new(ports.clone()).before(meets(&barrier, Operation::Commit));
        world.matcher_over(hooked)
    });
    let small: Vec<Value> = (0..100)
        .map(|n| record_at(1 + n % 5, 1, &sell(&format!("A-{n}"), "1", "100")))
        .collect();
    let large = record(12, &buy("B-1", "100", "100"));
    let (first, second) = tokio::join!(
        world.deliver(&matchers[0], small),
        world.deliver(&matchers[1], [large])
    );
    assert_eq!((first, second), (Vec::new(), Vec::new()));
    assert!(world.submission(12, "B-1").unwrap().leaves_qty.is_zero());
    assert_eq!(world.memory.matches().len(), 100);
    check(&world);
}
