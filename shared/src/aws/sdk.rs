//! The SDK's settings, made explicit: its own defaults set only a connect time-out, and its retry defaults change
//! with releases.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader};

/// How long and how often a request is tried.
///
/// The defaults are for functions. Whoever polls a queue for up to 20 s needs longer ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SdkOptions {
    /// Attempts of one request, the first included.
    pub max_attempts: u32,
    /// The bound of the first random pause between attempts; it doubles from one to the next.
    pub initial_backoff: Duration,
    /// The longest pause.
    pub max_backoff: Duration,
    /// How long a connection may take.
    pub connect_timeout: Duration,
    /// How long the first byte of an answer may take.
    pub read_timeout: Duration,
    /// How long one attempt may take.
    pub attempt_timeout: Duration,
    /// How long all attempts together may take.
    pub operation_timeout: Duration,
}

impl Default for SdkOptions {
    fn default() -> Self {
        Self {
            // Four, as the SDK itself has it for DynamoDB: throttled partitions split within such times.
            max_attempts: 4,
            // In the region an answer takes 5 to 20 ms: a pause of that order spreads a burst, and a batch of a
            // thousand messages can wait it out.
            initial_backoff: Duration::from_millis(50),
            max_backoff: Duration::from_secs(1),
            // A connection after a freeze may be dead: noticing that must leave time for another one.
            connect_timeout: Duration::from_secs(1),
            read_timeout: Duration::from_millis(1_900),
            // At least 1 s, or the attempts of one transaction overtake each other: the second then meets
            // `TransactionInProgressException` until the first is through.
            attempt_timeout: Duration::from_secs(2),
            // The first attempt's 2 s, and 5 s after it for a retry to meet the end of a transaction in progress
            // (both as AWS recommends for `TransactWriteItems`), with 1 s to spare; well within the 30 s of a
            // function.
            operation_timeout: Duration::from_secs(8),
        }
    }
}

/// Gives a loader every setting that must not depend on a release. Region, endpoint and credentials stay with the
/// SDK's own environment.
#[must_use]
pub fn explicit(loader: ConfigLoader, options: &SdkOptions) -> ConfigLoader {
    loader
        .behavior_version(BehaviorVersion::v2026_01_12())
        .retry_config(retry(options))
        .timeout_config(timeouts(options))
        // It measures bytes per second by the wall clock. A function that was frozen in the middle looks stalled,
        // and our answers are small: the attempt's own time-out says more.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
}

/// Standard, not adaptive: the adaptive mode also holds back first attempts, by a rate that each process guesses
/// for itself.
#[must_use]
pub fn retry(options: &SdkOptions) -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(options.max_attempts)
        .with_initial_backoff(options.initial_backoff)
        .with_max_backoff(options.max_backoff)
}

/// All four time-outs.
#[must_use]
pub fn timeouts(options: &SdkOptions) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(options.connect_timeout)
        .read_timeout(options.read_timeout)
        .operation_attempt_timeout(options.attempt_timeout)
        .operation_timeout(options.operation_timeout)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_in_progress_is_given_time() {
        let options = SdkOptions::default();
        assert!(options.attempt_timeout >= Duration::from_secs(1));
        assert!(options.operation_timeout >= options.attempt_timeout + Duration::from_secs(5));
        assert!(
            options.connect_timeout < options.attempt_timeout
                && options.read_timeout < options.attempt_timeout
        );
        assert!(options.max_attempts > 1);
    }

    #[tokio::test]
    async fn nothing_is_left_to_defaults() {
        let options = SdkOptions::default();
        let loader = aws_config::defaults(BehaviorVersion::v2026_01_12()).empty_test_environment();
        let config = explicit(loader, &options).load().await;
        assert_eq!(
            config.retry_config().map(RetryConfig::max_attempts),
            Some(options.max_attempts)
        );
        let timeouts = config.timeout_config().unwrap();
        assert_eq!(timeouts.connect_timeout(), Some(options.connect_timeout));
        assert_eq!(timeouts.read_timeout(), Some(options.read_timeout));
        assert_eq!(
            timeouts.operation_attempt_timeout(),
            Some(options.attempt_timeout)
        );
        assert_eq!(timeouts.operation_timeout(), Some(options.operation_timeout));
        assert_eq!(
            config
                .stalled_stream_protection()
                .map(|stalled| stalled.is_enabled()),
            Some(false)
        );
    }
}
