//! How mappings from streams are read.

use super::error::TemplateError;
use super::plan::StreamPlan;
use super::properties::Properties;
use super::resources::{named, reports_failures};

const BY_THE_RUN: &str = "the runner decides how often it polls";
const ONE_SHARD: &str = "there is one shard here, and one poller";

pub(super) fn stream(mut event: Properties<'_, '_>) -> Result<StreamPlan, TemplateError> {
    let properties = event.map("Properties")?;
    let mut properties = event.required("Properties", properties)?;
    event.finish()?;
    // Here every stream is read from its beginning, and only so.
    if properties.known("StartingPosition")?.as_deref() != Some("TRIM_HORIZON") {
        return Err(properties.unexpected("StartingPosition", "TRIM_HORIZON"));
    }
    let table = properties.text("Stream")?;
    // Lambda's own defaults where the template says nothing.
    let plan = StreamPlan {
        table: named(&properties, "Stream", table, "StreamArn")?,
        batch_size: properties.number("BatchSize")?.unwrap_or(100),
        report_batch_item_failures: reports_failures(&mut properties)?,
        maximum_retries: properties.number("MaximumRetryAttempts")?.unwrap_or(u32::MAX),
    };
    properties.pass_over(&[
        ("MaximumBatchingWindowInSeconds", BY_THE_RUN),
        ("ParallelizationFactor", ONE_SHARD),
        (
            "BisectBatchOnFunctionError",
            "whoever fails as a whole ends the run",
        ),
        ("MaximumRecordAgeInSeconds", "no run lasts a day"),
        ("DestinationConfig", "what is never done ends the run"),
    ]);
    properties.finish()?;
    Ok(plan)
}
