//! What the newest export of the functions says of itself: the part of its manifest that is read here.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::moment::Moment;
use super::observation::Seen;

/// Not a manifest of an export of version 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a manifest of exported functions")]
pub struct UnreadableManifest;

/// A manifest. Whoever writes it may say more; unknown fields are passed over.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportManifest {
    v: u8,
    /// When it was made.
    pub exported_at: Moment,
    /// The hash of each function's code, as Lambda gives it: SHA-256 in base64.
    pub functions: BTreeMap<String, String>,
}

impl ExportManifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// [`UnreadableManifest`] for any other form or version.
    pub fn parse(body: &[u8]) -> Result<Self, UnreadableManifest> {
        let manifest: Self = serde_json::from_slice(body).map_err(|_| UnreadableManifest)?;
        if manifest.v == 1 {
            Ok(manifest)
        } else {
            Err(UnreadableManifest)
        }
    }
}

impl From<ExportManifest> for Seen {
    fn from(manifest: ExportManifest) -> Self {
        Self::Export {
            exported: manifest.exported_at,
            functions: manifest.functions,
        }
    }
}
