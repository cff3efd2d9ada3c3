//! The three tables that a transaction writes, and the conditions under which it does.
//!
//! As in production, an advance of a submission has no condition of its own: the book entry that is written with it
//! guards it.

use std::collections::BTreeMap;

use super::message::{Id, Quantity};
use super::records::{Entry, Match, MatchId, Place, Rests, Status, Submission, Version};
use super::variant::Variant;

/// The key of an item of `submissions`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// The submission of this id.
    Of(Id),
    /// A mark that is an item of its own: in one faulty variant only.
    MarkOf(Id),
}

impl Key {
    /// Where the mark of an early cancel of `id` lies: it **is** the submission item of the order.
    #[must_use]
    pub fn of_mark(id: Id, variant: Variant) -> Self {
        if variant == Variant::MarkUnderOwnKey {
            Self::MarkOf(id)
        } else {
            Self::Of(id)
        }
    }
}

/// A change of an order that is already known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Progress {
    /// Its new status.
    pub status: Status,
    /// What is done now.
    pub done: Quantity,
    /// What is left now.
    pub left: Quantity,
    /// Where it rests now.
    pub rests: Option<Rests>,
    /// The cancel or replace that ends it.
    pub ended_by: Option<Id>,
}

/// A write of one item of `submissions`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SubmissionWrite {
    /// Put it; it must not exist.
    Insert(Submission),
    /// Put it over an early cancel's mark, which must still be there.
    ClaimMark(Submission),
    /// Bring it up to date; it must exist.
    Advance(Progress),
}

impl SubmissionWrite {
    /// Brings `stored` up to date, as the table does.
    pub fn apply_to(&self, stored: &mut Option<Submission>) {
        match self {
            Self::Insert(submission) | Self::ClaimMark(submission) => *stored = Some(submission.clone()),
            Self::Advance(progress) => {
                if let Some(order) = stored {
                    order.status = Some(progress.status);
                    order.done = progress.done;
                    order.left = progress.left;
                    order.rests = progress.rests;
                    order.ended_by = progress.ended_by.or(order.ended_by);
                }
            }
        }
    }
}

/// The condition under which an entry changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Guard {
    /// The version that was read.
    pub version: Version,
    /// What was left then.
    pub left: Quantity,
    /// How much the change takes out of it.
    pub taken: Quantity,
}

impl Guard {
    /// Takes everything that is left.
    #[must_use]
    pub fn of_all(read: &Entry) -> Self {
        Self {
            version: read.version,
            left: read.left,
            taken: read.left,
        }
    }

    fn holds(self, stored: &Entry, variant: Variant) -> bool {
        match variant {
            Variant::GuardOnLeaves => stored.left >= self.taken,
            Variant::GuardOnEqualLeaves => stored.left == self.left,
            _ => stored.version == self.version,
        }
    }
}

/// A write of one item of `interests`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryWrite {
    /// Put it; it must not exist.
    Insert(Entry),
    /// Put it in the place of what was read.
    Update(Guard, Entry),
    /// Take it out.
    Delete(Guard),
}

/// One conditional transaction.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Transaction {
    /// Writes of `submissions`.
    pub submissions: BTreeMap<Key, SubmissionWrite>,
    /// Writes of `interests`.
    pub entries: BTreeMap<Place, EntryWrite>,
    /// Matches to put, and the order that lists them.
    pub matches: Vec<Match>,
    /// The order on whose behalf the matches were found.
    pub finder: Option<Id>,
}

impl Transaction {
    /// Whether nothing is to be written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.submissions.is_empty() && self.entries.is_empty() && self.matches.is_empty()
    }
}

/// The tables.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Tables {
    /// `submissions`.
    pub submissions: BTreeMap<Key, Submission>,
    /// `interests`, each side best first.
    pub book: BTreeMap<Place, Entry>,
    /// `matches`.
    pub matches: BTreeMap<MatchId, Match>,
}

impl Tables {
    /// The submission of `id`.
    #[must_use]
    pub fn submission(&self, id: Id) -> Option<&Submission> {
        self.submissions.get(&Key::Of(id))
    }

