//! The public keys that statements are checked with.

use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{Signature, VerifyingKey};
use p256::pkcs8::DecodePublicKey as _;

use crate::format::{Signed, signed_message};

/// The public keys of a region: more than one after a key was replaced.
#[derive(Debug, Clone, Default)]
pub struct PublicKeys(Vec<VerifyingKey>);

/// Not a public key of P-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a public key of P-256, as PEM or DER of a SubjectPublicKeyInfo")]
pub struct InvalidKey;

impl PublicKeys {
    /// Adds a key: a `SubjectPublicKeyInfo` as DER, as `kms:GetPublicKey` gives it, or as PEM.
    ///
    /// # Errors
    /// [`InvalidKey`] for anything else, or another curve.
    pub fn add(&mut self, key: &[u8]) -> Result<(), InvalidKey> {
        let of_pem = || {
            let text = std::str::from_utf8(key).ok()?;
            VerifyingKey::from_public_key_pem(text.trim()).ok()
        };
        let read = VerifyingKey::from_public_key_der(key).ok().or_else(of_pem);
        self.0.push(read.ok_or(InvalidKey)?);
        Ok(())
    }

    /// One key alone.
    ///
    /// # Errors
    /// [`InvalidKey`] as for [`PublicKeys::add`].
    pub fn one(key: &[u8]) -> Result<Self, InvalidKey> {
        let mut keys = Self::default();
        keys.add(key)?;
        Ok(keys)
    }

    /// Whether one of the keys made the signature.
    #[must_use]
    pub fn made(&self, signed: &Signed) -> bool {
        let message = signed_message(&signed.line);
        Signature::from_der(&signed.signature)
            .is_ok_and(|signature| self.0.iter().any(|key| key.verify(&message, &signature).is_ok()))
    }
}
