//! Event source mappings, each in the form that `aws lambda create-event-source-mapping --cli-input-json` takes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::names::FunctionName;
use crate::domain::form::Form;

/// The mappings of every exported function.
pub type Mappings = BTreeMap<FunctionName, Vec<Mapping>>;

/// One mapping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Mapping {
    /// The queue, or the stream.
    pub event_source_arn: String,
    /// The function, with its alias if the mapping names one.
    pub function_name: String,
    /// Whether it was enabled. It is put back disabled: somebody has to know first that no other region matches.
    pub enabled: bool,
    /// Records in a batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_size: Option<i32>,
    /// Seconds that a batch is gathered for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum_batching_window_in_seconds: Option<i32>,
    /// What the function answers with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub function_response_types: Vec<String>,
    /// Which records it wants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter_criteria: Option<Filters>,
    /// Invocations of a queue side by side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scaling_config: Option<Scaling>,
    /// Pollers kept ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provisioned_poller_config: Option<Pollers>,
    /// Where what it gives up goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination_config: Option<Destinations>,
    /// Where in a stream it begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starting_position: Option<String>,
    /// Batches of a shard side by side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parallelization_factor: Option<i32>,
    /// Whether a batch that fails is halved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bisect_batch_on_function_error: Option<bool>,
    /// Seconds after which a record is given up; −1 for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum_record_age_in_seconds: Option<i32>,
    /// Tries after which a record is given up; −1 for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum_retry_attempts: Option<i32>,
    /// Seconds of a tumbling window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tumbling_window_in_seconds: Option<i32>,
    /// The key of its filters.
    #[serde(default, rename = "KMSKeyArn", skip_serializing_if = "Option::is_none")]
    pub kms_key_arn: Option<String>,
    /// Metrics of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics_config: Option<Metrics>,
}

/// Which records a mapping wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Filters {
    /// One of them must match.
    pub filters: Vec<Filter>,
}

/// One filter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Filter {
    /// Its pattern, JSON as text.
    pub pattern: String,
}

/// Invocations of a queue side by side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Scaling {
    /// At most so many.
    pub maximum_concurrency: i32,
}

/// Pollers kept ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Pollers {
    /// At least so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_pollers: Option<i32>,
    /// At most so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum_pollers: Option<i32>,
}

/// Where what a mapping gives up goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Destinations {
    /// There.
    pub on_failure: Destination,
}

/// One destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Destination {
    /// Its ARN.
    pub destination: String,
}

/// Metrics of a mapping's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Metrics {
    /// Such as `EventCount`.
    pub metrics: Vec<String>,
}

/// The stored form of all mappings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MappingsDocument {
    /// The version of the form.
    pub v: Form<1>,
    /// Function → its mappings.
    pub mappings: Mappings,
}

impl MappingsDocument {
    /// Of these, each function's in the order of their sources: one text for the same mappings.
    #[must_use]
    pub fn new(mut mappings: Mappings) -> Self {
        for list in mappings.values_mut() {
            list.sort_by(|a, b| {
                (&a.event_source_arn, &a.function_name).cmp(&(&b.event_source_arn, &b.function_name))
            });
        }
        Self { v: Form, mappings }
    }

    /// The stored form.
    #[must_use]
    pub fn document(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).unwrap_or_default()
    }

    /// Reads it back.
    #[must_use]
    pub fn read(document: &[u8]) -> Option<Self> {
        serde_json::from_slice(document).ok()
    }
}
