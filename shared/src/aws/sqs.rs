//! Batches to queues.

use aws_sdk_sqs::types::{MessageAttributeValue, SendMessageBatchRequestEntry};

use super::AwsPorts;
use super::error::{not_sendable, port_error};
use crate::domain::inbox::OutboundMessage;
use crate::domain::limits::{MAX_BATCH_ENTRIES, MAX_MESSAGE_BYTES};
use crate::ports::{DeadLetter, DeadLetters, Inboxes, PortError};

const OPERATION: &str = "sqs:SendMessage";

/// The one message attribute of a dead letter, and its type.
pub(super) const REASON: &str = "reason";
const REASON_TYPE: &str = "String";

impl Inboxes for AwsPorts {
    async fn send_messages(
        &self,
        inbox_url: &str,
        messages: &[OutboundMessage],
    ) -> Result<Vec<usize>, PortError> {
        let outgoing: Vec<Outgoing<'_>> = messages
            .iter()
            .map(|message| Outgoing::bare(&message.body))
            .collect();
        send_all(&self.sqs, inbox_url, &outgoing).await
    }
}

impl DeadLetters for AwsPorts {
    async fn send_dead_letters(&self, letters: &[DeadLetter]) -> Result<Vec<usize>, PortError> {
        let outgoing: Vec<Outgoing<'_>> = letters
            .iter()
            .map(|letter| Outgoing {
                body: &letter.body,
                reason: Some(letter.reason),
            })
            .collect();
        send_all(&self.sqs, &self.settings.dead_letter_queue_url, &outgoing).await
    }
}

/// One message on its way.
struct Outgoing<'a> {
    body: &'a str,
    reason: Option<&'static str>,
}

impl<'a> Outgoing<'a> {
    fn bare(body: &'a str) -> Self {
        Self { body, reason: None }
    }

    /// What SQS counts: body, and name, type and value of each attribute.
    fn bytes(&self) -> usize {
        let attribute = |reason: &str| REASON.len() + REASON_TYPE.len() + reason.len();
        self.body.len() + self.reason.map_or(0, attribute)
    }

    fn entry(&self, index: usize) -> Result<SendMessageBatchRequestEntry, PortError> {
        let mut entry = SendMessageBatchRequestEntry::builder()
            .id(index.to_string())
            .message_body(self.body);
        if let Some(reason) = self.reason {
            let value = MessageAttributeValue::builder()
                .data_type(REASON_TYPE)
                .string_value(reason)
                .build();
            entry = entry.message_attributes(REASON, value.map_err(|_| not_sendable(OPERATION))?);
        }
        entry.build().map_err(|_| not_sendable(OPERATION))
    }
}

