//! Bodies as counterparties write them, and records as SQS delivers them.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::world::{EPOCH_MILLIS, principal};

/// An interest in `BTCUSD`.
pub(crate) fn interest(cl_ord_id: &str, side: &str, qty: &str, price: &str) -> Value {
    json!({"type": "interest", "clOrdId": cl_ord_id, "symbol": "BTCUSD", "side": side, "orderQty": qty, "price": price})
}

pub(crate) fn buy(cl_ord_id: &str, qty: &str, price: &str) -> Value {
    interest(cl_ord_id, "buy", qty, price)
}

pub(crate) fn sell(cl_ord_id: &str, qty: &str, price: &str) -> Value {
    interest(cl_ord_id, "sell", qty, price)
}

pub(crate) fn cancel(cl_ord_id: &str, original: &str) -> Value {
    json!({"type": "cancel", "clOrdId": cl_ord_id, "origClOrdId": original})
}

pub(crate) fn replace(cl_ord_id: &str, original: &str, qty: &str) -> Value {
    json!({"type": "replace", "clOrdId": cl_ord_id, "origClOrdId": original, "orderQty": qty})
}

pub(crate) fn status(cl_ord_id: &str, original: &str) -> Value {
    json!({"type": "status", "clOrdId": cl_ord_id, "origClOrdId": original})
}

pub(crate) fn bundle(messages: impl IntoIterator<Item = Value>) -> Value {
    json!({"type": "bundle", "messages": messages.into_iter().collect::<Vec<_>>()})
}

/// An envelope around `body`, first sent by counterparty `n` at `at`.
pub(crate) fn envelope(n: usize, at: i64, body: &Value) -> Value {
    json!({
        "type": "envelope", "v": 1, "sender": sender_id(n), "sentAt": (EPOCH_MILLIS + at).to_string(), "cycles": 1,
        "reason": "malformed", "body": body.to_string()
    })
}

pub(crate) fn sender_id(n: usize) -> String {
    format!("{}:desk", principal(n))
}

/// The same JSON with some fields changed, or taken out where they are `null`.
pub(crate) fn with(mut value: Value, fields: &Value) -> Value {
    for (name, field) in fields.as_object().unwrap() {
        if field.is_null() {
            value.as_object_mut().unwrap().remove(name);
        } else {
            value[name] = field.clone();
        }
    }
    value
}

/// A record from counterparty `n`, under an id of its own.
pub(crate) fn record(n: usize, body: &Value) -> Value {
    record_at(n, 0, body)
}

/// A record from counterparty `n`, sent `at` milliseconds after the first.
pub(crate) fn record_at(n: usize, at: i64, body: &Value) -> Value {
    raw_record(&sender_id(n), at, &body.to_string())
}

/// A record whose body is this text.
pub(crate) fn raw_record(sender_id: &str, at: i64, body: &str) -> Value {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let id = format!("record-{}", COUNT.fetch_add(1, Ordering::SeqCst));
    json!({
        "messageId": id,
        "receiptHandle": "receipt",
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": (EPOCH_MILLIS + at).to_string(),
            "SenderId": sender_id,
        },
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "awsRegion": "us-east-1"
    })
}

/// The record's id.
pub(crate) fn id(record: &Value) -> String {
    record["messageId"].as_str().unwrap().to_owned()
}

/// The same message as a sending of its own: another SQS id.
pub(crate) fn sent_again(record: &Value) -> Value {
    let other = raw_record("", 0, "");
    with(record.clone(), &json!({"messageId": other["messageId"]}))
}

/// The same record as received the `count`th time.
pub(crate) fn received(mut record: Value, count: u32) -> Value {
    record["attributes"]["ApproximateReceiveCount"] = json!(count.to_string());
    record
}
