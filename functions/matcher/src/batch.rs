//! The batch: admits its records, decides them lane by lane, publishes, sets aside, and answers.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use aws_lambda_events::sqs::SqsBatchResponse;
use futures::stream::{self, StreamExt};
use serde_json::Value;
use symbolon_shared::domain::decision::MadeMatch;
use symbolon_shared::domain::envelope::Origin;
use symbolon_shared::domain::identifiers::OrderKey;
use symbolon_shared::domain::reason::{Outcome, RetryReason};
use symbolon_shared::domain::submission::Submission;
use symbolon_shared::domain::time::Timestamp;
use symbolon_shared::domain::token::{EpochId, EpochKey};
use symbolon_shared::lambda::survive;
use symbolon_shared::ports::{MatcherPorts, PortError};

use crate::admission::{Opened, Senders, SetAside, Task, open};
use crate::epoch_keys::EpochKeys;
use crate::lane::{Decided, Lane, LaneEnd, LaneSurroundings};
use crate::lanes::{assign, named_by};
use crate::publication::Publisher;
use crate::record::{Record, split};
use crate::registry_cache::RegistryCache;
use crate::set_aside::set_aside;
use crate::settings::OwnRoles;
use crate::telemetry::Tally;

/// Lanes under way at once. Each is one symbol, so they share no item but by a sender's reuse of an id.
const LANES_AT_ONCE: usize = 8;

/// Messages decided and told at once, about; then the next ones. An event has at most 10,000 records, and of those
/// each that is one message is taken at once. But a member of a bundle takes two bytes: the members of one event, all
/// at once, would take more memory than the function has.
const MESSAGES_AT_ONCE: usize = 10_000;

/// Of the time that is left at the start of a batch, this share is kept for telling what was decided.
const TELLING_SHARE: i64 = 3;

/// Of that time, this much is kept to answer, in milliseconds.
const ANSWER_MILLIS: i64 = 1_000;

/// The generation of the lease under which this matcher works. Until there is a lease, one region matches: the
/// first generation.
const GENERATION: u64 = 0;

/// What a process lends its matcher: a clock and randomness.
pub struct Surroundings {
    /// The moment.
    pub clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    /// 32 unpredictable bytes.
    pub seed: Box<dyn Fn() -> [u8; 32] + Send + Sync>,
}

/// The matcher of one process.
pub struct Matcher<P> {
    ports: P,
    region: String,
    roles: OwnRoles,
    surroundings: Surroundings,
    registry: RegistryCache,
    keys: EpochKeys,
}

/// The moments of one invocation.
struct Deadlines {
    decide_until: Timestamp,
    tell_until: Timestamp,
}

impl Deadlines {
    fn of(now: Timestamp, deadline: Timestamp) -> Self {
        let left = deadline.millis_since(now).max(0);
        let tell_until = deadline.plus_millis(-ANSWER_MILLIS.min(left / 4));
        Self {
            decide_until: tell_until.plus_millis(-(left / TELLING_SHARE)),
            tell_until,
        }
    }
}

/// The submissions that a batch names, as they were read; `None` for one that does not exist.
type Stored = HashMap<OrderKey, Option<Submission>>;

/// What admission made of some records.
#[derive(Default)]
struct Admitted {
    tasks: Vec<Task>,
    asides: Vec<SetAside>,
    /// Records that go back as they are.
    given_back: BTreeMap<usize, RetryReason>,
}

impl Admitted {
    /// Admits records, in order, until there are [`MESSAGES_AT_ONCE`] messages.
    fn next_of(opened: &mut impl Iterator<Item = (usize, Opened)>, senders: &Senders) -> Option<Self> {
        let mut admitted = Self::default();
        for (index, record) in opened {
            admitted.admit(index, record, senders);
            if admitted.tasks.len() + admitted.asides.len() >= MESSAGES_AT_ONCE {
                break;
            }
        }
        (!admitted.is_empty()).then_some(admitted)
    }

    fn is_empty(&self) -> bool {
        self.tasks.is_empty() && self.asides.is_empty() && self.given_back.is_empty()
    }

