//! The backup check's ports in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::backup::{
    Change, Demand, Fact, Lag, Moment, Observed, Place, Policy, ReplicationRule, RestoreTest, Seen, StoreId,
};
use crate::domain::time::Timestamp;
use crate::ports::backup::{
    Answer, BackupReports, BucketProtection, DeployedCode, ExportEvidence, KeyProtection, RecoveryPoints,
    Replication, ReplicationMetrics, RestoreTests, TableProtection, VerdictAnnouncer,
};
use crate::ports::{Fault, PortError};

const MINUTE_MILLIS: i64 = 60_000;

/// The policy of a whole deployment: every kind of store, and every fact.
pub const SAMPLE_POLICY: &str = include_str!("backup/policy.json");

/// Where the sample is good.
#[must_use]
pub fn sample_place() -> Place {
    Place {
        stack: "symbolon".to_owned(),
        region: "us-east-1".to_owned(),
        peer_region: "us-west-2".to_owned(),
    }
}

/// What is seen of a fact that is as it is demanded to be at `now`, with some room.
#[must_use]
pub fn as_demanded(demand: &Demand, now: Timestamp) -> Seen {
    let ago = |minutes: i64| Moment(now.plus_millis(-minutes * MINUTE_MILLIS));
    let days_ago = |days: i64| Moment(now.plus_days(-days));
    match demand {
        Demand::Table { replica, .. } => Seen::Table {
            status: "ACTIVE".to_owned(),
            created: Some(days_ago(400)),
            replicas: replica
                .iter()
                .map(|region| (region.clone(), "ACTIVE".to_owned()))
                .collect(),
        },
        Demand::PitrWindow { days, .. } => Seen::PitrWindow {
            enabled: true,
            days: Some(*days),
            earliest: Some(days_ago(i64::from(*days))),
            latest: Some(ago(5)),
        },
        Demand::RecoveryPoint { .. } => Seen::RecoveryPoint { created: ago(200) },
        Demand::Copy { .. } => Seen::Copy { created: ago(170) },
        Demand::TableLag { .. } => Seen::TableLag(Lag::ArrivedUntil(ago(2))),
        Demand::Versioning { .. } => Seen::Versioning { enabled: true },
        Demand::ReplicationRule { rule, to, prefix, .. } => {
            let is = ReplicationRule {
                enabled: true,
                to: to.clone(),
                prefix: Some(prefix.clone()),
                kms: true,
            };
            Seen::ReplicationRule(BTreeMap::from([(rule.clone(), is)]))
        }
        Demand::BucketLag { .. } => Seen::BucketLag(Lag::ArrivedUntil(ago(3))),
        Demand::FailedOperations { .. } => Seen::FailedOperations { count: 0 },
        Demand::ObjectLock { mode, days, .. } => Seen::ObjectLock {
            mode: Some(mode.clone()),
            days: *days,
        },
        Demand::KeyState { .. } => Seen::KeyState {
            state: "Enabled".to_owned(),
        },
        Demand::KeyReplica { .. } => Seen::KeyReplica {
            state: "Enabled".to_owned(),
        },
        Demand::Rotation { .. } => Seen::Rotation { enabled: true },
        Demand::Export { names, .. } => Seen::Export {
            exported: ago(61),
            functions: names.iter().map(|name| (name.clone(), hash(name))).collect(),
            stale: BTreeMap::new(),
        },
        Demand::Deployed { names } => {
            Seen::Deployed(names.iter().map(|name| (name.clone(), hash(name))).collect())
        }
        Demand::RestoreTests { tables, .. } => {
            let test = RestoreTest {
                ended: days_ago(2),
                status: "COMPLETED".to_owned(),
                validation: Some("SUCCESSFUL".to_owned()),
            };
            Seen::RestoreTests(tables.keys().map(|arn| (arn.clone(), test.clone())).collect())
        }
    }
}

fn hash(name: &str) -> String {
    format!("sha256-of-{name}=")
}

/// What AWS calls what a demand is about: with the fact it names the question.
#[must_use]
pub fn subject(demand: &Demand) -> &str {
    match demand {
        Demand::Table { table, .. } | Demand::PitrWindow { table, .. } | Demand::TableLag { table, .. } => {
            table
        }
        Demand::RecoveryPoint { arn, .. } | Demand::Copy { arn, .. } => arn,
        Demand::Versioning { bucket }
        | Demand::ReplicationRule { bucket, .. }
        | Demand::BucketLag { bucket, .. }
        | Demand::FailedOperations { bucket, .. }
        | Demand::ObjectLock { bucket, .. } => bucket,
        Demand::KeyState { key }
        | Demand::KeyReplica { key }
        | Demand::Rotation { key }
        | Demand::Export { key, .. } => key,
        // Asked for one by one.
        Demand::Deployed { .. } => "",
        Demand::RestoreTests { plan, .. } => plan,
    }
}

