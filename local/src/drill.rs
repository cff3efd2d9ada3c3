//! The drill: the deployment under fire. Order flow with a fault at every turn; many matchers at one book; hostile
//! input; and a search of everything that was said for whatever must not be said.
//!
//! What it is **not**: a proof for AWS. The faults are those of the wire; throttling that depends on load, hot
//! partitions and replication are not on the emulators.

mod capture;
mod dice;
mod hostile;
mod leaks;
mod races;
mod report;
mod storm;

use std::collections::BTreeMap;
use std::time::Duration;

use symbolon_shared::aws::sdk::SdkOptions;

use crate::deployment::DeploymentError;
use crate::order_flow::OrderFlow;
use crate::platform::faults::{Counts, Faults, Injection};
use crate::process::ProcessOptions;
use crate::progress::Progress;
use crate::trial::{Judgement, Trial};

pub use capture::Capture;
pub use leaks::{Kind, Leak, Secrets};
pub use report::{DrillReport, StageReport};

/// How hard the drill is.
#[derive(Debug, Clone, Copy)]
pub struct DrillOptions {
    /// What every fault is drawn from: the same seed draws the same dice.
    pub seed: u64,
    /// Interests of the races, cancels and replaces left aside.
    pub race_interests: usize,
    /// Matchers at one book at once.
    pub racers: usize,
    /// Malformed bodies of the hostile stage.
    pub hostile_bodies: usize,
}

/// Production's attempts and pauses. Only the waiting for an answer is cut short: silence is injected, and every
/// instance of it waits so long.
fn sdk_under_fire() -> SdkOptions {
    SdkOptions {
        read_timeout: Duration::from_millis(1_400),
        attempt_timeout: Duration::from_millis(1_500),
        operation_timeout: Duration::from_secs(6),
        ..SdkOptions::default()
    }
}

/// Rounds in which what SQS moved to the dead-letter queue is sent again. One is rare enough.
const MAX_REDRIVES: usize = 5;

/// Runs every stage, each on a deployment of its own.
///
/// # Errors
/// [`DeploymentError`] when a deployment does not stand or cannot be read. What broke under fire is no error: it is in
/// the report.
pub async fn drill(
    flow: OrderFlow,
    options: &DrillOptions,
    capture: &Capture,
    progress: &Progress,
) -> Result<DrillReport, DeploymentError> {
    let mut secrets = Secrets::default();
    let mut stages = Vec::new();
    stages.push(storm::run(flow, options, &mut secrets, progress).await?);
    stages.push(races::run(options, &mut secrets, progress).await?);
    stages.push(hostile::run(options, &mut secrets, progress).await?);
    Ok(DrillReport {
        seed: options.seed,
        stages,
        said: capture.lines(),
        leaks: capture.search(&secrets),
    })
}

/// How the processes of a stage are run: `faults` on their wire.
fn under_fire(faults: &Faults, batch_size: Option<usize>) -> ProcessOptions {
    ProcessOptions {
        faults: faults.clone(),
        sdk: sdk_under_fire(),
        batch_size,
        timeout: None,
        release_after: Duration::from_secs(1),
    }
}

/// Ends a stage: judges what came of it, by the invariants and by what is to be checked beside them, and remembers what
/// must not be said of it.
async fn conclude(
    name: &'static str,
    mut trial: Trial,
    processes: &[crate::process::Process],
    faults: &Faults,
    returned: usize,
    secrets: &mut Secrets,
    beside: impl FnOnce(&Trial, &Judgement) -> Option<(&'static str, String)>,
) -> Result<StageReport, DeploymentError> {
    let mut judgement: Judgement = trial.judge().await?;
    if let Some((name, verdict)) = beside(&trial, &judgement) {
        judgement.verdicts.insert(name.to_owned(), verdict);
    }
    secrets.learn(&trial, &judgement.evidence);
    let replayed = trial.replayed();
    let wrong_attributes = leaks::wrong_attributes(&replayed.dead_letters);
    let report = StageReport {
        name,
        processes: processes.len(),
        messages: replayed.sent.len(),
        done: replayed.done,
        returned,
        deaths: processes.iter().map(crate::process::Process::deaths).sum(),
        matches: judgement.evidence.matches.len(),
        set_aside: replayed.dead_letters.len(),
        wrong_attributes,
        attempts: faults.attempts(),
        met: met(faults.met()),
        errors: faults.errors(),
        seconds: 0.0,
        unmet: Vec::new(),
        notes: BTreeMap::new(),
        verdicts: judgement.verdicts,
    };
    trial.end().await;
    Ok(report)
}

fn met(counts: Counts<&'static str>) -> Counts<String> {
    let owned = counts
        .into_iter()
        .map(|((operation, name), count)| ((operation, name.to_owned()), count));
    owned.collect()
}

/// Everything that must have been met at least once, or the drill was none.
fn unmet(faults: &Faults, wanted: &[(&str, Injection)]) -> Vec<String> {
    let met = faults.met();
    let missing = wanted
        .iter()
        .filter(|(operation, injection)| !met.contains_key(&((*operation).to_owned(), injection.name())));
    missing
        .map(|(operation, injection)| format!("{operation}: {}", injection.name()))
        .collect()
}
