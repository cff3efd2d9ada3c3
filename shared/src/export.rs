//! The run that exports a stack's functions to the other region's bucket.
//!
//! Each part is one unit: a function with its package, configuration and mappings; the stack with its template and
//! parameters. A part that fails leaves its last good entry in the manifest. The bucket failing ends the run, and leaves
//! the manifest as it was.
//!
//! Every step may be repeated, by the next run or by one beside it: objects are named by content and put only where they
//! are not, and the manifest is moved by compare-and-swap, last.
//!
//! What it is **not**: a schedule, a clock or a deadline of its own.

mod run;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::domain::export::{FunctionName, Reason, RenewAfter, Scope, Stale};
use crate::domain::time::Timestamp;
use crate::ports::PortError;

pub use self::run::export;

/// Milliseconds that must be left to begin a part. A function's calls take a second, and one that uses up the 25 s of its
/// client leaves as much as 15 s to the manifest; the download of the largest package may take longer, and a run that is
/// cut off there does no harm.
pub const PART_MILLIS: i64 = 40_000;

/// What is exported, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportPlan {
    /// The stack and its region.
    pub scope: Scope,
    /// The functions, by name.
    pub functions: Vec<FunctionName>,
    /// When objects that are still named are put again.
    pub renew_after: RenewAfter,
}

/// What became of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The bucket has it as it is now.
    Exported {
        /// Whether anything of it had to be copied.
        copied: bool,
    },
    /// The bucket has it as it was.
    Stale(Stale),
    /// The bucket does not have it.
    Absent(Reason),
}

/// What became of the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ManifestOutcome {
    /// The new one is in place.
    Written {
        /// Whether it names other objects than the one before.
        changed: bool,
    },
    /// Nothing could be exported, so the one before stays.
    Kept,
    /// Another run put its own in the meantime: that one stays.
    Overtaken,
}

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportOutcome {
    /// Each function.
    pub functions: BTreeMap<FunctionName, Part>,
    /// The stack: template and parameters.
    pub stack: Part,
    /// The manifest.
    pub manifest: ManifestOutcome,
    /// Whether the manifest before was not one of ours: its entries could not be taken over.
    pub unreadable_before: bool,
    /// Objects that lay under a name of ours with another content, and were replaced.
    pub repaired: u32,
    /// What the outside said where a part was not exported: operation and code, for the log.
    pub errors: Vec<PortError>,
    /// When the run began: the time of the manifest, if one was written.
    pub at: Timestamp,
}

impl ExportOutcome {
    /// Whether everything is in the bucket as it is now.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let whole = |part: &Part| matches!(part, Part::Exported { .. });
        self.functions.values().chain([&self.stack]).all(whole) && self.manifest != ManifestOutcome::Kept
    }
}
