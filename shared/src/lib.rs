//! The common crate of Symbolon: the domain (matching, tokens, batches), the ports it is reached through, and the
//! adapters of those ports.
//!
//! What it is **not**: a Lambda, a runner, or a place where anything reads the environment. A function's
//! composition root builds adapters and passes them in.

pub mod domain;
pub mod ports;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
