//! A service says no: for a while, and for ever. What cannot be done in the lives of a record ends in the dead-letter
//! queue, and comes right when it is sent again under a new id.

use std::time::Duration;

use local::platform::faults::{Attempt, Injection};

use crate::scene::{KMS, READ, SEND, Scene, TRANSACT, always, buy, sell};

/// The first `count` attempts of each operation fail.
fn for_a_while(
    count: u64,
    injection: Injection,
) -> impl FnMut(&Attempt<'_>) -> Option<Injection> + Send + 'static {
    move |attempt| (attempt.nth <= count).then(|| injection.clone())
}

async fn a_while(injection: Injection, count: u64) {
    let name = injection.name();
    let mut scene = Scene::start(for_a_while(count, injection)).await;
    scene.send(1, &buy("A", "1.00")).await;
    scene.send(2, &sell("B", "1.00")).await;
    scene.settle().await;
    assert!(scene.met(TRANSACT, name) > 0 && scene.met(READ, name) > 0 && scene.met(SEND, name) > 0);
    scene.all_is_well(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn throttling_for_a_while_is_waited_out() {
    a_while(Injection::Throttled, 6).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_of_the_services_for_a_while_are_waited_out() {
    a_while(Injection::InternalError, 6).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conflicts_for_a_while_are_decided_again() {
    let mut scene = Scene::start(|attempt| {
        (attempt.operation == TRANSACT && attempt.nth <= 3).then_some(Injection::Conflict)
    })
    .await;
    scene.send(1, &buy("A", "1.00")).await;
    scene.send(2, &sell("B", "1.00")).await;
    assert_eq!(scene.poll().await.deleted, 2, "in the same batch");
    assert_eq!(scene.met(TRANSACT, "conflict"), 3);
    scene.all_is_well(1).await;
}

/// What a fault without end leads to: nothing is said meanwhile, and once it has ended everything comes right.
async fn for_ever(
    rule: impl FnMut(&Attempt<'_>) -> Option<Injection> + Send + 'static,
    operation: &str,
    injection: &str,
) {
    // A short time-out: ten receives of it are the life of a record.
    let mut scene = Scene::within(Duration::from_secs(4), rule).await;
    scene.send(1, &buy("A", "1.00")).await;
    scene.send(2, &sell("B", "1.00")).await;
    scene.settle().await;
    assert!(scene.met(operation, injection) > 0);
    assert_eq!(scene.trial.replayed().done, 0);
    let said = scene.trial.deployment().drain_inboxes().await.unwrap();
    assert!(said.iter().all(|(_, bodies)| bodies.is_empty()), "{said:?}");
    scene.faults.cease();
    assert_eq!(scene.trial.redrive().await.unwrap(), 2, "moved by SQS");
    scene.settle().await;
    scene.all_is_well(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn throttling_for_ever_ends_in_the_dead_letter_queue_and_comes_right_when_sent_again() {
    for_ever(always(TRANSACT, Injection::Throttled), TRANSACT, "throttled").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conflicts_for_ever_end_in_the_dead_letter_queue_and_come_right_when_sent_again() {
    for_ever(always(TRANSACT, Injection::Conflict), TRANSACT, "conflict").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_kms_at_cold_start_nothing_is_done_and_nothing_lost() {
    for_ever(always(KMS, Injection::InternalError), KMS, "internal error").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_key_that_is_denied_holds_everything_up_and_loses_nothing() {
    for_ever(always(KMS, Injection::Denied), KMS, "denied").await;
}

fn denied_table(table: &'static str) -> impl FnMut(&Attempt<'_>) -> Option<Injection> + Send + 'static {
    move |attempt| {
        let named = attempt.operation == READ && attempt.body.contains(table);
        named.then_some(Injection::Denied)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_that_cannot_be_read_sets_nobody_aside() {
    for_ever(denied_table("symbolon-registry"), READ, "denied").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parameters_that_cannot_be_read_refuse_nobody() {
    for_ever(denied_table("symbolon-parameters"), READ, "denied").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn submissions_that_cannot_be_read_hold_everything_up_and_lose_nothing() {
    for_ever(denied_table("symbolon-submissions"), READ, "denied").await;
}
