//! Findings and figures in plain English, for the page.

use std::collections::BTreeMap;

use super::finding::{Code, FILTER, Figure, Finding, KMS_OBJECTS};
use super::moment::Moment;
use super::observation::{FAILED_OPERATIONS_DAYS, Lag, RestoreTest, Seen};
use super::store::{Fact, Kind};
use super::verdict::Verdict;
use crate::domain::time::Timestamp;

/// How a verdict is said.
pub(super) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Good => "Good",
        Verdict::Unknown => "Unknown",
        Verdict::Bad => "Bad",
    }
}

/// What a store is, where its name does not say it.
pub(super) fn kind(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Table | Kind::Bucket | Kind::Key => None,
        Kind::Functions => Some("code and configuration, exported to"),
        Kind::RestoreTesting => Some("test restores of tables, by the plan"),
    }
}

/// What a fact is called.
pub(super) fn fact(fact: Fact) -> &'static str {
    match fact {
        Fact::Table => "Table",
        Fact::PitrWindow => "Point-in-time recovery",
        Fact::RecoveryPoint => "Recovery point here",
        Fact::Copy => "Copy in the other region",
        Fact::TableLag => "Replica",
        Fact::Versioning => "Versioning",
        Fact::ReplicationRule => "Replication rule",
        Fact::BucketLag => "Replication",
        Fact::FailedOperations => "Failed replication",
        Fact::ObjectLock => "Object Lock",
        Fact::KeyState => "Key",
        Fact::KeyReplica => "Key in the other region",
        Fact::Rotation => "Rotation",
        Fact::Export => "Export",
        Fact::Deployed => "Code that runs",
        Fact::RestoreTests => "Test restores",
    }
}

/// A figure with its unit.
pub(super) fn figure(figure: Figure) -> String {
    match figure {
        Figure::Minutes(minutes) => span(minutes),
        Figure::Days(days) => count(days, "day"),
        Figure::Count(number) => number.to_string(),
    }
}

/// A span of time in its two greatest units.
pub(super) fn span(minutes: u64) -> String {
    const HOUR: u64 = 60;
    const DAY: u64 = 24 * HOUR;
    let (great, rest, small) = match minutes {
        0..=119 => return count(minutes, "minute"),
        120..=2_879 => (count(minutes / HOUR, "hour"), minutes % HOUR, "minute"),
        _ => (count(minutes / DAY, "day"), minutes % DAY / HOUR, "hour"),
    };
    if rest == 0 {
        great
    } else {
        format!("{great} {}", count(rest, small))
    }
}

fn count(number: u64, unit: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{plural}")
}

/// What is wrong, in a sentence.
pub(super) fn sentence(finding: &Finding) -> String {
    let title = fact(finding.fact);
    let part = finding.part.as_deref().unwrap_or("?");
    let word = finding.word.as_deref().unwrap_or("?");
    let is = finding.is.map_or_else(|| "?".to_owned(), figure);
    let bound = finding.bound.map_or_else(|| "?".to_owned(), figure);
    match (finding.fact, finding.code) {
        (Fact::RestoreTests, Code::Stale) => {
            format!("The newest test restore of {part} ended {is} ago; it may be at most {bound}.")
        }
        (Fact::PitrWindow, Code::Stale) => {
            format!("The table can be put back to {is} ago; the last {bound} may be lost, no more.")
        }
        (Fact::Export, Code::Stale) if finding.part.is_some() => {
            format!("The newest export of {part} is {is} old; it may be at most {bound}.")
        }
        (_, Code::Stale) => format!("{title}: the newest is {is} old; it may be at most {bound}."),
        (_, Code::Lagging) => format!("The other region is up to {is} behind; it may be at most {bound}."),
        (Fact::PitrWindow, Code::Short) => format!("The table can be put back {is}; it must be {bound}."),
        (_, Code::Short) => format!("{title} holds for {is}; it must be {bound}."),
        (Fact::RestoreTests, Code::Failing) => format!("The newest test restore of {part} ended {word}."),
        (_, Code::Failing) => {
            format!(
                "In the last {FAILED_OPERATIONS_DAYS} days {is} operations were not replicated; at most {bound} may be. \
                 S3 does not try again by itself."
            )
        }
        (_, Code::Missing | Code::NeverRan) => absent(finding, part),
        (_, Code::Disabled) => format!("{title} is switched off."),
        (Fact::RestoreTests, Code::WrongState) => {
            format!("The validation of the newest test restore of {part} says {word}.")
        }
        (Fact::RestoreTests, Code::Incomplete) => {
            format!(
                "AWS Backup does not say of every test restore of which table it is: one may be the newest of {part}."
            )
        }
        (Fact::Table, Code::WrongState) if finding.part.is_some() => {
            format!("The replica in {part} is {word}.")
        }
        (_, Code::WrongState) => format!("{title}: its state is {word}."),
        (Fact::ReplicationRule, Code::Differs) if word == FILTER => {
            format!("The rule {part} replicates only some objects: its filter leaves others out.")
        }
        (Fact::ReplicationRule, Code::Differs) if word == KMS_OBJECTS => {
            format!("The rule {part} leaves out what is encrypted under a key of KMS: all there is.")
        }
        (Fact::ReplicationRule, Code::Differs) => {
            format!("The rule {part} replicates into another bucket than it must.")
        }
        (_, Code::Differs) => format!("The function {part} runs other code than was exported."),
        (_, Code::Denied) => format!("{title} cannot be seen: {word} is not allowed."),
        (_, Code::Failed) => format!("{title} could not be read ({word})."),
        (_, Code::NotAsked) => format!("{title}: there was no time to look."),
        (Fact::TableLag, Code::Silent) => {
            "Replica: no write is seen of the last two months, so nothing shows that it keeps up.".to_owned()
        }
        (_, Code::Silent) => format!("{title}: the metric has no points, and should have."),
        (_, Code::Incomplete) => format!("{title}: the answer lacks what is needed to judge it."),
        (_, Code::Implausible) => format!("{title}: the answer cannot be true."),
    }
}

