//! A run: export, observe, judge, tell, keep.

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

/// Of the time that an invocation has, this much is kept to tell changes and to put four objects: each may take the
/// SDK's eight seconds once, side by side with nothing, and the usual is 50 ms.
const KEEP_MILLIS: i64 = 15_000;

/// Of the time that is left, so much is the export's: one part of two.
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

/// What the last report says was told.
enum Previous {
    /// This; nothing, when there is no report.
    Told(Told),
    /// It could not be read: whether anything has changed is not known.
    NotRead,
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
        let observations = observe(&self.ports, &self.policy, &*self.surroundings.clock, until).await;
        let now = self.now();
        let names = ReportNames::new(&self.place.region, now);
        let (previous, mut tally) = (self.previous(&names).await, Tally::default());
        let told = match &previous {
            Previous::Told(told) => told.clone(),
            Previous::NotRead => Told::new(),
        };
        let place = (self.place.stack.as_str(), self.place.region.as_str());
        let mut report = Report::new(place, &self.policy, observations, &told, now);
        match previous {
            Previous::Told(told) => self.tell(&changes(&told, &report), &mut report, &mut tally).await,
            Previous::NotRead => tally.previous_not_read = true,
        }
        let kept = self.keep(&report, &names, &mut tally).await;
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

    /// The export, which leaves half of the time to the check whatever becomes of it.
    async fn run_export(&self, until: Timestamp) {
        let now = self.now();
        let part = until.millis_since(now) / EXPORT_PART;
        let Ok(millis) = u64::try_from(part) else {
            return;
        };
        let export = survive(self.export.export(now.plus_millis(part)));
        match tokio::time::timeout(std::time::Duration::from_millis(millis), export).await {
            Ok(Some(())) => {}
            Ok(None) => tracing::error!(event = "export_panicked"),
            Err(_) => tracing::error!(event = "export_cut_off"),
        }
    }

    /// What was told before. A report that is none of ours was no report: then everything is told anew.
    async fn previous(&self, names: &ReportNames) -> Previous {
        match survive(self.ports.read_report(&names.latest)).await {
            Some(Ok(None)) => Previous::Told(Told::new()),
            Some(Ok(Some(body))) => Previous::Told(Report::parse(&body).map_or_else(
                |_| {
                    tracing::error!(event = "previous_report_unreadable");
                    Told::new()
                },
                |report| report.told(),
            )),
            failed => {
                warn("previous_report_not_read", failed.and_then(Result::err));
                Previous::NotRead
            }
        }
    }

    /// Tells what has changed. What the bus does not take stays untold in the report, and is told by the next run.
    async fn tell(&self, changes: &[Change], report: &mut Report, tally: &mut Tally) {
        changes.iter().for_each(telemetry::tell_change);
        if changes.is_empty() {
            return;
        }
        let answers = survive(self.ports.announce_changes(changes))
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

    /// Puts the report, dated first: the newest says what was told, so it is put only when it is known what was. Whether
    /// the dated one is there.
    async fn keep(&self, report: &Report, names: &ReportNames, tally: &mut Tally) -> bool {
        let json = report.to_json().unwrap_or_default();
        let page = page(report).into_bytes();
        let dated = self.put(&names.dated, JSON, &json, tally).await;
        self.put(&names.dated_page, HTML, &page, tally).await;
        if !tally.previous_not_read {
            self.put(&names.latest, JSON, &json, tally).await;
            self.put(&names.latest_page, HTML, &page, tally).await;
        }
        dated
    }

    async fn put(&self, name: &str, content_type: &str, body: &[u8], tally: &mut Tally) -> bool {
        match survive(self.ports.put_report(name, content_type, body)).await {
            Some(Ok(())) => true,
            failed => {
                tally.not_written += 1;
                warn("report_not_written", failed.and_then(Result::err));
                false
            }
        }
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
    error.map_or_else(|| "it panicked".to_owned(), |error| error.to_string())
}
