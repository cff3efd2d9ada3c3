//! The real handler over ports in memory: batches, duplicates, crashes at every boundary, races, and somebody who may
//! write to the bucket but not sign.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod announcements;
mod attacks;
mod batches;
mod crashes;
mod fixtures;
mod hooked;
mod races;
mod secrets;
mod set_aside;
mod world;
