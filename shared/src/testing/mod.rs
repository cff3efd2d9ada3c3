//! Adapters for tests: every port in memory, a decorator that makes ports fail by a script, the suite of cases that
//! every adapter passes, and input that is made to break whatever takes it.
//!
//! What it is **not**: a mock. Nothing here is told what to answer; [`MemoryPorts`] keeps what it is given under
//! the same conditions as the tables do.

mod audit;
pub mod backup;
pub mod conformance;
mod export;
mod faulty;
pub mod hostile;
mod memory;
mod operation;
mod redrive;

pub use audit::{MemoryAudit, NoPrivateKey};
pub use backup::MemoryBackup;
pub use export::{ExportCall, FaultyExport, MemoryExport};
pub use faulty::{FaultyPorts, Injection, Script};
pub use memory::MemoryPorts;
pub use operation::Operation;
pub use redrive::{MemoryRedrive, Mishap, Unlucky};
