//! What was seen. There is no default: whatever was not seen says why.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::moment::Moment;
use super::store::Fact;

/// What came of asking for one fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Observed {
    /// It was seen.
    Seen(Seen),
    /// The service says that there is no such thing: no such table, no such configuration.
    Missing,
    /// It is there, and has never done its work: no recovery point, no test restore, no export.
    NeverRan,
    /// A metric without points, and nothing that explains why it has none.
    Silent,
    /// The service refuses to say.
    #[serde(rename_all = "camelCase")]
    Denied {
        /// What was not allowed, such as `kms:DescribeKey`.
        operation: String,
    },
    /// It could not be read.
    #[serde(rename_all = "camelCase")]
    Failed {
        /// What failed.
        operation: String,
        /// The service's error code, or ours where it gave none.
        code: String,
    },
    /// There was no time to ask.
    NotAsked,
}

/// How far a copy is known to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Lag {
    /// All that was written before this moment has arrived.
    ArrivedUntil(Moment),
    /// The newest write is known to have arrived: nothing can be behind.
    Idle,
}

/// For how many days failed operations are looked back upon. S3 does not try them again by itself, so what failed is missing
/// until somebody mends it: CloudWatch would know of 15 months.
pub const FAILED_OPERATIONS_DAYS: u16 = 90;

/// A point of a metric: the beginning of its period, and the value.
pub type Point = (Moment, f64);

impl Lag {
    /// What points of a latency prove: one of `seconds` at `at` says that what was written `seconds` before `at` has
    /// arrived. The best proof counts: what has arrived stays.
    #[must_use]
    pub fn of_points(points: impl IntoIterator<Item = Point>) -> Option<Self> {
        proven(points).map(Self::ArrivedUntil)
    }

    /// What is known of a table: its latency, which has points where something arrived, and what was written to it, which
    /// has points where something was. A write and its arrival may be of one period, so points that are near each other in
    /// time must be of periods of one length.
    ///
    /// It is idle only on proof: the newest write has an arrival in its period or later. What was written after the newest
    /// arrival is on its way, however long ago that was. Where no write is seen nothing is known, for there is nothing
    /// by which an arrival that is due could be missed.
    #[must_use]
    pub fn of_table(latency: &[Point], writes: &[Point]) -> Option<Self> {
        let arrivals = latency.iter().filter(|point| is_latency(point));
        let arrived = arrivals.map(|(at, _)| *at).max();
        let written = writes.iter().filter(|(_, count)| *count > 0.0).map(|(at, _)| *at);
        let on_their_way = written.clone().filter(|at| Some(*at) > arrived).min();
        match on_their_way {
            Some(first) => Some(Self::ArrivedUntil(first)),
            None => written.max().map(|_| Self::Idle),
        }
    }
}

/// Whether it is a point of a latency: of a number that can be one.
fn is_latency((_, seconds): &Point) -> bool {
    seconds.is_finite() && *seconds >= 0.0
}

/// The last moment until which points of a latency prove that everything has arrived.
fn proven(points: impl IntoIterator<Item = Point>) -> Option<Moment> {
    points
        .into_iter()
        .filter(is_latency)
        .map(|(at, seconds)| Moment(at.0.plus_millis(-millis(seconds))))
        .max()
}

/// Milliseconds, rounded up; saturating.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a cast from floating point saturates, and no latency is that long"
)]
fn millis(seconds: f64) -> i64 {
    (seconds * 1_000.0).ceil() as i64
}

/// A rule of a bucket's replication.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReplicationRule {
    /// Whether it is on.
    pub enabled: bool,
    /// The bucket that it replicates into.
    pub to: String,
    /// The names of objects that it replicates begin so: empty, when it replicates all; none, when tags have a say in it.
    /// (Reports of before this was looked at have none.)
    #[serde(default)]
    pub prefix: Option<String>,
    /// Whether it replicates what is encrypted under a key of KMS.
    #[serde(default)]
    pub kms: bool,
}

/// A restore that was made to see whether it can be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RestoreTest {
    /// When it ended.
    pub ended: Moment,
    /// How it ended: `COMPLETED`, `ABORTED`, `FAILED`.
    pub status: String,
    /// What was found of what it restored: `SUCCESSFUL`, `FAILED`, `TIMED_OUT`, `VALIDATING`; nothing when nobody looked.
    pub validation: Option<String>,
}

