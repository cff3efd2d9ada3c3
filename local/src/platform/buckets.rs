//! S3 in the process, with puts that are conditional for certain.
//!
//! The emulator looks what is there, and only then writes: two conditional puts at once could both find their
//! condition met. Here they come one after the other.

use tokio::sync::Mutex;
use winterbaume_core::{MockRequest, MockResponse, MockService};
use winterbaume_s3::S3Service;

/// The buckets.
pub(super) struct Buckets {
    s3: S3Service,
    writing: Mutex<()>,
}

impl Buckets {
    pub(super) fn new(s3: S3Service) -> Self {
        Self {
            s3,
            writing: Mutex::new(()),
        }
    }

    pub(super) async fn handle(&self, request: MockRequest) -> MockResponse {
        let _one_after_the_other = match request.method.as_str() {
            "GET" | "HEAD" => None,
            _ => Some(self.writing.lock().await),
        };
        self.s3.handle(request).await
    }
}
