//! Hostile input: intake bodies and SQS records that are wrong in every way we know, each with the end that the
//! contract gives it.
//!
//! An item's end is known from how the item was made, never from asking the parser: whoever makes a body unreadable
//! writes down that it is set aside. So a run can compare what a matcher did with what it had to do. Among the
//! malformed there are good interests, all at one price and of one quantity, as many to buy as to sell: whatever the
//! order in which they arrive, each of them is filled by one match.
//!
//! What it is **not**: a fuzzer. It explores nothing and shrinks nothing; the same seed gives the same items. It sends
//! nothing either: a caller puts the bodies on a queue or into events, and judges.

mod bundles;
mod decimals;
mod draft;
mod envelopes;
mod fields;
mod ids;
mod kind;
mod maker;
mod records;
mod sizes;
mod syntax;

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

use self::maker::Maker;
use crate::domain::limits::MAX_MESSAGE_BYTES;
use crate::domain::reason::{Reason, SetAsideReason};
use crate::domain::time::Timestamp;

pub use self::kind::Kind;
pub use self::records::{OddRecord, RecordEnd, RecordKind, record};

/// In every `clOrdId` and wherever else a body has room for it: found in a log, it shows that the log leaks. Too long
/// to stand in a base32 id by chance.
pub const MARK: &str = "vqzxkwjy";

/// FIX `OrderQty` of every good interest.
pub const GOOD_QTY: &str = "31.41592653";

/// FIX `Price` of every good interest.
pub const GOOD_PRICE: &str = "2718.28";

/// Items of a kind whose bodies are long, in one plan at most.
const MAX_LONG_ITEMS: usize = 24;

/// Who plays, and in what.
#[derive(Debug, Clone)]
pub struct Cast {
    /// The `SenderId`s of registered, active counterparties, at least two; those at even places buy, the others sell.
    pub counterparties: Vec<String>,
    /// A `SenderId` that the registry does not know.
    pub stranger: String,
    /// A `SenderId` of a role whose envelopes are opened, and which may not send on behalf of anybody.
    pub own_role: String,
    /// A tradable symbol with tick 0.01, lot 0.00000001 and price policy `resting`, whose book holds nothing.
    pub symbol: String,
    /// When that which comes in an envelope was first sent: less than 90 days ago.
    pub first_sent_at: Timestamp,
}

/// How a message, a bundle's member or a whole body must end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// A good interest: filled by one match of [`GOOD_QTY`] at [`GOOD_PRICE`], told to its inbox, nothing left.
    Matched {
        /// Whose it is: its place in [`Cast::counterparties`].
        counterparty: usize,
        /// Its `clOrdId`.
        cl_ord_id: String,
    },
    /// Answered `rejected`, to this inbox and no other.
    Rejected {
        /// Whose it is: its place in [`Cast::counterparties`].
        counterparty: usize,
        /// Its `clOrdId`.
        cl_ord_id: String,
        /// The reason that it is told.
        reason: Reason,
    },
    /// In the dead-letter queue, in an envelope, nothing answered.
    SetAside {
        /// The reason in the envelope and in the message attribute.
        reason: SetAsideReason,
        /// The sender in the envelope.
        sender_id: String,
        /// The time in the envelope; `None` for the record's own stamp.
        first_sent_at: Option<Timestamp>,
        /// The body in the envelope, to the letter.
        body: String,
    },
    /// No envelope can hold it: it comes back each time, untouched, until SQS itself moves it.
    ComesBack,
}

/// One body, who sends it, and how it must end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What is wrong with it.
    pub kind: Kind,
    /// The `SenderId` under which it is sent.
    pub sender_id: String,
    /// The body.
    pub body: String,
    /// How it ends; for a bundle that is taken member by member, how each member does.
    pub ends: Vec<End>,
}

impl Item {
    /// Whether SQS itself takes the body. It takes 1 byte to 1 MiB of `#x9 | #xA | #xD | #x20-#xD7FF | #xE000-#xFFFD |
    /// #x10000-#x10FFFF` (API reference of `SendMessage`, as of 2026-11); the rest can only be put into an event.
    #[must_use]
    pub fn sendable(&self) -> bool {
        let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
        (1..=MAX_MESSAGE_BYTES).contains(&self.body.len()) && self.body.chars().all(allowed)
    }
}

/// Makes hostile items, the same ones for the same seed and cast.
#[derive(Debug)]
pub struct Hostile {
    maker: Maker,
    /// How many of each kind were made: the next of a kind is wrong in the kind's next way.
    turns: BTreeMap<Kind, usize>,
}

impl Hostile {
    /// A generator for this cast.
    #[must_use]
    pub fn new(seed: u64, cast: Cast) -> Self {
        Self {
            maker: Maker::new(StdRng::seed_from_u64(seed), cast),
            turns: BTreeMap::new(),
        }
    }

    /// The next item of a kind. A kind has several ways to be wrong, which take turns.
    pub fn item(&mut self, kind: Kind) -> Item {
        let turn = self.turns.entry(kind).or_default();
        let this = *turn;
        *turn += 1;
        kind::make(kind, &mut self.maker, this)
    }

    /// `malformed` items, of every kind at least some if there are enough (kinds with long bodies at most two dozen
    /// each), mixed with `good` good ones.
    ///
    /// Bundles may hold good members too; a few more are added, until as many buy as sell.
    pub fn plan(&mut self, malformed: usize, good: usize) -> Vec<Item> {
        let mut items: Vec<Item> = kinds(malformed).map(|kind| self.item(kind)).collect();
        for n in 0..good {
            let kind = if n % 2 == 0 { Kind::Good } else { Kind::OddlySpelt };
            items.push(self.item(kind));
        }
        items.extend(self.balance());
        items.shuffle(self.maker.rng());
        items
    }

    /// Good interests until as many buy as sell: none when that is so already.
    pub fn balance(&mut self) -> Vec<Item> {
        let surplus = self.maker.surplus();
        let missing = 0..surplus.unsigned_abs();
        missing.map(|_| self.maker.good_of_side(surplus < 0)).collect()
    }

    /// A record that SQS would not send, or whose attributes lie, under the id `message_id` where it bears one, and
    /// otherwise sent at `sent_at`.
    pub fn record(&mut self, kind: RecordKind, message_id: &str, sent_at: Timestamp) -> OddRecord {
        let item = if self.maker.rng().random_bool(0.5) {
            self.item(Kind::UnknownField)
        } else {
            self.item(Kind::Negative)
        };
        records::make(kind, &item, &mut self.maker, message_id, sent_at)
    }
}

/// The kinds of `count` items: each in its turn, those with long bodies only in the first rounds.
fn kinds(count: usize) -> impl Iterator<Item = Kind> {
    let round = |round: usize| {
        let due = move |kind: &Kind| round < MAX_LONG_ITEMS || !kind.is_long();
        Kind::MALFORMED.into_iter().filter(due)
    };
    (0..).flat_map(round).take(count)
}

#[cfg(test)]
mod tests;
