//! Records as Lambda hands them over, and as it never would.

use serde_json::{Value, json};

use super::maker::{Maker, rejected};
use super::{End, Item};
use crate::domain::reason::Reason;
use crate::domain::time::Timestamp;

/// How a record must end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordEnd {
    /// It cannot be named, so the whole delivery comes back, after the others are done; nothing of it is taken.
    WholeDeliveryBack,
    /// It lacks what SQS stamps: it comes back alone, untouched, until SQS itself moves it.
    ComesBack,
    /// It is taken like any other.
    Taken(Vec<End>),
}

/// A record that SQS would not send, or whose attributes lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OddRecord {
    /// What is odd about it.
    pub kind: RecordKind,
    /// The record.
    pub record: Value,
    /// How it must end.
    pub end: RecordEnd,
}

/// The record of `body`, sent by `sender_id` at `sent_at`, as Lambda hands it over at its first receive.
#[must_use]
pub fn record(message_id: &str, sender_id: &str, sent_at: Timestamp, body: &str) -> Value {
    json!({
        "messageId": message_id,
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": sent_at.as_millis().to_string(),
            "SenderId": sender_id,
            "ApproximateFirstReceiveTimestamp": sent_at.as_millis().to_string()
        },
        "messageAttributes": {},
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:intake",
        "awsRegion": "us-east-1"
    })
}

