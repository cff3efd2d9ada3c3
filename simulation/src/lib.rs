//! What cannot be seen on one machine in one run: every interleaving of a few messages, and many matchers side by
//! side over tables that take their time.
//!
//! What it is **not**: a deployment. Nothing here speaks to an emulator or to AWS; `local` does.

pub mod hot_symbol;
pub mod write_protocol;
