//! What the redrive asks of the outside.

use std::fmt;
use std::future::Future;

use super::{PortError, Registry};
use crate::domain::identifiers::OrderKey;
use crate::domain::redrive::{Announcement, LetterAsRead, Recent};
use crate::domain::submission::Submission;
use crate::domain::time::Timestamp;

/// What a queue gives with a message, to name this receive of it: opaque, and of no use once the message is deleted or
/// its visibility time-out is over.
#[derive(Clone, PartialEq, Eq)]
pub struct Receipt(pub String);

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receipt")
    }
}

/// A dead letter in hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Names this receive.
    pub receipt: Receipt,
    /// The letter.
    pub letter: LetterAsRead,
}

/// Takes dead letters in hand and lets go of them. IAM: `sqs:ReceiveMessage`, `sqs:DeleteMessage`,
/// `sqs:ChangeMessageVisibility` on the dead-letter queue.
pub trait DeadLetterQueue {
    /// Up to ten letters, which nobody else sees for `visible_after_seconds`. None when the queue seems to be empty; a
    /// moment is waited for one. May be repeated: letters of an answer that was lost come again after that time.
    fn receive_letters(
        &self,
        queue_url: &str,
        visible_after_seconds: u32,
    ) -> impl Future<Output = Result<Vec<Received>, PortError>> + Send;

    /// Deletes up to ten letters and gives the indices of those that were not. May be repeated.
    fn delete_letters(
        &self,
        queue_url: &str,
        receipts: &[Receipt],
    ) -> impl Future<Output = Result<Vec<usize>, PortError>> + Send;

    /// Lets up to ten letters be seen again at once, and gives the indices of those that stay unseen until their time is
    /// over. May be repeated.
    fn release_letters(
        &self,
        queue_url: &str,
        receipts: &[Receipt],
    ) -> impl Future<Output = Result<Vec<usize>, PortError>> + Send;
}

/// Sends letters back to where they were first. IAM: `sqs:SendMessage` on the source queues.
pub trait SourceQueue {
    /// Sends up to ten envelopes, as JSON, and gives the indices of those that were not taken. May be repeated: the
    /// consumer of a source knows a copy.
    fn send_back(
        &self,
        queue_url: &str,
        envelopes: &[String],
    ) -> impl Future<Output = Result<Vec<usize>, PortError>> + Send;
}

/// Looks how a source's consumer does. IAM: `lambda:ListEventSourceMappings`, `cloudwatch:GetMetricData` on everything.
///
/// (Neither action knows resources.)
pub trait Consumers {
    /// Whether the function's event source mapping of this queue is enabled; `None` when it has none of it. May be
    /// repeated.
    fn is_enabled(
        &self,
        function: &str,
        queue_url: &str,
    ) -> impl Future<Output = Result<Option<bool>, PortError>> + Send;

    /// How often the function was invoked, and failed, in the minutes before `now`. May be repeated.
    fn recent(
        &self,
        function: &str,
        now: Timestamp,
    ) -> impl Future<Output = Result<Recent, PortError>> + Send;
}

/// Looks what came of messages that were sent back. IAM: `dynamodb:BatchGetItem` on `submissions`.
pub trait Outcomes {
    /// Reads these, strongly consistent; `None` for one that does not exist. Each key once. May be repeated.
    fn read_outcomes(
        &self,
        keys: &[OrderKey],
    ) -> impl Future<Output = Result<Vec<(OrderKey, Option<Submission>)>, PortError>> + Send;
}

/// What became of a put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutOnce {
    /// It was done.
    Done,
    /// Something is there already. After a lost response this may be what the put itself left.
    Exists,
}

/// Keeps poison. IAM: `s3:GetObject`, `s3:PutObject`, `s3:ListBucket` on `quarantine`.
///
/// (`ListBucket`, because without it S3 does not say that an object is missing, but refuses.)
pub trait Quarantine {
    /// Puts an object if there is none of its name. May be repeated: a repetition finds its own first attempt.
    fn put_quarantined(
        &self,
        name: &str,
        body: &[u8],
    ) -> impl Future<Output = Result<PutOnce, PortError>> + Send;

    /// The object of this name, strongly consistent; `None` when there is none. May be repeated.
    fn read_quarantined(&self, name: &str)
    -> impl Future<Output = Result<Option<Vec<u8>>, PortError>> + Send;
}

/// Goes through what is kept, and removes of it. IAM: `s3:ListBucket`, `s3:DeleteObject` on `quarantine`.
pub trait QuarantineShelf {
    /// Names that begin with `prefix`, in the order of names and after `after`: at most a page of them, and none when
    /// there are no more. May be repeated.
    fn list_quarantined(
        &self,
        prefix: &str,
        after: Option<&str>,
    ) -> impl Future<Output = Result<Vec<String>, PortError>> + Send;

    /// Removes an object. May be repeated.
    fn remove_quarantined(&self, name: &str) -> impl Future<Output = Result<(), PortError>> + Send;
}

/// Says what happened to whoever listens. IAM: `events:PutEvents` on the event bus.
pub trait RedriveAnnouncer {
    /// Announces all of it, in this order. May be repeated: a listener may hear the same twice.
    fn announce_redrive(
        &self,
        announcements: &[Announcement],
    ) -> impl Future<Output = Result<(), PortError>> + Send;
}

/// Everything that the redrive asks for.
pub trait RedrivePorts:
    DeadLetterQueue
    + SourceQueue
    + Consumers
    + Outcomes
    + Registry
    + Quarantine
    + QuarantineShelf
    + RedriveAnnouncer
    + Sync
{
}

impl<P> RedrivePorts for P where
    P: DeadLetterQueue
        + SourceQueue
        + Consumers
        + Outcomes
        + Registry
        + Quarantine
        + QuarantineShelf
        + RedriveAnnouncer
        + Sync
{
}
