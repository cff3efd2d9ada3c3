//! The replay: sends a flow's events through the intake queue, has the matcher take them batch by batch, and drains
//! the inboxes as their counterparties would.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tokio::time::{Duration, Instant};

use crate::deployment::{DeadLetter, Deployment, DeploymentError};
use crate::order_flow::plan::{Delivery, Disorder, plan};
use crate::order_flow::{Action, Event, OrderFlow};
use crate::process::Process;
use crate::progress::Progress;

/// SQS: entries of one batch call.
const BATCH_ENTRIES: usize = 10;
/// When nothing comes for so long, nothing will.
const SILENCE: Duration = Duration::from_secs(5);

/// What became of a replay, as far as the runner saw it.
#[derive(Debug, Default)]
pub struct Replayed {
    /// What was sent, in the order of sending.
    pub sent: Vec<Sent>,
    /// Inbox messages, copies included, by the number of the counterparty.
    pub received: BTreeMap<u32, Vec<String>>,
    /// Match messages among them, copies included: two for each match.
    pub match_messages: u64,
    /// How many deliveries were done and deleted.
    pub done: usize,
    /// What the dead-letter queue held.
    pub dead_letters: Vec<DeadLetter>,
    /// From the first message sent to the last one answered.
    pub elapsed: Duration,
}

/// One delivery of one message.
#[derive(Debug, Clone)]
pub struct Sent {
    /// Who sent it, by number.
    pub counterparty: u32,
    /// The body.
    pub body: String,
    /// When, in milliseconds since the epoch.
    pub at_millis: i64,
}

/// Replays `flow` on `deployment`, whose counterparties it names by number, through `process`.
///
/// # Errors
/// [`DeploymentError`] when the stack refuses.
pub async fn replay(
    deployment: &Deployment,
    process: &mut Process,
    flow: &OrderFlow,
    disorder: &Disorder,
    progress: &Progress,
) -> Result<Replayed, DeploymentError> {
    let start = Instant::now();
    let mut replayed = Replayed::default();
    let deliveries = plan(flow.events.len(), disorder);
    for batch in deliveries.chunks(deployment.batch_size()) {
        let sent = to_send(flow, batch);
        send(deployment, &mut replayed, sent).await?;
        step(deployment, process, &mut replayed, Duration::ZERO).await?;
        progress.inc(batch.len() as u64);
        progress.set_matches(replayed.match_messages / 2);
    }
    finish(deployment, process, &mut replayed).await?;
    replayed.elapsed = start.elapsed();
    replayed.dead_letters = deployment.drain_dead_letters().await?;
    Ok(replayed)
}

/// Sends messages to the intake queue, in tens.
pub(crate) async fn send(
    deployment: &Deployment,
    replayed: &mut Replayed,
    messages: Vec<Sent>,
) -> Result<(), DeploymentError> {
    for ten in messages.chunks(BATCH_ENTRIES) {
        deployment.send_ten(ten).await?;
    }
    replayed.sent.extend(messages);
    Ok(())
}

/// One batch through the matcher, then every inbox read; whether there was a batch.
async fn step(
    deployment: &Deployment,
    process: &mut Process,
    replayed: &mut Replayed,
    patience: Duration,
) -> Result<bool, DeploymentError> {
    let delivery = process.poll(patience).await?;
    replayed.done += delivery.deleted;
    read_inboxes(deployment, replayed).await?;
    Ok(delivery.received > 0)
}

/// Empties every inbox as its counterparty would.
pub(crate) async fn read_inboxes(
    deployment: &Deployment,
    replayed: &mut Replayed,
) -> Result<(), DeploymentError> {
    for (number, bodies) in deployment.drain_inboxes().await? {
        replayed.match_messages += bodies
            .iter()
            .filter(|body| body.contains(r#""type":"match""#))
            .count() as u64;
        replayed.received.entry(number).or_default().extend(bodies);
    }
    Ok(())
}

/// Polls until every message is done: what was given back comes again in a moment, until SQS itself moves it to the
/// dead-letter queue and nothing comes any more.
pub(crate) async fn finish(
    deployment: &Deployment,
    process: &mut Process,
    replayed: &mut Replayed,
) -> Result<(), DeploymentError> {
    while replayed.done < replayed.sent.len() && step(deployment, process, replayed, SILENCE).await? {}
    Ok(())
}

pub(crate) fn to_send(flow: &OrderFlow, deliveries: &[Delivery]) -> Vec<Sent> {
    let events = deliveries
        .iter()
        .filter_map(|delivery| flow.events.get(delivery.event));
    events
        .map(|event| Sent {
            counterparty: event.counterparty,
            body: body(flow, event).to_string(),
            at_millis: event.at_millis,
        })
        .collect()
}

/// The intake message of an event.
fn body(flow: &OrderFlow, event: &Event) -> Value {
    match &event.action {
        Action::Interest {
            cl_ord_id,
            side,
            order_qty,
            price,
        } => json!({
            "type": "interest",
            "clOrdId": cl_ord_id,
            "symbol": flow.symbol,
            "side": side,
            "orderQty": order_qty,
            "price": price,
        }),
        Action::Cancel {
            cl_ord_id,
            orig_cl_ord_id,
        } => json!({
            "type": "cancel",
            "clOrdId": cl_ord_id,
            "origClOrdId": orig_cl_ord_id,
        }),
    }
}
