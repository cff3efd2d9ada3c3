//! Settings: read once, from the variables that `template.yaml` sets. An error names the variable.

use std::collections::HashMap;

use symbolon_shared::aws::AwsAuditSettings;
use symbolon_shared::domain::audit::LogRegion;
use symbolon_shared::domain::identifiers::InvalidIdentifier;

/// What the token audit is told of its surroundings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The AWS region that it runs in: whose log it writes.
    pub region: LogRegion,
    /// The stack that it belongs to: a dimension of its metrics.
    pub stack: String,
    /// Bucket, key and table.
    pub resources: AwsAuditSettings,
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
        let required = |name: &'static str| {
            let value = vars.get(name).filter(|value| !value.is_empty()).cloned();
            value.ok_or(SettingsError::Missing(name))
        };
        let region = required("AWS_REGION")?;
        Ok(Self {
            region: LogRegion::new(region).map_err(|e| SettingsError::Region("AWS_REGION", e))?,
            stack: required("STACK_NAME")?,
            resources: AwsAuditSettings {
                bucket: required("AUDIT_BUCKET")?,
                set_aside_bucket: required("STREAM_RECORDS_BUCKET")?,
                signing_key_arn: required("AUDIT_SIGNING_KEY_ARN")?,
                keys_table: required("KEYS_TABLE")?,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 6] = [
        "AWS_REGION",
        "STACK_NAME",
        "AUDIT_BUCKET",
        "STREAM_RECORDS_BUCKET",
        "AUDIT_SIGNING_KEY_ARN",
        "KEYS_TABLE",
    ];

    fn all() -> HashMap<String, String> {
        let value = |name: &str| (name.to_owned(), name.to_lowercase().replace('_', "-"));
        NAMES.into_iter().map(value).collect()
    }

    #[test]
    fn a_missing_variable_is_named() {
        assert!(Settings::from_vars(&all()).is_ok());
        for name in NAMES {
            for value in [None, Some(String::new())] {
                let mut vars = all();
                vars.remove(name);
                vars.extend(value.map(|value| (name.to_owned(), value)));
                let error = Settings::from_vars(&vars).unwrap_err();
                assert_eq!(error, SettingsError::Missing(name));
            }
        }
    }

    #[test]
    fn a_region_is_checked() {
        let mut vars = all();
        vars.insert("AWS_REGION".into(), "us/east".into());
        let error = Settings::from_vars(&vars).unwrap_err();
        assert!(matches!(error, SettingsError::Region("AWS_REGION", _)));
    }
}
