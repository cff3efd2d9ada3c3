use serde_json::json;

use super::*;
use crate::aws::wire::{Answer, Asked, Wire};
use crate::domain::audit::{Chain, Invariant, LogRegion};

const NAME: &str = "us-east-1/3/0000000000000007";

fn refused(status: u16, code: &str) -> Answer {
    Answer::object(status, &format!("<Error><Code>{code}</Code></Error>"), None)
}

async fn put_answered(answer: Answer, expected: &Expected) -> (Result<Put, PortError>, Asked) {
    let wire = Wire::answering([answer]);
    let put = wire.audit().put_object(NAME, b"body", expected).await;
    (put, wire.asked().remove(0))
}

#[tokio::test]
async fn a_put_says_what_it_expects() {
    let state = Handle("\"e1\"".to_owned());
    let is = Expected::Is(state.clone());
    for (expected, conditions) in [
        (Expected::Absent, json!({ "if-none-match": "*" })),
        (is, json!({ "if-match": "\"e1\"" })),
    ] {
        let (put, asked) = put_answered(Answer::object(200, "", Some("\"e1\"")), &expected).await;
        assert_eq!(put, Ok(Put::Done(state.clone())));
        assert_eq!(asked.operation, format!("PUT /{NAME}"));
        assert_eq!(asked.body, conditions);
    }
}

/// 412: the condition does not hold. 409: another conditional put of this name was under way, which may be one's own
/// first attempt. 404: a state was expected, and there is nothing.
#[tokio::test]
async fn a_put_that_meets_something_else_has_lost() {
    for (status, code) in [
        (412, "PreconditionFailed"),
        (409, "ConditionalRequestConflict"),
        (404, "NoSuchKey"),
    ] {
        let (put, _) = put_answered(refused(status, code), &Expected::Absent).await;
        assert_eq!(put, Ok(Put::Lost), "{code}");
    }
}

#[tokio::test]
async fn a_put_that_fails_has_not_lost() {
    for (status, code, fault) in [
        (403, "AccessDenied", Fault::Refused),
        (404, "NoSuchBucket", Fault::Refused),
        (503, "SlowDown", Fault::Throttled),
        (500, "InternalError", Fault::Unavailable),
    ] {
        let (put, _) = put_answered(refused(status, code), &Expected::Absent).await;
        let error = put.unwrap_err();
        assert_eq!((error.fault, error.code.as_str()), (fault, code));
    }
    let (put, _) = put_answered(Answer::ConnectionLost("gone"), &Expected::Absent).await;
    assert_eq!(put.unwrap_err().fault, Fault::Unavailable);
    // Done, and of no state that a later swap could name.
    let (put, _) = put_answered(Answer::object(200, "", None), &Expected::Absent).await;
    assert_eq!(put.unwrap_err().fault, Fault::Corrupt);
}

#[tokio::test]
async fn an_object_is_read_is_missing_or_is_refused() {
    let read = async |answer| Wire::answering([answer]).audit().read_object(NAME).await;
    let found = read(Answer::object(200, "body", Some("\"e\""))).await.unwrap();
    assert_eq!(found, Some((b"body".to_vec(), Handle("\"e\"".to_owned()))));
    assert_eq!(read(refused(404, "NoSuchKey")).await, Ok(None));
    // Neither says that there is nothing.
    for (status, code) in [(403, "AccessDenied"), (404, "NoSuchBucket")] {
        assert_eq!(read(refused(status, code)).await.unwrap_err().code, code);
    }
}

