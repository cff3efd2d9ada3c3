//! What a function's answer says of the messages it was given, by Lambda's rules.
//!
//! Everything is done: an empty or missing list of failures, an empty or null answer. Nothing is done: an answer
//! that is no object, or that names a failure by an empty, null, missing or unknown id.
//! (Lambda developer guide, "Handling errors for an SQS event source", success and failure conditions.)

use std::collections::BTreeSet;

use serde_json::Value;

/// Why nothing of a batch counts as done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchFailure {
    /// The function failed as a whole.
    #[error("the function failed: {reason}")]
    Failed {
        /// What it said.
        reason: String,
    },
    /// The function took longer than it may.
    #[error("the function took longer than {seconds} s")]
    TimedOut {
        /// How long it may take.
        seconds: u64,
    },
    /// The answer is not of the form of a batch response.
    #[error("the answer is no batch response")]
    NoBatchResponse,
    /// A failure has no id.
    #[error("the answer names a failure by an empty, null or missing id")]
    NoId,
    /// A failure has an id that was not in the batch.
    #[error("the answer names a failure by an id that was not in the batch")]
    UnknownId,
}

/// The ids that failed, out of those delivered.
pub(super) fn failed_ids(
    answer: &Value,
    delivered: &BTreeSet<String>,
) -> Result<BTreeSet<String>, BatchFailure> {
    let failures = match answer {
        Value::Null => return Ok(BTreeSet::new()),
        Value::Object(fields) => match fields.get("batchItemFailures") {
            None | Some(Value::Null) => return Ok(BTreeSet::new()),
            Some(Value::Array(failures)) => failures,
            Some(_) => return Err(BatchFailure::NoBatchResponse),
        },
        _ => return Err(BatchFailure::NoBatchResponse),
    };
    failures
        .iter()
        .map(|failure| failed_id(failure, delivered))
        .collect()
}

fn failed_id(failure: &Value, delivered: &BTreeSet<String>) -> Result<String, BatchFailure> {
    match failure.get("itemIdentifier") {
        None | Some(Value::Null) => Err(BatchFailure::NoId),
        Some(Value::String(id)) if id.is_empty() => Err(BatchFailure::NoId),
        Some(Value::String(id)) if delivered.contains(id) => Ok(id.clone()),
        Some(_) => Err(BatchFailure::UnknownId),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn failed(answer: &Value) -> Result<Vec<String>, BatchFailure> {
        let delivered = BTreeSet::from(["a".to_owned(), "b".to_owned()]);
        failed_ids(answer, &delivered).map(|ids| ids.into_iter().collect())
    }

    #[test]
    fn an_empty_answer_means_that_everything_is_done() {
        for answer in [
            json!(null),
            json!({}),
            json!({"other": 1}),
            json!({"batchItemFailures": null}),
            json!({"batchItemFailures": []}),
        ] {
            assert_eq!(failed(&answer), Ok(vec![]), "{answer}");
        }
    }

    #[test]
    fn named_failures_alone_are_not_done() {
        let answer = json!({"batchItemFailures": [{"itemIdentifier": "b"}, {"itemIdentifier": "b"}]});
        assert_eq!(failed(&answer), Ok(vec!["b".to_owned()]));
    }

    #[test]
    fn one_wrong_entry_fails_the_whole_batch() {
        for (answer, expected) in [
            (json!("done"), BatchFailure::NoBatchResponse),
            (json!([]), BatchFailure::NoBatchResponse),
            (json!({"batchItemFailures": {}}), BatchFailure::NoBatchResponse),
            (
                json!({"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": ""}]}),
                BatchFailure::NoId,
            ),
            (
                json!({"batchItemFailures": [{"itemIdentifier": null}]}),
                BatchFailure::NoId,
            ),
            (
                json!({"batchItemFailures": [{"messageId": "a"}]}),
                BatchFailure::NoId,
            ),
            (json!({"batchItemFailures": ["a"]}), BatchFailure::NoId),
            (
                json!({"batchItemFailures": [{"itemIdentifier": "c"}]}),
                BatchFailure::UnknownId,
            ),
            (
                json!({"batchItemFailures": [{"itemIdentifier": 1}]}),
                BatchFailure::UnknownId,
            ),
        ] {
            assert_eq!(failed(&answer), Err(expected), "{answer}");
        }
    }
}