    fn admit(&mut self, index: usize, record: Opened, senders: &Senders) {
        let parsed = catch_unwind(AssertUnwindSafe(|| record.admit(index, senders)));
        match parsed {
            Ok((tasks, asides)) => {
                self.tasks.extend(tasks);
                self.asides.extend(asides);
            }
            Err(_) => {
                self.given_back.insert(index, RetryReason::Panicked);
            }
        }
    }
}

impl<P: MatcherPorts> Matcher<P> {
    /// A matcher over `ports` in `region`, which opens the envelopes of `roles`.
    #[must_use]
    pub fn new(ports: P, region: String, roles: OwnRoles, surroundings: Surroundings) -> Self {
        Self {
            ports,
            region,
            roles,
            surroundings,
            registry: RegistryCache::default(),
            keys: EpochKeys::default(),
        }
    }

    /// Handles one raw SQS event, to be answered before `deadline`. Cannot fail: what could not be done is among
    /// the failed ids, and comes back.
    pub async fn handle(&self, event: Value, deadline: Timestamp) -> SqsBatchResponse {
        let mut records = split(event);
        // The last net under a panic: a record without an outcome was not processed.
        let outcomes = survive(self.process(&mut records, deadline)).await;
        answer(&records, &outcomes.unwrap_or_default())
    }

    async fn process(&self, records: &mut [Record], deadline: Timestamp) -> BTreeMap<usize, Outcome> {
        let now = self.now();
        let deadlines = Deadlines::of(now, deadline);
        let mut tally = Tally::default();
        let outcomes = if now < deadlines.decide_until {
            self.work(records, now, &deadlines, &mut tally).await
        } else {
            let late = |record| (record, Outcome::Retry(RetryReason::Deadline));
            (0..records.len()).map(late).collect()
        };
        for outcome in outcomes.values() {
            tally.count_outcome(*outcome);
        }
        tally.emit();
        outcomes
    }

    async fn work(
        &self,
        records: &mut [Record],
        now: Timestamp,
        deadlines: &Deadlines,
        tally: &mut Tally,
    ) -> BTreeMap<usize, Outcome> {
        let (opened, mut outcomes) = self.open(records, now, tally);
        let back = |(record, _): (usize, Opened), reason| (record, Outcome::Retry(reason));
        let senders = match self.identify(&opened, now).await {
            Ok(senders) => senders,
            Err(error) => {
                tracing::warn!(event = "registry_unreadable", %error);
                let all = opened.into_iter();
                outcomes.extend(all.map(|record| back(record, RetryReason::StoreUnavailable)));
                return outcomes;
            }
        };
        let mut opened = opened.into_iter();
        while let Some(admitted) = Admitted::next_of(&mut opened, &senders) {
            self.take(admitted, deadlines, tally, &mut outcomes).await;
            if opened.len() > 0 && self.now() >= deadlines.decide_until {
                outcomes.extend(opened.map(|record| back(record, RetryReason::Deadline)));
                break;
            }
        }
        outcomes
    }

    /// Decides, tells and sets aside what was admitted.
    async fn take(
        &self,
        admitted: Admitted,
        deadlines: &Deadlines,
        tally: &mut Tally,
        outcomes: &mut BTreeMap<usize, Outcome>,
    ) {
        let given_back = admitted.given_back.iter();
        outcomes.extend(given_back.map(|(record, reason)| (*record, Outcome::Retry(*reason))));
        let decided = self.decide(&admitted.tasks, deadlines, tally).await;
        for (task, end) in self.tell(decided, deadlines, tally).await {
            if let Some(task) = admitted.tasks.get(task) {
                let end = end.map_or_else(Outcome::Retry, |()| Outcome::Done);
                join(outcomes, task.record, end);
            }
        }
        // A record that comes back brings what is to be set aside of it along: one dead letter is enough.
        let comes_back = |record| matches!(outcomes.get(record), Some(Outcome::Retry(_)));
        let asides = set_aside(
            &self.ports,
            admitted.asides.iter().filter(|aside| !comes_back(&aside.record)),
            &*self.surroundings.clock,
            deadlines.tell_until,
        )
        .await;
        for (record, outcome) in asides {
            join(outcomes, record, outcome);
        }
    }

