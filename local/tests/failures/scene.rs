//! A small market on the real adapters and the emulators, whose wire breaks as a test says.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use local::deployment::now;
use local::platform::clients::PATIENT;
use local::platform::faults::{Attempt, Faults, Injection};
use local::platform::poller::Delivery;
use local::process::{Process, ProcessOptions};
use local::replay::{Sender, Sent};
use local::trial::{Judgement, Trial};
use serde_json::{Value, json};
use symbolon_shared::aws::sdk::SdkOptions;
use symbolon_shared::domain::parameters::MatchParameters;

pub(crate) const TRANSACT: &str = "dynamodb:TransactWriteItems";
pub(crate) const QUERY: &str = "dynamodb:Query";
pub(crate) const READ: &str = "dynamodb:BatchGetItem";
pub(crate) const UPDATE: &str = "dynamodb:UpdateItem";
pub(crate) const SEND: &str = "sqs:SendMessageBatch";
pub(crate) const KMS: &str = "kms:";

/// How long one poll waits for a message.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);

/// Production's attempts and pauses; only the waiting for an answer is cut short, for silence is what is waited for.
fn sdk() -> SdkOptions {
    let production = SdkOptions::default();
    SdkOptions {
        read_timeout: Duration::from_millis(1_400),
        attempt_timeout: Duration::from_millis(1_500),
        operation_timeout: Duration::from_secs(6),
        ..production
    }
}

/// A market with its processes, all on one wire.
pub(crate) struct Scene {
    pub(crate) trial: Trial,
    pub(crate) faults: Faults,
    pub(crate) process: Process,
    sent_at: AtomicI64,
}

/// Processes on `faults`, with `timeout` for a batch.
pub(crate) fn options(faults: &Faults, timeout: Duration) -> ProcessOptions {
    ProcessOptions {
        faults: faults.clone(),
        sdk: sdk(),
        batch_size: None,
        timeout: Some(timeout),
        release_after: Duration::from_secs(1),
    }
}

fn parameters() -> MatchParameters {
    serde_json::from_value(json!({
        "v": 1, "symbol": "BTCUSD", "tick": "0.01", "lot": "0.01", "pricePolicy": "resting",
        "currency": "USD", "tradable": true, "version": 1
    }))
    .unwrap()
}

