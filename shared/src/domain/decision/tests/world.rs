//! A world for decisions: tables, registry, parameters, inboxes and a clock; and handlers that take messages from the
//! queue to the inbox in steps, so that a test can interleave them, lose their responses, or stop them half way.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use serde_json::Value;

use crate::domain::book::{EntryKey, Version};
use crate::domain::change_set::ChangeSet;
use crate::domain::counterparty::{Counterparty, Standing};
use crate::domain::decision::{Arrival, Effect, Entropy, Interruption, Surroundings, decide, look};
use crate::domain::desk::{Desk, Need};
use crate::domain::identifiers::{ClOrdId, CounterpartyId, OrderKey, Principal, Symbol};
use crate::domain::inbox::{OutboundMessage, match_messages};
use crate::domain::intake::{Member, Message, parse_body};
use crate::domain::invariants::{Evidence, Known, OpenedMatch, Sent, check_all};
use crate::domain::limits::MAX_TRANSACTION_ACTIONS;
use crate::domain::match_record::MatchRecord;
use crate::domain::parameters::{MatchParameters, PricePolicy};
use crate::domain::submission::Submission;
use crate::domain::test_tables::TestTables;
use crate::domain::time::Timestamp;
use crate::domain::token::{DataKey, EpochId, EpochKey, MatchId};

/// The contract's example interest was sent in its year.
pub(in crate::domain) const START: Timestamp = Timestamp::from_millis(1_795_000_000_000);

/// One symbol of each price policy.
pub(in crate::domain) const SYMBOLS: [&str; 2] = ["BTCUSD", "ETHUSD"];

pub(in crate::domain) fn cp(number: usize) -> CounterpartyId {
    CounterpartyId::new(format!("cp-{number}")).unwrap()
}

pub(in crate::domain) fn order(owner: usize, id: &str) -> OrderKey {
    OrderKey::new(cp(owner), ClOrdId::new(id).unwrap())
}

pub(in crate::domain) fn parse(body: &str) -> Message {
    match parse_body(body).unwrap().remove(0) {
        Member::Message(message) => message,
        Member::Unreadable(_) => panic!("unreadable"),
    }
}

/// Never the same bytes twice.
#[derive(Default)]
pub(in crate::domain) struct Counter(u64);

impl Entropy for Counter {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.0 += 1;
        let counted = self.0.to_be_bytes();
        let from = bytes.len() - counted.len();
        bytes[from..].copy_from_slice(&counted);
    }
}

pub(in crate::domain) struct World {
    pub(in crate::domain) tables: TestTables,
    pub(in crate::domain) registry: BTreeMap<CounterpartyId, Known<Counterparty>>,
    pub(in crate::domain) parameters: BTreeMap<Symbol, Known<MatchParameters>>,
    pub(in crate::domain) now: Timestamp,
    pub(in crate::domain) inboxes: BTreeMap<CounterpartyId, Vec<String>>,
    pub(in crate::domain) sent: Vec<Sent>,
    /// What the queue holds.
    pub(in crate::domain) queue: VecDeque<Arrival>,
    /// Entries in a page: small, so that a few interests already take several.
    pub(in crate::domain) page_entries: usize,
    entropy: Counter,
    key: EpochKey,
}

fn counterparty(number: usize) -> Counterparty {
    let principal = Principal::new(format!("AROA{number:08}")).unwrap();
    let inbox = format!("https://sqs/inbox-{number}");
    Counterparty::new(cp(number), principal, [("us-east-1".to_owned(), inbox)].into())
}

fn parameters(symbol: &str, price_policy: PricePolicy) -> MatchParameters {
    MatchParameters {
        symbol: Symbol::new(symbol).unwrap(),
        tick: "0.01".to_owned().try_into().unwrap(),
        lot: "0.01".to_owned().try_into().unwrap(),
        price_policy,
        currency: "USD".to_owned(),
        security_id: None,
        tradable: true,
        version: 1,
    }
}

