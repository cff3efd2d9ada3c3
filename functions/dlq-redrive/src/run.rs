//! One queue's run: receive, sort, plan, act; and the canary in between.

mod settle;

use std::collections::HashMap;
use std::time::Duration;

use symbolon_shared::domain::limits::MAX_BATCH_ENTRIES;
use symbolon_shared::domain::reason::StopReason;
use symbolon_shared::domain::redrive::{
    Announcement, Canary, Consumer, Identity, QueueReport, Rules, Watched, brake, is_relapse,
};
use symbolon_shared::domain::time::Timestamp;
use symbolon_shared::lambda::survive;
use symbolon_shared::ports::PortError;
use symbolon_shared::ports::redrive::{Receipt, RedrivePorts};

use crate::acts;
use crate::canary::all_heard;
use crate::hand::{Sorted, find_telling, sort};
use crate::pace::Pace;
use crate::redrive::Surroundings;
use crate::settings::{Conduct, QueueSettings};
use crate::telemetry::{self, Tally};

/// Time that a hand has at least, in milliseconds, or it is not begun: each of its calls may take the SDK's whole
/// operation time-out before it is given up.
const HAND_MILLIS: i64 = 30_000;

/// Of the time that a run has, this much is kept from the letters' release, in milliseconds: one call of it may take the
/// SDK's whole operation time-out. What is not released is seen again a little later by itself.
const RELEASE_MILLIS: i64 = 13_000;

/// Letters are seen by others this much after the run's deadline, in seconds: a run that was killed has ended by then.
const AFTERWARDS_SECONDS: i64 = 30;

/// Receives in a row that may fail before the run ends.
const FAILURES_IN_A_ROW: u32 = 3;

/// Between two looks for an answer to the canary, in milliseconds.
const LOOK_MILLIS: i64 = 2_000;

/// How long what was seen of the consumer is believed while letters go back, in milliseconds: its metrics have one point
/// a minute.
const LOOK_AGAIN_MILLIS: i64 = 60_000;

/// Hands that are sorted between two such looks.
const HANDS_BETWEEN_LOOKS: usize = 20;

/// Bytes of letters that wait for the canary in memory, about; what is beyond stays in the queue.
const WAITING_BYTES: usize = 32 * 1_048_576;

/// The run of one queue.
pub(crate) struct Run<'a, P> {
    ports: &'a P,
    around: &'a Surroundings,
    conduct: &'a Conduct,
    queue: &'a QueueSettings,
    deadline: Timestamp,
    report: QueueReport,
    tally: Tally,
    pace: Pace,
    brake: Option<StopReason>,
    looked_at: Option<Timestamp>,
    canary: Canary,
    watched: Vec<Watched>,
    /// What went back in this run, with the cycles that it was sent with.
    sent: HashMap<Identity, u32>,
    /// Letters that go back once the canary was heard of.
    waiting: Vec<Sorted>,
    waiting_bytes: usize,
    /// Letters that stay.
    held: Vec<Receipt>,
    failures: u32,
    /// Whether it could not be read which letters can be the canary.
    unread: bool,
    /// Whether the queue seemed to be empty at the last look.
    empty: bool,
}

impl<'a, P: RedrivePorts> Run<'a, P> {
    pub(crate) fn new(
        ports: &'a P,
        around: &'a Surroundings,
        conduct: &'a Conduct,
        queue: &'a QueueSettings,
        dry_run: bool,
        deadline: Timestamp,
    ) -> Self {
        Self {
            ports,
            around,
            conduct,
            queue,
            deadline,
            report: QueueReport::new(queue.source.clone(), dry_run),
            tally: Tally::default(),
            pace: Pace::new(conduct.sends_per_second),
            brake: None,
            looked_at: None,
            // A dry run sends none, and shows what would be done if it were heard of.
            canary: if dry_run { Canary::Heard } else { Canary::Wanted },
            watched: Vec::new(),
            sent: HashMap::new(),
            waiting: Vec::new(),
            waiting_bytes: 0,
            held: Vec::new(),
            failures: 0,
            unread: false,
            empty: false,
        }
    }

