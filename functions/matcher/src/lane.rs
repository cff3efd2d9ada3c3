//! One lane: decides its messages one after the other, writes many decisions in one transaction, and looks again
//! for what it left in the book. Design §5, write path.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use symbolon_shared::domain::book::{BookKey, EntryKey, Rank, Version};
use symbolon_shared::domain::change_set::ChangeSet;
use symbolon_shared::domain::decision::{
    Effect, Entropy, Interruption, MadeMatch, Surroundings as DecisionSurroundings, decide, look,
};
use symbolon_shared::domain::desk::Need;
use symbolon_shared::domain::identifiers::OrderKey;
use symbolon_shared::domain::inbox::OutboundMessage;
use symbolon_shared::domain::intake::Request;
use symbolon_shared::domain::limits::{MAX_BATCH_GET_KEYS, MAX_TRANSACTION_ACTIONS};
use symbolon_shared::domain::reason::RetryReason;
use symbolon_shared::domain::submission::Submission;
use symbolon_shared::domain::time::Timestamp;
use symbolon_shared::domain::token::{EpochKey, MatchId};
use symbolon_shared::ports::{CommitError, Fault, MatcherPorts};

use crate::admission::Task;
use crate::desk_clerk::Clerk;
use crate::lanes::named_by;
use crate::registry_cache::RegistryCache;
use crate::telemetry::Tally;

/// Decisions of one message that may be lost to others before it goes back to the queue. With 32 handlers on one
/// book the chance to lose one falls with each wait; the queue's own retry is the last resort.
const MAX_TRIES: u32 = 8;

/// Expired entries that one lane removes in passing; the table's TTL takes the rest.
const MAX_REMOVALS: usize = 25;

/// What all lanes of a batch share.
pub(crate) struct LaneSurroundings<'a, P> {
    pub(crate) ports: &'a P,
    pub(crate) registry: &'a RegistryCache,
    pub(crate) region: &'a str,
    pub(crate) generation: u64,
    pub(crate) key: Arc<EpochKey>,
    pub(crate) clock: &'a (dyn Fn() -> Timestamp + Send + Sync),
    /// From here on no new decision is begun.
    pub(crate) stop_at: Timestamp,
}

/// One message, decided and written: what is left is to tell.
pub(crate) struct Decided {
    /// Its answers.
    pub(crate) answers: Vec<OutboundMessage>,
    /// The submission that answers for untold matches, with all of them.
    pub(crate) to_tell: Option<(OrderKey, Vec<MatchId>)>,
}

/// How a lane ended.
#[derive(Default)]
pub(crate) struct LaneEnd {
    /// Each task's end.
    pub(crate) tasks: BTreeMap<usize, Result<Decided, RetryReason>>,
    /// The matches that were made, and are stored.
    pub(crate) made: Vec<MadeMatch>,
    /// What happened.
    pub(crate) tally: Tally,
}

/// What is decided: a message, or what a resting order finds.
#[derive(Clone)]
enum Work {
    Arrival,
    Look(OrderKey),
}

#[derive(Clone)]
struct Item {
    task: usize,
    work: Work,
    tries: u32,
    /// The version that its order had in the book when it was decided, of a look.
    decided_at: Option<Version>,
    /// The same of an earlier try that got no answer: as long as the order has this version, that write may still come.
    unsure_at: Option<Version>,
}

impl Item {
    fn new(task: usize, work: Work) -> Self {
        Self {
            task,
            work,
            tries: 0,
            decided_at: None,
            unsure_at: None,
        }
    }

    /// Whether nobody knows what becomes of an earlier try: its order is as it was then.
    fn may_still_come(&self) -> bool {
        self.unsure_at.is_some() && self.unsure_at == self.decided_at
    }
}

/// Decisions that go into one transaction.
#[derive(Default)]
struct Group {
    changes: ChangeSet,
    members: Vec<(Item, Effect)>,
}

struct LaneEntropy(StdRng);

impl Entropy for LaneEntropy {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }
}

pub(crate) struct Lane<'a, P> {
    around: &'a LaneSurroundings<'a, P>,
    tasks: &'a [Task],
    clerk: Clerk<'a, P>,
    entropy: LaneEntropy,
    queue: VecDeque<Item>,
    /// Messages that may share a transaction: halved when one was lost, doubled when one went through.
    group_cap: usize,
    answers: BTreeMap<usize, Vec<OutboundMessage>>,
    publish: BTreeMap<usize, OrderKey>,
    given_back: BTreeMap<usize, RetryReason>,
    looks: Vec<(usize, OrderKey)>,
    expired: Vec<(EntryKey, Version)>,
    end: LaneEnd,
}

