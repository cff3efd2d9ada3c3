//! A cancel: takes an order out of the book, or leaves a mark for one that has not come yet.

use super::{Case, Effect, Interruption};
use crate::write_protocol::message::Id;
use crate::write_protocol::records::{Answer, Reason, Status, Submission};
use crate::write_protocol::tables::{EntryWrite, Guard, Key, Progress, SubmissionWrite};

impl Case<'_> {
    pub(super) fn cancel(&self, original: Id) -> Result<Effect, Interruption> {
        Ok(match self.original()? {
            None => self.cancel_early(original, true),
            Some(mark) if mark.is_mark() => self.cancel_early(original, false),
            Some(order) if order.status.is_none() => self.refuse(Reason::UnknownOrder),
            Some(order) if !order.is_open(self.now) => self.refuse(Reason::TooLateToCancel),
            Some(order) => self.cancel_open(original, order),
        })
    }

    /// The order has not come yet: the mark that waits for it is the submission item of the order itself.
    fn cancel_early(&self, original: Id, leave_mark: bool) -> Effect {
        let mut effect = Effect::default();
        let submission = self.submission(Some(Answer::CancelPending));
        if leave_mark {
            let mark = Submission {
                body: None,
                answer: None,
                status: Some(Status::Cancelled),
                ended_by: Some(self.message.id),
                ..submission.clone()
            };
            let key = Key::of_mark(original, self.variant);
            effect
                .changes
                .submissions
                .insert(key, SubmissionWrite::Insert(mark));
        }
        self.remember(&mut effect, submission);
        effect
    }

    fn cancel_open(&self, original: Id, order: &Submission) -> Effect {
        let mut effect = Effect::default();
        self.end_order(&mut effect, original, order, Status::Cancelled);
        let answer = Answer::Cancelled {
            by: self.message.id,
            done: order.done,
            cancelled: order.left,
        };
        self.remember(&mut effect, self.submission(Some(answer)));
        effect
    }

    /// Ends an open order by this message; its entry is the caller's to change or delete.
    pub(super) fn close_order(&self, effect: &mut Effect, original: Id, order: &Submission, status: Status) {
        let progress = Progress {
            status,
            done: order.done,
            left: 0,
            rests: None,
            ended_by: Some(self.message.id),
        };
        let write = SubmissionWrite::Advance(progress);
        effect.changes.submissions.insert(Key::Of(original), write);
    }

    /// Ends an open order by this message and takes its entry out of the book.
    pub(super) fn end_order(&self, effect: &mut Effect, original: Id, order: &Submission, status: Status) {
        self.close_order(effect, original, order, status);
        let entry = order.entry(original);
        let delete = entry.map(|(place, entry)| (place, EntryWrite::Delete(Guard::of_all(&entry))));
        effect.changes.entries.extend(delete);
    }
}
