//! `audit`: the log of every token, verified, looked into, and taken away.
//!
//! What is verified, and how, is the verifier's; here it is found, shown and written.

mod export;
mod place;
mod progress;
mod remembered;
mod show;
mod source;
mod verify;
mod view;

use crate::arguments::AuditCommand;
use crate::failure::Failure;
use crate::print::Printer;
use crate::settings::Settings;

pub(crate) async fn run(
    command: AuditCommand,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<(), Failure> {
    match command {
        AuditCommand::Verify(wanted) => verify::run(&wanted, settings, printer).await,
        AuditCommand::Show(wanted) => show::run(&wanted, settings, printer).await,
        AuditCommand::Export(wanted) => export::run(&wanted, settings, printer).await,
    }
}

/// What a match is that a log says something wrong of.
fn plural(count: usize, one: &str, many: &str) -> String {
    if count == 1 {
        format!("{count} {one}")
    } else {
        format!("{count} {many}")
    }
}
