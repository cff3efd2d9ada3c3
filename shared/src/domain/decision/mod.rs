//! Decisions: what one message does, purely, from what lies on the desk. Design §5.
//!
//! A decision either names what it must know first ([`Interruption::Need`]), gives the record back to the queue
//! ([`Interruption::Retry`]), or comes out with an [`Effect`]: what to write, what to answer, what to look at
//! again once it is written.

mod cancel;
mod interest;
mod look;
mod matching;
mod replace;
mod status;

use super::book::{EntryKey, Version};
use super::change_set::ChangeSet;
use super::counterparty::{Counterparty, Standing};
use super::decimal::Quantity;
use super::desk::{Desk, Need};
use super::form::Form;
use super::identifiers::OrderKey;
use super::inbox::{OutboundMessage, answer_message, refusal};
use super::intake::{Message, Request};
use super::limits::SUBMISSION_LIFE_DAYS;
use super::match_record::MatchRecord;
use super::reason::{Reason, RetryReason};
use super::submission::{Answer, OrdStatus, Submission, SubmissionKind, submission_expiry};
use super::time::Timestamp;
use super::token::{EpochKey, Parties};

pub use look::look;

/// One message, with what SQS says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// Whose it is, and what its owner calls it.
    pub order: OrderKey,
    /// The parsed message.
    pub message: Message,
    /// When it was first sent: the queue's own stamp, never the client's.
    pub sent_at: Timestamp,
    /// How often the record has been received, this time included.
    pub receive_count: u32,
}

/// Where randomness comes from.
pub trait Entropy {
    /// Fills `bytes` with unpredictable ones.
    fn fill(&mut self, bytes: &mut [u8]);
}

/// What a decision takes from its surroundings, as arguments.
pub struct Surroundings<'a> {
    /// The moment of the decision.
    pub now: Timestamp,
    /// The AWS region that decides.
    pub region: &'a str,
    /// The generation of the lease under which it does (design §8).
    pub generation: u64,
    /// The key of today's epoch.
    pub key: &'a EpochKey,
}

/// A match just decided: the stored form, and the parties that it holds sealed.
pub struct MadeMatch {
    /// What is stored.
    pub record: MatchRecord,
    /// Who they are.
    pub parties: Parties,
}

/// What one message does.
#[derive(Default)]
pub struct Effect {
    /// What to write, in one transaction.
    pub changes: ChangeSet,
    /// What to answer, once it is written.
    pub answers: Vec<OutboundMessage>,
    /// The matches among the changes.
    pub made: Vec<MadeMatch>,
    /// The submission whose untold matches must be published before the record is done.
    pub publish: Option<OrderKey>,
    /// The order to look for again, once the changes are written.
    pub look: Option<OrderKey>,
    /// Whether a new interest was taken, one born cancelled included.
    pub accepts_interest: bool,
    /// Whether the message was known already: nothing is inserted.
    pub duplicate: bool,
    /// Expired entries that were met: to be removed, on condition of their version.
    pub expired: Vec<(EntryKey, Version)>,
}

/// Why a decision has no effect yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Interruption {
    /// Something must be put on the desk first.
    Need(Need),
    /// The record goes back to the queue.
    Retry(RetryReason),
}

impl From<Need> for Interruption {
    fn from(need: Need) -> Self {
        Self::Need(need)
    }
}

/// Decides one message of `sender`.
///
/// # Errors
/// [`Interruption`] when the desk lacks something, or the record must wait for its original.
pub fn decide(
    desk: &Desk,
    arrival: &Arrival,
    sender: &Counterparty,
    around: &Surroundings<'_>,
    entropy: &mut dyn Entropy,
) -> Result<Effect, Interruption> {
    let hash = &arrival.message.body_hash;
    if arrival.sent_at.plus_days(SUBMISSION_LIFE_DAYS) <= around.now {
        // The memory that would make a repetition harmless may be gone: nothing is looked up and nothing stored.
        return Ok(Effect::answered(refusal(&arrival.order, hash, Reason::Expired)));
    }
    match desk.submission(&arrival.order)? {
        Some(known) if known.body_hash.as_ref() == Some(hash) => Ok(repeat(known, around.now)),
        Some(known) if !known.is_mark() => Ok(Effect::answered(refusal(
            &arrival.order,
            hash,
            Reason::DuplicateClOrdId,
        ))),
        mark => {
            let case = Case {
                desk,
                arrival,
                sender,
                around,
                mark,
            };
            case.decide(entropy)
        }
    }
}

