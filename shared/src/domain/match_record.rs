//! A match as it is stored: everything that its two messages say, its owners sealed.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::decimal::{Price, Quantity};
use super::form::Form;
use super::identifiers::{Side, Symbol};
use super::time::Timestamp;
use super::token::{Commitment, EpochId, MatchId, SealedParties, Token};

/// One item of the table `matches`. Whoever reads it learns no owner: `parties` is sealed under the epoch's key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MatchRecord {
    /// The stored form.
    pub v: Form<1>,
    /// The partition key.
    pub match_id: MatchId,
    /// The token of the side that buys.
    pub buy_token: Token,
    /// The token of the side that sells.
    pub sell_token: Token,
    /// The hash over both.
    pub commitment: Commitment,
    /// FIX `Symbol`.
    pub symbol: Symbol,
    /// FIX `Currency` at the time.
    pub currency: String,
    /// FIX `LastQty`.
    pub last_qty: Quantity,
    /// FIX `LastPx`.
    pub last_px: Price,
    /// When it was made.
    pub matched_at: Timestamp,
    /// The AWS region that made it.
    pub region: String,
    /// The epoch whose key minted its tokens and seals its parties.
    pub key_epoch: EpochId,
    /// The version of the symbol's parameters.
    pub parameter_version: u64,
    /// Both owners, and what the messages say of each leg.
    pub parties: SealedParties,
    /// The lease generation of its writer (design §8).
    pub generation: u64,
    /// TTL attribute, in seconds since the epoch: as long as a submission may ask for it.
    pub expires_at: i64,
}

impl MatchRecord {
    /// The token of one side.
    #[must_use]
    pub fn token(&self, side: Side) -> &Token {
        match side {
            Side::Buy => &self.buy_token,
            Side::Sell => &self.sell_token,
        }
    }
}

impl fmt::Debug for MatchRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MatchRecord")
    }
}
