//! Time runs out in the middle of a batch.

use std::time::Duration;

use local::platform::answer::BatchFailure;
use local::platform::faults::Injection;

use crate::scene::{QUERY, Scene, TRANSACT, buy, sell};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_calls_grow_slow_what_is_written_is_told_and_the_rest_comes_back() {
    // Each lane writes for itself: the second transaction of the batch falls behind the deadline.
    let mut scene = Scene::within(Duration::from_secs(6), |attempt| {
        let slow = attempt.operation == TRANSACT && attempt.nth == 1;
        slow.then_some(Injection::Late(Duration::from_millis(800)))
            .or_else(|| {
                (attempt.operation == QUERY && attempt.nth == 2)
                    .then_some(Injection::Late(Duration::from_millis(800)))
            })
            .or_else(|| {
                (attempt.operation == QUERY && (3..8).contains(&attempt.nth)).then_some(Injection::Silence)
            })
    })
    .await;
    scene.send(1, &buy("A", "1.00")).await;
    scene.send(2, &sell("B", "1.00")).await;
    let first = scene.poll().await;
    assert!(
        first.failures.is_empty(),
        "it answered in time: {:?}",
        first.failures
    );
    scene.settle().await;
    scene.all_is_well(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_that_is_cut_off_by_its_time_out_is_made_good_by_redelivery() {
    // One second is less than the matcher needs to notice: it is cut off in the middle of what it does.
    let mut scene = Scene::within(Duration::from_secs(1), |attempt| {
        let slow = attempt.operation == TRANSACT && attempt.nth <= 2;
        slow.then_some(Injection::Late(Duration::from_secs(5)))
    })
    .await;
    scene.send(1, &buy("A", "1.00")).await;
    scene.send(2, &sell("B", "1.00")).await;
    let cut = scene.poll().await;
    assert_eq!(cut.failures, [BatchFailure::TimedOut { seconds: 1 }]);
    assert_eq!(cut.returned, 2);
    scene.settle().await;
    scene.all_is_well(1).await;
}
