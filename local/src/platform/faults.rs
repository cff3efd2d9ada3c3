//! Faults on the wire, below the SDK: what is injected here passes through the SDK's retries and time-outs, and
//! through every expression string of the adapters.
//!
//! It stands between one client and whoever answers it. Each attempt is put to a rule, which may name what goes wrong
//! with it; what was met is counted, and so is every error that an answer bears, injected or not. Errors that are
//! made up here quote the request, as errors of a service may: nothing of that may get into a log.

mod wire;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use tokio::sync::watch;

use wire::{Batch, Refusal};

/// What goes wrong with one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Injection {
    /// The connection breaks before anything is sent.
    RequestLost,
    /// It is done, and then the connection breaks.
    ResponseLost,
    /// It is done, and nothing is ever heard of it: the time-out of the attempt ends the waiting.
    Silence,
    /// It is done, and the answer comes so much later.
    Late(Duration),
    /// It is done, and the answer is held until the gate is opened.
    Held(Gate),
    /// It is refused for being one too many; nothing is done.
    Throttled,
    /// The service fails with a status of 500; nothing is done.
    InternalError,
    /// The service says that the caller may not; nothing is done.
    Denied,
    /// Another transaction is in the way; nothing is done. Whoever writes nothing is throttled instead.
    Conflict,
    /// The entries of a batch at these indices are not taken, or its keys not processed; the others are. A call
    /// without entries loses its request.
    NotTaken(Vec<usize>),
    /// Sending it panics, with the request in the panic's message; nothing is done.
    Panic,
    /// The process dies before it is sent.
    CrashBefore,
    /// It is done, and the process dies before it hears of it.
    CrashAfter,
}

impl Injection {
    /// What it is called in a table of what was met.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::RequestLost => "request lost",
            Self::ResponseLost => "response lost",
            Self::Silence => "silence",
            Self::Late(_) => "late",
            Self::Held(_) => "held",
            Self::Throttled => "throttled",
            Self::InternalError => "internal error",
            Self::Denied => "denied",
            Self::Conflict => "conflict",
            Self::NotTaken(_) => "not taken",
            Self::Panic => "panic",
            Self::CrashBefore => "crash before",
            Self::CrashAfter => "crash after",
        }
    }
}

/// Holds answers until it is opened. Clones are one gate.
#[derive(Debug, Clone)]
pub struct Gate(watch::Sender<GateState>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum GateState {
    Shut,
    /// Somebody stands before it.
    Reached,
    Open,
}

impl PartialEq for Gate {
    fn eq(&self, other: &Self) -> bool {
        self.0.same_channel(&other.0)
    }
}

impl Eq for Gate {}

impl Default for Gate {
    fn default() -> Self {
        Self(watch::Sender::new(GateState::Shut))
    }
}

impl Gate {
    /// Ends when an answer is held here.
    pub async fn reached(&self) {
        self.at_least(GateState::Reached).await;
    }

    /// Lets through what is held, and whatever comes.
    pub fn open(&self) {
        self.0.send_replace(GateState::Open);
    }

    async fn pass(&self) {
        self.0
            .send_modify(|state| *state = GateState::Reached.max(*state));
        self.at_least(GateState::Open).await;
    }

    async fn at_least(&self, wanted: GateState) {
        let mut state = self.0.subscribe();
        // The sender is held by `self`, so the waiting ends with the state alone.
        let _ended = state.wait_for(|state| *state >= wanted).await;
    }
}

/// One attempt of one request, about to be sent.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// Such as `dynamodb:TransactWriteItems`.
    pub operation: &'a str,
    /// How many attempts of this operation there were, this one included.
    pub nth: u64,
    /// The request's body.
    pub body: &'a str,
}

type Rule = dyn FnMut(&Attempt<'_>) -> Option<Injection> + Send;

/// How often each thing was met: operation and name → count.
pub type Counts<N> = BTreeMap<(String, N), u64>;

#[derive(Default)]
struct Seen {
    attempts: BTreeMap<String, u64>,
    met: Counts<&'static str>,
    errors: Counts<String>,
}

struct Shared {
    rule: Mutex<Box<Rule>>,
    seen: Mutex<Seen>,
}

/// What goes wrong on the wire of one process. Processes of one run share rule and counts.
#[derive(Clone)]
pub struct Faults {
    shared: Arc<Shared>,
    crashed: watch::Sender<bool>,
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Faults")
    }
}

impl Faults {
    /// What `rule` says of each attempt. It is asked once for each.
    #[must_use]
    pub fn by(rule: impl FnMut(&Attempt<'_>) -> Option<Injection> + Send + 'static) -> Self {
        Self {
            shared: Arc::new(Shared {
                rule: Mutex::new(Box::new(rule)),
                seen: Mutex::default(),
            }),
            crashed: watch::Sender::new(false),
        }
    }

    /// Nothing goes wrong; errors of the answers are counted all the same.
    #[must_use]
    pub fn none() -> Self {
        Self::by(|_| None)
    }

    /// The same for another process, which lives when this one has died.
    #[must_use]
    pub fn of_another_process(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            crashed: watch::Sender::new(false),
        }
    }

    /// From now on nothing goes wrong any more.
    pub fn cease(&self) {
        *locked(&self.shared.rule) = Box::new(|_| None);
    }

    /// `inner` with these faults.
    #[must_use]
    pub fn client(&self, inner: SharedHttpClient) -> SharedHttpClient {
        SharedHttpClient::new(FaultyClient {
            inner,
            faults: self.clone(),
        })
    }

