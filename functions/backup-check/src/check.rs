//! A run: export, observe, judge, tell, keep.

use std::time::Duration;

use serde::Serialize;
use symbolon_shared::domain::backup::{
    Change, Place, Policy, Report, ReportNames, StoreId, Told, Verdict, changes, page,
};
use symbolon_shared::domain::time::Timestamp;
use symbolon_shared::lambda::survive;
use symbolon_shared::ports::PortError;
use symbolon_shared::ports::backup::BackupPorts;

use crate::export::ExportRun;
use crate::observe::observe;
use crate::telemetry::{self, Tally};

/// Of the time that an invocation has, this much is kept to tell changes and to put four objects. The usual is a second;
/// one call that uses up all of its eight seconds (the default of `SdkOptions`, which these clients have) leaves the rest
/// their time. Calls that look have 25 s, and are cut off here: what comes later is not asked.
const KEEP_MILLIS: i64 = 15_000;

/// Of that, this much to put the objects: what was told must be remembered.
const PUT_MILLIS: i64 = 8_000;

/// And this much to answer.
const ANSWER_MILLIS: i64 = 1_000;

/// Of the time that is left, so much is the export's: one part of two. Of 300 s, each has 142 s then. Should all of the other
/// region hang, its questions are through in less, eight at a time and each for 25 s.
const EXPORT_PART: i64 = 2;

/// What a process lends its check: a clock.
pub struct Surroundings {
    /// The moment.
    pub clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
}

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Checked {
    /// The worst verdict.
    pub verdict: Verdict,
    /// Stores that are good.
    pub good: usize,
    /// Stores of which not enough was seen.
    pub unknown: usize,
    /// Stores that are bad.
    pub bad: usize,
    /// Changes of verdict that the event bus took.
    pub told: u64,
    /// Changes that the next run has to tell.
    pub untold: u64,
    /// The key of the report in the backup bucket; none when it could not be put.
    pub report: Option<String>,
}

/// The backup check of one process.
pub struct BackupCheck<P, E> {
    ports: P,
    export: E,
    policy: Policy,
    place: Place,
    surroundings: Surroundings,
}

impl<P: BackupPorts, E: ExportRun> BackupCheck<P, E> {
    /// The check of what `policy` demands at `place`; `export` runs before it.
    #[must_use]
    pub fn new(ports: P, export: E, policy: Policy, place: Place, surroundings: Surroundings) -> Self {
        Self {
            ports,
            export,
            policy,
            place,
            surroundings,
        }
    }

    fn now(&self) -> Timestamp {
        (self.surroundings.clock)()
    }

    /// What an event asks for: a run. Whatever it says: the schedule's, or that of anybody who wants to know now.
    pub async fn handle(&self, _event: &serde_json::Value, deadline: Timestamp) -> Checked {
        self.run(deadline).await
    }

    /// Checks everything, and answers by `deadline`. Nothing that fails makes it fail: what could not be seen is unknown,
    /// and what could not be told is told by the next run.
    async fn run(&self, deadline: Timestamp) -> Checked {
        let until = deadline.plus_millis(-KEEP_MILLIS);
        self.run_export(until).await;
        let clock = &*self.surroundings.clock;
        let observing = observe(&self.ports, &self.policy, clock, until);
        let (observations, previous) = tokio::join!(observing, self.previous(until));
        let (now, mut tally) = (self.now(), Tally::default());
        let told = previous.clone().unwrap_or_default();
        let place = (self.place.stack.as_str(), self.place.region.as_str());
        let mut report = Report::new(place, &self.policy, observations, &told, now);
        tally.previous_not_read = previous.is_none();
        if previous.is_some() {
            let until = deadline.plus_millis(-PUT_MILLIS);
            self.tell(&changes(&told, &report), &mut report, &mut tally, until)
                .await;
        }
        let names = ReportNames::new(&self.place.region, now);
        let kept = self
            .keep(&report, &names, &mut tally, deadline.plus_millis(-ANSWER_MILLIS))
            .await;
        telemetry::emit(&report, &tally);
        Checked {
            verdict: report.verdict,
            good: report.count(Verdict::Good),
            unknown: report.count(Verdict::Unknown),
            bad: report.count(Verdict::Bad),
            told: tally.told,
            untold: tally.untold,
            report: kept.then_some(names.dated),
        }
    }

    /// What comes of `work`; nothing when it panics, or has not ended by `until`.
    async fn within<T>(&self, until: Timestamp, work: impl Future<Output = T>) -> Option<T> {
        let left = u64::try_from(until.millis_since(self.now())).unwrap_or(0);
        let work = tokio::time::timeout(Duration::from_millis(left), survive(work));
        work.await.ok().flatten()
    }

    /// The export, which leaves half of the time to the check whatever becomes of it.
    async fn run_export(&self, until: Timestamp) {
        let now = self.now();
        let until = now.plus_millis(until.millis_since(now).max(0) / EXPORT_PART);
        if self.within(until, self.export.export(until)).await.is_none() {
            tracing::error!(event = "export_cut_off");
        }
    }

