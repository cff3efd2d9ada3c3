//! A replace: the order lives on under this message's id, in its place when only its quantity was cut.

use super::interest::{check_expiry, check_price, check_quantities};
use super::{Case, Effect, Interruption};
use crate::domain::book::{Entry, Rank, Version};
use crate::domain::change_set::EntryWrite;
use crate::domain::decimal::Quantity;
use crate::domain::intake::Replace;
use crate::domain::limits::MAX_ORIGINAL_WAITS;
use crate::domain::pairing::Leg;
use crate::domain::parameters::MatchParameters;
use crate::domain::reason::{Reason, RetryReason};
use crate::domain::submission::{Answer, OrdStatus, OrderEvent, Rests, Submission, SubmissionKind, Terms};

fn update(entry: Entry, expected: Version) -> EntryWrite {
    EntryWrite::Update {
        entry: Box::new(entry),
        expected,
    }
}

impl Case<'_> {
    pub(super) fn replace(&self, replace: &Replace) -> Result<Effect, Interruption> {
        let Some(order) = self.desk.submission(&self.original(&replace.orig_cl_ord_id))? else {
            return if self.arrival.receive_count <= MAX_ORIGINAL_WAITS {
                Err(Interruption::Retry(RetryReason::OriginalUnknown))
            } else {
                Ok(self.refuse(Reason::UnknownOrder))
            };
        };
        if order.ord_status.is_none() {
            return Ok(self.refuse(Reason::UnknownOrder));
        }
        if !order.is_open_at(self.around.now) {
            return Ok(self.refuse(Reason::TooLateToCancel));
        }
        let Some(terms) = &order.terms else {
            return Ok(self.refuse(Reason::UnknownOrder));
        };
        if let Some(mark) = self.mark {
            // A cancel works whatever has become of the symbol.
            return Ok(self.cancel_instead(order, terms, mark));
        }
        let Some(parameters) = self.desk.parameters(&terms.symbol)? else {
            return Ok(self.refuse(Reason::UnknownSymbol));
        };
        Ok(match self.new_terms(replace, order, terms, parameters) {
            Ok(new) => self.replace_open(order, terms, new),
            Err(reason) => self.refuse(reason),
        })
    }

    fn new_terms(
        &self,
        replace: &Replace,
        order: &Submission,
        old: &Terms,
        parameters: &MatchParameters,
    ) -> Result<Terms, Reason> {
        if self.suspended() {
            return Err(Reason::Suspended);
        }
        if !parameters.tradable {
            return Err(Reason::NotTradable);
        }
        let new = Terms {
            symbol: old.symbol.clone(),
            side: old.side,
            order_qty: replace.order_qty,
            price: replace.price.unwrap_or(old.price),
            min_qty: replace.min_qty.unwrap_or(old.min_qty),
            expire_time: match replace.expire_time {
                Some(asked) => check_expiry(Some(asked), self.arrival.sent_at, self.around.now)?,
                None => old.expire_time,
            },
        };
        check_price(parameters, new.price)?;
        if new.order_qty <= order.cum_qty {
            return Err(Reason::BadQuantity);
        }
        check_quantities(parameters, new.order_qty, new.min_qty)?;
        if new.order_qty.minus(order.cum_qty) < new.min_qty {
            return Err(Reason::BadMinQty);
        }
        Ok(new)
    }

    /// One transaction: this submission, the original replaced by it, and the entry changed in place (which keeps
    /// its priority, and from then on names this message) or taken out and put anew. Then a look: the terms or
    /// the id of what is in the book are new.
    fn replace_open(&self, order: &Submission, old: &Terms, new: Terms) -> Effect {
        let mut effect = Effect::default();
        let leaves_qty = new.order_qty.minus(order.cum_qty);
        let only_cut = new.order_qty < old.order_qty
            && Terms {
                order_qty: old.order_qty,
                ..new.clone()
            } == *old;
        let in_place = order.rests.as_ref().filter(|_| only_cut);
        let rests = match in_place {
            Some(old) => Rests {
                rank: old.rank.clone(),
                version: old.version.next(),
            },
            None => Rests {
                rank: Rank::new(new.side, new.price, self.arrival.sent_at, &self.arrival.order),
                version: Version::FIRST,
            },
        };
        let answer = Answer::Replaced {
            orig_cl_ord_id: order.cl_ord_id.clone(),
            cum_qty: order.cum_qty,
            leaves_qty,
        };
        let mut submission = self.submission(SubmissionKind::Replace, Some(answer));
        submission.terms = Some(new);
        submission.ord_status = Some(if order.cum_qty.is_zero() {
            OrdStatus::New
        } else {
            OrdStatus::PartiallyFilled
        });
        submission.cum_qty = order.cum_qty;
        submission.leaves_qty = leaves_qty;
        submission.rests = Some(rests);
        submission.tokens.clone_from(&order.tokens);
        let entry = submission.entry();
        if let Some(old) = in_place {
            self.close_order(&mut effect, order, OrderEvent::Replace);
            effect
                .changes
                .entries
                .extend(entry.map(|entry| (entry.key(), update(entry, old.version))));
        } else {
            self.end_order(&mut effect, order, OrderEvent::Replace);
            effect
                .changes
                .entries
                .extend(entry.map(|entry| (entry.key(), EntryWrite::Insert(Box::new(entry)))));
        }
        effect.look = Some(submission.key());
        self.remember(&mut effect, submission);
        effect
    }

    /// A cancel of this replace came first: the original ends, and the answer is the cancel's.
    fn cancel_instead(&self, order: &Submission, terms: &Terms, mark: &Submission) -> Effect {
        let mut replaced = self.submission(SubmissionKind::Replace, None);
        replaced.terms = Some(terms.clone());
        replaced.tokens.clone_from(&order.tokens);
        let leg = Leg {
            cum_qty: order.cum_qty,
            leaves_qty: order.leaves_qty,
            cxl_qty: Quantity::ZERO,
        };
        let mut effect = self.born_cancelled(replaced, mark, leg);
        self.end_order(&mut effect, order, OrderEvent::Cancel);
        effect
    }
}
