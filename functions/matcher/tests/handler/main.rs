//! The real handler over ports in memory: batches, senders, publication, faults, races, and what it says of them.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod authentication;
mod batches;
mod checks;
mod concurrency;
mod deadlines;
mod fixtures;
mod hooked;
mod hostile;
mod keys;
mod logs;
mod lost_responses;
mod panics;
mod publication;
mod records;
mod second_look;
mod slices;
mod stale_readings;
mod world;
