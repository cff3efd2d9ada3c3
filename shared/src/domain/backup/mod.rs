//! Whether what must not be lost could be put back: what is looked after, what was seen of it, what is demanded, and
//! the verdict.
//!
//! The way through it: a [`Policy`] names [`Store`]s and makes [`Demand`]s of each; whoever observes answers each demand
//! with an [`Observed`]; [`judge`] decides; a [`Report`] holds all of it, and [`changes`] compares it with the last one.
//!
//! What it is **not**: a backup, or a place that asks anybody anything. And nothing here takes silence for good news: what
//! was not seen is [`Verdict::Unknown`].

mod change;
mod evidence;
mod finding;
mod html;
mod moment;
mod observation;
mod policy;
mod report;
mod store;
mod verdict;
mod words;

#[cfg(test)]
mod tests;

pub use change::{Change, Told, changes};
pub use evidence::{ExportManifest, TEMPLATE, UnreadableManifest};
pub use finding::{Code, Figure, Finding};
pub use html::page;
pub use moment::Moment;
pub use observation::{
    FAILED_OPERATIONS_DAYS, Lag, Observation, Observed, Point, ReplicationRule, RestoreTest, Seen,
};
pub use policy::{
    BucketPolicy, Demand, FunctionsPolicy, KeyPolicy, LockPolicy, PitrPolicy, Place, Policy, PolicyDocument,
    PolicyError, RecoveryPolicy, ReplicaPolicy, ReplicationPolicy, RestoreTestingPolicy, Store, TablePolicy,
};
pub use report::{REPORT_VERSION, Report, ReportNames, StoreReport, UnreadableReport};
pub use store::{Fact, Kind, StoreId};
pub use verdict::{Verdict, judge};
