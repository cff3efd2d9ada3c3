//! The part of AWS that all handlers share: who holds which item, what each partition still bears, and what was
//! counted.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use symbolon_shared::domain::book::{BookKey, EntryKey};
use symbolon_shared::domain::change_set::{ChangeSet, SubmissionWrite};
use symbolon_shared::domain::identifiers::{CounterpartyId, OrderKey};
use tokio::time::Instant;

use super::latency::Latency;
use super::model::AwsModel;

/// What has a limit of its own: one partition key, read or written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Partition {
    WrittenBook(BookKey),
    ReadBook(BookKey),
    WrittenOwner(CounterpartyId),
}

/// What was counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Requests of the matchers, every attempt counted.
    pub(super) requests: u64,
    /// Writes of decisions: transactions, and the few that need none.
    pub(super) writes: u64,
    /// Of those, the ones that lost a condition.
    pub(super) lost: u64,
    /// Of those, the ones that met another transaction.
    pub(super) conflicts: u64,
    /// Attempts of any kind that were throttled.
    pub(super) throttled: u64,
    /// Decisions whose write failed: each is decided again, or goes back to the queue.
    pub(super) tried_again: u64,
    /// Batch calls that sent messages.
    pub(super) sends: u64,
    /// Messages that they sent.
    pub(super) published: u64,
}

/// Units, and when they were counted.
struct Bucket {
    units: f64,
    at: Instant,
}

struct State {
    dice: StdRng,
    submissions: HashSet<OrderKey>,
    entries: HashSet<EntryKey>,
    buckets: BTreeMap<Partition, Bucket>,
    counts: Counts,
}

pub(super) struct Cloud {
    pub(super) model: AwsModel,
    state: Mutex<State>,
}

impl Cloud {
    pub(super) fn new(model: AwsModel, seed: u64) -> Self {
        Self {
            model,
            state: Mutex::new(State {
                dice: StdRng::seed_from_u64(seed),
                submissions: HashSet::new(),
                entries: HashSet::new(),
                buckets: BTreeMap::new(),
                counts: Counts::default(),
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn counts(&self) -> Counts {
        self.state().counts
    }

    pub(super) fn count(&self, what: impl FnOnce(&mut Counts)) {
        what(&mut self.state().counts);
    }

    /// Lets a request's time pass.
    pub(super) async fn take(&self, latency: Latency) {
        let time = latency.draw(&mut self.state().dice);
        tokio::time::sleep(time).await;
    }

    /// The SDK's pause after the `attempt`th attempt: a random part of a bound that doubles.
    pub(super) async fn back_off(&self, attempt: u32) {
        let sdk = &self.model.sdk;
        let bound = sdk
            .initial_backoff
            .saturating_mul(1 << attempt.saturating_sub(1).min(16));
        let share: f64 = self.state().dice.random();
        tokio::time::sleep(bound.min(sdk.max_backoff).mul_f64(share)).await;
    }

    /// Takes these units from their partitions: all of them, or none when one partition has too few.
    pub(super) fn charge(&self, wanted: &BTreeMap<Partition, u32>) -> bool {
        let now = Instant::now();
        let mut state = self.state();
        let enough = wanted
            .iter()
            .all(|(partition, units)| self.refilled(&mut state, partition, now) >= f64::from(*units));
        if enough {
            for (partition, units) in wanted {
                if let Some(bucket) = state.buckets.get_mut(partition) {
                    bucket.units -= f64::from(*units);
                }
            }
        } else {
            state.counts.throttled += 1;
        }
        enough
    }

    fn refilled(&self, state: &mut State, partition: &Partition, now: Instant) -> f64 {
        let per_second = f64::from(match partition {
            Partition::WrittenBook(_) | Partition::WrittenOwner(_) => self.model.partition_write_units,
            Partition::ReadBook(_) => self.model.partition_read_units,
        });
        let most = per_second * f64::from(self.model.burst_seconds);
        let full = Bucket { units: most, at: now };
        let bucket = state.buckets.entry(partition.clone()).or_insert(full);
        let since: Duration = now - bucket.at;
        bucket.units = most.min(bucket.units + per_second * since.as_secs_f64());
        bucket.at = now;
        bucket.units
    }

    /// Holds the items of a transaction, as far as nobody else does, until the hold is dropped: a transaction that
    /// will be cancelled prepares its other items all the same.
    pub(super) fn hold(&self, changes: &ChangeSet) -> Hold<'_> {
        let mut state = self.state();
        let submissions: Vec<OrderKey> = changes.submissions.keys().cloned().collect();
        let entries: Vec<EntryKey> = changes.entries.keys().cloned().collect();
        let items = submissions.len() + entries.len();
        let submissions: Vec<OrderKey> = submissions
            .into_iter()
            .filter(|key| state.submissions.insert(key.clone()))
            .collect();
        let entries: Vec<EntryKey> = entries
            .into_iter()
            .filter(|key| state.entries.insert(key.clone()))
            .collect();
        Hold {
            cloud: self,
            whole: submissions.len() + entries.len() == items,
            submissions,
            entries,
        }
    }

    /// Whether a transaction holds one of these items.
    pub(super) fn is_held(&self, changes: &ChangeSet) -> bool {
        let state = self.state();
        let mut submissions = changes.submissions.keys();
        let mut entries = changes.entries.keys();
        submissions.any(|key| state.submissions.contains(key))
            || entries.any(|key| state.entries.contains(key))
    }

    /// Whether a transaction holds this submission.
    pub(super) fn holds_submission(&self, key: &OrderKey) -> bool {
        self.state().submissions.contains(key)
    }

    /// Whether a transaction holds this entry.
    pub(super) fn holds_entry(&self, key: &EntryKey) -> bool {
        self.state().entries.contains(key)
    }
}

/// Items that a transaction has prepared.
pub(super) struct Hold<'a> {
    cloud: &'a Cloud,
    submissions: Vec<OrderKey>,
    entries: Vec<EntryKey>,
    /// Whether these are all that it wanted.
    pub(super) whole: bool,
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        let mut state = self.cloud.state();
        for key in &self.submissions {
            state.submissions.remove(key);
        }
        for key in &self.entries {
            state.entries.remove(key);
        }
    }
}

/// The units that writing `changes` takes from partitions that may run hot, `each` for an item of up to 1 KB. Matches
/// have random keys.
pub(super) fn write_units(changes: &ChangeSet, each: u32) -> BTreeMap<Partition, u32> {
    let entries = changes
        .entries
        .keys()
        .map(|key| Partition::WrittenBook(key.book.clone()));
    let owners = changes
        .submissions
        .keys()
        .map(|key| Partition::WrittenOwner(key.owner.clone()));
    let mut units = BTreeMap::new();
    for partition in entries.chain(owners) {
        *units.entry(partition).or_default() += each;
    }
    units
}

/// The decisions that `changes` bear: each message puts its own submission, each look appends the matches it found.
pub(super) fn decisions(changes: &ChangeSet) -> u64 {
    let decided = changes.submissions.values().filter(|write| match write {
        SubmissionWrite::Insert(submission) => !submission.is_mark(),
        SubmissionWrite::ClaimMark(_) => true,
        SubmissionWrite::Advance(progress) => !progress.matches.is_empty(),
    });
    decided.count() as u64
}
