//! The export's ports in memory, and a decorator that makes them fail.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Injection;
use crate::domain::export::{Configuration, Digest, FunctionName, Mapping, Reason, StackSettings, Stored};
use crate::domain::time::Timestamp;
use crate::ports::export::{
    DeployedFunction, DeployedFunctions, DeployedMappings, DeployedStack, DeployedStacks, Expected,
    ExportBucket, Handle, PackageLink, Put, Seen,
};
use crate::ports::{Fault, PortError};

/// Deployed functions, a stack, and the other region's bucket. A clone shares what it holds.
#[derive(Clone, Default)]
pub struct MemoryExport(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    functions: BTreeMap<FunctionName, Function>,
    stack: Option<DeployedStack>,
    objects: BTreeMap<String, Object>,
    now: Option<Timestamp>,
    puts: Vec<String>,
}

struct Function {
    configuration: Configuration,
    package: Vec<u8>,
    /// What the link gives, if not the package.
    served: Option<Vec<u8>>,
    mappings: Vec<Mapping>,
    hidden: Option<Reason>,
}

#[derive(Clone)]
struct Object {
    body: Vec<u8>,
    stored: Stored,
    state: Handle,
}

impl MemoryExport {
    /// Deploys a function, or another version of it.
    pub fn deploy(&self, configuration: Configuration, package: Vec<u8>, mappings: Vec<Mapping>) {
        let function = Function {
            package,
            mappings,
            served: None,
            hidden: None,
            configuration,
        };
        let name = function.configuration.function_name.clone();
        self.state().functions.insert(name, function);
    }

    /// Deploys the stack, or changes it.
    pub fn deploy_stack(&self, template: &str, settings: StackSettings) {
        let template = template.to_owned();
        self.state().stack = Some(DeployedStack { template, settings });
    }

    /// Deletes a function.
    pub fn delete(&self, name: &FunctionName) {
        self.state().functions.remove(name);
    }

    /// Lets a function be described no more, for this reason; or again.
    pub fn hide(&self, name: &FunctionName, reason: Option<Reason>) {
        if let Some(function) = self.state().functions.get_mut(name) {
            function.hidden = reason;
        }
    }

    /// Lets the link of a function's package give something else.
    pub fn serve(&self, name: &FunctionName, served: Vec<u8>) {
        if let Some(function) = self.state().functions.get_mut(name) {
            function.served = Some(served);
        }
    }

    /// Sets the bucket's clock.
    pub fn set_now(&self, now: Timestamp) {
        self.state().now = Some(now);
    }

    /// What is in the bucket.
    #[must_use]
    pub fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        let state = self.state();
        let objects = state.objects.iter();
        objects
            .map(|(key, object)| (key.clone(), object.body.clone()))
            .collect()
    }

    /// The keys of all puts that were done, in order.
    #[must_use]
    pub fn puts(&self) -> Vec<String> {
        self.state().puts.clone()
    }

    /// Puts an object as somebody does who need not ask.
    pub fn overwrite(&self, key: &str, body: Vec<u8>) {
        self.state().put(key, body);
    }

    /// Takes an object away.
    pub fn remove(&self, key: &str) {
        self.state().objects.remove(key);
    }

    /// Takes away what is older than so many days, as the bucket's lifecycle does.
    pub fn expire(&self, days: i64) {
        let mut state = self.state();
        let now = state.now();
        state
            .objects
            .retain(|_, object| object.stored.modified.plus_days(days) > now);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn now(&self) -> Timestamp {
        self.now.unwrap_or(Timestamp::from_millis(0))
    }

    fn put(&mut self, key: &str, body: Vec<u8>) -> Handle {
        self.puts.push(key.to_owned());
        let state = Handle(format!("\"{}\"", self.puts.len()));
        let stored = Stored {
            digest: Some(Digest::of(&body)),
            modified: self.now(),
        };
        let object = Object {
            body,
            stored,
            state: state.clone(),
        };
        self.objects.insert(key.to_owned(), object);
        state
    }

    fn function(&self, name: &FunctionName) -> Seen<&Function> {
        let function = self.functions.get(name).ok_or(Reason::Missing)?;
        function.hidden.map_or(Ok(function), Err)
    }
}

fn refused(operation: &'static str, code: &str) -> PortError {
    PortError {
        operation,
        fault: Fault::Refused,
        code: code.to_owned(),
    }
}

impl DeployedFunctions for MemoryExport {
    async fn describe_function(&self, name: &FunctionName) -> Result<Seen<DeployedFunction>, PortError> {
        let state = self.state();
        Ok(state.function(name).map(|function| DeployedFunction {
            code: Digest::of(&function.package),
            bytes: function.package.len() as u64,
            link: PackageLink::new(name.as_str().to_owned()),
            configuration: function.configuration.clone(),
        }))
    }

    async fn download_package(&self, link: &PackageLink, bytes: u64) -> Result<Vec<u8>, PortError> {
        let state = self.state();
        let mut functions = state.functions.iter();
        let function = functions.find(|(name, _)| name.as_str() == link.expose());
        let (_, function) = function.ok_or_else(|| refused("download_package", "NotServed"))?;
        let served = function
            .served
            .clone()
            .unwrap_or_else(|| function.package.clone());
        Some(served)
            .filter(|served| served.len() as u64 == bytes)
            .ok_or_else(|| refused("download_package", "OtherLength"))
    }
}

