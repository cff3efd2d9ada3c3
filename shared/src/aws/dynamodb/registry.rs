//! The table `registry`: two kinds of items under one key.

use std::collections::BTreeSet;

use super::{Item, from_item, from_items, key_of};
use crate::aws::AwsPorts;
use crate::aws::error::unreadable;
use crate::domain::counterparty::Counterparty;
use crate::domain::identifiers::{CounterpartyId, Principal};
use crate::ports::{PortError, Registry};
use crate::records::PrincipalRecord;

const OPERATION: &str = "dynamodb:BatchGetItem";

/// What the key of a principal's item begins with.
const PRINCIPAL: &str = "PRINCIPAL#";

pub(in crate::aws) fn principal_key(principal: &Principal) -> Item {
    key_of("pk", format!("{PRINCIPAL}{}", principal.as_str()))
}

pub(in crate::aws) fn counterparty_key(id: &CounterpartyId) -> Item {
    key_of("pk", format!("CP#{}", id.as_str()))
}

impl Registry for AwsPorts {
    async fn find_principals(
        &self,
        principals: &[Principal],
    ) -> Result<Vec<(Principal, CounterpartyId)>, PortError> {
        let distinct: BTreeSet<&Principal> = principals.iter().collect();
        let keys = distinct.into_iter().map(principal_key).collect();
        let items = self.batch_get(&self.settings.tables.registry, keys).await?;
        items.into_iter().map(principal_in).collect()
    }

    async fn read_counterparties(&self, ids: &[CounterpartyId]) -> Result<Vec<Counterparty>, PortError> {
        let distinct: BTreeSet<&CounterpartyId> = ids.iter().collect();
        let keys = distinct.into_iter().map(counterparty_key).collect();
        let items = self.batch_get(&self.settings.tables.registry, keys).await?;
        from_items(OPERATION, items)
    }
}

fn principal_in(item: Item) -> Result<(Principal, CounterpartyId), PortError> {
    let key = item.get("pk").and_then(|pk| pk.as_s().ok());
    let principal = key.and_then(|pk| Principal::new(pk.strip_prefix(PRINCIPAL)?).ok());
    let principal = principal.ok_or_else(|| unreadable(OPERATION))?;
    let record: PrincipalRecord = from_item(OPERATION, item)?;
    Ok((principal, record.counterparty))
}
