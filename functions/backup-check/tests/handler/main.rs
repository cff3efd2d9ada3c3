//! The real handler over ports in memory: every fault at every question, changes that are told or not, exports that fail,
//! and no time.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod changes;
mod deadlines;
mod exports;
mod faults;
mod fixtures;
mod world;
