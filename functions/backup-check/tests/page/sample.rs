//! Reports to look at.

use std::collections::BTreeMap;

use symbolon_shared::domain::backup::{
    Fact, Lag, Moment, Observation, Observed, Policy, ReplicationRule, Report, Seen, StoreId, Told,
};
use symbolon_shared::domain::time::Timestamp;
use symbolon_shared::testing::backup::{SAMPLE_POLICY, as_demanded, sample_place};

/// 2026-11-30T16:00:07Z.
const NOW: Timestamp = Timestamp::from_millis(1_796_054_407_000);

fn policy() -> Policy {
    Policy::parse(SAMPLE_POLICY, &sample_place()).unwrap()
}

fn observations() -> BTreeMap<StoreId, Observation> {
    let policy = policy();
    let stores = policy.stores().iter().map(|store| {
        let facts = store.demands.iter();
        let seen = facts.map(|demand| (demand.fact(), Observed::Seen(as_demanded(demand, NOW))));
        (store.id.clone(), seen.collect())
    });
    stores.collect()
}

fn report(observations: BTreeMap<StoreId, Observation>) -> Report {
    Report::new(
        ("symbolon", "us-east-1"),
        &policy(),
        observations,
        &Told::new(),
        NOW,
    )
}

pub(crate) fn good() -> Report {
    report(observations())
}

fn minutes_ago(minutes: i64) -> Moment {
    Moment(NOW.plus_millis(-minutes * 60_000))
}

/// Good, unknown and bad stores, with findings of most kinds.
pub(crate) fn mixed() -> Report {
    let mut observations = observations();
    let mut see = |store: &str, fact: Fact, is: Observed| {
        let (_, observation) = observations
            .iter_mut()
            .find(|(id, _)| id.as_str() == store)
            .unwrap();
        observation.insert(fact, is);
    };
    let denied = |operation: &str| Observed::Denied {
        operation: operation.to_owned(),
    };
    let failed = Observed::Failed {
        operation: "backup:ListRecoveryPointsByBackupVault".to_owned(),
        code: "ThrottlingException".to_owned(),
    };
    see("table/matches", Fact::Copy, Observed::NeverRan);
    let created = minutes_ago(1_505);
    see(
        "table/matches",
        Fact::RecoveryPoint,
        Observed::Seen(Seen::RecoveryPoint { created }),
    );
    see(
        "table/matches",
        Fact::TableLag,
        Observed::Seen(Seen::TableLag(Lag::ArrivedUntil(minutes_ago(47)))),
    );
    see("table/keys", Fact::RecoveryPoint, failed);
    see(
        "table/parameters",
        Fact::TableLag,
        Observed::Seen(Seen::TableLag(Lag::Idle)),
    );
    let rule = ReplicationRule {
        enabled: false,
        to: "symbolon-audit-123456789012-us-west-2".to_owned(),
        prefix: Some("us-east-1/".to_owned()),
        kms: true,
    };
    let rules = BTreeMap::from([("to-the-other-region".to_owned(), rule)]);
    see(
        "bucket/audit",
        Fact::ReplicationRule,
        Observed::Seen(Seen::ReplicationRule(rules)),
    );
    see(
        "bucket/audit",
        Fact::FailedOperations,
        Observed::Seen(Seen::FailedOperations { count: 12 }),
    );
    see("bucket/audit", Fact::BucketLag, Observed::Silent);
    see("bucket/data", Fact::BucketLag, Observed::Silent);
    see("key/token", Fact::KeyReplica, denied("kms:DescribeKey"));
    see(
        "key/registry",
        Fact::KeyState,
        Observed::Seen(Seen::KeyState {
            state: "PendingDeletion".to_owned(),
        }),
    );
    see("functions", Fact::Deployed, Observed::NotAsked);
    see("restore-testing", Fact::RestoreTests, Observed::NeverRan);
    report(observations)
}
