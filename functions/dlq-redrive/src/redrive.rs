//! The handler: reads the request, runs queue by queue, and answers.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use futures::stream::{self, StreamExt};
use serde_json::Value;
use symbolon_shared::domain::redrive::{
    Answer, QueueReport, RedriveReport, RedriveRequest, Refusal, Request,
};
use symbolon_shared::domain::time::Timestamp;
use symbolon_shared::lambda::survive;
use symbolon_shared::ports::redrive::RedrivePorts;

use crate::run::Run;
use crate::settings::{Conduct, QueueSettings};
use crate::shelf::Shelf;

/// Queues at once: while one waits for its canary the others go on.
const QUEUES_AT_ONCE: usize = 4;

/// A wait under way.
pub type Waiting = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What a process lends its redrive: a clock, and the patience to wait by it.
pub struct Surroundings {
    /// The moment.
    pub clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    /// Waits.
    pub sleep: Box<dyn Fn(Duration) -> Waiting + Send + Sync>,
}

/// The redrive of one process.
pub struct Redrive<P> {
    ports: P,
    conduct: Conduct,
    surroundings: Surroundings,
}

impl<P: RedrivePorts> Redrive<P> {
    /// The redrive over `ports`.
    #[must_use]
    pub fn new(ports: P, conduct: Conduct, surroundings: Surroundings) -> Self {
        Self {
            ports,
            conduct,
            surroundings,
        }
    }

    /// Does what an event asks for, to be answered before `deadline`. Cannot fail: what was not done lies where it was.
    pub async fn handle(&self, event: Value, deadline: Timestamp) -> Answer {
        match Request::parse(event) {
            Ok(Request::Redrive(request)) => self.redrive(&request, deadline).await,
            Ok(Request::Quarantine(request)) => {
                let quarantine = Shelf {
                    ports: &self.ports,
                    region: &self.conduct.region,
                    queues: &self.conduct.queues,
                    clock: &self.surroundings.clock,
                    deadline,
                };
                Answer::Quarantine(quarantine.answer(&request).await)
            }
            Err(_) => refuse(Refusal::NotUnderstood),
        }
    }

    async fn redrive(&self, request: &RedriveRequest, deadline: Timestamp) -> Answer {
        let asked = |queue: &&QueueSettings| request.queue.as_ref().is_none_or(|name| queue.source == *name);
        let queues: Vec<&QueueSettings> = self.conduct.queues.iter().filter(asked).collect();
        if queues.is_empty() {
            return refuse(Refusal::UnknownQueue);
        }
        // Boxed: a run's future is large, and there are several.
        let runs: Vec<_> = queues
            .into_iter()
            .map(|queue| Box::pin(self.run(queue, request.dry_run, deadline)))
            .collect();
        let queues = stream::iter(runs).buffered(QUEUES_AT_ONCE).collect().await;
        Answer::Redrive(RedriveReport { queues })
    }

    /// One queue. A panic that no letter answers for ends its run, and the letters in hand are seen again later.
    async fn run(&self, queue: &QueueSettings, dry_run: bool, deadline: Timestamp) -> QueueReport {
        let run = Run::new(
            &self.ports,
            &self.surroundings,
            &self.conduct,
            queue,
            dry_run,
            deadline,
        );
        let report = survive(run.run()).await;
        report.unwrap_or_else(|| QueueReport {
            unfinished: true,
            ..QueueReport::new(queue.source.clone(), dry_run)
        })
    }
}

fn refuse(why: Refusal) -> Answer {
    tracing::warn!(event = "request_refused", reason = ?why);
    Answer::Refused(why)
}
