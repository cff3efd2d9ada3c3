//! The verifier on logs that the real function wrote: whole ones, ones that were tampered with, and kept ones.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod kept;
mod regions;
mod tampering;
mod whole;
mod world;
