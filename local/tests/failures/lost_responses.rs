//! A transaction is written and nobody hears of it. What is told is what is stored, not what was hoped for.

use local::platform::faults::{Gate, Injection};

use crate::scene::{PATIENCE, QUERY, Scene, TRANSACT, at, at_transaction, buy, message, sell};

/// A buy rests; the response to the sell's transaction is lost as `injection` says.
async fn loses_the_response(
    rule: impl FnMut(&local::platform::faults::Attempt<'_>) -> Option<Injection> + Send + 'static,
    injection: &str,
) {
    let mut scene = Scene::start(rule).await;
    scene.send(1, &buy("A", "1.00")).await;
    scene.poll().await;
    scene.send(2, &sell("B", "1.00")).await;
    scene.settle().await;
    assert!(scene.met(TRANSACT, injection) > 0);
    scene.all_is_well(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_whose_first_response_is_lost_is_repeated_under_its_token() {
    loses_the_response(at(TRANSACT, 2, Injection::ResponseLost), "response lost").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_of_which_nothing_is_ever_heard_is_read_again() {
    loses_the_response(at_transaction(2, Injection::ResponseLost), "response lost").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_is_answered_by_silence_is_read_again() {
    loses_the_response(at_transaction(2, Injection::Silence), "silence").await;
}

/// Two crossing interests in two processes: the first one's query is answered before the second one writes and heard
/// of only after, so the match is found by its look, in the third transaction.
async fn in_the_look(injection: Injection) {
    let (gate, name) = (Gate::default(), injection.name());
    let (held, mut lost) = (gate.clone(), at_transaction(3, injection));
    let mut scene = Scene::patient(move |attempt| {
        let first_query = attempt.operation == QUERY && attempt.nth == 1;
        first_query
            .then(|| Injection::Held(held.clone()))
            .or_else(|| lost(attempt))
    })
    .await;
    let mut other = scene.another_process();
    scene.send(2, &sell("B", "1.00")).await;
    let Scene { trial, process, .. } = &mut scene;
    let first = process.poll(PATIENCE);
    let second = async {
        gate.reached().await;
        let sent = message(1, &buy("A", "1.00"));
        trial.send(vec![sent]).await.unwrap();
        assert_eq!(trial.poll(&mut other, PATIENCE).await.unwrap().deleted, 1);
        gate.open();
    };
    let (first, ()) = tokio::join!(first, second);
    scene.trial.count(&first.unwrap());
    scene.settle().await;
    assert!(scene.met(TRANSACT, name) > 0, "the look found nothing");
    scene.all_is_well(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_looks_transaction_whose_response_is_lost_is_read_again_and_told() {
    Box::pin(in_the_look(Injection::ResponseLost)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_after_the_looks_transaction_is_repaired() {
    Box::pin(in_the_look(Injection::CrashAfter)).await;
}
