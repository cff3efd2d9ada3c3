//! Every observation that can be wrong, of every store: it flips the verdict of its own store, and of no other.

use std::collections::{BTreeMap, BTreeSet};

use super::faults::{of_another_fact, of_any_fact, of_fact, pitr, restore};
use super::world::{NOW, all_good, days_ago, minutes_ago, policy, report, store, verdicts};
use crate::domain::backup::{Code, Demand, Fact, Observed, RestoreTest, Seen, Verdict};
use crate::testing::backup::as_demanded;

/// What a store must be, whatever the code under test makes of it.
fn due_of(code: Code) -> Verdict {
    match code {
        Code::Missing
        | Code::NeverRan
        | Code::Disabled
        | Code::Stale
        | Code::Lagging
        | Code::WrongState
        | Code::Failing
        | Code::Differs
        | Code::Short => Verdict::Bad,
        Code::Denied
        | Code::Failed
        | Code::NotAsked
        | Code::Silent
        | Code::Incomplete
        | Code::Implausible => Verdict::Unknown,
    }
}

#[test]
fn every_observation_that_can_be_wrong_flips_the_verdict_of_its_store_and_of_no_other() {
    let policy = policy();
    let good = all_good(&policy);
    let before = verdicts(&report(good.clone()));
    assert!(
        before.values().all(|verdict| *verdict == Verdict::Good),
        "{before:?}"
    );
    let (mut met, mut rows) = (BTreeSet::new(), 0);
    for store in policy.stores() {
        for demand in &store.demands {
            let fact = demand.fact();
            met.insert(fact);
            if matches!(demand, Demand::Table { replica: None, .. }) {
                continue;
            }
            let own = of_fact(demand);
            assert!(!own.is_empty(), "{fact:?} has no fault of its own");
            let faults = of_any_fact()
                .into_iter()
                .chain(own)
                .chain([of_another_fact(fact)]);
            for (what, observed, code) in faults {
                let mut observations = good.clone();
                observations.get_mut(&store.id).unwrap().insert(fact, observed);
                let after = report(observations);
                let mut due = before.clone();
                due.insert(store.id.clone(), due_of(code));
                assert_eq!(verdicts(&after), due, "{} {fact:?}: {what}", store.id);
                let of_store = after.stores.iter().find(|is| is.id == store.id).unwrap();
                assert!(
                    of_store
                        .findings
                        .iter()
                        .any(|found| found.fact == fact && found.code == code),
                    "{} {fact:?}: {what}: {:?}",
                    store.id,
                    of_store.findings
                );
                assert!(
                    of_store
                        .findings
                        .iter()
                        .all(|found| due_of(found.code) == due_of(code))
                );
                assert_eq!(after.verdict, due_of(code));
                rows += 1;
            }
        }
    }
    assert_eq!(
        met,
        Fact::ALL.iter().copied().collect(),
        "every fact is demanded by some store"
    );
    println!(
        "{rows} rows over {} stores and {} facts",
        policy.stores().len(),
        met.len()
    );
    assert!(rows > 600, "{rows}");
}

#[test]
fn what_cannot_be_read_is_unknown_and_never_good() {
    let policy = policy();
    for fault in of_any_fact()
        .into_iter()
        .filter(|(what, ..)| !["missing", "never ran"].contains(what))
    {
        let mut observations = all_good(&policy);
        for observed in observations
            .values_mut()
            .flat_map(std::collections::BTreeMap::values_mut)
        {
            *observed = fault.1.clone();
        }
        let report = report(observations);
        assert!(
            verdicts(&report)
                .values()
                .all(|verdict| *verdict == Verdict::Unknown),
            "{fault:?}"
        );
    }
    // Nothing observed at all: not even that it was not asked for.
    let report = report(BTreeMap::new());
    assert_eq!(report.count(Verdict::Unknown), policy.stores().len());
}

#[test]
fn what_is_bad_outweighs_what_is_unknown() {
    let policy = policy();
    let mut observations = all_good(&policy);
    let registry = observations.get_mut(&store("table/registry").id).unwrap();
    registry.insert(Fact::PitrWindow, Observed::NotAsked);
    registry.insert(Fact::Copy, Observed::NeverRan);
    let bucket = observations.get_mut(&store("bucket/data").id).unwrap();
    bucket.insert(Fact::BucketLag, Observed::Silent);
    let report = report(observations);
    assert_eq!(verdicts(&report)[&store("table/registry").id], Verdict::Bad);
    assert_eq!(verdicts(&report)[&store("bucket/data").id], Verdict::Unknown);
    assert_eq!(report.verdict, Verdict::Bad);
    assert_eq!(
        [Verdict::Good, Verdict::Unknown, Verdict::Bad].map(|verdict| report.count(verdict)),
        [policy.stores().len() - 2, 1, 1]
    );
}

#[test]
fn a_young_table_may_have_a_young_window() {
    let registry = store("table/registry");
    let window = pitr(true, 35, days_ago(3), minutes_ago(5));
    let young = |created| {
        let mut observation = all_good(&policy()).remove(&registry.id).unwrap();
        observation.insert(Fact::PitrWindow, window.clone());
        let mut table = observation[&Fact::Table].clone();
        if let Observed::Seen(Seen::Table { created: is, .. }) = &mut table {
            *is = created;
        }
        observation.insert(Fact::Table, table);
        let found = super::super::judge(&registry, &observation, NOW);
        found.into_iter().map(|finding| finding.code).collect::<Vec<_>>()
    };
    assert_eq!(young(Some(days_ago(3))), []);
    assert_eq!(
        young(Some(days_ago(4))),
        [],
        "recovery is switched on after the table is made"
    );
    assert_eq!(young(Some(days_ago(5))), [Code::Short]);
    assert_eq!(young(None), [Code::Incomplete]);
}

