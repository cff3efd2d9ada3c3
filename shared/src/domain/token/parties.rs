//! Who made a match, sealed: the table of matches names nobody.
//!
//! Layout of a sealed `v1`: version 1 (1 byte) ‖ nonce (12) ‖ AES-256-GCM ciphertext (296) ‖ tag (16) = 325 bytes,
//! as text in base64 436 characters; associated data: the 16 bytes of the match id.
//! Layout of the plaintext: buyer's leg ‖ seller's leg ‖ zeros up to 296 bytes. A leg: owner, clOrdId (each its
//! length in 1 byte, then its ASCII), `CumQty`, `LeavesQty`, `CxlQty` (each its digits as a big-endian integer in 12
//! bytes, then how many of them lie behind the point in 1 byte, without trailing zeros).

use std::fmt;

use aes_gcm::aead::{Aead as _, Payload};
use data_encoding::BASE64;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{EpochKey, MatchId};
use crate::domain::decimal::Quantity;
use crate::domain::identifiers::{ClOrdId, CounterpartyId, InvalidIdentifier, OrderKey};
use crate::domain::opaque::text_form;

const VERSION: u8 = 1;
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;

/// Of a quantity: 96 bits of digits (all that a decimal has) and the place of the point.
const MANTISSA_BYTES: usize = 12;

/// Two legs of at most (1 + 43) + (1 + 64) + 3 × (12 + 1) = 148 bytes. Always filled up: the length of a sealed text
/// would otherwise tell how long somebody's order ids are, and every counterparty has its own style of those.
const PLAINTEXT_BYTES: usize = 296;

/// What publishing needs of one leg of a match, frozen as it stood after this match.
#[derive(Clone, PartialEq, Eq)]
pub struct PartyLeg {
    /// Whose order it is, and its name.
    pub order: OrderKey,
    /// `CumQty`: matched so far, this match included.
    pub cum_qty: Quantity,
    /// `LeavesQty`: still to be matched.
    pub leaves_qty: Quantity,
    /// `CxlQty`: the remainder below the order's own minimum, cancelled with this match.
    pub cxl_qty: Quantity,
}

/// Both legs of a match.
#[derive(Clone, PartialEq, Eq)]
pub struct Parties {
    /// The leg that buys.
    pub buyer: PartyLeg,
    /// The leg that sells.
    pub seller: PartyLeg,
}

/// [`Parties`] under an epoch's sealing key; as text base64 (RFC 4648, with padding).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SealedParties(Vec<u8>);

/// Why sealed parties did not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Written by a later program than this one.
    #[error("sealed parties of unknown version {version}")]
    UnknownVersion {
        /// The version that it bears.
        version: u8,
    },
    /// Sealed for another match, under another epoch's key, or changed since.
    #[error("sealed parties are not of this match and epoch")]
    Refused,
    /// Opened, but what was inside is no pair of legs: whoever sealed it holds the key and another layout.
    #[error("sealed parties have an unreadable content")]
    Unreadable,
}

impl EpochKey {
    /// Seals the parties of a match.
    ///
    /// `nonce` is random and new at every call: two contents under one nonce would show their difference, and with
    /// it the key of the tag. At random, 2³² seals under one key keep the chance of a repeat below 2⁻³² (NIST SP
    /// 800-38D §8.3), and a key lives for a day.
    #[must_use]
    pub fn seal(&self, match_id: MatchId, parties: &Parties, nonce: [u8; NONCE_BYTES]) -> SealedParties {
        let plaintext = parties.to_plaintext();
        let mut sealed = Vec::with_capacity(1 + NONCE_BYTES + plaintext.len() + TAG_BYTES);
        sealed.push(VERSION);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&self.encrypt(match_id, &plaintext, nonce));
        SealedParties(sealed)
    }

    #[expect(
        clippy::expect_used,
        reason = "GCM refuses only what is longer than 2³⁶ − 32 bytes; these are 296"
    )]
    fn encrypt(&self, match_id: MatchId, plaintext: &[u8], nonce: [u8; NONCE_BYTES]) -> Vec<u8> {
        let payload = Payload {
            msg: plaintext,
            aad: &match_id.0,
        };
        self.sealing_cipher()
            .encrypt(&nonce.into(), payload)
            .expect("a short plaintext")
    }

    /// Opens what [`EpochKey::seal`] of the same epoch made for the same match.
    ///
    /// # Errors
    /// [`SealError`]; none of them says which of match, key or content was the wrong one, for the cipher cannot
    /// tell.
    pub fn open(&self, match_id: MatchId, sealed: &SealedParties) -> Result<Parties, SealError> {
        let (&version, rest) = sealed.0.split_first().ok_or(SealError::Refused)?;
        if version != VERSION {
            return Err(SealError::UnknownVersion { version });
        }
        let (nonce, ciphertext) = rest
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or(SealError::Refused)?;
        let payload = Payload {
            msg: ciphertext,
            aad: &match_id.0,
        };
        let plaintext = self
            .sealing_cipher()
            .decrypt(nonce.into(), payload)
            .map_err(|_| SealError::Refused)?;
        Parties::from_plaintext(&Zeroizing::new(plaintext)).ok_or(SealError::Unreadable)
    }
}

