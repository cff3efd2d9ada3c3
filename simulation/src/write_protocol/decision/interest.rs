//! A new interest: matched against the other side, the rest put into the book.

use super::matching::status_after;
use super::{Case, Effect, Interruption};
use crate::write_protocol::message::{Quantity, Terms};
use crate::write_protocol::records::{Answer, Rank, Reason, Rests, Status, Submission};
use crate::write_protocol::tables::EntryWrite;
use crate::write_protocol::variant::Variant;

impl Case<'_> {
    pub(super) fn interest(&self, terms: Terms, mark: Option<&Submission>) -> Result<Effect, Interruption> {
        if terms.expired(self.now) {
            return Ok(self.refuse(Reason::Expired));
        }
        let mut submission = self.submission(None);
        submission.terms = Some(terms);
        submission.status = Some(Status::New);
        submission.left = terms.quantity;
        match mark {
            Some(mark) => Ok(self.born_cancelled(submission, mark, terms.quantity)),
            None => self.enter(submission, terms),
        }
    }

    /// An order whose cancel came first: it never enters the book, and is answered as the cancel.
    pub(super) fn born_cancelled(
        &self,
        mut order: Submission,
        mark: &Submission,
        cancelled: Quantity,
    ) -> Effect {
        let by = mark.ended_by.unwrap_or(self.message.id);
        order.status = Some(Status::Cancelled);
        order.left = 0;
        order.ended_by = Some(by);
        order.answer = Some(Answer::Cancelled {
            by,
            done: order.done,
            cancelled,
        });
        let mut effect = Effect::default();
        self.remember(&mut effect, order);
        effect
    }

    /// Matches the interest and puts what is left of it into the book.
    fn enter(&self, mut submission: Submission, terms: Terms) -> Result<Effect, Interruption> {
        // The one that rests was there first, whatever the queue's stamps say.
        let found = self.find(terms, 0, terms.quantity, |_| true)?;
        submission.status = Some(status_after(&found.fills, found.leg, Status::New));
        submission.done = found.leg.done;
        submission.left = found.leg.left;
        let mut effect = Effect {
            publish: !found.fills.is_empty(),
            changes: found.changes,
            expired: found.expired,
            ..Effect::default()
        };
        if submission.left > 0 {
            let rank = Rank::new(&terms, self.sent, self.message.id);
            submission.rests = Some(Rests { rank, version: 0 });
            let entry = submission.entry(self.message.id);
            let insert = entry.map(|(place, entry)| (place, EntryWrite::Insert(entry)));
            effect.changes.entries.extend(insert);
            effect.look = self.variant != Variant::NoSecondLook;
        }
        self.remember(&mut effect, submission);
        Ok(effect)
    }
}
