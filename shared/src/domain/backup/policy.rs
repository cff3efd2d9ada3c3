//! What is demanded of each store: from the document that the template writes to one list of demands for each store.

mod document;

use std::collections::BTreeMap;

pub use document::{
    BucketPolicy, FunctionsPolicy, KeyPolicy, LockPolicy, PitrPolicy, PolicyDocument, PolicyError,
    RecoveryPolicy, ReplicaPolicy, ReplicationPolicy, RestoreTestingPolicy, TablePolicy,
};

use super::store::{Fact, Kind, StoreId};

/// Something that one fact of one store must be, with what is needed to ask for the fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Demand {
    /// The table is `ACTIVE`, and so is its replica.
    Table {
        /// The table.
        table: String,
        /// The region of the replica; none when none is demanded.
        replica: Option<String>,
    },
    /// The table can be put back to every moment of the last days, but for the last minutes.
    PitrWindow {
        /// The table.
        table: String,
        /// How far back, in days.
        days: u32,
        /// How old the last of these moments may be, in minutes.
        minutes: u32,
    },
    /// This region's vault has a recovery point that is young enough.
    RecoveryPoint {
        /// The vault.
        vault: String,
        /// The table, in the region where the backup plan runs.
        arn: String,
        /// Its age at most, in hours.
        hours: u32,
    },
    /// The other region's vault has one.
    Copy {
        /// The vault.
        vault: String,
        /// The table, in the region where the backup plan runs.
        arn: String,
        /// Its age at most, in hours.
        hours: u32,
    },
    /// The other region's replica is not too far behind.
    TableLag {
        /// The table.
        table: String,
        /// How far at most, in minutes.
        minutes: u32,
    },
    /// What is overwritten is kept.
    Versioning {
        /// The bucket.
        bucket: String,
    },
    /// A rule replicates the bucket.
    ReplicationRule {
        /// The bucket.
        bucket: String,
        /// The rule's id.
        rule: String,
        /// The bucket that it must replicate into.
        to: String,
        /// What the names of all that it must replicate begin with.
        prefix: String,
    },
    /// The other region's bucket is not too far behind.
    BucketLag {
        /// The bucket.
        bucket: String,
        /// The rule's id.
        rule: String,
        /// The bucket in the other region.
        to: String,
        /// How far at most, in minutes.
        minutes: u32,
    },
    /// Everything was replicated.
    FailedOperations {
        /// The bucket.
        bucket: String,
        /// The rule's id.
        rule: String,
        /// The bucket in the other region.
        to: String,
        /// How many operations may have failed in the last [`FAILED_OPERATIONS_DAYS`](super::FAILED_OPERATIONS_DAYS).
        most: u32,
    },
    /// New objects are locked.
    ObjectLock {
        /// The bucket.
        bucket: String,
        /// `COMPLIANCE` or `GOVERNANCE`.
        mode: String,
        /// For how many days at least.
        days: u32,
    },
    /// The key can be used.
    KeyState {
        /// Its id.
        key: String,
    },
    /// Its replica in the other region can be used.
    KeyReplica {
        /// Its id.
        key: String,
    },
    /// The key is rotated.
    Rotation {
        /// Its id.
        key: String,
    },
    /// The functions were exported, all of them and not too long ago.
    Export {
        /// The other region's bucket.
        bucket: String,
        /// The key of the newest export's manifest.
        key: String,
        /// Its age at most, in hours.
        hours: u32,
        /// The functions.
        names: Vec<String>,
    },
    /// The functions run the code that was exported.
    Deployed {
        /// The functions.
        names: Vec<String>,
    },
    /// Test restores were made, not too long ago, and went well.
    RestoreTests {
        /// ARN of the plan.
        plan: String,
        /// The tables that must be restored: what the operator calls each, by its ARN.
        tables: BTreeMap<String, String>,
        /// The age of each at most, in days.
        days: u32,
        /// Whether somebody must have looked at what was restored.
        validated: bool,
    },
}

