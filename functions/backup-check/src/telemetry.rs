//! What is said of a run: gauges, ages, counts, and a line for each change of verdict. None bears an identity: stores, states,
//! figures and codes alone.

use symbolon_shared::domain::backup::{Change, Moment, Observed, Report, Seen, Verdict};
use symbolon_shared::export::{ExportOutcome, Part};
use symbolon_shared::ports::PortError;

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
    // What nobody has seen has no age: no point, and the store is unknown or bad. No gauge: it would say what it was told by
    // an earlier run of this process.
    let ages = ages(report);
    if let Some(hours) = ages.recovery_point {
        metrics::histogram!("NewestRecoveryPointHours").record(hours);
    }
    if let Some(hours) = ages.copy {
        metrics::histogram!("NewestCopyHours").record(hours);
    }
    if let Some(hours) = ages.restore_test {
        metrics::histogram!("OldestRestoreTestHours").record(hours);
    }
    if let Some(hours) = ages.export {
        metrics::histogram!("NewestExportHours").record(hours);
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

/// Ages in hours, each the greatest of its kind: the table whose newest recovery point is oldest counts. None where nobody
/// has seen one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ages {
    /// Of the newest recovery points.
    pub recovery_point: Option<f64>,
    /// Of their copies in the other region.
    pub copy: Option<f64>,
    /// Of the last test restores.
    pub restore_test: Option<f64>,
    /// Of the export of the functions.
    pub export: Option<f64>,
}

/// The ages that a report knows of.
#[must_use]
pub fn ages(report: &Report) -> Ages {
    let moments = |of: fn(&Seen) -> Vec<Moment>| {
        let facts = report.stores.iter().flat_map(|store| store.observed.values());
        let seen = facts.filter_map(|observed| match observed {
            Observed::Seen(seen) => Some(seen),
            _ => None,
        });
        let oldest = seen.flat_map(of).min();
        oldest.map(|oldest| hours(oldest.minutes_before(report.at.0)))
    };
    Ages {
        recovery_point: moments(|seen| match seen {
            Seen::RecoveryPoint { created } => vec![*created],
            _ => Vec::new(),
        }),
        copy: moments(|seen| match seen {
            Seen::Copy { created } => vec![*created],
            _ => Vec::new(),
        }),
        restore_test: moments(|seen| match seen {
            Seen::RestoreTests(tests) | Seen::RestoreTestsInPart { tests, .. } => {
                tests.values().map(|test| test.ended).collect()
            }
            _ => Vec::new(),
        }),
        export: moments(|seen| match seen {
            Seen::Export { exported, .. } => vec![*exported],
            _ => Vec::new(),
        }),
    }
}

/// What came of an export: counts, and a line for everything that is not as it should be. Names of functions are those of
/// the template.
pub(crate) fn emit_export(export: &Result<ExportOutcome, PortError>) {
    let outcome = match export {
        Ok(outcome) => outcome,
        Err(error) => {
            tracing::error!(event = "export_failed", reason = %error);
            metrics::counter!("ExportFailed").increment(1);
            return;
        }
    };
    let functions = outcome
        .functions
        .iter()
        .map(|(name, part)| (name.as_str(), *part));
    let (mut stale, mut absent) = (0, 0);
    for (name, part) in functions.chain([("template", outcome.stack)]) {
        match part {
            Part::Exported { .. } => {}
            Part::Stale(part) => {
                stale += 1;
                let since = part.exported_at.to_rfc3339();
                tracing::warn!(
                    event = "export_stale",
                    part = name,
                    reason = part.reason.as_str(),
                    since
                );
            }
            Part::Absent(reason) => {
                absent += 1;
                tracing::error!(event = "export_absent", part = name, reason = reason.as_str());
            }
        }
    }
    for error in &outcome.errors {
        tracing::warn!(event = "export_part_failed", reason = %error);
    }
    if outcome.unreadable_before {
        tracing::error!(event = "export_manifest_unreadable");
    }
    if outcome.repaired > 0 {
        tracing::error!(event = "export_repaired", objects = outcome.repaired);
    }
    metrics::counter!("ExportFailed").increment(0);
    metrics::counter!("PartsStale").increment(stale);
    metrics::counter!("PartsAbsent").increment(absent);
    metrics::counter!("ExportsRepaired").increment(u64::from(outcome.repaired));
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
