//! The figures: on the left what came of the interests, on the right what the machinery did.

use rust_decimal::Decimal;

use super::canvas::{Canvas, width_of};
use super::numbers::{NONE, aligned, count, grouped, measured, with_places};
use crate::report::{Picture, Report};

const INDENT: usize = 2;
const GAP: usize = 4;

pub(super) fn draw(canvas: &mut Canvas, report: &Report, picture: &Picture) {
    canvas.heading("What happened");
    let left = column(&market(report, picture));
    let right = column(&machinery(report));
    let lines = side_by_side(&left, &right, canvas.width() - INDENT);
    for line in lines.unwrap_or_else(|| [left, right].concat()) {
        canvas.line(&format!("{:INDENT$}{line}", ""));
    }
}

/// The right column begins where a seller's box does, or further right if the left one demands it; none when there
/// is not room enough.
fn side_by_side(left: &[String], right: &[String], width: usize) -> Option<Vec<String>> {
    let widest = |column: &[String]| column.iter().map(|line| width_of(line)).max().unwrap_or_default();
    let start = (width / 2 + INDENT / 2).max(widest(left) + GAP);
    let joined = |(left, right)| format!("{left:<start$}{right}");
    (start + widest(right) <= width).then(|| left.iter().zip(right).map(joined).collect())
}

type Figure = (String, String);

fn figure(label: &str, number: String) -> Figure {
    (label.to_owned(), number)
}

fn market(report: &Report, picture: &Picture) -> [Figure; 7] {
    [
        figure("Interests", count(report.interests)),
        figure("Matches", count(report.matches)),
        figure("Matched quantity", grouped(&report.matched_qty)),
        (notional_label(picture), grouped(&report.notional)),
        figure("Cancelled", count(report.cancelled)),
        figure("Resting", count(report.resting)),
        figure("Resting quantity", grouped(&report.resting_qty)),
    ]
}

fn machinery(report: &Report) -> [Figure; 7] {
    [
        figure("Cancels waiting", count(report.cancels_waiting)),
        figure("Cancels too late", count(report.too_late_to_cancel)),
        figure("Rejected", count(report.rejected)),
        figure("Events ignored", count(report.ignored)),
        figure("Messages published", count(report.messages_published)),
        figure("Messages per second", rate(report)),
        figure("Duplicates delivered", count(report.duplicates_delivered)),
    ]
}

/// With its currency, which the messages of matches name.
fn notional_label(picture: &Picture) -> String {
    let message = picture.matches.first().map(|seen| &seen.buyer_message);
    let currency = message.and_then(|message| message["currency"].as_str());
    currency.map_or_else(
        || "Notional".to_owned(),
        |currency| format!("Notional, {currency}"),
    )
}

fn rate(report: &Report) -> String {
    let seconds = measured(report.seconds);
    let rate = seconds.and_then(|seconds| Decimal::from(report.messages_published).checked_div(seconds));
    rate.map_or_else(|| NONE.to_owned(), |rate| with_places(rate, 0))
}

fn column(figures: &[Figure]) -> Vec<String> {
    let label_width = figures.iter().map(|(label, _)| width_of(label)).max();
    let label_width = label_width.unwrap_or_default();
    let numbers: Vec<_> = figures.iter().map(|(_, number)| number.clone()).collect();
    let lines = figures.iter().zip(aligned(&numbers));
    lines
        .map(|((label, _), number)| format!("{label:<label_width$}  {}", number.trim_end()))
        .collect()
}
