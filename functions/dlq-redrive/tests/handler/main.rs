//! The real handler over ports in memory, with a consumer that is told what it does with each message: canaries, the
//! brake, dry runs, and whatever may go wrong at any call.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod brake;
mod canaries;
mod crashes;
mod fixtures;
mod secrets;
mod shelf;
mod sorting;
mod world;
