//! What is said on the event bus: every head, and every invariant that broke; and nothing else is said there.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use symbolon_shared::domain::audit::{Announcement, Sealed, Statement};
use symbolon_shared::testing::MemoryAudit;

use crate::hooked::{Hooked, Mishap};
use crate::world::{audit, bucket, changed, deadline, event, failed, item, minted, removed, secrets};

/// What was said of heads, the last of each chain.
fn last_heads(bucket: &MemoryAudit) -> BTreeMap<u8, (String, String)> {
    let mut last = BTreeMap::new();
    for announcement in bucket.announced() {
        if let Announcement::Head {
            statement, signature, ..
        } = announcement
        {
            let parsed: Statement = serde_json::from_str(&statement).unwrap();
            last.insert(parsed.chain.number(), (statement, signature));
        }
    }
    last
}

/// The heads that are in the bucket.
fn heads(bucket: &MemoryAudit) -> BTreeMap<u8, (String, String)> {
    let objects = bucket.objects();
    let heads = objects.iter().filter(|(name, _)| name.ends_with("/head"));
    heads
        .map(|(_, body)| {
            let sealed = Sealed::parse(body).unwrap();
            let text = String::from_utf8(body.clone()).unwrap();
            let (statement, signature) = text.split_once('\n').unwrap();
            let said = (statement.to_owned(), signature.trim_end().to_owned());
            (sealed.statement.chain.number(), said)
        })
        .collect()
}

#[tokio::test]
async fn every_head_is_announced_as_the_bucket_has_it() {
    let bucket = bucket();
    let audit = audit(bucket.clone());
    for first in [0, 40] {
        audit
            .handle(event((first..first + 40).map(minted)), deadline())
            .await;
        assert_eq!(last_heads(&bucket), heads(&bucket));
    }
    assert_eq!(heads(&bucket).len(), 8, "the batches reach every chain");
    // Nothing new, nothing to say.
    let said = bucket.announced().len();
    audit.handle(event((0..80).map(minted)), deadline()).await;
    assert_eq!(bucket.announced().len(), said);
}

#[tokio::test]
async fn a_broken_invariant_is_announced_once_for_each_object() {
    let bucket = bucket();
    let records = [
        minted(1),
        changed(1, 900),
        changed(1, 901),
        removed(1, 902, 1, false),
    ];
    audit(bucket.clone()).handle(event(records), deadline()).await;
    let said = bucket.announced();
    let broken: Vec<Value> = said
        .iter()
        .filter(|said| matches!(said, Announcement::Broken { .. }))
        .map(|said| serde_json::from_str(&said.detail()).unwrap())
        .collect();
    let chain = said.iter().find_map(|said| match said {
        Announcement::Broken { chain, .. } => Some(chain.number()),
        Announcement::Head { .. } => None,
    });
    assert_eq!(
        broken,
        [json!({
            "region": "us-east-1", "chain": chain, "sequence": 1, "invariant": "unchanged_after_minting", "times": 3,
        })]
    );
}

/// The bus is the second road: the batch is in the log, and does not come again for it.
#[tokio::test]
async fn a_bus_that_refuses_gives_nothing_back() {
    let plain = Hooked::new(&bucket(), None);
    audit(plain.clone())
        .handle(event((0..20).map(minted)), deadline())
        .await;
    let announcing = plain.calls() - 1; // comes last
    for mishap in [Mishap::RequestLost, Mishap::ResponseLost, Mishap::Panics] {
        let hooked = Hooked::new(&bucket(), Some((announcing, mishap)));
        let audit = audit(hooked.clone());
        let answer = audit.handle(event((0..20).map(minted)), deadline()).await;
        assert_eq!(failed(&answer), None, "{mishap:?}");
        let said = !hooked.bucket.announced().is_empty();
        assert_eq!(
            said,
            mishap == Mishap::ResponseLost,
            "{mishap:?}: it was the announcement"
        );
        assert_eq!(heads(&hooked.bucket), heads(&plain.bucket));
    }
}

/// A process that moved a head and died has not said so. The next one does, though there is nothing to append.
#[tokio::test(start_paused = true)]
async fn a_head_that_nobody_announced_is_announced_by_the_next_process() {
    let plain = Hooked::new(&bucket(), None);
    audit(plain.clone())
        .handle(event((0..20).map(minted)), deadline())
        .await;
    let announcing = plain.calls() - 1;
    let dying = Hooked::new(&bucket(), Some((announcing, Mishap::DiesBefore)));
    let died = audit(dying.clone());
    let handled = died.handle(event((0..20).map(minted)), deadline());
    let answer = tokio::time::timeout(std::time::Duration::from_millis(1), handled).await;
    assert!(answer.is_err() && dying.bucket.announced().is_empty());
    audit(dying.bucket.clone())
        .handle(event((0..20).map(minted)), deadline())
        .await;
    assert_eq!(last_heads(&dying.bucket), heads(&dying.bucket));
}

#[tokio::test]
async fn no_announcement_names_a_match_a_token_or_an_owner() {
    let bucket = bucket();
    let rest = [changed(1, 900), removed(2, 901, 1, false)];
    audit(bucket.clone())
        .handle(event((0..30).map(minted).chain(rest)), deadline())
        .await;
    let said: Vec<String> = bucket.announced().iter().map(Announcement::detail).collect();
    let said = said.join("\n");
    assert!(said.contains("unchanged_after_minting") && said.contains("horizon"));
    for n in 0..30 {
        let secrets = secrets(n);
        let commitment = item(n)["commitment"]["S"].as_str().unwrap().to_owned();
        let tokens = secrets
            .tokens
            .each_ref()
            .map(|token| token.encode()[26..].to_owned());
        let owners = secrets.owners.each_ref().map(|owner| owner.as_str().to_owned());
        for hidden in [&[secrets.match_id.encode(), commitment][..], &tokens, &owners].concat() {
            assert!(!said.contains(&hidden));
        }
    }
}

/// Only what the bus itself refuses is not told: a process that dies, or takes its own put for another's, is made up for.
#[tokio::test(start_paused = true)]
async fn whatever_goes_wrong_before_the_bus_what_broke_and_where_the_log_ends_is_told() {
    let batch = || event([minted(1), changed(1, 900), changed(1, 901)]);
    let plain = Hooked::new(&bucket(), None);
    audit(plain.clone()).handle(batch(), deadline()).await;
    let calls = plain.calls();
    for mishap in Mishap::ALL {
        for at in 0..calls {
            if at == calls - 1 && [Mishap::RequestLost, Mishap::Panics].contains(&mishap) {
                continue;
            }
            let hooked = Hooked::new(&bucket(), Some((at, mishap)));
            let first = audit(hooked.clone());
            let handled = first.handle(batch(), deadline());
            let answer = tokio::time::timeout(std::time::Duration::from_millis(1), handled).await;
            if !answer.is_ok_and(|answer| failed(&answer).is_none()) {
                let again = audit(hooked.bucket.clone()).handle(batch(), deadline()).await;
                assert_eq!(failed(&again), None, "{mishap:?} at {at}");
            }
            let told = hooked.bucket.announced();
            let broken = told.iter().filter_map(|said| match said {
                Announcement::Broken { times, .. } => Some(*times),
                Announcement::Head { .. } => None,
            });
            assert!(broken.max() >= Some(2), "{mishap:?} at {at}: {told:?}");
            assert_eq!(
                last_heads(&hooked.bucket),
                heads(&hooked.bucket),
                "{mishap:?} at {at}"
            );
        }
    }
}