/// What becomes of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// This is answered.
    Is(Observed),
    /// It fails so.
    Fails(PortError),
    /// Nothing is ever answered.
    Hangs,
    /// Whoever asks panics.
    Panics,
}

/// What the services would say, what is in the bucket, and what was announced. A clone shares what it holds.
#[derive(Debug, Clone, Default)]
pub struct MemoryBackup {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    replies: BTreeMap<(Fact, String), Reply>,
    asked: BTreeMap<(Fact, String), u64>,
    under_way: usize,
    most_under_way: usize,
    objects: BTreeMap<String, Vec<u8>>,
    reads_fail: bool,
    stalls: bool,
    unwritable: BTreeSet<String>,
    deaf_to: BTreeSet<StoreId>,
    announced: Vec<Change>,
}

impl MemoryBackup {
    /// Services that see everything as `policy` demands it at `now`, and an empty bucket.
    #[must_use]
    pub fn as_demanded(policy: &Policy, now: Timestamp) -> Self {
        let memory = Self::default();
        for demand in policy.stores().iter().flat_map(|store| &store.demands) {
            match as_demanded(demand, now) {
                Seen::Deployed(functions) => memory.deploy(&functions),
                seen => memory.reply(demand.fact(), subject(demand), Reply::Is(Observed::Seen(seen))),
            }
        }
        memory
    }

    /// Deploys functions with code of these hashes.
    pub fn deploy(&self, functions: &BTreeMap<String, String>) {
        for (name, hash) in functions {
            let one = BTreeMap::from([(name.clone(), hash.clone())]);
            self.reply(
                Fact::Deployed,
                name,
                Reply::Is(Observed::Seen(Seen::Deployed(one))),
            );
        }
    }

    /// From now on this is what becomes of the question. Of `Fact::Deployed` the subject is one function.
    pub fn reply(&self, fact: Fact, subject: &str, reply: Reply) {
        self.state().replies.insert((fact, subject.to_owned()), reply);
    }

    /// How often each question was asked.
    #[must_use]
    pub fn asked(&self) -> BTreeMap<(Fact, String), u64> {
        self.state().asked.clone()
    }

    /// How many questions were under way at once, at most.
    #[must_use]
    pub fn most_under_way(&self) -> usize {
        self.state().most_under_way
    }

    /// The bucket.
    #[must_use]
    pub fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        self.state().objects.clone()
    }

    /// Puts an object.
    pub fn put(&self, name: &str, body: &[u8]) {
        self.state().objects.insert(name.to_owned(), body.to_vec());
    }

    /// Whether the bucket gives nothing out.
    pub fn fail_reads(&self, fail: bool) {
        self.state().reads_fail = fail;
    }

    /// From now on neither bucket nor bus ever answers.
    pub fn stall(&self) {
        self.state().stalls = true;
    }

    /// Waits for ever, if it is to stall.
    async fn stalled(&self) {
        let stalls = self.state().stalls;
        if stalls {
            std::future::pending::<()>().await;
        }
    }

    /// The names that the bucket takes nothing under.
    pub fn refuse_writes(&self, names: impl IntoIterator<Item = String>) {
        self.state().unwritable = names.into_iter().collect();
    }

    /// The stores whose changes the bus does not take.
    pub fn refuse_changes(&self, stores: impl IntoIterator<Item = StoreId>) {
        self.state().deaf_to = stores.into_iter().collect();
    }

    /// What the bus took.
    #[must_use]
    pub fn announced(&self) -> Vec<Change> {
        self.state().announced.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[expect(
        clippy::panic,
        reason = "a reply that panics is there to see what becomes of it"
    )]
    async fn answer(&self, fact: Fact, subject: &str) -> Answer {
        let question = (fact, subject.to_owned());
        let reply = {
            let mut state = self.state();
            *state.asked.entry(question.clone()).or_default() += 1;
            state.under_way += 1;
            state.most_under_way = state.most_under_way.max(state.under_way);
            state.replies.get(&question).cloned()
        };
        yield_once().await;
        self.state().under_way -= 1;
        match reply {
            Some(Reply::Is(observed)) => Ok(observed),
            Some(Reply::Fails(error)) => Err(error),
            Some(Reply::Hangs) => std::future::pending().await,
            Some(Reply::Panics) => panic!("as the test wants it"),
            None => Ok(Observed::Missing),
        }
    }
}

