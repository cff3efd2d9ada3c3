//! Ports that have mishaps, call by call.

use std::collections::BTreeMap;
use std::future::{Future, pending};
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::counterparty::Counterparty;
use crate::domain::identifiers::{CounterpartyId, OrderKey, Principal};
use crate::domain::redrive::{Announcement, Recent};
use crate::domain::submission::Submission;
use crate::domain::time::Timestamp;
use crate::ports::redrive::{
    Consumers, DeadLetterQueue, Outcomes, PutOnce, Quarantine, QuarantineShelf, Receipt, Received,
    RedriveAnnouncer, RedrivePorts, SourceQueue,
};
use crate::ports::{Fault, PortError, Registry};

/// What goes wrong with one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mishap {
    /// The process dies, and the call was not made: it is never answered.
    DiesBefore,
    /// The process dies, and the call was made.
    DiesAfter,
    /// The call was not made, and its caller waits in vain.
    RequestLost,
    /// The call was made, and its caller waits in vain.
    ResponseLost,
    /// One too many: it was not made.
    Throttled,
    /// Every other entry of a batch is not taken. Any other call is throttled.
    InPart,
    /// It panics.
    Panics,
}

impl Mishap {
    /// Every mishap.
    pub const ALL: [Self; 7] = [
        Self::DiesBefore,
        Self::DiesAfter,
        Self::RequestLost,
        Self::ResponseLost,
        Self::Throttled,
        Self::InPart,
        Self::Panics,
    ];
}

