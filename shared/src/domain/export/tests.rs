use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::domain::time::Timestamp;

const NOW: Timestamp = Timestamp::from_millis(1_796_140_800_123);

fn scope() -> Scope {
    Scope::new("symbolon", "us-east-1").unwrap()
}

fn name(name: &str) -> FunctionName {
    FunctionName::new(name).unwrap()
}

fn entry(seed: u8) -> FunctionEntry {
    FunctionEntry {
        package: Digest::of(&[seed, 1]),
        bytes: u64::from(seed),
        configuration: Digest::of(&[seed, 2]),
        stale: None,
    }
}

fn manifest() -> Manifest {
    let stale = Stale {
        exported_at: NOW.plus_days(-2),
        reason: Reason::HashMismatch,
    };
    let relay = FunctionEntry {
        stale: Some(stale),
        ..entry(2)
    };
    Manifest {
        exported_at: NOW,
        functions: BTreeMap::from([(name("matcher"), entry(1)), (name("relay"), relay)]),
        mappings: Digest::of(b"mappings"),
        stack: Some(StackEntry {
            template: Digest::of(b"template"),
            settings: Digest::of(b"settings"),
            stale: None,
        }),
    }
}

/// Other programs read it: the backup check the hashes of the functions, a person with a shell the rest.
#[test]
fn a_manifest_is_written_as_the_page_has_it() {
    let written: Value = serde_json::from_slice(&manifest().write(&scope())).unwrap();
    let object = |content: &[u8]| {
        let hex = Digest::of(content).hex();
        json!({ "key": format!("functions/symbolon/us-east-1/objects/{hex}"), "sha256": hex })
    };
    let package = |seed: u8| {
        let digest = Digest::of(&[seed, 1]);
        let key = format!("functions/symbolon/us-east-1/objects/{}", digest.hex());
        json!({ "key": key, "bytes": seed, "codeSha256": digest.base64() })
    };
    let wanted = json!({
        "v": 1,
        "exportedAt": "2026-12-01T16:00:00.123Z",
        "stack": "symbolon",
        "region": "us-east-1",
        "functions": { "matcher": Digest::of(&[1, 1]).base64(), "relay": Digest::of(&[2, 1]).base64() },
        "packages": { "matcher": package(1), "relay": package(2) },
        "configurations": { "matcher": object(&[1, 2]), "relay": object(&[2, 2]) },
        "mappings": object(b"mappings"),
        "template": object(b"template"),
        "stackSettings": object(b"settings"),
        "stale": { "relay": { "exportedAt": "2026-11-29T16:00:00.123Z", "reason": "hash_mismatch" } },
        "staleTemplate": null,
    });
    assert_eq!(written, wanted);
}

#[test]
fn a_manifest_reads_back() {
    let mut one = manifest();
    assert_eq!(Manifest::read(&scope(), &one.write(&scope())), Ok(one.clone()));
    one.stack = None;
    assert_eq!(Manifest::read(&scope(), &one.write(&scope())), Ok(one));
}

/// Whatever is changed of it: either it says the same, or it is not read.
#[test]
fn a_manifest_that_contradicts_itself_is_not_read() {
    let changes: &[fn(&mut Value)] = &[
        |m| m["v"] = json!(2),
        |m| m["region"] = json!("us-west-2"),
        |m| m["stack"] = json!("other"),
        |m| m["exportedAt"] = json!("yesterday"),
        |m| m["more"] = json!(1),
        |m| m["packages"]["matcher"]["key"] = json!("functions/other/us-east-1/objects/00"),
        |m| m["packages"]["matcher"]["codeSha256"] = json!(Digest::of(b"other").base64()),
        |m| m["functions"]["matcher"] = json!("not base64"),
        |m| m["functions"]["../up"] = m["functions"]["matcher"].clone(),
        |m| drop(m["functions"].as_object_mut().unwrap().remove("relay")),
        |m| drop(m["packages"].as_object_mut().unwrap().remove("relay")),
        |m| drop(m["configurations"].as_object_mut().unwrap().remove("relay")),
        |m| m["stale"]["gone"] = m["stale"]["relay"].clone(),
        |m| m["stale"]["relay"]["reason"] = json!("because"),
        |m| m["mappings"]["sha256"] = json!("00"),
        |m| m["mappings"]["key"] = m["template"]["key"].clone(),
        |m| m["template"] = Value::Null,
        |m| m["stackSettings"] = Value::Null,
    ];
    for (index, change) in changes.iter().enumerate() {
        let mut written: Value = serde_json::from_slice(&manifest().write(&scope())).unwrap();
        change(&mut written);
        let body = serde_json::to_vec(&written).unwrap();
        assert_eq!(Manifest::read(&scope(), &body), Err(Unreadable), "change {index}");
    }
}

