//! One record of the raw event, parsed alone: one that is not as expected must not fail its neighbours.

use serde_json::{Map, Value};
use symbolon_shared::domain::audit::{Change, EventId, Observation};
use symbolon_shared::domain::time::Timestamp;
use symbolon_shared::domain::token::MatchId;

/// Who DynamoDB says took an item when its TTL did.
const TTL_PRINCIPAL: &str = "dynamodb.amazonaws.com";

/// A record, as far as it can be read.
pub(crate) struct Record {
    /// The stream's sequence number; without one the record cannot be named in the answer.
    pub(crate) sequence_number: Option<String>,
    /// What it shows, when it says which match it is about and how often it was said before can be told.
    pub(crate) observation: Option<Observation>,
}

/// Takes the event apart. What has no list of records is not understood; it counts as one record without a name,
/// because silence would let the stream go on over it.
pub(crate) fn split(mut event: Value) -> Vec<Record> {
    match event.get_mut("Records").map(Value::take) {
        Some(Value::Array(records)) => records.iter().map(parse).collect(),
        _ => vec![Record {
            sequence_number: None,
            observation: None,
        }],
    }
}

fn parse(record: &Value) -> Record {
    let sequence_number = record["dynamodb"]["SequenceNumber"].as_str();
    Record {
        sequence_number: sequence_number
            .filter(|number| !number.is_empty())
            .map(str::to_owned),
        observation: observation(record),
    }
}

fn observation(record: &Value) -> Option<Observation> {
    let stream = &record["dynamodb"];
    let change = match record["eventName"].as_str()? {
        "INSERT" => Change::Inserted,
        "MODIFY" => Change::Modified,
        "REMOVE" => Change::Removed {
            by_ttl: record["userIdentity"]["principalId"] == TTL_PRINCIPAL,
        },
        _ => return None,
    };
    let image = match change {
        Change::Removed { .. } => &stream["OldImage"],
        Change::Inserted | Change::Modified => &stream["NewImage"],
    };
    Some(Observation {
        event_id: EventId::of(record["eventID"].as_str().filter(|id| !id.is_empty())?),
        recorded_at: moment(&stream["ApproximateCreationDateTime"])?,
        match_id: MatchId::parse(stream["Keys"]["matchId"]["S"].as_str()?).ok()?,
        change,
        image: item(image).and_then(|item| serde_json::from_value(item).ok()),
    })
}

/// Seconds since the epoch; whole ones, though the form leaves room for a fraction.
fn moment(seconds: &Value) -> Option<Timestamp> {
    let whole = seconds.as_i64().or_else(|| {
        let seconds = seconds.as_f64()?;
        // Far beyond every calendar, far below where a float skips seconds.
        #[expect(
            clippy::cast_possible_truncation,
            reason = "bounded, and whole seconds are wanted"
        )]
        (0.0..1e12).contains(&seconds).then_some(seconds as i64)
    })?;
    (0..1_000_000_000_000)
        .contains(&whole)
        .then(|| Timestamp::from_millis(whole * 1_000))
}

/// An item in plain JSON; `None` when there is none, or it has a type that no stored form has.
fn item(image: &Value) -> Option<Value> {
    let attributes = image.as_object()?.iter();
    let plain = attributes.map(|(name, value)| Some((name.clone(), plain(value)?)));
    plain.collect::<Option<Map<_, _>>>().map(Value::Object)
}

