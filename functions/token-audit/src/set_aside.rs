//! What the stream's mapping has set aside, once more: batches that were not logged for a hundred tries or twenty hours.
//!
//! Lambda writes each as one object, the whole batch in it. Whatever of it is logged already is a duplicate, as in any
//! delivery. An object goes when all of it is logged, and stays for the next time otherwise; the bucket forgets it at
//! last, so what stays is counted, and somebody is told.

use serde::Serialize;
use serde_json::Value;
use symbolon_shared::domain::time::Timestamp;
use symbolon_shared::lambda::survive;
use symbolon_shared::ports::PortError;
use symbolon_shared::ports::audit::AuditPorts;

use crate::batch::TokenAudit;
use crate::telemetry;

/// Time that a batch has at least, or it is not begun.
const BATCH_MILLIS: i64 = 10_000;

/// Names that are looked at in one run at most.
const MOST_NAMES: usize = 10_000;

const HOUR_MILLIS: i64 = 3_600_000;

/// The event that asks for it, as the schedule's input has it.
const RETRY: &str = "set-aside";

/// Whether an event asks for what was set aside. Everything else is a batch of the stream.
#[must_use]
pub fn is_retry(event: &Value) -> bool {
    event["retry"] == RETRY
}

/// What came of a retry.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Retried {
    /// Objects whose batch is logged now, and which are gone.
    pub logged: u64,
    /// Objects that were looked at and stay.
    pub left: u64,
    /// Whether there was no time to look at all of them, or the list could not be read.
    pub unfinished: bool,
}

/// An object is none that Lambda set aside: without a batch there is nothing to log.
struct Unreadable;

impl<P: AuditPorts> TokenAudit<P> {
    /// Logs what was set aside, object by object, until `deadline` is near.
    pub async fn retry(&self, deadline: Timestamp) -> Retried {
        let mut retried = Retried::default();
        let mut names = self.names(&mut retried).await;
        // Another one is first each hour: one that takes all the time there is must not keep it from the rest for ever.
        let hours = usize::try_from(self.now().as_millis() / HOUR_MILLIS).unwrap_or(0);
        let first = hours.checked_rem(names.len()).unwrap_or(0);
        names.rotate_left(first);
        for name in &names {
            if self.now().plus_millis(BATCH_MILLIS) > deadline {
                retried.unfinished = true;
                break;
            }
            if self.log_set_aside(name, deadline).await {
                retried.logged += 1;
            } else {
                retried.left += 1;
            }
        }
        telemetry::emit_retried(&retried);
        retried
    }

    /// Names of what was set aside; of very much only the first.
    async fn names(&self, retried: &mut Retried) -> Vec<String> {
        let mut names = Vec::<String>::new();
        while names.len() < MOST_NAMES {
            match survive(self.ports().list_set_aside(names.last().map(String::as_str))).await {
                Some(Ok(page)) if page.is_empty() => return names,
                Some(Ok(page)) => names.extend(page),
                failed => {
                    warn("set_aside_not_listed", failed.and_then(Result::err));
                    break;
                }
            }
        }
        retried.unfinished = true;
        names
    }

    /// Whether all of the object is logged, and it is gone.
    async fn log_set_aside(&self, name: &str, deadline: Timestamp) -> bool {
        let body = match survive(self.ports().read_set_aside(name)).await {
            Some(Ok(Some(body))) => body,
            // Somebody else was faster.
            Some(Ok(None)) => return true,
            failed => {
                warn("set_aside_not_read", failed.and_then(Result::err));
                return false;
            }
        };
        let Ok(event) = batch_of(&body) else {
            tracing::error!(event = "set_aside_unreadable");
            return false;
        };
        let answer = Box::pin(self.handle(event, deadline)).await;
        if !answer.batch_item_failures.is_empty() {
            tracing::warn!(event = "set_aside_given_back");
            return false;
        }
        match survive(self.ports().remove_set_aside(name)).await {
            Some(Ok(())) => true,
            failed => {
                warn("set_aside_not_removed", failed.and_then(Result::err));
                false
            }
        }
    }
}

fn warn(event: &'static str, error: Option<PortError>) {
    let reason = error.map_or_else(|| "it panicked".to_owned(), |error| error.to_string());
    tracing::warn!(event, reason);
}

/// The batch of an object. Lambda puts it under `payload`, as a text.
fn batch_of(body: &[u8]) -> Result<Value, Unreadable> {
    let object: Value = serde_json::from_slice(body).map_err(|_| Unreadable)?;
    let batch = match &object["payload"] {
        Value::String(payload) => serde_json::from_str(payload).map_err(|_| Unreadable)?,
        payload => payload.clone(),
    };
    // What has no records would be logged without a fault, and lost.
    let records = batch["Records"].as_array().map_or(0, Vec::len);
    if records == 0 { Err(Unreadable) } else { Ok(batch) }
}
