//! The desk: what of the tables lies before a decision. It grows as decisions ask for more, follows the changes
//! that were decided, and is thrown away when one of them was lost.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::book::{BookKey, Entry, EntryKey, Rank, RankBound, Version};
use super::change_set::{ChangeSet, EntryWrite, Progress, SubmissionWrite};
use super::counterparty::Counterparty;
use super::identifiers::{CounterpartyId, OrderKey, Symbol};
use super::parameters::MatchParameters;
use super::submission::Submission;

/// Something that a decision must know and the desk does not have yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// These submissions.
    Submissions(Vec<OrderKey>),
    /// The next page of a book, towards this bound.
    Book(BookKey, RankBound),
    /// These counterparties.
    Counterparties(Vec<CounterpartyId>),
    /// The parameters of a symbol.
    Parameters(Symbol),
}

/// A book as far as it has been read.
#[derive(Debug, Clone)]
struct KnownBook {
    entries: BTreeMap<Rank, Entry>,
    /// Every entry up to here is known.
    known_to: RankBound,
    /// Ranks that our own decisions changed: a page read later must not undo it.
    decided: BTreeSet<Rank>,
}

impl Default for KnownBook {
    fn default() -> Self {
        Self {
            entries: BTreeMap::new(),
            known_to: RankBound::nothing(),
            decided: BTreeSet::new(),
        }
    }
}

/// The known part of the tables.
#[derive(Debug, Default)]
pub struct Desk {
    submissions: HashMap<OrderKey, Option<Submission>>,
    /// Decided changes of orders whose entries were read but not their submissions, with the version that each
    /// starts from: the table may still be as it was before them when the submission is read at last.
    unread: HashMap<OrderKey, Vec<(Version, Progress)>>,
    books: BTreeMap<BookKey, KnownBook>,
    counterparties: HashMap<CounterpartyId, Option<Counterparty>>,
    parameters: HashMap<Symbol, Option<MatchParameters>>,
}

impl Desk {
    /// The submission under `key`, if there is one.
    ///
    /// # Errors
    /// [`Need::Submissions`] when that is not known.
    pub fn submission(&self, key: &OrderKey) -> Result<Option<&Submission>, Need> {
        self.submissions
            .get(key)
            .map(Option::as_ref)
            .ok_or_else(|| Need::Submissions(vec![key.clone()]))
    }

    /// The parameters of `symbol`, if it has any.
    ///
    /// # Errors
    /// [`Need::Parameters`] when that is not known.
    pub fn parameters(&self, symbol: &Symbol) -> Result<Option<&MatchParameters>, Need> {
        self.parameters
            .get(symbol)
            .map(Option::as_ref)
            .ok_or_else(|| Need::Parameters(symbol.clone()))
    }

