//! A line to AWS that gives scripted answers and keeps what was asked, host and all: two regions are told apart by it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

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

use crate::aws::AwsBackup;

/// An answer: status, headers, body.
#[derive(Debug)]
pub(super) struct Reply(u16, Vec<(&'static str, String)>, Vec<u8>);

impl Reply {
    pub(super) fn json(body: &Value) -> Self {
        Self(200, Vec::new(), body.to_string().into_bytes())
    }

    /// How services that speak JSON say no.
    pub(super) fn refused(status: u16, code: &str) -> Self {
        let body = format!(r#"{{"__type":"com.amazonaws#{code}","message":"about SECRET"}}"#);
        Self(
            status,
            vec![("x-amzn-errortype", code.to_owned())],
            body.into_bytes(),
        )
    }

    pub(super) fn text(status: u16, body: &str) -> Self {
        Self(status, Vec::new(), body.as_bytes().to_vec())
    }

    /// How S3 says no.
    pub(super) fn s3_error(status: u16, code: &str) -> Self {
        Self::text(
            status,
            &format!("<Error><Code>{code}</Code><Message>about SECRET</Message></Error>"),
        )
    }

    pub(super) fn cbor(status: u16, body: Vec<u8>) -> Self {
        let headers = [
            ("smithy-protocol", "rpc-v2-cbor"),
            ("content-type", "application/cbor"),
        ];
        Self(
            status,
            headers.map(|(name, value)| (name, value.to_owned())).to_vec(),
            body,
        )
    }
}

/// What was asked: method, host, path with its query, and the body.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) to: String,
    pub(super) target: Option<String>,
    pub(super) body: Vec<u8>,
}

impl Asked {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

#[derive(Debug, Clone)]
pub(super) struct Line {
    replies: Arc<Mutex<VecDeque<Reply>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Line {
    pub(super) fn replying(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self {
            replies: Arc::new(Mutex::new(replies.into_iter().collect())),
            asked: Arc::default(),
        }
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Ports in us-east-1, whose other region is us-west-2.
    pub(super) fn ports(&self) -> AwsBackup {
        self.ports_kept_by(self)
    }

    /// The same, with a line of its own for what is kept and told.
    pub(super) fn ports_kept_by(&self, keeping: &Self) -> AwsBackup {
        AwsBackup::new(
            &self.config("us-east-1"),
            &self.config("us-west-2"),
            &keeping.config("us-east-1"),
            "backup".to_owned(),
        )
    }

    fn config(&self, region: &'static str) -> SdkConfig {
        let connector = SharedHttpConnector::new(self.clone());
        let credentials = Credentials::new("a", "s", None, None, "test");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::from_static(region))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .build()
    }
}

impl HttpConnector for Line {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.asked.lock().unwrap().push(Asked {
            to: format!("{} {}", request.method(), request.uri()),
            target: request.headers().get("x-amz-target").map(str::to_owned),
            body: request.body().bytes().unwrap_or_default().to_vec(),
        });
        let reply = self.replies.lock().unwrap().pop_front();
        HttpConnectorFuture::new(async move {
            let no_more = || ConnectorError::io("no answer is left".into());
            let Reply(status, headers, body) = reply.ok_or_else(no_more)?;
            let status = status.try_into().unwrap();
            let mut response = HttpResponse::new(status, SdkBody::from(body));
            for (name, value) in headers {
                response.headers_mut().insert(name, value);
            }
            Ok(response)
        })
    }
}
