//! What goes to standard output: tables for people, JSON for machines.

use std::io::{IsTerminal, Write};

use comfy_table::{Attribute, Cell, Color, ColumnConstraint, ContentArrangement, Table, presets};
use console::Style;
use serde::Serialize;

use crate::arguments::Output;
use crate::failure::Failure;

/// Columns where nobody says how many there are.
const COLUMNS: u16 = 80;
/// Where a table of counterparties says how they stand.
const STATE_COLUMN: usize = 2;

/// Prints to standard output, and says when it cannot.
pub(crate) struct Printer {
    out: Box<dyn Write>,
    output: Output,
    colour: bool,
    width: u16,
    /// Whether what is written lies in a file, which has to be told to keep it.
    in_file: bool,
}

impl Printer {
    pub(crate) fn stdout(output: Output) -> Self {
        let terminal = std::io::stdout().is_terminal();
        let (_, width) = console::Term::stdout().size();
        Self {
            out: Box::new(std::io::stdout()),
            output,
            colour: terminal && console::colors_enabled(),
            width: if terminal { width } else { COLUMNS },
            in_file: stdout_file().is_some(),
        }
    }

    #[cfg(test)]
    pub(crate) fn to(out: Box<dyn Write>, output: Output) -> Self {
        Self {
            out,
            output,
            colour: false,
            width: COLUMNS,
            in_file: false,
        }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.output == Output::Json
    }

    /// One line.
    pub(crate) fn line(&mut self, text: &str) -> Result<(), Failure> {
        self.text(&format!("{text}\n"))
    }

    /// One JSON object on a line.
    pub(crate) fn json<T: Serialize>(&mut self, value: &T) -> Result<(), Failure> {
        let text = serde_json::to_string(value).map_err(|error| Failure::output(&error.into()))?;
        self.line(&text)
    }

    /// Text as it is, out of our hands before this returns.
    pub(crate) fn text(&mut self, text: &str) -> Result<(), Failure> {
        let written = self.out.write_all(text.as_bytes());
        let flushed = written.and_then(|()| self.out.flush());
        flushed.map_err(|error| Failure::output(&error))
    }

    /// Makes sure that what was written outlives the machine, where it goes to a file.
    pub(crate) fn keep(&mut self) -> Result<(), Failure> {
        match stdout_file() {
            Some(file) if self.in_file => file.sync_data().map_err(|error| Failure::output(&error)),
            _ => Ok(()),
        }
    }

    /// Bytes made by a generator.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = self.out.write_all(bytes);
        let flushed = written.and_then(|()| self.out.flush());
        flushed.map_err(|error| Failure::output(&error))
    }

    /// `text`, standing out on a terminal.
    pub(crate) fn strong(&self, text: &str) -> String {
        Style::new()
            .bold()
            .force_styling(self.colour)
            .apply_to(text)
            .to_string()
    }

    /// `text` in green for good news, yellow for what needs somebody.
    pub(crate) fn mood(&self, text: &str, good: bool) -> String {
        let style = Style::new().force_styling(self.colour);
        let style = if good { style.green() } else { style.yellow() };
        style.apply_to(text).to_string()
    }

    /// Rows of names and values; a value that is longer than the line goes over it whole, so that it can be copied.
    pub(crate) fn pairs(&mut self, pairs: &[(&str, String)]) -> Result<(), Failure> {
        let widest = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
        let line = |(name, value): &(&str, String)| {
            let name = self.strong(&format!("{name:<widest$}"));
            format!("{name}  {value}\n")
        };
        let text: String = pairs.iter().map(line).collect();
        self.text(&text)
    }

    /// A table within the terminal's width. All columns but the last are as wide as what is in them, so that an id
    /// can be copied; a row's second value says whether its state, in the third column, is good news.
    pub(crate) fn table(&mut self, titles: &[&str], rows: Vec<(Vec<String>, bool)>) -> Result<(), Failure> {
        let mut table = Table::new();
        table
            .force_no_tty()
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(self.width)
            .set_header(
                titles
                    .iter()
                    .map(|title| Cell::new(title).add_attribute(Attribute::Bold)),
            );
        if self.colour {
            table.enforce_styling();
        }
        for (row, good) in rows {
            let state = if good { Color::Green } else { Color::Yellow };
            let cells = row.into_iter().enumerate().map(|(column, text)| match column {
                STATE_COLUMN => Cell::new(text).fg(state),
                _ => Cell::new(text),
            });
            table.add_row(cells);
        }
        let last = titles.len().saturating_sub(1);
        for (index, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, 2));
            if index < last {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
        self.text(&format!("{}\n", lines.join("\n")))
    }
}

/// Standard output, if it is a file.
fn stdout_file() -> Option<std::fs::File> {
    use std::os::fd::AsFd as _;

    let own = std::io::stdout().as_fd().try_clone_to_owned().ok()?;
    let file = std::fs::File::from(own);
    file.metadata()
        .ok()
        .filter(std::fs::Metadata::is_file)
        .map(|_| file)
}

/// A note on standard error, beside what is asked for.
pub(crate) fn note(text: &str) {
    // Without a standard error there is nobody to tell.
    let _told = writeln!(std::io::stderr(), "{text}");
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_table_keeps_to_eighty_columns_and_ids_whole_with_and_without_colour() {
        for colour in [false, true] {
            let written = Shared::default();
            let mut printer = Printer::to(Box::new(written.clone()), Output::Table);
            printer.colour = colour;
            let id = "x".repeat(50);
            let row = vec![id.clone(), String::new(), "active".to_owned(), "word ".repeat(40)];
            printer
                .table(&["id", "", "state", "much"], vec![(row, true)])
                .unwrap();
            let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
            let width = |line: &str| console::measure_text_width(line);
            assert!(
                text.lines().count() > 2 && text.lines().all(|line| width(line) <= 80),
                "{text}"
            );
            assert!(text.contains(&id), "an id stays whole: {text}");
            assert_eq!(text.contains('\u{1b}'), colour, "{text:?}");
        }
    }
}
