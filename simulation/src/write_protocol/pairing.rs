//! Pairing: which resting interests an order meets, and in what quantities. After `domain::pairing`.

use super::message::{Moment, Owner, Quantity, Terms};
use super::records::{Entry, Leg, Place};
use super::variant::Variant;

/// The order that looks for others.
#[derive(Debug, Clone, Copy)]
pub struct Taker {
    /// Whose it is.
    pub owner: Owner,
    /// What it wants.
    pub terms: Terms,
    /// How it stands.
    pub leg: Leg,
}

/// One match found.
#[derive(Debug, Clone, Copy)]
pub struct Fill {
    /// Where the resting order lies.
    pub place: Place,
    /// The resting order as it was read.
    pub resting: Entry,
    /// How much is matched.
    pub quantity: Quantity,
    /// The taker after it.
    pub taker: Leg,
    /// The resting order after it.
    pub rested: Leg,
}

/// The smallest fill that an order with `left` to match takes. Never less than was asked.
#[must_use]
pub fn smallest_fill(minimum: Quantity, left: Quantity, variant: Variant) -> Quantity {
    if variant == Variant::ShrinkingMinimum {
        minimum.min(left)
    } else {
        minimum
    }
}

/// What two orders with this much left would match, if both take it.
#[must_use]
pub fn common_quantity(
    (one, one_left): (&Terms, Quantity),
    (other, other_left): (&Terms, Quantity),
    variant: Variant,
) -> Option<Quantity> {
    let quantity = one_left.min(other_left);
    let enough = quantity >= smallest_fill(one.minimum, one_left, variant)
        && quantity >= smallest_fill(other.minimum, other_left, variant);
    (enough && quantity > 0).then_some(quantity)
}

impl Leg {
    /// An order of which nothing is cancelled.
    #[must_use]
    pub fn open(done: Quantity, left: Quantity) -> Self {
        let cancelled = 0;
        Self {
            done,
            left,
            cancelled,
        }
    }

    /// After a fill; what is left below the minimum is cancelled with it.
    fn after_fill(self, quantity: Quantity, minimum: Quantity, variant: Variant) -> Self {
        let (done, rest) = (self.done + quantity, self.left - quantity);
        if rest < smallest_fill(minimum, rest, variant) {
            Self {
                done,
                left: 0,
                cancelled: rest,
            }
        } else {
            Self::open(done, rest)
        }
    }
}

/// Takes the best of `candidates` (the other side, best first, all within the taker's limit) until the taker is done.
#[must_use]
pub fn pair(taker: Taker, candidates: &[(Place, Entry)], now: Moment, variant: Variant) -> (Vec<Fill>, Leg) {
    let mut leg = taker.leg;
    let mut fills = Vec::new();
    for (place, resting) in candidates {
        let of_both = common_quantity((&taker.terms, leg.left), (&resting.terms, resting.left), variant);
        let eligible = resting.owner != taker.owner && !resting.terms.expired(now);
        let Some(quantity) = of_both.filter(|_| eligible) else {
            continue;
        };
        leg = leg.after_fill(quantity, taker.terms.minimum, variant);
        let rested = Leg::open(resting.done, resting.left);
        fills.push(Fill {
            place: *place,
            resting: *resting,
            quantity,
            taker: leg,
            rested: rested.after_fill(quantity, resting.terms.minimum, variant),
        });
    }
    (fills, leg)
}
