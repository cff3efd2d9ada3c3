//! Invariants of the verdict, over any observation.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::world::{NOW, Observations, all_good, days_ago, minutes_ago, policy, report, verdicts};
use crate::domain::backup::{Code, Fact, Lag, Moment, Observed, Report, RestoreTest, Seen, Verdict};

/// A store is good only if each of its facts was seen.
fn invariant_nothing_unseen_is_good(report: &Report) -> bool {
    report
        .stores
        .iter()
        .filter(|store| store.verdict == Verdict::Good)
        .all(|store| {
            !store.observed.is_empty()
                && store
                    .observed
                    .values()
                    .all(|observed| matches!(observed, Observed::Seen(_)))
        })
}

/// A verdict is what its findings make it: no finding, no fault.
fn invariant_the_verdict_is_its_worst_finding(report: &Report) -> bool {
    report.stores.iter().all(|store| {
        let worst = store.findings.iter().map(|finding| finding.code.verdict()).max();
        store.verdict == worst.unwrap_or(Verdict::Good)
    })
}

/// The whole is as bad as its worst store.
fn invariant_the_worst_counts(report: &Report) -> bool {
    report.stores.iter().map(|store| store.verdict).max() == Some(report.verdict)
}

/// A report says the same after it was written and read.
fn invariant_a_report_survives_the_bucket(report: &Report) -> bool {
    Report::parse(&report.to_json().unwrap()).as_ref() == Ok(report)
}

fn moment() -> impl Strategy<Value = Moment> {
    prop_oneof![
        (-10_i64..100_000).prop_map(minutes_ago),
        (-10_i64..1_000).prop_map(days_ago),
        (0_i64..253_402_207_200_000)
            .prop_map(|millis| Moment(crate::domain::time::Timestamp::from_millis(millis))),
    ]
}

/// What may be seen of facts that have figures; of the others what is demanded.
fn any_seen() -> impl Strategy<Value = Seen> {
    prop_oneof![
        (
            any::<bool>(),
            proptest::option::of(0_u32..50),
            proptest::option::of(moment()),
            proptest::option::of(moment())
        )
            .prop_map(|(enabled, days, earliest, latest)| Seen::PitrWindow {
                enabled,
                days,
                earliest,
                latest
            }),
        moment().prop_map(|created| Seen::RecoveryPoint { created }),
        moment().prop_map(|created| Seen::Copy { created }),
        moment().prop_map(|at| Seen::TableLag(Lag::ArrivedUntil(at))),
        moment().prop_map(|at| Seen::BucketLag(Lag::ArrivedUntil(at))),
        any::<u64>().prop_map(|count| Seen::FailedOperations { count }),
        any::<bool>().prop_map(|enabled| Seen::Versioning { enabled }),
        any::<u32>().prop_map(|days| Seen::ObjectLock {
            mode: Some("COMPLIANCE".to_owned()),
            days
        }),
        proptest::collection::vec((moment(), "COMPLETED|FAILED"), 1..4).prop_map(|tests| {
            let test = |(ended, status)| RestoreTest {
                ended,
                status,
                validation: None,
            };
            Seen::RestoreTestsInPart {
                tests: BTreeMap::new(),
                unnamed: tests.into_iter().map(test).collect(),
            }
        }),
    ]
}

fn any_observed() -> impl Strategy<Value = Observed> {
    prop_oneof![
        4 => any_seen().prop_map(Observed::Seen),
        1 => Just(Observed::Missing),
        1 => Just(Observed::NeverRan),
        1 => Just(Observed::Silent),
        1 => Just(Observed::NotAsked),
        1 => Just(Observed::Denied { operation: "kms:DescribeKey".to_owned() }),
        1 => "[A-Z][a-z]{3,9}Exception".prop_map(|code| Observed::Failed { operation: "kms:DescribeKey".to_owned(), code }),
    ]
}

/// Changes to observations: which store, which of its facts, and what is seen then; nothing: it is left out.
fn changes() -> impl Strategy<Value = Vec<(prop::sample::Index, prop::sample::Index, Option<Observed>)>> {
    let change = (
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        proptest::option::weighted(0.9, any_observed()),
    );
    proptest::collection::vec(change, 0..20)
}

