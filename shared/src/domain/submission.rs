//! The submission: the memory that makes redelivery harmless, and what its owner may read of it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::book::{BookKey, Entry, EntryKey, Rank, Version};
use super::decimal::{Price, Quantity};
use super::form::Form;
use super::identifiers::{ClOrdId, CounterpartyId, OrderKey, Side, Symbol};
use super::intake::BodyHash;
use super::limits::SUBMISSION_LIFE_DAYS;
use super::reason::Reason;
use super::time::Timestamp;
use super::token::{MatchId, Token};

/// FIX `OrdStatus` of an order. `expired` is never stored: it follows from the order's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrdStatus {
    /// In the book, nothing done.
    New,
    /// In the book, something done.
    PartiallyFilled,
    /// Done in full.
    Filled,
    /// Taken out by its owner, or its remainder fell below its own minimum.
    Cancelled,
    /// Lives on under a newer id.
    Replaced,
    /// Never came in.
    Rejected,
    /// Its time has passed.
    Expired,
}

/// What may happen to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderEvent {
    /// A match that leaves something to match.
    PartialFill,
    /// A match that leaves nothing.
    Fill,
    /// A match whose remainder fell below the order's own minimum and is cancelled with it.
    FillAndCancelRemainder,
    /// A cancel of its owner.
    Cancel,
    /// A replace of its owner.
    Replace,
}

/// A change that the life of an order does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{event:?} of an order that is {status:?}")]
pub struct IllegalTransition {
    /// How the order stood.
    pub status: OrdStatus,
    /// What was to happen to it.
    pub event: OrderEvent,
}

/// Every legal transition of an order: only what is in the book changes.
///
/// # Errors
/// [`IllegalTransition`] for an order that is no longer (or never was) in the book.
pub fn next_status(status: OrdStatus, event: OrderEvent) -> Result<OrdStatus, IllegalTransition> {
    match (status, event) {
        (OrdStatus::New | OrdStatus::PartiallyFilled, event) => Ok(match event {
            OrderEvent::PartialFill => OrdStatus::PartiallyFilled,
            OrderEvent::Fill => OrdStatus::Filled,
            OrderEvent::FillAndCancelRemainder | OrderEvent::Cancel => OrdStatus::Cancelled,
            OrderEvent::Replace => OrdStatus::Replaced,
        }),
        (status, event) => Err(IllegalTransition { status, event }),
    }
}

/// What kind of message a submission remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SubmissionKind {
    /// An interest: an order.
    Interest,
    /// A replace that succeeded, from then on an order of its own.
    Replace,
    /// A cancel.
    Cancel,
    /// A status question.
    Status,
    /// A message that was refused.
    Refused,
    /// What a cancel leaves under the id of an interest that has not come yet.
    Mark,
}

/// What an order wants; never changes (a replace makes a new submission).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Terms {
    /// FIX `Symbol`.
    pub symbol: Symbol,
    /// FIX `Side`.
    pub side: Side,
    /// FIX `OrderQty`: the total.
    pub order_qty: Quantity,
    /// FIX `Price`: the limit.
    pub price: Price,
    /// FIX `MinQty`; zero for any.
    pub min_qty: Quantity,
    /// FIX `ExpireTime`.
    pub expire_time: Timestamp,
}

/// Where an order rests, and the version of its book entry.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rests {
    /// Its place in the book of its symbol and side.
    pub rank: Rank,
    /// The version of the entry.
    pub version: Version,
}

/// What was answered to a message, frozen: a duplicate gets the same again.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Answer {
    /// The interest is in; sent only when it was asked for.
    Accepted,
    /// An order was cancelled.
    Cancelled {
        /// The `clOrdId` of the cancel.
        cl_ord_id: ClOrdId,
        /// The order.
        orig_cl_ord_id: ClOrdId,
        /// What was done before.
        cum_qty: Quantity,
        /// What was taken out.
        cxl_qty: Quantity,
    },
    /// The order to cancel has not come yet.
    CancelPending {
        /// The order.
        orig_cl_ord_id: ClOrdId,
    },
    /// An order was replaced.
    Replaced {
        /// The order.
        orig_cl_ord_id: ClOrdId,
        /// What was done before.
        cum_qty: Quantity,
        /// What is left under the new terms.
        leaves_qty: Quantity,
    },
    /// How an order stood when its owner asked.
    Status {
        /// The order.
        orig_cl_ord_id: ClOrdId,
        /// Its status.
        ord_status: OrdStatus,
        /// What was done.
        cum_qty: Quantity,
        /// What was left.
        leaves_qty: Quantity,
        /// Its owner's tokens of its matches.
        tokens: Vec<Token>,
    },
    /// The message was refused.
    Rejected {
        /// Why.
        reason: Reason,
    },
}

