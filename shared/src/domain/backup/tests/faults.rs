//! What can be wrong with each fact.

use std::collections::BTreeMap;

use super::world::{NOW, days_ago, minutes_ago, seen};
use crate::domain::backup::{
    Code, Demand, Fact, Lag, Moment, Observed, ReplicationRule, RestoreTest, Seen, TEMPLATE,
};
use crate::testing::backup::as_demanded;

/// What is wrong, what is seen then, and what is found.
pub(super) type Fault = (&'static str, Observed, Code);

/// What can be wrong with any fact.
pub(super) fn of_any_fact() -> Vec<Fault> {
    let operation = || "service:Operation".to_owned();
    let failed = Observed::Failed {
        operation: operation(),
        code: "ThrottlingException".to_owned(),
    };
    vec![
        ("missing", Observed::Missing, Code::Missing),
        ("never ran", Observed::NeverRan, Code::NeverRan),
        ("silent", Observed::Silent, Code::Silent),
        (
            "denied",
            Observed::Denied {
                operation: operation(),
            },
            Code::Denied,
        ),
        ("failed", failed, Code::Failed),
        ("no time to ask", Observed::NotAsked, Code::NotAsked),
    ]
}

pub(super) fn pitr(enabled: bool, days: u32, earliest: Moment, latest: Moment) -> Observed {
    seen(Seen::PitrWindow {
        enabled,
        days: Some(days),
        earliest: Some(earliest),
        latest: Some(latest),
    })
}

fn table(status: &str, replicas: &[(&str, &str)]) -> Observed {
    seen(Seen::Table {
        status: status.to_owned(),
        created: Some(days_ago(400)),
        replicas: replicas
            .iter()
            .map(|(region, is)| ((*region).to_owned(), (*is).to_owned()))
            .collect(),
    })
}

/// The rule as it is demanded, and then changed.
fn rule(demand: &Demand, change: impl Fn(&mut ReplicationRule)) -> Observed {
    let Seen::ReplicationRule(mut rules) = as_demanded(demand, NOW) else {
        unreachable!()
    };
    rules.values_mut().for_each(change);
    seen(Seen::ReplicationRule(rules))
}

fn lock(mode: Option<&str>, days: u32) -> Observed {
    seen(Seen::ObjectLock {
        mode: mode.map(str::to_owned),
        days,
    })
}

pub(super) fn restore(demand: &Demand, change: impl Fn(&mut RestoreTest)) -> Observed {
    let Seen::RestoreTests(mut tests) = as_demanded(demand, NOW) else {
        unreachable!()
    };
    tests.values_mut().take(1).for_each(change);
    seen(Seen::RestoreTests(tests))
}

fn without_first<T: Clone>(map: &BTreeMap<String, T>) -> BTreeMap<String, T> {
    map.iter()
        .skip(1)
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn ahead() -> Moment {
    Moment(NOW.plus_days(1))
}

/// What can be wrong with this fact alone. A new fact does not compile without a row, nor pass without a fault in it.
#[expect(
    clippy::too_many_lines,
    reason = "a table has as many lines as there are facts"
)]
pub(super) fn of_fact(demand: &Demand) -> Vec<Fault> {
    match (demand, as_demanded(demand, NOW)) {
        (Demand::Table { replica, .. }, _) => {
            let peer = replica.as_deref().unwrap();
            vec![
                (
                    "being deleted",
                    table("DELETING", &[(peer, "ACTIVE")]),
                    Code::WrongState,
                ),
                ("no replica", table("ACTIVE", &[]), Code::Missing),
                (
                    "a replica elsewhere",
                    table("ACTIVE", &[("eu-west-1", "ACTIVE")]),
                    Code::Missing,
                ),
                (
                    "a lost replica",
                    table("ACTIVE", &[(peer, "REGION_DISABLED")]),
                    Code::WrongState,
                ),
                (
                    "its key is gone",
                    table("ACTIVE", &[(peer, "INACCESSIBLE_ENCRYPTION_CREDENTIALS")]),
                    Code::WrongState,
                ),
            ]
        }
        (Demand::PitrWindow { .. }, _) => vec![
            (
                "disabled",
                pitr(false, 35, days_ago(35), minutes_ago(5)),
                Code::Disabled,
            ),
            (
                "set shorter",
                pitr(true, 7, days_ago(7), minutes_ago(5)),
                Code::Short,
            ),
            (
                "switched off in between",
                pitr(true, 35, days_ago(3), minutes_ago(5)),
                Code::Short,
            ),
            (
                "stale",
                pitr(true, 35, days_ago(35), minutes_ago(61)),
                Code::Stale,
            ),
            (
                "to come",
                pitr(true, 35, days_ago(35), ahead()),
                Code::Implausible,
            ),
            (
                "without a window",
                seen(Seen::PitrWindow {
                    enabled: true,
                    days: Some(35),
                    earliest: None,
                    latest: None,
                }),
                Code::Incomplete,
            ),
        ],
        (Demand::RecoveryPoint { hours, .. }, _) => vec![
            (
                "stale",
                seen(Seen::RecoveryPoint {
                    created: minutes_ago(i64::from(*hours) * 60 + 1),
                }),
                Code::Stale,
            ),
            (
                "to come",
                seen(Seen::RecoveryPoint { created: ahead() }),
                Code::Implausible,
            ),
        ],
        (Demand::Copy { hours, .. }, _) => vec![
            (
                "stale",
                seen(Seen::Copy {
                    created: minutes_ago(i64::from(*hours) * 60 + 1),
                }),
                Code::Stale,
            ),
            (
                "to come",
                seen(Seen::Copy { created: ahead() }),
                Code::Implausible,
            ),
        ],
        (Demand::TableLag { minutes, .. }, _) => {
            let late = minutes_ago(i64::from(*minutes) + 1);
            vec![
                (
                    "lagging",
                    seen(Seen::TableLag(Lag::ArrivedUntil(late))),
                    Code::Lagging,
                ),
                (
                    "to come",
                    seen(Seen::TableLag(Lag::ArrivedUntil(ahead()))),
                    Code::Implausible,
                ),
            ]
        }
        (Demand::BucketLag { minutes, .. }, _) => {
            let late = minutes_ago(i64::from(*minutes) + 1);
            vec![
                (
                    "lagging",
                    seen(Seen::BucketLag(Lag::ArrivedUntil(late))),
                    Code::Lagging,
                ),
                (
                    "to come",
                    seen(Seen::BucketLag(Lag::ArrivedUntil(ahead()))),
                    Code::Implausible,
                ),
            ]
        }
        (Demand::Versioning { .. }, _) => {
            vec![(
                "disabled",
                seen(Seen::Versioning { enabled: false }),
                Code::Disabled,
            )]
        }
        (Demand::ReplicationRule { .. }, Seen::ReplicationRule(rules)) => {
            let narrowed =
                |prefix: Option<&str>| rule(demand, |rule| rule.prefix = prefix.map(str::to_owned));
            let another = rules
                .into_values()
                .map(|rule| ("another".to_owned(), rule))
                .collect();
            vec![
                (
                    "another rule",
                    seen(Seen::ReplicationRule(another)),
                    Code::Missing,
                ),
                (
                    "disabled",
                    rule(demand, |rule| rule.enabled = false),
                    Code::Disabled,
                ),
                (
                    "into another bucket",
                    rule(demand, |rule| "elsewhere".clone_into(&mut rule.to)),
                    Code::Differs,
                ),
                ("a part by name", narrowed(Some("us-east-1/2026/")), Code::Differs),
                ("another part", narrowed(Some("us-west-2/")), Code::Differs),
                ("a part by tags", narrowed(None), Code::Differs),
                (
                    "nothing that is encrypted",
                    rule(demand, |rule| rule.kms = false),
                    Code::Differs,
                ),
            ]
        }
        (Demand::FailedOperations { most, .. }, _) => {
            let count = u64::from(*most) + 1;
            vec![("failing", seen(Seen::FailedOperations { count }), Code::Failing)]
        }
        (Demand::ObjectLock { mode, days, .. }, _) => vec![
            ("nothing is locked", lock(None, 0), Code::Disabled),
            (
                "the weaker mode",
                lock(Some("GOVERNANCE"), *days),
                Code::WrongState,
            ),
            ("too short", lock(Some(mode), days - 1), Code::Short),
        ],
        (Demand::KeyState { .. }, _) => ["Disabled", "PendingDeletion", "Unavailable", ""]
            .map(|state| {
                (
                    "not enabled",
                    seen(Seen::KeyState {
                        state: state.to_owned(),
                    }),
                    Code::WrongState,
                )
            })
            .to_vec(),
        (Demand::KeyReplica { .. }, _) => ["Creating", "PendingReplicaDeletion", "Disabled"]
            .map(|state| {
                (
                    "not enabled",
                    seen(Seen::KeyReplica {
                        state: state.to_owned(),
                    }),
                    Code::WrongState,
                )
            })
            .to_vec(),
        (Demand::Rotation { .. }, _) => {
            vec![(
                "disabled",
                seen(Seen::Rotation { enabled: false }),
                Code::Disabled,
            )]
        }
        (
            Demand::Export { hours, .. },
            Seen::Export {
                exported, functions, ..
            },
        ) => {
            let export = |exported, functions| {
                seen(Seen::Export {
                    exported,
                    functions,
                    stale: BTreeMap::new(),
                })
            };
            let late = minutes_ago(i64::from(*hours) * 60 + 1);
            let stale = |part: &str, at| {
                let stale = BTreeMap::from([(part.to_owned(), at)]);
                seen(Seen::Export {
                    exported,
                    functions: functions.clone(),
                    stale,
                })
            };
            let first = functions.keys().next().unwrap();
            vec![
                ("stale", export(late, functions.clone()), Code::Stale),
                ("to come", export(ahead(), functions.clone()), Code::Implausible),
                (
                    "without a function",
                    export(exported, without_first(&functions)),
                    Code::Missing,
                ),
                ("a stale function", stale(first, Some(late)), Code::Stale),
                ("a stale template", stale(TEMPLATE, Some(late)), Code::Stale),
                ("without the template", stale(TEMPLATE, None), Code::Missing),
            ]
        }
        (Demand::Deployed { .. }, Seen::Deployed(functions)) => {
            let mut newer = functions.clone();
            newer
                .values_mut()
                .take(1)
                .for_each(|hash| "sha256-of-newer-code=".clone_into(hash));
            vec![
                (
                    "a function is gone",
                    seen(Seen::Deployed(without_first(&functions))),
                    Code::Missing,
                ),
                ("newer code", seen(Seen::Deployed(newer)), Code::Differs),
            ]
        }
        (Demand::RestoreTests { days, .. }, Seen::RestoreTests(tests)) => {
            let days = i64::from(*days);
            vec![
                (
                    "a table never",
                    seen(Seen::RestoreTests(without_first(&tests))),
                    Code::NeverRan,
                ),
                (
                    "failed",
                    restore(demand, |test| "FAILED".clone_into(&mut test.status)),
                    Code::Failing,
                ),
                (
                    "aborted",
                    restore(demand, |test| "ABORTED".clone_into(&mut test.status)),
                    Code::Failing,
                ),
                (
                    "not valid",
                    restore(demand, |test| test.validation = Some("FAILED".to_owned())),
                    Code::WrongState,
                ),
                (
                    "stale",
                    restore(demand, |test| test.ended = days_ago(days + 1)),
                    Code::Stale,
                ),
                (
                    "to come",
                    restore(demand, |test| test.ended = ahead()),
                    Code::Implausible,
                ),
            ]
        }
        (demand, seen) => panic!("{demand:?} is not answered by {seen:?}"),
    }
}

/// What is seen of another fact than was asked for.
pub(super) fn of_another_fact(fact: Fact) -> Fault {
    let other = if fact == Fact::Versioning {
        Seen::Rotation { enabled: true }
    } else {
        Seen::Versioning { enabled: true }
    };
    ("of another fact", seen(other), Code::Implausible)
}
