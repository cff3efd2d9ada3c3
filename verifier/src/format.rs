//! The published format, read strictly: what is not in the one spelling that the page gives it is not read at all.

use data_encoding::{BASE64, HEXLOWER};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// How many chains there are.
pub const CHAINS: u8 = 8;

/// The one version that there is.
const VERSION: u32 = 1;

/// What an entry says happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A match was made, and with it two tokens.
    Minted,
    /// A match was changed.
    Changed,
    /// A match was taken away by its TTL.
    Expired,
    /// A match was taken away.
    Deleted,
    /// An invariant does not hold of the event before.
    Broken,
}

/// One entry, as it stands in the log. Texts are kept as they are: what they must look like is checked apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Entry {
    /// What happened.
    pub event: Event,
    /// Of a broken invariant: which one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invariant: Option<String>,
    /// Which event of the stream.
    pub event_id: String,
    /// When the stream recorded it, in milliseconds of Unix time.
    pub recorded_at: i64,
    /// Which match.
    pub match_id: String,
    /// The hash over both of its tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commitment: Option<String>,
    /// The region that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Whose key minted its tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_epoch: Option<String>,
    /// The version of its symbol's parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter_version: Option<u64>,
    /// When it was made, in milliseconds of Unix time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matched_at: Option<i64>,
    /// When TTL may take it, in milliseconds of Unix time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
}

impl Entry {
    /// Reads a line that is an entry in its one spelling.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let entry: Self = canonical(line)?;
        entry.is_well_formed().then_some(entry)
    }

    /// The line.
    #[must_use]
    pub fn line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    fn is_well_formed(&self) -> bool {
        let fine = |text: &Option<String>, is: fn(&str) -> bool| text.as_deref().is_none_or(is);
        let is_broken = self.event == Event::Broken;
        let details = [
            self.commitment.is_some(),
            self.region.is_some(),
            self.key_epoch.is_some(),
            self.parameter_version.is_some(),
            self.matched_at.is_some(),
            self.expires_at.is_some(),
        ];
        self.invariant.is_some() == is_broken
            && !(is_broken && details.contains(&true))
            && is_hex(&self.event_id, 32)
            && is_match_id(&self.match_id)
            && fine(&self.commitment, is_commitment)
            && fine(&self.region, is_region)
            && fine(&self.key_epoch, |text| {
                text.bytes().all(|b| b.is_ascii_digit() || b"-.g".contains(&b))
            })
            && fine(&self.invariant, |text| {
                text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
            })
    }
}

/// The statement of an object or a head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Statement {
    /// The version.
    pub v: u32,
    /// Whose log it is.
    pub region: String,
    /// Which chain.
    pub chain: u8,
    /// The place in it.
    pub sequence: u64,
    /// Hex of the link before the first entry.
    pub previous: String,
    /// Entries of this object.
    pub count: u64,
    /// Entries of the chain up to here.
    pub entries: u64,
    /// The greatest `recordedAt` up to here.
    pub horizon: i64,
    /// Hex of the last entry's link.
    pub link: String,
}

/// A statement with its line and its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// What it says.
    pub statement: Statement,
    /// How it says it.
    pub line: String,
    /// The signature, DER.
    pub signature: Vec<u8>,
}

/// An object, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object<'a> {
    /// The lines of its entries, unread.
    pub lines: Vec<&'a str>,
    /// Its end.
    pub signed: Signed,
}

/// Why bytes are no object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Malformed {
    /// They are not ASCII, or do not end with a newline.
    #[error("it is not lines of ASCII")]
    NotLines,
    /// The last line is no canonical base64.
    #[error("its last line is no signature")]
    NoSignature,
    /// The line before is no statement in its one spelling.
    #[error("the line before its last is no statement")]
    NoStatement,
    /// A version that is not known here.
    #[error("it is of a version that is not known here")]
    UnknownVersion,
    /// A head with entries, or an object without.
    #[error("it has entries where there may be none, or none where there must be")]
    Entries,
}

