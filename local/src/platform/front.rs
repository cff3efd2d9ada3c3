//! The one loopback address that answers for every service, as `AWS_ENDPOINT_URL` expects it.
//!
//! SQS, KMS and S3 are answered by the embedded emulators, DynamoDB is passed on to its own server, events are kept. Where the SQS
//! emulator is more lenient or less informed than SQS, the front makes up for it: the limits of batches, who sent
//! a message, and queue URLs that lead back here.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::uri::{PathAndQuery, Scheme};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Json, Router};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::sync::RwLock;
use winterbaume_core::{MockRequest, MockResponse, MockService};
use winterbaume_kms::KmsService;

use super::buckets::Buckets;
use super::bus::Bus;
use super::functions::{self, Functions};
use super::metrics;
use super::requests::Requests;
use super::signatures::{self, Signatures};
use super::stamps::{Stamp, Stamps};

/// Twice SQS's longest message, for the escapes of JSON.
const JSON_BODY_BYTES: usize = 2 * 1024 * 1024;
/// Far more than an object of the audit log has.
const S3_BODY_BYTES: usize = 64 * 1024 * 1024;
/// The longest request of DynamoDB.
const DYNAMODB_BODY_BYTES: usize = 16 * 1024 * 1024;
/// SQS: entries of a batch call, and bytes of all its bodies together.
const BATCH_ENTRIES: usize = 10;
const BATCH_BYTES: usize = 1024 * 1024;

pub(super) struct Front {
    pub(super) endpoint: String,
    pub(super) dynamodb: String,
    pub(super) to_dynamodb: Client<HttpConnector, Body>,
    pub(super) sqs: Arc<dyn MockService>,
    pub(super) kms: KmsService,
    pub(super) signatures: Signatures,
    pub(super) buckets: Buckets,
    pub(super) bus: Arc<Bus>,
    pub(super) functions: Arc<Functions>,
    pub(super) stamps: Arc<Stamps>,
    pub(super) requests: Arc<Requests>,
    /// Held for reading while messages are sent that bear no stamp yet.
    pub(super) sending: RwLock<()>,
}

impl Front {
    pub(super) fn router(self) -> Router {
        // Any path: a client may take a queue's URL for the address.
        Router::new().fallback(any(answer)).with_state(Arc::new(self))
    }
}

async fn answer(State(front): State<Arc<Front>>, request: Request) -> Response {
    let target = request.headers().get("x-amz-target").cloned();
    let target = target
        .as_ref()
        .and_then(|target| target.to_str().ok())
        .unwrap_or_default();
    let caller = credential(request.headers(), 0).unwrap_or_default();
    front.requests.count(caller, target);
    match target.split_once('.') {
        Some(("AmazonSQS", operation)) => front.sqs(operation, request).await,
        Some(("TrentService", operation)) => front.kms(operation, request).await,
        Some(("DynamoDB_20120810" | "DynamoDBStreams_20120810", _)) => front.dynamodb(request).await,
        Some(("AWSEvents", "PutEvents")) => front.put_events(request).await,
        // These name no operation: method and path say it.
        None => match credential(request.headers(), 3) {
            Some("s3") => front.s3(request).await,
            Some("lambda") => front.lambda(request).await,
            Some("monitoring") => get_metric_data(request).await,
            _ => unknown_operation(),
        },
        _ => unknown_operation(),
    }
}

fn unknown_operation() -> Response {
    refusal(
        StatusCode::BAD_REQUEST,
        "UnknownOperationException",
        "neither SQS, KMS, DynamoDB nor PutEvents in JSON, nor S3, Lambda's Invoke or CloudWatch's GetMetricData",
    )
}

/// `GetMetricData`, in CBOR.
async fn get_metric_data(request: Request) -> Response {
    let asked = request.uri().path().ends_with("/operation/GetMetricData");
    let Ok(body) = to_bytes(request.into_body(), JSON_BODY_BYTES).await else {
        return too_large();
    };
    let Some(answer) = metrics::no_points(&body).filter(|_| asked) else {
        return unknown_operation();
    };
    let protocol = [
        ("smithy-protocol", "rpc-v2-cbor"),
        (header::CONTENT_TYPE.as_str(), "application/cbor"),
    ];
    (protocol, answer).into_response()
}

/// An error in the form of the AWS JSON protocols.
fn refusal(status: StatusCode, kind: &str, message: &str) -> Response {
    (status, Json(json!({ "__type": kind, "message": message }))).into_response()
}

