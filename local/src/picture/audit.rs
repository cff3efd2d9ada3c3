//! The audit log, as the verifier found it.

use super::canvas::{Canvas, Ink};
use super::numbers::{count, counted};
use crate::report::{HELD, Report};

pub(super) fn draw(canvas: &mut Canvas, report: &Report) {
    let audit = &report.audit;
    canvas.heading("Audit log");
    let minted = counted(audit.minted, "match minted", "matches minted");
    let entries = counted(audit.entries, "entry", "entries");
    let objects = counted(audit.objects, "signed object", "signed objects");
    let batches = counted(audit.batches, "batch", "batches");
    let again = count(audit.batches_again);
    let heads = counted(audit.heads_announced, "head", "heads");
    canvas.line(&format!(
        "  {minted}, in {entries} of {objects}; {heads} announced"
    ));
    canvas.line(&format!(
        "  from {batches} of the stream, {again} of them delivered twice"
    ));
    canvas.blank();
    if audit.verdict == HELD {
        canvas.paragraph(Ink::Good, 2, "verified: whole, and every match in it once");
    } else {
        canvas.paragraph(Ink::Bad, 2, &audit.verdict);
    }
}
