//! What is simulated.

use std::time::Duration;

use super::model::AwsModel;

/// What the messages of a flow are. The shares of cancels, replaces and copies are of all messages; what is left are
/// interests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mix {
    /// Its name in tables.
    pub name: &'static str,
    /// Share of the interests whose price crosses those of the other side.
    pub crossing: f64,
    /// Share of cancels.
    pub cancels: f64,
    /// Share of replaces: half of them cut the quantity in place, half move the price.
    pub replaces: f64,
    /// Share of copies of a message sent shortly before, under another SQS id.
    pub copies: f64,
}

impl Mix {
    /// Nothing crosses.
    pub const RESTING: Self = Self::of("resting", 0.0);
    /// Half of the interests cross.
    pub const HALF: Self = Self::of("half", 0.5);
    /// Every interest crosses the other side's.
    pub const MATCHING: Self = Self::of("matching", 1.0);
    /// All of them.
    pub const ALL: [Self; 3] = [Self::RESTING, Self::HALF, Self::MATCHING];

    const fn of(name: &'static str, crossing: f64) -> Self {
        Self {
            name,
            crossing,
            cancels: 0.10,
            replaces: 0.05,
            copies: 0.02,
        }
    }
}

/// One run.
#[derive(Debug, Clone, PartialEq)]
pub struct Configuration {
    /// The mapping's `BatchSize`.
    pub batch_size: usize,
    /// The mapping's `MaximumBatchingWindowInSeconds`.
    pub window: Duration,
    /// The mapping's `MaximumConcurrency`.
    pub concurrency: usize,
    /// Messages sent.
    pub messages: usize,
    /// How fast they are sent: messages per second.
    pub arrivals_per_second: u32,
    /// What they are.
    pub mix: Mix,
    /// Symbols that they are about, all alike; 1 is a hot one.
    pub symbols: usize,
    /// Counterparties that send them.
    pub counterparties: usize,
    /// What everything random is drawn from.
    pub seed: u64,
    /// What AWS takes and bears.
    pub aws: AwsModel,
}

impl Default for Configuration {
    /// The template's settings, and a backlog: everything is sent within a second, faster than anybody takes it.
    fn default() -> Self {
        Self {
            batch_size: 250,
            window: Duration::from_secs(1),
            concurrency: 10,
            messages: 20_000,
            arrivals_per_second: 20_000,
            mix: Mix::HALF,
            symbols: 1,
            counterparties: 12,
            seed: 1,
            aws: AwsModel::default(),
        }
    }
}
