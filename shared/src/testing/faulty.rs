//! Failures by a script: a decorator over any ports.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use super::Operation;
use crate::domain::book::{BookKey, EntryKey, RankBound, Version};
use crate::domain::change_set::ChangeSet;
use crate::domain::counterparty::Counterparty;
use crate::domain::identifiers::{CounterpartyId, OrderKey, Principal, Symbol};
use crate::domain::inbox::OutboundMessage;
use crate::domain::match_record::MatchRecord;
use crate::domain::parameters::MatchParameters;
use crate::domain::submission::Submission;
use crate::domain::time::Timestamp;
use crate::domain::token::{DataKey, EpochId, MatchId};
use crate::onboarding::{
    Directory, InboxAdmin, InboxQueue, ParameterAdmin, RegistryAdmin, RegistryDirectory,
};
use crate::ports::{
    Books, CommitError, DeadLetter, DeadLetters, EpochKeyStore, Fault, Inboxes, KeyService, Ledger, Matches,
    Page, ParameterStore, PortError, Registry, Submissions, WrappedKey,
};
use crate::records::ReservationRecord;

/// What goes wrong with one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Injection {
    /// The request never arrives: nothing is done, and the caller waits in vain.
    RequestLost,
    /// It is done, but the caller waits in vain. What fails by itself fails as it does.
    ResponseLost,
    /// It is refused for being one too many: nothing is done.
    Throttled,
    /// Another transaction is in the way of a commit: nothing is done. Any other call is throttled instead.
    Conflict,
    /// The entries of a batch at these indices are not taken, the others are. Any other call loses its request.
    PartialFailure(Vec<usize>),
}

impl Injection {
    fn name(&self) -> &'static str {
        match self {
            Self::RequestLost => "request lost",
            Self::ResponseLost => "response lost",
            Self::Throttled => "throttled",
            Self::Conflict => "conflict",
            Self::PartialFailure(_) => "partial failure",
        }
    }
}

type Rule = dyn FnMut(Operation, u64) -> Option<Injection> + Send;

/// Says what goes wrong with which call. Clones share their state, as clones of the ports do.
#[derive(Clone)]
pub struct Script(Arc<Mutex<Rule>>);

impl Script {
    /// Nothing goes wrong.
    #[must_use]
    pub fn nothing() -> Self {
        Self::by(|_, _| None)
    }

    /// What the closure says of the `n`th call of an operation, counted from 1. It is asked once for each call.
    #[must_use]
    pub fn by(rule: impl FnMut(Operation, u64) -> Option<Injection> + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(rule)))
    }

    /// The listed calls, each an operation and the number of its call, counted from 1.
    #[must_use]
    pub fn of(calls: impl IntoIterator<Item = (Operation, u64, Injection)>) -> Self {
        let calls: BTreeMap<(Operation, u64), Injection> = calls
            .into_iter()
            .map(|(operation, nth, injection)| ((operation, nth), injection))
            .collect();
        Self::by(move |operation, nth| calls.get(&(operation, nth)).cloned())
    }

    fn ask(&self, operation: Operation, nth: u64) -> Option<Injection> {
        let mut rule = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rule(operation, nth)
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Script")
    }
}

#[derive(Debug, Default)]
struct Counts {
    calls: BTreeMap<Operation, u64>,
    met: BTreeMap<(Operation, &'static str), u64>,
}

/// Ports that fail by a [`Script`]. Clones share script and counts.
#[derive(Debug, Clone)]
pub struct FaultyPorts<P> {
    inner: P,
    script: Script,
    counts: Arc<Mutex<Counts>>,
}

impl<P> FaultyPorts<P> {
    /// `inner`, failing as `script` says.
    pub fn new(inner: P, script: Script) -> Self {
        Self {
            inner,
            script,
            counts: Arc::default(),
        }
    }

    /// The ports behind: they do not fail.
    pub fn inner(&self) -> &P {
        &self.inner
    }

    /// How often what went wrong: a test whose fault was never met has shown nothing.
    #[must_use]
    pub fn met(&self) -> BTreeMap<(Operation, &'static str), u64> {
        self.counts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .met
            .clone()
    }

    /// How often an operation was called, failures included.
    #[must_use]
    pub fn calls(&self, operation: Operation) -> u64 {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.calls.get(&operation).copied().unwrap_or_default()
    }

