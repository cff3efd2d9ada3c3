//! `serve`: the stack kept up on loopback, for `cargo lambda watch`, the AWS CLI and the tool.

use std::io::Write;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::audit::Audit;
use crate::deployment::{Deployment, DeploymentError};
use crate::order_flow::plan::Disorder;
use crate::order_flow::sample;
use crate::platform::stack::shell_exports;
use crate::process::ProcessOptions;
use crate::redrive;
use crate::run::parameters;

/// How long one poll waits for a message.
const PATIENCE: Duration = Duration::from_secs(1);

/// Every batch of the stream once.
const UNDISTURBED: Disorder = Disorder {
    duplicates: 0.0,
    shuffle: 0,
    stream_duplicates: 0.0,
    seed: 0,
};

/// Where the tool finds the stack's outputs.
const SYMBOLON_OUTPUTS: &str = "SYMBOLON_OUTPUTS";

/// A stack that is up.
pub struct Served {
    deployment: Deployment,
    outputs: PathBuf,
}

impl Served {
    /// Stands the stack up, the redrive there to be invoked, with `counterparties` onboarded and the sample's parameters set; writes its outputs to
    /// `outputs`.
    ///
    /// # Errors
    /// The stack does not come up, or the file cannot be written.
    pub async fn start(
        port: u16,
        outputs: &Path,
        counterparties: NonZeroU32,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let flow = sample(counterparties)?;
        let deployment = Deployment::start(
            port,
            (1..=counterparties.get()).collect(),
            vec![parameters(&flow)],
        )
        .await?;
        redrive::register(deployment.stack())?;
        deployment.stack().write_outputs(outputs)?;
        Ok(Self {
            deployment,
            outputs: outputs.to_owned(),
        })
    }

    /// The deployment that is up.
    #[must_use]
    pub fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    /// What to export in another terminal: for a function, the AWS CLI and the tool.
    ///
    /// # Errors
    /// The template has no matcher, or the outputs' path cannot be made absolute.
    pub fn exports(&self) -> Result<String, Box<dyn std::error::Error>> {
        let stack = self.deployment.stack();
        let mut environment = stack.exported_environment("dlq-redrive")?;
        // What both have is the matcher's: who it is above all.
        environment.extend(stack.exported_environment("matcher")?);
        let backup = stack.outputs().get("BackupBucket");
        environment.extend(backup.map(|bucket| ("BACKUP_BUCKET".to_owned(), bucket.clone())));
        let outputs = std::path::absolute(&self.outputs)?;
        environment.insert(SYMBOLON_OUTPUTS.to_owned(), outputs.display().to_string());
        Ok(shell_exports(&environment))
    }

    /// Takes what comes to the intake queue, as the matcher's mapping gives it, and logs what the stream of the matches
    /// shows, as the token audit's does, for ever.
    ///
    /// # Errors
    /// [`DeploymentError::Poll`] when SQS refuses, [`DeploymentError::Stream`] when the stream does not go on.
    pub async fn take_batches(&self) -> Result<(), DeploymentError> {
        let mut process = self.deployment.process(&ProcessOptions::undisturbed())?;
        let mut audit = Audit::start(self.deployment.stack(), &UNDISTURBED)?;
        loop {
            process.poll(PATIENCE).await?;
            audit.drain().await?;
        }
    }

    /// Ends it; everything in it is gone.
    pub async fn shut_down(self) {
        self.deployment.shut_down().await;
    }
}

/// Keeps the stack up until interrupted, and says how to reach it.
///
/// # Errors
/// The stack does not come up, or the file of its outputs cannot be written.
pub async fn serve(
    port: u16,
    outputs: &Path,
    counterparties: NonZeroU32,
) -> Result<(), Box<dyn std::error::Error>> {
    let served = Served::start(port, outputs, counterparties).await?;
    let exports = served.exports()?;
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "# The stack is up; Ctrl-C ends it. Its outputs: {}",
        outputs.display()
    )?;
    writeln!(
        out,
        "# Counterparty n sends with the access key id AROACOUNTERPARTY0000n."
    )?;
    writeln!(out, "# Paste this into another terminal:")?;
    write!(out, "{exports}")?;
    out.flush()?;
    drop(out);
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        failed = served.take_batches() => failed?,
    }
    served.shut_down().await;
    Ok(())
}
