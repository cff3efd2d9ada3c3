//! Keys: their state in both regions, and rotation.

use super::AwsBackup;
use crate::aws::error::port_error;
use crate::domain::backup::{Observed, Seen};
use crate::ports::PortError;
use crate::ports::backup::{Answer, KeyProtection};

const DESCRIBE_KEY: &str = "kms:DescribeKey";
const GET_ROTATION: &str = "kms:GetKeyRotationStatus";

impl KeyProtection for AwsBackup {
    async fn key_state(&self, key: &str) -> Answer {
        let state = state(&self.here.kms, key).await;
        found(state, |state| Seen::KeyState { state })
    }

    async fn key_replica(&self, key: &str) -> Answer {
        let state = state(&self.there.kms, key).await;
        found(state, |state| Seen::KeyReplica { state })
    }

    async fn rotation(&self, key: &str) -> Answer {
        let get = self.here.kms.get_key_rotation_status().key_id(key);
        let answer = get.send().await.map_err(|error| port_error(GET_ROTATION, &error));
        found(answer, |answer| Seen::Rotation {
            enabled: answer.key_rotation_enabled,
        })
    }
}

/// The state of a key as KMS writes it; one that it leaves out is none that a key may have.
async fn state(client: &aws_sdk_kms::Client, key: &str) -> Result<String, PortError> {
    let describe = client.describe_key().key_id(key);
    let answer = describe
        .send()
        .await
        .map_err(|error| port_error(DESCRIBE_KEY, &error))?;
    let state = answer.key_metadata.and_then(|metadata| metadata.key_state);
    Ok(state.map_or_else(String::new, |state| state.as_str().to_owned()))
}

fn found<T>(answer: Result<T, PortError>, seen: impl FnOnce(T) -> Seen) -> Answer {
    match answer {
        Ok(answer) => Ok(Observed::Seen(seen(answer))),
        Err(error) if error.code == "NotFoundException" => Ok(Observed::Missing),
        Err(error) => Err(error),
    }
}