/// One item of the table `submissions`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Submission {
    /// The stored form.
    pub v: Form<1>,
    /// Whose it is: the partition key.
    pub owner: CounterpartyId,
    /// What its owner calls it: the sort key.
    pub cl_ord_id: ClOrdId,
    /// What kind of message it was.
    pub kind: SubmissionKind,
    /// Hash of its canonical form; a mark has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_hash: Option<BodyHash>,
    /// The queue's own send stamp, the first one.
    pub accepted_at: Timestamp,
    /// What was answered, when anything was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// What it wants, when it is an order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<Terms>,
    /// How the order stands, its expiry left aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ord_status: Option<OrdStatus>,
    /// What is done.
    pub cum_qty: Quantity,
    /// What is left.
    pub leaves_qty: Quantity,
    /// Where it rests, while it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rests: Option<Rests>,
    /// Its owner's tokens of its matches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<Token>,
    /// The matches that were found on its behalf: this submission answers for their being told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub matches: Vec<MatchId>,
    /// When those matches had all been told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_at: Option<Timestamp>,
    /// The `clOrdId` of the cancel or replace that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<ClOrdId>,
    /// The lease generation of its last writer (design §8).
    pub generation: u64,
    /// TTL attribute, in seconds since the epoch.
    pub expires_at: i64,
}

/// When the table may forget a submission accepted at `accepted_at`, in seconds since the epoch.
#[must_use]
pub fn submission_expiry(accepted_at: Timestamp) -> i64 {
    accepted_at.plus_days(SUBMISSION_LIFE_DAYS).as_seconds_ceil()
}

impl Submission {
    /// The key of the item.
    #[must_use]
    pub fn key(&self) -> OrderKey {
        OrderKey::new(self.owner.clone(), self.cl_ord_id.clone())
    }

    /// Whether it is only the mark of an early cancel.
    #[must_use]
    pub fn is_mark(&self) -> bool {
        self.kind == SubmissionKind::Mark
    }

    /// Its status for its owner at `now`: what is in the book past its time has expired.
    #[must_use]
    pub fn status_at(&self, now: Timestamp) -> Option<OrdStatus> {
        let status = self.ord_status?;
        let in_book = matches!(status, OrdStatus::New | OrdStatus::PartiallyFilled);
        let past = self.terms.as_ref().is_some_and(|terms| terms.expire_time <= now);
        Some(if in_book && past {
            OrdStatus::Expired
        } else {
            status
        })
    }

    /// What is left of it at `now`, as its owner sees it: nothing once it has expired.
    #[must_use]
    pub fn leaves_at(&self, now: Timestamp) -> Quantity {
        if self.status_at(now) == Some(OrdStatus::Expired) {
            Quantity::ZERO
        } else {
            self.leaves_qty
        }
    }

    /// Whether it is in the book and its time has not passed.
    #[must_use]
    pub fn is_open_at(&self, now: Timestamp) -> bool {
        matches!(
            self.status_at(now),
            Some(OrdStatus::New | OrdStatus::PartiallyFilled)
        )
    }

    /// Whether it answers for matches that may not have been told.
    #[must_use]
    pub fn has_untold_matches(&self) -> bool {
        !self.matches.is_empty() && self.told_at.is_none()
    }

    /// Its book entry as it must be when this submission is the truth: both are written together, always.
    #[must_use]
    pub fn entry(&self) -> Option<Entry> {
        let (terms, rests) = (self.terms.as_ref()?, self.rests.as_ref()?);
        Some(Entry {
            v: Form,
            book: BookKey {
                symbol: terms.symbol.clone(),
                side: terms.side,
            },
            rank: rests.rank.clone(),
            owner: self.owner.clone(),
            cl_ord_id: self.cl_ord_id.clone(),
            price: terms.price,
            cum_qty: self.cum_qty,
            leaves_qty: self.leaves_qty,
            min_qty: terms.min_qty,
            expire_time: terms.expire_time,
            version: rests.version,
            generation: self.generation,
            expires_at: terms.expire_time.as_seconds_ceil(),
        })
    }

    /// The key of its book entry, while it rests.
    #[must_use]
    pub fn entry_key(&self) -> Option<EntryKey> {
        self.entry().map(|entry| entry.key())
    }
}

macro_rules! shows_only_its_name {
    ($($name:ident),+) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    )+};
}
shows_only_its_name!(Submission, Terms, Rests, Answer);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_order_in_the_book_changes() {
        use OrdStatus::{Cancelled, Expired, Filled, New, PartiallyFilled, Rejected, Replaced};
        use OrderEvent::{Cancel, Fill, FillAndCancelRemainder, PartialFill, Replace};
        let events = [PartialFill, Fill, FillAndCancelRemainder, Cancel, Replace];
        for status in [New, PartiallyFilled] {
            let after: Vec<_> = events.iter().map(|e| next_status(status, *e).unwrap()).collect();
            assert_eq!(after, [PartiallyFilled, Filled, Cancelled, Cancelled, Replaced]);
        }
        for status in [Filled, Cancelled, Replaced, Rejected, Expired] {
            for event in events {
                assert_eq!(
                    next_status(status, event),
                    Err(IllegalTransition { status, event })
                );
            }
        }
    }
}
