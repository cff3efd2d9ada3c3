//! Tables, buckets, keys, functions, reports and events.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::{Line, Reply, at, denied, failed};
use crate::aws::control_plane_options;
use crate::domain::backup::{Change, Moment, Observed, Policy, ReplicationRule, Report, Seen, Told, changes};
use crate::domain::time::Timestamp;
use crate::ports::backup::{
    BackupReports, BucketProtection, DeployedCode, ExportEvidence, KeyProtection, TableProtection,
    VerdictAnnouncer,
};
use crate::testing::backup::{SAMPLE_POLICY, sample_place};

const NOON: f64 = 1_796_040_000.0;

fn noon() -> Moment {
    Moment(Timestamp::from_millis(1_796_040_000_000))
}

#[tokio::test]
async fn a_table_is_seen_with_its_replicas() {
    let line = Line::replying([Reply::json(&json!({"Table": {
        "TableName": "symbolon-registry",
        "TableStatus": "ACTIVE",
        "CreationDateTime": NOON,
        "Replicas": [
            {"RegionName": "us-west-2", "ReplicaStatus": "REGION_DISABLED", "ReplicaInaccessibleDateTime": NOON},
            {"RegionName": "eu-west-1"},
        ],
    }}))]);
    let replicas = [("us-west-2", "REGION_DISABLED"), ("eu-west-1", "")];
    assert_eq!(
        line.ports().table("symbolon-registry").await,
        Ok(Observed::Seen(Seen::Table {
            status: "ACTIVE".to_owned(),
            created: Some(noon()),
            replicas: replicas
                .map(|(region, status)| (region.to_owned(), status.to_owned()))
                .into(),
        }))
    );
    let asked = &line.asked()[0];
    assert!(asked.to.contains("dynamodb.us-east-1."), "{}", asked.to);
    assert_eq!(asked.target.as_deref(), Some("DynamoDB_20120810.DescribeTable"));
    assert_eq!(asked.json(), json!({"TableName": "symbolon-registry"}));
}

#[tokio::test]
async fn a_window_is_seen_or_is_off() {
    let window = |description| {
        Reply::json(&json!({"ContinuousBackupsDescription": {
            "ContinuousBackupsStatus": "ENABLED",
            "PointInTimeRecoveryDescription": description,
        }}))
    };
    let line = Line::replying([
        window(json!({
            "PointInTimeRecoveryStatus": "ENABLED",
            "RecoveryPeriodInDays": 35,
            "EarliestRestorableDateTime": NOON - 3_024_000.0,
            "LatestRestorableDateTime": NOON,
        })),
        window(json!({"PointInTimeRecoveryStatus": "DISABLED"})),
        Reply::json(&json!({})),
    ]);
    let ports = line.ports();
    assert_eq!(
        ports.pitr_window("t").await,
        Ok(Observed::Seen(Seen::PitrWindow {
            enabled: true,
            days: Some(35),
            earliest: Some(at("2026-10-26T12:00:00Z")),
            latest: Some(noon()),
        }))
    );
    assert_eq!(
        ports.pitr_window("t").await,
        Ok(Observed::Seen(Seen::PitrWindow {
            enabled: false,
            days: None,
            earliest: None,
            latest: None
        }))
    );
    failed(
        ports.pitr_window("t").await,
        "dynamodb:DescribeContinuousBackups",
        "UnreadableItem",
    );
}

#[tokio::test]
async fn what_is_not_there_is_told_from_what_is_refused() {
    let line = Line::replying([
        Reply::refused(400, "ResourceNotFoundException"),
        Reply::refused(400, "AccessDeniedException"),
        Reply::refused(400, "TableNotFoundException"),
        Reply::refused(400, "AccessDeniedException"),
        Reply::refused(400, "NotFoundException"),
        Reply::refused(400, "AccessDeniedException"),
        Reply::refused(400, "NotFoundException"),
        Reply::refused(400, "KMSInvalidStateException"),
    ]);
    let ports = line.ports();
    assert_eq!(ports.table("t").await, Ok(Observed::Missing));
    denied(ports.table("t").await, "dynamodb:DescribeTable");
    assert_eq!(ports.pitr_window("t").await, Ok(Observed::Missing));
    denied(ports.pitr_window("t").await, "dynamodb:DescribeContinuousBackups");
    assert_eq!(ports.key_replica("k").await, Ok(Observed::Missing));
    denied(ports.key_replica("k").await, "kms:DescribeKey");
    assert_eq!(ports.rotation("k").await, Ok(Observed::Missing));
    failed(
        ports.rotation("k").await,
        "kms:GetKeyRotationStatus",
        "KMSInvalidStateException",
    );
    // And no answer at all.
    failed(ports.key_state("k").await, "kms:DescribeKey", "DispatchFailure");
}

