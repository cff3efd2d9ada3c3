//! Stands between the tool and the stack, and says no where a test wants it to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

/// What becomes of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The caller may not; nothing is done.
    Denied,
    /// The service is out of order; nothing is done.
    Broken,
    /// It is done, and the service says that it is out of order.
    AnswerLost,
    /// Of a batch, the first entry is not taken for now.
    NotTaken,
    /// Of a batch, the first entry is refused for good.
    FirstRefused,
    /// Of S3: the object would have to be restored first.
    Archived,
    /// Nobody answers.
    Silent,
}

type Rule = dyn FnMut(&str, u64) -> Option<Fault> + Send;

/// What goes wrong, by operation (`SendMessageBatch`) and the count of its requests from 1.
#[derive(Clone, Default)]
pub(crate) struct Faults(Arc<Mutex<Kept>>);

/// What is kept of it.
#[derive(Default)]
struct Kept {
    rule: Option<Box<Rule>>,
    requests: BTreeMap<String, u64>,
    page: Option<u32>,
    outputs: BTreeMap<String, String>,
}

impl Faults {
    /// From now on this goes wrong; counts begin anew.
    pub(crate) fn set(&self, rule: impl FnMut(&str, u64) -> Option<Fault> + Send + 'static) {
        let mut state = self.0.lock().unwrap();
        state.rule = Some(Box::new(rule));
        state.requests.clear();
    }

    /// Nothing goes wrong any more; counts begin anew.
    pub(crate) fn cease(&self) {
        let mut state = self.0.lock().unwrap();
        state.rule = None;
        state.requests.clear();
    }

    /// What the stack `symbolon` of CloudFormation says from now on.
    pub(crate) fn set_outputs(&self, outputs: BTreeMap<String, String>) {
        self.0.lock().unwrap().outputs = outputs;
    }

    /// From now on S3 lists so many names at a time.
    pub(crate) fn set_page(&self, names: u32) {
        self.0.lock().unwrap().page = Some(names);
    }

    /// How many requests of this operation there were.
    pub(crate) fn requests(&self, operation: &str) -> u64 {
        self.0
            .lock()
            .unwrap()
            .requests
            .get(operation)
            .copied()
            .unwrap_or_default()
    }

    fn next(&self, operation: &str) -> Option<Fault> {
        let mut state = self.0.lock().unwrap();
        let count = state.requests.entry(operation.to_owned()).or_default();
        *count += 1;
        let count = *count;
        state.rule.as_mut().and_then(|rule| rule(operation, count))
    }
}

struct Between {
    front: String,
    client: Client<HttpConnector, Body>,
    faults: Faults,
}

pub(crate) struct Proxy;

impl Proxy {
    /// Its address.
    pub(crate) async fn start(front: &str, faults: Faults) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let between = Between {
            front: front.trim_start_matches("http://").to_owned(),
            client: Client::builder(TokioExecutor::new()).build_http(),
            faults,
        };
        let router = Router::new().fallback(any(pass)).with_state(Arc::new(between));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        format!("http://{address}")
    }
}

