//! The bench on small numbers: what it counts is exact, so it is asserted to the unit. And its small parts.

use std::collections::BTreeMap;

use super::report::{BenchReport, Counted, Figure, Row, Unit};
use super::spent::Spent;
use super::*;
use crate::platform::meter::OperationCount;

const SMALL: Scale = Scale {
    books: Vec::new(),
    batch_size: 24,
    batches: 1,
    counterparties: 12,
};

fn nobody(_: &str) {}

/// The row of this case and book, which must be there.
fn row<'a>(rows: &'a [Row], case: &str, book: Option<u64>) -> &'a Row {
    let mut wanted = rows.iter().filter(|row| row.case == case && row.book == book);
    wanted.next().unwrap_or_else(|| panic!("no row {case}"))
}

/// Requests, write units and read units.
fn spent(row: &Row) -> (u64, f64, f64) {
    let spent = &row.counted.as_ref().unwrap().spent;
    (spent.requests(), spent.write_units(), spent.read_units())
}

/// Units do not wobble: a difference of one half is a difference.
#[tokio::test]
async fn a_quick_bench_counts_every_request_and_unit() {
    let scale = Scale {
        books: vec![100, 400],
        ..SMALL
    };
    let rows = flow(&scale, &nobody).await.unwrap();
    for (case, expected) in [
        ("an interest that rests", (4, 4.0, 3.0)),
        ("an interest filled by one other", (6, 9.0, 2.0)),
        ("an interest filled by five others", (6, 33.0, 2.0)),
        (
            "an interest filled by ten others, its submission above 1 KB",
            (6, 66.0, 2.0),
        ),
        ("a second look that finds a match", (6, 11.0, 2.0)),
        ("a cancel", (3, 6.0, 2.0)),
        ("a replace in place", (4, 6.0, 3.0)),
        ("a replace anew", (4, 8.0, 3.0)),
        ("a replace anew whose look finds a match", (7, 19.0, 3.0)),
        ("a duplicate of what rests", (2, 0.0, 2.0)),
        ("a duplicate of what is filled and told", (1, 0.0, 1.0)),
    ] {
        assert_eq!(spent(row(&rows, case, None)), expected, "{case}");
    }
    for book in [Some(100), Some(400)] {
        // 24 keys read, 4 queries of nothing, 48 actions in one transaction.
        assert_eq!(
            spent(row(&rows, growth::RESTING, book)),
            (6, 96.0, 28.0),
            "{book:?}"
        );
        // 24 keys, a page of a hundred entries, 96 actions in one transaction, 24 marks, a request for each inbox.
        let filled = row(&rows, growth::MATCHING, book);
        let (requests, write_units, _) = spent(filled);
        assert_eq!((requests, write_units), (1 + 1 + 1 + 24 + 12, 216.0), "{book:?}");
        assert_eq!(filled.counted.as_ref().unwrap().matches, 24);
    }
    let report = BenchReport { rows };
    assert_eq!(report.over().map(|(case, _)| case).collect::<Vec<_>>(), [""; 0]);
    let budgets = report.rows.iter().flat_map(|row| &row.figures);
    assert!(budgets.filter(|figure| figure.within() == Some(true)).count() > 25);
    picture::render(&report).unwrap();
}

/// Of a case that takes this much for each of ten interests.
fn counted(write_units: f64, requests: u64) -> Counted {
    let count = OperationCount {
        requests: 10 * requests,
        read_units: 0.0,
        write_units: 10.0 * write_units,
    };
    let after = BTreeMap::from([("dynamodb:TransactWriteItems".to_owned(), count)]);
    Counted {
        interests: 10,
        spent: Spent::between(&BTreeMap::new(), &after),
        ..Counted::default()
    }
}

fn report(figure: Figure) -> BenchReport {
    BenchReport {
        rows: vec![Row::of("a case", vec![figure])],
    }
}

#[test]
fn what_is_over_its_budget_makes_the_whole_red() {
    for (write_units, within) in [(3.9, true), (4.0, true), (4.1, false)] {
        let report = report(budget::write_units(&counted(write_units, 1), budget::RESTS));
        assert_eq!(report.within(), within, "{write_units}");
        let table = table::render(&report, None);
        assert_eq!(table.contains("OVER BUDGET"), !within, "{table}");
        assert_eq!(table.contains("Every budget is kept."), within, "{table}");
    }
    for (sends, within) in [(3.9, false), (4.0, true)] {
        let figure = Figure::new("messages", sends, Unit::Count).at_least(budget::MESSAGES_PER_SEND);
        assert_eq!(report(figure).within(), within, "{sends}");
    }
}

