//! `audit verify`: what is whole, what is not and where, and what somebody remembers.

use std::fs;

use aws_sdk_s3::config::Region;
use aws_sdk_s3::primitives::ByteStream;
use local::deployment::Deployment;

use super::{AUDITOR, Kept, MATCHES, bucket, kinds, public_key, put, trade, traded};

#[test]
fn a_log_of_real_matches_is_whole_and_whoever_remembers_its_heads_sees_a_cut_tail() {
    let stand = traded();
    let first = stand.run(AUDITOR, "audit verify").done().out;
    for says in [
        "log    of us-east-1, in symbolon-audit-",
        "12 entries in ",
        "12 matches minted",
        "no head is remembered",
        "whole",
        "Not ruled out of us-east-1: that the last objects of every chain were cut off,",
        "--remember",
    ] {
        assert!(first.contains(says), "no {says:?} in {first}");
    }
    let kept = stand.run(AUDITOR, "audit verify --remember heads").done().out;
    assert!(kept.contains("The heads are kept in heads."), "{kept}");
    let before = bucket(&stand);
    trade(&stand, MATCHES..MATCHES + 20);
    let again = stand.run(AUDITOR, "audit verify --remember heads").done().out;
    assert!(
        again.contains("chains were held against remembered heads"),
        "{again}"
    );
    // A cut back to a remembered head would be in good order: that is said, however many are remembered.
    assert!(
        again.contains("Not ruled out of us-east-1: that what came"),
        "{again}"
    );
    // An old copy put back whole: in good order, only shorter.
    let now = bucket(&stand);
    for (name, body) in &now {
        if before.get(name) != Some(body) {
            put(&stand, name, before.get(name).cloned());
        }
    }
    let unaware = stand.run(AUDITOR, "audit verify").done().out;
    assert!(unaware.contains("12 matches minted"), "{unaware}");
    let heads = fs::read(stand.folder().join("heads")).unwrap();
    for option in ["--remember", "--head"] {
        let ran = stand.run(AUDITOR, &format!("audit verify {option} heads"));
        let ran = ran.says(
            1,
            &["the log of us-east-1 is not whole", "leave the bucket as it is"],
        );
        assert!(ran.out.contains("the log ends at sequence"), "{}", ran.out);
        assert!(
            ran.out.contains("before the remembered head of sequence"),
            "{}",
            ran.out
        );
    }
    let kept = fs::read(stand.folder().join("heads")).unwrap();
    assert_eq!(kept, heads, "what is remembered is not forgotten over a fault");
}

#[test]
fn each_tampering_with_a_real_log_is_named_and_where() {
    let stand = traded();
    trade(&stand, MATCHES..2 * MATCHES);
    let kept = Kept::of(bucket(&stand), &public_key(&stand));
    fs::write(kept.path("heads"), "").unwrap();
    kept.verify("--remember heads").done();
    let names = kept.names();
    let objects: Vec<&String> = names.iter().filter(|name| !name.ends_with("head")).collect();
    assert!(objects.len() >= 6 && names.len() > objects.len());
    for (number, name) in names.iter().enumerate() {
        let path = kept.object(name);
        let whole = fs::read(&path).unwrap();
        // A bit of each, somewhere else in each.
        let at = whole.len() * (2 * number + 1) / (2 * names.len());
        let mut changed = whole.clone();
        changed[at] ^= 1 << (number % 7);
        fs::write(&path, changed).unwrap();
        let ran = kept.verify("");
        assert_eq!(ran.code, Some(1), "{name}: byte {at}");
        assert!(ran.out.contains(name), "{name}: {}", ran.out);
        // And gone.
        fs::remove_file(&path).unwrap();
        let ran = kept.verify("--remember heads");
        assert_eq!(ran.code, Some(1), "{name} is gone: {}", ran.out);
        assert!(
            ran.out.contains(name.as_str()) || ran.out.contains("head"),
            "{}",
            ran.out
        );
        fs::write(&path, whole).unwrap();
    }
    kept.verify("--remember heads").done();
    // Another key, and something that is none of the log's.
    let other = Kept::of_the_format();
    fs::copy(other.path("key.der"), kept.path("other.der")).unwrap();
    let ran = kept.run("audit verify --dir log --public-key other.der --output json");
    assert_eq!(kinds(&ran.says(1, &[])), vec!["signature_wrong"; names.len()]);
    kept.run("audit verify --dir log --public-key other.der --public-key key.der")
        .done();
    let notes = objects[0].replace("0000000000000001", "notes");
    fs::write(kept.object(&notes), "x").unwrap();
    let ran = kept.verify("").says(1, &["1 fault"]);
    assert!(
        ran.out.contains(&format!("{notes}: the log has no such object")),
        "{}",
        ran.out
    );
}

#[test]
fn the_kept_log_gives_this_verdict_to_machines() {
    let kept = Kept::of_the_format();
    let whole = kept.verify("--output json").done().json();
    insta::assert_json_snapshot!("whole", whole);
    fs::remove_file(kept.object("us-east-1/0/0000000000000002")).unwrap();
    let broken = kept.verify("--output json").says(1, &["\"error\""]).json();
    insta::assert_json_snapshot!("an_object_is_gone", broken);
}

