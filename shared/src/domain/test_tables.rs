//! The tables as tests keep them: three maps, written by change sets whose conditions are checked one by one. Small
//! enough to be read at a glance; the adapters have a conformance suite of their own.

use std::collections::BTreeMap;

use super::book::{BookKey, Entry, EntryKey, RankBound, Version};
use super::change_set::{ChangeSet, EntryWrite, SubmissionWrite};
use super::identifiers::OrderKey;
use super::match_record::MatchRecord;
use super::submission::Submission;
use super::token::MatchId;

/// `submissions`, `interests` and `matches`.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct TestTables {
    pub(super) submissions: BTreeMap<OrderKey, Submission>,
    pub(super) entries: BTreeMap<EntryKey, Entry>,
    pub(super) matches: BTreeMap<MatchId, MatchRecord>,
}

impl std::fmt::Debug for TestTables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (key, order) in &self.submissions {
            let (owner, id) = (key.owner.as_str(), key.cl_ord_id.as_str());
            let (kind, status) = (order.kind, order.ord_status);
            writeln!(f, "{owner} {id}: {kind:?} {status:?} {} done", order.cum_qty)?;
        }
        let (entries, matches) = (self.entries.len(), self.matches.len());
        write!(f, "{entries} entries, {matches} matches")
    }
}

/// A condition was lost: nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lost;

impl TestTables {
    /// Writes all of `changes` or nothing.
    pub(super) fn commit(&mut self, changes: &ChangeSet) -> Result<(), Lost> {
        if !self.admits(changes) {
            return Err(Lost);
        }
        for (key, write) in &changes.submissions {
            self.write_submission(key, write);
        }
        for (key, write) in &changes.entries {
            self.write_entry(key, write);
        }
        for record in &changes.matches {
            self.matches.insert(record.match_id, record.clone());
        }
        Ok(())
    }

    fn admits(&self, changes: &ChangeSet) -> bool {
        let submissions = changes.submissions.iter();
        let entries = changes.entries.iter();
        submissions.fold(true, |ok, (key, write)| ok && self.admits_submission(key, write))
            && entries.fold(true, |ok, (key, write)| ok && self.admits_entry(key, write))
            && changes
                .matches
                .iter()
                .all(|record| !self.matches.contains_key(&record.match_id))
    }

    fn admits_submission(&self, key: &OrderKey, write: &SubmissionWrite) -> bool {
        let stored = self.submissions.get(key);
        match write {
            SubmissionWrite::Insert(_) => stored.is_none(),
            SubmissionWrite::ClaimMark(_) => stored.is_some_and(Submission::is_mark),
            SubmissionWrite::Advance(_) => stored.is_some(),
        }
    }

    fn admits_entry(&self, key: &EntryKey, write: &EntryWrite) -> bool {
        let stored = self.entries.get(key).map(|entry| entry.version);
        match write {
            EntryWrite::Insert(_) => stored.is_none(),
            EntryWrite::Update { expected, .. } | EntryWrite::Delete { expected } => {
                stored == Some(*expected)
            }
        }
    }

    fn write_submission(&mut self, key: &OrderKey, write: &SubmissionWrite) {
        match write {
            SubmissionWrite::Insert(submission) | SubmissionWrite::ClaimMark(submission) => {
                self.submissions.insert(key.clone(), (**submission).clone());
            }
            SubmissionWrite::Advance(progress) => {
                if let Some(submission) = self.submissions.get_mut(key) {
                    progress.apply_to(submission);
                }
            }
        }
    }

    fn write_entry(&mut self, key: &EntryKey, write: &EntryWrite) {
        match write {
            EntryWrite::Insert(entry) | EntryWrite::Update { entry, .. } => {
                self.entries.insert(key.clone(), (**entry).clone());
            }
            EntryWrite::Delete { .. } => {
                self.entries.remove(key);
            }
        }
    }

    /// The next `size` entries of `book` after `after` and within `bound`, and how far that is all of it.
    pub(super) fn page(
        &self,
        book: &BookKey,
        after: &RankBound,
        bound: &RankBound,
        size: usize,
    ) -> (Vec<Entry>, RankBound) {
        let rest = self
            .entries
            .values()
            .filter(|entry| entry.book == *book && !after.covers(&entry.rank) && bound.covers(&entry.rank));
        let page: Vec<Entry> = rest.take(size).cloned().collect();
        let known_to = match page.last() {
            Some(last) if page.len() == size => RankBound::up_to(&last.rank),
            _ => bound.clone(),
        };
        (page, known_to)
    }

    /// Takes an expired entry out if it still has this version.
    pub(super) fn remove(&mut self, key: &EntryKey, version: Version) {
        if self
            .entries
            .get(key)
            .is_some_and(|entry| entry.version == version)
        {
            self.entries.remove(key);
        }
    }
}