impl World {
    /// Counterparties 0 to `counterparties - 1`, and both symbols.
    pub(in crate::domain) fn new(counterparties: usize, page_entries: usize) -> Self {
        let [resting, midpoint] = SYMBOLS;
        let symbols = [
            parameters(resting, PricePolicy::Resting),
            parameters(midpoint, PricePolicy::Midpoint),
        ];
        Self {
            tables: TestTables::default(),
            registry: (0..counterparties)
                .map(|number| (cp(number), Known::constant(counterparty(number))))
                .collect(),
            parameters: symbols
                .map(|one| (one.symbol.clone(), Known::constant(one)))
                .into(),
            now: START,
            inboxes: BTreeMap::new(),
            sent: Vec::new(),
            queue: VecDeque::new(),
            page_entries,
            entropy: Counter::default(),
            key: EpochKey::derive(EpochId::new(START, 1), DataKey::new([7; 32])),
        }
    }

    /// Puts a message on the queue now.
    pub(in crate::domain) fn send(&mut self, owner: usize, body: &str) {
        self.send_as_of(owner, body, self.now);
    }

    /// Puts a message on the queue that was first sent at `sent_at`.
    pub(in crate::domain) fn send_as_of(&mut self, owner: usize, body: &str, sent_at: Timestamp) {
        let message = parse(body);
        let order = OrderKey::new(cp(owner), message.cl_ord_id.clone());
        self.sent.push(Sent {
            order: order.clone(),
            message: message.clone(),
            sent_at,
        });
        self.queue.push_back(Arrival {
            order,
            message,
            sent_at,
            receive_count: 0,
        });
    }

    /// Sends a message and lets a handler take it (and what else was waiting) to its end: what its sender receives.
    pub(in crate::domain) fn say(&mut self, owner: usize, body: &str) -> Vec<Value> {
        let before = self.inboxes.get(&cp(owner)).map_or(0, Vec::len);
        self.send(owner, body);
        self.settle();
        self.received(owner).split_off(before)
    }

    /// Everything in an inbox.
    pub(in crate::domain) fn received(&self, owner: usize) -> Vec<Value> {
        let inbox = self.inboxes.get(&cp(owner)).into_iter().flatten();
        inbox.map(|body| serde_json::from_str(body).unwrap()).collect()
    }

    /// Handlers take what is in the queue, one message at a time, until nothing is left.
    pub(in crate::domain) fn settle(&mut self) {
        while !self.queue.is_empty() {
            Handler::take(self, 1, usize::MAX).finish(self);
        }
    }

    pub(in crate::domain) fn wait(&mut self, millis: i64) {
        self.now = self.now.plus_millis(millis);
    }

    pub(in crate::domain) fn submission(&self, owner: usize, id: &str) -> &Submission {
        &self.tables.submissions[&order(owner, id)]
    }

    /// Changes a counterparty. The clock moves on, so that it is clear what came before.
    pub(in crate::domain) fn change_counterparty(
        &mut self,
        number: usize,
        change: impl FnOnce(&mut Counterparty),
    ) {
        self.wait(1);
        let known = self.registry.get_mut(&cp(number)).unwrap();
        change(&mut known.value);
        known.changed_at = Some(self.now);
    }

    pub(in crate::domain) fn set_standing(&mut self, number: usize, standing: Standing) {
        self.change_counterparty(number, |counterparty| counterparty.standing = standing);
    }

    pub(in crate::domain) fn exclude(&mut self, one: usize, other: usize) {
        self.change_counterparty(one, |counterparty| {
            counterparty.exclusions.insert(cp(other));
        });
    }

    pub(in crate::domain) fn set_tradable(&mut self, symbol: &str, tradable: bool) {
        self.wait(1);
        let known = self.parameters.get_mut(&Symbol::new(symbol).unwrap()).unwrap();
        known.value.tradable = tradable;
        known.value.version += 1;
        known.changed_at = Some(self.now);
    }

    fn fetch(&self, desk: &mut Desk, need: Need) {
        match need {
            Need::Submissions(keys) => {
                let stored = |key: OrderKey| (key.clone(), self.tables.submissions.get(&key).cloned());
                desk.learn_submissions(keys.into_iter().map(stored));
            }
            Need::Book(book, bound) => {
                let (page, known_to) =
                    self.tables
                        .page(&book, &desk.known_to(&book), &bound, self.page_entries);
                desk.learn_page(&book, page, known_to);
            }
            Need::Counterparties(ids) => {
                let stored = |id: &CounterpartyId| self.registry.get(id).map(|known| known.value.clone());
                desk.learn_counterparties(ids.into_iter().map(|id| (id.clone(), stored(&id))));
            }
            Need::Parameters(symbol) => {
                let stored = self.parameters.get(&symbol).map(|known| known.value.clone());
                desk.learn_parameters(symbol, stored);
            }
        }
    }

