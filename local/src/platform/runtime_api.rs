//! A stand-in for the Lambda Runtime API on loopback: what a function's bootstrap polls for its invocations.
//!
//! It serves one process, which has one invocation at a time, as Lambda's does. Source: "Using the Lambda runtime API
//! for custom runtimes" in the Lambda developer guide. Not there: extensions, response streaming, `SnapStart`.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// The ARN that invocations name; nothing depends on it.
const FUNCTION_ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:local";
/// The header in which a bootstrap says what kind of error it met.
const ERROR_TYPE: &str = "lambda-runtime-function-error-type";

/// Why an invocation has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvocationError {
    /// The function answered with an error.
    #[error("the function failed: {0}")]
    Failed(String),
    /// It cannot start: it said so before its first poll.
    #[error("the function cannot start: {0}")]
    Init(String),
    /// What it answered is not JSON.
    #[error("the answer is not JSON")]
    NotJson,
    /// Nobody asks for invocations, or nobody answers this one.
    #[error("no answer in {0:?}")]
    Silence(Duration),
    /// The stand-in has ended.
    #[error("the Runtime API has ended")]
    Ended,
}

/// Lambda: bytes of an answer.
const ANSWER_BYTES: usize = 6 * 1024 * 1024;

/// An answer, or what stands in its place.
type Answer = Result<Bytes, InvocationError>;

/// One event on its way to the function.
struct Invocation {
    request_id: String,
    deadline_millis: i64,
    event: String,
    answer: oneshot::Sender<Answer>,
}

/// What is seen of the function.
#[derive(Debug, Clone, Default)]
struct Seen {
    /// How often it asked for an invocation, and when it did first.
    polls: u64,
    first_polled_at: Option<Instant>,
    init_error: Option<String>,
}

struct Shared {
    waiting: tokio::sync::Mutex<mpsc::Receiver<Invocation>>,
    running: Mutex<Option<(String, oneshot::Sender<Answer>)>>,
    seen: watch::Sender<Seen>,
    ended: watch::Receiver<bool>,
}

/// The stand-in. It ends with [`RuntimeApi::end`], or when it is dropped.
pub struct RuntimeApi {
    address: SocketAddr,
    invocations: mpsc::Sender<Invocation>,
    seen: watch::Receiver<Seen>,
    end: watch::Sender<bool>,
    number: Mutex<u64>,
    /// Dropped with this, and the server with it.
    _server: JoinSet<()>,
}

impl RuntimeApi {
    /// Listens on a free port of 127.0.0.1.
    ///
    /// # Errors
    ///
    /// There is none.
    pub async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (invocations, waiting) = mpsc::channel(1);
        let (seen, seen_by_us) = watch::channel(Seen::default());
        let (end, ended) = watch::channel(false);
        let shared = Arc::new(Shared {
            waiting: tokio::sync::Mutex::new(waiting),
            running: Mutex::new(None),
            seen,
            ended,
        });
        let mut server = JoinSet::new();
        server.spawn(async move {
            if let Err(error) = axum::serve(listener, router(shared)).await {
                tracing::error!(%error, "the Runtime API stopped");
            }
        });
        Ok(Self {
            address,
            invocations,
            seen: seen_by_us,
            end,
            number: Mutex::new(0),
            _server: server,
        })
    }

    /// Where it listens: the value of `AWS_LAMBDA_RUNTIME_API`.
    #[must_use]
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Waits until the function asks for its first invocation, and says when it did.
    ///
    /// # Errors
    ///
    /// It says that it cannot start, or says nothing for as long as `patience`.
    pub async fn first_poll(&self, patience: Duration) -> Result<Instant, InvocationError> {
        let mut seen = self.seen.clone();
        let polled = seen.wait_for(|seen| seen.polls > 0 || seen.init_error.is_some());
        let seen = match tokio::time::timeout(patience, polled).await {
            Ok(Ok(seen)) => seen.clone(),
            Ok(Err(_)) => return Err(InvocationError::Ended),
            Err(_) => return Err(InvocationError::Silence(patience)),
        };
        match (seen.init_error, seen.first_polled_at) {
            (Some(error), _) => Err(InvocationError::Init(error)),
            (None, Some(at)) => Ok(at),
            (None, None) => Err(InvocationError::Ended),
        }
    }

    /// How often the function has asked for an invocation.
    #[must_use]
    pub fn polls(&self) -> u64 {
        self.seen.borrow().polls
    }

    /// Has the function handle `event`, to be answered before `deadline_millis` of Unix time; gives up after
    /// `patience`.
    ///
    /// # Errors
    ///
    /// [`InvocationError`] says what came in place of an answer.
    pub async fn invoke(
        &self,
        event: &Value,
        deadline_millis: i64,
        patience: Duration,
    ) -> Result<Value, InvocationError> {
        let (answer, answered) = oneshot::channel();
        let invocation = Invocation {
            request_id: self.next_request_id(),
            deadline_millis,
            event: event.to_string(),
            answer,
        };
        let outcome = async {
            self.invocations
                .send(invocation)
                .await
                .map_err(|_| InvocationError::Ended)?;
            answered.await.map_err(|_| InvocationError::Ended)?
        };
        let body = tokio::time::timeout(patience, outcome)
            .await
            .map_err(|_| InvocationError::Silence(patience))??;
        serde_json::from_slice(&body).map_err(|_| InvocationError::NotJson)
    }

    /// Answers the function's poll with the end: a bootstrap that is told so exits by itself.
    pub fn end(&self) {
        self.end.send_replace(true);
    }

    fn next_request_id(&self) -> String {
        let mut number = lock(&self.number);
        *number += 1;
        // The form of a UUID, as Lambda's are.
        format!("00000000-0000-4000-8000-{:012x}", *number)
    }
}

