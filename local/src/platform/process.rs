//! A function's bootstrap as a process of its own, as Lambda runs it: fed by a stand-in for the Runtime API, with
//! nothing in its environment but what it is given.

mod looked_at;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::process::{Child, Command};
use tokio::time::Instant;

use super::runtime_api::{InvocationError, RuntimeApi};

/// Between two readings of the processor time that must agree: it has come to rest.
const REST: Duration = Duration::from_millis(2);

/// Why a process does not run, or cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// The Runtime API cannot listen.
    #[error("the Runtime API cannot listen")]
    Listen(#[source] std::io::Error),
    /// The program cannot be started.
    #[error("cannot start {program}")]
    Start {
        /// The program.
        program: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// It does not poll, or does not answer.
    #[error("the function does not answer")]
    Invocation(#[from] InvocationError),
    /// It cannot be looked at.
    #[error("the process cannot be looked at")]
    Look(#[source] std::io::Error),
    /// Its end cannot be awaited.
    #[error("the function does not end")]
    End(#[source] std::io::Error),
}

/// A running bootstrap; killed when this is dropped.
pub struct FunctionProcess {
    child: Child,
    api: RuntimeApi,
    started: Instant,
    patience: Duration,
}

/// A process at its first poll.
#[derive(Debug, Clone, Copy)]
pub struct Started {
    /// From the start of the process to its first poll.
    pub wall: Duration,
    /// Processor time of all its threads until it waits for an invocation.
    pub processor: Duration,
    /// The most memory that it held resident, in bytes.
    pub resident_bytes: u64,
}

impl FunctionProcess {
    /// Starts `command`, a program and its arguments, with `environment` and no other variables. `patience` bounds
    /// how long its first poll and each answer may take.
    ///
    /// # Errors
    ///
    /// The program cannot be started.
    pub async fn start(
        command: &[&str],
        environment: &BTreeMap<String, String>,
        patience: Duration,
    ) -> Result<Self, ProcessError> {
        let api = RuntimeApi::start().await.map_err(ProcessError::Listen)?;
        let (program, arguments) = command.split_first().unwrap_or((&"", &[]));
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .envs(lambda_environment(&api.address()))
            .envs(environment)
            .stdin(Stdio::null())
            // Logs and metrics: Lambda would take them.
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let started = Instant::now();
        let child = command.spawn().map_err(|source| ProcessError::Start {
            program: (*program).to_owned(),
            source,
        })?;
        Ok(Self {
            child,
            api,
            started,
            patience,
        })
    }

    /// Waits for its first poll.
    ///
    /// # Errors
    ///
    /// It does not poll, or cannot be looked at.
    pub async fn started(&self) -> Result<Started, ProcessError> {
        let polled = self.api.first_poll(self.patience).await?;
        Ok(Started {
            wall: polled - self.started,
            processor: self.processor_at_rest().await?,
            resident_bytes: self.peak_resident_bytes()?,
        })
    }

    /// Has it handle `event`, to be answered before `deadline_millis` of Unix time.
    ///
    /// # Errors
    ///
    /// What came in place of an answer.
    pub async fn invoke(&self, event: &Value, deadline_millis: i64) -> Result<Value, InvocationError> {
        self.api.invoke(event, deadline_millis, self.patience).await
    }

    /// The most memory that it has held resident, in bytes.
    ///
    /// # Errors
    ///
    /// It is gone.
    pub fn peak_resident_bytes(&self) -> Result<u64, ProcessError> {
        looked_at::peak_resident_bytes(self.pid()?).map_err(ProcessError::Look)
    }

    /// Tells it that no more invocations come, waits until it has ended, and gives what it wrote to its standard
    /// error.
    ///
    /// # Errors
    ///
    /// It does not end.
    pub async fn end(self) -> Result<String, ProcessError> {
        self.api.end();
        let ended = tokio::time::timeout(self.patience, self.child.wait_with_output()).await;
        let output = ended.map_err(|_| ProcessError::Invocation(InvocationError::Silence(self.patience)))?;
        let output = output.map_err(ProcessError::End)?;
        Ok(String::from_utf8_lossy(&output.stderr).into_owned())
    }

    fn pid(&self) -> Result<u32, ProcessError> {
        let gone = || ProcessError::Look(std::io::ErrorKind::NotFound.into());
        self.child.id().ok_or_else(gone)
    }

    /// The processor time once it no longer grows: after its poll was heard, the process still has to go to sleep.
    async fn processor_at_rest(&self) -> Result<Duration, ProcessError> {
        let deadline = Instant::now() + self.patience;
        let mut before = self.processor()?;
        loop {
            tokio::time::sleep(REST).await;
            let now = self.processor()?;
            if now == before || Instant::now() >= deadline {
                return Ok(now);
            }
            before = now;
        }
    }

    /// Of all threads that it has, to the nanosecond.
    fn processor(&self) -> Result<Duration, ProcessError> {
        let nanos = looked_at::processor_nanos(self.pid()?).map_err(ProcessError::Look)?;
        Ok(Duration::from_nanos(nanos))
    }
}

/// What Lambda itself sets for every function.
fn lambda_environment(runtime_api: &str) -> [(&'static str, String); 6] {
    [
        ("AWS_LAMBDA_RUNTIME_API", runtime_api.to_owned()),
        ("AWS_LAMBDA_FUNCTION_NAME", "local".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512".to_owned()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/local".to_owned()),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "local".to_owned()),
    ]
}

/// Where on `path` the program of this name lies.
#[must_use]
pub fn on_path(name: &str, path: &OsStr) -> Option<PathBuf> {
    std::env::split_paths(path)
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    async fn shell(script: &str) -> Result<FunctionProcess, ProcessError> {
        let environment = BTreeMap::from([("GIVEN".to_owned(), "a value".to_owned())]);
        FunctionProcess::start(&["/bin/sh", "-c", script], &environment, PATIENCE).await
    }

    #[tokio::test]
    async fn it_has_what_it_is_given_and_what_lambda_sets_and_nothing_else() {
        let process = shell("export -p >&2").await.unwrap();
        let printed = process.end().await.unwrap();
        assert!(printed.contains("GIVEN='a value'"), "{printed}");
        assert!(
            printed.contains("AWS_LAMBDA_RUNTIME_API='127.0.0.1:"),
            "{printed}"
        );
        assert!(!printed.contains("CARGO"), "{printed}");
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn its_threads_and_memory_are_looked_at() {
        let process =
            shell("kept=$(/usr/bin/head -c 3000000 /dev/zero | /usr/bin/tr '\\0' x); while :; do :; done")
                .await
                .unwrap();
        let deadline = Instant::now() + PATIENCE;
        while process.peak_resident_bytes().unwrap() < 3_000_000 && Instant::now() < deadline {
            tokio::time::sleep(REST).await;
        }
        assert!(process.peak_resident_bytes().unwrap() >= 3_000_000);
        assert!(process.processor().unwrap() > Duration::from_micros(100));
    }

    #[tokio::test]
    async fn what_cannot_be_started_is_said() {
        let missing = FunctionProcess::start(&["/no/such/program"], &BTreeMap::new(), PATIENCE).await;
        assert!(matches!(missing.err(), Some(ProcessError::Start { .. })));
    }

    #[test]
    fn programs_are_looked_for_on_the_path() {
        let at = |name, path: &str| on_path(name, OsStr::new(path));
        assert_eq!(at("sh", "/no/such/folder:/bin"), Some(PathBuf::from("/bin/sh")));
        assert_eq!(at("sh", "/no/such/folder"), None);
        assert_eq!(at("no-such-program", "/bin"), None);
    }
}
