//! One chain of the log: finds its end, leaves out what is logged already, puts the next object, moves the head.
//!
//! What a process remembers of a chain saves requests and decides nothing: every put is conditional, so a memory that
//! is out of date loses, and reads again.

mod known;
mod recent;

use std::collections::{BTreeMap, BTreeSet};

use symbolon_shared::domain::audit::{
    Chain, Entry, EventId, Invariant, LogRegion, Observation, Surroundings,
};
use symbolon_shared::domain::time::Timestamp;
use symbolon_shared::ports::PortError;
use symbolon_shared::ports::audit::{AuditPorts, Expected, Put};

use self::known::Known;
use crate::telemetry::Tally;

/// Puts that may lose before a chain is left to the next delivery. Each loss is another writer's success, so this
/// many means this many others.
const ATTEMPTS: usize = 16;

/// Why nothing was (surely) appended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AppendError {
    /// A call failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// Others were faster each time.
    #[error("other writers were faster each time")]
    Contended,
    /// The invocation has no time left.
    #[error("no time is left")]
    OutOfTime,
    /// An object is genuine, and of a form that this program does not know: a later one wrote it.
    #[error("a later program has written to this chain")]
    UnknownForm,
    /// A genuine object follows another history than the one that was read: somebody has put an old state back.
    #[error("there are two histories of this chain")]
    Forked,
}

/// An observation with what was found out about it.
pub(crate) struct Observed {
    /// What the stream showed.
    pub(crate) observation: Observation,
    /// Whether the epoch that it names has a key.
    pub(crate) epoch_has_key: bool,
}

/// A chain, and what this process remembers of it.
pub(crate) struct ChainLog {
    region: LogRegion,
    chain: Chain,
    known: Option<Known>,
}

impl ChainLog {
    /// A chain of which nothing is remembered.
    pub(crate) fn new(region: LogRegion, chain: Chain) -> Self {
        Self {
            region,
            chain,
            known: None,
        }
    }

    /// Appends what is not there yet. When it returns without an error all of `observed` is in the log, and the head
    /// covers it.
    ///
    /// # Errors
    /// [`AppendError`]; what was appended nevertheless is a duplicate the next time.
    pub(crate) async fn append<P: AuditPorts>(
        &mut self,
        ports: &P,
        observed: &[&Observed],
        in_time: &(dyn Fn() -> bool + Sync),
        tally: &mut Tally,
    ) -> Result<(), AppendError> {
        let Some(earliest) = observed.iter().map(|one| one.observation.recorded_at).min() else {
            return Ok(());
        };
        // Taken: whoever ends early, by an error, a panic or a time-out, leaves nothing to believe.
        let mut known = match self.known.take() {
            Some(known) => known,
            None => Known::load(ports, &self.region, self.chain, tally).await?,
        };
        for _ in 0..ATTEMPTS {
            if !in_time() {
                return Err(AppendError::OutOfTime);
            }
            if attempt(&mut known, ports, observed, earliest, in_time, tally).await? {
                self.known = Some(known);
                return Ok(());
            }
        }
        Err(AppendError::Contended)
    }
}

/// One attempt; `false` when somebody else was faster.
async fn attempt<P: AuditPorts>(
    known: &mut Known,
    ports: &P,
    observed: &[&Observed],
    earliest: Timestamp,
    in_time: &(dyn Fn() -> bool + Sync),
    tally: &mut Tally,
) -> Result<bool, AppendError> {
    known.reach_back(ports, earliest, in_time, tally).await?;
    let (entries, duplicates) = new_entries(known, observed);
    let told_before = broken_before(known, observed);
    if let Some(draft) = known.position().next(&entries) {
        let signature = ports.sign(&draft.message()).await?;
        let sealed = draft.sealed(signature);
        let name = known.position().next_name();
        let expected = known.take_squatter().map_or(Expected::Absent, Expected::Is);
        if ports.put_object(&name, &sealed.body(), &expected).await? == Put::Lost {
            tally.lost_puts += 1;
            known.catch_up(ports, tally).await?;
            return Ok(false);
        }
        tally.count_appended(&entries, &sealed);
        known.advance(sealed, &entries);
        known.cover(ports, tally).await?;
    }
    tally.duplicates += duplicates;
    let position = known.position();
    for ((sequence, invariant), times) in told_before {
        tally.tell_broken(&position.region, position.chain, sequence, invariant, times);
    }
    Ok(true)
}

/// What the log says already to be broken of these, by object. Whoever wrote it may have died before it could say so,
/// or have taken its own put for another's; so it is told again with the duplicate.
fn broken_before(known: &Known, observed: &[&Observed]) -> BTreeMap<(u64, Invariant), u64> {
    let mut broken = BTreeMap::new();
    let events: BTreeSet<EventId> = observed.iter().map(|one| one.observation.event_id).collect();
    for (sequence, invariants) in events.iter().filter_map(|event| known.broken(event)) {
        for invariant in invariants {
            *broken.entry((sequence, *invariant)).or_default() += 1;
        }
    }
    broken
}

/// What is to be logged of what is not logged yet, and how much is.
fn new_entries(known: &Known, observed: &[&Observed]) -> (Vec<Entry>, u64) {
    let (mut batch, mut duplicates) = (recent::Logged::default(), 0);
    let mut entries = Vec::new();
    for Observed {
        observation,
        epoch_has_key,
    } in observed
    {
        if known.has(&observation.event_id) || batch.has(&observation.event_id) {
            duplicates += 1;
            continue;
        }
        let minted = known.has_minted(&observation.match_id) || batch.has_minted(&observation.match_id);
        let of_it = observation.entries(Surroundings {
            epoch_has_key: *epoch_has_key,
            minted_before: minted,
        });
        for entry in &of_it {
            batch.add(entry);
        }
        entries.extend(of_it);
    }
    (entries, duplicates)
}
