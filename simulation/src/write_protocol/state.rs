//! The model that the checker explores: what may happen next, and what comes of it.

use std::collections::BTreeSet;

use stateright::{Model, Property};

use super::delivery::{Delivery, Received, Response, Step};
use super::invariants::{INVARIANTS, Invariant};
use super::message::{Id, Message, Moment, Owner, Sent};
use super::scenario::{Deletion, Faults, Scenario};
use super::tables::{Tables, Transaction};
use super::variant::Variant;

/// One scenario under one protocol.
#[derive(Debug, Clone)]
pub struct WriteProtocol {
    /// What is sent, and what may go wrong.
    pub scenario: Scenario,
    /// How it is handled.
    pub variant: Variant,
    /// What is judged.
    pub judged: Vec<Invariant>,
}

/// Everything there is at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    /// The clock, as far as expiry goes.
    pub now: Moment,
    /// The tables.
    pub tables: Tables,
    /// What the inboxes have received: copies that are the same lie on each other.
    pub inboxes: BTreeSet<(Owner, Received)>,
    /// Every message that is not deleted, sorted: which handler is which does not matter.
    pub deliveries: Vec<Delivery>,
    /// A transaction on its way that its sender has given up.
    pub late: Option<(Sent, Transaction)>,
    /// The faults that may still happen.
    pub faults: Faults,
}

/// What happens. The number says which of the deliveries it happens to, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// A handler receives the message.
    Receive(Id, u8),
    /// A message is delivered once more.
    Duplicate(Id, Sent),
    /// The handler does its next step.
    Step(Id, u8),
    /// It writes, and the response is lost.
    LoseResponse(Id, u8),
    /// It gives up waiting for a write that is still on its way.
    GiveUpWaiting(Id, u8),
    /// It dies.
    Crash(Id, u8),
    /// What somebody has given up arrives.
    ArriveLate,
    /// Time passes.
    Tick,
}

impl WriteProtocol {
    /// `scenario` under `variant`, judged by every invariant.
    #[must_use]
    pub fn new(scenario: Scenario, variant: Variant) -> Self {
        Self {
            scenario,
            variant,
            judged: INVARIANTS.to_vec(),
        }
    }

    /// The message with this number.
    #[must_use]
    pub fn message(&self, sent: Sent) -> &Message {
        &self.scenario.messages[usize::from(sent)]
    }

    /// Every message with its number.
    pub fn messages(&self) -> impl Iterator<Item = (Sent, &Message)> {
        (0..).zip(&self.scenario.messages)
    }

    /// What happened before the scenario begins: each of its first messages delivered and done, one by one.
    fn prepared(&self) -> State {
        let mut state = State {
            now: 0,
            tables: Tables::default(),
            inboxes: BTreeSet::new(),
            deliveries: Vec::new(),
            late: None,
            faults: self.scenario.faults,
        };
        let (before, now): (Vec<_>, Vec<_>) = self
            .messages()
            .map(|(sent, _)| sent)
            .partition(|sent| usize::from(*sent) < self.scenario.done_before);
        for sent in before {
            let mut delivery = Some(Delivery::waiting(sent));
            while let Some(under_way) = delivery {
                delivery = under_way.step(self, &mut state, Response::Arrives);
            }
        }
        state.deliveries = now.into_iter().map(Delivery::waiting).collect();
        state
    }

    fn actions_of(&self, state: &State, nth: u8, delivery: &Delivery, actions: &mut Vec<Action>) {
        let id = delivery.message(self).id;
        if !delivery.is_under_way() {
            if !state.has_late_write_of(delivery.sent) {
                actions.push(Action::Receive(id, nth));
            }
            return;
        }
        actions.push(Action::Step(id, nth));
        if state.faults.crashes > 0 {
            actions.push(Action::Crash(id, nth));
        }
        if state.faults.lost_responses > 0 && delivery.is_about_to_write(self, state) {
            actions.push(Action::LoseResponse(id, nth));
        }
        let writes = matches!(delivery.step, Step::Write(_));
        if state.faults.late_writes > 0 && state.late.is_none() && writes {
            actions.push(Action::GiveUpWaiting(id, nth));
        }
    }

