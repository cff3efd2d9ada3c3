//! Tables, queues, and between them the real matcher, which works whenever the redrive waits.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dlq_redrive::{Conduct, QueueSettings, Redrive, Surroundings};
use matcher::Matcher;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use symbolon_shared::domain::audit::LogRegion;
use symbolon_shared::domain::counterparty::Counterparty;
use symbolon_shared::domain::identifiers::{CounterpartyId, Principal};
use symbolon_shared::domain::own_roles::OwnRoles;
use symbolon_shared::domain::parameters::MatchParameters;
use symbolon_shared::domain::redrive::{Answer, Consumer, LetterAsRead, QueueReport, Recent, SourceName};
use symbolon_shared::domain::time::Timestamp;
use symbolon_shared::testing::conformance::Arrange as _;
use symbolon_shared::testing::{FaultyPorts, Injection, MemoryPorts, MemoryRedrive, Script, Unlucky};

pub(crate) const SOURCE_URL: &str = "memory://intake";
pub(crate) const DEAD_URL: &str = "memory://intake-dlq";
pub(crate) const MATCHER: &str = "AROAMATCHER:matcher";
pub(crate) const REDRIVE: &str = "AROAREDRIVE:redrive";
pub(crate) const REGION: &str = "us-east-1";
pub(crate) const COUNTERPARTIES: usize = 12;
pub(crate) const CYCLES: u32 = 3;
/// 2026-11-23T10:15:30Z.
pub(crate) const NOON: Timestamp = Timestamp::from_millis(1_795_428_930_000);
/// What begins with this the matcher dies of, each time.
pub(crate) const DEADLY: &str = "R-";

const TIME_OUT_MILLIS: i64 = 300_000;
const BATCH: usize = 100;
const MOST_RECEIVES: u32 = 10;

#[derive(Clone)]
pub(crate) struct World {
    pub(crate) memory: MemoryRedrive,
    matcher: Arc<Matcher<FaultyPorts<MemoryPorts>>>,
    /// What came back to the source, and how often it was received.
    again: Arc<Mutex<Vec<(u32, LetterAsRead)>>>,
}

pub(crate) fn own_roles() -> OwnRoles {
    let role = |id: &str| Principal::new(id).unwrap();
    OwnRoles {
        matcher: role("AROAMATCHER"),
        redrive: Some(role("AROAREDRIVE")),
        bulk: None,
    }
}

pub(crate) fn sender(n: usize) -> String {
    format!("AROACOUNTERPARTY{n:02}:desk")
}

pub(crate) fn owner(n: usize) -> CounterpartyId {
    CounterpartyId::new(format!("cp-{n:02}")).unwrap()
}

fn conduct() -> Conduct {
    Conduct {
        region: LogRegion::new(REGION.to_owned()).unwrap(),
        queues: vec![QueueSettings {
            source: SourceName::new("intake").unwrap(),
            source_url: SOURCE_URL.to_owned(),
            dead_letter_url: DEAD_URL.to_owned(),
            consumer: "matcher".to_owned(),
        }],
        roles: own_roles(),
        maximum_cycles: CYCLES,
        sends_per_second: 50,
        canary_wait_millis: 30_000,
    }
}

fn market() -> MemoryPorts {
    let tables = MemoryPorts::new();
    for n in 0..COUNTERPARTIES {
        let principal = Principal::from_sender_id(&sender(n)).unwrap();
        let inboxes = BTreeMap::from([(REGION.to_owned(), format!("memory://inbox-{n}"))]);
        tables.put_counterparty(Counterparty::new(owner(n), principal, inboxes));
    }
    let parameters: MatchParameters = serde_json::from_value(json!({
        "v": 1, "symbol": "BTCUSD", "tick": "0.01", "lot": "1", "pricePolicy": "resting", "currency": "USD",
        "tradable": true, "version": 1
    }))
    .unwrap();
    tables.put_parameters(parameters);
    tables
}

