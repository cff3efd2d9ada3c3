//! What a decision writes, as data: one transaction, no item twice.
//!
//! Decisions made one after the other in a batch are merged into one change set: two takers of one resting
//! interest become one update of it, on condition of the version that was read before the first.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;
use std::fmt;

use super::book::{Entry, EntryKey, Version};
use super::decimal::Quantity;
use super::identifiers::{ClOrdId, OrderKey};
use super::match_record::MatchRecord;
use super::submission::{OrdStatus, Rests, Submission};
use super::token::{MatchId, Token};

/// A change of an order that is already known: what a match, a cancel or a replace does to its submission.
#[derive(Clone, PartialEq, Eq)]
pub struct Progress {
    /// Its new status.
    pub ord_status: OrdStatus,
    /// What is done now.
    pub cum_qty: Quantity,
    /// What is left now.
    pub leaves_qty: Quantity,
    /// Where it rests now.
    pub rests: Option<Rests>,
    /// Its owner's tokens of the matches that this change makes, to be appended.
    pub tokens: Vec<Token>,
    /// The matches found on its behalf, to be appended. Any takes `toldAt` away.
    pub matches: Vec<MatchId>,
    /// The cancel or replace that ends it.
    pub ended_by: Option<ClOrdId>,
    /// The lease generation of the writer.
    pub generation: u64,
}

impl Progress {
    /// Brings `submission` up to date, as the table does.
    pub fn apply_to(&self, submission: &mut Submission) {
        submission.ord_status = Some(self.ord_status);
        submission.cum_qty = self.cum_qty;
        submission.leaves_qty = self.leaves_qty;
        submission.rests.clone_from(&self.rests);
        submission.tokens.extend(self.tokens.iter().cloned());
        submission.matches.extend(self.matches.iter().copied());
        if !self.matches.is_empty() {
            submission.told_at = None;
        }
        if self.ended_by.is_some() {
            submission.ended_by.clone_from(&self.ended_by);
        }
        submission.generation = self.generation;
    }

    fn then(&mut self, later: Self) {
        self.tokens.extend(later.tokens);
        self.matches.extend(later.matches);
        self.ended_by = later.ended_by.or_else(|| self.ended_by.take());
        self.ord_status = later.ord_status;
        self.cum_qty = later.cum_qty;
        self.leaves_qty = later.leaves_qty;
        self.rests = later.rests;
        self.generation = later.generation;
    }
}

/// A write of one item of `submissions`.
#[derive(Clone, PartialEq, Eq)]
pub enum SubmissionWrite {
    /// Put it; it must not exist.
    Insert(Box<Submission>),
    /// Put it in the place of an early cancel's mark; the mark must still be there.
    ClaimMark(Box<Submission>),
    /// Bring it up to date; it must exist. Its book entry, written in the same transaction under its version,
    /// guards what it says.
    Advance(Progress),
}

/// A write of one item of `interests`.
#[derive(Clone, PartialEq, Eq)]
pub enum EntryWrite {
    /// Put it; it must not exist.
    Insert(Box<Entry>),
    /// Put it in the place of the version that was read.
    Update {
        /// The entry as it shall be.
        entry: Box<Entry>,
        /// The version that it must have now.
        expected: Version,
    },
    /// Take it out; it must have this version.
    Delete {
        /// The version that it must have now.
        expected: Version,
    },
}

impl EntryWrite {
    /// The version that the entry has after this; none when it is gone.
    fn leaves(&self) -> Option<Version> {
        match self {
            Self::Insert(entry) | Self::Update { entry, .. } => Some(entry.version),
            Self::Delete { .. } => None,
        }
    }

    /// The version that the entry must have before this; none when it must not be there.
    fn expects(&self) -> Option<Version> {
        match self {
            Self::Insert(_) => None,
            Self::Update { expected, .. } | Self::Delete { expected } => Some(*expected),
        }
    }
}

/// One transaction. Empty when nothing is to be written.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct ChangeSet {
    /// Writes of `submissions`.
    pub submissions: BTreeMap<OrderKey, SubmissionWrite>,
    /// Writes of `interests`.
    pub entries: BTreeMap<EntryKey, EntryWrite>,
    /// Matches to put; none may exist.
    pub matches: Vec<MatchRecord>,
}

impl ChangeSet {
    /// How many actions its transaction has.
    #[must_use]
    pub fn actions(&self) -> usize {
        self.submissions.len() + self.entries.len() + self.matches.len()
    }

