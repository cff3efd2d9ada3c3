//! What one configuration gave.

use std::time::Duration;

use serde::Serialize;
use symbolon_shared::domain::invariants::{Evidence, check_all};
use tokio::time::Instant;

use super::cloud::Counts;
use super::configuration::Configuration;
use super::queue::Outcome;

/// What a row says of invariants that all held.
pub const HELD: &str = "held";

/// One configuration's figures. All time is virtual.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// What the messages were.
    pub mix: &'static str,
    /// Symbols that they were about.
    pub symbols: usize,
    /// The mapping's batch size.
    pub batch_size: usize,
    /// The mapping's maximum concurrency.
    pub concurrency: usize,
    /// Handlers that there were in the end.
    pub handlers: usize,
    /// Messages done.
    pub messages: usize,
    /// Seconds until the last of them was done.
    pub seconds: f64,
    /// Interests done per second, until 95 of 100 messages were done: what is given back waits for its visibility
    /// time-out, and says nothing of throughput.
    pub interests_per_second: f64,
    /// Matches made.
    pub matches: usize,
    /// Writes of decisions: transactions, and the few that need none.
    pub writes: u64,
    /// Share of the writes that lost a condition.
    pub lost: f64,
    /// Share of the writes that met another transaction.
    pub conflicts: f64,
    /// Attempts that were throttled.
    pub throttled: u64,
    /// Decisions whose write failed, for each message.
    pub tried_again: f64,
    /// Records given back, but for replaces.
    pub given_back: u64,
    /// Replaces given back, nearly all to wait for their original.
    pub replaces_waiting: u64,
    /// Messages received too often, which SQS moves to the dead-letter queue.
    pub dead: usize,
    /// Milliseconds from sending to done, in the median.
    pub p50_millis: u64,
    /// The same at the 99th percentile.
    pub p99_millis: u64,
    /// Requests of the matchers for each message.
    pub requests_per_message: f64,
    /// Messages published by each batch call to an inbox.
    pub messages_per_send: f64,
    /// [`HELD`], or the first invariant that did not and its counterexample.
    pub invariants: String,
}

impl Row {
    /// The titles of [`Self::cells`].
    pub const TITLES: [&'static str; 20] = [
        "mix",
        "symbols",
        "batch",
        "concurrency",
        "handlers",
        "messages",
        "seconds",
        "interests/s",
        "matches",
        "lost",
        "conflict",
        "throttled",
        "tried again",
        "given back",
        "replaces waiting",
        "p50 ms",
        "p99 ms",
        "requests/msg",
        "msgs/send",
        "invariants",
    ];

    /// The figures as text, to be printed under [`Self::TITLES`].
    #[must_use]
    pub fn cells(&self) -> [String; 20] {
        let percent = |share: f64| format!("{:.1} %", share * 100.0);
        [
            self.mix.to_owned(),
            self.symbols.to_string(),
            self.batch_size.to_string(),
            self.concurrency.to_string(),
            self.handlers.to_string(),
            self.messages.to_string(),
            format!("{:.1}", self.seconds),
            format!("{:.0}", self.interests_per_second),
            self.matches.to_string(),
            percent(self.lost),
            percent(self.conflicts),
            self.throttled.to_string(),
            format!("{:.2}", self.tried_again),
            (self.given_back + self.dead as u64).to_string(),
            self.replaces_waiting.to_string(),
            self.p50_millis.to_string(),
            self.p99_millis.to_string(),
            format!("{:.2}", self.requests_per_message),
            format!("{:.1}", self.messages_per_send),
            self.invariants.clone(),
        ]
    }

    pub(super) fn of(
        configuration: &Configuration,
        began: Instant,
        handlers: usize,
        outcome: &Outcome,
        counts: &Counts,
        evidence: &Evidence,
    ) -> Self {
        let messages = outcome.done.len();
        let seconds = |moment: Instant| moment.duration_since(began).as_secs_f64();
        let last = outcome.done.last().map_or(0.0, |(at, _)| seconds(*at));
        Self {
            mix: configuration.mix.name,
            symbols: configuration.symbols,
            batch_size: configuration.batch_size,
            concurrency: configuration.concurrency,
            handlers,
            messages,
            seconds: last,
            interests_per_second: throughput(&outcome.done, seconds),
            matches: evidence.matches.len(),
            writes: counts.writes,
            lost: ratio(counts.lost, counts.writes),
            conflicts: ratio(counts.conflicts, counts.writes),
            throttled: counts.throttled,
            tried_again: ratio(counts.tried_again, messages as u64),
            given_back: outcome.given_back,
            replaces_waiting: outcome.waiting,
            dead: outcome.dead.len(),
            p50_millis: percentile(&outcome.latencies, 50),
            p99_millis: percentile(&outcome.latencies, 99),
            requests_per_message: ratio(counts.requests, messages as u64),
            messages_per_send: ratio(counts.published, counts.sends),
            invariants: verdict(evidence),
        }
    }
}

fn throughput(done: &[(Instant, bool)], seconds: impl Fn(Instant) -> f64) -> f64 {
    let most = &done[..done.len() * 95 / 100];
    let interests = most.iter().filter(|(_, interest)| *interest).count() as u64;
    most.last()
        .map_or(0.0, |(at, _)| as_f64(interests) / seconds(*at))
}

/// The smallest of the sorted `latencies` that so many of a hundred do not exceed, in milliseconds.
fn percentile(latencies: &[Duration], hundredths: usize) -> u64 {
    let rank = (latencies.len() * hundredths).div_ceil(100).saturating_sub(1);
    let latency = latencies.get(rank).copied().unwrap_or_default();
    u64::try_from(latency.as_millis()).unwrap_or(u64::MAX)
}

fn ratio(of: u64, by: u64) -> f64 {
    if by == 0 { 0.0 } else { as_f64(of) / as_f64(by) }
}

#[expect(clippy::cast_precision_loss, reason = "counts of a run are far below 2^53")]
fn as_f64(count: u64) -> f64 {
    count as f64
}

fn verdict(evidence: &Evidence) -> String {
    let broken = check_all(evidence)
        .into_iter()
        .find_map(|(name, verdict)| Some(format!("{name}: {}", verdict.err()?)));
    broken.unwrap_or_else(|| HELD.to_owned())
}
