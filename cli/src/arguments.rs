//! The command line.

mod audit;
mod quarantine;

use std::path::PathBuf;

pub use audit::{AuditCommand, AuditExport, AuditShow, AuditVerify, ExportFormat, Log};
pub use quarantine::{Filter, QuarantineCommand, Which};

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use symbolon_shared::domain::decimal::{Price, Quantity};
use symbolon_shared::domain::identifiers::{ClOrdId, CounterpartyId, Principal, Symbol};
use symbolon_shared::domain::parameters::PricePolicy;
use symbolon_shared::domain::redrive::SourceName;

/// Anonymous matching on AWS: onboard counterparties, set parameters, submit interests, read inboxes, verify the audit.
#[derive(Debug, Parser)]
#[command(
    name = "symbolon",
    version,
    max_term_width = 80,
    arg_required_else_help = true,
    after_help = "Credentials, region and endpoint are the AWS SDK's: AWS_PROFILE, AWS_ACCESS_KEY_ID, AWS_REGION, \
                  AWS_ENDPOINT_URL and so on. Colour is shown on a terminal only, and not when NO_COLOR is set.\n\n\
                  Exit status: 0 done, 1 refused or failed, 2 wrong usage."
)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Where, and how to print.
    #[command(flatten)]
    pub options: Options,
}

/// Where the deployment is, and how to print.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct Options {
    /// The CloudFormation stack whose outputs name the resources
    #[arg(long, global = true, value_name = "NAME", conflicts_with = "outputs")]
    pub stack: Option<String>,
    /// A JSON object of the stack's outputs.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        help = "A JSON object of the stack's outputs instead, for who may not ask CloudFormation [env: SYMBOLON_OUTPUTS]"
    )]
    pub outputs: Option<PathBuf>,
    /// A JSON object of the outputs of the peer region's stack.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        help = "The same for the peer region [env: SYMBOLON_PEER_OUTPUTS]"
    )]
    pub peer_outputs: Option<PathBuf>,
    /// The primary's region; the outputs' own or the SDK's when left out
    #[arg(long, global = true, value_name = "REGION")]
    pub region: Option<String>,
    /// The standby's region
    #[arg(long, global = true, value_name = "REGION")]
    pub peer_region: Option<String>,
    /// For people, or for machines: one JSON object, or one a line
    #[arg(long, global = true, value_enum, default_value_t = Output::Table)]
    pub output: Output,
}

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Table,
    /// For machines.
    Json,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Onboard counterparties and change how they stand
    #[command(subcommand, arg_required_else_help = true)]
    Counterparty(CounterpartyCommand),
    /// Set and show the match parameters of a symbol
    #[command(subcommand, arg_required_else_help = true)]
    Parameters(ParametersCommand),
    /// Send interests, cancels and replaces from a file
    ///
    /// A line is one message: a JSON object of the contract, or a row of CSV under a header of the contract's field
    /// names (no `type` means interest). Every line is checked by the matcher's own rules before the first is sent; if
    /// one is wrong, all that are wrong are listed and nothing is sent.
    ///
    /// What was acknowledged is noted in a journal beside the file (FILE.journal), so that a run that was interrupted
    /// goes on where it ended when it is repeated. A message that is sent twice all the same counts once: its clOrdId
    /// and body say so. A journal belongs to one sender: to send the same file as somebody else, name another one.
    ///
    /// It sends to the primary's intake only. The standby's copies would lie there unread until they expire, until the
    /// standby is made to drain them.
    Submit(Submit),
    /// Cancel an order; the answer comes to the inbox
    Cancel {
        /// The order, by the clOrdId that it goes by now
        #[arg(value_name = "CLORDID", value_parser = cl_ord_id)]
        cl_ord_id: ClOrdId,
        /// The clOrdId of the cancel itself, not used before
        #[arg(long = "as", value_name = "NEWID", value_parser = cl_ord_id)]
        new_id: ClOrdId,
    },
    /// Ask how an order stands; the answer comes to the inbox
    ///
    /// Each question bears a clOrdId of its own. One that is asked again under the same clOrdId is answered as the
    /// first time, so a new one is drawn unless --as names it.
    Status {
        /// The order
        #[arg(value_name = "CLORDID", value_parser = cl_ord_id)]
        cl_ord_id: ClOrdId,
        /// The clOrdId of the question itself
        #[arg(long = "as", value_name = "NEWID", value_parser = cl_ord_id)]
        new_id: Option<ClOrdId>,
    },
    /// Print the messages of an inbox, and take them out of it
    ///
    /// A message is deleted only after it has been written out; when that fails, it comes again. Copies, which bear the
    /// same messageId, are shown once, as far as one run remembers them (the last 100,000).
    Inbox(Inbox),
    /// Sort the dead letters now, without waiting for the schedule
    ///
    /// What is transient goes back to its queue, a canary first; what is poison goes to the quarantine. Exits with 1 when
    /// something stopped it, and says what.
    Redrive {
        /// The queue whose dead letters are meant, such as intake; every one's when left out
        #[arg(long, value_name = "Q", value_parser = quarantine::source)]
        queue: Option<SourceName>,
        /// Say what would be done, and do nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// See what was taken for poison, and decide what becomes of it
    ///
    /// Every act is told on the event bus before it is done, and is not done if it cannot be told.
    #[command(subcommand, arg_required_else_help = true)]
    Quarantine(QuarantineCommand),
    /// Verify the log of every token, look into it, take it away in columns
    #[command(subcommand, arg_required_else_help = true)]
    Audit(AuditCommand),
    /// Tell whether two tokens are the two of one match
    ///
    /// Needs no deployment and no permission: the commitment binds both tokens. Exits with 1 when they do not fit.
    Fit {
        /// One token
        #[arg(value_name = "TOKEN")]
        one: String,
        /// The other token, in either order
        #[arg(value_name = "TOKEN")]
        other: String,
        /// The commitment that both sides were told
        #[arg(value_name = "COMMITMENT")]
        commitment: String,
    },
    /// Print the completions of a shell
    ///
    /// For bash: symbolon completions bash > ~/.local/share/bash-completion/completions/symbolon
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the man page
    Man {
        /// Write a page for each command into this directory instead
        #[arg(long, value_name = "DIR")]
        directory: Option<PathBuf>,
    },
}

