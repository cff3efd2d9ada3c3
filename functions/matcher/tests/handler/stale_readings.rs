//! What somebody else changes between the reading of a submission and that of its book, or between two tries.

use futures::FutureExt;
use symbolon_shared::testing::{FaultyPorts, Injection, Operation, Script};

use crate::checks::check;
use crate::records::{buy, cancel, record, record_at, replace, sell};
use crate::world::World;

/// The seller's order is replaced in place by another matcher after this one has read its submission: what this one
/// then decides on the old reading must not ride on the version that it read of the book.
#[tokio::test(start_paused = true)]
async fn a_cancel_decided_on_an_old_reading_does_not_ride_on_a_newer_one() {
    let world = World::new();
    let first = record(1, &sell("Y-1", "10", "100"));
    assert!(world.deliver(&world.matcher(), [first]).await.is_empty());

    let other = world.clone();
    let ports = world.hooked().before(move |call| {
        let world = other.clone();
        async move {
            if call.operation == Operation::ReadPage && call.nth == 1 {
                let replaced = record_at(1, 1, &replace("Y-2", "Y-1", "8"));
                assert!(world.deliver(&world.matcher(), [replaced]).await.is_empty());
            }
            Ok(())
        }
        .boxed()
    });
    let batch = [
        record_at(2, 2, &buy("X-1", "3", "100")),
        record_at(1, 3, &cancel("C-1", "Y-1")),
    ];
    assert!(world.deliver(&world.matcher_over(ports), batch).await.is_empty());
    assert_eq!(world.inbox(1).last().unwrap()["reason"], "too_late_to_cancel");
    let replaced = world.submission(1, "Y-2").unwrap();
    assert_eq!(
        (replaced.cum_qty.to_string(), replaced.leaves_qty.to_string()),
        ("3".into(), "5".into())
    );
    assert_eq!(world.memory.entries()[0], replaced.entry().unwrap());
    check(&world);
}

/// A transaction is lost, what it touched is forgotten, and the smaller groups that follow hold a match of an order
/// together with its cancel, replace or status: each must see what the one before it decided.
#[tokio::test(start_paused = true)]
async fn after_a_lost_transaction_a_cancel_sees_what_was_decided_before_it() {
    for change in [
        cancel("C-1", "Y-1"),
        replace("C-1", "Y-1", "12"),
        replace("C-1", "Y-1", "9"),
    ] {
        let world = World::new();
        let first = record(1, &sell("Y-1", "10", "100"));
        assert!(world.deliver(&world.matcher(), [first]).await.is_empty());
        let script = Script::of([(Operation::Commit, 1, Injection::Conflict)]);
        let batch = [
            record_at(2, 1, &buy("X-1", "6", "100")),
            record_at(1, 2, &change),
            record_at(3, 3, &buy("W-1", "1", "90")),
            record_at(3, 4, &buy("V-1", "1", "90")),
        ];
        let ports = FaultyPorts::new(world.memory.clone(), script);
        assert!(world.deliver(&world.matcher_over(ports), batch).await.is_empty());
        let answer = world
            .inbox(1)
            .into_iter()
            .find(|message| message["clOrdId"] == "C-1");
        assert_eq!(answer.unwrap()["cumQty"], "6", "{change}");
        check(&world);
    }
}
