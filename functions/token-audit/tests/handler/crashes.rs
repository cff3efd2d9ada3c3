//! The process dies, or a call goes wrong, at every boundary in turn; redelivery repairs it, and nothing is there twice.

use std::time::Duration;

use serde_json::Value;
use symbolon_shared::testing::MemoryAudit;

use crate::hooked::{Hooked, Mishap};
use crate::world::{assert_minted_once, audit, bucket, deadline, event, failed, minted};

/// Some that are in the log already, and some that are not.
fn batch() -> Value {
    event((5..25).map(minted))
}

async fn begun() -> MemoryAudit {
    let bucket = bucket();
    let answer = audit(bucket.clone())
        .handle(event((0..10).map(minted)), deadline())
        .await;
    assert_eq!(failed(&answer), None);
    bucket
}

/// Whether the batch was answered as done.
async fn once(bucket: &MemoryAudit, mishap: Option<(usize, Mishap)>) -> bool {
    let hooked = Hooked::new(bucket, mishap);
    let audit = audit(hooked);
    let handled = audit.handle(batch(), deadline());
    // A process that died never answers.
    let answer = tokio::time::timeout(Duration::from_millis(1), handled).await;
    answer.is_ok_and(|answer| failed(&answer).is_none())
}

async fn calls() -> usize {
    let hooked = Hooked::new(&begun().await, None);
    audit(hooked.clone()).handle(batch(), deadline()).await;
    hooked.calls()
}

#[tokio::test(start_paused = true)]
async fn whatever_goes_wrong_at_any_boundary_is_repaired_by_redelivery() {
    let calls = calls().await;
    assert!(calls > 30, "{calls}");
    for mishap in Mishap::ALL {
        for at in 0..calls {
            let bucket = begun().await;
            let done = once(&bucket, Some((at, mishap))).await;
            if !done {
                assert!(once(&bucket, None).await, "{mishap:?} at {at}");
            }
            assert_minted_once(&bucket, 0..25);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn processes_that_die_one_call_later_each_time_end_with_a_whole_log() {
    for mishap in Mishap::ALL {
        let bucket = begun().await;
        let mut deliveries = 0;
        while !once(&bucket, Some((deliveries, mishap))).await {
            deliveries += 1;
            assert!(deliveries < 200, "{mishap:?}");
        }
        assert!(
            deliveries > 5 || mishap == Mishap::Repeated,
            "{mishap:?}: {deliveries}"
        );
        assert_minted_once(&bucket, 0..25);
    }
}

/// The same process goes on after a failed call: what it remembers must not be what it only thought that it did.
#[tokio::test(start_paused = true)]
async fn a_warm_process_goes_on_after_a_failure() {
    for mishap in [
        Mishap::RequestLost,
        Mishap::ResponseLost,
        Mishap::Panics,
        Mishap::Repeated,
    ] {
        for at in 0..calls().await {
            let bucket = begun().await;
            let audit = audit(Hooked::new(&bucket, Some((at, mishap))));
            let mut answers = Vec::new();
            for _ in 0..2 {
                answers.push(failed(&audit.handle(batch(), deadline()).await));
            }
            assert_eq!(answers[1], None, "{mishap:?} at {at}");
            assert_minted_once(&bucket, 0..25);
        }
    }
}
