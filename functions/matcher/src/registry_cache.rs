//! The registry and the match parameters, cached with a bound on staleness.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use symbolon_shared::domain::counterparty::Counterparty;
use symbolon_shared::domain::identifiers::{CounterpartyId, Principal, Symbol};
use symbolon_shared::domain::parameters::MatchParameters;
use symbolon_shared::domain::time::Timestamp;
use symbolon_shared::ports::{ParameterStore, PortError, Registry};

/// For at most this long after a suspension, an exclusion or a halt may a warm matcher still match its subject. Half
/// a minute keeps these reads a small share of a busy matcher's, and is less than an operator needs to tell anybody.
pub(crate) const MAX_STALENESS_MILLIS: i64 = 30_000;

/// Entries at most; beyond, the oldest readings are dropped. An entry takes well under 1 KB.
const MAX_ENTRIES: usize = 4_096;

struct Aged<K, V> {
    values: HashMap<K, (Timestamp, V)>,
}

impl<K, V> Default for Aged<K, V> {
    fn default() -> Self {
        Self {
            values: HashMap::new(),
        }
    }
}

impl<K: Eq + Hash + Clone, V: Clone> Aged<K, V> {
    fn fresh(&self, key: &K, now: Timestamp) -> Option<V> {
        let (read_at, value) = self.values.get(key)?;
        (now.millis_since(*read_at) < MAX_STALENESS_MILLIS).then(|| value.clone())
    }

    fn forget(&mut self, keys: &[K]) {
        for key in keys {
            self.values.remove(key);
        }
    }

    fn put(&mut self, key: K, value: V, now: Timestamp) {
        if self.values.len() >= MAX_ENTRIES {
            self.values
                .retain(|_, (read_at, _)| now.millis_since(*read_at) < MAX_STALENESS_MILLIS);
        }
        if self.values.len() >= MAX_ENTRIES {
            self.values.clear();
        }
        self.values.insert(key, (now, value));
    }
}

/// What has been read of the registry and of the parameters lately. Only what exists is remembered: an unknown sender
/// or symbol is asked for again, so that onboarding takes effect at once.
#[derive(Default)]
pub(crate) struct RegistryCache {
    principals: Mutex<Aged<Principal, CounterpartyId>>,
    counterparties: Mutex<Aged<CounterpartyId, Arc<Counterparty>>>,
    parameters: Mutex<Aged<Symbol, MatchParameters>>,
}

