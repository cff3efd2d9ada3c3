//! What every kind is made with: the cast, the dice, ids that nobody else has, and the ends.

use rand::rngs::StdRng;
use rand::{Rng, RngExt};

use super::draft::Draft;
use super::{Cast, End, Item, Kind, MARK};
use crate::domain::reason::{Reason, SetAsideReason};
use crate::domain::time::Timestamp;

/// A body with its sender and its ends.
#[derive(Debug)]
pub(super) struct Made {
    body: String,
    sender_id: String,
    ends: Vec<End>,
}

impl Made {
    pub(super) fn new(body: String, sender_id: String, ends: Vec<End>) -> Self {
        Self {
            body,
            sender_id,
            ends,
        }
    }

    pub(super) fn into_parts(self) -> (String, String, Vec<End>) {
        (self.body, self.sender_id, self.ends)
    }
}

/// Who writes a message, and the `clOrdId` that it has for it.
#[derive(Debug, Clone)]
pub(super) struct Author {
    pub(super) counterparty: usize,
    pub(super) id: String,
}

#[derive(Debug)]
pub(super) struct Maker {
    rng: StdRng,
    cast: Cast,
    serial: u64,
    /// Good interests that buy, less those that sell.
    surplus: isize,
}

impl Maker {
    pub(super) fn new(rng: StdRng, cast: Cast) -> Self {
        Self {
            rng,
            cast,
            serial: 0,
            surplus: 0,
        }
    }

    pub(super) fn rng(&mut self) -> &mut StdRng {
        &mut self.rng
    }

    pub(super) fn cast(&self) -> &Cast {
        &self.cast
    }

    pub(super) fn surplus(&self) -> isize {
        self.surplus
    }

    /// A number below `end`, which is above zero.
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.rng.random_range(0..end.max(1))
    }

    /// One of these, by chance.
    pub(super) fn any<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }

    /// `count` decimal digits, of which neither the first nor the last is a zero.
    pub(super) fn digits(&mut self, count: usize) -> String {
        let digit = |n: usize, rng: &mut StdRng| {
            let least = u8::from(n == 0 || n + 1 == count);
            char::from(b'0' + rng.random_range(least..=9))
        };
        (0..count).map(|n| digit(n, &mut self.rng)).collect()
    }

    /// An id that nobody has used: different seeds share some, as different runs may.
    pub(super) fn id(&mut self) -> String {
        self.serial += 1;
        format!("{MARK}-{:04x}-{}", self.rng.next_u32() >> 16, self.serial)
    }

    /// Somebody, with a new id.
    pub(super) fn author(&mut self) -> Author {
        let counterparty = self.below(self.cast.counterparties.len());
        Author {
            counterparty,
            id: self.id(),
        }
    }

    /// An interest of `author` that is good as it is: whoever uses it must spoil it.
    pub(super) fn interest(&self, author: &Author) -> Draft {
        Draft::interest(&author.id, &self.cast.symbol, side(author.counterparty))
    }

    /// A message of `author`, of the four types in turn: whoever uses it must spoil it.
    pub(super) fn message(&self, author: &Author, turn: usize) -> Draft {
        let original = format!("{MARK}-none");
        match turn % 4 {
            0 => self.interest(author),
            1 => Draft::cancel(&author.id, &original),
            2 => Draft::replace(&author.id, &original),
            _ => Draft::status(&author.id, &original),
        }
    }

    /// Counts a good interest of `author` and gives its end.
    pub(super) fn good_end(&mut self, author: &Author) -> End {
        self.surplus += if side(author.counterparty) == "buy" { 1 } else { -1 };
        End::Matched {
            counterparty: author.counterparty,
            cl_ord_id: author.id.clone(),
        }
    }

    /// Somebody on the buying or the selling side, with a new id.
    pub(super) fn author_of_side(&mut self, buys: bool) -> Author {
        let everybody = 0..self.cast.counterparties.len();
        let of_side: Vec<usize> = everybody.filter(|n| (side(*n) == "buy") == buys).collect();
        Author {
            counterparty: of_side[self.below(of_side.len())],
            id: self.id(),
        }
    }

    /// A good interest on the buying or the selling side.
    pub(super) fn good_of_side(&mut self, buys: bool) -> Item {
        let author = self.author_of_side(buys);
        let body = self.interest(&author).text();
        let end = self.good_end(&author);
        let (body, sender_id, ends) = self.sent(&author, body, vec![end]).into_parts();
        Item {
            kind: Kind::Good,
            sender_id,
            body,
            ends,
        }
    }

    pub(super) fn sender_id(&self, counterparty: usize) -> String {
        self.cast.counterparties[counterparty].clone()
    }

    /// `body`, sent by `author`, with these ends.
    pub(super) fn sent(&self, author: &Author, body: String, ends: Vec<End>) -> Made {
        Made::new(body, self.sender_id(author.counterparty), ends)
    }

    /// `body`, sent by `author` and refused.
    pub(super) fn rejected(&self, author: &Author, body: String, reason: Reason) -> Made {
        self.sent(author, body, vec![rejected(author, reason)])
    }

    /// `body`, sent by `author` and set aside as a whole.
    pub(super) fn set_aside(&self, author: &Author, body: String) -> Made {
        let end = self.malformed(author.counterparty, &body);
        self.sent(author, body, vec![end])
    }

    /// The end of what nobody can be answered about: `body` of `counterparty`, set aside.
    pub(super) fn malformed(&self, counterparty: usize, body: &str) -> End {
        set_aside(
            SetAsideReason::Malformed,
            self.sender_id(counterparty),
            None,
            body,
        )
    }
}

pub(super) fn rejected(author: &Author, reason: Reason) -> End {
    End::Rejected {
        counterparty: author.counterparty,
        cl_ord_id: author.id.clone(),
        reason,
    }
}

pub(super) fn set_aside(
    reason: SetAsideReason,
    sender_id: String,
    first_sent_at: Option<Timestamp>,
    body: &str,
) -> End {
    End::SetAside {
        reason,
        sender_id,
        first_sent_at,
        body: body.to_owned(),
    }
}

fn side(counterparty: usize) -> &'static str {
    if counterparty.is_multiple_of(2) {
        "buy"
    } else {
        "sell"
    }
}
