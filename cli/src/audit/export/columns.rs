//! Rows as columns of a Parquet file, a row group at a time.

use std::fs::File;
use std::io;
use std::sync::Arc;

use audit_verifier::lookup::Found;
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::rows::Row;

/// Rows of a group: about 25 MB in memory.
const GROUP: usize = 65_536;

/// What a column holds of a row.
enum Column {
    Text(fn(&Row<'_>) -> String),
    MaybeText(for<'a> fn(&Row<'a>) -> Option<&'a str>),
    Number(fn(&Row<'_>) -> u64),
    MaybeNumber(fn(&Row<'_>) -> Option<u64>),
    /// Milliseconds of Unix time.
    Time(fn(&Row<'_>) -> i64),
    MaybeTime(fn(&Row<'_>) -> Option<i64>),
}

/// The columns, under the names of the rows' fields.
const COLUMNS: [(&str, Column); 16] = [
    ("logRegion", Column::Text(|row| row.log_region.to_owned())),
    ("chain", Column::Number(|row| row.chain.into())),
    ("sequence", Column::Number(|row| row.sequence)),
    ("line", Column::Number(|row| row.line)),
    ("number", Column::Number(|row| row.number)),
    ("event", Column::Text(|row| row.event.to_owned())),
    ("invariant", Column::MaybeText(|row| row.invariant)),
    ("eventId", Column::Text(|row| row.event_id.to_owned())),
    ("recordedAt", Column::Time(|row| row.recorded_at)),
    ("matchId", Column::Text(|row| row.match_id.to_owned())),
    ("commitment", Column::MaybeText(|row| row.commitment)),
    ("region", Column::MaybeText(|row| row.region)),
    ("keyEpoch", Column::MaybeText(|row| row.key_epoch)),
    (
        "parameterVersion",
        Column::MaybeNumber(|row| row.parameter_version),
    ),
    ("matchedAt", Column::MaybeTime(|row| row.matched_at)),
    ("expiresAt", Column::MaybeTime(|row| row.expires_at)),
];

/// A column's values of one group.
enum Values {
    Text(Vec<ByteArray>),
    Whole(Vec<i64>),
}

impl Column {
    /// Its type, in Parquet's own language.
    fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "required binary {} (STRING)",
            Self::MaybeText(_) => "optional binary {} (STRING)",
            Self::Number(_) => "required int64 {}",
            Self::MaybeNumber(_) => "optional int64 {}",
            Self::Time(_) => "required int64 {} (TIMESTAMP(MILLIS,true))",
            Self::MaybeTime(_) => "optional int64 {} (TIMESTAMP(MILLIS,true))",
        }
    }

    /// The values that there are; where some may be missing, also of each row whether it has one (1) or not (0).
    fn values(&self, rows: &[Row<'_>]) -> io::Result<(Values, Option<Vec<i16>>)> {
        let text = |text: &str| ByteArray::from(text);
        Ok(match self {
            Self::Text(of) => (
                Values::Text(rows.iter().map(|row| text(&of(row))).collect()),
                None,
            ),
            Self::MaybeText(of) => {
                let (some, there) = present(rows.iter().map(of));
                (Values::Text(some.into_iter().map(text).collect()), Some(there))
            }
            Self::Number(of) => (Values::Whole(whole(rows.iter().map(of))?), None),
            Self::MaybeNumber(of) => {
                let (some, there) = present(rows.iter().map(of));
                (Values::Whole(whole(some.into_iter())?), Some(there))
            }
            Self::Time(of) => (Values::Whole(rows.iter().map(of).collect()), None),
            Self::MaybeTime(of) => {
                let (some, there) = present(rows.iter().map(of));
                (Values::Whole(some), Some(there))
            }
        })
    }
}

fn present<T>(all: impl Iterator<Item = Option<T>>) -> (Vec<T>, Vec<i16>) {
    let (mut some, mut there) = (Vec::new(), Vec::new());
    for one in all {
        there.push(i16::from(one.is_some()));
        some.extend(one);
    }
    (some, there)
}

/// Parquet's integers have a sign; no counter comes near it.
fn whole(numbers: impl Iterator<Item = u64>) -> io::Result<Vec<i64>> {
    let whole = |number| i64::try_from(number).map_err(io::Error::other);
    numbers.map(whole).collect()
}

fn io_error(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(source) => io::Error::other(source),
        },
        error => io::Error::other(error),
    }
}

/// A Parquet file that grows by groups.
pub(super) struct Columns {
    writer: SerializedFileWriter<File>,
    group: Vec<Found>,
}

impl Columns {
    pub(super) fn new(file: File) -> io::Result<Self> {
        let fields = COLUMNS
            .iter()
            .map(|(name, column)| column.kind().replace("{}", name) + "; ");
        let schema = format!("message entry {{ {}}}", fields.collect::<String>());
        let schema = parse_message_type(&schema).map_err(io_error)?;
        let properties = Arc::new(WriterProperties::builder().build());
        Ok(Self {
            writer: SerializedFileWriter::new(file, Arc::new(schema), properties).map_err(io_error)?,
            group: Vec::new(),
        })
    }

    pub(super) fn add(&mut self, found: Found) -> io::Result<()> {
        self.group.push(found);
        if self.group.len() < GROUP {
            return Ok(());
        }
        self.write_group()
    }

    fn write_group(&mut self) -> io::Result<()> {
        let found = std::mem::take(&mut self.group);
        let rows: Vec<Row<'_>> = found.iter().map(Row::from).collect();
        let mut group = self.writer.next_row_group().map_err(io_error)?;
        for (_, column) in &COLUMNS {
            let (values, there) = column.values(&rows)?;
            let there = there.as_deref();
            let Some(mut open) = group.next_column().map_err(io_error)? else {
                return Err(io::Error::other("the schema has fewer columns"));
            };
            let written = match values {
                Values::Text(texts) => open.typed::<ByteArrayType>().write_batch(&texts, there, None),
                Values::Whole(numbers) => open.typed::<Int64Type>().write_batch(&numbers, there, None),
            };
            written.map_err(io_error)?;
            open.close().map_err(io_error)?;
        }
        group.close().map(drop).map_err(io_error)
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        if !self.group.is_empty() {
            self.write_group()?;
        }
        self.writer.close().map(drop).map_err(io_error)
    }
}

#[cfg(test)]
mod tests {
    use audit_verifier::format::{Entry, Event};
    use parquet::file::reader::{FileReader as _, SerializedFileReader};
    use parquet::record::RowAccessor as _;

    use super::*;

    fn found(number: u64) -> Found {
        let at = i64::try_from(number).unwrap();
        Found {
            log_region: "us-east-1".to_owned(),
            chain: 3,
            sequence: number / 100 + 1,
            line: number % 100 + 1,
            number,
            entry: Entry {
                event: Event::Minted,
                invariant: None,
                event_id: format!("{number:032x}"),
                recorded_at: 1_795_428_930_000 + at,
                match_id: "a".repeat(26),
                commitment: number.is_multiple_of(3).then(|| "0".repeat(64)),
                region: None,
                key_epoch: None,
                parameter_version: None,
                matched_at: None,
                expires_at: Some(at),
            },
        }
    }

    #[test]
    fn more_rows_than_a_group_holds_come_back_one_for_one() {
        let file = tempfile::tempfile().unwrap();
        let mut columns = Columns::new(file.try_clone().unwrap()).unwrap();
        let count = GROUP as u64 + 7;
        (0..count).for_each(|number| columns.add(found(number)).unwrap());
        columns.finish().unwrap();
        let reader = SerializedFileReader::new(file).unwrap();
        let groups = reader.metadata().row_groups();
        let sizes: Vec<u64> = groups
            .iter()
            .map(|group| group.num_rows().try_into().unwrap())
            .collect();
        assert_eq!(sizes, [GROUP as u64, 7]);
        let mut rows = 0;
        for (number, row) in (0..).zip(reader.get_row_iter(None).unwrap()) {
            let row = row.unwrap();
            assert_eq!(row.get_long(4).unwrap(), number);
            assert_eq!(row.get_string(7).unwrap(), &format!("{number:032x}"));
            assert_eq!(row.get_timestamp_millis(8).unwrap(), 1_795_428_930_000 + number);
            assert_eq!(row.get_string(10).is_ok(), number % 3 == 0);
            assert_eq!(row.get_timestamp_millis(15).unwrap(), number);
            rows += 1;
        }
        assert_eq!(rows, count);
    }

    #[test]
    fn a_disk_that_is_full_is_said_to_be_full() {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut columns = Columns::new(full).unwrap();
        columns.add(found(1)).unwrap();
        let error = columns.finish().unwrap_err();
        assert!(error.to_string().contains("No space left"), "{error}");
    }
}
