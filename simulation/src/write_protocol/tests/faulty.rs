//! Each faulty protocol breaks what it must break, and nothing else.

use std::collections::BTreeSet;

use super::super::invariants::{
    AT_REST_NOTHING_COULD_MATCH, CONSERVED_QUANTITY, EVERY_MATCH_TOLD, MINIMUMS_RESPECTED, NO_OVERFILL,
    PENDING_CANCEL_COMES_TRUE,
};
use super::super::scenario::{self, Faults, Scenario};
use super::super::variant::Variant;
use super::{search, shortest, shown};

/// A counterexample that a person can follow.
const SHORT: usize = 20;

const NO_FAULT: Faults = Faults {
    crashes: 0,
    duplicates: 0,
    lost_responses: 0,
    late_writes: 0,
};

/// Under these faults, and not without them, `variant` breaks exactly `broken`.
fn breaks<const N: usize>(variant: Variant, scenario: Scenario, faults: Faults, broken: [&'static str; N]) {
    let scenario = Scenario {
        sees: Vec::new(),
        ..scenario.with(faults)
    };
    let first = broken[0];
    let path = shortest(scenario.clone(), variant, first).unwrap_or_else(|| {
        panic!("{variant:?} does not break \"{first}\" in {}", scenario.name);
    });
    println!("{variant:?} breaks \"{first}\":\n{}", shown(&path));
    assert!(path.len() <= SHORT, "too long to follow:\n{}", shown(&path));
    assert_eq!(
        search(scenario.clone(), variant).broken,
        BTreeSet::from(broken),
        "{}:\n{}",
        scenario.name,
        shown(&path)
    );
    if faults != NO_FAULT {
        let without = search(scenario.with(NO_FAULT), variant);
        assert_eq!(
            without.broken,
            BTreeSet::new(),
            "the faults are not what breaks it"
        );
    }
}

#[test]
fn without_a_second_look_two_that_cross_rest() {
    let variant = Variant::NoSecondLook;
    let broken = [AT_REST_NOTHING_COULD_MATCH];
    breaks(variant, scenario::two_that_cross(), NO_FAULT, broken);
}

#[test]
fn without_a_look_on_redelivery_two_that_cross_rest_after_a_crash() {
    let crash = Faults {
        crashes: 1,
        ..NO_FAULT
    };
    let variant = Variant::NoLookOnRedelivery;
    let broken = [AT_REST_NOTHING_COULD_MATCH];
    breaks(variant, scenario::two_that_cross(), crash, broken);
}

#[test]
fn without_a_look_after_a_replace_in_place_nobody_looks_for_the_order() {
    let variant = Variant::NoLookAfterReplaceInPlace;
    let broken = [AT_REST_NOTHING_COULD_MATCH];
    breaks(variant, scenario::a_cut_in_any_order(), NO_FAULT, broken);
}

#[test]
fn published_from_memory_a_match_whose_response_was_lost_is_not_told() {
    let lost = Faults {
        lost_responses: 1,
        ..NO_FAULT
    };
    let variant = Variant::PublishFromMemory;
    let scenarios = [scenario::two_that_cross(), scenario::too_small_and_resting()];
    for scenario in scenarios {
        breaks(variant, scenario, lost, [EVERY_MATCH_TOLD]);
    }
}

#[test]
fn a_minimum_that_shrinks_fits_what_was_passed_over() {
    let variant = Variant::ShrinkingMinimum;
    let broken = [AT_REST_NOTHING_COULD_MATCH];
    breaks(variant, scenario::too_small_and_resting(), NO_FAULT, broken);
}

#[test]
fn a_minimum_that_shrinks_gives_less_than_was_asked() {
    let variant = Variant::ShrinkingMinimum;
    let broken = [MINIMUMS_RESPECTED, AT_REST_NOTHING_COULD_MATCH];
    breaks(variant, scenario::a_minimum(), NO_FAULT, broken);
}

#[test]
fn a_mark_under_its_own_key_and_its_order_miss_each_other() {
    let variant = Variant::MarkUnderOwnKey;
    let broken = [PENDING_CANCEL_COMES_TRUE];
    breaks(variant, scenario::a_cancel_before_its_order(), NO_FAULT, broken);
    breaks(variant, scenario::a_cancel_of_a_replace(), NO_FAULT, broken);
}

#[test]
fn a_guard_on_leaves_matches_an_order_that_was_replaced() {
    let variant = Variant::GuardOnLeaves;
    let broken = [CONSERVED_QUANTITY];
    breaks(variant, scenario::a_cut_against_a_match(), NO_FAULT, broken);
}

#[test]
fn a_guard_on_leaves_overfills() {
    let variant = Variant::GuardOnLeaves;
    let broken = [NO_OVERFILL, CONSERVED_QUANTITY];
    breaks(variant, scenario::three_over_one(), NO_FAULT, broken);
}

#[test]
fn a_message_done_while_a_write_of_it_is_on_its_way_leaves_a_match_untold() {
    let late = Faults {
        late_writes: 1,
        ..NO_FAULT
    };
    let variant = Variant::DoneWhileUnsure;
    let broken = [EVERY_MATCH_TOLD];
    breaks(variant, scenario::two_that_cross(), late, broken);
}

/// What is left at one place of the book only shrinks: a fill takes from it, and a replace that keeps the place cuts
/// it. So what was left tells one version from another. A replace that could keep its place with as much left as
/// before would end that.
#[test]
fn a_guard_on_exactly_what_was_left_is_as_good_as_the_version() {
    for scenario in [
        scenario::a_cut_against_a_match(),
        scenario::two_replaces(),
        scenario::a_cancel_against_a_replace(),
        scenario::three_over_one(),
    ] {
        let crash = Faults {
            crashes: 1,
            ..NO_FAULT
        };
        let searched = search(scenario.with(crash), Variant::GuardOnEqualLeaves);
        assert_eq!(searched.broken, BTreeSet::new());
    }
}

#[test]
fn each_variant_is_switched_on_in_one_place() {
    let protocol = [
        include_str!("../decision/mod.rs"),
        include_str!("../decision/cancel.rs"),
        include_str!("../decision/interest.rs"),
        include_str!("../decision/matching.rs"),
        include_str!("../decision/replace.rs"),
        include_str!("../delivery.rs"),
        include_str!("../invariants.rs"),
        include_str!("../message.rs"),
        include_str!("../pairing.rs"),
        include_str!("../records.rs"),
        include_str!("../scenario.rs"),
        include_str!("../sights.rs"),
        include_str!("../state.rs"),
        include_str!("../tables.rs"),
    ]
    .concat();
    for variant in Variant::FAULTY.into_iter().chain([Variant::GuardOnEqualLeaves]) {
        let switches = protocol.matches(&format!("Variant::{variant:?}")).count();
        assert_eq!(switches, 1, "{variant:?}");
    }
    let others = protocol.matches("Variant::").count() - Variant::FAULTY.len() - 1;
    assert_eq!(
        others, 0,
        "some other switch, or the designed protocol is one itself"
    );
}
