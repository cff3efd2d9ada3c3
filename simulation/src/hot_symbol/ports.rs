//! The ports in memory with the time and the limits of AWS: each method makes the requests that the AWS adapter
//! makes for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use symbolon_shared::domain::book::{BookKey, EntryKey, RankBound, Version};
use symbolon_shared::domain::change_set::ChangeSet;
use symbolon_shared::domain::counterparty::Counterparty;
use symbolon_shared::domain::identifiers::{CounterpartyId, OrderKey, Principal, Symbol};
use symbolon_shared::domain::inbox::OutboundMessage;
use symbolon_shared::domain::limits::MAX_BATCH_GET_KEYS;
use symbolon_shared::domain::match_record::MatchRecord;
use symbolon_shared::domain::parameters::MatchParameters;
use symbolon_shared::domain::submission::Submission;
use symbolon_shared::domain::time::Timestamp;
use symbolon_shared::domain::token::{DataKey, EpochId, MatchId};
use symbolon_shared::ports::{
    Books, CommitError, DeadLetter, DeadLetters, EpochKeyStore, Fault, Inboxes, KeyService, Ledger, Matches,
    Page, ParameterStore, PortError, Registry, Submissions, WrappedKey, needs_transaction,
};
use symbolon_shared::testing::MemoryPorts;

use super::cloud::{Cloud, Partition, decisions, write_units};
use super::latency::Latency;

/// Bytes of a book entry, as `limits::BOOK_PAGE_ENTRIES` reckons them.
const ENTRY_BYTES: usize = 400;
/// `DynamoDB`: bytes of one read unit.
const READ_UNIT_BYTES: usize = 4_096;
/// `DynamoDB`: write units of an item of up to 1 KB, alone and in a transaction.
const UNITS_ALONE: u32 = 1;
const UNITS_IN_TRANSACTION: u32 = 2;

/// One handler's view of the tables and queues.
#[derive(Clone)]
pub(super) struct TimedPorts {
    memory: MemoryPorts,
    cloud: Arc<Cloud>,
}

impl TimedPorts {
    pub(super) fn new(memory: MemoryPorts, cloud: Arc<Cloud>) -> Self {
        Self { memory, cloud }
    }

    /// One request.
    async fn request(&self, latency: Latency) {
        self.cloud.count(|counts| counts.requests += 1);
        self.cloud.take(latency).await;
    }

    /// One request a part, as many as the keys need.
    async fn batch_get(&self, keys: usize) {
        for _ in 0..keys.div_ceil(MAX_BATCH_GET_KEYS) {
            self.request(self.cloud.model.batch_get).await;
        }
    }

    /// Requests until `attempt` says that it was not throttled, as often as the SDK tries.
    async fn retried<T>(
        &self,
        operation: &'static str,
        latency: Latency,
        attempt: impl Fn() -> Option<T>,
    ) -> Result<T, PortError> {
        for nth in 1..=self.cloud.model.sdk.max_attempts {
            self.request(latency).await;
            if let Some(done) = attempt() {
                return Ok(done);
            }
            if nth < self.cloud.model.sdk.max_attempts {
                self.cloud.back_off(nth).await;
            }
        }
        Err(throttled(operation))
    }

    async fn transact(&self, changes: &ChangeSet, token: [u8; 16]) -> Result<(), CommitError> {
        let model = &self.cloud.model;
        let mut attempt = 1;
        loop {
            let done = self.transact_once(changes, token).await;
            let again = model.repeats_throttled_transactions && attempt < model.sdk.max_attempts;
            match done {
                Err(CommitError::Failed(error)) if error.fault == Fault::Throttled && again => {
                    self.cloud.back_off(attempt).await;
                    attempt += 1;
                }
                done => return done,
            }
        }
    }

    /// The items are held from the start to the end, and so the conditions hold at the end when they did at the
    /// start.
    async fn transact_once(&self, changes: &ChangeSet, token: [u8; 16]) -> Result<(), CommitError> {
        let latency = self.cloud.model.transaction_of(changes.actions());
        if !self.cloud.charge(&write_units(changes, UNITS_IN_TRANSACTION)) {
            self.request(latency).await;
            return Err(CommitError::Failed(throttled("dynamodb:TransactWriteItems")));
        }
        let hold = self.cloud.hold(changes);
        self.request(latency).await;
        if hold.whole {
            self.memory.commit(changes, token).await
        } else {
            Err(CommitError::Conflict)
        }
    }

    async fn write_alone(&self, changes: &ChangeSet, token: [u8; 16]) -> Result<(), CommitError> {
        let units = write_units(changes, UNITS_ALONE);
        let attempt = || {
            let held = self.cloud.is_held(changes);
            (held || self.cloud.charge(&units)).then_some(held)
        };
        let written = self.retried("dynamodb:PutItem", self.cloud.model.item, attempt);
        if written.await.map_err(CommitError::Failed)? {
            return Err(CommitError::Conflict);
        }
        self.memory.commit(changes, token).await
    }
}

fn throttled(operation: &'static str) -> PortError {
    PortError {
        operation,
        fault: Fault::Throttled,
        code: "ThrottlingError".to_owned(),
    }
}

/// As the adapter knows it: surely not done, and the SDK does not repeat it.
fn conflict(operation: &'static str) -> PortError {
    PortError {
        operation,
        fault: Fault::Refused,
        code: "TransactionConflictException".to_owned(),
    }
}

impl Submissions for TimedPorts {
    async fn read_submissions(
        &self,
        keys: &[OrderKey],
    ) -> Result<Vec<(OrderKey, Option<Submission>)>, PortError> {
        self.batch_get(keys.len()).await;
        self.memory.read_submissions(keys).await
    }

