//! The clerk: brings to a lane's desk what its decisions ask for.

use std::collections::HashMap;

use symbolon_shared::domain::book::{BookKey, RankBound};
use symbolon_shared::domain::desk::{Desk, Need};
use symbolon_shared::domain::identifiers::{CounterpartyId, OrderKey, Symbol};
use symbolon_shared::domain::submission::Submission;
use symbolon_shared::domain::time::Timestamp;
use symbolon_shared::ports::{MatcherPorts, PortError};

use crate::registry_cache::RegistryCache;

/// A desk and the ports that fill it.
pub(crate) struct Clerk<'a, P> {
    ports: &'a P,
    registry: &'a RegistryCache,
    pub(crate) desk: Desk,
    /// How far the lane's messages look into each book: one query serves them all.
    bounds: HashMap<BookKey, RankBound>,
}

impl<'a, P: MatcherPorts> Clerk<'a, P> {
    pub(crate) fn new(ports: &'a P, registry: &'a RegistryCache) -> Self {
        Self {
            ports,
            registry,
            desk: Desk::default(),
            bounds: HashMap::new(),
        }
    }

    /// Says that some message of the lane looks into `book` up to `bound`.
    pub(crate) fn expect_look(&mut self, book: BookKey, bound: RankBound) {
        let widest = self.bounds.entry(book).or_insert_with(RankBound::nothing);
        if *widest < bound {
            *widest = bound;
        }
    }

    /// Forgets the books, and how far anybody wants to look into them.
    pub(crate) fn forget_books(&mut self) {
        self.desk.forget_books();
        self.bounds.clear();
    }

    /// Puts what is needed on the desk.
    pub(crate) async fn fetch(&mut self, need: Need, now: Timestamp) -> Result<(), PortError> {
        match need {
            Need::Submissions(keys) => self.fetch_submissions(&keys).await,
            Need::Book(book, bound) => self.fetch_page(&book, bound).await,
            Need::Counterparties(ids) => self.fetch_counterparties(&ids, now).await,
            Need::Parameters(symbol) => self.fetch_parameters(symbol, now).await,
        }
    }

    /// A submission as the desk has it, read when it does not.
    pub(crate) async fn submission(&mut self, key: &OrderKey) -> Result<Option<Submission>, PortError> {
        self.have_submissions(std::slice::from_ref(key)).await?;
        Ok(self.desk.submission(key).ok().flatten().cloned())
    }

    /// Puts those of `keys` on the desk that it does not have.
    pub(crate) async fn have_submissions(&mut self, keys: &[OrderKey]) -> Result<(), PortError> {
        let unknown = keys.iter().filter(|key| self.desk.submission(key).is_err());
        let unknown: Vec<OrderKey> = unknown.cloned().collect();
        if unknown.is_empty() {
            return Ok(());
        }
        self.fetch_submissions(&unknown).await
    }

    async fn fetch_submissions(&mut self, keys: &[OrderKey]) -> Result<(), PortError> {
        let read = self.ports.read_submissions(keys).await?;
        self.desk.learn_submissions(read);
        Ok(())
    }

    async fn fetch_page(&mut self, book: &BookKey, bound: RankBound) -> Result<(), PortError> {
        let bound = self
            .bounds
            .get(book)
            .cloned()
            .map_or(bound.clone(), |widest| widest.max(bound));
        let page = self
            .ports
            .read_page(book, &self.desk.known_to(book), &bound)
            .await?;
        self.desk.learn_page(book, page.entries, page.known_to);
        Ok(())
    }

    async fn fetch_counterparties(
        &mut self,
        ids: &[CounterpartyId],
        now: Timestamp,
    ) -> Result<(), PortError> {
        let read = self.registry.read(self.ports, ids, now).await?;
        let all = ids
            .iter()
            .map(|id| (id.clone(), read.get(id).map(|known| (**known).clone())));
        self.desk.learn_counterparties(all.collect::<Vec<_>>());
        Ok(())
    }

    async fn fetch_parameters(&mut self, symbol: Symbol, now: Timestamp) -> Result<(), PortError> {
        let read = self.registry.parameters(self.ports, &symbol, now).await?;
        self.desk.learn_parameters(symbol, read);
        Ok(())
    }
}
