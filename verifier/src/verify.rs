//! One region's log.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

use crate::bucket::{Bucket, BucketError};
use crate::chain::{ChainReport, Task, verify_chain};
use crate::finding::{Finding, Unproven};
use crate::format::{CHAINS, Named, Signed, read_name};
use crate::head::RememberedHead;
use crate::key::PublicKeys;

/// How much was read since it was last said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Objects.
    pub objects: u64,
    /// Entries of them.
    pub entries: u64,
    /// Bytes of them.
    pub bytes: u64,
}

/// What was found in a log.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Whose log it is.
    pub region: String,
    /// Everything that is wrong; nothing, when the log is good.
    pub findings: Vec<Finding>,
    /// What could not be ruled out.
    pub unproven: Vec<Unproven>,
    /// Objects that were read.
    pub objects: u64,
    /// Entries that were read.
    pub entries: u64,
    /// Bytes that were read.
    pub bytes: u64,
    /// Matches minted.
    pub minted: u64,
    /// Invariants of which the log itself says that they were broken, and how often. The log may be good and this not.
    pub broken: BTreeMap<String, u64>,
    #[serde(skip)]
    pub(crate) chains: Vec<ChainReport>,
}

impl Report {
    /// Whether nothing is wrong with the log.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.findings.is_empty()
    }

    /// The heads of the chains, to be remembered: whoever keeps them can tell later whether the log was cut.
    pub fn heads(&self) -> impl Iterator<Item = &Signed> {
        self.chains.iter().filter_map(|chain| chain.head.as_ref())
    }
}

/// Verifies the log of `region` in `bucket`. `progress` is told from time to time, from several threads.
///
/// The names are listed first, then each head is read, then its objects: what is written meanwhile is not yet seen,
/// and nothing that was seen can be taken back.
///
/// # Errors
/// [`BucketError`] when the bucket cannot be read; whatever is wrong with the log itself is a finding.
pub async fn verify<B: Bucket>(
    bucket: Arc<B>,
    region: &str,
    keys: &PublicKeys,
    remembered: &[RememberedHead],
    progress: Arc<dyn Fn(Progress) + Send + Sync>,
) -> Result<Report, BucketError> {
    let mut findings = Vec::new();
    let remembered = of_region(region, keys, remembered, &mut findings);
    let mut listed = vec![BTreeSet::new(); usize::from(CHAINS)];
    let names = bucket.list(&format!("{region}/")).await?;
    for name in &names {
        match read_name(region, name) {
            Some(Named::Object { chain, sequence }) => _ = listed[usize::from(chain)].insert(sequence),
            Some(Named::Head { .. }) => {}
            None => findings.push(Finding::Stray { name: name.clone() }),
        }
    }
    if names.is_empty() {
        findings.push(Finding::NoLog {
            region: region.to_owned(),
        });
    }
    let mut running = Vec::new();
    for ((chain, listed), remembered) in (0..CHAINS).zip(listed).zip(remembered) {
        let (bucket, region, keys) = (Arc::clone(&bucket), region.to_owned(), keys.clone());
        let progress = Arc::clone(&progress);
        let without = remembered.is_empty().then_some(chain);
        let work = tokio::spawn(async move {
            let task = Task {
                region: &region,
                chain,
                keys: &keys,
                listed: &listed,
                remembered: &remembered,
                progress: progress.as_ref(),
            };
            verify_chain(bucket.as_ref(), task).await
        });
        running.push((without, work));
    }
    let (mut chains, mut cut) = (Vec::new(), Vec::new());
    for (without, work) in running {
        let report = work.await.map_err(|error| BucketError {
            what: region.to_owned(),
            source: error.into(),
        })?;
        chains.push(report?);
        cut.extend(without);
    }
    Ok(report(region, findings, chains, cut))
}

/// The remembered heads of each chain of this log. One that proves nothing is a finding: silence would look like proof.
fn of_region(
    region: &str,
    keys: &PublicKeys,
    remembered: &[RememberedHead],
    findings: &mut Vec<Finding>,
) -> Vec<Vec<RememberedHead>> {
    let mut chains = vec![Vec::new(); usize::from(CHAINS)];
    for (number, head) in (1..).zip(remembered) {
        let statement = &head.0.statement;
        if statement.region != region {
            continue;
        }
        if keys.made(&head.0) {
            chains[usize::from(statement.chain)].push(head.clone());
        } else {
            findings.push(Finding::RememberedInvalid { number });
        }
    }
    chains
}

fn report(region: &str, mut findings: Vec<Finding>, mut chains: Vec<ChainReport>, cut: Vec<u8>) -> Report {
    let mut broken = BTreeMap::new();
    for chain in &mut chains {
        findings.append(&mut chain.findings);
        for (invariant, times) in &chain.broken {
            *broken.entry(invariant.clone()).or_default() += times;
        }
    }
    let sum = |of: fn(&ChainReport) -> u64| chains.iter().map(of).sum();
    let unproven = (!cut.is_empty()).then_some(Unproven::TailCut { chains: cut });
    Report {
        region: region.to_owned(),
        findings,
        unproven: unproven.into_iter().collect(),
        objects: sum(|chain| chain.objects),
        entries: sum(|chain| chain.entries),
        bytes: sum(|chain| chain.bytes),
        minted: sum(|chain| chain.mintings.len() as u64),
        broken,
        chains,
    }
}
