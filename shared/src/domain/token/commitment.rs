//! The hash over both tokens that is published, so that two tokens can be shown to fit.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::Token;
use crate::domain::identifiers::InvalidIdentifier;
use crate::domain::opaque::text_form;

/// SHA-256("symbolon/commitment/v1" ‖ buyer's token ‖ seller's token), over their ASCII; as text 64 lower-case hex
/// digits.
///
/// No lengths are hashed: a token always has 52 characters. It hides the tokens, for each bears 128 bits that only
/// its owner and the key know.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Commitment([u8; 32]);

impl Commitment {
    /// The commitment of a match, from both of its tokens.
    #[must_use]
    pub fn of(buyer: &Token, seller: &Token) -> Self {
        let hash = Sha256::new()
            .chain_update("symbolon/commitment/v1")
            .chain_update(buyer.encode())
            .chain_update(seller.encode());
        Self(hash.finalize().into())
    }

    /// Whether two tokens, in either order, are the two of the match that this commits to. Both orders are always
    /// computed and compared in constant time.
    #[must_use]
    pub fn fits(&self, one: &Token, other: &Token) -> bool {
        let same_match = one.match_id.0.ct_eq(&other.match_id.0);
        let one_buys = self.0.ct_eq(&Self::of(one, other).0);
        let other_buys = self.0.ct_eq(&Self::of(other, one).0);
        (same_match & (one_buys | other_buys)).into()
    }

    /// Reads the text form.
    ///
    /// # Errors
    /// [`InvalidIdentifier`] unless it is 64 digits of `0–9 a–f`.
    pub fn parse(text: &str) -> Result<Self, InvalidIdentifier> {
        let bytes = HEXLOWER.decode(text.as_bytes()).ok();
        bytes
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or(InvalidIdentifier { what: "commitment" })
    }

    /// The text form.
    #[must_use]
    pub fn encode(&self) -> String {
        HEXLOWER.encode(&self.0)
    }
}

text_form!(Commitment);
