//! The SDK as the tool sets it, and what its failures mean to the person at the keyboard.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::ProvideCredentials as _;
use symbolon_shared::aws::sdk::{SdkOptions, explicit};
use symbolon_shared::ports::{Fault, PortError};

use crate::failure::Failure;

/// For somebody who waits: longer than a function has, for a bundle of a mebibyte may go through a home's uplink, and
/// longer than the 20 s of a long poll.
const PATIENCE: SdkOptions = SdkOptions {
    max_attempts: 4,
    initial_backoff: Duration::from_millis(100),
    max_backoff: Duration::from_secs(2),
    connect_timeout: Duration::from_secs(3),
    read_timeout: Duration::from_secs(25),
    attempt_timeout: Duration::from_secs(30),
    operation_timeout: Duration::from_mins(1),
};

/// The SDK's configuration in one region.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    pub(crate) sdk: SdkConfig,
    pub(crate) region: String,
}

impl Connection {
    /// Takes everything from the SDK's own surroundings, the region only where none is given.
    pub(crate) async fn open(region: Option<&str>) -> Result<Self, Failure> {
        let mut loader = explicit(aws_config::defaults(BehaviorVersion::v2026_01_12()), &PATIENCE);
        if let Some(region) = region {
            loader = loader.region(Region::new(region.to_owned()));
        }
        let sdk = loader.load().await;
        let known = sdk.region().map(|region| region.as_ref().to_owned());
        let region = known.ok_or_else(|| {
            Failure::usage("no AWS region is known").advice("name it with --region, or set AWS_REGION")
        })?;
        let credentials = match sdk.credentials_provider() {
            Some(provider) => provider.provide_credentials().await.is_ok(),
            None => false,
        };
        if !credentials {
            return Err(Failure::new("no AWS credentials are to be had").advice(
                "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; a profile of single sign-on wants \
                 `aws sso login` first",
            ));
        }
        Ok(Self { sdk, region })
    }

    fn place(&self) -> String {
        match self.sdk.endpoint_url() {
            Some(endpoint) => format!("{endpoint} (AWS_ENDPOINT_URL)"),
            None => format!("AWS in {}", self.region),
        }
    }

    /// What it means that `error` stood in the way of `doing` something; `role` may do it.
    pub(crate) fn explain(&self, error: &PortError, doing: &str, role: &str) -> Failure {
        let code = error.code.as_str();
        let failure = match error.fault {
            _ if code.contains("AccessDenied") => Failure::new(format!("these credentials may not {doing}"))
                .advice(format!("use those of {role}")),
            _ if is_of_credentials(code) => {
                Failure::new(format!("cannot {doing}: AWS does not take these credentials"))
                    .advice("renew them; AWS_PROFILE or AWS_ACCESS_KEY_ID name the right ones?")
            }
            _ if is_of_absence(code) => {
                Failure::new(format!("cannot {doing}: it does not exist at {}", self.place())).advice(
                    "are --stack or --outputs, --region and AWS_ENDPOINT_URL those of one deployment?",
                )
            }
            Fault::Unavailable | Fault::TimedOut if is_of_the_network(code) => {
                Failure::new(format!("cannot {doing}: {} does not answer", self.place()))
                    .advice("check the network, --region and AWS_ENDPOINT_URL, then run it again")
            }
            Fault::Throttled | Fault::Unavailable | Fault::TimedOut => Failure::new(format!(
                "cannot {doing}: {} is overloaded or out of order",
                self.place()
            ))
            .advice("run it again in a moment: that is safe"),
            Fault::Refused => Failure::new(format!("cannot {doing}: it was refused"))
                .advice("look the code up in the service's documentation"),
            Fault::Corrupt => Failure::new(format!("cannot {doing}: the answer cannot be read"))
                .advice("is a newer symbolon deployed than this one? And is it AWS that answers?"),
        };
        failure.because(error.to_string())
    }
}

fn is_of_credentials(code: &str) -> bool {
    [
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    ]
    .contains(&code)
}

fn is_of_absence(code: &str) -> bool {
    code.contains("NonExistentQueue")
        || code.contains("QueueDoesNotExist")
        || [
            "NoSuchBucket",
            "NotFoundException",
            // A bucket of another region.
            "PermanentRedirect",
            "AuthorizationHeaderMalformed",
            "ResourceNotFoundException",
        ]
        .contains(&code)
}

/// Codes of the ports themselves: nobody answered.
fn is_of_the_network(code: &str) -> bool {
    ["DispatchFailure", "Timeout", "ConnectionTimeout"].contains(&code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::Output;

    fn said(fault: Fault, code: &str) -> String {
        let connection = Connection {
            sdk: SdkConfig::builder().endpoint_url("http://127.0.0.1:1").build(),
            region: "us-east-1".to_owned(),
        };
        let error = PortError {
            operation: "sqs:SendMessage",
            fault,
            code: code.to_owned(),
        };
        let failure = connection.explain(&error, "send to the intake queue", "the counterparty's role");
        failure.render(Output::Table)
    }

    #[test]
    fn each_kind_of_failure_is_explained_with_what_to_do() {
        for (fault, code, expected) in [
            (
                Fault::Refused,
                "AccessDeniedException",
                "use those of the counterparty's role",
            ),
            (
                Fault::Refused,
                "KMS.AccessDeniedException",
                "use those of the counterparty's role",
            ),
            (Fault::Refused, "ExpiredTokenException", "renew them"),
            (Fault::Refused, "QueueDoesNotExist", "those of one deployment"),
            (Fault::Refused, "NoSuchBucket", "those of one deployment"),
            (Fault::Unavailable, "PermanentRedirect", "those of one deployment"),
            (
                Fault::Unavailable,
                "DispatchFailure",
                "http://127.0.0.1:1 (AWS_ENDPOINT_URL) does not answer",
            ),
            (Fault::TimedOut, "Timeout", "does not answer"),
            (Fault::Throttled, "ThrottlingException", "in a moment"),
            (Fault::Unavailable, "InternalError", "in a moment"),
            (Fault::Refused, "InvalidAddress", "look the code up"),
            (Fault::Corrupt, "UnreadableItem", "newer symbolon"),
        ] {
            let text = said(fault, code);
            assert!(text.contains(expected), "{code}: {text}");
            assert!(
                text.contains(&format!("because: sqs:SendMessage: {code}")),
                "{text}"
            );
        }
    }
}
