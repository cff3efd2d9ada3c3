//! Adapters for tests: every port in memory, and a decorator that makes ports fail by a script.
//!
//! What it is **not**: a mock. Nothing here is told what to answer; [`MemoryPorts`] keeps what it is given under
//! the same conditions as the tables do.

mod faulty;
mod memory;
mod operation;

pub use faulty::{FaultyPorts, Injection, Script};
pub use memory::MemoryPorts;
pub use operation::Operation;
