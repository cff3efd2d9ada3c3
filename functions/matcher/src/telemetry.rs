//! What is said of a batch: counts as metrics, events as structured log lines. Neither bears a body, a token, an
//! identity or an opaque id.

use metrics_cloudwatch_embedded::{Collector, Error};
use symbolon_shared::domain::decision::Effect;
use symbolon_shared::domain::reason::Outcome;
use symbolon_shared::domain::time::Timestamp;
use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;

use crate::admission::Task;

/// The EMF format takes at most 100 values of one histogram in a document.
const MAX_LATENCIES: usize = 100;

/// Namespace of the metrics.
const NAMESPACE: &str = "Symbolon";

/// Structured logs on standard output, by `RUST_LOG`, and panics among them.
pub fn start_logs() {
    subscriber(EnvFilter::from_default_env(), std::io::stdout).init();
    log_panics_without_their_text();
}

/// What writes the log lines: JSON, to `writer`. The Lambda runtime writes whole payloads at TRACE, so it and the
/// HTTP crates never get further than INFO, whatever `filter` says.
pub fn subscriber<W>(mut filter: EnvFilter, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    for held_back in [
        "lambda_runtime=info",
        "lambda_runtime_api_client=info",
        "hyper=info",
        "aws_smithy_runtime=info",
    ] {
        filter = held_back
            .parse()
            .into_iter()
            .fold(filter, EnvFilter::add_directive);
    }
    tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter)
        .with_target(false)
        .with_current_span(false)
        .with_writer(writer)
        .finish()
}

/// The default hook prints the panic's message, which may quote what was being parsed.
pub fn log_panics_without_their_text() {
    std::panic::set_hook(Box::new(|panic| {
        let (file, line) = panic.location().map_or(("", 0), |at| (at.file(), at.line()));
        tracing::error!(event = "panicked", file, line);
    }));
}

/// The collector of the metrics of `stack`, to be flushed after each invocation.
///
/// # Errors
/// Another recorder is installed already.
pub fn start_metrics(stack: &str) -> Result<&'static Collector, Error> {
    metrics_cloudwatch_embedded::Builder::new()
        .cloudwatch_namespace(NAMESPACE)
        .with_dimension("Stack", stack.to_owned())
        .with_dimension("Function", "matcher")
        .init()
}

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
