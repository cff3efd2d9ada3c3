//! What the function is asked, and what it answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::shelf::{QuarantineAnswer, QuarantineRequest};
use super::source::SourceName;
use crate::domain::reason::{PoisonReason, StopReason};

/// What the function is asked to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Request {
    /// Redrive what lies in the dead-letter queues.
    Redrive(RedriveRequest),
    /// Look into the quarantine, or take something out of it.
    Quarantine(QuarantineRequest),
}

/// Which queue, and whether in earnest.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RedriveRequest {
    /// The source whose dead letters are meant; every one's when left out.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub queue: Option<SourceName>,
    /// Say what would be done, and do nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// A field that is there has a value: `null` is not the same as leaving it out.
fn given<'de, D: Deserializer<'de>>(field: D) -> Result<Option<SourceName>, D::Error> {
    SourceName::deserialize(field).map(Some)
}

/// The event is no request. Says nothing of what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a request")]
pub struct NotUnderstood;

impl Request {
    /// Reads an event. The schedule's, `{}`, asks for everything.
    ///
    /// # Errors
    /// [`NotUnderstood`] for anything but a request: an unknown field might be one that holds something back.
    pub fn parse(event: Value) -> Result<Self, NotUnderstood> {
        match event {
            Value::Object(fields) if fields.is_empty() => Ok(Self::Redrive(RedriveRequest::default())),
            event => serde_json::from_value(event).map_err(|_| NotUnderstood),
        }
    }
}

/// What the function answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Answer {
    /// What came of a redrive.
    Redrive(RedriveReport),
    /// What came of a look into the quarantine.
    Quarantine(QuarantineAnswer),
    /// Nothing was done.
    Refused(Refusal),
}

/// Why nothing was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The event is no request.
    NotUnderstood,
    /// No such source.
    UnknownQueue,
}

/// What came of a redrive.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RedriveReport {
    /// Queue by queue.
    pub queues: Vec<QueueReport>,
}

/// What came of one queue's dead letters. In a dry run: what would be done with them, if every canary were heard of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueueReport {
    /// Whose dead letters.
    pub source: SourceName,
    /// Whether nothing was done in earnest.
    pub dry_run: bool,
    /// Letters received, each once.
    pub received: u64,
    /// Letters that went back to the source, canaries included.
    pub sent_back: u64,
    /// Canaries among them.
    pub canaries: u64,
    /// Letters that are in the quarantine now, by reason.
    pub quarantined: BTreeMap<PoisonReason, u64>,
    /// Letters that had been sent back before and were here again, whatever became of them.
    pub relapsed: u64,
    /// Letters that were received and stay.
    pub left: u64,
    /// Why nothing more went back, if so.
    pub stopped: Option<StopReason>,
    /// Whether time ran out, or calls failed, before all letters were seen.
    pub unfinished: bool,
}

impl QueueReport {
    /// The report of a queue of which nothing was seen yet.
    #[must_use]
    pub fn new(source: SourceName, dry_run: bool) -> Self {
        Self {
            source,
            dry_run,
            received: 0,
            sent_back: 0,
            canaries: 0,
            quarantined: BTreeMap::new(),
            relapsed: 0,
            left: 0,
            stopped: None,
            unfinished: false,
        }
    }
}
