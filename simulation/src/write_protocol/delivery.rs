//! One delivery of a message, and the handler that works on it: a program counter and a memory of its own. After
//! `functions/matcher`: `lane` up to the writes, `publication` from there.
//!
//! A step is one call to the outside, together with everything that follows from its response inside the handler.

use std::collections::BTreeSet;

use super::decision::{Case, Desk, Effect, Interruption, Need, ORIGINAL_WAITS, Reading, decide, look};
use super::message::{Id, Message, Owner, Price, Quantity, Request, Sent};
use super::records::{Answer, Entry, Leg, MatchId, Party, Place, Version};
use super::state::{State, WriteProtocol};
use super::tables::{Key, follow};
use super::variant::Variant;

/// Writes of one decision that may be lost before the message goes back. Eight in production.
pub const MAX_TRIES: u8 = 2;

/// Times that a list of matches may be told before the message goes back. Three in production.
pub const MAX_TELLS: u8 = 2;

/// What a handler decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Work {
    /// The message.
    #[default]
    Arrival,
    /// What its order finds once it rests.
    Look,
}

/// What a handler does next.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Nobody works on it: it lies in the queue.
    Waiting,
    /// Reads.
    Read(Need),
    /// Writes what it decided.
    Write(Box<Effect>),
    /// Takes an expired entry out of the book.
    Remove(Place, Version),
    /// Sends to one inbox after the other.
    Publish(u8),
    /// Sets `toldAt`.
    Mark,
    /// Reads the list of matches again, because it has grown.
    ReadList,
    /// Deletes the message.
    Delete,
}

/// What a handler remembers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Memory {
    /// What it has read, with its own writes.
    pub desk: Desk,
    /// What it is about to decide.
    pub work: Work,
    /// Writes of this decision that were lost, or of which nobody knows.
    pub tries: u8,
    /// Whose response was lost last.
    pub unsure: Option<Work>,
    /// The version that its order had then.
    unsure_at: Option<Version>,
    answer: Option<Answer>,
    publish: bool,
    expired: BTreeSet<(Place, Version)>,
    /// The matches to be told.
    pub telling: Vec<MatchId>,
    tells: u8,
    /// What it held to be its list of matches before a response was lost: in one faulty variant only.
    list_before: Option<Vec<MatchId>>,
}

/// One delivery of one message.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Delivery {
    /// Which message of the scenario.
    pub sent: Sent,
    /// How often it was received: counted for a replace, which alone looks at it.
    pub receives: u8,
    /// What happens to it next.
    pub step: Step,
    /// Whether another delivery has deleted the message: this one comes back no more.
    pub orphaned: bool,
    /// What its handler knows.
    pub memory: Memory,
}

/// What lies in an inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Received {
    /// The answer to a message.
    Answer(Sent, Answer),
    /// One side of a match.
    Match {
        /// Which match.
        id: MatchId,
        /// Of which order.
        order: Id,
        /// FIX `LastQty`.
        quantity: Quantity,
        /// FIX `LastPx`.
        price: Price,
        /// The order after it.
        leg: Leg,
    },
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Response {
    /// It is carried out and answered.
    Arrives,
    /// It is carried out, and its caller does not learn of it.
    Lost,
    /// It is carried out later, when its caller has given it up.
    Late,
}

impl Delivery {
    /// A message in the queue.
    #[must_use]
    pub fn waiting(sent: Sent) -> Self {
        Self {
            sent,
            receives: 0,
            step: Step::Waiting,
            orphaned: false,
            memory: Memory::default(),
        }
    }

