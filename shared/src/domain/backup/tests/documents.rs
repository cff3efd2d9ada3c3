use serde_json::{Value, json};

use super::world::policy;
use crate::domain::backup::{ExportManifest, Fact, Kind, Moment, Place, Policy, PolicyError};
use crate::domain::time::Timestamp;
use crate::testing::backup::{SAMPLE_POLICY, sample_place};

fn sample() -> Value {
    serde_json::from_str(SAMPLE_POLICY).unwrap()
}

fn parsed(document: &Value) -> Result<Policy, PolicyError> {
    Policy::parse(&document.to_string(), &sample_place())
}

/// What an error says.
fn said(document: &Value) -> String {
    parsed(document).unwrap_err().to_string()
}

#[test]
fn the_policy_names_every_store_by_what_the_operator_calls_it() {
    let ids: Vec<String> = policy()
        .stores()
        .iter()
        .map(|store| store.id.to_string())
        .collect();
    assert_eq!(
        ids,
        [
            "table/control",
            "table/interests",
            "table/keys",
            "table/matches",
            "table/parameters",
            "table/registry",
            "table/submissions",
            "bucket/audit",
            "bucket/backup",
            "bucket/data",
            "bucket/quarantine",
            "key/audit-signing",
            "key/backup",
            "key/bucket",
            "key/data",
            "key/inbox",
            "key/operations",
            "key/quarantine",
            "key/queue",
            "key/registry",
            "key/token",
            "functions",
            "restore-testing",
        ]
    );
    for store in policy().stores() {
        assert!(
            store
                .demands
                .iter()
                .all(|demand| demand.fact().kind() == store.kind),
            "{}",
            store.id
        );
        let mut facts: Vec<Fact> = store.demands.iter().map(super::super::Demand::fact).collect();
        facts.dedup();
        assert_eq!(facts.len(), store.demands.len());
    }
    let resource = |id: &str| super::world::store(id).resource;
    assert_eq!(resource("table/registry"), "symbolon-registry");
    assert_eq!(resource("bucket/audit"), "symbolon-audit-123456789012-us-east-1");
    assert_eq!(
        resource("functions"),
        "symbolon-backup-123456789012-us-west-2/functions/symbolon/us-east-1/latest.json"
    );
    let strong = super::world::store("table/control");
    assert!(
        strong
            .demands
            .iter()
            .all(|demand| demand.fact() != Fact::TableLag),
        "it has no such metric"
    );
    assert_eq!(super::world::store("key/audit-signing").kind, Kind::Key);
}

/// All variables of a function together may have 4 KB; the stack's name has up to 30 characters here, a region's 14.
#[test]
fn the_policy_fits_into_a_function_s_environment() {
    let longest = sample().to_string().replace("symbolon", &"s".repeat(30));
    let longest = longest.replace("us-east-1", "ap-northeast-1");
    println!("{} of 4096 bytes", longest.len());
    assert!(longest.len() < 3_400, "{}", longest.len());
}