    pub(crate) async fn run(mut self) -> QueueReport {
        self.seek_canary().await;
        if self.canary == Canary::Out {
            self.wait_for_answer().await;
            // The rest is more than the canary was: an outage may have begun meanwhile.
            if self.canary == Canary::Heard {
                self.look_at_consumer().await;
            }
        }
        // One that is still wanted was not found: nothing is to go without it.
        if matches!(self.canary, Canary::Wanted | Canary::Mute) {
            self.canary = Canary::Out;
        }
        // One look at an empty queue is enough.
        if !self.empty || self.report.received > 0 {
            self.drain().await;
        }
        self.finish().await
    }

    fn now(&self) -> Timestamp {
        (self.around.clock)()
    }

    async fn sleep(&self, millis: i64) {
        let millis = u64::try_from(millis).unwrap_or(0);
        (self.around.sleep)(Duration::from_millis(millis)).await;
    }

    /// Whether there is time for something that takes `millis`, and a hand after it.
    fn has_time_for(&self, millis: i64) -> bool {
        self.now().plus_millis(millis + HAND_MILLIS) <= self.deadline
    }

    // ---- The brake ------------------------------------------------------------------------------------------------

    async fn look_at_consumer(&mut self) {
        let (function, url) = (&self.queue.consumer, &self.queue.source_url);
        let consumer = Consumer {
            // A mapping that is not there delivers as little as one that is not enabled.
            enabled: seen(survive(self.ports.is_enabled(function, url)).await)
                .map(|enabled| enabled.unwrap_or(false)),
            recent: seen(survive(self.ports.recent(function, self.now())).await),
        };
        self.brake = brake(consumer);
        self.looked_at = Some(self.now());
    }

    // ---- The canary -----------------------------------------------------------------------------------------------

    /// Sorts hand after hand until a canary is out, or none can be found.
    async fn seek_canary(&mut self) {
        while self.brake.is_none() && self.canary == Canary::Wanted {
            if !self.has_time_for(self.conduct.canary_wait_millis) {
                self.report.unfinished = true;
                // It could not be waited for: none goes, and what is poison is sorted out all the same.
                self.canary = Canary::Out;
                return;
            }
            if !self.take_hand().await {
                break;
            }
        }
        if self.canary == Canary::Wanted && self.brake.is_none() && self.empty && !self.waiting.is_empty() {
            // Where no answer could be read there is nothing to tell a canary from the rest: the tables that the matcher
            // needs may be what is out of order.
            if self.unread {
                self.stop(StopReason::OutcomeUnknown);
            } else {
                self.send_mute().await;
            }
        }
    }

    /// A few of the letters that can tell nothing new.
    async fn send_mute(&mut self) {
        self.canary = Canary::Mute;
        let rest = self.waiting.split_off(MAX_BATCH_ENTRIES.min(self.waiting.len()));
        let few = std::mem::replace(&mut self.waiting, rest);
        self.settle(few).await;
        if !self.waiting.is_empty() {
            self.stop(StopReason::CanaryMute);
        }
    }

    /// Looks for an answer to the canary until there is one, or the time is over, and sorts meanwhile.
    async fn wait_for_answer(&mut self) {
        if self.watched.is_empty() {
            return;
        }
        let until = self.now().plus_millis(self.conduct.canary_wait_millis);
        while self.canary == Canary::Out {
            if all_heard(self.ports, &self.watched).await {
                self.canary = Canary::Heard;
                return;
            }
            if self.now() >= until {
                self.stop(StopReason::CanaryUnanswered);
                return;
            }
            for _ in 0..HANDS_BETWEEN_LOOKS {
                let room = self.waiting_bytes < WAITING_BYTES && self.now() < until;
                if !room || self.canary != Canary::Out || !self.take_hand().await {
                    break;
                }
            }
            let left = until.millis_since(self.now());
            self.sleep(LOOK_MILLIS.min(left.max(0))).await;
        }
    }

    fn stop(&mut self, why: StopReason) {
        self.canary = Canary::Stopped(why);
    }

    // ---- The rest -------------------------------------------------------------------------------------------------

    /// Everything else: what waits, then the queue until it is empty. Under the brake, and after a canary that was not
    /// heard of, only poison goes.
    async fn drain(&mut self) {
        let mut waiting = std::mem::take(&mut self.waiting).into_iter();
        self.waiting_bytes = 0;
        while waiting.len() > 0 && self.has_time_for(0) {
            let few = waiting.by_ref().take(MAX_BATCH_ENTRIES).collect();
            self.settle(few).await;
            self.look_again().await;
        }
        if waiting.len() > 0 {
            self.report.unfinished = true;
            waiting.for_each(|one| self.hold(one));
        }
        while self.take_hand().await {
            self.look_again().await;
        }
    }

