//! What a scenario must show at least once: a model that does nothing breaks nothing.

use super::delivery::{Delivery, MAX_TRIES, Received, Step, Work};
use super::message::{Message, Request};
use super::records::{Answer, Match, Reason, Submission};
use super::state::{State, WriteProtocol};

/// Something that some state must show.
#[derive(Debug, Clone, Copy)]
pub struct Sight {
    /// What it is called.
    pub name: &'static str,
    /// Whether it is seen.
    pub seen: fn(&WriteProtocol, &State) -> bool,
}

const fn named(name: &'static str, seen: fn(&WriteProtocol, &State) -> bool) -> Sight {
    Sight { name, seen }
}

/// Something is matched.
pub const A_MATCH: Sight = named("a match is made", |_, state| !state.tables.matches.is_empty());

/// Two matches with one order.
pub const TWO_MATCHES: Sight = named("two matches are made", |_, state| state.tables.matches.len() > 1);

/// Two crossing orders rest, and are not at rest.
pub const A_CROSSED_BOOK: Sight = named("two that cross rest until one of them looks", |_, state| {
    let entries = || state.tables.book.values();
    entries().any(|one| {
        entries().any(|other| {
            let crosses = one.terms.side.crosses(one.terms.price, other.terms.price);
            one.terms.side != other.terms.side && crosses && one.owner != other.owner
        })
    })
});

/// The second look finds something.
pub const A_LOOK_FINDS: Sight = named("a look finds a match", |_, state| {
    writes(state).any(|delivery| delivery.memory.work == Work::Look)
});

/// Conditions protect somebody.
pub const A_LOST_CONDITION: Sight = named("a condition is about to be lost", |model, state| {
    writes(state).any(|delivery| !delivery.is_about_to_write(model, state))
});

/// Too many tries.
pub const GIVEN_BACK: Sight = named("the last try is about to be lost", |model, state| {
    writes(state).any(|delivery| {
        let last = delivery.memory.tries + 1 == MAX_TRIES;
        last && !delivery.is_about_to_write(model, state)
    })
});

/// The first transaction is written, and its handler does not know.
pub const FIRST_RESPONSE_LOST: Sight = named("the first transaction's response is lost", |model, state| {
    under_way(state).any(|delivery| {
        let written = state.tables.submission(delivery.message(model).id).is_some();
        delivery.memory.unsure == Some(Work::Arrival) && written
    })
});

/// The look's transaction is written, and its handler does not know.
pub const LOOK_RESPONSE_LOST: Sight = named("the look's response is lost", |_, state| {
    let matched = !state.tables.matches.is_empty();
    matched && under_way(state).any(|delivery| delivery.memory.unsure == Some(Work::Look))
});

/// A transaction is on its way that nobody waits for, and would be written.
pub const A_LATE_WRITE: Sight = named(
    "what somebody has given up is about to be written",
    |model, state| {
        let late = state.late.as_ref();
        late.is_some_and(|(_, late)| state.tables.allow(late, model.variant))
    },
);

/// A transaction is on its way that nobody waits for, and is too late.
pub const TOO_LATE_A_WRITE: Sight = named(
    "what somebody has given up is about to be refused",
    |model, state| {
        let late = state.late.as_ref();
        late.is_some_and(|(_, late)| !state.tables.allow(late, model.variant))
    },
);

/// One side knows, and nobody is about to tell the other but the queue.
pub const CRASHED_BETWEEN_INBOXES: Sight = named("a crash between the two inboxes", |_, state| {
    let half_told = state.tables.matches.iter().any(|(id, made)| {
        let [buyer, seller] = made.parties().map(|party| {
            let told = Received::of_match(*id, made.quantity, made.price, party);
            state.inboxes.contains(&(party.owner, told))
        });
        buyer != seller
    });
    half_told && state.deliveries.iter().all(|delivery| !delivery.is_under_way())
});

/// Somebody found more while it was told.
pub const A_LIST_GROWS: Sight = named("a list of matches grows while it is told", |_, state| {
    under_way(state).any(|delivery| delivery.step == Step::ReadList)
});