impl<'a> Object<'a> {
    /// Takes the bytes of an object or a head apart.
    ///
    /// # Errors
    /// [`Malformed`] says what they lack.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let text = std::str::from_utf8(bytes).ok().filter(|text| text.is_ascii());
        let text = text
            .and_then(|text| text.strip_suffix('\n'))
            .ok_or(Malformed::NotLines)?;
        let mut lines: Vec<&str> = text.split('\n').collect();
        let signature = lines.pop().and_then(|line| BASE64.decode(line.as_bytes()).ok());
        let signature = signature
            .filter(|bytes| !bytes.is_empty())
            .ok_or(Malformed::NoSignature)?;
        let line = lines.pop().ok_or(Malformed::NoStatement)?;
        let statement: Statement = canonical(line).ok_or(Malformed::NoStatement)?;
        if statement.v != VERSION {
            return Err(Malformed::UnknownVersion);
        }
        let both = [&statement.previous, &statement.link];
        if statement.chain >= CHAINS || !both.iter().all(|link| is_hex(link, 64)) {
            return Err(Malformed::NoStatement);
        }
        Ok(Self {
            lines,
            signed: Signed {
                line: line.to_owned(),
                statement,
                signature,
            },
        })
    }

    /// Takes the bytes of a head apart.
    ///
    /// # Errors
    /// [`Malformed`] says what they lack, or that there is more.
    pub fn parse_head(bytes: &'a [u8]) -> Result<Signed, Malformed> {
        let object = Self::parse(bytes)?;
        if object.lines.is_empty() {
            Ok(object.signed)
        } else {
            Err(Malformed::Entries)
        }
    }
}

/// What a value reads from a line, if it would write the same line.
fn canonical<T: Serialize + for<'de> Deserialize<'de>>(line: &str) -> Option<T> {
    let value: T = serde_json::from_str(line).ok()?;
    let again = serde_json::to_string(&value).ok()?;
    (again == line).then_some(value)
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// The link before a chain's first entry.
#[must_use]
pub fn genesis(region: &str, chain: u8) -> [u8; 32] {
    sha256(&[
        b"symbolon/audit/genesis/v1",
        format!("{region}/{chain}").as_bytes(),
    ])
}

/// The link of an entry's line after `previous`.
#[must_use]
pub fn link(previous: &[u8; 32], line: &str) -> [u8; 32] {
    sha256(&[b"symbolon/audit/entry/v1", previous, line.as_bytes()])
}

/// The chain of a match.
#[must_use]
pub fn chain_of(match_id: &str) -> u8 {
    sha256(&[b"symbolon/audit/chain/v1", match_id.as_bytes()])[0] % CHAINS
}

/// What a signature is made over.
#[must_use]
pub fn signed_message(statement_line: &str) -> Vec<u8> {
    [b"symbolon/audit/statement", statement_line.as_bytes()].concat()
}

/// Lower-case hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Whether a text is a match id: 26 characters of base32.
#[must_use]
pub fn is_match_id(text: &str) -> bool {
    text.len() == 26 && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7'))
}

/// Whether a text is a commitment: 64 hex digits.
#[must_use]
pub fn is_commitment(text: &str) -> bool {
    is_hex(text, 64)
}

/// Whether a text is a region's name.
#[must_use]
pub fn is_region(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// The name of an object.
#[must_use]
pub fn object_name(region: &str, chain: u8, sequence: u64) -> String {
    format!("{region}/{chain}/{sequence:016}")
}

/// The name of a head.
#[must_use]
pub fn head_name(region: &str, chain: u8) -> String {
    format!("{region}/{chain}/head")
}

/// What a name under a region stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// An object of a chain.
    Object {
        /// The chain.
        chain: u8,
        /// The place.
        sequence: u64,
    },
    /// A chain's head.
    Head {
        /// The chain.
        chain: u8,
    },
}

/// Reads a name; `None` for one that the format does not have.
#[must_use]
pub fn read_name(region: &str, name: &str) -> Option<Named> {
    let rest = name.strip_prefix(region)?.strip_prefix('/')?;
    let (chain, last) = rest.split_once('/')?;
    let chain: u8 = chain.parse().ok().filter(|chain| *chain < CHAINS)?;
    if last == "head" {
        return (head_name(region, chain) == name).then_some(Named::Head { chain });
    }
    let sequence: u64 = last.parse().ok().filter(|sequence| *sequence > 0)?;
    (object_name(region, chain, sequence) == name).then_some(Named::Object { chain, sequence })
}
