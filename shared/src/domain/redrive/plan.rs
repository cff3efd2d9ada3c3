//! The decision of the redrive: what is done with each letter of a hand.
//!
//! Poison goes to the quarantine whatever else is the case. What is transient stays while the consumer of its source is
//! failing as a whole, and until a canary was heard of; nothing follows a canary that was not.

use crate::domain::limits::MAX_BATCH_ENTRIES;
use crate::domain::reason::{PoisonReason, StopReason};

/// Letters in a canary: one batch call, and few enough to be harmless if they fail.
pub const CANARY_LETTERS: usize = MAX_BATCH_ENTRIES;

/// A consumer is failing as a whole when this share of its latest invocations failed: one in two. A bad message alone
/// fails no invocation; a time-out or a crash fails some.
const FAILING_ONE_IN: u64 = 2;

/// How often a consumer was invoked of late, and how often that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recent {
    /// Invocations.
    pub invocations: u64,
    /// Those that ended in an error.
    pub errors: u64,
}

/// What is seen of a source's consumer. What could not be read is `None`, never good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Consumer {
    /// Whether its event source mapping is enabled.
    pub enabled: Option<bool>,
    /// Its latest invocations. None at all is a figure too: an idle consumer has failed at nothing, and the canary
    /// wakes it.
    pub recent: Option<Recent>,
}

/// Why nothing may go back to the source of this consumer, if so.
#[must_use]
pub fn brake(consumer: Consumer) -> Option<StopReason> {
    match (consumer.enabled, consumer.recent) {
        (Some(false), _) => Some(StopReason::ConsumerDisabled),
        (None, _) | (_, None) => Some(StopReason::ConsumerUnknown),
        (Some(true), Some(recent)) => {
            let failing = recent.errors > 0 && recent.errors * FAILING_ONE_IN >= recent.invocations;
            failing.then_some(StopReason::ConsumerFailing)
        }
    }
}

/// How far the canary is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Canary {
    /// None was sent: one is looked for.
    Wanted,
    /// None was found that could tell anything new, and there are no more letters: a few go, and nothing follows.
    Mute,
    /// It is out.
    Out,
    /// It was heard of: the rest may follow.
    Heard,
    /// Nothing more goes back, for this reason.
    Stopped(StopReason),
}

/// What is known of one letter of a hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Case {
    /// What the letter is.
    pub disposition: Disposition,
    /// How often it was sent back before.
    pub cycles: u32,
    /// Whether it can be the canary: its sender is registered, and not all of it was answered before.
    pub telling: bool,
}

/// What a letter is, with what the quarantine knows of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// It would fail again.
    Poison(PoisonReason),
    /// It may go back.
    Transient,
    /// It may go back, and is in the quarantine: whatever it was quarantined for, it is not sent back from here.
    Quarantined,
    /// It may go back, and did so in this very run: the next one may try again. One run takes one cycle of a message.
    BackAgain,
    /// Whether it is in the quarantine could not be read, or processing it failed.
    Unknown,
}

/// What is done with a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// To the quarantine, then deleted.
    Quarantine(PoisonReason),
    /// Deleted: the quarantine has it.
    Forget,
    /// Back to its source, and watched.
    Canary,
    /// Back to its source.
    SendBack,
    /// Stays in the dead-letter queue.
    Leave,
}

/// What is done with each letter of a hand, in the order of the hand.
#[must_use]
pub fn plan(hand: &[Case], brake: Option<StopReason>, canary: Canary) -> Vec<Act> {
    let mut acts: Vec<Act> = hand.iter().map(|case| settled(case.disposition)).collect();
    if brake.is_some() {
        return acts;
    }
    match canary {
        Canary::Out | Canary::Stopped(_) => {}
        Canary::Heard => mark(&mut acts, transient(hand), Act::SendBack),
        Canary::Mute => mark(&mut acts, transient(hand).take(CANARY_LETTERS), Act::SendBack),
        Canary::Wanted => mark(&mut acts, canaries(hand), Act::Canary),
    }
    acts
}

/// What is done with a letter whatever the canary says; of one that may go back: it stays.
fn settled(disposition: Disposition) -> Act {
    match disposition {
        Disposition::Poison(reason) => Act::Quarantine(reason),
        Disposition::Quarantined => Act::Forget,
        Disposition::Transient | Disposition::BackAgain | Disposition::Unknown => Act::Leave,
    }
}

fn mark(acts: &mut [Act], indices: impl Iterator<Item = usize>, act: Act) {
    for index in indices {
        if let Some(one) = acts.get_mut(index) {
            *one = act;
        }
    }
}

fn transient(hand: &[Case]) -> impl Iterator<Item = usize> + '_ {
    let may = |(_, case): &(usize, &Case)| case.disposition == Disposition::Transient;
    hand.iter().enumerate().filter(may).map(|(index, _)| index)
}

/// Those that can tell, and of them those that were sent back least often: one that has come back before says more of
/// itself than of the consumer.
fn canaries(hand: &[Case]) -> impl Iterator<Item = usize> + '_ {
    let tells = |index: &usize| hand.get(*index).is_some_and(|case| case.telling);
    let cycles = |index: usize| hand.get(index).map_or(u32::MAX, |case| case.cycles);
    let fewest = transient(hand).filter(tells).map(cycles).min();
    let least = move |index: &usize| tells(index) && Some(cycles(*index)) == fewest;
    transient(hand).filter(least).take(CANARY_LETTERS)
}
