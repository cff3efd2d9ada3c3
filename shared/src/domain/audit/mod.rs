//! The token audit: what a change in the table of matches becomes in the log, and how the log holds together.
//!
//! The published format is `docs/audit-log.md`; `tests/vectors/audit_v1.json` freezes it. Whatever changes a label, a
//! name, a field or a hash is a `v2` beside this, never an edit.
//!
//! What it is **not**: the verifier. That one shares no code with this, so that a mistake made here is seen there.

mod announcement;
mod entry;
mod format;
mod object;
mod observation;
#[cfg(test)]
mod tests;

pub use announcement::Announcement;
pub use entry::{Entry, Event, EventId, Invariant};
pub use format::{CHAINS, Chain, Link, LogRegion, head_name, object_name};
pub use object::{Draft, Position, Refused, Sealed, Statement, split_sealed};
pub use observation::{Change, Observation, Surroundings};