    fn now(&self) -> Timestamp {
        (self.surroundings.clock)()
    }

    /// The records out of their envelopes, in order of acceptance, equal times in order of delivery; and which go back
    /// as they are.
    fn open(
        &self,
        records: &mut [Record],
        now: Timestamp,
        tally: &mut Tally,
    ) -> (Vec<(usize, Opened)>, BTreeMap<usize, Outcome>) {
        let (mut opened, mut outcomes) = (Vec::new(), BTreeMap::new());
        for (index, record) in records.iter_mut().enumerate() {
            match record.stamped.take().filter(|_| record.message_id.is_some()) {
                Some(stamped) => {
                    let record = open(stamped, &self.roles);
                    tally.note_oldest(record.sent_at, now);
                    opened.push((index, record));
                }
                None => {
                    outcomes.insert(index, Outcome::Retry(RetryReason::Unstamped));
                }
            }
        }
        opened.sort_by_key(|(_, record)| record.sent_at);
        (opened, outcomes)
    }

    /// Everybody whom the records name as their sender, as far as the registry knows them.
    async fn identify(&self, opened: &[(usize, Opened)], now: Timestamp) -> Result<Senders, PortError> {
        let senders = self.look_up(opened, now).await?;
        let (principals, ids) = senders.disagreeing();
        if principals.is_empty() {
            return Ok(senders);
        }
        // One of the two may have been read before the other changed.
        self.registry.forget(&principals, &ids);
        self.look_up(opened, now).await
    }

    async fn look_up(&self, opened: &[(usize, Opened)], now: Timestamp) -> Result<Senders, PortError> {
        let named = opened.iter().filter_map(|(_, record)| record.principal());
        let principals = distinct(named);
        let known = self.registry.find(&self.ports, &principals, now).await?;
        let behalf = opened.iter().filter_map(|(_, record)| match &record.origin {
            Origin::OnBehalfOf(id) => Some(id.clone()),
            Origin::Sender(_) => None,
        });
        let ids = distinct(known.values().cloned().chain(behalf));
        let counterparties = self.registry.read(&self.ports, &ids, now).await?;
        Ok(Senders {
            principals: known,
            counterparties,
        })
    }

    /// Decides and writes every task. What cannot be begun goes back.
    async fn decide(&self, tasks: &[Task], deadlines: &Deadlines, tally: &mut Tally) -> LaneEnd {
        if tasks.is_empty() {
            return LaneEnd::default();
        }
        let all_back = |reason| LaneEnd {
            tasks: (0..tasks.len()).map(|task| (task, Err(reason))).collect(),
            ..LaneEnd::default()
        };
        let (key, stored) = match survive(self.begin(tasks)).await {
            Some(Ok(begun)) => begun,
            Some(Err(reason)) => return all_back(reason),
            None => return all_back(RetryReason::Panicked),
        };
        let end = self.run_lanes(tasks, stored, key, deadlines).await;
        tally.add(&end.tally);
        end
    }

    /// What every lane needs: the key of the day, and what is stored under the ids that the tasks name.
    async fn begin(&self, tasks: &[Task]) -> Result<(Arc<EpochKey>, Stored), RetryReason> {
        let key = self.current_key().await.map_err(|error| {
            tracing::error!(event = "epoch_key_unavailable", %error);
            RetryReason::KeyUnavailable
        })?;
        let stored = self.stored(tasks).await.map_err(|error| {
            tracing::warn!(event = "read_failed", %error);
            RetryReason::StoreUnavailable
        })?;
        Ok((key, stored))
    }

    async fn current_key(&self) -> Result<Arc<EpochKey>, PortError> {
        let now = self.now();
        let epoch = EpochId::new(now, GENERATION);
        let key = self.keys.current(&self.ports, epoch, now).await?;
        if let Err(error) = self.keys.provide_next(&self.ports, epoch, now).await {
            // Tomorrow's first message would make it too, only later.
            tracing::warn!(event = "next_epoch_key_not_made", %error);
        }
        Ok(key)
    }

