//! Functions: the code that runs, and what was exported.

use super::AwsBackup;
use crate::aws::error::{of, port_error, unreadable};
use crate::domain::backup::{ExportManifest, Observed};
use crate::ports::backup::{Answer, DeployedCode, ExportEvidence};
use crate::ports::{Fault, PortError};

const GET_CONFIGURATION: &str = "lambda:GetFunctionConfiguration";
const GET_OBJECT: &str = "s3:GetObject";

impl DeployedCode for AwsBackup {
    async fn code_hash(&self, function: &str) -> Result<Option<String>, PortError> {
        let get = self.lambda.get_function_configuration().function_name(function);
        match get
            .send()
            .await
            .map_err(|error| port_error(GET_CONFIGURATION, &error))
        {
            Ok(answer) => answer
                .code_sha256
                .map(Some)
                .ok_or_else(|| unreadable(GET_CONFIGURATION)),
            Err(error) if error.code == "ResourceNotFoundException" => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl ExportEvidence for AwsBackup {
    async fn newest_export(&self, bucket: &str, key: &str) -> Answer {
        let get = self.there.s3.get_object().bucket(bucket).key(key);
        let answer = match get.send().await.map_err(|error| port_error(GET_OBJECT, &error)) {
            Ok(answer) => answer,
            Err(error) if error.code == "NoSuchKey" => return Ok(Observed::NeverRan),
            Err(error) if error.code == "NoSuchBucket" => return Ok(Observed::Missing),
            Err(error) => return Err(error),
        };
        let body = answer.body.collect().await;
        let body = body.map_err(|_| of(GET_OBJECT, Fault::Unavailable, "BodyNotRead"))?;
        let manifest = ExportManifest::parse(&body.to_vec());
        let manifest = manifest.map_err(|_| of(GET_OBJECT, Fault::Corrupt, "UnreadableManifest"))?;
        Ok(Observed::Seen(manifest.into()))
    }
}
