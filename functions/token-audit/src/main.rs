//! The token audit's composition root: settings, clients once, run.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use symbolon_shared::aws::sdk::{self, SdkOptions};
use symbolon_shared::aws::{AwsAudit, AwsAuditSettings};
use symbolon_shared::domain::time::Timestamp;
use token_audit::settings::Settings;
use token_audit::{Surroundings, TokenAudit, is_retry, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start_logs();
    let settings = Settings::from_env()?;
    let metrics = telemetry::start_metrics(&settings.stack)?;
    let ports = ports(settings.resources).await;
    let surroundings = Surroundings { clock: Box::new(now) };
    let audit = Arc::new(TokenAudit::new(ports, &settings.region, surroundings));
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
        let audit = Arc::clone(&audit);
        async move {
            let deadline = deadline(event.context.deadline);
            // Boxed: the runtime wraps it in many layers, and a batch's future is large.
            let answer = if is_retry(&event.payload) {
                serde_json::to_value(Box::pin(audit.retry(deadline)).await)
            } else {
                serde_json::to_value(Box::pin(audit.handle(event.payload, deadline)).await)
            };
            metrics.flush(std::io::stdout())?;
            Ok::<_, Error>(answer?)
        }
    }))
    .await
}

/// The clients, whose region, endpoint and credentials come from the SDK's own variables.
async fn ports(resources: AwsAuditSettings) -> AwsAudit {
    let loader = aws_config::defaults(aws_config::BehaviorVersion::v2026_01_12());
    let sdk = sdk::explicit(loader, &SdkOptions::default()).load().await;
    AwsAudit::new(
        aws_sdk_s3::Client::new(&sdk),
        aws_sdk_kms::Client::new(&sdk),
        aws_sdk_dynamodb::Client::new(&sdk),
        aws_sdk_eventbridge::Client::new(&sdk),
        resources,
    )
}

/// When the answer must be there. Lambda names a moment; `cargo lambda watch` gives the 600,000 ms that it grants in
/// the same field, and no function has to answer in 1970.
fn deadline(stamped_millis: u64) -> Timestamp {
    const YEAR_1971_MILLIS: i64 = 31_536_000_000;
    match i64::try_from(stamped_millis).unwrap_or(i64::MAX) {
        granted if granted < YEAR_1971_MILLIS => now().plus_millis(granted),
        moment => Timestamp::from_millis(moment),
    }
}

#[expect(clippy::disallowed_methods, reason = "the composition root owns the clock")]
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
