//! Where logs and metrics go: JSON lines on standard output, metrics among them in the embedded format.

use metrics_cloudwatch_embedded::{Collector, Error};
use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;

/// Namespace of the metrics.
const NAMESPACE: &str = "Symbolon";

/// Structured logs on standard output, by `RUST_LOG`, and panics among them.
pub fn start_logs() {
    subscriber(EnvFilter::from_default_env(), std::io::stdout).init();
    log_panics_without_their_text();
}

/// What writes the log lines: JSON, to `writer`. The Lambda runtime writes whole payloads at TRACE, so it and the
/// HTTP crates never get further than INFO, whatever `filter` says.
pub fn subscriber<W>(mut filter: EnvFilter, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    for held_back in [
        "lambda_runtime=info",
        "lambda_runtime_api_client=info",
        "hyper=info",
        "aws_smithy_runtime=info",
    ] {
        filter = held_back
            .parse()
            .into_iter()
            .fold(filter, EnvFilter::add_directive);
    }
    tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter)
        .with_target(false)
        .with_current_span(false)
        .with_writer(writer)
        .finish()
}

/// The default hook prints the panic's message, which may quote what was being parsed.
pub fn log_panics_without_their_text() {
    std::panic::set_hook(Box::new(|panic| {
        let (file, line) = panic.location().map_or(("", 0), |at| (at.file(), at.line()));
        tracing::error!(event = "panicked", file, line);
    }));
}

/// The collector of the metrics of `function` in `stack`, to be flushed after each invocation.
///
/// # Errors
/// Another recorder is installed already.
pub fn start_metrics(stack: &str, function: &'static str) -> Result<&'static Collector, Error> {
    metrics_cloudwatch_embedded::Builder::new()
        .cloudwatch_namespace(NAMESPACE)
        .with_dimension("Stack", stack.to_owned())
        .with_dimension("Function", function)
        .init()
}
