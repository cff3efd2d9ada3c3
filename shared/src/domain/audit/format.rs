//! Chains, links and names: the constants of the published format.

use std::fmt;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::domain::identifiers::InvalidIdentifier;
use crate::domain::token::MatchId;

/// How many chains a region's log has. Fixed by the format: another number would send a match to another chain, and
/// what was logged of it before would no longer be found there.
///
/// Eight: each batch costs at most so many objects, signatures and heads; and a head moves about ten times a second,
/// so eight of them take far more than a table's stream brings.
pub const CHAINS: u8 = 8;

const CHAIN_LABEL: &str = "symbolon/audit/chain/v1";
const GENESIS_LABEL: &str = "symbolon/audit/genesis/v1";
const ENTRY_LABEL: &str = "symbolon/audit/entry/v1";

/// One of the chains of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Chain(u8);

impl Chain {
    /// Every chain, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..CHAINS).map(Self)
    }

    /// The chain of everything that is logged of a match. By content, because an event does not name its shard.
    #[must_use]
    pub fn of(match_id: &MatchId) -> Self {
        let hash = Sha256::new()
            .chain_update(CHAIN_LABEL)
            .chain_update(match_id.encode())
            .finalize();
        Self(hash[0] % CHAINS)
    }

    /// Its number, below [`CHAINS`].
    #[must_use]
    pub fn number(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Chain {
    type Error = InvalidIdentifier;
    fn try_from(number: u8) -> Result<Self, InvalidIdentifier> {
        let chain = Some(Self(number)).filter(|_| number < CHAINS);
        chain.ok_or(InvalidIdentifier { what: "audit chain" })
    }
}

impl From<Chain> for u8 {
    fn from(chain: Chain) -> u8 {
        chain.0
    }
}

/// The region whose log it is: an AWS region's name, 1–32 of `a–z 0–9 -`. The first part of every object's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LogRegion(String);

impl LogRegion {
    /// Reads a region's name.
    ///
    /// # Errors
    /// [`InvalidIdentifier`] for any other character, none, or more than 32.
    pub fn new(name: impl Into<String>) -> Result<Self, InvalidIdentifier> {
        let name = name.into();
        let fits = (1..=32).contains(&name.len())
            && name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        Some(Self(name)).filter(|_| fits).ok_or(InvalidIdentifier {
            what: "name of a region",
        })
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for LogRegion {
    type Error = InvalidIdentifier;
    fn try_from(name: String) -> Result<Self, InvalidIdentifier> {
        Self::new(name)
    }
}

impl From<LogRegion> for String {
    fn from(region: LogRegion) -> String {
        region.0
    }
}

/// The hash of a chain up to some entry; as text 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Link([u8; 32]);

impl Link {
    /// What the first entry of a chain is linked to. It names log and chain, so that no chain can stand for another.
    #[must_use]
    pub fn genesis(region: &LogRegion, chain: Chain) -> Self {
        let hash = Sha256::new().chain_update(GENESIS_LABEL).chain_update(format!(
            "{}/{}",
            region.as_str(),
            chain.number()
        ));
        Self(hash.finalize().into())
    }

    /// The link of the entry of this line, which follows this one.
    #[must_use]
    pub fn then(&self, line: &str) -> Self {
        let hash = Sha256::new()
            .chain_update(ENTRY_LABEL)
            .chain_update(self.0)
            .chain_update(line);
        Self(hash.finalize().into())
    }

    /// The text form.
    #[must_use]
    pub fn encode(&self) -> String {
        HEXLOWER.encode(&self.0)
    }
}

impl TryFrom<String> for Link {
    type Error = InvalidIdentifier;
    fn try_from(text: String) -> Result<Self, InvalidIdentifier> {
        let bytes = HEXLOWER.decode(text.as_bytes()).ok();
        let link = bytes.and_then(|bytes| bytes.try_into().ok()).map(Self);
        link.ok_or(InvalidIdentifier { what: "audit link" })
    }
}

impl From<Link> for String {
    fn from(link: Link) -> String {
        link.encode()
    }
}

// It is published: what it says of its entries is what the log itself says.
impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.encode())
    }
}

/// The name of an object of a chain; sequences start at 1. Sixteen digits sort as text, and last for ever.
#[must_use]
pub fn object_name(region: &LogRegion, chain: Chain, sequence: u64) -> String {
    format!("{}/{}/{sequence:016}", region.as_str(), chain.number())
}

/// The name of a chain's head.
#[must_use]
pub fn head_name(region: &LogRegion, chain: Chain) -> String {
    format!("{}/{}/head", region.as_str(), chain.number())
}
