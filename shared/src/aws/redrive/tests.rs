use aws_smithy_cbor::Encoder;
use serde_json::{Value, json};

use super::*;
use crate::aws::wire::{Answer, Wire};
use crate::domain::redrive::{LetterAsRead, Recent};
use crate::domain::time::Timestamp;
use crate::ports::Fault;
use crate::ports::redrive::{
    Consumers as _, DeadLetterQueue as _, PutOnce, Quarantine as _, QuarantineShelf as _, Receipt,
    SourceQueue as _,
};

const URL: &str = "https://sqs.us-east-1.amazonaws.com/000000000000/test-intake-dlq";
/// 2026-12-01T16:00:00.123Z.
const NOW: Timestamp = Timestamp::from_millis(1_796_140_800_123);
const NAME: &str = "v1/intake/malformed/2026-12-01/00.json";

fn refused(status: u16, code: &str) -> Answer {
    Answer::object(status, &format!("<Error><Code>{code}</Code></Error>"), None)
}

fn receipts(count: usize) -> Vec<Receipt> {
    (0..count).map(|n| Receipt(format!("r{n}"))).collect()
}

// ---- Queues -------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn letters_are_received_with_every_stamp_and_the_reason() {
    let answer = json!({"Messages": [
        {
            "MessageId": "m-1", "ReceiptHandle": "r-1", "Body": "{}",
            "Attributes": {
                "SenderId": "AROAEXAMPLE:desk", "SentTimestamp": "1796140800123",
                "ApproximateFirstReceiveTimestamp": "1796140900000", "ApproximateReceiveCount": "11",
                "DeadLetterQueueSourceArn": "arn"
            },
            "MessageAttributes": {"reason": {"DataType": "String", "StringValue": "malformed"}}
        },
        {"MessageId": "m-2", "ReceiptHandle": "r-2"},
        {"MessageId": "m-3", "Body": "nobody could let go of it"}
    ]});
    let wire = Wire::answering([Answer::json(200, &answer.to_string())]);
    let letters = wire.redrive().receive_letters(URL, 330).await.unwrap();
    let full = LetterAsRead {
        body: "{}".to_owned(),
        sender: Some("AROAEXAMPLE:desk".to_owned()),
        sent_at: Some("1796140800123".to_owned()),
        first_received_at: Some("1796140900000".to_owned()),
        receives: Some("11".to_owned()),
        reason: Some("malformed".to_owned()),
    };
    let read: Vec<_> = letters
        .into_iter()
        .map(|one| (one.receipt.0, one.letter))
        .collect();
    assert!(
        read == [
            ("r-1".to_owned(), full),
            ("r-2".to_owned(), LetterAsRead::default())
        ]
    );
    let asked = wire.asked().remove(0);
    assert_eq!(asked.operation, "ReceiveMessage");
    assert_eq!(
        asked.body,
        json!({
            "QueueUrl": URL, "MaxNumberOfMessages": 10, "VisibilityTimeout": 330, "WaitTimeSeconds": 1,
            "MessageAttributeNames": ["reason"], "MessageSystemAttributeNames": ["All"]
        })
    );
}

#[tokio::test]
async fn no_letter_is_kept_longer_than_sqs_can() {
    let wire = Wire::answering([Answer::json(200, "{}")]);
    assert!(
        wire.redrive()
            .receive_letters(URL, u32::MAX)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(wire.asked()[0].body["VisibilityTimeout"], 43_200);
}

/// What the answer does not name as done was not done, whatever it says of it.
#[tokio::test]
async fn of_each_batch_only_what_is_named_as_done_is_done() {
    let answer = || {
        Answer::json(
            200,
            r#"{"Successful":[{"Id":"0","MessageId":"m","MD5OfMessageBody":"x"},{"Id":"9","MessageId":"m","MD5OfMessageBody":"x"}],
                "Failed":[{"Id":"1","Code":"InternalError","SenderFault":false}]}"#,
        )
    };
    let wire = Wire::answering([answer(), answer(), answer()]);
    let ports = wire.redrive();
    assert_eq!(ports.delete_letters(URL, &receipts(3)).await, Ok(vec![1, 2]));
    assert_eq!(ports.release_letters(URL, &receipts(3)).await, Ok(vec![1, 2]));
    let envelopes = ["a", "b", "c"].map(str::to_owned);
    assert_eq!(ports.send_back(URL, &envelopes).await, Ok(vec![1, 2]));
    let asked: Vec<(String, Value)> = wire
        .asked()
        .into_iter()
        .map(|asked| (asked.operation, asked.body["Entries"][2].clone()))
        .collect();
    assert_eq!(
        asked,
        [
            (
                "DeleteMessageBatch".to_owned(),
                json!({"Id": "2", "ReceiptHandle": "r2"})
            ),
            (
                "ChangeMessageVisibilityBatch".to_owned(),
                json!({"Id": "2", "ReceiptHandle": "r2", "VisibilityTimeout": 0})
            ),
            (
                "SendMessageBatch".to_owned(),
                json!({"Id": "2", "MessageBody": "c"})
            ),
        ]
    );
}

