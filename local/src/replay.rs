//! The replay: sends a flow's events through the intake queue, has the matcher take them batch by batch, and drains
//! the inboxes as their counterparties would.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tokio::time::{Duration, Instant};

use crate::audit::Audit;
use crate::deployment::{DeadLetter, Deployment, DeploymentError};
use crate::order_flow::plan::{Delivery, Disorder, plan};
use crate::order_flow::{Action, Event, OrderFlow};
use crate::process::Process;
use crate::progress::Progress;

/// SQS: entries of one batch call.
const BATCH_ENTRIES: usize = 10;
/// SQS: bytes of all bodies of one batch call.
const BATCH_BYTES: usize = 1_048_576;
/// How many batches of the matcher are one window of the stream's mapping.
const BATCHES_OF_A_WINDOW: usize = 4;
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
    /// Who sent it.
    pub sender: Sender,
    /// The body.
    pub body: String,
    /// When, in milliseconds since the epoch.
    pub at_millis: i64,
}

/// Who sends a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sender {
    /// A counterparty, by its number.
    Counterparty(u32),
    /// Somebody else, by what SQS says of them (`SenderId` up to the colon).
    Principal(String),
}

/// Replays `flow` on `deployment`, whose counterparties it names by number, through `process`.
///
/// # Errors
/// [`DeploymentError`] when the stack refuses.
pub async fn replay(
    deployment: &Deployment,
    process: &mut Process,
    audit: &mut Audit,
    flow: &OrderFlow,
    disorder: &Disorder,
    progress: &Progress,
) -> Result<Replayed, DeploymentError> {
    let start = Instant::now();
    let mut replayed = Replayed::default();
    let deliveries = plan(flow.events.len(), disorder);
    for (index, batch) in deliveries.chunks(deployment.batch_size()).enumerate() {
        let sent = to_send(flow, batch);
        send(deployment, &mut replayed, sent).await?;
        step(deployment, process, &mut replayed, Duration::ZERO).await?;
        // As the mapping's window would: not after every batch of the matcher.
        if index % BATCHES_OF_A_WINDOW == 0 {
            audit.drain().await?;
        }
        progress.inc(batch.len() as u64);
        progress.set_matches(replayed.match_messages / 2);
    }
    finish(deployment, process, &mut replayed).await?;
    replayed.elapsed = start.elapsed();
    audit.drain().await?;
    replayed.dead_letters = deployment.drain_dead_letters().await?;
    Ok(replayed)
}

/// Sends messages to the intake queue, as many in a call as it takes.
pub(crate) async fn send(
    deployment: &Deployment,
    replayed: &mut Replayed,
    messages: Vec<Sent>,
) -> Result<(), DeploymentError> {
    let mut rest = messages.as_slice();
    while !rest.is_empty() {
        let (batch, later) = rest.split_at(fitting(rest));
        deployment.send_ten(batch).await?;
        rest = later;
    }
    replayed.sent.extend(messages);
    Ok(())
}

/// How many of the messages one call takes: ten, and a mebibyte of bodies, but one at least.
fn fitting(messages: &[Sent]) -> usize {
    let mut bytes = 0;
    let fits = |message: &&Sent| {
        bytes += message.body.len();
        bytes <= BATCH_BYTES
    };
    let fitting = messages.iter().take(BATCH_ENTRIES).take_while(fits).count();
    fitting.max(1)
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
            sender: Sender::Counterparty(event.counterparty),
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
