//! The AWS JSON protocols as far as faults need them: which operation a request asks for, what a batch holds, how a
//! service refuses, and what an answer says of errors.

use std::collections::BTreeSet;

use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use serde_json::{Value, json};

/// How a service says no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Throttled,
    InternalError,
    Denied,
    Conflict,
}

/// Service and operation, such as `sqs:SendMessageBatch`.
pub(super) fn operation(request: &HttpRequest) -> String {
    let target = request.headers().get("x-amz-target").unwrap_or_default();
    let (service, operation) = target.split_once('.').unwrap_or(("", target));
    let service = match service {
        "AmazonSQS" => "sqs",
        "TrentService" => "kms",
        _ => "dynamodb",
    };
    format!("{service}:{operation}")
}

/// The body of a request; empty when it is a stream.
pub(super) fn text(request: &HttpRequest) -> String {
    String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned()
}

/// The response with its body read to the end.
pub(super) async fn whole(mut response: HttpResponse) -> Result<HttpResponse, ConnectorError> {
    let body = std::mem::replace(response.body_mut(), SdkBody::taken());
    let read = ByteStream::new(body).collect().await;
    let read = read.map_err(|error| ConnectorError::io(error.into()))?;
    *response.body_mut() = SdkBody::from(read.into_bytes());
    Ok(response)
}

/// A refusal in the service's own words, the request quoted in its message.
pub(super) fn refusal(
    operation: &str,
    request: &str,
    refusal: Refusal,
) -> Result<HttpResponse, ConnectorError> {
    let writes = matches!(
        operation,
        "dynamodb:TransactWriteItems"
            | "dynamodb:PutItem"
            | "dynamodb:UpdateItem"
            | "dynamodb:DeleteItem"
            | "dynamodb:BatchWriteItem"
    );
    let service = operation.split(':').next().unwrap_or_default();
    let (status, kind) = match (refusal, service) {
        (Refusal::Conflict, _) if operation == "dynamodb:TransactWriteItems" => {
            return cancelled(request, "TransactionConflict");
        }
        (Refusal::Throttled, _) if operation == "dynamodb:TransactWriteItems" => {
            return cancelled(request, "ThrottlingError");
        }
        (Refusal::Conflict, _) if writes => (
            400,
            "com.amazonaws.dynamodb.v20120810#TransactionConflictException",
        ),
        (Refusal::Throttled | Refusal::Conflict, "dynamodb") => (
            400,
            "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
        ),
        (Refusal::Throttled | Refusal::Conflict, "sqs") => (400, "com.amazonaws.sqs#RequestThrottled"),
        (Refusal::Throttled | Refusal::Conflict, _) => (400, "ThrottlingException"),
        (Refusal::InternalError, "kms") => (500, "KMSInternalException"),
        (Refusal::InternalError, _) => (500, "InternalServerError"),
        (Refusal::Denied, _) => (400, "AccessDeniedException"),
    };
    answer(
        status,
        &json!({ "__type": kind, "message": format!("not allowed: {request}") }),
    )
}

/// A cancelled transaction, for a reason of its first action.
fn cancelled(request: &str, code: &str) -> Result<HttpResponse, ConnectorError> {
    let request_value: Value = serde_json::from_str(request).unwrap_or_default();
    let actions = request_value["TransactItems"].as_array().map_or(1, Vec::len);
    let mut reasons = vec![json!({ "Code": "None" }); actions.max(1)];
    reasons[0] = json!({ "Code": code, "Message": format!("in the way: {request}") });
    answer(
        400,
        &json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": format!("Transaction cancelled: {request}"),
            "CancellationReasons": reasons,
        }),
    )
}

fn answer(status: u16, body: &Value) -> Result<HttpResponse, ConnectorError> {
    let status = status
        .try_into()
        .map_err(|error| ConnectorError::other(Box::new(error), None))?;
    Ok(HttpResponse::new(status, SdkBody::from(body.to_string())))
}

