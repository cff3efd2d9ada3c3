//! Faults at every boundary, on the wire below the SDK's clients: the real handler, the real adapters, the emulators.
//! Each case is a row of the failure table in ARCHITECTURE.md.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod crashes;
mod lost_responses;
mod queues;
mod refusals;
mod scene;
mod sweep;
mod time_outs;
