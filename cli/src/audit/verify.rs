//! `audit verify`: whether a log is whole, and whether two regions' logs agree.

use std::sync::Arc;

use audit_verifier::{Finding, RememberedHead, Report, compare, verify};

use super::progress::Progress;
use super::source::Source;
use super::view::{self, Verdict, Verified};
use super::{plural, remembered};
use crate::arguments::AuditVerify;
use crate::failure::Failure;
use crate::print::Printer;
use crate::settings::Settings;

pub(super) async fn run(
    wanted: &AuditVerify,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<(), Failure> {
    let (one, other) = Source::both(wanted, settings).await?;
    let kept = match &wanted.remember {
        Some(file) => remembered::kept(file)?,
        None => Vec::new(),
    };
    let mut heads = remembered::in_files(&wanted.head)?;
    heads.extend_from_slice(&kept);
    // Before anything of the logs is read: a head that is read after its log may rightly be beyond it.
    let mut faults = Vec::new();
    if let Some(other) = &other
        && !Arc::ptr_eq(&one.place, &other.place)
    {
        heads.extend(remembered::copies(&other.place, &one.region, &mut faults).await?);
        heads.extend(remembered::copies(&one.place, &other.region, &mut faults).await?);
    }
    let progress = Progress::new();
    let reports = match &other {
        Some(other) => {
            let both = tokio::try_join!(report(&one, &heads, &progress), report(other, &heads, &progress));
            both.map(|(one, other)| (one, Some(other)))
        }
        None => report(&one, &heads, &progress).await.map(|report| (report, None)),
    };
    progress.finish();
    let (report, other_report) = reports?;
    let comparison = other_report.as_ref().map(|other| compare(&report, other));
    let mut verdict = Verdict {
        logs: vec![Verified {
            report: &report,
            place: one.place.name(),
        }],
        comparison: comparison.as_ref(),
        copies: &faults,
        remembered: None,
    };
    if let (Some(report), Some(other)) = (&other_report, &other) {
        let place = other.place.name();
        verdict.logs.push(Verified { report, place });
    }
    if let Some(file) = wanted.remember.as_ref().filter(|_| verdict.is_good()) {
        let reports = || verdict.logs.iter().map(|log| log.report);
        let regions: Vec<&str> = reports().map(|report| report.region.as_str()).collect();
        remembered::keep(file, &kept, &regions, reports().flat_map(Report::heads))?;
        verdict.remembered = Some(file);
    }
    view::verdict(&verdict, printer)?;
    judge(&verdict)
}

async fn report(source: &Source, heads: &[RememberedHead], progress: &Progress) -> Result<Report, Failure> {
    let Source { place, region, keys } = source;
    let verified = verify(Arc::clone(place), region, keys, heads, progress.told()).await;
    verified.map_err(|error| place.explain(&error))
}

/// What was found stands on standard output already.
fn judge(verdict: &Verdict<'_>) -> Result<(), Failure> {
    let faults = |findings: &[Finding]| plural(findings.len(), "fault", "faults");
    let mut parts = Vec::new();
    for Verified { report, .. } in &verdict.logs {
        if !report.is_good() {
            let faults = faults(&report.findings);
            parts.push(format!("the log of {} is not whole: {faults}", report.region));
        }
    }
    if let Some(comparison) = verdict.comparison.filter(|it| !it.findings.is_empty()) {
        parts.push(format!("the logs do not agree: {}", faults(&comparison.findings)));
    }
    if !verdict.copies.is_empty() {
        let copies = faults(verdict.copies);
        parts.push(format!("copies of heads in the other bucket are none: {copies}"));
    }
    if parts.is_empty() {
        return Ok(());
    }
    Err(Failure::new(parts.join("; ")).advice(
        "leave the bucket as it is: it keeps the older versions of its objects under its lock; docs/audit-log.md says \
         what each thing means",
    ))
}