fn absent(finding: &Finding, part: &str) -> String {
    match finding.fact {
        Fact::Table if finding.part.is_some() => format!("There is no replica in {part}."),
        Fact::Table | Fact::PitrWindow => "There is no such table.".to_owned(),
        Fact::RecoveryPoint => "This region's vault has no complete recovery point.".to_owned(),
        Fact::Copy => "The other region's vault has no complete copy.".to_owned(),
        Fact::Versioning => "There is no such bucket.".to_owned(),
        Fact::ReplicationRule if finding.part.is_some() => format!("There is no replication rule {part}."),
        Fact::ReplicationRule => "The bucket is not replicated.".to_owned(),
        Fact::ObjectLock => "The bucket has no Object Lock.".to_owned(),
        Fact::KeyState => "There is no such key.".to_owned(),
        Fact::KeyReplica => "The key has no replica in the other region.".to_owned(),
        Fact::Export if finding.part.is_some() => format!("The newest export lacks {part}."),
        Fact::Export => "The functions were never exported.".to_owned(),
        Fact::Deployed => format!("There is no function {part}."),
        Fact::RestoreTests if finding.part.is_some() => {
            format!("The table {part} was never restored as a test.")
        }
        Fact::RestoreTests => "Nothing was ever restored as a test.".to_owned(),
        Fact::TableLag | Fact::BucketLag | Fact::FailedOperations | Fact::Rotation => {
            format!("{}: there is no such thing.", fact(finding.fact))
        }
    }
}

/// What to do about it.
pub(super) fn advice(finding: &Finding) -> &'static str {
    match finding.code {
        Code::Denied if matches!(finding.fact, Fact::RecoveryPoint | Fact::Copy) => {
            return "See first whether the vault is there: AWS says the same of a vault that is not there. If it is, give the role of backup-check this permission, and look at who took it away.";
        }
        Code::Denied => return "Give the role of backup-check this permission, and look at who took it away.",
        Code::Incomplete if finding.fact == Fact::RestoreTests => {
            return "Look at the restore jobs of AWS Backup: the recovery point of each says of which table it is.";
        }
        Code::Failed | Code::Incomplete | Code::Implausible => {
            return "Wait for the next run; if it stays, ask AWS Health and the function's log.";
        }
        Code::Silent if finding.fact == Fact::TableLag => {
            return "Change a value in the table and change it back, for writing the same again writes nothing: halt a symbol and resume it (parameters), or suspend a test counterparty and resume it (registry). The other tables are written to as business comes in.";
        }
        Code::NotAsked => return "Wait for the next run; if it stays, give the function more time.",
        _ => {}
    }
    match finding.fact {
        Fact::Table if finding.part.is_some() => "Update the primary's stack: it owns the replicas.",
        Fact::Table => "Restore the table before anything else (docs/recovery.md).",
        Fact::PitrWindow => {
            "Update the primary's stack: it switches recovery on. What lies before the window is in AWS Backup."
        }
        Fact::RecoveryPoint => "Look at the jobs of AWS Backup in this region: they say why they failed.",
        Fact::Copy => {
            "Look at the copy jobs of AWS Backup where the plan runs, and at the key of the other vault."
        }
        Fact::TableLag => {
            "Do not fail over before it has caught up; ask AWS Health about both regions. Requests that changed nothing count as writes, so a quiet table may read as behind until its next real write."
        }
        Fact::Versioning => {
            "Update this region's stack: it switches versioning on. What was overwritten meanwhile is gone."
        }
        Fact::ReplicationRule => {
            "Update this region's stack, then replicate what was missed by S3 Batch Replication."
        }
        Fact::BucketLag => {
            "Look at the replication role and at both keys; ask AWS Health about both regions."
        }
        Fact::FailedOperations => {
            "Look at the replication role and at both keys, then run S3 Batch Replication: it mends what failed. This stays bad for 90 days after, unless failures of the policy is raised."
        }
        Fact::ObjectLock => "Update this region's stack, and find out in CloudTrail who changed it.",
        Fact::KeyState => "Cancel the deletion or enable the key at once: nothing under it can be read.",
        Fact::KeyReplica => {
            "Update the other region's stack: without its key the other region can read nothing."
        }
        Fact::Rotation => "Update the stack: it switches rotation on.",
        Fact::Export => "Run backup-check by hand; if it stays, look at its log for why the export failed.",
        Fact::Deployed => {
            "Run backup-check by hand: the next export holds what runs now. Unless nobody deployed it."
        }
        Fact::RestoreTests => {
            "Look at the restore jobs of AWS Backup; restore this table by hand (docs/recovery.md)."
        }
    }
}

