//! What a log says of one match, and the log as lines for whoever analyses it. Nothing is verified here.

use std::io::{self, Write};

use serde::Serialize;

use crate::bucket::{Bucket, BucketError};
use crate::format::{
    CHAINS, Entry, Named, Object, chain_of, is_commitment, is_match_id, object_name, read_name,
};

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// A match.
    Match(String),
    /// The match of a commitment.
    Commitment(String),
}

impl Wanted {
    /// Reads a match id (26 characters of base32; a whole token, whose first half is one, is refused) or a commitment
    /// (64 hex digits).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if is_match_id(text) {
            Some(Self::Match(text.to_owned()))
        } else {
            is_commitment(text).then(|| Self::Commitment(text.to_owned()))
        }
    }
}

/// An entry with the place where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Found {
    /// Whose log.
    pub log_region: String,
    /// The chain.
    pub chain: u8,
    /// The object.
    pub sequence: u64,
    /// The line in it, from 1 on.
    pub line: u64,
    /// The entry.
    pub entry: Entry,
}

/// Why an export ended.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The bucket cannot be read.
    #[error(transparent)]
    Bucket(#[from] BucketError),
    /// What was exported cannot be written.
    #[error("the export cannot be written")]
    Write(#[from] io::Error),
}

/// Everything that the log of `region` says of a match, in order.
///
/// # Errors
/// [`BucketError`] when the bucket cannot be read.
pub async fn show<B: Bucket>(bucket: &B, region: &str, wanted: &Wanted) -> Result<Vec<Found>, BucketError> {
    let match_id = match wanted {
        Wanted::Match(match_id) => match_id.clone(),
        Wanted::Commitment(commitment) => {
            let has = |found: &Found| found.entry.commitment.as_deref() == Some(commitment);
            match first(bucket, region, has).await? {
                Some(found) => found.entry.match_id,
                None => return Ok(Vec::new()),
            }
        }
    };
    let chain = chain_of(&match_id);
    let mut of_it = Vec::new();
    for sequence in sequences(bucket, region, chain).await? {
        let all = entries(bucket, region, chain, sequence).await?;
        of_it.extend(all.into_iter().filter(|found| found.entry.match_id == match_id));
    }
    Ok(of_it)
}

async fn first<B: Bucket>(
    bucket: &B,
    region: &str,
    is: impl Fn(&Found) -> bool,
) -> Result<Option<Found>, BucketError> {
    for chain in 0..CHAINS {
        for sequence in sequences(bucket, region, chain).await? {
            let all = entries(bucket, region, chain, sequence).await?;
            if let Some(found) = all.into_iter().find(&is) {
                return Ok(Some(found));
            }
        }
    }
    Ok(None)
}

/// Writes every entry of the log of `region` as a line of JSON with its place, chain by chain; how many.
///
/// # Errors
/// [`ExportError`] when the bucket cannot be read or `out` not be written.
pub async fn export_jsonl<B: Bucket>(
    bucket: &B,
    region: &str,
    out: &mut (dyn Write + Send),
) -> Result<u64, ExportError> {
    let mut written = 0;
    for chain in 0..CHAINS {
        for sequence in sequences(bucket, region, chain).await? {
            for found in entries(bucket, region, chain, sequence).await? {
                let line = serde_json::to_string(&found).map_err(io::Error::other)?;
                writeln!(out, "{line}")?;
                written += 1;
            }
        }
    }
    Ok(written)
}

/// The objects of a chain, in order.
async fn sequences<B: Bucket>(bucket: &B, region: &str, chain: u8) -> Result<Vec<u64>, BucketError> {
    let names = bucket.list(&format!("{region}/{chain}/")).await?;
    let sequence = |name: &String| match read_name(region, name) {
        Some(Named::Object { sequence, .. }) => Some(sequence),
        _ => None,
    };
    let mut sequences: Vec<u64> = names.iter().filter_map(sequence).collect();
    sequences.sort_unstable();
    Ok(sequences)
}

/// The entries of an object, as far as they can be read.
async fn entries<B: Bucket>(
    bucket: &B,
    region: &str,
    chain: u8,
    sequence: u64,
) -> Result<Vec<Found>, BucketError> {
    let bytes = bucket
        .read(&object_name(region, chain, sequence))
        .await?
        .unwrap_or_default();
    let lines = Object::parse(&bytes)
        .map(|object| object.lines)
        .unwrap_or_default();
    let read = (1..).zip(lines).filter_map(|(line, text)| {
        Some(Found {
            log_region: region.to_owned(),
            chain,
            sequence,
            line,
            entry: Entry::parse(text)?,
        })
    });
    Ok(read.collect())
}