#[tokio::test]
async fn a_key_is_asked_for_in_its_own_region() {
    let key = |state| Reply::json(&json!({"KeyMetadata": {"KeyId": "mrk-1", "KeyState": state}}));
    let line = Line::replying([
        key("PendingDeletion"),
        key("Enabled"),
        Reply::json(&json!({"KeyRotationEnabled": true, "RotationPeriodInDays": 365})),
    ]);
    let ports = line.ports();
    let state = "PendingDeletion".to_owned();
    assert_eq!(
        ports.key_state("mrk-1").await,
        Ok(Observed::Seen(Seen::KeyState { state }))
    );
    let state = "Enabled".to_owned();
    assert_eq!(
        ports.key_replica("mrk-1").await,
        Ok(Observed::Seen(Seen::KeyReplica { state }))
    );
    assert_eq!(
        ports.rotation("mrk-1").await,
        Ok(Observed::Seen(Seen::Rotation { enabled: true }))
    );
    let hosts = ["kms.us-east-1.", "kms.us-west-2.", "kms.us-east-1."];
    for (asked, host) in line.asked().iter().zip(hosts) {
        assert!(asked.to.contains(host), "{}", asked.to);
        assert_eq!(asked.json(), json!({"KeyId": "mrk-1"}));
    }
}

#[tokio::test]
async fn versions_are_kept_only_where_that_is_on() {
    let status = |status: &str| {
        Reply::text(
            200,
            &format!("<VersioningConfiguration>{status}</VersioningConfiguration>"),
        )
    };
    let line = Line::replying([
        status("<Status>Enabled</Status>"),
        status("<Status>Suspended</Status>"),
        status(""),
        Reply::s3_error(404, "NoSuchBucket"),
        Reply::s3_error(403, "AccessDenied"),
    ]);
    let ports = line.ports();
    for enabled in [true, false, false] {
        assert_eq!(
            ports.versioning("b").await,
            Ok(Observed::Seen(Seen::Versioning { enabled }))
        );
    }
    assert_eq!(ports.versioning("b").await, Ok(Observed::Missing));
    denied(ports.versioning("b").await, "s3:GetBucketVersioning");
}

#[tokio::test]
async fn replication_is_a_rule_into_a_bucket() {
    let kms = |status: &str| {
        let status = format!("<SseKmsEncryptedObjects><Status>{status}</Status></SseKmsEncryptedObjects>");
        format!("<SourceSelectionCriteria>{status}</SourceSelectionCriteria>")
    };
    let [on, off, tag] = [
        kms("Enabled"),
        kms("Disabled"),
        "<Tag><Key>k</Key><Value>v</Value></Tag>".to_owned(),
    ];
    let all = |prefix: &str| Some(prefix.to_owned());
    let rules = [
        (
            "all",
            format!("<Filter><Prefix></Prefix></Filter>{on}"),
            all(""),
            true,
        ),
        ("empty", format!("<Filter></Filter>{on}"), all(""), true),
        ("without", on.clone(), all(""), true),
        ("old", format!("<Prefix>a/</Prefix>{on}"), all("a/"), true),
        (
            "part",
            format!("<Filter><Prefix>a/</Prefix></Filter>{on}"),
            all("a/"),
            true,
        ),
        ("tag", format!("<Filter>{tag}</Filter>{on}"), None, true),
        (
            "and",
            format!("<Filter><And><Prefix></Prefix>{tag}</And></Filter>{on}"),
            None,
            true,
        ),
        ("off", format!("<Filter></Filter>{off}"), all(""), false),
        (
            "unsaid",
            "<Filter></Filter><SourceSelectionCriteria/>".to_owned(),
            all(""),
            false,
        ),
        ("unasked", "<Filter></Filter>".to_owned(), all(""), false),
    ];
    let rule = |id: &str, of: &str, status: &str, to: &str| {
        let destination = format!("<Destination><Bucket>arn:aws:s3:::{to}</Bucket></Destination>");
        format!("<Rule><ID>{id}</ID><Status>{status}</Status>{of}{destination}</Rule>")
    };
    let mut body = rule("two", &on, "Disabled", "elsewhere");
    let mut due = BTreeMap::from([("two".to_owned(), (false, "elsewhere", all(""), true))]);
    for (id, of, prefix, kms) in rules {
        body += &rule(id, &of, "Enabled", "there");
        due.insert(id.to_owned(), (true, "there", prefix, kms));
    }
    let due = due.into_iter().map(|(id, (enabled, to, prefix, kms))| {
        let to = to.to_owned();
        (
            id,
            ReplicationRule {
                enabled,
                to,
                prefix,
                kms,
            },
        )
    });
    let line = Line::replying([
        Reply::text(
            200,
            &format!("<ReplicationConfiguration><Role>r</Role>{body}</ReplicationConfiguration>"),
        ),
        Reply::s3_error(404, "ReplicationConfigurationNotFoundError"),
        Reply::s3_error(403, "AccessDenied"),
    ]);
    let ports = line.ports();
    assert_eq!(
        ports.replication_rules("b").await,
        Ok(Observed::Seen(Seen::ReplicationRule(due.collect())))
    );
    assert_eq!(ports.replication_rules("b").await, Ok(Observed::Missing));
    denied(
        ports.replication_rules("b").await,
        "s3:GetReplicationConfiguration",
    );
}

