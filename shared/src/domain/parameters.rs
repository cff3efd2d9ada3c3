//! The predefined match parameters of a symbol.

use serde::{Deserialize, Serialize};

use super::decimal::{Price, Quantity};
use super::form::Form;
use super::identifiers::Symbol;

/// How the price of a match follows from the two limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PricePolicy {
    /// The limit of the interest that was accepted earlier.
    Resting,
    /// The exact middle of both limits; it may lie on half a tick.
    Midpoint,
}

/// One item of the table `parameters`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct MatchParameters {
    /// FIX `Symbol`.
    pub symbol: Symbol,
    /// Every price is a multiple of it. In units of the currency.
    pub tick: Price,
    /// Every quantity is a multiple of it. In units of the traded thing.
    pub lot: Quantity,
    /// How a match is priced.
    pub price_policy: PricePolicy,
    /// FIX `Currency`: what prices are in.
    pub currency: String,
    /// FIX `SecurityID` and `SecurityIDSource`, when the symbol has them.
    pub security_id: Option<SecurityId>,
    /// Whether interests are taken and matched; cancels always are.
    pub tradable: bool,
    /// Counts the changes of this item; a match names the version that it was made under.
    pub version: u64,
}

/// FIX `SecurityID` with its `SecurityIDSource`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityId {
    /// The identifier, for example an ISIN.
    pub id: String,
    /// FIX code of the scheme, for example `4` for ISIN.
    pub source: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    v: Form<1>,
    symbol: Symbol,
    tick: Price,
    lot: Quantity,
    price_policy: PricePolicy,
    currency: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    security_id: Option<SecurityId>,
    tradable: bool,
    version: u64,
}

/// Why parameters are not usable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidParameters {
    /// The tick is zero.
    #[error("tick must be above zero")]
    Tick,
    /// The lot is zero.
    #[error("lot must be above zero")]
    Lot,
    /// The currency is not 3–10 capital letters and digits.
    #[error("currency must be 3 to 10 of A-Z 0-9")]
    Currency,
}

impl MatchParameters {
    /// Checks what the types alone do not.
    ///
    /// # Errors
    /// [`InvalidParameters`] says which field is wrong.
    pub fn checked(self) -> Result<Self, InvalidParameters> {
        let currency = self.currency.as_bytes();
        let known = |b: &u8| b.is_ascii_uppercase() || b.is_ascii_digit();
        if self.tick.is_zero() {
            Err(InvalidParameters::Tick)
        } else if self.lot.is_zero() {
            Err(InvalidParameters::Lot)
        } else if !(3..=10).contains(&currency.len()) || !currency.iter().all(known) {
            Err(InvalidParameters::Currency)
        } else {
            Ok(self)
        }
    }
}

impl TryFrom<Stored> for MatchParameters {
    type Error = InvalidParameters;
    fn try_from(stored: Stored) -> Result<Self, InvalidParameters> {
        Self {
            symbol: stored.symbol,
            tick: stored.tick,
            lot: stored.lot,
            price_policy: stored.price_policy,
            currency: stored.currency,
            security_id: stored.security_id,
            tradable: stored.tradable,
            version: stored.version,
        }
        .checked()
    }
}

impl From<MatchParameters> for Stored {
    fn from(parameters: MatchParameters) -> Self {
        Self {
            v: Form,
            symbol: parameters.symbol,
            tick: parameters.tick,
            lot: parameters.lot,
            price_policy: parameters.price_policy,
            currency: parameters.currency,
            security_id: parameters.security_id,
            tradable: parameters.tradable,
            version: parameters.version,
        }
    }
}