/// Two handlers with one message.
pub const SIDE_BY_SIDE: Sight = named("a message is handled twice at once", |_, state| {
    let mut pairs = state.deliveries.iter().zip(state.deliveries.iter().skip(1));
    pairs.any(|(one, other)| one.sent == other.sent && one.is_under_way() && other.is_under_way())
});

/// The cancel came first.
pub const A_MARK: Sight = named("a cancel waits for its order", |_, state| {
    state.tables.submissions.values().any(Submission::is_mark)
});

/// The order came after its cancel.
pub const BORN_CANCELLED: Sight = named("an order is born cancelled", |model, state| {
    answers(model, state).any(|(message, answer)| {
        let cancelled = matches!(answer, Answer::Cancelled { .. });
        cancelled && !matches!(message.request, Request::Cancel(_))
    })
});

/// The cancel came in time.
pub const A_CANCEL: Sight = named("a cancel takes an order out of the book", |model, state| {
    answers(model, state).any(|(message, answer)| {
        let cancelled = matches!(answer, Answer::Cancelled { .. });
        cancelled && matches!(message.request, Request::Cancel(_))
    })
});

/// Too late for a cancel or a replace.
pub const TOO_LATE: Sight = named("a cancel or replace is too late", |model, state| {
    answers(model, state).any(|(_, answer)| answer == Answer::Rejected(Reason::TooLateToCancel))
});

/// An order with a new id in its old place.
pub const REPLACED_IN_PLACE: Sight = named("an order is replaced in its place", |_, state| {
    let mut book = state.tables.book.iter();
    book.any(|((_, rank), entry)| rank.id != entry.id)
});

/// An order with a new id in a new place.
pub const REPLACED_ANEW: Sight = named("an order is replaced and put anew", |model, state| {
    let mut replaced = answers(model, state).filter(|(_, answer)| matches!(answer, Answer::Replaced { .. }));
    replaced.any(|(message, _)| {
        let mut book = state.tables.book.iter();
        book.any(|((_, rank), entry)| rank.id == entry.id && entry.id == message.id)
    })
});

/// A replace came before its original.
pub const A_REPLACE_WAITS: Sight = named("a replace goes back to wait for its original", |model, state| {
    let mut back = state
        .deliveries
        .iter()
        .filter(|delivery| !delivery.is_under_way());
    state.faults == model.scenario.faults && back.any(|delivery| delivery.receives > 0)
});

/// A replace waited long enough.
pub const NEVER_CAME: Sight = named("a replace waits no longer", |model, state| {
    answers(model, state).any(|(_, answer)| answer == Answer::Rejected(Reason::UnknownOrder))
});

/// Somebody's id was taken.
pub const AN_ID_TAKEN: Sight = named("an id was taken by another body", |_, state| {
    state.inboxes.iter().any(|(_, received)| {
        let refused = Answer::Rejected(Reason::DuplicateClOrdId);
        matches!(received, Received::Answer(_, answer) if *answer == refused)
    })
});

/// What is left is below the minimum.
pub const A_REMAINDER_CANCELLED: Sight = named("a remainder below its minimum is cancelled", |_, state| {
    let mut parties = state.tables.matches.values().flat_map(Match::parties);
    parties.any(|party| party.leg.cancelled > 0)
});

/// What has expired is taken out by who meets it.
pub const AN_EXPIRED_ENTRY: Sight = named("an expired entry is met", |_, state| {
    under_way(state).any(|delivery| matches!(delivery.step, Step::Remove(..)))
});

fn under_way(state: &State) -> impl Iterator<Item = &Delivery> {
    state.deliveries.iter().filter(|delivery| delivery.is_under_way())
}

fn writes(state: &State) -> impl Iterator<Item = &Delivery> {
    let deliveries = state.deliveries.iter();
    deliveries.filter(|delivery| matches!(delivery.step, Step::Write(_)))
}

fn answers<'a>(model: &'a WriteProtocol, state: &'a State) -> impl Iterator<Item = (&'a Message, Answer)> {
    model.messages().filter_map(|(sent, message)| {
        let stored = state.tables.submission(message.id)?;
        let answer = stored.answer.filter(|_| stored.body == Some(sent));
        answer.map(|answer| (message, answer))
    })
}
