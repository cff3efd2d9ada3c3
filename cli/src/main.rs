//! `symbolon`: reads the command line and the environment, runs, and says how it ended.

use std::collections::HashMap;
use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use cli::arguments::Arguments;
use cli::settings::Settings;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let variables: HashMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let settings = Settings::new(arguments.options, &variables);
    let output = settings.options.output;
    match Box::pin(cli::run(arguments.command, settings)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Without a standard error there is nobody to tell.
            let _told = write!(std::io::stderr(), "{}", failure.render(output));
            ExitCode::from(failure.exit_code())
        }
    }
}
