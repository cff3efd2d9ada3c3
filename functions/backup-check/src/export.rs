//! The seam for the export of the functions, which is made before anything is looked at.

use std::future::Future;

use symbolon_shared::domain::time::Timestamp;

/// Exports the functions to the other region's bucket.
pub trait ExportRun {
    /// Makes an export, and ends by `until`, done or not. What came of it is not asked: the check looks at what lies in
    /// the other region, as it does when somebody else has put it there. It may panic; that is kept from the check.
    fn export(&self, until: Timestamp) -> impl Future<Output = ()> + Send;
}

/// Exports nothing: what lies there is looked at as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoExport;

impl ExportRun for NoExport {
    async fn export(&self, _until: Timestamp) {}
}
