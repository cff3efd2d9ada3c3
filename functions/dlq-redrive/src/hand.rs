//! A hand of letters: opened, classified, and looked up in the quarantine and among what was answered before.

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use futures::stream::{self, StreamExt};
use symbolon_shared::domain::envelope::Origin;
use symbolon_shared::domain::identifiers::{CounterpartyId, OrderKey, Principal};
use symbolon_shared::domain::own_roles::OwnRoles;
use symbolon_shared::domain::reason::PoisonReason;
use symbolon_shared::domain::redrive::{
    Case, Class, Disposition, Letter, ObjectName, QuarantineObject, Rules, SourceName, Transient, classify,
    is_heard,
};
use symbolon_shared::lambda::survive;
use symbolon_shared::ports::redrive::{Outcomes, Quarantine, Receipt, Received};
use symbolon_shared::ports::{PortError, Registry};

/// Reads of the quarantine at once: those of one hand, one for each letter and reason, in three rounds.
const READS_AT_ONCE: usize = 40;

/// A letter, and what is known of it.
pub(crate) struct Sorted {
    /// Names it to the queue.
    pub(crate) receipt: Receipt,
    /// What it is; nothing when looking into it panicked.
    pub(crate) known: Option<Known>,
    /// For what it is in the quarantine; an error when that could not be read.
    kept: Result<Option<PoisonReason>, NotRead>,
    /// Whether it went back in this run already.
    pub(crate) back_again: bool,
    /// The submissions that tell whether it was processed, when it can be the canary.
    pub(crate) orders: Vec<OrderKey>,
}

pub(crate) struct Known {
    pub(crate) letter: Letter,
    pub(crate) class: Class,
}

#[derive(Clone, Copy)]
struct NotRead;

impl Sorted {
    fn new(received: Received, own: &OwnRoles, rules: Rules) -> Self {
        let Received { receipt, letter } = received;
        let look = || {
            let letter = Letter::open(letter, own);
            let class = classify(&letter, rules);
            Known { letter, class }
        };
        Self {
            receipt,
            known: catch_unwind(AssertUnwindSafe(look)).ok(),
            kept: Ok(None),
            back_again: false,
            orders: Vec::new(),
        }
    }

    /// For what it is in the quarantine, as far as is known.
    pub(crate) fn kept_for(&self) -> Option<PoisonReason> {
        self.kept.ok().flatten()
    }

    /// Whether it could not be looked into.
    pub(crate) fn has_failed(&self) -> bool {
        self.known.is_none() || self.kept.is_err()
    }

    /// What may go back, if it may.
    pub(crate) fn transient(&self) -> Option<&Transient> {
        match &self.known.as_ref()?.class {
            Class::Transient(transient) => Some(transient),
            Class::Poison(_) => None,
        }
    }

    /// The letter as the plan sees it.
    pub(crate) fn case(&self) -> Case {
        let disposition = match (&self.known, self.kept) {
            (None, _) | (_, Err(NotRead)) => Disposition::Unknown,
            (Some(_), Ok(Some(_))) => Disposition::Quarantined,
            (Some(known), Ok(None)) => match known.class {
                Class::Poison(reason) => Disposition::Poison(reason),
                Class::Transient(_) if self.back_again => Disposition::BackAgain,
                Class::Transient(_) => Disposition::Transient,
            },
        };
        Case {
            disposition,
            cycles: self.known.as_ref().map_or(0, |known| known.letter.cycles()),
            telling: !self.orders.is_empty(),
        }
    }

    /// Bytes that it takes, about.
    pub(crate) fn bytes(&self) -> usize {
        let body = self
            .transient()
            .map_or(0, |transient| transient.envelope.body.len());
        // Twice: as it came, and as it goes.
        2 * body + 1_000
    }
}

/// Opens and classifies a hand, and finds out what the quarantine has of it.
pub(crate) async fn sort<P: Quarantine + Sync>(
    ports: &P,
    hand: Vec<Received>,
    source: &SourceName,
    own: &OwnRoles,
    rules: Rules,
) -> Vec<Sorted> {
    let sorted = hand.into_iter().map(|received| Sorted::new(received, own, rules));
    let mut sorted: Vec<Sorted> = sorted.collect();
    let names: Vec<(usize, ObjectName, u32)> = sorted
        .iter()
        .enumerate()
        .filter_map(|(index, one)| Some((index, &one.known.as_ref()?.letter)))
        .flat_map(|(index, letter)| {
            let name = move |reason: &PoisonReason| {
                let name = ObjectName::of(letter, source, *reason);
                (index, name, letter.cycles())
            };
            PoisonReason::ALL.iter().map(name)
        })
        .collect();
    // Collected first: closures over a stream of borrows are not general enough for a future that moves threads.
    let reads: Vec<_> = names
        .into_iter()
        .map(|(index, name, cycles)| async move { (index, name.reason, is_kept(ports, &name, cycles).await) })
        .collect();
    let read: Vec<_> = stream::iter(reads)
        .buffer_unordered(READS_AT_ONCE)
        .collect()
        .await;
    for (index, reason, kept) in read {
        let Some(one) = sorted.get_mut(index) else {
            continue;
        };
        match kept {
            Ok(true) => one.kept = one.kept.map(|_| Some(reason)),
            Ok(false) => {}
            Err(NotRead) => one.kept = Err(NotRead),
        }
    }
    sorted
}

