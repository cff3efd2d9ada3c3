//! What is said of a run: gauges, ages, counts, and a line for each change of verdict. None bears an identity: stores, states,
//! figures and codes alone.

use symbolon_shared::domain::backup::{Change, Moment, Observed, Report, Seen, Verdict};

/// What went wrong beside the verdicts.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Changes that the event bus took.
    pub told: u64,
    /// Changes that it did not take: the next run tells them.
    pub untold: u64,
    /// Whether the last report could not be read: then nothing is known to have changed.
    pub previous_not_read: bool,
    /// Objects of this report that could not be put.
    pub not_written: u64,
}

/// A line for a change, whether the event bus takes it or not.
pub(crate) fn tell_change(change: &Change) {
    tracing::info!(
        event = "verdict_changed",
        store = change.store.as_str(),
        from = change.from.as_str(),
        to = change.to.as_str(),
        findings = change.findings.join(" "),
    );
}

/// Hands a run to the metrics recorder; a runner without one drops it.
pub(crate) fn emit(report: &Report, tally: &Tally) {
    metrics::gauge!("StoresGood").set(count(report.count(Verdict::Good)));
    metrics::gauge!("StoresUnknown").set(count(report.count(Verdict::Unknown)));
    metrics::gauge!("StoresBad").set(count(report.count(Verdict::Bad)));
    for (name, hours) in ages(report) {
        // What nobody has seen has no age: no point, and the store is unknown or bad. No gauge: it would say what it was
        // told by an earlier run of this process.
        if let Some(hours) = hours {
            metrics::histogram!(name).record(hours);
        }
    }
    let facts = || report.stores.iter().flat_map(|store| store.observed.values());
    let unseen = facts()
        .filter(|observed| !matches!(observed, Observed::Seen(_)))
        .count();
    metrics::counter!("FactsObserved").increment(facts().count() as u64);
    metrics::counter!("FactsUnseen").increment(unseen as u64);
    metrics::counter!("VerdictsTold").increment(tally.told);
    metrics::counter!("VerdictsUntold").increment(tally.untold);
    metrics::counter!("PreviousReportNotRead").increment(u64::from(tally.previous_not_read));
    metrics::counter!("ReportsNotWritten").increment(tally.not_written);
}

/// Ages, each the greatest of its kind: the table whose newest recovery point is oldest counts.
#[must_use]
pub fn ages(report: &Report) -> [(&'static str, Option<f64>); 4] {
    let moments = |of: fn(&Seen) -> Vec<Moment>| {
        let facts = report.stores.iter().flat_map(|store| store.observed.values());
        let seen = facts.filter_map(|observed| match observed {
            Observed::Seen(seen) => Some(seen),
            _ => None,
        });
        let oldest = seen.flat_map(of).min();
        oldest.map(|oldest| hours(oldest.minutes_before(report.at.0)))
    };
    [
        (
            "NewestRecoveryPointHours",
            moments(|seen| match seen {
                Seen::RecoveryPoint { created } => vec![*created],
                _ => Vec::new(),
            }),
        ),
        (
            "NewestCopyHours",
            moments(|seen| match seen {
                Seen::Copy { created } => vec![*created],
                _ => Vec::new(),
            }),
        ),
        (
            "OldestRestoreTestHours",
            moments(|seen| match seen {
                Seen::RestoreTests(tests) => tests.values().map(|test| test.ended).collect(),
                _ => Vec::new(),
            }),
        ),
        (
            "NewestExportHours",
            moments(|seen| match seen {
                Seen::Export { exported, .. } => vec![*exported],
                _ => Vec::new(),
            }),
        ),
    ]
}

#[expect(
    clippy::cast_precision_loss,
    reason = "exact for as many minutes as there are"
)]
fn hours(minutes: u64) -> f64 {
    minutes as f64 / 60.0
}

#[expect(clippy::cast_precision_loss, reason = "there are some twenty stores")]
fn count(stores: usize) -> f64 {
    stores as f64
}
