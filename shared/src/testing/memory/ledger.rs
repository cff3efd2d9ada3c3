//! Transactions: every condition first, then every write.

use super::State;
use crate::domain::book::{EntryKey, Version};
use crate::domain::change_set::{ChangeSet, EntryWrite, SubmissionWrite};
use crate::domain::identifiers::OrderKey;
use crate::domain::limits::MAX_TRANSACTION_ACTIONS;
use crate::ports::{CommitError, Fault, LostItem, PortError, needs_transaction};
use crate::testing::Operation;

impl State {
    pub(super) fn commit(&mut self, changes: &ChangeSet, request_token: [u8; 16]) -> Result<(), CommitError> {
        if changes.is_empty() {
            return Ok(());
        }
        if changes.actions() > MAX_TRANSACTION_ACTIONS {
            return Err(refused("ValidationException"));
        }
        if let Some(written) = self.written.get(&request_token) {
            let same = written == changes;
            return if same {
                Ok(())
            } else {
                Err(refused("IdempotentParameterMismatchException"))
            };
        }
        let lost = self.lost(changes);
        if !lost.is_empty() {
            return Err(CommitError::Lost(lost));
        }
        self.write(changes);
        if needs_transaction(changes) {
            self.written.insert(request_token, changes.clone());
        }
        Ok(())
    }

    fn lost(&self, changes: &ChangeSet) -> Vec<LostItem> {
        let submissions = changes
            .submissions
            .iter()
            .filter(|(key, write)| !self.may_write(key, write));
        let entries = changes
            .entries
            .iter()
            .filter(|(key, write)| !self.may_write_entry(key, write));
        let matches = changes
            .matches
            .iter()
            .filter(|record| self.matches.contains_key(&record.match_id));
        submissions
            .map(|(key, _)| LostItem::Submission(key.clone()))
            .chain(entries.map(|(key, _)| LostItem::Entry(key.clone())))
            .chain(matches.map(|record| LostItem::Match(record.match_id)))
            .collect()
    }

    fn may_write(&self, key: &OrderKey, write: &SubmissionWrite) -> bool {
        let stored = self.submissions.get(key);
        match write {
            SubmissionWrite::Insert(_) => stored.is_none(),
            SubmissionWrite::ClaimMark(_) => stored.is_some_and(|stored| stored.body_hash.is_none()),
            SubmissionWrite::Advance(_) => stored.is_some(),
        }
    }

    fn may_write_entry(&self, key: &EntryKey, write: &EntryWrite) -> bool {
        match write {
            EntryWrite::Insert(_) => !self.entries.contains_key(key),
            EntryWrite::Update { expected, .. } | EntryWrite::Delete { expected } => {
                self.version(key) == Some(*expected)
            }
        }
    }

    pub(super) fn version(&self, key: &EntryKey) -> Option<Version> {
        self.entries.get(key).map(|entry| entry.version)
    }

    fn write(&mut self, changes: &ChangeSet) {
        for (key, write) in &changes.submissions {
            self.write_submission(key, write);
        }
        for (key, write) in &changes.entries {
            match write {
                EntryWrite::Insert(entry) | EntryWrite::Update { entry, .. } => {
                    self.entries.insert(key.clone(), (**entry).clone());
                }
                EntryWrite::Delete { .. } => {
                    self.entries.remove(key);
                }
            }
        }
        for record in &changes.matches {
            self.matches.insert(record.match_id, record.clone());
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
}

fn refused(code: &str) -> CommitError {
    CommitError::Failed(PortError {
        operation: Operation::Commit.as_str(),
        fault: Fault::Refused,
        code: code.to_owned(),
    })
}
