//! Queues that take a part, nothing, or are not there.

use std::time::Duration;

use local::platform::faults::Injection;

use crate::scene::{READ, SEND, Scene, UPDATE, at, buy, sell};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_every_batch_call_a_part_is_not_taken_at_first() {
    let mut scene = Scene::start(|attempt| {
        // Every second attempt loses its first entry.
        let batch = [SEND, READ].contains(&attempt.operation);
        (batch && attempt.nth % 2 == 1).then(|| Injection::NotTaken(vec![0]))
    })
    .await;
    for n in 0..12 {
        scene.send(1, &buy(&format!("A-{n}"), "1.00")).await;
    }
    scene.send_text(2, "not JSON".to_owned()).await;
    scene.send(3, &sell("B", "12.00")).await;
    scene.settle().await;
    assert!(scene.met(SEND, "not taken") > 1 && scene.met(READ, "not taken") > 1);
    let judgement = scene.all_is_well(12).await;
    assert_eq!(judgement.evidence.set_aside.len(), 1, "one dead letter, once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_inbox_that_does_not_exist_holds_up_its_owner_alone_until_it_is_there_again() {
    let mut scene = Scene::within(Duration::from_secs(6), |_| None).await;
    scene.trial.deployment().delete_inbox(2).await.unwrap();
    scene.send(1, &buy("A", "1.00")).await;
    scene.send(2, &sell("B", "1.00")).await;
    scene.send(3, &buy("C", "1.00")).await;
    scene.settle().await;
    assert_eq!(
        scene.trial.replayed().done,
        2,
        "only what is to be told to 2 comes back"
    );
    let told = scene.trial.deployment().drain_inboxes_of(&[1, 3]).await.unwrap();
    let kinds = |number: u32| -> Vec<bool> {
        let bodies = told.iter().find(|(n, _)| *n == number).unwrap();
        bodies
            .1
            .iter()
            .map(|body| body.contains(r#""type":"match""#))
            .collect()
    };
    assert!(kinds(1).contains(&true), "1 is told of its match");
    assert_eq!(kinds(3), [false], "3 is answered");
    scene.trial.deployment().onboard_again(2).await.unwrap();
    assert_eq!(scene.trial.redrive().await.unwrap(), 1);
    scene.settle().await;
    scene.trial.keep(told);
    scene.all_is_well(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_letter_queue_that_takes_nothing_loses_nothing() {
    let mut scene = Scene::start(|attempt| {
        let dead_letter = attempt.operation == SEND && attempt.body.contains("intake-dlq");
        (dead_letter && attempt.nth <= 12).then_some(Injection::Denied)
    })
    .await;
    scene.send_text(2, "not JSON".to_owned()).await;
    scene.send(1, &buy("A", "1.00")).await;
    scene.settle().await;
    assert!(scene.met(SEND, "denied") > 0);
    let judgement = scene.all_is_well(0).await;
    assert_eq!(judgement.evidence.set_aside.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mark_that_is_lost_brings_the_record_back_and_tells_the_same_again() {
    for injection in [Injection::RequestLost, Injection::ResponseLost, Injection::Denied] {
        let mut scene = Scene::start(at(UPDATE, 1, injection)).await;
        scene.send(1, &buy("A", "1.00")).await;
        scene.send(2, &sell("B", "1.00")).await;
        scene.settle().await;
        scene.all_is_well(1).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mark_that_meets_a_transaction_is_set_in_the_same_batch() {
    let mut scene = Scene::start(|attempt| {
        (attempt.operation == UPDATE && attempt.nth <= 3).then_some(Injection::Conflict)
    })
    .await;
    scene.send(1, &buy("A", "1.00")).await;
    scene.send(2, &sell("B", "1.00")).await;
    assert_eq!(scene.poll().await.deleted, 2, "nothing comes back");
    assert_eq!(scene.met(UPDATE, "conflict"), 3);
    scene.all_is_well(1).await;
}
