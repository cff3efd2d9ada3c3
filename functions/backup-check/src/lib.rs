//! The backup check: looks whether what must not be lost could be put back, and says so.
//!
//! What it is **not**: the verdict. That is `symbolon_shared::domain::backup`; here the questions are asked, and the answer is
//! put where somebody sees it.

mod check;
mod export;
mod observe;
pub mod settings;
pub mod telemetry;

pub use check::{BackupCheck, Checked, Surroundings};
pub use export::{ExportRun, FunctionExport};
