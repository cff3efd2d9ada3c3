//! What must hold. The names are those of design §5, and of `domain::invariants`, where they apply.
//!
//! All of them are safety properties: what must have happened in the end is asked of the states in which nothing is
//! under way any more, because the checker's `eventually` misses cycles and joins.

use std::collections::BTreeSet;

use stateright::Model;

use super::delivery::Received;
use super::message::{Id, Message, Owner, Request, Sent};
use super::pairing::common_quantity;
use super::records::{Answer, Entry, Match, MatchId, Party, Place, Reason, Status, Submission};
use super::state::{State, WriteProtocol};
use super::tables::Key;

/// Something that must hold in every state.
#[derive(Debug, Clone, Copy)]
pub struct Invariant {
    /// What it is called.
    pub name: &'static str,
    /// Whether it does.
    pub holds: fn(&WriteProtocol, &State) -> bool,
}

/// Of every order, done + left + cancelled = ordered.
pub const CONSERVED_QUANTITY: &str = "conserved quantity";
/// No order is matched beyond what was ordered.
pub const NO_OVERFILL: &str = "no overfill";
/// No match is worse than either limit.
pub const LIMITS_RESPECTED: &str = "limits respected";
/// Nobody is matched with itself.
pub const NO_SELF_MATCH: &str = "no self match";
/// No match is smaller than either minimum.
pub const MINIMUMS_RESPECTED: &str = "minimums respected";
/// No match is made of an order whose time had passed.
pub const NOTHING_EXPIRED_MATCHED: &str = "nothing expired matched";
/// At rest nothing crosses.
pub const AT_REST_NOTHING_COULD_MATCH: &str = "at rest no two interests that could have matched";
/// Every match reaches both inboxes, the same in every copy.
pub const EVERY_MATCH_TOLD: &str = "every match told to both, all copies identical";
/// `toldAt` tells the truth.
pub const TOLD_AT_IS_TRUE: &str = "toldAt is set only when all was told";
/// One answer for each message.
pub const ONE_ANSWER: &str = "a message's answer is the same in every copy";
/// Every message ends.
pub const EVERY_MESSAGE_ENDS: &str = "every message ends";
/// A pending cancel ends its order.
pub const PENDING_CANCEL_COMES_TRUE: &str = "an order whose cancel came first never trades";

/// Every invariant.
pub const INVARIANTS: [Invariant; 12] = [
    named(CONSERVED_QUANTITY, conserved_quantity),
    named(NO_OVERFILL, no_overfill),
    named(LIMITS_RESPECTED, limits_respected),
    named(NO_SELF_MATCH, no_self_match),
    named(MINIMUMS_RESPECTED, minimums_respected),
    named(NOTHING_EXPIRED_MATCHED, nothing_expired_matched),
    named(AT_REST_NOTHING_COULD_MATCH, at_rest_nothing_could_match),
    named(EVERY_MATCH_TOLD, every_match_told_to_both),
    named(TOLD_AT_IS_TRUE, told_at_is_true),
    named(ONE_ANSWER, one_answer),
    named(EVERY_MESSAGE_ENDS, every_message_ends),
    named(PENDING_CANCEL_COMES_TRUE, pending_cancel_comes_true),
];

const fn named(name: &'static str, holds: fn(&WriteProtocol, &State) -> bool) -> Invariant {
    Invariant { name, holds }
}

impl State {
    /// Every order: a submission that wants something.
    fn orders<'a>(&'a self, model: &'a WriteProtocol) -> impl Iterator<Item = (&'a Message, &'a Submission)> {
        model.messages().filter_map(|(sent, message)| {
            let stored = self.tables.submission(message.id)?;
            let own = stored.body == Some(sent) && stored.terms.is_some();
            own.then_some((message, stored))
        })
    }

    /// Every side of every match, with what its order wants.
    fn legs(&self) -> impl Iterator<Item = (&Match, Party)> {
        let matches = self.tables.matches.values();
        matches.flat_map(|made| made.parties().map(|party| (made, party)))
    }

    fn holds_for_legs(&self, holds: impl Fn(&Match, &Submission) -> bool) -> bool {
        self.legs().all(|(made, party)| {
            let order = self.tables.submission(party.id);
            order.is_some_and(|order| holds(made, order))
        })
    }

    /// What was done of an order before it had this name.
    fn inherited(&self, message: &Message) -> u8 {
        match message.request {
            Request::Replace { original, .. } => self
                .tables
                .submission(original)
                .map_or(0, |original| original.done),
            _ => 0,
        }
    }

    fn done_of(&self, message: &Message) -> u32 {
        let fills = self.legs().filter(|(_, party)| party.id == message.id);
        let quantities = fills.map(|(made, _)| u32::from(made.quantity));
        u32::from(self.inherited(message)) + quantities.sum::<u32>()
    }

    fn was_told(&self, id: MatchId, made: &Match) -> bool {
        made.parties().into_iter().all(|party| {
            let told = Received::of_match(id, made.quantity, made.price, party);
            self.inboxes.contains(&(party.owner, told))
        })
    }
}

