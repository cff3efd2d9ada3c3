//! The process dies at each boundary. What it had written stands, the batch comes back, and a cold process makes
//! it good.

use local::platform::faults::Injection;

use crate::scene::{QUERY, SEND, Scene, TRANSACT, UPDATE, at, buy, sell};

/// A buy rests; a sell that crosses it is under way when the process dies.
async fn dies_in_the_middle_of_a_match(
    rule: impl FnMut(&local::platform::faults::Attempt<'_>) -> Option<Injection> + Send + 'static,
) {
    let mut scene = Scene::start(rule).await;
    scene.send(1, &buy("A", "1.00")).await;
    assert_eq!(scene.poll().await.deleted, 1);
    assert_eq!(scene.process.deaths(), 0, "it died too early");
    scene.send(2, &sell("B", "1.00")).await;
    let died = scene.poll().await;
    assert_eq!((died.deleted, died.returned), (0, 1), "it answered");
    assert_eq!(scene.process.deaths(), 1);
    scene.settle().await;
    scene.all_is_well(1).await;
}

/// The sell's own: the buy's query and transaction were the first, and its look the second query.
const SELLS_QUERY: u64 = 3;
const SELLS_TRANSACTION: u64 = 2;
/// The buy's `accepted` was the first.
const SELLS_SENDS: u64 = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_after_the_query_is_repaired() {
    dies_in_the_middle_of_a_match(at(QUERY, SELLS_QUERY, Injection::CrashAfter)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_before_the_transaction_is_repaired() {
    dies_in_the_middle_of_a_match(at(TRANSACT, SELLS_TRANSACTION, Injection::CrashBefore)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_after_the_transaction_is_repaired() {
    dies_in_the_middle_of_a_match(at(TRANSACT, SELLS_TRANSACTION, Injection::CrashAfter)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_between_the_two_inboxes_is_repaired() {
    let mut dead = false;
    dies_in_the_middle_of_a_match(move |attempt| {
        if attempt.operation != SEND || attempt.nth < SELLS_SENDS || dead {
            return None;
        }
        // Both calls are under way at once: one arrives and is the last thing done, the other never does.
        if attempt.nth == SELLS_SENDS {
            return Some(Injection::RequestLost);
        }
        dead = true;
        Some(Injection::CrashAfter)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_before_the_mark_that_all_was_told_is_repaired() {
    dies_in_the_middle_of_a_match(at(UPDATE, 1, Injection::CrashBefore)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_before_the_answer_is_repaired() {
    dies_in_the_middle_of_a_match(at(UPDATE, 1, Injection::CrashAfter)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_at_every_attempt_in_turn_is_repaired() {
    // The process dies at its first attempt, the next one at its second, and so on, until one gets through.
    let mut next = 1;
    let mut made = 0;
    let mut scene = Scene::start(move |_| {
        made += 1;
        if made < next {
            return None;
        }
        (made, next) = (0, next + 1);
        (next < 40).then_some(Injection::CrashAfter)
    })
    .await;
    scene.send(1, &buy("A", "1.00")).await;
    scene.send(2, &sell("B", "1.00")).await;
    while scene.trial.replayed().done < 2 {
        scene.settle().await;
        scene.trial.redrive().await.unwrap();
    }
    assert!(scene.process.deaths() > 8, "{} deaths", scene.process.deaths());
    scene.all_is_well(1).await;
}
