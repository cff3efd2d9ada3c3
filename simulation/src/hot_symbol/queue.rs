//! The intake queue: what is visible, what is in flight, and what became of each message.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::flow::{Kind, Message};

/// One message of the queue.
struct Queued {
    message: Message,
    sent_at: Instant,
    sent_millis: i64,
    sender: String,
    receives: u32,
    done_at: Option<Instant>,
}

struct State {
    messages: Vec<Queued>,
    /// By the moment from which a message can be received, equal moments as they came.
    visible: BTreeMap<(Instant, u64), usize>,
    entered: u64,
    left: usize,
    given_back: u64,
    waiting: u64,
    dead: Vec<usize>,
}

/// A received message.
pub(super) struct Received {
    pub(super) index: usize,
    pub(super) record: Value,
}

/// What became of the messages.
pub(super) struct Outcome {
    /// When each was done, after it was sent; nothing for a dead one.
    pub(super) latencies: Vec<std::time::Duration>,
    /// When each was done and whether it was an interest, in that order.
    pub(super) done: Vec<(Instant, bool)>,
    /// Records given back, replaces left aside.
    pub(super) given_back: u64,
    /// Replaces given back: nearly all of them wait for their original.
    pub(super) waiting: u64,
    /// Bodies that were received too often.
    pub(super) dead: Vec<String>,
}

/// How a message enters the queue.
pub(super) struct Sending {
    pub(super) message: Message,
    pub(super) sent_at: Instant,
    pub(super) sent_millis: i64,
    pub(super) visible_at: Instant,
    pub(super) sender: String,
}

pub(super) struct IntakeQueue {
    state: Mutex<State>,
    max_receive_count: u32,
    /// Rung when something came back or was finished.
    pub(super) changed: Notify,
}

impl IntakeQueue {
    pub(super) fn new(max_receive_count: u32, sendings: impl IntoIterator<Item = Sending>) -> Self {
        let mut state = State {
            messages: Vec::new(),
            visible: BTreeMap::new(),
            entered: 0,
            left: 0,
            given_back: 0,
            waiting: 0,
            dead: Vec::new(),
        };
        for sending in sendings {
            let index = state.messages.len();
            state.enter(index, sending.visible_at);
            state.left += 1;
            state.messages.push(Queued {
                message: sending.message,
                sent_at: sending.sent_at,
                sent_millis: sending.sent_millis,
                sender: sending.sender,
                receives: 0,
                done_at: None,
            });
        }
        Self {
            state: Mutex::new(state),
            max_receive_count,
            changed: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Receives up to `room` messages. One that was received too often is dead instead.
    pub(super) fn receive(&self, room: usize, now: Instant) -> Vec<Received> {
        let mut state = self.state();
        let mut received = Vec::new();
        while received.len() < room {
            let Some(entry) = state.visible.first_entry().filter(|entry| entry.key().0 <= now) else {
                break;
            };
            let index = entry.remove();
            if let Some(record) = state.record(index, self.max_receive_count) {
                received.push(Received { index, record });
            } else {
                state.dead.push(index);
                state.left -= 1;
                self.changed.notify_waiters();
            }
        }
        received
    }

    /// How many messages could be received now, counted up to `most`.
    pub(super) fn waiting(&self, now: Instant, most: usize) -> usize {
        let state = self.state();
        state
            .visible
            .keys()
            .take(most)
            .take_while(|(at, _)| *at <= now)
            .count()
    }

    /// When the next message can be received.
    pub(super) fn next_visible(&self) -> Option<Instant> {
        self.state().visible.keys().next().map(|(at, _)| *at)
    }

    /// Whether nothing is left to be done.
    pub(super) fn is_finished(&self) -> bool {
        self.state().left == 0
    }

    /// Deletes a message: it is done.
    pub(super) fn delete(&self, index: usize, now: Instant) {
        let mut state = self.state();
        if let Some(message) = state.messages.get_mut(index) {
            message.done_at = Some(now);
            state.left -= 1;
        }
        if state.left == 0 {
            self.changed.notify_waiters();
        }
    }

    /// Leaves a message to come again.
    pub(super) fn give_back(&self, index: usize, visible_at: Instant) {
        let mut state = self.state();
        let replaces = state
            .messages
            .get(index)
            .is_some_and(|queued| queued.message.kind == Kind::Replace);
        state.waiting += u64::from(replaces);
        state.given_back += u64::from(!replaces);
        state.enter(index, visible_at);
        self.changed.notify_waiters();
    }

    pub(super) fn outcome(&self) -> Outcome {
        let state = self.state();
        let finished = state.messages.iter().filter_map(|queued| {
            let done_at = queued.done_at?;
            Some((done_at, queued.sent_at, queued.message.kind == Kind::Interest))
        });
        let mut done: Vec<(Instant, bool)> =
            finished.clone().map(|(at, _, interest)| (at, interest)).collect();
        done.sort();
        let mut latencies: Vec<_> = finished.map(|(done, sent, _)| done - sent).collect();
        latencies.sort();
        let body = |index: &usize| Some(state.messages.get(*index)?.message.body.clone());
        Outcome {
            latencies,
            done,
            given_back: state.given_back,
            waiting: state.waiting,
            dead: state.dead.iter().filter_map(body).collect(),
        }
    }
}

impl State {
    fn enter(&mut self, index: usize, visible_at: Instant) {
        self.visible.insert((visible_at, self.entered), index);
        self.entered += 1;
    }

    /// The record as Lambda delivers it; none when it was received too often.
    fn record(&mut self, index: usize, max_receive_count: u32) -> Option<Value> {
        let queued = self.messages.get_mut(index)?;
        if queued.receives >= max_receive_count {
            return None;
        }
        queued.receives += 1;
        Some(json!({
            "messageId": format!("m-{index}"),
            "receiptHandle": "receipt",
            "body": queued.message.body,
            "attributes": {
                "ApproximateReceiveCount": queued.receives.to_string(),
                "SentTimestamp": queued.sent_millis.to_string(),
                "SenderId": queued.sender,
            },
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "awsRegion": super::market::REGION,
        }))
    }
}