    /// Whether a handler works on it.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        self.step != Step::Waiting
    }

    /// Whether its next step is a write whose conditions hold.
    #[must_use]
    pub fn is_about_to_write(&self, model: &WriteProtocol, state: &State) -> bool {
        match &self.step {
            Step::Write(effect) => state.tables.allow(&effect.changes, model.variant),
            _ => false,
        }
    }

    /// The handler ends without an answer, or gives the message back: it forgets everything, and the message lies in
    /// the queue again.
    pub fn go_back(&mut self) {
        self.step = Step::Waiting;
        self.memory = Memory::default();
    }

    /// Its next step; `None` once the message is deleted.
    #[must_use]
    pub fn step(mut self, model: &WriteProtocol, state: &mut State, response: Response) -> Option<Self> {
        match std::mem::replace(&mut self.step, Step::Delete) {
            Step::Waiting => self.receive(model, state),
            Step::Read(need) => {
                self.read(model, state, need);
                self.proceed(model, state);
            }
            Step::Write(effect) => self.write(model, state, *effect, response),
            Step::Remove(place, version) => {
                state.tables.remove_entry(&place, version);
                self.finish(model, state);
            }
            Step::Publish(nth) => {
                self.send(model, state, nth);
                self.publish_from(nth + 1, model, state);
            }
            Step::Mark => self.mark_told(model, state),
            Step::ReadList => {
                let stored = state.tables.submission(self.message(model).id);
                self.memory.telling = stored.map(|stored| stored.matches.clone()).unwrap_or_default();
                self.publish_from(0, model, state);
            }
            Step::Delete => return None,
        }
        Some(self)
    }

    /// The message.
    #[must_use]
    pub fn message<'a>(&self, model: &'a WriteProtocol) -> &'a Message {
        model.message(self.sent)
    }

    /// Nobody sees what lies between the receipt and the first reading, so both are one step.
    fn receive(&mut self, model: &WriteProtocol, state: &State) {
        if matches!(self.message(model).request, Request::Replace { .. }) {
            self.receives = self.receives.saturating_add(1).min(ORIGINAL_WAITS + 1);
        }
        self.read(model, state, Need::Own);
        self.proceed(model, state);
    }

    fn read(&mut self, model: &WriteProtocol, state: &State, need: Need) {
        let message = self.message(model);
        let known_of = |id| state.tables.known_of(id, model.variant).cloned();
        let desk = &mut self.memory.desk;
        match need {
            Need::Own => desk.own = Some(known_of(message.id)),
            Need::Original => desk.original = message.original().map(known_of),
            Need::Book(terms) => {
                let after = desk.book.entries.last().map(|(place, _)| *place);
                let within = |(place, entry): &(&Place, &Entry)| {
                    place.0 == terms.side.opposite()
                        && terms.side.crosses(terms.price, entry.terms.price)
                        && after.is_none_or(|after| **place > after)
                };
                let rest = state.tables.book.iter().filter(within);
                let mut rest = rest.map(|(place, entry)| (*place, *entry));
                desk.book.entries.extend(rest.by_ref().take(model.scenario.page));
                desk.book.complete = rest.next().is_none();
            }
        }
    }

    /// Decides, as far as what was read goes.
    fn proceed(&mut self, model: &WriteProtocol, state: &State) {
        let case = Case {
            message: self.message(model),
            sent: self.sent,
            receives: self.receives,
            desk: &self.memory.desk,
            now: state.now,
            variant: model.variant,
        };
        let decided = match self.memory.work {
            Work::Arrival => decide(&case),
            Work::Look => look(&case),
        };
        match decided {
            Ok(effect) if effect.changes.is_empty() && self.may_still_come(model) => self.go_back(),
            Ok(effect) if effect.changes.is_empty() => self.accept(model, state, effect),
            Ok(effect) => self.step = Step::Write(Box::new(effect)),
            Err(Interruption::Need(need)) => self.step = Step::Read(need),
            Err(Interruption::GoBack) => self.go_back(),
        }
    }

    /// A look that finds nothing, while nobody knows what becomes of an earlier one: its order is as it was then.
    fn may_still_come(&self, model: &WriteProtocol) -> bool {
        let looks = self.memory.work == Work::Look && self.memory.unsure_at.is_some();
        let unchanged = self.memory.unsure_at == self.version();
        looks && unchanged && model.variant != Variant::DoneWhileUnsure
    }

    /// The version that the message's order has in the book, as far as the handler knows.
    fn version(&self) -> Option<Version> {
        let own = self.memory.desk.own.iter().flatten().next();
        own.and_then(|own| own.rests).map(|rests| rests.version)
    }

    fn write(&mut self, model: &WriteProtocol, state: &mut State, effect: Effect, response: Response) {
        if response == Response::Late {
            state.late = Some((self.sent, effect.changes.clone()));
            return self.lost_track(model, state, &effect);
        }
        let written = state.tables.commit(&effect.changes, model.variant);
        match written {
            Some(ids) if response == Response::Arrives => {
                let own = Key::Of(self.message(model).id);
                if let (Some(write), Some(known)) =
                    (effect.changes.submissions.get(&own), &mut self.memory.desk.own)
                {
                    follow(known, write, &ids);
                }
                self.accept(model, state, effect);
            }
            Some(_) => self.lost_track(model, state, &effect),
            None => self.retry(model, state, &effect),
        }
    }

    /// Nobody knows whether it was written.
    fn lost_track(&mut self, model: &WriteProtocol, state: &State, effect: &Effect) {
        self.memory.unsure = Some(self.memory.work);
        self.memory.unsure_at = self.version();
        if model.variant == Variant::PublishFromMemory {
            let known = self.memory.desk.own.iter().flatten();
            self.memory.list_before = Some(known.flat_map(|known| known.matches.clone()).collect());
        }
        self.retry(model, state, effect);
    }

    /// Nothing that was decided is believed any more: what the transaction touched is read again and decided again, a
    /// bounded number of times.
    fn retry(&mut self, model: &WriteProtocol, state: &State, effect: &Effect) {
        self.memory.tries += 1;
        if self.memory.tries >= MAX_TRIES {
            return self.go_back();
        }
        let touches = |id| {
            let keys = [Key::Of(id), Key::of_mark(id, model.variant)];
            keys.iter()
                .any(|key| effect.changes.submissions.contains_key(key))
        };
        let message = self.message(model);
        let desk = &mut self.memory.desk;
        desk.book = Reading::default();
        desk.own = None;
        if message.original().is_some_and(touches) {
            desk.original = None;
        }
        self.proceed(model, state);
    }

    /// What was decided is written: looks again where it must, then tells.
    fn accept(&mut self, model: &WriteProtocol, state: &State, effect: Effect) {
        let memory = &mut self.memory;
        memory.answer = memory.answer.or(effect.answer);
        memory.publish |= effect.publish;
        memory.expired.extend(effect.expired);
        memory.tries = 0;
        memory.unsure_at = None;
        // Only a book read after the write shows who came at the same time.
        memory.desk.book = Reading::default();
        memory.desk.original = None;
        if effect.look {
            memory.work = Work::Look;
            self.proceed(model, state);
        } else {
            self.finish(model, state);
        }
    }

    /// Removes what had expired, then publishes what the submission says: the handler's copy of it follows every write
    /// that went through, and was read again after each that did not.
    fn finish(&mut self, model: &WriteProtocol, state: &State) {
        let memory = &mut self.memory;
        if let Some((place, version)) = memory.expired.pop_first() {
            self.step = Step::Remove(place, version);
            return;
        }
        let own = memory.desk.own.take().flatten();
        let stored = own.filter(|_| memory.publish).map(|own| own.matches);
        memory.telling = memory.list_before.take().or(stored).unwrap_or_default();
        memory.publish = false;
        memory.unsure = None;
        memory.work = Work::Arrival;
        self.publish_from(0, model, state);
    }

    /// Its own inbox first, then those of the others it was matched with.
    fn recipients(&self, model: &WriteProtocol, state: &State) -> Vec<Owner> {
        let own = self.message(model).owner;
        let matches = self.memory.telling.iter();
        let parties = matches.filter_map(|id| state.tables.matches.get(id));
        let owners: BTreeSet<Owner> = parties
            .flat_map(|made| made.parties().map(|party| party.owner))
            .collect();
        let answered = self.memory.answer.is_some() || owners.contains(&own);
        let others = owners.iter().copied().filter(|owner| *owner != own);
        answered.then_some(own).into_iter().chain(others).collect()
    }

    fn publish_from(&mut self, nth: u8, model: &WriteProtocol, state: &State) {
        self.step = if usize::from(nth) < self.recipients(model, state).len() {
            Step::Publish(nth)
        } else if self.memory.telling.is_empty() {
            self.memory = Memory::default();
            Step::Delete
        } else {
            Step::Mark
        };
    }

    fn send(&self, model: &WriteProtocol, state: &mut State, nth: u8) {
        let recipients = self.recipients(model, state);
        let Some(to) = recipients.get(usize::from(nth)).copied() else {
            return;
        };
        let answer = self.memory.answer.filter(|_| to == self.message(model).owner);
        let answer = answer.map(|answer| Received::Answer(self.sent, answer));
        state.inboxes.extend(answer.map(|answer| (to, answer)));
        for id in &self.memory.telling {
            let Some(made) = state.tables.matches.get(id) else {
                continue;
            };
            let parties = made.parties().into_iter().filter(|party| party.owner == to);
            let told = parties.map(|party| (to, Received::of_match(*id, made.quantity, made.price, party)));
            state.inboxes.extend(told);
        }
    }

    fn mark_told(&mut self, model: &WriteProtocol, state: &mut State) {
        let id = self.message(model).id;
        if state.tables.mark_told(id, &self.memory.telling) {
            self.memory = Memory::default();
            self.step = Step::Delete;
            return;
        }
        self.memory.tells += 1;
        if self.memory.tells < MAX_TELLS {
            self.step = Step::ReadList;
        } else {
            self.go_back();
        }
    }
}

impl Received {
    /// What one side is told of a match.
    #[must_use]
    pub fn of_match(id: MatchId, quantity: Quantity, price: Price, party: Party) -> Self {
        Self::Match {
            id,
            order: party.id,
            quantity,
            price,
            leg: party.leg,
        }
    }
}
