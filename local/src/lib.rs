//! The whole deployment in one process, on embedded emulators, fed with real order flow.
//!
//! What it is **not**: a simulation. The handler, the adapters and the SDK clients are the real ones; only what
//! answers them is not AWS.

pub mod arguments;
pub mod audit;
pub mod bench;
pub mod deployment;
pub mod drill;
pub mod gather;
pub mod order_flow;
pub mod picture;
pub mod platform;
pub mod process;
pub mod progress;
pub mod redrive;
pub mod replay;
pub mod report;
pub mod run;
pub mod serve;
pub mod tables;
pub mod trial;
