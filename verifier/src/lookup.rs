//! What a log says of one match.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::bucket::{Bucket, BucketError};
use crate::format::{CHAINS, Entry, chain_of, is_commitment, is_match_id, object_name};
use crate::key::PublicKeys;
use crate::verify::{Progress, Report, verify_entries};

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
    /// Which entry of the chain it is, from 1 on, as the object's statement has it.
    pub number: u64,
    /// The entry.
    pub entry: Entry,
}

impl Found {
    /// The name of the object that it stands in.
    #[must_use]
    pub fn object(&self) -> String {
        object_name(&self.log_region, self.chain, self.sequence)
    }
}

/// What a log says of a match.
#[derive(Debug)]
pub struct Shown {
    /// Every entry of it, in order.
    pub entries: Vec<Found>,
    /// What was verified: the chain that they stand in; all chains, where there is no entry.
    pub report: Report,
}

/// Everything that the log of `region` says of a match, and whether the chain in which it says so is whole.
///
/// By its commitment a match is sought in all chains, by its id in its own.
///
/// # Errors
/// [`BucketError`] when the bucket cannot be read.
pub async fn show<B: Bucket>(
    bucket: &B,
    region: &str,
    keys: &PublicKeys,
    wanted: &Wanted,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Shown, BucketError> {
    let ids = match wanted {
        Wanted::Match(match_id) => BTreeSet::from([match_id.clone()]),
        Wanted::Commitment(commitment) => {
            let ids = Mutex::new(BTreeSet::new());
            let each = |found: Found| {
                if found.entry.commitment.as_ref() == Some(commitment) {
                    let mut ids = ids.lock().unwrap_or_else(PoisonError::into_inner);
                    ids.insert(found.entry.match_id);
                }
            };
            let report = verify_entries(bucket, region, keys, 0..CHAINS, progress, &each).await?;
            let ids = ids.into_inner().unwrap_or_else(PoisonError::into_inner);
            if ids.is_empty() {
                let entries = Vec::new();
                return Ok(Shown { entries, report });
            }
            ids
        }
    };
    let chains: BTreeSet<u8> = ids.iter().map(|match_id| chain_of(match_id)).collect();
    let entries = Mutex::new(Vec::new());
    let each = |found: Found| {
        if ids.contains(&found.entry.match_id) {
            entries.lock().unwrap_or_else(PoisonError::into_inner).push(found);
        }
    };
    let report = verify_entries(bucket, region, keys, chains, progress, &each).await?;
    let entries = entries.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(Shown { entries, report })
}
