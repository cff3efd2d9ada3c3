//! Properties of one look at a book, over random books and takers.

use std::convert::Infallible;

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;
use crate::domain::book::{BookKey, Rank, Version};
use crate::domain::form::Form;
use crate::domain::identifiers::{ClOrdId, CounterpartyId, OrderKey, Symbol};

const NOW: Timestamp = Timestamp::from_millis(1_000);

/// Owners 0 to 3, of whom the taker may not meet some.
const OWNERS: u8 = 4;

#[derive(Debug, Clone)]
struct Resting {
    owner: u8,
    price: u8,
    done: u8,
    leaves: u8,
    min_qty: u8,
    accepted_ms: u8,
    expires_ms: i64,
}

#[derive(Debug, Clone)]
struct Case {
    taker: Taker,
    /// Best first.
    book: Vec<Entry>,
    may_meet: [bool; OWNERS as usize],
    policy: PricePolicy,
    max_fills: usize,
}

fn qty(units: u8) -> Quantity {
    Quantity::from_decimal(Decimal::from(units)).unwrap()
}

fn price(units: u8) -> Price {
    Price::from_decimal(Decimal::from(units)).unwrap()
}

fn entry(side: Side, number: usize, resting: &Resting) -> Entry {
    let owner = CounterpartyId::new(format!("cp-{}", resting.owner)).unwrap();
    let cl_ord_id = ClOrdId::new(format!("order-{number}")).unwrap();
    let order = OrderKey::new(owner.clone(), cl_ord_id.clone());
    let price = price(resting.price);
    let accepted_at = Timestamp::from_millis(resting.accepted_ms.into());
    Entry {
        v: Form,
        book: BookKey {
            symbol: Symbol::new("X").unwrap(),
            side,
        },
        rank: Rank::new(side, price, accepted_at, &order),
        owner,
        cl_ord_id,
        price,
        cum_qty: qty(resting.done),
        leaves_qty: qty(resting.leaves.max(resting.min_qty)),
        min_qty: qty(resting.min_qty),
        expire_time: Timestamp::from_millis(resting.expires_ms),
        version: Version::FIRST,
        generation: 1,
        expires_at: 0,
    }
}

fn resting() -> impl Strategy<Value = Resting> {
    let expires_ms = prop_oneof![5 => Just(2_000_i64), 1 => 998_i64..1_003];
    let min_qty = prop_oneof![2 => Just(0_u8), 1 => 1_u8..8];
    (
        0..OWNERS,
        95_u8..106,
        0_u8..3,
        1_u8..12,
        min_qty,
        0_u8..4,
        expires_ms,
    )
        .prop_map(
            |(owner, price, done, leaves, min_qty, accepted_ms, expires_ms)| Resting {
                owner,
                price,
                done,
                leaves,
                min_qty,
                accepted_ms,
                expires_ms,
            },
        )
}

fn taker() -> impl Strategy<Value = Taker> {
    let side = prop_oneof![Just(Side::Buy), Just(Side::Sell)];
    let min_qty = prop_oneof![1 => Just(0_u8), 1 => 1_u8..10];
    (side, 95_u8..106, min_qty, 1_u8..40, 0_u8..4).prop_map(|(side, limit, min_qty, leaves, done)| Taker {
        side,
        price: price(limit),
        min_qty: qty(min_qty),
        legs: Leg {
            cum_qty: qty(done),
            leaves_qty: qty(leaves.max(min_qty)),
            cxl_qty: Quantity::ZERO,
        },
    })
}

fn case() -> impl Strategy<Value = Case> {
    let policy = prop_oneof![Just(PricePolicy::Resting), Just(PricePolicy::Midpoint)];
    let may_meet = prop::array::uniform4(prop::bool::weighted(0.75));
    let book = prop::collection::vec(resting(), 0..20);
    (taker(), book, may_meet, policy, 1_usize..9).prop_map(|(taker, book, may_meet, policy, max_fills)| {
        let side = taker.side.opposite();
        let numbered = book.iter().enumerate();
        let mut book: Vec<_> = numbered
            .map(|(number, resting)| entry(side, number, resting))
            .collect();
        book.sort_by(|one, other| one.rank.cmp(&other.rank));
        Case {
            taker,
            book,
            may_meet,
            policy,
            max_fills,
        }
    })
}

