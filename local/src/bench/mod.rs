//! The bench: what the flow asks of AWS for each interest and match, whether that keeps design §12's budgets, whether
//! it grows with the book, and what the function's process takes.
//!
//! What it is **not**: a load test. Requests, units, instructions and bytes are counted, and are the same on every
//! machine; times are shown and never asserted.

pub mod budget;
mod build;
mod floor;
mod growth;
pub mod picture;
mod process;
mod recorded;
pub mod report;
mod singles;
pub mod spent;
mod stored;
pub mod table;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use crate::deployment::DeploymentError;
use crate::order_flow::ReadError;
use crate::platform::process::ProcessError;
use report::{BenchReport, Row};

/// How much is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scale {
    /// Interests at rest in each book.
    pub books: Vec<u32>,
    /// Messages in one batch.
    pub batch_size: u32,
    /// Batches of each case.
    pub batches: u32,
    /// Who takes part.
    pub counterparties: u32,
}

impl Default for Scale {
    /// The books of design §12, in the batches that its budget of send requests is for.
    fn default() -> Self {
        Self {
            books: vec![100, 10_000, 100_000],
            batch_size: 250,
            batches: 2,
            counterparties: 12,
        }
    }
}

impl Scale {
    /// Interests of each case.
    fn interests(&self) -> u32 {
        self.batch_size * self.batches
    }

    /// Whether batches are as long as the budget of send requests supposes.
    fn is_full(&self) -> bool {
        self.batch_size >= 250
    }
}

/// What to measure.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How much.
    pub scale: Scale,
    /// Recorded order flow.
    pub order_flow: Option<PathBuf>,
    /// The matcher's bootstrap; built when left out.
    pub bootstrap: Option<PathBuf>,
    /// Starts whose median is the cold start.
    pub starts: u32,
}

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The deployment does not stand, or does not answer.
    #[error("the deployment fails")]
    Deployment(#[from] DeploymentError),
    /// The order flow cannot be read.
    #[error("the order flow cannot be read")]
    OrderFlow(#[from] ReadError),
    /// The tables cannot be filled.
    #[error("the tables cannot be filled")]
    Fill(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The function's binary cannot be built.
    #[error("the matcher's bootstrap cannot be built: {0}")]
    Build(String),
    /// The function's binary cannot be packed.
    #[error("the matcher's bootstrap cannot be packed")]
    Pack(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The function's process fails.
    #[error("the matcher's process fails")]
    Process(#[from] ProcessError),
    /// Something came out otherwise than what was to be measured.
    #[error("not what was to be measured: {0}")]
    Unexpected(String),
}

impl BenchError {
    fn fill<E: std::error::Error + Send + Sync + 'static>(source: E) -> Self {
        Self::Fill(Box::new(source))
    }
}

/// Hears what is being measured.
pub type Told<'a> = dyn Fn(&str) + 'a;

/// Measures everything of `plan`.
///
/// # Errors
/// [`BenchError`] when something cannot be measured. A budget that is not kept is no error: it is in the report.
pub async fn bench(plan: &Plan, told: &Told<'_>) -> Result<BenchReport, BenchError> {
    let mut rows = flow(&plan.scale, told).await?;
    told("recorded order flow");
    rows.push(recorded::row(plan.order_flow.as_deref(), &plan.scale).await?);
    rows.extend(process::rows(plan, told).await?);
    Ok(BenchReport { rows })
}

/// The part that is exact everywhere: the cases of the budget one by one, and both cases with every book.
///
/// # Errors
/// As [`bench()`].
pub async fn flow(scale: &Scale, told: &Told<'_>) -> Result<Vec<Row>, BenchError> {
    told("the cases of the budget");
    let mut rows = singles::rows().await?;
    rows.extend(growth::rows(scale, told).await?);
    Ok(rows)
}
