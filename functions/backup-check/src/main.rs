//! The backup check's composition root: settings, clients once, run.

use std::sync::Arc;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use backup_check::settings::Settings;
use backup_check::{BackupCheck, FunctionExport, Surroundings};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use symbolon_shared::aws::sdk::{self, SdkOptions};
use symbolon_shared::aws::{
    AwsBackup, AwsExport, AwsExportSettings, bucket_options, control_plane_options, download_connector,
};
use symbolon_shared::lambda;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::start_logs();
    let settings = Settings::from_env()?;
    let metrics = lambda::start_metrics(&settings.place.stack, "backup-check")?;
    let (ports, export) = ports(&settings).await;
    let export = FunctionExport::new(export, settings.export, Box::new(lambda::now));
    let surroundings = Surroundings {
        clock: Box::new(lambda::now),
    };
    let check = BackupCheck::new(ports, export, settings.policy, settings.place, surroundings);
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

/// How long a package may take on its way here.
const DOWNLOAD: Duration = Duration::from_secs(30);

/// The clients of both regions. This region, endpoint and credentials come from the SDK's own variables.
async fn ports(settings: &Settings) -> (AwsBackup, AwsExport) {
    let loader = || aws_config::defaults(BehaviorVersion::v2026_01_12());
    let peer_region = || Region::new(settings.place.peer_region.clone());
    let here = sdk::explicit(loader(), &control_plane_options()).load().await;
    let there = here.to_builder().region(peer_region()).build();
    // What is kept and told has the last 15 s of a run, and must fail soon enough for the rest.
    let quick = SdkOptions::default();
    let keeping = here
        .to_builder()
        .retry_config(sdk::retry(&quick))
        .timeout_config(sdk::timeouts(&quick))
        .build();
    // Megabytes to another region take longer than anything else here.
    let far = sdk::explicit(loader().region(peer_region()), &bucket_options())
        .load()
        .await;
    let export = AwsExport::new(
        aws_sdk_lambda::Client::new(&here),
        aws_sdk_cloudformation::Client::new(&here),
        far_buckets(&far),
        download_connector(),
        AwsExportSettings {
            stack: settings.place.stack.clone(),
            bucket: settings.peer_bucket.clone(),
            download_timeout: DOWNLOAD,
        },
    );
    let backup = AwsBackup::new(&here, &there, &keeping, settings.bucket.clone());
    (backup, export)
}

/// An emulator answers for all buckets at one address.
fn far_buckets(far: &SdkConfig) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::config::Builder::from(far);
    aws_sdk_s3::Client::from_conf(config.force_path_style(far.endpoint_url().is_some()).build())
}