/// 10 ms, doubled with each try up to 400 ms, and up to as much again at random, drawn from `seed`.
fn wait(tries: u32, seed: u64) -> Duration {
    let longest = Duration::from_millis(400);
    let backoff = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(10))
        .with_max_delay(longest)
        .with_max_times(usize::MAX)
        .with_jitter()
        .with_jitter_seed(seed);
    backoff
        .build()
        .nth(tries.saturating_sub(1) as usize)
        .unwrap_or(longest)
}

impl<'a, P: MatcherPorts> Lane<'a, P> {
    /// A lane for the tasks `members`, in their order, with the submissions that were read for them.
    pub(crate) fn new(
        around: &'a LaneSurroundings<'a, P>,
        tasks: &'a [Task],
        members: &[usize],
        stored: Vec<(OrderKey, Option<Submission>)>,
        seed: [u8; 32],
    ) -> Self {
        let mut clerk = Clerk::new(around.ports, around.registry);
        clerk.desk.learn_submissions(stored);
        let queue = members.iter().map(|task| Item::new(*task, Work::Arrival));
        Self {
            around,
            tasks,
            clerk,
            entropy: LaneEntropy(StdRng::from_seed(seed)),
            queue: queue.collect(),
            group_cap: usize::MAX,
            answers: BTreeMap::new(),
            publish: BTreeMap::new(),
            given_back: BTreeMap::new(),
            looks: Vec::new(),
            expired: Vec::new(),
            end: LaneEnd::default(),
        }
    }

    /// Takes the lane to its end.
    pub(crate) async fn run(mut self) -> LaneEnd {
        self.expect_arrivals();
        self.drain().await;
        while !self.looks.is_empty() {
            self.begin_looks();
            self.drain().await;
        }
        self.remove_expired().await;
        self.finish().await
    }

    /// One query per book serves every interest of the lane: it goes as far as the one that looks furthest.
    fn expect_arrivals(&mut self) {
        for item in &self.queue {
            let Some(task) = self.tasks.get(item.task) else {
                continue;
            };
            if let Ok(Request::Interest(interest)) = &task.arrival.message.request {
                let side = interest.side.opposite();
                let book = BookKey {
                    symbol: interest.symbol.clone(),
                    side,
                };
                self.clerk.expect_look(book, Rank::bound(side, interest.price));
            }
        }
    }

    /// What was written is in the book now, and only a look from here on sees who came at the same time: the
    /// books are read anew, after the write.
    fn begin_looks(&mut self) {
        self.clerk.forget_books();
        let mut seen = HashSet::new();
        for (task, order) in std::mem::take(&mut self.looks) {
            if !seen.insert(order.clone()) {
                continue;
            }
            if let Ok(Some(submission)) = self.clerk.desk.submission(&order)
                && let Some(terms) = &submission.terms
            {
                let side = terms.side.opposite();
                let book = BookKey {
                    symbol: terms.symbol.clone(),
                    side,
                };
                let bound = Rank::bound(side, terms.price);
                self.clerk.expect_look(book, bound);
            }
            self.queue.push_back(Item::new(task, Work::Look(order)));
        }
    }

    /// Decides and writes until the queue is empty.
    async fn drain(&mut self) {
        while !self.queue.is_empty() {
            let group = self.gather().await;
            self.write(group).await;
        }
    }

