//! What is said of a batch: counts as metrics, heads and broken invariants as structured log lines. Neither bears a
//! token, a match id or an identity; a head's statement holds hashes and numbers.

use std::collections::BTreeMap;

use symbolon_shared::domain::audit::{Announcement, Chain, Entry, Invariant, LogRegion, Sealed, Statement};

use crate::set_aside::Retried;

/// Hands the counts of a retry to the metrics recorder.
pub(crate) fn emit_retried(retried: &Retried) {
    metrics::counter!("SetAsideLogged").increment(retried.logged);
    // What could not even be looked at is left as well.
    metrics::counter!("SetAsideLeft").increment(retried.left + u64::from(retried.unfinished));
}

/// What happened in a batch, or in one chain of it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Tally {
    /// Entries appended.
    pub entries: u64,
    /// Records that were logged already.
    pub duplicates: u64,
    /// Invariants that do not hold of what was appended, or of what comes again.
    pub broken: u64,
    /// Heads moved, those over an adopted object included.
    pub heads: u64,
    /// Objects of others that a head was moved over, or that were taken as the position.
    pub adopted: u64,
    /// Puts where something was already.
    pub lost_puts: u64,
    /// Objects or heads that no writer of this log signed.
    pub foreign: u64,
    /// Records given back.
    pub given_back: u64,
    /// Announcements that the event bus did not take.
    pub unannounced: u64,
    /// What is to be announced.
    pub announcements: Vec<Announcement>,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        self.entries += other.entries;
        self.duplicates += other.duplicates;
        self.broken += other.broken;
        self.heads += other.heads;
        self.adopted += other.adopted;
        self.lost_puts += other.lost_puts;
        self.foreign += other.foreign;
        self.given_back += other.given_back;
        self.unannounced += other.unannounced;
        self.announcements.extend(other.announcements);
    }

    pub(crate) fn count_appended(&mut self, entries: &[Entry], sealed: &Sealed) {
        self.entries += entries.len() as u64;
        let Statement {
            region,
            chain,
            sequence,
            ..
        } = &sealed.statement;
        let mut times = BTreeMap::<Invariant, u64>::new();
        for invariant in entries.iter().filter_map(|entry| entry.invariant) {
            *times.entry(invariant).or_default() += 1;
        }
        for (invariant, times) in times {
            self.tell_broken(region, *chain, *sequence, invariant, times);
        }
    }

    /// Invariants that do not hold, as an object says: a line, a count and an announcement.
    pub(crate) fn tell_broken(
        &mut self,
        region: &LogRegion,
        chain: Chain,
        sequence: u64,
        invariant: Invariant,
        times: u64,
    ) {
        self.broken += times;
        tracing::error!(
            event = "invariant_broken",
            invariant = invariant.as_str(),
            chain = chain.number(),
            sequence,
            times,
        );
        self.announcements.push(Announcement::Broken {
            region: region.clone(),
            chain,
            sequence,
            invariant,
            times,
        });
    }

    /// A head that was moved.
    pub(crate) fn count_head(&mut self, sealed: &Sealed) {
        self.heads += 1;
        self.tell_head(sealed);
    }

    /// A head, for whoever wants to remember it: a log that is cut later does not reach it.
    pub(crate) fn tell_head(&mut self, sealed: &Sealed) {
        let announcement = Announcement::head(sealed);
        if let Announcement::Head {
            statement, signature, ..
        } = &announcement
        {
            tracing::info!(event = "audit_head", statement, signature);
        }
        self.announcements.push(announcement);
    }

    /// Something that no writer of this log signed, or that was changed since.
    pub(crate) fn count_foreign(&mut self, region: &LogRegion, chain: Chain, sequence: Option<u64>) {
        self.foreign += 1;
        tracing::error!(
            event = "audit_object_foreign",
            region = region.as_str(),
            chain = chain.number(),
            sequence, // of the head: none
        );
    }

    /// Hands the counts to the metrics recorder; a runner without one drops them.
    pub(crate) fn emit(&self) {
        metrics::counter!("AuditEntries").increment(self.entries);
        metrics::counter!("DuplicateRecords").increment(self.duplicates);
        metrics::counter!("BrokenInvariants").increment(self.broken);
        metrics::counter!("HeadsMoved").increment(self.heads);
        metrics::counter!("ObjectsAdopted").increment(self.adopted);
        metrics::counter!("LostPuts").increment(self.lost_puts);
        metrics::counter!("ForeignObjects").increment(self.foreign);
        metrics::counter!("GivenBack").increment(self.given_back);
        metrics::counter!("Unannounced").increment(self.unannounced);
    }
}
