//! Settings: read once, from the variables that `template.yaml` sets. An error names the variable, and the field of the
//! policy that is wrong.

use std::collections::HashMap;

use symbolon_shared::domain::backup::{Place, Policy, PolicyError};
use symbolon_shared::domain::export::{FunctionName, InvalidName, RenewAfter, Scope};
use symbolon_shared::export::ExportPlan;

/// What the backup check is told of its surroundings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The stack, this region, and the other one.
    pub place: Place,
    /// This region's backup bucket, where reports are kept.
    pub bucket: String,
    /// What is demanded.
    pub policy: Policy,
    /// The other region's backup bucket, where the functions are exported to.
    pub peer_bucket: String,
    /// What is exported.
    pub export: ExportPlan,
}

/// A variable that is missing or wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The variable is not set, or empty.
    #[error("environment variable {0} is not set")]
    Missing(&'static str),
    /// The other region is this one: whatever is seen there is seen here.
    #[error("environment variable {0} is this region")]
    SameRegion(&'static str),
    /// The variable is no name, or no list of names.
    #[error("environment variable {0} is no name of a region or a function")]
    Name(&'static str, #[source] InvalidName),
    /// The variable is no number of days.
    #[error("environment variable {0} is no number of days above one")]
    Days(&'static str),
    /// The variable holds no policy.
    #[error("environment variable {0}")]
    Policy(&'static str, #[source] PolicyError),
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
        let place = Place {
            stack: required("STACK_NAME")?,
            region: required("AWS_REGION")?,
            peer_region: required("PEER_REGION")?,
        };
        if place.region == place.peer_region {
            return Err(SettingsError::SameRegion("PEER_REGION"));
        }
        let policy = Policy::parse(&required("BACKUP_POLICY")?, &place);
        Ok(Self {
            bucket: required("BACKUP_BUCKET")?,
            peer_bucket: required("PEER_BACKUP_BUCKET")?,
            export: plan(
                &place,
                &required("EXPORTED_FUNCTIONS")?,
                &required("BACKUP_EXPORT_RETENTION_DAYS")?,
            )?,
            policy: policy.map_err(|error| SettingsError::Policy("BACKUP_POLICY", error))?,
            place,
        })
    }
}

fn plan(place: &Place, functions: &str, days: &str) -> Result<ExportPlan, SettingsError> {
    let scope = Scope::new(&place.stack, &place.region).map_err(|e| SettingsError::Name("STACK_NAME", e))?;
    let functions = functions
        .split(',')
        .map(FunctionName::new)
        .collect::<Result<_, _>>();
    let days = days.parse().ok().filter(|days| *days > 1);
    Ok(ExportPlan {
        scope,
        functions: functions.map_err(|e| SettingsError::Name("EXPORTED_FUNCTIONS", e))?,
        renew_after: RenewAfter::half_of(days.ok_or(SettingsError::Days("BACKUP_EXPORT_RETENTION_DAYS"))?),
    })
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use symbolon_shared::testing::backup::SAMPLE_POLICY;

    use super::*;

    const NAMES: [&str; 8] = [
        "STACK_NAME",
        "AWS_REGION",
        "PEER_REGION",
        "BACKUP_POLICY",
        "BACKUP_BUCKET",
        "PEER_BACKUP_BUCKET",
        "EXPORTED_FUNCTIONS",
        "BACKUP_EXPORT_RETENTION_DAYS",
    ];

    fn all() -> HashMap<String, String> {
        let values = [
            "symbolon",
            "us-east-1",
            "us-west-2",
            SAMPLE_POLICY,
            "backup",
            "peer-backup",
            "matcher,backup-check",
            "400",
        ];
        NAMES
            .into_iter()
            .zip(values)
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    #[test]
    fn a_missing_variable_is_named() {
        let settings = Settings::from_vars(&all()).unwrap();
        assert_eq!(settings.policy.stores().len(), 23);
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
    fn what_is_exported_is_named_and_kept_for_days() {
        assert_eq!(Settings::from_vars(&all()).unwrap().export.functions.len(), 2);
        for (name, wrong) in [
            ("EXPORTED_FUNCTIONS", "matcher,,x"),
            ("EXPORTED_FUNCTIONS", "../x"),
            ("BACKUP_EXPORT_RETENTION_DAYS", "1"),
            ("BACKUP_EXPORT_RETENTION_DAYS", "a year"),
        ] {
            let mut vars = all();
            vars.insert(name.into(), wrong.into());
            let error = Settings::from_vars(&vars).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
    }

    #[test]
    fn the_other_region_is_another_one() {
        let mut vars = all();
        vars.insert("PEER_REGION".into(), "us-east-1".into());
        assert_eq!(
            Settings::from_vars(&vars).unwrap_err(),
            SettingsError::SameRegion("PEER_REGION")
        );
    }

    #[test]
    fn a_policy_that_is_wrong_is_told_with_its_field() {
        let mut vars = all();
        let wrong = SAMPLE_POLICY.replacen("\"rpoHours\": 6", "\"rpoHours\": \"6\"", 1);
        vars.insert("BACKUP_POLICY".into(), wrong);
        let error = Settings::from_vars(&vars).unwrap_err();
        assert!(error.to_string().contains("BACKUP_POLICY"));
        let source = error.source().unwrap().to_string();
        assert!(source.contains("tables.registry.recovery.rpoHours"), "{source}");
    }
}