    /// Those of `ids` about whom the registry has not been asked, each once.
    #[must_use]
    pub fn strangers<'a>(&self, ids: impl Iterator<Item = &'a CounterpartyId>) -> Vec<CounterpartyId> {
        let strangers: BTreeSet<&CounterpartyId> =
            ids.filter(|id| !self.counterparties.contains_key(*id)).collect();
        strangers.into_iter().cloned().collect()
    }

    /// What the registry says of `id`; `None` if it does not know it.
    ///
    /// # Errors
    /// [`Need::Counterparties`] when that is not known.
    pub fn counterparty(&self, id: &CounterpartyId) -> Result<Option<&Counterparty>, Need> {
        self.counterparties
            .get(id)
            .map(Option::as_ref)
            .ok_or_else(|| Need::Counterparties(vec![id.clone()]))
    }

    /// The entries of `book` within `bound` as far as they are known, best first, and whether that is all. Nothing
    /// is gathered: who takes one entry pays for one, however many there are.
    pub fn book<'d>(
        &'d self,
        book: &BookKey,
        bound: &RankBound,
    ) -> (impl Iterator<Item = &'d Entry> + Clone + use<'d>, bool) {
        let known = self.books.get(book);
        let complete = known.is_some_and(|known| known.known_to >= *bound);
        // Beyond what is known there may be better entries than our own ones that lie there.
        let end = match known {
            Some(known) if !complete => known.known_to.clone(),
            _ => bound.clone(),
        };
        let entries = known.into_iter().flat_map(|known| &known.entries);
        let within = entries.take_while(move |(rank, _)| end.covers(rank));
        (within.map(|(_, entry)| entry), complete)
    }

    /// How far `book` is known: where its next page begins.
    #[must_use]
    pub fn known_to(&self, book: &BookKey) -> RankBound {
        self.books
            .get(book)
            .map_or_else(RankBound::nothing, |known| known.known_to.clone())
    }

    /// Puts submissions on the desk, `None` for one that does not exist.
    pub fn learn_submissions(
        &mut self,
        submissions: impl IntoIterator<Item = (OrderKey, Option<Submission>)>,
    ) {
        for (key, mut submission) in submissions {
            let decided = self.unread.get(&key).into_iter().flatten();
            for (expected, progress) in decided {
                submission
                    .iter_mut()
                    .filter(|submission| rests_at(submission, *expected))
                    .for_each(|submission| progress.apply_to(submission));
            }
            self.submissions.insert(key, submission);
        }
    }

    /// Puts counterparties on the desk, `None` for one that is not registered.
    pub fn learn_counterparties(
        &mut self,
        all: impl IntoIterator<Item = (CounterpartyId, Option<Counterparty>)>,
    ) {
        self.counterparties.extend(all);
    }

    /// Puts parameters on the desk, `None` for an unknown symbol.
    pub fn learn_parameters(&mut self, symbol: Symbol, parameters: Option<MatchParameters>) {
        self.parameters.insert(symbol, parameters);
    }

    /// Puts a page of a book on the desk: every entry between [`Self::known_to`] and `known_to`.
    pub fn learn_page(&mut self, book: &BookKey, page: Vec<Entry>, known_to: RankBound) {
        let known = self.books.entry(book.clone()).or_default();
        for entry in page {
            if !known.decided.contains(&entry.rank) {
                known.entries.insert(entry.rank.clone(), entry);
            }
        }
        known.known_to = known.known_to.clone().max(known_to);
    }

    /// Forgets the books: the next decision reads them again.
    pub fn forget_books(&mut self) {
        self.books.clear();
    }

    /// Forgets these submissions: the next decision reads them again.
    pub fn forget_submissions<'a>(&mut self, keys: impl IntoIterator<Item = &'a OrderKey>) {
        for key in keys {
            self.submissions.remove(key);
            self.unread.remove(key);
        }
    }

    /// Follows a decided change, so that the next decision sees what this one will have written.
    pub fn apply(&mut self, changes: &ChangeSet) {
        let read = self.versions_read(changes);
        for (key, write) in &changes.submissions {
            self.apply_submission(key, write, read.get(key).copied());
        }
        for (key, write) in &changes.entries {
            self.apply_entry(key, write);
        }
    }

    /// The orders whose entries are changed, and the versions that were read of them.
    fn versions_read(&self, changes: &ChangeSet) -> HashMap<OrderKey, Version> {
        let known = |key: &EntryKey| self.books.get(&key.book)?.entries.get(&key.rank);
        let read = changes.entries.iter().filter_map(|(key, write)| match write {
            EntryWrite::Insert(_) => None,
            EntryWrite::Update { expected, .. } | EntryWrite::Delete { expected } => {
                Some((known(key)?.order(), *expected))
            }
        });
        read.collect()
    }

    fn apply_submission(&mut self, key: &OrderKey, write: &SubmissionWrite, read: Option<Version>) {
        match write {
            SubmissionWrite::Insert(submission) | SubmissionWrite::ClaimMark(submission) => {
                self.submissions.insert(key.clone(), Some((**submission).clone()));
            }
            SubmissionWrite::Advance(progress) => self.advance(key, progress, read),
        }
    }

    /// A submission that is not on the desk, or is older there than the entry that was matched, is left to be read.
    fn advance(&mut self, key: &OrderKey, progress: &Progress, read: Option<Version>) {
        match (self.submissions.get_mut(key), read) {
            (Some(Some(submission)), None) => progress.apply_to(submission),
            (Some(Some(submission)), Some(version)) if rests_at(submission, version) => {
                progress.apply_to(submission);
            }
            (_, Some(version)) => {
                self.submissions.remove(key);
                let decided = self.unread.entry(key.clone()).or_default();
                decided.push((version, progress.clone()));
            }
            (_, None) => {}
        }
    }

    fn apply_entry(&mut self, key: &EntryKey, write: &EntryWrite) {
        let known = self.books.entry(key.book.clone()).or_default();
        match write {
            EntryWrite::Insert(entry) | EntryWrite::Update { entry, .. } => {
                known.entries.insert(key.rank.clone(), (**entry).clone());
                known.decided.insert(key.rank.clone());
            }
            EntryWrite::Delete { .. } => {
                known.entries.remove(&key.rank);
                known.decided.insert(key.rank.clone());
            }
        }
    }
}

fn rests_at(submission: &Submission, version: Version) -> bool {
    submission
        .rests
        .as_ref()
        .is_some_and(|rests| rests.version == version)
}

#[cfg(test)]
mod tests;
