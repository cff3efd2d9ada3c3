//! Gathers what a replay leaves behind: the evidence that the invariants judge, the contract's figures, the picture.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use rust_decimal::Decimal;
use serde_json::Value;
use symbolon_shared::domain::book::Entry;
use symbolon_shared::domain::decimal::Quantity;
use symbolon_shared::domain::envelope::{Envelope, Origin};
use symbolon_shared::domain::identifiers::{CounterpartyId, OrderKey, Side};
use symbolon_shared::domain::intake::{Member, Request, parse_body};
use symbolon_shared::domain::invariants::{Evidence, Known, OpenedMatch, Sent, SetAside, check_all};
use symbolon_shared::domain::reason::Reason;
use symbolon_shared::domain::submission::{Answer, OrdStatus, Submission, SubmissionKind};
use symbolon_shared::domain::time::Timestamp;

use crate::deployment::{Deployment, DeploymentError};
use crate::order_flow::OrderFlow;
use crate::platform::meter::OperationCount;
use crate::replay::{self, Replayed, Sender};
use crate::report::{AuditReport, HELD, Level, Picture, Report, SeenMatch};

/// Matches that the picture shows.
const SHOWN_MATCHES: usize = 4;

/// Puts together what the run left behind.
///
/// # Errors
/// [`DeploymentError`] when the tables or the registry cannot be read.
pub async fn evidence(
    deployment: &Deployment,
    replayed: &Replayed,
    now: Timestamp,
) -> Result<Evidence, DeploymentError> {
    let tables = deployment.tables().await?;
    let own_role = deployment.own_role()?;
    let (mut sent, mut unanswerable) = (Vec::new(), Vec::new());
    for message in &replayed.sent {
        let at = Timestamp::from_millis(message.at_millis);
        let opened = opened(deployment, &own_role, message)?;
        let Some(owner) = opened.owner else {
            unanswerable.push(opened.body);
            continue;
        };
        let Ok(members) = parse_body(&opened.body) else {
            unanswerable.push(opened.body);
            continue;
        };
        for member in members {
            match member {
                Member::Message(parsed) => sent.push(Sent {
                    order: OrderKey::new(owner.clone(), parsed.cl_ord_id.clone()),
                    message: parsed,
                    sent_at: opened.first_sent_at.unwrap_or(at),
                }),
                Member::Unreadable(text) => unanswerable.push(text),
            }
        }
    }
    let inboxes = replayed.received.iter().map(|(number, bodies)| {
        deployment
            .participant(*number)
            .map(|participant| (participant.id.clone(), bodies.clone()))
    });
    Ok(Evidence {
        now,
        sent,
        unanswerable,
        submissions: tables.submissions,
        entries: tables.entries,
        matches: tables
            .matches
            .into_iter()
            .map(|(record, parties)| OpenedMatch { record, parties })
            .collect(),
        counterparties: deployment
            .registered()
            .await?
            .into_iter()
            .map(Known::constant)
            .collect(),
        parameters: deployment
            .parameters()
            .iter()
            .cloned()
            .map(Known::constant)
            .collect(),
        inboxes: inboxes.collect::<Result<_, _>>()?,
        set_aside: replayed
            .dead_letters
            .iter()
            .map(|letter| set_aside(&letter.body))
            .collect(),
    })
}

/// A message as the matcher has to understand it.
struct Opened {
    /// Whose it is; nobody's, when the registry does not know the sender, or an envelope of our own cannot be read.
    owner: Option<CounterpartyId>,
    /// When it was first sent, if an envelope says so.
    first_sent_at: Option<Timestamp>,
    /// Its body, out of the envelope if there is one.
    body: String,
}

fn opened(
    deployment: &Deployment,
    own_role: &str,
    message: &replay::Sent,
) -> Result<Opened, DeploymentError> {
    let as_it_is = |owner| Opened {
        owner,
        first_sent_at: None,
        body: message.body.clone(),
    };
    let principal = match &message.sender {
        Sender::Counterparty(number) => {
            return Ok(as_it_is(Some(deployment.participant(*number)?.id.clone())));
        }
        Sender::Principal(principal) => principal,
    };
    match Envelope::parse(&message.body) {
        Ok(Envelope {
            origin: Origin::Sender(sender),
            sent_at,
            body,
            ..
        }) if principal == own_role => Ok(Opened {
            owner: sender
                .principal()
                .ok()
                .and_then(|first| deployment.owner_of(&first)),
            first_sent_at: Some(sent_at),
            body,
        }),
        _ => Ok(as_it_is(None)),
    }
}

fn set_aside(body: &str) -> SetAside {
    match Envelope::parse(body) {
        Ok(envelope) => SetAside {
            reason: envelope.reason.map(|reason| reason.as_str().to_owned()),
            body: envelope.body,
        },
        Err(_) => SetAside {
            reason: None,
            body: body.to_owned(),
        },
    }
}

