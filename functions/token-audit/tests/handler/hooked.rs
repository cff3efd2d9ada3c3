//! Ports in whose way a test steps: before and after each call, by the call's number.

use std::future::{Future, pending};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use symbolon_shared::domain::audit::Announcement;
use symbolon_shared::domain::token::EpochId;
use symbolon_shared::ports::audit::{
    AuditAnnouncer, AuditObjects, AuditSigner, Expected, Handle, KnownEpochs, Put, SetAsideBatches,
};
use symbolon_shared::ports::{Fault, PortError};
use symbolon_shared::testing::MemoryAudit;

/// What goes wrong with one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mishap {
    /// The process dies, and the call was not made.
    DiesBefore,
    /// The process dies, and the call was made.
    DiesAfter,
    /// The call was not made.
    RequestLost,
    /// The call was made, and nobody heard.
    ResponseLost,
    /// It panics.
    Panics,
    /// A lost response that the SDK repeats by itself: the second attempt's answer is heard.
    Repeated,
}

impl Mishap {
    pub(crate) const ALL: [Self; 6] = [
        Self::DiesBefore,
        Self::DiesAfter,
        Self::RequestLost,
        Self::ResponseLost,
        Self::Panics,
        Self::Repeated,
    ];
}

/// Yields before and after each call, so that others come in between; and has a mishap at one call.
#[derive(Clone)]
pub(crate) struct Hooked {
    pub(crate) bucket: MemoryAudit,
    calls: Arc<AtomicUsize>,
    mishap: Option<(usize, Mishap)>,
}

impl Hooked {
    pub(crate) fn new(bucket: &MemoryAudit, mishap: Option<(usize, Mishap)>) -> Self {
        Self {
            bucket: bucket.clone(),
            calls: Arc::default(),
            mishap,
        }
    }

    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    async fn call<T, F>(&self, call: impl Fn() -> F) -> Result<T, PortError>
    where
        F: Future<Output = Result<T, PortError>>,
    {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        let mishap = self
            .mishap
            .filter(|(at, _)| *at == number)
            .map(|(_, mishap)| mishap);
        let lost = || PortError {
            operation: "test",
            fault: Fault::Unavailable,
            code: "Lost".to_owned(),
        };
        tokio::task::yield_now().await;
        match mishap {
            Some(Mishap::DiesBefore) => pending().await,
            Some(Mishap::RequestLost) => return Err(lost()),
            Some(Mishap::Panics) => panic!("as the test wants it"),
            Some(Mishap::Repeated) => drop(call().await),
            _ => {}
        }
        let answer = call().await;
        tokio::task::yield_now().await;
        match mishap {
            Some(Mishap::DiesAfter) => pending().await,
            Some(Mishap::ResponseLost) => Err(lost()),
            _ => answer,
        }
    }
}

impl AuditObjects for Hooked {
    async fn read_object(&self, name: &str) -> Result<Option<(Vec<u8>, Handle)>, PortError> {
        self.call(|| self.bucket.read_object(name)).await
    }

    async fn put_object(&self, name: &str, body: &[u8], expected: &Expected) -> Result<Put, PortError> {
        self.call(|| self.bucket.put_object(name, body, expected)).await
    }
}

impl AuditSigner for Hooked {
    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, PortError> {
        self.call(|| self.bucket.sign(message)).await
    }

    async fn verify(&self, message: &[u8], signature: &[u8]) -> Result<bool, PortError> {
        self.call(|| self.bucket.verify(message, signature)).await
    }
}

impl KnownEpochs for Hooked {
    async fn has_key(&self, epoch: EpochId) -> Result<bool, PortError> {
        self.call(|| self.bucket.has_key(epoch)).await
    }
}

impl AuditAnnouncer for Hooked {
    async fn announce(&self, announcements: &[Announcement]) -> Result<(), PortError> {
        self.call(|| self.bucket.announce(announcements)).await
    }
}

impl SetAsideBatches for Hooked {
    async fn list_set_aside(&self, after: Option<&str>) -> Result<Vec<String>, PortError> {
        self.call(|| self.bucket.list_set_aside(after)).await
    }

    async fn read_set_aside(&self, name: &str) -> Result<Option<Vec<u8>>, PortError> {
        self.call(|| self.bucket.read_set_aside(name)).await
    }

    async fn remove_set_aside(&self, name: &str) -> Result<(), PortError> {
        self.call(|| self.bucket.remove_set_aside(name)).await
    }
}
