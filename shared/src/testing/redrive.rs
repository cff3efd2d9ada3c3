//! The redrive's ports in memory: queues with the stamps and the visibility of SQS, a bucket, consumers, a bus.

mod unlucky;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use unlucky::{Mishap, Unlucky};

use super::MemoryPorts;
use crate::domain::counterparty::Counterparty;
use crate::domain::identifiers::{CounterpartyId, OrderKey, Principal};
use crate::domain::limits::{MAX_BATCH_ENTRIES, MAX_MESSAGE_BYTES};
use crate::domain::redrive::{Announcement, Consumer, LetterAsRead, Recent};
use crate::domain::submission::Submission;
use crate::domain::time::Timestamp;
use crate::ports::redrive::{
    Consumers, DeadLetterQueue, Outcomes, PutOnce, Quarantine, QuarantineShelf, Receipt, Received,
    RedriveAnnouncer, SourceQueue,
};
use crate::ports::{Fault, PortError, Registry, Submissions as _};

/// Names that one listing gives at most, so that few of them are more than a page.
const PAGE: usize = 3;

/// Queues, a bucket, consumers and a bus, beside the tables of a [`MemoryPorts`]. A clone shares what it holds. It has a
/// clock of its own, which stands until it is moved.
#[derive(Clone)]
pub struct MemoryRedrive {
    state: Arc<Mutex<State>>,
    tables: MemoryPorts,
}

struct State {
    now: Timestamp,
    /// `SenderId` of what is sent back.
    sender: String,
    queues: BTreeMap<String, Vec<Message>>,
    receipts: u64,
    consumers: BTreeMap<String, Consumer>,
    objects: BTreeMap<String, Vec<u8>>,
    announced: Vec<Announcement>,
}

struct Message {
    letter: LetterAsRead,
    receives: u32,
    first_received_at: Option<Timestamp>,
    visible_at: Timestamp,
    /// Names its last receive.
    receipt: Option<u64>,
}

impl MemoryRedrive {
    /// No queue and an empty bucket beside `tables`; what is sent back bears `sender` as its `SenderId`.
    #[must_use]
    pub fn new(tables: MemoryPorts, sender: &str, now: Timestamp) -> Self {
        let state = State {
            now,
            sender: sender.to_owned(),
            queues: BTreeMap::new(),
            receipts: 0,
            consumers: BTreeMap::new(),
            objects: BTreeMap::new(),
            announced: Vec::new(),
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            tables,
        }
    }

    /// The tables.
    #[must_use]
    pub fn tables(&self) -> &MemoryPorts {
        &self.tables
    }

    /// The moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.state().now
    }

    /// Moves the clock on.
    pub fn advance(&self, millis: i64) {
        let mut state = self.state();
        state.now = state.now.plus_millis(millis);
    }

    /// Makes a queue, or leaves it as it is.
    pub fn create_queue(&self, url: &str) {
        self.state().queues.entry(url.to_owned()).or_default();
    }

    /// Puts a message on a queue as it is, stamps and all.
    pub fn put_letter(&self, url: &str, letter: LetterAsRead) {
        self.state().put(url, letter);
    }

    /// Every message of a queue, in hand or not, in the order in which they came.
    #[must_use]
    pub fn letters(&self, url: &str) -> Vec<LetterAsRead> {
        let state = self.state();
        let messages = state.queues.get(url).into_iter().flatten();
        messages.map(Message::as_read).collect()
    }

    /// Takes everything off a queue.
    pub fn take_letters(&self, url: &str) -> Vec<LetterAsRead> {
        let mut state = self.state();
        let messages = state.queues.get_mut(url).map(std::mem::take);
        messages.iter().flatten().map(Message::as_read).collect()
    }

    /// What is seen of a function that consumes queues.
    pub fn set_consumer(&self, function: &str, consumer: Consumer) {
        self.state().consumers.insert(function.to_owned(), consumer);
    }

    /// Every object of the quarantine, by its name.
    #[must_use]
    pub fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        self.state().objects.clone()
    }

    /// Puts an object, whatever was there.
    pub fn put_object(&self, name: &str, body: Vec<u8>) {
        self.state().objects.insert(name.to_owned(), body);
    }

    /// What was announced so far.
    #[must_use]
    pub fn announced(&self) -> Vec<Announcement> {
        self.state().announced.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn put(&mut self, url: &str, letter: LetterAsRead) {
        let message = Message {
            receives: letter
                .receives
                .as_deref()
                .and_then(|n| n.parse().ok())
                .unwrap_or(0),
            first_received_at: None,
            visible_at: self.now,
            receipt: None,
            letter,
        };
        self.queues.entry(url.to_owned()).or_default().push(message);
    }

    fn queue(&mut self, url: &str, operation: &'static str) -> Result<&mut Vec<Message>, PortError> {
        let queue = self.queues.get_mut(url);
        queue.ok_or_else(|| refused(operation, "AWS.SimpleQueueService.NonExistentQueue"))
    }
}

impl Message {
    fn as_read(&self) -> LetterAsRead {
        let first = self.first_received_at.map(|at| at.as_millis().to_string());
        LetterAsRead {
            receives: Some(self.receives.to_string()),
            first_received_at: first.or_else(|| self.letter.first_received_at.clone()),
            ..self.letter.clone()
        }
    }

    fn receive(&mut self, receipt: u64, now: Timestamp, visible_at: Timestamp) -> Received {
        self.receives += 1;
        self.first_received_at.get_or_insert(now);
        self.visible_at = visible_at;
        self.receipt = Some(receipt);
        Received {
            receipt: Receipt(receipt.to_string()),
            letter: self.as_read(),
        }
    }