/// A fact that was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Seen {
    /// Of [`Fact::Table`].
    Table {
        /// `ACTIVE`, or what else DynamoDB says.
        status: String,
        /// When this region's table was made.
        created: Option<Moment>,
        /// The status of each replica, by its region.
        replicas: BTreeMap<String, String>,
    },
    /// Of [`Fact::PitrWindow`].
    PitrWindow {
        /// Whether it is on.
        enabled: bool,
        /// How many days back it is set to reach.
        days: Option<u32>,
        /// The first moment to which the table can be put back.
        earliest: Option<Moment>,
        /// The last one.
        latest: Option<Moment>,
    },
    /// Of [`Fact::RecoveryPoint`].
    RecoveryPoint {
        /// The moment of which the newest complete one tells.
        created: Moment,
    },
    /// Of [`Fact::Copy`].
    Copy {
        /// When the newest complete one was begun.
        created: Moment,
    },
    /// Of [`Fact::TableLag`].
    TableLag(Lag),
    /// Of [`Fact::Versioning`].
    Versioning {
        /// Whether it is on. Suspended, or never set, is off.
        enabled: bool,
    },
    /// Of [`Fact::ReplicationRule`]: the rules by their ids.
    ReplicationRule(BTreeMap<String, ReplicationRule>),
    /// Of [`Fact::BucketLag`].
    BucketLag(Lag),
    /// Of [`Fact::FailedOperations`].
    FailedOperations {
        /// How many there were in the last [`FAILED_OPERATIONS_DAYS`].
        count: u64,
    },
    /// Of [`Fact::ObjectLock`]: what is locked when nothing else is said.
    ObjectLock {
        /// `COMPLIANCE` or `GOVERNANCE`; none when new objects are not locked.
        mode: Option<String>,
        /// For how many days.
        days: u32,
    },
    /// Of [`Fact::KeyState`].
    KeyState {
        /// `Enabled`, or what else KMS says.
        state: String,
    },
    /// Of [`Fact::KeyReplica`].
    KeyReplica {
        /// `Enabled`, or what else KMS says.
        state: String,
    },
    /// Of [`Fact::Rotation`].
    Rotation {
        /// Whether it is on.
        enabled: bool,
    },
    /// Of [`Fact::Export`].
    Export {
        /// When it was made.
        exported: Moment,
        /// The hash of each function's code, as Lambda gives it.
        functions: BTreeMap<String, String>,
        /// What could not be exported then, and of when its last good export is; none, when there is none.
        stale: BTreeMap<String, Option<Moment>>,
    },
    /// Of [`Fact::Deployed`]: the hash of each function's code. One that does not exist is not in it.
    Deployed(BTreeMap<String, String>),
    /// Of [`Fact::RestoreTests`]: the newest that has ended, by the ARN of the table that was restored.
    RestoreTests(BTreeMap<String, RestoreTest>),
    /// Of [`Fact::RestoreTests`] too, where the service does not say of every test what it restored. (A form of its own:
    /// reports of before it still read.)
    RestoreTestsInPart {
        /// Those of which it does: the newest that has ended, by the ARN of the table.
        tests: BTreeMap<String, RestoreTest>,
        /// All others that have ended: each may be the newest of any table.
        unnamed: Vec<RestoreTest>,
    },
}

impl Seen {
    /// The fact that it is of.
    #[must_use]
    pub fn fact(&self) -> Fact {
        match self {
            Self::Table { .. } => Fact::Table,
            Self::PitrWindow { .. } => Fact::PitrWindow,
            Self::RecoveryPoint { .. } => Fact::RecoveryPoint,
            Self::Copy { .. } => Fact::Copy,
            Self::TableLag(_) => Fact::TableLag,
            Self::Versioning { .. } => Fact::Versioning,
            Self::ReplicationRule(_) => Fact::ReplicationRule,
            Self::BucketLag(_) => Fact::BucketLag,
            Self::FailedOperations { .. } => Fact::FailedOperations,
            Self::ObjectLock { .. } => Fact::ObjectLock,
            Self::KeyState { .. } => Fact::KeyState,
            Self::KeyReplica { .. } => Fact::KeyReplica,
            Self::Rotation { .. } => Fact::Rotation,
            Self::Export { .. } => Fact::Export,
            Self::Deployed(_) => Fact::Deployed,
            Self::RestoreTests(_) | Self::RestoreTestsInPart { .. } => Fact::RestoreTests,
        }
    }
}

/// What was seen of one store. A fact that is not in it was not asked for.
pub type Observation = BTreeMap<Fact, Observed>;
