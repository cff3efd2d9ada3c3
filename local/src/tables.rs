//! What the tables hold at the end of a run, read as nobody in production may.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::scan::ScanError;
use serde::de::DeserializeOwned;
use symbolon_shared::aws::TableNames;
use symbolon_shared::domain::book::Entry;
use symbolon_shared::domain::match_record::MatchRecord;
use symbolon_shared::domain::submission::Submission;
use symbolon_shared::domain::token::{EpochId, EpochKey, Parties, SealError};
use symbolon_shared::ports::{EpochKeyStore, KeyService, PortError};

/// Why a table cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// DynamoDB refuses.
    #[error("cannot scan {table}")]
    Scan {
        /// The table.
        table: String,
        /// Why not.
        #[source]
        source: Box<SdkError<ScanError>>,
    },
    /// An item is not of the stored form.
    #[error("an item of {table} cannot be read")]
    Item {
        /// The table.
        table: String,
        /// Why not.
        #[source]
        source: serde_dynamo::Error,
    },
    /// An epoch key cannot be had.
    #[error("an epoch key cannot be had")]
    Key(#[from] PortError),
    /// A match names an epoch that has no key.
    #[error("epoch {0} has no key")]
    NoKey(String),
    /// A match cannot be opened.
    #[error("the parties of a match cannot be opened")]
    Seal(#[from] SealError),
}

/// Everything that was stored.
#[derive(Debug)]
pub struct Tables {
    /// Table `submissions`.
    pub submissions: Vec<Submission>,
    /// Table `interests`.
    pub entries: Vec<Entry>,
    /// Table `matches`, each with its parties.
    pub matches: Vec<(MatchRecord, Parties)>,
}

/// Reads all three tables, and opens the matches with the keys of `ports`.
///
/// # Errors
/// [`TableError`] when a table cannot be read or a match not be opened.
pub(crate) async fn read<P: EpochKeyStore + KeyService>(
    dynamodb: &aws_sdk_dynamodb::Client,
    names: &TableNames,
    ports: &P,
) -> Result<Tables, TableError> {
    let records: Vec<MatchRecord> = scan(dynamodb, &names.matches).await?;
    Ok(Tables {
        submissions: scan(dynamodb, &names.submissions).await?,
        entries: scan(dynamodb, &names.interests).await?,
        matches: open(ports, records).await?,
    })
}

async fn scan<T: DeserializeOwned>(
    dynamodb: &aws_sdk_dynamodb::Client,
    table: &str,
) -> Result<Vec<T>, TableError> {
    let items = dynamodb
        .scan()
        .table_name(table)
        .into_paginator()
        .items()
        .send()
        .collect::<Result<Vec<_>, _>>()
        .await;
    let items = items.map_err(|source| TableError::Scan {
        table: table.to_owned(),
        source: Box::new(source),
    })?;
    items
        .into_iter()
        .map(|item| {
            serde_dynamo::from_item(item).map_err(|source| TableError::Item {
                table: table.to_owned(),
                source,
            })
        })
        .collect()
}

async fn open<P: EpochKeyStore + KeyService>(
    ports: &P,
    records: Vec<MatchRecord>,
) -> Result<Vec<(MatchRecord, Parties)>, TableError> {
    let mut keys = BTreeMap::new();
    let mut opened = Vec::with_capacity(records.len());
    for record in records {
        let epoch = record.key_epoch;
        let key = match keys.entry(epoch) {
            Slot::Occupied(known) => known.into_mut(),
            Slot::Vacant(slot) => slot.insert(key_of(ports, epoch).await?),
        };
        let parties = key.open(record.match_id, &record.parties)?;
        opened.push((record, parties));
    }
    Ok(opened)
}

async fn key_of<P: EpochKeyStore + KeyService>(ports: &P, epoch: EpochId) -> Result<EpochKey, TableError> {
    let wrapped = ports
        .read_key(epoch)
        .await?
        .ok_or_else(|| TableError::NoKey(epoch.encode()))?;
    Ok(EpochKey::derive(epoch, ports.unwrap_key(epoch, &wrapped).await?))
}
