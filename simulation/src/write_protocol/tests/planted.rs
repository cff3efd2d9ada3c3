//! Each invariant is broken by a state in which something is planted, and by nothing before.

use super::super::delivery::Received;
use super::super::invariants::{
    AT_REST_NOTHING_COULD_MATCH, CONSERVED_QUANTITY, EVERY_MATCH_TOLD, EVERY_MESSAGE_ENDS, INVARIANTS,
    LIMITS_RESPECTED, MINIMUMS_RESPECTED, NO_OVERFILL, NO_SELF_MATCH, NOTHING_EXPIRED_MATCHED, ONE_ANSWER,
    PENDING_CANCEL_COMES_TRUE, TOLD_AT_IS_TRUE,
};
use super::super::message::Id;
use super::super::records::{Answer, Entry, Match, MatchId, Rank, Submission};
use super::super::scenario::{self, Scenario};
use super::super::state::{State, WriteProtocol};
use super::super::tables::Key;
use super::super::variant::Variant;
use super::in_good_weather;

/// `broken` holds at the end of `scenario`, and no longer once `plant` has changed it.
fn is_seen(broken: &str, scenario: Scenario, plant: impl Fn(&mut State)) {
    let model = WriteProtocol::new(scenario, Variant::AsDesigned);
    let mut state = in_good_weather(&model);
    for invariant in INVARIANTS {
        assert!((invariant.holds)(&model, &state), "{}", invariant.name);
    }
    plant(&mut state);
    assert!(!(super::invariant(broken).holds)(&model, &state), "{broken}");
}

/// `S` has one left of three, `B` is filled, and both know it.
fn matched(broken: &str, plant: impl Fn(&mut State)) {
    is_seen(broken, scenario::two_that_cross(), plant);
}

fn the_match(state: &mut State) -> (MatchId, &mut Match) {
    let (id, made) = state.tables.matches.iter_mut().next().unwrap();
    (*id, made)
}

fn order(state: &mut State, id: Id) -> &mut Submission {
    state.tables.submissions.get_mut(&Key::Of(id)).unwrap()
}

#[test]
fn a_book_that_says_otherwise() {
    matched(CONSERVED_QUANTITY, |state| {
        state.tables.book.values_mut().for_each(|entry| entry.left += 1);
    });
    matched(CONSERVED_QUANTITY, |state| state.tables.book.clear());
}

#[test]
fn an_order_whose_numbers_do_not_add_up() {
    matched(CONSERVED_QUANTITY, |state| order(state, "B").left = 1);
    matched(CONSERVED_QUANTITY, |state| the_match(state).1.quantity = 1);
}

#[test]
fn a_cancel_that_says_otherwise() {
    is_seen(
        CONSERVED_QUANTITY,
        scenario::a_cancel_against_a_match(),
        |state| {
            let cancel = order(state, "X");
            assert!(matches!(cancel.answer, Some(Answer::Cancelled { .. })));
            let (by, done, cancelled) = ("X", 0, 3);
            cancel.answer = Some(Answer::Cancelled { by, done, cancelled });
        },
    );
}

#[test]
fn more_than_was_ordered() {
    matched(NO_OVERFILL, |state| the_match(state).1.quantity = 4);
    matched(NO_OVERFILL, |state| order(state, "B").done = 3);
}

#[test]
fn a_price_beyond_a_limit() {
    for price in [99, 102] {
        matched(LIMITS_RESPECTED, |state| the_match(state).1.price = price);
    }
}

#[test]
fn somebody_matched_with_itself() {
    matched(NO_SELF_MATCH, |state| the_match(state).1.seller.owner = 'B');
}

#[test]
fn less_than_the_minimum() {
    for id in ["S", "B"] {
        matched(MINIMUMS_RESPECTED, |state| {
            order(state, id).terms.as_mut().unwrap().minimum = 3;
        });
    }
}

#[test]
fn something_expired() {
    for id in ["S", "B"] {
        matched(NOTHING_EXPIRED_MATCHED, |state| {
            order(state, id).terms.as_mut().unwrap().expires_at = Some(0);
        });
    }
}

#[test]
fn two_that_cross_at_rest() {
    let put = |state: &mut State, left| {
        let rests = *state.tables.book.values().next().unwrap();
        let mut terms = order(state, "B").terms.unwrap();
        terms.minimum = 1;
        let other = Rank::new(&terms, 1, "B");
        let entry = Entry {
            owner: 'B',
            id: "B",
            terms,
            left,
            ..rests
        };
        state.tables.book.insert((terms.side, other), entry);
    };
    matched(AT_REST_NOTHING_COULD_MATCH, |state| put(state, 1));
}

#[test]
fn a_match_that_somebody_does_not_know() {
    for owner in ['A', 'B'] {
        matched(EVERY_MATCH_TOLD, |state| {
            state.inboxes.retain(|(by, _)| *by != owner);
        });
        matched(TOLD_AT_IS_TRUE, |state| {
            state.inboxes.retain(|(by, _)| *by != owner);
        });
    }
    matched(EVERY_MATCH_TOLD, |state| {
        state
            .tables
            .submissions
            .values_mut()
            .for_each(|order| order.told = false);
    });
}

#[test]
fn a_copy_that_differs_and_a_match_that_is_none() {
    let tell = |state: &mut State, id, quantity| {
        let (_, made) = the_match(state);
        let told = Received::of_match(id, quantity, made.price, made.buyer);
        state.inboxes.insert(('B', told));
    };
    matched(EVERY_MATCH_TOLD, |state| {
        let id = the_match(state).0;
        tell(state, id, 1);
    });
    matched(EVERY_MATCH_TOLD, |state| {
        let (id, made) = the_match(state);
        let quantity = made.quantity;
        tell(state, MatchId { nth: 1, ..id }, quantity);
    });
}

#[test]
fn a_second_answer() {
    is_seen(ONE_ANSWER, scenario::a_cancel_against_a_match(), |state| {
        let other = Received::Answer(2, Answer::CancelPending);
        assert!(state.inboxes.insert(('A', other)));
    });
}

#[test]
fn a_message_that_nobody_remembers_or_answered() {
    let ends = |plant: &dyn Fn(&mut State)| {
        is_seen(EVERY_MESSAGE_ENDS, scenario::a_cancel_against_a_match(), plant);
    };
    ends(&|state| {
        state.tables.submissions.remove(&Key::Of("X"));
    });
    ends(&|state| order(state, "X").body = None);
    ends(&|state| {
        let answers = |received: &Received| matches!(received, Received::Answer(..));
        state.inboxes.retain(|(_, received)| !answers(received));
    });
}

#[test]
fn an_order_that_trades_though_its_cancel_is_pending() {
    is_seen(
        PENDING_CANCEL_COMES_TRUE,
        scenario::a_cancel_against_a_match(),
        |state| order(state, "X").answer = Some(Answer::CancelPending),
    );
}
