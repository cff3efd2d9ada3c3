//! Two logs against each other.

use std::sync::Arc;

use audit_verifier::{Finding, Report, Unproven, compare, verify};
use serde_json::json;
use symbolon_shared::testing::MemoryAudit;

use crate::world::{Bytes, OTHER, REGION, append, keys, log, minted, signer};

async fn both(bucket: &MemoryAudit) -> [Report; 2] {
    let objects = bucket.objects();
    let keys = keys(bucket);
    let report = async |region| {
        let report = verify(Bytes::of(&objects), region, &keys, &[], Arc::new(|_| ()))
            .await
            .unwrap();
        assert!(report.is_good(), "{:?}", report.findings);
        report
    };
    [report(REGION).await, report(OTHER).await]
}

#[tokio::test]
async fn two_logs_of_the_same_matches_agree_however_they_were_batched() {
    let bucket = signer(7);
    log(&bucket, REGION, 5, 40).await;
    log(&bucket, OTHER, 10, 20).await;
    let [one, other] = both(&bucket).await;
    let comparison = compare(&one, &other);
    assert!(comparison.findings.is_empty() && comparison.unproven.is_empty());
}

#[tokio::test]
async fn a_match_that_one_log_does_not_have_is_named_unless_it_is_recent() {
    let bucket = signer(7);
    // The last match was recorded 2,000 seconds after the first.
    let all = [3, 7, 11_010, 20_000];
    append(&bucket, REGION, all.map(minted).to_vec()).await;
    append(&bucket, OTHER, [3, 20_000].map(minted).to_vec()).await;
    let [one, other] = both(&bucket).await;
    let missing = |comparison: &audit_verifier::Comparison| {
        let missing = comparison.findings.iter();
        let missing = missing.filter(|finding| matches!(finding, Finding::MissingInOther { .. }));
        (missing.count(), comparison.unproven.clone())
    };
    let comparison = compare(&one, &other);
    assert_eq!(
        missing(&comparison),
        (1, vec![Unproven::StillOnTheirWay { matches: 1 }])
    );
    let comparison = compare(&other, &one);
    assert_eq!(
        missing(&comparison),
        (1, vec![Unproven::StillOnTheirWay { matches: 1 }])
    );
    let text = comparison.findings[0].to_string();
    assert!(text.starts_with(REGION) && text.contains(OTHER), "{text}");
}

#[tokio::test]
async fn a_log_that_has_stopped_does_not_make_everything_since_recent() {
    let bucket = signer(7);
    let all = [3, 7, 20_000, 40_000];
    append(&bucket, REGION, all.map(minted).to_vec()).await;
    append(&bucket, OTHER, vec![minted(3)]).await;
    let [one, other] = both(&bucket).await;
    for comparison in [compare(&one, &other), compare(&other, &one)] {
        assert_eq!(comparison.findings.len(), 2, "{:?}", comparison.findings);
        assert_eq!(comparison.unproven, [Unproven::StillOnTheirWay { matches: 1 }]);
    }
}

#[tokio::test]
async fn what_the_logs_say_differently_is_named_once() {
    let bucket = signer(7);
    let mut changed = minted(7);
    changed["dynamodb"]["NewImage"]["parameterVersion"] = json!({"N": "2"});
    append(&bucket, REGION, vec![minted(3), minted(7)]).await;
    append(&bucket, OTHER, vec![minted(3), changed]).await;
    let [one, other] = both(&bucket).await;
    let comparison = compare(&one, &other);
    assert!(matches!(
        comparison.findings[..],
        [Finding::DiffersInOther { .. }]
    ));
}
