//! The quarantine's tools: what the function is asked of what it keeps, and what it answers.
//!
//! What is asked names objects, never messages: a hash, a source, a reason and a day. What is shown is the object.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::quarantine::{ObjectName, QuarantineObject};
use super::source::SourceName;
use crate::domain::envelope::{Envelope, Origin};
use crate::domain::limits::SUBMISSION_LIFE_DAYS;
use crate::domain::reason::PoisonReason;
use crate::domain::redrive::Content;
use crate::domain::time::Timestamp;

/// What is asked of the quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum QuarantineRequest {
    /// Names what is there.
    List(Listing),
    /// Shows one object whole.
    Show(ObjectRequest),
    /// Sends one message to its source again, and takes it out.
    Release(ObjectRequest),
    /// Takes one message out for good.
    Purge(ObjectRequest),
}

/// Which object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ObjectRequest {
    /// Its name.
    pub object: ObjectName,
}

/// Which objects are listed, and from where on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Listing {
    /// Those of this source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceName>,
    /// Those of this reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<PoisonReason>,
    /// Those first seen on this day (UTC, `2026-11-23`) or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_from: Option<String>,
    /// Those first seen on this day or earlier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_to: Option<String>,
    /// Those after this one, in the order of names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<ObjectName>,
}

impl Listing {
    /// Whether it takes an object in.
    #[must_use]
    pub fn takes(&self, name: &ObjectName) -> bool {
        // Days in this form are in order as texts.
        self.source.as_ref().is_none_or(|source| *source == name.source)
            && self.reason.is_none_or(|reason| reason == name.reason)
            && self.seen_from.as_ref().is_none_or(|from| *from <= name.day)
            && self.seen_to.as_ref().is_none_or(|to| name.day <= *to)
    }

    /// What the names begin with that it has to look at. Names begin with the source, so a reason alone narrows nothing.
    #[must_use]
    pub fn prefix(&self) -> String {
        let reason = self.reason.filter(|_| self.source.is_some());
        ObjectName::prefix(self.source.as_ref(), reason)
    }
}

/// What the function answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum QuarantineAnswer {
    /// A page of names.
    Listed(Listed),
    /// The object, as it is stored.
    Shown(Shown),
    /// Its message is back on its source, and out of the quarantine.
    Released,
    /// Its message is on its source again, and still in the quarantine: releasing it again is harmless.
    ReleasedAndKept,
    /// It is out of the quarantine.
    Purged,
    /// Nothing was done.
    Refused(ShelfRefusal),
}

/// A page of names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Listed {
    /// In the order of names.
    pub objects: Vec<ObjectName>,
    /// Where to go on; nothing at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<ObjectName>,
}

/// An object, for whoever may see whose it is.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Shown(pub Value);

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shown")
    }
}

/// Why nothing was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShelfRefusal {
    /// There is no such object.
    NotThere,
    /// What is there is no object of the quarantine.
    Unreadable,
    /// This region's consumer takes nothing from the source: it would lie there until it expires.
    ConsumerDisabled,
    /// This function has no such source.
    UnknownQueue,
    /// Nobody can say whose it is, so nobody can send it in his name.
    Unstamped,
    /// Only the bulk role may send it.
    OnBehalf,
    /// First sent longer ago than submissions are kept.
    Stale,
    /// It fits no message.
    TooLarge,
    /// The event bus did not take what was to be said of it first.
    NotAnnounced,
    /// The quarantine or the source did not answer; it is where it was.
    Unavailable,
    /// Too little time was left.
    Deadline,
}

/// The envelope in which a message is released: one cycle more, so that what comes back is not taken for what was here
/// before.
///
/// # Errors
/// [`ShelfRefusal`] says why it may not go back.
pub fn released(object: &QuarantineObject, now: Timestamp) -> Result<Envelope, ShelfRefusal> {
    let Content::Enveloped(envelope) = &object.content else {
        return Err(ShelfRefusal::Unstamped);
    };
    if matches!(envelope.origin, Origin::OnBehalfOf(_)) {
        return Err(ShelfRefusal::OnBehalf);
    }
    if envelope.sent_at.plus_days(SUBMISSION_LIFE_DAYS) <= now {
        return Err(ShelfRefusal::Stale);
    }
    let envelope = Envelope {
        cycles: envelope.cycles.saturating_add(1),
        reason: None,
        ..envelope.clone()
    };
    if envelope.fits() {
        Ok(envelope)
    } else {
        Err(ShelfRefusal::TooLarge)
    }
}