impl Front {
    async fn dynamodb(&self, request: Request) -> Response {
        let (mut parts, body) = request.into_parts();
        let Ok(body) = to_bytes(body, DYNAMODB_BODY_BYTES).await else {
            return too_large();
        };
        parts.uri = Uri::builder()
            .scheme(Scheme::HTTP)
            .authority(self.dynamodb.as_str())
            .path_and_query(PathAndQuery::from_static("/"))
            .build()
            .unwrap_or_default();
        match self
            .to_dynamodb
            .request(Request::from_parts(parts, Body::from(body)))
            .await
        {
            Ok(response) => response.map(Body::new),
            Err(error) => refusal(
                StatusCode::BAD_GATEWAY,
                "InternalFailure",
                &format!("DynamoDB is gone: {error}"),
            ),
        }
    }

    async fn kms(&self, operation: &str, request: Request) -> Response {
        let Some(request) = mock_request("kms", request).await else {
            return too_large();
        };
        // The emulator's own signatures are none: it checks who may sign with what, and here it is signed.
        let asked = request.body.clone();
        let answer = self
            .kms
            .handle(signatures::asked_of_emulator(operation, request))
            .await;
        if answer.status != 200 {
            return respond(answer, None);
        }
        match self.signatures.answer(operation, &asked, &answer.body) {
            Some(Ok(body)) => respond(answer, Some(body)),
            Some(Err((kind, message))) => refusal(StatusCode::BAD_REQUEST, kind, message),
            None => respond(answer, None),
        }
    }

    async fn put_events(&self, request: Request) -> Response {
        let Ok(body) = to_bytes(request.into_body(), JSON_BODY_BYTES).await else {
            return too_large();
        };
        match self.bus.put_events(&body) {
            Ok(answer) => Json(answer).into_response(),
            Err((kind, message)) => refusal(StatusCode::BAD_REQUEST, kind, message),
        }
    }

    /// `Invoke`, which answers with what the function answers, and `ListEventSourceMappings`.
    async fn lambda(&self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path();
        if functions::lists_mappings(path) {
            let query = parts.uri.query().unwrap_or_default();
            let name = query
                .split('&')
                .find_map(|pair| pair.strip_prefix("FunctionName="));
            return Json(self.functions.list(name)).into_response();
        }
        let Some(name) = functions::invoked(path) else {
            return unknown_operation();
        };
        let Ok(body) = to_bytes(body, JSON_BODY_BYTES).await else {
            return too_large();
        };
        let Ok(event) = serde_json::from_slice(&body) else {
            return error_of_rest("InvalidRequestContentException", StatusCode::BAD_REQUEST);
        };
        match self.functions.invoke(name, event).await {
            Some(answer) => Json(answer).into_response(),
            None => error_of_rest("ResourceNotFoundException", StatusCode::NOT_FOUND),
        }
    }

    async fn s3(&self, request: Request) -> Response {
        let region = credential(request.headers(), 2).unwrap_or("us-east-1").to_owned();
        let (parts, body) = request.into_parts();
        let Ok(body) = to_bytes(body, S3_BODY_BYTES).await else {
            return too_large();
        };
        let path = parts.uri.path_and_query().map_or("/", PathAndQuery::as_str);
        let answer = self
            .buckets
            .handle(MockRequest {
                method: parts.method.to_string(),
                uri: format!("https://s3.{region}.amazonaws.com{path}"),
                headers: parts.headers,
                body,
            })
            .await;
        respond(answer, None)
    }

    async fn sqs(self: &Arc<Self>, operation: &str, request: Request) -> Response {
        let Some(request) = mock_request("sqs", request).await else {
            return too_large();
        };
        if let Some((kind, message)) = refused_batch(operation, &request.body) {
            return refusal(StatusCode::BAD_REQUEST, kind, message);
        }
        let caller = credential(&request.headers, 0).unwrap_or_default().to_owned();
        let queues_of_emulator = request.uri.clone();
        let answer = match operation {
            "SendMessage" | "SendMessageBatch" => self.send(caller, request).await,
            _ => self.sqs.handle(request).await,
        };
        if answer.status != 200 {
            return respond(answer, None);
        }
        let body = match operation {
            "ReceiveMessage" => self.with_stamps(&answer.body).await,
            "CreateQueue" | "GetQueueUrl" | "ListQueues" | "ListDeadLetterSourceQueues" => {
                let here = format!("{}/", self.endpoint);
                Some(
                    String::from_utf8_lossy(&answer.body)
                        .replace(&queues_of_emulator, &here)
                        .into(),
                )
            }
            _ => None,
        };
        respond(answer, body)
    }

    /// What the emulator answers, once it is remembered who sent.
    ///
    /// On its own, so that a caller who goes away meanwhile leaves no message behind of which nobody knows whose it
    /// is.
    async fn send(self: &Arc<Self>, caller: String, request: MockRequest) -> MockResponse {
        let front = Arc::clone(self);
        let send = tokio::spawn(async move {
            let _sending = front.sending.read().await;
            let answer = front.sqs.handle(request).await;
            if answer.status == 200 {
                front.remember_sender(&caller, &answer.body);
            }
            answer
        });
        send.await
            .unwrap_or_else(|_| MockResponse::json(500, json!({ "__type": "InternalFailure" }).to_string()))
    }

