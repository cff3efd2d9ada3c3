//! What is done with letters, call by call. Every entry's answer is read, and what no answer says to be done was not.

use futures::stream::{self, StreamExt};
use symbolon_shared::domain::limits::MAX_BATCH_ENTRIES;
use symbolon_shared::domain::reason::PoisonReason;
use symbolon_shared::domain::redrive::{
    Announcement, Letter, ObjectName, QuarantineAct, QuarantineObject, SourceName,
};
use symbolon_shared::domain::time::Timestamp;
use symbolon_shared::lambda::survive;
use symbolon_shared::ports::PortError;
use symbolon_shared::ports::redrive::{
    DeadLetterQueue, PutOnce, Quarantine, Receipt, RedriveAnnouncer, SourceQueue,
};

use crate::hand::{Holds, holds};
use crate::telemetry::{self, Tally};

/// Puts to the quarantine at once.
const PUTS_AT_ONCE: usize = 10;

/// Batches released at once: a run may hold thousands of letters at its end.
const RELEASES_AT_ONCE: usize = 10;

/// Times that a deletion is asked for.
const ASKED_AT_MOST: usize = 2;

/// What became of a letter on its way to the quarantine.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Put {
    Done,
    WasThere,
    /// Something else has its name.
    Foreign,
    Failed,
}

/// Puts letters into the quarantine, and says of each, by its index, whether it is there.
pub(crate) async fn quarantine<P: Quarantine + RedriveAnnouncer + Sync>(
    ports: &P,
    letters: Vec<(usize, &Letter, PoisonReason)>,
    source: &SourceName,
    said: &Saying<'_>,
    tally: &mut Tally,
) -> Vec<(usize, bool)> {
    let puts: Vec<_> = letters
        .into_iter()
        .map(|(index, letter, reason)| async move {
            let put = survive(put(ports, letter, source, reason, said.now)).await;
            (index, letter, reason, put.unwrap_or(Put::Failed))
        })
        .collect();
    let put: Vec<_> = stream::iter(puts).buffer_unordered(PUTS_AT_ONCE).collect().await;
    let (mut ends, mut acts) = (Vec::new(), Vec::new());
    for (index, letter, reason, put) in put {
        match put {
            Put::Done => {
                telemetry::quarantined(source, reason);
                acts.push(said.quarantined(letter, source, reason));
            }
            Put::Foreign => {
                tally.foreign += 1;
                tracing::error!(event = "quarantine_object_foreign", source = source.as_str());
            }
            Put::WasThere | Put::Failed => {}
        }
        ends.push((index, matches!(put, Put::Done | Put::WasThere)));
    }
    announce(ports, &acts, tally).await;
    ends
}

/// What announcements say beside the letter.
pub(crate) struct Saying<'a> {
    pub(crate) region: &'a symbolon_shared::domain::audit::LogRegion,
    pub(crate) now: Timestamp,
}

impl Saying<'_> {
    fn quarantined(&self, letter: &Letter, source: &SourceName, reason: PoisonReason) -> Announcement {
        Announcement::Act {
            region: self.region.clone(),
            act: QuarantineAct::Quarantined,
            identity: letter.identity,
            reason,
            source: source.clone(),
        }
    }
}

async fn put<P: Quarantine>(
    ports: &P,
    letter: &Letter,
    source: &SourceName,
    reason: PoisonReason,
    now: Timestamp,
) -> Put {
    let object = QuarantineObject::of(letter, source, reason, now);
    let name = object.name();
    match ports.put_quarantined(&name.encode(), &object.to_json()).await {
        Ok(PutOnce::Done) => Put::Done,
        Ok(PutOnce::Exists) => was_there(ports, &name, letter.cycles()).await,
        Err(error) => {
            tracing::warn!(event = "letter_not_quarantined", reason = %error);
            Put::Failed
        }
    }
}

/// An earlier put of the same message, perhaps of this very call, or something else.
async fn was_there<P: Quarantine>(ports: &P, name: &ObjectName, cycles: u32) -> Put {
    match ports.read_quarantined(&name.encode()).await {
        Ok(Some(body)) => match holds(&body, name, cycles) {
            Holds::This => Put::WasThere,
            Holds::Foreign => Put::Foreign,
            Holds::Earlier => {
                tracing::warn!(event = "released_and_not_removed", source = name.source.as_str());
                Put::Failed
            }
        },
        // It was removed in between: the next run puts it.
        Ok(None) => Put::Failed,
        Err(error) => {
            tracing::warn!(event = "quarantine_not_read", reason = %error);
            Put::Failed
        }
    }
}

/// Sends envelopes to a source and says of each whether it was surely taken.
pub(crate) async fn send_back<P: SourceQueue>(ports: &P, url: &str, envelopes: &[String]) -> Vec<bool> {
    done(
        survive(ports.send_back(url, envelopes)).await,
        envelopes.len(),
        "letters_not_sent_back",
    )
}

fn done(answer: Option<Result<Vec<usize>, PortError>>, count: usize, event: &'static str) -> Vec<bool> {
    match answer {
        Some(Ok(left)) => (0..count).map(|index| !left.contains(&index)).collect(),
        Some(Err(error)) => {
            tracing::warn!(event, reason = %error);
            vec![false; count]
        }
        None => vec![false; count],
    }
}

/// Deletes letters whose new place has acknowledged them, and gives how many deletions were not acknowledged. Those
/// letters come again, as duplicates.
pub(crate) async fn delete<P: DeadLetterQueue>(ports: &P, url: &str, receipts: Vec<Receipt>) -> u64 {
    let mut open = receipts;
    for _ in 0..ASKED_AT_MOST {
        if open.is_empty() {
            break;
        }
        let answer = survive(ports.delete_letters(url, &open)).await;
        let mut done = done(answer, open.len(), "letters_not_deleted").into_iter();
        open.retain(|_| !done.next().unwrap_or(false));
    }
    open.len() as u64
}

/// Lets letters be seen again at once. One that is not, or for which there is no time left, is seen when its time is
/// over.
pub(crate) async fn release<P: DeadLetterQueue + Sync>(
    ports: &P,
    url: &str,
    receipts: &[Receipt],
    in_time: &(dyn Fn() -> bool + Sync),
) {
    let releases: Vec<_> = receipts
        .chunks(MAX_BATCH_ENTRIES)
        .map(|ten| async move {
            if in_time() {
                let answer = survive(ports.release_letters(url, ten)).await;
                done(answer, ten.len(), "letters_not_released");
            }
        })
        .collect();
    let mut releases = stream::iter(releases).buffer_unordered(RELEASES_AT_ONCE);
    while releases.next().await.is_some() {}
}

/// Says something on the event bus. What is not taken there was said in log lines.
pub(crate) async fn announce<P: RedriveAnnouncer>(
    ports: &P,
    announcements: &[Announcement],
    tally: &mut Tally,
) {
    if announcements.is_empty() {
        return;
    }
    match survive(ports.announce_redrive(announcements)).await {
        Some(Ok(())) => return,
        Some(Err(error)) => tracing::warn!(event = "not_announced", reason = %error),
        None => {}
    }
    tally.unannounced += announcements.len() as u64;
}
