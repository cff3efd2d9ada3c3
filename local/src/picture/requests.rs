//! What the matcher asked of AWS.

use comfy_table::{
    CellAlignment, ColumnConstraint, ContentArrangement, ContentLineStyle, LineStyle, Table, TableStyle,
};
use rust_decimal::Decimal;

use super::canvas::{Canvas, Ink, printable};
use super::numbers::{aligned, measured, per, with_places};
use crate::platform::meter::OperationCount;
use crate::report::Report;

const INDENT: usize = 2;

const TITLES: [&str; 4] = ["operation", "requests", "read units", "write units"];

/// The last rows.
const RESULTS: [&str; 2] = ["total", "per interest"];

/// Only a line below the titles.
const LINES: TableStyle = TableStyle::new()
    .header_lines(ContentLineStyle::none())
    .header_separator(LineStyle::none().fill('─').junction('─'))
    .content_lines(ContentLineStyle::none());

/// The operations that send messages.
const SENDS: [&str; 2] = ["sqs:SendMessage", "sqs:SendMessageBatch"];

pub(super) fn draw(canvas: &mut Canvas, report: &Report) {
    canvas.heading("What the matcher asked of AWS");
    if report.aws.is_empty() {
        canvas.paragraph(Ink::Faint, INDENT, "nothing");
        return;
    }
    let table = table(&Figures::of(report), canvas.width() - INDENT);
    let lines: Vec<_> = table.lines().collect();
    let (titles, lines) = lines.split_at(lines.len().min(2));
    let (operations, results) = lines.split_at(lines.len().saturating_sub(RESULTS.len()));
    let rule = titles.get(1..).unwrap_or_default();
    let parts = [
        (Some(Ink::Faint), titles),
        (None, operations),
        (Some(Ink::Faint), rule),
        (Some(Ink::Strong), results),
    ];
    for (ink, lines) in parts {
        for line in lines {
            let line = ink.map_or_else(|| line.clone(), |ink| canvas.ink(ink, line.trim_end()));
            canvas.line(&format!("{:INDENT$}{line}", ""));
        }
    }
    sends(canvas, report);
}

/// The cells, column by column: the operations, then their sum, then the sum for one interest.
struct Figures {
    operations: Vec<String>,
    numbers: [Vec<String>; 3],
}

impl Figures {
    fn of(report: &Report) -> Self {
        let names = report.aws.keys().map(|name| printable(name));
        let operations = names.chain(RESULTS.map(str::to_owned)).collect();
        let column = |of: fn(&OperationCount) -> Decimal| column(report, of);
        Self {
            operations,
            numbers: [
                column(|asked| Decimal::from(asked.requests)),
                column(|asked| measured(asked.read_units).unwrap_or_default()),
                column(|asked| measured(asked.write_units).unwrap_or_default()),
            ],
        }
    }
}

fn column(report: &Report, of: fn(&OperationCount) -> Decimal) -> Vec<String> {
    let numbers = report.aws.values().map(of);
    let total = numbers.clone().fold(Decimal::ZERO, Decimal::saturating_add);
    // Units come in halves: an eventually consistent read of up to 4 KiB takes half a one.
    let shown = |number: Decimal| with_places(number, u32::from(!number.is_integer()));
    // Most operations have only one kind of units: noughts would hide the figures.
    let cells = numbers.map(|number| {
        if number.is_zero() {
            String::new()
        } else {
            shown(number)
        }
    });
    let cells: Vec<_> = cells
        .chain([shown(total), per(total, report.interests)])
        .collect();
    aligned(&cells)
}

fn table(figures: &Figures, width: usize) -> Table {
    let mut table = Table::new();
    table
        .force_no_tty()
        .load_style(LINES)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(width).unwrap_or(u16::MAX))
        .set_header(TITLES);
    let [requests, read, write] = &figures.numbers;
    let numbers = requests.iter().zip(read).zip(write);
    for (operation, ((requests, read), write)) in figures.operations.iter().zip(numbers) {
        table.add_row([operation, requests, read, write]);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 1));
    }
    // Where the room is short, names break into lines; numbers never do.
    for column in table.column_iter_mut().skip(1) {
        column.set_padding((3, 0));
        column.set_constraint(ColumnConstraint::ContentWidth);
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// How well messages are batched.
fn sends(canvas: &mut Canvas, report: &Report) {
    let sends = SENDS
        .iter()
        .filter_map(|name| report.aws.get(*name))
        .map(|asked| asked.requests);
    let sends = per(Decimal::from(sends.sum::<u64>()), report.messages_published);
    canvas.blank();
    canvas.paragraph(
        Ink::Faint,
        INDENT,
        &format!("{sends} SQS send requests per published message"),
    );
}