/// A message that is known: inserts nothing; looks again if it rests (the first delivery may have died between
/// its write and its look), publishes what was not told, and answers the same again.
fn repeat(known: &Submission, now: Timestamp) -> Effect {
    Effect {
        answers: answer_message(known).into_iter().collect(),
        publish: known.has_untold_matches().then(|| known.key()),
        look: (known.rests.is_some() && known.is_open_at(now)).then(|| known.key()),
        duplicate: true,
        ..Effect::default()
    }
}

/// A message seen for the first time, and what is at hand to decide it.
struct Case<'a> {
    desk: &'a Desk,
    arrival: &'a Arrival,
    sender: &'a Counterparty,
    around: &'a Surroundings<'a>,
    /// What an early cancel left under this message's id.
    mark: Option<&'a Submission>,
}

impl Case<'_> {
    fn decide(&self, entropy: &mut dyn Entropy) -> Result<Effect, Interruption> {
        match &self.arrival.message.request {
            Err(reason) => Ok(self.refuse(*reason)),
            Ok(request) if request.original() == Some(&self.arrival.order.cl_ord_id) => {
                Ok(self.refuse(Reason::UnknownOrder))
            }
            Ok(Request::Interest(interest)) => self.interest(interest, entropy),
            Ok(Request::Cancel { orig_cl_ord_id }) => self.cancel(orig_cl_ord_id),
            Ok(Request::Replace(replace)) => self.replace(replace),
            Ok(Request::Status { orig_cl_ord_id }) => self.status(orig_cl_ord_id),
        }
    }

    fn suspended(&self) -> bool {
        self.sender.standing == Standing::Suspended
    }

    /// The submission of this message, to be filled in.
    fn submission(&self, kind: SubmissionKind, answer: Option<Answer>) -> Submission {
        Submission {
            v: Form,
            owner: self.arrival.order.owner.clone(),
            cl_ord_id: self.arrival.order.cl_ord_id.clone(),
            kind,
            body_hash: Some(self.arrival.message.body_hash),
            accepted_at: self.arrival.sent_at,
            answer,
            terms: None,
            ord_status: None,
            cum_qty: Quantity::ZERO,
            leaves_qty: Quantity::ZERO,
            rests: None,
            tokens: Vec::new(),
            matches: Vec::new(),
            told_at: None,
            ended_by: None,
            generation: self.around.generation,
            expires_at: submission_expiry(self.arrival.sent_at),
        }
    }

    /// Writes this message's submission and answers what it says.
    fn remember(&self, effect: &mut Effect, submission: Submission) {
        effect.answers.extend(answer_message(&submission));
        effect.changes.put_submission(submission, self.mark.is_some());
    }

    fn refuse(&self, reason: Reason) -> Effect {
        let mut effect = Effect::default();
        let mut submission = self.submission(SubmissionKind::Refused, Some(Answer::Rejected { reason }));
        // Whatever may have been meant as an order is a rejected one; a cancel or a question never was.
        if !matches!(
            self.arrival.message.request,
            Ok(Request::Cancel { .. } | Request::Status { .. })
        ) {
            submission.ord_status = Some(OrdStatus::Rejected);
        }
        self.remember(&mut effect, submission);
        effect
    }
}

impl Effect {
    fn answered(message: OutboundMessage) -> Self {
        Self {
            answers: vec![message],
            ..Self::default()
        }
    }
}

#[cfg(test)]
pub(in crate::domain) mod tests;
