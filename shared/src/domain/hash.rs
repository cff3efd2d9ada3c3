//! Labelled, length-prefixed hashing: no two field lists share an encoding, no two purposes share a label.

use sha2::{Digest, Sha256};

/// Collects a domain label and length-prefixed fields (8 bytes big-endian length, then the bytes).
#[derive(Clone)]
pub struct Labelled(Vec<u8>);

impl Labelled {
    /// Starts with `label` as it is: the label is a constant of the format, so it needs no length.
    #[must_use]
    pub fn new(label: &'static str) -> Self {
        Self(label.as_bytes().to_vec())
    }

    /// Appends one field.
    #[must_use]
    pub fn field(mut self, bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        self.0.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
        self.0.extend_from_slice(bytes);
        self
    }

    /// The encoded bytes, for a keyed hash.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// SHA-256 over the encoded bytes.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        Sha256::digest(&self.0).into()
    }
}
