//! What the export of functions asks of the outside.
//!
//! The bucket is the other region's, and so are its address and its key.

use std::fmt;
use std::future::Future;

use super::PortError;
pub use super::audit::{Expected, Handle, Put};
use crate::domain::export::{Configuration, Digest, FunctionName, Mapping, Reason, StackSettings, Stored};

/// What was looked at, or why it is not what can be exported. An answer that did not come is an error instead.
pub type Seen<T> = Result<T, Reason>;

/// Where a code package can be fetched for ten minutes, by anybody who has this: it is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct PackageLink(String);

impl PackageLink {
    /// A link as the service gave it.
    #[must_use]
    pub fn new(link: String) -> Self {
        Self(link)
    }

    /// The link, for whoever fetches.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PackageLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PackageLink")
    }
}

/// A function as it is deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployedFunction {
    /// `CodeSha256`: of the package that runs.
    pub code: Digest,
    /// Bytes of the package.
    pub bytes: u64,
    /// Where the package is, for ten minutes from the answer.
    pub link: PackageLink,
    /// Everything else.
    pub configuration: Configuration,
}

/// A stack as it is deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployedStack {
    /// Its template, transforms carried out.
    pub template: String,
    /// What it was deployed with.
    pub settings: StackSettings,
}

/// Reads functions. IAM: `lambda:GetFunction`, `lambda:ListTags` on the exported functions.
///
/// (`ListTags`, because without it the description comes without tags: Lambda API reference, `GetFunction`.)
pub trait DeployedFunctions {
    /// A function's configuration and code. May be repeated.
    fn describe_function(
        &self,
        name: &FunctionName,
    ) -> impl Future<Output = Result<Seen<DeployedFunction>, PortError>> + Send;

    /// The package behind a link, which must be of just so many bytes. No credentials are shown. May be repeated
    /// while the link lives.
    fn download_package(
        &self,
        link: &PackageLink,
        bytes: u64,
    ) -> impl Future<Output = Result<Vec<u8>, PortError>> + Send;
}

/// Reads event source mappings. IAM: `lambda:ListEventSourceMappings` on everything.
///
/// (The action knows no resource: IAM, service authorization reference of Lambda.)
pub trait DeployedMappings {
    /// All mappings of a function. May be repeated.
    fn list_mappings(
        &self,
        name: &FunctionName,
    ) -> impl Future<Output = Result<Seen<Vec<Mapping>>, PortError>> + Send;
}

/// Reads the stack. IAM: `cloudformation:DescribeStacks`, `cloudformation:GetTemplate` on the stack.
pub trait DeployedStacks {
    /// The stack's template, and what it was deployed with. May be repeated.
    fn describe_stack(&self) -> impl Future<Output = Result<Seen<DeployedStack>, PortError>> + Send;
}

/// Keeps what is exported. IAM: `s3:GetObject`, `s3:PutObject`, `s3:ListBucket` on the peer backup.
///
/// (`ListBucket`, because without it S3 does not say that an object is missing, but refuses.)
pub trait ExportBucket {
    /// What is under this key, without its content, strongly consistent. May be repeated.
    fn find_exported(
        &self,
        key: &str,
    ) -> impl Future<Output = Result<Option<(Stored, Handle)>, PortError>> + Send;

    /// The content under this key, and its state. May be repeated.
    fn read_exported(
        &self,
        key: &str,
    ) -> impl Future<Output = Result<Option<(Vec<u8>, Handle)>, PortError>> + Send;

    /// Puts an object if what is `expected` is there: a compare-and-swap. The store checks the content against its
    /// hash, and keeps the hash. May be repeated: a repetition loses to its own first attempt.
    fn put_exported(
        &self,
        key: &str,
        body: Vec<u8>,
        expected: &Expected,
    ) -> impl Future<Output = Result<Put, PortError>> + Send;
}

/// Everything that the export asks for.
pub trait ExportPorts: DeployedFunctions + DeployedMappings + DeployedStacks + ExportBucket + Sync {}

impl<P> ExportPorts for P where P: DeployedFunctions + DeployedMappings + DeployedStacks + ExportBucket + Sync {}
