//! The quarantine's part of the command line.

use clap::{Args, Subcommand};
use symbolon_shared::domain::reason::PoisonReason;
use symbolon_shared::domain::redrive::SourceName;

/// What to do with what lies in the quarantine.
#[derive(Debug, Subcommand)]
pub enum QuarantineCommand {
    /// Name what is there
    List(Filter),
    /// Show one message whole: who sent it, when, and what it says
    Show {
        /// Its hash, as `list` prints it, or how it begins
        #[arg(value_name = "HASH", value_parser = hash)]
        hash: String,
        /// Among these.
        #[command(flatten)]
        filter: Filter,
    },
    /// Send messages to their queue again, in the name and with the time of who sent them first
    ///
    /// Whatever made them poison should be mended before: they are processed as any other, and come back here if they
    /// fail again. What was first sent more than 400 days ago stays.
    Release(Which),
    /// Take messages out for good
    ///
    /// The bucket keeps older versions for 30 days.
    Purge(Which),
}

/// Which messages.
#[derive(Debug, Clone, Args)]
pub struct Filter {
    /// Of this reason
    #[arg(long, value_parser = reason)]
    pub reason: Option<PoisonReason>,
    /// Of this queue
    #[arg(long, value_name = "QUEUE", value_parser = source)]
    pub source: Option<SourceName>,
    /// First seen so many days ago or longer
    #[arg(long, value_name = "DAYS")]
    pub older_than: Option<u16>,
    /// First seen at most so many days ago
    #[arg(long, value_name = "DAYS")]
    pub newer_than: Option<u16>,
}

impl Filter {
    /// Whether nothing is filtered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.reason.is_none()
            && self.source.is_none()
            && self.older_than.is_none()
            && self.newer_than.is_none()
    }
}

/// Which messages, one by one or all that a filter takes.
#[derive(Debug, Args)]
pub struct Which {
    /// Their hashes, as `list` prints them, or how they begin
    #[arg(value_name = "HASH", value_parser = hash)]
    pub hashes: Vec<String>,
    /// All that the filters take
    #[arg(long, conflicts_with = "hashes", required_unless_present = "hashes")]
    pub all: bool,
    /// The filters.
    #[command(flatten)]
    pub filter: Filter,
}

/// Fewer digits than this name nothing for long.
const SHORTEST: usize = 6;

fn hash(text: &str) -> Result<String, String> {
    let digits = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if digits && (SHORTEST..=64).contains(&text.len()) {
        Ok(text.to_owned())
    } else {
        Err("a hash is 6 to 64 of 0-9 a-f; `quarantine list` shows it".to_owned())
    }
}

pub(super) fn source(text: &str) -> Result<SourceName, String> {
    SourceName::new(text).map_err(|_| "a queue is named as intake is: a-z 0-9 -".to_owned())
}

fn reason(text: &str) -> Result<PoisonReason, String> {
    let mut all = PoisonReason::ALL.iter().copied();
    all.find(|reason| reason.code() == text).ok_or_else(|| {
        let codes: Vec<&str> = PoisonReason::ALL.iter().map(|reason| reason.code()).collect();
        format!("one of {}", codes.join(", "))
    })
}
