//! The ports of onboarding on AWS.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sqs::operation::create_queue::CreateQueueError;
use aws_sdk_sqs::types::QueueAttributeName;

use super::AwsPorts;
use super::dynamodb::{
    COUNTERPARTY, Item, PRINCIPAL, counterparty_key, from_item, key_of, principal_in, principal_key,
    to_attribute, to_item,
};
use super::error::{held, of, port_error};
use crate::domain::counterparty::Counterparty;
use crate::domain::identifiers::{CounterpartyId, Principal};
use crate::domain::parameters::MatchParameters;
use crate::onboarding::{
    Directory, InboxAdmin, InboxQueue, ParameterAdmin, RegistryAdmin, RegistryDirectory,
};
use crate::ports::{Fault, PortError};
use crate::records::{PrincipalRecord, ReservationRecord};

const GET: &str = "dynamodb:GetItem";
const SCAN: &str = "dynamodb:Scan";
const PUT: &str = "dynamodb:PutItem";
const UPDATE: &str = "dynamodb:UpdateItem";
const CREATE_QUEUE: &str = "sqs:CreateQueue";
const GET_QUEUE_URL: &str = "sqs:GetQueueUrl";
const SET_QUEUE_ATTRIBUTES: &str = "sqs:SetQueueAttributes";

/// What the key of a reservation begins with.
const ONBOARDING: &str = "ONBOARDING#";

/// Fourteen days, the longest that SQS has: a counterparty that was away over a holiday finds its matches.
const RETENTION_SECONDS: &str = "1209600";
/// Long polls: an empty receive costs the counterparty as much as a full one.
const RECEIVE_WAIT_SECONDS: &str = "20";
/// How long SQS works with one data key of the customer key: an hour instead of five minutes, so that some hundred
/// inboxes do not cost a KMS request each every five minutes.
const DATA_KEY_REUSE_SECONDS: &str = "3600";

impl RegistryAdmin for AwsPorts {
    async fn reserve(&self, offered: &ReservationRecord) -> Result<ReservationRecord, PortError> {
        let key = key_of("pk", format!("{ONBOARDING}{}", offered.principal.as_str()));
        if self
            .put_new_in_registry(key.clone(), to_item(PUT, offered)?)
            .await?
        {
            return Ok(offered.clone());
        }
        let kept = self.read_from_registry(key).await?;
        from_item(GET, kept.ok_or_else(gone)?)
    }

    async fn insert_counterparty(&self, counterparty: &Counterparty) -> Result<bool, PortError> {
        let record = to_item(PUT, counterparty)?;
        self.put_new_in_registry(counterparty_key(&counterparty.id), record)
            .await
    }

    async fn replace_counterparty(&self, read: &Counterparty, new: &Counterparty) -> Result<bool, PortError> {
        let mut values = HashMap::new();
        for (prefix, counterparty) in [(":read", read), (":new", new)] {
            values.insert(
                format!("{prefix}Inboxes"),
                to_attribute(UPDATE, &counterparty.inboxes)?,
            );
            values.insert(
                format!("{prefix}Exclusions"),
                to_attribute(UPDATE, &counterparty.exclusions)?,
            );
            values.insert(
                format!("{prefix}Standing"),
                to_attribute(UPDATE, &counterparty.standing)?,
            );
        }
        let update = self
            .dynamodb
            .update_item()
            .table_name(&self.settings.tables.registry)
            .set_key(Some(counterparty_key(&read.id)))
            .update_expression("SET #i = :newInboxes, #e = :newExclusions, #s = :newStanding")
            .condition_expression("#i = :readInboxes AND #e = :readExclusions AND #s = :readStanding")
            .expression_attribute_names("#i", "inboxes")
            .expression_attribute_names("#e", "exclusions")
            .expression_attribute_names("#s", "standing")
            .set_expression_attribute_values(Some(values));
        held(UPDATE, update.send().await)
    }

    async fn admit_principal(&self, principal: &Principal, id: &CounterpartyId) -> Result<bool, PortError> {
        let key = principal_key(principal);
        let record = to_item(PUT, &PrincipalRecord::new(id.clone()))?;
        if self.put_new_in_registry(key.clone(), record).await? {
            return Ok(true);
        }
        let known: PrincipalRecord = from_item(GET, self.read_from_registry(key).await?.ok_or_else(gone)?)?;
        Ok(known.counterparty == *id)
    }
}