/// What was seen, in a few words.
pub(super) fn seen(seen: &Seen, now: Timestamp) -> String {
    match seen {
        Seen::Table { status, replicas, .. } => {
            let replicas = replicas
                .iter()
                .map(|(region, status)| format!("replica in {region} {status}"));
            join([status.clone()].into_iter().chain(replicas))
        }
        Seen::PitrWindow {
            enabled: true,
            earliest: Some(earliest),
            latest: Some(latest),
            ..
        } => {
            let (from, to) = (ago(*earliest, now), ago(*latest, now));
            format!("to any moment from {from} to {to}")
        }
        Seen::PitrWindow { enabled, .. } | Seen::Versioning { enabled } | Seen::Rotation { enabled } => {
            on(*enabled)
        }
        Seen::RecoveryPoint { created } | Seen::Copy { created } => {
            format!("newest of {}", ago(*created, now))
        }
        Seen::TableLag(lag) | Seen::BucketLag(lag) => match lag {
            Lag::Idle => "all that was written has arrived".to_owned(),
            Lag::ArrivedUntil(at) => format!("at most {} behind", span(at.minutes_before(now))),
        },
        Seen::ReplicationRule(rules) => {
            let rules = rules
                .iter()
                .map(|(id, rule)| format!("{id} is {}, into {}", on(rule.enabled), rule.to));
            join(rules)
        }
        Seen::FailedOperations { count } => format!("{count} in the last {FAILED_OPERATIONS_DAYS} days"),
        Seen::ObjectLock { mode, days } => match mode {
            Some(mode) => format!("{mode} for {}", count(u64::from(*days), "day")),
            None => on(false),
        },
        Seen::KeyState { state } | Seen::KeyReplica { state } => state.clone(),
        Seen::Export {
            exported, functions, ..
        } => {
            let functions = count(functions.len() as u64, "function");
            format!("of {}, {functions}", ago(*exported, now))
        }
        Seen::Deployed(functions) => join(functions.keys().cloned()),
        Seen::RestoreTests(tests) => join(tests_by_name(tests, now)),
        Seen::RestoreTestsInPart { tests, unnamed } => {
            let unnamed = format!("{} of a table not named", count(unnamed.len() as u64, "test"));
            join(tests_by_name(tests, now).chain([unnamed]))
        }
    }
}

fn tests_by_name(tests: &BTreeMap<String, RestoreTest>, now: Timestamp) -> impl Iterator<Item = String> {
    let by_name: BTreeMap<&str, _> = tests.iter().map(|(arn, test)| (table_of(arn), test)).collect();
    by_name
        .into_iter()
        .map(move |(name, test)| format!("{name} {} {}", test.status, ago(test.ended, now)))
}

/// The table of an ARN.
fn table_of(arn: &str) -> &str {
    arn.rsplit_once('/').map_or(arn, |(_, name)| name)
}

fn on(enabled: bool) -> String {
    if enabled { "on" } else { "off" }.to_owned()
}

fn ago(moment: Moment, now: Timestamp) -> String {
    format!("{} ago", span(moment.minutes_before(now)))
}

fn join(parts: impl Iterator<Item = String>) -> String {
    let parts: Vec<String> = parts.collect();
    if parts.is_empty() {
        "none".to_owned()
    } else {
        parts.join(", ")
    }
}
