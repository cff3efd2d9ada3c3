//! The platform half of the local deployment: the stack of `template.yaml` on embedded emulators.
//!
//! It stands in for AWS and knows nothing of matching: no order flow, no counterparties, no handler.

pub mod answer;
mod buckets;
pub mod bus;
pub mod clients;
pub mod emulators;
pub mod faults;
mod front;
pub mod functions;
pub mod meter;
mod metrics;
pub mod poller;
pub mod process;
pub mod requests;
pub mod runtime_api;
mod signatures;
pub mod stack;
pub mod stamps;
pub mod streams;
pub mod template;