    fn deliver(&mut self, message: OutboundMessage) {
        self.inboxes.entry(message.to).or_default().push(message.body);
    }

    /// Tells the matches that the stored submission lists, and marks them told if it still lists the same.
    fn publish(&mut self, order: &OrderKey) {
        let matches: Vec<MatchId> = self.tables.submissions[order].matches.clone();
        for id in &matches {
            let record = self.tables.matches[id].clone();
            let parties = self.key.open(*id, &record.parties).unwrap();
            for message in match_messages(&record, &parties) {
                self.deliver(message);
            }
        }
        let stored = self.tables.submissions.get_mut(order).unwrap();
        if stored.matches == matches {
            stored.told_at = Some(self.now);
        }
    }

    pub(in crate::domain) fn evidence(&self) -> Evidence {
        let open = |record: &MatchRecord| OpenedMatch {
            record: record.clone(),
            parties: self.key.open(record.match_id, &record.parties).unwrap(),
        };
        Evidence {
            now: self.now,
            sent: self.sent.clone(),
            unanswerable: Vec::new(),
            submissions: self.tables.submissions.values().cloned().collect(),
            entries: self.tables.entries.values().cloned().collect(),
            matches: self.tables.matches.values().map(open).collect(),
            counterparties: self.registry.values().cloned().collect(),
            parameters: self.parameters.values().cloned().collect(),
            inboxes: self.inboxes.clone(),
            set_aside: Vec::new(),
        }
    }

    /// Every invariant that does not hold, and its counterexample.
    pub(in crate::domain) fn broken_invariants(&self) -> Vec<String> {
        let verdicts = check_all(&self.evidence()).into_iter();
        verdicts
            .filter_map(|(name, verdict)| Some(format!("{name}: {}", verdict.err()?)))
            .collect()
    }

    pub(in crate::domain) fn assert_sound(&self) {
        assert_eq!(self.broken_invariants(), [""; 0], "{:?}", self.tables);
    }
}

/// Which work of one task.
#[derive(Clone)]
enum Work {
    Arrival(usize),
    Look(usize, OrderKey),
}

impl Work {
    fn task(&self) -> usize {
        match self {
            Self::Arrival(task) | Self::Look(task, _) => *task,
        }
    }
}

/// One delivery of some messages, taken to its end step by step as the matcher does it: decide as many as fit a
/// transaction, write them, look again for what was left in the book, tell.
pub(in crate::domain) struct Handler {
    arrivals: Vec<Arrival>,
    /// The senders as they were when the messages were taken.
    senders: HashMap<CounterpartyId, Counterparty>,
    desk: Desk,
    work: VecDeque<Work>,
    /// At most so many messages share a transaction.
    most: usize,
    decided: Option<(ChangeSet, Vec<(Work, Effect)>)>,
    looks: Vec<(usize, OrderKey)>,
    answers: Vec<(usize, OutboundMessage)>,
    publish: BTreeSet<OrderKey>,
    expired: Vec<(EntryKey, Version)>,
    waiting: HashSet<usize>,
}

/// What becomes of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::domain) enum Response {
    /// It is answered.
    Comes,
    /// It is done, but its answer is lost.
    IsLost,
}

impl Handler {
    /// Takes the first `count` messages from the queue.
    pub(in crate::domain) fn take(world: &mut World, count: usize, most: usize) -> Self {
        let count = count.min(world.queue.len());
        let mut arrivals: Vec<Arrival> = world.queue.drain(..count).collect();
        for arrival in &mut arrivals {
            arrival.receive_count += 1;
        }
        arrivals.sort_by_key(|arrival| arrival.sent_at);
        let everybody = world.registry.iter();
        Self {
            work: (0..arrivals.len()).map(Work::Arrival).collect(),
            senders: everybody
                .map(|(id, known)| (id.clone(), known.value.clone()))
                .collect(),
            arrivals,
            desk: Desk::default(),
            most,
            decided: None,
            looks: Vec::new(),
            answers: Vec::new(),
            publish: BTreeSet::new(),
            expired: Vec::new(),
            waiting: HashSet::new(),
        }
    }

