//! The table `submissions`.

use std::collections::{BTreeMap, BTreeSet};

use super::batch_get::batch_get;
use super::{from_items, submission_key, to_attribute};
use crate::aws::AwsPorts;
use crate::aws::attempts::pauses;
use crate::aws::error::{CONFLICT, held};
use crate::domain::identifiers::OrderKey;
use crate::domain::submission::Submission;
use crate::domain::time::Timestamp;
use crate::domain::token::MatchId;
use crate::ports::{PortError, Submissions};

const MARK_TOLD: &str = "dynamodb:UpdateItem";

/// The submissions under these keys; `None` for one that does not exist.
pub(in crate::aws) async fn read_submissions(
    dynamodb: &aws_sdk_dynamodb::Client,
    table: &str,
    keys: &[OrderKey],
) -> Result<Vec<(OrderKey, Option<Submission>)>, PortError> {
    // A request that names a key twice is refused as a whole.
    let distinct: BTreeSet<&OrderKey> = keys.iter().collect();
    let wanted = distinct.iter().map(|key| submission_key(key)).collect();
    let items = batch_get(dynamodb, table, wanted).await?;
    let stored: Vec<Submission> = from_items("dynamodb:BatchGetItem", items)?;
    let mut found: BTreeMap<OrderKey, Submission> = stored
        .into_iter()
        .map(|submission| (submission.key(), submission))
        .collect();
    Ok(distinct
        .into_iter()
        .map(|key| (key.clone(), found.remove(key)))
        .collect())
}

impl Submissions for AwsPorts {
    async fn read_submissions(
        &self,
        keys: &[OrderKey],
    ) -> Result<Vec<(OrderKey, Option<Submission>)>, PortError> {
        read_submissions(&self.dynamodb, &self.settings.tables.submissions, keys).await
    }

    async fn mark_told(&self, key: &OrderKey, matches: &[MatchId], at: Timestamp) -> Result<bool, PortError> {
        let update = self
            .dynamodb
            .update_item()
            .table_name(&self.settings.tables.submissions)
            .set_key(Some(submission_key(key)))
            .update_expression("SET #toldAt = :at")
            .expression_attribute_names("#toldAt", "toldAt")
            .expression_attribute_names("#matches", "matches")
            .expression_attribute_values(":at", to_attribute(MARK_TOLD, &at)?);
        let update = if matches.is_empty() {
            // A submission without matches has no list at all, and what does not exist must not come of this.
            update
                .condition_expression("attribute_exists(#owner) AND attribute_not_exists(#matches)")
                .expression_attribute_names("#owner", "owner")
        } else {
            update
                .condition_expression("#matches = :matches")
                .expression_attribute_values(":matches", to_attribute(MARK_TOLD, &matches)?)
        };
        // A look may be adding to the list at this moment. The SDK repeats no conflict, and the record would come back
        // after minutes though its matches are told.
        let mut pauses = pauses();
        loop {
            match held(MARK_TOLD, update.clone().send().await) {
                Err(error) if error.code == CONFLICT => match pauses.next() {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => return Err(error),
                },
                ended => return ended,
            }
        }
    }
}
