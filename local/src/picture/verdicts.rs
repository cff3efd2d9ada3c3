//! The invariants, one by one, and what they come to.

use super::canvas::{Canvas, Ink, printable};
use super::numbers::{counted, many};
use crate::report::{HELD, Report};

pub(super) fn draw(canvas: &mut Canvas, report: &Report) {
    canvas.heading("Invariants");
    for (name, verdict) in &report.invariants {
        verdict_of(canvas, &printable(name), verdict);
    }
    canvas.blank();
    let (ink, conclusion) = conclusion(report);
    canvas.paragraph(ink, 2, &conclusion);
}

fn verdict_of(canvas: &mut Canvas, name: &str, verdict: &str) {
    if verdict == HELD {
        let mark = canvas.ink(Ink::Good, "✓");
        canvas.line(&format!("  {mark} {name}"));
    } else {
        let mark = canvas.ink(Ink::Bad, "✗");
        let name = canvas.ink(Ink::Strong, name);
        canvas.line(&format!("  {mark} {name}"));
        canvas.paragraph(Ink::Bad, 6, verdict);
    }
}

fn conclusion(report: &Report) -> (Ink, String) {
    let checked = many(report.invariants.len());
    let broken = report
        .invariants
        .values()
        .filter(|verdict| *verdict != HELD)
        .count();
    match (checked, broken) {
        // Nothing checked is nothing shown.
        (0, _) => (Ink::Bad, "no invariant was checked".to_owned()),
        (_, 0) => (
            Ink::Good,
            format!("all {} held", counted(checked, "invariant", "invariants")),
        ),
        _ => (
            Ink::Bad,
            format!(
                "{broken} of {} broke",
                counted(checked, "invariant", "invariants")
            ),
        ),
    }
}
