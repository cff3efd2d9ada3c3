//! A small market in memory: counterparties, parameters, and a clock that stands until it is moved.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use matcher::settings::OwnRoles;
use matcher::{Matcher, Surroundings};
use serde_json::{Value, json};
use symbolon_shared::domain::counterparty::{Counterparty, Standing};
use symbolon_shared::domain::identifiers::{ClOrdId, CounterpartyId, OrderKey, Principal};
use symbolon_shared::domain::parameters::MatchParameters;
use symbolon_shared::domain::submission::Submission;
use symbolon_shared::domain::time::Timestamp;
use symbolon_shared::ports::MatcherPorts;
use symbolon_shared::testing::MemoryPorts;

use crate::hooked::HookedPorts;

pub(crate) const REGION: &str = "us-east-1";
/// What the local deployment's matcher role has: the fixtures name it.
pub(crate) const OWN_ROLE: &str = "AROA7LGYHL3K6QY4Y7KSA";
pub(crate) const REDRIVE_ROLE: &str = "AROAREDRIVEREDRIVE001";
pub(crate) const BULK_ROLE: &str = "AROABULKBULKBULKBU001";

/// 2099-01-01T00:00:00Z: records are sent from here on.
pub(crate) const EPOCH_MILLIS: i64 = 4_070_908_800_000;
/// A function's time-out.
const TIME_OUT_MILLIS: i64 = 30_000;

pub(crate) const COUNTERPARTIES: usize = 12;

/// A clock that moves when it is told to, and by `step` with every look at it.
#[derive(Clone)]
pub(crate) struct TestClock {
    millis: Arc<AtomicI64>,
    step: Arc<AtomicI64>,
}

impl TestClock {
    fn new() -> Self {
        Self {
            millis: Arc::new(AtomicI64::new(EPOCH_MILLIS + 1_000)),
            step: Arc::default(),
        }
    }

    /// The moment, without moving on.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.millis.load(Ordering::SeqCst))
    }

    pub(crate) fn advance(&self, millis: i64) {
        self.millis.fetch_add(millis, Ordering::SeqCst);
    }

    pub(crate) fn set(&self, rfc3339: &str) {
        let at = Timestamp::parse_rfc3339(rfc3339).unwrap();
        self.millis.store(at.as_millis(), Ordering::SeqCst);
    }

    /// From now on each look at the clock takes `millis`.
    pub(crate) fn step_by(&self, millis: i64) {
        self.step.store(millis, Ordering::SeqCst);
    }

    fn read(&self) -> Timestamp {
        let step = self.step.load(Ordering::SeqCst);
        Timestamp::from_millis(self.millis.fetch_add(step, Ordering::SeqCst))
    }
}

/// 32 bytes that no other call gets.
pub(crate) fn fresh_seed() -> [u8; 32] {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&COUNT.fetch_add(1, Ordering::SeqCst).to_be_bytes());
    seed
}

#[derive(Clone)]
pub(crate) struct World {
    pub(crate) memory: MemoryPorts,
    pub(crate) clock: TestClock,
    delivered: Arc<Mutex<Vec<Value>>>,
}

impl World {
    /// Twelve counterparties, each with an inbox, and the symbol `BTCUSD`.
    pub(crate) fn new() -> Self {
        let world = Self::empty();
        (1..=COUNTERPARTIES).for_each(|n| world.register(n, |_| ()));
        world.add_symbol("BTCUSD");
        world
    }

    pub(crate) fn empty() -> Self {
        Self {
            memory: MemoryPorts::new(),
            clock: TestClock::new(),
            delivered: Arc::default(),
        }
    }

    pub(crate) fn add_symbol(&self, symbol: &str) {
        let parameters: MatchParameters = serde_json::from_value(json!({
            "v": 1, "symbol": symbol, "tick": "0.01", "lot": "0.00000001", "pricePolicy": "resting",
            "currency": "USD", "tradable": true, "version": 1
        }))
        .unwrap();
        self.memory.put_parameters(parameters);
    }

    /// Registers counterparty `n` as it was onboarded, but for what `change` makes of it.
    pub(crate) fn register(&self, n: usize, change: impl FnOnce(&mut Counterparty)) {
        let mut counterparty = counterparty(n);
        change(&mut counterparty);
        self.memory.put_counterparty(counterparty);
    }

    pub(crate) fn suspend(&self, n: usize) {
        self.register(n, |counterparty| counterparty.standing = Standing::Suspended);
    }

    /// From now on counterparty `n` does not want to meet `other`.
    pub(crate) fn exclude(&self, n: usize, other: usize) {
        self.register(n, |counterparty| counterparty.exclusions = [owner(other)].into());
    }

    pub(crate) fn surroundings(&self) -> Surroundings {
        let clock = self.clock.clone();
        Surroundings {
            clock: Box::new(move || clock.read()),
            seed: Box::new(fresh_seed),
        }
    }