    /// What is known of `id`: its submission, or an early cancel's mark.
    #[must_use]
    pub fn known_of(&self, id: Id, variant: Variant) -> Option<&Submission> {
        let mark = || self.submissions.get(&Key::of_mark(id, variant));
        self.submission(id).or_else(mark)
    }

    /// Whether every condition of `transaction` holds.
    #[must_use]
    pub fn allow(&self, transaction: &Transaction, variant: Variant) -> bool {
        let mut submissions = transaction.submissions.iter();
        let mut entries = transaction.entries.iter();
        submissions.all(|(key, write)| self.allow_submission(*key, write))
            && entries.all(|(place, write)| self.allow_entry(place, write, variant))
    }

    fn allow_submission(&self, key: Key, write: &SubmissionWrite) -> bool {
        let stored = self.submissions.get(&key);
        match write {
            SubmissionWrite::Insert(_) => stored.is_none(),
            SubmissionWrite::ClaimMark(_) => stored.is_some_and(Submission::is_mark),
            SubmissionWrite::Advance(_) => stored.is_some(),
        }
    }

    fn allow_entry(&self, place: &Place, write: &EntryWrite, variant: Variant) -> bool {
        let stored = self.book.get(place);
        match write {
            EntryWrite::Insert(_) => stored.is_none(),
            EntryWrite::Update(guard, _) | EntryWrite::Delete(guard) => {
                stored.is_some_and(|stored| guard.holds(stored, variant))
            }
        }
    }

    /// Writes the whole transaction, and gives the matches their ids; or nothing, when a condition is lost.
    pub fn commit(&mut self, transaction: &Transaction, variant: Variant) -> Option<Vec<MatchId>> {
        if !self.allow(transaction, variant) {
            return None;
        }
        for (key, write) in &transaction.submissions {
            let mut stored = self.submissions.remove(key);
            write.apply_to(&mut stored);
            self.submissions.extend(stored.map(|stored| (*key, stored)));
        }
        for (place, write) in &transaction.entries {
            match write {
                EntryWrite::Insert(entry) | EntryWrite::Update(_, entry) => {
                    self.book.insert(*place, *entry);
                }
                EntryWrite::Delete(_) => {
                    self.book.remove(place);
                }
            }
        }
        let ids: Vec<MatchId> = transaction.matches.iter().map(|made| self.put(made)).collect();
        let finder = transaction.finder.map(Key::Of);
        if let Some(finder) = finder.and_then(|finder| self.submissions.get_mut(&finder)) {
            finder.list(&ids);
        }
        Some(ids)
    }

    /// A match's id is random in production, so that no two decisions ever have the same: here it is counted.
    fn put(&mut self, made: &Match) -> MatchId {
        let (buyer, seller) = (made.buyer.id, made.seller.id);
        let of_both = |id: &&MatchId| id.buyer == buyer && id.seller == seller;
        let before = self.matches.keys().filter(of_both).count();
        let nth = u8::try_from(before).unwrap_or(u8::MAX);
        let id = MatchId { buyer, seller, nth };
        self.matches.insert(id, *made);
        id
    }

    /// Takes an expired entry out if it still has this version.
    pub fn remove_entry(&mut self, place: &Place, version: Version) {
        if self.book.get(place).is_some_and(|entry| entry.version == version) {
            self.book.remove(place);
        }
    }

    /// Sets `toldAt` on condition that the submission lists exactly `matches`.
    pub fn mark_told(&mut self, id: Id, matches: &[MatchId]) -> bool {
        match self.submissions.get_mut(&Key::Of(id)) {
            Some(stored) if stored.matches == matches => {
                stored.told = true;
                true
            }
            _ => false,
        }
    }
}

/// What a handler knows of one submission, and keeps up to date as it writes.
pub fn follow(known: &mut Option<Submission>, write: &SubmissionWrite, listed: &[MatchId]) {
    write.apply_to(known);
    if let Some(known) = known {
        known.list(listed);
    }
}
