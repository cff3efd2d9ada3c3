//! One dead letter: as it was read, and out of the envelope that it may be in.

use std::fmt;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use crate::domain::envelope::{Envelope, Origin, ReasonCode, SenderId};
use crate::domain::hash::Labelled;
use crate::domain::identifiers::InvalidIdentifier;
use crate::domain::own_roles::OwnRoles;
use crate::domain::time::Timestamp;

/// A dead letter as a queue gives it: nothing of it is believed yet.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct LetterAsRead {
    /// The body to the letter.
    pub body: String,
    /// `SenderId`.
    pub sender: Option<String>,
    /// `SentTimestamp`: milliseconds since 1970. SQS keeps it when it moves a message itself.
    pub sent_at: Option<String>,
    /// `ApproximateFirstReceiveTimestamp`: milliseconds since 1970.
    pub first_received_at: Option<String>,
    /// `ApproximateReceiveCount`, this time included.
    pub receives: Option<String>,
    /// The message attribute `reason`. Whoever sends to a source may set it.
    pub reason: Option<String>,
}

impl fmt::Debug for LetterAsRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LetterAsRead")
    }
}

/// Which message it is, in whatever envelope and under whatever id of SQS it travels: SHA-256 over its origin, first
/// time and original body. Neither cycles nor reason are part of it. Written as 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Identity([u8; 32]);

impl Identity {
    /// The identity of what is in an envelope.
    #[must_use]
    pub fn of(envelope: &Envelope) -> Self {
        let sent_at = envelope.sent_at.as_millis().to_string();
        match &envelope.origin {
            Origin::Sender(sender) => Self::hash("sender", &sender.encode(), &sent_at, &envelope.body),
            Origin::OnBehalfOf(id) => Self::hash("onBehalfOf", id.as_str(), &sent_at, &envelope.body),
        }
    }

    /// The identity of what bears no stamps: nothing is known of it but its body.
    #[must_use]
    pub fn of_unstamped(body: &str) -> Self {
        Self::hash("unstamped", "", "", body)
    }

    fn hash(kind: &str, who: &str, sent_at: &str, body: &str) -> Self {
        let form = Labelled::new("symbolon/letter/v1").field(kind).field(who);
        Self(form.field(sent_at).field(body).sha256())
    }

    /// As text.
    #[must_use]
    pub fn encode(&self) -> String {
        HEXLOWER.encode(&self.0)
    }

    /// From its text.
    ///
    /// # Errors
    /// [`InvalidIdentifier`] unless it is 64 lower-case hex digits.
    pub fn parse(text: &str) -> Result<Self, InvalidIdentifier> {
        let bytes = HEXLOWER.decode(text.as_bytes()).ok();
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or(InvalidIdentifier {
            what: "letter's hash",
        })
    }
}

impl TryFrom<String> for Identity {
    type Error = InvalidIdentifier;
    fn try_from(text: String) -> Result<Self, InvalidIdentifier> {
        Self::parse(&text)
    }
}

impl From<Identity> for String {
    fn from(identity: Identity) -> String {
        identity.encode()
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity")
    }
}

/// What is in a letter.
#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    /// A message with its first sender and time.
    Enveloped(Envelope),
    /// A body without the stamps of SQS: nobody can say whose it is.
    Unstamped(String),
}

impl Content {
    /// Which message it is.
    #[must_use]
    pub fn identity(&self) -> Identity {
        match self {
            Self::Enveloped(envelope) => Identity::of(envelope),
            Self::Unstamped(body) => Identity::of_unstamped(body),
        }
    }
}

/// A dead letter out of its envelope.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// Which message it is.
    pub identity: Identity,
    /// The message.
    pub content: Content,
    /// Whether one of our own roles sent it, and in no envelope that can be read.
    pub broken: bool,
    /// Why the matcher set it aside; what anybody else says of the reason is not here.
    pub reason: Option<ReasonCode>,
    /// When it was first sent; without that stamp when SQS first gave it to somebody, or 1970.
    pub first_seen: Timestamp,
    /// When the copy that lies in the queue was sent, as SQS counts its age: when SQS moved it, when it was first sent.
    pub queued_at: Option<Timestamp>,
    /// How often it was received from the dead-letter queue and, if SQS moved it, from its source.
    pub receives: u32,
}

impl Letter {
    /// Opens the envelope when SQS says that one of our own roles sent it. Anybody else's is a body like any other,
    /// and so is what he says of the reason.
    #[must_use]
    pub fn open(read: LetterAsRead, roles: &OwnRoles) -> Self {
        let receives = read.receives.and_then(|count| count.parse().ok()).unwrap_or(1);
        let sender = read.sender.and_then(|sender| SenderId::parse(&sender).ok());
        let (Some(sender), Some(sent_at)) = (sender, moment(read.sent_at)) else {
            let first_seen = moment(read.first_received_at).unwrap_or(Timestamp::from_millis(0));
            return Self::of(
                Content::Unstamped(read.body),
                false,
                None,
                (first_seen, None),
                receives,
            );
        };
        let as_it_is = |body| Envelope {
            origin: Origin::Sender(sender.clone()),
            sent_at,
            cycles: 0,
            reason: None,
            body,
        };
        if !roles.include(&sender) {
            let envelope = as_it_is(read.body);
            return Self::of(
                Content::Enveloped(envelope),
                false,
                None,
                (sent_at, Some(sent_at)),
                receives,
            );
        }
        let said = read.reason.and_then(|code| ReasonCode::parse(&code).ok());
        let Ok(envelope) = Envelope::parse(&read.body) else {
            let envelope = as_it_is(read.body);
            return Self::of(
                Content::Enveloped(envelope),
                true,
                said,
                (sent_at, Some(sent_at)),
                receives,
            );
        };
        let (reason, first_seen) = (said.or_else(|| envelope.reason.clone()), envelope.sent_at);
        Self::of(
            Content::Enveloped(envelope),
            false,
            reason,
            (first_seen, Some(sent_at)),
            receives,
        )
    }

    fn of(
        content: Content,
        broken: bool,
        reason: Option<ReasonCode>,
        (first_seen, queued_at): (Timestamp, Option<Timestamp>),
        receives: u32,
    ) -> Self {
        Self {
            identity: content.identity(),
            content,
            broken,
            reason,
            first_seen,
            queued_at,
            receives,
        }
    }

    /// How often it was sent back.
    #[must_use]
    pub fn cycles(&self) -> u32 {
        match &self.content {
            Content::Enveloped(envelope) => envelope.cycles,
            Content::Unstamped(_) => 0,
        }
    }
}

fn moment(stamp: Option<String>) -> Option<Timestamp> {
    let millis = stamp.and_then(|millis| millis.parse().ok());
    millis.filter(|millis| *millis >= 0).map(Timestamp::from_millis)
}

macro_rules! shows_only_its_name {
    ($($name:ident),+) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    )+};
}
shows_only_its_name!(Content, Letter);
