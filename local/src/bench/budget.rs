//! The budgets of design §12, applied to what was counted. An item is up to 1 KB, and nothing is lost on the way.

use super::report::{Counted, Figure, Row, Unit, as_f64};

/// Write units of an interest that rests: its submission and its entry, two each.
pub const RESTS: f64 = 4.0;
/// Write units of an interest that is filled by one other: its submission, the consumed entry, that one's submission
/// and the match, two each, and one for `toldAt`.
pub const FILLED_BY_ONE: f64 = 9.0;
/// Write units that each match on arrival adds: the consumed entry, its submission, the match.
pub const MATCH_ON_ARRIVAL: f64 = 6.0;
/// Write units of a match that a second look finds, the insertion of the one that looks included.
pub const SECOND_LOOK: f64 = 15.0;
/// Write units of a match that the look after a replace finds.
pub const FOUND_BY_LOOK: f64 = 11.0;
/// Write units of a cancel, and of a replace in place.
pub const CANCEL_OR_IN_PLACE: f64 = 6.0;
/// Write units of a replace anew.
pub const REPLACE_ANEW: f64 = 8.0;
/// Write units of a message that is known already.
pub const DUPLICATE: f64 = 0.0;
/// Read units of a message that is seen for the first time, or again: its submission.
pub const OWN_SUBMISSION: f64 = 1.0;
/// Queries of a book for a batch: one before the write, one after it.
pub const QUERIES_PER_BOOK: f64 = 2.0;
/// Messages in one send request at least: 0.25 requests for each message.
pub const MESSAGES_PER_SEND: f64 = 4.0;
/// Of units and requests per interest, from a book of 100 to one of 100,000.
pub const GROWTH_PERCENT: f64 = 5.0;
/// Processor time from the start of the process to its first poll, without the network.
pub const COLD_START_MILLIS: f64 = 15.0;
/// KMS calls until the first batch is answered.
pub const KMS_CALLS: f64 = 1.0;
/// Zipped bootstrap.
pub const ZIPPED_BYTES: f64 = 5e6;
/// Resident memory on a batch of 1,000.
pub const RESIDENT_BYTES: f64 = 32e6;

/// On the recorded morning: 4 write units for each interest, 6 for each cancel, 7 for each match.
#[must_use]
pub fn recorded_write_units(interests: u64, cancels: u64, matches: u64) -> f64 {
    RESTS * as_f64(interests)
        + CANCEL_OR_IN_PLACE * as_f64(cancels)
        + (MATCH_ON_ARRIVAL + 1.0) * as_f64(matches)
}

/// Write units for each interest.
#[must_use]
pub fn write_units(counted: &Counted, most: f64) -> Figure {
    let value = counted.per_interest(counted.spent.write_units());
    Figure::new("write units per interest", value, Unit::Count).at_most(most)
}

/// Read units for each interest, the queries left out.
#[must_use]
pub fn read_units(counted: &Counted) -> Figure {
    let value = counted.per_interest(counted.spent.read_units_beside_queries());
    Figure::new("read units per interest beside queries", value, Unit::Count).at_most(OWN_SUBMISSION)
}

/// Queries for each batch that looks into so many books.
#[must_use]
pub fn queries(counted: &Counted, batches: u64, books: f64) -> Figure {
    let value = as_f64(counted.spent.queries()) / as_f64(batches.max(1));
    Figure::new("queries per batch", value, Unit::Count).at_most(QUERIES_PER_BOOK * books)
}

/// How well messages are batched; nothing when nothing was published.
#[must_use]
pub fn messages_per_send(counted: &Counted) -> Option<Figure> {
    let value = counted.messages_per_send()?;
    Some(Figure::new("messages per send request", value, Unit::Count).at_least(MESSAGES_PER_SEND))
}

/// How far requests and units per interest of these rows, which are alike but for their books, are from the first's.
#[must_use]
pub fn growth(case: &str, rows: &[Row]) -> Row {
    let counted: Vec<&Counted> = rows.iter().filter_map(|row| row.counted.as_ref()).collect();
    let grown = |what: &str, of: fn(&Counted) -> f64| {
        let values: Vec<f64> = counted
            .iter()
            .map(|counted| counted.per_interest(of(counted)))
            .collect();
        let first = values.first().copied().unwrap_or_default();
        let furthest = values
            .iter()
            .map(|value| (value - first).abs())
            .fold(0.0, f64::max);
        // Nothing that stays nothing has not grown. (The sum of no numbers is −0.)
        let percent = if furthest > 0.0 {
            100.0 * furthest / first.abs()
        } else {
            0.0
        };
        Figure::new(format!("{what} per interest"), percent, Unit::Percent).at_most(GROWTH_PERCENT)
    };
    let figures = vec![
        grown("requests", Counted::requests),
        grown("write units", |counted| counted.spent.write_units()),
        grown("read units", |counted| counted.spent.read_units()),
    ];
    Row::of(format!("{case}: growth with the book"), figures)
}
