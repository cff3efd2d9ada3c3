//! Quantities and prices: exact decimals, never floats.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::limits::{MAX_DECIMAL_SCALE, MAX_SIGNIFICANT_DIGITS};

/// Why a string is not a decimal of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a decimal of at most 18 significant digits")]
pub struct InvalidDecimal;

/// Digits, optionally a point and more digits: no sign, no exponent, no blanks. Without the zeros that say
/// nothing there are at most `most` of them, of which at most `scale` behind the point.
fn parse(text: &str, most: usize, scale: usize) -> Result<Decimal, InvalidDecimal> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits =
        |part: &str| !part.is_empty() && part.len() <= 64 && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return Err(InvalidDecimal);
    }
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    let significant = if whole.is_empty() {
        fraction.trim_start_matches('0').len()
    } else {
        whole.len() + fraction.len()
    };
    if significant > most || fraction.len() > scale {
        return Err(InvalidDecimal);
    }
    let coefficient: i128 = if significant == 0 {
        0
    } else {
        format!("{whole}{fraction}").parse().map_err(|_| InvalidDecimal)?
    };
    let scale = u32::try_from(fraction.len()).map_err(|_| InvalidDecimal)?;
    Decimal::try_from_i128_with_scale(coefficient, scale).map_err(|_| InvalidDecimal)
}

/// Digits that every decimal has room for: 96 bits hold any number of 28.
const STORED_DIGITS: usize = 28;

/// One more than the greatest number of 27 digits: half a step more, for the middle of two prices, still fits.
const MAX_COUNTED: i128 = 1_000_000_000_000_000_000_000_000_000;

macro_rules! amount {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Decimal);

        impl $name {
            /// Nothing.
            pub const ZERO: Self = Self(Decimal::ZERO);

            /// Parses the contract's decimal string; zero is let through, for `leavesQty` and its like.
            ///
            /// # Errors
            /// [`InvalidDecimal`] for signs, exponents, blanks, more than 18 significant digits.
            pub fn parse(text: &str) -> Result<Self, InvalidDecimal> {
                parse(text, MAX_SIGNIFICANT_DIGITS, MAX_DECIMAL_SCALE).map(Self)
            }

            /// From a decimal computed inside; `None` when negative.
            #[must_use]
            pub fn from_decimal(value: Decimal) -> Option<Self> {
                (!value.is_sign_negative() || value.is_zero()).then(|| Self(value.normalize().abs()))
            }

            /// The number.
            #[must_use]
            pub fn decimal(self) -> Decimal {
                self.0
            }

            /// Whether it is zero.
            #[must_use]
            pub fn is_zero(self) -> bool {
                self.0.is_zero()
            }

            /// Whether it has at most 27 digits when written down to the last digit of `step`. Whatever is made of
            /// such amounts by taking multiples of `step` away is exact, and of at most 27 digits too.
            #[must_use]
            pub fn is_countable_in(self, step: Self) -> bool {
                let scale = step.0.normalize().scale();
                let own = self.0.normalize();
                let factor = 10_i128.checked_pow(scale.saturating_sub(own.scale()));
                let counted = factor.and_then(|factor| own.mantissa().checked_mul(factor));
                counted.is_some_and(|counted| counted < MAX_COUNTED)
            }

            /// Whether it is a whole multiple of `step` (which is above zero).
            #[must_use]
            pub fn is_multiple_of(self, step: Self) -> bool {
                self.0.checked_rem(step.0).is_some_and(|rest| rest.is_zero())
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidDecimal;
            fn try_from(text: String) -> Result<Self, InvalidDecimal> {
                // What was computed inside may have more digits than what may be sent.
                parse(&text, STORED_DIGITS, STORED_DIGITS).map(Self)
            }
        }

        impl From<$name> for String {
            fn from(amount: $name) -> String {
                amount.to_string()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.normalize().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    };
}

amount!(
    /// A quantity in units of the traded thing, zero or above.
    Quantity
);
amount!(
    /// A price in units of the symbol's currency for one unit of the traded thing, zero or above.
    Price
);

impl Quantity {
    /// The sum. Both are at most 10¹⁸ and a multiple of 10⁻¹⁸, and a sum of quantities never exceeds an order's
    /// total, so it fits.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// What is left after `other` is taken away, or zero when that is more than there is.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0).max(Decimal::ZERO))
    }
}