/// Whether the object of this name is there and holds the letter.
async fn is_kept<P: Quarantine>(ports: &P, name: &ObjectName, cycles: u32) -> Result<bool, NotRead> {
    match survive(ports.read_quarantined(&name.encode())).await {
        Some(Ok(body)) => Ok(body.is_some_and(|body| holds(&body, name, cycles) == Holds::This)),
        Some(Err(error)) => {
            tracing::warn!(event = "quarantine_not_read", reason = %error);
            Err(NotRead)
        }
        None => Err(NotRead),
    }
}

/// What an object holds under a letter's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    /// The letter, or a later copy of it.
    This,
    /// The letter as it was before somebody released it: that object is about to go, and must not be taken for this.
    Earlier,
    /// Something else.
    Foreign,
}

/// What an object of this name holds for a letter that was sent back so often.
pub(crate) fn holds(body: &[u8], name: &ObjectName, cycles: u32) -> Holds {
    match QuarantineObject::parse(body) {
        Ok(object) if object.name() != *name => Holds::Foreign,
        Ok(object) if object.attempts.cycles < cycles => Holds::Earlier,
        Ok(_) => Holds::This,
        Err(_) => Holds::Foreign,
    }
}

/// Finds out which letters can be the canary: their sender is registered, and something of them was not answered yet.
/// Whether that could be read; what cannot be makes no canary.
pub(crate) async fn find_telling<P: Registry + Outcomes>(ports: &P, hand: &mut [Sorted]) -> bool {
    match survive(telling(ports, hand)).await {
        Some(Ok(orders)) => {
            for (one, orders) in hand.iter_mut().zip(orders) {
                one.orders = orders;
            }
            true
        }
        Some(Err(error)) => {
            tracing::warn!(event = "canary_not_chosen", reason = %error);
            false
        }
        None => false,
    }
}

async fn telling<P: Registry + Outcomes>(
    ports: &P,
    hand: &[Sorted],
) -> Result<Vec<Vec<OrderKey>>, PortError> {
    let distinct: HashSet<Principal> = hand.iter().filter_map(principal).collect();
    let principals: Vec<Principal> = distinct.into_iter().collect();
    if principals.is_empty() {
        return Ok(vec![Vec::new(); hand.len()]);
    }
    let owners: HashMap<Principal, CounterpartyId> =
        ports.find_principals(&principals).await?.into_iter().collect();
    let orders: Vec<Vec<OrderKey>> = hand.iter().map(|one| orders_of(one, &owners)).collect();
    let named: HashSet<OrderKey> = orders.iter().flatten().cloned().collect();
    let named: Vec<OrderKey> = named.into_iter().collect();
    let heard: HashSet<OrderKey> = if named.is_empty() {
        HashSet::new()
    } else {
        let read = ports.read_outcomes(&named).await?.into_iter();
        let heard = read.filter(|(_, submission)| is_heard(submission.as_ref()));
        heard.map(|(order, _)| order).collect()
    };
    let tells = |orders: Vec<OrderKey>| {
        let news = orders.iter().any(|order| !heard.contains(order));
        if news { orders } else { Vec::new() }
    };
    Ok(orders.into_iter().map(tells).collect())
}

fn principal(one: &Sorted) -> Option<Principal> {
    match &one.transient()?.envelope.origin {
        Origin::Sender(sender) => sender.principal().ok(),
        Origin::OnBehalfOf(_) => None,
    }
}

fn orders_of(one: &Sorted, owners: &HashMap<Principal, CounterpartyId>) -> Vec<OrderKey> {
    let owner = principal(one).and_then(|principal| owners.get(&principal));
    let (Some(owner), Some(transient)) = (owner, one.transient()) else {
        return Vec::new();
    };
    let ids = transient.cl_ord_ids.iter();
    ids.map(|id| OrderKey::new(owner.clone(), id.clone())).collect()
}