#[tokio::test]
async fn a_lock_without_a_rule_locks_nothing() {
    let lock = |rule: &str| {
        let enabled = "<ObjectLockEnabled>Enabled</ObjectLockEnabled>";
        Reply::text(
            200,
            &format!("<ObjectLockConfiguration>{enabled}{rule}</ObjectLockConfiguration>"),
        )
    };
    let retention = |of: &str| {
        lock(&format!(
            "<Rule><DefaultRetention><Mode>COMPLIANCE</Mode>{of}</DefaultRetention></Rule>"
        ))
    };
    let line = Line::replying([
        retention("<Days>2557</Days>"),
        retention("<Years>7</Years>"),
        lock(""),
        Reply::s3_error(404, "ObjectLockConfigurationNotFoundError"),
        Reply::s3_error(403, "AccessDenied"),
    ]);
    let ports = line.ports();
    for (mode, days) in [
        (Some("COMPLIANCE"), 2_557),
        (Some("COMPLIANCE"), 2_555),
        (None, 0),
    ] {
        let mode = mode.map(str::to_owned);
        assert_eq!(
            ports.object_lock("b").await,
            Ok(Observed::Seen(Seen::ObjectLock { mode, days }))
        );
    }
    assert_eq!(ports.object_lock("b").await, Ok(Observed::Missing));
    denied(
        ports.object_lock("b").await,
        "s3:GetBucketObjectLockConfiguration",
    );
}

#[tokio::test]
async fn a_function_is_known_by_the_hash_of_its_code() {
    let line = Line::replying([
        Reply::json(
            &json!({"FunctionName": "matcher", "CodeSha256": "abc=", "Environment": {"Variables": {"A": "b"}}}),
        ),
        Reply::refused(404, "ResourceNotFoundException"),
        Reply::json(&json!({"FunctionName": "matcher"})),
        Reply::refused(403, "AccessDeniedException"),
    ]);
    let ports = line.ports();
    assert_eq!(ports.code_hash("matcher").await, Ok(Some("abc=".to_owned())));
    assert_eq!(ports.code_hash("matcher").await, Ok(None));
    assert_eq!(
        ports.code_hash("matcher").await.unwrap_err().code,
        "UnreadableItem"
    );
    assert_eq!(
        ports.code_hash("matcher").await.unwrap_err().code,
        "AccessDeniedException"
    );
    assert!(
        line.asked()[0]
            .to
            .ends_with("/2015-03-31/functions/matcher/configuration")
    );
}

#[tokio::test]
async fn an_export_is_read_in_the_other_region() {
    let manifest =
        json!({"v": 1, "exportedAt": "2026-11-30T12:00:00Z", "functions": {"matcher": "abc="}, "more": []});
    let line = Line::replying([
        Reply::json(&manifest),
        Reply::s3_error(404, "NoSuchKey"),
        Reply::s3_error(404, "NoSuchBucket"),
        Reply::s3_error(403, "AccessDenied"),
        Reply::text(200, "{}"),
    ]);
    let ports = line.ports();
    let key = "functions/symbolon/us-east-1/latest.json";
    assert_eq!(
        ports.newest_export("exports", key).await,
        Ok(Observed::Seen(Seen::Export {
            exported: noon(),
            functions: BTreeMap::from([("matcher".to_owned(), "abc=".to_owned())]),
            stale: BTreeMap::new(),
        }))
    );
    assert_eq!(ports.newest_export("exports", key).await, Ok(Observed::NeverRan));
    assert_eq!(ports.newest_export("exports", key).await, Ok(Observed::Missing));
    denied(ports.newest_export("exports", key).await, "s3:GetObject");
    failed(
        ports.newest_export("exports", key).await,
        "s3:GetObject",
        "UnreadableManifest",
    );
    assert!(
        line.asked()[0].to.contains("exports.s3.us-west-2."),
        "{}",
        line.asked()[0].to
    );
}

