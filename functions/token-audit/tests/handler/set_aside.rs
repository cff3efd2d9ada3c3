//! What the mapping has set aside is logged by a retry; what cannot be logged stays, and nothing is lost on the way.

use serde_json::{Value, json};
use symbolon_shared::domain::time::Timestamp;
use symbolon_shared::ports::audit::SetAsideBatches as _;
use symbolon_shared::testing::MemoryAudit;
use token_audit::{Retried, Surroundings, TokenAudit, is_retry};

use crate::hooked::{Hooked, Mishap};
use crate::world::{NOON, assert_minted_once, audit, bucket, deadline, event, failed, minted, region};

/// As Lambda writes it into a bucket: Lambda developer guide, "Retain discarded records for a DynamoDB event source in
/// Lambda".
fn object(batch: &Value) -> Vec<u8> {
    json!({
        "requestContext": {
            "requestId": "316aa6d0-8154-xmpl-9af7-85d5f4a6bc81",
            "functionArn": "arn:aws:lambda:us-east-1:000000000000:function:token-audit",
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 101,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": "2026-11-23T10:15:30.717Z",
        "DDBStreamBatchInfo": {
            "shardId": "shardId-00000001573689847184-864758bb",
            "startSequenceNumber": "800000000003126276362",
            "endSequenceNumber": "800000000003126276362",
            "batchSize": 10,
            "streamArn": "arn:aws:dynamodb:us-east-1:000000000000:table/symbolon-matches/stream/2026-11-01T00:00:00.000",
        },
        "payload": batch.to_string(),
    })
    .to_string()
    .into_bytes()
}

fn name(n: u32) -> String {
    format!("aws/lambda/5f5c1d3e/shardId-1/2026-11-23T10.15.{n:02}-aa")
}

/// Matches of an object that was set aside.
const EACH: u32 = 4;

/// Five objects; the first half of the first one's matches is logged already.
async fn begun() -> MemoryAudit {
    let bucket = bucket();
    audit(bucket.clone())
        .handle(event((0..EACH / 2).map(minted)), deadline())
        .await;
    for n in 0..5 {
        let batch = event((n * EACH..(n + 1) * EACH).map(minted));
        bucket.set_aside(&name(n), object(&batch));
    }
    bucket
}

async fn left(bucket: &MemoryAudit) -> Vec<String> {
    let (mut left, mut after) = (Vec::<String>::new(), None);
    loop {
        let page = bucket.list_set_aside(after.as_deref()).await.unwrap();
        let Some(last) = page.last().cloned() else {
            return left;
        };
        left.extend(page);
        after = Some(last);
    }
}

#[tokio::test]
async fn all_of_it_is_logged_and_goes() {
    let bucket = begun().await;
    let retried = audit(bucket.clone()).retry(deadline()).await;
    assert_eq!(
        retried,
        Retried {
            logged: 5,
            left: 0,
            unfinished: false
        }
    );
    assert_minted_once(&bucket, 0..5 * EACH);
    assert!(left(&bucket).await.is_empty());
    let nothing = audit(bucket.clone()).retry(deadline()).await;
    assert_eq!(nothing, Retried::default());
}

#[tokio::test]
async fn what_is_no_batch_stays_and_does_not_stop_the_rest() {
    let bucket = begun().await;
    let unplaced = event([minted(90), json!({"eventID": "1", "eventName": "INSERT"})]);
    let strange: [&[u8]; 5] = [
        b"not JSON",
        b"{}",
        br#"{"payload":"{}"}"#,
        br#"{"payload":"{\"Records\":[]}"}"#,
        br#"{"payload":{"Records":7}}"#,
    ];
    for (n, body) in (10..).zip(strange) {
        bucket.set_aside(&name(n), body.to_vec());
    }
    bucket.set_aside(&name(1), object(&unplaced));
    bucket.set_aside(&name(20), object(&event((5 * EACH..6 * EACH).map(minted))));
    let retried = audit(bucket.clone()).retry(deadline()).await;
    assert_eq!(
        retried,
        Retried {
            logged: 5,
            left: 6,
            unfinished: false
        }
    );
    let stay: Vec<_> = [1].into_iter().chain(10..15).map(name).collect();
    assert_eq!(left(&bucket).await, stay);
    // What could be placed of the batch that stays is logged.
    assert_minted_once(&bucket, (0..EACH).chain(2 * EACH..6 * EACH).chain([90]));
}

#[tokio::test]
async fn without_time_nothing_is_begun() {
    let bucket = begun().await;
    let now = NOON.plus_millis(3_600_000); // the clock of the tests
    let retried = audit(bucket.clone()).retry(now.plus_millis(9_999)).await;
    assert_eq!(
        retried,
        Retried {
            unfinished: true,
            ..Retried::default()
        }
    );
    assert_eq!(left(&bucket).await.len(), 5);
}

async fn once(bucket: &MemoryAudit, mishap: Option<(usize, Mishap)>, deadline: Timestamp) -> Option<Retried> {
    let hooked = Hooked::new(bucket, mishap);
    let audit = audit(hooked);
    let retried = tokio::time::timeout(std::time::Duration::from_millis(1), audit.retry(deadline));
    retried.await.ok()
}

/// Crashes, lost calls and panics at every boundary: the next retry ends it, and no object is gone before it is logged.
#[tokio::test(start_paused = true)]
async fn whatever_goes_wrong_at_any_boundary_the_next_retry_repairs() {
    let plain = Hooked::new(&begun().await, None);
    audit(plain.clone()).retry(deadline()).await;
    let calls = plain.calls();
    assert!(calls > 60, "{calls}");
    for mishap in Mishap::ALL {
        for at in 0..calls {
            let bucket = begun().await;
            once(&bucket, Some((at, mishap)), deadline()).await;
            let there = left(&bucket).await;
            let gone = (0..5).filter(|n| !there.contains(&name(*n)));
            let logged: Vec<u32> = gone.flat_map(|n| n * EACH..(n + 1) * EACH).collect();
            assert_logged(&bucket, &logged);
            let repaired = once(&bucket, None, deadline()).await.unwrap();
            assert_eq!(
                (repaired.left, repaired.unfinished),
                (0, false),
                "{mishap:?} at {at}"
            );
            assert_minted_once(&bucket, 0..5 * EACH);
            assert!(left(&bucket).await.is_empty());
        }
    }
}

/// Each of these is somewhere in the log; a head may still be missing.
fn assert_logged(bucket: &MemoryAudit, matches: &[u32]) {
    let log: String = bucket
        .objects()
        .into_values()
        .map(|body| String::from_utf8(body).unwrap())
        .collect();
    for n in matches {
        let id = crate::world::secrets(*n).match_id.encode();
        assert!(log.contains(&id), "match {n} is gone and not logged");
    }
}

#[tokio::test]
async fn a_retry_and_the_stream_at_once_log_each_match_once() {
    let bucket = begun().await;
    let (stream, retry) = (audit(bucket.clone()), audit(bucket.clone()));
    let (answer, retried) = tokio::join!(
        stream.handle(event((0..6 * EACH).map(minted)), deadline()),
        retry.retry(deadline()),
    );
    assert_eq!((failed(&answer), retried.logged), (None, 5));
    assert_minted_once(&bucket, 0..6 * EACH);
}

#[test]
fn a_batch_of_the_stream_is_no_retry() {
    assert!(is_retry(&json!({"retry": "set-aside"})));
    for other in [
        event([minted(1)]),
        json!({}),
        json!({"retry": true}),
        json!(null),
        json!([]),
    ] {
        assert!(!is_retry(&other), "{other}");
    }
}

/// One that takes all the time there is must not keep the others from their turn for ever.
#[tokio::test]
async fn each_hour_another_is_first() {
    let mut firsts = Vec::new();
    for hour in 1..=5 {
        let bucket = begun().await;
        let now = NOON.plus_millis(hour * 3_600_000);
        // After three calls that list five names by threes, the first object is read: that call is lost.
        let ports = Hooked::new(&bucket, Some((3, Mishap::RequestLost)));
        let surroundings = Surroundings {
            clock: Box::new(move || now),
        };
        let audit = TokenAudit::new(ports, &region(), surroundings);
        let retried = audit.retry(now.plus_millis(60_000)).await;
        assert_eq!((retried.logged, retried.left), (4, 1));
        firsts.extend(left(&bucket).await);
    }
    firsts.sort();
    assert_eq!(firsts, (0..5).map(name).collect::<Vec<_>>());
}