    fn next(&self, operation: Operation) -> Option<Injection> {
        let nth = {
            let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
            let calls = counts.calls.entry(operation).or_default();
            *calls += 1;
            *calls
        };
        let injection = self.script.ask(operation, nth)?;
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.met.entry((operation, injection.name())).or_default() += 1;
        Some(injection)
    }

    /// Makes `call` unless its request is lost: a future that is not polled does nothing.
    async fn through<T>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<T, PortError>> + Send,
    ) -> Result<T, PortError> {
        match self.next(operation) {
            None => call.await,
            Some(Injection::ResponseLost) => {
                call.await?;
                Err(error(operation, Fault::TimedOut))
            }
            Some(Injection::RequestLost | Injection::PartialFailure(_)) => {
                Err(error(operation, Fault::TimedOut))
            }
            Some(Injection::Throttled | Injection::Conflict) => Err(error(operation, Fault::Throttled)),
        }
    }

    /// Sends what is not at one of the failing indices, and names every index that was not taken.
    async fn in_part<'a, T: Clone + Sync + 'a, F>(
        &'a self,
        operation: Operation,
        batch: &'a [T],
        send: impl Fn(Vec<T>) -> F + Send,
    ) -> Result<Vec<usize>, PortError>
    where
        F: Future<Output = Result<Vec<usize>, PortError>> + Send,
    {
        let injection = self.next(operation);
        let failing = match &injection {
            Some(Injection::PartialFailure(indices)) => indices.as_slice(),
            _ => &[],
        };
        let (kept, mut left): (Vec<usize>, Vec<usize>) = (0..batch.len()).partition(|i| !failing.contains(i));
        let call = send(
            kept.iter()
                .filter_map(|index| batch.get(*index).cloned())
                .collect(),
        );
        match injection {
            None | Some(Injection::PartialFailure(_)) => {
                let not_taken = call.await?;
                left.extend(not_taken.iter().filter_map(|index| kept.get(*index)));
                left.sort_unstable();
                Ok(left)
            }
            Some(Injection::ResponseLost) => {
                call.await?;
                Err(error(operation, Fault::TimedOut))
            }
            Some(Injection::RequestLost) => Err(error(operation, Fault::TimedOut)),
            Some(Injection::Throttled | Injection::Conflict) => Err(error(operation, Fault::Throttled)),
        }
    }
}

fn error(operation: Operation, fault: Fault) -> PortError {
    PortError {
        operation: operation.as_str(),
        fault,
        code: "Injected".to_owned(),
    }
}

impl<P: Submissions + Sync> Submissions for FaultyPorts<P> {
    async fn read_submissions(
        &self,
        keys: &[OrderKey],
    ) -> Result<Vec<(OrderKey, Option<Submission>)>, PortError> {
        self.through(Operation::ReadSubmissions, self.inner.read_submissions(keys))
            .await
    }

    async fn mark_told(&self, key: &OrderKey, matches: &[MatchId], at: Timestamp) -> Result<bool, PortError> {
        self.through(Operation::MarkTold, self.inner.mark_told(key, matches, at))
            .await
    }
}

impl<P: Books + Sync> Books for FaultyPorts<P> {
    async fn read_page(
        &self,
        book: &BookKey,
        after: &RankBound,
        bound: &RankBound,
    ) -> Result<Page, PortError> {
        self.through(Operation::ReadPage, self.inner.read_page(book, after, bound))
            .await
    }

    async fn remove_entry(&self, key: &EntryKey, version: Version) -> Result<bool, PortError> {
        self.through(Operation::RemoveEntry, self.inner.remove_entry(key, version))
            .await
    }
}

impl<P: Ledger + Sync> Ledger for FaultyPorts<P> {
    async fn commit(&self, changes: &ChangeSet, request_token: [u8; 16]) -> Result<(), CommitError> {
        let operation = Operation::Commit;
        match self.next(operation) {
            None => self.inner.commit(changes, request_token).await,
            Some(Injection::ResponseLost) => {
                self.inner.commit(changes, request_token).await?;
                Err(CommitError::Unknown(error(operation, Fault::TimedOut)))
            }
            Some(Injection::RequestLost | Injection::PartialFailure(_)) => {
                Err(CommitError::Unknown(error(operation, Fault::TimedOut)))
            }
            Some(Injection::Throttled) => Err(CommitError::Failed(error(operation, Fault::Throttled))),
            Some(Injection::Conflict) => Err(CommitError::Conflict),
        }
    }
}

impl<P: Matches + Sync> Matches for FaultyPorts<P> {
    async fn read_matches(&self, ids: &[MatchId]) -> Result<Vec<MatchRecord>, PortError> {
        self.through(Operation::ReadMatches, self.inner.read_matches(ids))
            .await
    }
}