/// Onboarding.
#[derive(Debug, Subcommand)]
pub enum CounterpartyCommand {
    /// Onboard a counterparty: its opaque id, its inboxes, its place in the registry
    ///
    /// May be repeated: what is there stays, what is missing is made. Its role must exist, under the path
    /// /STACK/counterparty/, and gets the tags that are printed at the end. Name both regions, so that its inboxes take
    /// messages from either.
    Add {
        /// The name of its role, which staff know it by
        name: String,
        /// The role's unique id (AROA…), as `aws iam get-role` shows it
        #[arg(long, value_name = "ROLE-ID", value_parser = principal)]
        principal: Principal,
        /// Counterparties whom it is not to meet
        #[arg(long, value_name = "CP", num_args = 1.., value_parser = counterparty_id)]
        exclude: Vec<CounterpartyId>,
    },
    /// Show everybody
    List,
    /// Match nothing of it any more; its cancels still work
    Suspend {
        /// Its opaque id
        #[arg(value_name = "CP", value_parser = counterparty_id)]
        id: CounterpartyId,
    },
    /// Let it trade again
    Resume {
        /// Its opaque id
        #[arg(value_name = "CP", value_parser = counterparty_id)]
        id: CounterpartyId,
    },
    /// Keep two counterparties apart: neither is matched with the other
    Exclude {
        /// One of them
        #[arg(value_name = "CP", value_parser = counterparty_id)]
        one: CounterpartyId,
        /// The other
        #[arg(value_name = "CP", value_parser = counterparty_id)]
        other: CounterpartyId,
    },
}

