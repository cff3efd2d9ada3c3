//! The matcher's composition root: settings, clients once, run.

use std::sync::Arc;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use matcher::settings::Settings;
use matcher::{Matcher, Surroundings};
use rand::Rng;
use serde_json::Value;
use symbolon_shared::aws::sdk::{self, SdkOptions};
use symbolon_shared::aws::{AwsPorts, AwsSettings};
use symbolon_shared::lambda;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::start_logs();
    let settings = Settings::from_env()?;
    let metrics = lambda::start_metrics(&settings.stack, "matcher")?;
    let ports = ports(settings.resources).await;
    let surroundings = Surroundings {
        clock: Box::new(lambda::now),
        seed: Box::new(seed),
    };
    let matcher = Arc::new(Matcher::new(ports, settings.region, settings.roles, surroundings));
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
        let matcher = Arc::clone(&matcher);
        async move {
            let deadline = lambda::deadline(event.context.deadline, lambda::now());
            // Boxed: the runtime wraps it in many layers, and a batch's future is large.
            let answer = Box::pin(matcher.handle(event.payload, deadline)).await;
            metrics.flush(std::io::stdout())?;
            Ok::<_, Error>(answer)
        }
    }))
    .await
}

/// The clients, whose region, endpoint and credentials come from the SDK's own variables.
async fn ports(resources: AwsSettings) -> AwsPorts {
    let loader = aws_config::defaults(aws_config::BehaviorVersion::v2026_01_12());
    let sdk = sdk::explicit(loader, &SdkOptions::default()).load().await;
    AwsPorts::new(
        aws_sdk_dynamodb::Client::new(&sdk),
        aws_sdk_sqs::Client::new(&sdk),
        aws_sdk_kms::Client::new(&sdk),
        resources,
    )
}

fn seed() -> [u8; 32] {
    let mut seed = [0; 32];
    rand::rng().fill_bytes(&mut seed);
    seed
}