macro_rules! record_kinds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)+) => {
        /// What is odd about a record.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum RecordKind {
            $($(#[$doc])* $variant,)+
        }

        impl RecordKind {
            /// Every kind.
            pub const ALL: [Self; [$(Self::$variant),+].len()] = [$(Self::$variant),+];

            /// The name, for a table.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }
    };
}

record_kinds! {
    /// `null` for a record.
    Null = "null for a record",
    /// A scalar for a record.
    Scalar = "scalar for a record",
    /// An array for a record.
    Array = "array for a record",
    /// A record without fields.
    Empty = "record without fields",
    /// No id.
    NoId = "no id",
    /// `null` for an id.
    NullId = "null for an id",
    /// An empty id.
    EmptyId = "empty id",
    /// A number for an id.
    NumberForId = "number for an id",
    /// No body.
    NoBody = "no body",
    /// `null` for a body.
    NullBody = "null for a body",
    /// The body as JSON, not as a string.
    BodyAsJson = "body as JSON",
    /// No attributes.
    NoAttributes = "no attributes",
    /// `null` for the attributes.
    NullAttributes = "null for the attributes",
    /// An array for the attributes.
    ArrayForAttributes = "array for the attributes",
    /// No `SenderId`.
    NoSender = "no SenderId",
    /// An empty `SenderId`.
    EmptySender = "empty SenderId",
    /// A number for a `SenderId`.
    NumberForSender = "number for a SenderId",
    /// A `SenderId` with a blank and a line end.
    BlankInSender = "blank in a SenderId",
    /// A `SenderId` of 100,000 characters.
    LongSender = "SenderId without end",
    /// No `SentTimestamp`.
    NoTime = "no SentTimestamp",
    /// A `SentTimestamp` below zero.
    NegativeTime = "negative SentTimestamp",
    /// A `SentTimestamp` that 64 bits do not hold.
    OverflowingTime = "overflowing SentTimestamp",
    /// A `SentTimestamp` that is no number of milliseconds.
    WordForTime = "word for a SentTimestamp",
    /// A JSON number for a `SentTimestamp`.
    NumberForTime = "number for a SentTimestamp",
    /// Sent in 1970, as it says.
    LongAgo = "sent in 1970",
    /// Sent at the end of time, as it says: then no expiry is in its future.
    EndOfTime = "sent at the end of time",
    /// No receive count.
    NoCount = "no receive count",
    /// Received zero times.
    ZeroCount = "received zero times",
    /// Received minus one times.
    NegativeCount = "received minus one times",
    /// Received more often than 32 bits hold.
    OverflowingCount = "overflowing receive count",
    /// A receive count that is no number.
    WordForCount = "word for a receive count",
    /// Message attributes that claim another sender, time and count.
    ClaimedSender = "claims another sender",
    /// A message attribute `reason`, as on a dead letter.
    ClaimedReason = "claims a reason",
    /// Message attributes that are none.
    OddMessageAttributes = "odd message attributes",
    /// Other fields of wrong types, and one of an unknown name.
    OddFields = "odd other fields",
}

/// A string message attribute, as Lambda hands it over.
fn attribute(value: &str) -> Value {
    json!({"stringValue": value, "stringListValues": [], "binaryListValues": [], "dataType": "String"})
}

/// The item's record with what `kind` makes of it.
pub(super) fn make(
    kind: RecordKind,
    item: &Item,
    maker: &mut Maker,
    message_id: &str,
    sent_at: Timestamp,
) -> OddRecord {
    use RecordKind as K;
    let whole = record(message_id, &item.sender_id, sent_at, &item.body);
    let taken = || RecordEnd::Taken(item.ends.clone());
    let field = |name: &str, value: Value| with(&whole, "", name, Some(value));
    let stamp = |name: &str, value: Value| with(&whole, "attributes", name, Some(value));
    let (record, end) = match kind {
        K::Null => (json!(null), RecordEnd::WholeDeliveryBack),
        K::Scalar => (json!(message_id), RecordEnd::WholeDeliveryBack),
        K::Array => (json!([message_id, whole]), RecordEnd::WholeDeliveryBack),
        K::Empty => (json!({}), RecordEnd::WholeDeliveryBack),
        K::NoId => (with(&whole, "", "messageId", None), RecordEnd::WholeDeliveryBack),
        K::NullId => (field("messageId", json!(null)), RecordEnd::WholeDeliveryBack),
        K::EmptyId => (field("messageId", json!("")), RecordEnd::WholeDeliveryBack),
        K::NumberForId => (field("messageId", json!(7)), RecordEnd::WholeDeliveryBack),
        K::NoBody => (with(&whole, "", "body", None), RecordEnd::ComesBack),
        K::NullBody => (field("body", json!(null)), RecordEnd::ComesBack),
        K::BodyAsJson => (field("body", json!({"type": "interest"})), RecordEnd::ComesBack),
        K::NoAttributes => (with(&whole, "", "attributes", None), RecordEnd::ComesBack),
        K::NullAttributes => (field("attributes", json!(null)), RecordEnd::ComesBack),
        K::ArrayForAttributes => (field("attributes", json!([item.sender_id])), RecordEnd::ComesBack),
        K::NoSender => (with(&whole, "attributes", "SenderId", None), RecordEnd::ComesBack),
        K::EmptySender => (stamp("SenderId", json!("")), RecordEnd::ComesBack),
        K::NumberForSender => (stamp("SenderId", json!(7)), RecordEnd::ComesBack),
        K::BlankInSender => {
            let blank = format!("{} x\n", item.sender_id);
            (stamp("SenderId", json!(blank)), RecordEnd::ComesBack)
        }
        K::LongSender => (
            stamp("SenderId", json!("A".repeat(100_000))),
            RecordEnd::ComesBack,
        ),
        K::NoTime => (
            with(&whole, "attributes", "SentTimestamp", None),
            RecordEnd::ComesBack,
        ),
        K::NegativeTime => (stamp("SentTimestamp", json!("-1")), RecordEnd::ComesBack),
        K::OverflowingTime => (
            stamp("SentTimestamp", json!("9223372036854775808")),
            RecordEnd::ComesBack,
        ),
        K::WordForTime => (stamp("SentTimestamp", json!("1e400")), RecordEnd::ComesBack),
        K::NumberForTime => (
            stamp("SentTimestamp", json!(sent_at.as_millis())),
            RecordEnd::ComesBack,
        ),
        K::LongAgo => (
            stamp("SentTimestamp", json!("0")),
            RecordEnd::Taken(expired(item)),
        ),
        K::EndOfTime => return end_of_time(maker, message_id, sent_at),
        K::NoCount => (
            with(&whole, "attributes", "ApproximateReceiveCount", None),
            taken(),
        ),
        K::ZeroCount => (stamp("ApproximateReceiveCount", json!("0")), taken()),
        K::NegativeCount => (stamp("ApproximateReceiveCount", json!("-1")), taken()),
        K::OverflowingCount => (stamp("ApproximateReceiveCount", json!("4294967296")), taken()),
        K::WordForCount => (stamp("ApproximateReceiveCount", json!("many")), taken()),
        K::ClaimedSender => (field("messageAttributes", claims(maker)), taken()),
        K::ClaimedReason => {
            let reason = json!({"reason": attribute("unknown_sender")});
            (field("messageAttributes", reason), taken())
        }
        K::OddMessageAttributes => (field("messageAttributes", json!([[7], null])), taken()),
        K::OddFields => (odd_fields(whole), taken()),
    };
    OddRecord { kind, record, end }
}

/// The record with another value for a field, or without it.
fn with(record: &Value, within: &str, name: &str, value: Option<Value>) -> Value {
    let mut record = record.clone();
    let object = if within.is_empty() {
        record.as_object_mut()
    } else {
        record.get_mut(within).and_then(Value::as_object_mut)
    };
    if let Some(object) = object {
        match value {
            Some(value) => object.insert(name.to_owned(), value),
            None => object.remove(name),
        };
    }
    record
}

/// A message first sent more than 400 days ago is refused, whatever it says.
fn expired(item: &Item) -> Vec<End> {
    let end = |end: &End| match end.clone() {
        End::Rejected {
            counterparty,
            cl_ord_id,
            ..
        } => End::Rejected {
            counterparty,
            cl_ord_id,
            reason: Reason::Expired,
        },
        other => other,
    };
    item.ends.iter().map(end).collect()
}

fn end_of_time(maker: &mut Maker, message_id: &str, sent_at: Timestamp) -> OddRecord {
    let author = maker.author();
    let body = maker.interest(&author).text();
    let record = record(message_id, &maker.sender_id(author.counterparty), sent_at, &body);
    let stamp = json!(i64::MAX.to_string());
    OddRecord {
        kind: RecordKind::EndOfTime,
        record: with(&record, "attributes", "SentTimestamp", Some(stamp)),
        end: RecordEnd::Taken(vec![rejected(&author, Reason::BadExpireTime)]),
    }
}

fn claims(maker: &Maker) -> Value {
    json!({
        "SenderId": attribute(&maker.cast().own_role),
        "SentTimestamp": attribute("0"),
        "ApproximateReceiveCount": attribute("4"),
        "binary": {"binaryValue": "AAECAw==", "stringListValues": [], "binaryListValues": [], "dataType": "Binary"},
    })
}

fn odd_fields(mut record: Value) -> Value {
    for (name, value) in [
        ("receiptHandle", json!({})),
        ("md5OfBody", json!(7)),
        ("eventSource", json!(["aws:sqs"])),
        ("eventSourceARN", json!(null)),
        ("awsRegion", json!(1e300)),
        ("__proto__", json!({"messageId": ""})),
    ] {
        record = with(&record, "", name, Some(value));
    }
    with(&record, "attributes", "AWSTraceHeader", Some(json!([7])))
}
