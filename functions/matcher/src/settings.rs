//! Settings: read once, from the variables that `template.yaml` sets. An error names the variable.

use std::collections::HashMap;

use symbolon_shared::aws::{AwsSettings, TableNames};
use symbolon_shared::domain::identifiers::{InvalidIdentifier, Principal};
pub use symbolon_shared::domain::own_roles::OwnRoles;

/// What the matcher is told of its surroundings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The AWS region that it runs in.
    pub region: String,
    /// The stack that it belongs to: a dimension of its metrics.
    pub stack: String,
    /// Tables, queue and key.
    pub resources: AwsSettings,
    /// Our own roles, whose envelopes it opens.
    pub roles: OwnRoles,
}

/// A variable that is missing or wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The variable is not set, or empty.
    #[error("environment variable {0} is not set")]
    Missing(&'static str),
    /// The variable is no IAM unique id.
    #[error("environment variable {0} is no role id")]
    RoleId(&'static str, #[source] InvalidIdentifier),
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
        Ok(Self {
            region: required("AWS_REGION")?,
            stack: required("STACK_NAME")?,
            resources: AwsSettings {
                tables: TableNames {
                    registry: required("REGISTRY_TABLE")?,
                    parameters: required("PARAMETERS_TABLE")?,
                    submissions: required("SUBMISSIONS_TABLE")?,
                    interests: required("INTERESTS_TABLE")?,
                    matches: required("MATCHES_TABLE")?,
                    keys: required("KEYS_TABLE")?,
                },
                dead_letter_queue_url: required("INTAKE_DLQ_URL")?,
                token_key_arn: required("TOKEN_KEY_ARN")?,
            },
            roles: OwnRoles {
                matcher: role("MATCHER_ROLE_ID")?.ok_or(SettingsError::Missing("MATCHER_ROLE_ID"))?,
                redrive: role("REDRIVE_ROLE_ID")?,
                bulk: role("BULK_ROLE_ID")?,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 11] = [
        "AWS_REGION",
        "STACK_NAME",
        "REGISTRY_TABLE",
        "PARAMETERS_TABLE",
        "SUBMISSIONS_TABLE",
        "INTERESTS_TABLE",
        "MATCHES_TABLE",
        "KEYS_TABLE",
        "INTAKE_DLQ_URL",
        "TOKEN_KEY_ARN",
        "MATCHER_ROLE_ID",
    ];

    fn all() -> HashMap<String, String> {
        NAMES
            .iter()
            .map(|name| ((*name).to_owned(), format!("{name}-value")))
            .collect()
    }

    #[test]
    fn a_missing_variable_is_named() {
        assert!(Settings::from_vars(&all()).is_ok());
        for name in NAMES {
            for value in [None, Some(String::new())] {
                let mut vars = all();
                vars.remove(name);
                vars.extend(value.map(|value| (name.to_owned(), value)));
                assert_eq!(
                    Settings::from_vars(&vars).unwrap_err(),
                    SettingsError::Missing(name)
                );
            }
        }
    }

    #[test]
    fn a_role_id_is_checked() {
        let mut vars = all();
        vars.insert("BULK_ROLE_ID".into(), "arn:aws:iam::1:role/x".into());
        assert!(matches!(
            Settings::from_vars(&vars),
            Err(SettingsError::RoleId("BULK_ROLE_ID", _))
        ));
    }
}
