//! A replace: the order lives on under this message's id, in its place when only its quantity was cut.

use super::matching::open_status;
use super::{Case, Effect, Interruption, ORIGINAL_WAITS};
use crate::write_protocol::message::{Id, Price, Quantity, Terms};
use crate::write_protocol::records::{Answer, Rank, Reason, Rests, Status, Submission};
use crate::write_protocol::tables::{EntryWrite, Guard};
use crate::write_protocol::variant::Variant;

impl Case<'_> {
    pub(super) fn replace(
        &self,
        original: Id,
        quantity: Quantity,
        price: Option<Price>,
        mark: Option<&Submission>,
    ) -> Result<Effect, Interruption> {
        let Some(order) = self.original()? else {
            return if self.receives <= ORIGINAL_WAITS {
                Err(Interruption::GoBack)
            } else {
                Ok(self.refuse(Reason::UnknownOrder))
            };
        };
        if order.status.is_none() {
            return Ok(self.refuse(Reason::UnknownOrder));
        }
        let (true, Some(old)) = (order.is_open(self.now), order.terms) else {
            return Ok(self.refuse(Reason::TooLateToCancel));
        };
        if let Some(mark) = mark {
            return Ok(self.cancel_instead(original, order, old, mark));
        }
        if quantity <= order.done {
            return Ok(self.refuse(Reason::BadQuantity));
        }
        if quantity - order.done < old.minimum {
            return Ok(self.refuse(Reason::BadMinQty));
        }
        let price = price.unwrap_or(old.price);
        let new = Terms {
            quantity,
            price,
            ..old
        };
        Ok(self.replace_open(original, order, old, new))
    }

    /// A cancel of this replace came first: the original ends, and the answer is the cancel's.
    fn cancel_instead(&self, original: Id, order: &Submission, old: Terms, mark: &Submission) -> Effect {
        let mut replaced = self.submission(None);
        replaced.terms = Some(old);
        replaced.done = order.done;
        let mut effect = self.born_cancelled(replaced, mark, order.left);
        self.end_order(&mut effect, original, order, Status::Cancelled);
        effect
    }

    /// This submission, the original replaced by it, and the entry changed in place (only a quantity was cut) or put
    /// anew. Then a look: the terms or the id of what is in the book are new.
    fn replace_open(&self, original: Id, order: &Submission, old: Terms, new: Terms) -> Effect {
        let left = new.quantity - order.done;
        let only_cut = new.quantity < old.quantity && new.price == old.price;
        let in_place = order.rests.filter(|_| only_cut);
        let mut submission = self.submission(Some(Answer::Replaced {
            done: order.done,
            left,
        }));
        submission.terms = Some(new);
        submission.status = Some(open_status(order.done));
        submission.done = order.done;
        submission.left = left;
        submission.rests = Some(match in_place {
            Some(old) => Rests {
                version: old.version + 1,
                ..old
            },
            None => Rests {
                rank: Rank::new(&new, self.sent, self.message.id),
                version: 0,
            },
        });
        let mut effect = Effect::default();
        let entry = submission.entry(self.message.id);
        if let Some(old) = in_place {
            self.close_order(&mut effect, original, order, Status::Replaced);
            let guard = Guard {
                version: old.version,
                left: order.left,
                taken: order.left - left,
            };
            let update = entry.map(|(place, entry)| (place, EntryWrite::Update(guard, entry)));
            effect.changes.entries.extend(update);
            effect.look = self.variant != Variant::NoLookAfterReplaceInPlace;
        } else {
            self.end_order(&mut effect, original, order, Status::Replaced);
            let insert = entry.map(|(place, entry)| (place, EntryWrite::Insert(entry)));
            effect.changes.entries.extend(insert);
            effect.look = true;
        }
        self.remember(&mut effect, submission);
        effect
    }
}
