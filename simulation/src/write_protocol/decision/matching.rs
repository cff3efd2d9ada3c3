//! Finding and making matches for one order, on its arrival or when it looks again.

use super::{Case, Effect, Interruption, Need};
use crate::write_protocol::message::{Price, Quantity, Side, Terms};
use crate::write_protocol::pairing::{Fill, Taker, pair};
use crate::write_protocol::records::{
    Entry, Leg, Match, Party, Place, Rank, Rests, Status, Submission, Version,
};
use crate::write_protocol::tables::{EntryWrite, Guard, Key, Progress, SubmissionWrite, Transaction};

/// The matches found for one order, and what they change.
pub(super) struct Found {
    pub(super) changes: Transaction,
    pub(super) fills: Vec<Fill>,
    pub(super) leg: Leg,
    pub(super) expired: Vec<(Place, Version)>,
}

/// Looks at the other side for the message's own order, which rests.
///
/// # Errors
/// [`Interruption`] when something must be read first.
pub fn look(case: &Case<'_>) -> Result<Effect, Interruption> {
    let Some(known) = case.own()? else {
        return Ok(Effect::default());
    };
    let untold = Effect {
        publish: known.has_untold_matches(),
        ..Effect::default()
    };
    let (Some(terms), Some(rests), true) = (known.terms, known.rests, known.is_open(case.now)) else {
        return Ok(untold);
    };
    let found = case.find(terms, known.done, known.left, |other| {
        other.seniority() <= rests.rank.seniority()
    })?;
    Ok(case.settle(known, terms, rests, found, untold))
}

impl Case<'_> {
    /// Finds and makes the matches of the message's order. `resting_first` says whether the resting one of two was
    /// accepted first: its limit is the price.
    pub(super) fn find(
        &self,
        terms: Terms,
        done: Quantity,
        left: Quantity,
        resting_first: impl Fn(&Rank) -> bool,
    ) -> Result<Found, Interruption> {
        let reading = &self.desk.book;
        let taker = Taker {
            owner: self.message.owner,
            terms,
            leg: Leg::open(done, left),
        };
        let (fills, leg) = pair(taker, &reading.entries, self.now, self.variant);
        if !reading.complete && leg.left > 0 {
            return Err(Interruption::Need(Need::Book(terms)));
        }
        let mut changes = Transaction {
            finder: Some(self.message.id),
            ..Transaction::default()
        };
        for fill in &fills {
            let price = if resting_first(&fill.place.1) {
                fill.resting.terms.price
            } else {
                terms.price
            };
            changes.matches.push(self.make_match(terms, fill, price));
            consume(&mut changes, fill);
        }
        let expired = reading.entries.iter();
        let expired = expired.filter(|(_, entry)| entry.terms.expired(self.now));
        Ok(Found {
            changes,
            leg,
            expired: expired.map(|(place, entry)| (*place, entry.version)).collect(),
            fills,
        })
    }

    fn make_match(&self, terms: Terms, fill: &Fill, price: Price) -> Match {
        let taker = Party {
            owner: self.message.owner,
            id: self.message.id,
            leg: fill.taker,
        };
        let rested = Party {
            owner: fill.resting.owner,
            id: fill.resting.id,
            leg: fill.rested,
        };
        let (buyer, seller) = match terms.side {
            Side::Buy => (taker, rested),
            Side::Sell => (rested, taker),
        };
        Match {
            quantity: fill.quantity,
            price,
            decided_at: self.now,
            buyer,
            seller,
        }
    }

    /// Brings the looking order up to date with what it found, and has it look once more when something is left.
    fn settle(&self, known: &Submission, terms: Terms, rests: Rests, found: Found, untold: Effect) -> Effect {
        let mut effect = Effect {
            expired: found.expired,
            ..untold
        };
        if found.fills.is_empty() {
            return effect;
        }
        let status = status_after(&found.fills, found.leg, open_status(known.done));
        let entry = Entry {
            owner: known.owner,
            id: self.message.id,
            terms,
            done: known.done,
            left: known.left,
            version: rests.version,
        };
        effect.look = found.leg.left > 0;
        effect.publish = true;
        effect.changes = found.changes;
        advance(
            &mut effect.changes,
            (terms.side, rests.rank),
            &entry,
            found.leg,
            status,
        );
        effect
    }
}

pub(super) fn open_status(done: Quantity) -> Status {
    if done == 0 {
        Status::New
    } else {
        Status::PartiallyFilled
    }
}

pub(super) fn status_after(fills: &[Fill], leg: Leg, before: Status) -> Status {
    match leg {
        _ if fills.is_empty() => before,
        Leg { left: 1.., .. } => Status::PartiallyFilled,
        Leg { cancelled: 0, .. } => Status::Filled,
        _ => Status::Cancelled,
    }
}

/// Takes the matched quantity out of the resting entry and tells its submission.
fn consume(changes: &mut Transaction, fill: &Fill) {
    let status = status_after(&[*fill], fill.rested, open_status(fill.resting.done));
    advance(changes, fill.place, &fill.resting, fill.rested, status);
}

/// Brings an entry and its submission to `leg`; the entry goes when nothing is left of it.
fn advance(changes: &mut Transaction, place: Place, read: &Entry, leg: Leg, status: Status) {
    let guard = Guard {
        version: read.version,
        left: read.left,
        taken: leg.done - read.done,
    };
    let entry = Entry {
        done: leg.done,
        left: leg.left,
        version: read.version + 1,
        ..*read
    };
    let rests = Rests {
        rank: place.1,
        version: entry.version,
    };
    let (write, rests) = if leg.left == 0 {
        (EntryWrite::Delete(guard), None)
    } else {
        (EntryWrite::Update(guard, entry), Some(rests))
    };
    changes.entries.insert(place, write);
    let progress = Progress {
        status,
        done: leg.done,
        left: leg.left,
        rests,
        ended_by: None,
    };
    changes
        .submissions
        .insert(Key::Of(read.id), SubmissionWrite::Advance(progress));
}
