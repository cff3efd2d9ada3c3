//! The steps of a run.

use std::collections::BTreeMap;

use super::{ExportOutcome, ExportPlan, ManifestOutcome, PART_MILLIS, Part};
use crate::domain::export::{
    Digest, Fresh, FreshFunction, FreshStack, FunctionName, MAX_PACKAGE_BYTES, Manifest, MappingsDocument,
    Need, Previous, Reason, assemble, need,
};
use crate::domain::time::Timestamp;
use crate::ports::PortError;
use crate::ports::export::{DeployedFunction, Expected, ExportPorts, Handle, Put, Seen};

/// Exports what `plan` names. Parts that cannot be begun [`PART_MILLIS`] before `deadline` are left as they were.
///
/// # Errors
/// [`PortError`] of the bucket: the manifest is as it was.
pub async fn export<P: ExportPorts>(
    ports: &P,
    plan: &ExportPlan,
    clock: &(dyn Fn() -> Timestamp + Sync),
    deadline: Timestamp,
) -> Result<ExportOutcome, PortError> {
    let latest = ports.read_exported(&plan.scope.latest_key()).await?;
    let mut run = Run {
        ports,
        plan,
        at: clock(),
        copied: BTreeMap::new(),
        repaired: 0,
        errors: Vec::new(),
    };
    let before = latest.as_ref().map(|(body, _)| Manifest::read(&plan.scope, body));
    let unreadable_before = matches!(before, Some(Err(_)));
    let before = before.and_then(Result::ok);
    let fresh = run.parts(clock, deadline).await;
    let previous = run.still_good(&fresh, before.as_ref()).await?;
    let (next, mappings) = assemble(run.at, &fresh, previous.as_ref());
    let manifest = if fresh.is_anything() {
        run.store(next.mappings, mappings).await?;
        let state = latest.map(|(_, state)| state);
        run.move_manifest(&next, before.as_ref(), state).await?
    } else {
        ManifestOutcome::Kept
    };
    Ok(run.outcome(&fresh, &next, manifest, unreadable_before))
}

struct Run<'a, P> {
    ports: &'a P,
    plan: &'a ExportPlan,
    at: Timestamp,
    /// Parts of which something was copied.
    copied: BTreeMap<Option<FunctionName>, bool>,
    repaired: u32,
    errors: Vec<PortError>,
}

