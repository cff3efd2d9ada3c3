//! The manifest: what was exported, when, and under which names it lies. `docs/recovery.md` shows one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Reason;
use super::digest::Digest;
use super::names::{FunctionName, Scope};
use crate::domain::form::Form;
use crate::domain::time::Timestamp;

/// What was exported of a stack in a region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// When it was written: the time of everything in it that is not stale.
    pub exported_at: Timestamp,
    /// The functions.
    pub functions: BTreeMap<FunctionName, FunctionEntry>,
    /// The event source mappings of all of them.
    pub mappings: Digest,
    /// The stack, if it could ever be exported.
    pub stack: Option<StackEntry>,
}

/// A function in a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FunctionEntry {
    /// Its code package.
    pub package: Digest,
    /// Bytes of the package.
    pub bytes: u64,
    /// Its configuration.
    pub configuration: Digest,
    /// Of when it is, if not of now.
    pub stale: Option<Stale>,
}

/// The stack in a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StackEntry {
    /// The deployed template.
    pub template: Digest,
    /// Its parameters, tags and capabilities.
    pub settings: Digest,
    /// Of when it is, if not of now.
    pub stale: Option<Stale>,
}

/// A part that could not be exported this time: what stands in the manifest is the last good one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stale {
    /// When it was exported.
    pub exported_at: Timestamp,
    /// Why not now.
    pub reason: Reason,
}

/// A manifest that this code did not write, or wrote of something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the manifest cannot be read")]
pub struct Unreadable;

