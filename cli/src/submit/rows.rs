//! From a file to messages: each line a message that the matcher's own parser takes.

use std::collections::HashMap;

use serde_json::{Map, Value};
use symbolon_shared::domain::identifiers::ClOrdId;
use symbolon_shared::domain::intake::{BodyHash, Member, parse_body};
use symbolon_shared::domain::limits::MAX_MESSAGE_BYTES;

use super::explain;
use super::input::Input;
use crate::arguments::Format;
use crate::failure::{Detail, Failure};

/// The fields of the contract, which are the columns of CSV.
pub(super) const FIELDS: [&str; 10] = [
    "type",
    "clOrdId",
    "origClOrdId",
    "symbol",
    "side",
    "orderQty",
    "price",
    "minQty",
    "expireTime",
    "ack",
];

/// One message, as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Where it stands in the file, counted from 1.
    pub(super) number: u64,
    pub(super) body: String,
}

/// Every message of the file, or everything that is wrong with it.
pub(super) fn read(input: &Input, format: Option<Format>) -> Result<Vec<Line>, Failure> {
    let text = std::str::from_utf8(&input.bytes).map_err(|error| {
        let line = input.bytes[..error.valid_up_to()]
            .split(|byte| *byte == b'\n')
            .count();
        Failure::new(format!(
            "{} is not UTF-8, from line {line} on; nothing was sent",
            input.name
        ))
        .advice("save it as UTF-8")
    })?;
    // What some editors begin a file with.
    let text = text.trim_start_matches('\u{feff}');
    let rows = match format.unwrap_or_else(|| guessed(&input.ending, text)) {
        Format::Jsonl => json_lines(text),
        Format::Csv => csv_rows(text, &input.name)?,
    };
    checked(rows, &input.name)
}

fn guessed(ending: &str, text: &str) -> Format {
    match ending {
        "csv" => Format::Csv,
        "json" | "jsonl" | "ndjson" => Format::Jsonl,
        _ if text.trim_start().starts_with('{') => Format::Jsonl,
        _ if text.trim_start().is_empty() => Format::Jsonl,
        _ => Format::Csv,
    }
}

type Row = Result<Line, Detail>;

fn json_lines(text: &str) -> Vec<Row> {
    let lines = (1_u64..)
        .zip(text.lines())
        .map(|(number, line)| (number, line.trim()));
    lines
        .filter(|(_, line)| !line.is_empty())
        .map(|(number, line)| {
            Ok(Line {
                number,
                body: line.to_owned(),
            })
        })
        .collect()
}

/// A row is the object of its cells; an empty cell is a field that is left out.
fn csv_rows(text: &str, name: &str) -> Result<Vec<Row>, Failure> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let unreadable = |error: csv::Error| {
        Failure::new(format!("the header of {name} cannot be read"))
            .because(error.to_string())
            .advice("the first line names the fields, such as clOrdId,symbol,side,orderQty,price")
    };
    let header = reader.headers().map_err(unreadable)?.clone();
    if let Some(unknown) = header.iter().find(|column| !FIELDS.contains(column)) {
        return Err(
            Failure::new(format!("{name} has a column that no message has: {unknown:?}"))
                .because(format!("there are {}", FIELDS.join(", ")))
                .advice("name the columns in the first line as the fields of the contract; nothing was sent"),
        );
    }
    let mut rows = Vec::new();
    let mut record = csv::StringRecord::new();
    loop {
        let number = reader.position().line();
        match reader.read_record(&mut record) {
            Ok(false) => return Ok(rows),
            Ok(true) => {
                let number = record.position().map_or(number, csv::Position::line);
                rows.push(Ok(Line {
                    number,
                    body: object(&header, &record).to_string(),
                }));
            }
            Err(error) => rows.push(Err(Detail {
                line: error.position().map_or(number, csv::Position::line),
                reason: None,
                what: row_fault(&error),
            })),
        }
    }
}

/// What is wrong with a row, without its text.
fn row_fault(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => {
            format!("it has {len} cells, the header {expected_len}")
        }
        _ => "it is no row of CSV".to_owned(),
    }
}

fn object(header: &csv::StringRecord, record: &csv::StringRecord) -> Value {
    let mut object = Map::new();
    object.insert("type".to_owned(), "interest".into());
    for (column, cell) in header
        .iter()
        .zip(record.iter())
        .filter(|(_, cell)| !cell.is_empty())
    {
        let value = match (column, cell) {
            ("ack", "true") => Value::Bool(true),
            ("ack", "false") => Value::Bool(false),
            _ => cell.into(),
        };
        object.insert(column.to_owned(), value);
    }
    object.into()
}

/// Puts every row to the matcher's parser, and looks for ids that are used for two different messages.
fn checked(rows: Vec<Row>, name: &str) -> Result<Vec<Line>, Failure> {
    let mut lines = Vec::with_capacity(rows.len());
    let mut faults = Vec::new();
    let mut first: HashMap<ClOrdId, (u64, BodyHash)> = HashMap::new();
    for row in rows {
        let seen = row.and_then(|line| {
            let (id, hash) = taken(&line)?;
            match first.get(&id) {
                Some((number, known)) if *known != hash => Err(Detail {
                    line: line.number,
                    reason: Some("duplicate_cl_ord_id"),
                    what: format!("line {number} uses the same clOrdId for another message"),
                }),
                Some(_) => Ok(line),
                None => {
                    first.insert(id, (line.number, hash));
                    Ok(line)
                }
            }
        });
        match seen {
            Ok(line) => lines.push(line),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() {
        return Ok(lines);
    }
    let count = faults.len();
    let what = if count == 1 {
        "1 line is wrong".to_owned()
    } else {
        format!("{count} lines are wrong")
    };
    Err(Failure::new(format!("{what} in {name}; nothing was sent"))
        .advice("mend them and run it again")
        .details(faults))
}

/// What the matcher's parser makes of a line: its id and its hash.
fn taken(line: &Line) -> Result<(ClOrdId, BodyHash), Detail> {
    let fault = |reason: Option<&'static str>, what: String| Detail {
        line: line.number,
        reason,
        what,
    };
    if line.body.len() > MAX_MESSAGE_BYTES {
        return Err(fault(
            Some("too_large"),
            format!("a message has at most {MAX_MESSAGE_BYTES} bytes"),
        ));
    }
    // Its members would be taken one by one, and it could not be bundled again.
    if explain::is_bundle(&line.body) {
        return Err(fault(None, explain::NO_BUNDLE.to_owned()));
    }
    let malformed = || explain::malformed(&line.body);
    let parsed = parse_body(&line.body).map_err(|reason| fault(Some(reason.code()), malformed()))?;
    match parsed.into_iter().next() {
        Some(Member::Message(message)) => match message.request {
            Ok(_) => Ok((message.cl_ord_id, message.body_hash)),
            Err(reason) => Err(fault(Some(reason.code()), explain::refused(reason, &line.body))),
        },
        _ => Err(fault(Some("malformed"), malformed())),
    }
}

#[cfg(test)]
mod tests;
