//! The book: the resting interests of one symbol and one side, best first.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::decimal::{Price, Quantity};
use super::form::Form;
use super::identifiers::{ClOrdId, CounterpartyId, OrderKey, Side, Symbol};
use super::limits::MAX_DECIMAL_SCALE;
use super::time::Timestamp;

/// Digits of a rank's price field: see [`MAX_DECIMAL_SCALE`].
const PRICE_DIGITS: usize = 36;
/// Digits of a rank's time field: milliseconds until the year 33,658.
const TIME_DIGITS: usize = 15;

/// One side of one symbol. Written `SYMBOL#side`: a symbol has no `#`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BookKey {
    /// The traded symbol.
    pub symbol: Symbol,
    /// The side whose interests rest here.
    pub side: Side,
}

/// Not of the form `SYMBOL#side`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a book key")]
pub struct InvalidBookKey;

impl TryFrom<String> for BookKey {
    type Error = InvalidBookKey;
    fn try_from(text: String) -> Result<Self, InvalidBookKey> {
        let (symbol, side) = text.split_once('#').ok_or(InvalidBookKey)?;
        let side = match side {
            "buy" => Side::Buy,
            "sell" => Side::Sell,
            _ => return Err(InvalidBookKey),
        };
        Ok(Self {
            symbol: Symbol::new(symbol).map_err(|_| InvalidBookKey)?,
            side,
        })
    }
}

impl From<BookKey> for String {
    fn from(book: BookKey) -> String {
        format!("{}#{}", book.symbol.as_str(), book.side.as_str())
    }
}

/// The place of an interest in its book, as a string that sorts best first: price in 36 fixed-point digits
/// (complemented to nines on the buying side), acceptance time in 15 digits of milliseconds, 26 characters of
/// the order's digest. Source: design §4.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rank(String);

/// Not a rank of the layout above.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a rank")]
pub struct InvalidRank;

impl Rank {
    /// The rank of `order` at `price`, accepted at `accepted_at`.
    #[must_use]
    pub fn new(side: Side, price: Price, accepted_at: Timestamp, order: &OrderKey) -> Self {
        // A time beyond the field would break the layout, and with it every reading of the book.
        let time = accepted_at.as_millis().clamp(0, 10_i64.pow(15) - 1);
        Self(format!(
            "{}{time:0width$}{}",
            price_field(side, price),
            order.digest(),
            width = TIME_DIGITS
        ))
    }

    /// The greatest string that a rank at `price` or better can sort below.
    #[must_use]
    pub fn bound(side: Side, price: Price) -> RankBound {
        RankBound(format!("{}~", price_field(side, price)))
    }

    /// When the interest was accepted: what its time priority counts from.
    #[must_use]
    pub fn accepted_at(&self) -> Timestamp {
        let digits = self
            .0
            .get(PRICE_DIGITS..PRICE_DIGITS + TIME_DIGITS)
            .unwrap_or_default();
        Timestamp::from_millis(digits.parse().unwrap_or(i64::MAX))
    }

    /// Acceptance time, then digest: who of two was first, whatever their prices.
    #[must_use]
    pub fn seniority(&self) -> &str {
        self.0.get(PRICE_DIGITS..).unwrap_or_default()
    }

    /// The rank as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Rank {
    type Error = InvalidRank;
    fn try_from(text: String) -> Result<Self, InvalidRank> {
        let digits = PRICE_DIGITS + TIME_DIGITS;
        let well_formed = text.len() == digits + 26
            && text.bytes().take(digits).all(|b| b.is_ascii_digit())
            && text
                .get(digits..)
                .is_some_and(|d| BASE32_NOPAD.decode(d.to_ascii_uppercase().as_bytes()).is_ok());
        if well_formed {
            Ok(Self(text))
        } else {
            Err(InvalidRank)
        }
    }
}

impl From<Rank> for String {
    fn from(rank: Rank) -> String {
        rank.0
    }
}

impl fmt::Debug for Rank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rank")
    }
}

/// How far into a book somebody looks: every rank at or below this string.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RankBound(String);

