//! Creates what a plan names on the emulators, one kind after the other.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, StreamSpecification,
    StreamViewType, TimeToLiveSpecification,
};
use aws_sdk_kms::types::{KeySpec, KeyUsageType};
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use aws_sdk_sqs::types::QueueAttributeName;
use aws_smithy_types::error::display::DisplayErrorContext;

use super::{LocalStack, StackError};
use crate::platform::template::{Attribute, KeyAttribute, QueuePlan, TablePlan};

impl LocalStack {
    pub(super) async fn create_keys(&mut self, kms: &aws_sdk_kms::Client) -> Result<(), StackError> {
        for key in self.plan.keys.clone() {
            let mut create = kms.create_key().multi_region(key.multi_region);
            if key.signs {
                create = create
                    .key_spec(KeySpec::EccNistP256)
                    .key_usage(KeyUsageType::SignVerify);
            }
            let created = create.send().await;
            let metadata = created.map_err(|error| refused(&key.id, error))?.key_metadata;
            let metadata = metadata.ok_or_else(|| incomplete(&key.id, "KeyMetadata"))?;
            let arn = metadata.arn.ok_or_else(|| incomplete(&key.id, "Arn"))?;
            self.set(&key.id, "Arn", arn);
            self.set(&key.id, "KeyId", &metadata.key_id);
            self.set(&key.id, Attribute::REF, metadata.key_id);
        }
        Ok(())
    }

    pub(super) async fn create_tables(
        &mut self,
        dynamodb: &aws_sdk_dynamodb::Client,
    ) -> Result<(), StackError> {
        for mut table in self.plan.tables.clone() {
            // Every replicated table has to have a stream, for replication reads it. Nothing replicates here, and
            // the emulator grows slower with each record that nobody takes.
            if !self.plan.names_the_stream_of(&table) {
                table.stream_view = None;
            }
            let stream_arn = create_table(dynamodb, &table).await?;
            if let Some(attribute) = &table.ttl_attribute {
                set_ttl(dynamodb, &table, attribute).await?;
            }
            self.set(
                &table.id,
                "Arn",
                self.arn("dynamodb", &format!("table/{}", table.name)),
            );
            if let Some(stream_arn) = stream_arn {
                self.set(&table.id, "StreamArn", stream_arn);
            }
            self.set(&table.id, Attribute::REF, table.name);
        }
        Ok(())
    }

    pub(super) async fn create_buckets(&mut self, s3: &aws_sdk_s3::Client) -> Result<(), StackError> {
        for bucket in self.plan.buckets.clone() {
            let create = s3.create_bucket().bucket(&bucket.name).send().await;
            create.map_err(|error| refused(&bucket.id, error))?;
            if bucket.versions {
                let versioning = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled);
                let put = s3.put_bucket_versioning().bucket(&bucket.name);
                let put = put.versioning_configuration(versioning.build()).send().await;
                put.map_err(|error| refused(&bucket.id, error))?;
            }
            self.set(&bucket.id, "Arn", format!("arn:aws:s3:::{}", bucket.name));
            self.set(&bucket.id, Attribute::REF, bucket.name);
        }
        Ok(())
    }

    /// First the queues, then who redrives to whom, so that their order does not matter.
    pub(super) async fn create_queues(&mut self, sqs: &aws_sdk_sqs::Client) -> Result<(), StackError> {
        for queue in self.plan.queues.clone() {
            let url = self.create_queue(sqs, &queue).await?;
            self.set(&queue.id, "Arn", self.arn("sqs", &queue.name));
            self.set(&queue.id, "QueueUrl", &url);
            self.set(&queue.id, Attribute::REF, url);
            self.set(&queue.id, "QueueName", queue.name);
        }
        for queue in &self.plan.queues {
            self.set_redrive(sqs, queue).await?;
        }
        Ok(())
    }

    async fn create_queue(&self, sqs: &aws_sdk_sqs::Client, queue: &QueuePlan) -> Result<String, StackError> {
        let mut attributes = HashMap::from([
            (
                QueueAttributeName::VisibilityTimeout,
                queue.visibility_timeout.as_secs().to_string(),
            ),
            (
                QueueAttributeName::MessageRetentionPeriod,
                queue.retention.as_secs().to_string(),
            ),
            (
                QueueAttributeName::ReceiveMessageWaitTimeSeconds,
                queue.receive_wait.as_secs().to_string(),
            ),
        ]);
        if let Some(key) = &queue.kms_key {
            attributes.insert(QueueAttributeName::KmsMasterKeyId, self.resolve(key)?);
        }
        let created = sqs
            .create_queue()
            .queue_name(&queue.name)
            .set_attributes(Some(attributes))
            .send()
            .await;
        let url = created.map_err(|error| refused(&queue.id, error))?.queue_url;
        url.ok_or_else(|| incomplete(&queue.id, "QueueUrl"))
    }

    async fn set_redrive(&self, sqs: &aws_sdk_sqs::Client, queue: &QueuePlan) -> Result<(), StackError> {
        let Some(redrive) = &queue.redrive else {
            return Ok(());
        };
        let policy = serde_json::json!({
            "deadLetterTargetArn": self.attribute(&redrive.dead_letter_queue, "Arn")?,
            "maxReceiveCount": redrive.max_receive_count,
        });
        sqs.set_queue_attributes()
            .queue_url(self.attribute(&queue.id, Attribute::REF)?)
            .attributes(QueueAttributeName::RedrivePolicy, policy.to_string())
            .send()
            .await
            .map_err(|error| refused(&queue.id, error))?;
        Ok(())
    }
}

