//! Pairing: which resting interests an interest meets, in what quantities and at what price. Pure.

use super::book::Entry;
use super::decimal::{Price, Quantity};
use super::identifiers::Side;
use super::parameters::PricePolicy;
use super::submission::OrderEvent;
use super::time::Timestamp;

/// The interest that looks for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taker {
    /// Its side.
    pub side: Side,
    /// Its limit.
    pub price: Price,
    /// Its smallest fill; zero for any.
    pub min_qty: Quantity,
    /// What is done and left of it before.
    pub legs: Leg,
}

/// What is done, left, and cancelled with the last fill, of one interest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leg {
    /// FIX `CumQty`.
    pub cum_qty: Quantity,
    /// FIX `LeavesQty`.
    pub leaves_qty: Quantity,
    /// FIX `CxlQty`: the remainder below the interest's own minimum, cancelled with the fill.
    pub cxl_qty: Quantity,
}

impl Leg {
    /// Nothing of `order_qty` done yet.
    #[must_use]
    pub fn untouched(order_qty: Quantity) -> Self {
        Self {
            cum_qty: Quantity::ZERO,
            leaves_qty: order_qty,
            cxl_qty: Quantity::ZERO,
        }
    }

    /// After a fill of `last_qty`. What is left below `min_qty` is cancelled with it, so that a minimum never
    /// shrinks and nobody gets a fill smaller than asked (design §5).
    #[must_use]
    pub fn after_fill(self, last_qty: Quantity, min_qty: Quantity) -> Self {
        let cum_qty = self.cum_qty.plus(last_qty);
        let rest = self.leaves_qty.minus(last_qty);
        if rest < min_qty {
            Self {
                cum_qty,
                leaves_qty: Quantity::ZERO,
                cxl_qty: rest,
            }
        } else {
            Self {
                cum_qty,
                leaves_qty: rest,
                cxl_qty: Quantity::ZERO,
            }
        }
    }

    /// What this fill was to the order.
    #[must_use]
    pub fn event(self) -> OrderEvent {
        if !self.leaves_qty.is_zero() {
            OrderEvent::PartialFill
        } else if self.cxl_qty.is_zero() {
            OrderEvent::Fill
        } else {
            OrderEvent::FillAndCancelRemainder
        }
    }
}

/// One match found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fill {
    /// The resting entry as it was before.
    pub resting: Entry,
    /// FIX `LastQty`.
    pub last_qty: Quantity,
    /// FIX `LastPx`.
    pub last_px: Price,
    /// The taker after it.
    pub taker: Leg,
    /// The resting interest after it.
    pub rested: Leg,
}

/// What a look at the other side gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pairing {
    /// The matches, in order.
    pub fills: Vec<Fill>,
    /// The taker after all of them.
    pub taker: Leg,
    /// Whether it stopped because one decision may make no more matches, so that there may be more to find.
    pub cut: bool,
    /// How many candidates were looked at: those behind them nobody has met.
    pub met: usize,
}

/// Whether two limits cross.
#[must_use]
pub fn crosses(side: Side, price: Price, other: Price) -> bool {
    match side {
        Side::Buy => price >= other,
        Side::Sell => price <= other,
    }
}

/// Takes the best entries of the other side, best first, until the taker is done, `max_fills` are made, or the
/// candidates end. An entry is passed over when it has expired at `now`, when `eligible` says no, or when
/// q = min(leaves, leaves) is below either minimum. One pass is enough: q only shrinks as the taker is filled,
/// so who was passed over once can never fit later.
///
/// Candidates are taken one by one, and none behind the last that is needed: a limit that reaches the whole book
/// costs no more than the matches that are made.
///
/// # Errors
/// The first that `eligible` gives.
pub fn pair<'a, E>(
    taker: &Taker,
    candidates: impl Iterator<Item = &'a Entry>,
    eligible: impl Fn(&Entry) -> Result<bool, E>,
    price_of: impl Fn(&Entry) -> Price,
    now: Timestamp,
    max_fills: usize,
) -> Result<Pairing, E> {
    let mut leg = taker.legs;
    let mut fills = Vec::new();
    let mut met = 0;
    for entry in candidates {
        if leg.leaves_qty.is_zero() || !crosses(taker.side, taker.price, entry.price) {
            break;
        }
        met += 1;
        let last_qty = leg.leaves_qty.min(entry.leaves_qty);
        let enough = last_qty >= taker.min_qty && last_qty >= entry.min_qty;
        if !enough || entry.expire_time <= now || !eligible(entry)? {
            continue;
        }
        if fills.len() == max_fills {
            return Ok(Pairing {
                fills,
                taker: leg,
                cut: true,
                met,
            });
        }
        leg = leg.after_fill(last_qty, taker.min_qty);
        let before = Leg {
            cum_qty: entry.cum_qty,
            leaves_qty: entry.leaves_qty,
            cxl_qty: Quantity::ZERO,
        };
        let rested = before.after_fill(last_qty, entry.min_qty);
        fills.push(Fill {
            resting: entry.clone(),
            last_qty,
            last_px: price_of(entry),
            taker: leg,
            rested,
        });
    }
    Ok(Pairing {
        fills,
        taker: leg,
        cut: false,
        met,
    })
}

/// The price of a match between an interest at `earlier`, accepted first, and one at `later`.
#[must_use]
pub fn match_price(policy: PricePolicy, earlier: Price, later: Price) -> Price {
    match policy {
        PricePolicy::Resting => earlier,
        PricePolicy::Midpoint => earlier.midpoint(later),
    }
}

#[cfg(test)]
mod tests;
