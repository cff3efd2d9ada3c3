//! The second look: what a resting order finds once it is in the book.
//!
//! Two crossing interests that arrive together each see an empty book before they write. Because each looks again
//! *after* it has written, at least one sees the other (design §5, step 4).

use super::matching::{Finder, Found};
use super::{Effect, Entropy, Interruption, Surroundings};
use crate::domain::book::{Entry, Rank};
use crate::domain::change_set::Progress;
use crate::domain::counterparty::Counterparty;
use crate::domain::decimal::Price;
use crate::domain::desk::Desk;
use crate::domain::identifiers::OrderKey;
use crate::domain::submission::{OrdStatus, Rests, Submission, next_status};

/// Looks at the other side for the resting order `order` of `owner`. Writes nothing when it no longer rests, when its
/// symbol is halted, or when nothing fits; what was found before is to be told all the same. When it was matched and
/// something is left, the effect asks to look once more: one decision makes a bounded number of matches.
///
/// # Errors
/// [`Interruption::Need`] when the desk lacks something.
pub fn look(
    desk: &Desk,
    order: &OrderKey,
    owner: &Counterparty,
    around: &Surroundings<'_>,
    entropy: &mut dyn Entropy,
) -> Result<Effect, Interruption> {
    let Some(known) = desk.submission(order)? else {
        return Ok(Effect::default());
    };
    let open = known.is_open_at(around.now);
    let Some(entry) = known.entry().filter(|_| open) else {
        return Ok(untold(known));
    };
    let Some(parameters) = desk
        .parameters(&entry.book.symbol)?
        .filter(|parameters| parameters.tradable)
    else {
        return Ok(untold(known));
    };
    let finder = Finder {
        desk,
        sender: owner,
        parameters,
        around,
    };
    let found = finder.find(
        known,
        |other| by_seniority(other, &entry.rank, entry.price),
        entropy,
    )?;
    Ok(settle(known, entry, found, around.generation))
}

/// Nothing to write. A look whose response was lost may have been written, and then finds nothing more: the matches
/// that its submission knows are still to be told.
fn untold(known: &Submission) -> Effect {
    Effect {
        publish: known.has_untold_matches().then(|| known.key()),
        ..Effect::default()
    }
}

/// The limits of both, the earlier accepted first: that one is the resting interest of the match.
fn by_seniority(other: &Entry, own: &Rank, own_price: Price) -> (Price, Price) {
    if other.rank.seniority() <= own.seniority() {
        (other.price, own_price)
    } else {
        (own_price, other.price)
    }
}

/// Brings the looking order up to date with what it found.
fn settle(known: &Submission, mut entry: Entry, found: Found, generation: u64) -> Effect {
    let mut effect = Effect {
        expired: found.expired,
        ..untold(known)
    };
    if found.made.is_empty() {
        return effect;
    }
    let expected = entry.version;
    entry.cum_qty = found.taker.cum_qty;
    entry.leaves_qty = found.taker.leaves_qty;
    entry.version = expected.next();
    entry.generation = generation;
    let before = known.ord_status.unwrap_or(OrdStatus::New);
    let status = found.taker_legs.iter().fold(before, |status, leg| {
        // The order is open and each leg but the last leaves something, so every fill is legal.
        next_status(status, leg.event()).unwrap_or(status)
    });
    let rests = (!entry.leaves_qty.is_zero()).then(|| Rests {
        rank: entry.rank.clone(),
        version: entry.version,
    });
    effect.look = rests.is_some().then(|| known.key());
    effect.publish = Some(known.key());
    effect.changes = found.changes;
    effect.made = found.made;
    effect.changes.advance(
        known.key(),
        Progress {
            ord_status: status,
            cum_qty: entry.cum_qty,
            leaves_qty: entry.leaves_qty,
            rests,
            tokens: found.tokens,
            matches: found.matches,
            ended_by: None,
            generation,
        },
    );
    effect.changes.change_entry(entry, expected);
    effect
}
