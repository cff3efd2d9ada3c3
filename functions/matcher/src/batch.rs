//! The batch: admits its records, decides them lane by lane, publishes, sets aside, and answers.

use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use aws_lambda_events::sqs::SqsBatchResponse;
use futures::FutureExt;
use futures::stream::{self, StreamExt};
use serde_json::Value;
use symbolon_shared::domain::counterparty::Counterparty;
use symbolon_shared::domain::decision::MadeMatch;
use symbolon_shared::domain::envelope::Origin;
use symbolon_shared::domain::identifiers::{CounterpartyId, OrderKey, Principal};
use symbolon_shared::domain::reason::{Outcome, RetryReason};
use symbolon_shared::domain::submission::Submission;
use symbolon_shared::domain::time::Timestamp;
use symbolon_shared::domain::token::{EpochId, EpochKey};
use symbolon_shared::ports::{MatcherPorts, PortError};

use crate::admission::{Opened, SetAside, Task, open};
use crate::epoch_keys::EpochKeys;
use crate::lane::{Decided, Lane, LaneEnd, LaneSurroundings};
use crate::lanes::{assign, originals};
use crate::publication::Publisher;
use crate::record::{Record, split};
use crate::registry_cache::RegistryCache;
use crate::set_aside::set_aside;
use crate::settings::OwnRoles;
use crate::telemetry::Tally;

/// Lanes under way at once. Each is one symbol, so they share no item but by a sender's reuse of an id.
const LANES_AT_ONCE: usize = 8;

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

/// What admission made of a batch.
#[derive(Default)]
struct Admitted {
    tasks: Vec<Task>,
    asides: Vec<SetAside>,
    /// Records that go back as they are.
    given_back: BTreeMap<usize, RetryReason>,
}

impl Admitted {
    fn admit(
        &mut self,
        index: usize,
        record: Opened,
        principals: &HashMap<Principal, CounterpartyId>,
        counterparties: &HashMap<CounterpartyId, Arc<Counterparty>>,
    ) {
        let parsed = catch_unwind(AssertUnwindSafe(|| {
            record.admit(index, principals, counterparties)
        }));
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
        let now = self.now();
        let deadlines = Deadlines::of(now, deadline);
        let mut records = split(event);
        let mut tally = Tally::default();
        let admitted = self.admit(&mut records, now, &mut tally).await;
        let mut outcomes: BTreeMap<usize, Outcome> = admitted
            .given_back
            .iter()
            .map(|(record, reason)| (*record, Outcome::Retry(*reason)))
            .collect();
        let decided = self.decide(&admitted.tasks, &deadlines, &mut tally).await;
        for (task, end) in self.tell(decided, &deadlines, &mut tally).await {
            if let Some(task) = admitted.tasks.get(task) {
                join(
                    &mut outcomes,
                    task.record,
                    end.map_or_else(Outcome::Retry, |()| Outcome::Done),
                );
            }
        }
        let asides = set_aside(
            &self.ports,
            &admitted.asides,
            &*self.surroundings.clock,
            deadlines.tell_until,
        )
        .await;
        for (record, outcome) in asides {
            join(&mut outcomes, record, outcome);
        }
        for outcome in outcomes.values() {
            tally.count_outcome(*outcome);
        }
        tally.emit();
        answer(&records, &outcomes)
    }

    fn now(&self) -> Timestamp {
        (self.surroundings.clock)()
    }

