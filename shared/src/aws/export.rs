//! The export's ports: functions and mappings of Lambda, the stack of CloudFormation, packages by their links, and the
//! other region's bucket.

mod reading;

use std::time::Duration;

use aws_sdk_cloudformation::types::TemplateStage;
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::ChecksumMode;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::{HttpConnector as _, HttpConnectorSettings, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;

use super::error::{of, port_error};
use super::sdk::SdkOptions;
use crate::domain::export::{Digest, FunctionName, MAX_PACKAGE_BYTES, Mapping, Reason, Stored};
use crate::domain::time::Timestamp;
use crate::ports::export::{
    DeployedFunction, DeployedFunctions, DeployedMappings, DeployedStack, DeployedStacks, Expected,
    ExportBucket, Handle, PackageLink, Put, Seen,
};
use crate::ports::{Fault, PortError};

const GET_FUNCTION: &str = "lambda:GetFunction";
const LIST_MAPPINGS: &str = "lambda:ListEventSourceMappings";
const DESCRIBE_STACKS: &str = "cloudformation:DescribeStacks";
const GET_TEMPLATE: &str = "cloudformation:GetTemplate";
const GET_OBJECT: &str = "s3:GetObject";
const PUT_OBJECT: &str = "s3:PutObject";
/// No action of IAM: whoever has the link may.
const DOWNLOAD: &str = "DownloadPackage";

/// Codes with which S3 says that something else was there: by its state, by another put under way, or by there being
/// nothing to compare with.
const LOST: &[&str] = &["PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"];

/// Codes with which S3 says that nothing is there; `HEAD` has no body that could say more.
const NOTHING: &[&str] = &["NoSuchKey", "NotFound"];

/// Bytes of an object that is read at most: a package, and room for what surrounds it.
const MAX_OBJECT_BYTES: usize = 52_000_000;

/// What the adapter is told of its deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsExportSettings {
    /// The stack.
    pub stack: String,
    /// The other region's backup bucket.
    pub bucket: String,
    /// How long one download may take.
    pub download_timeout: Duration,
}

/// Every port of the export, on AWS. A clone shares its clients' connections.
#[derive(Debug, Clone)]
pub struct AwsExport {
    lambda: aws_sdk_lambda::Client,
    cloudformation: aws_sdk_cloudformation::Client,
    peer_s3: aws_sdk_s3::Client,
    download: SharedHttpConnector,
    settings: AwsExportSettings,
}

impl AwsExport {
    /// The ports on these clients. `peer_s3` is a client of the other region, with [`bucket_options`]; `download` shows
    /// nobody any credentials, such as [`download_connector`].
    #[must_use]
    pub fn new(
        lambda: aws_sdk_lambda::Client,
        cloudformation: aws_sdk_cloudformation::Client,
        peer_s3: aws_sdk_s3::Client,
        download: SharedHttpConnector,
        settings: AwsExportSettings,
    ) -> Self {
        Self {
            lambda,
            cloudformation,
            peer_s3,
            download,
            settings,
        }
    }
}

/// Time-outs of the client of the other region's bucket: a package of 50 MB crosses a continent in a few seconds, and the
/// answer comes only when it has arrived.
#[must_use]
pub fn bucket_options() -> SdkOptions {
    SdkOptions {
        max_attempts: 3,
        connect_timeout: Duration::from_secs(2),
        read_timeout: Duration::from_secs(20),
        attempt_timeout: Duration::from_secs(25),
        operation_timeout: Duration::from_mins(1),
        ..SdkOptions::default()
    }
}

/// The SDK's own HTTP client, for links that are no API's. It takes plain HTTP too, which emulators speak.
#[must_use]
pub fn download_connector() -> SharedHttpConnector {
    let settings = HttpConnectorSettings::builder()
        .connect_timeout(Duration::from_secs(2))
        .read_timeout(Duration::from_secs(10))
        .build();
    let connector = Connector::builder()
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .connector_settings(settings)
        .build();
    SharedHttpConnector::new(connector)
}