impl Price {
    /// The exact middle of two prices. It may lie on half a tick: rounding would favour one side.
    #[must_use]
    pub fn midpoint(self, other: Self) -> Self {
        Self((self.0.saturating_add(other.0) / Decimal::TWO).normalize())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Units of 10⁻¹⁹: half of the smallest step.
    fn exact(value: Decimal) -> i128 {
        let value = value.normalize();
        value.mantissa() * 10_i128.pow(19 - value.scale())
    }

    /// Any amount of the contract, as a text and in units of 10⁻¹⁹.
    fn any_amount() -> impl Strategy<Value = (String, i128)> {
        let digits = prop_oneof![
            1_u64..1_000,
            1_u64..1_000_000_000_000_000_000,
            Just(999_999_999_999_999_999)
        ];
        (digits, 0_usize..=18).prop_map(|(digits, scale)| {
            let whole = format!("{digits:0width$}", width = scale + 1);
            let (whole, fraction) = whole.split_at(whole.len() - scale);
            let text = if scale == 0 {
                whole.to_owned()
            } else {
                format!("{whole}.{fraction}")
            };
            let scale = u32::try_from(scale).unwrap();
            (text, i128::from(digits) * 10_i128.pow(19 - scale))
        })
    }

    proptest! {
        #[test]
        fn reading_writing_and_storing_lose_nothing((text, units) in any_amount()) {
            let read = Quantity::parse(&text).unwrap();
            prop_assert_eq!(exact(read.decimal()), units);
            prop_assert_eq!(Quantity::parse(&read.to_string()), Ok(read));
            prop_assert_eq!(Quantity::try_from(String::from(read)), Ok(read));
            prop_assert_eq!(Quantity::from_decimal(read.decimal()), Some(read));
        }

        /// Digits 36 places apart included, where a decimal has 28.
        #[test]
        fn a_multiple_is_one_however_far_apart_the_digits_are((a, units) in any_amount(), (step, step_units) in any_amount()) {
            let (a, step) = (Quantity::parse(&a).unwrap(), Quantity::parse(&step).unwrap());
            prop_assert_eq!(a.is_multiple_of(step), units % step_units == 0);
        }

        #[test]
        fn amounts_compare_as_they_are((a, a_units) in any_amount(), (b, b_units) in any_amount()) {
            let (a, b) = (Quantity::parse(&a).unwrap(), Quantity::parse(&b).unwrap());
            prop_assert_eq!(a.cmp(&b), a_units.cmp(&b_units));
            prop_assert_eq!(a == b, a_units == b_units);
        }

        /// What the checks of a decision let through can be cut, added up and halved exactly.
        #[test]
        fn what_is_countable_in_a_step_is_reckoned_exactly(
            (a, a_units) in any_amount(), (b, b_units) in any_amount(), scale in 0_u32..=18,
        ) {
            let step = Quantity(Decimal::new(1, scale));
            let (a, b) = (Quantity::parse(&a).unwrap(), Quantity::parse(&b).unwrap());
            prop_assume!([a, b].into_iter().all(|x| x.is_countable_in(step) && x.is_multiple_of(step)));
            prop_assert_eq!(exact(a.plus(b).decimal()), a_units + b_units);
            prop_assert_eq!(exact(a.minus(b).decimal()), (a_units - b_units).max(0));
            let middle = Price(a.decimal()).midpoint(Price(b.decimal()));
            prop_assert_eq!(2 * exact(middle.decimal()), a_units + b_units);
            prop_assert_eq!(Price::try_from(middle.to_string()), Ok(middle));
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in prop_oneof![any::<String>(), "[0-9.+e-]{0,80}"]) {
            if let Ok(read) = Quantity::parse(&text) {
                prop_assert!(!read.decimal().is_sign_negative());
            }
            let _ = Price::try_from(text);
        }
    }

    #[test]
    fn takes_what_the_contract_takes() {
        for (text, shown) in [
            ("1", "1"),
            ("0.10", "0.1"),
            ("236.47", "236.47"),
            ("0", "0"),
            ("000123456789012345678", "123456789012345678"),
            ("0.000000000000000001", "0.000000000000000001"),
            ("1.50000000000000000000000000", "1.5"),
            ("00.5", "0.5"),
        ] {
            assert_eq!(Quantity::parse(text).unwrap().to_string(), shown, "{text}");
        }
    }

    #[test]
    fn refuses_the_rest() {
        for text in [
            "",
            ".",
            "1.",
            ".5",
            "-1",
            "+1",
            "1e3",
            "1E400",
            "NaN",
            "inf",
            " 1",
            "1 ",
            "1_000",
            "1,5",
            "0x10",
            "１",
            "1234567890123456789",
            "0.0000000000000000001",
            "12345678901.23456789",
            "1.2.3",
        ] {
            assert_eq!(Price::parse(text), Err(InvalidDecimal), "{text}");
        }
    }

    #[test]
    fn amounts_and_steps_too_far_apart_are_seen() {
        let countable = |amount: &str, step: &str| {
            Quantity::parse(amount)
                .unwrap()
                .is_countable_in(Quantity::parse(step).unwrap())
        };
        assert!(countable("100000000000000000", "0.00000001"));
        assert!(!countable("100000000000000000", "0.0000000001"));
        assert!(countable("999999999999999999", "1"));
        assert!(countable("999999999", "0.000000000000000001"));
        assert!(!countable("1000000000", "0.000000000000000001"));
        assert!(countable("1.5", "1"));
    }

    #[test]
    fn the_middle_is_exact() {
        let middle = Price::parse("236.47")
            .unwrap()
            .midpoint(Price::parse("236.48").unwrap());
        assert_eq!(middle.to_string(), "236.475");
    }
}
