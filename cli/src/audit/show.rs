//! `audit show`: what a log says of one match.

use audit_verifier::Report;
use audit_verifier::lookup::{Found, Wanted, show};
use serde_json::json;
use symbolon_shared::domain::time::Timestamp;

use super::export::rows::Row;
use super::plural;
use super::progress::Progress;
use super::source::Source;
use super::view::with_text;
use crate::arguments::AuditShow;
use crate::failure::Failure;
use crate::print::Printer;
use crate::settings::Settings;

pub(super) async fn run(
    wanted: &AuditShow,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<(), Failure> {
    let sought = Wanted::parse(&wanted.wanted).ok_or_else(no_match)?;
    let source = Source::one(&wanted.log, settings).await?;
    let Source { place, region, keys } = &source;
    let progress = Progress::new();
    let told = progress.told();
    let shown = show(place.as_ref(), region, keys, &sought, told.as_ref()).await;
    progress.finish();
    let shown = shown.map_err(|error| place.explain(&error))?;
    let report = &shown.report;
    if printer.is_json() {
        let rows: Vec<Row<'_>> = shown.entries.iter().map(Row::from).collect();
        printer.json(&json!({
            "region": region,
            "proven": report.is_good(),
            "entries": rows,
            "findings": with_text(&report.findings),
        }))?;
    } else {
        shown.entries.iter().try_for_each(|found| entry(found, printer))?;
        let findings = &report.findings;
        findings
            .iter()
            .try_for_each(|finding| printer.line(&finding.to_string()))?;
        if report.is_good() && !shown.entries.is_empty() {
            printer.line("Proven: the chain in which this stands is whole.")?;
        }
    }
    judge(&shown.entries, report)
}

/// What was typed is not repeated: it may be a token.
fn no_match() -> Failure {
    Failure::usage("this is neither a match's id nor a commitment")
        .because("an id is 26 characters of a-z and 2-7, a commitment 64 digits of 0-9 and a-f")
        .advice("of a token take its first 26 characters: they are the match's id, and nothing secret")
}

fn judge(entries: &[Found], report: &Report) -> Result<(), Failure> {
    let region = &report.region;
    let faults = plural(report.findings.len(), "fault", "faults");
    match (entries.is_empty(), report.is_good()) {
        (false, true) => Ok(()),
        (false, false) => Err(Failure::new(format!(
            "what is shown is not proven: the chain in which it stands has {faults}"
        ))),
        (true, true) => Err(
            Failure::new(format!("the log of {region} says nothing of this match")).advice(
                "the log is a minute or so behind the match; is it the right deployment, and the right --log?",
            ),
        ),
        (true, false) => Err(Failure::new(format!(
            "the log of {region} says nothing of this match, and is not whole where it should: {faults}"
        ))),
    }
}

fn entry(found: &Found, printer: &mut Printer) -> Result<(), Failure> {
    let at = |millis: i64| Timestamp::from_millis(millis).to_rfc3339();
    let row = Row::from(found);
    let what = match row.invariant {
        Some(invariant) => format!("{}: {invariant} does not hold", row.event),
        None => row.event.to_owned(),
    };
    let mut pairs = vec![
        ("event", printer.mood(&what, row.invariant.is_none())),
        ("recorded", at(row.recorded_at)),
        ("object", found.object()),
        (
            "entry",
            format!("{} of it, {} of its chain", row.line, row.number),
        ),
        ("match", row.match_id.to_owned()),
    ];
    let mut also = |name, value: Option<String>| pairs.extend(value.map(|value| (name, value)));
    also("commitment", row.commitment.map(str::to_owned));
    also("made in", row.region.map(str::to_owned));
    also("made at", row.matched_at.map(at));
    also("key epoch", row.key_epoch.map(str::to_owned));
    also(
        "parameters",
        row.parameter_version.map(|version| format!("version {version}")),
    );
    also("kept until", row.expires_at.map(at));
    printer.pairs(&pairs)?;
    printer.line("")
}
