//! Publication: every message of the batch to its inbox, in tens, whose failed entries are read and tried again;
//! then the mark that all was told.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use futures::stream::{self, StreamExt};
use symbolon_shared::domain::counterparty::Counterparty;
use symbolon_shared::domain::decision::MadeMatch;
use symbolon_shared::domain::identifiers::{CounterpartyId, OrderKey};
use symbolon_shared::domain::inbox::{OutboundMessage, match_messages};
use symbolon_shared::domain::limits::MAX_BATCH_ENTRIES;
use symbolon_shared::domain::message_id::MessageId;
use symbolon_shared::domain::reason::RetryReason;
use symbolon_shared::domain::time::Timestamp;
use symbolon_shared::domain::token::MatchId;
use symbolon_shared::lambda::survive;
use symbolon_shared::ports::{MatcherPorts, PortError};

use crate::epoch_keys::EpochKeys;
use crate::lane::Decided;
use crate::registry_cache::RegistryCache;

/// Batch calls under way at once.
const SENDS_AT_ONCE: usize = 8;
/// Rounds in which failed entries are sent again.
const MAX_ROUNDS: usize = 4;
/// Times that a list of matches may grow while it is being told.
const MAX_TELLS: usize = 3;

/// What publication needs of its surroundings.
pub(crate) struct Publisher<'a, P> {
    pub(crate) ports: &'a P,
    pub(crate) registry: &'a RegistryCache,
    pub(crate) keys: &'a EpochKeys,
    pub(crate) region: &'a str,
    pub(crate) clock: &'a (dyn Fn() -> Timestamp + Send + Sync),
    /// From here on no new round is begun.
    pub(crate) stop_at: Timestamp,
    /// Messages of the matches that this batch made.
    messages: HashMap<MatchId, [OutboundMessage; 2]>,
    /// What has reached its queue.
    sent: HashSet<MessageId>,
}

/// A task on its way to being told.
struct Telling {
    messages: Vec<OutboundMessage>,
    to_tell: Option<(OrderKey, Vec<MatchId>)>,
}

impl<'a, P: MatcherPorts> Publisher<'a, P> {
    pub(crate) fn new(
        ports: &'a P,
        registry: &'a RegistryCache,
        keys: &'a EpochKeys,
        region: &'a str,
        clock: &'a (dyn Fn() -> Timestamp + Send + Sync),
        stop_at: Timestamp,
        made: &[MadeMatch],
    ) -> Self {
        let messages = made
            .iter()
            .map(|made| (made.record.match_id, match_messages(&made.record, &made.parties)));
        Self {
            ports,
            registry,
            keys,
            region,
            clock,
            stop_at,
            messages: messages.collect(),
            sent: HashSet::new(),
        }
    }

    /// How many messages have reached their queue.
    pub(crate) fn published(&self) -> u64 {
        self.sent.len() as u64
    }

    /// Publishes what was decided, and says which tasks are told.
    pub(crate) async fn publish(
        &mut self,
        decided: BTreeMap<usize, Decided>,
    ) -> BTreeMap<usize, Result<(), RetryReason>> {
        let mut ends = BTreeMap::new();
        let mut open: BTreeMap<usize, Telling> = decided
            .into_iter()
            .map(|(task, decided)| {
                (
                    task,
                    Telling {
                        messages: decided.answers,
                        to_tell: decided.to_tell,
                    },
                )
            })
            .collect();
        for _ in 0..MAX_TELLS {
            if open.is_empty() {
                break;
            }
            open = self.tell(open, &mut ends).await;
        }
        ends.extend(open.into_keys().map(|task| (task, Err(RetryReason::Contention))));
        ends
    }