#[test]
fn an_error_names_the_field() {
    for (pointer, value, field) in [
        (
            "/tables/registry/pitr/days",
            json!("35"),
            "tables.registry.pitr.days",
        ),
        (
            "/tables/registry/pitr/days",
            json!(-1),
            "tables.registry.pitr.days",
        ),
        (
            "/tables/registry/pitr/days",
            json!(0),
            "tables.registry.pitr.days",
        ),
        (
            "/tables/registry/pitr/minutes",
            json!(0),
            "tables.registry.pitr.minutes",
        ),
        (
            "/tables/registry/recovery/rpoHours",
            json!(0),
            "tables.registry.recovery.rpoHours",
        ),
        (
            "/tables/registry/recovery/copy",
            json!("yes"),
            "tables.registry.recovery.copy",
        ),
        (
            "/tables/registry/replica/lagMinutes",
            json!(0),
            "tables.registry.replica.lagMinutes",
        ),
        ("/buckets/audit/lock/mode", json!(""), "buckets.audit.lock.mode"),
        ("/buckets/audit/lock/days", json!(0), "buckets.audit.lock.days"),
        (
            "/buckets/audit/replication/rule",
            json!(""),
            "buckets.audit.replication.rule",
        ),
        (
            "/buckets/audit/replication/lagMinutes",
            json!(0),
            "buckets.audit.replication.lagMinutes",
        ),
        ("/keys/token/id", json!(""), "keys.token.id"),
        ("/functions/names", json!([]), "functions.names"),
        ("/functions/names", json!([""]), "functions.names"),
        ("/functions/maxAgeHours", json!(0), "functions.maxAgeHours"),
        ("/restoreTesting/tables", json!([]), "restoreTesting.tables"),
        ("/restoreTesting/tables", json!(["none"]), "restoreTesting.tables"),
        ("/restoreTesting/plan", json!(""), "restoreTesting.plan"),
        (
            "/restoreTesting/maxAgeDays",
            json!(0),
            "restoreTesting.maxAgeDays",
        ),
        ("/partition", json!(""), "partition"),
        ("/account", json!(""), "account"),
        ("/planRegion", json!(""), "planRegion"),
        ("/vault", json!(""), "vault"),
        ("/v", json!(2), "v:"),
    ] {
        let mut document = sample();
        *document.pointer_mut(pointer).unwrap() = value;
        assert!(said(&document).contains(field), "{pointer}: {}", said(&document));
    }
}

/// Left out is not `null`: whoever forgets a demand is told.
#[test]
fn a_field_that_is_missing_or_unknown_is_an_error() {
    fn members(value: &Value, pointer: &str, found: &mut Vec<(String, String)>) {
        for (name, member) in value.as_object().into_iter().flatten() {
            found.push((pointer.to_owned(), name.clone()));
            members(member, &format!("{pointer}/{name}"), found);
        }
    }
    let mut all = Vec::new();
    members(&sample(), "", &mut all);
    assert!(all.len() > 100);
    for (parent, name) in all {
        // Of stores there may be fewer.
        let is_store = ["/tables", "/buckets", "/keys"].contains(&parent.as_str());
        let mut document = sample();
        let object = document.pointer_mut(&parent).unwrap().as_object_mut().unwrap();
        let removed = object.remove(&name).unwrap();
        if !is_store {
            assert!(
                said(&document).contains(&name),
                "{parent}/{name}: {}",
                said(&document)
            );
        }
        let object = document.pointer_mut(&parent).unwrap().as_object_mut().unwrap();
        object.insert(name.clone(), removed);
        object.insert("unknownField".to_owned(), json!(1));
        assert!(parsed(&document).is_err(), "{parent}/unknownField");
    }
    assert!(Policy::parse("", &sample_place()).is_err());
    assert!(Policy::parse(&format!("{SAMPLE_POLICY} x"), &sample_place()).is_err());
}

#[test]
fn a_policy_that_demands_nothing_is_refused() {
    let mut nothing = sample();
    for kind in ["tables", "buckets", "keys"] {
        nothing[kind] = json!({});
    }
    nothing["functions"] = Value::Null;
    nothing["restoreTesting"] = Value::Null;
    assert_eq!(parsed(&nothing), Err(PolicyError::Nothing("stores".to_owned())));
    let mut bucket = sample();
    bucket["buckets"]["data"] = json!({"versioning": false, "replication": null, "lock": null});
    assert_eq!(
        parsed(&bucket),
        Err(PolicyError::Nothing("bucket/data".to_owned()))
    );
}

