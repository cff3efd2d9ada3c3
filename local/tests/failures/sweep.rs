//! Every fault at every attempt of one story, one at a time.

use futures::stream::{self, StreamExt};
use local::platform::faults::Injection;

use crate::scene::{Scene, buy, interest, sell};
use serde_json::json;

/// Stories at once: most of the time they wait.
const AT_ONCE: usize = 12;

fn every_injection() -> Vec<Injection> {
    vec![
        Injection::RequestLost,
        Injection::ResponseLost,
        Injection::Silence,
        Injection::Throttled,
        Injection::InternalError,
        Injection::Denied,
        Injection::Conflict,
        Injection::NotTaken(vec![0]),
        Injection::Panic,
        Injection::CrashBefore,
        Injection::CrashAfter,
    ]
}

/// A partial fill, a match, a cancel, a replace, a poison message; two batches. Gives how many attempts it took.
async fn story(fault: Option<(u64, Injection)>) -> u64 {
    let mut made = 0;
    let what = format!("{fault:?}");
    let mut scene = Scene::start(move |_| {
        made += 1;
        fault
            .as_ref()
            .filter(|(nth, _)| *nth == made)
            .map(|(_, injection)| injection.clone())
    })
    .await;
    scene.send(1, &buy("A", "3.00")).await;
    scene.send(3, &interest("D", "buy", "1.00", "90.00")).await;
    scene.poll().await;
    scene.send(2, &sell("B", "1.00")).await;
    scene.send_text(4, "{".to_owned()).await;
    let cancel = json!({"type": "cancel", "clOrdId": "E", "origClOrdId": "D"});
    scene.send(3, &cancel).await;
    let replace = json!({"type": "replace", "clOrdId": "F", "origClOrdId": "A", "orderQty": "2.00"});
    scene.send(1, &replace).await;
    scene.settle().await;
    let attempts = scene.faults.attempts().values().sum();
    let judgement = scene.trial.judge().await.unwrap();
    assert_eq!(judgement.broken(), std::collections::BTreeMap::new(), "{what}");
    assert_eq!(judgement.evidence.matches.len(), 1, "{what}");
    assert_eq!(
        scene.trial.replayed().done,
        scene.trial.replayed().sent.len(),
        "{what}"
    );
    scene.trial.end().await;
    attempts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_fault_at_any_attempt_is_repaired() {
    let attempts = story(None).await;
    assert!(attempts > 15, "{attempts} attempts");
    let faults = (1..=attempts).flat_map(|nth| {
        let each = every_injection().into_iter();
        each.map(move |injection| (nth, injection))
    });
    let stories = stream::iter(faults).map(|fault| Box::pin(story(Some(fault))));
    let count = stories.buffer_unordered(AT_ONCE).count().await;
    println!("{count} faults, one at a time, over {attempts} attempts");
}
