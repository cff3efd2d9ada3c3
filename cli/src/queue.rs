//! Queues as the tool uses them: send in tens, receive, delete. Two capabilities, so that what stands on them can be
//! tried without SQS.

use std::future::Future;

use aws_sdk_sqs::types::{
    BatchResultErrorEntry, DeleteMessageBatchRequestEntry, SendMessageBatchRequestEntry,
    SendMessageBatchResultEntry,
};
use symbolon_shared::aws::port_error;
use symbolon_shared::ports::{Fault, PortError};

const SEND: &str = "sqs:SendMessage";
const RECEIVE: &str = "sqs:ReceiveMessage";
const DELETE: &str = "sqs:DeleteMessage";
const GET_QUEUE_URL: &str = "sqs:GetQueueUrl";

/// An entry of a batch that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotTaken {
    /// Its index in the batch.
    pub(crate) index: usize,
    /// Why, as the port errors say it.
    pub(crate) error: PortError,
}

/// Takes messages.
pub(crate) trait Intake {
    /// Sends up to ten messages of a mebibyte together, and gives those that were not taken. May be repeated: what a
    /// counterparty sends twice counts once.
    fn send(&self, bodies: &[String]) -> impl Future<Output = Result<Vec<NotTaken>, PortError>>;
}

/// A message that was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) body: String,
    pub(crate) receipt: String,
}

/// Gives messages.
pub(crate) trait Mailbox {
    /// Receives up to ten messages, waiting so many seconds for the first. May be repeated.
    fn receive(&self, wait_seconds: u8) -> impl Future<Output = Result<Vec<Received>, PortError>>;

    /// Deletes up to ten messages and gives how many were not. May be repeated.
    fn delete(&self, receipts: &[String]) -> impl Future<Output = Result<usize, PortError>>;
}

/// A queue of SQS.
#[derive(Debug, Clone)]
pub(crate) struct Queue {
    sqs: aws_sdk_sqs::Client,
    url: String,
}

impl Queue {
    pub(crate) fn new(sqs: aws_sdk_sqs::Client, url: String) -> Self {
        Self { sqs, url }
    }

    /// The queue of this name in the client's account and region.
    pub(crate) async fn named(sqs: aws_sdk_sqs::Client, name: &str) -> Result<Self, PortError> {
        let found = sqs.get_queue_url().queue_name(name).send().await;
        let found = found.map_err(|error| port_error(GET_QUEUE_URL, &error))?;
        Ok(Self {
            url: found.queue_url.unwrap_or_default(),
            sqs,
        })
    }
}

fn refused(operation: &'static str, code: &str) -> PortError {
    PortError {
        operation,
        fault: Fault::Refused,
        code: code.to_owned(),
    }
}

/// An entry that the answer says was not taken. Its code comes from a fixed set of SQS's.
fn not_taken(failed: &BatchResultErrorEntry, index: usize) -> NotTaken {
    let is_name = failed.code.bytes().all(|b| b.is_ascii_alphabetic() || b == b'.');
    NotTaken {
        index,
        error: PortError {
            operation: SEND,
            fault: if failed.sender_fault {
                Fault::Refused
            } else {
                Fault::Unavailable
            },
            code: if is_name {
                failed.code.clone()
            } else {
                "Unrecognised".to_owned()
            },
        },
    }
}

impl Intake for Queue {
    async fn send(&self, bodies: &[String]) -> Result<Vec<NotTaken>, PortError> {
        let entries: Result<Vec<SendMessageBatchRequestEntry>, _> = bodies
            .iter()
            .enumerate()
            .map(|(index, body)| {
                let entry = SendMessageBatchRequestEntry::builder().id(index.to_string());
                entry.message_body(body).build()
            })
            .collect();
        let entries = entries.map_err(|_| refused(SEND, "InvalidRequest"))?;
        let call = self.sqs.send_message_batch().queue_url(&self.url);
        let answer = call.set_entries(Some(entries)).send().await;
        let answer = answer.map_err(|error| port_error(SEND, &error))?;
        // Taken is what the answer names as taken, whatever it says of the others.
        let taken: Vec<&str> = answer
            .successful()
            .iter()
            .map(SendMessageBatchResultEntry::id)
            .collect();
        let left = (0..bodies.len()).filter(|index| !taken.contains(&index.to_string().as_str()));
        Ok(left
            .map(|index| {
                let named = answer
                    .failed()
                    .iter()
                    .find(|failed| failed.id == index.to_string());
                named.map_or_else(
                    || NotTaken {
                        index,
                        error: PortError {
                            fault: Fault::Unavailable,
                            ..refused(SEND, "NotNamedInTheAnswer")
                        },
                    },
                    |failed| not_taken(failed, index),
                )
            })
            .collect())
    }
}

impl Mailbox for Queue {
    async fn receive(&self, wait_seconds: u8) -> Result<Vec<Received>, PortError> {
        let call = self
            .sqs
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(10);
        let answer = call.wait_time_seconds(i32::from(wait_seconds)).send().await;
        let messages = answer.map_err(|error| port_error(RECEIVE, &error))?.messages;
        let received = messages.unwrap_or_default().into_iter().map(|message| Received {
            body: message.body.unwrap_or_default(),
            receipt: message.receipt_handle.unwrap_or_default(),
        });
        Ok(received.collect())
    }

    async fn delete(&self, receipts: &[String]) -> Result<usize, PortError> {
        let entries: Result<Vec<DeleteMessageBatchRequestEntry>, _> = receipts
            .iter()
            .enumerate()
            .map(|(index, receipt)| {
                let entry = DeleteMessageBatchRequestEntry::builder().id(index.to_string());
                entry.receipt_handle(receipt).build()
            })
            .collect();
        let entries = entries.map_err(|_| refused(DELETE, "InvalidRequest"))?;
        let call = self.sqs.delete_message_batch().queue_url(&self.url);
        let answer = call.set_entries(Some(entries)).send().await;
        let answer = answer.map_err(|error| port_error(DELETE, &error))?;
        Ok(receipts.len().saturating_sub(answer.successful().len()))
    }
}
