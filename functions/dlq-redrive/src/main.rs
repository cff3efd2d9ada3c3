//! The redrive's composition root: settings, clients once, run.

use std::sync::Arc;
use std::time::Duration;

use dlq_redrive::settings::Settings;
use dlq_redrive::{Redrive, Surroundings};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use symbolon_shared::aws::sdk::{self, SdkOptions};
use symbolon_shared::aws::{AwsRedrive, AwsRedriveClients, AwsRedriveSettings};
use symbolon_shared::lambda;

/// Ten letters of a mebibyte take longer than the functions that answer counterparties may wait.
const OPTIONS: SdkOptions = SdkOptions {
    max_attempts: 4,
    initial_backoff: Duration::from_millis(50),
    max_backoff: Duration::from_secs(1),
    connect_timeout: Duration::from_secs(1),
    read_timeout: Duration::from_secs(6),
    attempt_timeout: Duration::from_secs(6),
    operation_timeout: Duration::from_secs(12),
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::start_logs();
    let settings = Settings::from_env()?;
    let metrics = lambda::start_metrics(&settings.stack, "dlq-redrive")?;
    let ports = ports(settings.resources).await;
    let surroundings = Surroundings {
        clock: Box::new(lambda::now),
        sleep: Box::new(|wait| Box::pin(tokio::time::sleep(wait))),
    };
    let redrive = Arc::new(Redrive::new(ports, settings.conduct, surroundings));
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
        let redrive = Arc::clone(&redrive);
        async move {
            let deadline = lambda::deadline(event.context.deadline, lambda::now());
            // Boxed: the runtime wraps it in many layers, and a run's future is large.
            let answer = Box::pin(redrive.handle(event.payload, deadline)).await;
            metrics.flush(std::io::stdout())?;
            Ok::<_, Error>(serde_json::to_value(answer)?)
        }
    }))
    .await
}

/// The clients, whose region, endpoint and credentials come from the SDK's own variables.
async fn ports(resources: AwsRedriveSettings) -> AwsRedrive {
    let loader = aws_config::defaults(aws_config::BehaviorVersion::v2026_01_12());
    let sdk = sdk::explicit(loader, &OPTIONS).load().await;
    let clients = AwsRedriveClients {
        sqs: aws_sdk_sqs::Client::new(&sdk),
        s3: aws_sdk_s3::Client::new(&sdk),
        dynamodb: aws_sdk_dynamodb::Client::new(&sdk),
        lambda: aws_sdk_lambda::Client::new(&sdk),
        cloudwatch: aws_sdk_cloudwatch::Client::new(&sdk),
        events: aws_sdk_eventbridge::Client::new(&sdk),
    };
    AwsRedrive::new(clients, resources)
}
