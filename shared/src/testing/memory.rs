//! Every port in memory, under the conditions of the tables and queues.

mod admin;
mod arrange;
mod evidence;
mod ledger;
mod ports;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Operation;
use crate::domain::book::{BookKey, Entry, EntryKey};
use crate::domain::change_set::ChangeSet;
use crate::domain::counterparty::Counterparty;
use crate::domain::identifiers::{CounterpartyId, OrderKey, Principal, Symbol};
use crate::domain::inbox::OutboundMessage;
use crate::domain::limits::BOOK_PAGE_ENTRIES;
use crate::domain::match_record::MatchRecord;
use crate::domain::parameters::MatchParameters;
use crate::domain::submission::Submission;
use crate::domain::token::{EpochId, MatchId};
use crate::onboarding::InboxQueue;
use crate::ports::{DeadLetter, WrappedKey};
use crate::records::ReservationRecord;

/// Every port in memory. A clone shares what it holds, as two clients of one table do.
///
/// It has no clock, so it never forgets a request token or an expired item; tables may forget both only after
/// the time that the callers count on.
#[derive(Clone)]
pub struct MemoryPorts {
    state: Arc<Mutex<State>>,
    page_entries: usize,
}

#[derive(Default)]
struct State {
    submissions: BTreeMap<OrderKey, Submission>,
    entries: BTreeMap<EntryKey, Entry>,
    matches: BTreeMap<MatchId, MatchRecord>,
    /// What each request token wrote.
    written: HashMap<[u8; 16], ChangeSet>,
    principals: BTreeMap<Principal, CounterpartyId>,
    counterparties: BTreeMap<CounterpartyId, Counterparty>,
    reservations: BTreeMap<Principal, ReservationRecord>,
    parameters: BTreeMap<Symbol, MatchParameters>,
    keys: BTreeMap<EpochId, WrappedKey>,
    /// How many data keys were made: each is another.
    generated: u64,
    inboxes: BTreeMap<String, Vec<OutboundMessage>>,
    /// What onboarding made of the inboxes.
    queues: BTreeMap<String, InboxQueue>,
    dead_letters: Vec<DeadLetter>,
    calls: BTreeMap<Operation, u64>,
}

impl Default for MemoryPorts {
    fn default() -> Self {
        Self {
            state: Arc::default(),
            page_entries: usize::try_from(BOOK_PAGE_ENTRIES).unwrap_or(usize::MAX),
        }
    }
}

impl MemoryPorts {
    /// Empty tables and no queue.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with shorter pages, so that a small book has many; at least one entry each.
    #[must_use]
    pub fn with_page_entries(mut self, entries: usize) -> Self {
        self.page_entries = entries.max(1);
        self
    }

    /// Registers a counterparty under its principal, or changes what is registered of it, and makes its inbox
    /// queues.
    pub fn put_counterparty(&self, counterparty: Counterparty) {
        let mut state = self.state();
        for url in counterparty.inboxes.values() {
            state.inboxes.entry(url.clone()).or_default();
        }
        state
            .principals
            .insert(counterparty.principal.clone(), counterparty.id.clone());
        state.counterparties.insert(counterparty.id.clone(), counterparty);
    }

    /// Sets the parameters of a symbol.
    pub fn put_parameters(&self, parameters: MatchParameters) {
        self.state()
            .parameters
            .insert(parameters.symbol.clone(), parameters);
    }

    /// Makes an inbox queue that belongs to nobody.
    pub fn create_queue(&self, url: impl Into<String>) {
        self.state().inboxes.entry(url.into()).or_default();
    }

    /// The submission under `key`.
    #[must_use]
    pub fn submission(&self, key: &OrderKey) -> Option<Submission> {
        self.state().submissions.get(key).cloned()
    }

    /// Every submission, by its key.
    #[must_use]
    pub fn submissions(&self) -> Vec<Submission> {
        self.state().submissions.values().cloned().collect()
    }

    /// Every book entry: book by book, best first.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        self.state().entries.values().cloned().collect()
    }

    /// The entries of one book, best first.
    #[must_use]
    pub fn book(&self, book: &BookKey) -> Vec<Entry> {
        let of_book = |entry: &&Entry| entry.book == *book;
        self.state().entries.values().filter(of_book).cloned().collect()
    }

    /// Every match, by its id.
    #[must_use]
    pub fn matches(&self) -> Vec<MatchRecord> {
        self.state().matches.values().cloned().collect()
    }

    /// What was sent to one inbox, copies included, in the order of sending.
    #[must_use]
    pub fn inbox(&self, url: &str) -> Vec<OutboundMessage> {
        self.state().inboxes.get(url).cloned().unwrap_or_default()
    }

    /// What was sent to every inbox, by its URL.
    #[must_use]
    pub fn inboxes(&self) -> BTreeMap<String, Vec<OutboundMessage>> {
        self.state().inboxes.clone()
    }

    /// Every dead letter, in the order of sending.
    #[must_use]
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        self.state().dead_letters.clone()
    }

    /// Every counterparty, by its id.
    #[must_use]
    pub fn counterparties(&self) -> Vec<Counterparty> {
        self.state().counterparties.values().cloned().collect()
    }

    /// The inbox queues that onboarding made, by their URL.
    #[must_use]
    pub fn queues(&self) -> BTreeMap<String, InboxQueue> {
        self.state().queues.clone()
    }

    /// The epochs that have a key.
    #[must_use]
    pub fn epochs(&self) -> Vec<EpochId> {
        self.state().keys.keys().copied().collect()
    }

    /// How often an operation was called.
    #[must_use]
    pub fn calls(&self, operation: Operation) -> u64 {
        self.state().calls.get(&operation).copied().unwrap_or_default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A test that panicked elsewhere has left whole items behind: every change is one assignment.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state, for one call of `operation`.
    fn called(&self, operation: Operation) -> MutexGuard<'_, State> {
        let mut state = self.state();
        *state.calls.entry(operation).or_default() += 1;
        state
    }
}
