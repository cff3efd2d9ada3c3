//! The event bus: takes what EventBridge would take, and keeps it to be looked at.
//!
//! The emulators' own takes anything and keeps nothing, so nobody could see what was said.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

/// EventBridge: entries of one call, and bytes of all of them together.
const ENTRIES: usize = 10;
const BYTES: usize = 1024 * 1024;

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub struct BusEvent {
    /// Who says it.
    pub source: String,
    /// What kind it is.
    pub detail_type: String,
    /// What it says: a JSON object.
    pub detail: Value,
}

/// The events of a run, in the order in which they came.
#[derive(Debug, Default)]
pub struct Bus(Mutex<Vec<BusEvent>>);

impl Bus {
    /// Answers `PutEvents`.
    ///
    /// # Errors
    /// The code and the text with which EventBridge refuses a call as a whole. An entry that it refuses alone is in the
    /// answer.
    pub(super) fn put_events(&self, body: &[u8]) -> Result<Value, (&'static str, &'static str)> {
        let asked: Value = serde_json::from_slice(body).unwrap_or_default();
        let entries = asked["Entries"].as_array().map(Vec::as_slice).unwrap_or_default();
        if entries.is_empty() || entries.len() > ENTRIES {
            return Err(("ValidationException", "there are none or more than ten entries"));
        }
        if body.len() > BYTES {
            return Err(("ValidationException", "the entries are longer than 1 MiB"));
        }
        let mut events = self.kept();
        let answers: Vec<Value> = entries
            .iter()
            .map(|entry| match event(entry) {
                Ok(event) => {
                    events.push(event);
                    json!({ "EventId": format!("event-{}", events.len()) })
                }
                Err(code) => json!({ "ErrorCode": code, "ErrorMessage": "the entry is not one" }),
            })
            .collect();
        let failed = answers.iter().filter(|answer| answer["ErrorCode"].is_string());
        Ok(json!({ "FailedEntryCount": failed.count(), "Entries": answers }))
    }

    /// What came so far.
    #[must_use]
    pub fn events(&self) -> Vec<BusEvent> {
        self.kept().clone()
    }

    /// An event is whole at any moment, so a poisoned lock is as good as any.
    fn kept(&self) -> MutexGuard<'_, Vec<BusEvent>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The event of an entry, or the code with which EventBridge refuses it.
fn event(entry: &Value) -> Result<BusEvent, &'static str> {
    let text = |name: &str| {
        let text = entry[name].as_str().filter(|text| !text.is_empty());
        text.map(str::to_owned).ok_or("InvalidArgument")
    };
    let (source, detail_type) = (text("Source")?, text("DetailType")?);
    let detail: Value = serde_json::from_str(&text("Detail")?).map_err(|_| "MalformedDetail")?;
    if !detail.is_object() {
        return Err("MalformedDetail");
    }
    if source.starts_with("aws.") {
        return Err("NotAuthorizedForSource");
    }
    Ok(BusEvent {
        source,
        detail_type,
        detail,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(source: &str, detail: &str) -> Value {
        json!({ "Source": source, "DetailType": "d", "Detail": detail })
    }

    fn put(bus: &Bus, entries: &[Value]) -> Result<Value, (&'static str, &'static str)> {
        bus.put_events(json!({ "Entries": entries }).to_string().as_bytes())
    }

    #[test]
    fn what_is_taken_is_kept_in_order() {
        let bus = Bus::default();
        let answer = put(&bus, &[entry("a", r#"{"n":1}"#), entry("b", "{}")]).unwrap();
        assert_eq!(answer["FailedEntryCount"], 0);
        let kept: Vec<_> = bus
            .events()
            .into_iter()
            .map(|event| (event.source, event.detail))
            .collect();
        assert_eq!(
            kept,
            [("a".to_owned(), json!({ "n": 1 })), ("b".to_owned(), json!({}))]
        );
    }

    #[test]
    fn a_wrong_entry_is_refused_alone() {
        let bus = Bus::default();
        let wrong = ["", "[1]", "{"].map(|detail| entry("a", detail));
        let entries = [&wrong[..], &[entry("aws.s3", "{}"), entry("a", "{}")]].concat();
        let answer = put(&bus, &entries).unwrap();
        let codes: Vec<_> = (0..5)
            .map(|n| answer["Entries"][n]["ErrorCode"].as_str())
            .collect();
        let malformed = Some("MalformedDetail");
        assert_eq!(
            codes,
            [
                Some("InvalidArgument"),
                malformed,
                malformed,
                Some("NotAuthorizedForSource"),
                None
            ]
        );
        assert_eq!((&answer["FailedEntryCount"], bus.events().len()), (&json!(4), 1));
    }

    #[test]
    fn none_and_too_many_are_refused_as_a_whole() {
        let bus = Bus::default();
        for count in [0, ENTRIES + 1] {
            assert!(put(&bus, &vec![entry("a", "{}"); count]).is_err(), "{count}");
        }
        let long = json!({ "x": "y".repeat(BYTES) }).to_string();
        assert!(put(&bus, &[entry("a", &long)]).is_err());
        assert!(bus.events().is_empty());
    }
}