/// The error codes of an answer, each once: of a cancelled transaction the codes of its reasons, `None` left aside.
pub(super) fn error_codes(response: &[u8]) -> BTreeSet<String> {
    let response: Value = serde_json::from_slice(response).unwrap_or_default();
    let reasons = response["CancellationReasons"].as_array();
    let codes = reasons
        .into_iter()
        .flatten()
        .filter_map(|reason| reason["Code"].as_str());
    let mut codes: BTreeSet<String> = codes.filter(|code| *code != "None").map(str::to_owned).collect();
    if codes.is_empty() {
        let kind = response["__type"].as_str().unwrap_or("Unrecognised");
        codes.insert(kind.rsplit('#').next().unwrap_or(kind).to_owned());
    }
    codes
}

/// A batch call, some of whose entries are not to be taken.
pub(super) struct Batch {
    request: Value,
    /// The table, of a batch read.
    table: Option<String>,
    kept: Vec<Value>,
    left_out: Vec<Value>,
}

impl Batch {
    /// The batch in `body` without the entries at `indices`; `None` when it is no batch call.
    pub(super) fn of(operation: &str, body: &str, indices: &[usize]) -> Option<Self> {
        let mut request: Value = serde_json::from_str(body).ok()?;
        let table = match operation {
            "sqs:SendMessageBatch" => None,
            "dynamodb:BatchGetItem" => Some(request["RequestItems"].as_object()?.keys().next()?.clone()),
            _ => return None,
        };
        let entries = entries_of(&mut request, table.as_deref()).as_array_mut()?;
        let indices: BTreeSet<usize> = indices.iter().copied().collect();
        let (mut kept, mut left_out) = (Vec::new(), Vec::new());
        for (index, entry) in std::mem::take(entries).into_iter().enumerate() {
            if indices.contains(&index) {
                left_out.push(entry);
            } else {
                kept.push(entry);
            }
        }
        Some(Self {
            request,
            table,
            kept,
            left_out,
        })
    }

    pub(super) fn nothing_left(&self) -> bool {
        self.kept.is_empty()
    }

    /// The answer when no entry is left to be sent.
    pub(super) fn answer_alone(&self) -> Result<HttpResponse, ConnectorError> {
        let nothing = match &self.table {
            None => json!({ "Successful": [], "Failed": [] }),
            Some(table) => json!({ "Responses": { table: [] }, "UnprocessedKeys": {} }),
        };
        Ok(self.with_them_failed(answer(200, &nothing)?))
    }

    /// The request with what is kept.
    pub(super) fn without_them(&self, mut request: HttpRequest) -> HttpRequest {
        let mut body = self.request.clone();
        *entries_of(&mut body, self.table.as_deref()) = Value::Array(self.kept.clone());
        let body = body.to_string();
        request
            .headers_mut()
            .insert("content-length", body.len().to_string());
        *request.body_mut() = SdkBody::from(body);
        request
    }

    /// The answer that names what was left out as not taken.
    pub(super) fn with_them_failed(&self, mut response: HttpResponse) -> HttpResponse {
        let mut body: Value =
            serde_json::from_slice(response.body().bytes().unwrap_or_default()).unwrap_or_default();
        match &self.table {
            None => {
                let failed = self.left_out.iter().map(|entry| {
                    json!({
                        "Id": entry["Id"], "Code": "InternalError", "SenderFault": false,
                        "Message": format!("not taken: {entry}"),
                    })
                });
                let mut all = body["Failed"].as_array().cloned().unwrap_or_default();
                all.extend(failed);
                body["Failed"] = Value::Array(all);
            }
            Some(table) => {
                let mut unprocessed = self.request["RequestItems"][table].clone();
                unprocessed["Keys"] = Value::Array(self.left_out.clone());
                body["UnprocessedKeys"] = json!({ table: unprocessed });
            }
        }
        response.headers_mut().remove("content-length");
        *response.body_mut() = SdkBody::from(body.to_string());
        response
    }
}

fn entries_of<'v>(request: &'v mut Value, table: Option<&str>) -> &'v mut Value {
    match table {
        None => &mut request["Entries"],
        Some(table) => &mut request["RequestItems"][table]["Keys"],
    }
}
