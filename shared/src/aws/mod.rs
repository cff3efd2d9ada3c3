//! The ports on AWS: DynamoDB, SQS and KMS.
//!
//! What it is **not**: a place that finds out where it runs. Clients and names come from a composition root,
//! which lets the SDK take region, endpoint and credentials from the SDK's own variables and gives its loader the
//! explicit settings of [`sdk`].
//!
//! No text of the SDK leaves here: its errors quote requests and responses. See [`crate::ports::PortError`].

mod announce;
mod attempts;
mod audit;
mod backup;
mod dynamodb;
mod error;
mod export;
mod kms;
mod onboarding;
mod redrive;
pub mod sdk;
mod sqs;
#[cfg(test)]
mod wire;

pub use audit::{AwsAudit, AwsAuditSettings, EVENT_SOURCE};
pub use backup::{AwsBackup, BACKUP_EVENT_SOURCE, control_plane_options};
pub use error::port_error;
pub use export::{AwsExport, AwsExportSettings, bucket_options, download_connector};
pub use redrive::{AwsRedrive, AwsRedriveClients, AwsRedriveSettings, REDRIVE_EVENT_SOURCE};

/// The names of the tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableNames {
    /// Principals and counterparties.
    pub registry: String,
    /// Match parameters.
    pub parameters: String,
    /// What was submitted.
    pub submissions: String,
    /// The books.
    pub interests: String,
    /// Matches.
    pub matches: String,
    /// Wrapped epoch keys.
    pub keys: String,
}

/// What the adapters are told of their deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsSettings {
    /// The tables.
    pub tables: TableNames,
    /// Where records are set aside.
    pub dead_letter_queue_url: String,
    /// The KMS key that wraps epoch keys.
    pub token_key_arn: String,
}

/// Every port of the matcher, on AWS. A clone shares its clients' connections.
#[derive(Debug, Clone)]
pub struct AwsPorts {
    dynamodb: aws_sdk_dynamodb::Client,
    sqs: aws_sdk_sqs::Client,
    kms: aws_sdk_kms::Client,
    settings: AwsSettings,
}

impl AwsPorts {
    /// The ports on these clients.
    #[must_use]
    pub fn new(
        dynamodb: aws_sdk_dynamodb::Client,
        sqs: aws_sdk_sqs::Client,
        kms: aws_sdk_kms::Client,
        settings: AwsSettings,
    ) -> Self {
        Self {
            dynamodb,
            sqs,
            kms,
            settings,
        }
    }
}
