//! Names that arrive from outside or are drawn at random, each checked by its one constructor.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use serde::{Deserialize, Serialize};

use super::hash::Labelled;

/// Why a string is not the identifier it was offered as. Carries no input: what a sender wrote never reaches a
/// log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {what}")]
pub struct InvalidIdentifier {
    /// The kind of identifier that was expected.
    pub what: &'static str,
}

macro_rules! checked_string {
    ($(#[$doc:meta])* $name:ident, $what:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks and takes the string.
            ///
            /// # Errors
            /// [`InvalidIdentifier`] when the rule in the type's documentation is broken.
            pub fn new(text: impl Into<String>) -> Result<Self, InvalidIdentifier> {
                let text = text.into();
                let check: fn(&str) -> bool = $check;
                if check(&text) { Ok(Self(text)) } else { Err(InvalidIdentifier { what: $what }) }
            }

            /// The identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidIdentifier;
            fn try_from(text: String) -> Result<Self, InvalidIdentifier> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        // The value may identify a counterparty or its order: debug output shows only the kind.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    };
}

fn within(text: &str, max: usize, extra: &[u8], lower: bool) -> bool {
    (1..=max).contains(&text.len())
        && text.bytes().all(|b| {
            b.is_ascii_uppercase()
                || b.is_ascii_digit()
                || (lower && b.is_ascii_lowercase())
                || extra.contains(&b)
        })
}

checked_string!(
    /// FIX `ClOrdID`: 1–64 of `A–Z a–z 0–9 . _ : -`, chosen by the counterparty, unique per counterparty.
    ClOrdId,
    "clOrdId",
    |text| within(text, 64, b"._:-", true)
);

checked_string!(
    /// FIX `Symbol`: 1–32 of `A–Z 0–9 . _ / -`.
    Symbol,
    "symbol",
    |text| within(text, 32, b"._/-", false)
);

checked_string!(
    /// The opaque id of a counterparty: `cp-` and 1–40 of `a–z 0–9`.
    CounterpartyId,
    "counterparty id",
    |text| text.strip_prefix("cp-").is_some_and(|rest| {
        (1..=40).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    })
);

checked_string!(
    /// Who SQS says sent a message: for a role `AROA…`, the part of `SenderId` before the colon. 1–128 of
    /// `A–Z a–z 0–9 _ -` (IAM unique ids, and account ids where a local backend stamps those).
    Principal,
    "principal",
    |text| within(text, 128, b"_-", true)
);

impl Principal {
    /// The principal in a `SenderId`: the part before the colon. What follows is the role session name, which
    /// the caller chooses.
    ///
    /// # Errors
    /// [`InvalidIdentifier`] when that part is empty or no IAM id.
    pub fn from_sender_id(sender_id: &str) -> Result<Self, InvalidIdentifier> {
        Self::new(sender_id.split(':').next().unwrap_or_default())
    }
}

impl CounterpartyId {
    /// A new opaque id from 16 random bytes.
    #[must_use]
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(format!("cp-{}", BASE32_NOPAD.encode(&bytes).to_ascii_lowercase()))
    }
}

/// One side of the market.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Wants to buy.
    Buy,
    /// Wants to sell.
    Sell,
}

impl Side {
    /// The other side.
    #[must_use]
    pub fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }

    /// Reads `buy` or `sell`. (A derived reader takes a map with such a key too.)
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Buy, Self::Sell]
            .into_iter()
            .find(|side| side.as_str() == text)
    }

    /// `buy` or `sell`, as on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Buy => "buy",
            Self::Sell => "sell",
        }
    }
}

/// The identity of an order: whose it is and what its owner calls it. The key of a submission.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderKey {
    /// The counterparty that sent it.
    pub owner: CounterpartyId,
    /// The name the counterparty gave it.
    pub cl_ord_id: ClOrdId,
}

impl OrderKey {
    /// The key of `cl_ord_id` of `owner`.
    #[must_use]
    pub fn new(owner: CounterpartyId, cl_ord_id: ClOrdId) -> Self {
        Self { owner, cl_ord_id }
    }

    /// 26 characters of lower-case base32 over the first 16 bytes of a labelled SHA-256: what a rank ends in.
    #[must_use]
    pub fn digest(&self) -> String {
        let hash = Labelled::new("symbolon/order/v1")
            .field(self.owner.as_str())
            .field(self.cl_ord_id.as_str())
            .sha256();
        BASE32_NOPAD.encode(&hash[..16]).to_ascii_lowercase()
    }
}

impl fmt::Debug for OrderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OrderKey")
    }
}
