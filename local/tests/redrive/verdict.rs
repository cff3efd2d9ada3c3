//! Where each letter ended, and whether that is where it must.

use std::collections::{BTreeMap, BTreeSet};

use symbolon_shared::domain::identifiers::{CounterpartyId, OrderKey};
use symbolon_shared::domain::intake::{Member, parse_body};
use symbolon_shared::domain::invariants::{Sent, SetAside, check_all};
use symbolon_shared::domain::reason::PoisonReason;
use symbolon_shared::domain::redrive::{Content, Identity, Letter, ObjectName, QuarantineObject};

use crate::letters::{Expected, Kind};
use crate::world::{COUNTERPARTIES, NOON, REGION, World, own_roles, owner, sender};

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Messages by what they are.
    pub(crate) letters: BTreeMap<Kind, usize>,
    /// Objects in the quarantine, by reason.
    pub(crate) quarantined: BTreeMap<PoisonReason, usize>,
    pub(crate) submissions: usize,
    pub(crate) matches: usize,
    pub(crate) invariants: usize,
}

/// Each message is in exactly one of the two places, where it must be, and has had at most one effect.
pub(crate) fn verdict(world: &World, expected: &Expected) -> Found {
    let kept = kept(world);
    let submissions = world.memory.tables().submissions();
    let stored: BTreeSet<OrderKey> = submissions
        .iter()
        .map(symbolon_shared::domain::submission::Submission::key)
        .collect();
    let mut found = Found {
        submissions: submissions.len(),
        matches: world.memory.tables().matches().len(),
        ..Found::default()
    };
    let mut due = BTreeSet::new();
    for (identity, (kind, letter)) in expected {
        *found.letters.entry(*kind).or_default() += 1;
        let times = kept.get(identity).map_or(0, Vec::len);
        let orders = orders(&Letter::open(letter.clone(), &own_roles()));
        if kind.is_processed() {
            assert_eq!(times, 0, "{kind:?}: in the quarantine too");
            assert!(
                !orders.is_empty() && orders.iter().all(|(key, _)| stored.contains(key)),
                "{kind:?}: lost"
            );
            due.extend(orders.into_iter().map(|(key, _)| key));
        } else {
            assert_eq!(times, 1, "{kind:?}: not in the quarantine, or twice");
            assert!(
                !orders.iter().any(|(key, _)| stored.contains(key)),
                "{kind:?}: processed too"
            );
        }
    }
    assert!(
        kept.keys().all(|identity| expected.contains_key(identity)),
        "something was made up"
    );
    // Marks stand for the orders that early cancels name.
    let marks = submissions
        .iter()
        .filter(|submission| submission.is_mark())
        .count();
    assert_eq!(
        stored.len(),
        due.len() + marks,
        "something has had another effect"
    );
    for reason in kept.values().flatten() {
        *found.quarantined.entry(*reason).or_default() += 1;
    }
    found.invariants = invariants(world, expected);
    found
}

/// For what each message is in the quarantine.
fn kept(world: &World) -> BTreeMap<Identity, Vec<PoisonReason>> {
    let mut kept = BTreeMap::<Identity, Vec<PoisonReason>>::new();
    for (name, body) in world.memory.objects() {
        let object = QuarantineObject::parse(&body).unwrap();
        assert_eq!(ObjectName::parse(&name), Ok(object.name()));
        kept.entry(object.identity()).or_default().push(object.reason);
    }
    kept
}

/// What the messages in a letter are stored under, once they were processed.
fn orders(letter: &Letter) -> Vec<(OrderKey, Sent)> {
    let Content::Enveloped(envelope) = &letter.content else {
        return Vec::new();
    };
    let symbolon_shared::domain::envelope::Origin::Sender(by) = &envelope.origin else {
        return Vec::new();
    };
    let Some(owner) = registered(&by.encode()) else {
        return Vec::new();
    };
    let members = parse_body(&envelope.body).unwrap_or_default().into_iter();
    let message = |member| match member {
        Member::Message(message) => {
            let order = OrderKey::new(owner.clone(), message.cl_ord_id.clone());
            let sent_at = envelope.sent_at;
            let sent = Sent {
                order: order.clone(),
                message,
                sent_at,
            };
            Some((order, sent))
        }
        Member::Unreadable(_) => None,
    };
    members.filter_map(message).collect()
}

fn registered(by: &str) -> Option<CounterpartyId> {
    let n = (0..COUNTERPARTIES).find(|n| sender(*n) == by);
    n.map(owner)
}

/// Every invariant of the design, over what was processed and what was set aside.
fn invariants(world: &World, expected: &Expected) -> usize {
    let (mut sent, mut unanswerable) = (Vec::new(), Vec::new());
    for (kind, letter) in expected.values() {
        let letter = Letter::open(letter.clone(), &own_roles());
        match (kind, &letter.content) {
            (Kind::NotJson | Kind::SetAside | Kind::Stranger, Content::Enveloped(envelope)) => {
                unanswerable.push(envelope.body.clone());
            }
            (kind, _) if kind.is_processed() => {
                sent.extend(orders(&letter).into_iter().map(|(_, sent)| sent));
            }
            _ => {}
        }
    }
    let now = world.memory.now();
    assert!(now > NOON);
    let mut evidence = world
        .memory
        .tables()
        .evidence(REGION, now, sent, unanswerable)
        .unwrap();
    for body in world.memory.objects().into_values() {
        let object = QuarantineObject::parse(&body).unwrap();
        let Content::Enveloped(envelope) = object.content else {
            continue;
        };
        if matches!(
            object.reason,
            PoisonReason::Malformed | PoisonReason::UnknownSender
        ) {
            evidence.set_aside.push(SetAside {
                reason: Some(object.reason.code().to_owned()),
                body: envelope.body,
            });
        }
    }
    let verdicts = check_all(&evidence);
    for (name, verdict) in &verdicts {
        assert_eq!(*verdict, Ok(()), "{name}");
    }
    verdicts.len()
}
