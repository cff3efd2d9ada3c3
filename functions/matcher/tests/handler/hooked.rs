//! Ports with hooks: a step of the test's own before and after each call. It may wait, panic, change the tables
//! meanwhile, or make the call fail, and it sees what the call is about.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex};

use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use symbolon_shared::domain::book::{BookKey, EntryKey, RankBound, Version};
use symbolon_shared::domain::change_set::ChangeSet;
use symbolon_shared::domain::counterparty::Counterparty;
use symbolon_shared::domain::identifiers::{CounterpartyId, OrderKey, Principal, Symbol};
use symbolon_shared::domain::inbox::OutboundMessage;
use symbolon_shared::domain::match_record::MatchRecord;
use symbolon_shared::domain::parameters::MatchParameters;
use symbolon_shared::domain::submission::Submission;
use symbolon_shared::domain::time::Timestamp;
use symbolon_shared::domain::token::{DataKey, EpochId, MatchId};
use symbolon_shared::ports::{
    Books, CommitError, DeadLetter, DeadLetters, EpochKeyStore, Fault, Inboxes, KeyService, Ledger, Matches,
    Page, ParameterStore, PortError, Registry, Submissions, WrappedKey,
};
use symbolon_shared::testing::Operation;

/// What the matcher calls: every method of its ports.
pub(crate) const OPERATIONS: [Operation; 15] = [
    Operation::ReadSubmissions,
    Operation::MarkTold,
    Operation::ReadPage,
    Operation::RemoveEntry,
    Operation::Commit,
    Operation::ReadMatches,
    Operation::FindPrincipals,
    Operation::ReadCounterparties,
    Operation::ReadParameters,
    Operation::ReadKey,
    Operation::PutKey,
    Operation::GenerateKey,
    Operation::UnwrapKey,
    Operation::SendMessages,
    Operation::SendDeadLetters,
];

/// A call, as a hook sees it.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) operation: Operation,
    /// How many calls of this operation there have been, this one included.
    pub(crate) nth: u64,
    /// The inbox that it sends to.
    pub(crate) queue: Option<String>,
    /// The book that it reads.
    pub(crate) book: Option<BookKey>,
    /// The epoch whose key it is about.
    pub(crate) epoch: Option<EpochId>,
    /// The submissions that it reads or writes.
    pub(crate) orders: Vec<OrderKey>,
    /// What it writes.
    pub(crate) changes: ChangeSet,
}

/// What a hook does; an error makes the call fail.
pub(crate) type Step = BoxFuture<'static, Result<(), Fault>>;
type Hook = Arc<dyn Fn(Call) -> Step + Send + Sync>;

/// Nothing in particular.
pub(crate) fn go_on() -> Step {
    ready(Ok(())).boxed()
}

/// The call fails.
pub(crate) fn fail(fault: Fault) -> Step {
    ready(Err(fault)).boxed()
}

#[derive(Clone)]
pub(crate) struct HookedPorts<P> {
    inner: P,
    before: Hook,
    after: Hook,
    counts: Arc<Mutex<BTreeMap<Operation, u64>>>,
}

impl<P> HookedPorts<P> {
    pub(crate) fn new(inner: P) -> Self {
        Self {
            inner,
            before: Arc::new(|_| go_on()),
            after: Arc::new(|_| go_on()),
            counts: Arc::default(),
        }
    }

    /// An error of `hook` means that the request never arrived.
    pub(crate) fn before(mut self, hook: impl Fn(Call) -> Step + Send + Sync + 'static) -> Self {
        self.before = Arc::new(hook);
        self
    }

    /// An error of `hook` means that the response was lost.
    pub(crate) fn after(mut self, hook: impl Fn(Call) -> Step + Send + Sync + 'static) -> Self {
        self.after = Arc::new(hook);
        self
    }

    fn call(&self, operation: Operation) -> Call {
        let mut counts = self.counts.lock().unwrap();
        let nth = counts.entry(operation).or_default();
        *nth += 1;
        Call {
            operation,
            nth: *nth,
            queue: None,
            book: None,
            epoch: None,
            orders: Vec::new(),
            changes: ChangeSet::default(),
        }
    }

    fn about(&self, operation: Operation, epoch: EpochId) -> Call {
        Call {
            epoch: Some(epoch),
            ..self.call(operation)
        }
    }

    async fn through<T>(
        &self,
        call: Call,
        work: impl Future<Output = Result<T, PortError>> + Send,
    ) -> Result<T, PortError> {
        let error = |fault| error(call.operation, fault);
        (self.before)(call.clone()).await.map_err(error)?;
        let done = work.await?;
        (self.after)(call.clone()).await.map_err(error)?;
        Ok(done)
    }
}

fn error(operation: Operation, fault: Fault) -> PortError {
    PortError {
        operation: operation.as_str(),
        fault,
        code: "Hooked".to_owned(),
    }
}

impl<P: Submissions + Sync> Submissions for HookedPorts<P> {
    async fn read_submissions(
        &self,
        keys: &[OrderKey],
    ) -> Result<Vec<(OrderKey, Option<Submission>)>, PortError> {
        let call = Call {
            orders: keys.to_vec(),
            ..self.call(Operation::ReadSubmissions)
        };
        self.through(call, self.inner.read_submissions(keys)).await
    }

