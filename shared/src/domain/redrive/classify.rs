//! Transient or poison: by the reason that our own matcher gave, and by trial parse with the matcher's own parser.

use std::fmt;

use super::letter::{Content, Letter};
use crate::domain::envelope::{Envelope, Origin};
use crate::domain::identifiers::ClOrdId;
use crate::domain::intake::{Member, parse_body};
use crate::domain::limits::{LETTER_PATIENCE_DAYS, SUBMISSION_LIFE_DAYS};
use crate::domain::reason::PoisonReason;
use crate::domain::time::Timestamp;

/// What a letter is measured by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// The moment.
    pub now: Timestamp,
    /// How often a message may be sent back.
    pub maximum_cycles: u32,
}

/// A letter that may go back.
#[derive(Clone, PartialEq, Eq)]
pub struct Transient {
    /// What goes back: one cycle more, and no reason.
    pub envelope: Envelope,
    /// The messages in it whose answer can be looked for.
    pub cl_ord_ids: Vec<ClOrdId>,
}

impl fmt::Debug for Transient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transient")
    }
}

/// What a letter is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Class {
    /// Nothing is wrong with it: something was wrong around it.
    Transient(Transient),
    /// It would fail again.
    Poison(PoisonReason),
}

/// What a letter is. The same letter is the same at any later moment, but that it may have become stale.
#[must_use]
pub fn classify(letter: &Letter, rules: Rules) -> Class {
    trial(letter, rules).map_or_else(Class::Poison, Class::Transient)
}

fn trial(letter: &Letter, rules: Rules) -> Result<Transient, PoisonReason> {
    let Content::Enveloped(envelope) = &letter.content else {
        return Err(PoisonReason::Unstamped);
    };
    if let Some(reason) = &letter.reason {
        return Err(set_aside_for(reason.as_str()));
    }
    let members = parse_body(&envelope.body).map_err(|_| PoisonReason::Malformed)?;
    if letter.broken {
        return Err(PoisonReason::Malformed);
    }
    // The matcher opens such an envelope from the bulk role alone.
    if matches!(envelope.origin, Origin::OnBehalfOf(_)) {
        return Err(PoisonReason::OnBehalf);
    }
    if envelope.sent_at.plus_days(SUBMISSION_LIFE_DAYS) <= rules.now {
        return Err(PoisonReason::Stale);
    }
    if envelope.cycles >= rules.maximum_cycles {
        return Err(PoisonReason::Exhausted);
    }
    let back = Envelope {
        cycles: envelope.cycles.saturating_add(1),
        reason: None,
        ..envelope.clone()
    };
    if !back.fits() {
        return Err(PoisonReason::TooLarge);
    }
    if (letter.queued_at).is_some_and(|at| at.plus_days(LETTER_PATIENCE_DAYS) <= rules.now) {
        return Err(PoisonReason::Expiring);
    }
    Ok(Transient {
        envelope: back,
        cl_ord_ids: members.into_iter().filter_map(named).collect(),
    })
}

fn named(member: Member) -> Option<ClOrdId> {
    match member {
        Member::Message(message) => Some(message.cl_ord_id),
        // The matcher sets it aside alone, and does the others.
        Member::Unreadable(_) => None,
    }
}

fn set_aside_for(code: &str) -> PoisonReason {
    let known = [PoisonReason::Malformed, PoisonReason::UnknownSender];
    let known = known.into_iter().find(|reason| reason.code() == code);
    known.unwrap_or(PoisonReason::UnknownReason)
}