fn changed(changes: Vec<(prop::sample::Index, prop::sample::Index, Option<Observed>)>) -> Observations {
    let policy = policy();
    let mut observations = all_good(&policy);
    for (store, fact, observed) in changes {
        let store = store.get(policy.stores());
        let fact = fact.get(&store.demands).fact();
        let observation = observations.get_mut(&store.id).unwrap();
        match observed {
            // Mostly of the fact that was asked for.
            Some(Observed::Seen(seen)) if seen.fact() != fact => {}
            Some(observed) => drop(observation.insert(fact, observed)),
            None => drop(observation.remove(&fact)),
        }
    }
    observations
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn whatever_is_seen_the_invariants_hold(changes in changes()) {
        let report = report(changed(changes));
        prop_assert!(invariant_the_verdict_is_its_worst_finding(&report));
        prop_assert!(invariant_the_worst_counts(&report));
        prop_assert!(invariant_a_report_survives_the_bucket(&report));
        let complete = report.stores.iter().zip(policy().stores()).all(|(is, due)| {
            is.verdict != Verdict::Good || due.demands.iter().all(|demand| is.observed.contains_key(&demand.fact()))
        });
        prop_assert!(complete && invariant_nothing_unseen_is_good(&report));
    }

    /// What was seen and is taken away is missed: knowing less never makes a store better.
    #[test]
    fn knowing_less_makes_nothing_good(changes in changes(), of in any::<prop::sample::Index>(), fact in any::<prop::sample::Index>()) {
        let observations = changed(changes);
        let before = verdicts(&report(observations.clone()));
        let policy = policy();
        let store = of.get(policy.stores());
        let mut less = observations;
        less.get_mut(&store.id).unwrap().remove(&fact.get(&store.demands).fact());
        let after = verdicts(&report(less));
        prop_assert_ne!(after[&store.id], Verdict::Good);
        for (id, verdict) in before.into_iter().filter(|(id, _)| *id != store.id) {
            prop_assert_eq!(after[&id], verdict);
        }
    }

    /// Growing older never heals: recovery points, copies, lags and exports.
    #[test]
    fn nothing_heals_by_growing_older(minutes in 0_i64..2_000, more in 0_i64..2_000) {
        for (id, fact, of) in [
            ("table/registry", Fact::RecoveryPoint, (|created| Seen::RecoveryPoint { created }) as fn(Moment) -> Seen),
            ("table/registry", Fact::Copy, |created| Seen::Copy { created }),
            ("table/registry", Fact::TableLag, |at| Seen::TableLag(Lag::ArrivedUntil(at))),
            ("bucket/audit", Fact::BucketLag, |at| Seen::BucketLag(Lag::ArrivedUntil(at))),
        ] {
            let store = super::world::store(id);
            let found = |age| super::world::findings(&store, fact, Observed::Seen(of(minutes_ago(age)))).len();
            prop_assert!(found(minutes) <= found(minutes + more));
        }
    }

    /// A table is idle exactly if its newest write has an arrival then or later; else the first write that has none counts.
    #[test]
    fn a_table_is_idle_only_on_proof(
        latency in proptest::collection::vec((0_i64..100, -1.0_f64..9.0), 0..6),
        writes in proptest::collection::vec((0_i64..100, 0_u8..3), 0..6),
    ) {
        let points: Vec<_> = latency.iter().map(|(ago, lag)| (minutes_ago(*ago), *lag)).collect();
        let counts: Vec<_> = writes.iter().map(|(ago, count)| (minutes_ago(*ago), f64::from(*count))).collect();
        let arrived = latency.iter().filter(|(_, lag)| *lag >= 0.0).map(|(ago, _)| *ago).min().unwrap_or(i64::MAX);
        let written = || writes.iter().filter(|(_, count)| *count > 0).map(|(ago, _)| *ago);
        let late = written().filter(|ago| *ago < arrived).max();
        let due = match late {
            Some(ago) => Some(Lag::ArrivedUntil(minutes_ago(ago))),
            None => written().next().map(|_| Lag::Idle),
        };
        prop_assert_eq!(Lag::of_table(&points, &counts), due);
    }

    /// The lag that points prove is that of the best of them.
    #[test]
    fn the_best_point_counts(points in proptest::collection::vec((0_i64..60, 0.0_f64..7_200.0), 1..60)) {
        let of = |points: &[(i64, f64)]| Lag::of_points(points.iter().map(|(ago, lag)| (minutes_ago(*ago), *lag)));
        let Some(Lag::ArrivedUntil(all)) = of(&points) else { panic!() };
        for point in &points {
            let Some(Lag::ArrivedUntil(one)) = of(&[*point]) else { panic!() };
            prop_assert!(one <= all);
        }
    }
}