    /// Looks at the consumer, if that was a while ago and letters go back.
    async fn look_again(&mut self) {
        let now = self.now();
        let is_time = |at: Timestamp| now.millis_since(at) >= LOOK_AGAIN_MILLIS;
        if self.canary == Canary::Heard && self.looked_at.is_none_or(is_time) {
            self.look_at_consumer().await;
        }
    }

    // ---- Hands ----------------------------------------------------------------------------------------------------

    /// Receives a hand and does what is to be done with it; whether there may be another one.
    async fn take_hand(&mut self) -> bool {
        if !self.has_time_for(0) {
            self.report.unfinished = true;
            return false;
        }
        let seconds = self.deadline.millis_since(self.now()) / 1_000 + AFTERWARDS_SECONDS;
        let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
        let url = &self.queue.dead_letter_url;
        let hand = match survive(self.ports.receive_letters(url, seconds)).await {
            Some(Ok(hand)) => hand,
            failed => return self.has_failed(failed.and_then(Result::err)),
        };
        self.failures = 0;
        self.empty = hand.is_empty();
        if self.empty {
            return false;
        }
        self.report.received += hand.len() as u64;
        // An empty queue asks nothing of anybody else.
        if self.looked_at.is_none() {
            self.look_at_consumer().await;
        }
        let rules = Rules {
            now: self.now(),
            maximum_cycles: self.conduct.maximum_cycles,
        };
        let own = &self.conduct.roles;
        let mut hand = sort(self.ports, hand, &self.queue.source, own, rules).await;
        if self.canary == Canary::Wanted && self.brake.is_none() {
            self.unread |= !find_telling(self.ports, &mut hand).await;
        }
        self.note(&mut hand);
        self.settle(hand).await;
        true
    }

    fn has_failed(&mut self, error: Option<PortError>) -> bool {
        if let Some(error) = error {
            tracing::warn!(event = "letters_not_received", reason = %error);
        }
        self.failures += 1;
        let again = self.failures < FAILURES_IN_A_ROW;
        self.report.unfinished |= !again;
        again
    }

    /// Notices what has come back, and what could not be looked into.
    fn note(&mut self, hand: &mut [Sorted]) {
        self.tally.failed += hand.iter().filter(|one| one.has_failed()).count() as u64;
        for one in hand {
            let Some(letter) = one.known.as_ref().map(|known| &known.letter) else {
                continue;
            };
            let (identity, cycles) = (letter.identity, letter.cycles());
            self.report.relapsed += u64::from(cycles > 0);
            one.back_again = self.sent.get(&identity).is_some_and(|sent| cycles >= *sent);
            if is_relapse(&self.watched, identity, cycles) {
                self.stop(StopReason::CanaryRelapsed);
            }
        }
    }

    // ---- The end --------------------------------------------------------------------------------------------------

    /// Whether somebody is to be told why nothing more went back: of a consumer that may well stand still only when
    /// something waits for it.
    fn is_news(&self) -> bool {
        !self.report.dry_run && (self.brake.is_none() || self.tally.held_back > 0)
    }

    async fn finish(mut self) -> QueueReport {
        for one in std::mem::take(&mut self.waiting) {
            self.hold(one);
        }
        self.report.stopped = match (self.brake, self.canary) {
            (Some(why), _) | (None, Canary::Stopped(why)) => Some(why),
            _ => None,
        };
        if let Some(why) = self.report.stopped.filter(|_| self.is_news()) {
            telemetry::stopped(&self.queue.source, why);
            let stopped = Announcement::Stopped {
                region: self.conduct.region.clone(),
                source: self.queue.source.clone(),
                why,
            };
            acts::announce(self.ports, &[stopped], &mut self.tally).await;
        }
        telemetry::emit(&self.report, &self.tally);
        // Last: it is said what came of the run, whatever becomes of this.
        let in_time = || self.now().plus_millis(RELEASE_MILLIS) < self.deadline;
        acts::release(self.ports, &self.queue.dead_letter_url, &self.held, &in_time).await;
        self.report
    }
}

/// What could be read; what could not be is not known.
fn seen<T>(read: Option<Result<T, PortError>>) -> Option<T> {
    match read {
        Some(Ok(seen)) => Some(seen),
        Some(Err(error)) => {
            tracing::warn!(event = "consumer_not_seen", reason = %error);
            None
        }
        None => None,
    }
}
