//! Lanes: which messages of a batch must be taken one after the other. Pure.

use std::collections::{BTreeMap, HashMap};

use symbolon_shared::domain::identifiers::{OrderKey, Symbol};
use symbolon_shared::domain::intake::Request;
use symbolon_shared::domain::submission::Submission;

use crate::admission::Task;

/// What a lane is for: a symbol, or an order whose symbol is not known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LaneKey {
    /// Everything about one symbol, both sides together.
    Symbol(Symbol),
    /// Messages about an order that is neither in the batch nor stored.
    Order(OrderKey),
}

/// The originals that a batch's messages name.
pub(crate) fn originals(tasks: &[Task]) -> impl Iterator<Item = OrderKey> + '_ {
    tasks.iter().filter_map(original)
}

fn original(task: &Task) -> Option<OrderKey> {
    let original = task.arrival.message.request.as_ref().ok()?.original()?;
    Some(OrderKey::new(task.arrival.order.owner.clone(), original.clone()))
}

/// Puts each task into its lane; in each, in order of acceptance, equal times in order of delivery. A cancel,
/// replace or status runs in the lane of its original's symbol, known from the batch, else from its submission.
pub(crate) fn assign(
    tasks: &[Task],
    stored: &HashMap<OrderKey, Option<Submission>>,
) -> BTreeMap<LaneKey, Vec<usize>> {
    let mut about: HashMap<OrderKey, &Task> = HashMap::new();
    for task in tasks {
        about.entry(task.arrival.order.clone()).or_insert(task);
    }
    let mut lanes: BTreeMap<LaneKey, Vec<usize>> = BTreeMap::new();
    for (index, task) in tasks.iter().enumerate() {
        lanes
            .entry(lane_of(task, &about, stored))
            .or_default()
            .push(index);
    }
    for lane in lanes.values_mut() {
        // Stable: equal times stay in order of delivery.
        lane.sort_by_key(|index| tasks.get(*index).map(|task| task.arrival.sent_at));
    }
    lanes
}

fn lane_of(
    task: &Task,
    about: &HashMap<OrderKey, &Task>,
    stored: &HashMap<OrderKey, Option<Submission>>,
) -> LaneKey {
    let mut order = task.arrival.order.clone();
    let mut current = Some(task);
    // A replace names an original that may be a replace of the batch too; each step follows one message, so a
    // circle of them ends after as many steps as there are messages.
    for _ in 0..=about.len() {
        let Some(task) = current else { break };
        match &task.arrival.message.request {
            Ok(Request::Interest(interest)) => return LaneKey::Symbol(interest.symbol.clone()),
            _ => match original(task) {
                Some(next) => {
                    current = about.get(&next).copied();
                    order = next;
                }
                None => break,
            },
        }
    }
    let known = stored.get(&order).and_then(Option::as_ref);
    match known.and_then(|submission| submission.terms.as_ref()) {
        Some(terms) => LaneKey::Symbol(terms.symbol.clone()),
        None => LaneKey::Order(order),
    }
}
