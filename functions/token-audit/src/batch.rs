//! The batch: parses its records, finds out about their epochs, appends chain by chain, and answers.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use aws_lambda_events::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};
use futures::stream::{self, StreamExt};
use serde_json::Value;
use symbolon_shared::domain::audit::{CHAINS, Chain, LogRegion, Observation};
use symbolon_shared::domain::time::Timestamp;
use symbolon_shared::domain::token::EpochId;
use symbolon_shared::lambda::survive;
use symbolon_shared::ports::audit::AuditPorts;

use crate::chain::{ChainLog, Observed};
use crate::record::{Record, split};
use crate::telemetry::Tally;

/// Epochs asked for at once. A batch has one or two of them.
const EPOCHS_AT_ONCE: usize = 8;

/// How long an epoch may be unknown: in the other region a match may be replicated before the epoch that it names.
const EPOCH_MAY_LAG_MILLIS: i64 = 60_000;

/// Of the time that an invocation has, this much is kept to answer.
const ANSWER_MILLIS: i64 = 1_000;

/// What a process lends its audit: a clock.
pub struct Surroundings {
    /// The moment.
    pub clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
}

/// The token audit of one process.
pub struct TokenAudit<P> {
    ports: P,
    surroundings: Surroundings,
    /// One writer each: what is remembered of a chain is one batch's at a time.
    chains: BTreeMap<Chain, tokio::sync::Mutex<ChainLog>>,
    /// Epochs that have a key: that never changes.
    epochs: Mutex<HashSet<EpochId>>,
}

/// What is known of an epoch.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Epoch {
    Known,
    Unknown,
    NotRead,
}

/// Records of one chain, by their place in the batch.
type Lane = Vec<(usize, Observed)>;

impl<P: AuditPorts> TokenAudit<P> {
    /// The audit that writes the log of `region`.
    #[must_use]
    pub fn new(ports: P, region: &LogRegion, surroundings: Surroundings) -> Self {
        let chain = |chain| {
            (
                chain,
                tokio::sync::Mutex::new(ChainLog::new(region.clone(), chain)),
            )
        };
        Self {
            ports,
            surroundings,
            chains: Chain::all().map(chain).collect(),
            epochs: Mutex::default(),
        }
    }