#[tokio::test]
async fn nothing_is_asked_about_no_letters() {
    let wire = Wire::answering([]);
    let ports = wire.redrive();
    assert_eq!(ports.delete_letters(URL, &[]).await, Ok(vec![]));
    assert_eq!(ports.release_letters(URL, &[]).await, Ok(vec![]));
    assert_eq!(ports.send_back(URL, &[]).await, Ok(vec![]));
    assert!(wire.asked().is_empty());
}

#[tokio::test]
async fn a_queue_that_fails_is_an_error() {
    let gone = || Answer::json(400, r#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist"}"#);
    let ports = Wire::answering([gone(), gone(), gone()]).redrive();
    for error in [
        ports.receive_letters(URL, 1).await.unwrap_err(),
        ports.delete_letters(URL, &receipts(1)).await.unwrap_err(),
        ports.release_letters(URL, &receipts(1)).await.unwrap_err(),
    ] {
        assert_eq!(
            (error.fault, error.code.as_str()),
            (Fault::Refused, "QueueDoesNotExist")
        );
    }
}

// ---- Quarantine ---------------------------------------------------------------------------------------------------

#[tokio::test]
async fn a_put_is_made_on_condition_that_there_is_nothing() {
    let put = async |answer| {
        let wire = Wire::answering([answer]);
        let put = wire.redrive().put_quarantined(NAME, b"{}").await;
        (put, wire.asked().remove(0))
    };
    let (done, asked) = put(Answer::object(200, "", None)).await;
    assert_eq!(done, Ok(PutOnce::Done));
    assert_eq!(asked.operation, format!("PUT /{NAME}"));
    assert_eq!(
        asked.body,
        json!({
            "if-none-match": "*", "x-amz-server-side-encryption": "aws:kms",
            "x-amz-server-side-encryption-aws-kms-key-id": "arn:aws:kms:us-east-1:000000000000:key/q"
        })
    );
    let (exists, _) = put(refused(412, "PreconditionFailed")).await;
    assert_eq!(exists, Ok(PutOnce::Exists));
    // Another put is under way: what will be there is not known.
    for (status, code, fault) in [
        (409, "ConditionalRequestConflict", Fault::Refused),
        (403, "AccessDenied", Fault::Refused),
        (503, "SlowDown", Fault::Throttled),
    ] {
        let (failed, _) = put(refused(status, code)).await;
        let error = failed.unwrap_err();
        assert_eq!((error.fault, error.code.as_str()), (fault, code));
    }
}

#[tokio::test]
async fn an_object_is_read_is_missing_or_is_refused() {
    let read = async |answer| Wire::answering([answer]).redrive().read_quarantined(NAME).await;
    assert_eq!(
        read(Answer::object(200, "{}", None)).await,
        Ok(Some(b"{}".to_vec()))
    );
    assert_eq!(read(refused(404, "NoSuchKey")).await, Ok(None));
    for (status, code) in [(403, "AccessDenied"), (404, "NoSuchBucket")] {
        assert_eq!(read(refused(status, code)).await.unwrap_err().code, code);
    }
}

#[tokio::test]
async fn names_are_listed_and_objects_removed() {
    let page = format!("<ListBucketResult><Contents><Key>{NAME}</Key></Contents></ListBucketResult>");
    let wire = Wire::answering([Answer::object(200, &page, None), Answer::object(204, "", None)]);
    let ports = wire.redrive();
    let listed = ports.list_quarantined("v1/intake/", Some("v1/intake/a")).await;
    assert_eq!(listed, Ok(vec![NAME.to_owned()]));
    ports.remove_quarantined(NAME).await.unwrap();
    assert_eq!(wire.asked()[1].operation, format!("DELETE /{NAME}"));
}

// ---- Consumers ----------------------------------------------------------------------------------------------------

const QUEUE: &str = "https://sqs.us-east-1.amazonaws.com/000000000000/test-intake";

fn mapping(queue: &str, state: &str) -> Value {
    json!({
        "UUID": "u", "EventSourceArn": format!("arn:aws:sqs:us-east-1:000000000000:{queue}"), "State": state
    })
}

async fn enabled(pages: &[Value]) -> Result<Option<bool>, PortError> {
    let answers = pages.iter().map(|page| Answer::json(200, &page.to_string()));
    Wire::answering(answers)
        .redrive()
        .is_enabled("test-matcher", QUEUE)
        .await
}

#[tokio::test]
async fn a_mapping_is_enabled_when_it_says_so_of_this_queue() {
    for (state, expected) in [
        ("Enabled", true),
        ("Disabled", false),
        ("Disabling", false),
        ("Enabling", false),
        ("Updating", false),
        ("", false),
    ] {
        let page = json!({"EventSourceMappings": [mapping("test-intake-dlq", "Enabled"), mapping("test-intake", state)]});
        assert_eq!(enabled(&[page]).await, Ok(Some(expected)), "{state}");
    }
    assert_eq!(enabled(&[json!({"EventSourceMappings": []})]).await, Ok(None));
    let other = json!({"EventSourceMappings": [mapping("other-test-intake", "Enabled")]});
    assert_eq!(enabled(&[other]).await, Ok(None));
}

#[tokio::test]
async fn every_page_of_mappings_is_read() {
    let first = json!({"EventSourceMappings": [mapping("test-intake", "Enabled")], "NextMarker": "more"});
    let second = json!({"EventSourceMappings": [mapping("test-intake", "Disabled")]});
    assert_eq!(enabled(&[first.clone(), second]).await, Ok(Some(false)));
    assert!(enabled(&[first]).await.is_err(), "half of it says nothing");
}

/// CloudWatch speaks CBOR: the JSON of an answer, written so.
fn cbor(value: &Value, out: &mut Encoder) {
    match value {
        Value::String(text) => _ = out.str(text),
        Value::Array(items) => {
            out.array(items.len());
            for item in items {
                cbor(item, out);
            }
        }
        Value::Object(fields) => {
            out.map(fields.len());
            for (name, value) in fields {
                out.str(name);
                cbor(value, out);
            }
        }
        number => _ = out.double(number.as_f64().unwrap()),
    }
}

async fn recent(answer: &Value) -> Result<Recent, PortError> {
    let mut body = Encoder::new(Vec::new());
    cbor(answer, &mut body);
    let wire = Wire::answering([Answer::Cbor(body.into_writer())]);
    wire.redrive().recent("test-matcher", NOW).await
}

fn series(id: &str, status: &str, values: &[f64]) -> Value {
    json!({"Id": id, "Label": id, "StatusCode": status, "Values": values})
}

#[tokio::test]
async fn the_last_minutes_are_added_up() {
    let results = |invocations: &[f64], errors: &[f64]| {
        json!({"MetricDataResults": [
            series("errors", "Complete", errors), series("invocations", "Complete", invocations)
        ]})
    };
    let sums = |invocations, errors| Ok(Recent { invocations, errors });
    assert_eq!(recent(&results(&[3.0, 4.0], &[0.0, 2.0])).await, sums(7, 2));
    assert_eq!(recent(&results(&[], &[])).await, sums(0, 0));
}

#[tokio::test]
async fn metrics_that_are_not_whole_say_nothing() {
    let good = || series("errors", "Complete", &[0.0]);
    for results in [
        json!([]),
        json!([good()]),
        json!([good(), series("invocations", "PartialData", &[1.0])]),
        json!([good(), series("invocations", "InternalError", &[])]),
        json!([good(), series("invocations", "Forbidden", &[])]),
        json!([good(), good(), series("invocations", "Complete", &[1.0])]),
        json!([good(), series("invocations", "Complete", &[-1.0])]),
    ] {
        let answer = json!({"MetricDataResults": results});
        assert!(recent(&answer).await.is_err(), "{answer}");
    }
}

// ---- The bus ------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn an_event_names_its_source_and_a_failed_entry_is_noticed() {
    let stopped = Announcement::Stopped {
        region: crate::domain::audit::LogRegion::new("us-east-1".to_owned()).unwrap(),
        source: crate::domain::redrive::SourceName::new("intake").unwrap(),
        why: crate::domain::reason::StopReason::CanaryRelapsed,
    };
    let failed = r#"{"FailedEntryCount":1,"Entries":[{"ErrorCode":"InternalFailure"}]}"#;
    let wire = Wire::answering([Answer::json(200, failed)]);
    let error = wire.redrive().announce_redrive(&[stopped]).await.unwrap_err();
    assert_eq!(
        (error.operation, error.code.as_str()),
        ("events:PutEvents", "InternalFailure")
    );
    assert_eq!(
        wire.asked()[0].body["Entries"],
        json!([{
            "Source": "symbolon.dlq-redrive", "DetailType": "Redrive Stopped",
            "Detail": r#"{"queue":"intake","region":"us-east-1","why":"canary_relapsed"}"#
        }])
    );
}
