//! Order flow with a fault at every turn: several processes at the queue, each dying now and then, every message
//! delivered until it is done.

use std::time::Duration;

use futures::stream::{self, StreamExt, TryStreamExt};
use symbolon_shared::domain::identifiers::ClOrdId;
use tokio::time::Instant;

use super::{DrillOptions, MAX_REDRIVES, Secrets, StageReport, conclude, dice, under_fire, unmet};
use crate::deployment::{DeploymentError, now};
use crate::order_flow::plan::{Disorder, plan};
use crate::order_flow::{Action, OrderFlow};
use crate::process::Process;
use crate::progress::Progress;
use crate::replay::to_send;
use crate::run::{named_in, parameters};
use crate::trial::Trial;

/// Matchers at the queue at once.
const PROCESSES: usize = 3;

/// Whose inbox is missing from the first third on, until everything has been sent.
const WITHOUT_INBOX: u32 = 3;

/// Rounds at most in which it is waited for that somebody notices.
const MAX_ROUNDS_WITHOUT_INBOX: usize = 20;

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
    let everybody = named_in(&flow).into_iter().chain([WITHOUT_INBOX]).collect();
    let mut trial = Trial::start(everybody, vec![parameters(&flow)]).await?;
    flow.shift_to(now().as_millis());
    rename_orders(&mut flow)?;
    let faults = dice::faults(options.seed, dice::OFTEN);
    let mut processes = (0..PROCESSES)
        .map(|_| trial.process(&under_fire(&faults, None)))
        .collect::<Result<Vec<_>, _>>()?;
    let disorder = Disorder {
        duplicates: SHARE_DELIVERED_TWICE,
        shuffle: SHUFFLE,
        stream_duplicates: 0.0,
        seed: options.seed,
    };
    let deliveries = plan(flow.events.len(), &disorder);
    let mut returned = 0;
    let rounds: Vec<_> = deliveries
        .chunks(trial.deployment().batch_size() * PROCESSES)
        .collect();
    for (round, batches) in rounds.iter().enumerate() {
        if round == rounds.len() / 3 {
            trial.lose_inbox(WITHOUT_INBOX).await?;
        }
        trial.send(to_send(&flow, batches)).await?;
        returned += one_batch_each(&mut trial, &mut processes).await?.1;
        progress.inc(batches.len() as u64);
    }
    // In a short run every batch since may have come back for other reasons.
    for _ in 0..MAX_ROUNDS_WITHOUT_INBOX {
        if faults.errors().contains_key(&no_queue()) {
            break;
        }
        returned += one_batch_each(&mut trial, &mut processes).await?.1;
    }
    trial.deployment().onboard_again(WITHOUT_INBOX).await?;
    returned += until_done(&mut trial, &mut processes).await?;
    let mut report = conclude(
        "order flow",
        trial,
        &processes,
        &faults,
        returned,
        secrets,
        |_, _| None,
    )
    .await?;
    report.unmet = unmet(&faults, &dice::wanted());
    for operation in dice::WANTED_SOMEHOW {
        if !report.met.keys().any(|(met, _)| met == operation) {
            report.unmet.push(format!("{operation}: anything"));
        }
    }
    if !report.errors.contains_key(&no_queue()) {
        report.unmet.push("an inbox that does not exist".to_owned());
    }
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}

/// A file calls its orders by numbers, which may stand in a log by chance, as a part of a time for instance; a name
/// may not.
fn rename_orders(flow: &mut OrderFlow) -> Result<(), DeploymentError> {
    let rename = |id: &mut ClOrdId| {
        let name = ClOrdId::new(format!("storm-{}", id.as_str()));
        *id = name.map_err(|error| DeploymentError::Queue(Box::new(error)))?;
        Ok(())
    };
    flow.events
        .iter_mut()
        .try_for_each(|event| match &mut event.action {
            Action::Interest { cl_ord_id, .. } => rename(cl_ord_id),
            Action::Cancel {
                cl_ord_id,
                orig_cl_ord_id,
            } => rename(cl_ord_id).and_then(|()| rename(orig_cl_ord_id)),
        })
}

/// What SQS says of a queue that is not there.
fn no_queue() -> (String, String) {
    let operation = "sqs:SendMessageBatch".to_owned();
    (operation, "AWS.SimpleQueueService.NonExistentQueue".to_owned())
}

/// One batch for each process, side by side: how many deliveries there were, and how many came back.
pub(super) async fn one_batch_each(
    trial: &mut Trial,
    processes: &mut [Process],
) -> Result<(usize, usize), DeploymentError> {
    let polls = processes.iter_mut().map(|process| process.poll(Duration::ZERO));
    let deliveries: Vec<_> = stream::iter(polls)
        .buffer_unordered(PROCESSES)
        .try_collect()
        .await?;
    let (mut received, mut returned) = (0, 0);
    for delivery in &deliveries {
        trial.count(delivery);
        received += delivery.received;
        returned += delivery.returned;
    }
    Ok((received, returned))
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
