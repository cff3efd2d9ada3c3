//! The ports: what the functions ask of the outside, cut by capability so that each lines up with IAM actions.
//!
//! Every method says which calls an adapter may repeat by itself. A caller sees [`PortError`], which bears an
//! operation and a code, never a request, a response or an identity.

pub mod audit;
pub mod backup;
pub mod export;
pub mod redrive;

use std::fmt;
use std::future::Future;

use crate::domain::book::{BookKey, Entry, EntryKey, RankBound, Version};
use crate::domain::change_set::{ChangeSet, SubmissionWrite};
use crate::domain::counterparty::Counterparty;
use crate::domain::identifiers::{CounterpartyId, OrderKey, Principal, Symbol};
use crate::domain::inbox::OutboundMessage;
use crate::domain::match_record::MatchRecord;
use crate::domain::parameters::MatchParameters;
use crate::domain::submission::Submission;
use crate::domain::time::Timestamp;
use crate::domain::token::{DataKey, EpochId, MatchId};

/// What kind of failure stood in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Asked too often; it was surely not done.
    Throttled,
    /// The service or the network failed; whether it was done is not known.
    Unavailable,
    /// No answer in time; whether it was done is not known.
    TimedOut,
    /// The service said no (denied, not found, not valid); it was surely not done.
    Refused,
    /// What came back cannot be read.
    Corrupt,
}

impl Fault {
    /// Whether the call was surely not carried out.
    #[must_use]
    pub fn surely_not_done(self) -> bool {
        matches!(self, Self::Throttled | Self::Refused)
    }
}

/// A call that failed. Its text holds the operation and the service's error code: both come from fixed sets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{operation}: {code}")]
pub struct PortError {
    /// The operation, such as `dynamodb:Query`.
    pub operation: &'static str,
    /// What kind of failure it was.
    pub fault: Fault,
    /// The service's error code, or ours where it gave none.
    pub code: String,
}

/// An item whose condition was lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LostItem {
    /// A submission that exists already, or a mark that is gone.
    Submission(OrderKey),
    /// A book entry that changed.
    Entry(EntryKey),
    /// A match id that exists already.
    Match(MatchId),
}

/// Why a transaction was not (or not surely) written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// Conditions were lost: nothing was written; read these again and decide again.
    #[error("{} conditions lost", .0.len())]
    Lost(Vec<LostItem>),
    /// Another transaction held one of the items: nothing was written; the same may be tried again.
    #[error("transaction conflict")]
    Conflict,
    /// Surely not written.
    #[error(transparent)]
    Failed(PortError),
    /// It may have been written: read again before anything is concluded.
    #[error(transparent)]
    Unknown(PortError),
}

/// A data key as KMS wrapped it.
#[derive(Clone, PartialEq, Eq)]
pub struct WrappedKey(pub Vec<u8>);

impl fmt::Debug for WrappedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WrappedKey")
    }
}

/// One page of a book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Its entries, best first.
    pub entries: Vec<Entry>,
    /// Every entry between the page's start and here is in it.
    pub known_to: RankBound,
}

/// Reads and marks submissions. IAM: `dynamodb:BatchGetItem`, `dynamodb:UpdateItem` on `submissions`.
pub trait Submissions {
    /// Reads these, strongly consistent, a hundred a request; `None` for one that does not exist. Each key once.
    /// May be repeated; keys that the service did not process are asked for again.
    fn read_submissions(
        &self,
        keys: &[OrderKey],
    ) -> impl Future<Output = Result<Vec<(OrderKey, Option<Submission>)>, PortError>> + Send;

    /// Sets `toldAt`, on condition that the submission's matches are exactly `matches`. `false` when they are not:
    /// another delivery found more, and has to tell them. May be repeated.
    fn mark_told(
        &self,
        key: &OrderKey,
        matches: &[MatchId],
        at: Timestamp,
    ) -> impl Future<Output = Result<bool, PortError>> + Send;
}

/// Reads books. IAM: `dynamodb:Query`, `dynamodb:DeleteItem` on `interests`.
pub trait Books {
    /// Reads the next page of `book`, strongly consistent, best first: the entries after `after` and within
    /// `bound`, at most `BOOK_PAGE_ENTRIES`. May be repeated.
    fn read_page(
        &self,
        book: &BookKey,
        after: &RankBound,
        bound: &RankBound,
    ) -> impl Future<Output = Result<Page, PortError>> + Send;

    /// Takes an expired entry out if it still has this version; `false` when it has changed or is gone. May be
    /// repeated.
    fn remove_entry(
        &self,
        key: &EntryKey,
        version: Version,
    ) -> impl Future<Output = Result<bool, PortError>> + Send;
}

/// Writes what was decided. IAM: `dynamodb:PutItem`, `dynamodb:UpdateItem` on `submissions`; `dynamodb:DeleteItem`,
/// `dynamodb:PutItem`, `dynamodb:UpdateItem` on `interests`; `dynamodb:PutItem` on `matches`.
pub trait Ledger {
    /// Writes the whole change set or nothing. `request_token` is fresh for each decided content; an adapter
    /// repeats a call only with the same one, and only within its ten minutes. An empty change set is written
    /// without a call.
    ///
    /// What [`needs_transaction`] says yes to is written once however often it is repeated under its token. The
    /// rest knows no token: a repetition after a lost response loses to its own first attempt, so whoever meets
    /// [`CommitError::Lost`] finds what it wrote itself when it reads again.
    fn commit(
        &self,
        changes: &ChangeSet,
        request_token: [u8; 16],
    ) -> impl Future<Output = Result<(), CommitError>> + Send;
}

