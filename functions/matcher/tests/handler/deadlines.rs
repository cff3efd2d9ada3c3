//! Deadlines: what is written is told, what is not begun goes back, and an answer is always given.

use serde_json::{Value, json};
use symbolon_shared::testing::Operation;

use crate::checks::{check, check_so_far};
use crate::hooked::{Call, Step, go_on};
use crate::records::{buy, id, raw_record, record, record_at, sell, sender_id};
use crate::world::{TestClock, World, failed};

/// Lets `millis` pass after the first call of `operation`.
fn slow(
    clock: &TestClock,
    operation: Operation,
    millis: i64,
) -> impl Fn(Call) -> Step + Send + Sync + 'static {
    let clock = clock.clone();
    move |call| {
        if call.operation == operation && call.nth == 1 {
            clock.advance(millis);
        }
        go_on()
    }
}

fn ids(records: &[Value]) -> Vec<String> {
    records.iter().map(id).collect()
}

#[tokio::test]
async fn after_the_deadline_everything_goes_back_and_nothing_is_written() {
    for late in [0, 1, 100_000] {
        let world = World::new();
        let records = [
            record(1, &sell("A-1", "1", "100")),
            record(2, &buy("B-1", "1", "100")),
            raw_record(&sender_id(3), 0, "not json"),
        ];
        let deadline = world.clock.now().plus_millis(-late);
        let answer = world
            .matcher()
            .handle(json!({"Records": records}), deadline)
            .await;
        assert_eq!(failed(answer), ids(&records));
        assert!(world.is_untouched());
        assert!(world.memory.epochs().is_empty(), "not even a key");
    }
}

#[tokio::test]
async fn a_deadline_in_the_middle_tells_what_is_written_and_gives_back_the_rest() {
    let world = World::new();
    let matcher = world.matcher();
    let resting = (0..80).map(|n| record_at(1, n, &sell(&format!("A-{n}"), "1", "100")));
    assert!(world.deliver(&matcher, resting).await.is_empty());
    let takers: Vec<Value> = (0..80)
        .map(|n| record_at(2, 100 + n, &buy(&format!("B-{n}"), "1", "100")))
        .collect();
    world.clock.step_by(300);
    let back = world.deliver(&matcher, takers.clone()).await;
    world.clock.step_by(0);
    assert!(
        !back.is_empty() && back.len() < takers.len(),
        "{} of {}",
        back.len(),
        takers.len()
    );
    assert_eq!(world.memory.matches().len(), takers.len() - back.len());
    // In order of acceptance: the later ones go back.
    assert_eq!(back, ids(&takers[takers.len() - back.len()..]));
    check_so_far(&world);
    let again: Vec<Value> = takers
        .into_iter()
        .filter(|record| back.contains(&id(record)))
        .collect();
    assert!(world.deliver(&matcher, again).await.is_empty());
    assert_eq!(world.memory.matches().len(), 80);
    check(&world);
}

#[tokio::test]
async fn an_interest_that_could_not_look_again_comes_back_and_looks_then() {
    let world = World::new();
    let slow_write = world
        .hooked()
        .after(slow(&world.clock, Operation::Commit, 25_000));
    let first = record(1, &sell("A-1", "1", "100"));
    assert_eq!(
        world
            .deliver(&world.matcher_over(slow_write), [first.clone()])
            .await,
        [id(&first)]
    );
    assert_eq!(world.memory.entries().len(), 1, "it was written");
    let reads = world.memory.calls(Operation::ReadPage);
    assert!(world.deliver(&world.matcher(), [first]).await.is_empty());
    assert_eq!(
        world.memory.calls(Operation::ReadPage),
        reads + 1,
        "it did not look"
    );
}

#[tokio::test]
async fn what_cannot_be_told_in_time_is_told_on_redelivery() {
    let world = World::new();
    let records = [
        record(1, &sell("A-1", "1", "100")),
        record_at(2, 1, &buy("B-1", "1", "100")),
    ];
    let slow_write = world
        .hooked()
        .after(slow(&world.clock, Operation::Commit, 29_500));
    let back = world
        .deliver(&world.matcher_over(slow_write), records.clone())
        .await;
    assert!(back.contains(&id(&records[1])));
    assert_eq!(world.memory.matches().len(), 1);
    assert!(world.memory.inboxes().values().all(Vec::is_empty));
    assert!(world.deliver(&world.matcher(), records).await.is_empty());
    check(&world);
}

#[tokio::test]
async fn a_slow_read_leaves_nothing_begun() {
    for operation in [
        Operation::FindPrincipals,
        Operation::UnwrapKey,
        Operation::ReadSubmissions,
        Operation::ReadPage,
    ] {
        let world = World::new();
        let records = [
            record(1, &sell("A-1", "1", "100")),
            raw_record(&sender_id(3), 0, "not json"),
        ];
        let ports = world.hooked().after(slow(&world.clock, operation, 29_500));
        assert_eq!(
            world.deliver(&world.matcher_over(ports), records.clone()).await,
            ids(&records),
            "{operation}"
        );
        assert!(world.is_untouched(), "{operation}");
        assert!(world.deliver(&world.matcher(), records).await.is_empty());
    }
}
