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

/// The orders that a message names: itself, and its original.
pub(crate) fn named_by(task: &Task) -> Vec<OrderKey> {
    let own = std::iter::once(task.arrival.order.clone());
    own.chain(original(task)).collect()
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap as Inboxes;
    use std::sync::Arc;

    use symbolon_shared::domain::counterparty::Counterparty;
    use symbolon_shared::domain::decision::Arrival;
    use symbolon_shared::domain::identifiers::{ClOrdId, CounterpartyId, Principal};
    use symbolon_shared::domain::intake::{Member, parse_body};
    use symbolon_shared::domain::time::Timestamp;

    use super::*;

    fn key(name: &str) -> OrderKey {
        OrderKey::new(CounterpartyId::new("cp-a").unwrap(), ClOrdId::new(name).unwrap())
    }

    fn task(at: i64, body: &str) -> Task {
        let owner = CounterpartyId::new("cp-a").unwrap();
        let Member::Message(message) = parse_body(body).unwrap().remove(0) else {
            panic!("it bears a clOrdId")
        };
        Task {
            record: 0,
            arrival: Arrival {
                order: OrderKey::new(owner.clone(), message.cl_ord_id.clone()),
                message,
                sent_at: Timestamp::from_millis(at),
                receive_count: 1,
            },
            sender: Arc::new(Counterparty::new(
                owner,
                Principal::new("AROAEXAMPLE").unwrap(),
                Inboxes::new(),
            )),
        }
    }

    fn interest(at: i64, name: &str, symbol: &str) -> Task {
        let body = format!(
            r#"{{"type":"interest","clOrdId":"{name}","symbol":"{symbol}","side":"buy","orderQty":"1","price":"1"}}"#
        );
        task(at, &body)
    }

    fn cancel(at: i64, name: &str, original: &str) -> Task {
        task(
            at,
            &format!(r#"{{"type":"cancel","clOrdId":"{name}","origClOrdId":"{original}"}}"#),
        )
    }

    fn symbol(name: &str) -> LaneKey {
        LaneKey::Symbol(Symbol::new(name).unwrap())
    }

    fn lanes_of(tasks: &[Task]) -> BTreeMap<LaneKey, Vec<usize>> {
        assign(tasks, &HashMap::new())
    }

    #[test]
    fn a_lane_is_in_order_of_acceptance_and_equal_times_in_order_of_delivery() {
        let tasks = [
            interest(9, "A", "X"),
            interest(5, "B", "X"),
            interest(7, "C", "Y"),
            interest(5, "D", "X"),
            interest(1, "E", "X"),
        ];
        let expected = BTreeMap::from([(symbol("X"), vec![4, 1, 3, 0]), (symbol("Y"), vec![2])]);
        assert_eq!(lanes_of(&tasks), expected);
    }

    #[test]
    fn what_names_an_original_follows_it_through_the_batch() {
        let tasks = [
            cancel(3, "C", "B"),
            cancel(2, "B", "A"),
            interest(1, "A", "X"),
            cancel(4, "D", "NONE"),
            cancel(5, "E", "NONE"),
        ];
        let expected = BTreeMap::from([
            (symbol("X"), vec![2, 1, 0]),
            (LaneKey::Order(key("NONE")), vec![3, 4]),
        ]);
        assert_eq!(lanes_of(&tasks), expected);
    }

    #[test]
    fn a_circle_of_originals_is_one_lane() {
        let tasks = [
            cancel(1, "A", "C"),
            cancel(2, "B", "A"),
            cancel(3, "C", "B"),
            cancel(4, "D", "D"),
        ];
        let lanes = lanes_of(&tasks);
        assert_eq!(lanes.values().collect::<Vec<_>>(), [&vec![0, 1, 2], &vec![3]]);
    }

    #[test]
    fn a_reused_id_stays_in_the_lane_of_its_own_symbol() {
        let tasks = [interest(1, "A", "X"), interest(2, "A", "Y"), cancel(3, "B", "A")];
        let expected = BTreeMap::from([(symbol("X"), vec![0, 2]), (symbol("Y"), vec![1])]);
        assert_eq!(lanes_of(&tasks), expected);
    }

    /// With a walk for each message this would be 1.25 × 10⁹ steps.
    #[test]
    fn a_long_chain_of_originals_is_walked_once() {
        let tasks: Vec<Task> = (0..50_000)
            .map(|n| cancel(n, &format!("C-{n}"), &format!("C-{}", n + 1)))
            .collect();
        let lanes = lanes_of(&tasks);
        assert_eq!(lanes.len(), 1);
        assert!(lanes.contains_key(&LaneKey::Order(key("C-50000"))));
    }
}
