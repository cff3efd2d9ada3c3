//! The seam for the export of the functions, which is made before anything is looked at.

use std::future::Future;

use symbolon_shared::domain::time::Timestamp;
use symbolon_shared::export::{ExportPlan, export};
use symbolon_shared::ports::export::ExportPorts;

use crate::telemetry;

/// Exports the functions to the other region's bucket.
pub trait ExportRun {
    /// Makes an export, and ends by `until`, done or not. What came of it is not asked: the check looks at what lies in
    /// the other region, as it does when somebody else has put it there. It may panic; that is kept from the check.
    fn export(&self, until: Timestamp) -> impl Future<Output = ()> + Send;
}

/// The export of the common crate, with its outcome told.
pub struct FunctionExport<P> {
    ports: P,
    plan: ExportPlan,
    clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
}

impl<P: ExportPorts> FunctionExport<P> {
    /// Exports what `plan` names.
    #[must_use]
    pub fn new(ports: P, plan: ExportPlan, clock: Box<dyn Fn() -> Timestamp + Send + Sync>) -> Self {
        Self { ports, plan, clock }
    }
}

impl<P: ExportPorts + Send> ExportRun for FunctionExport<P> {
    async fn export(&self, until: Timestamp) {
        // Boxed: a run's future is large.
        let run = Box::pin(export(&self.ports, &self.plan, &*self.clock, until));
        telemetry::emit_export(&run.await);
    }
}
