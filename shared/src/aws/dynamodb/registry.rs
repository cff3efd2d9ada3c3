//! The table `registry`: two kinds of items under one key.

use std::collections::BTreeSet;

use super::batch_get::batch_get;
use super::{Item, from_item, from_items, key_of};
use crate::aws::AwsPorts;
use crate::aws::error::unreadable;
use crate::domain::counterparty::Counterparty;
use crate::domain::identifiers::{CounterpartyId, Principal};
use crate::ports::{PortError, Registry};
use crate::records::PrincipalRecord;

const OPERATION: &str = "dynamodb:BatchGetItem";

/// What the key of a principal's item begins with.
pub(in crate::aws) const PRINCIPAL: &str = "PRINCIPAL#";

/// What the key of a counterparty's item begins with.
pub(in crate::aws) const COUNTERPARTY: &str = "CP#";

pub(in crate::aws) fn principal_key(principal: &Principal) -> Item {
    key_of("pk", format!("{PRINCIPAL}{}", principal.as_str()))
}

pub(in crate::aws) fn counterparty_key(id: &CounterpartyId) -> Item {
    key_of("pk", format!("{COUNTERPARTY}{}", id.as_str()))
}

impl Registry for AwsPorts {
    async fn find_principals(
        &self,
        principals: &[Principal],
    ) -> Result<Vec<(Principal, CounterpartyId)>, PortError> {
        find_principals(&self.dynamodb, &self.settings.tables.registry, principals).await
    }

    async fn read_counterparties(&self, ids: &[CounterpartyId]) -> Result<Vec<Counterparty>, PortError> {
        read_counterparties(&self.dynamodb, &self.settings.tables.registry, ids).await
    }
}

/// Who these principals are.
pub(in crate::aws) async fn find_principals(
    dynamodb: &aws_sdk_dynamodb::Client,
    table: &str,
    principals: &[Principal],
) -> Result<Vec<(Principal, CounterpartyId)>, PortError> {
    let distinct: BTreeSet<&Principal> = principals.iter().collect();
    let keys = distinct.into_iter().map(principal_key).collect();
    let items = batch_get(dynamodb, table, keys).await?;
    items
        .into_iter()
        .map(|item| principal_in(OPERATION, item))
        .collect()
}

/// What is known of these counterparties.
pub(in crate::aws) async fn read_counterparties(
    dynamodb: &aws_sdk_dynamodb::Client,
    table: &str,
    ids: &[CounterpartyId],
) -> Result<Vec<Counterparty>, PortError> {
    let distinct: BTreeSet<&CounterpartyId> = ids.iter().collect();
    let keys = distinct.into_iter().map(counterparty_key).collect();
    from_items(OPERATION, batch_get(dynamodb, table, keys).await?)
}

pub(in crate::aws) fn principal_in(
    operation: &'static str,
    item: Item,
) -> Result<(Principal, CounterpartyId), PortError> {
    let key = item.get("pk").and_then(|pk| pk.as_s().ok());
    let principal = key.and_then(|pk| Principal::new(pk.strip_prefix(PRINCIPAL)?).ok());
    let principal = principal.ok_or_else(|| unreadable(operation))?;
    let record: PrincipalRecord = from_item(operation, item)?;
    Ok((principal, record.counterparty))
}
