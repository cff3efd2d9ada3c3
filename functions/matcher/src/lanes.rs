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
    let mut map = LaneMap::new(tasks, stored);
    let mut lanes: BTreeMap<LaneKey, Vec<usize>> = BTreeMap::new();
    for (index, task) in tasks.iter().enumerate() {
        lanes.entry(map.lane_of(task)).or_default().push(index);
    }
    for lane in lanes.values_mut() {
        // Stable: equal times stay in order of delivery.
        lane.sort_by_key(|index| tasks.get(*index).map(|task| task.arrival.sent_at));
    }
    lanes
}

/// Which lane each order belongs to.
struct LaneMap<'a> {
    about: HashMap<&'a OrderKey, &'a Task>,
    stored: &'a HashMap<OrderKey, Option<Submission>>,
    found: HashMap<OrderKey, LaneKey>,
}

impl<'a> LaneMap<'a> {
    fn new(tasks: &'a [Task], stored: &'a HashMap<OrderKey, Option<Submission>>) -> Self {
        let mut about = HashMap::new();
        for task in tasks {
            about.entry(&task.arrival.order).or_insert(task);
        }
        Self {
            about,
            stored,
            found: HashMap::new(),
        }
    }

    fn lane_of(&mut self, task: &Task) -> LaneKey {
        match (symbol_of(task), original(task)) {
            (Some(symbol), _) => LaneKey::Symbol(symbol),
            (None, Some(original)) => self.lane_of_order(original),
            (None, None) => self.lane_as_stored(&task.arrival.order),
        }
    }

    /// An original may name an original of the batch too. What is found holds for every order on the way, so that a
    /// sender cannot make the way long again and again; and an order met twice closes a circle.
    fn lane_of_order(&mut self, order: OrderKey) -> LaneKey {
        let (mut way, mut current) = (Vec::new(), order);
        let lane = loop {
            if let Some(known) = self.found.get(&current) {
                break known.clone();
            }
            self.found
                .insert(current.clone(), LaneKey::Order(current.clone()));
            way.push(current.clone());
            let task = self.about.get(&current).copied();
            if let Some(symbol) = task.and_then(symbol_of) {
                break LaneKey::Symbol(symbol);
            }
            match task.and_then(original) {
                Some(next) => current = next,
                None => break self.lane_as_stored(&current),
            }
        };
        self.found
            .extend(way.into_iter().map(|order| (order, lane.clone())));
        lane
    }

    fn lane_as_stored(&self, order: &OrderKey) -> LaneKey {
        let known = self.stored.get(order).and_then(Option::as_ref);
        match known.and_then(|submission| submission.terms.as_ref()) {
            Some(terms) => LaneKey::Symbol(terms.symbol.clone()),
            None => LaneKey::Order(order.clone()),
        }
    }
}

fn symbol_of(task: &Task) -> Option<Symbol> {
    match &task.arrival.message.request {
        Ok(Request::Interest(interest)) => Some(interest.symbol.clone()),
        _ => None,
    }
}
