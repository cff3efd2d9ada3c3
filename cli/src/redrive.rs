//! `redrive`: the dead letters sorted now, without waiting for the schedule.

use symbolon_shared::domain::reason::StopReason;
use symbolon_shared::domain::redrive::{Answer, QueueReport, RedriveRequest, Request, SourceName};

use crate::failure::Failure;
use crate::function::{Function, another_answer};
use crate::print::Printer;
use crate::settings::Settings;

pub(crate) async fn run(
    queue: Option<SourceName>,
    dry_run: bool,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<(), Failure> {
    let request = Request::Redrive(RedriveRequest { queue, dry_run });
    let answer = Function::open(settings)
        .await?
        .ask(&request, "redrive dead letters")
        .await?;
    let Answer::Redrive(report) = answer else {
        return Err(another_answer());
    };
    if printer.is_json() {
        printer.json(&report)?;
    } else {
        for queue in &report.queues {
            show(queue, printer)?;
        }
    }
    report.queues.iter().find_map(not_to_its_end).map_or(Ok(()), Err)
}

/// What the caller has to do something about.
fn not_to_its_end(queue: &QueueReport) -> Option<Failure> {
    let source = &queue.source;
    // A consumer that stands still, with nothing that waits for it, is nobody's business here.
    if let Some(why) = queue.stopped.filter(|_| queue.left > 0) {
        return Some(
            Failure::new(format!("the redrive of {source} stopped: {}", said(why))).advice(todo(why)),
        );
    }
    queue.unfinished.then(|| {
        Failure::new(format!("the redrive of {source} did not see every letter"))
            .advice("run it again in five minutes, when letters that were in hand are seen again: what was done stays done")
    })
}

fn show(queue: &QueueReport, printer: &mut Printer) -> Result<(), Failure> {
    let quarantined: u64 = queue.quarantined.values().sum();
    let reasons: Vec<String> = queue
        .quarantined
        .iter()
        .map(|(reason, count)| format!("{reason} {count}"))
        .collect();
    let reasons = if reasons.is_empty() {
        String::new()
    } else {
        format!(" ({})", reasons.join(", "))
    };
    let canaries = match queue.canaries {
        0 => String::new(),
        some => format!(" ({some} of them as canaries)"),
    };
    printer.pairs(&[
        ("queue", queue.source.to_string()),
        ("dead letters", queue.received.to_string()),
        ("sent back", format!("{}{canaries}", queue.sent_back)),
        ("quarantined", format!("{quarantined}{reasons}")),
        ("left", queue.left.to_string()),
    ])?;
    if queue.dry_run {
        printer.line("Nothing was done: this is what would be, if every canary were heard of.")?;
    }
    Ok(())
}

fn said(why: StopReason) -> &'static str {
    match why {
        StopReason::ConsumerDisabled => "its mapping is not enabled",
        StopReason::ConsumerFailing => "its consumer is failing as a whole",
        StopReason::ConsumerUnknown => "the state of its consumer cannot be read",
        StopReason::OutcomeUnknown => "the tables that tell of a canary cannot be read",
        StopReason::CanaryRelapsed => "a canary came back",
        StopReason::CanaryUnanswered => "nothing was heard of the canary",
        StopReason::CanaryMute => "no letter could tell anything new",
    }
}

fn todo(why: StopReason) -> &'static str {
    match why {
        StopReason::ConsumerDisabled => "enable it where this region matches; the letters stay until then",
        StopReason::ConsumerFailing => "mend the consumer first; the letters stay until then",
        StopReason::ConsumerUnknown => "see to the function's permissions, or wait for CloudWatch",
        StopReason::OutcomeUnknown => {
            "the matcher may not be able to read them either; the letters stay until then"
        }
        StopReason::CanaryRelapsed => {
            "what made these letters dead is not over: the matcher's log says the reason"
        }
        StopReason::CanaryUnanswered => "is the queue being taken from? The next run tries again",
        StopReason::CanaryMute => "ten went; run it again for ten more",
    }
}