impl RegistryDirectory for AwsPorts {
    async fn read_directory(&self) -> Result<Directory, PortError> {
        let mut directory = Directory::default();
        let scan = self
            .dynamodb
            .scan()
            .table_name(&self.settings.tables.registry)
            .consistent_read(true);
        let mut items = scan.into_paginator().items().send();
        while let Some(item) = items.next().await {
            let item = item.map_err(|error| port_error(SCAN, &error))?;
            match item.get("pk").and_then(|pk| pk.as_s().ok()) {
                Some(pk) if pk.starts_with(ONBOARDING) => {
                    directory.reservations.push(from_item(SCAN, item)?);
                }
                Some(pk) if pk.starts_with(COUNTERPARTY) => {
                    directory.counterparties.push(from_item(SCAN, item)?);
                }
                Some(pk) if pk.starts_with(PRINCIPAL) => directory.admitted.push(principal_in(SCAN, item)?),
                // A kind of item that a later version writes.
                _ => {}
            }
        }
        Ok(directory)
    }
}

/// An item that was there a moment ago.
fn gone() -> PortError {
    of(GET, Fault::Unavailable, "ItemGone")
}

impl AwsPorts {
    /// Puts a record under `key` unless there is one.
    async fn put_new_in_registry(&self, key: Item, mut record: Item) -> Result<bool, PortError> {
        record.extend(key);
        let put = self
            .dynamodb
            .put_item()
            .table_name(&self.settings.tables.registry)
            .set_item(Some(record))
            .condition_expression("attribute_not_exists(#pk)")
            .expression_attribute_names("#pk", "pk");
        held(PUT, put.send().await)
    }

    async fn read_from_registry(&self, key: Item) -> Result<Option<Item>, PortError> {
        let table = &self.settings.tables.registry;
        let get = self
            .dynamodb
            .get_item()
            .table_name(table)
            .set_key(Some(key))
            .consistent_read(true);
        Ok(get.send().await.map_err(|error| port_error(GET, &error))?.item)
    }
}

impl ParameterAdmin for AwsPorts {
    async fn replace_parameters(&self, read: Option<u64>, new: &MatchParameters) -> Result<bool, PortError> {
        let put = self
            .dynamodb
            .put_item()
            .table_name(&self.settings.tables.parameters)
            .set_item(Some(to_item(PUT, new)?));
        let put = match read {
            None => put
                .condition_expression("attribute_not_exists(#symbol)")
                .expression_attribute_names("#symbol", "symbol"),
            Some(version) => put
                .condition_expression("#version = :read")
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":read", AttributeValue::N(version.to_string())),
        };
        held(PUT, put.send().await)
    }
}

impl InboxAdmin for AwsPorts {
    async fn create_inbox(&self, queue: &InboxQueue) -> Result<String, PortError> {
        let attributes = attributes(queue);
        let create = self
            .sqs
            .create_queue()
            .queue_name(&queue.name)
            .set_attributes(Some(attributes.clone()));
        let url = match create.send().await {
            Ok(created) => created.queue_url,
            // It is there, but not as it shall be.
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(CreateQueueError::is_queue_name_exists) =>
            {
                return self.mend_inbox(&queue.name, attributes).await;
            }
            Err(error) => return Err(port_error(CREATE_QUEUE, &error)),
        };
        url.ok_or_else(|| of(CREATE_QUEUE, Fault::Corrupt, "NoQueueUrl"))
    }
}

impl AwsPorts {
    async fn mend_inbox(
        &self,
        name: &str,
        attributes: HashMap<QueueAttributeName, String>,
    ) -> Result<String, PortError> {
        let found = self.sqs.get_queue_url().queue_name(name).send().await;
        let url = found
            .map_err(|error| port_error(GET_QUEUE_URL, &error))?
            .queue_url;
        let url = url.ok_or_else(|| of(GET_QUEUE_URL, Fault::Corrupt, "NoQueueUrl"))?;
        let set = self
            .sqs
            .set_queue_attributes()
            .queue_url(&url)
            .set_attributes(Some(attributes));
        set.send()
            .await
            .map_err(|error| port_error(SET_QUEUE_ATTRIBUTES, &error))?;
        Ok(url)
    }
}

fn attributes(queue: &InboxQueue) -> HashMap<QueueAttributeName, String> {
    let mut attributes = HashMap::from([
        (QueueAttributeName::Policy, queue.policy.clone()),
        (
            QueueAttributeName::MessageRetentionPeriod,
            RETENTION_SECONDS.to_owned(),
        ),
        (
            QueueAttributeName::ReceiveMessageWaitTimeSeconds,
            RECEIVE_WAIT_SECONDS.to_owned(),
        ),
    ]);
    match &queue.kms_key_arn {
        Some(key) => {
            attributes.insert(QueueAttributeName::KmsMasterKeyId, key.clone());
            let reuse = DATA_KEY_REUSE_SECONDS.to_owned();
            attributes.insert(QueueAttributeName::KmsDataKeyReusePeriodSeconds, reuse);
        }
        None => {
            attributes.insert(QueueAttributeName::SqsManagedSseEnabled, "true".to_owned());
        }
    }
    attributes
}
