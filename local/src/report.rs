//! What a run comes out with: the contract's figures, and what a person wants to look at.

use std::collections::BTreeMap;

use serde::Serialize;
use symbolon_shared::domain::decimal::{Price, Quantity};
use symbolon_shared::domain::identifiers::Side;

use crate::platform::meter::OperationCount;

/// The figures of a replay, as the contract names them. With `--output json` it is the one object printed.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Distinct interests sent, those born cancelled included.
    pub interests: u64,
    /// Matches made.
    pub matches: u64,
    /// The sum of their quantities, a decimal string.
    pub matched_qty: String,
    /// The sum of quantity times price, a decimal string.
    pub notional: String,
    /// Interests cancelled, those born cancelled included.
    pub cancelled: u64,
    /// Cancels whose interest never came.
    pub cancels_waiting: u64,
    /// Cancels refused because their interest was done.
    pub too_late_to_cancel: u64,
    /// Messages refused for any other reason.
    pub rejected: u64,
    /// Interests in the book at the end.
    pub resting: u64,
    /// What is left of them, a decimal string.
    pub resting_qty: String,
    /// Events of the file that are neither an interest nor a cancel.
    pub ignored: u64,
    /// Distinct inbox messages received.
    pub messages_published: u64,
    /// Deliveries beyond the first of each message.
    pub duplicates_delivered: u64,
    /// Operation → attempts and units, on the matcher's side.
    pub aws: BTreeMap<String, OperationCount>,
    /// From the first message sent to the last one answered.
    pub seconds: f64,
    /// Name → `held`, or the first counterexample.
    pub invariants: BTreeMap<String, String>,
    /// What the audit log says of it.
    pub audit: AuditReport,
}

/// The audit log at the end of a replay, as the verifier finds it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditReport {
    /// Matches that it says were minted.
    pub minted: u64,
    /// Entries in all.
    pub entries: u64,
    /// Objects that hold them.
    pub objects: u64,
    /// Heads that were announced on the event bus, which the log must reach.
    pub heads_announced: u64,
    /// Batches of the stream that were delivered.
    pub batches: u64,
    /// Batches that were delivered once more.
    pub batches_again: u64,
    /// `held` when the log is whole and every match was minted in it once, else what is wrong first.
    pub verdict: String,
}

impl Report {
    /// Whether every invariant held, and the audit log is whole.
    #[must_use]
    pub fn all_held(&self) -> bool {
        self.invariants.values().all(|verdict| verdict == HELD) && self.audit.verdict == HELD
    }
}

/// The verdict of an invariant without a counterexample.
pub const HELD: &str = "held";

/// What a person wants to look at beside the figures.
#[derive(Debug, Clone)]
pub struct Picture {
    /// What was replayed: `built-in sample`, or the file's name.
    pub source: String,
    /// The symbol.
    pub symbol: String,
    /// How many counterparties took part.
    pub counterparties: usize,
    /// A few matches as each side saw them, the biggest first.
    pub matches: Vec<SeenMatch>,
    /// Price levels at the end, best first, buying and selling apart.
    pub bids: Vec<Level>,
    /// Price levels of the selling side, best first.
    pub asks: Vec<Level>,
}

/// One match, as its two counterparties saw it: their inbox messages, and the numbers that the run gave them (which
/// neither of them knows).
#[derive(Debug, Clone)]
pub struct SeenMatch {
    /// The buyer's number in this run.
    pub buyer: u32,
    /// The buyer's inbox message.
    pub buyer_message: serde_json::Value,
    /// The seller's number in this run.
    pub seller: u32,
    /// The seller's inbox message.
    pub seller_message: serde_json::Value,
}

/// What rests at one price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Level {
    /// Which side.
    pub side: Side,
    /// The limit.
    pub price: Price,
    /// The sum of what is left.
    pub leaves_qty: Quantity,
    /// Of how many interests.
    pub interests: usize,
}
