//! Many items by key, a hundred a request.

use aws_sdk_dynamodb::types::KeysAndAttributes;

use super::Item;
use crate::aws::AwsPorts;
use crate::aws::attempts::pauses;
use crate::aws::error::{not_sendable, of, port_error};
use crate::domain::limits::MAX_BATCH_GET_KEYS;
use crate::ports::{Fault, PortError};

const OPERATION: &str = "dynamodb:BatchGetItem";

// DynamoDB leaves keys out when a partition is throttled or the answer exceeds 16 MB; the SDK asks for neither again.

impl AwsPorts {
    /// As [`batch_get`].
    pub(super) async fn batch_get(&self, table: &str, keys: Vec<Item>) -> Result<Vec<Item>, PortError> {
        batch_get(&self.dynamodb, table, keys).await
    }
}

/// The items under these keys, in no order, those that do not exist left out. No key may occur twice.
pub(super) async fn batch_get(
    dynamodb: &aws_sdk_dynamodb::Client,
    table: &str,
    keys: Vec<Item>,
) -> Result<Vec<Item>, PortError> {
    let mut items = Vec::with_capacity(keys.len());
    for part in keys.chunks(MAX_BATCH_GET_KEYS) {
        let mut wanted = part.to_vec();
        let mut pauses = pauses();
        loop {
            let unprocessed = get_some(dynamodb, table, wanted, &mut items).await?;
            if unprocessed.is_empty() {
                break;
            }
            let pause = pauses
                .next()
                .ok_or_else(|| of(OPERATION, Fault::Throttled, "UnprocessedKeys"))?;
            tokio::time::sleep(pause).await;
            wanted = unprocessed;
        }
    }
    Ok(items)
}

/// One request: adds what it found to `items` and gives the keys that were not processed.
async fn get_some(
    dynamodb: &aws_sdk_dynamodb::Client,
    table: &str,
    keys: Vec<Item>,
    items: &mut Vec<Item>,
) -> Result<Vec<Item>, PortError> {
    let request = KeysAndAttributes::builder()
        .set_keys(Some(keys))
        .consistent_read(true)
        .build();
    let request = request.map_err(|_| not_sendable(OPERATION))?;
    let answer = dynamodb
        .batch_get_item()
        .request_items(table, request)
        .send()
        .await;
    let answer = answer.map_err(|error| port_error(OPERATION, &error))?;
    items.extend(
        answer
            .responses
            .unwrap_or_default()
            .remove(table)
            .unwrap_or_default(),
    );
    let unprocessed = answer.unprocessed_keys.unwrap_or_default().remove(table);
    Ok(unprocessed.map(|keys| keys.keys).unwrap_or_default())
}
