//! Polls a queue as an SQS event source mapping does, for a handler in this process.
//!
//! One batch at a time: received in tens until it is full, its window is over or its payload is as long as Lambda
//! takes, handed over as the raw event, and deleted but for what the answer names. What is not deleted comes back
//! when its visibility is over, and SQS moves it to the dead-letter queue after `maxReceiveCount`.
//! Not a scaler: Lambda runs several pollers and functions side by side.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sqs::error::SdkError;
use aws_sdk_sqs::operation::change_message_visibility_batch::ChangeMessageVisibilityBatchError;
use aws_sdk_sqs::operation::delete_message_batch::DeleteMessageBatchError;
use aws_sdk_sqs::operation::receive_message::ReceiveMessageError;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message, MessageAttributeValue,
    MessageSystemAttributeName,
};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::answer::{BatchFailure, failed_ids};
use super::stamps::Stamps;

/// SQS: messages of one receive, entries of one batch call.
const BATCH_ENTRIES: usize = 10;
/// Lambda: bytes of an invocation's payload, with room for the event's own braces.
const PAYLOAD_BYTES: usize = 6 * 1024 * 1024 - 1024;
/// Between two receives while a batch still fills; SQS itself would wait inside a long poll.
const PAUSE: Duration = Duration::from_millis(10);
/// How often what could not be deleted is tried again at once.
const DELETE_ATTEMPTS: usize = 3;

/// How a queue is mapped to a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// The queue.
    pub queue_url: String,
    /// Its ARN, as the event names it.
    pub queue_arn: String,
    /// The region, as the event names it.
    pub region: String,
    /// Messages per invocation at most.
    pub batch_size: usize,
    /// How long a batch is filled, counted from its first message.
    pub window: Duration,
    /// Whether the answer is read for what failed.
    pub report_batch_item_failures: bool,
    /// How long an invocation may take.
    pub function_timeout: Duration,
}

