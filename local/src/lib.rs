//! The whole deployment in one process, on embedded emulators, fed with real order flow.

pub mod order_flow;
pub mod picture;
pub mod platform;
pub mod progress;
pub mod report;
