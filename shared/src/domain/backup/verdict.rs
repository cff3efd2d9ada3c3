//! The decision: what was seen, held against what is demanded.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::evidence::TEMPLATE;
use super::finding::{Code, FILTER, Figure, Finding, KMS_OBJECTS};
use super::moment::Moment;
use super::observation::{Lag, Observation, Observed, ReplicationRule, RestoreTest, Seen};
use super::policy::{Demand, Store};
use super::store::Fact;
use crate::domain::time::Timestamp;

/// How a store is. The order is that of their weight: of several, the greatest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// Everything that is demanded was seen.
    Good,
    /// Something could not be seen.
    Unknown,
    /// Something was seen that must not be.
    Bad,
}

impl Verdict {
    /// Its name in reports, logs and events.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Unknown => "unknown",
            Self::Bad => "bad",
        }
    }

    /// The worst of several; of none, unknown.
    #[must_use]
    pub fn worst(verdicts: impl IntoIterator<Item = Self>) -> Self {
        verdicts.into_iter().max().unwrap_or(Self::Unknown)
    }

    /// What a store is that these were found of.
    #[must_use]
    pub fn of(findings: &[Finding]) -> Self {
        let found = findings.iter().map(|finding| finding.code.verdict());
        found.max().unwrap_or(Self::Good)
    }
}

/// How far a service's clock may be ahead of ours: what it says of a later time is not believed.
const CLOCK_MILLIS: i64 = 300_000;

/// By how much less a window of recovery may reach back than the table is old: DynamoDB switches recovery on after it
/// has made the table, and moves the first moment on in steps.
const WINDOW_SLACK_DAYS: u64 = 1;

const DAY_MINUTES: u64 = 1_440;

/// What is wrong with a store: nothing, when it is good.
#[must_use]
pub fn judge(store: &Store, observation: &Observation, now: Timestamp) -> Vec<Finding> {
    let judge = Judge { observation, now };
    store
        .demands
        .iter()
        .flat_map(|demand| judge.demand(demand))
        .collect()
}

struct Judge<'a> {
    observation: &'a Observation,
    now: Timestamp,
}