/// A cache is right whatever the thread that held it was doing when it panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl RegistryCache {
    /// Who these principals are; one that is not registered is left out.
    pub(crate) async fn find<R: Registry>(
        &self,
        registry: &R,
        principals: &[Principal],
        now: Timestamp,
    ) -> Result<HashMap<Principal, CounterpartyId>, PortError> {
        let mut known = HashMap::new();
        let mut unknown = Vec::new();
        for principal in principals {
            match lock(&self.principals).fresh(principal, now) {
                Some(id) => {
                    known.insert(principal.clone(), id);
                }
                None => unknown.push(principal.clone()),
            }
        }
        if !unknown.is_empty() {
            for (principal, id) in registry.find_principals(&unknown).await? {
                lock(&self.principals).put(principal.clone(), id.clone(), now);
                known.insert(principal, id);
            }
        }
        Ok(known)
    }

    /// Forgets these, so that the next question about them is answered by the registry itself.
    pub(crate) fn forget(&self, principals: &[Principal], ids: &[CounterpartyId]) {
        lock(&self.principals).forget(principals);
        lock(&self.counterparties).forget(ids);
    }

    /// What is known of these counterparties; one that is not registered is left out.
    pub(crate) async fn read<R: Registry>(
        &self,
        registry: &R,
        ids: &[CounterpartyId],
        now: Timestamp,
    ) -> Result<HashMap<CounterpartyId, Arc<Counterparty>>, PortError> {
        let mut known = HashMap::new();
        let mut unknown = Vec::new();
        for id in ids {
            match lock(&self.counterparties).fresh(id, now) {
                Some(counterparty) => {
                    known.insert(id.clone(), counterparty);
                }
                None => unknown.push(id.clone()),
            }
        }
        if !unknown.is_empty() {
            for counterparty in registry.read_counterparties(&unknown).await? {
                let counterparty = Arc::new(counterparty);
                lock(&self.counterparties).put(counterparty.id.clone(), Arc::clone(&counterparty), now);
                known.insert(counterparty.id.clone(), counterparty);
            }
        }
        Ok(known)
    }

    /// The parameters of a symbol; none for one that is not known.
    pub(crate) async fn parameters<S: ParameterStore>(
        &self,
        store: &S,
        symbol: &Symbol,
        now: Timestamp,
    ) -> Result<Option<MatchParameters>, PortError> {
        if let Some(parameters) = lock(&self.parameters).fresh(symbol, now) {
            return Ok(Some(parameters));
        }
        let read = store.read_parameters(std::slice::from_ref(symbol)).await?.pop();
        if let Some(parameters) = &read {
            lock(&self.parameters).put(symbol.clone(), parameters.clone(), now);
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use symbolon_shared::domain::parameters::PricePolicy;
    use symbolon_shared::testing::{MemoryPorts, Operation};

    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(1_000_000 + millis)
    }

    fn counterparty(n: usize) -> Counterparty {
        let id = CounterpartyId::new(format!("cp-{n}")).unwrap();
        Counterparty::new(id, Principal::new(format!("AROA{n}")).unwrap(), BTreeMap::new())
    }

    async fn known(cache: &RegistryCache, ports: &MemoryPorts, n: usize, now: Timestamp) -> (bool, bool) {
        let counterparty = counterparty(n);
        let principals = cache.find(ports, &[counterparty.principal], now).await.unwrap();
        let read = cache.read(ports, &[counterparty.id], now).await.unwrap();
        (principals.len() == 1, read.len() == 1)
    }

    fn calls(ports: &MemoryPorts) -> (u64, u64) {
        (
            ports.calls(Operation::FindPrincipals),
            ports.calls(Operation::ReadCounterparties),
        )
    }

    #[tokio::test]
    async fn what_was_read_is_believed_for_half_a_minute() {
        let (cache, ports) = (RegistryCache::default(), MemoryPorts::new());
        ports.put_counterparty(counterparty(1));
        for (millis, reads) in [(0, 1), (29_999, 1), (30_000, 2), (59_999, 2), (60_000, 3)] {
            assert_eq!(known(&cache, &ports, 1, at(millis)).await, (true, true));
            assert_eq!(calls(&ports), (reads, reads), "{millis}");
        }
    }

    #[tokio::test]
    async fn who_is_not_registered_is_asked_for_again() {
        let (cache, ports) = (RegistryCache::default(), MemoryPorts::new());
        assert_eq!(known(&cache, &ports, 1, at(0)).await, (false, false));
        ports.put_counterparty(counterparty(1));
        assert_eq!(known(&cache, &ports, 1, at(0)).await, (true, true));
    }

    #[tokio::test]
    async fn parameters_are_believed_as_long_and_an_unknown_symbol_is_asked_for_again() {
        let (cache, ports) = (RegistryCache::default(), MemoryPorts::new());
        let symbol = Symbol::new("BTCUSD").unwrap();
        let tradable = async |millis| {
            let read = cache.parameters(&ports, &symbol, at(millis)).await.unwrap();
            read.map(|parameters| parameters.tradable)
        };
        assert_eq!(tradable(0).await, None);
        let mut parameters = MatchParameters {
            symbol: symbol.clone(),
            tick: "1".to_owned().try_into().unwrap(),
            lot: "1".to_owned().try_into().unwrap(),
            price_policy: PricePolicy::Resting,
            currency: "USD".to_owned(),
            security_id: None,
            tradable: true,
            version: 1,
        };
        ports.put_parameters(parameters.clone());
        assert_eq!(tradable(0).await, Some(true));
        parameters.tradable = false;
        ports.put_parameters(parameters);
        assert_eq!(tradable(29_999).await, Some(true));
        assert_eq!(tradable(30_000).await, Some(false));
        assert_eq!(ports.calls(Operation::ReadParameters), 3);
    }

    #[tokio::test]
    async fn what_is_forgotten_is_read_again() {
        let (cache, ports) = (RegistryCache::default(), MemoryPorts::new());
        ports.put_counterparty(counterparty(1));
        known(&cache, &ports, 1, at(0)).await;
        cache.forget(&[counterparty(1).principal], &[counterparty(1).id]);
        assert_eq!(known(&cache, &ports, 1, at(0)).await, (true, true));
        assert_eq!(calls(&ports), (2, 2));
    }

    #[tokio::test]
    async fn it_stays_small_and_drops_what_is_stale_first() {
        let (cache, ports) = (RegistryCache::default(), MemoryPorts::new());
        let many = MAX_ENTRIES + 10;
        let principals: Vec<Principal> = (0..many).map(|n| counterparty(n).principal).collect();
        (0..many).for_each(|n| ports.put_counterparty(counterparty(n)));
        let found = cache
            .find(&ports, &principals[..MAX_ENTRIES - 1], at(0))
            .await
            .unwrap();
        assert_eq!(found.len(), MAX_ENTRIES - 1);
        cache
            .find(&ports, &principals[MAX_ENTRIES - 1..MAX_ENTRIES], at(20_000))
            .await
            .unwrap();
        // Full: the stale ones go, the fresh one stays.
        cache
            .find(&ports, &principals[MAX_ENTRIES..], at(40_000))
            .await
            .unwrap();
        assert_eq!(lock(&cache.principals).values.len(), 1 + 10);
        // All fresh: the bound holds all the same, and nobody is forgotten in the answer.
        let found = cache.find(&ports, &principals, at(40_001)).await.unwrap();
        assert_eq!(found.len(), many);
        assert!(lock(&cache.principals).values.len() <= MAX_ENTRIES);
    }
}
