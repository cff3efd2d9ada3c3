//! What is wrong with a message, in words. The matcher's parser decides; this only says more than its reason code.

use serde_json::{Map, Value};
use symbolon_shared::domain::identifiers::ClOrdId;
use symbolon_shared::domain::reason::Reason;

use super::rows::FIELDS;

/// What each type must have, and may have, beside `type` and `clOrdId`.
const TYPES: [(&str, &[&str], &[&str]); 4] = [
    (
        "interest",
        &["symbol", "side", "orderQty", "price"],
        &["minQty", "expireTime", "ack"],
    ),
    ("cancel", &["origClOrdId"], &[]),
    (
        "replace",
        &["origClOrdId", "orderQty"],
        &["price", "minQty", "expireTime"],
    ),
    ("status", &["origClOrdId"], &[]),
];

/// What is wrong with a bundle, or an envelope, in a line.
pub(super) const NO_BUNDLE: &str = "a line is one message; --bundle makes bundles";

pub(super) fn is_bundle(body: &str) -> bool {
    // All lines have to be looked at, and few have such a word, or an escape that may stand for it.
    if !body.contains("bundle") && !body.contains('\\') {
        return false;
    }
    let value: Option<Value> = serde_json::from_str(body).ok();
    value.is_some_and(|value| value["type"] == "bundle")
}

/// Why a message is refused with this reason.
pub(super) fn refused(reason: Reason, body: &str) -> String {
    match reason {
        Reason::BadQuantity => "orderQty is no decimal above zero of at most 18 digits".to_owned(),
        Reason::BadPrice => "price is no decimal above zero of at most 18 digits".to_owned(),
        Reason::BadMinQty => "minQty is no decimal above zero of at most 18 digits".to_owned(),
        Reason::BadExpireTime => "expireTime is no UTC time such as 2026-12-01T16:00:00Z".to_owned(),
        _ => malformed(body),
    }
}

/// Why a body is malformed: the first thing that is found.
pub(super) fn malformed(body: &str) -> String {
    let object = match serde_json::from_str::<Value>(body) {
        Ok(Value::Object(object)) => object,
        Ok(_) => return "it is JSON, but no object".to_owned(),
        // Where, not what: a line's text may be anybody's.
        Err(error) => return format!("it is no JSON, at column {}", error.column()),
    };
    let found = missing_id(&object)
        .or_else(|| fields_of_type(&object))
        .or_else(|| wrong_type(&object));
    // What is left: a field that stands twice, or has a value that its rule forbids.
    found
        .or_else(|| wrong_value(&object))
        .unwrap_or_else(|| "a field stands twice, or is wrong".to_owned())
}

fn missing_id(object: &Map<String, Value>) -> Option<String> {
    let id = object.get("clOrdId").and_then(Value::as_str);
    let readable = id.is_some_and(|id| ClOrdId::new(id).is_ok());
    (!readable).then(|| "it needs a clOrdId: 1 to 64 of A-Z a-z 0-9 . _ : -".to_owned())
}

fn fields_of_type(object: &Map<String, Value>) -> Option<String> {
    let kind = object.get("type").and_then(Value::as_str).unwrap_or_default();
    if kind == "envelope" {
        return Some(NO_BUNDLE.to_owned());
    }
    let Some((_, must, may)) = TYPES.iter().find(|(name, _, _)| *name == kind) else {
        return Some("type must be interest, cancel, replace or status".to_owned());
    };
    if let Some(missing) = must.iter().find(|field| !object.contains_key(**field)) {
        return Some(format!("{missing} is missing"));
    }
    let known =
        |field: &str| ["type", "clOrdId"].contains(&field) || must.contains(&field) || may.contains(&field);
    let unknown = object.keys().find(|field| !known(field))?;
    Some(if FIELDS.contains(&unknown.as_str()) {
        format!("{unknown} is no field of a message of type {kind}")
    } else {
        "it has a field that no message has".to_owned()
    })
}

fn wrong_type(object: &Map<String, Value>) -> Option<String> {
    object
        .iter()
        .find_map(|(field, value)| match (field.as_str(), value) {
            ("ack", Value::Bool(_)) => None,
            ("ack", _) => Some("ack must be true or false, without quotes".to_owned()),
            (_, Value::String(_)) => None,
            ("orderQty" | "price" | "minQty", Value::Number(_)) => {
                Some(format!("{field} must be a string: a JSON number is not exact"))
            }
            _ => Some(format!("{field} must be a string")),
        })
}

fn wrong_value(object: &Map<String, Value>) -> Option<String> {
    let text = |field: &str| object.get(field).and_then(Value::as_str);
    if text("side").is_some_and(|side| side != "buy" && side != "sell") {
        Some("side must be buy or sell".to_owned())
    } else if text("symbol")
        .is_some_and(|symbol| symbolon_shared::domain::identifiers::Symbol::new(symbol).is_err())
    {
        Some("symbol must be 1 to 32 of A-Z 0-9 . _ / -".to_owned())
    } else if text("origClOrdId").is_some_and(|id| ClOrdId::new(id).is_err()) {
        Some("origClOrdId must be 1 to 64 of A-Z a-z 0-9 . _ : -".to_owned())
    } else {
        None
    }
}