/// A number or a slot is whole at any moment, so a poisoned lock is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
        .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
        .route("/2018-06-01/runtime/init/error", post(init_error))
        .layer(DefaultBodyLimit::max(ANSWER_BYTES))
        .with_state(shared)
}

/// Waits for an invocation, as long as it takes.
async fn next(State(shared): State<Arc<Shared>>) -> Response {
    shared.seen.send_modify(|seen| {
        seen.polls += 1;
        seen.first_polled_at.get_or_insert_with(Instant::now);
    });
    let mut ended = shared.ended.clone();
    let mut waiting = shared.waiting.lock().await;
    let invocation = tokio::select! {
        invocation = waiting.recv() => invocation,
        _ = ended.wait_for(|ended| *ended) => None,
    };
    let Some(invocation) = invocation else {
        return (StatusCode::GONE, "no invocation will come").into_response();
    };
    let headers = [
        ("lambda-runtime-aws-request-id", invocation.request_id.clone()),
        (
            "lambda-runtime-deadline-ms",
            invocation.deadline_millis.to_string(),
        ),
        ("lambda-runtime-invoked-function-arn", FUNCTION_ARN.to_owned()),
        ("content-type", "application/json".to_owned()),
    ];
    *lock(&shared.running) = Some((invocation.request_id, invocation.answer));
    (headers, invocation.event).into_response()
}

async fn response(State(shared): State<Arc<Shared>>, Path(id): Path<String>, body: Bytes) -> StatusCode {
    shared.answer(&id, Ok(body))
}

async fn error(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    shared.answer(&id, Err(InvocationError::Failed(said(&headers, &body))))
}

async fn init_error(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let said = said(&headers, &body);
    shared.seen.send_modify(|seen| seen.init_error = Some(said));
    StatusCode::ACCEPTED
}

impl Shared {
    /// Gives the answer to who waits for it; refused where no invocation of this id is under way.
    fn answer(&self, id: &str, answer: Answer) -> StatusCode {
        match lock(&self.running).take_if(|(running, _)| running == id) {
            Some((_, waiting)) => {
                // Who gave up waiting is not told.
                let _unheard = waiting.send(answer);
                StatusCode::ACCEPTED
            }
            None => StatusCode::BAD_REQUEST,
        }
    }
}

/// The error as the function describes it: its kind, and the body.
fn said(headers: &HeaderMap, body: &[u8]) -> String {
    let kind = headers.get(ERROR_TYPE).and_then(|kind| kind.to_str().ok());
    let body = String::from_utf8_lossy(body);
    match kind {
        Some(kind) => format!("{kind}: {body}"),
        None => body.into_owned(),
    }
}

#[cfg(test)]
mod tests;
