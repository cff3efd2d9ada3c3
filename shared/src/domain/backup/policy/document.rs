//! The document of the policy: the value of `BACKUP_POLICY`, which the template writes.
//!
//! Strict: an unknown field, a missing one and an empty name are errors that name the field. What is not demanded is said
//! to be `null` or `false`; nothing is left out, so that nothing is forgotten. Names of resources are not in it, for they
//! follow from the stack's: all variables of a function together may have 4 KB (Lambda quotas).

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

/// Version of the document's form.
const VERSION: u8 = 1;

/// Why a policy cannot be used. Names the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Not of the form.
    #[error("backup policy, {field}: {problem}")]
    Form {
        /// Where.
        field: String,
        /// What is wrong there.
        problem: String,
    },
    /// The version is not the one that is known.
    #[error("backup policy, v: is {0}, and must be 1")]
    Version(u8),
    /// A name or a bound is empty or zero.
    #[error("backup policy, {0}: is empty or zero")]
    Empty(String),
    /// A table that is to be restored is none of those that are looked after.
    #[error("backup policy, restoreTesting.tables: there is no table {0}")]
    NoSuchTable(String),
    /// Nothing is demanded: whatever is seen would be good.
    #[error("backup policy, {0}: nothing is demanded")]
    Nothing(String),
}

/// The whole policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyDocument {
    /// Version of this form: 1.
    pub v: u8,
    /// `aws`, or another partition.
    pub partition: String,
    /// The account.
    pub account: String,
    /// The region where the backup plan runs: recovery points name tables by their ARN there, copies in the other
    /// region's vault, too.
    pub plan_region: String,
    /// The vault, of one name in both regions.
    pub vault: String,
    /// Tables, by what the operator calls them: `registry` is the table `<stack>-registry`.
    pub tables: BTreeMap<String, TablePolicy>,
    /// Buckets, by what the operator calls them: `audit` is `<stack>-audit-<account>-<region>`, and replicates into the
    /// one of the other region.
    pub buckets: BTreeMap<String, BucketPolicy>,
    /// Keys, by what the operator calls them.
    pub keys: BTreeMap<String, KeyPolicy>,
    /// The functions.
    #[serde(deserialize_with = "said")]
    pub functions: Option<FunctionsPolicy>,
    /// The restores that prove that backups can be restored.
    #[serde(deserialize_with = "said")]
    pub restore_testing: Option<RestoreTestingPolicy>,
}

/// What is demanded of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TablePolicy {
    /// Point-in-time recovery.
    #[serde(deserialize_with = "said")]
    pub pitr: Option<PitrPolicy>,
    /// Recovery points of AWS Backup.
    #[serde(deserialize_with = "said")]
    pub recovery: Option<RecoveryPolicy>,
    /// A replica in the other region.
    #[serde(deserialize_with = "said")]
    pub replica: Option<ReplicaPolicy>,
}

/// What is demanded of point-in-time recovery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PitrPolicy {
    /// How many days back it must reach.
    pub days: u32,
    /// How many minutes may be lost. (DynamoDB says that it is typically five behind.)
    pub minutes: u32,
}

/// What is demanded of recovery points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RecoveryPolicy {
    /// How many hours may be lost: how often the plan runs.
    pub rpo_hours: u32,
    /// How many hours a backup, or its copy, may take to begin and to complete.
    pub grace_hours: u32,
    /// Whether the other region's vault must have a copy.
    pub copy: bool,
}

/// What is demanded of a replica.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReplicaPolicy {
    /// How far it may be behind, in minutes; none for a table of strong consistency, whose replicas are never behind,
    /// and which has no such metric.
    #[serde(deserialize_with = "said")]
    pub lag_minutes: Option<u32>,
}

/// What is demanded of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BucketPolicy {
    /// Whether it must keep what is overwritten.
    pub versioning: bool,
    /// Its replication.
    #[serde(deserialize_with = "said")]
    pub replication: Option<ReplicationPolicy>,
    /// Its lock.
    #[serde(deserialize_with = "said")]
    pub lock: Option<LockPolicy>,
}

/// What is demanded of a bucket's replication.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReplicationPolicy {
    /// The rule's id.
    pub rule: String,
    /// How far it may be behind, in minutes.
    pub lag_minutes: u32,
    /// How many operations may have failed in the last 90 days: what is raised once they are mended.
    pub failures: u32,
}

/// What is demanded of Object Lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LockPolicy {
    /// `COMPLIANCE` or `GOVERNANCE`.
    pub mode: String,
    /// For how many days at least.
    pub days: u32,
}

/// What is demanded of a key, besides that it can be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeyPolicy {
    /// Its id, which a multi-Region key has in both regions.
    pub id: String,
    /// Whether it must have a replica in the other region.
    pub replica: bool,
    /// Whether it must be rotated. (KMS rotates no asymmetric key.)
    pub rotation: bool,
}

/// What is demanded of the functions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FunctionsPolicy {
    /// How old the newest export may be, in hours.
    pub max_age_hours: u32,
    /// The functions, as Lambda names them.
    pub names: Vec<String>,
}