    /// Ends when this process dies.
    pub async fn crash(&self) {
        let mut crashed = self.crashed.subscribe();
        // The sender is held by `self`, so the waiting ends with the crash alone.
        let _ended = crashed.wait_for(|crashed| *crashed).await;
    }

    /// Whether this process has died.
    #[must_use]
    pub fn has_crashed(&self) -> bool {
        *self.crashed.borrow()
    }

    /// How often each injection was met.
    #[must_use]
    pub fn met(&self) -> Counts<&'static str> {
        locked(&self.shared.seen).met.clone()
    }

    /// How many answers bore each error code: of a cancelled transaction the codes of its reasons.
    #[must_use]
    pub fn errors(&self) -> Counts<String> {
        locked(&self.shared.seen).errors.clone()
    }

    /// Attempts of each operation.
    #[must_use]
    pub fn attempts(&self) -> BTreeMap<String, u64> {
        locked(&self.shared.seen).attempts.clone()
    }

    fn next(&self, operation: &str, body: &str) -> Option<Injection> {
        let nth = {
            let mut seen = locked(&self.shared.seen);
            let attempts = seen.attempts.entry(operation.to_owned()).or_default();
            *attempts += 1;
            *attempts
        };
        let attempt = Attempt { operation, nth, body };
        let injection = locked(&self.shared.rule)(&attempt)?;
        let mut seen = locked(&self.shared.seen);
        *seen
            .met
            .entry((operation.to_owned(), injection.name()))
            .or_default() += 1;
        Some(injection)
    }

    fn note_errors(&self, operation: &str, response: &[u8], status: u16) {
        if status == 200 {
            return;
        }
        let mut seen = locked(&self.shared.seen);
        for code in wire::error_codes(response) {
            *seen.errors.entry((operation.to_owned(), code)).or_default() += 1;
        }
    }

    fn die(&self) {
        self.crashed.send_replace(true);
    }

    async fn answer(
        &self,
        inner: &SharedHttpConnector,
        request: HttpRequest,
    ) -> Result<HttpResponse, ConnectorError> {
        if self.has_crashed() {
            return std::future::pending().await;
        }
        let operation = wire::operation(&request);
        let body = wire::text(&request);
        match self.next(&operation, &body) {
            None => self.send(inner, &operation, request).await,
            Some(Injection::RequestLost) => Err(broken()),
            Some(Injection::ResponseLost) => {
                self.send(inner, &operation, request).await?;
                Err(broken())
            }
            Some(Injection::Silence) => {
                self.send(inner, &operation, request).await?;
                std::future::pending().await
            }
            Some(Injection::Late(by)) => {
                let response = self.send(inner, &operation, request).await?;
                tokio::time::sleep(by).await;
                Ok(response)
            }
            Some(Injection::Held(gate)) => {
                let response = self.send(inner, &operation, request).await?;
                gate.pass().await;
                Ok(response)
            }
            Some(Injection::Panic) => panicked(&body),
            Some(Injection::CrashBefore) => {
                self.die();
                std::future::pending().await
            }
            Some(Injection::CrashAfter) => {
                self.send(inner, &operation, request).await?;
                self.die();
                std::future::pending().await
            }
            Some(Injection::Throttled) => self.refuse(&operation, &body, Refusal::Throttled),
            Some(Injection::InternalError) => self.refuse(&operation, &body, Refusal::InternalError),
            Some(Injection::Denied) => self.refuse(&operation, &body, Refusal::Denied),
            Some(Injection::Conflict) => self.refuse(&operation, &body, Refusal::Conflict),
            Some(Injection::NotTaken(indices)) => match Batch::of(&operation, &body, &indices) {
                None => Err(broken()),
                Some(batch) if batch.nothing_left() => batch.answer_alone(),
                Some(batch) => {
                    let response = self.send(inner, &operation, batch.without_them(request)).await?;
                    Ok(batch.with_them_failed(response))
                }
            },
        }
    }

    async fn send(
        &self,
        inner: &SharedHttpConnector,
        operation: &str,
        request: HttpRequest,
    ) -> Result<HttpResponse, ConnectorError> {
        let response = wire::whole(inner.call(request).await?).await?;
        let body = response.body().bytes().unwrap_or_default();
        self.note_errors(operation, body, response.status().as_u16());
        Ok(response)
    }

    fn refuse(&self, operation: &str, body: &str, refusal: Refusal) -> Result<HttpResponse, ConnectorError> {
        let response = wire::refusal(operation, body, refusal)?;
        let said = response.body().bytes().unwrap_or_default();
        self.note_errors(operation, said, response.status().as_u16());
        Ok(response)
    }
}

/// Plain data behind it is whole at any moment, so a poisoned lock is as good as any.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(
    clippy::panic,
    reason = "the fault is a panic, whose message quotes what must not be logged"
)]
fn panicked(request: &str) -> ! {
    panic!("injected while sending {request}")
}

fn broken() -> ConnectorError {
    ConnectorError::io("the connection is broken".into())
}

#[derive(Debug)]
struct FaultyClient {
    inner: SharedHttpClient,
    faults: Faults,
}

impl HttpClient for FaultyClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(FaultyConnector {
            inner: self.inner.http_connector(settings, components),
            faults: self.faults.clone(),
        })
    }
}

#[derive(Debug)]
struct FaultyConnector {
    inner: SharedHttpConnector,
    faults: Faults,
}

impl HttpConnector for FaultyConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (inner, faults) = (self.inner.clone(), self.faults.clone());
        HttpConnectorFuture::new(async move { faults.answer(&inner, request).await })
    }
}

#[cfg(test)]
mod tests;