    fn is_named(&self, receipt: &Receipt) -> bool {
        self.receipt.is_some_and(|last| last.to_string() == receipt.0)
    }
}

fn refused(operation: &'static str, code: &str) -> PortError {
    PortError {
        operation,
        fault: Fault::Refused,
        code: code.to_owned(),
    }
}

impl DeadLetterQueue for MemoryRedrive {
    async fn receive_letters(
        &self,
        queue_url: &str,
        visible_after_seconds: u32,
    ) -> Result<Vec<Received>, PortError> {
        let mut state = self.state();
        let (now, first) = (state.now, state.receipts + 1);
        let visible_at = now.plus_millis(i64::from(visible_after_seconds) * 1_000);
        let queue = state.queue(queue_url, "receive_letters")?.iter_mut();
        let visible = queue.filter(|message| message.visible_at <= now);
        let received: Vec<Received> = (first..)
            .zip(visible.take(MAX_BATCH_ENTRIES))
            .map(|(receipt, message)| message.receive(receipt, now, visible_at))
            .collect();
        state.receipts += received.len() as u64;
        Ok(received)
    }

    /// Like SQS, it calls a deletion done that has a receipt of an earlier receive, and may not do it: here it never
    /// does.
    async fn delete_letters(&self, queue_url: &str, receipts: &[Receipt]) -> Result<Vec<usize>, PortError> {
        let mut state = self.state();
        let queue = state.queue(queue_url, "delete_letters")?;
        queue.retain(|message| !receipts.iter().any(|receipt| message.is_named(receipt)));
        Ok(Vec::new())
    }

    async fn release_letters(&self, queue_url: &str, receipts: &[Receipt]) -> Result<Vec<usize>, PortError> {
        let mut state = self.state();
        let now = state.now;
        let queue = state.queue(queue_url, "release_letters")?;
        let mut left = Vec::new();
        for (index, receipt) in receipts.iter().enumerate() {
            match queue.iter_mut().find(|message| message.is_named(receipt)) {
                Some(message) => message.visible_at = now,
                None => left.push(index),
            }
        }
        Ok(left)
    }
}

impl SourceQueue for MemoryRedrive {
    async fn send_back(&self, queue_url: &str, envelopes: &[String]) -> Result<Vec<usize>, PortError> {
        let mut state = self.state();
        state.queue(queue_url, "send_back")?;
        let (sender, sent_at) = (state.sender.clone(), state.now.as_millis().to_string());
        let mut left = Vec::new();
        for (index, body) in envelopes.iter().enumerate() {
            if !(1..=MAX_MESSAGE_BYTES).contains(&body.len()) {
                left.push(index);
                continue;
            }
            let letter = LetterAsRead {
                body: body.clone(),
                sender: Some(sender.clone()),
                sent_at: Some(sent_at.clone()),
                ..LetterAsRead::default()
            };
            state.put(queue_url, letter);
        }
        Ok(left)
    }
}

impl Consumers for MemoryRedrive {
    async fn is_enabled(&self, function: &str, _queue_url: &str) -> Result<Option<bool>, PortError> {
        let state = self.state();
        let consumer = state.consumers.get(function);
        Ok(consumer.and_then(|consumer| consumer.enabled))
    }

    async fn recent(&self, function: &str, _now: Timestamp) -> Result<Recent, PortError> {
        let state = self.state();
        let consumer = state.consumers.get(function);
        let recent = consumer.and_then(|consumer| consumer.recent);
        recent.ok_or_else(|| refused("recent", "AccessDenied"))
    }
}

impl Outcomes for MemoryRedrive {
    async fn read_outcomes(
        &self,
        keys: &[OrderKey],
    ) -> Result<Vec<(OrderKey, Option<Submission>)>, PortError> {
        self.tables.read_submissions(keys).await
    }
}

impl Registry for MemoryRedrive {
    async fn find_principals(
        &self,
        principals: &[Principal],
    ) -> Result<Vec<(Principal, CounterpartyId)>, PortError> {
        self.tables.find_principals(principals).await
    }

    async fn read_counterparties(&self, ids: &[CounterpartyId]) -> Result<Vec<Counterparty>, PortError> {
        self.tables.read_counterparties(ids).await
    }
}

impl Quarantine for MemoryRedrive {
    async fn put_quarantined(&self, name: &str, body: &[u8]) -> Result<PutOnce, PortError> {
        let mut state = self.state();
        if state.objects.contains_key(name) {
            return Ok(PutOnce::Exists);
        }
        state.objects.insert(name.to_owned(), body.to_vec());
        Ok(PutOnce::Done)
    }

    async fn read_quarantined(&self, name: &str) -> Result<Option<Vec<u8>>, PortError> {
        Ok(self.state().objects.get(name).cloned())
    }
}

impl QuarantineShelf for MemoryRedrive {
    async fn list_quarantined(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>, PortError> {
        let state = self.state();
        let names = state.objects.keys().filter(|name| name.starts_with(prefix));
        let later = names.filter(|name| after.is_none_or(|after| name.as_str() > after));
        Ok(later.take(PAGE).cloned().collect())
    }

    async fn remove_quarantined(&self, name: &str) -> Result<(), PortError> {
        self.state().objects.remove(name);
        Ok(())
    }
}

impl RedriveAnnouncer for MemoryRedrive {
    async fn announce_redrive(&self, announcements: &[Announcement]) -> Result<(), PortError> {
        self.state().announced.extend_from_slice(announcements);
        Ok(())
    }
}