    /// Sends everything that is open; gives back the tasks whose list of matches has grown meanwhile.
    async fn tell(
        &mut self,
        open: BTreeMap<usize, Telling>,
        ends: &mut BTreeMap<usize, Result<(), RetryReason>>,
    ) -> BTreeMap<usize, Telling> {
        let wanted = open
            .values()
            .filter_map(|telling| telling.to_tell.as_ref())
            .flat_map(|(_, ids)| ids);
        let unknown: Vec<MatchId> = wanted
            .filter(|id| !self.messages.contains_key(*id))
            .copied()
            .collect();
        if let Some(Err(error)) = survive(self.recall(&unknown)).await {
            tracing::warn!(event = "match_not_recalled", %error);
        }
        let (mut ready, mut outbox) = (Vec::new(), Vec::new());
        for (task, telling) in open {
            match self.messages_of(&telling) {
                Some(messages) => {
                    ready.push((
                        task,
                        telling,
                        messages.iter().map(|m| m.message_id).collect::<Vec<_>>(),
                    ));
                    outbox.extend(messages);
                }
                None => {
                    ends.insert(task, Err(RetryReason::StoreUnavailable));
                }
            }
        }
        self.send_all(outbox).await;
        let (told, untold): (Vec<_>, Vec<_>) = ready
            .into_iter()
            .partition(|(_, _, ids)| ids.iter().all(|id| self.sent.contains(id)));
        ends.extend(
            untold
                .into_iter()
                .map(|(task, ..)| (task, Err(RetryReason::Unpublished))),
        );
        let told = told
            .into_iter()
            .map(|(task, telling, _)| (task, telling))
            .collect();
        self.mark(told, ends).await
    }

    /// The messages of one task: its answers, then both messages of each of its matches.
    fn messages_of(&self, telling: &Telling) -> Option<Vec<OutboundMessage>> {
        let mut all = telling.messages.clone();
        for id in telling.to_tell.iter().flat_map(|(_, ids)| ids) {
            all.extend(self.messages.get(id)?.iter().cloned());
        }
        Some(all)
    }

    /// Makes the messages of stored matches: from the stored record alone, so every copy is the same.
    async fn recall(&mut self, ids: &[MatchId]) -> Result<(), PortError> {
        if ids.is_empty() {
            return Ok(());
        }
        let mut without_key = HashSet::new();
        for record in self.ports.read_matches(ids).await? {
            // A key that cannot be had holds up the matches of its day alone, and is asked for once.
            if without_key.contains(&record.key_epoch) {
                continue;
            }
            let key = match self.keys.of(self.ports, record.key_epoch).await {
                Ok(key) => key,
                Err(error) => {
                    tracing::error!(event = "epoch_key_unavailable", %error);
                    without_key.insert(record.key_epoch);
                    continue;
                }
            };
            match key.open(record.match_id, &record.parties) {
                Ok(parties) => {
                    self.messages
                        .insert(record.match_id, match_messages(&record, &parties));
                }
                Err(error) => tracing::error!(event = "match_not_opened", %error),
            }
        }
        Ok(())
    }

