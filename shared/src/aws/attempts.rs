//! What the attempts of one call leave open.
//!
//! The SDK repeats a request by itself and reports the last attempt alone. When the first one got no answer and
//! the last one was throttled, "throttled" does not mean "not done": the first may have been carried out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_sdk_dynamodb::config::interceptors::FinalizerInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use backon::{BackoffBuilder as _, ExponentialBuilder};

use crate::ports::{CommitError, PortError};

/// How long to wait before something is asked for again that the SDK does not repeat by itself: 25 ms, doubling, at most
/// 400 ms, six times: below 3 s with jitter.
pub(super) fn pauses() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(25))
        .with_max_delay(Duration::from_millis(400))
        .with_max_times(6)
        .with_jitter()
        .build()
}

/// Watches one call.
#[derive(Debug, Clone, Default)]
pub(super) struct Attempts(Arc<AtomicBool>);

impl Attempts {
    /// Whether some attempt may have been carried out although no answer says so.
    fn left_open(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// What is known of a write that ended in `error`.
    pub(super) fn failure(&self, error: PortError) -> CommitError {
        if error.fault.surely_not_done() && !self.left_open() {
            CommitError::Failed(error)
        } else {
            CommitError::Unknown(error)
        }
    }

    /// A conflict in which nothing was written, unless by an earlier attempt.
    pub(super) fn conflict(&self, error: PortError) -> CommitError {
        if self.left_open() {
            CommitError::Unknown(error)
        } else {
            CommitError::Conflict
        }
    }
}

impl Intercept for Attempts {
    fn name(&self) -> &'static str {
        "Attempts"
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let refused = context
            .response()
            .is_some_and(|response| (400..500).contains(&response.status().as_u16()));
        let answered = match context.output_or_error() {
            Some(Ok(_)) => true,
            Some(Err(error)) => error.is_operation_error() && refused,
            None => false,
        };
        if !answered {
            self.0.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}
