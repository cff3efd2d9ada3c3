//! A cancel: takes an order out of the book, or leaves a mark for one that has not come yet.

use super::{Case, Effect, Interruption};
use crate::domain::change_set::Progress;
use crate::domain::decimal::Quantity;
use crate::domain::identifiers::{ClOrdId, OrderKey};
use crate::domain::reason::Reason;
use crate::domain::submission::{Answer, OrdStatus, OrderEvent, Submission, SubmissionKind, next_status};

impl Case<'_> {
    pub(super) fn original(&self, orig_cl_ord_id: &ClOrdId) -> OrderKey {
        OrderKey::new(self.arrival.order.owner.clone(), orig_cl_ord_id.clone())
    }

    pub(super) fn cancel(&self, orig_cl_ord_id: &ClOrdId) -> Result<Effect, Interruption> {
        let original = self.original(orig_cl_ord_id);
        Ok(match self.desk.submission(&original)? {
            None => self.cancel_early(orig_cl_ord_id, true),
            Some(mark) if mark.is_mark() => self.cancel_early(orig_cl_ord_id, false),
            Some(order) if order.ord_status.is_none() => self.refuse(Reason::UnknownOrder),
            Some(order) if !order.is_open_at(self.around.now) => self.refuse(Reason::TooLateToCancel),
            Some(order) => self.cancel_open(order),
        })
    }

    /// The queue is unordered, so a cancel may come first. Its mark is the submission item of the order itself:
    /// under a key of its own, order and cancel could miss each other.
    fn cancel_early(&self, orig_cl_ord_id: &ClOrdId, leave_mark: bool) -> Effect {
        let mut effect = Effect::default();
        let answer = Answer::CancelPending {
            orig_cl_ord_id: orig_cl_ord_id.clone(),
        };
        let submission = self.submission(SubmissionKind::Cancel, Some(answer));
        if leave_mark {
            let mark = Submission {
                cl_ord_id: orig_cl_ord_id.clone(),
                kind: SubmissionKind::Mark,
                body_hash: None,
                answer: None,
                ord_status: Some(OrdStatus::Cancelled),
                ended_by: Some(self.arrival.order.cl_ord_id.clone()),
                ..submission.clone()
            };
            effect.changes.put_submission(mark, false);
        }
        self.remember(&mut effect, submission);
        effect
    }

    fn cancel_open(&self, order: &Submission) -> Effect {
        let mut effect = Effect::default();
        let answer = Answer::Cancelled {
            cl_ord_id: self.arrival.order.cl_ord_id.clone(),
            orig_cl_ord_id: order.cl_ord_id.clone(),
            cum_qty: order.cum_qty,
            cxl_qty: order.leaves_qty,
        };
        self.end_order(&mut effect, order, OrderEvent::Cancel);
        let submission = self.submission(SubmissionKind::Cancel, Some(answer));
        self.remember(&mut effect, submission);
        effect
    }

    /// Ends an open order by this message; its book entry is the caller's to change or delete.
    pub(super) fn close_order(&self, effect: &mut Effect, order: &Submission, event: OrderEvent) {
        let status = order.ord_status.unwrap_or(OrdStatus::New);
        let progress = Progress {
            // The caller saw it open.
            ord_status: next_status(status, event).unwrap_or(status),
            cum_qty: order.cum_qty,
            leaves_qty: Quantity::ZERO,
            rests: None,
            tokens: Vec::new(),
            matches: Vec::new(),
            ended_by: Some(self.arrival.order.cl_ord_id.clone()),
            generation: self.around.generation,
        };
        effect.changes.advance(order.key(), progress);
    }

    /// Ends an open order by this message and takes its entry out of the book.
    pub(super) fn end_order(&self, effect: &mut Effect, order: &Submission, event: OrderEvent) {
        self.close_order(effect, order, event);
        if let (Some(key), Some(rests)) = (order.entry_key(), &order.rests) {
            effect.changes.delete_entry(key, rests.version);
        }
    }
}