// ---- The stored form ----------------------------------------------------------------------------------------------

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    v: Form<1>,
    exported_at: String,
    stack: String,
    region: String,
    functions: BTreeMap<FunctionName, String>,
    packages: BTreeMap<FunctionName, PackageEntry>,
    configurations: BTreeMap<FunctionName, ObjectEntry>,
    mappings: ObjectEntry,
    template: Option<ObjectEntry>,
    stack_settings: Option<ObjectEntry>,
    stale: BTreeMap<FunctionName, StaleEntry>,
    stale_template: Option<StaleEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PackageEntry {
    key: String,
    bytes: u64,
    code_sha256: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ObjectEntry {
    key: String,
    sha256: Digest,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StaleEntry {
    exported_at: String,
    reason: Reason,
}

impl Manifest {
    /// The stored form, for the export of `scope`.
    #[must_use]
    pub fn write(&self, scope: &Scope) -> Vec<u8> {
        let object = |digest| ObjectEntry {
            key: scope.object_key(digest),
            sha256: digest,
        };
        let package = |entry: &FunctionEntry| PackageEntry {
            key: scope.object_key(entry.package),
            bytes: entry.bytes,
            code_sha256: entry.package.base64(),
        };
        let written = Written {
            v: Form,
            exported_at: self.exported_at.to_rfc3339(),
            stack: scope.stack().to_owned(),
            region: scope.region().to_owned(),
            functions: self.each(|entry| entry.package.base64()),
            packages: self.each(package),
            configurations: self.each(|entry| object(entry.configuration)),
            mappings: object(self.mappings),
            template: self.stack.map(|stack| object(stack.template)),
            stack_settings: self.stack.map(|stack| object(stack.settings)),
            stale: self
                .functions
                .iter()
                .filter_map(|(name, entry)| Some((name.clone(), StaleEntry::from(entry.stale?))))
                .collect(),
            stale_template: self.stack.and_then(|stack| stack.stale).map(StaleEntry::from),
        };
        serde_json::to_vec_pretty(&written).unwrap_or_default()
    }

    /// Reads the manifest of `scope`.
    ///
    /// # Errors
    /// [`Unreadable`] when it is of another form or of another export, or when its parts contradict each other.
    pub fn read(scope: &Scope, body: &[u8]) -> Result<Self, Unreadable> {
        let written: Written = serde_json::from_slice(body).map_err(|_| Unreadable)?;
        if (written.stack.as_str(), written.region.as_str()) != (scope.stack(), scope.region()) {
            return Err(Unreadable);
        }
        let mut functions = BTreeMap::new();
        for (name, code) in &written.functions {
            functions.insert(name.clone(), written.function(scope, name, code)?);
        }
        let others = written.packages.len() + written.configurations.len();
        let named = written.stale.keys().all(|name| functions.contains_key(name));
        if others != 2 * functions.len() || !named {
            return Err(Unreadable);
        }
        Ok(Self {
            exported_at: moment(&written.exported_at)?,
            mappings: written.mappings.digest(scope)?,
            stack: written.stack_entry(scope)?,
            functions,
        })
    }

    /// Whether both name the same objects, whenever they were written and whatever is stale of them.
    #[must_use]
    pub fn names_the_same(&self, other: &Self) -> bool {
        self.objects() == other.objects() && self.functions.len() == other.functions.len()
    }

    /// Every object that it names, each with the part that it is of, so that two manifests can be compared.
    fn objects(&self) -> Vec<(Option<&FunctionName>, Digest)> {
        let functions = self.functions.iter();
        let functions =
            functions.flat_map(|(name, entry)| [entry.package, entry.configuration].map(|d| (Some(name), d)));
        let stack = self.stack.iter();
        let stack = stack.flat_map(|stack| [stack.template, stack.settings]);
        let others = std::iter::once(self.mappings).chain(stack);
        functions.chain(others.map(|digest| (None, digest))).collect()
    }

    /// The hashes of all objects that it names.
    pub fn digests(&self) -> impl Iterator<Item = Digest> {
        self.objects().into_iter().map(|(_, digest)| digest)
    }

    fn each<T>(&self, value: impl Fn(&FunctionEntry) -> T) -> BTreeMap<FunctionName, T> {
        let functions = self.functions.iter();
        functions
            .map(|(name, entry)| (name.clone(), value(entry)))
            .collect()
    }
}

impl Written {
    fn function(&self, scope: &Scope, name: &FunctionName, code: &str) -> Result<FunctionEntry, Unreadable> {
        let package = self.packages.get(name).ok_or(Unreadable)?;
        let configuration = self.configurations.get(name).ok_or(Unreadable)?;
        let digest = Digest::from_base64(code).map_err(|_| Unreadable)?;
        if package.code_sha256 != code || package.key != scope.object_key(digest) {
            return Err(Unreadable);
        }
        Ok(FunctionEntry {
            package: digest,
            bytes: package.bytes,
            configuration: configuration.digest(scope)?,
            stale: self.stale.get(name).map(StaleEntry::read).transpose()?,
        })
    }

    fn stack_entry(&self, scope: &Scope) -> Result<Option<StackEntry>, Unreadable> {
        let stale = self.stale_template.as_ref().map(StaleEntry::read).transpose()?;
        match (&self.template, &self.stack_settings) {
            (Some(template), Some(settings)) => Ok(Some(StackEntry {
                template: template.digest(scope)?,
                settings: settings.digest(scope)?,
                stale,
            })),
            (None, None) if stale.is_none() => Ok(None),
            _ => Err(Unreadable),
        }
    }
}

impl ObjectEntry {
    fn digest(&self, scope: &Scope) -> Result<Digest, Unreadable> {
        let named = self.key == scope.object_key(self.sha256);
        Some(self.sha256).filter(|_| named).ok_or(Unreadable)
    }
}

impl StaleEntry {
    fn read(&self) -> Result<Stale, Unreadable> {
        Ok(Stale {
            exported_at: moment(&self.exported_at)?,
            reason: self.reason,
        })
    }
}

impl From<Stale> for StaleEntry {
    fn from(stale: Stale) -> Self {
        Self {
            exported_at: stale.exported_at.to_rfc3339(),
            reason: stale.reason,
        }
    }
}

fn moment(text: &str) -> Result<Timestamp, Unreadable> {
    Timestamp::parse_rfc3339(text).map_err(|_| Unreadable)
}
