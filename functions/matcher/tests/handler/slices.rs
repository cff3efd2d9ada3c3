//! More messages in one event than are taken at once: what is accepted first is taken first, and what there is no time
//! left for comes back.

use serde_json::{Value, json};
use symbolon_shared::testing::Operation;

use crate::checks::{check, check_so_far};
use crate::hooked::go_on;
use crate::records::{bundle, buy, id, record_at, sell};
use crate::world::World;

/// 10,000 members that nobody can be answered about: as many messages as are taken at once.
fn scraps() -> impl Iterator<Item = Value> {
    let body = bundle((0..500).map(|_| json!(7)));
    (0..20).map(move |n| record_at(4, 100 + n, &body))
}

/// One accepted before the scraps, two after them; delivered the other way round.
fn delivery() -> [Value; 3] {
    [
        record_at(3, 201, &buy("C-1", "1", "100")),
        record_at(2, 200, &sell("B-1", "1", "100")),
        record_at(1, 1, &sell("A-1", "1", "100")),
    ]
}

#[tokio::test]
async fn more_messages_than_are_taken_at_once_are_taken_in_order_of_acceptance() {
    let world = World::new();
    let [taker, later, earlier] = delivery();
    let records = [taker, later].into_iter().chain(scraps()).chain([earlier]);
    assert!(world.deliver(&world.matcher(), records).await.is_empty());
    assert_eq!(world.memory.calls(Operation::ReadSubmissions), 2);
    assert!(world.submission(1, "A-1").unwrap().leaves_qty.is_zero());
    assert!(!world.submission(2, "B-1").unwrap().leaves_qty.is_zero());
    assert_eq!(world.dead_letters().len(), 10_000);
    check(&world);
}

#[tokio::test]
async fn what_there_is_no_time_left_for_comes_back_untouched() {
    let world = World::new();
    let clock = world.clock.clone();
    let ports = world.hooked().before(move |call| {
        if call.operation == Operation::SendDeadLetters && call.nth == 1 {
            clock.advance(25_000);
        }
        go_on()
    });
    let [taker, later, earlier] = delivery();
    let late = [taker.clone(), later.clone()];
    let records = [taker, later].into_iter().chain(scraps()).chain([earlier]);
    let back = world.deliver(&world.matcher_over(ports), records).await;
    assert_eq!(back, late.each_ref().map(id));
    assert_eq!(
        world.memory.calls(Operation::ReadSubmissions),
        1,
        "it was begun too late"
    );
    assert!(world.submission(2, "B-1").is_none() && world.submission(3, "C-1").is_none());
    assert_eq!(
        (world.memory.entries().len(), world.dead_letters().len()),
        (1, 10_000)
    );
    check_so_far(&world);
    assert!(world.deliver(&world.matcher(), late).await.is_empty());
    assert_eq!(world.kinds(1), ["match"]);
    check(&world);
}
