//! `cargo run`: the whole deployment in one process, fed with order flow, shown at the end.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::Parser;
use local::arguments::{Arguments, BenchOptions, Command, Output, ReplayOptions};
use local::bench::{self, Plan, Scale, bench};
use local::drill::{Capture, DrillOptions, drill};
use local::order_flow::plan::Disorder;
use local::order_flow::{OrderFlow, ReadOptions, read, sample};
use local::picture::{Style, render};
use local::progress::Progress;
use local::run::run;
use local::serve::serve;

type Failure = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match act(arguments).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            explain(failure.as_ref());
            ExitCode::FAILURE
        }
    }
}

/// Whether all was well.
async fn act(arguments: Arguments) -> Result<bool, Failure> {
    let options = arguments.options;
    // The drill keeps what is logged for itself.
    if !matches!(arguments.command, Some(Command::Drill { .. })) {
        start_logs();
    }
    match arguments.command {
        None => show(sample(options.counterparties)?, "the built-in sample", &options).await,
        Some(Command::Replay { file, symbol }) => {
            let flow = read(
                &file,
                &ReadOptions {
                    counterparties: options.counterparties,
                    symbol,
                },
            )?;
            let name = file
                .file_name()
                .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            show(flow, &name, &options).await
        }
        Some(Command::Drill {
            order_flow,
            race_interests,
            racers,
            hostile_bodies,
        }) => {
            let flow = match order_flow {
                None => sample(options.counterparties)?,
                Some(file) => read(
                    &file,
                    &ReadOptions {
                        counterparties: options.counterparties,
                        symbol: None,
                    },
                )?,
            };
            let drill = DrillOptions {
                seed: options.seed,
                race_interests,
                racers: usize::from(racers),
                hostile_bodies,
            };
            show_drill(flow, &drill, options.output).await
        }
        Some(Command::Serve { port, outputs }) => {
            serve(port, &outputs, options.counterparties).await?;
            Ok(true)
        }
        Some(Command::Bench(wanted)) => measure(wanted, &options).await,
    }
}

/// Whether every budget is kept.
async fn measure(wanted: BenchOptions, options: &ReplayOptions) -> Result<bool, Failure> {
    let plan = Plan {
        scale: Scale {
            books: wanted.books,
            counterparties: options.counterparties.get(),
            ..Scale::default()
        },
        order_flow: wanted.order_flow,
        bootstrap: wanted.bootstrap,
        starts: wanted.starts.get(),
    };
    // Without a standard error there is nobody to tell.
    let tell = |what: &str| drop(writeln!(std::io::stderr(), "measuring: {what}"));
    let report = bench(&plan, &tell).await?;
    if let Some(file) = wanted.picture {
        bench::picture::write(&report, &file)?;
    }
    let mut out = std::io::stdout().lock();
    match options.output {
        Output::Json => writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?,
        Output::Table => write!(out, "{}", bench::table::render(&report, terminal_width()))?,
    }
    Ok(report.within())
}

/// Nothing where the output is no terminal: there it may be as wide as it likes.
fn terminal_width() -> Option<u16> {
    let (_, width) = console::Term::stdout().size();
    std::io::stdout().is_terminal().then_some(width)
}

async fn show(flow: OrderFlow, source: &str, options: &ReplayOptions) -> Result<bool, Failure> {
    let disorder = Disorder {
        duplicates: options.duplicates,
        shuffle: options.shuffle,
        stream_duplicates: options.duplicates,
        seed: options.seed,
    };
    let progress = Progress::new(flow.events.len() as u64, true);
    let (report, picture) = run(flow, source, options.counterparties.get(), &disorder, &progress).await?;
    progress.finish();
    let mut out = std::io::stdout().lock();
    match options.output {
        Output::Json => writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?,
        Output::Table => writeln!(out, "{}", render(&report, &picture, style()))?,
    }
    Ok(report.all_held())
}

async fn show_drill(flow: OrderFlow, options: &DrillOptions, output: Output) -> Result<bool, Failure> {
    let capture = Capture::new()?;
    capture.install()?;
    let messages = flow.events.len() + options.race_interests + options.hostile_bodies;
    let progress = Progress::new(messages as u64, true);
    let report = drill(flow, options, &capture, &progress).await?;
    progress.finish();
    let mut out = std::io::stdout().lock();
    match output {
        Output::Json => writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?,
        Output::Table => writeln!(out, "{}", report.render())?,
    }
    Ok(report.all_held())
}

fn style() -> Style {
    let (_, width) = console::Term::stdout().size();
    let colour = std::io::stdout().is_terminal() && console::colors_enabled();
    let width = if std::io::stdout().is_terminal() {
        usize::from(width)
    } else {
        100
    };
    Style { width, colour }
}

/// Every cause, one line each: an error here says what, its source says why.
fn explain(failure: &dyn std::error::Error) {
    let mut lines = vec![format!("error: {failure}")];
    let mut cause = failure.source();
    while let Some(source) = cause {
        lines.push(format!("  because: {source}"));
        cause = source.source();
    }
    // Without a standard error there is nobody to tell.
    let _told = writeln!(std::io::stderr(), "{}", lines.join("\n"));
}

/// The functions' own logs, when asked for.
fn start_logs() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "off".into());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .json()
        .init();
}