/// In the other region the same tables are named by the ARN where the plan runs, and the buckets by their own region.
#[test]
fn the_other_region_names_recovery_points_as_the_plan_does() {
    let place = Place {
        region: "us-west-2".to_owned(),
        peer_region: "us-east-1".to_owned(),
        ..sample_place()
    };
    let policy = Policy::parse(SAMPLE_POLICY, &place).unwrap();
    let demands = policy.stores().iter().flat_map(|store| &store.demands);
    for demand in demands {
        match demand {
            super::super::Demand::Copy { arn, .. } | super::super::Demand::RecoveryPoint { arn, .. } => {
                assert!(
                    arn.starts_with("arn:aws:dynamodb:us-east-1:123456789012:table/symbolon-"),
                    "{arn}"
                );
            }
            super::super::Demand::ReplicationRule { bucket, to, .. } => {
                assert!(bucket.ends_with("-us-west-2") && to.ends_with("-us-east-1"));
            }
            _ => {}
        }
    }
}

#[test]
fn a_manifest_may_say_more_than_is_read_of_it() {
    let manifest = json!({
        "v": 1,
        "exportedAt": "2026-11-30T15:00:00Z",
        "functions": {"matcher": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="},
        "stack": "symbolon",
        "objects": [1, 2, 3],
    });
    let parse = |manifest: &Value| ExportManifest::parse(manifest.to_string().as_bytes());
    let read = parse(&manifest).unwrap();
    assert_eq!(
        read.exported_at,
        Moment(Timestamp::parse_rfc3339("2026-11-30T15:00:00Z").unwrap())
    );
    assert_eq!(
        read.functions["matcher"],
        "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    );
    for (field, wrong) in [
        ("v", json!(2)),
        ("exportedAt", json!("yesterday")),
        ("functions", json!(["matcher"])),
    ] {
        let mut document = manifest.clone();
        document[field] = wrong;
        assert!(parse(&document).is_err(), "{field}");
        document.as_object_mut().unwrap().remove(field);
        assert!(parse(&document).is_err(), "{field}");
    }
}

/// What could not be exported is in the manifest with the time of its last good export.
#[test]
fn a_manifest_says_what_of_it_is_older() {
    let manifest = json!({
        "v": 1,
        "exportedAt": "2026-11-30T15:00:00Z",
        "functions": {"matcher": "a", "relay": "b"},
        "stale": {"relay": {"exportedAt": "2026-11-28T15:00:00Z", "reason": "hash_mismatch"}},
        "template": {"key": "k"},
        "staleTemplate": null,
    });
    let stale = |manifest: &Value| {
        let read = ExportManifest::parse(manifest.to_string().as_bytes()).unwrap();
        read.stale
            .into_iter()
            .map(|(part, at)| (part, at.map(String::from)))
            .collect::<Vec<_>>()
    };
    let relay = ("relay".to_owned(), Some("2026-11-28T15:00:00.000Z".to_owned()));
    let template = |at: Option<&str>| (super::super::TEMPLATE.to_owned(), at.map(str::to_owned));
    assert_eq!(stale(&manifest), std::slice::from_ref(&relay));
    let mut never = manifest.clone();
    never["template"] = Value::Null;
    assert_eq!(stale(&never), [relay.clone(), template(None)]);
    let mut older = manifest;
    older["staleTemplate"] = json!({"exportedAt": "2026-11-29T15:00:00.000Z", "reason": "not_read"});
    assert_eq!(stale(&older), [relay, template(Some("2026-11-29T15:00:00.000Z"))]);
}

/// A function that nobody looks after any more may be as old as it is.
#[test]
fn what_is_not_looked_after_may_be_stale() {
    let functions = super::world::store("functions");
    let mut export = super::super::Observed::Missing;
    for demand in &functions.demands {
        if demand.fact() == Fact::Export {
            export = super::world::seen(crate::testing::backup::as_demanded(demand, super::world::NOW));
        }
    }
    if let super::super::Observed::Seen(super::super::Seen::Export { stale, .. }) = &mut export {
        stale.insert("gone".to_owned(), Some(super::world::days_ago(90)));
        stale.insert("matcher".to_owned(), Some(super::world::minutes_ago(120)));
    }
    assert_eq!(super::world::findings(&functions, Fact::Export, export), []);
}
