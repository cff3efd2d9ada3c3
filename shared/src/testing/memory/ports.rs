//! The ports themselves: each call takes the lock once, so each is atomic.

use sha2::{Digest as _, Sha256};

use super::{MemoryPorts, State};
use crate::domain::book::{BookKey, Entry, EntryKey, RankBound, Version};
use crate::domain::change_set::ChangeSet;
use crate::domain::counterparty::Counterparty;
use crate::domain::identifiers::{CounterpartyId, OrderKey, Principal, Symbol};
use crate::domain::inbox::OutboundMessage;
use crate::domain::limits::MAX_MESSAGE_BYTES;
use crate::domain::match_record::MatchRecord;
use crate::domain::parameters::MatchParameters;
use crate::domain::submission::Submission;
use crate::domain::time::Timestamp;
use crate::domain::token::{DataKey, EpochId, MatchId};
use crate::ports::{
    Books, CommitError, DeadLetter, DeadLetters, EpochKeyStore, Fault, Inboxes, KeyService, Ledger, Matches,
    Page, ParameterStore, PortError, Registry, Submissions, WrappedKey,
};
use crate::testing::Operation;

impl Submissions for MemoryPorts {
    async fn read_submissions(
        &self,
        keys: &[OrderKey],
    ) -> Result<Vec<(OrderKey, Option<Submission>)>, PortError> {
        let state = self.called(Operation::ReadSubmissions);
        let read = |key: &OrderKey| (key.clone(), state.submissions.get(key).cloned());
        Ok(keys.iter().map(read).collect())
    }

    async fn mark_told(&self, key: &OrderKey, matches: &[MatchId], at: Timestamp) -> Result<bool, PortError> {
        let mut state = self.called(Operation::MarkTold);
        let same = |submission: &&mut Submission| submission.matches == matches;
        let submission = state.submissions.get_mut(key).filter(same);
        Ok(submission
            .map(|submission| submission.told_at = Some(at))
            .is_some())
    }
}

impl Books for MemoryPorts {
    async fn read_page(
        &self,
        book: &BookKey,
        after: &RankBound,
        bound: &RankBound,
    ) -> Result<Page, PortError> {
        let state = self.called(Operation::ReadPage);
        let mut ahead = state
            .entries
            .values()
            .filter(|entry| entry.book == *book && !after.covers(&entry.rank) && bound.covers(&entry.rank));
        let entries: Vec<Entry> = ahead.by_ref().take(self.page_entries).cloned().collect();
        let last = entries.last().filter(|_| ahead.next().is_some());
        let known_to = last.map_or_else(|| bound.clone(), |last| RankBound::up_to(&last.rank));
        Ok(Page { entries, known_to })
    }

    async fn remove_entry(&self, key: &EntryKey, version: Version) -> Result<bool, PortError> {
        let mut state = self.called(Operation::RemoveEntry);
        let as_read = state.version(key) == Some(version);
        if as_read {
            state.entries.remove(key);
        }
        Ok(as_read)
    }
}

impl Ledger for MemoryPorts {
    async fn commit(&self, changes: &ChangeSet, request_token: [u8; 16]) -> Result<(), CommitError> {
        self.called(Operation::Commit).commit(changes, request_token)
    }
}

impl Matches for MemoryPorts {
    async fn read_matches(&self, ids: &[MatchId]) -> Result<Vec<MatchRecord>, PortError> {
        let state = self.called(Operation::ReadMatches);
        Ok(ids
            .iter()
            .filter_map(|id| state.matches.get(id).cloned())
            .collect())
    }
}

impl Registry for MemoryPorts {
    async fn find_principals(
        &self,
        principals: &[Principal],
    ) -> Result<Vec<(Principal, CounterpartyId)>, PortError> {
        let state = self.called(Operation::FindPrincipals);
        let find =
            |principal: &Principal| Some((principal.clone(), state.principals.get(principal)?.clone()));
        Ok(principals.iter().filter_map(find).collect())
    }

    async fn read_counterparties(&self, ids: &[CounterpartyId]) -> Result<Vec<Counterparty>, PortError> {
        let state = self.called(Operation::ReadCounterparties);
        Ok(ids
            .iter()
            .filter_map(|id| state.counterparties.get(id).cloned())
            .collect())
    }
}