/// Of every order, done + left + cancelled = ordered, and what is done is what its matches say and what it inherited;
/// the book holds exactly the orders that rest, as their submissions say.
fn conserved_quantity(model: &WriteProtocol, state: &State) -> bool {
    state.orders(model).all(|(message, order)| {
        u32::from(order.done) == state.done_of(message) && is_accounted_for(model, state, message, order)
    }) && book_says_the_same(state)
}

/// Whether what is not done is left, cancelled or lives on, as the order's status says.
fn is_accounted_for(model: &WriteProtocol, state: &State, message: &Message, order: &Submission) -> bool {
    let Some(terms) = order.terms else { return true };
    let rest = terms.quantity.checked_sub(order.done);
    let closed = order.left == 0 && order.rests.is_none();
    match order.status {
        Some(Status::New) => order.done == 0 && order.rests.is_some() && Some(order.left) == rest,
        Some(Status::PartiallyFilled) => {
            let partly = order.done > 0 && order.left > 0;
            partly && order.rests.is_some() && Some(order.left) == rest
        }
        Some(Status::Filled) => closed && rest == Some(0),
        Some(Status::Cancelled) => closed && cancelled(state, message, order) == rest,
        Some(Status::Replaced) => closed && lives_on(model, state, order),
        Some(Status::Rejected) | None => false,
    }
}

/// What its owner was told is cancelled of it: by its last fill, by the answer to its cancel, or by its own answer.
fn cancelled(state: &State, message: &Message, order: &Submission) -> Option<u8> {
    let Some(by) = order.ended_by else {
        let legs = state.legs().filter(|(_, party)| party.id == message.id);
        let last = legs.map(|(_, party)| party.leg).max_by_key(|leg| leg.done);
        return last.map(|leg| leg.cancelled);
    };
    let ender = state.tables.submission(by).and_then(|ender| ender.answer);
    let answers = [order.answer, ender].into_iter().flatten();
    let mut cancelled = answers.filter_map(|answer| match answer {
        Answer::Cancelled { done, cancelled, .. } => (done == order.done).then_some(cancelled),
        _ => None,
    });
    cancelled.next()
}

fn lives_on(model: &WriteProtocol, state: &State, order: &Submission) -> bool {
    let successor = order.ended_by;
    let successor = successor.and_then(|by| state.orders(model).find(|(message, _)| message.id == by));
    successor.is_some_and(|(_, successor)| {
        let total = successor.terms.map(|terms| terms.quantity);
        matches!(successor.answer, Some(Answer::Replaced { done, left }) if done == order.done && Some(done + left) == total)
    })
}

fn book_says_the_same(state: &State) -> bool {
    let says = |(place, entry): (&Place, &Entry)| {
        let order = state.tables.submission(entry.id);
        order.and_then(|order| order.entry(entry.id)) == Some((*place, *entry))
    };
    let lies = |(key, order): (&Key, &Submission)| {
        let Key::Of(id) = key else {
            return true;
        };
        // Who meets an expired entry takes it out, and leaves the submission as it is.
        !order.is_open(state.now)
            || order
                .entry(id)
                .is_some_and(|(place, _)| state.tables.book.contains_key(&place))
    };
    state.tables.book.iter().all(says) && state.tables.submissions.iter().all(lies)
}

/// No order is matched beyond what was ordered, whatever its submission says.
fn no_overfill(model: &WriteProtocol, state: &State) -> bool {
    state.orders(model).all(|(message, order)| {
        let ordered = order.terms.map_or(0, |terms| u32::from(terms.quantity));
        state.done_of(message) <= ordered && u32::from(order.done) <= ordered
    })
}

/// No match is worse for either side than its limit.
fn limits_respected(_: &WriteProtocol, state: &State) -> bool {
    state.holds_for_legs(|made, order| {
        let terms = order.terms;
        terms.is_some_and(|terms| terms.side.crosses(terms.price, made.price))
    })
}

/// Nobody is matched with itself.
fn no_self_match(_: &WriteProtocol, state: &State) -> bool {
    let mut matches = state.tables.matches.values();
    matches.all(|made| made.buyer.owner != made.seller.owner)
}

/// No match is smaller than the minimum that either side asked for.
fn minimums_respected(_: &WriteProtocol, state: &State) -> bool {
    state.holds_for_legs(|made, order| order.terms.is_some_and(|terms| made.quantity >= terms.minimum))
}

/// Neither side of a match had expired when it was decided.
fn nothing_expired_matched(_: &WriteProtocol, state: &State) -> bool {
    state.holds_for_legs(|made, order| order.terms.is_some_and(|terms| !terms.expired(made.decided_at)))
}

