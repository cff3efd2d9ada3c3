//! What is in order, what cannot be ruled out, and what is found in it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use audit_verifier::bucket::Folder;
use audit_verifier::lookup::{Wanted, export_jsonl, show};
use audit_verifier::{Finding, PublicKeys, RememberedHead, Unproven, verify};
use serde_json::{Value, json};

use crate::world::{Bytes, REGION, append, check, heads, keys, log, match_id, minted, signer};

#[tokio::test]
async fn a_whole_log_is_good_and_only_its_end_is_not_proven() {
    let bucket = signer(7);
    log(&bucket, REGION, 5, 40).await;
    let objects = bucket.objects();
    let report = check(&objects, &keys(&bucket), &[]).await;
    assert!(report.is_good(), "{:?}", report.findings);
    assert_eq!((report.entries, report.minted), (200, 200));
    assert_eq!(report.objects + 8, objects.len() as u64);
    let chains = (0..8).collect();
    assert_eq!(report.unproven, [Unproven::TailCut { chains }]);
    let report = check(&objects, &keys(&bucket), &heads(&objects)).await;
    assert!(report.is_good() && report.unproven.is_empty());
    let without_one = check(&objects, &keys(&bucket), &heads(&objects)[1..]).await;
    assert_eq!(without_one.unproven, [Unproven::TailCut { chains: vec![0] }]);
}

#[tokio::test]
async fn heads_that_were_remembered_on_the_way_are_still_right() {
    let bucket = signer(7);
    let mut remembered = Vec::new();
    for batch in 0..5 {
        append(
            &bucket,
            REGION,
            (batch * 40..(batch + 1) * 40).map(minted).collect(),
        )
        .await;
        remembered.extend(heads(&bucket.objects()));
    }
    assert_eq!(remembered.len(), 40);
    let report = check(&bucket.objects(), &keys(&bucket), &remembered).await;
    assert!(report.is_good(), "{:?}", report.findings);
}

#[tokio::test]
async fn an_empty_log_is_not_good() {
    let report = check(&BTreeMap::default(), &keys(&signer(7)), &[]).await;
    assert_eq!(
        report.findings,
        [Finding::NoLog {
            region: REGION.into()
        }]
    );
}

#[tokio::test]
async fn without_the_right_key_nothing_is_good() {
    let bucket = signer(7);
    log(&bucket, REGION, 1, 40).await;
    for wrong in [keys(&signer(8)), PublicKeys::default()] {
        let report = check(&bucket.objects(), &wrong, &[]).await;
        let signatures = report.findings.iter();
        let signatures = signatures.filter(|finding| matches!(finding, Finding::SignatureWrong { .. }));
        assert_eq!(signatures.count(), 16, "objects and heads");
    }
    let mut both = keys(&signer(8));
    both.add(&bucket.public_key()).unwrap();
    assert!(check(&bucket.objects(), &both, &[]).await.is_good());
    assert!(PublicKeys::one(b"no key").is_err());
}

#[tokio::test]
async fn what_the_log_says_is_broken_is_counted_and_the_log_is_good() {
    let bucket = signer(7);
    let mut again = minted(1);
    again["eventID"] = json!("again");
    let mut unfit = minted(2);
    unfit["dynamodb"]["NewImage"]["sellToken"] = unfit["dynamodb"]["NewImage"]["buyToken"].clone();
    append(&bucket, REGION, vec![minted(1), again, unfit]).await;
    let report = check(&bucket.objects(), &keys(&bucket), &[]).await;
    assert!(report.is_good(), "{:?}", report.findings);
    let broken: Vec<_> = report
        .broken
        .iter()
        .map(|(name, times)| (name.as_str(), *times))
        .collect();
    assert_eq!(broken, [("minted_once", 1), ("tokens_fit_commitment", 1)]);
}

