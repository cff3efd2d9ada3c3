//! Settings: read once, from the variables that `template.yaml` sets. An error names the variable.

use std::collections::HashMap;

use serde::Deserialize;
use symbolon_shared::aws::AwsRedriveSettings;
use symbolon_shared::domain::audit::LogRegion;
use symbolon_shared::domain::identifiers::{InvalidIdentifier, Principal};
use symbolon_shared::domain::own_roles::OwnRoles;
use symbolon_shared::domain::redrive::SourceName;

/// A source with its dead-letter queue.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QueueSettings {
    /// What we call it.
    pub source: SourceName,
    /// Where letters go back to.
    pub source_url: String,
    /// Where they lie.
    pub dead_letter_url: String,
    /// The name of the function that consumes the source.
    pub consumer: String,
}

impl std::fmt::Debug for QueueSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("QueueSettings")
    }
}

/// How the redrive goes about it.
#[derive(Debug, Clone)]
pub struct Conduct {
    /// The AWS region that it runs in.
    pub region: LogRegion,
    /// Sources and their dead-letter queues.
    pub queues: Vec<QueueSettings>,
    /// Our own roles, whose envelopes it opens.
    pub roles: OwnRoles,
    /// How often a message may be sent back.
    pub maximum_cycles: u32,
    /// How many letters go back in a second, to each source.
    pub sends_per_second: u32,
    /// How long an answer to the canary is waited for, in milliseconds.
    pub canary_wait_millis: i64,
}

/// What the redrive is told of its surroundings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The stack that it belongs to: a dimension of its metrics.
    pub stack: String,
    /// Bucket, key and tables.
    pub resources: AwsRedriveSettings,
    /// How it goes about it.
    pub conduct: Conduct,
}