impl Judge<'_> {
    fn demand(&self, demand: &Demand) -> Vec<Finding> {
        let fact = demand.fact();
        let found = |code| Finding::new(fact, code);
        let finding = match self.observation.get(&fact) {
            Some(Observed::Seen(seen)) => return self.seen(demand, seen),
            Some(Observed::Missing) => found(Code::Missing),
            Some(Observed::NeverRan) => found(Code::NeverRan),
            Some(Observed::Silent) => found(Code::Silent),
            Some(Observed::Denied { operation }) => found(Code::Denied).word(operation),
            Some(Observed::Failed { operation, code }) => {
                found(Code::Failed).word(&format!("{operation}: {code}"))
            }
            Some(Observed::NotAsked) | None => found(Code::NotAsked),
        };
        vec![finding]
    }

    fn seen(&self, demand: &Demand, seen: &Seen) -> Vec<Finding> {
        let fact = demand.fact();
        match (demand, seen) {
            (Demand::Table { replica, .. }, Seen::Table { status, replicas, .. }) => {
                table(status, replica.as_deref(), replicas)
            }
            (Demand::PitrWindow { days, minutes, .. }, seen @ Seen::PitrWindow { .. }) => {
                self.pitr(*days, *minutes, seen)
            }
            (Demand::RecoveryPoint { hours, .. }, Seen::RecoveryPoint { created })
            | (Demand::Copy { hours, .. }, Seen::Copy { created }) => self
                .age(fact, Code::Stale, *created, hours_as_minutes(*hours))
                .into_iter()
                .collect(),
            (Demand::TableLag { minutes, .. }, Seen::TableLag(lag))
            | (Demand::BucketLag { minutes, .. }, Seen::BucketLag(lag)) => self.lag(fact, *lag, *minutes),
            (Demand::Versioning { .. }, Seen::Versioning { enabled })
            | (Demand::Rotation { .. }, Seen::Rotation { enabled }) => on(fact, *enabled),
            (Demand::ReplicationRule { rule, to, prefix, .. }, Seen::ReplicationRule(rules)) => {
                let finding = replication_rule(rules.get(rule), to, prefix);
                finding.map(|finding| finding.part(rule)).into_iter().collect()
            }
            (Demand::FailedOperations { most, .. }, Seen::FailedOperations { count }) => {
                at_most(fact, Code::Failing, Figure::Count, *count, u64::from(*most))
            }
            (
                Demand::ObjectLock { mode, days, .. },
                Seen::ObjectLock {
                    mode: is,
                    days: locked,
                },
            ) => lock(mode, *days, is.as_deref(), *locked),
            (Demand::KeyState { .. }, Seen::KeyState { state })
            | (Demand::KeyReplica { .. }, Seen::KeyReplica { state }) => state_is(fact, state, "Enabled"),
            (Demand::Export { hours, names, .. }, seen @ Seen::Export { .. }) => {
                self.export(*hours, names, seen)
            }
            (Demand::Deployed { names }, Seen::Deployed(functions)) => self.deployed(names, functions),
            (
                Demand::RestoreTests {
                    tables,
                    days,
                    validated,
                    ..
                },
                Seen::RestoreTests(tests),
            ) => {
                let tests = tables.iter().map(|(arn, table)| (table, tests.get(arn)));
                tests
                    .filter_map(|(table, test)| self.test(table, test, *days, *validated))
                    .collect()
            }
            (
                Demand::RestoreTests {
                    tables,
                    days,
                    validated,
                    ..
                },
                Seen::RestoreTestsInPart { tests, unnamed },
            ) => {
                let tests = tables.iter().map(|(arn, table)| (table, tests.get(arn)));
                tests
                    .filter_map(|(table, test)| {
                        let found = |test: Option<&RestoreTest>| self.test(table, test, *days, *validated);
                        among(table, test, unnamed, found)
                    })
                    .collect()
            }
            // Of another fact than was asked for.
            _ => vec![Finding::new(fact, Code::Implausible)],
        }
    }

    /// Whether something is young enough.
    fn age(&self, fact: Fact, code: Code, at: Moment, most_minutes: u64) -> Option<Finding> {
        if at.0.millis_since(self.now) > CLOCK_MILLIS {
            return Some(Finding::new(fact, Code::Implausible));
        }
        at_most(
            fact,
            code,
            Figure::Minutes,
            at.minutes_before(self.now),
            most_minutes,
        )
        .pop()
    }

    fn lag(&self, fact: Fact, lag: Lag, minutes: u32) -> Vec<Finding> {
        match lag {
            Lag::Idle => Vec::new(),
            Lag::ArrivedUntil(at) => self
                .age(fact, Code::Lagging, at, u64::from(minutes))
                .into_iter()
                .collect(),
        }
    }

    /// Recovery is on, is set to reach back far enough, does so as far as the table is old, and ends a short time ago.
    fn pitr(&self, due_days: u32, minutes: u32, seen: &Seen) -> Vec<Finding> {
        let Seen::PitrWindow {
            enabled,
            days,
            earliest,
            latest,
        } = seen
        else {
            return vec![Finding::new(Fact::PitrWindow, Code::Implausible)];
        };
        if !enabled {
            return on(Fact::PitrWindow, false);
        }
        let (Some(days), Some(earliest), Some(latest)) = (days, earliest, latest) else {
            return vec![Finding::new(Fact::PitrWindow, Code::Incomplete)];
        };
        let set = at_least(
            Fact::PitrWindow,
            Figure::Days,
            u64::from(*days),
            u64::from(due_days),
        );
        let reach = if set.is_empty() {
            self.reach(due_days, *earliest)
        } else {
            set
        };
        let stale = self.age(Fact::PitrWindow, Code::Stale, *latest, u64::from(minutes));
        reach.into_iter().chain(stale).collect()
    }

    /// A window that begins later than it is set to is that of a young table, or one that was switched off in between.
    fn reach(&self, due_days: u32, earliest: Moment) -> Vec<Finding> {
        let slack = WINDOW_SLACK_DAYS * DAY_MINUTES;
        let reach = earliest.minutes_before(self.now);
        let due = u64::from(due_days) * DAY_MINUTES;
        if reach + slack >= due {
            return Vec::new();
        }
        let created = match self.observation.get(&Fact::Table) {
            Some(Observed::Seen(Seen::Table { created, .. })) => *created,
            _ => None,
        };
        let Some(created) = created else {
            return vec![Finding::new(Fact::PitrWindow, Code::Incomplete)];
        };
        if reach + slack >= created.minutes_before(self.now) {
            return Vec::new();
        }
        let due = due.min(created.minutes_before(self.now));
        at_least(
            Fact::PitrWindow,
            Figure::Days,
            reach / DAY_MINUTES,
            due / DAY_MINUTES,
        )
    }

    /// The export is young enough, has every function, and is as young of each of them, and of the template.
    fn export(&self, hours: u32, names: &[String], seen: &Seen) -> Vec<Finding> {
        let Seen::Export {
            exported,
            functions,
            stale,
        } = seen
        else {
            return vec![Finding::new(Fact::Export, Code::Implausible)];
        };
        let due = |part: &&String| *part == TEMPLATE || names.contains(part);
        let of_part = |part: &String, at: Option<Moment>| {
            match at {
                Some(at) => self.age(Fact::Export, Code::Stale, at, hours_as_minutes(hours)),
                None => Some(Finding::new(Fact::Export, Code::Missing)),
            }
            .map(|finding| finding.part(part))
        };
        let whole = self.age(Fact::Export, Code::Stale, *exported, hours_as_minutes(hours));
        let parts = stale
            .iter()
            .filter(|(part, _)| due(part))
            .filter_map(|(part, at)| of_part(part, *at));
        let absent = absent(Fact::Export, names, functions);
        whole.into_iter().chain(parts).chain(absent).collect()
    }

    /// Every function is there, and runs the code that was exported. What is not known of the export is found of it.
    fn deployed(&self, names: &[String], functions: &BTreeMap<String, String>) -> Vec<Finding> {
        let exported = match self.observation.get(&Fact::Export) {
            Some(Observed::Seen(Seen::Export { functions, .. })) => Some(functions),
            _ => None,
        };
        let differs = |name: &&String| {
            let exported = exported.and_then(|exported| exported.get(*name));
            let deployed = functions.get(*name);
            matches!((exported, deployed), (Some(exported), Some(deployed)) if exported != deployed)
        };
        let differing = names.iter().filter(differs);
        let differing = differing.map(|name| Finding::new(Fact::Deployed, Code::Differs).part(name));
        absent(Fact::Deployed, names, functions)
            .chain(differing)
            .collect()
    }

    fn test(&self, table: &str, test: Option<&RestoreTest>, days: u32, validated: bool) -> Option<Finding> {
        let found = |code| Some(Finding::new(Fact::RestoreTests, code).part(table));
        let Some(test) = test else {
            return found(Code::NeverRan);
        };
        if test.status != "COMPLETED" {
            return found(Code::Failing).map(|finding| finding.word(&test.status));
        }
        let validation = test.validation.as_deref();
        if validation == Some("FAILED") || (validated && validation != Some("SUCCESSFUL")) {
            let word = validation.unwrap_or("none");
            return found(Code::WrongState).map(|finding| finding.word(word));
        }
        let most = u64::from(days) * DAY_MINUTES;
        let stale = self.age(Fact::RestoreTests, Code::Stale, test.ended, most);
        stale.map(|finding| finding.part(table))
    }
}

