//! Two queues, twelve counterparties, and a consumer by script. The clock moves only when the redrive waits: then the
//! consumer works.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dlq_redrive::{Conduct, QueueSettings, Redrive, Surroundings};
use serde_json::{Value, json};
use symbolon_shared::domain::audit::LogRegion;
use symbolon_shared::domain::change_set::{ChangeSet, SubmissionWrite};
use symbolon_shared::domain::counterparty::Counterparty;
use symbolon_shared::domain::decimal::Quantity;
use symbolon_shared::domain::envelope::{Envelope, Origin, SenderId};
use symbolon_shared::domain::form::Form;
use symbolon_shared::domain::identifiers::{ClOrdId, CounterpartyId, Principal};
use symbolon_shared::domain::intake::{Member, parse_body};
use symbolon_shared::domain::own_roles::{Opening, OwnRoles};
use symbolon_shared::domain::reason::{PoisonReason, SetAsideReason};
use symbolon_shared::domain::redrive::{
    Answer, Consumer, LetterAsRead, ObjectName, QueueReport, Recent, SourceName,
};
use symbolon_shared::domain::submission::{Submission, SubmissionKind};
use symbolon_shared::domain::time::Timestamp;
use symbolon_shared::ports::Ledger as _;
use symbolon_shared::ports::redrive::RedrivePorts;
use symbolon_shared::testing::{MemoryPorts, MemoryRedrive};

pub(crate) const SOURCE_URL: &str = "memory://intake";
pub(crate) const DEAD_URL: &str = "memory://intake-dlq";
pub(crate) const CONSUMER: &str = "matcher";
pub(crate) const REDRIVE: &str = "AROAREDRIVE:run";
pub(crate) const MATCHER: &str = "AROAMATCHER:run";
pub(crate) const CYCLES: u32 = 3;
/// 2026-11-23T10:15:30Z.
pub(crate) const NOON: Timestamp = Timestamp::from_millis(1_795_428_930_000);
/// When letters were sent.
pub(crate) const SENT: Timestamp = NOON.plus_millis(-3_600_000);
/// The function's time-out.
pub(crate) const TIME_OUT_MILLIS: i64 = 300_000;

/// What the consumer does with a message, by its `clOrdId`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Processes it.
    Answers,
    /// Sets it aside at once.
    SetsAside,
    /// Gives it back until SQS moves it.
    FailsAtOnce,
    /// Keeps it in flight.
    Silent,
}

#[derive(Clone)]
pub(crate) struct World {
    pub(crate) memory: MemoryRedrive,
    fates: Arc<Mutex<BTreeMap<String, Fate>>>,
    /// How often each message was processed for the first time.
    pub(crate) effects: Arc<Mutex<BTreeMap<String, u32>>>,
    /// Every `clOrdId` that reached the consumer, in order.
    pub(crate) seen: Arc<Mutex<Vec<String>>>,
}

pub(crate) fn own_roles() -> OwnRoles {
    let role = |id: &str| Principal::new(id).unwrap();
    OwnRoles {
        matcher: role("AROAMATCHER"),
        redrive: Some(role("AROAREDRIVE")),
        bulk: None,
    }
}

pub(crate) fn source() -> SourceName {
    SourceName::new("intake").unwrap()
}

pub(crate) fn conduct() -> Conduct {
    Conduct {
        region: LogRegion::new("us-east-1".to_owned()).unwrap(),
        queues: vec![QueueSettings {
            source: source(),
            source_url: SOURCE_URL.to_owned(),
            dead_letter_url: DEAD_URL.to_owned(),
            consumer: CONSUMER.to_owned(),
        }],
        roles: own_roles(),
        maximum_cycles: CYCLES,
        sends_per_second: 100,
        canary_wait_millis: 30_000,
    }
}

pub(crate) fn sender(n: usize) -> String {
    format!("AROACOUNTERPARTY{n:02}:desk")
}

fn owner(n: usize) -> CounterpartyId {
    CounterpartyId::new(format!("cp-{n:02}")).unwrap()
}

