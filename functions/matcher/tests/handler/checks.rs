//! The invariants of design §5, over everything that was delivered and everything that is there.

use std::collections::BTreeMap;

use serde_json::Value;
use symbolon_shared::domain::book::Entry;
use symbolon_shared::domain::envelope::{Envelope, Origin, SenderId};
use symbolon_shared::domain::identifiers::{CounterpartyId, OrderKey};
use symbolon_shared::domain::intake::{Member, parse_body};
use symbolon_shared::domain::invariants::{Evidence, Sent, check_all};
use symbolon_shared::domain::submission::Submission;
use symbolon_shared::domain::time::Timestamp;

use crate::world::{REGION, World, own_roles};

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
    world
        .memory
        .evidence(REGION, world.clock.now(), sent, unanswerable)
        .unwrap()
}

/// What was delivered: what can be answered, and the rest as text.
fn everything_sent(world: &World) -> (Vec<Sent>, Vec<String>) {
    let principals: BTreeMap<String, CounterpartyId> = world
        .memory
        .counterparties()
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