async fn pass(State(between): State<Arc<Between>>, request: Request) -> Response {
    let target = request
        .headers()
        .get("x-amz-target")
        .and_then(|target| target.to_str().ok());
    let target = target.unwrap_or_default().to_owned();
    let operation = target.split('.').next_back().unwrap_or_default();
    if target.is_empty() && request.method() == Method::GET {
        return s3(&between, request).await;
    }
    // CloudFormation speaks another protocol: forms and XML.
    if target.is_empty() && request.method() == Method::POST && request.uri().path() == "/" {
        return cloudformation(&between, request).await;
    }
    let fault = between.faults.next(operation);
    match fault {
        Some(Fault::Denied) => refusal(StatusCode::BAD_REQUEST, "AccessDeniedException"),
        Some(Fault::Broken | Fault::Archived) => {
            refusal(StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure")
        }
        Some(Fault::Silent) => std::future::pending().await,
        Some(Fault::AnswerLost) => {
            forward(&between, request).await;
            refusal(StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure")
        }
        Some(Fault::NotTaken) => without_the_first(&between, request, "InternalError", false).await,
        Some(Fault::FirstRefused) => {
            without_the_first(&between, request, "InvalidMessageContents", true).await
        }
        None => forward(&between, request).await,
    }
}

/// S3 names its operations by method and query, and speaks XML.
async fn s3(between: &Between, mut request: Request) -> Response {
    let target = request.uri().path_and_query().unwrap().as_str().to_owned();
    let lists = target.contains("list-type=2");
    let operation = if lists { "ListObjectsV2" } else { "GetObject" };
    let error = |status, code| {
        let xml = format!("<Error><Code>{code}</Code><Message>SECRET-OF-THE-SERVICE</Message></Error>");
        (status, [("content-type", "application/xml")], xml).into_response()
    };
    match between.faults.next(operation) {
        Some(Fault::Denied) => return error(StatusCode::FORBIDDEN, "AccessDenied"),
        Some(Fault::Archived) => return error(StatusCode::FORBIDDEN, "InvalidObjectState"),
        Some(Fault::Silent) => std::future::pending().await,
        Some(_) => return error(StatusCode::INTERNAL_SERVER_ERROR, "InternalError"),
        None => {}
    }
    let page = between.faults.0.lock().unwrap().page;
    if let Some(names) = page.filter(|_| lists) {
        *request.uri_mut() = format!("{target}&max-keys={names}").parse().unwrap();
    }
    forward(between, request).await
}

/// A batch whose first entry is not taken; the others are.
async fn without_the_first(between: &Between, request: Request, code: &str, sender_fault: bool) -> Response {
    let (parts, body) = request.into_parts();
    let mut body: Value = serde_json::from_slice(&to_bytes(body, 16 << 20).await.unwrap()).unwrap();
    let first = body["Entries"].as_array_mut().unwrap().remove(0);
    let failed = json!({ "Id": first["Id"], "Code": code, "SenderFault": sender_fault });
    let mut answer = json!({ "Successful": [], "Failed": [] });
    if !body["Entries"].as_array().unwrap().is_empty() {
        let mut rest = Request::from_parts(parts, Body::from(body.to_string()));
        rest.headers_mut().remove("content-length");
        let taken = forward(between, rest).await.into_body();
        answer = serde_json::from_slice(&to_bytes(taken, 16 << 20).await.unwrap()).unwrap();
    }
    match answer["Failed"].as_array_mut() {
        Some(others) => others.push(failed),
        None => answer["Failed"] = json!([failed]),
    }
    (StatusCode::OK, answer.to_string()).into_response()
}

/// A refusal quotes the request, as a service may: nothing of that may be repeated by the tool.
fn refusal(status: StatusCode, code: &str) -> Response {
    let body =
        format!(r#"{{"__type":"com.amazonaws#{code}","message":"SECRET-OF-THE-SERVICE is not authorized"}}"#);
    (status, body).into_response()
}

async fn forward(between: &Between, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let body = to_bytes(body, 16 << 20).await.unwrap();
    parts.uri = Uri::builder()
        .scheme("http")
        .authority(between.front.as_str())
        .path_and_query(parts.uri.path_and_query().unwrap().clone())
        .build()
        .unwrap();
    match between
        .client
        .request(Request::from_parts(parts, Body::from(body)))
        .await
    {
        Ok(response) => response.map(Body::new),
        Err(_) => refusal(StatusCode::BAD_GATEWAY, "InternalFailure"),
    }
}

/// One stack, `symbolon`, whose outputs a test gave.
async fn cloudformation(between: &Between, request: Request) -> Response {
    let body = to_bytes(request.into_body(), 1 << 20).await.unwrap();
    let form = String::from_utf8_lossy(&body).into_owned();
    match between.faults.next("DescribeStacks") {
        Some(Fault::Denied) => return stack_error(StatusCode::FORBIDDEN, "AccessDenied"),
        Some(_) => return stack_error(StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure"),
        None => {}
    }
    if !form.contains("StackName=symbolon&") && !form.ends_with("StackName=symbolon") {
        return stack_error(StatusCode::BAD_REQUEST, "ValidationError");
    }
    let outputs = between.faults.0.lock().unwrap().outputs.clone();
    let members: Vec<String> = outputs
        .iter()
        .map(|(name, value)| {
            format!("<member><OutputKey>{name}</OutputKey><OutputValue>{value}</OutputValue></member>")
        })
        .collect();
    let members = members.concat();
    let xml = format!(
        "<DescribeStacksResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><DescribeStacksResult>\
         <Stacks><member><StackName>symbolon</StackName><CreationTime>2026-01-01T00:00:00Z</CreationTime>\
         <StackStatus>CREATE_COMPLETE</StackStatus><Outputs>{members}</Outputs></member></Stacks>\
         </DescribeStacksResult></DescribeStacksResponse>"
    );
    (StatusCode::OK, [("content-type", "text/xml")], xml).into_response()
}

fn stack_error(status: StatusCode, code: &str) -> Response {
    let xml = format!(
        "<ErrorResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><Error><Type>Sender</Type>\
         <Code>{code}</Code><Message>SECRET-OF-THE-SERVICE</Message></Error></ErrorResponse>"
    );
    (status, [("content-type", "text/xml")], xml).into_response()
}
