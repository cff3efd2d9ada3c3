//! Setting aside: what cannot be answered goes to the dead-letter queue at once, in an envelope with its reason.

use std::collections::BTreeMap;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use symbolon_shared::domain::limits::MAX_BATCH_ENTRIES;
use symbolon_shared::domain::reason::{Outcome, RetryReason};
use symbolon_shared::domain::time::Timestamp;
use symbolon_shared::lambda::survive;
use symbolon_shared::ports::{DeadLetter, DeadLetters};

use crate::admission::SetAside;

/// Rounds in which failed entries are sent again.
const MAX_ROUNDS: usize = 3;

/// Sends everything to the dead-letter queue, and gives each record's outcome: rejected once all that was to be
/// set aside of it is there.
pub(crate) async fn set_aside<D: DeadLetters>(
    ports: &D,
    asides: impl Iterator<Item = &SetAside>,
    clock: &(dyn Fn() -> Timestamp + Send + Sync),
    stop_at: Timestamp,
) -> BTreeMap<usize, Outcome> {
    let mut outcomes = BTreeMap::new();
    let (fitting, too_large): (Vec<_>, Vec<_>) = asides.partition(|aside| aside.envelope.fits());
    for aside in too_large {
        note(&mut outcomes, aside.record, Outcome::Retry(RetryReason::TooLarge));
    }
    let mut open = fitting;
    let mut waits = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(50))
        .with_max_times(MAX_ROUNDS)
        .with_jitter()
        .build();
    while !open.is_empty() && clock() < stop_at {
        open = send_round(ports, open, &mut outcomes).await;
        if !open.is_empty() {
            let Some(wait) = waits.next() else { break };
            tokio::time::sleep(wait).await;
        }
    }
    for aside in open {
        note(
            &mut outcomes,
            aside.record,
            Outcome::Retry(RetryReason::NotSetAside),
        );
    }
    outcomes
}

async fn send_round<'a, D: DeadLetters>(
    ports: &D,
    open: Vec<&'a SetAside>,
    outcomes: &mut BTreeMap<usize, Outcome>,
) -> Vec<&'a SetAside> {
    let mut left = Vec::new();
    for ten in open.chunks(MAX_BATCH_ENTRIES) {
        let letters: Vec<DeadLetter> = ten.iter().map(|aside| letter(aside)).collect();
        let failed = match survive(ports.send_dead_letters(&letters)).await {
            Some(Ok(failed)) => failed,
            Some(Err(error)) => {
                tracing::warn!(event = "set_aside_failed", %error);
                (0..ten.len()).collect()
            }
            None => (0..ten.len()).collect(),
        };
        for (index, aside) in ten.iter().enumerate() {
            if failed.contains(&index) {
                left.push(*aside);
            } else {
                tracing::warn!(event = "record_set_aside", reason = aside.reason.code());
                note(outcomes, aside.record, Outcome::Reject(aside.reason));
            }
        }
    }
    left
}

fn letter(aside: &SetAside) -> DeadLetter {
    DeadLetter {
        body: aside.envelope.to_json(),
        reason: aside.reason.code(),
    }
}

fn note(outcomes: &mut BTreeMap<usize, Outcome>, record: usize, outcome: Outcome) {
    let whole = outcomes.entry(record).or_insert(Outcome::Done);
    *whole = whole.and(outcome);
}