/// Says what goes wrong with the `n`th call, counted from 0, which is of this operation.
type Rule = dyn FnMut(usize, &'static str) -> Option<Mishap> + Send;

/// The redrive's ports with mishaps. Clones share the count of calls.
#[derive(Clone)]
pub struct Unlucky<P> {
    inner: P,
    luck: Arc<Mutex<Luck>>,
}

struct Luck {
    rule: Box<Rule>,
    calls: usize,
    met: BTreeMap<(&'static str, Mishap), u64>,
}

impl<P> Unlucky<P> {
    /// `inner`, with mishaps as `rule` says: it is asked once for each call.
    pub fn new(inner: P, rule: impl FnMut(usize, &'static str) -> Option<Mishap> + Send + 'static) -> Self {
        let luck = Luck {
            rule: Box::new(rule),
            calls: 0,
            met: BTreeMap::new(),
        };
        Self {
            inner,
            luck: Arc::new(Mutex::new(luck)),
        }
    }

    /// How many calls there were.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.luck.lock().unwrap_or_else(PoisonError::into_inner).calls
    }

    /// How often which call had which mishap.
    #[must_use]
    pub fn met(&self) -> BTreeMap<(&'static str, Mishap), u64> {
        let luck = self.luck.lock().unwrap_or_else(PoisonError::into_inner);
        luck.met.clone()
    }

    fn next(&self, operation: &'static str) -> Option<Mishap> {
        let mut luck = self.luck.lock().unwrap_or_else(PoisonError::into_inner);
        let number = luck.calls;
        luck.calls += 1;
        let mishap = (luck.rule)(number, operation)?;
        *luck.met.entry((operation, mishap)).or_default() += 1;
        Some(mishap)
    }

    async fn call<T>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T, PortError>> + Send,
    ) -> Result<T, PortError> {
        let mishap = self.next(operation);
        self.under(operation, mishap, call).await
    }

    #[expect(clippy::panic, reason = "the panic is what a test asks for")]
    async fn under<T>(
        &self,
        operation: &'static str,
        mishap: Option<Mishap>,
        call: impl Future<Output = Result<T, PortError>> + Send,
    ) -> Result<T, PortError> {
        match mishap {
            None => call.await,
            Some(Mishap::DiesBefore) => pending().await,
            Some(Mishap::DiesAfter) => {
                drop(call.await);
                pending().await
            }
            Some(Mishap::RequestLost) => Err(error(operation, Fault::TimedOut)),
            Some(Mishap::ResponseLost) => {
                call.await?;
                Err(error(operation, Fault::TimedOut))
            }
            Some(Mishap::Throttled | Mishap::InPart) => Err(error(operation, Fault::Throttled)),
            Some(Mishap::Panics) => panic!("as the test wants it"),
        }
    }

    /// A batch, of which `call` does a part, and gives the indices within that part that were not done.
    async fn batch<'a, T: Clone + Sync + 'a, F>(
        &'a self,
        operation: &'static str,
        entries: &'a [T],
        call: impl Fn(Vec<T>) -> F + Send,
    ) -> Result<Vec<usize>, PortError>
    where
        F: Future<Output = Result<Vec<usize>, PortError>> + Send,
    {
        let mishap = self.next(operation);
        if mishap != Some(Mishap::InPart) {
            return self.under(operation, mishap, call(entries.to_vec())).await;
        }
        let taken: Vec<usize> = (0..entries.len()).step_by(2).collect();
        let part = taken.iter().filter_map(|index| entries.get(*index).cloned());
        let failed = call(part.collect()).await?;
        let mut left: Vec<usize> = (1..entries.len()).step_by(2).collect();
        left.extend(failed.iter().filter_map(|index| taken.get(*index)));
        Ok(left)
    }
}

fn error(operation: &'static str, fault: Fault) -> PortError {
    PortError {
        operation,
        fault,
        code: "Injected".to_owned(),
    }
}

impl<P: RedrivePorts> DeadLetterQueue for Unlucky<P> {
    async fn receive_letters(&self, url: &str, seconds: u32) -> Result<Vec<Received>, PortError> {
        self.call("receive_letters", self.inner.receive_letters(url, seconds))
            .await
    }

    async fn delete_letters(&self, url: &str, receipts: &[Receipt]) -> Result<Vec<usize>, PortError> {
        let delete = |part: Vec<Receipt>| async move { self.inner.delete_letters(url, &part).await };
        self.batch("delete_letters", receipts, delete).await
    }

    async fn release_letters(&self, url: &str, receipts: &[Receipt]) -> Result<Vec<usize>, PortError> {
        let release = |part: Vec<Receipt>| async move { self.inner.release_letters(url, &part).await };
        self.batch("release_letters", receipts, release).await
    }
}

impl<P: RedrivePorts> SourceQueue for Unlucky<P> {
    async fn send_back(&self, url: &str, envelopes: &[String]) -> Result<Vec<usize>, PortError> {
        let send = |part: Vec<String>| async move { self.inner.send_back(url, &part).await };
        self.batch("send_back", envelopes, send).await
    }
}

impl<P: RedrivePorts> Consumers for Unlucky<P> {
    async fn is_enabled(&self, function: &str, queue_url: &str) -> Result<Option<bool>, PortError> {
        self.call("is_enabled", self.inner.is_enabled(function, queue_url))
            .await
    }

    async fn recent(&self, function: &str, now: Timestamp) -> Result<Recent, PortError> {
        self.call("recent", self.inner.recent(function, now)).await
    }
}

impl<P: RedrivePorts> Outcomes for Unlucky<P> {
    async fn read_outcomes(
        &self,
        keys: &[OrderKey],
    ) -> Result<Vec<(OrderKey, Option<Submission>)>, PortError> {
        self.call("read_outcomes", self.inner.read_outcomes(keys)).await
    }
}

impl<P: RedrivePorts> Registry for Unlucky<P> {
    async fn find_principals(
        &self,
        principals: &[Principal],
    ) -> Result<Vec<(Principal, CounterpartyId)>, PortError> {
        self.call("find_principals", self.inner.find_principals(principals))
            .await
    }

    async fn read_counterparties(&self, ids: &[CounterpartyId]) -> Result<Vec<Counterparty>, PortError> {
        self.call("read_counterparties", self.inner.read_counterparties(ids))
            .await
    }
}

impl<P: RedrivePorts> Quarantine for Unlucky<P> {
    async fn put_quarantined(&self, name: &str, body: &[u8]) -> Result<PutOnce, PortError> {
        self.call("put_quarantined", self.inner.put_quarantined(name, body))
            .await
    }

    async fn read_quarantined(&self, name: &str) -> Result<Option<Vec<u8>>, PortError> {
        self.call("read_quarantined", self.inner.read_quarantined(name))
            .await
    }
}

impl<P: RedrivePorts> QuarantineShelf for Unlucky<P> {
    async fn list_quarantined(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>, PortError> {
        self.call("list_quarantined", self.inner.list_quarantined(prefix, after))
            .await
    }

    async fn remove_quarantined(&self, name: &str) -> Result<(), PortError> {
        self.call("remove_quarantined", self.inner.remove_quarantined(name))
            .await
    }
}

impl<P: RedrivePorts> RedriveAnnouncer for Unlucky<P> {
    async fn announce_redrive(&self, announcements: &[Announcement]) -> Result<(), PortError> {
        self.call("announce_redrive", self.inner.announce_redrive(announcements))
            .await
    }
}
