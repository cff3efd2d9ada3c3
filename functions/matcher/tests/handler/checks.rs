//! The invariants of design §5, over everything that was delivered and everything that is there.

use std::collections::BTreeMap;

use futures::FutureExt;
use serde_json::Value;
use symbolon_shared::domain::book::Entry;
use symbolon_shared::domain::counterparty::Counterparty;
use symbolon_shared::domain::envelope::{Envelope, Origin, SenderId};
use symbolon_shared::domain::identifiers::{CounterpartyId, OrderKey, Symbol};
use symbolon_shared::domain::intake::{Member, parse_body};
use symbolon_shared::domain::invariants::{Evidence, Known, OpenedMatch, Sent, SetAside, check_all};
use symbolon_shared::domain::match_record::MatchRecord;
use symbolon_shared::domain::submission::Submission;
use symbolon_shared::domain::time::Timestamp;
use symbolon_shared::domain::token::EpochKey;
use symbolon_shared::ports::{EpochKeyStore, KeyService, ParameterStore, Registry};

use crate::world::{COUNTERPARTIES, REGION, SYMBOLS, World, own_roles, owner};

/// What of the invariants cannot hold yet while something is still to come back.
const AT_THE_END: [&str; 1] = [
    "every accepted message ends as resting, filled, cancelled, replaced, expired or rejected, and every other one set \
     aside with a reason",
];

/// Everything that was delivered has been done, and every invariant holds.
pub(crate) fn check(world: &World) {
    let evidence = evidence(world);
    for (name, verdict) in check_all(&evidence) {
        assert_eq!(verdict, Ok(()), "{name}");
    }
    book_and_submissions_agree(&evidence);
}

/// The same, but for what is still to come back.
pub(crate) fn check_so_far(world: &World) {
    let evidence = evidence(world);
    for (name, verdict) in check_all(&evidence) {
        assert!(
            verdict.is_ok() || AT_THE_END.contains(&name),
            "{name}: {verdict:?}"
        );
    }
    book_and_submissions_agree(&evidence);
}

/// Each entry is what its submission says, and no submission rests without one.
fn book_and_submissions_agree(evidence: &Evidence) {
    let mut resting: Vec<_> = evidence
        .submissions
        .iter()
        .filter_map(Submission::entry)
        .collect();
    resting.sort_by_key(Entry::key);
    assert!(resting == evidence.entries, "book and submissions differ");
}

fn evidence(world: &World) -> Evidence {
    let (sent, unanswerable) = everything_sent(world);
    let counterparties = counterparties(world);
    let letter = |(reason, letter): (&str, Value)| SetAside {
        reason: Some(reason.to_owned()),
        body: letter["body"].as_str().unwrap().to_owned(),
    };
    Evidence {
        now: world.clock.now(),
        sent,
        unanswerable,
        submissions: world.memory.submissions(),
        entries: world.memory.entries(),
        matches: world
            .memory
            .matches()
            .into_iter()
            .map(|record| opened(world, record))
            .collect(),
        inboxes: counterparties
            .iter()
            .map(|of| (of.id.clone(), inbox(world, of)))
            .collect(),
        counterparties: counterparties.into_iter().map(Known::constant).collect(),
        parameters: at_once(world.memory.read_parameters(&symbols()))
            .into_iter()
            .map(Known::constant)
            .collect(),
        set_aside: world.dead_letters().into_iter().map(letter).collect(),
    }
}

/// Ports in memory never wait.
fn at_once<T, E: std::fmt::Debug>(read: impl Future<Output = Result<T, E>>) -> T {
    read.now_or_never().unwrap().unwrap()
}

fn symbols() -> Vec<Symbol> {
    SYMBOLS.iter().map(|name| Symbol::new(*name).unwrap()).collect()
}

fn counterparties(world: &World) -> Vec<Counterparty> {
    let ids: Vec<CounterpartyId> = (1..=COUNTERPARTIES + 1).map(owner).collect();
    at_once(world.memory.read_counterparties(&ids))
}

fn inbox(world: &World, of: &Counterparty) -> Vec<String> {
    let queue = of.inboxes.get(REGION).map(|url| world.memory.inbox(url));
    let bodies = queue.into_iter().flatten().map(|message| message.body);
    bodies.collect()
}

fn opened(world: &World, record: MatchRecord) -> OpenedMatch {
    let epoch = record.key_epoch;
    let wrapped = at_once(world.memory.read_key(epoch)).unwrap();
    let key = EpochKey::derive(epoch, at_once(world.memory.unwrap_key(epoch, &wrapped)));
    let parties = key.open(record.match_id, &record.parties).unwrap();
    OpenedMatch { record, parties }
}

/// What was delivered: what can be answered, and the rest as text.
fn everything_sent(world: &World) -> (Vec<Sent>, Vec<String>) {
    let principals: BTreeMap<String, CounterpartyId> = counterparties(world)
        .into_iter()
        .map(|of| (of.principal.as_str().to_owned(), of.id))
        .collect();
    let (mut sent, mut unanswerable) = (Vec::new(), Vec::new());
    for (sender, sent_at, body) in world.delivered().iter().filter_map(opened_record) {
        let known = principals.get(sender.split(':').next().unwrap());
        match (known, parse_body(&body)) {
            (Some(owner), Ok(members)) => {
                for member in members {
                    match member {
                        Member::Message(message) => sent.push(Sent {
                            order: OrderKey::new(owner.clone(), message.cl_ord_id.clone()),
                            message,
                            sent_at,
                        }),
                        Member::Unreadable(text) => unanswerable.push(text),
                    }
                }
            }
            _ => unanswerable.push(body),
        }
    }
    (sent, unanswerable)
}

/// Sender, time and body of a record, out of its envelope; nothing when SQS's own stamps are not all there.
fn opened_record(record: &Value) -> Option<(String, Timestamp, String)> {
    record["messageId"].as_str().filter(|id| !id.is_empty())?;
    let attributes = &record["attributes"];
    let sender = SenderId::parse(attributes["SenderId"].as_str()?).ok()?;
    let millis: i64 = attributes["SentTimestamp"].as_str()?.parse().ok()?;
    let body = record["body"].as_str()?.to_owned();
    if sender
        .principal()
        .is_ok_and(|principal| principal == own_roles().redrive.unwrap())
        && let Ok(Envelope {
            origin: Origin::Sender(sender),
            sent_at,
            body,
            ..
        }) = Envelope::parse(&body)
    {
        return Some((sender.encode(), sent_at, body));
    }
    (millis >= 0).then(|| (sender.encode(), Timestamp::from_millis(millis), body))
}
