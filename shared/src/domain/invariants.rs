//! The invariants of design §5, over the evidence of a finished run: what was sent, what is stored, what was
//! received. One function each, with a sentence; property tests, simulation and the local run use them alike.
//!
//! Not for production: whoever holds an [`Evidence`] sees everybody's orders, and a [`Counterexample`] names them.

mod book;
mod matches;
mod messages;
mod orders;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use super::book::Entry;
use super::counterparty::Counterparty;
use super::identifiers::{ClOrdId, CounterpartyId, OrderKey, Side};
use super::intake::Message;
use super::match_record::MatchRecord;
use super::parameters::MatchParameters;
use super::submission::{Submission, Terms};
use super::time::Timestamp;
use super::token::{Parties, PartyLeg};

pub use self::book::invariant_at_rest_nothing_could_match;
pub use self::matches::{
    invariant_limits_respected, invariant_minimums_respected, invariant_no_self_or_excluded_match,
    invariant_nothing_expired_matched, invariant_tokens_unique_and_fitting,
};
pub use self::messages::{
    invariant_every_match_told_to_both, invariant_every_message_ends, invariant_no_identity_crosses_over,
};
pub use self::orders::{invariant_conserved_quantity, invariant_no_overfill};

/// A message that was sent by somebody registered and can be answered: it bears a `clOrdId`. Copies may be listed.
#[derive(Debug, Clone)]
pub struct Sent {
    /// Who sent it, and its `clOrdId`.
    pub order: OrderKey,
    /// The parsed message.
    pub message: Message,
    /// The queue's own send stamp, the first one.
    pub sent_at: Timestamp,
}

/// A stored match with its parties unsealed.
#[derive(Debug, Clone)]
pub struct OpenedMatch {
    /// What is stored.
    pub record: MatchRecord,
    /// What was sealed in it.
    pub parties: Parties,
}

/// Something that the operator may change while matching goes on.
#[derive(Debug, Clone)]
pub struct Known<T> {
    /// As it is at the end of the run.
    pub value: T,
    /// The last moment at which a decision may have seen anything else (the change and the staleness that caches
    /// are allowed); `None` when it did not change during the run. What was decided before is not judged by it.
    pub changed_at: Option<Timestamp>,
}

impl<T> Known<T> {
    /// What did not change during the run.
    pub fn constant(value: T) -> Self {
        Self {
            value,
            changed_at: None,
        }
    }

    /// Whether every decision from `at` on saw it as it is.
    fn held_since(&self, at: Timestamp) -> bool {
        self.changed_at.is_none_or(|changed| changed <= at)
    }
}

/// A message of the dead-letter queue.
#[derive(Debug, Clone)]
pub struct SetAside {
    /// The reason code that it bears; none when SQS moved it by itself.
    pub reason: Option<String>,
    /// The original body (out of the envelope, where there is one); of a bundle's bad member its own text.
    pub body: String,
}

/// What was gathered from a finished run, everything in it processed: plain data, in no particular order.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// When the run had ended.
    pub now: Timestamp,
    /// Every message that can be answered, members of bundles one by one.
    pub sent: Vec<Sent>,
    /// Every other one (unreadable, or from somebody who is not registered), as text.
    pub unanswerable: Vec<String>,
    /// The table `submissions`.
    pub submissions: Vec<Submission>,
    /// The table `interests`.
    pub entries: Vec<Entry>,
    /// The table `matches`.
    pub matches: Vec<OpenedMatch>,
    /// The registry.
    pub counterparties: Vec<Known<Counterparty>>,
    /// The table `parameters`.
    pub parameters: Vec<Known<MatchParameters>>,
    /// Everything that each inbox received, copies included, as raw JSON.
    pub inboxes: BTreeMap<CounterpartyId, Vec<String>>,
    /// Everything that was set aside.
    pub set_aside: Vec<SetAside>,
}

/// The first thing found that breaks an invariant, for a person to read. It names counterparties and orders: for
/// local runs and tests, never for a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Counterexample(pub String);

