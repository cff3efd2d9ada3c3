//! One record of the raw event, parsed alone: one that is not as expected must not fail its neighbours.

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

/// Reads what is needed and nothing else: whatever a sender puts into message attributes, or AWS into a new field, is
/// no reason not to understand the rest. (The SDK's own structure of a record would want all of it to be right.)
fn parse(mut record: Value) -> Record {
    let message_id = text(&mut record, "messageId").filter(|id| !id.is_empty());
    Record {
        message_id,
        stamped: stamps(&mut record),
    }
}

fn stamps(record: &mut Value) -> Option<Stamped> {
    let body = text(record, "body")?;
    let attributes = record.get_mut("attributes")?;
    let sent_at = text(attributes, "SentTimestamp")?;
    let sent_at = sent_at.parse().ok().filter(|millis| *millis >= 0)?;
    let receive_count = text(attributes, "ApproximateReceiveCount");
    Some(Stamped {
        sender: SenderId::parse(&text(attributes, "SenderId")?).ok()?,
        sent_at: Timestamp::from_millis(sent_at),
        // SQS always stamps it; a record without is taken as a first receive.
        receive_count: receive_count.and_then(|count| count.parse().ok()).unwrap_or(1),
        body,
    })
}

/// Takes a string out of an object.
fn text(object: &mut Value, name: &str) -> Option<String> {
    match object.get_mut(name).map(Value::take) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
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
    fn what_is_not_needed_may_be_anything() {
        let attributes = json!({"SenderId": "AROAEXAMPLE", "SentTimestamp": "0", "AWSTraceHeader": [7]});
        let mut whole = record(&attributes);
        whole["messageAttributes"] = json!([[7], {"dataType": 7}]);
        whole["receiptHandle"] = json!({});
        let stamped = only(json!({"Records": [whole]})).stamped.unwrap();
        assert_eq!(
            (stamped.sender.encode().as_str(), stamped.body.as_str()),
            ("AROAEXAMPLE", "{}")
        );
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