/// The contract's figures.
#[must_use]
pub fn report(
    flow: &OrderFlow,
    replayed: &Replayed,
    evidence: &Evidence,
    aws: BTreeMap<String, OperationCount>,
    audit: AuditReport,
) -> Report {
    let interests: HashSet<&OrderKey> = evidence
        .sent
        .iter()
        .filter(|sent| is_interest(sent))
        .map(|s| &s.order)
        .collect();
    let messages: HashSet<&OrderKey> = evidence.sent.iter().map(|sent| &sent.order).collect();
    let submissions =
        |wanted: fn(&&Submission) -> bool| evidence.submissions.iter().filter(wanted).count() as u64;
    let matches = evidence.matches.iter().map(|matched| &matched.record);
    let sum = |all: &mut dyn Iterator<Item = Decimal>| all.sum::<Decimal>().normalize().to_string();
    Report {
        interests: interests.len() as u64,
        matches: evidence.matches.len() as u64,
        matched_qty: sum(&mut matches.clone().map(|record| record.last_qty.decimal())),
        notional: sum(&mut matches.map(|record| record.last_qty.decimal() * record.last_px.decimal())),
        cancelled: submissions(|s| is_order(s) && s.ord_status == Some(OrdStatus::Cancelled)),
        cancels_waiting: submissions(|s| s.is_mark()),
        too_late_to_cancel: submissions(|s| {
            refused_for(s).is_some_and(|reason| reason == Reason::TooLateToCancel)
        }),
        rejected: submissions(|s| refused_for(s).is_some_and(|reason| reason != Reason::TooLateToCancel)),
        resting: evidence.entries.len() as u64,
        resting_qty: sum(&mut evidence.entries.iter().map(|entry| entry.leaves_qty.decimal())),
        ignored: flow.ignored,
        messages_published: distinct_messages(&evidence.inboxes) as u64,
        duplicates_delivered: (evidence.sent.len() - messages.len()) as u64,
        aws,
        seconds: replayed.elapsed.as_secs_f64(),
        invariants: verdicts(evidence),
        audit,
    }
}

fn is_interest(sent: &Sent) -> bool {
    matches!(sent.message.request, Ok(Request::Interest(_)))
}

fn is_order(submission: &Submission) -> bool {
    matches!(
        submission.kind,
        SubmissionKind::Interest | SubmissionKind::Replace
    )
}

fn refused_for(submission: &Submission) -> Option<Reason> {
    match &submission.answer {
        Some(Answer::Rejected { reason }) => Some(*reason),
        _ => None,
    }
}

fn distinct_messages(inboxes: &BTreeMap<CounterpartyId, Vec<String>>) -> usize {
    let ids: BTreeSet<String> = inboxes
        .values()
        .flatten()
        .filter_map(|body| serde_json::from_str::<Value>(body).ok())
        .filter_map(|message| Some(message.get("messageId")?.as_str()?.to_owned()))
        .collect();
    ids.len()
}

pub(crate) fn verdicts(evidence: &Evidence) -> BTreeMap<String, String> {
    let verdict = |verdict: Result<(), _>| match verdict {
        Ok(()) => HELD.to_owned(),
        Err(counterexample) => format!("{counterexample}"),
    };
    check_all(evidence)
        .into_iter()
        .map(|(name, found)| (name.to_owned(), verdict(found)))
        .collect()
}

/// What a person wants to look at.
#[must_use]
pub fn picture(source: &str, flow: &OrderFlow, deployment: &Deployment, evidence: &Evidence) -> Picture {
    Picture {
        source: source.to_owned(),
        symbol: flow.symbol.as_str().to_owned(),
        counterparties: evidence.counterparties.len(),
        matches: seen_matches(deployment, evidence),
        bids: levels(&evidence.entries, Side::Buy),
        asks: levels(&evidence.entries, Side::Sell),
    }
}

/// The biggest matches, as the inboxes of both sides show them.
fn seen_matches(deployment: &Deployment, evidence: &Evidence) -> Vec<SeenMatch> {
    let mut biggest: Vec<&OpenedMatch> = evidence.matches.iter().collect();
    biggest.sort_by_key(|matched| std::cmp::Reverse((matched.record.last_qty, matched.record.match_id)));
    biggest.truncate(SHOWN_MATCHES);
    let wanted: HashSet<String> = biggest
        .iter()
        .flat_map(|matched| {
            [
                matched.record.buy_token.encode(),
                matched.record.sell_token.encode(),
            ]
        })
        .collect();
    let inboxes = evidence.inboxes.values().flatten();
    let seen: HashMap<String, Value> = inboxes
        .filter_map(|body| serde_json::from_str::<Value>(body).ok())
        .filter_map(|message| Some((message.get("token")?.as_str()?.to_owned(), message)))
        .filter(|(token, _)| wanted.contains(token))
        .collect();
    let number = |id: &CounterpartyId| deployment.number_of(id);
    biggest
        .into_iter()
        .filter_map(|matched| {
            Some(SeenMatch {
                buyer: number(&matched.parties.buyer.order.owner)?,
                buyer_message: seen.get(&matched.record.buy_token.encode())?.clone(),
                seller: number(&matched.parties.seller.order.owner)?,
                seller_message: seen.get(&matched.record.sell_token.encode())?.clone(),
            })
        })
        .collect()
}

/// The price levels of one side, best first.
fn levels(entries: &[Entry], side: Side) -> Vec<Level> {
    let mut levels: BTreeMap<_, (Quantity, usize)> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.book.side == side) {
        let (leaves, interests) = levels.entry(entry.price).or_insert((Quantity::ZERO, 0));
        *leaves = leaves.plus(entry.leaves_qty);
        *interests += 1;
    }
    let level = |(price, (leaves_qty, interests))| Level {
        side,
        price,
        leaves_qty,
        interests,
    };
    match side {
        Side::Buy => levels.into_iter().rev().map(level).collect(),
        Side::Sell => levels.into_iter().map(level).collect(),
    }
}
