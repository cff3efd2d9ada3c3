//! The body of a message that one of our own roles puts back on a queue.
//!
//! SQS stamps sender and time from whoever sends, so what is set aside, redriven, released or sent in bulk would
//! lose its owner and its priority; it travels as an envelope instead. Whether one may be opened is not decided
//! here: only the sender that SQS itself names can tell (design §7).

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use super::identifiers::{CounterpartyId, InvalidIdentifier, Principal};
use super::limits::MAX_MESSAGE_BYTES;
use super::opaque::text_form;
use super::reason::SetAsideReason;
use super::time::Timestamp;

/// The version of the form, field `v`.
const VERSION: u64 = 1;

/// Longest reason code, in characters.
const MAX_REASON_CHARS: usize = 64;

/// A dead letter bears its reason as a message attribute as well, and SQS counts an attribute's name, type and value
/// into the message: `reason`, `String` and the code, 6 + 6 + 64.
const REASON_ATTRIBUTE_BYTES: usize = "reason".len() + "String".len() + MAX_REASON_CHARS;

/// A `SenderId` as SQS stamped it, to the letter: 1–256 visible ASCII characters.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SenderId(String);

impl SenderId {
    /// Takes the stamp. No stricter than that: an odd sender has to be set aside too, and that takes an envelope.
    ///
    /// # Errors
    /// [`InvalidIdentifier`] unless it is 1–256 visible ASCII characters.
    pub fn parse(text: &str) -> Result<Self, InvalidIdentifier> {
        let visible = text.bytes().all(|b| b.is_ascii_graphic());
        if visible && (1..=256).contains(&text.len()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidIdentifier { what: "SenderId" })
        }
    }

    /// The stamp.
    #[must_use]
    pub fn encode(&self) -> String {
        self.0.clone()
    }

    /// Who it stands for, without the session name.
    ///
    /// # Errors
    /// [`InvalidIdentifier`] when the part before the colon is no IAM id.
    pub fn principal(&self) -> Result<Principal, InvalidIdentifier> {
        Principal::from_sender_id(&self.0)
    }
}

text_form!(SenderId);

/// Why a message is in an envelope: 1–64 of `a–z 0–9 _`. A code from our own lists, so it names nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReasonCode(String);

impl ReasonCode {
    /// Checks and takes the code.
    ///
    /// # Errors
    /// [`InvalidIdentifier`] when the rule in the type's documentation is broken.
    pub fn parse(text: &str) -> Result<Self, InvalidIdentifier> {
        let allowed = |b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_');
        if text.bytes().all(allowed) && (1..=MAX_REASON_CHARS).contains(&text.len()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidIdentifier { what: "reason code" })
        }
    }

    /// The code, as in the envelope and in the attribute `reason`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ReasonCode {
    type Error = InvalidIdentifier;
    fn try_from(text: String) -> Result<Self, InvalidIdentifier> {
        Self::parse(&text)
    }
}

impl From<SetAsideReason> for ReasonCode {
    fn from(reason: SetAsideReason) -> Self {
        Self(reason.code().to_owned())
    }
}

impl From<ReasonCode> for String {
    fn from(code: ReasonCode) -> String {
        code.0
    }
}

/// Whose message it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Who sent it first, as SQS stamped it then.
    Sender(SenderId),
    /// On whose behalf the bulk role sends it; no counterparty sent it to a queue.
    OnBehalfOf(CounterpartyId),
}

/// A message with what SQS stamped on its first sending.
#[derive(Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Whose message it is.
    pub origin: Origin,
    /// When it was first sent; priority counts from here.
    pub sent_at: Timestamp,
    /// How often it was redriven.
    pub cycles: u32,
    /// Why it was set aside; none where nothing was wrong with it.
    pub reason: Option<ReasonCode>,
    /// The original body, to the letter.
    pub body: String,
}

/// Why a text is no envelope. Says where, never what: the text is somebody's message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// Not JSON, another type, a field too many, too few or of the wrong form.
    #[error("not an envelope, at line {line}, column {column}")]
    Malformed {
        /// Line in which reading ended, from 1; 0 where the fault is in no one place.
        line: usize,
        /// Column in which reading ended, from 1.
        column: usize,
    },
    /// A later form than this one.
    #[error("an envelope of unknown version {version}")]
    UnknownVersion {
        /// The version that it bears.
        version: u64,
    },
    /// Both of `sender` and `onBehalfOf`, or neither.
    #[error("an envelope has either a sender or somebody on whose behalf it is sent")]
    Origin,
    /// `sentAt` lies before 1970.
    #[error("an envelope was sent before 1970")]
    SentAt,
}