impl DeployedFunctions for AwsExport {
    async fn describe_function(&self, name: &FunctionName) -> Result<Seen<DeployedFunction>, PortError> {
        let get = self.lambda.get_function().function_name(name.as_str());
        match get.send().await.map_err(|error| port_error(GET_FUNCTION, &error)) {
            Ok(answer) => {
                reading::function(answer, name).map_err(|code| of(GET_FUNCTION, Fault::Corrupt, code))
            }
            Err(error) if error.code == "ResourceNotFoundException" => Ok(Err(Reason::Missing)),
            Err(error) => Err(error),
        }
    }

    async fn download_package(&self, link: &PackageLink, bytes: u64) -> Result<Vec<u8>, PortError> {
        let download = self.download_bounded(link, bytes);
        let ended = tokio::time::timeout(self.settings.download_timeout, download).await;
        ended.unwrap_or_else(|_| Err(of(DOWNLOAD, Fault::TimedOut, "Timeout")))
    }
}

impl AwsExport {
    /// What the link gives, never more than `bytes`: the memory that it may take is known before.
    async fn download_bounded(&self, link: &PackageLink, bytes: u64) -> Result<Vec<u8>, PortError> {
        let wrong = |fault, code| of(DOWNLOAD, fault, code);
        let most =
            usize::try_from(bytes.min(MAX_PACKAGE_BYTES)).map_err(|_| wrong(Fault::Refused, "TooLarge"))?;
        let request = HttpRequest::get(link.expose()).map_err(|_| wrong(Fault::Refused, "NoLink"))?;
        let answer = self.download.call(request).await;
        let answer = answer.map_err(|error| {
            if error.is_timeout() {
                wrong(Fault::TimedOut, "ConnectionTimeout")
            } else {
                wrong(Fault::Unavailable, "DispatchFailure")
            }
        })?;
        match answer.status().as_u16() {
            200 => {}
            429 | 503 => return Err(wrong(Fault::Throttled, "NotServed")),
            500.. => return Err(wrong(Fault::Unavailable, "NotServed")),
            // A link that has died, above all.
            _ => return Err(wrong(Fault::Refused, "NotServed")),
        }
        let mut body = ByteStream::new(answer.into_body());
        let mut package = Vec::with_capacity(most);
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(|_| wrong(Fault::Unavailable, "BodyNotRead"))?;
            if package.len() + piece.len() > most {
                return Err(wrong(Fault::Corrupt, "OtherLength"));
            }
            package.extend_from_slice(&piece);
        }
        Some(package)
            .filter(|package| package.len() as u64 == bytes)
            .ok_or_else(|| wrong(Fault::Corrupt, "OtherLength"))
    }
}

impl DeployedMappings for AwsExport {
    async fn list_mappings(&self, name: &FunctionName) -> Result<Seen<Vec<Mapping>>, PortError> {
        let mut mappings = Vec::new();
        let mut marker = None;
        loop {
            let list = self.lambda.list_event_source_mappings();
            let list = list.function_name(name.as_str()).set_marker(marker.take());
            let answer = list
                .send()
                .await
                .map_err(|error| port_error(LIST_MAPPINGS, &error))?;
            for mapping in answer.event_source_mappings.unwrap_or_default() {
                match reading::mapping(mapping) {
                    Ok(mapping) => mappings.extend(mapping),
                    Err(reason) => return Ok(Err(reason)),
                }
            }
            marker = answer.next_marker.filter(|marker| !marker.is_empty());
            if marker.is_none() {
                return Ok(Ok(mappings));
            }
        }
    }
}