pub(crate) fn working() -> Consumer {
    Consumer {
        enabled: Some(true),
        recent: Some(Recent::default()),
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let tables = MemoryPorts::new();
        for n in 0..12 {
            let principal = Principal::from_sender_id(&sender(n)).unwrap();
            tables.put_counterparty(Counterparty::new(owner(n), principal, BTreeMap::new()));
        }
        let memory = MemoryRedrive::new(tables, REDRIVE, NOON);
        memory.create_queue(SOURCE_URL);
        memory.create_queue(DEAD_URL);
        memory.set_consumer(CONSUMER, working());
        Self {
            memory,
            fates: Arc::default(),
            effects: Arc::default(),
            seen: Arc::default(),
        }
    }

    pub(crate) fn fate(&self, cl_ord_id: &str, fate: Fate) {
        self.fates.lock().unwrap().insert(cl_ord_id.to_owned(), fate);
    }

    /// Puts a letter into the dead-letter queue as SQS moves one.
    pub(crate) fn moved(&self, cl_ord_id: &str) {
        self.dead(letter(&interest(cl_ord_id)));
    }

    pub(crate) fn dead(&self, letter: LetterAsRead) {
        self.memory.put_letter(DEAD_URL, letter);
    }

    pub(crate) fn dead_letters(&self) -> Vec<LetterAsRead> {
        self.memory.letters(DEAD_URL)
    }

    /// Names in the quarantine.
    pub(crate) fn quarantined(&self) -> Vec<ObjectName> {
        let names = self.memory.objects().into_keys();
        names.map(|name| ObjectName::parse(&name).unwrap()).collect()
    }

    /// How many lie in the quarantine, by reason.
    pub(crate) fn poison(&self) -> BTreeMap<PoisonReason, usize> {
        let mut poison = BTreeMap::new();
        for name in self.quarantined() {
            *poison.entry(name.reason).or_default() += 1;
        }
        poison
    }

    pub(crate) fn redrive(&self) -> Redrive<MemoryRedrive> {
        self.over(self.memory.clone())
    }

    /// A redrive over `ports`. While it waits, time passes and the consumer works.
    pub(crate) fn over<P: RedrivePorts>(&self, ports: P) -> Redrive<P> {
        Redrive::new(ports, conduct(), self.surroundings())
    }

    pub(crate) fn surroundings(&self) -> Surroundings {
        let (clock, world) = (self.memory.clone(), self.clone());
        Surroundings {
            clock: Box::new(move || clock.now()),
            sleep: Box::new(move |wait| {
                let world = world.clone();
                Box::pin(async move { world.pass(wait).await })
            }),
        }
    }

    async fn pass(&self, wait: Duration) {
        self.memory.advance(i64::try_from(wait.as_millis()).unwrap());
        self.consume().await;
    }

    pub(crate) fn deadline(&self) -> Timestamp {
        self.memory.now().plus_millis(TIME_OUT_MILLIS)
    }

    /// One run by schedule.
    pub(crate) async fn run(&self) -> QueueReport {
        self.ask(json!({})).await
    }

    pub(crate) async fn ask(&self, event: Value) -> QueueReport {
        only(self.redrive().handle(event, self.deadline()).await)
    }

    /// Time enough that whatever is in hand is seen again.
    pub(crate) async fn later(&self) {
        self.memory.advance(3_600_000);
        self.consume().await;
    }

    /// The consumer takes everything from the source.
    pub(crate) async fn consume(&self) {
        for letter in self.memory.take_letters(SOURCE_URL) {
            let opening = own_roles().open(
                &SenderId::parse(letter.sender.as_deref().unwrap()).unwrap(),
                &letter.body,
            );
            let Opening::Ours(envelope) = opening else {
                panic!("the redrive sends envelopes");
            };
            self.process(letter, envelope).await;
        }
    }

    async fn process(&self, letter: LetterAsRead, envelope: Envelope) {
        let members = parse_body(&envelope.body).unwrap();
        for member in members {
            let Member::Message(message) = member else {
                continue;
            };
            let id = message.cl_ord_id.as_str().to_owned();
            self.seen.lock().unwrap().push(id.clone());
            let fate = self.fates.lock().unwrap().get(&id).copied();
            match fate.unwrap_or(Fate::Answers) {
                Fate::Answers => self.answer(&envelope, message.cl_ord_id).await,
                Fate::SetsAside => {
                    self.set_aside(&envelope);
                    return;
                }
                Fate::FailsAtOnce => {
                    self.dead(letter);
                    return;
                }
                Fate::Silent => {}
            }
        }
    }

    async fn answer(&self, envelope: &Envelope, cl_ord_id: ClOrdId) {
        let Origin::Sender(sender) = &envelope.origin else {
            panic!("no bulk here");
        };
        let n: usize = sender.encode()[16..18].parse().unwrap();
        let submission = submission(n, cl_ord_id, envelope.sent_at);
        if self.memory.tables().submission(&submission.key()).is_some() {
            return;
        }
        *self
            .effects
            .lock()
            .unwrap()
            .entry(submission.cl_ord_id.as_str().to_owned())
            .or_default() += 1;
        self.store(submission).await;
    }

    /// Puts a submission into the table.
    pub(crate) async fn store(&self, submission: Submission) {
        let mut changes = ChangeSet::default();
        let key = submission.key();
        changes
            .submissions
            .insert(key, SubmissionWrite::Insert(Box::new(submission)));
        self.memory.tables().commit(&changes, [0; 16]).await.unwrap();
    }

    fn set_aside(&self, envelope: &Envelope) {
        let envelope = Envelope {
            reason: Some(SetAsideReason::UnknownSender.into()),
            ..envelope.clone()
        };
        self.dead(LetterAsRead {
            reason: Some("unknown_sender".to_owned()),
            ..from(MATCHER, &envelope.to_json(), self.memory.now())
        });
    }

    pub(crate) fn effects(&self) -> BTreeMap<String, u32> {
        self.effects.lock().unwrap().clone()
    }

    pub(crate) fn reached(&self) -> BTreeSet<String> {
        self.seen.lock().unwrap().iter().cloned().collect()
    }
}