#[test]
fn as_json_the_verdict_comes_with_what_an_interest_takes() {
    let row = Row::counted("a case", Some(7), counted(4.0, 2));
    let kept = row.with([budget::write_units(&counted(4.0, 2), budget::RESTS)]);
    let json = serde_json::to_value(BenchReport { rows: vec![kept] }).unwrap();
    assert_eq!(json["within"], true);
    let counted = &json["rows"][0]["counted"];
    assert_eq!(counted["perInterest"]["writeUnits"], 4.0);
    assert_eq!(counted["perInterest"]["requests"], 2.0);
    assert_eq!(counted["spent"]["dynamodb:TransactWriteItems"]["requests"], 20);
    assert!(counted["perMatch"].is_null(), "nothing was matched");
}

#[test]
fn a_time_is_shown_beside_its_budget_and_not_asserted() {
    let slow = Figure::median("start", vec![30.0, 10.0, 20.0, 40.0], Unit::Millis).unwrap();
    assert_eq!((slow.value, slow.spread), (25.0, Some([10.0, 40.0])));
    let report = report(slow.at_most(budget::COLD_START_MILLIS));
    assert!(report.within());
    let table = table::render(&report, None);
    assert!(
        table.contains("25 ms (10 ms to 40 ms), at most 15 ms ✗ over"),
        "{table}"
    );
    let large = Figure::new("zipped", budget::ZIPPED_BYTES + 1.0, Unit::Bytes).at_most(budget::ZIPPED_BYTES);
    assert!(!self::report(large).within());
}

#[test]
fn growth_of_more_than_a_twentieth_is_over() {
    let rows = |units: [f64; 2], requests: [u64; 2]| {
        [0, 1].map(|n| Row::counted("case", Some(n as u64), counted(units[n], requests[n])))
    };
    for (units, requests, over) in [
        ([4.0, 4.0], [1, 1], 0),
        ([4.0, 4.19], [1, 1], 0),
        ([4.0, 4.21], [1, 1], 1),
        // Shrinking is as unexpected.
        ([4.0, 3.79], [1, 1], 1),
        ([4.0, 4.0], [1, 2], 1),
        ([0.0, 1.0], [0, 1], 2),
    ] {
        let report = BenchReport {
            rows: vec![budget::growth("case", &rows(units, requests))],
        };
        assert_eq!(report.over().count(), over, "{units:?} {requests:?}");
    }
}

#[test]
fn the_recorded_budget_is_by_interest_cancel_and_match() {
    let budget = budget::recorded_write_units(10, 3, 2);
    assert!((budget - (40.0 + 18.0 + 14.0)).abs() < 1e-9);
}

#[tokio::test]
async fn order_flow_that_is_not_there_is_said_and_skipped() {
    for (file, word) in [
        (None, "no --order-flow FILE was given"),
        (Some("/no/such/file"), "is not there"),
    ] {
        let row = recorded::row(file.map(std::path::Path::new), &SMALL)
            .await
            .unwrap();
        assert!(row.skipped.as_ref().unwrap().contains(word));
        let report = BenchReport { rows: vec![row] };
        assert!(report.within() && table::render(&report, None).contains(word));
    }
}

#[test]
fn the_picture_shows_both_cases_with_titled_axes_on_its_own_paper() {
    let case = |case: &str| [100, 10_000].map(|book| Row::counted(case, Some(book), counted(4.0, 1)));
    let report = BenchReport {
        rows: [case(growth::RESTING), case(growth::MATCHING)].concat(),
    };
    let svg = picture::render(&report).unwrap();
    for text in [
        growth::RESTING,
        growth::MATCHING,
        "interests at rest in the book (log scale)",
        "for each interest",
        "write units: 4.00",
        "10,000",
    ] {
        assert!(svg.contains(text), "{text}");
    }
    let (_, first) = svg.split_once("<rect ").unwrap();
    let paper = first.split_once("/>").unwrap().0;
    for whole in ["width=\"960\"", "height=\"440\"", "fill=\"#FFFFFF\""] {
        assert!(paper.contains(whole), "{paper}");
    }
    let one_book = BenchReport {
        rows: report
            .rows
            .iter()
            .filter(|row| row.book == Some(100))
            .cloned()
            .collect(),
    };
    assert!(matches!(
        picture::render(&one_book),
        Err(picture::PictureError::NothingToDraw)
    ));
}

#[test]
fn the_table_fits_a_width_and_says_what_was_skipped() {
    let rows = vec![
        Row::counted("interests", Some(10_000), counted(4.0, 1)),
        Row::skipped("instructions", "valgrind is not installed here"),
    ];
    let table = table::render(&BenchReport { rows }, Some(160));
    assert!(table.lines().all(|line| line.chars().count() <= 160), "{table}");
    assert!(
        table.contains("10,000") && table.contains("skipped: valgrind"),
        "{table}"
    );
}
