//! One region's log.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use crate::bucket::{Bucket, BucketError};
use crate::chain::{ChainReport, Task, verify_chain};
use crate::finding::{Finding, Unproven};
use crate::format::{CHAINS, Named, Signed, read_name};
use crate::head::RememberedHead;
use crate::key::PublicKeys;
use crate::listed::Listed;
use crate::lookup::Found;

/// Objects asked for at once: those of all chains that are read side by side.
const READ_AHEAD: usize = 128;

/// How much was read since it was last said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Objects that are to be read: said once for each chain, before its first.
    pub due: u64,
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
    let (listed, is_there) = list(bucket.as_ref(), region, "", &mut findings).await?;
    if !is_there {
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
                read_ahead: READ_AHEAD / usize::from(CHAINS),
                progress: progress.as_ref(),
                each: None,
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

/// Verifies these chains of the log of `region`, one after the other, and tells `each` every entry that can be read, in
/// the log's order. Whether what was told is proven, the report says, at the end.
///
/// # Errors
/// [`BucketError`] when the bucket cannot be read; whatever is wrong with the log itself is a finding.
pub async fn verify_entries<B: Bucket>(
    bucket: &B,
    region: &str,
    keys: &PublicKeys,
    chains: impl IntoIterator<Item = u8>,
    progress: &(dyn Fn(Progress) + Send + Sync),
    each: &(dyn Fn(Found) + Send + Sync),
) -> Result<Report, BucketError> {
    let (mut findings, mut reports, mut cut) = (Vec::new(), Vec::new(), Vec::new());
    for chain in chains {
        let (listed, _) = list(bucket, region, &format!("{chain}/"), &mut findings).await?;
        let task = Task {
            region,
            chain,
            keys,
            listed: &listed[usize::from(chain)],
            remembered: &[],
            read_ahead: READ_AHEAD,
            progress,
            each: Some(each),
        };
        reports.push(verify_chain(bucket, task).await?);
        cut.push(chain);
    }
    Ok(report(region, findings, reports, cut))
}

/// The objects of each chain by the names that begin with `prefix` after the region's, and whether there is any name.
async fn list<B: Bucket>(
    bucket: &B,
    region: &str,
    prefix: &str,
    findings: &mut Vec<Finding>,
) -> Result<(Vec<Listed>, bool), BucketError> {
    let mut listed = vec![Listed::default(); usize::from(CHAINS)];
    let mut is_there = false;
    let mut each = |name: &str| {
        is_there = true;
        match read_name(region, name) {
            Some(Named::Object { chain, sequence }) => listed[usize::from(chain)].insert(sequence),
            Some(Named::Head { .. }) => {}
            None => findings.push(Finding::Stray {
                name: name.to_owned(),
            }),
        }
    };
    bucket.list(&format!("{region}/{prefix}"), &mut each).await?;
    Ok((listed, is_there))
}

/// The remembered heads of each chain of this log. One that proves nothing is a finding: silence would look like proof.
fn of_region(
    region: &str,
    keys: &PublicKeys,
    remembered: &[RememberedHead],
    findings: &mut Vec<Finding>,
) -> Vec<Vec<RememberedHead>> {
    let mut chains = vec![Vec::new(); usize::from(CHAINS)];
    for known in remembered {
        let statement = &known.head.statement;
        if statement.region != region {
            continue;
        }
        if keys.made(&known.head) {
            chains[usize::from(statement.chain)].push(known.clone());
        } else {
            findings.push(Finding::RememberedInvalid {
                from: known.from.clone(),
            });
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
