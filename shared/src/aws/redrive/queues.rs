//! Dead letters in hand, and letters on their way back.

use std::collections::BTreeSet;

use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, ChangeMessageVisibilityBatchResultEntry,
    DeleteMessageBatchRequestEntry, DeleteMessageBatchResultEntry, Message, MessageSystemAttributeName,
};

use super::AwsRedrive;
use crate::aws::error::{not_sendable, port_error};
use crate::aws::sqs::{REASON, send_bare};
use crate::domain::limits::MAX_BATCH_ENTRIES;
use crate::domain::redrive::LetterAsRead;
use crate::ports::PortError;
use crate::ports::redrive::{DeadLetterQueue, Receipt, Received, SourceQueue};

const RECEIVE: &str = "sqs:ReceiveMessage";
const DELETE: &str = "sqs:DeleteMessage";
const CHANGE: &str = "sqs:ChangeMessageVisibility";

/// How long a receive waits for a letter: with any wait at all SQS asks each of its servers, without one only some.
const WAIT_SECONDS: i32 = 1;

/// SQS: the longest visibility time-out, twelve hours.
const MAX_VISIBILITY_SECONDS: u32 = 43_200;

impl DeadLetterQueue for AwsRedrive {
    async fn receive_letters(
        &self,
        queue_url: &str,
        visible_after_seconds: u32,
    ) -> Result<Vec<Received>, PortError> {
        let visible_after = visible_after_seconds.min(MAX_VISIBILITY_SECONDS);
        let receive = self
            .clients
            .sqs
            .receive_message()
            .queue_url(queue_url)
            .max_number_of_messages(i32::try_from(MAX_BATCH_ENTRIES).unwrap_or(1))
            .visibility_timeout(i32::try_from(visible_after).unwrap_or(i32::MAX))
            .wait_time_seconds(WAIT_SECONDS)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names(REASON);
        let answer = receive
            .send()
            .await
            .map_err(|error| port_error(RECEIVE, &error))?;
        Ok(answer
            .messages
            .into_iter()
            .flatten()
            .filter_map(received)
            .collect())
    }

    async fn delete_letters(&self, queue_url: &str, receipts: &[Receipt]) -> Result<Vec<usize>, PortError> {
        let entry = |(index, Receipt(handle)): (usize, &Receipt)| {
            let entry = DeleteMessageBatchRequestEntry::builder().id(index.to_string());
            let entry = entry.receipt_handle(handle).build();
            entry.map_err(|_| not_sendable(DELETE))
        };
        let entries: Result<Vec<_>, _> = receipts.iter().enumerate().map(entry).collect();
        if receipts.is_empty() {
            return Ok(Vec::new());
        }
        let delete = self.clients.sqs.delete_message_batch().queue_url(queue_url);
        let answer = delete.set_entries(Some(entries?)).send().await;
        let answer = answer.map_err(|error| port_error(DELETE, &error))?;
        let done = answer.successful().iter().map(DeleteMessageBatchResultEntry::id);
        Ok(not_among(done, receipts.len()))
    }

    async fn release_letters(&self, queue_url: &str, receipts: &[Receipt]) -> Result<Vec<usize>, PortError> {
        let entry = |(index, Receipt(handle)): (usize, &Receipt)| {
            let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(index.to_string());
            let entry = entry.receipt_handle(handle).visibility_timeout(0).build();
            entry.map_err(|_| not_sendable(CHANGE))
        };
        let entries: Result<Vec<_>, _> = receipts.iter().enumerate().map(entry).collect();
        if receipts.is_empty() {
            return Ok(Vec::new());
        }
        let change = self
            .clients
            .sqs
            .change_message_visibility_batch()
            .queue_url(queue_url);
        let answer = change.set_entries(Some(entries?)).send().await;
        let answer = answer.map_err(|error| port_error(CHANGE, &error))?;
        let done = answer
            .successful()
            .iter()
            .map(ChangeMessageVisibilityBatchResultEntry::id);
        Ok(not_among(done, receipts.len()))
    }
}

impl SourceQueue for AwsRedrive {
    async fn send_back(&self, queue_url: &str, envelopes: &[String]) -> Result<Vec<usize>, PortError> {
        send_bare(&self.clients.sqs, queue_url, envelopes).await
    }
}

/// Counts as done what the answer names as done, whatever it says of the others.
fn not_among<'a>(done: impl Iterator<Item = &'a str>, count: usize) -> Vec<usize> {
    let done: BTreeSet<usize> = done.filter_map(|id| id.parse().ok()).collect();
    (0..count).filter(|index| !done.contains(index)).collect()
}

/// A message without a receipt could not be let go of; SQS gives none.
fn received(mut message: Message) -> Option<Received> {
    let mut stamps = message.attributes.take().unwrap_or_default();
    let mut stamp = |name: MessageSystemAttributeName| stamps.remove(&name);
    let reason = message
        .message_attributes
        .and_then(|mut attributes| attributes.remove(REASON));
    Some(Received {
        receipt: Receipt(message.receipt_handle?),
        letter: LetterAsRead {
            body: message.body.unwrap_or_default(),
            sender: stamp(MessageSystemAttributeName::SenderId),
            sent_at: stamp(MessageSystemAttributeName::SentTimestamp),
            first_received_at: stamp(MessageSystemAttributeName::ApproximateFirstReceiveTimestamp),
            receives: stamp(MessageSystemAttributeName::ApproximateReceiveCount),
            reason: reason.and_then(|reason| reason.string_value),
        },
    })
}
