//! The matcher: takes a batch of the intake queue, authenticates, validates and matches, and publishes to inboxes.
//!
//! It cannot fail as a whole: it takes the raw event, and answers with the ids of the records that have to come
//! back. What it is **not**: the rules. Those are `symbolon_shared::domain::decision`; here they meet the tables
//! and the queues.

mod admission;
mod batch;
mod desk_clerk;
mod epoch_keys;
mod lane;
mod lanes;
mod publication;
mod record;
mod registry_cache;
mod set_aside;
pub mod settings;
pub mod telemetry;

pub use batch::{Matcher, Surroundings};
