//! The backup check's composition root: settings, clients once, run.

use std::sync::Arc;

use aws_config::{BehaviorVersion, Region};
use backup_check::settings::Settings;
use backup_check::{BackupCheck, NoExport, Surroundings};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use symbolon_shared::aws::AwsBackup;
use symbolon_shared::aws::sdk::{self, SdkOptions};
use symbolon_shared::lambda;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::start_logs();
    let settings = Settings::from_env()?;
    let metrics = lambda::start_metrics(&settings.place.stack, "backup-check")?;
    let ports = ports(settings.place.peer_region.clone(), settings.bucket).await;
    let surroundings = Surroundings {
        clock: Box::new(lambda::now),
    };
    let check = BackupCheck::new(ports, NoExport, settings.policy, settings.place, surroundings);
    let check = Arc::new(check);
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
        let check = Arc::clone(&check);
        async move {
            let deadline = lambda::deadline(event.context.deadline, lambda::now());
            // Boxed: the runtime wraps it in many layers, and a run's future is large.
            let checked = Box::pin(check.handle(&event.payload, deadline)).await;
            metrics.flush(std::io::stdout())?;
            Ok::<_, Error>(serde_json::to_value(checked)?)
        }
    }))
    .await
}

/// The clients of both regions. This region, endpoint and credentials come from the SDK's own variables.
async fn ports(peer_region: String, bucket: String) -> AwsBackup {
    let loader = aws_config::defaults(BehaviorVersion::v2026_01_12());
    let here = sdk::explicit(loader, &SdkOptions::default()).load().await;
    let there = here.to_builder().region(Region::new(peer_region)).build();
    AwsBackup::new(&here, &there, bucket)
}
