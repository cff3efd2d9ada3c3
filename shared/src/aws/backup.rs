//! The backup check's ports: what AWS says of tables, vaults, buckets, keys and functions of both regions, reports in S3,
//! and changes on EventBridge.

mod buckets;
mod functions;
mod keys;
mod metrics;
mod recovery;
mod reports;
mod tables;
#[cfg(test)]
mod tests;

use std::time::Duration;

use aws_config::SdkConfig;
use aws_smithy_types::DateTime;

use super::error::of;
use super::sdk::SdkOptions;
use crate::domain::backup::Moment;
use crate::domain::time::Timestamp;
use crate::ports::{Fault, PortError};

pub use reports::BACKUP_EVENT_SOURCE;

/// Pages of one answer that are read at most: fifty of a thousand recovery points, where a table has some 150.
const MOST_PAGES: usize = 50;

/// Time-outs of clients that only look. A page of a thousand recovery points from another region, two months of metrics or
/// a whole template take seconds to come, where the default's two are for an item of `DynamoDB`; and what is cut off is
/// unknown, which somebody is told.
#[must_use]
pub fn control_plane_options() -> SdkOptions {
    SdkOptions {
        connect_timeout: Duration::from_secs(2),
        read_timeout: Duration::from_secs(9),
        attempt_timeout: Duration::from_secs(10),
        // Two whole attempts and their pauses, and time for a third that is answered as usual.
        operation_timeout: Duration::from_secs(25),
        ..SdkOptions::default()
    }
}

/// Every port of the backup check, on AWS. A clone shares its clients' connections.
#[derive(Debug, Clone)]
pub struct AwsBackup {
    here: Clients,
    there: Clients,
    reports: aws_sdk_s3::Client,
    events: aws_sdk_eventbridge::Client,
    lambda: aws_sdk_lambda::Client,
    dynamodb: aws_sdk_dynamodb::Client,
    bucket: String,
}

/// Clients that are needed of either region.
#[derive(Debug, Clone)]
struct Clients {
    region: String,
    backup: aws_sdk_backup::Client,
    cloudwatch: aws_sdk_cloudwatch::Client,
    kms: aws_sdk_kms::Client,
    s3: aws_sdk_s3::Client,
}

impl Clients {
    fn new(sdk: &SdkConfig) -> Self {
        let region = sdk.region().map(ToString::to_string);
        Self {
            region: region.unwrap_or_default(),
            backup: aws_sdk_backup::Client::new(sdk),
            cloudwatch: aws_sdk_cloudwatch::Client::new(sdk),
            kms: aws_sdk_kms::Client::new(sdk),
            s3: aws_sdk_s3::Client::new(sdk),
        }
    }
}

impl AwsBackup {
    /// The ports on clients of `here`, and of the other region by `there`, both with [`control_plane_options`]. Reports are
    /// kept in `bucket` of this region and changes told by clients of `keeping`: for them a run has less time left.
    #[must_use]
    pub fn new(here: &SdkConfig, there: &SdkConfig, keeping: &SdkConfig, bucket: String) -> Self {
        Self {
            here: Clients::new(here),
            there: Clients::new(there),
            reports: aws_sdk_s3::Client::new(keeping),
            events: aws_sdk_eventbridge::Client::new(keeping),
            lambda: aws_sdk_lambda::Client::new(here),
            dynamodb: aws_sdk_dynamodb::Client::new(here),
            bucket,
        }
    }
}

/// A time of AWS; none that no [`Timestamp`] could hold.
fn moment(time: &DateTime) -> Option<Moment> {
    time.to_millis()
        .ok()
        .map(|millis| Moment(Timestamp::from_millis(millis)))
}

/// A time for AWS.
fn date_time(at: Timestamp) -> DateTime {
    DateTime::from_millis(at.as_millis())
}

/// More was to be read than can be believed: what is not read to its end says nothing.
fn endless(operation: &'static str) -> PortError {
    of(operation, Fault::Refused, "TooManyPages")
}

/// Whether this is a page that another one follows: AWS ends with no token, or with an empty one.
fn next(token: Option<String>) -> Option<String> {
    token.filter(|token| !token.is_empty())
}
