//! Lines of a limited width, and the only place that knows colours.

use std::borrow::Cow;

use comfy_table::{ContentArrangement, Table, presets};
use console::{Alignment, Style};

/// What a colour says here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    /// Headings and results.
    Strong,
    /// What frames the rest.
    Faint,
    /// Holds, fits.
    Good,
    /// Broken.
    Bad,
    /// The buying side.
    Buy,
    /// The selling side.
    Sell,
    /// What both tokens of a match begin with.
    Shared,
    /// What only one of them has.
    Own,
}

impl Ink {
    fn style(self) -> Style {
        let style = Style::new();
        match self {
            Self::Strong => style.bold(),
            Self::Faint => style.dim(),
            Self::Good => style.green().bold(),
            Self::Bad => style.red().bold(),
            Self::Buy => style.green(),
            Self::Sell => style.red(),
            Self::Shared => style.cyan(),
            Self::Own => style.yellow(),
        }
    }
}

/// What has been drawn so far.
pub(super) struct Canvas {
    width: usize,
    colour: bool,
    text: String,
}

impl Canvas {
    pub(super) fn new(width: usize, colour: bool) -> Self {
        Self {
            width,
            colour,
            text: String::new(),
        }
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// The text in a colour, or as it is. Forced either way: whether to colour is the caller's word, not that of
    /// the terminal of this process.
    pub(super) fn ink(&self, ink: Ink, text: &str) -> String {
        ink.style().force_styling(self.colour).apply_to(text).to_string()
    }

    /// Adds a line. Every part lays itself out within the width; what still exceeds it is cut here, so that no
    /// figure, however long, breaks the picture.
    pub(super) fn line(&mut self, line: &str) {
        let line = console::truncate_str(line, self.width, "…");
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    pub(super) fn blank(&mut self) {
        self.line("");
    }

    /// A rule with a title in it, and a blank line above.
    pub(super) fn heading(&mut self, title: &str) {
        let title = shortened(title, self.width - 8);
        let rest = self.width - width_of(&title) - 4;
        let (start, end) = (
            self.ink(Ink::Faint, "──"),
            self.ink(Ink::Faint, &"─".repeat(rest)),
        );
        let title = self.ink(Ink::Strong, &title);
        self.blank();
        self.line(&format!("{start} {title} {end}"));
    }

    /// A text of any length, wrapped and indented.
    pub(super) fn paragraph(&mut self, ink: Ink, indent: usize, text: &str) {
        for line in wrapped(&printable(text), self.width - indent) {
            let line = self.ink(ink, line.trim_end());
            self.line(&format!("{:indent$}{line}", ""));
        }
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }
}

/// Columns that the text takes on a terminal.
pub(super) fn width_of(text: &str) -> usize {
    console::measure_text_width(text)
}

/// The text without anything that moves the cursor: file names and counterexamples are not ours.
pub(super) fn printable(text: &str) -> String {
    let shown = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(shown).collect()
}

/// The text, cut at its end to `width` columns.
pub(super) fn shortened(text: &str, width: usize) -> Cow<'_, str> {
    console::truncate_str(text, width, "…")
}

/// The text, filled with blanks or cut to exactly `width` columns.
pub(super) fn padded(text: &str, width: usize) -> Cow<'_, str> {
    console::pad_str(text, width, Alignment::Left, Some("…"))
}

/// The lines of a text within `width` columns, broken between words, or within a word that is longer.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(width).unwrap_or(u16::MAX))
        .add_row([text]);
    for column in table.column_iter_mut() {
        column.set_padding((0, 0));
    }
    table.lines().collect()
}