    /// What was told before; nothing when the last report cannot be read: then whether anything has changed is not known.
    /// A report that is none of ours was no report: then everything is told anew.
    async fn previous(&self, until: Timestamp) -> Option<Told> {
        let names = ReportNames::new(&self.place.region, self.now());
        let body = match self.within(until, self.ports.read_report(&names.latest)).await {
            Some(Ok(body)) => body,
            failed => {
                warn("previous_report_not_read", failed.and_then(Result::err));
                return None;
            }
        };
        let Some(body) = body else {
            return Some(Told::new());
        };
        let report = Report::parse(&body);
        if report.is_err() {
            tracing::error!(event = "previous_report_unreadable");
        }
        Some(report.map_or_else(|_| Told::new(), |report| report.told()))
    }

    /// Tells what has changed. What the bus does not take stays untold in the report, and is told by the next run.
    async fn tell(&self, changes: &[Change], report: &mut Report, tally: &mut Tally, until: Timestamp) {
        changes.iter().for_each(telemetry::tell_change);
        if changes.is_empty() {
            return;
        }
        let answers = self
            .within(until, self.ports.announce_changes(changes))
            .await
            .unwrap_or_default();
        let mut answers = answers.into_iter();
        for change in changes {
            match answers.next() {
                Some(Ok(())) => {
                    tally.told += 1;
                    report.tell(&change.store);
                }
                failed => {
                    tally.untold += 1;
                    untold(&change.store, failed.and_then(Result::err));
                }
            }
        }
    }

    /// Puts the report: the newest first, for it remembers what was told, and only when that is known. Whether the dated
    /// one is there.
    async fn keep(&self, report: &Report, names: &ReportNames, tally: &mut Tally, until: Timestamp) -> bool {
        let json = report.to_json().unwrap_or_default();
        let page = page(report).into_bytes();
        let objects: [(&str, &str, &[u8]); 4] = [
            (&names.latest, JSON, &json),
            (&names.dated, JSON, &json),
            (&names.latest_page, HTML, &page),
            (&names.dated_page, HTML, &page),
        ];
        let latest = [&names.latest, &names.latest_page];
        let mut dated = false;
        for (name, content_type, body) in objects {
            if tally.previous_not_read && latest.iter().any(|latest| *latest == name) {
                continue;
            }
            match self
                .within(until, self.ports.put_report(name, content_type, body))
                .await
            {
                Some(Ok(())) => dated |= name == names.dated,
                failed => {
                    tally.not_written += 1;
                    warn("report_not_written", failed.and_then(Result::err));
                }
            }
        }
        dated
    }
}

const JSON: &str = "application/json";
const HTML: &str = "text/html; charset=utf-8";

fn untold(store: &StoreId, error: Option<PortError>) {
    let reason = reason(error);
    tracing::warn!(event = "verdict_untold", store = store.as_str(), reason);
}

fn warn(event: &'static str, error: Option<PortError>) {
    tracing::warn!(event, reason = reason(error));
}

fn reason(error: Option<PortError>) -> String {
    error.map_or_else(
        || "no answer in time, or a panic".to_owned(),
        |error| error.to_string(),
    )
}

#[cfg(test)]
mod tests {
    use symbolon_shared::aws::control_plane_options;
    use symbolon_shared::aws::sdk::SdkOptions;
    use symbolon_shared::domain::backup::Demand;
    use symbolon_shared::export::PART_MILLIS;
    use symbolon_shared::testing::backup::{SAMPLE_POLICY, sample_place};

    use super::*;
    use crate::observe::AT_ONCE;

    /// As the template has it.
    const GRANTED_MILLIS: i64 = 300_000;

    fn millis(duration: Duration) -> i64 {
        i64::try_from(duration.as_millis()).unwrap()
    }

    #[test]
    fn a_call_that_uses_up_its_time_leaves_the_rest_theirs() {
        let look = millis(control_plane_options().operation_timeout);
        let keep = millis(SdkOptions::default().operation_timeout);
        assert!(keep + ANSWER_MILLIS < KEEP_MILLIS, "one call while keeping");
        assert!(
            look + KEEP_MILLIS <= PART_MILLIS,
            "one call of a part that is begun last"
        );
        let policy = Policy::parse(SAMPLE_POLICY, &sample_place()).unwrap();
        let demands = policy.stores().iter().flat_map(|store| &store.demands);
        // A bucket's failed operations are asked of this region first, and then of the other.
        let of_the_other_region = demands.filter(|demand| {
            matches!(
                demand,
                Demand::Copy { .. }
                    | Demand::KeyReplica { .. }
                    | Demand::BucketLag { .. }
                    | Demand::FailedOperations { .. }
                    | Demand::Export { .. }
            )
        });
        let rounds = i64::try_from(of_the_other_region.count().div_ceil(AT_ONCE)).unwrap();
        let left = GRANTED_MILLIS - KEEP_MILLIS;
        assert!(
            rounds > 1 && rounds * look < left - left / EXPORT_PART,
            "{rounds}"
        );
    }
}