    async fn mark_told(&self, key: &OrderKey, matches: &[MatchId], at: Timestamp) -> Result<bool, PortError> {
        let call = Call {
            orders: vec![key.clone()],
            ..self.call(Operation::MarkTold)
        };
        self.through(call, self.inner.mark_told(key, matches, at)).await
    }
}

impl<P: Books + Sync> Books for HookedPorts<P> {
    async fn read_page(
        &self,
        book: &BookKey,
        after: &RankBound,
        bound: &RankBound,
    ) -> Result<Page, PortError> {
        let call = Call {
            book: Some(book.clone()),
            ..self.call(Operation::ReadPage)
        };
        self.through(call, self.inner.read_page(book, after, bound)).await
    }

    async fn remove_entry(&self, key: &EntryKey, version: Version) -> Result<bool, PortError> {
        let call = self.call(Operation::RemoveEntry);
        self.through(call, self.inner.remove_entry(key, version)).await
    }
}

impl<P: Ledger + Sync> Ledger for HookedPorts<P> {
    async fn commit(&self, changes: &ChangeSet, request_token: [u8; 16]) -> Result<(), CommitError> {
        if changes.is_empty() {
            return self.inner.commit(changes, request_token).await;
        }
        let call = Call {
            orders: changes.submissions.keys().cloned().collect(),
            changes: changes.clone(),
            ..self.call(Operation::Commit)
        };
        (self.before)(call.clone()).await.map_err(|fault| {
            let error = error(Operation::Commit, fault);
            if fault.surely_not_done() {
                CommitError::Failed(error)
            } else {
                CommitError::Unknown(error)
            }
        })?;
        self.inner.commit(changes, request_token).await?;
        let lost = |fault| CommitError::Unknown(error(Operation::Commit, fault));
        (self.after)(call).await.map_err(lost)
    }
}

impl<P: Matches + Sync> Matches for HookedPorts<P> {
    async fn read_matches(&self, ids: &[MatchId]) -> Result<Vec<MatchRecord>, PortError> {
        let call = self.call(Operation::ReadMatches);
        self.through(call, self.inner.read_matches(ids)).await
    }
}

impl<P: Registry + Sync> Registry for HookedPorts<P> {
    async fn find_principals(
        &self,
        principals: &[Principal],
    ) -> Result<Vec<(Principal, CounterpartyId)>, PortError> {
        let call = self.call(Operation::FindPrincipals);
        self.through(call, self.inner.find_principals(principals)).await
    }

    async fn read_counterparties(&self, ids: &[CounterpartyId]) -> Result<Vec<Counterparty>, PortError> {
        let call = self.call(Operation::ReadCounterparties);
        self.through(call, self.inner.read_counterparties(ids)).await
    }
}

impl<P: ParameterStore + Sync> ParameterStore for HookedPorts<P> {
    async fn read_parameters(&self, symbols: &[Symbol]) -> Result<Vec<MatchParameters>, PortError> {
        let call = self.call(Operation::ReadParameters);
        self.through(call, self.inner.read_parameters(symbols)).await
    }
}

impl<P: EpochKeyStore + Sync> EpochKeyStore for HookedPorts<P> {
    async fn read_key(&self, epoch: EpochId) -> Result<Option<WrappedKey>, PortError> {
        let call = self.about(Operation::ReadKey, epoch);
        self.through(call, self.inner.read_key(epoch)).await
    }

    async fn put_key(&self, epoch: EpochId, key: &WrappedKey, expires_at: i64) -> Result<bool, PortError> {
        let call = self.about(Operation::PutKey, epoch);
        self.through(call, self.inner.put_key(epoch, key, expires_at))
            .await
    }
}

impl<P: KeyService + Sync> KeyService for HookedPorts<P> {
    async fn generate_key(&self, epoch: EpochId) -> Result<WrappedKey, PortError> {
        let call = self.about(Operation::GenerateKey, epoch);
        self.through(call, self.inner.generate_key(epoch)).await
    }

    async fn unwrap_key(&self, epoch: EpochId, key: &WrappedKey) -> Result<DataKey, PortError> {
        let call = self.about(Operation::UnwrapKey, epoch);
        self.through(call, self.inner.unwrap_key(epoch, key)).await
    }
}

impl<P: Inboxes + Sync> Inboxes for HookedPorts<P> {
    async fn send_messages(
        &self,
        inbox_url: &str,
        messages: &[OutboundMessage],
    ) -> Result<Vec<usize>, PortError> {
        let call = Call {
            queue: Some(inbox_url.to_owned()),
            ..self.call(Operation::SendMessages)
        };
        self.through(call, self.inner.send_messages(inbox_url, messages))
            .await
    }
}

impl<P: DeadLetters + Sync> DeadLetters for HookedPorts<P> {
    async fn send_dead_letters(&self, letters: &[DeadLetter]) -> Result<Vec<usize>, PortError> {
        let call = self.call(Operation::SendDeadLetters);
        self.through(call, self.inner.send_dead_letters(letters)).await
    }
}