impl<P: Registry + Sync> Registry for FaultyPorts<P> {
    async fn find_principals(
        &self,
        principals: &[Principal],
    ) -> Result<Vec<(Principal, CounterpartyId)>, PortError> {
        self.through(Operation::FindPrincipals, self.inner.find_principals(principals))
            .await
    }

    async fn read_counterparties(&self, ids: &[CounterpartyId]) -> Result<Vec<Counterparty>, PortError> {
        self.through(Operation::ReadCounterparties, self.inner.read_counterparties(ids))
            .await
    }
}

impl<P: ParameterStore + Sync> ParameterStore for FaultyPorts<P> {
    async fn read_parameters(&self, symbols: &[Symbol]) -> Result<Vec<MatchParameters>, PortError> {
        self.through(Operation::ReadParameters, self.inner.read_parameters(symbols))
            .await
    }
}

impl<P: EpochKeyStore + Sync> EpochKeyStore for FaultyPorts<P> {
    async fn read_key(&self, epoch: EpochId) -> Result<Option<WrappedKey>, PortError> {
        self.through(Operation::ReadKey, self.inner.read_key(epoch)).await
    }

    async fn put_key(&self, epoch: EpochId, key: &WrappedKey, expires_at: i64) -> Result<bool, PortError> {
        self.through(Operation::PutKey, self.inner.put_key(epoch, key, expires_at))
            .await
    }
}

impl<P: KeyService + Sync> KeyService for FaultyPorts<P> {
    async fn generate_key(&self, epoch: EpochId) -> Result<WrappedKey, PortError> {
        self.through(Operation::GenerateKey, self.inner.generate_key(epoch))
            .await
    }

    async fn unwrap_key(&self, epoch: EpochId, key: &WrappedKey) -> Result<DataKey, PortError> {
        self.through(Operation::UnwrapKey, self.inner.unwrap_key(epoch, key))
            .await
    }
}

impl<P: Inboxes + Sync> Inboxes for FaultyPorts<P> {
    async fn send_messages(
        &self,
        inbox_url: &str,
        messages: &[OutboundMessage],
    ) -> Result<Vec<usize>, PortError> {
        let send =
            |kept: Vec<OutboundMessage>| async move { self.inner.send_messages(inbox_url, &kept).await };
        self.in_part(Operation::SendMessages, messages, send).await
    }
}

impl<P: DeadLetters + Sync> DeadLetters for FaultyPorts<P> {
    async fn send_dead_letters(&self, letters: &[DeadLetter]) -> Result<Vec<usize>, PortError> {
        let send = |kept: Vec<DeadLetter>| async move { self.inner.send_dead_letters(&kept).await };
        self.in_part(Operation::SendDeadLetters, letters, send).await
    }
}

impl<P: RegistryAdmin + Sync> RegistryAdmin for FaultyPorts<P> {
    async fn reserve(&self, offered: &ReservationRecord) -> Result<ReservationRecord, PortError> {
        self.through(Operation::Reserve, self.inner.reserve(offered))
            .await
    }

    async fn insert_counterparty(&self, counterparty: &Counterparty) -> Result<bool, PortError> {
        let call = self.inner.insert_counterparty(counterparty);
        self.through(Operation::InsertCounterparty, call).await
    }

    async fn replace_counterparty(&self, read: &Counterparty, new: &Counterparty) -> Result<bool, PortError> {
        let call = self.inner.replace_counterparty(read, new);
        self.through(Operation::ReplaceCounterparty, call).await
    }

    async fn admit_principal(&self, principal: &Principal, id: &CounterpartyId) -> Result<bool, PortError> {
        self.through(
            Operation::AdmitPrincipal,
            self.inner.admit_principal(principal, id),
        )
        .await
    }
}

impl<P: RegistryDirectory + Sync> RegistryDirectory for FaultyPorts<P> {
    async fn read_directory(&self) -> Result<Directory, PortError> {
        self.through(Operation::ReadDirectory, self.inner.read_directory())
            .await
    }
}

impl<P: ParameterAdmin + Sync> ParameterAdmin for FaultyPorts<P> {
    async fn replace_parameters(&self, read: Option<u64>, new: &MatchParameters) -> Result<bool, PortError> {
        self.through(
            Operation::ReplaceParameters,
            self.inner.replace_parameters(read, new),
        )
        .await
    }
}

