//! Two regions' logs against each other: each holds all that it sees, so each must hold every match.

use serde::Serialize;

use crate::chain::ChainReport;
use crate::finding::{Finding, Place, Unproven};
use crate::verify::Report;

/// How long a match may be on its way to the other region's log, in milliseconds: replication, and the windows and
/// retries of the other's mapping.
pub const ON_ITS_WAY_MILLIS: i64 = 15 * 60 * 1_000;

/// What two logs say of each other.
#[derive(Debug, Default, Serialize)]
pub struct Comparison {
    /// What one has and the other has not, or has otherwise.
    pub findings: Vec<Finding>,
    /// What could not be ruled out.
    pub unproven: Vec<Unproven>,
}

/// Compares the mintings of two logs. What was recorded within the last [`ON_ITS_WAY_MILLIS`] before the end of the
/// longer one may still be missing in the other: a log that has stopped does not make everything since recent.
#[must_use]
pub fn compare(one: &Report, other: &Report) -> Comparison {
    let mut comparison = Comparison::default();
    let mut on_their_way = 0;
    let chains = one.chains.iter().chain(&other.chains);
    let end = chains.map(|chain| chain.horizon).max().unwrap_or_default();
    for (from, to, differences) in [(one, other, true), (other, one, false)] {
        for (chain, (here, there)) in (0..).zip(from.chains.iter().zip(&to.chains)) {
            let task = Side {
                from,
                to,
                chain,
                fresh_after: end - ON_ITS_WAY_MILLIS,
                differences,
            };
            on_their_way += task.compare(here, there, &mut comparison.findings);
        }
    }
    if on_their_way > 0 {
        comparison.unproven.push(Unproven::StillOnTheirWay {
            matches: on_their_way,
        });
    }
    comparison
}

struct Side<'a> {
    from: &'a Report,
    to: &'a Report,
    chain: u8,
    fresh_after: i64,
    /// Whether this side tells what the two say differently; once is enough.
    differences: bool,
}

impl Side<'_> {
    fn compare(&self, here: &ChainReport, there: &ChainReport, findings: &mut Vec<Finding>) -> u64 {
        let (mut on_their_way, mut found) = (0, Vec::new());
        for (id, minting) in &here.mintings {
            let at = Place {
                region: self.from.region.clone(),
                chain: self.chain,
                sequence: Some(minting.sequence),
                line: Some(minting.line),
            };
            match there.mintings.get(id) {
                None if minting.recorded_at > self.fresh_after => on_their_way += 1,
                None => found.push(Finding::MissingInOther {
                    at,
                    missing_in: self.to.region.clone(),
                }),
                Some(other) if self.differences && other.says != minting.says => {
                    found.push(Finding::DiffersInOther {
                        at,
                        other: self.to.region.clone(),
                    });
                }
                Some(_) => {}
            }
        }
        found.sort_by_key(ToString::to_string);
        findings.append(&mut found);
        on_their_way
    }
}