    pub(crate) fn ports(&self) -> &P {
        &self.ports
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.surroundings.clock)()
    }

    /// Logs a batch. The answer names the first record that was not logged: the stream goes on from there, and what
    /// was logged after it comes again as a duplicate.
    pub async fn handle(&self, event: Value, deadline: Timestamp) -> DynamoDbEventResponse {
        let until = deadline.plus_millis(-ANSWER_MILLIS);
        let mut records = split(event);
        let epochs = self.epochs(&records).await;
        let mut failed: Vec<bool> = records
            .iter()
            .map(|record| record.observation.is_none())
            .collect();
        let lanes = self.lanes(&mut records, &epochs, &mut failed);
        let mut tally = Tally::default();
        // Collected first: closures over a stream of borrows are not general enough for a future that moves threads.
        let work: Vec<_> = lanes
            .iter()
            .filter_map(|(chain, lane)| Some(self.append(self.chains.get(chain)?, lane, until)))
            .collect();
        let appended: Vec<_> = stream::iter(work)
            .buffer_unordered(usize::from(CHAINS))
            .collect()
            .await;
        for (of_lane, given_back) in appended {
            tally.add(of_lane);
            for index in given_back {
                failed[index] = true;
            }
        }
        tally.given_back = failed.iter().filter(|failed| **failed).count() as u64;
        self.announce(&mut tally).await;
        tally.emit();
        answer(&records, &failed)
    }

    /// Sorts the records into their chains, in the order of the batch. A chain ends before its first record that
    /// cannot be logged yet: what happens to a match is logged in the order in which it happened.
    fn lanes(
        &self,
        records: &mut [Record],
        epochs: &HashMap<EpochId, Epoch>,
        failed: &mut [bool],
    ) -> BTreeMap<Chain, Lane> {
        let now = (self.surroundings.clock)();
        let (mut lanes, mut ended) = (BTreeMap::<Chain, Lane>::new(), HashSet::new());
        for (index, record) in records.iter_mut().enumerate() {
            let Some(observation) = record.observation.take() else {
                continue;
            };
            let chain = observation.chain();
            let epoch = epoch_of(&observation).and_then(|epoch| epochs.get(&epoch).copied());
            let young = now.millis_since(observation.recorded_at) < EPOCH_MAY_LAG_MILLIS;
            let wait = match epoch {
                Some(Epoch::NotRead) => true,
                Some(Epoch::Unknown) => young,
                Some(Epoch::Known) | None => false,
            };
            if wait || ended.contains(&chain) {
                ended.insert(chain);
                failed[index] = true;
                continue;
            }
            let epoch_has_key = epoch == Some(Epoch::Known);
            lanes.entry(chain).or_default().push((
                index,
                Observed {
                    observation,
                    epoch_has_key,
                },
            ));
        }
        lanes
    }

    /// Says what happened on the event bus. What is not taken there was said in the log lines, and gives nothing back:
    /// a batch that comes again is a duplicate, and has nothing to say.
    async fn announce(&self, tally: &mut Tally) {
        let announcements = std::mem::take(&mut tally.announcements);
        if announcements.is_empty() {
            return;
        }
        match survive(self.ports.announce(&announcements)).await {
            Some(Ok(())) => return,
            Some(Err(error)) => tracing::warn!(event = "not_announced", reason = %error),
            None => {}
        }
        tally.unannounced = announcements.len() as u64;
    }

    async fn append(
        &self,
        log: &tokio::sync::Mutex<ChainLog>,
        lane: &Lane,
        until: Timestamp,
    ) -> (Tally, Vec<usize>) {
        let mut tally = Tally::default();
        let in_time = || (self.surroundings.clock)() < until;
        let observed: Vec<&Observed> = lane.iter().map(|(_, observed)| observed).collect();
        let work = async {
            let mut log = log.lock().await;
            log.append(&self.ports, &observed, &in_time, &mut tally).await
        };
        let given_back = match survive(work).await {
            Some(Ok(())) => return (tally, Vec::new()),
            Some(Err(error)) => {
                tracing::warn!(event = "chain_given_back", reason = %error);
                lane
            }
            None => lane,
        };
        (tally, given_back.iter().map(|(index, _)| *index).collect())
    }

    /// What is known of every epoch that the records name.
    async fn epochs(&self, records: &[Record]) -> HashMap<EpochId, Epoch> {
        let observations = records.iter().filter_map(|record| record.observation.as_ref());
        let named: HashSet<EpochId> = observations.filter_map(epoch_of).collect();
        stream::iter(named)
            .map(|epoch| async move { (epoch, self.epoch(epoch).await) })
            .buffer_unordered(EPOCHS_AT_ONCE)
            .collect()
            .await
    }

    async fn epoch(&self, epoch: EpochId) -> Epoch {
        let known = || self.epochs.lock().unwrap_or_else(PoisonError::into_inner);
        if known().contains(&epoch) {
            return Epoch::Known;
        }
        match survive(self.ports.has_key(epoch)).await {
            Some(Ok(true)) => {
                known().insert(epoch);
                Epoch::Known
            }
            Some(Ok(false)) => Epoch::Unknown,
            Some(Err(error)) => {
                tracing::warn!(event = "epoch_not_read", reason = %error);
                Epoch::NotRead
            }
            None => Epoch::NotRead,
        }
    }
}

/// The epoch that matters: of what goes only the time is checked.
fn epoch_of(observation: &Observation) -> Option<EpochId> {
    use symbolon_shared::domain::audit::Change;
    let there = !matches!(observation.change, Change::Removed { .. });
    let image = observation.image.as_ref().filter(|_| there);
    image.map(|item| item.key_epoch)
}

/// The first that failed, by its sequence number. One without a number is named by nothing: then the whole batch comes
/// back, harmlessly.
fn answer(records: &[Record], failed: &[bool]) -> DynamoDbEventResponse {
    let nameless = |(record, failed): (&Record, &bool)| *failed && record.sequence_number.is_none();
    let first = records.iter().zip(failed).find(|(_, failed)| **failed);
    let mut answer = DynamoDbEventResponse::default();
    let Some((first, _)) = first else {
        return answer;
    };
    let mut failure = DynamoDbBatchItemFailure::default();
    failure.item_identifier = if records.iter().zip(failed).any(nameless) {
        Some(String::new())
    } else {
        first.sequence_number.clone()
    };
    answer.batch_item_failures.push(failure);
    answer
}