/// Why a queue cannot be polled.
#[derive(Debug, thiserror::Error)]
pub enum PollError {
    /// Nothing can be received.
    #[error("cannot receive from the queue")]
    Receive(#[from] SdkError<ReceiveMessageError>),
    /// What is done cannot be deleted.
    #[error("cannot delete from the queue")]
    Delete(#[from] SdkError<DeleteMessageBatchError>),
    /// What failed cannot be made visible.
    #[error("cannot release messages to the queue")]
    Release(#[from] SdkError<ChangeMessageVisibilityBatchError>),
    /// The SDK refuses an entry of a batch call.
    #[error("cannot build a batch call")]
    Build(#[from] aws_smithy_types::error::operation::BuildError),
}

/// What became of what one poll received.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Messages received.
    pub received: usize,
    /// Messages done and deleted.
    pub deleted: usize,
    /// Messages that come back, because the function said so or failed.
    pub returned: usize,
    /// Messages done that come back all the same, because their deletion failed.
    pub undeleted: usize,
    /// Why whole invocations count as failed.
    pub failures: Vec<BatchFailure>,
}

impl Delivery {
    fn add(&mut self, other: Self) {
        self.received += other.received;
        self.deleted += other.deleted;
        self.returned += other.returned;
        self.undeleted += other.undeleted;
        self.failures.extend(other.failures);
    }
}

/// Polls one queue.
#[derive(Debug)]
pub struct Poller {
    sqs: aws_sdk_sqs::Client,
    mapping: Mapping,
    stamps: Arc<Stamps>,
    release_after: Option<Duration>,
}

impl Poller {
    /// A poller of the mapping's queue. `sqs` is Lambda's own client, not the function's.
    #[must_use]
    pub fn new(sqs: aws_sdk_sqs::Client, mapping: Mapping, stamps: Arc<Stamps>) -> Self {
        Self {
            sqs,
            mapping,
            stamps,
            release_after: None,
        }
    }

    /// Makes what failed visible again after `delay` (in whole seconds) instead of the queue's own visibility
    /// time-out. Lambda does not; a run that is not to wait for minutes may.
    #[must_use]
    pub fn releasing_after(self, delay: Duration) -> Self {
        Self {
            release_after: Some(delay),
            ..self
        }
    }

    /// Receives one batch, waiting up to `patience` for its first message, and has it handled.
    ///
    /// A batch that is too long for one invocation is handed over in several, one after the other.
    ///
    /// # Errors
    ///
    /// SQS refuses. A failure of the handler is no error: it is in the [`Delivery`].
    pub async fn poll<H, F>(&self, patience: Duration, handler: H) -> Result<Delivery, PollError>
    where
        H: Fn(Value) -> F,
        F: Future<Output = Result<Value, String>>,
    {
        self.poll_at_most(self.mapping.batch_size, patience, handler)
            .await
    }

    /// The same with another batch size than the mapping's: full after `batch_size` messages, the window is not
    /// waited out.
    ///
    /// # Errors
    ///
    /// SQS refuses.
    pub async fn poll_at_most<H, F>(
        &self,
        batch_size: usize,
        patience: Duration,
        handler: H,
    ) -> Result<Delivery, PollError>
    where
        H: Fn(Value) -> F,
        F: Future<Output = Result<Value, String>>,
    {
        let mut delivery = Delivery::default();
        for batch in by_payload(self.receive_batch(batch_size, patience).await?, &self.mapping) {
            delivery.add(self.invoke(batch, &handler).await?);
        }
        Ok(delivery)
    }

    async fn receive_batch(&self, batch_size: usize, patience: Duration) -> Result<Vec<Message>, PollError> {
        let mut batch = Vec::new();
        let mut end = Instant::now() + patience;
        loop {
            let received = self.receive(batch_size - batch.len()).await?;
            let nothing = received.is_empty();
            if batch.is_empty() && !nothing {
                end = Instant::now() + self.mapping.window;
            }
            batch.extend(received);
            if batch.len() >= batch_size || Instant::now() >= end {
                return Ok(batch);
            }
            if nothing {
                tokio::time::sleep_until(end.min(Instant::now() + PAUSE)).await;
            }
        }
    }

    async fn receive(&self, room: usize) -> Result<Vec<Message>, PollError> {
        let request = self
            .sqs
            .receive_message()
            .queue_url(&self.mapping.queue_url)
            .max_number_of_messages(i32::try_from(room.min(BATCH_ENTRIES)).unwrap_or(1))
            .wait_time_seconds(0)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All");
        Ok(request.send().await?.messages.unwrap_or_default())
    }

    async fn invoke<H, F>(&self, batch: Batch, handler: &H) -> Result<Delivery, PollError>
    where
        H: Fn(Value) -> F,
        F: Future<Output = Result<Value, String>>,
    {
        let Batch {
            records, messages, ..
        } = batch;
        let delivered: BTreeSet<String> = messages.iter().map(|message| id_of(message).to_owned()).collect();
        let answer = tokio::time::timeout(
            self.mapping.function_timeout,
            handler(json!({ "Records": records })),
        )
        .await;
        let mut delivery = Delivery {
            received: messages.len(),
            ..Delivery::default()
        };
        let failed = self.failed(answer, &delivered).unwrap_or_else(|failure| {
            delivery.failures.push(failure);
            delivered
        });
        let (returned, done): (Vec<_>, Vec<_>) = messages
            .into_iter()
            .partition(|message| failed.contains(id_of(message)));
        delivery.returned = returned.len();
        delivery.undeleted = self.delete(&done).await?;
        delivery.deleted = done.len() - delivery.undeleted;
        self.release(&returned).await?;
        Ok(delivery)
    }

    fn failed(
        &self,
        answer: Result<Result<Value, String>, tokio::time::error::Elapsed>,
        delivered: &BTreeSet<String>,
    ) -> Result<BTreeSet<String>, BatchFailure> {
        match answer {
            Err(_) => Err(BatchFailure::TimedOut {
                seconds: self.mapping.function_timeout.as_secs(),
            }),
            Ok(Err(reason)) => Err(BatchFailure::Failed { reason }),
            Ok(Ok(answer)) if self.mapping.report_batch_item_failures => failed_ids(&answer, delivered),
            Ok(Ok(_)) => Ok(BTreeSet::new()),
        }
    }

    /// Deletes the messages; how many could not be deleted.
    async fn delete(&self, done: &[Message]) -> Result<usize, PollError> {
        let mut undeleted = 0;
        for chunk in done.chunks(BATCH_ENTRIES) {
            let mut left: Vec<&Message> = chunk.iter().collect();
            for _ in 0..DELETE_ATTEMPTS {
                if !left.is_empty() {
                    left = self.delete_ten(&left).await?;
                }
            }
            undeleted += left.len();
        }
        Ok(undeleted)
    }

    /// Deletes up to ten messages; those whose entry was not answered as successful.
    async fn delete_ten<'m>(&self, messages: &[&'m Message]) -> Result<Vec<&'m Message>, PollError> {
        let mut call = self.sqs.delete_message_batch().queue_url(&self.mapping.queue_url);
        for (index, message) in messages.iter().enumerate() {
            let entry = DeleteMessageBatchRequestEntry::builder().id(index.to_string());
            call = call.entries(
                entry
                    .receipt_handle(message.receipt_handle().unwrap_or_default())
                    .build()?,
            );
        }
        let successful: BTreeSet<String> = call
            .send()
            .await?
            .successful
            .into_iter()
            .map(|entry| entry.id)
            .collect();
        let (deleted, left): (Vec<_>, Vec<_>) = messages
            .iter()
            .enumerate()
            .partition(|(index, _)| successful.contains(&index.to_string()));
        for (_, message) in deleted {
            self.stamps.forget(id_of(message));
        }
        Ok(left.into_iter().map(|(_, message)| *message).collect())
    }

