//! The common crate of Symbolon: the domain (matching, tokens, batches), the ports it is reached through, and the
//! adapters of those ports.
//!
//! What it is **not**: a Lambda, a runner, or a place where anything reads the environment (but `RUST_LOG`, in `lambda`). A function's
//! composition root builds adapters and passes them in.

#[cfg(feature = "aws")]
pub mod aws;
pub mod domain;
pub mod export;
#[cfg(feature = "lambda")]
pub mod lambda;
pub mod onboarding;
pub mod ports;
pub mod records;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
