//! The redrive's ports: queues, the state of consumers, submissions and registry, the quarantine, announcements.

mod consumers;
mod quarantine;
mod queues;
#[cfg(test)]
mod tests;

use aws_sdk_eventbridge::types::PutEventsRequestEntry;

use super::announce::put_events;
use super::dynamodb;
use crate::domain::counterparty::Counterparty;
use crate::domain::identifiers::{CounterpartyId, OrderKey, Principal};
use crate::domain::redrive::Announcement;
use crate::domain::submission::Submission;
use crate::ports::redrive::{Outcomes, RedriveAnnouncer};
use crate::ports::{PortError, Registry};

/// `source` of the redrive's events.
pub const REDRIVE_EVENT_SOURCE: &str = "symbolon.dlq-redrive";

/// What the adapter is told of its deployment. Queues come with each call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsRedriveSettings {
    /// The bucket of the quarantine.
    pub quarantine_bucket: String,
    /// The ARN of the KMS key that its objects are encrypted with.
    pub quarantine_key_arn: String,
    /// Principals and counterparties.
    pub registry_table: String,
    /// What was submitted.
    pub submissions_table: String,
}

/// The clients of the redrive.
#[derive(Debug, Clone)]
pub struct AwsRedriveClients {
    /// Queues.
    pub sqs: aws_sdk_sqs::Client,
    /// The quarantine.
    pub s3: aws_sdk_s3::Client,
    /// Tables.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// Event source mappings.
    pub lambda: aws_sdk_lambda::Client,
    /// Metrics.
    pub cloudwatch: aws_sdk_cloudwatch::Client,
    /// The event bus.
    pub events: aws_sdk_eventbridge::Client,
}

/// Every port of the redrive, on AWS. A clone shares its clients' connections.
#[derive(Debug, Clone)]
pub struct AwsRedrive {
    clients: AwsRedriveClients,
    settings: AwsRedriveSettings,
}

impl AwsRedrive {
    /// The ports on these clients.
    #[must_use]
    pub fn new(clients: AwsRedriveClients, settings: AwsRedriveSettings) -> Self {
        Self { clients, settings }
    }
}

impl Outcomes for AwsRedrive {
    async fn read_outcomes(
        &self,
        keys: &[OrderKey],
    ) -> Result<Vec<(OrderKey, Option<Submission>)>, PortError> {
        dynamodb::read_submissions(&self.clients.dynamodb, &self.settings.submissions_table, keys).await
    }
}

impl Registry for AwsRedrive {
    async fn find_principals(
        &self,
        principals: &[Principal],
    ) -> Result<Vec<(Principal, CounterpartyId)>, PortError> {
        dynamodb::find_principals(&self.clients.dynamodb, &self.settings.registry_table, principals).await
    }

    async fn read_counterparties(&self, ids: &[CounterpartyId]) -> Result<Vec<Counterparty>, PortError> {
        dynamodb::read_counterparties(&self.clients.dynamodb, &self.settings.registry_table, ids).await
    }
}

impl RedriveAnnouncer for AwsRedrive {
    async fn announce_redrive(&self, announcements: &[Announcement]) -> Result<(), PortError> {
        let entry = |announcement: &Announcement| {
            PutEventsRequestEntry::builder()
                .source(REDRIVE_EVENT_SOURCE)
                .detail_type(announcement.detail_type())
                .detail(announcement.detail())
                .build()
        };
        let entries = announcements.iter().map(entry).collect();
        put_events(&self.clients.events, entries).await
    }
}
