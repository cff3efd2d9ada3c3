//! The tables.
//!
//! Every read is strongly consistent: submissions, books, matches and epoch keys because decisions stand on them;
//! registry and parameters because an answer that is a moment old would set a new counterparty's first message
//! aside, or refuse its symbol, for good. The matcher caches both, so the double price is paid once in a while.

mod batch_get;
mod books;
mod keys;
mod ledger;
mod matches;
mod parameters;
mod registry;
mod submissions;
#[cfg(test)]
mod tests;
mod writes;

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_dynamo::aws_sdk_dynamodb_1 as serde_item;

pub(super) use registry::{
    COUNTERPARTY, PRINCIPAL, counterparty_key, find_principals, principal_in, principal_key,
    read_counterparties,
};
pub(super) use submissions::read_submissions;

use super::error::{not_sendable, unreadable};
use crate::domain::book::EntryKey;
use crate::domain::identifiers::OrderKey;
use crate::ports::PortError;

/// An item, or the attributes of its key.
pub(super) type Item = HashMap<String, AttributeValue>;

/// A record as an item: its serde form.
pub(super) fn to_item<T: Serialize>(operation: &'static str, record: &T) -> Result<Item, PortError> {
    serde_item::to_item(record).map_err(|_| not_sendable(operation))
}

/// One value as an attribute.
pub(super) fn to_attribute<T: Serialize>(
    operation: &'static str,
    value: &T,
) -> Result<AttributeValue, PortError> {
    serde_item::to_attribute_value(value).map_err(|_| not_sendable(operation))
}

/// The record in an item; attributes that it does not know, such as a table's key, are left aside.
pub(super) fn from_item<T: DeserializeOwned>(operation: &'static str, item: Item) -> Result<T, PortError> {
    serde_item::from_item(item).map_err(|_| unreadable(operation))
}

/// The records in many items.
fn from_items<T: DeserializeOwned>(operation: &'static str, items: Vec<Item>) -> Result<Vec<T>, PortError> {
    items.into_iter().map(|item| from_item(operation, item)).collect()
}

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(super) fn key_of(attribute: &str, value: impl Into<String>) -> Item {
    HashMap::from([(attribute.to_owned(), text(value))])
}

fn submission_key(key: &OrderKey) -> Item {
    HashMap::from([
        ("owner".to_owned(), text(key.owner.as_str())),
        ("clOrdId".to_owned(), text(key.cl_ord_id.as_str())),
    ])
}

fn entry_key(key: &EntryKey) -> Item {
    HashMap::from([
        ("book".to_owned(), text(key.book.clone())),
        ("rank".to_owned(), text(key.rank.as_str())),
    ])
}