fn refused(resource: &str, error: impl std::error::Error) -> StackError {
    StackError::Create {
        resource: resource.to_owned(),
        reason: DisplayErrorContext(error).to_string(),
    }
}

fn incomplete(resource: &str, field: &str) -> StackError {
    StackError::Create {
        resource: resource.to_owned(),
        reason: format!("the answer has no {field}"),
    }
}

/// Creates a table; the ARN of its stream, if it has one.
async fn create_table(
    dynamodb: &aws_sdk_dynamodb::Client,
    table: &TablePlan,
) -> Result<Option<String>, StackError> {
    let mut request = dynamodb
        .create_table()
        .table_name(&table.name)
        .billing_mode(BillingMode::PayPerRequest);
    let keys = [
        (Some(&table.hash_key), KeyType::Hash),
        (table.range_key.as_ref(), KeyType::Range),
    ];
    for (key, kind) in keys {
        let Some(key) = key else { continue };
        let (definition, element) = key_of(key, kind).map_err(|error| refused(&table.id, error))?;
        request = request.attribute_definitions(definition).key_schema(element);
    }
    if let Some(view) = &table.stream_view {
        let stream = StreamSpecification::builder()
            .stream_enabled(true)
            .stream_view_type(StreamViewType::from(view.as_str()))
            .build()
            .map_err(|error| refused(&table.id, error))?;
        request = request.stream_specification(stream);
    }
    let created = request.send().await.map_err(|error| refused(&table.id, error))?;
    Ok(created
        .table_description
        .and_then(|table| table.latest_stream_arn))
}

fn key_of(
    key: &KeyAttribute,
    kind: KeyType,
) -> Result<(AttributeDefinition, KeySchemaElement), aws_smithy_types::error::operation::BuildError> {
    let definition = AttributeDefinition::builder()
        .attribute_name(&key.name)
        .attribute_type(ScalarAttributeType::from(key.kind.as_str()))
        .build()?;
    Ok((
        definition,
        KeySchemaElement::builder()
            .attribute_name(&key.name)
            .key_type(kind)
            .build()?,
    ))
}

async fn set_ttl(
    dynamodb: &aws_sdk_dynamodb::Client,
    table: &TablePlan,
    attribute: &str,
) -> Result<(), StackError> {
    let ttl = TimeToLiveSpecification::builder()
        .enabled(true)
        .attribute_name(attribute)
        .build()
        .map_err(|error| refused(&table.id, error))?;
    let request = dynamodb
        .update_time_to_live()
        .table_name(&table.name)
        .time_to_live_specification(ttl);
    request.send().await.map_err(|error| refused(&table.id, error))?;
    Ok(())
}