#[derive(Serialize, Deserialize)]
enum Kind {
    #[serde(rename = "envelope")]
    Envelope,
}

/// The fields in the contract's order.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wire<'a> {
    r#type: Kind,
    v: u64,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    sender: Option<SenderId>,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    on_behalf_of: Option<CounterpartyId>,
    #[serde(serialize_with = "millis_text", deserialize_with = "millis_of_text")]
    sent_at: Timestamp,
    cycles: u32,
    #[serde(
        default,
        deserialize_with = "code_unless_empty",
        skip_serializing_if = "Option::is_none"
    )]
    reason: Option<ReasonCode>,
    body: Cow<'a, str>,
}

impl Wire<'_> {
    #[expect(
        clippy::expect_used,
        reason = "serde_json fails on a failing writer or on keys that are no strings; here are neither"
    )]
    fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings and numbers in a struct")
    }
}

/// A field that is there has a value: `null` is not the same as leaving it out.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(field: D) -> Result<Option<T>, D::Error> {
    T::deserialize(field).map(Some)
}

/// As SQS writes its `SentTimestamp`: milliseconds, in a string.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn millis_text<S: serde::Serializer>(at: &Timestamp, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(&at.as_millis().to_string())
}

/// Milliseconds in a string, or as a number.
fn millis_of_text<'de, D: Deserializer<'de>>(field: D) -> Result<Timestamp, D::Error> {
    let millis = match serde_json::Value::deserialize(field)? {
        serde_json::Value::String(text) if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok(),
        serde_json::Value::Number(number) => number.as_i64(),
        _ => None,
    };
    millis
        .map(Timestamp::from_millis)
        .ok_or_else(|| serde::de::Error::custom("sentAt"))
}

fn code_unless_empty<'de, D: Deserializer<'de>>(field: D) -> Result<Option<ReasonCode>, D::Error> {
    let text = String::deserialize(field)?;
    if text.is_empty() {
        return Ok(None);
    }
    ReasonCode::try_from(text)
        .map(Some)
        .map_err(serde::de::Error::custom)
}