/// At rest no two interests that could have matched: crossing limits, two owners, both in their time, and enough left
/// for both minimums as the protocol reads them.
fn at_rest_nothing_could_match(model: &WriteProtocol, state: &State) -> bool {
    if !state.is_at_rest() {
        return true;
    }
    let alive = || {
        let entries = state.tables.book.values();
        entries.filter(|entry| !entry.terms.expired(state.now))
    };
    alive().all(|one| alive().all(|other| !could_match(model, one, other)))
}

fn could_match(model: &WriteProtocol, one: &Entry, other: &Entry) -> bool {
    let opposite = one.terms.side != other.terms.side;
    let crosses = one.terms.side.crosses(one.terms.price, other.terms.price);
    let quantity = common_quantity((&one.terms, one.left), (&other.terms, other.left), model.variant);
    opposite && crosses && one.owner != other.owner && quantity.is_some()
}

/// No inbox ever receives of a match what is not stored; at rest both owners of every match have received it, and the
/// order on whose behalf it was found, and no other, remembers it as told.
fn every_match_told_to_both(_: &WriteProtocol, state: &State) -> bool {
    let true_to_the_tables = state
        .inboxes
        .iter()
        .all(|(owner, received)| is_true_to_the_tables(state, *owner, received));
    let all_told = || {
        let mut matches = state.tables.matches.iter();
        matches.all(|(id, made)| state.was_told(*id, made))
    };
    true_to_the_tables && (!state.is_at_rest() || all_told() && each_is_remembered_as_told(state))
}

fn is_true_to_the_tables(state: &State, owner: Owner, received: &Received) -> bool {
    let Received::Match { id, .. } = received else {
        return true;
    };
    let made = state.tables.matches.get(id);
    made.is_some_and(|made| {
        made.parties().into_iter().any(|party| {
            let told = Received::of_match(*id, made.quantity, made.price, party);
            party.owner == owner && told == *received
        })
    })
}

fn each_is_remembered_as_told(state: &State) -> bool {
    let told = state.tables.submissions.values().filter(|order| order.told);
    let listed: Vec<MatchId> = told.flat_map(|order| order.matches.iter().copied()).collect();
    let distinct: BTreeSet<MatchId> = listed.iter().copied().collect();
    distinct.len() == listed.len() && distinct.iter().eq(state.tables.matches.keys())
}

/// A submission says that its matches were told only when each has reached both inboxes: a redelivery believes it.
fn told_at_is_true(_: &WriteProtocol, state: &State) -> bool {
    let mut told = state.tables.submissions.values().filter(|order| order.told);
    told.all(|order| {
        let mut matches = order.matches.iter();
        matches.all(|id| {
            let made = state.tables.matches.get(id);
            made.is_some_and(|made| state.was_told(*id, made))
        })
    })
}

/// Of all answers that a message ever received, however often it was delivered, there is one.
fn one_answer(_: &WriteProtocol, state: &State) -> bool {
    let answers = state
        .inboxes
        .iter()
        .filter_map(|(owner, received)| match received {
            Received::Answer(sent, _) => Some((owner, sent)),
            Received::Match { .. } => None,
        });
    let mut answered = BTreeSet::new();
    answers.into_iter().all(|answer| answered.insert(answer))
}

/// Nothing stops half-way: where nothing more can happen, every message is deleted. And once all are, each is
/// remembered under its id with its answer in its owner's inbox, or refused because the id was taken.
fn every_message_ends(model: &WriteProtocol, state: &State) -> bool {
    if state.is_at_rest() {
        return model
            .messages()
            .all(|(sent, message)| has_ended(state, sent, message));
    }
    let mut next = Vec::new();
    model.actions(state, &mut next);
    !next.is_empty()
}

fn has_ended(state: &State, sent: Sent, message: &Message) -> bool {
    let received = |answer| {
        let answer = Received::Answer(sent, answer);
        state.inboxes.contains(&(message.owner, answer))
    };
    match state.tables.submission(message.id) {
        Some(stored) if stored.body == Some(sent) => stored.answer.is_none_or(received),
        Some(stored) if !stored.is_mark() => received(Answer::Rejected(Reason::DuplicateClOrdId)),
        _ => false,
    }
}

/// An order whose cancel was told to be pending never enters the book, and never trades.
fn pending_cancel_comes_true(model: &WriteProtocol, state: &State) -> bool {
    let pending = |original: Id| {
        model.messages().any(|(_, message)| {
            let stored = state.tables.submission(message.id);
            let answer = stored.and_then(|stored| stored.answer);
            message.request == Request::Cancel(original) && answer == Some(Answer::CancelPending)
        })
    };
    let mut orders = state.orders(model).filter(|(message, _)| pending(message.id));
    orders.all(|(message, order)| {
        order.rests.is_none() && state.legs().all(|(_, party)| party.id != message.id)
    })
}