    /// Whether nothing is to be written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.actions() == 0
    }

    /// At most how many actions this and `later` have together (an entry put by one and taken out by the other
    /// is counted, although it vanishes).
    #[must_use]
    pub fn actions_with(&self, later: &Self) -> usize {
        let new_submissions = later
            .submissions
            .keys()
            .filter(|key| !self.submissions.contains_key(*key))
            .count();
        let new_entries = later
            .entries
            .keys()
            .filter(|key| !self.entries.contains_key(*key))
            .count();
        self.actions() + new_submissions + new_entries + later.matches.len()
    }

    /// Whether `later` was decided on a book entry that is not as this leaves it: merged, the version that it has
    /// read would be forgotten, and what it says of its submission written unguarded.
    #[must_use]
    pub fn contradicts(&self, later: &Self) -> bool {
        later.entries.iter().any(|(key, write)| {
            self.entries
                .get(key)
                .is_some_and(|earlier| earlier.leaves() != write.expects())
        })
    }

    /// Writes `submission` for the first time, or over the mark that stands in its place.
    pub fn put_submission(&mut self, submission: Submission, over_mark: bool) {
        let key = submission.key();
        let write = if over_mark {
            SubmissionWrite::ClaimMark
        } else {
            SubmissionWrite::Insert
        };
        self.submissions.insert(key, write(Box::new(submission)));
    }

    /// Brings the submission `key` up to date.
    pub fn advance(&mut self, key: OrderKey, progress: Progress) {
        self.merge_submission(key, SubmissionWrite::Advance(progress));
    }

    /// Puts a new entry.
    pub fn insert_entry(&mut self, entry: Entry) {
        self.merge_entry(entry.key(), EntryWrite::Insert(Box::new(entry)));
    }

    /// Changes `entry`, read at `expected`: takes it out when nothing is left of it.
    pub fn change_entry(&mut self, entry: Entry, expected: Version) {
        let key = entry.key();
        let write = if entry.leaves_qty.is_zero() {
            EntryWrite::Delete { expected }
        } else {
            EntryWrite::Update {
                entry: Box::new(entry),
                expected,
            }
        };
        self.merge_entry(key, write);
    }

    /// Takes the entry `key` out, read at `expected`.
    pub fn delete_entry(&mut self, key: EntryKey, expected: Version) {
        self.merge_entry(key, EntryWrite::Delete { expected });
    }

    /// Appends what was decided after this, as if both had been written one after the other.
    pub fn merge(&mut self, later: Self) {
        for (key, write) in later.submissions {
            self.merge_submission(key, write);
        }
        for (key, write) in later.entries {
            self.merge_entry(key, write);
        }
        self.matches.extend(later.matches);
    }

    fn merge_submission(&mut self, key: OrderKey, later: SubmissionWrite) {
        match self.submissions.entry(key) {
            Slot::Vacant(slot) => {
                slot.insert(later);
            }
            Slot::Occupied(mut slot) => match (slot.get_mut(), later) {
                (
                    SubmissionWrite::Insert(s) | SubmissionWrite::ClaimMark(s),
                    SubmissionWrite::Advance(progress),
                ) => {
                    progress.apply_to(s);
                }
                (SubmissionWrite::Advance(first), SubmissionWrite::Advance(second)) => first.then(second),
                // A mark put by an earlier member of the batch and claimed by a later one: never stored, so what
                // claims it is simply inserted.
                (earlier @ SubmissionWrite::Insert(_), SubmissionWrite::ClaimMark(submission)) => {
                    *earlier = SubmissionWrite::Insert(submission);
                }
                (earlier, later) => *earlier = later,
            },
        }
    }

    fn merge_entry(&mut self, key: EntryKey, later: EntryWrite) {
        let earlier = self.entries.remove(&key);
        let merged = match (earlier, later) {
            (Some(EntryWrite::Insert(_)), EntryWrite::Delete { .. }) => None,
            (Some(EntryWrite::Insert(_)), EntryWrite::Update { entry, .. }) => {
                Some(EntryWrite::Insert(entry))
            }
            (Some(EntryWrite::Update { expected, .. }), EntryWrite::Delete { .. }) => {
                Some(EntryWrite::Delete { expected })
            }
            (Some(EntryWrite::Update { expected, .. }), EntryWrite::Update { entry, .. })
            | (Some(EntryWrite::Delete { expected }), EntryWrite::Insert(entry)) => {
                Some(EntryWrite::Update { entry, expected })
            }
            (_, later) => Some(later),
        };
        if let Some(write) = merged {
            self.entries.insert(key, write);
        }
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Progress")
    }
}

impl fmt::Debug for ChangeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (s, e, m) = (self.submissions.len(), self.entries.len(), self.matches.len());
        write!(f, "ChangeSet({s} submissions, {e} entries, {m} matches)")
    }
}

#[cfg(test)]
pub(in crate::domain) mod tests;