    /// Decides messages until their transaction is full.
    async fn gather(&mut self) -> Group {
        let mut group = Group::default();
        while group.members.len() < self.group_cap {
            let Some(mut item) = self.queue.pop_front() else {
                break;
            };
            let decided = self.decide(&item).await;
            item.decided_at = self.version_in_book(&item);
            match decided {
                Err(reason) => self.give_back(&item, reason),
                Ok(effect) if group.changes.actions_with(&effect.changes) > MAX_TRANSACTION_ACTIONS => {
                    self.queue.push_front(item);
                    break;
                }
                // Somebody else changed an order between the reading of its submission and that of its book: what
                // was decided on the older reading is decided again on a new one, once the group is written.
                Ok(effect) if group.changes.contradicts(&effect.changes) => {
                    self.clerk
                        .desk
                        .forget_submissions(effect.changes.submissions.keys());
                    self.queue.push_front(item);
                    break;
                }
                // An earlier try may be on its way yet, and make a match that nobody would tell: once the record comes
                // back, it has arrived or never will.
                Ok(effect) if effect.changes.is_empty() && item.may_still_come() => {
                    self.give_back(&item, RetryReason::StoreUnavailable);
                }
                Ok(mut effect) => {
                    self.clerk.desk.apply(&effect.changes);
                    group.changes.merge(std::mem::take(&mut effect.changes));
                    group.members.push((item, effect));
                }
            }
        }
        group
    }

    /// The version that the order of a look has in the book, as far as the desk knows.
    fn version_in_book(&self, item: &Item) -> Option<Version> {
        match &item.work {
            Work::Arrival => None,
            Work::Look(order) => Some(self.clerk.desk.submission(order).ok()??.rests.as_ref()?.version),
        }
    }

    async fn decide(&mut self, item: &Item) -> Result<Effect, RetryReason> {
        loop {
            let now = (self.around.clock)();
            if now >= self.around.stop_at {
                return Err(RetryReason::Deadline);
            }
            match self.decide_once(item, now)? {
                Ok(effect) => return Ok(effect),
                Err(Interruption::Retry(reason)) => return Err(reason),
                Err(Interruption::Need(need)) => {
                    let need = self.with_what_comes_next(need);
                    self.clerk.fetch(need, now).await.map_err(|error| {
                        tracing::warn!(event = "read_failed", %error);
                        RetryReason::StoreUnavailable
                    })?;
                }
            }
        }
    }

    /// One read serves the messages that come next too: a lost group is read again at once, not message by message.
    fn with_what_comes_next(&self, need: Need) -> Need {
        let Need::Submissions(keys) = need else {
            return need;
        };
        let next = self.queue.iter().take(self.group_cap);
        let named = next.flat_map(|item| match &item.work {
            Work::Look(order) => vec![order.clone()],
            Work::Arrival => self.tasks.get(item.task).map_or_else(Vec::new, named_by),
        });
        let unknown = named.filter(|key| self.clerk.desk.submission(key).is_err());
        let mut seen = HashSet::new();
        let all = keys.into_iter().chain(unknown);
        let distinct = all.filter(|key| seen.insert(key.clone()));
        Need::Submissions(distinct.take(MAX_BATCH_GET_KEYS).collect())
    }

    /// A decision is pure, so a panic in it leaves nothing behind but this one record.
    fn decide_once(
        &mut self,
        item: &Item,
        now: Timestamp,
    ) -> Result<Result<Effect, Interruption>, RetryReason> {
        let task = self.tasks.get(item.task).ok_or(RetryReason::Panicked)?;
        let around = DecisionSurroundings {
            now,
            region: self.around.region,
            generation: self.around.generation,
            key: &self.around.key,
        };
        let (desk, entropy) = (&self.clerk.desk, &mut self.entropy);
        catch_unwind(AssertUnwindSafe(|| match &item.work {
            Work::Arrival => decide(desk, &task.arrival, &task.sender, &around, entropy),
            Work::Look(order) => look(desk, order, &task.sender, &around, entropy),
        }))
        .map_err(|_| RetryReason::Panicked)
    }

    async fn write(&mut self, group: Group) {
        let mut token = [0; 16];
        self.entropy.fill(&mut token);
        match self.around.ports.commit(&group.changes, token).await {
            Ok(()) => {
                self.group_cap = self.group_cap.saturating_mul(2);
                group
                    .members
                    .into_iter()
                    .for_each(|(item, effect)| self.accept(&item, effect));
            }
            Err(CommitError::Lost(_) | CommitError::Conflict) => {
                self.end.tally.lost_conditions += 1;
                self.retry(group, RetryReason::Contention, false).await;
            }
            Err(CommitError::Failed(error)) if error.fault == Fault::Refused && group.members.len() <= 1 => {
                tracing::error!(event = "write_refused", %error);
                self.forget(&group.changes);
                for (item, _) in &group.members {
                    self.give_back(item, RetryReason::StoreUnavailable);
                }
            }
            Err(CommitError::Failed(error)) => {
                tracing::warn!(event = "write_failed", %error);
                self.retry(group, RetryReason::StoreUnavailable, false).await;
            }
            Err(CommitError::Unknown(error)) => {
                tracing::warn!(event = "write_failed", %error);
                self.retry(group, RetryReason::StoreUnavailable, true).await;
            }
        }
    }