    /// Last of all: without it the messages still come back, only later.
    async fn release(&self, returned: &[Message]) -> Result<(), PollError> {
        let Some(delay) = self.release_after else {
            return Ok(());
        };
        let seconds = i32::try_from(delay.as_secs()).unwrap_or(i32::MAX);
        for chunk in returned.chunks(BATCH_ENTRIES) {
            let mut call = self
                .sqs
                .change_message_visibility_batch()
                .queue_url(&self.mapping.queue_url);
            for (index, message) in chunk.iter().enumerate() {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(index.to_string());
                let entry = entry.receipt_handle(message.receipt_handle().unwrap_or_default());
                call = call.entries(entry.visibility_timeout(seconds).build()?);
            }
            call.send().await?;
        }
        Ok(())
    }
}

fn id_of(message: &Message) -> &str {
    message.message_id().unwrap_or_default()
}

/// The messages of one invocation, with their records.
#[derive(Default)]
struct Batch {
    messages: Vec<Message>,
    records: Vec<Value>,
    bytes: usize,
}

fn by_payload(messages: Vec<Message>, mapping: &Mapping) -> Vec<Batch> {
    let mut batches: Vec<Batch> = Vec::new();
    for message in messages {
        let record = record(&message, mapping);
        let bytes = record.to_string().len() + 1;
        if batches
            .last()
            .is_none_or(|batch| batch.bytes + bytes > PAYLOAD_BYTES)
        {
            batches.push(Batch::default());
        }
        if let Some(batch) = batches.last_mut() {
            batch.messages.push(message);
            batch.records.push(record);
            batch.bytes += bytes;
        }
    }
    batches
}

/// A record of the event, as Lambda writes it.
fn record(message: &Message, mapping: &Mapping) -> Value {
    let attributes: Map<String, Value> = message
        .attributes()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.as_str().to_owned(), Value::from(value.as_str())))
        .collect();
    let message_attributes: Map<String, Value> = message
        .message_attributes()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), message_attribute(value)))
        .collect();
    json!({
        "messageId": message.message_id(),
        "receiptHandle": message.receipt_handle(),
        "body": message.body(),
        "attributes": attributes,
        "messageAttributes": message_attributes,
        "md5OfBody": message.md5_of_body(),
        "eventSource": "aws:sqs",
        "eventSourceARN": mapping.queue_arn,
        "awsRegion": mapping.region,
    })
}

/// Binary values are left out: nothing here sends any, and the emulator keeps none.
fn message_attribute(value: &MessageAttributeValue) -> Value {
    json!({
        "stringValue": value.string_value(),
        "stringListValues": [],
        "binaryListValues": [],
        "dataType": value.data_type(),
    })
}

#[cfg(test)]
mod tests;
