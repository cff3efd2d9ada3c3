//! A deployment in which everything is as it is demanded.

use std::collections::BTreeMap;

use crate::domain::backup::{
    Demand, Fact, Figure, Finding, Moment, Observation, Observed, Policy, Report, Seen, Store, StoreId, Told,
    Verdict,
};
use crate::domain::time::Timestamp;
use crate::testing::backup::{SAMPLE_POLICY, as_demanded, sample_place};

/// 2026-11-30T16:00:07Z.
pub(super) const NOW: Timestamp = Timestamp::from_millis(1_796_054_407_000);

pub(super) fn policy() -> Policy {
    Policy::parse(SAMPLE_POLICY, &sample_place()).unwrap()
}

pub(super) type Observations = BTreeMap<StoreId, Observation>;

pub(super) fn all_good(policy: &Policy) -> Observations {
    let observe = |store: &Store| {
        let seen = |demand: &Demand| (demand.fact(), Observed::Seen(as_demanded(demand, NOW)));
        (store.id.clone(), store.demands.iter().map(seen).collect())
    };
    policy.stores().iter().map(observe).collect()
}

pub(super) fn report(observations: Observations) -> Report {
    Report::new(
        ("symbolon", "us-east-1"),
        &policy(),
        observations,
        &Told::new(),
        NOW,
    )
}

/// The verdict of each store.
pub(super) fn verdicts(report: &Report) -> BTreeMap<StoreId, Verdict> {
    let verdict = |store: &crate::domain::backup::StoreReport| (store.id.clone(), store.verdict);
    report.stores.iter().map(verdict).collect()
}

pub(super) fn minutes_ago(minutes: i64) -> Moment {
    Moment(NOW.plus_millis(-minutes * 60_000))
}

pub(super) fn days_ago(days: i64) -> Moment {
    Moment(NOW.plus_days(-days))
}

/// The findings of one store, of which one fact is this.
pub(super) fn findings(store: &Store, fact: Fact, is: Observed) -> Vec<Finding> {
    let mut observation = all_good(&policy()).remove(&store.id).unwrap();
    observation.insert(fact, is);
    super::super::judge(store, &observation, NOW)
}

pub(super) fn store(id: &str) -> Store {
    policy()
        .stores()
        .iter()
        .find(|store| store.id.as_str() == id)
        .unwrap()
        .clone()
}

pub(super) fn seen(seen: Seen) -> Observed {
    Observed::Seen(seen)
}

pub(super) const fn hours(hours: u64) -> Figure {
    Figure::Minutes(hours * 60)
}