impl SealedParties {
    /// Reads the text form. Only the base64 is checked: a record of a later version still reads, and only what
    /// opens it needs to know the version.
    ///
    /// # Errors
    /// [`InvalidIdentifier`] for what is not canonical base64.
    pub fn parse(text: &str) -> Result<Self, InvalidIdentifier> {
        BASE64
            .decode(text.as_bytes())
            .map(Self)
            .map_err(|_| InvalidIdentifier {
                what: "text of sealed parties",
            })
    }

    /// The text form.
    #[must_use]
    pub fn encode(&self) -> String {
        BASE64.encode(&self.0)
    }
}

text_form!(SealedParties);

impl Parties {
    fn to_plaintext(&self) -> Zeroizing<Vec<u8>> {
        // Room for all of it at once: a buffer that grows leaves its first half behind, unwiped.
        let mut plaintext = Zeroizing::new(Vec::with_capacity(PLAINTEXT_BYTES));
        self.buyer.write(&mut plaintext);
        self.seller.write(&mut plaintext);
        plaintext.resize(PLAINTEXT_BYTES, 0);
        plaintext
    }

    fn from_plaintext(plaintext: &[u8]) -> Option<Self> {
        let mut reader = Reader(plaintext);
        let buyer = reader.leg()?;
        let seller = reader.leg()?;
        let padded = plaintext.len() == PLAINTEXT_BYTES && reader.0.iter().all(|byte| *byte == 0);
        padded.then_some(Self { buyer, seller })
    }
}

impl PartyLeg {
    fn write(&self, plaintext: &mut Vec<u8>) {
        for text in [self.order.owner.as_str(), self.order.cl_ord_id.as_str()] {
            // Both types end at 64 characters or before, so the lowest byte is the whole length.
            let [.., length] = text.len().to_be_bytes();
            plaintext.push(length);
            plaintext.extend_from_slice(text.as_bytes());
        }
        for quantity in [self.cum_qty, self.leaves_qty, self.cxl_qty] {
            let decimal = quantity.decimal().normalize();
            // A decimal has 96 bits of digits and at most 28 places: the bytes left out are zero.
            let [_, _, _, _, mantissa @ ..] = decimal.mantissa().to_be_bytes();
            let [.., places] = decimal.scale().to_be_bytes();
            plaintext.extend_from_slice(&mantissa);
            plaintext.push(places);
        }
    }
}

/// What is left to read of a plaintext; every step is `None` when it is too short or holds what its type refuses.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take(&mut self, length: usize) -> Option<&[u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn text(&mut self) -> Option<String> {
        let length = self.byte()?;
        String::from_utf8(self.take(length.into())?.to_vec()).ok()
    }

    fn quantity(&mut self) -> Option<Quantity> {
        let mut mantissa = [0; 16];
        mantissa[16 - MANTISSA_BYTES..].copy_from_slice(self.take(MANTISSA_BYTES)?);
        let places = self.byte()?.into();
        let decimal = Decimal::try_from_i128_with_scale(i128::from_be_bytes(mantissa), places).ok()?;
        Quantity::from_decimal(decimal)
    }

    fn leg(&mut self) -> Option<PartyLeg> {
        let owner = CounterpartyId::new(self.text()?).ok()?;
        let cl_ord_id = ClOrdId::new(self.text()?).ok()?;
        Some(PartyLeg {
            order: OrderKey::new(owner, cl_ord_id),
            cum_qty: self.quantity()?,
            leaves_qty: self.quantity()?,
            cxl_qty: self.quantity()?,
        })
    }
}

impl fmt::Debug for PartyLeg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PartyLeg")
    }
}

impl fmt::Debug for Parties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Parties")
    }
}