impl DeployedMappings for MemoryExport {
    async fn list_mappings(&self, name: &FunctionName) -> Result<Seen<Vec<Mapping>>, PortError> {
        Ok(self
            .state()
            .function(name)
            .map(|function| function.mappings.clone()))
    }
}

impl DeployedStacks for MemoryExport {
    async fn describe_stack(&self) -> Result<Seen<DeployedStack>, PortError> {
        Ok(self.state().stack.clone().ok_or(Reason::Missing))
    }
}

impl ExportBucket for MemoryExport {
    async fn find_exported(&self, key: &str) -> Result<Option<(Stored, Handle)>, PortError> {
        let state = self.state();
        let found = state.objects.get(key);
        Ok(found.map(|object| (object.stored, object.state.clone())))
    }

    async fn read_exported(&self, key: &str) -> Result<Option<(Vec<u8>, Handle)>, PortError> {
        let state = self.state();
        let found = state.objects.get(key);
        Ok(found.map(|object| (object.body.clone(), object.state.clone())))
    }

    async fn put_exported(&self, key: &str, body: Vec<u8>, expected: &Expected) -> Result<Put, PortError> {
        let mut state = self.state();
        let met = match (expected, state.objects.get(key)) {
            (Expected::Absent, found) => found.is_none(),
            (Expected::Is(handle), found) => found.is_some_and(|object| object.state == *handle),
        };
        Ok(if met {
            Put::Done(state.put(key, body))
        } else {
            Put::Lost
        })
    }
}

/// One method of the export's ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExportCall {
    /// `DeployedFunctions::describe_function`
    DescribeFunction,
    /// `DeployedFunctions::download_package`
    DownloadPackage,
    /// `DeployedMappings::list_mappings`
    ListMappings,
    /// `DeployedStacks::describe_stack`
    DescribeStack,
    /// `ExportBucket::find_exported`
    Find,
    /// `ExportBucket::read_exported`
    Read,
    /// `ExportBucket::put_exported`
    Put,
}

type Rule = dyn FnMut(ExportCall, u64) -> Option<Injection> + Send;

/// Ports of the export that fail as a rule says: of the `n`th call of all, counted from 1. What a commit or a batch alone
/// knows loses its request here.
#[derive(Clone)]
pub struct FaultyExport<P> {
    inner: P,
    script: Arc<Mutex<(u64, Box<Rule>)>>,
}

impl<P> FaultyExport<P> {
    /// `inner`, failing by `rule`.
    pub fn new(inner: P, rule: impl FnMut(ExportCall, u64) -> Option<Injection> + Send + 'static) -> Self {
        Self {
            inner,
            script: Arc::new(Mutex::new((0, Box::new(rule)))),
        }
    }

    /// How often any of them was called.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.script.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    /// The call, with what goes wrong with it.
    async fn through<T>(
        &self,
        call: ExportCall,
        work: impl Future<Output = Result<T, PortError>>,
    ) -> Result<T, PortError> {
        let injection = {
            let mut script = self.script.lock().unwrap_or_else(PoisonError::into_inner);
            let (calls, rule) = &mut *script;
            *calls += 1;
            rule(call, *calls)
        };
        let failed = |fault, code: &str| {
            Err(PortError {
                operation: "faulty",
                fault,
                code: code.to_owned(),
            })
        };
        match injection {
            None => work.await,
            Some(Injection::Throttled) => failed(Fault::Throttled, "SlowDown"),
            Some(Injection::ResponseLost) => work.await.and_then(|_| failed(Fault::TimedOut, "Timeout")),
            Some(_) => failed(Fault::TimedOut, "Timeout"),
        }
    }
}

impl<P> fmt::Debug for FaultyExport<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FaultyExport")
    }
}

impl<P: DeployedFunctions + Sync> DeployedFunctions for FaultyExport<P> {
    async fn describe_function(&self, name: &FunctionName) -> Result<Seen<DeployedFunction>, PortError> {
        self.through(ExportCall::DescribeFunction, self.inner.describe_function(name))
            .await
    }

    async fn download_package(&self, link: &PackageLink, bytes: u64) -> Result<Vec<u8>, PortError> {
        self.through(
            ExportCall::DownloadPackage,
            self.inner.download_package(link, bytes),
        )
        .await
    }
}

impl<P: DeployedMappings + Sync> DeployedMappings for FaultyExport<P> {
    async fn list_mappings(&self, name: &FunctionName) -> Result<Seen<Vec<Mapping>>, PortError> {
        self.through(ExportCall::ListMappings, self.inner.list_mappings(name))
            .await
    }
}

impl<P: DeployedStacks + Sync> DeployedStacks for FaultyExport<P> {
    async fn describe_stack(&self) -> Result<Seen<DeployedStack>, PortError> {
        self.through(ExportCall::DescribeStack, self.inner.describe_stack())
            .await
    }
}

impl<P: ExportBucket + Sync> ExportBucket for FaultyExport<P> {
    async fn find_exported(&self, key: &str) -> Result<Option<(Stored, Handle)>, PortError> {
        self.through(ExportCall::Find, self.inner.find_exported(key))
            .await
    }

    async fn read_exported(&self, key: &str) -> Result<Option<(Vec<u8>, Handle)>, PortError> {
        self.through(ExportCall::Read, self.inner.read_exported(key))
            .await
    }

    async fn put_exported(&self, key: &str, body: Vec<u8>, expected: &Expected) -> Result<Put, PortError> {
        self.through(ExportCall::Put, self.inner.put_exported(key, body, expected))
            .await
    }
}