/// Whether a change set is written as a transaction. One action costs half as much alone; but only where its own
/// condition makes a repetition harmless: an advance has none, and a late repetition would undo what came between.
#[must_use]
pub fn needs_transaction(changes: &ChangeSet) -> bool {
    let advances = |write: &SubmissionWrite| matches!(write, SubmissionWrite::Advance(_));
    changes.actions() > 1 || changes.submissions.values().any(advances)
}

/// Reads matches. IAM: `dynamodb:BatchGetItem` on `matches`.
pub trait Matches {
    /// Reads these, strongly consistent; one that does not exist is left out. May be repeated.
    fn read_matches(
        &self,
        ids: &[MatchId],
    ) -> impl Future<Output = Result<Vec<MatchRecord>, PortError>> + Send;
}

/// Reads the registry. IAM: `dynamodb:BatchGetItem` on `registry`.
pub trait Registry {
    /// Who these principals are; one that is not registered is left out. May be repeated.
    fn find_principals(
        &self,
        principals: &[Principal],
    ) -> impl Future<Output = Result<Vec<(Principal, CounterpartyId)>, PortError>> + Send;

    /// What is known of these; one that is not registered is left out. May be repeated.
    fn read_counterparties(
        &self,
        ids: &[CounterpartyId],
    ) -> impl Future<Output = Result<Vec<Counterparty>, PortError>> + Send;
}

/// Reads match parameters. IAM: `dynamodb:BatchGetItem` on `parameters`.
pub trait ParameterStore {
    /// The parameters of these symbols; an unknown one is left out. May be repeated.
    fn read_parameters(
        &self,
        symbols: &[Symbol],
    ) -> impl Future<Output = Result<Vec<MatchParameters>, PortError>> + Send;
}

/// Keeps wrapped epoch keys. IAM: `dynamodb:GetItem`, `dynamodb:PutItem` on `keys`.
pub trait EpochKeyStore {
    /// The wrapped key of an epoch, strongly consistent, if there is one. May be repeated.
    fn read_key(&self, epoch: EpochId) -> impl Future<Output = Result<Option<WrappedKey>, PortError>> + Send;

    /// Stores the wrapped key of an epoch unless it has one; `false` when it has. A repetition after a lost
    /// response gives `false`: read what is stored, never use what was offered.
    fn put_key(
        &self,
        epoch: EpochId,
        key: &WrappedKey,
        expires_at: i64,
    ) -> impl Future<Output = Result<bool, PortError>> + Send;
}

/// Makes and unwraps data keys. IAM: `kms:GenerateDataKeyWithoutPlaintext`, `kms:Decrypt` on the token key, for the
/// encryption context of the epoch alone.
pub trait KeyService {
    /// A new wrapped data key for `epoch`. May be repeated; each call makes another.
    fn generate_key(&self, epoch: EpochId) -> impl Future<Output = Result<WrappedKey, PortError>> + Send;

    /// The data key of `epoch`. May be repeated.
    fn unwrap_key(
        &self,
        epoch: EpochId,
        key: &WrappedKey,
    ) -> impl Future<Output = Result<DataKey, PortError>> + Send;
}

/// Sends to inbox queues. IAM: `sqs:SendMessage` on `<stack>-inbox-*`.
pub trait Inboxes {
    /// Sends up to ten messages to one queue, by its URL, and gives the indices of those that were not taken. May
    /// be repeated: consumers drop copies by `messageId`.
    fn send_messages(
        &self,
        inbox_url: &str,
        messages: &[OutboundMessage],
    ) -> impl Future<Output = Result<Vec<usize>, PortError>> + Send;
}

/// A dead letter that our own code sends.
#[derive(Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The envelope, as JSON.
    pub body: String,
    /// The reason code: its one message attribute.
    pub reason: &'static str,
}

/// Sets records aside. IAM: `sqs:SendMessage` on the dead-letter queue.
pub trait DeadLetters {
    /// Sends up to ten dead letters and gives the indices of those that were not taken. May be repeated.
    fn send_dead_letters(
        &self,
        letters: &[DeadLetter],
    ) -> impl Future<Output = Result<Vec<usize>, PortError>> + Send;
}

/// Everything that the matcher asks for.
pub trait MatcherPorts:
    Submissions
    + Books
    + Ledger
    + Matches
    + Registry
    + ParameterStore
    + EpochKeyStore
    + KeyService
    + Inboxes
    + DeadLetters
    + Sync
{
}

impl<P> MatcherPorts for P where
    P: Submissions
        + Books
        + Ledger
        + Matches
        + Registry
        + ParameterStore
        + EpochKeyStore
        + KeyService
        + Inboxes
        + DeadLetters
        + Sync
{
}
