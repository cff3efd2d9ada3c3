//! One record of the raw event, parsed alone: one that is not as expected must not fail its neighbours.

use aws_lambda_events::sqs::SqsMessage;
use serde_json::Value;
use symbolon_shared::domain::envelope::SenderId;
use symbolon_shared::domain::time::Timestamp;

/// A record, as far as it can be read.
pub(crate) struct Record {
    /// SQS's id of this message; without one the record cannot be named in the answer.
    pub(crate) message_id: Option<String>,
    /// What there is to process, when SQS's own stamps are all there.
    pub(crate) stamped: Option<Stamped>,
}

/// A body with what SQS itself says of it.
pub(crate) struct Stamped {
    /// The body to the letter.
    pub(crate) body: String,
    /// `SenderId`.
    pub(crate) sender: SenderId,
    /// `SentTimestamp`.
    pub(crate) sent_at: Timestamp,
    /// `ApproximateReceiveCount`, this time included.
    pub(crate) receive_count: u32,
}

/// Takes the event apart. What has no list of records is not understood; it counts as one record without a name,
/// because silence would delete what it holds.
pub(crate) fn split(mut event: Value) -> Vec<Record> {
    match event.get_mut("Records").map(Value::take) {
        Some(Value::Array(records)) => records.into_iter().map(parse).collect(),
        _ => vec![Record {
            message_id: None,
            stamped: None,
        }],
    }
}

fn parse(record: Value) -> Record {
    let id = record
        .get("messageId")
        .and_then(Value::as_str)
        .filter(|id| !id.is_empty());
    let message_id = id.map(str::to_owned);
    let stamped = serde_json::from_value::<SqsMessage>(record).ok().and_then(stamps);
    Record { message_id, stamped }
}

fn stamps(message: SqsMessage) -> Option<Stamped> {
    let attribute = |name: &str| message.attributes.get(name);
    let millis = attribute("SentTimestamp")?
        .parse()
        .ok()
        .filter(|millis| *millis >= 0)?;
    Some(Stamped {
        sender: SenderId::parse(attribute("SenderId")?).ok()?,
        sent_at: Timestamp::from_millis(millis),
        // SQS always stamps it; a record without is taken as a first receive.
        receive_count: attribute("ApproximateReceiveCount")
            .and_then(|count| count.parse().ok())
            .unwrap_or(1),
        body: message.body?,
    })
}