#[tokio::test]
async fn a_statement_is_signed_and_verified_as_the_format_has_it() {
    let wire = Wire::answering([
        Answer::json(200, r#"{"Signature":"AQID"}"#),
        Answer::json(200, r#"{"SignatureValid":true}"#),
    ]);
    let audit = wire.audit();
    assert_eq!(audit.sign(b"m").await.unwrap(), [1, 2, 3]);
    assert!(audit.verify(b"m", &[1, 2, 3]).await.unwrap());
    let asked = json!({
        "KeyId": "arn:aws:kms:us-east-1:000000000000:key/s",
        "Message": "bQ==",
        "MessageType": "RAW",
        "SigningAlgorithm": "ECDSA_SHA_256",
    });
    let mut verified = asked.clone();
    verified["Signature"] = json!("AQID");
    let bodies: Vec<_> = wire
        .asked()
        .into_iter()
        .map(|asked| (asked.operation, asked.body))
        .collect();
    assert_eq!(
        bodies,
        [("Sign".to_owned(), asked), ("Verify".to_owned(), verified)]
    );
}

#[tokio::test]
async fn a_signature_that_is_none_is_told_from_a_key_that_refuses() {
    let verify = async |code: &str| {
        let answer = Answer::json(400, &format!(r#"{{"__type":"{code}"}}"#));
        Wire::answering([answer]).audit().verify(b"m", b"s").await
    };
    assert_eq!(verify("KMSInvalidSignatureException").await, Ok(false));
    assert_eq!(verify("ValidationException").await, Ok(false));
    for code in [
        "AccessDeniedException",
        "DisabledException",
        "KMSInvalidStateException",
    ] {
        assert_eq!(verify(code).await.unwrap_err().code, code);
    }
}

fn broken(sequence: u64) -> Announcement {
    Announcement::Broken {
        region: LogRegion::new("us-east-1".to_owned()).unwrap(),
        chain: Chain::all().nth(3).unwrap(),
        sequence,
        invariant: Invariant::MintedOnce,
        times: 2,
    }
}

const TAKEN: &str = r#"{"FailedEntryCount":0,"Entries":[]}"#;

#[tokio::test]
async fn announcements_go_ten_at_a_time_and_say_no_more_than_they_must() {
    let head = Announcement::Head {
        region: LogRegion::new("us-west-2".to_owned()).unwrap(),
        statement: "{\"v\":1}".to_owned(),
        signature: "MEU=".to_owned(),
    };
    let announcements: Vec<_> = (0..11).map(broken).chain([head]).collect();
    let wire = Wire::answering([Answer::json(200, TAKEN), Answer::json(200, TAKEN)]);
    wire.audit().announce(&announcements).await.unwrap();
    let calls: Vec<Vec<serde_json::Value>> = wire
        .asked()
        .into_iter()
        .map(|asked| asked.body["Entries"].as_array().unwrap().clone())
        .collect();
    assert_eq!(calls.iter().map(Vec::len).collect::<Vec<_>>(), [10, 2]);
    assert_eq!(
        calls[1][0],
        json!({
            "Source": "symbolon.token-audit",
            "DetailType": "Audit Invariant Broken",
            "Detail": r#"{"chain":3,"invariant":"minted_once","region":"us-east-1","sequence":10,"times":2}"#,
        })
    );
    assert_eq!(
        calls[1][1],
        json!({
            "Source": "symbolon.token-audit",
            "DetailType": "Audit Head Moved",
            "Detail": r#"{"region":"us-west-2","signature":"MEU=","statement":"{\"v\":1}"}"#,
        })
    );
}

#[tokio::test]
async fn an_entry_that_the_bus_refuses_is_an_error() {
    let failed = r#"{"FailedEntryCount":1,"Entries":[{"EventId":"e"},{"ErrorCode":"ThrottlingException"}]}"#;
    let wire = Wire::answering([Answer::json(200, failed)]);
    let error = wire.audit().announce(&[broken(1), broken(2)]).await.unwrap_err();
    assert_eq!(error.code, "ThrottlingException");
    // The second call is made all the same.
    let wire = Wire::answering([Answer::json(200, failed), Answer::json(200, TAKEN)]);
    let error = wire
        .audit()
        .announce(&(0..11).map(broken).collect::<Vec<_>>())
        .await;
    assert_eq!(
        (error.unwrap_err().code.as_str(), wire.asked().len()),
        ("ThrottlingException", 2)
    );
    let wire = Wire::answering([Answer::json(400, r#"{"__type":"AccessDeniedException"}"#)]);
    let error = wire.audit().announce(&[broken(1)]).await.unwrap_err();
    assert_eq!(
        (error.fault, error.operation),
        (Fault::Refused, "events:PutEvents")
    );
    let wire = Wire::answering([]);
    assert_eq!(wire.audit().announce(&[]).await, Ok(()));
}
