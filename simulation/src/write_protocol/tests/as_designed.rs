//! The protocol of design §5 keeps every invariant in every scenario, and each scenario shows what it is for.

use std::collections::{BTreeSet, HashSet};

use stateright::Model;

use super::super::invariants::EVERY_MATCH_TOLD;
use super::super::scenario::{self, Faults, Scenario};
use super::super::state::{State, WriteProtocol};
use super::super::variant::Variant;
use super::{search, shortest, shown};

fn holds(scenario: &Scenario) {
    let searched = search(scenario.clone(), Variant::AsDesigned);
    let ways = searched.broken.iter().map(|broken| {
        let path = shortest(scenario.clone(), Variant::AsDesigned, broken).unwrap();
        format!("\"{broken}\" is broken by\n{}", shown(&path))
    });
    let ways: Vec<String> = ways.collect();
    assert!(ways.is_empty(), "{}: {}", scenario.name, ways.join("\n"));
    assert_eq!(searched.unseen, BTreeSet::new(), "{}: never seen", scenario.name);
}

macro_rules! each_holds {
    ($($scenario:ident),+ $(,)?) => {
        $(
            #[test]
            fn $scenario() {
                holds(&scenario::$scenario());
            }
        )+

        #[test]
        fn every_scenario_is_searched() {
            let searched = [$(scenario::$scenario().name),+];
            let all: Vec<_> = scenario::all().iter().map(|scenario| scenario.name).collect();
            assert_eq!(all, searched);
        }
    };
}

each_holds!(
    two_that_cross,
    three_over_one,
    three_together,
    a_minimum,
    too_small_and_resting,
    a_cancel_against_a_match,
    a_cancel_before_its_order,
    two_cancels,
    a_cut_in_any_order,
    a_cut_against_a_match,
    a_new_price,
    two_replaces,
    a_cancel_against_a_replace,
    a_cancel_of_a_replace,
    one_id_for_two,
    one_id_and_a_mark,
    one_that_expires,
    own_orders_cross,
    page_by_page,
);

/// Whether some path from `state` comes back to a state on it.
fn goes_round(model: &WriteProtocol, from: State) -> bool {
    let next = |state: &State| model.next_states(state).into_iter();
    let (mut done, mut on_path) = (HashSet::new(), HashSet::from([from.clone()]));
    let mut path = vec![(next(&from), from)];
    while let Some((left, state)) = path.last_mut() {
        match left.next() {
            Some(next) if on_path.contains(&next) => return true,
            Some(state) if done.contains(&state) => {}
            Some(state) => {
                on_path.insert(state.clone());
                path.push((next(&state), state));
            }
            None => {
                on_path.remove(state);
                done.insert(state.clone());
                path.pop();
            }
        }
    }
    false
}

/// With no way round and no state in which a message is stuck, every message ends on every path.
#[test]
fn nothing_goes_round_for_ever() {
    for scenario in [
        scenario::a_cut_in_any_order(),
        scenario::a_cut_against_a_match(),
        scenario::a_cancel_before_its_order(),
        scenario::three_over_one(),
    ] {
        let crash = Faults {
            crashes: 1,
            ..Faults::default()
        };
        let model = WriteProtocol::new(scenario.with(crash), Variant::AsDesigned);
        let first = model.init_states().remove(0);
        assert!(!goes_round(&model, first), "{}", model.scenario.name);
    }
}

/// What the protocol does not cover. A queue that delivers a message twice deletes it for both: when one of two
/// handlers is done with a message, the other makes a match and dies before it tells, nobody brings the message back.
/// Both deliveries must be under way at once, and the crash must fall between a look's write and its messages; the
/// submission then lists a match and has no `toldAt`.
#[test]
fn a_message_deleted_under_its_other_handler_may_leave_a_match_untold() {
    let scenario = scenario::two_that_cross_deleted_together();
    let searched = search(scenario.clone(), Variant::AsDesigned);
    assert_eq!(searched.broken, BTreeSet::from([EVERY_MATCH_TOLD]));
    let path = shortest(scenario, Variant::AsDesigned, EVERY_MATCH_TOLD).unwrap();
    println!("{}", shown(&path));
    for fault in ["Duplicate", "Crash"] {
        assert!(
            shown(&path).contains(fault),
            "{fault} is needed:\n{}",
            shown(&path)
        );
    }
}
