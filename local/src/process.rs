//! One process of the matcher: its own clients, its own caches, batches from the queue. It may die, and then another
//! takes its place, as cold as it began.

use matcher::settings::Settings;
use matcher::{Matcher, Surroundings};
use serde_json::Value;
use symbolon_shared::aws::AwsPorts;
use symbolon_shared::aws::sdk::SdkOptions;
use tokio::time::Duration;

use crate::deployment::{DeploymentError, now};
use crate::platform::clients::{Clients, Endpoints, PATIENT};
use crate::platform::faults::Faults;
use crate::platform::meter::Meter;
use crate::platform::poller::{Delivery, PollError, Poller};
use crate::platform::stack::{LocalStack, StackError};

/// The function that runs here.
pub(crate) const MATCHER: &str = "matcher";

/// How processes are to be run.
#[derive(Debug, Clone)]
pub struct ProcessOptions {
    /// What goes wrong on their wire.
    pub faults: Faults,
    /// How their SDK retries and how long it waits.
    pub sdk: SdkOptions,
    /// Messages of a batch at most; the mapping's own number when left out.
    pub batch_size: Option<usize>,
    /// How long an invocation may take; the function's own time-out when left out.
    pub timeout: Option<Duration>,
    /// What a record that failed waits before it is delivered again: Lambda would wait for the queue's visibility.
    pub release_after: Duration,
}

impl ProcessOptions {
    /// Nothing goes wrong, and the SDK has all the time there is.
    #[must_use]
    pub fn undisturbed() -> Self {
        Self {
            faults: Faults::none(),
            sdk: PATIENT,
            batch_size: None,
            timeout: None,
            release_after: Duration::from_secs(1),
        }
    }
}

/// A matcher at its queue.
pub struct Process {
    spare: Spare,
    matcher: Matcher<AwsPorts>,
    poller: Poller,
    timeout_millis: i64,
    deaths: u64,
}

/// What a new process is made of.
struct Spare {
    endpoints: Endpoints,
    role_id: String,
    settings: Settings,
    meter: Meter,
    options: ProcessOptions,
}

impl Spare {
    fn start(&self) -> Matcher<AwsPorts> {
        let clients = self.endpoints.function_clients(
            &self.role_id,
            &self.meter,
            &self.options.faults,
            &self.options.sdk,
        );
        let surroundings = Surroundings {
            clock: Box::new(now),
            seed: Box::new(rand::random),
        };
        Matcher::new(
            ports(clients, &self.settings),
            self.settings.region.clone(),
            self.settings.roles.clone(),
            surroundings,
        )
    }
}

pub(crate) fn ports(clients: Clients, settings: &Settings) -> AwsPorts {
    AwsPorts::new(
        clients.dynamodb,
        clients.sqs,
        clients.kms,
        settings.resources.clone(),
    )
}

impl Process {
    /// A cold process on `stack`, whose requests `meter` counts.
    ///
    /// # Errors
    /// The template has no such function, or maps no queue to it.
    pub(crate) fn start(
        stack: &LocalStack,
        settings: &Settings,
        meter: &Meter,
        options: &ProcessOptions,
    ) -> Result<Self, StackError> {
        let mut mapping = stack.mapping(MATCHER)?;
        mapping.batch_size = options.batch_size.unwrap_or(mapping.batch_size);
        mapping.function_timeout = options.timeout.unwrap_or(mapping.function_timeout);
        let timeout = mapping.function_timeout;
        let poller = stack.poller(mapping).releasing_after(options.release_after);
        let spare = Spare {
            endpoints: stack.endpoints().clone(),
            role_id: stack.function_role_id(MATCHER)?,
            settings: settings.clone(),
            meter: meter.clone(),
            options: ProcessOptions {
                faults: options.faults.of_another_process(),
                ..options.clone()
            },
        };
        Ok(Self {
            matcher: spare.start(),
            spare,
            poller,
            timeout_millis: i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX),
            deaths: 0,
        })
    }

    /// How often it died.
    #[must_use]
    pub fn deaths(&self) -> u64 {
        self.deaths
    }

    /// One batch, waiting up to `patience` for its first message. When the process dies of it, the batch comes back
    /// whole, and the next one finds a new process.
    ///
    /// # Errors
    /// [`DeploymentError::Poll`] when SQS refuses.
    pub async fn poll(&mut self, patience: Duration) -> Result<Delivery, DeploymentError> {
        let polled = self.poller.poll(patience, |event| self.handle(event)).await;
        self.conclude(polled)
    }

    /// One batch of so many messages: what has been sent already, no window waited out.
    ///
    /// # Errors
    /// [`DeploymentError::Poll`] when SQS refuses.
    pub async fn take(&mut self, messages: usize) -> Result<Delivery, DeploymentError> {
        let polled = self
            .poller
            .poll_at_most(messages, Duration::ZERO, |event| self.handle(event))
            .await;
        self.conclude(polled)
    }

    async fn handle(&self, event: Value) -> Result<Value, String> {
        let deadline = now().plus_millis(self.timeout_millis);
        tokio::select! {
            () = self.spare.options.faults.crash() => Err("the process died".to_owned()),
            // Boxed: a batch's future is large.
            answer = Box::pin(self.matcher.handle(event, deadline)) => {
                serde_json::to_value(answer).map_err(|error| error.to_string())
            }
        }
    }

    fn conclude(&mut self, polled: Result<Delivery, PollError>) -> Result<Delivery, DeploymentError> {
        if self.spare.options.faults.has_crashed() {
            self.deaths += 1;
            self.restart();
        }
        polled.map_err(|error| DeploymentError::Poll(Box::new(error)))
    }

    /// Gives its place to a cold one.
    pub fn restart(&mut self) {
        self.spare.options.faults = self.spare.options.faults.of_another_process();
        self.matcher = self.spare.start();
    }
}
