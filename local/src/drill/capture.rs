//! What a run says of itself: every log line at every level, and every metric, kept in a file to be searched.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, Write};
use std::sync::{Arc, Mutex, PoisonError};

use metrics_cloudwatch_embedded::Collector;
use symbolon_shared::lambda;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;

use super::{Leak, Secrets};

/// Everything that the function itself and the SDK may log. The rest of this process stands in for AWS and for its
/// customers: what they say is nobody's log.
const EVERYTHING_OF_THE_FUNCTION: &str = "off,matcher=trace,symbolon_shared=trace,aws_config=trace,\
     aws_credential_types=trace,aws_runtime=trace,aws_sdk_dynamodb=trace,aws_sdk_kms=trace,aws_sdk_sqs=trace,\
     aws_sigv4=trace,aws_smithy_http_client=trace,aws_smithy_runtime=trace,aws_smithy_runtime_api=trace,\
     aws_smithy_types=trace,lambda_runtime=trace";

/// A file that log lines and metrics go to. It has no name, so it is gone with the process.
#[derive(Clone)]
pub struct Capture(Arc<Kept>);

struct Kept {
    file: Mutex<File>,
    metrics: Mutex<Option<&'static Collector>>,
}

impl Capture {
    /// An empty file in the folder for temporary files.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn new() -> io::Result<Self> {
        Ok(Self(Arc::new(Kept {
            file: Mutex::new(tempfile::tempfile()?),
            metrics: Mutex::new(None),
        })))
    }

    /// From now on everything goes here that this process traces as the function does in production, at every level;
    /// panics are logged as there, and metrics collected.
    ///
    /// # Errors
    /// Another recorder of metrics, or another subscriber, is installed already.
    pub fn install(&self) -> io::Result<()> {
        let filter = EnvFilter::new(EVERYTHING_OF_THE_FUNCTION);
        lambda::subscriber(filter, self.clone())
            .try_init()
            .map_err(io::Error::other)?;
        lambda::log_panics_without_their_text();
        let collector = lambda::start_metrics("symbolon", "matcher").map_err(io::Error::other)?;
        *self.0.metrics.lock().unwrap_or_else(PoisonError::into_inner) = Some(collector);
        Ok(())
    }

    /// How many lines there are, the metrics up to now included.
    #[must_use]
    pub fn lines(&self) -> usize {
        self.flush_metrics();
        self.read(|lines| lines.count()).unwrap_or(0)
    }

    /// What of `secrets` is found in the lines.
    #[must_use]
    pub fn search(&self, secrets: &Secrets) -> Vec<Leak> {
        self.flush_metrics();
        self.read(|lines| secrets.search(lines))
            .unwrap_or_else(|error| vec![Leak::unreadable(&error)])
    }

    fn flush_metrics(&self) {
        let collector = *self.0.metrics.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(collector) = collector
            && let Err(error) = collector.flush(self.clone())
        {
            tracing::error!(%error, "metrics were not written");
        }
    }

    /// Whoever wants to write meanwhile waits.
    fn read<T>(&self, of: impl FnOnce(&mut dyn Iterator<Item = String>) -> T) -> io::Result<T> {
        let mut file = self.0.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.rewind()?;
        let lines = BufReader::new(&*file).split(b'\n');
        let mut lines = lines
            .map_while(Result::ok)
            .map(|line| String::from_utf8_lossy(&line).into_owned());
        let read = of(&mut lines);
        file.seek(io::SeekFrom::End(0))?;
        Ok(read)
    }
}

impl Write for Capture {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut file = self.0.file.lock().unwrap_or_else(PoisonError::into_inner);
        // One line at a time: a part of it would be torn by another thread's.
        file.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Capture {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