impl Scene {
    pub(crate) async fn start(rule: impl FnMut(&Attempt<'_>) -> Option<Injection> + Send + 'static) -> Self {
        Self::within(Duration::from_secs(30), rule).await
    }

    /// The same, with a function that may take `timeout`.
    pub(crate) async fn within(
        timeout: Duration,
        rule: impl FnMut(&Attempt<'_>) -> Option<Injection> + Send + 'static,
    ) -> Self {
        Self::with(|faults| options(faults, timeout), rule).await
    }

    /// The same, with an SDK that waits for answers however long they take.
    pub(crate) async fn patient(
        rule: impl FnMut(&Attempt<'_>) -> Option<Injection> + Send + 'static,
    ) -> Self {
        let patient = |faults: &Faults| ProcessOptions {
            sdk: PATIENT,
            ..options(faults, Duration::from_secs(30))
        };
        Self::with(patient, rule).await
    }

    async fn with(
        options: impl Fn(&Faults) -> ProcessOptions,
        rule: impl FnMut(&Attempt<'_>) -> Option<Injection> + Send + 'static,
    ) -> Self {
        let numbers: BTreeSet<u32> = (1..=4).collect();
        let trial = Trial::start(numbers, vec![parameters()]).await.unwrap();
        let faults = Faults::by(rule);
        let process = trial.process(&options(&faults)).unwrap();
        Self {
            trial,
            faults,
            process,
            sent_at: AtomicI64::new(now().as_millis() - 60_000),
        }
    }

    /// Another cold process on the same wire.
    pub(crate) fn another_process(&self) -> Process {
        let options = options(&self.faults, Duration::from_secs(30));
        self.trial.process(&options).unwrap()
    }

    pub(crate) async fn send(&mut self, counterparty: u32, body: &Value) {
        self.send_text(counterparty, body.to_string()).await;
    }

    pub(crate) async fn send_text(&mut self, counterparty: u32, body: String) {
        let at_millis = self.sent_at.fetch_add(1, Ordering::SeqCst);
        let sent = Sent {
            sender: Sender::Counterparty(counterparty),
            body,
            at_millis,
        };
        self.trial.send(vec![sent]).await.unwrap();
    }

    /// One batch.
    pub(crate) async fn poll(&mut self) -> Delivery {
        self.trial.poll(&mut self.process, PATIENCE).await.unwrap()
    }

    /// Lets everything come again until it is done, or nothing comes any more.
    pub(crate) async fn settle(&mut self) {
        let processes = std::slice::from_mut(&mut self.process);
        self.trial.settle(processes).await.unwrap();
    }

    /// How often an injection of this name was met, over all operations that begin so.
    pub(crate) fn met(&self, operation: &str, injection: &str) -> u64 {
        let met = self.faults.met();
        let of = met
            .iter()
            .filter(|((at, what), _)| at.starts_with(operation) && *what == injection);
        of.map(|(_, count)| count).sum()
    }

    /// Everything is done, every invariant holds, and there are so many matches.
    pub(crate) async fn all_is_well(mut self, matches: usize) -> Judgement {
        let judgement = self.trial.judge().await.unwrap();
        assert_eq!(judgement.broken(), std::collections::BTreeMap::new());
        assert_eq!(judgement.evidence.matches.len(), matches);
        assert_eq!(self.trial.replayed().done, self.trial.replayed().sent.len());
        self.trial.end().await;
        judgement
    }
}

/// A message sent a second ago.
pub(crate) fn message(counterparty: u32, body: &Value) -> Sent {
    Sent {
        sender: Sender::Counterparty(counterparty),
        body: body.to_string(),
        at_millis: now().as_millis() - 1_000,
    }
}

pub(crate) fn interest(cl_ord_id: &str, side: &str, qty: &str, price: &str) -> Value {
    json!({
        "type": "interest", "clOrdId": cl_ord_id, "symbol": "BTCUSD", "side": side, "orderQty": qty,
        "price": price, "ack": true
    })
}

pub(crate) fn buy(cl_ord_id: &str, qty: &str) -> Value {
    interest(cl_ord_id, "buy", qty, "100.00")
}

pub(crate) fn sell(cl_ord_id: &str, qty: &str) -> Value {
    interest(cl_ord_id, "sell", qty, "100.00")
}

/// A fault at the `nth` attempt of an operation.
pub(crate) fn at(
    operation: &'static str,
    nth: u64,
    injection: Injection,
) -> impl FnMut(&Attempt<'_>) -> Option<Injection> + Send + 'static {
    move |attempt| (attempt.operation == operation && attempt.nth == nth).then(|| injection.clone())
}

/// A fault at every attempt of every operation that begins so.
pub(crate) fn always(
    operation: &'static str,
    injection: Injection,
) -> impl FnMut(&Attempt<'_>) -> Option<Injection> + Send + 'static {
    move |attempt| {
        attempt
            .operation
            .starts_with(operation)
            .then(|| injection.clone())
    }
}

/// The `ClientRequestToken` of a transaction.
fn token_of(attempt: &Attempt<'_>) -> Option<String> {
    let body: Value = serde_json::from_str(attempt.body).ok()?;
    Some(body["ClientRequestToken"].as_str()?.to_owned())
}

/// A fault at every attempt of the `nth` transaction: the SDK repeats it under its token in vain.
pub(crate) fn at_transaction(
    nth: usize,
    injection: Injection,
) -> impl FnMut(&Attempt<'_>) -> Option<Injection> + Send + 'static {
    let tokens = Arc::new(Mutex::new(Vec::<String>::new()));
    move |attempt| {
        let token = token_of(attempt)?;
        let mut tokens = tokens.lock().unwrap();
        if !tokens.contains(&token) {
            tokens.push(token.clone());
        }
        (tokens.get(nth - 1) == Some(&token)).then(|| injection.clone())
    }
}
