//! The lines of a file, and what can be wrong with them.

use std::io::{self, BufRead};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use csv::{ErrorKind, ReaderBuilder, StringRecord};
use symbolon_shared::domain::identifiers::ClOrdId;

use super::{Event, OrderFlow};

/// How much of a field an error shows: a file of another kind may have fields of megabytes.
const SHOWN_CHARS: usize = 40;

/// Why a file is not an order flow.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be opened.
    #[error("cannot open {path}")]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Reading stopped: the disk, or broken `.xz` data.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system or the decoder says.
        source: io::Error,
    },
    /// There is not one byte.
    #[error("{path} is empty")]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// There is a header, but no known one.
    #[error("{path}: unknown header `{found}`; known is `{known}`, or LOBSTER messages without a header")]
    Header {
        /// The file.
        path: PathBuf,
        /// The beginning of its header.
        found: String,
        /// The header of Bitstamp order events.
        known: String,
    },
    /// LOBSTER messages do not say what they are about.
    #[error("{path} holds LOBSTER messages, which do not name their symbol: give it with --symbol")]
    SymbolMissing {
        /// The file.
        path: PathBuf,
    },
    /// A line that breaks its format.
    #[error("{path}, line {line}")]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1, the header included.
        line: u64,
        /// What is wrong with it.
        source: LineFault,
    },
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineFault {
    /// It has too few or too many fields.
    #[error("{found} fields where there must be {wanted}")]
    Fields {
        /// How many it has.
        found: usize,
        /// How many it should have.
        wanted: usize,
    },
    /// A field that is not what its column holds.
    #[error("{column} `{found}` is not {wanted}")]
    Field {
        /// The column.
        column: &'static str,
        /// The beginning of the field.
        found: String,
        /// What the column holds.
        wanted: &'static str,
    },
    /// It is not UTF-8.
    #[error("not text in UTF-8")]
    NotText,
}

/// The lines of a CSV file, one at a time, header or not.
pub(super) struct Rows<R> {
    reader: csv::Reader<R>,
    path: PathBuf,
}

impl<R: BufRead> Rows<R> {
    pub(super) fn new(text: R, path: &Path) -> Self {
        // Flexible, because the count of fields is checked here, with the fault of our own.
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(text);
        Self {
            reader,
            path: path.to_owned(),
        }
    }

    /// The next line, if there is one.
    pub(super) fn next(&mut self) -> Result<Option<Row>, ReadError> {
        let mut record = StringRecord::new();
        match self.reader.read_record(&mut record) {
            Ok(false) => Ok(None),
            Ok(true) => {
                let line = record.position().map_or(0, csv::Position::line);
                Ok(Some(Row { record, line }))
            }
            Err(error) => Err(self.failure(error)),
        }
    }

    /// Adds every further line to `flow`, as what `event` makes of it.
    pub(super) fn collect_into(
        mut self,
        mut flow: OrderFlow,
        columns: usize,
        event: impl Fn(&Row) -> Result<Parsed, LineFault>,
    ) -> Result<OrderFlow, ReadError> {
        while let Some(row) = self.next()? {
            let parsed = row.expect_fields(columns).and_then(|()| event(&row));
            let parsed = parsed.map_err(|source| self.at(row.line, source))?;
            flow.last_at_millis = flow.last_at_millis.max(parsed.at_millis);
            match parsed.event {
                Some(event) => flow.events.push(event),
                None => flow.ignored += 1,
            }
        }
        Ok(flow)
    }

    /// The error for a header that is not `known`.
    pub(super) fn unknown_header(&self, found: &Row, known: &[&str]) -> ReadError {
        let found = found.record.iter().collect::<Vec<_>>().join(",");
        ReadError::Header {
            path: self.path.clone(),
            found: shown(&found),
            known: known.join(","),
        }
    }

    fn at(&self, line: u64, source: LineFault) -> ReadError {
        ReadError::Line {
            path: self.path.clone(),
            line,
            source,
        }
    }

    fn failure(&self, error: csv::Error) -> ReadError {
        if let ErrorKind::Utf8 { pos, .. } = error.kind() {
            let line = pos.as_ref().map_or(0, csv::Position::line);
            self.at(line, LineFault::NotText)
        } else {
            ReadError::Read {
                path: self.path.clone(),
                source: error.into(),
            }
        }
    }
}

/// What a line says: its time, and the event unless it is one to be ignored.
pub(super) struct Parsed {
    pub(super) at_millis: i64,
    pub(super) event: Option<Event>,
}

/// One line.
pub(super) struct Row {
    record: StringRecord,
    pub(super) line: u64,
}

impl Row {
    pub(super) fn is(&self, fields: &[&str]) -> bool {
        self.record == *fields
    }

    /// The text of a field. Its existence was checked with the count of fields.
    pub(super) fn text(&self, index: usize) -> &str {
        self.record.get(index).unwrap_or_default()
    }

    /// A whole number of at least 0.
    pub(super) fn whole(&self, index: usize, column: &'static str) -> Result<u64, LineFault> {
        self.parsed(index, column, "a whole number", |text| {
            decimal_digits(text)?.parse().ok()
        })
    }

    pub(super) fn parsed<T>(
        &self,
        index: usize,
        column: &'static str,
        wanted: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, LineFault> {
        let text = self.text(index);
        parse(text).ok_or_else(|| LineFault::Field {
            column,
            found: shown(text),
            wanted,
        })
    }

    /// The order's id with its counterparty and the names of its two messages.
    pub(super) fn order(&self, index: usize, counterparties: NonZeroU32) -> Result<Order, LineFault> {
        self.parsed(
            index,
            "order id",
            "a decimal number of at most 63 digits",
            |text| {
                decimal_digits(text)?;
                Some(Order {
                    counterparty: counterparty_of(text, counterparties),
                    interest: ClOrdId::new(text).ok()?,
                    cancel: ClOrdId::new(format!("c{text}")).ok()?,
                })
            },
        )
    }

    fn expect_fields(&self, wanted: usize) -> Result<(), LineFault> {
        let found = self.record.len();
        if found == wanted {
            Ok(())
        } else {
            Err(LineFault::Fields { found, wanted })
        }
    }
}

/// Whose an order is, and what its interest and its cancel are called.
pub(super) struct Order {
    pub(super) counterparty: u32,
    pub(super) interest: ClOrdId,
    pub(super) cancel: ClOrdId,
}

/// `units` × 10^−`scale` as a decimal string; `scale` is above zero.
pub(super) fn with_point(units: &str, scale: usize) -> Option<String> {
    let padded = format!("{:0>width$}", decimal_digits(units)?, width = scale + 1);
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    Some(format!("{whole}.{fraction}"))
}

/// `text` if it is nothing but digits: the parsers of the standard library would take a sign too.
pub(super) fn decimal_digits(text: &str) -> Option<&str> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}

/// 1 + FNV-1a 64 of the order id's text, modulo the number of counterparties.
pub(super) fn counterparty_of(order_id: &str, counterparties: NonZeroU32) -> u32 {
    let hash = order_id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    // What is left of a division by a u32 is a u32.
    u32::try_from(hash % u64::from(counterparties.get())).map_or(0, |bucket| bucket + 1)
}

fn shown(text: &str) -> String {
    text.chars().take(SHOWN_CHARS).collect()
}
