//! `serve`: the stack kept up on loopback, for `cargo lambda watch`, the AWS CLI and the tool.

use std::io::Write;
use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;

use crate::deployment::{Deployment, DeploymentError};
use crate::order_flow::sample;
use crate::platform::stack::shell_exports;
use crate::process::ProcessOptions;
use crate::run::parameters;

/// How long one poll waits for a message.
const PATIENCE: Duration = Duration::from_secs(1);

/// Keeps the stack up until interrupted, with `counterparties` onboarded and the sample's parameters set; writes its
/// outputs to `outputs`. The matcher takes what comes to the intake queue, as its mapping gives it.
///
/// # Errors
/// The stack does not come up, or the file cannot be written.
pub async fn serve(
    port: u16,
    outputs: &Path,
    counterparties: NonZeroU32,
) -> Result<(), Box<dyn std::error::Error>> {
    let flow = sample(counterparties)?;
    let deployment = Deployment::start(
        port,
        (1..=counterparties.get()).collect(),
        vec![parameters(&flow)],
    )
    .await?;
    deployment.stack().write_outputs(outputs)?;
    let mut out = std::io::stdout().lock();
    let environment = deployment.stack().exported_environment("matcher")?;
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
    write!(out, "{}", shell_exports(&environment))?;
    out.flush()?;
    drop(out);
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        failed = take_batches(&deployment) => failed?,
    }
    deployment.shut_down().await;
    Ok(())
}

async fn take_batches(deployment: &Deployment) -> Result<(), DeploymentError> {
    let mut process = deployment.process(&ProcessOptions::undisturbed())?;
    loop {
        process.poll(PATIENCE).await?;
    }
}