/// One call in a hundred of the matcher goes wrong.
fn faults(seed: u64) -> Script {
    let mut dice = StdRng::seed_from_u64(seed);
    Script::by(move |_, _| {
        let kind = dice.random_range(0..500);
        Some(match kind {
            0 => Injection::RequestLost,
            1 => Injection::ResponseLost,
            2 => Injection::Throttled,
            3 => Injection::Conflict,
            4 => Injection::PartialFailure(vec![0, 2]),
            _ => return None,
        })
    })
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let memory = MemoryRedrive::new(market(), REDRIVE, NOON);
        memory.create_queue(SOURCE_URL);
        memory.create_queue(DEAD_URL);
        let works = Consumer {
            enabled: Some(true),
            recent: Some(Recent::default()),
        };
        memory.set_consumer("matcher", works);
        let (clock, dice) = (memory.clone(), Mutex::new(StdRng::seed_from_u64(seed)));
        let surroundings = matcher::Surroundings {
            clock: Box::new(move || clock.now()),
            seed: Box::new(move || dice.lock().unwrap().random()),
        };
        let ports = FaultyPorts::new(memory.tables().clone(), faults(seed));
        let matcher = Matcher::new(ports, REGION.to_owned(), own_roles(), surroundings);
        Self {
            memory,
            matcher: Arc::new(matcher),
            again: Arc::default(),
        }
    }

    /// Whether nothing is on the way anywhere.
    pub(crate) fn is_done(&self) -> bool {
        let empty = |url| self.memory.letters(url).is_empty();
        empty(DEAD_URL) && empty(SOURCE_URL) && self.again.lock().unwrap().is_empty()
    }

    /// One run of the redrive, an hour after the last one; nothing when its process dies.
    pub(crate) async fn run(&self, ports: Unlucky<MemoryRedrive>) -> Option<QueueReport> {
        let (clock, world) = (self.memory.clone(), self.clone());
        let surroundings = Surroundings {
            clock: Box::new(move || clock.now()),
            sleep: Box::new(move |wait: Duration| {
                let world = world.clone();
                Box::pin(async move {
                    world.memory.advance(i64::try_from(wait.as_millis()).unwrap());
                    world.match_all().await;
                })
            }),
        };
        let redrive = Redrive::new(ports, conduct(), surroundings);
        let deadline = self.memory.now().plus_millis(TIME_OUT_MILLIS);
        let run = redrive.handle(json!({}), deadline);
        let answer = tokio::time::timeout(Duration::from_hours(1), run).await;
        self.memory.advance(3_600_000);
        self.match_all().await;
        let Ok(Answer::Redrive(mut report)) = answer else {
            return None;
        };
        report.queues.pop()
    }

    /// The matcher works through everything on its queue, as often as something comes back.
    pub(crate) async fn match_all(&self) {
        for _ in 0..MOST_RECEIVES {
            let mut letters = std::mem::take(&mut *self.again.lock().unwrap());
            let fresh = self.memory.take_letters(SOURCE_URL).into_iter();
            letters.extend(fresh.map(|letter| (0, letter)));
            if letters.is_empty() {
                return;
            }
            for batch in letters.chunks(BATCH) {
                self.deliver(batch.to_vec()).await;
            }
        }
    }

    /// Delivers a batch. What comes back too often SQS moves to the dead-letter queue, as it is; and what the matcher
    /// sets aside lies there at once.
    pub(crate) async fn deliver(&self, batch: Vec<(u32, LetterAsRead)>) {
        let (deadly, batch): (Vec<_>, Vec<_>) = batch
            .into_iter()
            .partition(|(_, letter)| letter.body.contains(DEADLY));
        for (_, letter) in deadly {
            self.memory.put_letter(DEAD_URL, letter);
        }
        let records: Vec<Value> = batch.iter().enumerate().map(record).collect();
        let deadline = self.memory.now().plus_millis(30_000);
        let answer = Box::pin(self.matcher.handle(json!({"Records": records}), deadline)).await;
        let answer = serde_json::to_value(answer).unwrap();
        let failed: Vec<usize> = answer["batchItemFailures"]
            .as_array()
            .unwrap()
            .iter()
            .map(|failure| failure["itemIdentifier"].as_str().unwrap().parse().unwrap())
            .collect();
        for (index, (receives, letter)) in batch.into_iter().enumerate() {
            if failed.contains(&index) && receives + 1 < MOST_RECEIVES {
                self.again.lock().unwrap().push((receives + 1, letter));
            } else if failed.contains(&index) {
                self.memory.put_letter(DEAD_URL, letter);
            }
        }
        self.collect_set_aside().await;
    }

    async fn collect_set_aside(&self) {
        for letter in self.memory.tables().drain_dead_letters().await.unwrap() {
            let set_aside = LetterAsRead {
                body: letter.body,
                sender: Some(MATCHER.to_owned()),
                sent_at: Some(self.memory.now().as_millis().to_string()),
                reason: letter.attributes.get("reason").cloned(),
                ..LetterAsRead::default()
            };
            self.memory.put_letter(DEAD_URL, set_aside);
        }
    }
}

fn record((index, (receives, letter)): (usize, &(u32, LetterAsRead))) -> Value {
    json!({
        "messageId": index.to_string(),
        "body": letter.body,
        "attributes": {
            "SenderId": letter.sender,
            "SentTimestamp": letter.sent_at,
            "ApproximateReceiveCount": (receives + 1).to_string(),
        },
    })
}