impl ParameterStore for MemoryPorts {
    async fn read_parameters(&self, symbols: &[Symbol]) -> Result<Vec<MatchParameters>, PortError> {
        let state = self.called(Operation::ReadParameters);
        Ok(symbols
            .iter()
            .filter_map(|symbol| state.parameters.get(symbol).cloned())
            .collect())
    }
}

impl EpochKeyStore for MemoryPorts {
    async fn read_key(&self, epoch: EpochId) -> Result<Option<WrappedKey>, PortError> {
        Ok(self.called(Operation::ReadKey).keys.get(&epoch).cloned())
    }

    async fn put_key(&self, epoch: EpochId, key: &WrappedKey, _expires_at: i64) -> Result<bool, PortError> {
        let mut state = self.called(Operation::PutKey);
        let free = !state.keys.contains_key(&epoch);
        if free {
            state.keys.insert(epoch, key.clone());
        }
        Ok(free)
    }
}

impl KeyService for MemoryPorts {
    async fn generate_key(&self, epoch: EpochId) -> Result<WrappedKey, PortError> {
        let mut state = self.called(Operation::GenerateKey);
        state.generated += 1;
        Ok(wrap(epoch, state.generated))
    }

    async fn unwrap_key(&self, epoch: EpochId, key: &WrappedKey) -> Result<DataKey, PortError> {
        let _counted = self.called(Operation::UnwrapKey);
        unwrapped(epoch, key).ok_or_else(|| refused(Operation::UnwrapKey, "InvalidCiphertextException"))
    }
}

/// The data key in `key`, when it was wrapped for `epoch`.
pub(super) fn unwrapped(epoch: EpochId, key: &WrappedKey) -> Option<DataKey> {
    let number = u64::from_be_bytes(*key.0.first_chunk()?);
    (wrap(epoch, number) == *key).then(|| DataKey::new(digest("plaintext", epoch, number)))
}

/// Bound to its epoch as KMS binds a ciphertext to its encryption context. It hides nothing.
fn wrap(epoch: EpochId, number: u64) -> WrappedKey {
    let mut bytes = number.to_be_bytes().to_vec();
    bytes.extend_from_slice(&digest("wrapped", epoch, number));
    WrappedKey(bytes)
}

fn digest(label: &str, epoch: EpochId, number: u64) -> [u8; 32] {
    Sha256::new()
        .chain_update(label)
        .chain_update(epoch.encode())
        .chain_update(number.to_be_bytes())
        .finalize()
        .into()
}

impl Inboxes for MemoryPorts {
    async fn send_messages(
        &self,
        inbox_url: &str,
        messages: &[OutboundMessage],
    ) -> Result<Vec<usize>, PortError> {
        let mut state = self.called(Operation::SendMessages);
        let State { inboxes, .. } = &mut *state;
        let queue = inboxes
            .get_mut(inbox_url)
            .ok_or_else(|| refused(Operation::SendMessages, "AWS.SimpleQueueService.NonExistentQueue"))?;
        let (taken, left) = sort_by_length(messages, |message| message.body.len());
        queue.extend(taken.into_iter().cloned());
        Ok(left)
    }
}

impl DeadLetters for MemoryPorts {
    async fn send_dead_letters(&self, letters: &[DeadLetter]) -> Result<Vec<usize>, PortError> {
        let mut state = self.called(Operation::SendDeadLetters);
        let (taken, left) = sort_by_length(letters, |letter| letter.body.len() + letter.reason.len());
        state.dead_letters.extend(taken.into_iter().cloned());
        Ok(left)
    }
}

/// What a queue takes, and the indices of what is empty or longer than a message may be.
fn sort_by_length<T>(all: &[T], bytes: impl Fn(&T) -> usize) -> (Vec<&T>, Vec<usize>) {
    let (mut taken, mut left) = (Vec::new(), Vec::new());
    for (index, one) in all.iter().enumerate() {
        if (1..=MAX_MESSAGE_BYTES).contains(&bytes(one)) {
            taken.push(one);
        } else {
            left.push(index);
        }
    }
    (taken, left)
}

pub(super) fn refused(operation: Operation, code: &str) -> PortError {
    PortError {
        operation: operation.as_str(),
        fault: Fault::Refused,
        code: code.to_owned(),
    }
}
