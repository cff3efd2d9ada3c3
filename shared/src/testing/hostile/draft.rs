//! A message being written, as raw JSON tokens: whatever is wrong in it is put there on purpose.

use super::{GOOD_PRICE, GOOD_QTY};

/// A JSON object as a list of names and values, both as they stand in the text.
#[derive(Debug, Clone)]
pub(super) struct Draft(Vec<(String, String)>);

/// A string in quotes, its text as it is.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

/// Blanks of JSON between tokens.
const BLANKS: [&str; 4] = ["", " ", "\t", " \r\n "];

impl Draft {
    fn of(fields: &[(&str, &str)]) -> Self {
        let field = |(name, text): &(&str, &str)| (quoted(name), quoted(text));
        Self(fields.iter().map(field).collect())
    }

    /// An interest without optional fields; on its own it is good.
    pub(super) fn interest(id: &str, symbol: &str, side: &str) -> Self {
        Self::of(&[
            ("type", "interest"),
            ("clOrdId", id),
            ("symbol", symbol),
            ("side", side),
            ("orderQty", GOOD_QTY),
            ("price", GOOD_PRICE),
        ])
    }

    pub(super) fn cancel(id: &str, original: &str) -> Self {
        Self::of(&[("type", "cancel"), ("clOrdId", id), ("origClOrdId", original)])
    }

    pub(super) fn status(id: &str, original: &str) -> Self {
        Self::of(&[("type", "status"), ("clOrdId", id), ("origClOrdId", original)])
    }

    pub(super) fn replace(id: &str, original: &str) -> Self {
        Self::of(&[
            ("type", "replace"),
            ("clOrdId", id),
            ("origClOrdId", original),
            ("orderQty", "1"),
        ])
    }

    /// Sets a field's raw value, at the end where there is none of this name.
    pub(super) fn set(mut self, name: &str, raw: impl Into<String>) -> Self {
        let name = quoted(name);
        match self.0.iter_mut().find(|(field, _)| *field == name) {
            Some((_, value)) => *value = raw.into(),
            None => self.0.push((name, raw.into())),
        }
        self
    }

    /// Appends a field, its name raw too.
    pub(super) fn push(mut self, raw_name: impl Into<String>, raw: impl Into<String>) -> Self {
        self.0.push((raw_name.into(), raw.into()));
        self
    }

    /// Without the field of this name.
    pub(super) fn without(mut self, name: &str) -> Self {
        let name = quoted(name);
        self.0.retain(|(field, _)| *field != name);
        self
    }

    /// With another raw name for a field.
    pub(super) fn renamed(mut self, name: &str, raw_name: impl Into<String>) -> Self {
        let name = quoted(name);
        if let Some((field, _)) = self.0.iter_mut().find(|(field, _)| *field == name) {
            *field = raw_name.into();
        }
        self
    }

    /// The raw value of a field.
    pub(super) fn raw(&self, name: &str) -> Option<&str> {
        let name = quoted(name);
        let found = self.0.iter().find(|(field, _)| *field == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The fields in the opposite order.
    pub(super) fn reversed(mut self) -> Self {
        self.0.reverse();
        self
    }

    /// The text, without blanks.
    pub(super) fn text(&self) -> String {
        self.spaced(0)
    }

    /// The text with one of [`BLANKS`] around every token.
    pub(super) fn spaced(&self, which: usize) -> String {
        let blank = BLANKS[which % BLANKS.len()];
        let field = |(name, value): &(String, String)| format!("{blank}{name}{blank}:{blank}{value}{blank}");
        let fields: Vec<String> = self.0.iter().map(field).collect();
        format!("{blank}{{{}}}{blank}", fields.join(","))
    }
}
