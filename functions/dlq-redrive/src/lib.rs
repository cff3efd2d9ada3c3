//! The redrive of dead letters: what was transient goes back to its source, a canary first; what is poison goes to the
//! quarantine; nothing is deleted before its new place has acknowledged it.
//!
//! What it is **not**: the decision. That is `symbolon_shared::domain::redrive`; here it meets the queues and the bucket.

mod acts;
mod canary;
mod hand;
mod pace;
mod redrive;
mod run;
pub mod settings;
mod shelf;
pub mod telemetry;

pub use redrive::{Redrive, Surroundings, Waiting};
pub use settings::{Conduct, QueueSettings};
