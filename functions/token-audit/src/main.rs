//! The token audit's composition root: settings, clients once, run.

use std::sync::Arc;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use symbolon_shared::aws::sdk::{self, SdkOptions};
use symbolon_shared::aws::{AwsAudit, AwsAuditSettings};
use symbolon_shared::lambda;
use token_audit::settings::Settings;
use token_audit::{Surroundings, TokenAudit, is_retry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::start_logs();
    let settings = Settings::from_env()?;
    let metrics = lambda::start_metrics(&settings.stack, "token-audit")?;
    let ports = ports(settings.resources).await;
    let surroundings = Surroundings {
        clock: Box::new(lambda::now),
    };
    let audit = Arc::new(TokenAudit::new(ports, &settings.region, surroundings));
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
        let audit = Arc::clone(&audit);
        async move {
            let deadline = lambda::deadline(event.context.deadline, lambda::now());
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