    /// Sends each message once, and what was not taken again, in a bounded number of rounds.
    async fn send_all(&mut self, outbox: Vec<OutboundMessage>) {
        let mut queued = HashSet::new();
        let fresh = |message: &OutboundMessage| !self.sent.contains(&message.message_id);
        let mut open: Vec<OutboundMessage> = outbox
            .into_iter()
            .filter(fresh)
            .filter(|message| queued.insert(message.message_id))
            .collect();
        let mut waits = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(50))
            .with_max_times(MAX_ROUNDS)
            .with_jitter()
            .build();
        while !open.is_empty() && (self.clock)() < self.stop_at {
            open = self.send_round(open).await;
            if !open.is_empty() {
                let Some(wait) = waits.next() else { break };
                tokio::time::sleep(wait).await;
            }
        }
    }

    /// Sends what is open, and gives back what was not taken.
    async fn send_round(&mut self, open: Vec<OutboundMessage>) -> Vec<OutboundMessage> {
        let mut recipients: Vec<CounterpartyId> = open.iter().map(|message| message.to.clone()).collect();
        recipients.sort();
        recipients.dedup();
        let known = match self.registry.read(self.ports, &recipients, (self.clock)()).await {
            Ok(known) => known,
            Err(error) => {
                tracing::warn!(event = "registry_unreadable", %error);
                return open;
            }
        };
        let (queues, mut left) = self.by_queue(open, &known);
        let mut sends = Vec::new();
        for (url, all) in &queues {
            sends.extend(all.chunks(MAX_BATCH_ENTRIES).map(|ten| self.send_batch(url, ten)));
        }
        let answers: Vec<_> = stream::iter(sends)
            .buffer_unordered(SENDS_AT_ONCE)
            .collect()
            .await;
        for (ten, failed) in answers {
            for (index, message) in ten.iter().enumerate() {
                if failed.contains(&index) {
                    left.push(message.clone());
                } else {
                    self.sent.insert(message.message_id);
                    note_published(message);
                }
            }
        }
        left
    }

    /// One batch call: what was sent, and the indices of what was not taken.
    async fn send_batch<'m>(
        &self,
        url: &str,
        ten: &'m [OutboundMessage],
    ) -> (&'m [OutboundMessage], Vec<usize>) {
        let none_taken = || (0..ten.len()).collect();
        let failed = match survive(self.ports.send_messages(url, ten)).await {
            Some(Ok(failed)) => failed,
            Some(Err(error)) => {
                tracing::warn!(event = "publish_failed", %error);
                none_taken()
            }
            None => none_taken(),
        };
        (ten, failed)
    }

    /// Sorts messages by the inbox queue of their recipient in this region; those without one are left.
    fn by_queue(
        &self,
        open: Vec<OutboundMessage>,
        known: &HashMap<CounterpartyId, Arc<Counterparty>>,
    ) -> (BTreeMap<String, Vec<OutboundMessage>>, Vec<OutboundMessage>) {
        let (mut queues, mut left) = (BTreeMap::<String, Vec<OutboundMessage>>::new(), Vec::new());
        for message in open {
            match known
                .get(&message.to)
                .and_then(|counterparty| counterparty.inboxes.get(self.region))
            {
                Some(url) => queues.entry(url.clone()).or_default().push(message),
                None => left.push(message),
            }
        }
        (queues, left)
    }

    /// Sets `toldAt` where there are matches; a list that has grown is read again and told again.
    async fn mark(
        &self,
        told: Vec<(usize, Telling)>,
        ends: &mut BTreeMap<usize, Result<(), RetryReason>>,
    ) -> BTreeMap<usize, Telling> {
        let marks = told
            .into_iter()
            .map(|(task, telling)| async move { (task, survive(self.mark_one(telling)).await) });
        let marked: Vec<_> = stream::iter(marks)
            .buffer_unordered(SENDS_AT_ONCE)
            .collect()
            .await;
        let mut grown = BTreeMap::new();
        for (task, mark) in marked {
            match mark {
                Some(Ok(None)) => {
                    ends.insert(task, Ok(()));
                }
                Some(Ok(Some(telling))) => {
                    grown.insert(task, telling);
                }
                Some(Err(error)) => {
                    tracing::warn!(event = "told_not_marked", %error);
                    ends.insert(task, Err(RetryReason::StoreUnavailable));
                }
                None => {
                    ends.insert(task, Err(RetryReason::Panicked));
                }
            }
        }
        grown
    }

    async fn mark_one(&self, telling: Telling) -> Result<Option<Telling>, PortError> {
        let Some((order, matches)) = telling.to_tell else {
            return Ok(None);
        };
        if self.ports.mark_told(&order, &matches, (self.clock)()).await? {
            return Ok(None);
        }
        let stored = self
            .ports
            .read_submissions(std::slice::from_ref(&order))
            .await?
            .pop();
        let matches = stored
            .and_then(|(_, submission)| submission)
            .map(|submission| submission.matches);
        let to_tell = matches
            .filter(|matches| !matches.is_empty())
            .map(|matches| (order, matches));
        Ok(Some(Telling {
            messages: telling.messages,
            to_tell,
        }))
    }
}

/// The id of a match's message holds its token, which nobody can guess. Every other id is a plain hash over an owner,
/// its `clOrdId` and a body: whoever has a guess at those could try it on the log, so there it is left out.
fn note_published(message: &OutboundMessage) {
    let message_id = (message.kind == "match").then(|| message.message_id.encode());
    tracing::info!(
        event = "message_published",
        message_type = message.kind,
        message_id
    );
}