impl Demand {
    /// The fact that it is about.
    #[must_use]
    pub fn fact(&self) -> Fact {
        match self {
            Self::Table { .. } => Fact::Table,
            Self::PitrWindow { .. } => Fact::PitrWindow,
            Self::RecoveryPoint { .. } => Fact::RecoveryPoint,
            Self::Copy { .. } => Fact::Copy,
            Self::TableLag { .. } => Fact::TableLag,
            Self::Versioning { .. } => Fact::Versioning,
            Self::ReplicationRule { .. } => Fact::ReplicationRule,
            Self::BucketLag { .. } => Fact::BucketLag,
            Self::FailedOperations { .. } => Fact::FailedOperations,
            Self::ObjectLock { .. } => Fact::ObjectLock,
            Self::KeyState { .. } => Fact::KeyState,
            Self::KeyReplica { .. } => Fact::KeyReplica,
            Self::Rotation { .. } => Fact::Rotation,
            Self::Export { .. } => Fact::Export,
            Self::Deployed { .. } => Fact::Deployed,
            Self::RestoreTests { .. } => Fact::RestoreTests,
        }
    }
}

/// One store: what it is called, what it is, and what is demanded of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// What the operator calls it.
    pub id: StoreId,
    /// What it is.
    pub kind: Kind,
    /// What AWS calls it.
    pub resource: String,
    /// What is demanded of it: something, and of no fact twice.
    pub demands: Vec<Demand>,
}

/// Where a policy is good: the names of the template's resources follow from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The stack, of one name in both regions.
    pub stack: String,
    /// The region that observes.
    pub region: String,
    /// The other one.
    pub peer_region: String,
}

/// What is looked after, and what is demanded of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    document: PolicyDocument,
    stores: Vec<Store>,
}

impl Policy {
    /// Reads the document that the template writes.
    ///
    /// # Errors
    /// [`PolicyError`] names the field that is missing, unknown or wrong.
    pub fn parse(text: &str, place: &Place) -> Result<Self, PolicyError> {
        let document = PolicyDocument::parse(text)?;
        let stores = Stores {
            document: &document,
            place,
        };
        let stores = stores.all();
        if stores.is_empty() {
            return Err(PolicyError::Nothing("stores".to_owned()));
        }
        match stores.iter().find(|store| store.demands.is_empty()) {
            Some(store) => Err(PolicyError::Nothing(store.id.to_string())),
            None => Ok(Self { document, stores }),
        }
    }

    /// The document that it was read from.
    #[must_use]
    pub fn document(&self) -> &PolicyDocument {
        &self.document
    }

    /// The stores: tables, buckets, keys, functions, restore testing; each by name. At least one.
    #[must_use]
    pub fn stores(&self) -> &[Store] {
        &self.stores
    }
}

/// What the operator calls the bucket of the audit log.
const AUDIT: &str = "audit";

/// Makes the stores of a document.
struct Stores<'a> {
    document: &'a PolicyDocument,
    place: &'a Place,
}

