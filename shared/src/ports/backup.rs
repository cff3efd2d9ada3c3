//! What the backup check asks of the outside.
//!
//! Each question is one call (or the pages of one), and an answer says what was seen, or why nothing was: a refusal of
//! one is no refusal of another. All of them only read, and may be repeated.

use std::future::Future;

use super::PortError;
use crate::domain::backup::{Change, Observed};
use crate::domain::time::Timestamp;

/// What came of a question: what the service says, or that it could not be asked.
pub type Answer = Result<Observed, PortError>;

/// Knows tables. IAM: `dynamodb:DescribeTable`, `dynamodb:DescribeContinuousBackups` on every table.
pub trait TableProtection {
    /// The table and its replicas.
    fn table(&self, table: &str) -> impl Future<Output = Answer> + Send;

    /// To which moments the table can be put back.
    fn pitr_window(&self, table: &str) -> impl Future<Output = Answer> + Send;
}

/// Knows recovery points. IAM: `backup:ListRecoveryPointsByBackupVault` on both vaults.
pub trait RecoveryPoints {
    /// The newest complete recovery point of this table in this region's vault.
    fn recovery_point(&self, vault: &str, table_arn: &str) -> impl Future<Output = Answer> + Send;

    /// The newest one in the other region's vault of the same name.
    fn copy(&self, vault: &str, table_arn: &str) -> impl Future<Output = Answer> + Send;
}

/// Knows test restores. IAM: `backup:ListRestoreJobs` on everything.
///
/// (It has no resource that a policy could name.)
pub trait RestoreTests {
    /// The newest test restore of each table that has ended, of this plan.
    fn restore_tests(&self, plan_arn: &str) -> impl Future<Output = Answer> + Send;
}

/// Knows buckets. IAM: `s3:GetBucketVersioning`, `s3:GetReplicationConfiguration`, `s3:GetBucketObjectLockConfiguration` on every bucket.
pub trait BucketProtection {
    /// Whether it keeps what is overwritten.
    fn versioning(&self, bucket: &str) -> impl Future<Output = Answer> + Send;

    /// The rules that replicate it.
    fn replication_rules(&self, bucket: &str) -> impl Future<Output = Answer> + Send;

    /// What is locked when nothing else is said.
    fn object_lock(&self, bucket: &str) -> impl Future<Output = Answer> + Send;
}

/// A replication of one bucket into another, as metrics name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replication<'a> {
    /// From here.
    pub bucket: &'a str,
    /// By this rule.
    pub rule: &'a str,
    /// To there, in the other region.
    pub to: &'a str,
}

/// Knows how far replication is behind. IAM: `cloudwatch:GetMetricData` on everything.
///
/// (It has no resource that a policy could name; it is asked in both regions.)
pub trait ReplicationMetrics {
    /// How far the replica in the other region is behind.
    fn table_lag(&self, table: &str, now: Timestamp) -> impl Future<Output = Answer> + Send;

    /// How far the other region's bucket is behind.
    fn bucket_lag(&self, of: Replication<'_>, now: Timestamp) -> impl Future<Output = Answer> + Send;

    /// How many operations were not replicated in the last 90 days.
    fn failed_operations(&self, of: Replication<'_>, now: Timestamp) -> impl Future<Output = Answer> + Send;
}

/// Knows keys. IAM: `kms:DescribeKey`, `kms:GetKeyRotationStatus` on every key.
pub trait KeyProtection {
    /// The state of the key in this region.
    fn key_state(&self, key: &str) -> impl Future<Output = Answer> + Send;

    /// The state of the key of the same id in the other region.
    fn key_replica(&self, key: &str) -> impl Future<Output = Answer> + Send;

    /// Whether it is rotated.
    fn rotation(&self, key: &str) -> impl Future<Output = Answer> + Send;
}

/// Knows the code that runs. IAM: `lambda:GetFunctionConfiguration` on the exported functions.
///
/// (Not `lambda:GetFunction`, which also hands out a link to the code.)
pub trait DeployedCode {
    /// The hash of a function's code; nothing when there is no such function.
    fn code_hash(&self, function: &str) -> impl Future<Output = Result<Option<String>, PortError>> + Send;
}

/// Knows what was exported. IAM: `s3:GetObject`, `s3:ListBucket` on the peer backup.
///
/// (`ListBucket`, because without it S3 does not say that an object is missing, but refuses.)
pub trait ExportEvidence {
    /// What the newest export says of itself.
    fn newest_export(&self, bucket: &str, key: &str) -> impl Future<Output = Answer> + Send;
}

/// Keeps reports. IAM: `s3:GetObject`, `s3:PutObject`, `s3:ListBucket` on backup.
pub trait BackupReports {
    /// The object of this name; nothing when there is none.
    fn read_report(&self, name: &str) -> impl Future<Output = Result<Option<Vec<u8>>, PortError>> + Send;

    /// Puts an object, whatever was there before.
    fn put_report(
        &self,
        name: &str,
        content_type: &str,
        body: &[u8],
    ) -> impl Future<Output = Result<(), PortError>> + Send;
}

/// Says what has changed to whoever listens. IAM: `events:PutEvents` on the event bus.
pub trait VerdictAnnouncer {
    /// Announces these, and says of each whether it was taken: none that the bus refused, or may not have seen. A
    /// listener may hear the same twice.
    fn announce_changes(&self, changes: &[Change])
    -> impl Future<Output = Vec<Result<(), PortError>>> + Send;
}

/// Everything that the backup check asks for.
pub trait BackupPorts:
    TableProtection
    + RecoveryPoints
    + RestoreTests
    + BucketProtection
    + ReplicationMetrics
    + KeyProtection
    + DeployedCode
    + ExportEvidence
    + BackupReports
    + VerdictAnnouncer
    + Sync
{
}

impl<P> BackupPorts for P where
    P: TableProtection
        + RecoveryPoints
        + RestoreTests
        + BucketProtection
        + ReplicationMetrics
        + KeyProtection
        + DeployedCode
        + ExportEvidence
        + BackupReports
        + VerdictAnnouncer
        + Sync
{
}

/// Codes with which the services say that the caller may not ask.
const DENIED: &[&str] = &["AccessDenied", "AccessDeniedException", "UnauthorizedOperation"];

/// What is known of a fact that could not be asked for.
#[must_use]
pub fn unseen(error: &PortError) -> Observed {
    let operation = error.operation.to_owned();
    if DENIED.contains(&error.code.as_str()) {
        Observed::Denied { operation }
    } else {
        Observed::Failed {
            operation,
            code: error.code.clone(),
        }
    }
}
