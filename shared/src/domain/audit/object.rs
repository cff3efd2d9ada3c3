//! Objects of a chain: lines, the statement that they come to, and its signature; and the head, which repeats the last
//! two of them.

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::entry::Entry;
use super::format::{Chain, Link, LogRegion, object_name};
use crate::domain::form::Form;
use crate::domain::time::Timestamp;

/// Without a version: every version is signed alike, and says which it is inside.
const STATEMENT_LABEL: &str = "symbolon/audit/statement";

/// What is signed: where an object stands, and what the chain comes to with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Statement {
    /// The form of the object, its entries included.
    pub v: Form<1>,
    /// Whose log it is.
    pub region: LogRegion,
    /// Which chain.
    pub chain: Chain,
    /// The place in it, from 1 on, without gaps.
    pub sequence: u64,
    /// The link before the object's first entry.
    pub previous: Link,
    /// Entries of the object: at least one.
    pub count: u64,
    /// Entries of the chain, this object's included.
    pub entries: u64,
    /// The latest `recordedAt` of the chain, this object's included. It never falls, so that whoever looks for an
    /// event of some time knows how far back it can be.
    pub horizon: Timestamp,
    /// The link of the object's last entry.
    pub link: Link,
}

impl Statement {
    /// The canonical form: JSON without blanks, the fields in the order of this type.
    #[must_use]
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "strings and integers always serialise"
    )]
    pub fn line(&self) -> String {
        serde_json::to_string(self).expect("a statement serialises")
    }
}

/// What a signature is made over: a label, then the statement's line.
fn signed_message(statement: &str) -> Vec<u8> {
    [STATEMENT_LABEL.as_bytes(), statement.as_bytes()].concat()
}

/// How far a chain has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// Whose log it is.
    pub region: LogRegion,
    /// Which chain.
    pub chain: Chain,
    /// The last object's place; 0 before the first.
    pub sequence: u64,
    /// Entries so far.
    pub entries: u64,
    /// The latest `recordedAt` so far; before the first entry the beginning of time.
    pub horizon: Timestamp,
    /// The last entry's link.
    pub link: Link,
}

impl Position {
    /// The beginning of a chain.
    #[must_use]
    pub fn genesis(region: &LogRegion, chain: Chain) -> Self {
        Self {
            region: region.clone(),
            chain,
            sequence: 0,
            entries: 0,
            horizon: Timestamp::from_millis(0),
            link: Link::genesis(region, chain),
        }
    }

    /// The name of the next object.
    #[must_use]
    pub fn next_name(&self) -> String {
        object_name(&self.region, self.chain, self.sequence + 1)
    }

    /// The next object, still to be signed; `None` without an entry.
    #[must_use]
    pub fn next(&self, entries: &[Entry]) -> Option<Draft> {
        let latest = entries.iter().map(|entry| entry.recorded_at).max()?;
        let lines: Vec<String> = entries.iter().map(Entry::line).collect();
        let link = lines.iter().fold(self.link, |link, line| link.then(line));
        let count = entries.len() as u64;
        Some(Draft {
            statement: Statement {
                v: Form,
                region: self.region.clone(),
                chain: self.chain,
                sequence: self.sequence + 1,
                previous: self.link,
                count,
                entries: self.entries + count,
                horizon: self.horizon.max(latest),
                link,
            },
            lines,
        })
    }

    /// Whether `sealed` is the object after this position.
    ///
    /// # Errors
    /// [`Refused`] says what keeps it from being so.
    pub fn check_next(&self, sealed: &Sealed) -> Result<(), Refused> {
        let Statement {
            region,
            chain,
            sequence,
            ..
        } = &sealed.statement;
        if (region, *chain, *sequence) != (&self.region, self.chain, self.sequence + 1) {
            return Err(Refused::Elsewhere);
        }
        if sealed.statement.previous != self.link {
            return Err(Refused::Fork);
        }
        let entries = sealed.entries().ok_or(Refused::Entries)?;
        let due = self.next(&entries).ok_or(Refused::Entries)?;
        if due.statement == sealed.statement {
            Ok(())
        } else {
            Err(Refused::Entries)
        }
    }
}

impl From<&Statement> for Position {
    fn from(statement: &Statement) -> Self {
        Self {
            region: statement.region.clone(),
            chain: statement.chain,
            sequence: statement.sequence,
            entries: statement.entries,
            horizon: statement.horizon,
            link: statement.link,
        }
    }
}

/// Why an object does not follow a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It states another log, chain or place than the one that it stands at.
    #[error("it belongs elsewhere")]
    Elsewhere,
    /// It follows another history of this chain.
    #[error("it follows another history")]
    Fork,
    /// Its entries are not those that were signed.
    #[error("its entries are not those of its statement")]
    Entries,
}

/// An object that has not been signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    statement: Statement,
    lines: Vec<String>,
}

impl Draft {
    /// What to sign: ECDSA over P-256 and SHA-256.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        signed_message(&self.statement.line())
    }

    /// The object with its signature (DER).
    #[must_use]
    pub fn sealed(self, signature: Vec<u8>) -> Sealed {
        Sealed {
            statement: self.statement,
            lines: self.lines,
            signature,
        }
    }
}

/// An object with its signature, or a head: that has no lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// What was signed.
    pub statement: Statement,
    lines: Vec<String>,
    signature: Vec<u8>,
}

impl Sealed {
    /// The bytes of the object.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        let mut body: String = self.lines.iter().flat_map(|line| [line, "\n"]).collect();
        body.push_str(&self.head());
        body.into_bytes()
    }

    /// The text of the head that points here.
    #[must_use]
    pub fn head(&self) -> String {
        format!("{}\n{}\n", self.statement.line(), BASE64.encode(&self.signature))
    }

    /// Its entries; `None` when a line is not of the form.
    #[must_use]
    pub fn entries(&self) -> Option<Vec<Entry>> {
        self.lines.iter().map(|line| Entry::parse(line)).collect()
    }

    /// What its signature must be good for.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        signed_message(&self.statement.line())
    }

    /// The signature (DER).
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// Reads an object or a head. Nothing is checked but the form: see [`Position::check_next`], and the signature.
    #[must_use]
    pub fn parse(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?;
        let mut lines: Vec<String> = text.strip_suffix('\n')?.split('\n').map(str::to_owned).collect();
        let signature = BASE64.decode(lines.pop()?.as_bytes()).ok()?;
        let line = lines.pop()?;
        let statement: Statement = serde_json::from_str(&line).ok()?;
        let canonical = statement.line() == line;
        canonical.then_some(Self {
            statement,
            lines,
            signature,
        })
    }
}

/// The signed message and the signature of an object or a head of whatever version: the last two lines of every one.
#[must_use]
pub fn split_sealed(body: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let text = std::str::from_utf8(body).ok()?;
    let mut lines = text.strip_suffix('\n')?.rsplit('\n');
    let signature = BASE64.decode(lines.next()?.as_bytes()).ok()?;
    Some((signed_message(lines.next()?), signature))
}
