//! What is said of a run: counts as metrics, and log lines with codes and names of sources. No letter's sender, body or
//! hash is in either.

use symbolon_shared::domain::reason::{PoisonReason, StopReason};
use symbolon_shared::domain::redrive::{QueueReport, SourceName};

/// What a run counts beside its report.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Tally {
    /// Letters that might have gone back and were held.
    pub held_back: u64,
    /// Letters that went elsewhere and whose deletion was not acknowledged: they come again, as duplicates.
    pub undeleted: u64,
    /// Letters that could not be looked into.
    pub failed: u64,
    /// Objects under a letter's name that are not the letter's.
    pub foreign: u64,
    /// Announcements that the event bus did not take.
    pub unannounced: u64,
}

/// A letter is in the quarantine now.
pub(crate) fn quarantined(source: &SourceName, reason: PoisonReason) {
    tracing::warn!(
        event = "letter_quarantined",
        source = source.as_str(),
        reason = reason.code()
    );
}

/// Nothing more goes back.
pub(crate) fn stopped(source: &SourceName, why: StopReason) {
    let source = source.as_str();
    match why {
        StopReason::CanaryRelapsed => tracing::error!(event = "canary_relapsed", source),
        StopReason::CanaryUnanswered => tracing::error!(event = "canary_unanswered", source),
        StopReason::CanaryMute => tracing::warn!(event = "canary_mute", source),
        StopReason::ConsumerDisabled
        | StopReason::ConsumerFailing
        | StopReason::ConsumerUnknown
        | StopReason::OutcomeUnknown => {
            tracing::error!(event = "redrive_braked", source, reason = why.code());
        }
    }
}

/// Says what came of a queue, and hands the counts to the metrics recorder; a runner without one drops them.
pub(crate) fn emit(report: &QueueReport, tally: &Tally) {
    let quarantined: u64 = report.quarantined.values().sum();
    tracing::info!(
        event = "redrive_done",
        source = report.source.as_str(),
        dry_run = report.dry_run,
        received = report.received,
        sent_back = report.sent_back,
        quarantined,
        relapsed = report.relapsed,
        left = report.left,
        stopped = report.stopped.map(StopReason::code),
        unfinished = report.unfinished,
    );
    if report.dry_run {
        return;
    }
    let is = |why: &[StopReason]| u64::from(report.stopped.is_some_and(|stopped| why.contains(&stopped)));
    let braked = is(&[
        StopReason::ConsumerDisabled,
        StopReason::ConsumerFailing,
        StopReason::ConsumerUnknown,
        StopReason::OutcomeUnknown,
    ]);
    metrics::counter!("LettersReceived").increment(report.received);
    metrics::counter!("Redriven").increment(report.sent_back);
    metrics::counter!("Quarantined").increment(quarantined);
    metrics::counter!("Relapsed").increment(report.relapsed);
    metrics::counter!("LettersLeft").increment(report.left);
    // A consumer that may well stand still, with nothing that waits for it, is nobody's business.
    metrics::counter!("RedriveBraked").increment(braked.min(tally.held_back));
    metrics::counter!("CanariesRelapsed").increment(is(&[StopReason::CanaryRelapsed]));
    metrics::counter!("CanariesUnanswered").increment(is(&[StopReason::CanaryUnanswered]));
    metrics::counter!("RedriveUnfinished").increment(u64::from(report.unfinished));
    metrics::counter!("LettersUndeleted").increment(tally.undeleted);
    metrics::counter!("LettersFailed").increment(tally.failed);
    metrics::counter!("ForeignQuarantineObjects").increment(tally.foreign);
    metrics::counter!("RedriveUnannounced").increment(tally.unannounced);
}
