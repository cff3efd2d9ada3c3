//! A deployment in which everything is as it is demanded, and a check of it.

use std::collections::BTreeMap;

use backup_check::{BackupCheck, Checked, ExportRun, Surroundings};
use serde_json::json;
use symbolon_shared::domain::backup::{Demand, Policy, Report, Verdict};
use symbolon_shared::domain::time::Timestamp;
use symbolon_shared::ports::{Fault, PortError};
use symbolon_shared::testing::MemoryBackup;
use symbolon_shared::testing::backup::{Reply, SAMPLE_POLICY, sample_place, subject};
use tokio::time::Instant;

/// 2026-11-30T16:00:07Z.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_796_054_407_000);

/// Time that the function has, as the template has it.
pub(crate) const GRANTED_MILLIS: i64 = 300_000;

pub(crate) const LATEST: &str = "backup-check/us-east-1/latest.json";
pub(crate) const LATEST_PAGE: &str = "backup-check/us-east-1/latest.html";

pub(crate) fn policy() -> Policy {
    Policy::parse(SAMPLE_POLICY, &sample_place()).unwrap()
}

pub(crate) fn good() -> MemoryBackup {
    MemoryBackup::as_demanded(&policy(), START)
}

/// A check whose clock goes with the runtime's, which tests may stop and move.
pub(crate) fn check<E: ExportRun>(ports: &MemoryBackup, export: E) -> BackupCheck<MemoryBackup, E> {
    let since = Instant::now();
    let clock = move || START.plus_millis(i64::try_from(since.elapsed().as_millis()).unwrap());
    let surroundings = Surroundings {
        clock: Box::new(clock),
    };
    BackupCheck::new(ports.clone(), export, policy(), sample_place(), surroundings)
}

/// Exports nothing: what lies there is looked at as it is.
pub(crate) struct NoExport;

impl ExportRun for NoExport {
    async fn export(&self, _until: Timestamp) {}
}

/// One run by hand.
pub(crate) async fn run(ports: &MemoryBackup) -> Checked {
    let deadline = START.plus_millis(GRANTED_MILLIS);
    check(ports, NoExport).handle(&json!({}), deadline).await
}

/// The newest report.
pub(crate) fn latest(ports: &MemoryBackup) -> Report {
    Report::parse(&ports.objects()[LATEST]).unwrap()
}

pub(crate) fn verdicts(report: &Report) -> BTreeMap<String, Verdict> {
    let verdict =
        |store: &symbolon_shared::domain::backup::StoreReport| (store.id.to_string(), store.verdict);
    report.stores.iter().map(verdict).collect()
}

/// Every question: the store, the fact's demand, and what it is asked about.
pub(crate) fn questions() -> Vec<(String, Demand, String)> {
    let policy = policy();
    let stores = policy.stores().iter();
    let demands = stores.flat_map(|store| {
        store
            .demands
            .iter()
            .map(|demand| (store.id.to_string(), demand.clone()))
    });
    let of = |(id, demand): (String, Demand)| {
        let about = match &demand {
            Demand::Deployed { names } => names.clone(),
            other => vec![subject(other).to_owned()],
        };
        about
            .into_iter()
            .map(move |about| (id.clone(), demand.clone(), about))
            .collect::<Vec<_>>()
    };
    demands.flat_map(of).collect()
}

pub(crate) fn fails(code: &str) -> Reply {
    Reply::Fails(PortError {
        operation: "service:Operation",
        fault: Fault::Refused,
        code: code.to_owned(),
    })
}