/// What does not exist in the tables of the sample: validation that is demanded, and tables without a replica.
#[test]
fn where_validation_is_demanded_none_is_not_enough() {
    let mut testing = store("restore-testing");
    for (demanded, validation, due) in [
        (false, None, None),
        (false, Some("TIMED_OUT"), None),
        (false, Some("FAILED"), Some(Code::WrongState)),
        (true, None, Some(Code::WrongState)),
        (true, Some("TIMED_OUT"), Some(Code::WrongState)),
        (true, Some("VALIDATING"), Some(Code::WrongState)),
        (true, Some("SUCCESSFUL"), None),
    ] {
        for demand in &mut testing.demands {
            if let Demand::RestoreTests { validated, .. } = demand {
                *validated = demanded;
            }
        }
        let observed = restore(&testing.demands[0], |test| {
            test.validation = validation.map(str::to_owned);
        });
        let found = super::world::findings(&testing, Fact::RestoreTests, observed);
        assert_eq!(
            found.first().map(|finding| finding.code),
            due,
            "{demanded} {validation:?}"
        );
    }
}

/// A test of a table that is not named may be of any: a table's verdict stands only where none of them could change it.
#[test]
fn a_test_that_names_no_table_leaves_unknown_what_it_could_change() {
    let testing = store("restore-testing");
    let Demand::RestoreTests { days, .. } = &testing.demands[0] else {
        panic!("it demands something else");
    };
    let stale = i64::from(*days) + 1;
    let test = |ended: i64, status: &str| RestoreTest {
        ended: days_ago(ended),
        status: status.to_owned(),
        validation: None,
    };
    for (what, named, unnamed, due) in [
        (
            "never, or just now",
            None,
            vec![test(1, "COMPLETED")],
            Some(Code::Incomplete),
        ),
        (
            "never, or failed",
            None,
            vec![test(1, "FAILED")],
            Some(Code::NeverRan),
        ),
        (
            "never, or too long ago",
            None,
            vec![test(stale, "COMPLETED")],
            Some(Code::NeverRan),
        ),
        (
            "never, failed, or just now",
            None,
            vec![test(1, "FAILED"), test(2, "COMPLETED")],
            Some(Code::Incomplete),
        ),
        (
            "stale, or just now",
            Some(test(stale, "COMPLETED")),
            vec![test(1, "COMPLETED")],
            Some(Code::Incomplete),
        ),
        (
            "good, or failed since",
            Some(test(2, "COMPLETED")),
            vec![test(1, "FAILED")],
            Some(Code::Incomplete),
        ),
        (
            "good, or failed at the same moment",
            Some(test(2, "COMPLETED")),
            vec![test(2, "FAILED")],
            Some(Code::Incomplete),
        ),
        (
            "good either way",
            Some(test(2, "COMPLETED")),
            vec![test(1, "COMPLETED")],
            None,
        ),
        (
            "good, after one that failed",
            Some(test(2, "COMPLETED")),
            vec![test(3, "FAILED")],
            None,
        ),
        (
            "failed, after one that was good",
            Some(test(2, "FAILED")),
            vec![test(3, "COMPLETED")],
            Some(Code::Failing),
        ),
    ] {
        let Seen::RestoreTests(mut tests) = as_demanded(&testing.demands[0], NOW) else {
            unreachable!()
        };
        let first = tests.keys().next().unwrap().clone();
        tests.remove(&first);
        // The others are good whatever is new, so that only the first table's verdict is at stake.
        for other in tests.values_mut() {
            other.ended = days_ago(0);
        }
        tests.extend(named.map(|test| (first, test)));
        let observed = Observed::Seen(Seen::RestoreTestsInPart { tests, unnamed });
        let found = super::world::findings(&testing, Fact::RestoreTests, observed);
        assert_eq!(
            found.iter().map(|finding| finding.code).collect::<Vec<_>>(),
            Vec::from_iter(due),
            "{what}"
        );
    }
}

/// The audit log of this region lies below the region's name; of all else everything must be replicated.
#[test]
fn a_rule_may_leave_out_of_the_audit_log_what_the_other_region_wrote() {
    for (id, prefix, whole) in [
        ("bucket/audit", "us-east-1/", true),
        ("bucket/audit", "", true),
        ("bucket/audit", "us-east-1/2026", false),
        ("bucket/data", "", true),
        ("bucket/data", "us-east-1/", false),
    ] {
        let bucket = store(id);
        let mut demands = bucket.demands.iter();
        let demand = demands
            .find(|demand| demand.fact() == Fact::ReplicationRule)
            .unwrap();
        let Seen::ReplicationRule(mut rules) = as_demanded(demand, NOW) else {
            unreachable!()
        };
        for rule in rules.values_mut() {
            rule.prefix = Some(prefix.to_owned());
        }
        let rules = Observed::Seen(Seen::ReplicationRule(rules));
        let found = super::world::findings(&bucket, Fact::ReplicationRule, rules);
        assert_eq!(found.is_empty(), whole, "{id} {prefix}: {found:?}");
    }
}

/// A table that scales is `UPDATING`, and as good as before.
#[test]
fn a_table_that_is_being_updated_is_good() {
    let registry = store("table/registry");
    let table = Observed::Seen(Seen::Table {
        status: "UPDATING".to_owned(),
        created: Some(days_ago(400)),
        replicas: BTreeMap::from([("us-west-2".to_owned(), "UPDATING".to_owned())]),
    });
    assert_eq!(super::world::findings(&registry, Fact::Table, table), []);
}