/// The indices of the messages of each call: ten at most, a mebibyte at most, in their order. What no call could
/// take is in none.
fn batches(outgoing: &[Outgoing<'_>]) -> Vec<Vec<usize>> {
    let mut batches: Vec<Vec<usize>> = Vec::new();
    let mut room = 0;
    for (index, message) in outgoing.iter().enumerate() {
        let bytes = message.bytes();
        if bytes > MAX_MESSAGE_BYTES || message.body.is_empty() {
            continue;
        }
        match batches.last_mut() {
            Some(batch) if batch.len() < MAX_BATCH_ENTRIES && bytes <= room => batch.push(index),
            _ => {
                batches.push(vec![index]);
                room = MAX_MESSAGE_BYTES;
            }
        }
        room -= bytes;
    }
    batches
}

/// Sends everything, in as many calls as it takes, and gives the indices of what was not taken. An error only when
/// nothing was taken and a call failed.
async fn send_all(
    sqs: &aws_sdk_sqs::Client,
    queue_url: &str,
    outgoing: &[Outgoing<'_>],
) -> Result<Vec<usize>, PortError> {
    let mut taken = vec![false; outgoing.len()];
    let mut failure = None;
    for batch in batches(outgoing) {
        match send_batch(sqs, queue_url, outgoing, &batch).await {
            Ok(indices) => indices
                .into_iter()
                .filter(|i| batch.contains(i))
                .for_each(|i| taken[i] = true),
            Err(error) => failure = Some(error),
        }
    }
    match failure {
        Some(error) if !taken.contains(&true) => Err(error),
        _ => Ok((0..taken.len()).filter(|index| !taken[*index]).collect()),
    }
}

/// Sends bodies without attributes, as [`send_all`] does.
pub(super) async fn send_bare(
    sqs: &aws_sdk_sqs::Client,
    queue_url: &str,
    bodies: &[String],
) -> Result<Vec<usize>, PortError> {
    let outgoing: Vec<Outgoing<'_>> = bodies.iter().map(|body| Outgoing::bare(body)).collect();
    send_all(sqs, queue_url, &outgoing).await
}

/// One call. Counts as taken what the answer names as taken, whatever it says of the others.
async fn send_batch(
    sqs: &aws_sdk_sqs::Client,
    queue_url: &str,
    outgoing: &[Outgoing<'_>],
    batch: &[usize],
) -> Result<Vec<usize>, PortError> {
    let entries: Result<Vec<_>, PortError> =
        batch.iter().map(|index| outgoing[*index].entry(*index)).collect();
    let call = sqs
        .send_message_batch()
        .queue_url(queue_url)
        .set_entries(Some(entries?));
    let answer = call.send().await.map_err(|error| port_error(OPERATION, &error))?;
    Ok(answer
        .successful()
        .iter()
        .filter_map(|entry| entry.id().parse().ok())
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::wire::{Answer, Wire};
    use crate::ports::Fault;

    fn sizes(bytes: &[usize]) -> Vec<Vec<usize>> {
        let bodies: Vec<String> = bytes.iter().map(|bytes| "x".repeat(*bytes)).collect();
        batches(&bodies.iter().map(|body| Outgoing::bare(body)).collect::<Vec<_>>())
    }

    #[test]
    fn a_batch_has_ten_messages_and_a_mebibyte() {
        let whole = MAX_MESSAGE_BYTES;
        assert_eq!(sizes(&[]), Vec::<Vec<usize>>::new());
        assert_eq!(sizes(&[1; 11]), [(0..10).collect::<Vec<_>>(), vec![10]]);
        assert_eq!(sizes(&[whole, 1]), [vec![0], vec![1]]);
        assert_eq!(sizes(&[whole - 1, 1, 1]), [vec![0, 1], vec![2]]);
        assert_eq!(sizes(&[1, whole + 1, 0, 1]), [vec![0, 3]]);
    }

    #[test]
    fn the_reason_counts_too() {
        let body = "x".repeat(MAX_MESSAGE_BYTES - 12 - 9);
        let letter = |reason| Outgoing {
            body: &body,
            reason: Some(reason),
        };
        assert_eq!(batches(&[letter("malformed")]).len(), 1);
        assert_eq!(batches(&[letter("malformed!")]).len(), 0);
    }

    fn letters(count: usize) -> Vec<DeadLetter> {
        let letter = |n: usize| DeadLetter {
            body: n.to_string(),
            reason: "malformed",
        };
        (0..count).map(letter).collect()
    }

    #[tokio::test]
    async fn only_what_the_answer_names_as_taken_is_taken() {
        let answer = r#"{"Successful":[{"Id":"0","MessageId":"m","MD5OfMessageBody":"x"},{"Id":"7","MessageId":"m","MD5OfMessageBody":"x"}],
            "Failed":[{"Id":"1","Code":"InternalError","SenderFault":false}]}"#;
        let ports = Wire::answering([Answer::json(200, answer)]).ports();
        assert_eq!(ports.send_dead_letters(&letters(3)).await, Ok(vec![1, 2]));
    }

    #[tokio::test]
    async fn a_call_that_fails_leaves_its_own_messages() {
        let taken = |ids: std::ops::Range<u32>| {
            let entry = |id| format!(r#"{{"Id":"{id}","MessageId":"m","MD5OfMessageBody":"x"}}"#);
            format!(
                r#"{{"Successful":[{}],"Failed":[]}}"#,
                ids.map(entry).collect::<Vec<_>>().join(",")
            )
        };
        let refused = || Answer::json(400, r#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist"}"#);
        let ports = Wire::answering([Answer::json(200, &taken(0..10)), refused()]).ports();
        assert_eq!(ports.send_dead_letters(&letters(12)).await, Ok(vec![10, 11]));
        let ports = Wire::answering([refused(), Answer::json(200, &taken(10..12))]).ports();
        assert_eq!(ports.send_dead_letters(&letters(12)).await, Ok((0..10).collect()));
        let ports = Wire::answering([refused(), refused()]).ports();
        assert_eq!(
            ports.send_dead_letters(&letters(12)).await.unwrap_err().fault,
            Fault::Refused
        );
    }
}
