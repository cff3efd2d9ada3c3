//! Verifies the audit log from the bucket and the public key alone.
//!
//! It re-derives everything from the published format, `docs/audit-log.md`, and shares no code with what writes the
//! log: not the common crate, not a constant. What the two have in common is that page and the kept vectors.
//!
//! What it is **not**: a tool with options and tables. It finds, and says what it found and what it could not rule out.

pub mod bucket;
pub mod compare;
pub mod finding;
pub mod format;
pub mod head;
pub mod lookup;
pub mod verify;

mod chain;
mod key;
mod listed;

pub use bucket::{Bucket, BucketError};
pub use compare::{Comparison, compare};
pub use finding::{Finding, Place, Unproven};
pub use head::RememberedHead;
pub use key::{InvalidKey, PublicKeys};
pub use verify::{Progress, Report, verify, verify_entries};
