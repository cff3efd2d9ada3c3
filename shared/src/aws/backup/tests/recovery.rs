//! Recovery points of both vaults, and test restores.

use serde_json::{Value, json};

use super::{Line, PLAN, Reply, TABLE_ARN, at, denied, failed};
use crate::domain::backup::{Observed, Seen};
use crate::ports::backup::{RecoveryPoints, RestoreTests};

fn point(created: f64, status: &str) -> Value {
    json!({
        "RecoveryPointArn": "arn:aws:dynamodb:us-east-1:123456789012:table/symbolon-registry/backup/1",
        "BackupVaultName": "symbolon",
        "ResourceArn": TABLE_ARN,
        "ResourceType": "DynamoDB",
        "Status": status,
        "CreationDate": created,
    })
}

fn page(points: &[Value], next: Option<&str>) -> Reply {
    let mut page = json!({"RecoveryPoints": points});
    if let Some(next) = next {
        page["NextToken"] = json!(next);
    }
    Reply::json(&page)
}

const NOON: f64 = 1_796_040_000.0;
const HOUR: f64 = 3_600.0;

#[tokio::test]
async fn the_newest_complete_recovery_point_counts_on_whatever_page_it_is() {
    let mut of_another = point(NOON, "COMPLETED");
    of_another["ResourceArn"] = json!("arn:aws:dynamodb:us-east-1:123456789012:table/symbolon-matches");
    let line = Line::replying([
        page(
            &[
                point(NOON - 9.0 * HOUR, "COMPLETED"),
                point(NOON - 4.0 * HOUR, "COMPLETED"),
            ],
            Some("two"),
        ),
        page(&[], Some("three")),
        page(
            &[
                point(NOON - 3.0 * HOUR, "COMPLETED"),
                point(NOON - 2.0 * HOUR, "PARTIAL"),
                point(NOON - HOUR, "CREATING"),
                point(NOON - HOUR, "DELETING"),
                of_another,
            ],
            None,
        ),
    ]);
    assert_eq!(
        line.ports().recovery_point("symbolon", TABLE_ARN).await,
        Ok(Observed::Seen(Seen::RecoveryPoint {
            created: at("2026-11-30T09:00:00Z")
        }))
    );
    let asked = line.asked();
    assert_eq!(asked.len(), 3);
    assert!(
        asked[0].to.contains("backup.us-east-1.")
            && asked[0].to.contains("/backup-vaults/symbolon/recovery-points")
    );
    assert!(
        asked[0].to.contains("resourceArn=arn%3Aaws%3Adynamodb"),
        "{}",
        asked[0].to
    );
    assert!(asked[1].to.contains("nextToken=two") && asked[2].to.contains("nextToken=three"));
}

#[tokio::test]
async fn copies_are_looked_for_in_the_other_region_s_vault() {
    let line = Line::replying([
        page(&[point(NOON, "COMPLETED")], None),
        page(&[point(NOON, "CREATING")], None),
        page(&[], None),
        Reply::refused(400, "ResourceNotFoundException"),
        Reply::refused(403, "AccessDeniedException"),
        Reply::refused(500, "ServiceUnavailableException"),
    ]);
    let ports = line.ports();
    let copy = async || ports.copy("symbolon", TABLE_ARN).await;
    let created = at("2026-11-30T12:00:00Z");
    assert_eq!(copy().await, Ok(Observed::Seen(Seen::Copy { created })));
    assert_eq!(
        copy().await,
        Ok(Observed::NeverRan),
        "one that is still being made is none"
    );
    assert_eq!(copy().await, Ok(Observed::NeverRan));
    assert_eq!(copy().await, Ok(Observed::Missing));
    denied(copy().await, "backup:ListRecoveryPointsByBackupVault");
    failed(
        copy().await,
        "backup:ListRecoveryPointsByBackupVault",
        "ServiceUnavailableException",
    );
    assert!(
        line.asked()
            .iter()
            .all(|asked| asked.to.contains("backup.us-west-2."))
    );
}

#[tokio::test]
async fn a_page_that_is_refused_leaves_nothing_known() {
    let line = Line::replying([
        page(&[point(NOON, "COMPLETED")], Some("two")),
        Reply::refused(400, "ThrottlingException"),
    ]);
    let answer = line.ports().recovery_point("symbolon", TABLE_ARN).await;
    failed(
        answer,
        "backup:ListRecoveryPointsByBackupVault",
        "ThrottlingException",
    );
    // Nor does a list that does not end.
    let endless = Line::replying((0..100).map(|_| page(&[point(NOON, "COMPLETED")], Some("again"))));
    let answer = endless.ports().recovery_point("symbolon", TABLE_ARN).await;
    failed(answer, "backup:ListRecoveryPointsByBackupVault", "TooManyPages");
    assert_eq!(endless.asked().len(), super::super::MOST_PAGES);
}

