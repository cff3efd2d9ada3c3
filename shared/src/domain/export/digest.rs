//! SHA-256 of what is exported, in the two ways in which it is written: base64 by Lambda and S3, hex in names.

use std::fmt;

use data_encoding::{BASE64, HEXLOWER};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// A SHA-256; as text 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

/// Not the text of a SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the text of a SHA-256")]
pub struct InvalidDigest;

impl Digest {
    /// Of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Reads what Lambda calls `CodeSha256`, and S3 a checksum.
    ///
    /// # Errors
    /// [`InvalidDigest`] for anything but the one base64 of 32 bytes.
    pub fn from_base64(text: &str) -> Result<Self, InvalidDigest> {
        let bytes = BASE64.decode(text.as_bytes()).map_err(|_| InvalidDigest)?;
        bytes.try_into().map(Self).map_err(|_| InvalidDigest)
    }

    /// Reads the hex of a name.
    ///
    /// # Errors
    /// [`InvalidDigest`] for anything but 64 lower-case hex digits.
    pub fn from_hex(text: &str) -> Result<Self, InvalidDigest> {
        let bytes = HEXLOWER.decode(text.as_bytes()).map_err(|_| InvalidDigest)?;
        bytes.try_into().map(Self).map_err(|_| InvalidDigest)
    }

    /// As Lambda and S3 write it.
    #[must_use]
    pub fn base64(self) -> String {
        BASE64.encode(&self.0)
    }

    /// As names have it.
    #[must_use]
    pub fn hex(self) -> String {
        HEXLOWER.encode(&self.0)
    }
}

impl TryFrom<String> for Digest {
    type Error = InvalidDigest;
    fn try_from(text: String) -> Result<Self, InvalidDigest> {
        Self::from_hex(&text)
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.hex()
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex())
    }
}
