//! The token audit's ports in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use p256::ecdsa::signature::{Signer as _, Verifier as _};
use p256::ecdsa::{DerSignature, Signature, SigningKey, VerifyingKey};
use p256::pkcs8::EncodePublicKey as _;

use crate::domain::audit::Announcement;
use crate::domain::token::EpochId;
use crate::ports::audit::{
    AuditAnnouncer, AuditObjects, AuditSigner, Expected, Handle, KnownEpochs, Put, SetAsideBatches,
};
use crate::ports::{Fault, PortError};

/// Names that one listing gives at most, so that few of them are more than a page.
const PAGE: usize = 3;

/// A bucket, a signing key, the epochs that have a key, and what was set aside. A clone shares what it holds.
#[derive(Clone)]
pub struct MemoryAudit {
    state: Arc<Mutex<State>>,
    key: SigningKey,
}

#[derive(Default)]
struct State {
    objects: BTreeMap<String, (Vec<u8>, Handle)>,
    puts: u64,
    epochs: BTreeSet<EpochId>,
    announced: Vec<Announcement>,
    set_aside: BTreeMap<String, Vec<u8>>,
}

/// Not a private key of P-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a private key of P-256")]
pub struct NoPrivateKey;

impl MemoryAudit {
    /// An empty bucket, and a key with this secret.
    ///
    /// # Errors
    /// [`NoPrivateKey`] for zero, or a number not below the order of the curve.
    pub fn new(secret: [u8; 32]) -> Result<Self, NoPrivateKey> {
        Ok(Self {
            state: Arc::default(),
            key: SigningKey::from_slice(&secret).map_err(|_| NoPrivateKey)?,
        })
    }

    /// Gives an epoch a key.
    pub fn add_epoch(&self, epoch: EpochId) {
        self.state().epochs.insert(epoch);
    }

    /// Every object, by its name.
    #[must_use]
    pub fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        let state = self.state();
        let objects = state.objects.iter();
        objects
            .map(|(name, (body, _))| (name.clone(), body.clone()))
            .collect()
    }

    /// Puts an object as somebody does who may write and need not ask.
    pub fn overwrite(&self, name: &str, body: Vec<u8>) {
        self.state().put(name, body);
    }

    /// Takes an object away.
    pub fn remove(&self, name: &str) {
        self.state().objects.remove(name);
    }

    /// The public key: DER of its `SubjectPublicKeyInfo`, as KMS gives it.
    #[must_use]
    pub fn public_key(&self) -> Vec<u8> {
        let encoded = VerifyingKey::from(&self.key).to_public_key_der();
        encoded.map(p256::pkcs8::Document::into_vec).unwrap_or_default()
    }

    /// Sets a batch aside, as the stream's mapping does.
    pub fn set_aside(&self, name: &str, body: Vec<u8>) {
        self.state().set_aside.insert(name.to_owned(), body);
    }

    /// What was announced so far.
    #[must_use]
    pub fn announced(&self) -> Vec<Announcement> {
        self.state().announced.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn put(&mut self, name: &str, body: Vec<u8>) -> Handle {
        self.puts += 1;
        let handle = Handle(format!("\"{}\"", self.puts));
        self.objects.insert(name.to_owned(), (body, handle.clone()));
        handle
    }
}

impl AuditObjects for MemoryAudit {
    async fn read_object(&self, name: &str) -> Result<Option<(Vec<u8>, Handle)>, PortError> {
        Ok(self.state().objects.get(name).cloned())
    }

    async fn put_object(&self, name: &str, body: &[u8], expected: &Expected) -> Result<Put, PortError> {
        let mut state = self.state();
        let met = match (expected, state.objects.get(name)) {
            (Expected::Absent, found) => found.is_none(),
            (Expected::Is(handle), found) => found.is_some_and(|(_, is)| is == handle),
        };
        Ok(if met {
            Put::Done(state.put(name, body.to_vec()))
        } else {
            Put::Lost
        })
    }
}

impl AuditSigner for MemoryAudit {
    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, PortError> {
        if message.is_empty() || message.len() > 4_096 {
            return Err(PortError {
                operation: "sign",
                fault: Fault::Refused,
                code: "ValidationException".to_owned(),
            });
        }
        let signature: DerSignature = self.key.sign(message);
        Ok(signature.as_bytes().to_vec())
    }

    async fn verify(&self, message: &[u8], signature: &[u8]) -> Result<bool, PortError> {
        let key = VerifyingKey::from(&self.key);
        let signature = Signature::from_der(signature);
        Ok(signature.is_ok_and(|signature| key.verify(message, &signature).is_ok()))
    }
}

impl KnownEpochs for MemoryAudit {
    async fn has_key(&self, epoch: EpochId) -> Result<bool, PortError> {
        Ok(self.state().epochs.contains(&epoch))
    }
}

impl AuditAnnouncer for MemoryAudit {
    async fn announce(&self, announcements: &[Announcement]) -> Result<(), PortError> {
        self.state().announced.extend_from_slice(announcements);
        Ok(())
    }
}

impl SetAsideBatches for MemoryAudit {
    async fn list_set_aside(&self, after: Option<&str>) -> Result<Vec<String>, PortError> {
        let state = self.state();
        let names = state.set_aside.keys();
        let later = names.filter(|name| after.is_none_or(|after| name.as_str() > after));
        Ok(later.take(PAGE).cloned().collect())
    }

    async fn read_set_aside(&self, name: &str) -> Result<Option<Vec<u8>>, PortError> {
        Ok(self.state().set_aside.get(name).cloned())
    }

    async fn remove_set_aside(&self, name: &str) -> Result<(), PortError> {
        self.state().set_aside.remove(name);
        Ok(())
    }
}
