//! The event source mapping: pollers that fill batches, each with one function at a time; more of them while whole
//! batches wait.

use std::collections::HashSet;
use std::sync::Arc;

use matcher::Matcher;
use serde_json::{Value, json};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::cloud::Cloud;
use super::configuration::Configuration;
use super::market::Clock;
use super::ports::TimedPorts;
use super::queue::{IntakeQueue, Received};

/// What every poller works with.
pub(super) struct Mapping {
    pub(super) configuration: Configuration,
    pub(super) queue: IntakeQueue,
    pub(super) cloud: Arc<Cloud>,
    pub(super) clock: Clock,
}

impl Mapping {
    /// Polls until nothing is left, and gives how many pollers it took.
    pub(super) async fn run(
        self: &Arc<Self>,
        mut matcher: impl FnMut(usize) -> Matcher<TimedPorts>,
    ) -> Result<usize, JoinError> {
        let model = &self.configuration.aws;
        let most = self.configuration.concurrency.max(1);
        let mut pollers = JoinSet::new();
        let mut count = 0;
        while count < most && !self.queue.is_finished() {
            if count < model.first_pollers || self.a_batch_waits() {
                pollers.spawn(Arc::clone(self).poll(matcher(count)));
                count += 1;
            }
            if count >= model.first_pollers.min(most) {
                sleep(model.poller_pause).await;
            }
        }
        while let Some(ended) = pollers.join_next().await {
            ended?;
        }
        Ok(count)
    }

    fn a_batch_waits(&self) -> bool {
        let size = self.configuration.batch_size;
        self.queue.waiting(Instant::now(), size) >= size
    }

    /// One poller with its function, which is its own process: cold at first, warm from then on.
    async fn poll(self: Arc<Self>, matcher: Matcher<TimedPorts>) {
        let mut cold = true;
        while !self.queue.is_finished() {
            let batch = self.fill().await;
            if batch.is_empty() {
                continue;
            }
            let received_at = Instant::now();
            self.cloud.take(self.configuration.aws.invocation).await;
            if std::mem::take(&mut cold) {
                sleep(self.configuration.aws.cold_start).await;
            }
            let failed = self.invoke(&matcher, &batch).await;
            for (n, message) in batch.iter().enumerate() {
                if failed.contains(&n) {
                    let again = received_at + self.configuration.aws.visibility;
                    self.queue.give_back(message.index, again);
                } else {
                    self.queue.delete(message.index, Instant::now());
                }
            }
        }
    }

    /// Fills a batch: until it is full, or its window after the first message is over.
    async fn fill(&self) -> Vec<Received> {
        let mut batch = Vec::new();
        let mut end: Option<Instant> = None;
        while !self.queue.is_finished() {
            self.cloud.take(self.configuration.aws.queue).await;
            let now = Instant::now();
            let room = self.configuration.batch_size.max(1) - batch.len();
            let received = self
                .queue
                .receive(room.min(self.configuration.aws.messages_per_receive), now);
            let nothing = received.is_empty();
            batch.extend(received);
            if end.is_none() && !batch.is_empty() {
                end = Some(now + self.configuration.window);
            }
            if batch.len() >= self.configuration.batch_size || end.is_some_and(|end| now >= end) {
                break;
            }
            // What was received too often may have been the last of all: then nobody rings any more.
            if nothing && !self.queue.is_finished() {
                self.wait(end).await;
            }
        }
        batch
    }

    /// A long poll: until there may be something to receive, at most until `end`.
    async fn wait(&self, end: Option<Instant>) {
        let until = self.queue.next_visible().into_iter().chain(end).min();
        let changed = self.queue.changed.notified();
        match until {
            Some(until) => {
                // Either is a reason to look again.
                let _ = timeout_at(until, changed).await;
            }
            None => changed.await,
        }
    }

    /// Which messages of the batch come back, by their place in it.
    async fn invoke(&self, matcher: &Matcher<TimedPorts>, batch: &[Received]) -> HashSet<usize> {
        let model = &self.configuration.aws;
        let records: Vec<&Value> = batch.iter().map(|message| &message.record).collect();
        let event = json!({ "Records": records });
        let millis = i64::try_from(model.function_timeout.as_millis()).unwrap_or(i64::MAX);
        let deadline = self.clock.now().plus_millis(millis);
        let messages = u32::try_from(batch.len()).unwrap_or(u32::MAX);
        let answer = timeout(model.function_timeout, async {
            sleep(model.work_per_message * messages).await;
            Box::pin(matcher.handle(event, deadline)).await
        });
        let everything = || (0..batch.len()).collect();
        answer.await.map_or_else(
            |_| everything(),
            |answer| {
                let failed: HashSet<&str> = answer
                    .batch_item_failures
                    .iter()
                    .map(|failure| failure.item_identifier.as_str())
                    .collect();
                let comes_back = |n: &usize| {
                    let id = batch
                        .get(*n)
                        .and_then(|message| message.record["messageId"].as_str());
                    id.is_none_or(|id| failed.contains(id))
                };
                (0..batch.len()).filter(comes_back).collect()
            },
        )
    }
}
