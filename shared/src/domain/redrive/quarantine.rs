//! The quarantine's objects: one for each message that is poison, under a name that a second put hits again.

use std::fmt;

use serde::de::IntoDeserializer as _;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::letter::{Content, Identity, Letter};
use super::source::SourceName;
use crate::domain::envelope::Envelope;
use crate::domain::form::Form;
use crate::domain::reason::PoisonReason;
use crate::domain::time::Timestamp;

/// What every name begins with: the version of names.
const ROOT: &str = "v1";

/// How every name ends.
const ENDING: &str = ".json";

/// Not an object of the quarantine, or not of its name. Says nothing of the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an object of the quarantine")]
pub struct InvalidObject;

/// The name of an object: `v1/<source>/<reason>/<day first seen>/<hash>.json`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ObjectName {
    /// Which queue the letter was on first.
    pub source: SourceName,
    /// Why it is here.
    pub reason: PoisonReason,
    /// The UTC day on which it was first seen, `2026-11-23`.
    pub day: String,
    /// Which message it is.
    pub identity: Identity,
}

impl ObjectName {
    /// The name of a letter of `source` that is quarantined for `reason`.
    #[must_use]
    pub fn of(letter: &Letter, source: &SourceName, reason: PoisonReason) -> Self {
        Self {
            source: source.clone(),
            reason,
            day: letter.first_seen.utc_day(),
            identity: letter.identity,
        }
    }

    /// What the names of a source begin with, or of one of its reasons; of every source if none is given.
    #[must_use]
    pub fn prefix(source: Option<&SourceName>, reason: Option<PoisonReason>) -> String {
        match (source, reason) {
            (None, _) => format!("{ROOT}/"),
            (Some(source), None) => format!("{ROOT}/{source}/"),
            (Some(source), Some(reason)) => format!("{ROOT}/{source}/{reason}/"),
        }
    }

    /// As text.
    #[must_use]
    pub fn encode(&self) -> String {
        let Self {
            source,
            reason,
            day,
            identity,
        } = self;
        format!("{ROOT}/{source}/{reason}/{day}/{}{ENDING}", identity.encode())
    }

    /// From its text.
    ///
    /// # Errors
    /// [`InvalidObject`] for any other form.
    pub fn parse(text: &str) -> Result<Self, InvalidObject> {
        let mut parts = text.split('/');
        let mut next = || parts.next().ok_or(InvalidObject);
        let (root, source, reason, day, file) = (next()?, next()?, next()?, next()?, next()?);
        let hash = file.strip_suffix(ENDING).ok_or(InvalidObject)?;
        if root != ROOT || parts.next().is_some() || !is_day(day) {
            return Err(InvalidObject);
        }
        Ok(Self {
            source: SourceName::new(source).map_err(|_| InvalidObject)?,
            reason: reason_of(reason)?,
            day: day.to_owned(),
            identity: Identity::parse(hash).map_err(|_| InvalidObject)?,
        })
    }
}

impl TryFrom<String> for ObjectName {
    type Error = InvalidObject;
    fn try_from(text: String) -> Result<Self, InvalidObject> {
        Self::parse(&text)
    }
}

impl From<ObjectName> for String {
    fn from(name: ObjectName) -> String {
        name.encode()
    }
}

fn is_day(text: &str) -> bool {
    let digit = |(at, b): (usize, u8)| {
        if matches!(at, 4 | 7) {
            b == b'-'
        } else {
            b.is_ascii_digit()
        }
    };
    text.len() == 10 && text.bytes().enumerate().all(digit)
}

fn reason_of(code: &str) -> Result<PoisonReason, InvalidObject> {
    let code: serde::de::value::StrDeserializer<'_, serde::de::value::Error> = code.into_deserializer();
    PoisonReason::deserialize(code).map_err(|_| InvalidObject)
}

/// How often a message was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attempts {
    /// How often it was sent back.
    pub cycles: u32,
    /// How often the last copy was received.
    pub receives: u32,
}

/// One message in the quarantine.
#[derive(Clone, PartialEq, Eq)]
pub struct QuarantineObject {
    /// The message: in its envelope, or bare when nobody can say whose it is.
    pub content: Content,
    /// Why it is here.
    pub reason: PoisonReason,
    /// Which queue it was on first.
    pub source: SourceName,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// When it was put here.
    pub quarantined_at: Timestamp,
    /// How often it was tried.
    pub attempts: Attempts,
}

impl fmt::Debug for QuarantineObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("QuarantineObject")
    }
}

/// The stored form. Of `envelope` and `body` there is one.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wire {
    v: Form<1>,
    hash: Identity,
    source: SourceName,
    reason: PoisonReason,
    first_seen: Timestamp,
    quarantined_at: Timestamp,
    attempts: Attempts,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    envelope: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<String>,
}

impl Wire {
    #[expect(
        clippy::expect_used,
        reason = "serde_json fails on a failing writer or on keys that are no strings; here are neither"
    )]
    fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("strings and numbers in a struct")
    }
}

#[expect(clippy::expect_used, reason = "an envelope is written as JSON")]
fn raw(envelope: &Envelope) -> Box<RawValue> {
    RawValue::from_string(envelope.to_json()).expect("an envelope is JSON")
}

impl QuarantineObject {
    /// The object of a letter.
    #[must_use]
    pub fn of(letter: &Letter, source: &SourceName, reason: PoisonReason, now: Timestamp) -> Self {
        Self {
            content: letter.content.clone(),
            reason,
            source: source.clone(),
            first_seen: letter.first_seen,
            quarantined_at: now,
            attempts: Attempts {
                cycles: letter.cycles(),
                receives: letter.receives,
            },
        }
    }

    /// Which message it is.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.content.identity()
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> ObjectName {
        ObjectName {
            source: self.source.clone(),
            reason: self.reason,
            day: self.first_seen.utc_day(),
            identity: self.identity(),
        }
    }

    /// The JSON that [`QuarantineObject::parse`] reads back.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let (envelope, body) = match &self.content {
            Content::Enveloped(envelope) => (Some(raw(envelope)), None),
            Content::Unstamped(body) => (None, Some(body.clone())),
        };
        let wire = Wire {
            v: Form,
            hash: self.identity(),
            source: self.source.clone(),
            reason: self.reason,
            first_seen: self.first_seen,
            quarantined_at: self.quarantined_at,
            attempts: self.attempts,
            envelope,
            body,
        };
        wire.to_json()
    }

    /// Reads an object. Its hash is computed, not believed.
    ///
    /// # Errors
    /// [`InvalidObject`] for anything but what [`QuarantineObject::to_json`] writes.
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidObject> {
        let wire: Wire = serde_json::from_slice(bytes).map_err(|_| InvalidObject)?;
        let content = match (wire.envelope, wire.body) {
            (Some(raw), None) => Content::Enveloped(Envelope::parse(raw.get()).map_err(|_| InvalidObject)?),
            (None, Some(body)) => Content::Unstamped(body),
            _ => return Err(InvalidObject),
        };
        if content.identity() != wire.hash {
            return Err(InvalidObject);
        }
        Ok(Self {
            content,
            reason: wire.reason,
            source: wire.source,
            first_seen: wire.first_seen,
            quarantined_at: wire.quarantined_at,
            attempts: wire.attempts,
        })
    }
}
