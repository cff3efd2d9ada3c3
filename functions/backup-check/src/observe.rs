//! Observing: every demand's fact is asked for by itself, a few at a time, until there is no more time.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::stream::{self, StreamExt};
use symbolon_shared::domain::backup::{Demand, Fact, Observation, Observed, Policy, Seen, StoreId};
use symbolon_shared::domain::time::Timestamp;
use symbolon_shared::lambda::survive;
use symbolon_shared::ports::backup::{Answer, BackupPorts, Replication, unseen};

/// Questions that are asked at once: some 90 questions of 50 ms each are through in a second, and no service is asked
/// more than it lets everybody (KMS and AWS Backup begin to throttle at some ten a second).
pub(crate) const AT_ONCE: usize = 8;

/// What was seen of each store by `until`; what was not seen by then was not asked.
pub(crate) async fn observe<P: BackupPorts>(
    ports: &P,
    policy: &Policy,
    clock: &(dyn Fn() -> Timestamp + Send + Sync),
    until: Timestamp,
) -> BTreeMap<StoreId, Observation> {
    let questions: Vec<_> = policy
        .stores()
        .iter()
        .flat_map(|store| store.demands.iter().map(|demand| (&store.id, demand)))
        .map(
            |(id, demand)| async move { (id.clone(), demand.fact(), ask(ports, demand, clock, until).await) },
        )
        .collect();
    let answers: Vec<(StoreId, Fact, Observed)> =
        stream::iter(questions).buffer_unordered(AT_ONCE).collect().await;
    let mut observations = BTreeMap::<StoreId, Observation>::new();
    for (id, fact, observed) in answers {
        tell_unseen(&id, fact, &observed);
        observations.entry(id).or_default().insert(fact, observed);
    }
    observations
}

/// What cannot be seen is logged: the report says what follows from it, the log when it began.
fn tell_unseen(id: &StoreId, fact: Fact, observed: &Observed) {
    let (operation, code) = match observed {
        Observed::Denied { operation } => (operation.as_str(), "denied"),
        Observed::Failed { operation, code } => (operation.as_str(), code.as_str()),
        Observed::NotAsked => ("", "notAsked"),
        Observed::Silent => ("", "silent"),
        Observed::Seen(_) | Observed::Missing | Observed::NeverRan => return,
    };
    tracing::warn!(
        event = "observation_failed",
        store = id.as_str(),
        fact = fact.as_str(),
        operation,
        code
    );
}

/// One fact: what is seen of it, or why nothing is.
async fn ask<P: BackupPorts>(
    ports: &P,
    demand: &Demand,
    clock: &(dyn Fn() -> Timestamp + Send + Sync),
    until: Timestamp,
) -> Observed {
    let now = clock();
    let left = u64::try_from(until.millis_since(now)).unwrap_or(0);
    if left == 0 {
        return Observed::NotAsked;
    }
    let question = survive(answer(ports, demand, now));
    match tokio::time::timeout(Duration::from_millis(left), question).await {
        Ok(Some(Ok(observed))) => observed,
        Ok(Some(Err(error))) => unseen(&error),
        Ok(None) => Observed::Failed {
            operation: demand.fact().as_str().to_owned(),
            code: "Panicked".to_owned(),
        },
        Err(_) => Observed::NotAsked,
    }
}

async fn answer<P: BackupPorts>(ports: &P, demand: &Demand, now: Timestamp) -> Answer {
    match demand {
        Demand::Table { table, .. } => ports.table(table).await,
        Demand::PitrWindow { table, .. } => ports.pitr_window(table).await,
        Demand::RecoveryPoint { vault, arn, .. } => ports.recovery_point(vault, arn).await,
        Demand::Copy { vault, arn, .. } => ports.copy(vault, arn).await,
        Demand::TableLag { table, .. } => ports.table_lag(table, now).await,
        Demand::Versioning { bucket } => ports.versioning(bucket).await,
        Demand::ReplicationRule { bucket, .. } => ports.replication_rules(bucket).await,
        Demand::BucketLag { bucket, rule, to, .. } => {
            ports.bucket_lag(Replication { bucket, rule, to }, now).await
        }
        Demand::FailedOperations { bucket, rule, to, .. } => {
            ports
                .failed_operations(Replication { bucket, rule, to }, now)
                .await
        }
        Demand::ObjectLock { bucket, .. } => ports.object_lock(bucket).await,
        Demand::KeyState { key } => ports.key_state(key).await,
        Demand::KeyReplica { key } => ports.key_replica(key).await,
        Demand::Rotation { key } => ports.rotation(key).await,
        Demand::Export { bucket, key, .. } => ports.newest_export(bucket, key).await,
        Demand::Deployed { names } => deployed(ports, names).await,
        Demand::RestoreTests { plan, .. } => ports.restore_tests(plan).await,
    }
}

/// The functions one after the other: one that cannot be read leaves all of them unknown.
async fn deployed<P: BackupPorts>(ports: &P, names: &[String]) -> Answer {
    let mut functions = BTreeMap::new();
    for name in names {
        functions.extend(ports.code_hash(name).await?.map(|hash| (name.clone(), hash)));
    }
    Ok(Observed::Seen(Seen::Deployed(functions)))
}
