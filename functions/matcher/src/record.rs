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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(attributes: &Value) -> Value {
        json!({"messageId": "m-1", "body": "{}", "attributes": attributes, "unknown": [1, {}]})
    }

    fn only(event: Value) -> Record {
        let mut records = split(event);
        assert_eq!(records.len(), 1);
        records.remove(0)
    }

    #[test]
    fn the_stamps_of_sqs_are_read() {
        let attributes = json!({
            "SenderId": "AROAEXAMPLE:desk", "SentTimestamp": "1796140800123", "ApproximateReceiveCount": "4"
        });
        let read = only(json!({"Records": [record(&attributes)]}));
        assert_eq!(read.message_id.as_deref(), Some("m-1"));
        let stamped = read.stamped.unwrap();
        assert_eq!(stamped.sender.encode(), "AROAEXAMPLE:desk");
        assert_eq!(stamped.sent_at.as_millis(), 1_796_140_800_123);
        assert_eq!((stamped.receive_count, stamped.body.as_str()), (4, "{}"));
    }

    #[test]
    fn a_receive_count_that_cannot_be_read_is_a_first_receive() {
        for count in [json!(null), json!("many"), json!("-1"), json!("4294967296")] {
            let mut attributes = json!({"SenderId": "AROAEXAMPLE", "SentTimestamp": "0"});
            if !count.is_null() {
                attributes["ApproximateReceiveCount"] = count.clone();
            }
            let stamped = only(json!({"Records": [record(&attributes)]})).stamped.unwrap();
            assert_eq!(stamped.receive_count, 1, "{count}");
        }
    }

    #[test]
    fn a_record_keeps_its_name_whatever_else_is_missing() {
        let read = only(json!({"Records": [{"messageId": "m-2", "attributes": 7}]}));
        assert_eq!(read.message_id.as_deref(), Some("m-2"));
        assert!(read.stamped.is_none());
    }

    #[test]
    fn what_is_not_understood_is_one_record_without_a_name() {
        for event in [
            json!(null),
            json!({}),
            json!([{"messageId": "m-1"}]),
            json!({"Records": "m-1"}),
        ] {
            let read = only(event);
            assert!(read.message_id.is_none() && read.stamped.is_none());
        }
        assert!(split(json!({"Records": []})).is_empty());
    }
}