impl RankBound {
    /// Before every rank.
    #[must_use]
    pub fn nothing() -> Self {
        Self(String::new())
    }

    /// Up to and with this rank.
    #[must_use]
    pub fn up_to(rank: &Rank) -> Self {
        Self(rank.0.clone())
    }

    /// Whether `rank` lies within.
    #[must_use]
    pub fn covers(&self, rank: &Rank) -> bool {
        rank.0 <= self.0
    }

    /// The bound as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn price_field(side: Side, price: Price) -> String {
    let fixed = to_fixed_point(price.decimal());
    let field = match side {
        Side::Sell => fixed,
        Side::Buy => 10_i128.pow(36) - 1 - fixed,
    };
    format!("{field:0PRICE_DIGITS$}")
}

/// Units of 10⁻¹⁸. A price has at most 18 digits before and 18 behind the point, so the result is below 10³⁶.
fn to_fixed_point(value: Decimal) -> i128 {
    let value = value.normalize();
    let shift = u32::try_from(MAX_DECIMAL_SCALE)
        .unwrap_or(18)
        .saturating_sub(value.scale());
    value
        .mantissa()
        .saturating_mul(10_i128.pow(shift))
        .clamp(0, 10_i128.pow(36) - 1)
}

/// Counts the changes of a book entry. Every write names the version that it has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(pub u64);

impl Version {
    /// The version of a new entry.
    pub const FIRST: Self = Self(1);

    /// The version after the next change.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// The key of an item of the table `interests`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryKey {
    /// The book.
    pub book: BookKey,
    /// The place in it.
    pub rank: Rank,
}

/// A resting interest: one item of the table `interests`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// The stored form.
    pub v: Form<1>,
    /// The book it rests in.
    pub book: BookKey,
    /// Its place there.
    pub rank: Rank,
    /// Whose it is.
    pub owner: CounterpartyId,
    /// What its owner calls it now (a replace in place renames it).
    pub cl_ord_id: ClOrdId,
    /// The limit.
    pub price: Price,
    /// What is done.
    pub cum_qty: Quantity,
    /// What is left; above zero.
    pub leaves_qty: Quantity,
    /// The smallest fill it takes; zero for any.
    pub min_qty: Quantity,
    /// From this moment on it matches no more.
    pub expire_time: Timestamp,
    /// Counts its changes.
    pub version: Version,
    /// The lease generation of its last writer (design §8).
    pub generation: u64,
    /// TTL attribute, in seconds since the epoch: when the table may forget it.
    pub expires_at: i64,
}

impl Entry {
    /// The key of the item.
    #[must_use]
    pub fn key(&self) -> EntryKey {
        EntryKey {
            book: self.book.clone(),
            rank: self.rank.clone(),
        }
    }

    /// The key of its submission.
    #[must_use]
    pub fn order(&self) -> OrderKey {
        OrderKey::new(self.owner.clone(), self.cl_ord_id.clone())
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entry")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn order(id: &str) -> OrderKey {
        OrderKey::new(CounterpartyId::new("cp-a").unwrap(), ClOrdId::new(id).unwrap())
    }

    fn price(text: &str) -> Price {
        Price::parse(text).unwrap()
    }

    #[test]
    fn rank_layout_is_frozen() {
        let sell = Rank::new(
            Side::Sell,
            price("236.47"),
            Timestamp::from_millis(1_430_438_404_518),
            &order("A-1"),
        );
        assert_eq!(
            sell.as_str(),
            "00000000000000023647000000000000000000143043840451846e4s3jmxajqukyx3kzntdicdq"
        );
        let buy = Rank::new(
            Side::Buy,
            price("236.47"),
            Timestamp::from_millis(1_430_438_404_518),
            &order("A-1"),
        );
        assert_eq!(
            buy.as_str(),
            "99999999999999976352999999999999999900143043840451846e4s3jmxajqukyx3kzntdicdq"
        );
        assert_eq!(buy.accepted_at().as_millis(), 1_430_438_404_518);
        assert!(Rank::try_from(buy.as_str().to_owned()).is_ok());
        assert!(Rank::try_from(buy.as_str()[1..].to_owned()).is_err());
    }