#[test]
fn manifests_are_compared_by_what_they_name() {
    let one = manifest();
    let mut other = one.clone();
    other.exported_at = NOW.plus_days(1);
    other.functions.get_mut(&name("relay")).unwrap().stale = None;
    assert!(one.names_the_same(&other));
    other.functions.get_mut(&name("relay")).unwrap().package = Digest::of(b"new");
    assert!(!one.names_the_same(&other));
    let mut other = one.clone();
    other.stack = None;
    assert!(!one.names_the_same(&other));
    let mut other = one.clone();
    let relay = other.functions.remove(&name("relay")).unwrap();
    other.functions.insert(name("delay"), relay);
    assert!(!one.names_the_same(&other));
}

#[test]
fn names_stay_below_their_prefix() {
    for wrong in ["", "a/b", "..", "a.b", "a b", "ä", &"a".repeat(65)] {
        assert!(FunctionName::new(wrong).is_err(), "{wrong}");
        assert!(Scope::new("s", wrong).is_err(), "{wrong}");
    }
    for wrong in ["", "a/b", "..", "a_b", &"a".repeat(129)] {
        assert!(Scope::new(wrong, "us-east-1").is_err(), "{wrong}");
    }
    let digest = Digest::of(b"");
    assert_eq!(
        scope().object_key(digest),
        "functions/symbolon/us-east-1/objects/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    assert_eq!(scope().latest_key(), "functions/symbolon/us-east-1/latest.json");
    assert_eq!(
        scope().dated_key(NOW),
        "functions/symbolon/us-east-1/manifests/2026-12-01T160000Z.json"
    );
}

#[test]
fn a_hash_is_read_in_one_form_alone() {
    let digest = Digest::of(b"package");
    assert_eq!(Digest::from_base64(&digest.base64()), Ok(digest));
    assert_eq!(Digest::from_hex(&digest.hex()), Ok(digest));
    for wrong in [
        "",
        "00",
        &digest.hex().to_uppercase(),
        &digest.base64()[..43],
        "é",
    ] {
        assert_eq!(Digest::from_base64(wrong), Err(InvalidDigest), "{wrong}");
        assert_eq!(Digest::from_hex(wrong), Err(InvalidDigest), "{wrong}");
    }
}

#[test]
fn what_has_to_be_copied_is_said_by_what_is_there() {
    let (digest, renew_after) = (Digest::of(b"it"), RenewAfter::half_of(400));
    let stored = |digest, days: i64| Stored {
        digest,
        modified: NOW.plus_days(-days),
    };
    let of = |stored: Option<Stored>| need(stored.as_ref(), digest, NOW, renew_after);
    assert_eq!(of(None), Need::First);
    assert_eq!(of(Some(stored(Some(digest), 0))), Need::Nothing);
    assert_eq!(of(Some(stored(Some(digest), 199))), Need::Nothing);
    assert_eq!(of(Some(stored(Some(digest), 200))), Need::Renew);
    // A store's clock may be ahead of ours.
    assert_eq!(of(Some(stored(Some(digest), -1))), Need::Nothing);
    assert_eq!(of(Some(stored(Some(Digest::of(b"other")), 0))), Need::Repair);
    assert_eq!(of(Some(stored(None, 0))), Need::Repair);
}

fn mapping(source: &str) -> Mapping {
    serde_json::from_value(json!({
        "EventSourceArn": source, "FunctionName": "matcher", "Enabled": true, "BatchSize": 10,
    }))
    .unwrap()
}

fn fresh(parts: &[(&str, Result<u8, Reason>)], stack: Result<u8, Reason>) -> Fresh {
    let part = |seed: u8| FreshFunction {
        package: entry(seed).package,
        bytes: u64::from(seed),
        configuration: entry(seed).configuration,
        mappings: vec![mapping(&format!("arn:{seed}"))],
    };
    Fresh {
        functions: parts
            .iter()
            .map(|(key, result)| (name(key), result.map(part)))
            .collect(),
        stack: stack.map(|seed| FreshStack {
            template: Digest::of(&[seed, 3]),
            settings: Digest::of(&[seed, 4]),
        }),
    }
}

#[test]
fn what_failed_keeps_its_last_good_entry_and_its_time() {
    let day = |days| NOW.plus_days(days);
    let (first, mappings) = assemble(day(0), &fresh(&[("a", Ok(1)), ("b", Ok(2))], Ok(3)), None);
    assert_eq!(first.mappings, Digest::of(&mappings));
    let mut previous = Previous {
        manifest: first,
        mappings: MappingsDocument::read(&mappings).unwrap().mappings,
    };
    for (days, reason) in [(1, Reason::Missing), (2, Reason::NotRead)] {
        let now = fresh(
            &[("a", Err(reason)), ("b", Ok(5)), ("c", Err(reason))],
            Err(reason),
        );
        let (next, mappings) = assemble(day(days), &now, Some(&previous));
        let stale = Some(Stale {
            exported_at: day(0),
            reason,
        });
        assert_eq!(next.functions[&name("a")], FunctionEntry { stale, ..entry(1) });
        assert_eq!(next.functions[&name("b")], entry(5));
        assert!(!next.functions.contains_key(&name("c")), "it was never exported");
        assert_eq!(next.stack.unwrap().stale, stale);
        let mappings = MappingsDocument::read(&mappings).unwrap().mappings;
        assert_eq!(mappings[&name("a")], [mapping("arn:1")]);
        assert_eq!(mappings[&name("b")], [mapping("arn:5")]);
        previous = Previous {
            manifest: next,
            mappings,
        };
    }
    let (whole, _) = assemble(
        day(3),
        &fresh(&[("a", Ok(1)), ("b", Ok(2))], Ok(3)),
        Some(&previous),
    );
    assert!(whole.functions.values().all(|entry| entry.stale.is_none()));
}

#[test]
fn an_entry_without_its_mappings_is_no_good_entry() {
    let (first, _) = assemble(NOW, &fresh(&[("a", Ok(1))], Ok(3)), None);
    let previous = Previous {
        manifest: first,
        mappings: Mappings::new(),
    };
    let now = fresh(&[("a", Err(Reason::Missing))], Ok(3));
    assert!(assemble(NOW, &now, Some(&previous)).0.functions.is_empty());
}

#[test]
fn mappings_have_one_text_whatever_their_order() {
    let document = |sources: &[&str]| {
        let list = sources.iter().map(|source| mapping(source)).collect();
        MappingsDocument::new(Mappings::from([(name("matcher"), list)])).document()
    };
    assert_eq!(document(&["arn:1", "arn:2"]), document(&["arn:2", "arn:1"]));
}

#[test]
fn every_reason_has_a_code_of_its_own_and_reads_back() {
    let reasons = [
        Reason::Missing,
        Reason::NotRead,
        Reason::Changing,
        Reason::NotRestorable,
        Reason::TooLarge,
        Reason::NotDownloaded,
        Reason::HashMismatch,
        Reason::NotStored,
        Reason::NoTime,
    ];
    let codes: BTreeSet<&str> = reasons.iter().map(|reason| reason.as_str()).collect();
    assert_eq!(codes.len(), reasons.len());
    for reason in reasons {
        assert_eq!(serde_json::to_value(reason).unwrap(), json!(reason.as_str()));
        assert_eq!(
            serde_json::from_value::<Reason>(json!(reason.as_str())).unwrap(),
            reason
        );
    }
}

proptest! {
    #[test]
    fn any_manifest_body_is_read_without_a_panic(body in prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..200),
        "\\{\"v\":1,\"[a-zA-Z]{0,12}\":.{0,40}\\}".prop_map(String::into_bytes),
    ]) {
        prop_assert_eq!(Manifest::read(&scope(), &body), Err(Unreadable));
    }

    #[test]
    fn every_manifest_reads_back(seeds in proptest::collection::btree_map("[a-z]{1,8}", any::<(u8, bool)>(), 0..5), at in 0..4_000_000_000_000_i64) {
        let at = Timestamp::from_millis(at);
        let stale = Stale { exported_at: at, reason: Reason::NotRead };
        let functions = seeds.into_iter().map(|(key, (seed, is_stale))| {
            let entry = FunctionEntry { stale: is_stale.then_some(stale), ..entry(seed) };
            (name(&key), entry)
        });
        let manifest = Manifest { exported_at: at, functions: functions.collect(), ..manifest() };
        prop_assert_eq!(Manifest::read(&scope(), &manifest.write(&scope())), Ok(manifest));
    }
}
