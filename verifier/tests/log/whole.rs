//! What is in order, what cannot be ruled out, and what is found in it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use audit_verifier::bucket::Folder;
use audit_verifier::format::{CHAINS, chain_of};
use audit_verifier::lookup::{Found, Shown, Wanted, show};
use audit_verifier::{Finding, PublicKeys, RememberedHead, Unproven, verify, verify_entries};
use serde_json::json;

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
    let told = Arc::new([const { AtomicU64::new(0) }; 4]);
    let add = Arc::clone(&told);
    let progress = Arc::new(move |progress: audit_verifier::Progress| {
        for (sum, more) in add
            .iter()
            .zip([progress.due, progress.objects, progress.entries, progress.bytes])
        {
            sum.fetch_add(more, Ordering::Relaxed);
        }
    });
    let keys = keys(&bucket);
    let report = verify(Bytes::of(&bucket.objects()), REGION, &keys, &[], progress);
    let report = report.await.unwrap();
    let told = told.each_ref().map(|sum| sum.load(Ordering::Relaxed));
    assert_eq!(
        told,
        [report.objects, report.objects, report.entries, report.bytes]
    );
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
async fn a_match_is_shown_by_its_id_and_by_its_commitment_with_its_place() {
    let bucket = signer(7);
    log(&bucket, REGION, 3, 40).await;
    let (objects, keys) = (Bytes::of(&bucket.objects()), keys(&bucket));
    let shown = async |text: &str| -> Shown {
        let wanted = Wanted::parse(text).unwrap();
        show(objects.as_ref(), REGION, &keys, &wanted, &|_| ())
            .await
            .unwrap()
    };
    let id = match_id(57).encode();
    let by_id = shown(&id).await;
    assert!(by_id.report.is_good(), "{:?}", by_id.report.findings);
    let [found] = by_id.entries.as_slice() else {
        panic!("{:?}", by_id.entries)
    };
    assert_eq!(found.entry.match_id, id);
    let object = bucket.objects().remove(&found.object()).unwrap();
    let line = usize::try_from(found.line).unwrap() - 1;
    let stands = String::from_utf8(object).unwrap();
    assert_eq!(stands.lines().nth(line).unwrap(), found.entry.line());
    assert_eq!(
        (found.sequence, found.number > found.line),
        (2, true),
        "of the second batch"
    );
    let by_commitment = shown(found.entry.commitment.as_ref().unwrap()).await;
    assert_eq!(by_commitment.entries, by_id.entries);
    for unknown in [match_id(9_999).encode(), "0".repeat(64)] {
        assert!(shown(&unknown).await.entries.is_empty(), "{unknown}");
    }
    let token = format!("{id}{id}");
    assert_eq!(Wanted::parse(&token), None, "a token is nothing to be asked for");
}

#[tokio::test]
async fn what_is_shown_of_a_broken_chain_is_not_called_good() {
    let bucket = signer(7);
    log(&bucket, REGION, 3, 40).await;
    let mut objects = bucket.objects();
    let wanted = Wanted::Match(match_id(17).encode());
    let chain = chain_of(&match_id(17).encode());
    let first = objects.get_mut(&format!("{REGION}/{chain}/0000000000000001"));
    let first = first.unwrap();
    let at = first.windows(9).position(|bytes| bytes == b"us-east-1").unwrap();
    first[at + 8] = b'2';
    let (read, keys) = (Bytes::of(&objects), keys(&bucket));
    let shown = show(read.as_ref(), REGION, &keys, &wanted, &|_| ())
        .await
        .unwrap();
    assert_eq!(shown.entries.len(), 1);
    assert!(!shown.report.is_good());
    let mut others = (0..).map(|n| match_id(n).encode());
    let elsewhere = Wanted::Match(others.find(|id| chain_of(id) != chain).unwrap());
    let shown = show(read.as_ref(), REGION, &keys, &elsewhere, &|_| ());
    assert!(shown.await.unwrap().report.is_good(), "another chain is whole");
}

#[tokio::test]
async fn every_entry_is_told_in_the_order_of_the_log() {
    let bucket = signer(7);
    log(&bucket, REGION, 3, 40).await;
    let (objects, keys) = (Bytes::of(&bucket.objects()), keys(&bucket));
    let told = Mutex::new(Vec::new());
    let each = |found: Found| told.lock().unwrap().push((found.chain, found.number));
    let report = verify_entries(objects.as_ref(), REGION, &keys, 0..CHAINS, &|_| (), &each);
    let report = report.await.unwrap();
    assert!(report.is_good(), "{:?}", report.findings);
    let told = told.into_inner().unwrap();
    assert_eq!((told.len(), told.is_sorted()), (120, true));
    let numbers = |chain| {
        told.iter()
            .filter(move |(of, _)| *of == chain)
            .map(|(_, number)| *number)
    };
    for chain in 0..CHAINS {
        let count = numbers(chain).count() as u64;
        assert!(numbers(chain).eq(1..=count), "{chain}");
    }
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
    let all = |text: &str| {
        let read = RememberedHead::parse_all(text, "kept").unwrap();
        read.into_iter()
            .map(|known| (known.head, known.from))
            .unzip::<_, _, Vec<_>, Vec<_>>()
    };
    let known: Vec<_> = heads(&objects).into_iter().map(|known| known.head).collect();
    let (read, from) = all(&raw);
    assert_eq!((&read, from[1].as_str()), (&known, "line 3 of kept"));
    let mut lines = raw.lines();
    let said: Vec<String> = std::iter::from_fn(|| Some((lines.next()?, lines.next()?)))
        .map(|(statement, signature)| {
            let fields = json!({"event": "audit_head", "statement": statement, "signature": signature});
            json!({"level": "INFO", "fields": fields}).to_string()
        })
        .collect();
    let said = said.join("\n");
    assert_eq!(all(&said).0, known);
    assert_eq!(
        RememberedHead::parse_all("what\nis this\n", "kept")
            .unwrap_err()
            .0,
        1
    );
}