    fn accept(&mut self, item: &Item, effect: Effect) {
        self.end.tally.count(
            self.tasks.get(item.task),
            &effect,
            matches!(item.work, Work::Arrival),
        );
        self.answers.entry(item.task).or_default().extend(effect.answers);
        self.publish
            .extend(effect.publish.map(|order| (item.task, order)));
        self.looks.extend(effect.look.map(|order| (item.task, order)));
        self.expired.extend(effect.expired);
        self.end.made.extend(effect.made);
    }

    /// What these changes touched is read again by whoever needs it: the desk has followed them already.
    fn forget(&mut self, changes: &ChangeSet) {
        self.clerk.desk.forget_books();
        self.clerk.desk.forget_submissions(changes.submissions.keys());
    }

    /// Nothing that was decided is believed any more: what the group touched is read again, and decided again in
    /// smaller groups, a bounded number of times, after a wait that differs from everybody else's. So a message
    /// whose write is always refused ends up alone, and takes nobody along. `unsure` says that the group may have been
    /// written, or be written yet.
    async fn retry(&mut self, group: Group, reason: RetryReason, unsure: bool) {
        self.forget(&group.changes);
        self.group_cap = (group.members.len() / 2).max(1);
        let mut most = 0;
        for (item, _) in group.members.into_iter().rev() {
            let item = Item {
                tries: item.tries + 1,
                unsure_at: item.decided_at.filter(|_| unsure).or(item.unsure_at),
                ..item
            };
            most = most.max(item.tries);
            if item.tries >= MAX_TRIES {
                self.give_back(&item, reason);
            } else {
                self.queue.push_front(item);
            }
        }
        tokio::time::sleep(wait(most, self.entropy.0.next_u64())).await;
    }

    fn give_back(&mut self, item: &Item, reason: RetryReason) {
        self.given_back.entry(item.task).or_insert(reason);
    }

    /// Whoever meets an expired entry removes it. Nothing depends on it, so a failure is left to the next one.
    async fn remove_expired(&mut self) {
        let mut seen = HashSet::new();
        for (key, version) in std::mem::take(&mut self.expired).into_iter().take(MAX_REMOVALS) {
            if seen.insert(key.clone())
                && (self.around.clock)() < self.around.stop_at
                && let Err(error) = self.around.ports.remove_entry(&key, version).await
            {
                tracing::warn!(event = "expired_entry_kept", %error);
                break;
            }
        }
    }

    async fn finish(mut self) -> LaneEnd {
        let wanted: Vec<OrderKey> = self
            .publish
            .iter()
            .filter(|(task, _)| !self.given_back.contains_key(task))
            .map(|(_, order)| order.clone())
            .collect();
        // What cannot be read now is asked for again one by one, and then comes back.
        if let Err(error) = self.clerk.have_submissions(&wanted).await {
            tracing::warn!(event = "read_failed", %error);
        }
        let tasks: Vec<usize> = self
            .answers
            .keys()
            .chain(self.given_back.keys())
            .copied()
            .collect();
        for task in tasks {
            let end = match self.given_back.get(&task) {
                Some(reason) => Err(*reason),
                None => self.settle(task).await,
            };
            self.end.tasks.insert(task, end);
        }
        self.end
    }

    /// What is told is what the submission says: the desk's, which follows every write that went through and was
    /// read again after each that did not.
    async fn settle(&mut self, task: usize) -> Result<Decided, RetryReason> {
        let answers = self.answers.remove(&task).unwrap_or_default();
        let Some(order) = self.publish.get(&task).cloned() else {
            return Ok(Decided {
                answers,
                to_tell: None,
            });
        };
        match self.clerk.submission(&order).await {
            Ok(Some(submission)) => Ok(Decided {
                answers,
                to_tell: Some((order, submission.matches)),
            }),
            Ok(None) => Err(RetryReason::StoreUnavailable),
            Err(error) => {
                tracing::warn!(event = "read_failed", %error);
                Err(RetryReason::StoreUnavailable)
            }
        }
    }
}
