//! Runs simulations from the command line: the figures of `docs/decisions/0005-batch-size-and-concurrency.md` can be
//! had again.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use comfy_table::{CellAlignment, Table, presets};
use simulation::hot_symbol::{self, AwsModel, Configuration, HELD, Mix, Row, SimulationError};

/// Simulations of Symbolon in virtual time.
#[derive(Debug, Parser)]
#[command(name = "simulation", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// What to simulate.
#[derive(Debug, Subcommand)]
enum Command {
    /// Throughput on one hot symbol by batch size and concurrency
    HotSymbol(HotSymbol),
}

/// How to sweep.
#[derive(Debug, clap::Args)]
struct HotSymbol {
    /// Batch sizes, separated by commas
    #[arg(long, value_delimiter = ',', default_values_t = hot_symbol::BATCH_SIZES)]
    batch_sizes: Vec<usize>,
    /// Concurrencies, separated by commas
    #[arg(long, value_delimiter = ',', default_values_t = hot_symbol::CONCURRENCIES)]
    concurrencies: Vec<usize>,
    /// What the messages are; all three mixes when left out
    #[arg(long, value_enum)]
    mix: Option<MixName>,
    /// Messages sent
    #[arg(long, default_value_t = 20_000)]
    messages: usize,
    /// Messages sent per second; by default everything lies there before anybody can take it
    #[arg(long, default_value_t = 20_000)]
    rate: u32,
    /// Seconds that a batch gathers messages
    #[arg(long, default_value_t = 1)]
    window: u64,
    /// Symbols that the messages are about
    #[arg(long, default_value_t = 1)]
    symbols: usize,
    /// What everything random is drawn from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Takes the SDK to repeat throttled transactions
    #[arg(long)]
    repeat_throttled: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum MixName {
    Resting,
    Half,
    Matching,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Output {
    /// For people.
    Table,
    /// One JSON object a line.
    Json,
    /// To be put into a page.
    Markdown,
}

fn main() -> ExitCode {
    let Command::HotSymbol(arguments) = Arguments::parse().command;
    match sweep(&arguments) {
        Ok(rows) => {
            print(arguments.output, &rows);
            let held = rows.iter().all(|row| row.invariants == HELD);
            ExitCode::from(u8::from(!held))
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn sweep(arguments: &HotSymbol) -> Result<Vec<Row>, SimulationError> {
    let mut rows = Vec::new();
    for mix in mixes(arguments.mix) {
        let configuration = Configuration {
            window: Duration::from_secs(arguments.window),
            messages: arguments.messages,
            arrivals_per_second: arguments.rate,
            mix,
            symbols: arguments.symbols,
            seed: arguments.seed,
            aws: AwsModel {
                repeats_throttled_transactions: arguments.repeat_throttled,
                ..AwsModel::default()
            },
            ..Configuration::default()
        };
        for row in hot_symbol::sweep(&configuration, &arguments.batch_sizes, &arguments.concurrencies) {
            rows.push(row?);
            eprint!("\r{} rows", rows.len());
            // Progress that cannot be shown is no failure.
            let _ = std::io::stderr().flush();
        }
    }
    eprintln!();
    Ok(rows)
}

fn mixes(name: Option<MixName>) -> Vec<Mix> {
    match name {
        None => Mix::ALL.to_vec(),
        Some(MixName::Resting) => vec![Mix::RESTING],
        Some(MixName::Half) => vec![Mix::HALF],
        Some(MixName::Matching) => vec![Mix::MATCHING],
    }
}

fn print(output: Output, rows: &[Row]) {
    if let Output::Json = output {
        for row in rows {
            match serde_json::to_string(row) {
                Ok(line) => println!("{line}"),
                Err(error) => eprintln!("{error}"),
            }
        }
        return;
    }
    let mut table = Table::new();
    table.load_style(match output {
        Output::Markdown => presets::ASCII_MARKDOWN,
        _ => presets::UTF8_HORIZONTAL_ONLY,
    });
    table.set_header(Row::TITLES);
    table.add_rows(rows.iter().map(Row::cells));
    for column in table.column_iter_mut() {
        column.set_cell_alignment(CellAlignment::Right);
    }
    println!("{table}");
}
