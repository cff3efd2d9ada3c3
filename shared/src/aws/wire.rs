//! The wire below the SDK, for tests: scripted answers, and what was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use serde_json::Value;

use super::{
    AwsAudit, AwsAuditSettings, AwsExport, AwsExportSettings, AwsPorts, AwsRedrive, AwsRedriveClients,
    AwsRedriveSettings, AwsSettings, TableNames,
};

/// What comes back of one request.
#[derive(Debug)]
pub(super) enum Answer {
    /// An answer of this status.
    Json { status: u16, body: String },
    /// An answer of S3 of this status, with the state of the object.
    Object {
        status: u16,
        body: String,
        e_tag: Option<String>,
    },
    /// An answer of CloudWatch: `200`, and this CBOR.
    Cbor(Vec<u8>),
    /// An answer of this status, with these headers.
    Headed {
        status: u16,
        body: String,
        headers: Vec<(&'static str, String)>,
    },
    /// Silence.
    NeverComes,
    /// The connection breaks, with this text.
    ConnectionLost(&'static str),
}

impl Answer {
    pub(super) fn json(status: u16, body: &str) -> Self {
        Self::Json {
            status,
            body: body.to_owned(),
        }
    }

    pub(super) fn object(status: u16, body: &str, e_tag: Option<&str>) -> Self {
        Self::Object {
            status,
            body: body.to_owned(),
            e_tag: e_tag.map(str::to_owned),
        }
    }
}

/// What was asked: the operation, and the request's body. Of S3: method and path, the conditions and the encryption.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asked {
    pub(super) operation: String,
    pub(super) body: Value,
}

/// A scripted wire; its clones share script and record.
#[derive(Debug, Clone)]
pub(super) struct Wire {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Wire {
    /// Gives these answers, one after the other; then the connection breaks.
    pub(super) fn answering(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self {
            answers: Arc::new(Mutex::new(answers.into_iter().collect())),
            asked: Arc::default(),
        }
    }

    /// What was asked so far.
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Ports whose SDK repeats nothing.
    pub(super) fn ports(&self) -> AwsPorts {
        self.ports_trying(1)
    }

    /// Ports whose SDK makes so many attempts.
    pub(super) fn ports_trying(&self, max_attempts: u32) -> AwsPorts {
        let config = self.config(max_attempts);
        let name = |table: &str| format!("test-{table}");
        AwsPorts::new(
            aws_sdk_dynamodb::Client::new(&config),
            aws_sdk_sqs::Client::new(&config),
            aws_sdk_kms::Client::new(&config),
            AwsSettings {
                tables: TableNames {
                    registry: name("registry"),
                    parameters: name("parameters"),
                    submissions: name("submissions"),
                    interests: name("interests"),
                    matches: name("matches"),
                    keys: name("keys"),
                },
                dead_letter_queue_url: "https://queue/dead".to_owned(),
                token_key_arn: "arn:aws:kms:us-east-1:000000000000:key/k".to_owned(),
            },
        )
    }

    /// The audit's ports, whose SDK repeats nothing.
    pub(super) fn audit(&self) -> AwsAudit {
        let config = self.config(1);
        AwsAudit::new(
            aws_sdk_s3::Client::new(&config),
            aws_sdk_kms::Client::new(&config),
            aws_sdk_dynamodb::Client::new(&config),
            aws_sdk_eventbridge::Client::new(&config),
            AwsAuditSettings {
                bucket: "audit".to_owned(),
                set_aside_bucket: "aside".to_owned(),
                signing_key_arn: "arn:aws:kms:us-east-1:000000000000:key/s".to_owned(),
                keys_table: "test-keys".to_owned(),
            },
        )
    }

    /// The redrive's ports, whose SDK repeats nothing.
    pub(super) fn redrive(&self) -> AwsRedrive {
        let config = self.config(1);
        let clients = AwsRedriveClients {
            sqs: aws_sdk_sqs::Client::new(&config),
            s3: aws_sdk_s3::Client::new(&config),
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            lambda: aws_sdk_lambda::Client::new(&config),
            cloudwatch: aws_sdk_cloudwatch::Client::new(&config),
            events: aws_sdk_eventbridge::Client::new(&config),
        };
        let settings = AwsRedriveSettings {
            quarantine_bucket: "quarantine".to_owned(),
            quarantine_key_arn: "arn:aws:kms:us-east-1:000000000000:key/q".to_owned(),
            registry_table: "test-registry".to_owned(),
            submissions_table: "test-submissions".to_owned(),
        };
        AwsRedrive::new(clients, settings)
    }

