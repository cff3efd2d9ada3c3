//! Lambda's poller of a table's stream: batches from the one shard, on from the first record that failed.

use aws_sdk_dynamodbstreams::Client;
use aws_sdk_dynamodbstreams::types::{AttributeValue, Record, ShardIteratorType, StreamRecord};
use aws_smithy_types::error::display::DisplayErrorContext;
use serde_json::{Map, Value, json};

/// A mapping from a stream to a function.
#[derive(Debug, Clone)]
pub struct StreamMapping {
    /// The stream.
    pub stream_arn: String,
    /// Records per invocation at most.
    pub batch_size: u32,
    /// Whether the function answers with what failed.
    pub report_batch_item_failures: bool,
    /// Deliveries of a first record that fails, after the first at most.
    pub maximum_retries: u32,
}

/// Why a stream cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// DynamoDB refuses.
    #[error("the stream cannot be read: {0}")]
    Refused(String),
    /// The function fails as a whole.
    #[error("the function fails: {0}")]
    Failed(String),
    /// A record is not done however often it is delivered.
    #[error("record {0} is given back each time")]
    GivenBack(String),
}

fn refused(error: impl std::error::Error) -> StreamError {
    StreamError::Refused(DisplayErrorContext(error).to_string())
}

/// The poller: it remembers how far it has come.
#[derive(Debug)]
pub struct StreamPoller {
    client: Client,
    mapping: StreamMapping,
    shard: Option<String>,
    /// The last record that is done.
    after: Option<String>,
    retries: u32,
    /// What was delivered last, to be delivered again.
    last: Vec<Value>,
}

impl StreamPoller {
    /// At the beginning of the stream.
    #[must_use]
    pub fn new(client: Client, mapping: StreamMapping) -> Self {
        Self {
            client,
            mapping,
            shard: None,
            after: None,
            retries: 0,
            last: Vec::new(),
        }
    }

    /// The next batch through `handler`; how many records are done. What comes after a failure comes again.
    ///
    /// # Errors
    /// [`StreamError`] when the stream cannot be read, or does not go on.
    pub async fn poll<H, F>(&mut self, handler: H) -> Result<usize, StreamError>
    where
        H: Fn(Value) -> F,
        F: Future<Output = Result<Value, String>>,
    {
        let records: Vec<Value> = self.next_records().await?.iter().map(record).collect();
        if records.is_empty() {
            return Ok(0);
        }
        let answer = handler(json!({"Records": records}))
            .await
            .map_err(StreamError::Failed)?;
        let failed = Some(&answer["batchItemFailures"][0]["itemIdentifier"])
            .filter(|failed| self.mapping.report_batch_item_failures && !failed.is_null());
        let done = match failed {
            None => records.len(),
            // An id that is none of the batch's brings all of it back.
            Some(failed) => records
                .iter()
                .position(|record| number_of(record) == failed)
                .unwrap_or(0),
        };
        self.retries = if done == 0 { self.retries + 1 } else { 0 };
        if self.retries > self.mapping.maximum_retries {
            let first = records.first().map(number_of).unwrap_or_default();
            return Err(StreamError::GivenBack(first.to_string()));
        }
        if let Some(last_done) = done.checked_sub(1).and_then(|index| records.get(index)) {
            self.after = number_of(last_done).as_str().map(str::to_owned);
        }
        self.last = records;
        Ok(done)
    }

    /// The batch before once more, as happens when Lambda does not hear of its success.
    ///
    /// # Errors
    /// [`StreamError`] when the function fails.
    pub async fn again<H, F>(&self, handler: H) -> Result<(), StreamError>
    where
        H: Fn(Value) -> F,
        F: Future<Output = Result<Value, String>>,
    {
        let answer = handler(json!({"Records": self.last})).await;
        answer.map(drop).map_err(StreamError::Failed)
    }

    /// The one shard, if there is one yet.
    async fn shard(&mut self) -> Result<Option<String>, StreamError> {
        if self.shard.is_none() {
            let describe = self.client.describe_stream().stream_arn(&self.mapping.stream_arn);
            let described = describe.send().await.map_err(refused)?;
            let shards = described.stream_description.and_then(|stream| stream.shards);
            self.shard = shards.into_iter().flatten().find_map(|shard| shard.shard_id);
        }
        Ok(self.shard.clone())
    }

    async fn next_records(&mut self) -> Result<Vec<Record>, StreamError> {
        let Some(shard) = self.shard().await? else {
            return Ok(Vec::new());
        };
        let kind = match self.after {
            Some(_) => ShardIteratorType::AfterSequenceNumber,
            None => ShardIteratorType::TrimHorizon,
        };
        let iterator = self
            .client
            .get_shard_iterator()
            .stream_arn(&self.mapping.stream_arn)
            .shard_id(shard)
            .shard_iterator_type(kind)
            .set_sequence_number(self.after.clone());
        let iterator = iterator.send().await.map_err(refused)?.shard_iterator;
        let limit = i32::try_from(self.mapping.batch_size.min(1_000)).unwrap_or(1_000);
        let get = self
            .client
            .get_records()
            .set_shard_iterator(iterator)
            .limit(limit);
        let records = get.send().await.map_err(refused)?.records;
        Ok(records.unwrap_or_default())
    }
}

fn number_of(record: &Value) -> &Value {
    &record["dynamodb"]["SequenceNumber"]
}

/// A record of the event, as Lambda writes it.
fn record(record: &Record) -> Value {
    let stream = record.dynamodb();
    let image = |of: Option<&std::collections::HashMap<String, AttributeValue>>| of.map(item);
    let mut event = json!({
        "eventID": record.event_id(),
        "eventName": record.event_name().map(aws_sdk_dynamodbstreams::types::OperationType::as_str),
        "eventVersion": record.event_version(),
        "eventSource": record.event_source(),
        "awsRegion": record.aws_region(),
        "dynamodb": {
            "ApproximateCreationDateTime": stream
                .and_then(|stream| stream.approximate_creation_date_time())
                .map(aws_smithy_types::DateTime::as_secs_f64),
            "Keys": image(stream.and_then(|stream| stream.keys())),
            "SequenceNumber": stream.and_then(|stream| stream.sequence_number()),
            "SizeBytes": stream.and_then(StreamRecord::size_bytes),
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
    });
    for (name, of) in [
        ("NewImage", stream.and_then(|stream| stream.new_image())),
        ("OldImage", stream.and_then(|stream| stream.old_image())),
    ] {
        if let Some(image) = image(of) {
            event["dynamodb"][name] = image;
        }
    }
    if let Some(identity) = record.user_identity() {
        event["userIdentity"] = json!({"type": identity.r#type(), "principalId": identity.principal_id()});
    }
    event
}

fn item(item: &std::collections::HashMap<String, AttributeValue>) -> Value {
    let attributes = item.iter().map(|(name, value)| (name.clone(), attribute(value)));
    Value::Object(attributes.collect::<Map<_, _>>())
}

/// DynamoDB's own JSON. Sets and bytes are left empty: no stored form has any.
fn attribute(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!({"S": text}),
        AttributeValue::N(number) => json!({"N": number}),
        AttributeValue::Bool(flag) => json!({"BOOL": flag}),
        AttributeValue::Null(_) => json!({"NULL": true}),
        AttributeValue::L(list) => json!({"L": list.iter().map(attribute).collect::<Vec<_>>()}),
        AttributeValue::M(map) => json!({"M": item(map)}),
        _ => json!({}),
    }
}

#[cfg(test)]
mod tests;