impl Case {
    fn pair(&self) -> Pairing {
        let price_of = |entry: &Entry| match_price(self.policy, entry.price, self.taker.price);
        let eligible = |entry: &Entry| Ok::<_, Infallible>(self.may_meet(entry));
        let Ok(found) = pair(
            &self.taker,
            self.book.iter(),
            eligible,
            price_of,
            NOW,
            self.max_fills,
        );
        found
    }

    fn may_meet(&self, entry: &Entry) -> bool {
        let number = entry.owner.as_str().strip_prefix("cp-").unwrap();
        self.may_meet[number.parse::<usize>().unwrap()]
    }

    /// Whether an interest that has `leaves` left may take `entry`.
    fn fits(&self, leaves: Quantity, entry: &Entry) -> bool {
        let quantity = leaves.min(entry.leaves_qty);
        !leaves.is_zero()
            && crosses(self.taker.side, self.taker.price, entry.price)
            && self.may_meet(entry)
            && entry.expire_time > NOW
            && quantity >= self.taker.min_qty
            && quantity >= entry.min_qty
    }
}

/// Every fill crosses both limits, at a price between them.
fn invariant_limits(case: &Case, found: &Pairing) -> bool {
    found.fills.iter().all(|fill| {
        let (own, other) = (case.taker.price, fill.resting.price);
        let between = fill.last_px >= own.min(other) && fill.last_px <= own.max(other);
        crosses(case.taker.side, own, other) && between
    })
}

/// Nobody is met who may not be, nobody twice, nobody whose time has passed.
fn invariant_only_eligible(case: &Case, found: &Pairing) -> bool {
    let met = found.fills.iter().map(|fill| &fill.resting);
    let allowed = met
        .clone()
        .all(|entry| case.may_meet(entry) && entry.expire_time > NOW);
    let ranks: std::collections::BTreeSet<_> = met.map(|entry| &entry.rank).collect();
    allowed && ranks.len() == found.fills.len()
}

/// No fill is smaller than either minimum.
fn invariant_minimums(case: &Case, found: &Pairing) -> bool {
    found.fills.iter().all(|fill| {
        fill.last_qty >= case.taker.min_qty
            && fill.last_qty >= fill.resting.min_qty
            && !fill.last_qty.is_zero()
    })
}

/// Of both interests, done + left + cancelled stays the same, and what is done grows by the fill alone.
fn invariant_conserved(case: &Case, found: &Pairing) -> bool {
    let mut before = case.taker.legs;
    let each = found.fills.iter().all(|fill| {
        let resting = Leg {
            cum_qty: fill.resting.cum_qty,
            leaves_qty: fill.resting.leaves_qty,
            cxl_qty: Quantity::ZERO,
        };
        let taker = std::mem::replace(&mut before, fill.taker);
        follows(taker, fill.taker, fill.last_qty) && follows(resting, fill.rested, fill.last_qty)
    });
    each && before == found.taker
}

fn follows(before: Leg, after: Leg, last_qty: Quantity) -> bool {
    let total = |leg: Leg| leg.cum_qty.plus(leg.leaves_qty).plus(leg.cxl_qty);
    total(before) == total(after) && after.cum_qty == before.cum_qty.plus(last_qty)
}

/// What is left can still be filled within the own minimum, or nothing is left; and only what is too little for it
/// is cancelled.
fn invariant_remainder(case: &Case, found: &Pairing) -> bool {
    let lives = |leg: &Leg, min: Quantity| {
        let cancelled = leg.cxl_qty.is_zero() || (leg.leaves_qty.is_zero() && leg.cxl_qty < min);
        cancelled && (leg.leaves_qty.is_zero() || leg.leaves_qty >= min)
    };
    let min = case.taker.min_qty;
    let mut fills = found.fills.iter();
    fills.all(|fill| lives(&fill.taker, min) && lives(&fill.rested, fill.resting.min_qty))
}