impl<P: InboxAdmin + Sync> InboxAdmin for FaultyPorts<P> {
    async fn create_inbox(&self, queue: &InboxQueue) -> Result<String, PortError> {
        self.through(Operation::CreateInbox, self.inner.create_inbox(queue))
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{MemoryPorts, conformance};

    const INBOX: &str = "memory://inbox";

    fn failing_with(injection: &Injection) -> FaultyPorts<MemoryPorts> {
        let memory = MemoryPorts::new();
        memory.create_queue(INBOX);
        let first = |operation: &Operation| (*operation, 1, injection.clone());
        let script = Script::of(Operation::ALL.iter().map(first).collect::<Vec<_>>());
        FaultyPorts::new(memory, script)
    }

    fn messages(count: usize) -> Vec<OutboundMessage> {
        let to = CounterpartyId::new("cp-a").unwrap();
        let message = |n: usize| OutboundMessage {
            to: to.clone(),
            message_id: crate::domain::message_id::MessageId::of(
                "status",
                &to,
                "A-1",
                &[],
                "",
                &n.to_string(),
            ),
            kind: "status",
            body: n.to_string(),
        };
        (0..count).map(message).collect()
    }

    async fn sent(ports: &FaultyPorts<MemoryPorts>) -> (Result<Vec<usize>, Fault>, Vec<String>) {
        let result = ports
            .send_messages(INBOX, &messages(4))
            .await
            .map_err(|error| error.fault);
        let bodies = ports
            .inner()
            .inbox(INBOX)
            .into_iter()
            .map(|message| message.body)
            .collect();
        (result, bodies)
    }

    #[tokio::test]
    async fn without_faults_it_conforms() {
        let memory = MemoryPorts::new();
        let ports = FaultyPorts::new(memory.clone(), Script::nothing());
        assert_eq!(conformance::run(&ports, &memory, "faulty").await, []);
        assert!(ports.met().is_empty() && ports.calls(Operation::Commit) > 0);
    }

    #[tokio::test]
    async fn a_lost_request_is_not_a_lost_response() {
        let epoch = EpochId::parse("2026-11-23.g7").unwrap();
        for (injection, stored) in [
            (Injection::RequestLost, false),
            (Injection::Throttled, false),
            (Injection::ResponseLost, true),
        ] {
            let ports = failing_with(&injection);
            assert!(ports.put_key(epoch, &WrappedKey(vec![1]), 0).await.is_err());
            assert_eq!(!ports.inner().epochs().is_empty(), stored, "{injection:?}");
            assert_eq!(ports.met().get(&(Operation::PutKey, injection.name())), Some(&1));
            // The second call is not in the script.
            let second = ports.put_key(epoch, &WrappedKey(vec![2]), 0).await;
            assert_eq!(second, Ok(!stored), "{injection:?}");
        }
    }

    #[tokio::test]
    async fn a_batch_is_lost_whole_or_in_part() {
        let all = || ["0", "1", "2", "3"].map(str::to_owned).to_vec();
        assert_eq!(
            sent(&failing_with(&Injection::RequestLost)).await,
            (Err(Fault::TimedOut), vec![])
        );
        assert_eq!(
            sent(&failing_with(&Injection::ResponseLost)).await,
            (Err(Fault::TimedOut), all())
        );
        assert_eq!(
            sent(&failing_with(&Injection::PartialFailure(vec![0, 2, 9]))).await,
            (Ok(vec![0, 2]), vec!["1".to_owned(), "3".to_owned()])
        );
    }

    #[tokio::test]
    async fn what_the_queue_itself_leaves_keeps_its_index() {
        let ports = failing_with(&Injection::PartialFailure(vec![0]));
        let mut batch = messages(3);
        batch[2].body.clear();
        assert_eq!(ports.send_messages(INBOX, &batch).await, Ok(vec![0, 2]));
    }

    #[tokio::test]
    async fn a_commit_says_what_is_known_of_it() {
        let changes = ChangeSet::default();
        let outcome = async |injection| failing_with(&injection).commit(&changes, [0; 16]).await;
        assert!(matches!(
            outcome(Injection::RequestLost).await,
            Err(CommitError::Unknown(_))
        ));
        assert!(matches!(
            outcome(Injection::ResponseLost).await,
            Err(CommitError::Unknown(_))
        ));
        assert!(matches!(
            outcome(Injection::Throttled).await,
            Err(CommitError::Failed(_))
        ));
        assert_eq!(outcome(Injection::Conflict).await, Err(CommitError::Conflict));
    }
}
