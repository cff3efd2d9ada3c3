//! The canary: what is looked for after it was sent, and what is made of it.

use super::letter::Identity;
use crate::domain::identifiers::OrderKey;
use crate::domain::submission::Submission;

/// A letter that was sent back and is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// Which message it is.
    pub identity: Identity,
    /// Its cycles as it was sent.
    pub cycles: u32,
    /// The submissions that its messages leave when they are processed.
    pub orders: Vec<OrderKey>,
}

/// Whether a message was processed to its end: its submission is there, and whatever it matched is told. A reject is
/// an answer like any other. The mark that an early cancel leaves under an interest's id says nothing of the interest.
#[must_use]
pub fn is_heard(submission: Option<&Submission>) -> bool {
    submission.is_some_and(|submission| !submission.is_mark() && !submission.has_untold_matches())
}

/// Whether a letter in the dead-letter queue is a watched one that has come back. A copy that never left has fewer
/// cycles.
#[must_use]
pub fn is_relapse(watched: &[Watched], identity: Identity, cycles: u32) -> bool {
    let same = |one: &Watched| one.identity == identity && cycles >= one.cycles;
    watched.iter().any(same)
}
