//! What one message does, purely, from what its handler has read. After `domain::decision`, step by step: known or
//! new, interest, cancel, replace, and the look of an order that rests.

mod cancel;
mod interest;
mod matching;
mod replace;

use super::message::{Message, Moment, Request, Sent, Terms};
use super::records::{Answer, Entry, Place, Reason, Status, Submission, Version};
use super::tables::{Key, SubmissionWrite, Transaction};
use super::variant::Variant;

pub use matching::look;

/// Receives after which a replace waits no longer for its original. Three in production; once shows both ways.
pub const ORIGINAL_WAITS: u8 = 1;

/// A book as far as it was read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Reading {
    /// What was read, best first.
    pub entries: Vec<(Place, Entry)>,
    /// Whether nothing lies behind it within the limit.
    pub complete: bool,
}

/// What a handler has read of the tables.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Desk {
    /// What is known of its message's own id.
    pub own: Option<Option<Submission>>,
    /// What is known of the id that its message names.
    pub original: Option<Option<Submission>>,
    /// The other side of the book.
    pub book: Reading,
}

/// Something that must be read first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// The submission of the message's own id.
    Own,
    /// The submission that it names.
    Original,
    /// The next page of this order's other side.
    Book(Terms),
}

/// Why a decision has no effect yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interruption {
    /// Something must be read first.
    Need(Need),
    /// The message goes back to the queue.
    GoBack,
}

/// What a decision does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Effect {
    /// What to write.
    pub changes: Transaction,
    /// What to answer, once it is written.
    pub answer: Option<Answer>,
    /// Whether there are matches to be told before the message is done.
    pub publish: bool,
    /// Whether the order has to look again, once this is written.
    pub look: bool,
    /// Expired entries that were met.
    pub expired: Vec<(Place, Version)>,
}

/// A message with what is at hand to decide it.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The message.
    pub message: &'a Message,
    /// Its place in the scenario.
    pub sent: Sent,
    /// How often it was received.
    pub receives: u8,
    /// What was read.
    pub desk: &'a Desk,
    /// The moment.
    pub now: Moment,
    /// The protocol.
    pub variant: Variant,
}

/// Decides a message that was delivered.
///
/// # Errors
/// [`Interruption`] when something must be read first, or the message waits for its original.
pub fn decide(case: &Case<'_>) -> Result<Effect, Interruption> {
    match case.own()? {
        Some(known) if known.body == Some(case.sent) => Ok(case.repeat(known)),
        Some(known) if !known.is_mark() => Ok(Effect::answered(Answer::Rejected(Reason::DuplicateClOrdId))),
        mark => match case.message.request {
            Request::Interest(terms) => case.interest(terms, mark),
            Request::Cancel(original) => case.cancel(original),
            Request::Replace {
                quantity,
                price,
                original,
            } => case.replace(original, quantity, price, mark),
        },
    }
}

impl Effect {
    fn answered(answer: Answer) -> Self {
        Self {
            answer: Some(answer),
            ..Self::default()
        }
    }
}

impl Case<'_> {
    fn own(&self) -> Result<Option<&Submission>, Interruption> {
        let known = self.desk.own.as_ref();
        known.map(Option::as_ref).ok_or(Interruption::Need(Need::Own))
    }

    fn original(&self) -> Result<Option<&Submission>, Interruption> {
        let known = self.desk.original.as_ref();
        known
            .map(Option::as_ref)
            .ok_or(Interruption::Need(Need::Original))
    }

    /// A message that is known: inserts nothing, looks again if it rests, publishes what was not told, and answers
    /// the same again.
    fn repeat(&self, known: &Submission) -> Effect {
        let rests = known.rests.is_some() && known.is_open(self.now);
        Effect {
            answer: known.answer,
            publish: known.has_untold_matches(),
            look: rests && self.variant != Variant::NoLookOnRedelivery,
            ..Effect::default()
        }
    }

    /// The submission of this message, to be filled in.
    fn submission(&self, answer: Option<Answer>) -> Submission {
        Submission {
            owner: self.message.owner,
            body: Some(self.sent),
            answer,
            terms: None,
            status: None,
            done: 0,
            left: 0,
            rests: None,
            matches: Vec::new(),
            told: false,
            ended_by: None,
        }
    }

    /// Writes this message's submission, over the mark that stands in its place, and answers what it says.
    fn remember(&self, effect: &mut Effect, submission: Submission) {
        effect.answer = submission.answer;
        let own = Key::Of(self.message.id);
        let marked = matches!(&self.desk.own, Some(Some(_)));
        let over_mark = marked && Key::of_mark(self.message.id, self.variant) == own;
        let write = if over_mark {
            SubmissionWrite::ClaimMark(submission)
        } else {
            SubmissionWrite::Insert(submission)
        };
        effect.changes.submissions.insert(own, write);
    }

    fn refuse(&self, reason: Reason) -> Effect {
        let mut effect = Effect::default();
        let mut submission = self.submission(Some(Answer::Rejected(reason)));
        // Whatever may have been meant as an order is a rejected one; a cancel never was.
        if !matches!(self.message.request, Request::Cancel(_)) {
            submission.status = Some(Status::Rejected);
        }
        self.remember(&mut effect, submission);
        effect
    }
}
