use proptest::prelude::*;

use super::super::plan::{Act, CANARY_LETTERS, Canary, Case, Consumer, Disposition, Recent, brake, plan};
use crate::domain::reason::{PoisonReason, StopReason};

fn fresh() -> Case {
    Case {
        disposition: Disposition::Transient,
        cycles: 0,
        telling: true,
    }
}

fn poison() -> Case {
    Case {
        disposition: Disposition::Poison(PoisonReason::Stale),
        ..fresh()
    }
}

fn consumer(enabled: Option<bool>, recent: Option<(u64, u64)>) -> Consumer {
    Consumer {
        enabled,
        recent: recent.map(|(invocations, errors)| Recent { invocations, errors }),
    }
}

#[test]
fn a_consumer_that_is_not_seen_to_work_brakes() {
    for (seen, expected) in [
        (consumer(Some(true), Some((100, 0))), None),
        (consumer(Some(true), Some((100, 49))), None),
        (
            consumer(Some(true), Some((100, 50))),
            Some(StopReason::ConsumerFailing),
        ),
        (
            consumer(Some(true), Some((1, 1))),
            Some(StopReason::ConsumerFailing),
        ),
        (
            consumer(Some(true), Some((0, 1))),
            Some(StopReason::ConsumerFailing),
        ),
        // Idle: it failed at nothing.
        (consumer(Some(true), Some((0, 0))), None),
        (consumer(Some(true), None), Some(StopReason::ConsumerUnknown)),
        (consumer(None, Some((100, 0))), Some(StopReason::ConsumerUnknown)),
        (
            consumer(Some(false), Some((100, 0))),
            Some(StopReason::ConsumerDisabled),
        ),
        (consumer(Some(false), None), Some(StopReason::ConsumerDisabled)),
        (Consumer::default(), Some(StopReason::ConsumerUnknown)),
    ] {
        assert_eq!(brake(seen), expected, "{seen:?}");
    }
}

#[test]
fn the_canary_is_of_those_that_came_back_least_often() {
    let once = Case { cycles: 1, ..fresh() };
    let mute = Case {
        telling: false,
        ..fresh()
    };
    let of = |hand: &[Case]| plan(hand, None, Canary::Wanted);
    assert_eq!(
        of(&[once, fresh(), mute, once]),
        [Act::Leave, Act::Canary, Act::Leave, Act::Leave]
    );
    assert_eq!(of(&[once, mute, once]), [Act::Canary, Act::Leave, Act::Canary]);
    assert_eq!(of(&[mute, mute]), [Act::Leave, Act::Leave]);
}

fn cases() -> impl Strategy<Value = Vec<Case>> {
    let disposition = prop_oneof![
        Just(Disposition::Poison(PoisonReason::Malformed)),
        Just(Disposition::Transient),
        Just(Disposition::Quarantined),
        Just(Disposition::BackAgain),
        Just(Disposition::Unknown),
    ];
    let case = (disposition, 0..3_u32, any::<bool>()).prop_map(|(disposition, cycles, telling)| Case {
        disposition,
        cycles,
        telling,
    });
    proptest::collection::vec(case, 0..30)
}

fn canaries() -> impl Strategy<Value = Canary> {
    prop_oneof![
        Just(Canary::Wanted),
        Just(Canary::Mute),
        Just(Canary::Out),
        Just(Canary::Heard),
        Just(Canary::Stopped(StopReason::CanaryRelapsed)),
    ]
}

fn brakes() -> impl Strategy<Value = Option<StopReason>> {
    prop_oneof![Just(None), Just(Some(StopReason::ConsumerFailing))]
}

proptest! {
    /// Poison goes to the quarantine, what is there stays there, and nothing else ever does.
    #[test]
    fn poison_is_quarantined_whatever_else_is_the_case(hand in cases(), brake in brakes(), canary in canaries()) {
        let acts = plan(&hand, brake, canary);
        prop_assert_eq!(acts.len(), hand.len());
        for (case, act) in hand.iter().zip(acts) {
            let allowed = match case.disposition {
                Disposition::Poison(reason) => act == Act::Quarantine(reason),
                Disposition::Quarantined => act == Act::Forget,
                Disposition::BackAgain | Disposition::Unknown => act == Act::Leave,
                Disposition::Transient => matches!(act, Act::Canary | Act::SendBack | Act::Leave),
            };
            prop_assert!(allowed);
        }
    }

    #[test]
    fn nothing_goes_back_unless_a_canary_was_heard_of(hand in cases(), brake in brakes(), canary in canaries()) {
        let acts = plan(&hand, brake, canary);
        let going = acts.iter().filter(|act| matches!(act, Act::Canary | Act::SendBack)).count();
        if brake.is_some() || matches!(canary, Canary::Out | Canary::Stopped(_)) {
            prop_assert_eq!(going, 0);
        } else if canary != Canary::Heard {
            prop_assert!(going <= CANARY_LETTERS);
        } else {
            let may = hand.iter().filter(|case| case.disposition == Disposition::Transient).count();
            prop_assert_eq!(going, may);
        }
    }
}

#[test]
fn poison_goes_under_the_brake_and_the_rest_stays() {
    let acts = plan(
        &[poison(), fresh()],
        Some(StopReason::ConsumerFailing),
        Canary::Heard,
    );
    assert_eq!(acts, [Act::Quarantine(PoisonReason::Stale), Act::Leave]);
}