/// What is found of a table's newest test, where each of `unnamed` may be that instead: the same whichever it is, or that it
/// cannot be told.
fn among(
    table: &str,
    test: Option<&RestoreTest>,
    unnamed: &[RestoreTest],
    found: impl Fn(Option<&RestoreTest>) -> Option<Finding>,
) -> Option<Finding> {
    let newer = |other: &&RestoreTest| test.is_none_or(|test| other.ended >= test.ended);
    let of_named = found(test);
    let verdict = Verdict::of(of_named.as_slice());
    let mut others = unnamed.iter().filter(newer).map(|other| found(Some(other)));
    if others.all(|other| Verdict::of(other.as_slice()) == verdict) {
        return of_named;
    }
    Some(Finding::new(Fact::RestoreTests, Code::Incomplete).part(table))
}

/// A rule is there, is on, replicates into the right bucket, and leaves nothing out: what a rule leaves out S3 neither counts
/// as pending nor as failed, so that nothing else would show it.
fn replication_rule(rule: Option<&ReplicationRule>, to: &str, prefix: &str) -> Option<Finding> {
    let found = |code| Some(Finding::new(Fact::ReplicationRule, code));
    let Some(is) = rule else {
        return found(Code::Missing);
    };
    let whole = is.prefix.as_deref().is_some_and(|is| prefix.starts_with(is));
    if !is.enabled {
        found(Code::Disabled)
    } else if is.to != to {
        found(Code::Differs)
    } else if !whole {
        found(Code::Differs).map(|finding| finding.word(FILTER))
    } else if !is.kms {
        found(Code::Differs).map(|finding| finding.word(KMS_OBJECTS))
    } else {
        None
    }
}

