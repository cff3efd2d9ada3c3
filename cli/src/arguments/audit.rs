//! The command line of `audit`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// The audit log.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Verify that the log is whole: every object, hash, signature and link
    ///
    /// Takes the bucket and the public key, and trusts nothing else. Prints everything that is wrong, and where; exits
    /// with 1 if there is anything.
    ///
    /// A log whose end was cut off is in good order, only shorter. That shows against heads that somebody remembers
    /// (--remember, --head), and against the other region: name its stack (--peer-region, --peer-outputs), its bucket or
    /// a copy of it. Then both logs are verified, each against the copies of its heads that lie in the other's bucket,
    /// and compared match by match. What could not be ruled out is said.
    ///
    /// It reads object by object, and keeps some 200 bytes in memory for each entry.
    Verify(AuditVerify),
    /// Show what the log says of a match, and whether that is proven
    ///
    /// Verifies the match's chain on the way. Exits with 1 when the log says nothing of it, or the chain is not whole. By
    /// its commitment a match is sought in the whole log; by its id, the first 26 characters of both of its tokens, in
    /// an eighth of it.
    Show(AuditShow),
    /// Write the log as columns or lines, for analysts
    ///
    /// One row for each entry, with its place; times in milliseconds UTC, as timestamps in Parquet. The log is verified
    /// on the way, and where anything is wrong nothing is written: a figure does not show that it was drawn from a log
    /// that somebody changed. (The bucket's own objects are lines of JSON, for who has to look into a broken log.)
    Export(AuditExport),
}

/// Which log.
#[derive(Debug, Args)]
pub struct Log {
    /// The bucket; that of the stack when left out
    #[arg(long, value_name = "NAME", conflicts_with = "dir")]
    pub bucket: Option<String>,
    /// A folder with a copy of the bucket instead, its keys as paths, as `aws s3 sync` makes it
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Whose log of those that lie there; by default that of the bucket's own region, or the only one of the folder
    #[arg(long, value_name = "REGION", value_parser = log_region)]
    pub log: Option<String>,
    /// The public key, PEM or DER, and once more for each that signed before it; asked from KMS when left out
    #[arg(long, value_name = "FILE")]
    pub public_key: Vec<PathBuf>,
}

/// What to verify.
#[derive(Debug, Args)]
pub struct AuditVerify {
    /// Which log.
    #[command(flatten)]
    pub log: Log,
    /// Heads to hold the log against: as they lie in the bucket, or the function's log lines `audit_head`
    #[arg(long, value_name = "FILE")]
    pub head: Vec<PathBuf>,
    /// Hold the log against the heads in this file, if it is there; then, if all is well, keep those of today in it
    #[arg(long, value_name = "FILE")]
    pub remember: Option<PathBuf>,
    /// The other region's bucket; that of the peer's stack when left out
    #[arg(
        long,
        value_name = "NAME",
        conflicts_with = "other_dir",
        help_heading = "The other region"
    )]
    pub other_bucket: Option<String>,
    /// A folder with a copy of it instead
    #[arg(long, value_name = "DIR", help_heading = "The other region")]
    pub other_dir: Option<PathBuf>,
    /// Whose log that is; without a bucket or folder of its own, the copy beside the first one
    #[arg(long, value_name = "REGION", value_parser = log_region, help_heading = "The other region")]
    pub other_log: Option<String>,
    /// Its public key, like --public-key
    #[arg(long, value_name = "FILE", help_heading = "The other region")]
    pub other_public_key: Vec<PathBuf>,
}

/// What to show.
#[derive(Debug, Args)]
pub struct AuditShow {
    /// A match's id (26 characters) or its commitment (64 digits)
    #[arg(value_name = "MATCH|COMMITMENT")]
    pub wanted: String,
    /// Which log.
    #[command(flatten)]
    pub log: Log,
}

/// What to export.
#[derive(Debug, Args)]
pub struct AuditExport {
    /// The form
    #[arg(long, value_enum)]
    pub format: ExportFormat,
    /// The file, put there whole or not at all; standard output when left out, which Parquet does not go to
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Which log.
    #[command(flatten)]
    pub log: Log,
}

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// Apache Parquet, in columns with types
    Parquet,
    /// One JSON object a line
    Jsonl,
}

fn log_region(text: &str) -> Result<String, String> {
    let is_region = audit_verifier::format::is_region(text);
    is_region
        .then(|| text.to_owned())
        .ok_or_else(|| "a region is 1 to 32 of a-z 0-9 -, such as us-east-1".to_owned())
}
