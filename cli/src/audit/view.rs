//! How the verdict on a log is shown.

use std::fmt::Display;
use std::path::Path;

use audit_verifier::format::CHAINS;
use audit_verifier::{Comparison, Finding, Report, Unproven};
use serde::Serialize;
use serde_json::{Value, json};

use super::plural;
use crate::failure::Failure;
use crate::print::Printer;

/// Columns of a sentence.
const COLUMNS: usize = 80;

/// A log that was verified.
pub(super) struct Verified<'a> {
    pub(super) report: &'a Report,
    pub(super) place: String,
}

/// Everything that was found.
pub(super) struct Verdict<'a> {
    pub(super) logs: Vec<Verified<'a>>,
    pub(super) comparison: Option<&'a Comparison>,
    /// What is wrong with the copies of heads in each other's buckets.
    pub(super) copies: &'a [Finding],
    /// Where the heads are kept now.
    pub(super) remembered: Option<&'a Path>,
}

impl Verdict<'_> {
    pub(super) fn is_good(&self) -> bool {
        self.logs.iter().all(|log| log.report.is_good())
            && self.comparison.is_none_or(|it| it.findings.is_empty())
            && self.copies.is_empty()
    }
}

/// Each as it is, with what it means in words.
pub(super) fn with_text<T: Serialize + Display>(all: &[T]) -> Value {
    let with = |one: &T| {
        let mut value = json!(one);
        value["text"] = one.to_string().into();
        value
    };
    all.iter().map(with).collect()
}

pub(super) fn verdict(verdict: &Verdict<'_>, printer: &mut Printer) -> Result<(), Failure> {
    if printer.is_json() {
        return printer.json(&as_json(verdict));
    }
    for log in &verdict.logs {
        one_log(log, printer)?;
    }
    let compared = verdict.comparison.iter().flat_map(|it| &it.findings);
    for finding in verdict.copies.iter().chain(compared) {
        printer.line(&finding.to_string())?;
    }
    if let Some(comparison) = verdict.comparison.filter(|_| verdict.is_good()) {
        let all_due = comparison.unproven.is_empty();
        let waiting = if all_due {
            ""
        } else {
            ", as far as it is due in both"
        };
        printer.line(&format!("Both logs say the same of every match{waiting}."))?;
    }
    not_ruled_out(verdict, printer)?;
    match verdict.remembered {
        Some(file) => printer.line(&format!("The heads are kept in {}.", file.display())),
        None => Ok(()),
    }
}

fn not_ruled_out(verdict: &Verdict<'_>, printer: &mut Printer) -> Result<(), Failure> {
    let mut is_cut_possible = false;
    for Verified { report, .. } in &verdict.logs {
        for unproven in &report.unproven {
            let text = format!("Not ruled out of {}: {unproven}.", report.region);
            printer.text(&wrapped(&text))?;
            is_cut_possible |= matches!(unproven, Unproven::TailCut { .. });
        }
        if remembered_chains(report) > 0 && report.is_good() {
            let region = &report.region;
            printer.text(&wrapped(&format!(
                "Not ruled out of {region}: that what came after the remembered heads was cut off, and one of them put back."
            )))?;
        }
    }
    for unproven in verdict.comparison.iter().flat_map(|it| &it.unproven) {
        printer.text(&wrapped(&format!("Not ruled out: {unproven}.")))?;
    }
    if is_cut_possible && verdict.remembered.is_none() {
        return printer
            .line("  Heads that are kept with --remember, or the other region's bucket, rule it out.");
    }
    Ok(())
}

/// Lines of a sentence, those after the first a little further in.
fn wrapped(sentence: &str) -> String {
    let (mut text, mut column) = (String::new(), 0);
    for word in sentence.split(' ') {
        let width = word.chars().count();
        if column > 0 && column + 1 + width > COLUMNS {
            text.push_str("\n  ");
            column = 2;
        } else if column > 0 {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += width;
    }
    text + "\n"
}

fn one_log(log: &Verified<'_>, printer: &mut Printer) -> Result<(), Failure> {
    let Report {
        region,
        findings,
        objects,
        entries,
        minted,
        ..
    } = log.report;
    let state = match findings.len() {
        0 => "whole".to_owned(),
        faults => format!("not whole: {}", plural(faults, "fault", "faults")),
    };
    let mut pairs = vec![
        ("log", format!("of {region}, in {}", log.place)),
        (
            "holds",
            format!("{entries} entries in {objects} objects; {minted} matches minted"),
        ),
        ("ends", ends(log.report)),
        ("state", printer.mood(&state, findings.is_empty())),
    ];
    for (invariant, times) in &log.report.broken {
        let times = if *times == 1 {
            "once".to_owned()
        } else {
            format!("{times} times")
        };
        let says = format!("the log itself says {times} that {invariant} does not hold");
        pairs.push(("broken", printer.mood(&says, false)));
    }
    printer.pairs(&pairs)?;
    findings
        .iter()
        .try_for_each(|finding| printer.line(&finding.to_string()))
}

/// How many chains somebody remembers a head of.
fn remembered_chains(report: &Report) -> usize {
    let unproven = report.unproven.iter().map(|it| match it {
        Unproven::TailCut { chains } => chains.len(),
        Unproven::StillOnTheirWay { .. } => 0,
    });
    usize::from(CHAINS) - unproven.sum::<usize>()
}

fn ends(report: &Report) -> String {
    match remembered_chains(report) {
        0 => "no head is remembered".to_owned(),
        known => format!("{known} of {CHAINS} chains were held against remembered heads"),
    }
}

fn as_json(verdict: &Verdict<'_>) -> Value {
    let logs = verdict.logs.iter().map(|log| {
        let report = log.report;
        json!({
            "region": report.region,
            "in": log.place,
            "whole": report.is_good(),
            "objects": report.objects,
            "entries": report.entries,
            "bytes": report.bytes,
            "minted": report.minted,
            "broken": report.broken,
            "findings": with_text(&report.findings),
            "unproven": with_text(&report.unproven),
        })
    });
    let comparison = verdict
        .comparison
        .map(|it| json!({ "findings": with_text(&it.findings), "unproven": with_text(&it.unproven) }));
    json!({
        "whole": verdict.is_good(),
        "logs": logs.collect::<Vec<_>>(),
        "comparison": comparison,
        "copiesOfHeads": with_text(verdict.copies),
        "remembered": verdict.remembered.map(|file| file.display().to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_keep_to_eighty_columns_and_lose_no_word() {
        for sentence in [
            "short.".to_owned(),
            "word ".repeat(40) + "end.",
            "x".repeat(100) + " y",
        ] {
            let text = wrapped(&sentence);
            let words: Vec<&str> = text.split_whitespace().collect();
            assert_eq!(words, sentence.split(' ').collect::<Vec<_>>());
            let long = |line: &&str| line.len() > COLUMNS && line.contains(' ');
            assert_eq!(text.lines().filter(long).count(), 0, "{text}");
        }
    }
}
