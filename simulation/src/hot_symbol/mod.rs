//! One hot symbol: how fast many matchers work it off, by batch size and concurrency.
//!
//! The real matcher runs over the ports in memory, behind a decorator that gives every call the latency and the
//! limits of AWS in virtual time: nothing depends on the machine, and one seed gives one result. A model of the
//! event source mapping polls the queue for it.
//!
//! What it is **not**: a measurement. It shows how settings compare on the assumptions of [`AwsModel`], each of
//! which names its source, not what a deployment will do.

mod cloud;
mod configuration;
mod flow;
mod latency;
mod mapping;
mod market;
mod model;
mod ports;
mod queue;
mod row;
#[cfg(test)]
mod tests;

use std::thread;

use tokio::runtime::Builder;

pub use configuration::{Configuration, Mix};
pub use latency::Latency;
pub use model::AwsModel;
pub use row::{HELD, Row};

/// The batch sizes of the sweep on which the mapping's defaults stand.
pub const BATCH_SIZES: [usize; 7] = [1, 10, 50, 100, 250, 500, 1_000];

/// The concurrencies of that sweep. Lambda takes no maximum concurrency below 2.
pub const CONCURRENCIES: [usize; 6] = [2, 5, 10, 20, 32, 64];

/// Why a configuration gave no row.
#[derive(Debug, thiserror::Error)]
pub enum SimulationError {
    /// There is no runtime to be had.
    #[error("cannot start the simulation's runtime")]
    Runtime(#[from] std::io::Error),
    /// The flow or the market cannot be made as configured.
    #[error("cannot be simulated: {0}")]
    Configuration(String),
    /// What the run left behind cannot be read.
    #[error("cannot read what the run left behind")]
    Evidence(#[from] symbolon_shared::ports::PortError),
    /// Something in it panicked.
    #[error("the simulation panicked")]
    Panicked,
}

/// Runs one configuration to its end. It blocks for as long as that takes, and may be called from anywhere: the
/// simulation has a thread and a runtime of its own.
///
/// # Errors
/// [`SimulationError`]; a broken invariant is no error, it stands in the row.
pub fn run(configuration: &Configuration) -> Result<Row, SimulationError> {
    thread::scope(|scope| {
        let simulated = scope.spawn(|| {
            let runtime = Builder::new_current_thread()
                .enable_time()
                .start_paused(true)
                .build()?;
            runtime.block_on(market::trade(configuration))
        });
        simulated.join().unwrap_or(Err(SimulationError::Panicked))
    })
}

/// Runs `configuration` with every one of these batch sizes and concurrencies, one after the other: each row comes
/// when it is asked for.
pub fn sweep<'a>(
    configuration: &'a Configuration,
    batch_sizes: &'a [usize],
    concurrencies: &'a [usize],
) -> impl Iterator<Item = Result<Row, SimulationError>> + 'a {
    batch_sizes.iter().flat_map(move |batch_size| {
        concurrencies.iter().map(move |concurrency| {
            run(&Configuration {
                batch_size: *batch_size,
                concurrency: *concurrency,
                ..configuration.clone()
            })
        })
    })
}
