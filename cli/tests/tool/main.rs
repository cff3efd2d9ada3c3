//! The real binary on the local stack.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and has a clock of its own"
)]

mod audit;
mod counted;
mod faults;
mod inboxes;
mod killed;
mod onboarding;
mod pages;
mod proxy;
mod quarantine;
mod stand;
mod submitting;
mod walk_through;