impl<P: ExportPorts> Run<'_, P> {
    // ---- Parts ----------------------------------------------------------------------------------------------------

    /// One part after the other: one package in memory at a time.
    async fn parts(&mut self, clock: &(dyn Fn() -> Timestamp + Sync), deadline: Timestamp) -> Fresh {
        let is_time = || clock().plus_millis(PART_MILLIS) <= deadline;
        let stack = if is_time() {
            self.stack().await
        } else {
            Err(Reason::NoTime)
        };
        let mut functions = BTreeMap::new();
        for name in &self.plan.functions {
            let part = if is_time() {
                self.function(name).await
            } else {
                Err(Reason::NoTime)
            };
            functions.insert(name.clone(), part);
        }
        Fresh { functions, stack }
    }

    async fn function(&mut self, name: &FunctionName) -> Result<FreshFunction, Reason> {
        let described = self.ports.describe_function(name).await;
        let deployed = self.read(described)?;
        let listed = self.ports.list_mappings(name).await;
        let mappings = self.read(listed)?;
        let document = deployed.configuration.document();
        let configuration = Digest::of(&document);
        let mut copied = self.package(&deployed).await?;
        copied |= self.stored(configuration, document).await?;
        self.copied.insert(Some(name.clone()), copied);
        Ok(FreshFunction {
            package: deployed.code,
            bytes: deployed.bytes,
            configuration,
            mappings,
        })
    }

    async fn stack(&mut self) -> Result<FreshStack, Reason> {
        let described = self.ports.describe_stack().await;
        let deployed = self.read(described)?;
        let (template, settings) = (deployed.template.into_bytes(), deployed.settings.document());
        let stack = FreshStack {
            template: Digest::of(&template),
            settings: Digest::of(&settings),
        };
        let mut copied = self.stored(stack.template, template).await?;
        copied |= self.stored(stack.settings, settings).await?;
        self.copied.insert(None, copied);
        Ok(stack)
    }

    /// Copies a package unless it is there; whether it was copied.
    async fn package(&mut self, deployed: &DeployedFunction) -> Result<bool, Reason> {
        if deployed.bytes > MAX_PACKAGE_BYTES {
            return Err(Reason::TooLarge);
        }
        let looked = self.look(deployed.code).await;
        let (need, expected) = looked.map_err(|error| self.failed(error, Reason::NotStored))?;
        if need == Need::Nothing {
            return Ok(false);
        }
        let downloaded = self.ports.download_package(&deployed.link, deployed.bytes).await;
        let package = downloaded.map_err(|error| self.failed(error, Reason::NotDownloaded))?;
        if Digest::of(&package) != deployed.code {
            return Err(Reason::HashMismatch);
        }
        let put = self.put(deployed.code, package, need, &expected).await;
        put.map_err(|error| self.failed(error, Reason::NotStored))
    }

    /// Stores a document of a part; whether it had to be.
    async fn stored(&mut self, digest: Digest, body: Vec<u8>) -> Result<bool, Reason> {
        let stored = self.store(digest, body).await;
        stored.map_err(|error| self.failed(error, Reason::NotStored))
    }

    /// What was read, or the reason why it was not.
    fn read<T>(&mut self, answer: Result<Seen<T>, PortError>) -> Result<T, Reason> {
        answer.map_err(|error| self.failed(error, Reason::NotRead))?
    }

    fn failed(&mut self, error: PortError, reason: Reason) -> Reason {
        self.errors.push(error);
        reason
    }

    // ---- Objects --------------------------------------------------------------------------------------------------

    /// What has to be done so that what has this hash lies under its name, and what must be there for that.
    async fn look(&self, digest: Digest) -> Result<(Need, Expected), PortError> {
        let found = self
            .ports
            .find_exported(&self.plan.scope.object_key(digest))
            .await?;
        let stored = found.as_ref().map(|(stored, _)| stored);
        let need = need(stored, digest, self.at, self.plan.renew_after);
        Ok((
            need,
            found.map_or(Expected::Absent, |(_, state)| Expected::Is(state)),
        ))
    }

    /// Stores an object unless it is there; whether it had to be.
    async fn store(&mut self, digest: Digest, body: Vec<u8>) -> Result<bool, PortError> {
        match self.look(digest).await? {
            (Need::Nothing, _) => Ok(false),
            (need, expected) => self.put(digest, body, need, &expected).await,
        }
    }

    async fn put(
        &mut self,
        digest: Digest,
        body: Vec<u8>,
        need: Need,
        expected: &Expected,
    ) -> Result<bool, PortError> {
        let key = self.plan.scope.object_key(digest);
        if self.ports.put_exported(&key, body, expected).await? == Put::Lost {
            // To another run, or to its own first attempt. Whoever it was: what counts is what lies there now.
            return match self.look(digest).await? {
                (Need::Nothing, _) => Ok(true),
                _ => Err(contended()),
            };
        }
        self.repaired += u32::from(need == Need::Repair);
        Ok(true)
    }

    // ---- The manifest ---------------------------------------------------------------------------------------------

    /// What of the manifest before can stand in for the parts that failed: entries whose objects are there.
    async fn still_good(
        &mut self,
        fresh: &Fresh,
        before: Option<&Manifest>,
    ) -> Result<Option<Previous>, PortError> {
        let Some(before) = before else {
            return Ok(None);
        };
        let mut kept = before.clone();
        kept.functions.clear();
        for (name, _) in fresh.failed() {
            let Some(entry) = before.functions.get(name) else {
                continue;
            };
            if self.all_there(&[entry.package, entry.configuration]).await? {
                kept.functions.insert(name.clone(), *entry);
            }
        }
        if let Some(stack) = before.stack.filter(|_| fresh.stack.is_err()) {
            let there = self.all_there(&[stack.template, stack.settings]).await?;
            kept.stack = Some(stack).filter(|_| there);
        }
        let mappings = if kept.functions.is_empty() {
            None
        } else {
            let key = self.plan.scope.object_key(before.mappings);
            self.ports.read_exported(&key).await?
        };
        let mappings = mappings.filter(|(body, _)| Digest::of(body) == before.mappings);
        let mappings = mappings.and_then(|(body, _)| MappingsDocument::read(&body));
        Ok(Some(Previous {
            manifest: kept,
            mappings: mappings.map(|document| document.mappings).unwrap_or_default(),
        }))
    }

    /// Whether each of these lies under its name. What is old is put again, from the bucket itself.
    async fn all_there(&mut self, digests: &[Digest]) -> Result<bool, PortError> {
        for digest in digests {
            let there = match self.look(*digest).await? {
                (Need::Nothing, _) => true,
                (Need::Renew, _) => self.renew(*digest).await?,
                (Need::First | Need::Repair, _) => false,
            };
            if !there {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Puts what lies under a name again; `false` when it is not what the name says.
    async fn renew(&mut self, digest: Digest) -> Result<bool, PortError> {
        let read = self
            .ports
            .read_exported(&self.plan.scope.object_key(digest))
            .await?;
        let Some((body, state)) = read.filter(|(body, _)| Digest::of(body) == digest) else {
            return Ok(false);
        };
        self.put(digest, body, Need::Renew, &Expected::Is(state)).await
    }

    /// Keeps the manifest beside those before it if it names anything new, and then makes it the one that holds.
    async fn move_manifest(
        &self,
        next: &Manifest,
        before: Option<&Manifest>,
        state: Option<Handle>,
    ) -> Result<ManifestOutcome, PortError> {
        let scope = &self.plan.scope;
        let body = next.write(scope);
        let changed = !before.is_some_and(|before| before.names_the_same(next));
        if changed {
            // One of the same second is another run's: this manifest is then kept by the next that changes anything.
            let key = scope.dated_key(next.exported_at);
            self.ports
                .put_exported(&key, body.clone(), &Expected::Absent)
                .await?;
        }
        let expected = state.map_or(Expected::Absent, Expected::Is);
        let latest = scope.latest_key();
        if self.ports.put_exported(&latest, body.clone(), &expected).await? != Put::Lost {
            return Ok(ManifestOutcome::Written { changed });
        }
        let there = self.ports.read_exported(&latest).await?;
        Ok(match there {
            Some((there, _)) if there == body => ManifestOutcome::Written { changed },
            _ => ManifestOutcome::Overtaken,
        })
    }

    fn outcome(
        self,
        fresh: &Fresh,
        next: &Manifest,
        manifest: ManifestOutcome,
        unreadable_before: bool,
    ) -> ExportOutcome {
        let copied = |part: Option<&FunctionName>| Part::Exported {
            copied: self.copied.get(&part.cloned()).copied().unwrap_or_default(),
        };
        let stale = |stale, reason| Option::map_or(stale, Part::Absent(reason), Part::Stale);
        let functions = fresh.functions.iter().map(|(name, part)| {
            let entry = next.functions.get(name).and_then(|entry| entry.stale);
            let part = part
                .as_ref()
                .map_or_else(|reason| stale(entry, *reason), |_| copied(Some(name)));
            (name.clone(), part)
        });
        let stack = next.stack.and_then(|stack| stack.stale);
        ExportOutcome {
            functions: functions.collect(),
            stack: fresh
                .stack
                .map_or_else(|reason| stale(stack, reason), |_| copied(None)),
            manifest,
            unreadable_before,
            repaired: self.repaired,
            errors: self.errors,
            at: self.at,
        }
    }
}

/// A name under which something else keeps appearing.
fn contended() -> PortError {
    PortError {
        operation: "s3:PutObject",
        fault: crate::ports::Fault::Refused,
        code: "OtherContent".to_owned(),
    }
}