    #[test]
    fn the_widest_prices_fit() {
        for text in ["999999999999999999", "0.000000000000000001"] {
            for side in [Side::Buy, Side::Sell] {
                let rank = Rank::new(side, price(text), Timestamp::from_millis(0), &order("x"));
                assert!(Rank::try_from(rank.as_str().to_owned()).is_ok(), "{text}");
            }
        }
    }

    #[test]
    fn the_widest_times_fit() {
        for millis in [
            i64::MIN,
            -1,
            0,
            999_999_999_999_999,
            1_000_000_000_000_000,
            i64::MAX,
        ] {
            let rank = Rank::new(Side::Buy, price("1"), Timestamp::from_millis(millis), &order("x"));
            let read = Rank::try_from(rank.as_str().to_owned()).unwrap();
            assert_eq!(
                read.accepted_at().as_millis(),
                millis.clamp(0, 999_999_999_999_999)
            );
        }
    }

    /// Any price of the contract, and its units of 10⁻¹⁸.
    fn any_price() -> impl Strategy<Value = (Price, i128)> {
        (1_i64..1_000_000_000_000_000_000, 0_u32..=18).prop_map(|(digits, scale)| {
            let price = Price::from_decimal(Decimal::new(digits, scale)).unwrap();
            (price, i128::from(digits) * 10_i128.pow(18 - scale))
        })
    }

    proptest! {
        #[test]
        fn any_two_prices_sort_as_they_are(
            (one, one_units) in any_price(), (other, other_units) in any_price(), (t1, t2) in (any::<i64>(), any::<i64>()),
        ) {
            for side in [Side::Buy, Side::Sell] {
                let rank = |price, t| Rank::new(side, price, Timestamp::from_millis(t), &order("x"));
                let (first, second) = (rank(one, t1), rank(other, t2));
                let best_first = match side {
                    Side::Sell => one_units.cmp(&other_units),
                    Side::Buy => other_units.cmp(&one_units),
                };
                prop_assert!(best_first.is_eq() || first.cmp(&second) == best_first);
                prop_assert_eq!(Rank::bound(side, other).covers(&first), best_first.is_le());
                prop_assert!(Rank::try_from(first.as_str().to_owned()).is_ok());
            }
        }

        #[test]
        fn ranks_sort_best_price_first_then_earliest(
            (p1, p2) in (1_u64..1_000_000, 1_u64..1_000_000),
            (t1, t2) in (0_i64..1 << 42, 0_i64..1 << 42),
        ) {
            let rank = |side, p: u64, t| Rank::new(side, Price::from_decimal(Decimal::new(i64::try_from(p).unwrap(), 3)).unwrap(), Timestamp::from_millis(t), &order("x"));
            prop_assert_eq!(rank(Side::Sell, p1, t1).cmp(&rank(Side::Sell, p2, t2)), p1.cmp(&p2).then(t1.cmp(&t2)));
            prop_assert_eq!(rank(Side::Buy, p1, t1).cmp(&rank(Side::Buy, p2, t2)), p2.cmp(&p1).then(t1.cmp(&t2)));
        }

        #[test]
        fn a_bound_covers_exactly_the_crossing_prices(p in 1_u32..100_000, limit in 1_u32..100_000, t in 0_i64..1 << 42) {
            let at = |p: u32| Price::from_decimal(Decimal::new(i64::from(p), 2)).unwrap();
            let sell = Rank::new(Side::Sell, at(p), Timestamp::from_millis(t), &order("x"));
            prop_assert_eq!(Rank::bound(Side::Sell, at(limit)).covers(&sell), p <= limit);
            let buy = Rank::new(Side::Buy, at(p), Timestamp::from_millis(t), &order("x"));
            prop_assert_eq!(Rank::bound(Side::Buy, at(limit)).covers(&buy), p >= limit);
        }
    }
}
