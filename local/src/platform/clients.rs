//! SDK clients of the emulators, through the SDK's ordinary configuration.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use symbolon_shared::aws::sdk::{self, SdkOptions};

use super::faults::Faults;
use super::meter::Meter;

/// The emulators check no signature, so nothing secret is needed.
pub(super) const SECRET_KEY: &str = "local";

/// Where the emulators listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// The address that answers for every service.
    pub front: String,
    /// DynamoDB's own address: one hop less than through the front.
    pub dynamodb: String,
    /// The region in which everything stands.
    pub region: String,
}

/// One principal's clients.
#[derive(Debug, Clone)]
pub struct Clients {
    /// Tables.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// Queues.
    pub sqs: aws_sdk_sqs::Client,
    /// Keys.
    pub kms: aws_sdk_kms::Client,
    /// Buckets.
    pub s3: aws_sdk_s3::Client,
    /// The event bus.
    pub events: aws_sdk_eventbridge::Client,
}

impl Endpoints {
    /// The SDK configuration of `principal`, which SQS names as the sender of whatever it sends.
    #[must_use]
    pub fn sdk_config(&self, principal: &str) -> SdkConfig {
        self.configured(principal, &PATIENT, plain_http())
    }

    fn configured(&self, principal: &str, options: &SdkOptions, http: SharedHttpClient) -> SdkConfig {
        // Nothing is taken from the surroundings: no profile, no proxy.
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(self.region.clone()))
            .endpoint_url(self.front.as_str())
            .credentials_provider(SharedCredentialsProvider::new(Credentials::from_keys(
                principal, SECRET_KEY, None,
            )))
            .retry_config(sdk::retry(options))
            .timeout_config(sdk::timeouts(options))
            .http_client(http)
            .build()
    }

    /// The clients of `principal`.
    #[must_use]
    pub fn clients(&self, principal: &str) -> Clients {
        let sdk = self.sdk_config(principal);
        Clients {
            dynamodb: aws_sdk_dynamodb::Client::from_conf(self.dynamodb_config(&sdk).build()),
            sqs: aws_sdk_sqs::Client::new(&sdk),
            kms: aws_sdk_kms::Client::new(&sdk),
            s3: aws_sdk_s3::Client::from_conf(s3_config(&sdk).build()),
            events: aws_sdk_eventbridge::Client::new(&sdk),
        }
    }

    /// The clients of a function by its role: every attempt counted by `meter`, every fault of `wire` met, and the
    /// SDK set as `options` say.
    #[must_use]
    pub fn function_clients(
        &self,
        principal: &str,
        meter: &Meter,
        wire: &Faults,
        options: &SdkOptions,
    ) -> Clients {
        let sdk = self.configured(principal, options, wire.client(plain_http()));
        let sqs = aws_sdk_sqs::config::Builder::from(&sdk)
            .interceptor(meter.clone())
            .build();
        let kms = aws_sdk_kms::config::Builder::from(&sdk)
            .interceptor(meter.clone())
            .build();
        let events = aws_sdk_eventbridge::config::Builder::from(&sdk)
            .interceptor(meter.clone())
            .build();
        Clients {
            dynamodb: aws_sdk_dynamodb::Client::from_conf(
                self.dynamodb_config(&sdk).interceptor(meter.clone()).build(),
            ),
            sqs: aws_sdk_sqs::Client::from_conf(sqs),
            kms: aws_sdk_kms::Client::from_conf(kms),
            s3: aws_sdk_s3::Client::from_conf(s3_config(&sdk).interceptor(meter.clone()).build()),
            events: aws_sdk_eventbridge::Client::from_conf(events),
        }
    }

    /// A client that reads streams, as Lambda's poller of a table does.
    #[must_use]
    pub fn streams(&self, principal: &str) -> aws_sdk_dynamodbstreams::Client {
        let sdk = self.sdk_config(principal);
        let config = aws_sdk_dynamodbstreams::config::Builder::from(&sdk);
        aws_sdk_dynamodbstreams::Client::from_conf(config.endpoint_url(self.dynamodb.as_str()).build())
    }

    fn dynamodb_config(&self, sdk: &SdkConfig) -> aws_sdk_dynamodb::config::Builder {
        aws_sdk_dynamodb::config::Builder::from(sdk).endpoint_url(self.dynamodb.as_str())
    }
}

/// Buckets by path: their names are no hosts here.
fn s3_config(sdk: &SdkConfig) -> aws_sdk_s3::config::Builder {
    aws_sdk_s3::config::Builder::from(sdk).force_path_style(true)
}

/// No TLS roots to load, no proxy.
fn plain_http() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().build_http()
}

/// For clients that nobody hurries: a debug build on a busy machine is slow, a long poll takes 20 s, and a time-out
/// here would look like a lost response.
pub const PATIENT: SdkOptions = SdkOptions {
    max_attempts: 3,
    initial_backoff: Duration::from_millis(20),
    max_backoff: Duration::from_secs(1),
    connect_timeout: Duration::from_secs(2),
    read_timeout: Duration::from_secs(25),
    attempt_timeout: Duration::from_secs(25),
    operation_timeout: Duration::from_mins(1),
};