    async fn mark_told(&self, key: &OrderKey, matches: &[MatchId], at: Timestamp) -> Result<bool, PortError> {
        const OPERATION: &str = "dynamodb:UpdateItem";
        let units = BTreeMap::from([(Partition::WrittenOwner(key.owner.clone()), UNITS_ALONE)]);
        let attempt = || {
            let held = self.cloud.holds_submission(key);
            (held || self.cloud.charge(&units)).then_some(held)
        };
        if self.retried(OPERATION, self.cloud.model.item, attempt).await? {
            return Err(conflict(OPERATION));
        }
        self.memory.mark_told(key, matches, at).await
    }
}

impl Books for TimedPorts {
    async fn read_page(
        &self,
        book: &BookKey,
        after: &RankBound,
        bound: &RankBound,
    ) -> Result<Page, PortError> {
        if after >= bound {
            return self.memory.read_page(book, after, bound).await;
        }
        for nth in 1..=self.cloud.model.sdk.max_attempts {
            self.request(self.cloud.model.query).await;
            let page = self.memory.read_page(book, after, bound).await?;
            let units = (page.entries.len() * ENTRY_BYTES)
                .div_ceil(READ_UNIT_BYTES)
                .max(1);
            let units = u32::try_from(units).unwrap_or(u32::MAX);
            if self
                .cloud
                .charge(&BTreeMap::from([(Partition::ReadBook(book.clone()), units)]))
            {
                return Ok(page);
            }
            if nth < self.cloud.model.sdk.max_attempts {
                self.cloud.back_off(nth).await;
            }
        }
        Err(throttled("dynamodb:Query"))
    }

    async fn remove_entry(&self, key: &EntryKey, version: Version) -> Result<bool, PortError> {
        const OPERATION: &str = "dynamodb:DeleteItem";
        let units = BTreeMap::from([(Partition::WrittenBook(key.book.clone()), UNITS_ALONE)]);
        let attempt = || {
            let held = self.cloud.holds_entry(key);
            (held || self.cloud.charge(&units)).then_some(held)
        };
        if self.retried(OPERATION, self.cloud.model.item, attempt).await? {
            return Err(conflict(OPERATION));
        }
        self.memory.remove_entry(key, version).await
    }
}

impl Ledger for TimedPorts {
    async fn commit(&self, changes: &ChangeSet, request_token: [u8; 16]) -> Result<(), CommitError> {
        if changes.is_empty() {
            return Ok(());
        }
        let written = if needs_transaction(changes) {
            self.transact(changes, request_token).await
        } else {
            self.write_alone(changes, request_token).await
        };
        self.cloud.count(|counts| {
            counts.writes += 1;
            counts.lost += u64::from(matches!(written, Err(CommitError::Lost(_))));
            counts.conflicts += u64::from(matches!(written, Err(CommitError::Conflict)));
            if written.is_err() {
                counts.tried_again += decisions(changes);
            }
        });
        written
    }
}

impl Matches for TimedPorts {
    async fn read_matches(&self, ids: &[MatchId]) -> Result<Vec<MatchRecord>, PortError> {
        self.batch_get(ids.len()).await;
        self.memory.read_matches(ids).await
    }
}

impl Registry for TimedPorts {
    async fn find_principals(
        &self,
        principals: &[Principal],
    ) -> Result<Vec<(Principal, CounterpartyId)>, PortError> {
        self.batch_get(principals.len()).await;
        self.memory.find_principals(principals).await
    }

    async fn read_counterparties(&self, ids: &[CounterpartyId]) -> Result<Vec<Counterparty>, PortError> {
        self.batch_get(ids.len()).await;
        self.memory.read_counterparties(ids).await
    }
}

impl ParameterStore for TimedPorts {
    async fn read_parameters(&self, symbols: &[Symbol]) -> Result<Vec<MatchParameters>, PortError> {
        self.batch_get(symbols.len()).await;
        self.memory.read_parameters(symbols).await
    }
}

impl EpochKeyStore for TimedPorts {
    async fn read_key(&self, epoch: EpochId) -> Result<Option<WrappedKey>, PortError> {
        self.request(self.cloud.model.item).await;
        self.memory.read_key(epoch).await
    }

    async fn put_key(&self, epoch: EpochId, key: &WrappedKey, expires_at: i64) -> Result<bool, PortError> {
        self.request(self.cloud.model.item).await;
        self.memory.put_key(epoch, key, expires_at).await
    }
}

impl KeyService for TimedPorts {
    async fn generate_key(&self, epoch: EpochId) -> Result<WrappedKey, PortError> {
        self.request(self.cloud.model.kms).await;
        self.memory.generate_key(epoch).await
    }

    async fn unwrap_key(&self, epoch: EpochId, key: &WrappedKey) -> Result<DataKey, PortError> {
        self.request(self.cloud.model.kms).await;
        self.memory.unwrap_key(epoch, key).await
    }
}

impl Inboxes for TimedPorts {
    async fn send_messages(
        &self,
        inbox_url: &str,
        messages: &[OutboundMessage],
    ) -> Result<Vec<usize>, PortError> {
        self.request(self.cloud.model.queue).await;
        let left = self.memory.send_messages(inbox_url, messages).await?;
        self.cloud.count(|counts| {
            counts.sends += 1;
            counts.published += (messages.len() - left.len()) as u64;
        });
        Ok(left)
    }
}

impl DeadLetters for TimedPorts {
    async fn send_dead_letters(&self, letters: &[DeadLetter]) -> Result<Vec<usize>, PortError> {
        self.request(self.cloud.model.queue).await;
        self.memory.send_dead_letters(letters).await
    }
}