fn job(table: &str, completed: Option<f64>, status: &str, validation: Option<&str>) -> Value {
    let mut job = json!({
        "RestoreJobId": "j",
        "SourceResourceArn": format!("arn:aws:dynamodb:us-east-1:123456789012:table/symbolon-{table}"),
        "CreationDate": NOON - 30.0 * HOUR,
        "Status": status,
        "ResourceType": "DynamoDB",
        "CreatedBy": {"RestoreTestingPlanArn": PLAN},
    });
    if let Some(completed) = completed {
        job["CompletionDate"] = json!(completed);
    }
    if let Some(validation) = validation {
        job["ValidationStatus"] = json!(validation);
    }
    job
}

#[tokio::test]
async fn the_newest_test_that_has_ended_counts_for_each_table() {
    let mut of_another_plan = job("keys", Some(NOON), "COMPLETED", None);
    of_another_plan["CreatedBy"]["RestoreTestingPlanArn"] = json!("another");
    let line = Line::replying([
        Reply::json(&json!({"NextToken": "two", "RestoreJobs": [
            job("keys", Some(NOON - 2.0 * HOUR), "FAILED", None),
            job("matches", Some(NOON - 9.0 * HOUR), "COMPLETED", Some("SUCCESSFUL")),
            job("matches", None, "RUNNING", None),
        ]})),
        Reply::json(&json!({"RestoreJobs": [
            job("keys", Some(NOON - 3.0 * HOUR), "COMPLETED", Some("TIMED_OUT")),
            job("interests", None, "ABORTED", None),
            of_another_plan,
        ]})),
    ]);
    let Ok(Observed::Seen(Seen::RestoreTests(tests))) = line.ports().restore_tests(PLAN).await else {
        panic!("nothing was seen");
    };
    let found: Vec<_> = tests
        .iter()
        .map(|(arn, test)| {
            let table = arn.rsplit_once('-').unwrap().1;
            (
                table,
                test.status.as_str(),
                test.validation.as_deref(),
                test.ended,
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            ("interests", "ABORTED", None, at("2026-11-29T06:00:00Z")),
            ("keys", "FAILED", None, at("2026-11-30T10:00:00Z")),
            (
                "matches",
                "COMPLETED",
                Some("SUCCESSFUL"),
                at("2026-11-30T03:00:00Z")
            ),
        ]
    );
    let asked = line.asked();
    assert!(asked[0].to.contains("/restore-jobs") && asked[0].to.contains("restoreTestingPlanArn=arn%3Aaws"));
    assert!(asked[1].to.contains("nextToken=two"));
}

/// The API reference promises neither `SourceResourceArn` nor most other fields.
#[tokio::test]
async fn a_test_of_which_the_table_is_not_told_is_seen_all_the_same() {
    let unnamed = |completed, status| {
        let mut job = job("keys", completed, status, None);
        job.as_object_mut().unwrap().remove("SourceResourceArn");
        job
    };
    let mut of_another_plan = unnamed(Some(NOON), "COMPLETED");
    of_another_plan["CreatedBy"]["RestoreTestingPlanArn"] = json!("another");
    let line = Line::replying([
        Reply::json(&json!({"NextToken": "two", "RestoreJobs": [
            unnamed(Some(NOON), "COMPLETED"),
            of_another_plan,
            job("matches", Some(NOON - HOUR), "COMPLETED", None),
        ]})),
        Reply::json(
            &json!({"RestoreJobs": [unnamed(None, "RUNNING"), unnamed(Some(NOON - HOUR), "FAILED")]}),
        ),
        Reply::json(&json!({"RestoreJobs": [unnamed(None, "RUNNING")]})),
    ]);
    let ports = line.ports();
    let Ok(Observed::Seen(Seen::RestoreTestsInPart { tests, unnamed })) = ports.restore_tests(PLAN).await
    else {
        panic!("it was taken for all that there is");
    };
    assert_eq!(tests.len(), 1);
    let unnamed: Vec<_> = unnamed
        .iter()
        .map(|test| (test.status.as_str(), test.ended))
        .collect();
    assert_eq!(
        unnamed,
        [
            ("COMPLETED", at("2026-11-30T12:00:00Z")),
            ("FAILED", at("2026-11-30T11:00:00Z"))
        ]
    );
    assert_eq!(
        ports.restore_tests(PLAN).await,
        Ok(Observed::NeverRan),
        "one that still runs proves nothing, whatever it is of"
    );
}

#[tokio::test]
async fn a_plan_that_has_restored_nothing_never_ran() {
    let line = Line::replying([
        Reply::json(&json!({"RestoreJobs": [job("keys", None, "PENDING", None)]})),
        Reply::refused(403, "AccessDeniedException"),
    ]);
    let ports = line.ports();
    assert_eq!(ports.restore_tests(PLAN).await, Ok(Observed::NeverRan));
    denied(ports.restore_tests(PLAN).await, "backup:ListRestoreJobs");
}
