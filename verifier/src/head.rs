//! Heads that somebody remembers.

use serde::Deserialize;

use crate::format::{Object, Signed};

/// A head as it was seen once: in the other region's bucket, in a log line, in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RememberedHead {
    /// The head.
    pub head: Signed,
    /// Where it is from, for who has to look there.
    pub from: String,
}

/// A head as the writer says it in its log.
#[derive(Deserialize)]
struct Said {
    statement: String,
    signature: String,
}

/// The fields of a log line, at the top or under `fields`; of an event, under `detail`.
#[derive(Deserialize)]
struct Line {
    #[serde(alias = "detail")]
    fields: Said,
}

/// What a text of remembered heads has that is no head: the line's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {0} is no remembered head")]
pub struct NoHead(pub usize);

impl RememberedHead {
    /// Reads a head's own bytes.
    #[must_use]
    pub fn parse(bytes: &[u8], from: impl Into<String>) -> Option<Self> {
        let (head, from) = (Object::parse_head(bytes).ok()?, from.into());
        Some(Self { head, from })
    }

    /// Reads a file of them, which is called `name`: heads one after the other as they are (two lines each),
    /// `audit_head` lines of the writer's log, its events, or a mixture.
    ///
    /// # Errors
    /// [`NoHead`] names the first line that is neither.
    pub fn parse_all(text: &str, name: &str) -> Result<Vec<Self>, NoHead> {
        let mut heads = Vec::new();
        let mut lines = text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty());
        while let Some((index, line)) = lines.next() {
            let said = serde_json::from_str::<Line>(line).map(|line| line.fields);
            let said = said.or_else(|_| serde_json::from_str::<Said>(line)).ok();
            let (statement, signature) = if let Some(said) = said {
                (said.statement, said.signature)
            } else {
                let (_, signature) = lines.next().ok_or(NoHead(index + 1))?;
                (line.to_owned(), signature.to_owned())
            };
            let from = format!("line {} of {name}", index + 1);
            let head = Self::parse(format!("{statement}\n{signature}\n").as_bytes(), from);
            heads.push(head.ok_or(NoHead(index + 1))?);
        }
        Ok(heads)
    }
}
