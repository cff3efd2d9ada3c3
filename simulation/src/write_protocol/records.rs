//! What the tables hold: submissions, book entries, matches.

use super::message::{Id, Moment, Owner, Price, Quantity, Sent, Side, Terms};

/// The version of a book entry: its condition when it changes.
pub type Version = u8;

/// FIX `OrdStatus`. That an order has expired is never stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
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
}

/// Why a message was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Its id is taken by another body.
    DuplicateClOrdId,
    /// Its order never came, or is none.
    UnknownOrder,
    /// Its order has ended.
    TooLateToCancel,
    /// A new total that is not above what is done.
    BadQuantity,
    /// Less left than the minimum.
    BadMinQty,
    /// Its time had passed when it came.
    Expired,
}

/// What was answered to a message, frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answer {
    /// An order was cancelled.
    Cancelled {
        /// The cancel.
        by: Id,
        /// What was done before.
        done: Quantity,
        /// What was taken out.
        cancelled: Quantity,
    },
    /// The order to cancel has not come yet.
    CancelPending,
    /// An order was replaced.
    Replaced {
        /// What was done before.
        done: Quantity,
        /// What is left under the new terms.
        left: Quantity,
    },
    /// The message was refused.
    Rejected(Reason),
}

/// The place of an interest in its book: best price first, then acceptance, then id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rank {
    price: i16,
    sent: Sent,
    /// The id that the rank was made for. A replace in place keeps it under its own id.
    pub id: Id,
}

impl Rank {
    /// The rank of an order.
    #[must_use]
    pub fn new(terms: &Terms, sent: Sent, id: Id) -> Self {
        let price = i16::from(terms.price);
        let price = match terms.side {
            Side::Buy => -price,
            Side::Sell => price,
        };
        Self { price, sent, id }
    }

    /// Who of two was accepted first, whatever their prices.
    #[must_use]
    pub fn seniority(&self) -> (Sent, Id) {
        (self.sent, self.id)
    }
}

/// The key of a book entry.
pub type Place = (Side, Rank);

/// Where an order rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rests {
    /// Its place.
    pub rank: Rank,
    /// The version of its entry.
    pub version: Version,
}

/// The name of a match. It bears no secret here, so nothing hides who is behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MatchId {
    /// The buyer's order.
    pub buyer: Id,
    /// The seller's order.
    pub seller: Id,
    /// How many matches of the two there were before.
    pub nth: u8,
}

/// An item of `submissions`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Submission {
    /// Whose it is.
    pub owner: Owner,
    /// The hash of its body; a mark has none.
    pub body: Option<Sent>,
    /// What was answered, when anything was.
    pub answer: Option<Answer>,
    /// What it wants, when it is an order.
    pub terms: Option<Terms>,
    /// How the order stands.
    pub status: Option<Status>,
    /// FIX `CumQty`.
    pub done: Quantity,
    /// FIX `LeavesQty`.
    pub left: Quantity,
    /// Where it rests, while it does.
    pub rests: Option<Rests>,
    /// The matches that were found on its behalf: it answers for their being told.
    pub matches: Vec<MatchId>,
    /// `toldAt`: all of them were told.
    pub told: bool,
    /// The message that ended it.
    pub ended_by: Option<Id>,
}

impl Submission {
    /// Whether it is only the mark of an early cancel.
    #[must_use]
    pub fn is_mark(&self) -> bool {
        self.body.is_none()
    }

    /// Whether it is in the book and its time has not passed.
    #[must_use]
    pub fn is_open(&self, now: Moment) -> bool {
        let in_book = matches!(self.status, Some(Status::New | Status::PartiallyFilled));
        in_book && !self.terms.is_some_and(|terms| terms.expired(now))
    }

    /// Whether it answers for matches that may not have been told.
    #[must_use]
    pub fn has_untold_matches(&self) -> bool {
        !self.matches.is_empty() && !self.told
    }

    /// Its book entry as it must be when this submission is the truth.
    #[must_use]
    pub fn entry(&self, id: Id) -> Option<(Place, Entry)> {
        let (terms, rests) = (self.terms?, self.rests?);
        let entry = Entry {
            owner: self.owner,
            id,
            terms,
            done: self.done,
            left: self.left,
            version: rests.version,
        };
        Some(((terms.side, rests.rank), entry))
    }

    /// Lists more matches, which are not told yet.
    pub fn list(&mut self, matches: &[MatchId]) {
        self.matches.extend(matches);
        self.told = self.told && matches.is_empty();
    }
}

/// An item of `interests`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entry {
    /// Whose it is.
    pub owner: Owner,
    /// The order that it is of.
    pub id: Id,
    /// What the order wants.
    pub terms: Terms,
    /// FIX `CumQty`.
    pub done: Quantity,
    /// FIX `LeavesQty`.
    pub left: Quantity,
    /// Counts its changes.
    pub version: Version,
}

/// What is done, left and cancelled of one order, after a fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Leg {
    /// FIX `CumQty`.
    pub done: Quantity,
    /// FIX `LeavesQty`.
    pub left: Quantity,
    /// FIX `CxlQty`: the remainder below the order's own minimum.
    pub cancelled: Quantity,
}

/// One side of a match, frozen with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Party {
    /// Whose order.
    pub owner: Owner,
    /// Which order.
    pub id: Id,
    /// The order after this match.
    pub leg: Leg,
}

/// An item of `matches`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Match {
    /// FIX `LastQty`.
    pub quantity: Quantity,
    /// FIX `LastPx`.
    pub price: Price,
    /// When it was decided.
    pub decided_at: Moment,
    /// Who buys.
    pub buyer: Party,
    /// Who sells.
    pub seller: Party,
}

impl Match {
    /// Both sides.
    #[must_use]
    pub fn parties(&self) -> [Party; 2] {
        [self.buyer, self.seller]
    }
}