impl DeployedStacks for AwsExport {
    /// The processed template: what is deployed is what lies there, whatever the transform makes of its source later, and
    /// it needs no tool to be deployed again.
    async fn describe_stack(&self) -> Result<Seen<DeployedStack>, PortError> {
        let describe = self.cloudformation.describe_stacks();
        let described = describe.stack_name(&self.settings.stack).send().await;
        let stack = match described.map_err(|error| port_error(DESCRIBE_STACKS, &error)) {
            Ok(answer) => answer.stacks.unwrap_or_default().into_iter().next(),
            // CloudFormation has no other word for a stack that does not exist.
            Err(error) if error.code == "ValidationError" => None,
            Err(error) => return Err(error),
        };
        let settings = match stack.map_or(Err(Reason::Missing), reading::stack) {
            Ok(settings) => settings,
            Err(reason) => return Ok(Err(reason)),
        };
        let get = self.cloudformation.get_template();
        let get = get
            .stack_name(&self.settings.stack)
            .template_stage(TemplateStage::Processed);
        let answer = get
            .send()
            .await
            .map_err(|error| port_error(GET_TEMPLATE, &error))?;
        let template = answer.template_body.filter(|template| !template.is_empty());
        let template = template.ok_or_else(|| of(GET_TEMPLATE, Fault::Corrupt, "NoTemplate"))?;
        Ok(Ok(DeployedStack { template, settings }))
    }
}

fn state(operation: &'static str, e_tag: Option<String>) -> Result<Handle, PortError> {
    let e_tag = e_tag.ok_or_else(|| of(operation, Fault::Corrupt, "NoETag"))?;
    Ok(Handle(e_tag))
}

fn moment(modified: Option<DateTime>) -> Option<Timestamp> {
    Some(Timestamp::from_millis(modified?.to_millis().ok()?))
}

impl ExportBucket for AwsExport {
    async fn find_exported(&self, key: &str) -> Result<Option<(Stored, Handle)>, PortError> {
        let head = self.peer_s3.head_object().bucket(&self.settings.bucket).key(key);
        let head = head.checksum_mode(ChecksumMode::Enabled);
        let answer = match head.send().await.map_err(|error| port_error(GET_OBJECT, &error)) {
            Ok(answer) => answer,
            Err(error) if NOTHING.contains(&error.code.as_str()) => return Ok(None),
            Err(error) => return Err(error),
        };
        // A checksum of parts has another form, and is none of ours.
        let checksum = answer.checksum_sha256.as_deref();
        let stored = Stored {
            digest: checksum.and_then(|checksum| Digest::from_base64(checksum).ok()),
            modified: moment(answer.last_modified).ok_or_else(|| of(GET_OBJECT, Fault::Corrupt, "NoTime"))?,
        };
        Ok(Some((stored, state(GET_OBJECT, answer.e_tag)?)))
    }

    async fn read_exported(&self, key: &str) -> Result<Option<(Vec<u8>, Handle)>, PortError> {
        let get = self.peer_s3.get_object().bucket(&self.settings.bucket).key(key);
        let answer = match get.send().await.map_err(|error| port_error(GET_OBJECT, &error)) {
            Ok(answer) => answer,
            Err(error) if NOTHING.contains(&error.code.as_str()) => return Ok(None),
            Err(error) => return Err(error),
        };
        let state = state(GET_OBJECT, answer.e_tag)?;
        let (mut body, mut read) = (answer.body, Vec::new());
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(|_| of(GET_OBJECT, Fault::Unavailable, "BodyNotRead"))?;
            if read.len() + piece.len() > MAX_OBJECT_BYTES {
                return Err(of(GET_OBJECT, Fault::Corrupt, "TooLarge"));
            }
            read.extend_from_slice(&piece);
        }
        Ok(Some((read, state)))
    }

    async fn put_exported(&self, key: &str, body: Vec<u8>, expected: &Expected) -> Result<Put, PortError> {
        let put = self
            .peer_s3
            .put_object()
            .bucket(&self.settings.bucket)
            .key(key)
            // S3 refuses a body of another hash, and tells the hash to whoever asks for it later.
            .checksum_sha256(Digest::of(&body).base64())
            .body(ByteStream::from(body));
        let put = match expected {
            Expected::Absent => put.if_none_match("*"),
            Expected::Is(Handle(e_tag)) => put.if_match(e_tag),
        };
        match put.send().await.map_err(|error| port_error(PUT_OBJECT, &error)) {
            Ok(answer) => Ok(Put::Done(state(PUT_OBJECT, answer.e_tag)?)),
            Err(error) if LOST.contains(&error.code.as_str()) => Ok(Put::Lost),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests;
