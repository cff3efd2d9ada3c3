//! The report: verdicts, findings, figures and policy of one run, as one object.

use serde::{Deserialize, Serialize};

use super::change::Told;
use super::finding::Finding;
use super::moment::Moment;
use super::observation::Observation;
use super::policy::{Policy, PolicyDocument};
use super::store::{Kind, StoreId};
use super::verdict::{Verdict, judge};
use crate::domain::time::Timestamp;

/// Version of the report's form.
pub const REPORT_VERSION: u8 = 1;

/// Not a report of a known version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a report of backups")]
pub struct UnreadableReport;

/// What a run found of one store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StoreReport {
    /// What the operator calls it.
    pub id: StoreId,
    /// What it is.
    pub kind: Kind,
    /// What AWS calls it.
    pub resource: String,
    /// How it is.
    pub verdict: Verdict,
    /// The verdict that the event bus took last. Where it is another one, the change is still to be told.
    pub told: Verdict,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
    /// What was seen.
    pub observed: Observation,
}

/// What one run found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Report {
    /// Version of this form.
    pub v: u8,
    /// The stack.
    pub stack: String,
    /// The region that observed.
    pub region: String,
    /// When.
    pub at: Moment,
    /// The worst of all.
    pub verdict: Verdict,
    /// The stores, in the order of the policy.
    pub stores: Vec<StoreReport>,
    /// What was demanded.
    pub policy: PolicyDocument,
}

impl Report {
    /// Judges what was seen of each store. What is not in `observations` was not seen. Nothing of it is told yet: `told`
    /// is what was told before.
    #[must_use]
    pub fn new(
        (stack, region): (&str, &str),
        policy: &Policy,
        mut observations: std::collections::BTreeMap<StoreId, Observation>,
        told: &Told,
        now: Timestamp,
    ) -> Self {
        let stores: Vec<StoreReport> = policy
            .stores()
            .iter()
            .map(|store| {
                let observed = observations.remove(&store.id).unwrap_or_default();
                let findings = judge(store, &observed, now);
                StoreReport {
                    id: store.id.clone(),
                    kind: store.kind,
                    resource: store.resource.clone(),
                    verdict: Verdict::of(&findings),
                    told: told.get(&store.id).copied().unwrap_or(Verdict::Unknown),
                    findings,
                    observed,
                }
            })
            .collect();
        Self {
            v: REPORT_VERSION,
            stack: stack.to_owned(),
            region: region.to_owned(),
            at: Moment(now),
            verdict: Verdict::worst(stores.iter().map(|store| store.verdict)),
            stores,
            policy: policy.document().clone(),
        }
    }

    /// Reads a report.
    ///
    /// # Errors
    /// [`UnreadableReport`] for any other form or version.
    pub fn parse(body: &[u8]) -> Result<Self, UnreadableReport> {
        let report: Self = serde_json::from_slice(body).map_err(|_| UnreadableReport)?;
        if report.v == REPORT_VERSION {
            Ok(report)
        } else {
            Err(UnreadableReport)
        }
    }

    /// As an object of the bucket has it.
    ///
    /// # Errors
    /// None that can happen: every field has a form in JSON.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec_pretty(self)
    }

    /// What was told of each store.
    #[must_use]
    pub fn told(&self) -> Told {
        self.stores
            .iter()
            .map(|store| (store.id.clone(), store.told))
            .collect()
    }

    /// Remembers that the verdict of this store was told.
    pub fn tell(&mut self, id: &StoreId) {
        for store in self.stores.iter_mut().filter(|store| store.id == *id) {
            store.told = store.verdict;
        }
    }

    /// How many stores have this verdict.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.stores
            .iter()
            .filter(|store| store.verdict == verdict)
            .count()
    }
}

/// The keys of a region's reports in the backup bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportNames {
    /// The newest report.
    pub latest: String,
    /// The newest page.
    pub latest_page: String,
    /// The report of this moment.
    pub dated: String,
    /// The page of this moment.
    pub dated_page: String,
}

impl ReportNames {
    /// The keys of what `region` found at `at`.
    #[must_use]
    pub fn new(region: &str, at: Timestamp) -> Self {
        let folder = format!("backup-check/{region}");
        let moment = at.to_rfc3339();
        let (day, time) = moment.split_once('T').unwrap_or_default();
        let time: String = time.chars().filter(char::is_ascii_digit).take(6).collect();
        let dated = format!("{folder}/{}/{time}", day.replace('-', "/"));
        Self {
            latest: format!("{folder}/latest.json"),
            latest_page: format!("{folder}/latest.html"),
            dated: format!("{dated}.json"),
            dated_page: format!("{dated}.html"),
        }
    }
}
