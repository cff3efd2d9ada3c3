//! A function's configuration, in the form that `aws lambda create-function --cli-input-json` takes: what is stored is
//! what restores, without a tool between.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::names::FunctionName;

/// Everything but the code.
///
/// A function that has more than this form holds (a container image, file systems, `SnapStart`, reserved concurrency,
/// code signing, durable execution, tenancy, a capacity provider) is not exported, rather than restored without it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Configuration {
    /// The function's name.
    pub function_name: FunctionName,
    /// The ARN of its role. Roles are the account's, not a region's.
    pub role: String,
    /// Such as `provided.al2023`.
    pub runtime: String,
    /// What is started.
    pub handler: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Seconds that an invocation may take.
    pub timeout: i32,
    /// Megabytes of memory.
    pub memory_size: i32,
    /// `arm64` or `x86_64`.
    pub architectures: Vec<String>,
    /// Its settings: names, URLs and ARNs, nothing that is secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
    /// Whether it traces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracing_config: Option<Tracing>,
    /// Where it logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logging_config: Option<Logging>,
    /// Its scratch space.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ephemeral_storage: Option<Storage>,
    /// The key of its environment, if it is not Lambda's own.
    #[serde(default, rename = "KMSKeyArn", skip_serializing_if = "Option::is_none")]
    pub kms_key_arn: Option<String>,
    /// Where failed asynchronous invocations go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_letter_config: Option<DeadLetters>,
    /// Its network, if it has one of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpc_config: Option<Network>,
    /// ARNs of its layers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<String>,
    /// Its tags but those of AWS itself, which nobody may set.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

/// Environment variables.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Environment {
    /// Name → value.
    pub variables: BTreeMap<String, String>,
}

/// Whether it traces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Tracing {
    /// `Active` or `PassThrough`.
    pub mode: String,
}

/// Where it logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Logging {
    /// `Text` or `JSON`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_format: Option<String>,
    /// Of the function's own lines; with `JSON` alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application_log_level: Option<String>,
    /// Of Lambda's lines; with `JSON` alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_log_level: Option<String>,
    /// The log group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_group: Option<String>,
}

/// Scratch space.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Storage {
    /// Megabytes.
    pub size: i32,
}

/// Where failed asynchronous invocations go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeadLetters {
    /// The ARN of a queue or a topic.
    pub target_arn: String,
}

/// A network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Network {
    /// Its subnets.
    pub subnet_ids: Vec<String>,
    /// Its security groups.
    pub security_group_ids: Vec<String>,
}

impl Configuration {
    /// The stored form: one text for one configuration.
    #[must_use]
    pub fn document(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).unwrap_or_default()
    }
}