/// What is demanded of test restores.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RestoreTestingPolicy {
    /// ARN of the plan.
    pub plan: String,
    /// How old the newest may be, in days.
    pub max_age_days: u32,
    /// Whether somebody must have looked at what was restored. Where nobody does, AWS Backup says `TIMED_OUT`.
    pub validated: bool,
    /// The tables, as `tables` calls them.
    pub tables: Vec<String>,
}

/// An optional field that must be there: left out is not `null`.
fn said<'de, D: Deserializer<'de>, T: Deserialize<'de>>(field: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(field)
}

impl PolicyDocument {
    pub(super) fn parse(text: &str) -> Result<Self, PolicyError> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let document: Self =
            serde_path_to_error::deserialize(&mut deserializer).map_err(|error| PolicyError::Form {
                field: error.path().to_string(),
                problem: error.inner().to_string(),
            })?;
        deserializer.end().map_err(|error| PolicyError::Form {
            field: "end".to_owned(),
            problem: error.to_string(),
        })?;
        document.check()?;
        Ok(document)
    }

    /// The ARN of a table where the plan runs.
    pub(super) fn table_arn(&self, table: &str) -> String {
        let Self {
            partition,
            plan_region,
            account,
            ..
        } = self;
        format!("arn:{partition}:dynamodb:{plan_region}:{account}:table/{table}")
    }

    fn check(&self) -> Result<(), PolicyError> {
        if self.v != VERSION {
            return Err(PolicyError::Version(self.v));
        }
        if let Some(empty) = self
            .filled()
            .into_iter()
            .find_map(|(field, filled)| (!filled).then_some(field))
        {
            return Err(PolicyError::Empty(empty));
        }
        let mut restored = self.restore_testing.iter().flat_map(|testing| &testing.tables);
        match restored.find(|name| !self.tables.contains_key(*name)) {
            Some(name) => Err(PolicyError::NoSuchTable(name.clone())),
            None => Ok(()),
        }
    }

    /// Every field that must hold something, and whether it does.
    fn filled(&self) -> Vec<(String, bool)> {
        let text = |field: &str, text: &str| (field.to_owned(), !text.is_empty());
        let mut fields = vec![
            text("partition", &self.partition),
            text("account", &self.account),
            text("planRegion", &self.plan_region),
            text("vault", &self.vault),
        ];
        fields.extend(self.tables.iter().flat_map(|(name, table)| table.filled(name)));
        fields.extend(self.buckets.iter().flat_map(|(name, bucket)| bucket.filled(name)));
        fields.extend(
            self.keys
                .iter()
                .map(|(name, key)| (format!("keys.{name}.id"), !key.id.is_empty())),
        );
        fields.extend(self.functions.iter().flat_map(FunctionsPolicy::filled));
        fields.extend(self.restore_testing.iter().flat_map(RestoreTestingPolicy::filled));
        fields
    }
}

impl TablePolicy {
    fn filled(&self, name: &str) -> Vec<(String, bool)> {
        let field = |field: &str, filled: bool| (format!("tables.{name}.{field}"), filled);
        let mut fields = Vec::new();
        if let Some(pitr) = &self.pitr {
            fields.push(field("pitr.days", pitr.days > 0));
            fields.push(field("pitr.minutes", pitr.minutes > 0));
        }
        fields.extend(
            self.recovery
                .iter()
                .map(|recovery| field("recovery.rpoHours", recovery.rpo_hours > 0)),
        );
        let lag = self.replica.as_ref().and_then(|replica| replica.lag_minutes);
        fields.extend(lag.map(|minutes| field("replica.lagMinutes", minutes > 0)));
        fields
    }
}

impl BucketPolicy {
    fn filled(&self, name: &str) -> Vec<(String, bool)> {
        let field = |field: &str, filled: bool| (format!("buckets.{name}.{field}"), filled);
        let mut fields = Vec::new();
        if let Some(replication) = &self.replication {
            fields.push(field("replication.rule", !replication.rule.is_empty()));
            fields.push(field("replication.lagMinutes", replication.lag_minutes > 0));
        }
        if let Some(lock) = &self.lock {
            fields.push(field("lock.mode", !lock.mode.is_empty()));
            fields.push(field("lock.days", lock.days > 0));
        }
        fields
    }
}

impl FunctionsPolicy {
    fn filled(&self) -> Vec<(String, bool)> {
        let field = |field: &str, filled: bool| (format!("functions.{field}"), filled);
        vec![
            field("maxAgeHours", self.max_age_hours > 0),
            field(
                "names",
                !self.names.is_empty() && self.names.iter().all(|name| !name.is_empty()),
            ),
        ]
    }
}

impl RestoreTestingPolicy {
    fn filled(&self) -> Vec<(String, bool)> {
        let field = |field: &str, filled: bool| (format!("restoreTesting.{field}"), filled);
        vec![
            field("plan", !self.plan.is_empty()),
            field("maxAgeDays", self.max_age_days > 0),
            field("tables", !self.tables.is_empty()),
        ]
    }
}