/// A variable that is missing or wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The variable is not set, or empty.
    #[error("environment variable {0} is not set")]
    Missing(&'static str),
    /// The variable is no name of a region.
    #[error("environment variable {0} is no region")]
    Region(&'static str, #[source] InvalidIdentifier),
    /// The variable is no IAM unique id.
    #[error("environment variable {0} is no role id")]
    RoleId(&'static str, #[source] InvalidIdentifier),
    /// The variable is no number of at least one.
    #[error("environment variable {0} is no number from 1 on")]
    Number(&'static str),
    /// The variable is no list of queues, or names none, or one twice.
    #[error("environment variable {0} is no JSON list of queues, each source once")]
    Queues(&'static str),
}

impl Settings {
    /// Reads the variables of this process.
    ///
    /// # Errors
    /// [`SettingsError`] names the first variable that is missing or wrong.
    pub fn from_env() -> Result<Self, SettingsError> {
        Self::from_vars(&std::env::vars().collect())
    }

    /// Reads the settings from `vars`.
    ///
    /// # Errors
    /// [`SettingsError`] names the first variable that is missing or wrong.
    pub fn from_vars(vars: &HashMap<String, String>) -> Result<Self, SettingsError> {
        let optional = |name: &str| vars.get(name).filter(|value| !value.is_empty()).cloned();
        let required = |name: &'static str| optional(name).ok_or(SettingsError::Missing(name));
        let role = |name: &'static str| {
            optional(name)
                .map(|id| Principal::new(id).map_err(|e| SettingsError::RoleId(name, e)))
                .transpose()
        };
        let own = |name: &'static str| role(name)?.ok_or(SettingsError::Missing(name));
        let number = |name: &'static str| {
            let number = required(name)?.parse().ok().filter(|number| *number > 0);
            number.ok_or(SettingsError::Number(name))
        };
        let region = required("AWS_REGION")?;
        Ok(Self {
            stack: required("STACK_NAME")?,
            resources: AwsRedriveSettings {
                quarantine_bucket: required("QUARANTINE_BUCKET")?,
                quarantine_key_arn: required("QUARANTINE_KEY_ARN")?,
                registry_table: required("REGISTRY_TABLE")?,
                submissions_table: required("SUBMISSIONS_TABLE")?,
            },
            conduct: Conduct {
                region: LogRegion::new(region).map_err(|e| SettingsError::Region("AWS_REGION", e))?,
                queues: queues("QUEUES", &required("QUEUES")?)?,
                roles: OwnRoles {
                    matcher: own("MATCHER_ROLE_ID")?,
                    redrive: Some(own("REDRIVE_ROLE_ID")?),
                    bulk: role("BULK_ROLE_ID")?,
                },
                maximum_cycles: number("MAXIMUM_CYCLES")?,
                sends_per_second: number("SENDS_PER_SECOND")?,
                canary_wait_millis: i64::from(number("CANARY_WAIT_SECONDS")?) * 1_000,
            },
        })
    }
}

fn queues(name: &'static str, json: &str) -> Result<Vec<QueueSettings>, SettingsError> {
    let queues: Vec<QueueSettings> = serde_json::from_str(json).map_err(|_| SettingsError::Queues(name))?;
    let mut sources: Vec<_> = queues.iter().map(|queue| &queue.source).collect();
    sources.sort();
    sources.dedup();
    if queues.is_empty() || sources.len() != queues.len() {
        return Err(SettingsError::Queues(name));
    }
    Ok(queues)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 12] = [
        "AWS_REGION",
        "STACK_NAME",
        "QUARANTINE_BUCKET",
        "QUARANTINE_KEY_ARN",
        "REGISTRY_TABLE",
        "SUBMISSIONS_TABLE",
        "QUEUES",
        "MATCHER_ROLE_ID",
        "REDRIVE_ROLE_ID",
        "MAXIMUM_CYCLES",
        "SENDS_PER_SECOND",
        "CANARY_WAIT_SECONDS",
    ];

    const QUEUE: &str = r#"{"source":"intake","sourceUrl":"s","deadLetterUrl":"d","consumer":"matcher"}"#;

    fn all() -> HashMap<String, String> {
        let value = |name: &str| match name {
            "AWS_REGION" => "us-east-1".to_owned(),
            "QUEUES" => format!("[{QUEUE}]"),
            "MAXIMUM_CYCLES" | "SENDS_PER_SECOND" | "CANARY_WAIT_SECONDS" => "3".to_owned(),
            other => other.replace('_', "-"),
        };
        NAMES
            .iter()
            .map(|name| ((*name).to_owned(), value(name)))
            .collect()
    }

    fn with(name: &str, value: &str) -> Result<Settings, SettingsError> {
        let mut vars = all();
        vars.insert(name.to_owned(), value.to_owned());
        Settings::from_vars(&vars)
    }

    #[test]
    fn a_missing_variable_is_named() {
        let settings = Settings::from_vars(&all()).unwrap();
        assert_eq!(settings.conduct.canary_wait_millis, 3_000);
        for name in NAMES {
            let mut without = all();
            without.remove(name);
            let missing = Err(SettingsError::Missing(name));
            assert_eq!(Settings::from_vars(&without).map(drop), missing);
            assert_eq!(with(name, "").map(drop), missing);
        }
    }

    #[test]
    fn a_wrong_variable_is_named() {
        for (name, value) in [
            ("MAXIMUM_CYCLES", "0"),
            ("SENDS_PER_SECOND", "-1"),
            ("CANARY_WAIT_SECONDS", "1.5"),
        ] {
            assert_eq!(with(name, value).map(drop), Err(SettingsError::Number(name)));
        }
        assert!(matches!(
            with("BULK_ROLE_ID", "arn:aws:iam::1:role/x"),
            Err(SettingsError::RoleId("BULK_ROLE_ID", _))
        ));
        assert!(matches!(
            with("AWS_REGION", "us/east"),
            Err(SettingsError::Region("AWS_REGION", _))
        ));
    }

    #[test]
    fn queues_are_a_strict_list_of_sources_each_once() {
        let more = QUEUE.replace('}', r#","more":1}"#);
        for wrong in [
            "[]".to_owned(),
            "{}".to_owned(),
            "intake".to_owned(),
            format!("[{QUEUE},{QUEUE}]"),
            format!("[{more}]"),
            format!("[{}]", QUEUE.replace("intake", "In Take")),
        ] {
            assert_eq!(
                with("QUEUES", &wrong).map(drop),
                Err(SettingsError::Queues("QUEUES")),
                "{wrong}"
            );
        }
        assert!(
            with(
                "QUEUES",
                &format!("[{QUEUE},{}]", QUEUE.replace("intake", "relay"))
            )
            .is_ok()
        );
    }
}