impl Stores<'_> {
    fn all(&self) -> Vec<Store> {
        let document = self.document;
        let tables = document
            .tables
            .iter()
            .map(|(name, table)| self.table(name, table));
        let buckets = document.buckets.iter().map(|(name, bucket)| {
            let [here, there] =
                [&self.place.region, &self.place.peer_region].map(|region| self.bucket(name, region));
            let demands = bucket_demands(bucket, &here, &there, &self.written_prefix(name));
            store(Kind::Bucket, name, &here, demands)
        });
        let keys = document
            .keys
            .iter()
            .map(|(name, key)| store(Kind::Key, name, &key.id, key_demands(key)));
        let functions = document
            .functions
            .iter()
            .map(|functions| self.functions(functions));
        let testing = document
            .restore_testing
            .iter()
            .map(|testing| self.testing(testing));
        tables
            .chain(buckets)
            .chain(keys)
            .chain(functions)
            .chain(testing)
            .collect()
    }

    fn table_name(&self, name: &str) -> String {
        format!("{}-{name}", self.place.stack)
    }

    fn bucket(&self, name: &str, region: &str) -> String {
        format!("{}-{name}-{}-{region}", self.place.stack, self.document.account)
    }

    /// What the names of all begin with that this region writes to a bucket: both regions write to the audit log, each
    /// below its own name, and each replicates its own. Elsewhere whatever there is is replicated.
    fn written_prefix(&self, name: &str) -> String {
        if name == AUDIT {
            format!("{}/", self.place.region)
        } else {
            String::new()
        }
    }

    /// The export of this region's functions lies in the other region's bucket.
    fn functions(&self, policy: &FunctionsPolicy) -> Store {
        let bucket = self.bucket("backup", &self.place.peer_region);
        let key = format!("functions/{}/{}/latest.json", self.place.stack, self.place.region);
        let resource = format!("{bucket}/{key}");
        let names = policy.names.clone();
        let export = Demand::Export {
            bucket,
            key,
            hours: policy.max_age_hours,
            names: names.clone(),
        };
        store(
            Kind::Functions,
            "",
            &resource,
            vec![export, Demand::Deployed { names }],
        )
    }

    fn table(&self, name: &str, policy: &TablePolicy) -> Store {
        let table = &self.table_name(name);
        let mut demands = vec![Demand::Table {
            table: table.clone(),
            replica: policy.replica.as_ref().map(|_| self.place.peer_region.clone()),
        }];
        demands.extend(policy.pitr.as_ref().map(|pitr| Demand::PitrWindow {
            table: table.clone(),
            days: pitr.days,
            minutes: pitr.minutes,
        }));
        if let Some(recovery) = &policy.recovery {
            demands.extend(self.recovery(table, recovery));
        }
        let lag = policy.replica.as_ref().and_then(|replica| replica.lag_minutes);
        demands.extend(lag.map(|minutes| Demand::TableLag {
            table: table.clone(),
            minutes,
        }));
        store(Kind::Table, name, table, demands)
    }

    fn recovery(&self, table: &str, policy: &RecoveryPolicy) -> impl Iterator<Item = Demand> {
        let (vault, arn) = (self.document.vault.clone(), self.document.table_arn(table));
        let hours = policy.rpo_hours.saturating_add(policy.grace_hours);
        let copy = policy.copy.then(|| Demand::Copy {
            vault: vault.clone(),
            arn: arn.clone(),
            hours,
        });
        [Demand::RecoveryPoint { vault, arn, hours }]
            .into_iter()
            .chain(copy)
    }

    fn testing(&self, policy: &RestoreTestingPolicy) -> Store {
        let arn = |name: &String| (self.document.table_arn(&self.table_name(name)), name.clone());
        let demand = Demand::RestoreTests {
            plan: policy.plan.clone(),
            tables: policy.tables.iter().map(arn).collect(),
            days: policy.max_age_days,
            validated: policy.validated,
        };
        store(Kind::RestoreTesting, "", &policy.plan, vec![demand])
    }
}

fn store(kind: Kind, name: &str, resource: &str, demands: Vec<Demand>) -> Store {
    Store {
        id: StoreId::new(kind, name),
        kind,
        resource: resource.to_owned(),
        demands,
    }
}

fn bucket_demands(policy: &BucketPolicy, bucket: &str, to: &str, prefix: &str) -> Vec<Demand> {
    let names = || (bucket.to_owned(), to.to_owned());
    let mut demands = Vec::new();
    if policy.versioning {
        demands.push(Demand::Versioning { bucket: names().0 });
    }
    if let Some(replication) = &policy.replication {
        let rule = || replication.rule.clone();
        let (bucket, to) = names();
        demands.push(Demand::ReplicationRule {
            bucket,
            rule: rule(),
            to,
            prefix: prefix.to_owned(),
        });
        let (bucket, to) = names();
        demands.push(Demand::BucketLag {
            bucket,
            rule: rule(),
            to,
            minutes: replication.lag_minutes,
        });
        let (bucket, to) = names();
        demands.push(Demand::FailedOperations {
            bucket,
            rule: rule(),
            to,
            most: replication.failures,
        });
    }
    demands.extend(policy.lock.as_ref().map(|lock| Demand::ObjectLock {
        bucket: names().0,
        mode: lock.mode.clone(),
        days: lock.days,
    }));
    demands
}

fn key_demands(policy: &KeyPolicy) -> Vec<Demand> {
    let key = || policy.id.clone();
    let mut demands = vec![Demand::KeyState { key: key() }];
    demands.extend(policy.replica.then(|| Demand::KeyReplica { key: key() }));
    demands.extend(policy.rotation.then(|| Demand::Rotation { key: key() }));
    demands
}
