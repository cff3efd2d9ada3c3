//! What is told: changes of verdict, each once.

use std::collections::BTreeMap;

use serde_json::json;

use super::report::{Report, StoreReport};
use super::store::StoreId;
use super::verdict::Verdict;

/// The verdict of each store that was told last.
pub type Told = BTreeMap<StoreId, Verdict>;

/// A verdict that is not the one that was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The region that observed it.
    pub region: String,
    /// The store.
    pub store: StoreId,
    /// What was told.
    pub from: Verdict,
    /// What it is.
    pub to: Verdict,
    /// Why: fact and code of each finding.
    pub findings: Vec<String>,
}

impl Change {
    /// The event's `detail-type`.
    pub const DETAIL_TYPE: &str = "Backup Verdict Changed";

    /// The event's `detail`: a JSON object.
    #[must_use]
    pub fn detail(&self) -> String {
        json!({
            "region": self.region,
            "store": self.store.as_str(),
            "from": self.from.as_str(),
            "to": self.to.as_str(),
            "findings": self.findings,
        })
        .to_string()
    }
}

/// What has changed since `told`, a change for each store. Of a store that nothing was told of, `unknown` was.
#[must_use]
pub fn changes(told: &Told, report: &Report) -> Vec<Change> {
    let change = |store: &StoreReport| {
        let from = told.get(&store.id).copied().unwrap_or(Verdict::Unknown);
        (from != store.verdict).then(|| Change {
            region: report.region.clone(),
            store: store.id.clone(),
            from,
            to: store.verdict,
            findings: store.findings.iter().map(super::Finding::label).collect(),
        })
    };
    report.stores.iter().filter_map(change).collect()
}