/// What an invariant says of a run.
pub type Verdict = Result<(), Counterexample>;

/// An invariant: its name in design §5, and the function that looks for a counterexample.
type Invariant = (&'static str, fn(&Evidence) -> Verdict);

/// Every invariant, in the order of design §5.
const INVARIANTS: [Invariant; 11] = [
    ("conserved quantity", invariant_conserved_quantity),
    ("no overfill", invariant_no_overfill),
    ("limits respected", invariant_limits_respected),
    ("no self or excluded match", invariant_no_self_or_excluded_match),
    ("minimums respected", invariant_minimums_respected),
    ("nothing expired matched", invariant_nothing_expired_matched),
    (
        "at rest no two interests that could have matched when the later of them last looked",
        invariant_at_rest_nothing_could_match,
    ),
    (
        "every match told to both, all copies identical",
        invariant_every_match_told_to_both,
    ),
    (
        "tokens unique and fitting their commitment",
        invariant_tokens_unique_and_fitting,
    ),
    (
        "every accepted message ends as resting, filled, cancelled, replaced, expired or rejected, and every other \
         one set aside with a reason",
        invariant_every_message_ends,
    ),
    ("no identity crosses over", invariant_no_identity_crosses_over),
];

/// Checks every invariant: its name, as design §5 writes it, and that it held or the first counterexample.
#[must_use]
pub fn check_all(evidence: &Evidence) -> BTreeMap<&'static str, Verdict> {
    INVARIANTS
        .iter()
        .map(|(name, invariant)| (*name, invariant(evidence)))
        .collect()
}

/// The name of an order, borrowed.
type Name<'a> = (&'a CounterpartyId, &'a ClOrdId);

/// One side of a match.
#[derive(Clone, Copy)]
struct MatchedLeg<'a> {
    record: &'a MatchRecord,
    side: Side,
    leg: &'a PartyLeg,
}

impl<'a> MatchedLeg<'a> {
    fn name(&self) -> Name<'a> {
        (&self.leg.order.owner, &self.leg.order.cl_ord_id)
    }
}

impl OpenedMatch {
    fn legs(&self) -> [MatchedLeg<'_>; 2] {
        [
            (Side::Buy, &self.parties.buyer),
            (Side::Sell, &self.parties.seller),
        ]
        .map(|(side, leg)| MatchedLeg {
            record: &self.record,
            side,
            leg,
        })
    }
}

impl Evidence {
    fn legs(&self) -> impl Iterator<Item = MatchedLeg<'_>> {
        self.matches.iter().flat_map(OpenedMatch::legs)
    }

    fn by_name(&self) -> HashMap<Name<'_>, &Submission> {
        let all = self.submissions.iter();
        all.map(|submission| (name_of(submission), submission)).collect()
    }

    /// The terms of every order: they never change under one `clOrdId`.
    fn terms(&self) -> HashMap<Name<'_>, &Terms> {
        let all = self.submissions.iter();
        all.filter_map(|submission| Some((name_of(submission), submission.terms.as_ref()?)))
            .collect()
    }

    fn counterparties(&self) -> HashMap<&CounterpartyId, &Known<Counterparty>> {
        let everybody = self.counterparties.iter();
        everybody.map(|known| (&known.value.id, known)).collect()
    }
}

fn name_of(submission: &Submission) -> Name<'_> {
    (&submission.owner, &submission.cl_ord_id)
}

/// How a counterexample names an order.
fn shown((owner, cl_ord_id): Name<'_>) -> String {
    format!("{} of {}", cl_ord_id.as_str(), owner.as_str())
}

fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Verdict {
    if holds {
        Ok(())
    } else {
        Err(Counterexample(otherwise()))
    }
}

fn known<T: Copy>(of: &HashMap<Name<'_>, T>, name: Name<'_>) -> Result<T, Counterexample> {
    of.get(&name)
        .copied()
        .ok_or_else(|| Counterexample(format!("{} is matched but no order", shown(name))))
}
