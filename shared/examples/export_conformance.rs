//! The conformance suite of the export's bucket on the adapter of AWS, against whatever `AWS_ENDPOINT_URL` names. (The
//! emulator of the other suites keeps no checksums.)
//!
//! ```sh
//! PEER_BACKUP_BUCKET=… SEED=1 cargo run -p symbolon-shared --features aws,testing --example export_conformance
//! ```

use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;

use aws_config::BehaviorVersion;
use symbolon_shared::aws::sdk;
use symbolon_shared::aws::{AwsExport, AwsExportSettings, bucket_options, download_connector};
use symbolon_shared::testing::conformance::{EXPORT_CASES, run_export};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let vars: HashMap<String, String> = std::env::vars().collect();
    let var = |name: &str| vars.get(name).cloned().ok_or(format!("{name} is not set"));
    let loader = aws_config::defaults(BehaviorVersion::v2026_01_12());
    let config = sdk::explicit(loader, &bucket_options()).load().await;
    let s3 = aws_sdk_s3::config::Builder::from(&config)
        .force_path_style(config.endpoint_url().is_some())
        .build();
    let ports = AwsExport::new(
        aws_sdk_lambda::Client::new(&config),
        aws_sdk_cloudformation::Client::new(&config),
        aws_sdk_s3::Client::from_conf(s3),
        download_connector(),
        AwsExportSettings {
            stack: "conformance".to_owned(),
            bucket: var("PEER_BACKUP_BUCKET")?,
            download_timeout: Duration::from_mins(1),
        },
    );
    let failed = run_export(&ports, &var("SEED")?).await;
    for failure in &failed {
        println!("{failure}");
    }
    if failed.is_empty() {
        println!("{} cases passed", EXPORT_CASES.len());
        Ok(())
    } else {
        Err(format!("{} of {} cases", failed.len(), EXPORT_CASES.len()).into())
    }
}