fn plain(attribute: &Value) -> Option<Value> {
    let attribute = attribute.as_object().filter(|attribute| attribute.len() == 1)?;
    let (kind, value) = attribute.iter().next()?;
    match kind.as_str() {
        "S" | "BOOL" => Some(value.clone()),
        // Integers alone: amounts are strings in every stored form.
        "N" => value.as_str()?.parse::<i64>().ok().map(Value::from),
        "NULL" => Some(Value::Null),
        "L" => value
            .as_array()?
            .iter()
            .map(plain)
            .collect::<Option<_>>()
            .map(Value::Array),
        "M" => item(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const MATCH_ID: &str = "ibaueq2eivdeoscjjjfuytkoj4";

    fn record() -> Value {
        json!({
            "eventID": "1", "eventName": "INSERT", "unknown": [1, {}],
            "dynamodb": {
                "ApproximateCreationDateTime": 1_795_428_931.0, "Keys": {"matchId": {"S": MATCH_ID}},
                "SequenceNumber": "100", "NewImage": {"matchId": {"S": MATCH_ID}},
            }
        })
    }

    fn only(record: &Value) -> Record {
        let mut records = split(json!({"Records": [record]}));
        assert_eq!(records.len(), 1);
        records.remove(0)
    }

    #[test]
    fn a_record_says_which_match_and_when() {
        let read = only(&record());
        assert_eq!(read.sequence_number.as_deref(), Some("100"));
        let observation = read.observation.unwrap();
        assert_eq!(observation.match_id, MatchId::parse(MATCH_ID).unwrap());
        assert_eq!(observation.recorded_at.as_millis(), 1_795_428_931_000);
        assert_eq!(observation.change, Change::Inserted);
        assert!(observation.image.is_none(), "a part of an item is none");
    }

    #[test]
    fn only_the_service_itself_is_ttl() {
        for (identity, by_ttl) in [
            (json!(null), false),
            (
                json!({"type": "Service", "principalId": "dynamodb.amazonaws.com"}),
                true,
            ),
            (json!({"type": "Service", "principalId": "somebody.else"}), false),
        ] {
            let mut removed = record();
            removed["eventName"] = "REMOVE".into();
            removed["userIdentity"] = identity;
            assert_eq!(
                only(&removed).observation.unwrap().change,
                Change::Removed { by_ttl }
            );
        }
    }

    #[test]
    fn what_cannot_be_told_from_a_duplicate_or_placed_is_not_observed() {
        let spoil: [&dyn Fn(&mut Value); 8] = [
            &|record| record["eventID"] = Value::Null,
            &|record| record["eventID"] = "".into(),
            &|record| record["eventName"] = "UPSERT".into(),
            &|record| record["dynamodb"]["Keys"] = json!({"matchId": {"S": "cp-somebody"}}),
            &|record| record["dynamodb"]["Keys"] = json!({"matchId": {"N": "1"}}),
            &|record| record["dynamodb"]["ApproximateCreationDateTime"] = Value::Null,
            &|record| record["dynamodb"]["ApproximateCreationDateTime"] = json!(-1),
            &|record| record["dynamodb"]["ApproximateCreationDateTime"] = json!(1e300),
        ];
        for (n, spoil) in spoil.iter().enumerate() {
            let mut spoilt = record();
            spoil(&mut spoilt);
            let read = only(&spoilt);
            assert!(read.observation.is_none(), "{n}");
            assert_eq!(read.sequence_number.as_deref(), Some("100"), "it keeps its name");
        }
        for event in [json!(null), json!({}), json!({"Records": {}}), json!([])] {
            let records = split(event);
            assert!(records.len() == 1 && records[0].sequence_number.is_none());
        }
        assert!(only(&json!(7)).sequence_number.is_none());
    }

    #[test]
    fn items_of_every_type_are_read_or_refused() {
        let plain = item(
            &json!({"a": {"S": "x"}, "n": {"N": "-7"}, "l": {"L": [{"BOOL": true}, {"NULL": true}]}, "m": {"M": {}}}),
        );
        assert_eq!(
            plain.unwrap(),
            json!({"a": "x", "n": -7, "l": [true, null], "m": {}})
        );
        for odd in [
            json!({"a": {"B": "AA=="}}),
            json!({"a": {"N": "1.5"}}),
            json!({"a": {"S": "x", "N": "1"}}),
            json!({"a": "x"}),
            json!({"a": {}}),
            json!(null),
        ] {
            assert!(item(&odd).is_none(), "{odd}");
        }
    }
}