#[test]
fn points_that_are_no_latencies_prove_nothing() {
    let now = Moment(NOW);
    for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0] {
        assert_eq!(Lag::of_points([(now, wrong)]), None, "{wrong}");
    }
    assert_eq!(Lag::of_points([]), None);
    assert_eq!(Lag::of_points([(now, 0.0)]), Some(Lag::ArrivedUntil(now)));
    assert!(matches!(Lag::of_points([(now, 1e300)]), Some(Lag::ArrivedUntil(at)) if at < now));
}

/// The bounds themselves: as old as may be is good, a minute more is not.
#[test]
fn a_bound_is_what_may_just_be() {
    let registry = super::world::store("table/registry");
    let found = |age| {
        super::world::findings(
            &registry,
            Fact::RecoveryPoint,
            Observed::Seen(Seen::RecoveryPoint {
                created: minutes_ago(age),
            }),
        )
    };
    assert_eq!(found(600), []);
    let late = found(601);
    assert_eq!(late.len(), 1);
    assert_eq!(
        (late[0].code, late[0].is, late[0].bound),
        (
            Code::Stale,
            Some(crate::domain::backup::Figure::Minutes(601)),
            Some(super::world::hours(10))
        )
    );
}

/// Of a table that is written to now and then: what is on its way counts, and not how long nothing was.
#[test]
fn a_table_that_is_seldom_written_to_is_not_behind() {
    let at = minutes_ago;
    let until = |minutes| Some(Lag::ArrivedUntil(at(minutes)));
    for (what, latency, writes, due) in [
        ("nothing at all", vec![], vec![], None),
        ("counts of zero", vec![], vec![(at(5), 0.0)], None),
        (
            "arrivals, and no writes that they could be of",
            vec![(at(5), 1.0)],
            vec![(at(5), 0.0)],
            None,
        ),
        (
            "written weeks ago, and arrived in the same hour",
            vec![(at(50_000), 1.0)],
            vec![(at(50_000), 3.0)],
            Some(Lag::Idle),
        ),
        (
            "written weeks ago, after the last arrival",
            vec![(at(50_060), 1.0)],
            vec![(at(50_060), 3.0), (at(50_000), 1.0)],
            until(50_000),
        ),
        (
            "written, and what came is no latency",
            vec![(at(50), f64::NAN), (at(50), -1.0)],
            vec![(at(50), 3.0)],
            until(50),
        ),
        (
            "written long ago, and arrived",
            vec![(at(50), 1.0)],
            vec![(at(50), 3.0)],
            Some(Lag::Idle),
        ),
        (
            "arrived late",
            vec![(at(20), 1_800.0)],
            vec![(at(50), 3.0)],
            Some(Lag::Idle),
        ),
        (
            "written a minute ago",
            vec![(at(50), 1.0)],
            vec![(at(50), 3.0), (at(1), 1.0)],
            until(1),
        ),
        (
            "written a minute ago, for the first time",
            vec![],
            vec![(at(1), 1.0)],
            until(1),
        ),
        (
            "nothing arrives any more",
            vec![(at(40), 1.0)],
            vec![(at(39), 1.0), (at(1), 1.0)],
            until(39),
        ),
        (
            "nothing ever arrived",
            vec![],
            vec![(at(16), 1.0), (at(1), 1.0)],
            until(16),
        ),
    ] {
        assert_eq!(Lag::of_table(&latency, &writes), due, "{what}");
    }
}
