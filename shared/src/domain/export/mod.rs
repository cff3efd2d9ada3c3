//! The export of functions: what has to lie in the other region's bucket so that the functions can be put back from
//! nothing but that bucket.
//!
//! Objects are named by their content, so what is there already is not copied again, and nothing that a manifest names
//! is ever changed. The manifest is written last: a run that dies half-way leaves the one before whole.
//!
//! What it is **not**: the restoring. That is done by hand, with commands that need none of this code: `docs/recovery.md`.

mod assembly;
mod configuration;
mod digest;
mod manifest;
mod mapping;
mod names;
mod plan;
mod stack;
#[cfg(test)]
mod tests;

pub use assembly::{Fresh, FreshFunction, FreshStack, Previous, assemble};
pub use configuration::{Configuration, DeadLetters, Environment, Logging, Network, Storage, Tracing};
pub use digest::{Digest, InvalidDigest};
pub use manifest::{FunctionEntry, Manifest, StackEntry, Stale, Unreadable};
pub use mapping::{
    Destination, Destinations, Filter, Filters, Mapping, Mappings, MappingsDocument, Metrics, Pollers,
    Scaling,
};
pub use names::{FunctionName, InvalidName, Scope};
pub use plan::{Need, RenewAfter, Stored, need};
pub use stack::{StackParameter, StackSettings, StackTag};

/// Bytes of a package at most: what Lambda takes in one request with `--zip-file` (Lambda quotas: 50 MB zipped, for
/// direct upload), which is how it is put back. One package is in memory at a time.
pub const MAX_PACKAGE_BYTES: u64 = 50_000_000;

/// Why a part was not exported, as a code for logs, metrics and the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The service says that there is no such function, or no such stack. It may be what has to be restored.
    Missing,
    /// It could not be read: denied, throttled or not reached.
    NotRead,
    /// It is being changed just now.
    Changing,
    /// It holds something that the restore would not bring back.
    NotRestorable,
    /// The package is larger than [`MAX_PACKAGE_BYTES`].
    TooLarge,
    /// The package could not be downloaded.
    NotDownloaded,
    /// What was downloaded is not what the service says that it runs.
    HashMismatch,
    /// The bucket did not take it.
    NotStored,
    /// There was no time left to begin it.
    NoTime,
}

impl Reason {
    /// The code.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::NotRead => "not_read",
            Self::Changing => "changing",
            Self::NotRestorable => "not_restorable",
            Self::TooLarge => "too_large",
            Self::NotDownloaded => "not_downloaded",
            Self::HashMismatch => "hash_mismatch",
            Self::NotStored => "not_stored",
            Self::NoTime => "no_time",
        }
    }
}
