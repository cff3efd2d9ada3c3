//! The command line.

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use symbolon_shared::domain::identifiers::Symbol;

/// The whole deployment of Symbolon in one process, on embedded emulators.
///
/// Without a command it replays a built-in sample of order flow.
#[derive(Debug, Parser)]
#[command(name = "local", version, max_term_width = 100)]
pub struct Arguments {
    /// What to do; the built-in sample is replayed when left out.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How to replay.
    #[command(flatten)]
    pub options: ReplayOptions,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Replay a file of order flow: Bitstamp order events (CSV, plain or .xz) or LOBSTER messages
    Replay {
        /// The file.
        file: PathBuf,
        /// The symbol of a LOBSTER file, which does not name it
        #[arg(long, value_parser = parse_symbol)]
        symbol: Option<Symbol>,
    },
    /// The drill: faults at every boundary, races, hostile input, and a search of everything that was said
    Drill {
        /// Order flow to replay under fire; the built-in sample when left out.
        #[arg(long)]
        order_flow: Option<PathBuf>,
        /// Interests of the races
        #[arg(long, default_value_t = 1_500)]
        race_interests: usize,
        /// Matchers that race at one book
        #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=256))]
        racers: u16,
        /// Malformed bodies of the hostile input
        #[arg(long, default_value_t = 10_000)]
        hostile_bodies: usize,
    },
    /// Keep the stack up on loopback until interrupted, for `cargo lambda watch` and the AWS CLI
    Serve {
        /// The port to listen on, on 127.0.0.1; 0 for any free one
        #[arg(long, default_value_t = 4566)]
        port: u16,
        /// Where to write the stack outputs, as a JSON object
        #[arg(long, default_value = "target/symbolon-outputs.json")]
        outputs: PathBuf,
    },
    /// Count what interests and matches ask of AWS and what the function's process takes, against the budgets; run it
    /// in release
    Bench(BenchOptions),
}

/// What to measure.
#[derive(Debug, Clone, Args)]
pub struct BenchOptions {
    /// Recorded order flow to count as well: Bitstamp order events (CSV, plain or .xz)
    #[arg(long)]
    pub order_flow: Option<PathBuf>,
    /// Where to write growth with the book, as an SVG
    #[arg(long)]
    pub picture: Option<PathBuf>,
    /// The matcher's release bootstrap; built with cargo when left out
    #[arg(long)]
    pub bootstrap: Option<PathBuf>,
    /// Interests at rest in the books, one case each
    #[arg(long, value_delimiter = ',', default_values_t = [100, 10_000, 100_000])]
    pub books: Vec<u32>,
    /// How often the bootstrap is started; its cold start is the median
    #[arg(long, default_value = "15")]
    pub starts: NonZeroU32,
}

/// How to replay.
#[derive(Debug, Clone, Args)]
pub struct ReplayOptions {
    /// How many counterparties the orders are dealt out to
    #[arg(long, global = true, default_value = "12")]
    pub counterparties: NonZeroU32,
    /// Share of the messages, and of the stream's batches, that is delivered a second time, from 0 to 1
    #[arg(long, global = true, default_value_t = 0.0, value_parser = parse_share)]
    pub duplicates: f64,
    /// Reorder the messages within a window of this many
    #[arg(long, global = true, default_value_t = 0)]
    pub shuffle: usize,
    /// What --duplicates and --shuffle are drawn from
    #[arg(long, global = true, default_value_t = 1)]
    pub seed: u64,
    /// How to print the result
    #[arg(long, global = true, value_enum, default_value_t = Output::Table)]
    pub output: Output,
}

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Table,
    /// One JSON object.
    Json,
}

fn parse_symbol(text: &str) -> Result<Symbol, String> {
    Symbol::new(text).map_err(|_| "a symbol is 1 to 32 of A-Z 0-9 . _ / -".to_owned())
}

fn parse_share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.0..=1.0).contains(&share) {
        Ok(share)
    } else {
        Err("a share lies between 0 and 1".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_contracts_command_lines_are_taken() {
        let parsed = Arguments::try_parse_from([
            "local",
            "replay",
            "f.csv",
            "--output",
            "json",
            "--duplicates",
            "0.2",
        ]);
        let arguments = parsed.unwrap();
        assert!(matches!(arguments.command, Some(Command::Replay { .. })));
        assert_eq!(arguments.options.output, Output::Json);
        assert_eq!(arguments.options.counterparties.get(), 12);
        for wrong in [
            ["local", "--duplicates", "1.5"],
            ["local", "--duplicates", "x"],
            ["local", "--counterparties", "0"],
        ] {
            assert!(Arguments::try_parse_from(wrong).is_err(), "{wrong:?}");
        }
    }
}