    fn remember_sender(&self, caller: &str, answer: &[u8]) {
        let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
        let entries = answer["Successful"]
            .as_array()
            .map_or(std::slice::from_ref(&answer), Vec::as_slice);
        for message_id in entries.iter().filter_map(|entry| entry["MessageId"].as_str()) {
            self.stamps.register(message_id, Stamp::of(caller));
        }
    }

    /// The answer with the stamps of SQS in place of the emulator's; `None` if it is empty.
    ///
    /// A message may be received before the call that sent it, or the other messages of its batch, has ended: that
    /// end is waited for.
    async fn with_stamps(&self, answer: &[u8]) -> Option<Bytes> {
        let mut answer: Value = serde_json::from_slice(answer).ok()?;
        let messages = answer.get_mut("Messages")?.as_array_mut()?;
        if messages.iter().any(|message| self.stamp_of(message).is_none()) {
            drop(self.sending.write().await);
        }
        for message in messages {
            let Some(stamp) = self.stamp_of(message) else {
                continue;
            };
            message["Attributes"]["SenderId"] = stamp.sender_id.into();
            if let Some(sent_at_ms) = stamp.sent_at_ms {
                message["Attributes"]["SentTimestamp"] = sent_at_ms.to_string().into();
            }
        }
        Some(answer.to_string().into())
    }

    fn stamp_of(&self, message: &Value) -> Option<Stamp> {
        self.stamps.get(message["MessageId"].as_str()?)
    }
}

/// An error in the form of Lambda, which names it in a header.
fn error_of_rest(kind: &'static str, status: StatusCode) -> Response {
    let body = Json(json!({ "Message": kind }));
    (status, [("x-amzn-errortype", kind)], body).into_response()
}

fn too_large() -> Response {
    refusal(
        StatusCode::PAYLOAD_TOO_LARGE,
        "RequestEntityTooLarge",
        "the request is longer than the service takes",
    )
}

/// The request as the emulators take it; `None` if it is too long.
async fn mock_request(service: &str, request: Request) -> Option<MockRequest> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, JSON_BODY_BYTES).await.ok()?;
    // The emulators tell regions apart by the host name that AWS would have.
    let region = credential(&parts.headers, 2).unwrap_or("us-east-1");
    let uri = format!("https://{service}.{region}.amazonaws.com/");
    Some(MockRequest {
        method: parts.method.to_string(),
        uri,
        headers: parts.headers,
        body,
    })
}

/// A part of the credential scope: 0 is the access key id, 2 the region, 3 the service.
fn credential(headers: &HeaderMap, part: usize) -> Option<&str> {
    let authorization = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (_, credential) = authorization.split_once("Credential=")?;
    credential.split(',').next()?.split('/').nth(part)
}

fn respond(answer: winterbaume_core::MockResponse, body: Option<Bytes>) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, answer.headers, body.unwrap_or(answer.body)).into_response()
}

/// Why SQS would refuse a batch call that the emulator takes, or takes in part without a word.
fn refused_batch(operation: &str, body: &[u8]) -> Option<(&'static str, &'static str)> {
    let kind = operation.strip_suffix("Batch")?;
    let body: Value = serde_json::from_slice(body).ok()?;
    let entries = body["Entries"].as_array()?;
    let distinct: BTreeSet<_> = entries.iter().filter_map(|entry| entry["Id"].as_str()).collect();
    let bodies = || {
        entries
            .iter()
            .map(|entry| entry["MessageBody"].as_str().unwrap_or_default())
    };
    if entries.is_empty() {
        Some(("com.amazonaws.sqs#EmptyBatchRequest", "there is no entry"))
    } else if entries.len() > BATCH_ENTRIES {
        Some((
            "com.amazonaws.sqs#TooManyEntriesInBatchRequest",
            "there are more than ten entries",
        ))
    } else if distinct.len() < entries.len() {
        Some((
            "com.amazonaws.sqs#BatchEntryIdsNotDistinct",
            "two entries have the same id",
        ))
    } else if kind == "SendMessage" && bodies().map(str::len).sum::<usize>() > BATCH_BYTES {
        Some((
            "com.amazonaws.sqs#BatchRequestTooLong",
            "the bodies together are longer than 1 MiB",
        ))
    } else if kind == "SendMessage" && bodies().any(str::is_empty) {
        Some(("com.amazonaws.sqs#MissingParameter", "an entry has no body"))
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
