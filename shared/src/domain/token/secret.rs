//! Keys. Nothing here can be cloned, compared, serialised or shown, and everything is wiped when it is dropped.
//!
//! Keys lie behind a box, so that moving one moves a pointer and leaves no copy on the stack. What the SDK and the
//! allocator copied before a key came here is out of reach.

use std::fmt;

use aes_gcm::{Aes256Gcm, KeyInit as _};
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::{Zeroize as _, ZeroizeOnDrop, Zeroizing};

use super::epoch::EpochId;

/// A key service's plaintext is not 32 bytes long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a data key has 32 bytes, this one {length}")]
pub struct InvalidDataKey {
    /// Bytes that there were.
    pub length: usize,
}

/// 32 bytes that are wiped when dropped.
#[derive(ZeroizeOnDrop)]
struct Secret(Box<[u8; 32]>);

/// The plaintext data key of an epoch, on its way from the key service into [`EpochKey::derive`].
#[derive(ZeroizeOnDrop)]
pub struct DataKey(Secret);

impl DataKey {
    /// Takes 32 random bytes. The caller's own copy is the caller's to wipe.
    #[must_use]
    pub fn new(mut bytes: [u8; 32]) -> Self {
        let key = Self(Secret(Box::new(bytes)));
        bytes.zeroize();
        key
    }
}

impl TryFrom<Vec<u8>> for DataKey {
    type Error = InvalidDataKey;

    /// Takes the plaintext that a key service gave, and wipes the buffer that it came in.
    fn try_from(plaintext: Vec<u8>) -> Result<Self, InvalidDataKey> {
        let plaintext = Zeroizing::new(plaintext);
        let length = plaintext.len();
        let bytes: &[u8; 32] = plaintext
            .as_slice()
            .try_into()
            .map_err(|_| InvalidDataKey { length })?;
        Ok(Self::new(*bytes))
    }
}

/// What an epoch mints tokens and seals parties with: two keys, derived from one data key.
///
/// HKDF-SHA256 (RFC 5869): salt = the epoch's id in ASCII, input = the data key, info = `symbolon/token-key/v1` or
/// `symbolon/sealing-key/v1`, 32 bytes each. The id is in the salt so that a data key filed under another epoch
/// opens nothing there.
#[derive(ZeroizeOnDrop)]
pub struct EpochKey {
    #[zeroize(skip)]
    epoch: EpochId,
    token_key: Secret,
    sealing_key: Secret,
}

impl EpochKey {
    /// Derives both keys and wipes the data key.
    #[must_use]
    pub fn derive(epoch: EpochId, data_key: DataKey) -> Self {
        let salt = epoch.encode();
        let (mut extracted, hkdf) = Hkdf::<Sha256>::extract(Some(salt.as_bytes()), data_key.0.0.as_slice());
        extracted.as_mut_slice().zeroize();
        drop(data_key);
        Self {
            epoch,
            token_key: expand(&hkdf, "symbolon/token-key/v1"),
            sealing_key: expand(&hkdf, "symbolon/sealing-key/v1"),
        }
    }

    /// The epoch whose key it is.
    #[must_use]
    pub fn epoch(&self) -> EpochId {
        self.epoch
    }

    /// The first 16 bytes of HMAC-SHA256 of `message` under the token key.
    pub(super) fn token_mac(&self, message: &[u8]) -> [u8; 16] {
        let tag = keyed(&self.token_key)
            .chain_update(message)
            .finalize()
            .into_bytes();
        let mut mac = [0; 16];
        mac.copy_from_slice(&tag[..16]);
        mac
    }

    /// AES-256-GCM under the sealing key; it wipes its key schedule when dropped.
    pub(super) fn sealing_cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new((&*self.sealing_key.0).into())
    }
}

#[expect(
    clippy::expect_used,
    reason = "32 bytes lie below HKDF-SHA256's bound of 255 × 32"
)]
fn expand(hkdf: &Hkdf<Sha256>, info: &'static str) -> Secret {
    let mut key = Secret(Box::new([0; 32]));
    hkdf.expand(info.as_bytes(), key.0.as_mut_slice())
        .expect("an output of 32 bytes");
    key
}

#[expect(clippy::expect_used, reason = "HMAC takes a key of any length (RFC 2104)")]
fn keyed(key: &Secret) -> Hmac<Sha256> {
    Hmac::new_from_slice(key.0.as_slice()).expect("a key of any length")
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey")
    }
}

impl fmt::Debug for EpochKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EpochKey")
    }
}
