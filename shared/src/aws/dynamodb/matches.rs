//! The table `matches`.

use std::collections::BTreeSet;

use super::{from_items, key_of};
use crate::aws::AwsPorts;
use crate::domain::match_record::MatchRecord;
use crate::domain::token::MatchId;
use crate::ports::{Matches, PortError};

impl Matches for AwsPorts {
    async fn read_matches(&self, ids: &[MatchId]) -> Result<Vec<MatchRecord>, PortError> {
        let distinct: BTreeSet<&MatchId> = ids.iter().collect();
        let keys = distinct
            .into_iter()
            .map(|id| key_of("matchId", id.encode()))
            .collect();
        let items = self.batch_get(&self.settings.tables.matches, keys).await?;
        from_items("dynamodb:BatchGetItem", items)
    }
}