#[tokio::test]
async fn reports_lie_in_this_region_s_bucket() {
    let line = Line::replying([
        Reply::text(200, "body"),
        Reply::s3_error(404, "NoSuchKey"),
        Reply::s3_error(403, "AccessDenied"),
        Reply::text(200, ""),
        Reply::s3_error(503, "SlowDown"),
    ]);
    let ports = line.ports();
    assert_eq!(ports.read_report("n").await, Ok(Some(b"body".to_vec())));
    assert_eq!(ports.read_report("n").await, Ok(None));
    assert_eq!(ports.read_report("n").await.unwrap_err().code, "AccessDenied");
    assert_eq!(ports.put_report("n", "text/html", b"body").await, Ok(()));
    assert_eq!(
        ports
            .put_report("n", "text/html", b"body")
            .await
            .unwrap_err()
            .code,
        "SlowDown"
    );
    let asked = line.asked();
    assert!(
        asked[0].to.starts_with("GET https://backup.s3.us-east-1."),
        "{}",
        asked[0].to
    );
    assert!(
        asked[3].to.starts_with("PUT https://backup.s3.us-east-1."),
        "{}",
        asked[3].to
    );
}

/// A run keeps 15 s to keep and to tell: clients that look may not be asked to.
#[tokio::test]
async fn reports_and_changes_go_by_clients_of_their_own() {
    let (looking, keeping) = (Line::replying([]), Line::replying([]));
    let ports = looking.ports_kept_by(&keeping);
    let _read = ports.read_report("n").await;
    let _put = ports.put_report("n", "text/html", b"body").await;
    let _told = ports.announce_changes(&some_changes()[..1]).await;
    assert_eq!((looking.asked().len(), keeping.asked().len()), (0, 3));
    let _seen = ports.versioning("data").await;
    assert_eq!((looking.asked().len(), keeping.asked().len()), (1, 3));
}

#[test]
fn clients_that_look_have_time_for_two_whole_attempts() {
    let options = control_plane_options();
    assert!(options.connect_timeout < options.read_timeout && options.read_timeout < options.attempt_timeout);
    assert!(options.attempt_timeout >= Duration::from_secs(10));
    assert!(options.operation_timeout >= 2 * (options.attempt_timeout + options.max_backoff));
}

/// Twenty-three changes: of a first report.
fn some_changes() -> Vec<Change> {
    let policy = Policy::parse(SAMPLE_POLICY, &sample_place()).unwrap();
    let told = policy
        .stores()
        .iter()
        .map(|store| (store.id.clone(), crate::domain::backup::Verdict::Good))
        .collect();
    let report = Report::new(
        ("symbolon", "us-east-1"),
        &policy,
        BTreeMap::new(),
        &Told::new(),
        noon().0,
    );
    changes(&told, &report)
}

#[tokio::test]
async fn each_change_is_said_by_itself_to_be_taken_or_not() {
    let changes = some_changes();
    let taken = json!({"EventId": "e"});
    let refused = json!({"ErrorCode": "ThrottlingException", "ErrorMessage": "about SECRET"});
    let entries = |entries: Vec<_>| Reply::json(&json!({"FailedEntryCount": 0, "Entries": entries}));
    let mut first = vec![taken.clone(); 10];
    first[3] = refused;
    let line = Line::replying([
        entries(first),
        Reply::refused(400, "AccessDeniedException"),
        // Fewer than were put, and one that says neither.
        entries(vec![taken, json!({})]),
    ]);
    let said = line.ports().announce_changes(&changes).await;
    assert_eq!((changes.len(), said.len()), (23, 23));
    let codes: Vec<Option<&str>> = said
        .iter()
        .map(|said| said.as_ref().err().map(|error| error.code.as_str()))
        .collect();
    let mut due = vec![None; 23];
    due[3] = Some("ThrottlingException");
    due[10..20].fill(Some("AccessDeniedException"));
    due[21..].fill(Some("UnreadableItem"));
    assert_eq!(codes, due);
    let entry = &line.asked()[0].json()["Entries"][0];
    assert_eq!(entry["Source"], "symbolon.backup-check");
    assert_eq!(entry["DetailType"], "Backup Verdict Changed");
    assert!(entry["Detail"].as_str().unwrap().contains(r#""to":"unknown""#));
    let none = Line::replying([]);
    assert!(none.ports().announce_changes(&[]).await.is_empty() && none.asked().is_empty());
}
