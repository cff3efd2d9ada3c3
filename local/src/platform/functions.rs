//! Lambda's own interface, as far as it is asked for: functions invoked by name, and what starts them.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

type Running = Pin<Box<dyn Future<Output = Value> + Send>>;
type Handler = Arc<dyn Fn(Value) -> Running + Send + Sync>;

/// An event source mapping of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceMapping {
    /// The function that it starts.
    pub function: String,
    /// The queue's ARN.
    pub queue_arn: String,
    /// Whether it delivers.
    pub enabled: bool,
}

/// The functions of this process, by name.
#[derive(Default)]
pub struct Functions {
    handlers: Mutex<BTreeMap<String, Handler>>,
    mappings: Mutex<Vec<SourceMapping>>,
}

impl fmt::Debug for Functions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(held(&self.handlers).keys()).finish()
    }
}

impl Functions {
    /// From now on whoever invokes `name` is answered by `handler`.
    pub fn register<H, F>(&self, name: &str, handler: H)
    where
        H: Fn(Value) -> F + Send + Sync + 'static,
        F: Future<Output = Value> + Send + 'static,
    {
        let handler: Handler = Arc::new(move |event| Box::pin(handler(event)));
        held(&self.handlers).insert(name.to_owned(), handler);
    }

    /// From now on whoever lists the mappings finds this one.
    pub fn map(&self, mapping: SourceMapping) {
        held(&self.mappings).push(mapping);
    }

    /// What the function of this name answers; `None` if there is none.
    pub(super) async fn invoke(&self, name: &str, event: Value) -> Option<Value> {
        let handler = held(&self.handlers).get(name).cloned()?;
        Some(handler(event).await)
    }

    /// The answer of `ListEventSourceMappings`.
    pub(super) fn list(&self, function: Option<&str>) -> Value {
        let mappings = held(&self.mappings);
        let asked = mappings
            .iter()
            .filter(|mapping| function.is_none_or(|function| mapping.function == function));
        let listed = asked.map(|mapping| {
            json!({
                "EventSourceArn": mapping.queue_arn,
                "FunctionArn": mapping.function,
                "State": if mapping.enabled { "Enabled" } else { "Disabled" },
            })
        });
        json!({ "EventSourceMappings": listed.collect::<Vec<_>>() })
    }
}

/// Whole at any moment, so a poisoned lock is as good as any.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The function that a path of `Invoke` names.
pub(super) fn invoked(path: &str) -> Option<&str> {
    let name = path.strip_prefix("/2015-03-31/functions/")?;
    name.strip_suffix("/invocations")
}

/// Whether a path is that of `ListEventSourceMappings`.
pub(super) fn lists_mappings(path: &str) -> bool {
    path.trim_end_matches('/') == "/2015-03-31/event-source-mappings"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_function_is_invoked_by_its_name() {
        let functions = Functions::default();
        functions.register("twice", |event: Value| async move { json!([event, event]) });
        assert_eq!(functions.invoke("twice", json!(7)).await, Some(json!([7, 7])));
        assert_eq!(functions.invoke("thrice", json!(7)).await, None);
    }

    #[test]
    fn paths_say_what_is_asked() {
        assert_eq!(
            invoked("/2015-03-31/functions/dlq-redrive/invocations"),
            Some("dlq-redrive")
        );
        assert_eq!(invoked("/2015-03-31/functions/dlq-redrive"), None);
        assert!(lists_mappings("/2015-03-31/event-source-mappings/"));
        assert!(!lists_mappings("/2015-03-31/event-source-mappings/uuid"));
    }

    #[test]
    fn mappings_are_listed_by_function() {
        let functions = Functions::default();
        for (function, enabled) in [("one", true), ("two", false)] {
            functions.map(SourceMapping {
                function: function.to_owned(),
                queue_arn: format!("arn:aws:sqs:us-east-1:1:{function}"),
                enabled,
            });
        }
        assert_eq!(
            functions.list(None)["EventSourceMappings"]
                .as_array()
                .unwrap()
                .len(),
            2
        );
        let two = functions.list(Some("two"));
        assert_eq!(two["EventSourceMappings"][0]["State"], "Disabled");
    }
}
