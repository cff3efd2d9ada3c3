//! Exports a stack's functions once, with the adapters of AWS: what `backup-check` does each hour, by hand, and what
//! the test of the recovery starts from. Region, endpoint and credentials are the SDK's own.
//!
//! ```sh
//! STACK_NAME=symbolon PEER_REGION=us-west-2 PEER_BACKUP_BUCKET=… EXPORTED_FUNCTIONS=matcher,token-audit \
//!     cargo run -p symbolon-shared --features aws,lambda --example export
//! ```

use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region};
use symbolon_shared::aws::sdk::{self, SdkOptions};
use symbolon_shared::aws::{AwsExport, AwsExportSettings, bucket_options, download_connector};
use symbolon_shared::domain::export::{FunctionName, RenewAfter, Scope};
use symbolon_shared::export::{ExportPlan, export};
use symbolon_shared::lambda;

/// Days that the backup bucket keeps objects, as the template has it by default.
const RETENTION_DAYS: i64 = 400;
const MINUTE_MILLIS: i64 = 60_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let vars: HashMap<String, String> = std::env::vars().collect();
    let var = |name: &str| vars.get(name).cloned().ok_or(format!("{name} is not set"));
    let plan = ExportPlan {
        scope: Scope::new(var("STACK_NAME")?, var("AWS_REGION")?)?,
        functions: var("EXPORTED_FUNCTIONS")?
            .split(',')
            .map(FunctionName::new)
            .collect::<Result<_, _>>()?,
        renew_after: RenewAfter::half_of(RETENTION_DAYS),
    };
    let ports = ports(
        var("STACK_NAME")?,
        var("PEER_REGION")?,
        var("PEER_BACKUP_BUCKET")?,
    )
    .await;
    let deadline = lambda::now().plus_millis(10 * MINUTE_MILLIS);
    let outcome = export(&ports, &plan, &lambda::now, deadline).await?;
    println!("{outcome:#?}");
    if outcome.is_whole() {
        Ok(())
    } else {
        Err("not everything was exported".into())
    }
}

async fn ports(stack: String, peer_region: String, bucket: String) -> AwsExport {
    let own = sdk::explicit(
        aws_config::defaults(BehaviorVersion::v2026_01_12()),
        &SdkOptions::default(),
    );
    let own = own.load().await;
    let peer = sdk::explicit(
        aws_config::defaults(BehaviorVersion::v2026_01_12()).region(Region::new(peer_region)),
        &bucket_options(),
    );
    let peer = peer.load().await;
    // An emulator answers for all buckets at one address.
    let peer = aws_sdk_s3::config::Builder::from(&peer)
        .force_path_style(peer.endpoint_url().is_some())
        .build();
    AwsExport::new(
        aws_sdk_lambda::Client::new(&own),
        aws_sdk_cloudformation::Client::new(&own),
        aws_sdk_s3::Client::from_conf(peer),
        download_connector(),
        AwsExportSettings {
            stack,
            bucket,
            download_timeout: Duration::from_mins(1),
        },
    )
}
