//! What a counterparty holds of a match instead of the other's name (design §6).
//!
//! `mac(leg) = HMAC-SHA256(K_token, "symbolon/token/v1" ‖ len-prefixed(matchId, leg, counterparty))`, its first 16
//! bytes. Keyed, because the ids are a small space and a plain hash of one is reversed in a second; per match and
//! per leg, because then no two appearances of a counterparty can be linked.
//!
//! Labels, versions and layouts are frozen by `tests/vectors/token_v1.json`: whatever changes one of them is a
//! `v2` beside this, never an edit.
//!
//! Not here: where keys come from (a port), and who may ask for what.

mod commitment;
mod epoch;
mod parties;
mod secret;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use subtle::{Choice, ConstantTimeEq};

pub use self::commitment::Commitment;
pub use self::epoch::EpochId;
pub use self::parties::{Parties, PartyLeg, SealError, SealedParties};
pub use self::secret::{DataKey, EpochKey, InvalidDataKey};

use super::hash::Labelled;
use super::identifiers::{CounterpartyId, InvalidIdentifier, Side};
use super::opaque::{self, text_form};

/// The name of a match: 16 random bytes, as text 26 characters of lower-case base32.
///
/// It is half of both tokens. It opens nothing alone, but it links them, so debug output does not show it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MatchId([u8; 16]);

impl MatchId {
    /// A new match's name, from 16 bytes of a cryptographic source.
    #[must_use]
    pub const fn from_random(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Reads the text form.
    ///
    /// # Errors
    /// [`InvalidIdentifier`] unless it is 26 characters of `a–z 2–7` whose two padding bits are zero.
    pub fn parse(text: &str) -> Result<Self, InvalidIdentifier> {
        opaque::decode(text)
            .map(Self)
            .ok_or(InvalidIdentifier { what: "match id" })
    }

    /// The text form. There is no `Display`: what writes a match id says so.
    #[must_use]
    pub fn encode(&self) -> String {
        opaque::encode(self.0)
    }
}

text_form!(MatchId);

/// A counterparty's token: base32(matchId) ‖ base32(mac), 52 characters, the first 26 the same in both tokens of a
/// match.
///
/// It may be copied, for it is handed to its owner; it is compared in constant time and never shown by `Debug`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Token {
    match_id: MatchId,
    mac: [u8; 16],
}

impl Token {
    /// Characters of the text form.
    pub const CHARS: usize = 2 * opaque::TEXT_CHARS;

    /// Reads the text form. That it has the form says nothing of whether it was ever minted: see
    /// [`EpochKey::verify`].
    ///
    /// # Errors
    /// [`InvalidIdentifier`] unless both halves are 26 characters of `a–z 2–7` whose padding bits are zero.
    pub fn parse(text: &str) -> Result<Self, InvalidIdentifier> {
        let halves = text.split_at_checked(opaque::TEXT_CHARS);
        let read = |(first, second)| Some((opaque::decode(first)?, opaque::decode(second)?));
        let (match_id, mac) = halves.and_then(read).ok_or(InvalidIdentifier { what: "token" })?;
        Ok(Self {
            match_id: MatchId(match_id),
            mac,
        })
    }

    /// The text form, for the token's owner alone. There is no `Display`: what writes a token says so.
    #[must_use]
    pub fn encode(&self) -> String {
        opaque::encode(self.match_id.0) + &opaque::encode(self.mac)
    }

    /// The match it belongs to.
    #[must_use]
    pub fn match_id(&self) -> MatchId {
        self.match_id
    }
}

text_form!(Token);

impl ConstantTimeEq for Token {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.match_id.0.ct_eq(&other.match_id.0) & self.mac.ct_eq(&other.mac)
    }
}

// A token is a bearer's proof: how far two of them agree must not be measurable.
impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        self.ct_eq(other).into()
    }
}

impl Eq for Token {}

impl EpochKey {
    /// The token of `owner`, who is on `side` of the match. Always the same for the same four.
    #[must_use]
    pub fn token(&self, match_id: MatchId, side: Side, owner: &CounterpartyId) -> Token {
        let message = Labelled::new("symbolon/token/v1")
            .field(match_id.0)
            .field(side.as_str())
            .field(owner.as_str());
        let mac = self.token_mac(message.as_bytes());
        Token { match_id, mac }
    }

    /// Whether `token` is the one that this key gives `owner` on `side` of the match that the token names; in
    /// constant time.
    #[must_use]
    pub fn verify(&self, token: &Token, side: Side, owner: &CounterpartyId) -> bool {
        self.token(token.match_id, side, owner) == *token
    }
}