    /// Whether the message can be delivered once more.
    fn can_come_again(&self, state: &State, sent: Sent) -> bool {
        match self.scenario.deletion {
            Deletion::OfItsOwnCopy => true,
            Deletion::OfEveryCopy => state.deliveries.iter().any(|delivery| delivery.sent == sent),
        }
    }

    fn deliver(&self, state: &mut State, delivery: Delivery, response: Response) {
        let sent = delivery.sent;
        match delivery.step(self, state, response) {
            Some(delivery) => state.put_back(delivery),
            None if self.scenario.deletion == Deletion::OfEveryCopy => state.orphan(sent),
            None => {}
        }
    }
}

impl State {
    /// Whether every message is deleted and nothing is on its way: no handler lives, nothing comes back.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.deliveries.is_empty() && self.late.is_none()
    }

    /// A message that was given back becomes visible again after minutes, and a request in flight has an end within
    /// seconds: it does not outlast the time in which the message is hidden.
    fn has_late_write_of(&self, sent: Sent) -> bool {
        self.late.as_ref().is_some_and(|(of, _)| *of == sent)
    }

    fn take(&mut self, nth: u8) -> Delivery {
        self.deliveries.remove(usize::from(nth))
    }

    fn put_back(&mut self, delivery: Delivery) {
        if delivery.orphaned && !delivery.is_under_way() {
            return;
        }
        let at = self.deliveries.partition_point(|other| *other < delivery);
        self.deliveries.insert(at, delivery);
    }

    /// The message is deleted under whoever else works on it.
    fn orphan(&mut self, sent: Sent) {
        for mut delivery in std::mem::take(&mut self.deliveries) {
            delivery.orphaned |= delivery.sent == sent;
            self.put_back(delivery);
        }
    }
}

impl Model for WriteProtocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![self.prepared()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (nth, delivery) in (0..).zip(&state.deliveries) {
            let same_as_before = nth > 0 && state.deliveries[usize::from(nth) - 1] == *delivery;
            if !same_as_before {
                self.actions_of(state, nth, delivery, actions);
            }
        }
        if state.faults.duplicates > 0 {
            let again = self
                .messages()
                .filter(|(sent, _)| self.can_come_again(state, *sent));
            actions.extend(again.map(|(sent, message)| Action::Duplicate(message.id, sent)));
        }
        if state.late.is_some() {
            actions.push(Action::ArriveLate);
        }
        if state.now < self.scenario.ticks {
            actions.push(Action::Tick);
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut next = last.clone();
        match action {
            Action::Receive(_, nth) | Action::Step(_, nth) => {
                let delivery = next.take(nth);
                self.deliver(&mut next, delivery, Response::Arrives);
            }
            Action::Duplicate(_, sent) => {
                next.faults.duplicates -= 1;
                self.deliver(&mut next, Delivery::waiting(sent), Response::Arrives);
            }
            Action::LoseResponse(_, nth) => {
                next.faults.lost_responses -= 1;
                let delivery = next.take(nth);
                self.deliver(&mut next, delivery, Response::Lost);
            }
            Action::GiveUpWaiting(_, nth) => {
                next.faults.late_writes -= 1;
                let delivery = next.take(nth);
                self.deliver(&mut next, delivery, Response::Late);
            }
            Action::Crash(_, nth) => {
                next.faults.crashes -= 1;
                let mut delivery = next.take(nth);
                delivery.go_back();
                next.put_back(delivery);
            }
            Action::ArriveLate => {
                let (_, late) = next.late.take()?;
                next.tables.commit(&late, self.variant);
            }
            Action::Tick => next.now += 1,
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let judged = self.judged.iter();
        let mut properties: Vec<_> = judged
            .map(|invariant| Property::always(invariant.name, invariant.holds))
            .collect();
        let seen = self.scenario.sees.iter();
        properties.extend(seen.map(|sight| Property::sometimes(sight.name, sight.seen)));
        properties
    }
}
