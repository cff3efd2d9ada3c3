//! Recorded order flow, replayed as `replay` does: what the mix of a market costs.

use std::collections::HashSet;
use std::path::Path;

use super::budget;
use super::report::{Counted, Figure, Row, Unit, as_f64};
use super::spent::Spent;
use super::{BenchError, Scale};
use crate::order_flow::plan::Disorder;
use crate::order_flow::{Action, OrderFlow, ReadOptions, read};
use crate::progress::Progress;
use crate::report::{HELD, Report};
use crate::run::run;

pub(super) const CASE: &str = "recorded order flow";

/// Each message once, as recorded.
const IN_ORDER: Disorder = Disorder {
    duplicates: 0.0,
    shuffle: 0,
    stream_duplicates: 0.0,
    seed: 1,
};

/// The row of the file, or one that says why there is none.
pub(super) async fn row(file: Option<&Path>, scale: &Scale) -> Result<Row, BenchError> {
    let Some(file) = file else {
        return Ok(Row::skipped(CASE, "no --order-flow FILE was given"));
    };
    if !file.exists() {
        return Ok(Row::skipped(CASE, "the file of --order-flow is not there"));
    }
    let options = ReadOptions {
        counterparties: scale
            .counterparties
            .try_into()
            .unwrap_or(std::num::NonZeroU32::MIN),
        symbol: None,
    };
    let flow = read(file, &options)?;
    let cancels = cancels(&flow);
    let progress = Progress::new(flow.events.len() as u64, true);
    let (report, _) = run(flow, CASE, scale.counterparties, &IN_ORDER, &progress).await?;
    progress.finish();
    Ok(judged(&report, cancels))
}

fn cancels(flow: &OrderFlow) -> u64 {
    let cancels = flow.events.iter().filter_map(|event| match &event.action {
        Action::Cancel { cl_ord_id, .. } => Some((event.counterparty, cl_ord_id)),
        Action::Interest { .. } => None,
    });
    cancels.collect::<HashSet<_>>().len() as u64
}

fn judged(report: &Report, cancels: u64) -> Row {
    let counted = Counted {
        interests: report.interests,
        matches: report.matches,
        published: report.messages_published,
        spent: Spent::between(&std::collections::BTreeMap::new(), &report.aws),
    };
    let budget = budget::recorded_write_units(report.interests, cancels, report.matches);
    let broken = report
        .invariants
        .values()
        .filter(|verdict| *verdict != HELD)
        .count();
    let figures = [
        Figure::new("write units of it all", counted.spent.write_units(), Unit::Count).at_most(budget),
        Figure::new("cancels among the messages", as_f64(cancels), Unit::Count),
        Figure::new("broken invariants", as_f64(broken as u64), Unit::Count).at_most(0.0),
    ];
    let sends = budget::messages_per_send(&counted);
    Row::counted(CASE, None, counted).with(figures).with(sends)
}