    /// The export's ports, whose SDK repeats nothing.
    pub(super) fn export(&self) -> AwsExport {
        let config = self.config(1);
        AwsExport::new(
            aws_sdk_lambda::Client::new(&config),
            aws_sdk_cloudformation::Client::new(&config),
            aws_sdk_s3::Client::new(&config),
            SharedHttpConnector::new(self.clone()),
            AwsExportSettings {
                stack: "symbolon".to_owned(),
                bucket: "backup".to_owned(),
                download_timeout: Duration::from_millis(100),
            },
        )
    }

    fn config(&self, max_attempts: u32) -> SdkConfig {
        let connector = SharedHttpConnector::new(self.clone());
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::from_static("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
                "a", "s", None, None, "test",
            )))
            .retry_config(
                RetryConfig::standard()
                    .with_max_attempts(max_attempts)
                    .with_initial_backoff(Duration::from_millis(1)),
            )
            .timeout_config(
                TimeoutConfig::builder()
                    .operation_attempt_timeout(Duration::from_millis(100))
                    .build(),
            )
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .build()
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.asked.lock().unwrap().push(asked(&request));
        let answer = self.answers.lock().unwrap().pop_front();
        HttpConnectorFuture::new(async move {
            match answer.unwrap_or(Answer::ConnectionLost("no answer is left")) {
                Answer::Json { status, body } => {
                    let status = status
                        .try_into()
                        .map_err(|error| ConnectorError::other(Box::new(error), None))?;
                    Ok(HttpResponse::new(status, SdkBody::from(body)))
                }
                Answer::Object { status, body, e_tag } => {
                    let status = status
                        .try_into()
                        .map_err(|error| ConnectorError::other(Box::new(error), None))?;
                    let mut response = HttpResponse::new(status, SdkBody::from(body));
                    if let Some(e_tag) = e_tag {
                        response.headers_mut().insert("etag", e_tag);
                    }
                    Ok(response)
                }
                Answer::Cbor(body) => {
                    let status = 200_u16
                        .try_into()
                        .map_err(|error| ConnectorError::other(Box::new(error), None))?;
                    let mut response = HttpResponse::new(status, SdkBody::from(body));
                    response.headers_mut().insert("smithy-protocol", "rpc-v2-cbor");
                    response.headers_mut().insert("content-type", "application/cbor");
                    Ok(response)
                }
                Answer::Headed {
                    status,
                    body,
                    headers,
                } => {
                    let status = status
                        .try_into()
                        .map_err(|error| ConnectorError::other(Box::new(error), None))?;
                    let mut response = HttpResponse::new(status, SdkBody::from(body));
                    for (name, value) in headers {
                        response.headers_mut().insert(name, value);
                    }
                    Ok(response)
                }
                Answer::NeverComes => std::future::pending().await,
                Answer::ConnectionLost(text) => Err(ConnectorError::io(text.into())),
            }
        })
    }
}

fn asked(request: &HttpRequest) -> Asked {
    let headers = request.headers();
    if let Some(target) = headers.get("x-amz-target") {
        return Asked {
            operation: target.split('.').next_back().unwrap_or_default().to_owned(),
            body: serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap_or_default(),
        };
    }
    let path = request.uri().split_once("amazonaws.com").unwrap_or_default().1;
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    let conditions = [
        "if-match",
        "if-none-match",
        "x-amz-server-side-encryption",
        "x-amz-server-side-encryption-aws-kms-key-id",
    ]
    .into_iter();
    let conditions = conditions.filter_map(|name| Some((name.to_owned(), Value::from(headers.get(name)?))));
    Asked {
        operation: format!("{} {path}", request.method()),
        body: conditions.collect(),
    }
}