#[tokio::test]
async fn progress_tells_everything_that_is_read() {
    let bucket = signer(7);
    log(&bucket, REGION, 3, 40).await;
    let told = Arc::new([const { AtomicU64::new(0) }; 3]);
    let add = Arc::clone(&told);
    let progress = Arc::new(move |progress: audit_verifier::Progress| {
        for (sum, more) in add
            .iter()
            .zip([progress.objects, progress.entries, progress.bytes])
        {
            sum.fetch_add(more, Ordering::Relaxed);
        }
    });
    let keys = keys(&bucket);
    let report = verify(Bytes::of(&bucket.objects()), REGION, &keys, &[], progress);
    let report = report.await.unwrap();
    let told = told.each_ref().map(|sum| sum.load(Ordering::Relaxed));
    assert_eq!(told, [report.objects, report.entries, report.bytes]);
}

#[tokio::test]
async fn a_folder_is_read_like_a_bucket() {
    let bucket = signer(7);
    log(&bucket, REGION, 2, 40).await;
    let folder = std::env::temp_dir().join(format!("audit-verifier-{}", std::process::id()));
    for (name, body) in bucket.objects() {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, body).unwrap();
    }
    let read = Arc::new(Folder::new(&folder));
    let report = verify(read, REGION, &keys(&bucket), &[], Arc::new(|_| ()))
        .await
        .unwrap();
    std::fs::remove_dir_all(folder).unwrap();
    assert!(report.is_good(), "{:?}", report.findings);
    assert_eq!(report.entries, 80);
    let gone = Arc::new(Folder::new("/nowhere/at/all"));
    assert!(
        verify(gone, REGION, &keys(&bucket), &[], Arc::new(|_| ()))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_match_is_shown_by_its_id_and_by_its_commitment() {
    let bucket = signer(7);
    log(&bucket, REGION, 3, 40).await;
    let objects = Bytes::of(&bucket.objects());
    let id = match_id(17).encode();
    let by_id = show(objects.as_ref(), REGION, &Wanted::parse(&id).unwrap())
        .await
        .unwrap();
    assert_eq!(by_id.len(), 1);
    assert_eq!(by_id[0].entry.match_id, id);
    let commitment = by_id[0].entry.commitment.clone().unwrap();
    let by_commitment = show(objects.as_ref(), REGION, &Wanted::parse(&commitment).unwrap())
        .await
        .unwrap();
    assert_eq!(by_commitment, by_id);
    let unknown = Wanted::parse(&match_id(9_999).encode()).unwrap();
    assert_eq!(show(objects.as_ref(), REGION, &unknown).await.unwrap(), []);
    assert_eq!(
        Wanted::parse(&format!("{id}{id}")),
        None,
        "a token is nothing to be asked for"
    );
    let mut lines = Vec::new();
    assert_eq!(
        export_jsonl(objects.as_ref(), REGION, &mut lines).await.unwrap(),
        120
    );
    let lines = String::from_utf8(lines).unwrap();
    let read: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(read.len(), 120);
    assert!(
        read.iter()
            .all(|line| line["logRegion"] == REGION && line["entry"]["event"] == "minted")
    );
}

#[tokio::test]
async fn remembered_heads_are_read_from_files_and_from_log_lines() {
    let bucket = signer(7);
    log(&bucket, REGION, 1, 40).await;
    let objects = bucket.objects();
    let raw: String = objects
        .iter()
        .filter(|(name, _)| name.ends_with("/head"))
        .map(|(_, body)| String::from_utf8(body.clone()).unwrap())
        .collect();
    assert_eq!(RememberedHead::parse_all(&raw).unwrap(), heads(&objects));
    let mut lines = raw.lines();
    let said: Vec<String> = std::iter::from_fn(|| Some((lines.next()?, lines.next()?)))
        .map(|(statement, signature)| {
            let fields = json!({"event": "audit_head", "statement": statement, "signature": signature});
            json!({"level": "INFO", "fields": fields}).to_string()
        })
        .collect();
    let said = said.join("\n");
    assert_eq!(RememberedHead::parse_all(&said).unwrap(), heads(&objects));
    assert_eq!(RememberedHead::parse_all("what\nis this\n").unwrap_err().0, 1);
}
