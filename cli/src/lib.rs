//! The tool `symbolon`: what a counterparty and an operator hold in their hands.
//!
//! Each command is a module. Validation, tokens and onboarding are the common crate's, so that the tool takes and
//! shows what the matcher takes and says.
//!
//! What it is **not**: a way around anything. It has the permissions of whoever runs it, and knows nothing that AWS
//! does not tell them.

pub mod arguments;
pub mod failure;
pub mod settings;

mod ask;
mod audit;
mod connection;
mod counterparty;
mod deployment;
mod fit;
mod function;
mod inbox;
mod outputs;
mod pages;
mod parameters;
mod print;
mod progress;
mod quarantine;
mod queue;
mod redrive;
mod submit;

use arguments::Command;
use failure::Failure;
use print::Printer;
use settings::Settings;

/// Runs a command to its end.
///
/// # Errors
/// [`Failure`] says what went wrong, with what, and what to do.
pub async fn run(command: Command, settings: Settings) -> Result<(), Failure> {
    let mut printer = Printer::stdout(settings.options.output);
    let printer = &mut printer;
    match command {
        Command::Counterparty(command) => counterparty::run(command, &settings, printer).await,
        Command::Parameters(command) => parameters::run(command, &settings, printer).await,
        Command::Submit(wanted) => submit::run(&wanted, &settings, printer).await,
        Command::Cancel { cl_ord_id, new_id } => ask::cancel(&cl_ord_id, &new_id, &settings, printer).await,
        Command::Status { cl_ord_id, new_id } => {
            ask::status(&cl_ord_id, new_id.as_ref(), &settings, printer).await
        }
        Command::Inbox(wanted) => inbox::run(&wanted, &settings, printer).await,
        Command::Redrive { queue, dry_run } => redrive::run(queue, dry_run, &settings, printer).await,
        Command::Quarantine(command) => quarantine::run(command, &settings, printer).await,
        Command::Audit(command) => audit::run(command, &settings, printer).await,
        Command::Fit {
            one,
            other,
            commitment,
        } => fit::run(&one, &other, &commitment, printer),
        Command::Completions { shell } => pages::completions(shell, printer),
        Command::Man { directory } => pages::man(directory.as_deref(), printer),
    }
}
