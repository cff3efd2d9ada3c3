//! From the SDK's errors to the ports': operation, kind of failure and code, nothing else.

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use crate::ports::{Fault, PortError};

/// Codes of the three services that ask for fewer requests. HTTP 429 says the same.
const THROTTLING: &[&str] = &[
    "BandwidthLimitExceeded",
    "KMS.ThrottlingException",
    "KmsThrottled",
    "LimitExceededException",
    "OverLimit",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceeded",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "Throttling",
    "ThrottlingError",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
];

/// Codes with which a service says that it may have done it, or did not get as far as knowing.
const UNKNOWN: &[&str] = &[
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "TransactionInProgressException",
];

/// The code of a lone write whose condition did not hold.
pub(super) const CONDITION_LOST: &str = "ConditionalCheckFailedException";

/// The code of a lone write that met a transaction: it was not done.
pub(super) const CONFLICT: &str = "TransactionConflictException";

/// The error as the ports know it.
pub fn port_error<E: ProvideErrorMetadata>(
    operation: &'static str,
    error: &SdkError<E, HttpResponse>,
) -> PortError {
    let (fault, code) = match error {
        SdkError::ConstructionFailure(_) => (Fault::Refused, "ConstructionFailure"),
        SdkError::TimeoutError(_) => (Fault::TimedOut, "Timeout"),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => (Fault::TimedOut, "ConnectionTimeout"),
        SdkError::DispatchFailure(failure) if failure.is_user() => (Fault::Refused, "InvalidRequest"),
        SdkError::DispatchFailure(_) => (Fault::Unavailable, "DispatchFailure"),
        SdkError::ResponseError(_) => (Fault::Corrupt, "UnreadableResponse"),
        // A success that cannot be parsed comes as an error of the service, too.
        SdkError::ServiceError(service) if service.raw().status().is_success() => {
            (Fault::Corrupt, "UnreadableResponse")
        }
        SdkError::ServiceError(service) => {
            let status = service.raw().status().as_u16();
            let code = service
                .err()
                .code()
                .filter(|code| is_code(code))
                .unwrap_or("Unrecognised");
            (service_fault(code, status), code)
        }
        _ => (Fault::Unavailable, "UnknownFailure"),
    };
    of(operation, fault, code)
}

/// Whether a conditional write was carried out; `false` when its condition did not hold.
pub(super) fn held<T, E: ProvideErrorMetadata>(
    operation: &'static str,
    sent: Result<T, SdkError<E, HttpResponse>>,
) -> Result<bool, PortError> {
    match sent.map_err(|error| port_error(operation, &error)) {
        Ok(_) => Ok(true),
        Err(error) if error.code == CONDITION_LOST => Ok(false),
        Err(error) => Err(error),
    }
}

/// An error that the adapter itself finds.
pub(super) fn of(operation: &'static str, fault: Fault, code: &str) -> PortError {
    PortError {
        operation,
        fault,
        code: code.to_owned(),
    }
}

/// What was about to be sent cannot be put into the service's form: surely not done.
pub(super) fn not_sendable(operation: &'static str) -> PortError {
    of(operation, Fault::Refused, "InvalidRequest")
}

/// What came back is not of a form that this code reads.
pub(super) fn unreadable(operation: &'static str) -> PortError {
    of(operation, Fault::Corrupt, "UnreadableItem")
}

/// The fault that a code of a service means.
pub(super) fn service_fault(code: &str, status: u16) -> Fault {
    if THROTTLING.contains(&code) || status == 429 {
        Fault::Throttled
    } else if code == "RequestTimeout" || status == 408 {
        Fault::TimedOut
    } else if UNKNOWN.contains(&code) || !(400..500).contains(&status) {
        Fault::Unavailable
    } else {
        Fault::Refused
    }
}

/// Whether a text can only be the name of an error. Codes come off the wire: whatever else a service, a proxy or
/// an emulator puts in their place must not reach a log. No token, id or number has this form.
fn is_code(text: &str) -> bool {
    text.len() <= 80
        && text.bytes().all(|b| b.is_ascii_alphabetic() || b == b'.')
        && text.bytes().next().is_some_and(|b| b.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::wire::{Answer, Wire};
    use crate::domain::identifiers::Symbol;
    use crate::ports::ParameterStore as _;

    /// What must never be seen: it stands in the request, in the answer's message and in the answer's code.
    const SECRET: &str = "CPSECRET-7f3a";

    async fn error_of(answer: Answer) -> PortError {
        let ports = Wire::answering([answer]).ports();
        ports
            .read_parameters(&[Symbol::new(SECRET.to_ascii_uppercase()).unwrap()])
            .await
            .unwrap_err()
    }

    #[tokio::test]
    async fn no_text_of_the_sdk_gets_out() {
        let said = |code: &str| format!("{{\"__type\":\"{code}\",\"message\":\"about {SECRET}\"}}");
        for (answer, fault, code) in [
            (
                Answer::json(400, &said("com.amazonaws.dynamodb.v20120810#ValidationException")),
                Fault::Refused,
                "ValidationException",
            ),
            (Answer::json(400, &said(SECRET)), Fault::Refused, "Unrecognised"),
            (
                Answer::json(400, &said("ThrottlingException")),
                Fault::Throttled,
                "ThrottlingException",
            ),
            (
                Answer::json(500, &said("InternalServerError")),
                Fault::Unavailable,
                "InternalServerError",
            ),
            (Answer::json(503, SECRET), Fault::Unavailable, "Unrecognised"),
            (Answer::json(200, SECRET), Fault::Corrupt, "UnreadableResponse"),
            (Answer::NeverComes, Fault::TimedOut, "Timeout"),
            (
                Answer::ConnectionLost(SECRET),
                Fault::Unavailable,
                "DispatchFailure",
            ),
        ] {
            let error = error_of(answer).await;
            assert_eq!((error.fault, error.code.as_str()), (fault, code));
            assert_eq!(error.operation, "dynamodb:BatchGetItem");
            assert!(!format!("{error} {error:?}").contains("SECRET"), "{code}");
            assert!(
                std::error::Error::source(&error).is_none(),
                "a source would be logged with it"
            );
        }
    }

    #[test]
    fn only_names_of_errors_are_codes() {
        for code in [
            "ValidationException",
            "AWS.SimpleQueueService.NonExistentQueue",
            "KMSInternalException",
        ] {
            assert!(is_code(code), "{code}");
        }
        let token = "nb2hi4dthixs653xo4xgk6dbobqxg5dfonxw63lqnrsxgzlsmuxgo5a3";
        for text in [
            "",
            token,
            "cp-abc",
            "A-1",
            "Has Blanks",
            "AROA4XGK6DBOBQ",
            "lower",
        ] {
            assert!(!is_code(text), "{text}");
        }
    }

    #[test]
    fn what_a_code_means() {
        assert_eq!(
            service_fault("TransactionInProgressException", 400),
            Fault::Unavailable
        );
        assert_eq!(service_fault("KMSInvalidStateException", 409), Fault::Refused);
        assert_eq!(service_fault("AccessDeniedException", 400), Fault::Refused);
        assert_eq!(service_fault("Unrecognised", 429), Fault::Throttled);
    }
}