/// The book is taken best first: nothing that fitted when its turn came was skipped, up to the last fill.
fn invariant_price_time_order(case: &Case, found: &Pairing) -> bool {
    let mut fills = found.fills.iter().peekable();
    let mut leaves = case.taker.legs.leaves_qty;
    for entry in &case.book {
        match fills.next_if(|fill| fill.resting == *entry) {
            Some(fill) => leaves = fill.taker.leaves_qty,
            None if fills.peek().is_some() && case.fits(leaves, entry) => return false,
            None => {}
        }
    }
    fills.next().is_none()
}

/// When it stops by itself, nothing that is left fits what is left; when it was cut, it made all the matches that it
/// may, and something more fits.
fn invariant_complete(case: &Case, found: &Pairing) -> bool {
    let taken = |entry: &Entry| found.fills.iter().any(|fill| fill.resting == *entry);
    let mut rest = case.book.iter().filter(|entry| !taken(entry));
    let more = rest.any(|entry| case.fits(found.taker.leaves_qty, entry));
    found.cut == more
        && found.fills.len() <= case.max_fills
        && (!found.cut || found.fills.len() == case.max_fills)
}

/// A case, what it finds, and whether that is right.
type Invariant = fn(&Case, &Pairing) -> bool;

/// Nobody is met behind the last fill of a taker that is done, and nobody is filled who was not met.
fn invariant_lazy(case: &Case, found: &Pairing) -> bool {
    let place = |fill: &Fill| case.book.iter().position(|entry| *entry == fill.resting);
    let last = found.fills.last().and_then(place).map_or(0, |place| place + 1);
    if found.taker.leaves_qty.is_zero() {
        found.met == last
    } else {
        found.met >= last && found.met <= case.book.len()
    }
}

const INVARIANTS: [(&str, Invariant); 8] = [
    ("limits", invariant_limits),
    ("only eligible", invariant_only_eligible),
    ("minimums", invariant_minimums),
    ("conserved", invariant_conserved),
    ("remainder", invariant_remainder),
    ("price-time order", invariant_price_time_order),
    ("complete", invariant_complete),
    ("lazy", invariant_lazy),
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

    #[test]
    fn every_invariant_holds(case in case()) {
        let found = case.pair();
        for (name, holds) in INVARIANTS {
            prop_assert!(holds(&case, &found), "{name}");
        }
    }

    /// Where one decision was cut, the next goes on as if there had been no bound.
    #[test]
    fn cutting_changes_nothing_in_the_end(case in case()) {
        let whole = Case { max_fills: usize::MAX, ..case.clone() }.pair();
        let mut rest = case;
        let mut legs = Vec::new();
        loop {
            let found = rest.pair();
            legs.extend(found.fills.iter().map(|fill| (fill.resting.rank.clone(), fill.last_qty, fill.rested)));
            rest.book.retain(|entry| !found.fills.iter().any(|fill| fill.resting == *entry));
            rest.taker.legs = found.taker;
            if !found.cut {
                break;
            }
        }
        let expected: Vec<_> = whole.fills.iter().map(|fill| (fill.resting.rank.clone(), fill.last_qty, fill.rested)).collect();
        prop_assert_eq!(rest.taker.legs, whole.taker);
        prop_assert!(legs == expected);
    }

    #[test]
    fn the_price_is_the_earlier_ones_or_the_middle(earlier in 1_u8..200, later in 1_u8..200) {
        let (one, two) = (price(earlier), price(later));
        prop_assert!(match_price(PricePolicy::Resting, one, two) == one);
        let middle = match_price(PricePolicy::Midpoint, one, two).decimal();
        prop_assert_eq!(middle + middle, one.decimal() + two.decimal());
    }
}

#[test]
fn each_kind_of_fill_is_told_apart() {
    let leg = |leaves: u8, min: u8| {
        Leg::untouched(qty(10))
            .after_fill(qty(10 - leaves), qty(min))
            .event()
    };
    assert_eq!(leg(4, 0), OrderEvent::PartialFill);
    assert_eq!(leg(4, 4), OrderEvent::PartialFill);
    assert_eq!(leg(4, 5), OrderEvent::FillAndCancelRemainder);
    assert_eq!(leg(0, 5), OrderEvent::Fill);
    assert_eq!(leg(0, 0), OrderEvent::Fill);
}
