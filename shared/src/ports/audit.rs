//! What the token audit asks of the outside.

use std::future::Future;

use super::PortError;
use crate::domain::audit::Announcement;
use crate::domain::token::EpochId;

/// One state of one object, as the store names it: opaque, good for a comparison by the store alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handle(pub String);

/// What must be at a name for a put to happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// Nothing.
    Absent,
    /// Exactly this state.
    Is(Handle),
}

/// What became of a conditional put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Put {
    /// It was done; the state that it left.
    Done(Handle),
    /// Something else was there. After a lost response this may be what the put itself left: read again.
    Lost,
}

/// Keeps the log's objects. IAM: `s3:GetObject`, `s3:PutObject`, `s3:ListBucket` on `audit`.
///
/// (`ListBucket`, because without it S3 does not say that an object is missing, but refuses.)
pub trait AuditObjects {
    /// The object of this name and its state, strongly consistent. May be repeated.
    fn read_object(
        &self,
        name: &str,
    ) -> impl Future<Output = Result<Option<(Vec<u8>, Handle)>, PortError>> + Send;

    /// Puts an object if what is `expected` is there: a compare-and-swap. May be repeated: a repetition loses to its
    /// own first attempt.
    fn put_object(
        &self,
        name: &str,
        body: &[u8],
        expected: &Expected,
    ) -> impl Future<Output = Result<Put, PortError>> + Send;
}

/// Signs statements. IAM: `kms:Sign`, `kms:Verify` on the audit signing key.
pub trait AuditSigner {
    /// ECDSA over P-256 with SHA-256 of `message`, as DER. May be repeated; each call may give another.
    fn sign(&self, message: &[u8]) -> impl Future<Output = Result<Vec<u8>, PortError>> + Send;

    /// Whether this key made `signature` over `message`. May be repeated.
    fn verify(
        &self,
        message: &[u8],
        signature: &[u8],
    ) -> impl Future<Output = Result<bool, PortError>> + Send;
}

/// Knows which epochs have a key, and none of the keys. IAM: `dynamodb:GetItem` on `keys`.
pub trait KnownEpochs {
    /// Whether the epoch has a key, strongly consistent. May be repeated.
    fn has_key(&self, epoch: EpochId) -> impl Future<Output = Result<bool, PortError>> + Send;
}

/// Says what happened to whoever listens. IAM: `events:PutEvents` on the event bus.
pub trait AuditAnnouncer {
    /// Announces all of it, in this order. May be repeated: a listener may hear the same twice.
    fn announce(&self, announcements: &[Announcement]) -> impl Future<Output = Result<(), PortError>> + Send;
}

/// What the stream's mapping has set aside: batches that were not logged in time. IAM: `s3:ListBucket`,
/// `s3:GetObject`, `s3:DeleteObject` on `stream-records`.
pub trait SetAsideBatches {
    /// Names of what is there, in the order of names and after `after`: at most a page of them, and none when there are
    /// no more. May be repeated.
    fn list_set_aside(
        &self,
        after: Option<&str>,
    ) -> impl Future<Output = Result<Vec<String>, PortError>> + Send;

    /// What has this name; nothing when it is gone. May be repeated.
    fn read_set_aside(&self, name: &str) -> impl Future<Output = Result<Option<Vec<u8>>, PortError>> + Send;

    /// Removes it. May be repeated.
    fn remove_set_aside(&self, name: &str) -> impl Future<Output = Result<(), PortError>> + Send;
}

/// Everything that the token audit asks for.
pub trait AuditPorts:
    AuditObjects + AuditSigner + KnownEpochs + AuditAnnouncer + SetAsideBatches + Sync
{
}

impl<P> AuditPorts for P where
    P: AuditObjects + AuditSigner + KnownEpochs + AuditAnnouncer + SetAsideBatches + Sync
{
}
