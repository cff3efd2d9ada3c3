//! The token audit: takes a batch of the stream of `matches` and appends what happened to a log that cannot be edited
//! unseen (`docs/audit-log.md`).
//!
//! What it is **not**: the format. That is `symbolon_shared::domain::audit`; here it meets the bucket and the key.

mod batch;
mod chain;
mod record;
mod set_aside;
pub mod settings;
pub mod telemetry;

pub use batch::{Surroundings, TokenAudit};
pub use set_aside::{Retried, is_retry};