#[test]
fn two_regions_logs_are_held_against_each_other() {
    let kept = Kept::of_the_format();
    let other = kept.path("other");
    fs::create_dir_all(other.join("us-east-1")).unwrap();
    let words = "--other-dir other --other-log us-east-1 --other-public-key key.der";
    kept.verify(words).says(2, &["both logs are that of us-east-1"]);
    let words = "--other-dir other --other-log us-west-2 --other-public-key key.der";
    let ran = kept
        .verify(words)
        .says(1, &["the log of us-west-2 is not whole", "the logs do not agree"]);
    for says in [
        "there is no log of us-west-2",
        "the log of us-west-2 does not have the match",
    ] {
        assert!(ran.out.contains(says), "no {says:?} in {}", ran.out);
    }
    // The other bucket's copy of this log's head is a head that somebody remembers.
    let head = fs::read(kept.object("us-east-1/0/head")).unwrap();
    fs::create_dir_all(other.join("us-east-1/0")).unwrap();
    fs::write(other.join("us-east-1/0/head"), &head).unwrap();
    let ran = kept.verify(words);
    assert!(ran.out.contains("1 of 8 chains were held against"), "{}", ran.out);
    fs::remove_file(kept.object("us-east-1/0/0000000000000003")).unwrap();
    let second = fs::read_to_string(kept.object("us-east-1/0/0000000000000002")).unwrap();
    let end: Vec<&str> = second.lines().rev().take(2).collect();
    fs::write(
        kept.object("us-east-1/0/head"),
        format!("{}\n{}\n", end[1], end[0]),
    )
    .unwrap();
    let alone = kept.verify("").done();
    assert!(alone.out.contains("Not ruled out"), "{}", alone.out);
    let ran = kept.verify(words).says(1, &["us-east-1 is not whole"]);
    assert!(
        ran.out
            .contains("the log ends at sequence 2, before the remembered head of sequence 3"),
        "{}",
        ran.out
    );
    // A copy that is none.
    fs::write(other.join("us-east-1/0/head"), "nothing\n").unwrap();
    let ran = kept
        .verify(words)
        .says(1, &["copies of heads in the other bucket are none: 1 fault"]);
    assert!(ran.out.contains("us-east-1/0/head in other"), "{}", ran.out);
}

#[test]
fn heads_are_kept_only_of_a_whole_log_and_beside_those_of_others() {
    let kept = Kept::of_the_format();
    kept.verify("--remember heads").done();
    let heads = fs::read_to_string(kept.path("heads")).unwrap();
    assert_eq!(
        heads.as_bytes(),
        fs::read(kept.object("us-east-1/0/head")).unwrap()
    );
    // A head of another region's log, which this run does not verify.
    let foreign = heads.replace("us-east-1", "us-west-2");
    fs::write(kept.path("heads"), format!("{foreign}{heads}")).unwrap();
    kept.verify("--remember heads").done();
    assert_eq!(
        fs::read_to_string(kept.path("heads")).unwrap(),
        format!("{foreign}{heads}")
    );
    fs::write(kept.path("heads"), "no head\n").unwrap();
    kept.verify("--remember heads")
        .says(1, &["heads does not hold heads", "line 1 is none"]);
    let forged = heads.replace("\"sequence\":3", "\"sequence\":9");
    fs::write(kept.path("heads"), &forged).unwrap();
    let ran = kept.verify("--remember heads").says(1, &["1 fault"]);
    assert!(
        ran.out.contains("remembered head, line 1 of heads: not a head"),
        "{}",
        ran.out
    );
    assert_eq!(fs::read_to_string(kept.path("heads")).unwrap(), forged);
}

#[test]
fn a_bucket_of_many_pages_is_read_to_its_end() {
    let stand = traded();
    // What only the last page shows.
    put(&stand, "us-east-1/7/x", Some(b"x".to_vec()));
    // Two chains at least have an object and a head: five names, five pages.
    stand.faults().cease();
    stand.faults().set_page(1);
    let ran = stand.run(AUDITOR, "audit verify").says(1, &["1 fault"]);
    assert!(
        ran.out.contains("us-east-1/7/x: the log has no such object"),
        "{}",
        ran.out
    );
    assert!(stand.faults().requests("ListObjectsV2") >= 5);
}

#[test]
fn the_peers_stack_names_the_other_regions_bucket() {
    let stand = traded();
    stand.run(AUDITOR, "audit verify").done();
    // What replication puts there.
    let heads = bucket(&stand)
        .into_iter()
        .filter(|(name, _)| name.ends_with("head"));
    let heads: Vec<_> = heads.collect();
    let count = heads.len();
    stand.ask(async move |deployment: &Deployment| {
        let s3 = deployment.stack().clients(AUDITOR).s3;
        let west = s3.config().to_builder().region(Region::new("us-west-2")).build();
        let west = aws_sdk_s3::Client::from_conf(west);
        west.create_bucket()
            .bucket("audit-in-the-west")
            .send()
            .await
            .unwrap();
        for (name, body) in heads {
            let put = west.put_object().bucket("audit-in-the-west").key(name);
            put.body(ByteStream::from(body)).send().await.unwrap();
        }
    });
    stand.file("peer.json", r#"{"AuditBucket":"audit-in-the-west"}"#);
    fs::write(stand.folder().join("key.der"), public_key(&stand)).unwrap();
    let words = "audit verify --peer-outputs peer.json --peer-region us-west-2 --other-public-key key.der";
    let ran = stand
        .run(AUDITOR, words)
        .says(1, &["the log of us-west-2 is not whole"]);
    for says in [
        "log    of us-west-2, in audit-in-the-west",
        "there is no log of us-west-2",
        "Not ruled out: that 12 recent matches are missing in the other log",
        &format!("{count} of 8 chains were held against remembered heads"),
    ] {
        assert!(ran.out.contains(says), "no {says:?} in {}", ran.out);
    }
}
