//! Buckets: versions, replication and lock.

use aws_sdk_s3::types::{
    BucketVersioningStatus, DefaultRetention, ReplicationRule as Rule, ReplicationRuleFilter,
    ReplicationRuleStatus, SseKmsEncryptedObjectsStatus,
};

use super::AwsBackup;
use crate::aws::error::port_error;
use crate::domain::backup::{Observed, ReplicationRule, Seen};
use crate::ports::PortError;
use crate::ports::backup::{Answer, BucketProtection};

// Named as the permissions are; the calls leave "Bucket" out, or put it in.
const GET_VERSIONING: &str = "s3:GetBucketVersioning";
const GET_REPLICATION: &str = "s3:GetReplicationConfiguration";
const GET_LOCK: &str = "s3:GetBucketObjectLockConfiguration";

/// Days of a year of retention, as Object Lock counts them: at least so many.
const YEAR_DAYS: u32 = 365;

impl BucketProtection for AwsBackup {
    async fn versioning(&self, bucket: &str) -> Answer {
        let get = self.here.s3.get_bucket_versioning().bucket(bucket);
        match get
            .send()
            .await
            .map_err(|error| port_error(GET_VERSIONING, &error))
        {
            Ok(answer) => Ok(Observed::Seen(Seen::Versioning {
                enabled: answer.status == Some(BucketVersioningStatus::Enabled),
            })),
            Err(error) => missing(error, "NoSuchBucket"),
        }
    }

    async fn replication_rules(&self, bucket: &str) -> Answer {
        let get = self.here.s3.get_bucket_replication().bucket(bucket);
        match get
            .send()
            .await
            .map_err(|error| port_error(GET_REPLICATION, &error))
        {
            Ok(answer) => {
                let rules = answer
                    .replication_configuration
                    .map(|configuration| configuration.rules);
                let rules = rules.unwrap_or_default().into_iter().filter_map(rule);
                Ok(Observed::Seen(Seen::ReplicationRule(rules.collect())))
            }
            Err(error) => missing(error, "ReplicationConfigurationNotFoundError"),
        }
    }

    async fn object_lock(&self, bucket: &str) -> Answer {
        let get = self.here.s3.get_object_lock_configuration().bucket(bucket);
        match get.send().await.map_err(|error| port_error(GET_LOCK, &error)) {
            Ok(answer) => {
                let rule = answer
                    .object_lock_configuration
                    .and_then(|configuration| configuration.rule);
                Ok(Observed::Seen(lock(rule.and_then(|rule| rule.default_retention))))
            }
            Err(error) => missing(error, "ObjectLockConfigurationNotFoundError"),
        }
    }
}

fn missing(error: PortError, code: &str) -> Answer {
    if error.code == code || error.code == "NoSuchBucket" {
        Ok(Observed::Missing)
    } else {
        Err(error)
    }
}

/// A rule by its id, with the bucket that its destination's ARN names.
fn rule(rule: Rule) -> Option<(String, ReplicationRule)> {
    let to = rule.destination?.bucket;
    let to = to
        .rsplit_once(":::")
        .map_or(to.as_str(), |(_, bucket)| bucket)
        .to_owned();
    #[expect(deprecated, reason = "rules of the old form still have their filter there")]
    let prefix = match rule.filter {
        Some(filter) => prefix(filter),
        None => Some(rule.prefix.unwrap_or_default()),
    };
    let criteria = rule
        .source_selection_criteria
        .and_then(|criteria| criteria.sse_kms_encrypted_objects);
    let is = ReplicationRule {
        enabled: rule.status == ReplicationRuleStatus::Enabled,
        to,
        prefix,
        kms: criteria.is_some_and(|kms| kms.status == SseKmsEncryptedObjectsStatus::Enabled),
    };
    Some((rule.id?, is))
}

/// What names of objects begin with that a filter lets through; none when it also asks for tags, or may.
fn prefix(filter: ReplicationRuleFilter) -> Option<String> {
    let by_name = filter.tag.is_none() && filter.and.is_none();
    by_name.then(|| filter.prefix.unwrap_or_default())
}

fn lock(retention: Option<DefaultRetention>) -> Seen {
    let Some(retention) = retention else {
        return Seen::ObjectLock { mode: None, days: 0 };
    };
    let number = |number: Option<i32>| number.and_then(|number| u32::try_from(number).ok());
    let years = number(retention.years).map(|years| years.saturating_mul(YEAR_DAYS));
    Seen::ObjectLock {
        mode: retention.mode.map(|mode| mode.as_str().to_owned()),
        days: number(retention.days).or(years).unwrap_or(0),
    }
}
