//! What the newest export of the functions says of itself: the part of its manifest that is read here.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use super::moment::Moment;
use super::observation::Seen;

/// Not a manifest of an export of version 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a manifest of exported functions")]
pub struct UnreadableManifest;

/// What a manifest calls the deployed template, which is exported with the functions.
pub const TEMPLATE: &str = "the template";

/// A manifest. Whoever writes it may say more; unknown fields are passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportManifest {
    /// When it was made.
    pub exported_at: Moment,
    /// The hash of each function's code, as Lambda gives it: SHA-256 in base64.
    pub functions: BTreeMap<String, String>,
    /// What could not be exported then, and of when its last good export is; none, when there is none.
    pub stale: BTreeMap<String, Option<Moment>>,
}

/// What is read of a manifest.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    v: u8,
    exported_at: Moment,
    functions: BTreeMap<String, String>,
    #[serde(default)]
    stale: BTreeMap<String, WrittenStale>,
    #[serde(default)]
    stale_template: Option<WrittenStale>,
    #[serde(default)]
    template: Template,
}

/// What a manifest says of the template.
#[derive(Default, PartialEq, Eq)]
enum Template {
    /// Nothing: whoever wrote it exports none.
    #[default]
    NotSaid,
    /// `null`: there has never been one.
    Never,
    /// Where it lies.
    There,
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(field: D) -> Result<Self, D::Error> {
        let said = Option::<IgnoredAny>::deserialize(field)?;
        Ok(said.map_or(Self::Never, |_| Self::There))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenStale {
    exported_at: Moment,
}

impl ExportManifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// [`UnreadableManifest`] for any other form or version.
    pub fn parse(body: &[u8]) -> Result<Self, UnreadableManifest> {
        let written: Written = serde_json::from_slice(body).map_err(|_| UnreadableManifest)?;
        if written.v != 1 {
            return Err(UnreadableManifest);
        }
        let mut stale: BTreeMap<String, Option<Moment>> = written
            .stale
            .into_iter()
            .map(|(name, stale)| (name, Some(stale.exported_at)))
            .collect();
        let template = written.stale_template.map(|stale| stale.exported_at);
        if template.is_some() || written.template == Template::Never {
            stale.insert(TEMPLATE.to_owned(), template);
        }
        Ok(Self {
            exported_at: written.exported_at,
            functions: written.functions,
            stale,
        })
    }
}

impl From<ExportManifest> for Seen {
    fn from(manifest: ExportManifest) -> Self {
        Self::Export {
            exported: manifest.exported_at,
            functions: manifest.functions,
            stale: manifest.stale,
        }
    }
}