    /// A matcher of its own process over ports that never fail.
    pub(crate) fn matcher(&self) -> Matcher<MemoryPorts> {
        self.matcher_over(self.memory.clone())
    }

    /// A matcher of its own process over `ports`.
    pub(crate) fn matcher_over<P: MatcherPorts>(&self, ports: P) -> Matcher<P> {
        Matcher::new(ports, REGION.to_owned(), own_roles(), self.surroundings())
    }

    /// These ports with hooks.
    pub(crate) fn hooked(&self) -> HookedPorts<MemoryPorts> {
        HookedPorts::new(self.memory.clone())
    }

    /// Delivers `records` with a whole time-out ahead, and gives the failed ids.
    pub(crate) async fn deliver<P: MatcherPorts>(
        &self,
        matcher: &Matcher<P>,
        records: impl IntoIterator<Item = Value>,
    ) -> Vec<String> {
        let event = json!({"Records": records.into_iter().collect::<Vec<_>>()});
        self.deliver_event(matcher, event).await
    }

    pub(crate) async fn deliver_event<P: MatcherPorts>(
        &self,
        matcher: &Matcher<P>,
        event: Value,
    ) -> Vec<String> {
        let records = event["Records"].as_array().cloned().unwrap_or_default();
        self.note_delivered(records);
        let deadline = self.clock.now().plus_millis(TIME_OUT_MILLIS);
        failed(Box::pin(matcher.handle(event, deadline)).await)
    }

    /// Counts these among the records that were delivered, for the invariants.
    pub(crate) fn note_delivered(&self, records: impl IntoIterator<Item = Value>) {
        self.delivered.lock().unwrap().extend(records);
    }

    /// Every record that was delivered, as often as it was.
    pub(crate) fn delivered(&self) -> Vec<Value> {
        self.delivered.lock().unwrap().clone()
    }

    pub(crate) fn submission(&self, n: usize, cl_ord_id: &str) -> Option<Submission> {
        self.memory.submission(&order(n, cl_ord_id))
    }

    /// The bodies sent to the inbox of counterparty `n`, copies included.
    pub(crate) fn inbox(&self, n: usize) -> Vec<Value> {
        self.bodies(n)
            .iter()
            .map(|body| serde_json::from_str(body).unwrap())
            .collect()
    }

    /// The same, to the letter.
    pub(crate) fn bodies(&self, n: usize) -> Vec<String> {
        let sent = self.memory.inbox(&inbox_url(n));
        sent.into_iter().map(|message| message.body).collect()
    }

    /// The types of the messages in the inbox of counterparty `n`.
    pub(crate) fn kinds(&self, n: usize) -> Vec<String> {
        let kind = |body: &Value| body["type"].as_str().unwrap().to_owned();
        self.inbox(n).iter().map(kind).collect()
    }

    /// The dead letters: their reasons and their envelopes.
    pub(crate) fn dead_letters(&self) -> Vec<(&'static str, Value)> {
        let letters = self.memory.dead_letters().into_iter();
        letters
            .map(|letter| (letter.reason, serde_json::from_str(&letter.body).unwrap()))
            .collect()
    }

    /// Whether nothing at all was written or sent.
    pub(crate) fn is_untouched(&self) -> bool {
        let quiet =
            self.memory.inboxes().values().all(Vec::is_empty) && self.memory.dead_letters().is_empty();
        quiet && self.memory.submissions().is_empty() && self.memory.entries().is_empty()
    }
}

/// The failed ids of an answer.
pub(crate) fn failed(answer: impl serde::Serialize) -> Vec<String> {
    let answer = serde_json::to_value(answer).unwrap();
    let failures = answer["batchItemFailures"].as_array().unwrap();
    let id = |failure: &Value| failure["itemIdentifier"].as_str().unwrap().to_owned();
    failures.iter().map(id).collect()
}

pub(crate) fn own_roles() -> OwnRoles {
    let role = |id: &str| Principal::new(id).unwrap();
    OwnRoles {
        matcher: role(OWN_ROLE),
        redrive: Some(role(REDRIVE_ROLE)),
        bulk: Some(role(BULK_ROLE)),
    }
}

pub(crate) fn inbox_url(n: usize) -> String {
    format!("inbox-{n}")
}

pub(crate) fn principal(n: usize) -> String {
    format!("AROACOUNTERPARTY{n:05}")
}

pub(crate) fn owner(n: usize) -> CounterpartyId {
    CounterpartyId::new(format!("cp-{n}")).unwrap()
}

pub(crate) fn counterparty(n: usize) -> Counterparty {
    let inboxes = BTreeMap::from([(REGION.to_owned(), inbox_url(n))]);
    Counterparty::new(owner(n), Principal::new(principal(n)).unwrap(), inboxes)
}

pub(crate) fn order(n: usize, cl_ord_id: &str) -> OrderKey {
    OrderKey::new(owner(n), ClOrdId::new(cl_ord_id).unwrap())
}