    /// The submissions under the tasks' own and original ids.
    async fn stored(&self, tasks: &[Task]) -> Result<Stored, PortError> {
        let keys = distinct(tasks.iter().flat_map(named_by));
        Ok(self.ports.read_submissions(&keys).await?.into_iter().collect())
    }

    async fn run_lanes(
        &self,
        tasks: &[Task],
        stored: Stored,
        key: Arc<EpochKey>,
        deadlines: &Deadlines,
    ) -> LaneEnd {
        let around = LaneSurroundings {
            ports: &self.ports,
            registry: &self.registry,
            region: &self.region,
            generation: GENERATION,
            key,
            clock: &*self.surroundings.clock,
            stop_at: deadlines.decide_until,
        };
        let lanes = assign(tasks, &stored);
        let (around, stored) = (&around, &stored);
        let runs = lanes.into_values().map(|members| async move {
            let run = async {
                let known = known_to(tasks, &members, stored);
                let seed = (self.surroundings.seed)();
                Lane::new(around, tasks, &members, known, seed).run().await
            };
            // Boxed: a lane's future is large, and the batch holds several.
            let end = survive(Box::pin(run)).await;
            (members, end)
        });
        let ends: Vec<_> = stream::iter(runs).buffer_unordered(LANES_AT_ONCE).collect().await;
        let mut whole = LaneEnd::default();
        for (members, end) in ends {
            match end {
                Some(end) => {
                    whole.tasks.extend(end.tasks);
                    whole.made.extend(end.made);
                    whole.tally.add(&end.tally);
                }
                None => whole
                    .tasks
                    .extend(members.into_iter().map(|task| (task, Err(RetryReason::Panicked)))),
            }
        }
        whole
    }

    /// Publishes what was decided.
    async fn tell(
        &self,
        end: LaneEnd,
        deadlines: &Deadlines,
        tally: &mut Tally,
    ) -> BTreeMap<usize, Result<(), RetryReason>> {
        let mut ends = BTreeMap::new();
        let mut decided: BTreeMap<usize, Decided> = BTreeMap::new();
        for (task, end) in end.tasks {
            match end {
                Ok(done) => {
                    decided.insert(task, done);
                }
                Err(reason) => {
                    ends.insert(task, Err(reason));
                }
            }
        }
        let made: &[MadeMatch] = &end.made;
        let mut publisher = Publisher::new(
            &self.ports,
            &self.registry,
            &self.keys,
            &self.region,
            &*self.surroundings.clock,
            deadlines.tell_until,
            made,
        );
        ends.extend(publisher.publish(decided).await);
        tally.published += publisher.published();
        ends
    }
}

/// What was read of the submissions that a lane's tasks name.
fn known_to(tasks: &[Task], members: &[usize], stored: &Stored) -> Vec<(OrderKey, Option<Submission>)> {
    let named = members.iter().filter_map(|task| tasks.get(*task));
    named
        .flat_map(named_by)
        .filter_map(|key| stored.get(&key).map(|found| (key, found.clone())))
        .collect()
}

fn distinct<T: Ord>(all: impl Iterator<Item = T>) -> Vec<T> {
    all.collect::<BTreeSet<T>>().into_iter().collect()
}

fn join(outcomes: &mut BTreeMap<usize, Outcome>, record: usize, outcome: Outcome) {
    let whole = outcomes.entry(record).or_insert(Outcome::Done);
    *whole = whole.and(outcome);
}

/// The failed ids. A record that cannot be named makes the answer hold an empty id: then Lambda takes the whole
/// batch as failed and delivers it again, which is harmless, where silence would delete the record.
fn answer(records: &[Record], outcomes: &BTreeMap<usize, Outcome>) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    for (index, record) in records.iter().enumerate() {
        let id = record.message_id.as_deref();
        // A record that nobody gave an outcome was not processed.
        let back = !matches!(outcomes.get(&index), Some(Outcome::Done | Outcome::Reject(_)));
        if id.is_none() || back {
            response.add_failure(id.unwrap_or_default());
        }
    }
    response
}
