//! AWS Backup: recovery points of both regions' vaults, and test restores.

use std::collections::BTreeMap;

use aws_sdk_backup::types::{
    RecoveryPointByBackupVault, RecoveryPointStatus, RestoreJobStatus, RestoreJobsListMember,
};

use super::{AwsBackup, MOST_PAGES, endless, moment, next};
use crate::aws::error::port_error;
use crate::domain::backup::{Moment, Observed, RestoreTest, Seen};
use crate::ports::PortError;
use crate::ports::backup::{Answer, RecoveryPoints, RestoreTests};

const LIST_POINTS: &str = "backup:ListRecoveryPointsByBackupVault";
const LIST_RESTORES: &str = "backup:ListRestoreJobs";

/// Items of one page: the most that the service gives.
const PAGE: i32 = 1_000;

impl RecoveryPoints for AwsBackup {
    async fn recovery_point(&self, vault: &str, table_arn: &str) -> Answer {
        let newest = newest(&self.here.backup, vault, table_arn).await;
        found(newest, |created| Seen::RecoveryPoint { created })
    }

    async fn copy(&self, vault: &str, table_arn: &str) -> Answer {
        let newest = newest(&self.there.backup, vault, table_arn).await;
        found(newest, |created| Seen::Copy { created })
    }
}

fn found(newest: Result<Option<Moment>, PortError>, seen: impl FnOnce(Moment) -> Seen) -> Answer {
    match newest {
        Ok(Some(created)) => Ok(Observed::Seen(seen(created))),
        Ok(None) => Ok(Observed::NeverRan),
        // Of a vault that is not there AWS has been seen to say `AccessDeniedException` instead (boto/boto3#2269), which
        // nothing tells from a permission that is missing: the page's advice says both.
        Err(error) if error.code == "ResourceNotFoundException" => Ok(Observed::Missing),
        Err(error) => Err(error),
    }
}

/// The newest complete recovery point of a table. They come in no order that is promised, so all pages are read.
async fn newest(
    client: &aws_sdk_backup::Client,
    vault: &str,
    table_arn: &str,
) -> Result<Option<Moment>, PortError> {
    let (mut newest, mut token) = (None, None);
    for _ in 0..MOST_PAGES {
        let list = client
            .list_recovery_points_by_backup_vault()
            .backup_vault_name(vault)
            .by_resource_arn(table_arn)
            .max_results(PAGE)
            .set_next_token(token);
        let page = list
            .send()
            .await
            .map_err(|error| port_error(LIST_POINTS, &error))?;
        let points = page.recovery_points.into_iter().flatten();
        newest = newest.max(
            points
                .filter(|point| of_table(point, table_arn))
                .filter_map(|point| created(&point))
                .max(),
        );
        token = next(page.next_token);
        if token.is_none() {
            return Ok(newest);
        }
    }
    Err(endless(LIST_POINTS))
}

/// The service filters, and is not trusted to.
fn of_table(point: &RecoveryPointByBackupVault, table_arn: &str) -> bool {
    point.resource_arn.as_deref() == Some(table_arn)
}

/// When a complete recovery point was created. One that is still being made, or goes, proves nothing.
fn created(point: &RecoveryPointByBackupVault) -> Option<Moment> {
    let complete = matches!(
        point.status,
        Some(RecoveryPointStatus::Completed | RecoveryPointStatus::Available)
    );
    point.creation_date.as_ref().filter(|_| complete).and_then(moment)
}

impl RestoreTests for AwsBackup {
    async fn restore_tests(&self, plan_arn: &str) -> Answer {
        let (mut tests, mut unnamed, mut token) = (BTreeMap::new(), Vec::new(), None);
        for _ in 0..MOST_PAGES {
            let list = self
                .here
                .backup
                .list_restore_jobs()
                .by_restore_testing_plan_arn(plan_arn)
                .max_results(PAGE)
                .set_next_token(token);
            let page = list
                .send()
                .await
                .map_err(|error| port_error(LIST_RESTORES, &error))?;
            for (arn, test) in page
                .restore_jobs
                .into_iter()
                .flatten()
                .filter_map(|job| test(job, plan_arn))
            {
                match arn {
                    Some(arn) => keep_newest(&mut tests, arn, test),
                    None => unnamed.push(test),
                }
            }
            token = next(page.next_token);
            if token.is_none() {
                return Ok(restored(tests, unnamed));
            }
        }
        Err(endless(LIST_RESTORES))
    }
}

fn restored(tests: BTreeMap<String, RestoreTest>, unnamed: Vec<RestoreTest>) -> Observed {
    if !unnamed.is_empty() {
        Observed::Seen(Seen::RestoreTestsInPart { tests, unnamed })
    } else if tests.is_empty() {
        Observed::NeverRan
    } else {
        Observed::Seen(Seen::RestoreTests(tests))
    }
}

fn keep_newest(tests: &mut BTreeMap<String, RestoreTest>, arn: String, test: RestoreTest) {
    match tests.get(&arn) {
        Some(newer) if newer.ended >= test.ended => {}
        _ => drop(tests.insert(arn, test)),
    }
}

/// A job of this plan that has ended, by the table that it restored, which the service need not name. (The recovery point
/// that it does name is of AWS Backup's own ARN where copies are made, without the table in it.) One that still runs is no
/// proof, and an older one that has ended counts until it has.
fn test(job: RestoreJobsListMember, plan_arn: &str) -> Option<(Option<String>, RestoreTest)> {
    let plan = job.created_by.and_then(|by| by.restore_testing_plan_arn);
    if plan.is_some_and(|plan| plan != plan_arn) {
        return None;
    }
    let status = job
        .status
        .filter(|status| !matches!(status, RestoreJobStatus::Pending | RestoreJobStatus::Running))?;
    // A job that was aborted may never have been completed.
    let ended = job
        .completion_date
        .or(job.creation_date)
        .as_ref()
        .and_then(moment)?;
    let test = RestoreTest {
        ended,
        status: status.as_str().to_owned(),
        validation: job
            .validation_status
            .map(|validation| validation.as_str().to_owned()),
    };
    Some((job.source_resource_arn, test))
}
