//! The one table that a bench prints.

use comfy_table::{
    Cell, CellAlignment, ColumnConstraint, ContentArrangement, ContentLineStyle, LineStyle, Row as Line,
    Table, TableStyle,
};

use super::report::{BenchReport, Counted, Figure, Limit, Row, Unit};

/// Where there is nothing to say.
const NONE: &str = "";

/// Only a line below the titles.
const LINES: TableStyle = TableStyle::new()
    .header_lines(ContentLineStyle::none())
    .header_separator(LineStyle::none().fill('─').junction('─'))
    .content_lines(ContentLineStyle::none());

/// Operations that have a column: its title, and what is counted in it.
const OPERATIONS: [(&str, &str); 5] = [
    ("get", "BatchGetItem"),
    ("query", "Query"),
    ("trans-\nact", "TransactWriteItems"),
    ("up-\ndate", "UpdateItem"),
    ("send", "SendMessageBatch"),
];

/// The columns behind the case: counts, requests for each interest by operation and in all, units for each interest,
/// requests and units for each match.
const TITLES: [&str; 12] = [
    "book",
    "inter-\nests",
    "match-\nes",
    "else",
    "all\nrequests",
    "write\nunits",
    "read\nunits",
    "requests\n/match",
    "write\n/match",
    "read\n/match",
    "told\n/send",
    "figures, with their budgets",
];
/// Behind these come the operations.
const COUNTS: usize = 3;

/// Draws the table, as wide as it is when `width` is `None`.
#[must_use]
pub fn render(report: &BenchReport, width: Option<u16>) -> String {
    let mut table = Table::new();
    table.force_no_tty().load_style(LINES).set_header(header());
    if let Some(width) = width {
        table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width);
    }
    for row in &report.rows {
        table.add_row(line(row));
    }
    let last = table.column_count() - 1;
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 1));
        if index > 0 && index < last {
            column.set_cell_alignment(CellAlignment::Right);
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    format!("{}\n\n{}\n", lines.join("\n"), verdict(report))
}

fn header() -> Line {
    let (counts, rest) = TITLES.split_at(COUNTS);
    let operations = OPERATIONS.iter().map(|(title, _)| *title);
    let titles = ["case"]
        .into_iter()
        .chain(counts.iter().copied())
        .chain(operations)
        .chain(rest.iter().copied());
    titles.map(Cell::new).collect::<Vec<_>>().into()
}

fn line(row: &Row) -> Line {
    let mut cells = vec![
        row.case.clone(),
        row.book
            .map_or_else(String::new, |book| grouped(&book.to_string())),
    ];
    match &row.counted {
        Some(counted) => cells.extend(counts(counted)),
        None => cells.extend(std::iter::repeat_n(
            NONE.to_owned(),
            TITLES.len() + OPERATIONS.len() - 2,
        )),
    }
    cells.push(match &row.skipped {
        Some(why) => format!("skipped: {why}"),
        None => row.figures.iter().map(shown).collect::<Vec<_>>().join("\n"),
    });
    cells.into_iter().map(Cell::new).collect::<Vec<_>>().into()
}

fn counts(counted: &Counted) -> Vec<String> {
    let spent = &counted.spent;
    let each = |requests: f64| small(counted.per_interest(requests));
    let of = |name: &str| super::report::as_f64(spent.requests_of(name));
    let operations: Vec<f64> = OPERATIONS.iter().map(|(_, name)| of(name)).collect();
    let rest = counted.requests() - operations.iter().sum::<f64>();
    let per_match = |amount: f64| counted.per_match(amount).map_or_else(String::new, small);
    let mut cells = vec![
        grouped(&counted.interests.to_string()),
        grouped(&counted.matches.to_string()),
    ];
    cells.extend(operations.into_iter().map(each));
    cells.extend([
        each(rest),
        each(counted.requests()),
        each(spent.write_units()),
        each(spent.read_units()),
        per_match(counted.requests()),
        per_match(spent.write_units()),
        per_match(spent.read_units()),
        counted.messages_per_send().map_or_else(String::new, small),
    ]);
    cells
}

/// `write units per interest: 4, at most 4 ✓`.
fn shown(figure: &Figure) -> String {
    let amount = |value| amount(value, figure.unit);
    let spread = figure.spread.map_or_else(String::new, |[least, most]| {
        format!(" ({} to {})", amount(least), amount(most))
    });
    let limit = match figure.limit {
        Some(Limit::AtMost(most)) => format!(", at most {}", amount(most)),
        Some(Limit::AtLeast(least)) => format!(", at least {}", amount(least)),
        None => String::new(),
    };
    let mark = match (figure.within(), figure.is_asserted()) {
        (Some(true), _) => " ✓",
        (Some(false), true) => " ✗ OVER BUDGET",
        (Some(false), false) => " ✗ over",
        (None, _) => NONE,
    };
    format!("{}: {}{spread}{limit}{mark}", figure.what, amount(figure.value))
}

fn amount(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Count => small(value),
        Unit::Millis => format!("{} ms", small(value)),
        Unit::Bytes => format!("{:.2} MB", value / 1e6),
        Unit::Percent => format!("{} %", small(value)),
    }
}

/// Whole numbers from a thousand on, two places above one, three below; no noughts behind.
fn small(value: f64) -> String {
    let text = match value.abs() {
        1_000.0.. => return grouped(&format!("{value:.0}")),
        1.0.. => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    };
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Thousands apart.
pub(super) fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn verdict(report: &BenchReport) -> String {
    let over: Vec<String> = report
        .over()
        .map(|(case, figure)| format!("  {case}: {}", shown(figure)))
        .collect();
    if over.is_empty() {
        "Every budget is kept. Times are shown and not asserted.".to_owned()
    } else {
        format!("Over budget:\n{}", over.join("\n"))
    }
}