/// A submission that answers a message.
pub(crate) fn submission(n: usize, cl_ord_id: ClOrdId, accepted_at: Timestamp) -> Submission {
    Submission {
        v: Form,
        owner: owner(n),
        cl_ord_id,
        kind: SubmissionKind::Refused,
        body_hash: None,
        accepted_at,
        answer: None,
        terms: None,
        ord_status: None,
        cum_qty: Quantity::ZERO,
        leaves_qty: Quantity::ZERO,
        rests: None,
        tokens: Vec::new(),
        matches: Vec::new(),
        told_at: None,
        ended_by: None,
        generation: 0,
        expires_at: i64::MAX / 1_000,
    }
}

/// The report of the only queue.
pub(crate) fn only(answer: Answer) -> QueueReport {
    let Answer::Redrive(mut report) = answer else {
        panic!("{answer:?}");
    };
    assert_eq!(report.queues.len(), 1);
    let report = report.queues.remove(0);
    let ends = report.sent_back + report.quarantined.values().sum::<u64>() + report.left;
    assert_eq!(report.received, ends, "each letter ends somewhere: {report:?}");
    report
}

pub(crate) fn interest(cl_ord_id: &str) -> String {
    json!({"type": "interest", "clOrdId": cl_ord_id, "symbol": "BTCUSD", "side": "buy", "orderQty": "1", "price": "2"})
        .to_string()
}

/// A body as counterparty 1 sent it an hour before noon.
pub(crate) fn letter(body: &str) -> LetterAsRead {
    from(&sender(1), body, SENT)
}

pub(crate) fn from(sender: &str, body: &str, at: Timestamp) -> LetterAsRead {
    LetterAsRead {
        body: body.to_owned(),
        sender: Some(sender.to_owned()),
        sent_at: Some(at.as_millis().to_string()),
        receives: Some("10".to_owned()),
        ..LetterAsRead::default()
    }
}

/// What was sent back so often, and came back.
pub(crate) fn relapsed(cl_ord_id: &str, cycles: u32) -> LetterAsRead {
    let envelope = Envelope {
        origin: Origin::Sender(SenderId::parse(&sender(1)).unwrap()),
        sent_at: SENT,
        cycles,
        reason: None,
        body: interest(cl_ord_id),
    };
    from(REDRIVE, &envelope.to_json(), NOON)
}