/// Lets others go on, as a call over the network does.
async fn yield_once() {
    let mut yielded = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return std::task::Poll::Ready(());
        }
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

fn refused(operation: &'static str) -> PortError {
    PortError {
        operation,
        fault: Fault::Refused,
        code: "AccessDenied".to_owned(),
    }
}

impl TableProtection for MemoryBackup {
    async fn table(&self, table: &str) -> Answer {
        self.answer(Fact::Table, table).await
    }

    async fn pitr_window(&self, table: &str) -> Answer {
        self.answer(Fact::PitrWindow, table).await
    }
}

impl RecoveryPoints for MemoryBackup {
    async fn recovery_point(&self, _: &str, table_arn: &str) -> Answer {
        self.answer(Fact::RecoveryPoint, table_arn).await
    }

    async fn copy(&self, _: &str, table_arn: &str) -> Answer {
        self.answer(Fact::Copy, table_arn).await
    }
}

impl RestoreTests for MemoryBackup {
    async fn restore_tests(&self, plan_arn: &str) -> Answer {
        self.answer(Fact::RestoreTests, plan_arn).await
    }
}

impl BucketProtection for MemoryBackup {
    async fn versioning(&self, bucket: &str) -> Answer {
        self.answer(Fact::Versioning, bucket).await
    }

    async fn replication_rules(&self, bucket: &str) -> Answer {
        self.answer(Fact::ReplicationRule, bucket).await
    }

    async fn object_lock(&self, bucket: &str) -> Answer {
        self.answer(Fact::ObjectLock, bucket).await
    }
}

impl ReplicationMetrics for MemoryBackup {
    async fn table_lag(&self, table: &str, _: Timestamp) -> Answer {
        self.answer(Fact::TableLag, table).await
    }

    async fn bucket_lag(&self, of: Replication<'_>, _: Timestamp) -> Answer {
        self.answer(Fact::BucketLag, of.bucket).await
    }

    async fn failed_operations(&self, of: Replication<'_>, _: Timestamp) -> Answer {
        self.answer(Fact::FailedOperations, of.bucket).await
    }
}

impl KeyProtection for MemoryBackup {
    async fn key_state(&self, key: &str) -> Answer {
        self.answer(Fact::KeyState, key).await
    }

    async fn key_replica(&self, key: &str) -> Answer {
        self.answer(Fact::KeyReplica, key).await
    }

    async fn rotation(&self, key: &str) -> Answer {
        self.answer(Fact::Rotation, key).await
    }
}

impl DeployedCode for MemoryBackup {
    async fn code_hash(&self, function: &str) -> Result<Option<String>, PortError> {
        Ok(match self.answer(Fact::Deployed, function).await? {
            Observed::Seen(Seen::Deployed(functions)) => functions.get(function).cloned(),
            _ => None,
        })
    }
}

impl ExportEvidence for MemoryBackup {
    async fn newest_export(&self, _: &str, key: &str) -> Answer {
        self.answer(Fact::Export, key).await
    }
}

impl BackupReports for MemoryBackup {
    async fn read_report(&self, name: &str) -> Result<Option<Vec<u8>>, PortError> {
        self.stalled().await;
        let state = self.state();
        if state.reads_fail {
            return Err(refused("s3:GetObject"));
        }
        Ok(state.objects.get(name).cloned())
    }

    async fn put_report(&self, name: &str, _: &str, body: &[u8]) -> Result<(), PortError> {
        self.stalled().await;
        let mut state = self.state();
        if state.unwritable.contains(name) {
            return Err(refused("s3:PutObject"));
        }
        state.objects.insert(name.to_owned(), body.to_vec());
        Ok(())
    }
}

impl VerdictAnnouncer for MemoryBackup {
    async fn announce_changes(&self, changes: &[Change]) -> Vec<Result<(), PortError>> {
        self.stalled().await;
        let mut state = self.state();
        let announce = |change: &Change| {
            if state.deaf_to.contains(&change.store) {
                return Err(refused("events:PutEvents"));
            }
            state.announced.push(change.clone());
            Ok(())
        };
        changes.iter().map(announce).collect()
    }
}