/// Match parameters.
#[derive(Debug, Subcommand)]
pub enum ParametersCommand {
    /// Set all parameters of a symbol; what is left out gets its default
    Set(ParametersSet),
    /// Show the parameters of a symbol
    Get {
        /// The symbol
        #[arg(value_parser = symbol)]
        symbol: Symbol,
    },
}

/// The parameters of a symbol.
#[derive(Debug, Args)]
pub struct ParametersSet {
    /// The symbol
    #[arg(value_parser = symbol)]
    pub symbol: Symbol,
    /// Every price is a multiple of it
    #[arg(long, value_parser = price)]
    pub tick: Price,
    /// Every quantity is a multiple of it
    #[arg(long, value_parser = quantity)]
    pub lot: Quantity,
    /// What prices are in
    #[arg(long, value_name = "CURRENCY")]
    pub currency: String,
    /// How a match is priced
    #[arg(long, value_enum, default_value_t = Pricing::Resting)]
    pub price_policy: Pricing,
    /// FIX `SecurityID`, such as an ISIN
    #[arg(long, value_name = "ID", requires = "security_id_source")]
    pub security_id: Option<String>,
    /// FIX `SecurityIDSource`, such as 4 for ISIN
    #[arg(long, value_name = "SOURCE", requires = "security_id")]
    pub security_id_source: Option<String>,
    /// Take and match no interests; cancels still work. Set again without it to go on
    #[arg(long)]
    pub halt: bool,
}

/// How a match is priced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Pricing {
    /// The limit of the interest that was accepted earlier
    Resting,
    /// The exact middle of both limits
    Midpoint,
}

impl From<Pricing> for PricePolicy {
    fn from(pricing: Pricing) -> Self {
        match pricing {
            Pricing::Resting => Self::Resting,
            Pricing::Midpoint => Self::Midpoint,
        }
    }
}

/// What to send, and how.
#[derive(Debug, Args)]
pub struct Submit {
    /// The file; - for standard input
    pub file: PathBuf,
    /// How to read it; by default by its ending (.csv, .jsonl, .ndjson, .json), or its first character
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// Put up to so many messages into one bundle: fewer requests, one moment of acceptance
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=500))]
    pub bundle: Option<u16>,
    /// Where to note what was acknowledged; standard input has no journal without it
    #[arg(long, value_name = "FILE")]
    pub journal: Option<PathBuf>,
}

/// The form of a file of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One JSON object a line
    Jsonl,
    /// A header and rows
    Csv,
}

/// Which inbox to read, and for how long.
#[derive(Debug, Args)]
pub struct Inbox {
    /// The counterparty, cp-… (looked up in the registry, for who may read it); or the inbox's name as onboarding
    /// printed it, which needs no registry
    #[arg(value_name = "CP")]
    pub whose: String,
    /// Go on as messages come, until interrupted
    #[arg(long)]
    pub follow: bool,
    /// How many seconds without a message are the end, when not following
    #[arg(long, value_name = "SECONDS", default_value_t = 3, conflicts_with = "follow",
          value_parser = clap::value_parser!(u8).range(1..=20))]
    pub wait: u8,
}

fn cl_ord_id(text: &str) -> Result<ClOrdId, String> {
    ClOrdId::new(text).map_err(|_| "a clOrdId is 1 to 64 of A-Z a-z 0-9 . _ : -".to_owned())
}

fn symbol(text: &str) -> Result<Symbol, String> {
    Symbol::new(text).map_err(|_| "a symbol is 1 to 32 of A-Z 0-9 . _ / -".to_owned())
}

fn principal(text: &str) -> Result<Principal, String> {
    let known = Principal::new(text).map_err(|_| ());
    known.map_err(|()| {
        "a role's unique id is letters and digits only, such as AROA4XGK6DBOBQEXAMPLE".to_owned()
    })
}

fn counterparty_id(text: &str) -> Result<CounterpartyId, String> {
    CounterpartyId::new(text).map_err(|_| {
        "a counterparty's id is cp- and letters and digits; `counterparty list` shows it".to_owned()
    })
}