fn hours_as_minutes(hours: u32) -> u64 {
    u64::from(hours) * 60
}

fn at_most(fact: Fact, code: Code, of: fn(u64) -> Figure, is: u64, most: u64) -> Vec<Finding> {
    if is > most {
        vec![Finding::new(fact, code).figures(of(is), of(most))]
    } else {
        Vec::new()
    }
}

fn at_least(fact: Fact, of: fn(u64) -> Figure, is: u64, least: u64) -> Vec<Finding> {
    if is < least {
        vec![Finding::new(fact, Code::Short).figures(of(is), of(least))]
    } else {
        Vec::new()
    }
}

fn on(fact: Fact, enabled: bool) -> Vec<Finding> {
    if enabled {
        Vec::new()
    } else {
        vec![Finding::new(fact, Code::Disabled)]
    }
}

fn state_is(fact: Fact, is: &str, due: &str) -> Vec<Finding> {
    if is == due {
        Vec::new()
    } else {
        vec![Finding::new(fact, Code::WrongState).word(is)]
    }
}

/// States in which a table, or a replica, takes reads and writes. (`UPDATING`: its capacity, its settings or another
/// replica are being changed.)
const WORKING: &[&str] = &["ACTIVE", "UPDATING"];

fn table(status: &str, replica: Option<&str>, replicas: &BTreeMap<String, String>) -> Vec<Finding> {
    let works = |status: &str| {
        let fails = !WORKING.contains(&status);
        fails.then(|| Finding::new(Fact::Table, Code::WrongState).word(status))
    };
    let of_replica = replica.and_then(|region| {
        let found = match replicas.get(region) {
            None => Some(Finding::new(Fact::Table, Code::Missing)),
            Some(status) => works(status),
        };
        found.map(|finding| finding.part(region))
    });
    works(status).into_iter().chain(of_replica).collect()
}

fn lock(due: &str, due_days: u32, is: Option<&str>, days: u32) -> Vec<Finding> {
    match is {
        None => on(Fact::ObjectLock, false),
        Some(is) if is != due => state_is(Fact::ObjectLock, is, due),
        Some(_) => at_least(
            Fact::ObjectLock,
            Figure::Days,
            u64::from(days),
            u64::from(due_days),
        ),
    }
}

fn absent(
    fact: Fact,
    names: &[String],
    functions: &BTreeMap<String, String>,
) -> impl Iterator<Item = Finding> {
    let absent = names.iter().filter(|name| !functions.contains_key(*name));
    absent.map(move |name| Finding::new(fact, Code::Missing).part(name))
}