    /// Authenticates every record and takes its messages apart.
    async fn admit(&self, records: &mut [Record], now: Timestamp, tally: &mut Tally) -> Admitted {
        let mut admitted = Admitted::default();
        let mut opened = Vec::new();
        for (index, record) in records.iter_mut().enumerate() {
            match record.stamped.take().filter(|_| record.message_id.is_some()) {
                Some(stamped) => {
                    let record = open(stamped, &self.roles);
                    tally.note_oldest(record.sent_at, now);
                    opened.push((index, record));
                }
                None => {
                    admitted.given_back.insert(index, RetryReason::Unstamped);
                }
            }
        }
        match self.identify(&opened, now).await {
            Ok((principals, counterparties)) => {
                for (index, record) in opened {
                    admitted.admit(index, record, &principals, &counterparties);
                }
            }
            Err(error) => {
                tracing::warn!(event = "registry_unreadable", %error);
                let all = opened
                    .into_iter()
                    .map(|(index, _)| (index, RetryReason::StoreUnavailable));
                admitted.given_back.extend(all);
            }
        }
        admitted
    }

    /// Everybody whom the records name as their sender, as far as the registry knows them.
    async fn identify(
        &self,
        opened: &[(usize, Opened)],
        now: Timestamp,
    ) -> Result<
        (
            HashMap<Principal, CounterpartyId>,
            HashMap<CounterpartyId, Arc<Counterparty>>,
        ),
        PortError,
    > {
        let mut principals: Vec<Principal> = opened
            .iter()
            .filter_map(|(_, record)| record.principal())
            .collect();
        principals.sort();
        principals.dedup();
        let known = self.registry.find(&self.ports, &principals, now).await?;
        let behalf = opened.iter().filter_map(|(_, record)| match &record.origin {
            Origin::OnBehalfOf(id) => Some(id.clone()),
            Origin::Sender(_) => None,
        });
        let mut ids: Vec<CounterpartyId> = known.values().cloned().chain(behalf).collect();
        ids.sort();
        ids.dedup();
        let counterparties = self.registry.read(&self.ports, &ids, now).await?;
        Ok((known, counterparties))
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
        let key = match self.current_key().await {
            Ok(key) => key,
            Err(error) => {
                tracing::error!(event = "epoch_key_unavailable", %error);
                return all_back(RetryReason::KeyUnavailable);
            }
        };
        let stored = match self.stored(tasks).await {
            Ok(stored) => stored,
            Err(error) => {
                tracing::warn!(event = "read_failed", %error);
                return all_back(RetryReason::StoreUnavailable);
            }
        };
        let end = self.run_lanes(tasks, stored, key, deadlines).await;
        tally.add(&end.tally);
        end
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
    async fn stored(&self, tasks: &[Task]) -> Result<HashMap<OrderKey, Option<Submission>>, PortError> {
        let own = tasks.iter().map(|task| task.arrival.order.clone());
        let mut keys: Vec<OrderKey> = own.chain(originals(tasks)).collect();
        keys.sort();
        keys.dedup();
        Ok(self.ports.read_submissions(&keys).await?.into_iter().collect())
    }

    async fn run_lanes(
        &self,
        tasks: &[Task],
        stored: HashMap<OrderKey, Option<Submission>>,
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
        let runs = lanes.into_values().map(|members| {
            let named = members.iter().filter_map(|task| tasks.get(*task));
            let wanted = named.flat_map(|task| {
                originals(std::slice::from_ref(task))
                    .chain([task.arrival.order.clone()])
                    .collect::<Vec<_>>()
            });
            let known = wanted
                .filter_map(|key| stored.get(&key).map(|found| (key, found.clone())))
                .collect();
            let lane = Lane::new(&around, tasks, &members, known, (self.surroundings.seed)());
            // Boxed: a lane's future is large, and the batch holds several.
            async move {
                (
                    members,
                    AssertUnwindSafe(Box::pin(lane.run())).catch_unwind().await,
                )
            }
        });
        let ends: Vec<_> = stream::iter(runs).buffer_unordered(LANES_AT_ONCE).collect().await;
        let mut whole = LaneEnd::default();
        for (members, end) in ends {
            match end {
                Ok(end) => {
                    whole.tasks.extend(end.tasks);
                    whole.made.extend(end.made);
                    whole.tally.add(&end.tally);
                }
                Err(_) => whole
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
        tally.published = publisher.published();
        ends
    }
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
