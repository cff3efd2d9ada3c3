//! Books filled past the matcher: what it would have stored of resting interests, put into the tables directly. A book
//! of a hundred thousand would take the matcher minutes, and is not what is measured.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use futures::stream::{self, StreamExt, TryStreamExt};
use symbolon_shared::aws::TableNames;
use symbolon_shared::domain::book::{BookKey, Entry, Rank};
use symbolon_shared::domain::change_set::{EntryWrite, SubmissionWrite};
use symbolon_shared::domain::counterparty::Counterparty;
use symbolon_shared::domain::decision::{Arrival, Entropy, Surroundings, decide};
use symbolon_shared::domain::desk::Desk;
use symbolon_shared::domain::identifiers::OrderKey;
use symbolon_shared::domain::intake::{Member, Request, parse_body};
use symbolon_shared::domain::parameters::MatchParameters;
use symbolon_shared::domain::submission::Submission;
use symbolon_shared::domain::time::Timestamp;
use symbolon_shared::domain::token::{DataKey, EpochId, EpochKey};

use super::BenchError;

/// `DynamoDB`: items in one `BatchWriteItem`.
const BATCH_ITEMS: usize = 25;
/// Batch calls under way at once.
const CALLS_AT_ONCE: usize = 8;

/// What is stored of a resting interest.
pub(super) type Stored = (Submission, Entry);

type Item = HashMap<String, AttributeValue>;

/// Decides what is stored of interests that meet nobody, by the rules themselves.
pub(super) struct Scribe<'a> {
    parameters: &'a MatchParameters,
    key: EpochKey,
}

/// Nothing is drawn where nothing is matched.
struct Undrawn;

impl Entropy for Undrawn {
    fn fill(&mut self, _: &mut [u8]) {}
}

impl<'a> Scribe<'a> {
    pub(super) fn new(parameters: &'a MatchParameters) -> Self {
        // No match, no token: the key is never used.
        let epoch = EpochId::new(Timestamp::from_millis(0), 0);
        Self {
            parameters,
            key: EpochKey::derive(epoch, DataKey::new([0; 32])),
        }
    }

    /// What is stored of the interest `body` of `owner`, accepted at `at`.
    pub(super) fn stored(
        &self,
        owner: &Counterparty,
        body: &str,
        at: Timestamp,
    ) -> Result<Stored, BenchError> {
        let unexpected = || BenchError::Unexpected("an interest that is to rest does not".to_owned());
        let Ok(Some(Member::Message(message))) = parse_body(body).map(|mut members| members.pop()) else {
            return Err(unexpected());
        };
        let Ok(Request::Interest(interest)) = &message.request else {
            return Err(unexpected());
        };
        let order = OrderKey::new(owner.id.clone(), message.cl_ord_id.clone());
        let mut desk = Desk::default();
        desk.learn_submissions([(order.clone(), None)]);
        desk.learn_parameters(interest.symbol.clone(), Some(self.parameters.clone()));
        let side = interest.side.opposite();
        let other = BookKey {
            symbol: interest.symbol.clone(),
            side,
        };
        desk.learn_page(&other, Vec::new(), Rank::bound(side, interest.price));
        let arrival = Arrival {
            order,
            message: message.clone(),
            sent_at: at,
            receive_count: 1,
        };
        let around = Surroundings {
            now: at,
            region: "",
            generation: 0,
            key: &self.key,
        };
        let effect = decide(&desk, &arrival, owner, &around, &mut Undrawn).map_err(|_| unexpected())?;
        let submission = effect.changes.submissions.into_values().next();
        let entry = effect.changes.entries.into_values().next();
        match (submission, entry) {
            (Some(SubmissionWrite::Insert(submission)), Some(EntryWrite::Insert(entry))) => {
                Ok((*submission, *entry))
            }
            _ => Err(unexpected()),
        }
    }
}

/// Puts submissions and their entries.
pub(super) async fn put(
    client: &aws_sdk_dynamodb::Client,
    tables: &TableNames,
    stored: Vec<Stored>,
) -> Result<(), BenchError> {
    let mut puts = Vec::with_capacity(2 * stored.len());
    for (submission, entry) in stored {
        puts.push((tables.submissions.clone(), item(&submission)?));
        puts.push((tables.interests.clone(), item(&entry)?));
    }
    let calls = puts
        .chunks(BATCH_ITEMS)
        .map(|batch| write(client, batch.to_vec()));
    stream::iter(calls)
        .buffer_unordered(CALLS_AT_ONCE)
        .try_collect()
        .await
}

fn item<T: serde::Serialize>(record: &T) -> Result<Item, BenchError> {
    serde_dynamo::aws_sdk_dynamodb_1::to_item(record).map_err(BenchError::fill)
}

async fn write(client: &aws_sdk_dynamodb::Client, batch: Vec<(String, Item)>) -> Result<(), BenchError> {
    let mut by_table: HashMap<String, Vec<WriteRequest>> = HashMap::new();
    for (table, item) in batch {
        let put = PutRequest::builder()
            .set_item(Some(item))
            .build()
            .map_err(BenchError::fill)?;
        by_table
            .entry(table)
            .or_default()
            .push(WriteRequest::builder().put_request(put).build());
    }
    let call = client.batch_write_item().set_request_items(Some(by_table));
    let answer = call.send().await.map_err(BenchError::fill)?;
    if answer.unprocessed_items.is_some_and(|left| !left.is_empty()) {
        return Err(BenchError::Unexpected(
            "the table does not take every item".to_owned(),
        ));
    }
    Ok(())
}