impl Envelope {
    /// Reads the body of a message that one of our own roles sent.
    ///
    /// # Errors
    /// [`EnvelopeError`] for everything but an envelope of version 1 as the contract has it: unknown or repeated
    /// fields too, for we write none.
    pub fn parse(text: &str) -> Result<Self, EnvelopeError> {
        let wire: Wire<'_> = serde_json::from_str(text).map_err(|error| EnvelopeError::Malformed {
            line: error.line(),
            column: error.column(),
        })?;
        if wire.v != VERSION {
            return Err(EnvelopeError::UnknownVersion { version: wire.v });
        }
        let origin = match (wire.sender, wire.on_behalf_of) {
            (Some(sender), None) => Origin::Sender(sender),
            (None, Some(counterparty)) => Origin::OnBehalfOf(counterparty),
            _ => return Err(EnvelopeError::Origin),
        };
        if wire.sent_at.as_millis() < 0 {
            return Err(EnvelopeError::SentAt);
        }
        Ok(Self {
            origin,
            sent_at: wire.sent_at,
            cycles: wire.cycles,
            reason: wire.reason,
            body: wire.body.into_owned(),
        })
    }

    /// The JSON that [`Envelope::parse`] reads back.
    #[must_use]
    pub fn to_json(&self) -> String {
        let (sender, on_behalf_of) = match &self.origin {
            Origin::Sender(sender) => (Some(sender.clone()), None),
            Origin::OnBehalfOf(counterparty) => (None, Some(counterparty.clone())),
        };
        let wire = Wire {
            r#type: Kind::Envelope,
            v: VERSION,
            sender,
            on_behalf_of,
            sent_at: self.sent_at,
            cycles: self.cycles,
            reason: self.reason.clone(),
            body: Cow::Borrowed(&self.body),
        };
        wire.to_json()
    }

    /// Whether SQS takes it as one message, its reason repeated in an attribute.
    ///
    /// JSON writes a quote, a backslash and a line end with two characters each, so a body that SQS took may be up to
    /// twice as long in an envelope. (Other control characters, which would take six, SQS takes none.) Whatever is
    /// shorter than about half of [`MAX_MESSAGE_BYTES`] always fits.
    ///
    /// What does not fit is never cut, never compressed, and not put on a queue by us. The record goes back to its
    /// queue as failed until SQS itself moves it to the dead-letter queue, where it keeps the sender and time that
    /// it has; from there the redrive takes it to the quarantine, whose objects have no such bound.
    #[must_use]
    pub fn fits(&self) -> bool {
        self.to_json().len() + REASON_ATTRIBUTE_BYTES <= MAX_MESSAGE_BYTES
    }
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Envelope")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn set_aside(body: &str) -> Envelope {
        Envelope {
            origin: Origin::Sender(SenderId::parse("AROAEXAMPLE:desk-7").unwrap()),
            sent_at: Timestamp::from_millis(1_796_140_800_123),
            cycles: 2,
            reason: Some(SetAsideReason::UnknownSender.into()),
            body: body.to_owned(),
        }
    }

    #[test]
    fn is_written_as_the_contract_has_it() {
        assert_eq!(
            set_aside("{\"a\":1}\n").to_json(),
            r#"{"type":"envelope","v":1,"sender":"AROAEXAMPLE:desk-7","sentAt":"1796140800123","cycles":2,"reason":"unknown_sender","body":"{\"a\":1}\n"}"#
        );
        let bulk = Envelope {
            origin: Origin::OnBehalfOf(CounterpartyId::new("cp-alpha").unwrap()),
            cycles: 0,
            reason: None,
            ..set_aside("x")
        };
        assert_eq!(
            bulk.to_json(),
            r#"{"type":"envelope","v":1,"onBehalfOf":"cp-alpha","sentAt":"1796140800123","cycles":0,"body":"x"}"#
        );
    }

    #[test]
    fn knows_the_principal_of_its_sender() {
        let sender = SenderId::parse("AROAEXAMPLE:desk-7").unwrap();
        assert_eq!(sender.principal().unwrap().as_str(), "AROAEXAMPLE");
        assert!(SenderId::parse(":desk-7").unwrap().principal().is_err());
    }

    #[test]
    fn our_own_reasons_are_codes() {
        for reason in [SetAsideReason::Malformed, SetAsideReason::UnknownSender] {
            let code = ReasonCode::from(reason);
            assert_eq!(ReasonCode::parse(code.as_str()), Ok(code));
        }
    }

    #[test]
    fn an_empty_reason_is_none() {
        let mut value: Value = serde_json::from_str(&set_aside("x").to_json()).unwrap();
        value["reason"] = json!("");
        assert_eq!(Envelope::parse(&value.to_string()).unwrap().reason, None);
    }

    /// The JSON of an envelope after `change`.
    fn changed(change: impl Fn(&mut serde_json::Map<String, Value>)) -> String {
        let mut value: Value = serde_json::from_str(&set_aside("x").to_json()).unwrap();
        change(value.as_object_mut().unwrap());
        value.to_string()
    }

    #[test]
    fn every_field_has_one_form() {
        for (field, wrong) in [
            ("type", json!("interest")),
            ("type", json!(null)),
            ("v", json!("1")),
            ("v", json!(1.0)),
            ("v", json!(-1)),
            ("sender", json!("")),
            ("sender", json!("a b")),
            ("sender", json!("a\n")),
            ("sender", json!("a".repeat(257))),
            ("sender", json!(7)),
            ("onBehalfOf", json!(null)),
            ("sentAt", json!("")),
            ("sentAt", json!("-1")),
            ("sentAt", json!("9223372036854775808")),
            ("sentAt", json!(1.5)),
            ("sentAt", json!(9_223_372_036_854_775_808_u64)),
            ("sentAt", json!(null)),
            ("cycles", json!(-1)),
            ("cycles", json!(4_294_967_296_u64)),
            ("cycles", json!("2")),
            ("reason", json!("Off-Tick")),
            ("reason", json!("a".repeat(65))),
            ("reason", json!(null)),
            ("body", json!({"a": 1})),
            ("body", json!(null)),
            ("extra", json!(1)),
        ] {
            let text = changed(|fields| {
                fields.insert(field.to_owned(), wrong.clone());
            });
            let refused = Envelope::parse(&text);
            assert!(
                matches!(refused, Err(EnvelopeError::Malformed { .. })),
                "{field} {wrong}"
            );
        }
    }

    #[test]
    fn no_field_is_missing_but_the_reason() {
        for field in ["type", "v", "sentAt", "cycles", "body"] {
            let text = changed(|fields| {
                fields.remove(field);
            });
            let refused = Envelope::parse(&text);
            assert!(matches!(refused, Err(EnvelopeError::Malformed { .. })), "{field}");
        }
        let without = changed(|fields| {
            fields.remove("reason");
        });
        assert_eq!(Envelope::parse(&without).unwrap().reason, None);
    }

    #[test]
    fn it_is_of_either_a_sender_or_somebody_else() {
        let both = changed(|fields| {
            fields.insert("onBehalfOf".to_owned(), json!("cp-alpha"));
        });
        let neither = changed(|fields| {
            fields.remove("sender");
        });
        assert_eq!(Envelope::parse(&both), Err(EnvelopeError::Origin));
        assert_eq!(Envelope::parse(&neither), Err(EnvelopeError::Origin));
    }

    #[test]
    fn other_versions_and_times_are_named() {
        let version = changed(|fields| {
            fields.insert("v".to_owned(), json!(2));
        });
        let time = changed(|fields| {
            fields.insert("sentAt".to_owned(), json!(-1));
        });
        assert_eq!(
            Envelope::parse(&version),
            Err(EnvelopeError::UnknownVersion { version: 2 })
        );
        assert_eq!(Envelope::parse(&time), Err(EnvelopeError::SentAt));
    }

    #[test]
    fn repeated_fields_and_trailing_text_are_refused() {
        let right = set_aside("x").to_json();
        for wrong in [
            String::new(),
            "[]".to_owned(),
            "not json".to_owned(),
            format!("{right}{right}"),
            right.replacen("\"cycles\"", "\"v\":1,\"cycles\"", 1),
            right.replacen("\"cycles\"", "\"sender\":\"B\",\"cycles\"", 1),
        ] {
            assert!(
                matches!(Envelope::parse(&wrong), Err(EnvelopeError::Malformed { .. })),
                "{wrong}"
            );
        }
    }

    #[test]
    fn neither_debug_nor_an_error_shows_what_is_inside() {
        let envelope = set_aside("orderQty");
        assert_eq!(format!("{envelope:?}"), "Envelope");
        assert_eq!(format!("{:?}", envelope.origin), "Sender(SenderId)");
        for hidden in ["body", "sender", "cycles", "secret"] {
            let text = changed(|fields| {
                fields.insert(hidden.to_owned(), json!({"secret": "AROAEXAMPLE"}));
            });
            let error = Envelope::parse(&text).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("secret") && !shown.contains("AROA"), "{shown}");
        }
    }

    #[test]
    fn a_body_of_quotes_doubles() {
        let half = MAX_MESSAGE_BYTES / 2;
        assert!(set_aside(&"x".repeat(MAX_MESSAGE_BYTES - 512)).fits());
        assert!(set_aside(&"\"".repeat(half - 512)).fits());
        assert!(!set_aside(&"\"".repeat(half)).fits());
        assert!(!set_aside(&"x".repeat(MAX_MESSAGE_BYTES)).fits());
    }

    #[test]
    fn what_fits_leaves_room_for_the_reason_as_an_attribute() {
        let around = set_aside("").to_json().len();
        let room = MAX_MESSAGE_BYTES - around - 76;
        assert!(set_aside(&"x".repeat(room)).fits());
        assert!(!set_aside(&"x".repeat(room + 1)).fits());
    }

    fn any_origin() -> impl Strategy<Value = Origin> {
        prop_oneof![
            "[!-~]{1,256}".prop_map(|text| Origin::Sender(SenderId::parse(&text).unwrap())),
            "cp-[a-z0-9]{1,40}".prop_map(|id| Origin::OnBehalfOf(CounterpartyId::new(id).unwrap())),
        ]
    }

    prop_compose! {
        fn any_envelope()(
            origin in any_origin(), sent_at in 0..=i64::MAX, cycles: u32,
            reason in proptest::option::of("[a-z0-9_]{1,64}"), body: String,
        ) -> Envelope {
            Envelope {
                origin,
                sent_at: Timestamp::from_millis(sent_at),
                cycles,
                reason: reason.map(|code| ReasonCode::parse(&code).unwrap()),
                body,
            }
        }
    }

    proptest! {
        #[test]
        fn comes_back_to_the_letter(envelope in any_envelope()) {
            let read = Envelope::parse(&envelope.to_json()).unwrap();
            prop_assert_eq!(&read.body, &envelope.body);
            prop_assert!(read == envelope);
        }

        /// An envelope set aside once more nests, whatever its body holds.
        #[test]
        fn nests(envelope in any_envelope()) {
            let outer = set_aside(&envelope.to_json());
            let inner = Envelope::parse(&Envelope::parse(&outer.to_json()).unwrap().body).unwrap();
            prop_assert!(inner == envelope);
        }

        #[test]
        fn reading_any_text_is_safe(text in "\\PC{0,80}|\\{\"type\":\"envelope\",[ -~]{0,80}\\}") {
            let _ = Envelope::parse(&text);
        }
    }
}