fn price(text: &str) -> Result<Price, String> {
    Price::parse(text).map_err(|_| "a decimal of at most 18 significant digits, such as 0.01".to_owned())
}

fn quantity(text: &str) -> Result<Quantity, String> {
    Quantity::parse(text).map_err(|_| "a decimal of at most 18 significant digits, such as 0.01".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use clap::error::ErrorKind;

    use super::*;

    fn parsed(line: &str) -> Result<Arguments, ErrorKind> {
        let words = line.split_whitespace();
        Arguments::try_parse_from(words).map_err(|error| error.kind())
    }

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_contracts_command_lines_are_taken() {
        for line in [
            "symbolon --stack symbolon counterparty add acme --principal AROAX --exclude cp-a cp-b",
            "symbolon counterparty list --outputs o.json --region us-east-1 --peer-region us-west-2",
            "symbolon counterparty suspend cp-a",
            "symbolon counterparty resume cp-a",
            "symbolon counterparty exclude cp-a cp-b --output json",
            "symbolon parameters set BTCUSD --tick 0.01 --lot 0.01 --currency USD --price-policy midpoint",
            "symbolon parameters set X --tick 1 --lot 1 --currency USD --security-id I --security-id-source 4 --halt",
            "symbolon parameters get BTCUSD",
            "symbolon submit file.jsonl",
            "symbolon submit -",
            "symbolon cancel A-1 --as A-2",
            "symbolon status A-1",
            "symbolon inbox cp-a --follow",
            "symbolon fit a b c",
            "symbolon redrive",
            "symbolon redrive --queue intake --dry-run",
            "symbolon quarantine list",
            "symbolon quarantine list --reason unknown_sender --source intake --older-than 7 --newer-than 30",
            "symbolon quarantine show 0123ab",
            "symbolon quarantine release 0123ab 4567cd",
            "symbolon quarantine release --all --reason unknown_sender",
            "symbolon quarantine purge --all --older-than 90",
            "symbolon audit verify --remember heads",
            "symbolon audit verify --dir d --log us-east-1 --public-key a.pem --public-key b.pem --head h --head i",
            "symbolon audit verify --bucket b --other-bucket c --other-log us-west-2 --other-public-key k",
            "symbolon audit show aaaaaaaaaaaaaaaaaaaaaaaaaa --dir d",
            "symbolon audit export --format jsonl",
            "symbolon audit export --format parquet --out log.parquet",
        ] {
            assert!(parsed(line).is_ok(), "{line}");
        }
    }

    #[test]
    fn wrong_usage_is_refused() {
        for line in [
            "symbolon",
            "symbolon counterparty",
            "symbolon counterparty add acme",
            "symbolon counterparty add acme --principal AROAX:session",
            "symbolon counterparty suspend acme",
            "symbolon --stack s --outputs o counterparty list",
            "symbolon parameters set BTCUSD --tick 0.01 --lot 0.01",
            "symbolon parameters set BTCUSD --tick -1 --lot 0.01 --currency USD",
            "symbolon parameters set btcusd --tick 1 --lot 1 --currency USD",
            "symbolon parameters set X --tick 1 --lot 1 --currency USD --security-id I",
            "symbolon submit f --bundle 501",
            "symbolon submit f --bundle 0",
            "symbolon cancel A-1",
            "symbolon cancel A_ü --as A-2",
            "symbolon inbox",
            "symbolon inbox cp-a --follow --wait 3",
            "symbolon redrive --queue INTAKE",
            "symbolon quarantine",
            "symbolon quarantine list --reason because",
            "symbolon quarantine show 0123",
            "symbolon quarantine show 0123xyz",
            "symbolon quarantine release",
            "symbolon quarantine purge 0123ab --all",
            "symbolon audit",
            "symbolon audit verify --bucket b --dir d",
            "symbolon audit verify --other-bucket b --other-dir d",
            "symbolon audit verify --log ../elsewhere",
            "symbolon audit show",
            "symbolon audit export",
        ] {
            assert!(parsed(line).is_err(), "{line}");
        }
    }
}
