//! What is said of a batch: counts as metrics, events as structured log lines. Neither bears a body, a token, an
//! identity or an opaque id.

use symbolon_shared::domain::decision::Effect;
use symbolon_shared::domain::reason::Outcome;
use symbolon_shared::domain::time::Timestamp;

use crate::admission::Task;

/// The EMF format takes at most 100 values of one histogram in a document.
const MAX_LATENCIES: usize = 100;

/// What happened in a batch.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Tally {
    /// Interests taken, those born cancelled included.
    pub interests: u64,
    /// Matches made.
    pub matches: u64,
    /// Messages refused.
    pub rejects: u64,
    /// Messages known already.
    pub duplicates: u64,
    /// Transactions that lost a condition or met another.
    pub lost_conditions: u64,
    /// Messages that reached an inbox queue.
    pub published: u64,
    /// Records put on the dead-letter queue.
    pub set_aside: u64,
    /// Records given back.
    pub given_back: u64,
    /// Milliseconds from the acceptance of an interest to a match that it made.
    pub match_latencies_millis: Vec<i64>,
    /// Age of the oldest message at the start of the batch, in milliseconds.
    pub oldest_millis: i64,
}

impl Tally {
    pub(crate) fn count(&mut self, task: Option<&Task>, effect: &Effect, arrival: bool) {
        self.matches += effect.made.len() as u64;
        if arrival {
            self.duplicates += u64::from(effect.duplicate);
            self.rejects += effect
                .answers
                .iter()
                .filter(|answer| answer.kind == "rejected")
                .count() as u64;
            self.interests += u64::from(effect.accepts_interest);
        }
        if let Some(task) = task {
            let latencies = effect
                .made
                .iter()
                .map(|made| made.record.matched_at.millis_since(task.arrival.sent_at));
            self.match_latencies_millis.extend(latencies);
        }
        for made in &effect.made {
            tracing::info!(
                event = "token_generated",
                commitment = made.record.commitment.encode(),
                key_epoch = made.record.key_epoch.encode(),
                tokens = 2,
            );
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.interests += other.interests;
        self.matches += other.matches;
        self.rejects += other.rejects;
        self.duplicates += other.duplicates;
        self.lost_conditions += other.lost_conditions;
        self.match_latencies_millis.extend(&other.match_latencies_millis);
    }

    pub(crate) fn count_outcome(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Done => {}
            Outcome::Retry(reason) => {
                self.given_back += 1;
                tracing::warn!(event = "record_given_back", reason = reason.code());
            }
            Outcome::Reject(_) => self.set_aside += 1,
        }
    }

    pub(crate) fn note_oldest(&mut self, sent_at: Timestamp, now: Timestamp) {
        self.oldest_millis = self.oldest_millis.max(now.millis_since(sent_at));
    }

    /// Hands the counts to the metrics recorder; a runner without one drops them.
    pub(crate) fn emit(&self) {
        metrics::counter!("Interests").increment(self.interests);
        metrics::counter!("Matches").increment(self.matches);
        metrics::counter!("Rejects").increment(self.rejects);
        metrics::counter!("Duplicates").increment(self.duplicates);
        metrics::counter!("LostConditions").increment(self.lost_conditions);
        metrics::counter!("MessagesPublished").increment(self.published);
        metrics::counter!("SetAside").increment(self.set_aside);
        metrics::counter!("GivenBack").increment(self.given_back);
        metrics::gauge!("OldestUnprocessedMillis").set(as_f64(self.oldest_millis));
        for latency in self.match_latencies_millis.iter().take(MAX_LATENCIES) {
            metrics::histogram!("MatchLatencyMillis").record(as_f64(*latency));
        }
    }
}

/// Milliseconds of at most centuries: far below 2⁵³.
#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds of at most centuries are far below 2^53"
)]
fn as_f64(millis: i64) -> f64 {
    millis as f64
}
