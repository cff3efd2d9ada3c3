//! Order flow with a fault at every turn: several processes at the queue, each dying now and then, every message
//! delivered until it is done.

use std::time::Duration;

use futures::stream::{self, StreamExt, TryStreamExt};
use tokio::time::Instant;

use super::{DrillOptions, MAX_REDRIVES, Secrets, StageReport, conclude, dice, under_fire, unmet};
use crate::deployment::{DeploymentError, now};
use crate::order_flow::OrderFlow;
use crate::order_flow::plan::{Disorder, plan};
use crate::process::Process;
use crate::progress::Progress;
use crate::replay::to_send;
use crate::run::{named_in, parameters};
use crate::trial::Trial;

/// Matchers at the queue at once.
const PROCESSES: usize = 3;

/// A standard queue delivers some messages twice and keeps no order.
const SHARE_DELIVERED_TWICE: f64 = 0.1;
const SHUFFLE: usize = 30;

pub(super) async fn run(
    mut flow: OrderFlow,
    options: &DrillOptions,
    secrets: &mut Secrets,
    progress: &Progress,
) -> Result<StageReport, DeploymentError> {
    let started = Instant::now();
    let mut trial = Trial::start(named_in(&flow), vec![parameters(&flow)]).await?;
    flow.shift_to(now().as_millis());
    let faults = dice::faults(options.seed);
    let mut processes = (0..PROCESSES)
        .map(|_| trial.process(&under_fire(&faults, None)))
        .collect::<Result<Vec<_>, _>>()?;
    let disorder = Disorder {
        duplicates: SHARE_DELIVERED_TWICE,
        shuffle: SHUFFLE,
        seed: options.seed,
    };
    let deliveries = plan(flow.events.len(), &disorder);
    let mut returned = 0;
    for batches in deliveries.chunks(trial.deployment().batch_size() * PROCESSES) {
        trial.send(to_send(&flow, batches)).await?;
        returned += one_batch_each(&mut trial, &mut processes).await?;
        progress.inc(batches.len() as u64);
    }
    returned += until_done(&mut trial, &mut processes).await?;
    let mut report = conclude("order flow", trial, &processes, &faults, returned, secrets).await?;
    report.unmet = unmet(&faults, &dice::wanted());
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}

async fn one_batch_each(trial: &mut Trial, processes: &mut [Process]) -> Result<usize, DeploymentError> {
    let polls = processes.iter_mut().map(|process| process.poll(Duration::ZERO));
    let deliveries: Vec<_> = stream::iter(polls)
        .buffer_unordered(PROCESSES)
        .try_collect()
        .await?;
    for delivery in &deliveries {
        trial.count(delivery);
    }
    Ok(deliveries.iter().map(|delivery| delivery.returned).sum())
}

/// Lets everything come again; what has run out of receives is sent again under a new id.
pub(super) async fn until_done(
    trial: &mut Trial,
    processes: &mut [Process],
) -> Result<usize, DeploymentError> {
    let mut returned = trial.settle(processes).await?;
    for _ in 0..MAX_REDRIVES {
        if trial.redrive().await? == 0 {
            break;
        }
        returned += trial.settle(processes).await?;
    }
    Ok(returned)
}