    /// Steps until it is done.
    pub(in crate::domain) fn finish(mut self, world: &mut World) {
        let mut steps = 0;
        while !self.step(world, Response::Comes) {
            steps += 1;
            assert!(steps < 1_000, "it decides the same again and again");
        }
    }

    /// Stops here: its messages go back to the queue.
    pub(in crate::domain) fn crash(self, world: &mut World) {
        world.queue.extend(self.arrivals);
    }

    /// One step; whether it was the last.
    pub(in crate::domain) fn step(&mut self, world: &mut World, response: Response) -> bool {
        if let Some((changes, members)) = self.decided.take() {
            self.write(world, &changes, members, response);
        } else if !self.work.is_empty() {
            self.decided = Some(self.gather(world));
        } else if !self.looks.is_empty() {
            self.begin_looks();
        } else {
            self.tell(world);
            return true;
        }
        false
    }

    fn gather(&mut self, world: &mut World) -> (ChangeSet, Vec<(Work, Effect)>) {
        let (mut changes, mut members) = (ChangeSet::default(), Vec::new());
        while members.len() < self.most {
            let Some(work) = self.work.pop_front() else { break };
            match self.decide(world, &work) {
                None => {
                    self.waiting.insert(work.task());
                }
                Some(effect) if changes.actions_with(&effect.changes) > MAX_TRANSACTION_ACTIONS => {
                    self.work.push_front(work);
                    break;
                }
                Some(mut effect) => {
                    self.desk.apply(&effect.changes);
                    changes.merge(std::mem::take(&mut effect.changes));
                    members.push((work, effect));
                }
            }
        }
        assert!(changes.actions() <= MAX_TRANSACTION_ACTIONS);
        (changes, members)
    }

    /// The effect, or nothing when the record goes back to the queue.
    fn decide(&mut self, world: &mut World, work: &Work) -> Option<Effect> {
        loop {
            let around = Surroundings {
                now: world.now,
                region: "us-east-1",
                generation: 1,
                key: &world.key,
            };
            let arrival = &self.arrivals[work.task()];
            let sender = &self.senders[&arrival.order.owner];
            let entropy = &mut world.entropy;
            let decided = match work {
                Work::Arrival(_) => decide(&self.desk, arrival, sender, &around, entropy),
                Work::Look(_, order) => look(&self.desk, order, sender, &around, entropy),
            };
            match decided {
                Ok(effect) => return Some(effect),
                Err(Interruption::Retry(_)) => return None,
                Err(Interruption::Need(need)) => world.fetch(&mut self.desk, need),
            }
        }
    }

    fn write(
        &mut self,
        world: &mut World,
        changes: &ChangeSet,
        members: Vec<(Work, Effect)>,
        response: Response,
    ) {
        let written = world.tables.commit(changes).is_ok();
        if written && response == Response::Comes {
            for (work, effect) in members {
                self.accept(work.task(), effect);
            }
            return;
        }
        // Nothing that was decided is believed any more.
        self.desk.forget_books();
        self.desk.forget_submissions(changes.submissions.keys());
        for (work, _) in members.into_iter().rev() {
            self.work.push_front(work);
        }
    }

    fn accept(&mut self, task: usize, effect: Effect) {
        self.answers
            .extend(effect.answers.into_iter().map(|answer| (task, answer)));
        self.looks.extend(effect.look.map(|order| (task, order)));
        self.publish.extend(effect.publish);
        self.expired.extend(effect.expired);
    }

    /// Only a look from here on sees who came at the same time.
    fn begin_looks(&mut self) {
        self.desk.forget_books();
        let looks = std::mem::take(&mut self.looks).into_iter();
        self.work
            .extend(looks.map(|(task, order)| Work::Look(task, order)));
    }

    fn tell(&mut self, world: &mut World) {
        for (task, message) in std::mem::take(&mut self.answers) {
            if !self.waiting.contains(&task) {
                world.deliver(message);
            }
        }
        for order in std::mem::take(&mut self.publish) {
            world.publish(&order);
        }
        for (key, version) in std::mem::take(&mut self.expired) {
            world.tables.remove(&key, version);
        }
        for task in &self.waiting {
            world.queue.push_back(self.arrivals[*task].clone());
        }
    }
}
