//! The next manifest: what was exported now, and the last good entry of what was not.

use std::collections::BTreeMap;

use super::Reason;
use super::digest::Digest;
use super::manifest::{FunctionEntry, Manifest, StackEntry, Stale};
use super::mapping::{Mapping, Mappings, MappingsDocument};
use super::names::FunctionName;
use crate::domain::time::Timestamp;

/// A function that was exported now: its objects are in the bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreshFunction {
    /// Its code package.
    pub package: Digest,
    /// Bytes of the package.
    pub bytes: u64,
    /// Its configuration.
    pub configuration: Digest,
    /// Its event source mappings.
    pub mappings: Vec<Mapping>,
}

/// A stack that was exported now: its objects are in the bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FreshStack {
    /// The deployed template.
    pub template: Digest,
    /// Its parameters, tags and capabilities.
    pub settings: Digest,
}

/// What came of this run, part by part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fresh {
    /// Every function that shall be exported.
    pub functions: BTreeMap<FunctionName, Result<FreshFunction, Reason>>,
    /// The stack.
    pub stack: Result<FreshStack, Reason>,
}

impl Fresh {
    /// Whether anything was exported at all. If nothing was, the manifest before has nothing to learn.
    #[must_use]
    pub fn is_anything(&self) -> bool {
        self.stack.is_ok() || self.functions.values().any(Result::is_ok)
    }

    /// The functions that were not exported now.
    pub fn failed(&self) -> impl Iterator<Item = (&FunctionName, Reason)> {
        let functions = self.functions.iter();
        functions.filter_map(|(name, part)| Some((name, part.as_ref().err().copied()?)))
    }
}

/// What the manifest before still has to give: of its entries those whose objects are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Previous {
    /// The manifest, without what is lost.
    pub manifest: Manifest,
    /// The mappings of its functions.
    pub mappings: Mappings,
}

/// The next manifest, and the document of mappings that it names. A function that was not exported now keeps its last
/// good entry, mappings included, and says of when it is; one without any is left out.
#[must_use]
pub fn assemble(now: Timestamp, fresh: &Fresh, previous: Option<&Previous>) -> (Manifest, Vec<u8>) {
    let mut functions = BTreeMap::new();
    let mut mappings = Mappings::new();
    for (name, part) in &fresh.functions {
        let assembled = match part {
            Ok(part) => Some((part.entry(), part.mappings.clone())),
            Err(reason) => previous.and_then(|previous| previous.function(name, *reason)),
        };
        if let Some((entry, list)) = assembled {
            functions.insert(name.clone(), entry);
            mappings.insert(name.clone(), list);
        }
    }
    let document = MappingsDocument::new(mappings).document();
    let manifest = Manifest {
        exported_at: now,
        functions,
        mappings: Digest::of(&document),
        stack: match &fresh.stack {
            Ok(stack) => Some(stack.entry()),
            Err(reason) => previous.and_then(|previous| previous.stack(*reason)),
        },
    };
    (manifest, document)
}

impl FreshFunction {
    fn entry(&self) -> FunctionEntry {
        FunctionEntry {
            package: self.package,
            bytes: self.bytes,
            configuration: self.configuration,
            stale: None,
        }
    }
}

impl FreshStack {
    fn entry(self) -> StackEntry {
        StackEntry {
            template: self.template,
            settings: self.settings,
            stale: None,
        }
    }
}

impl Previous {
    fn function(&self, name: &FunctionName, reason: Reason) -> Option<(FunctionEntry, Vec<Mapping>)> {
        let entry = self.manifest.functions.get(name)?;
        let stale = Some(self.stale(entry.stale, reason));
        let mappings = self.mappings.get(name)?.clone();
        Some((FunctionEntry { stale, ..*entry }, mappings))
    }

    fn stack(&self, reason: Reason) -> Option<StackEntry> {
        let entry = self.manifest.stack?;
        let stale = Some(self.stale(entry.stale, reason));
        Some(StackEntry { stale, ..entry })
    }

    /// What was stale already stays of the time that it was of.
    fn stale(&self, before: Option<Stale>, reason: Reason) -> Stale {
        Stale {
            exported_at: before.map_or(self.manifest.exported_at, |stale| stale.exported_at),
            reason,
        }
    }
}
