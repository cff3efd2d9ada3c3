//! The messages of a run: orders of everybody, some cancelled, some replaced, some sent twice.

use std::ops::RangeInclusive;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::configuration::Configuration;

/// How many messages before it a cancel's or a replace's original lies: at a few hundred messages a second, some
/// seconds.
const ORIGINALS: RangeInclusive<usize> = 1_000..=5_000;
/// How many messages before it the original of a copy lies, at most.
const COPIES: usize = 50;

/// What a message is, as far as the figures tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Interest,
    Replace,
    Other,
}

/// A message on its way.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) kind: Kind,
    /// Who sends it: from 1 on.
    pub(super) sender: usize,
    pub(super) body: String,
    /// After the first one.
    pub(super) sent_after: Duration,
}

struct Order {
    at: usize,
    name: String,
    owner: usize,
    side: &'static str,
    crossing: bool,
}

struct Flow<'a> {
    configuration: &'a Configuration,
    dice: StdRng,
    orders: Vec<Order>,
    messages: Vec<Message>,
}

/// Everything that is sent, in order of sending.
pub(super) fn messages(configuration: &Configuration) -> Vec<Message> {
    let mut flow = Flow {
        configuration,
        dice: StdRng::seed_from_u64(configuration.seed),
        orders: Vec::new(),
        messages: Vec::new(),
    };
    let pause = Duration::from_secs(1) / configuration.arrivals_per_second.max(1);
    for n in 0..configuration.messages {
        let (kind, sender, body) = flow.next(n);
        let sent_after = pause * u32::try_from(n).unwrap_or(u32::MAX);
        flow.messages.push(Message {
            kind,
            sender,
            body,
            sent_after,
        });
    }
    flow.messages
}

impl Flow<'_> {
    fn next(&mut self, n: usize) -> (Kind, usize, String) {
        let mix = self.configuration.mix;
        let drawn: f64 = self.dice.random();
        let known = !self.orders.is_empty();
        if known && drawn < mix.cancels {
            self.cancel(n)
        } else if known && drawn < mix.cancels + mix.replaces {
            self.replace(n)
        } else if known && drawn < mix.cancels + mix.replaces + mix.copies {
            self.copy()
        } else {
            self.interest(n)
        }
    }

    fn interest(&mut self, n: usize) -> (Kind, usize, String) {
        let owner = 1 + self
            .dice
            .random_range(0..self.configuration.counterparties.max(1));
        let side = if self.dice.random_bool(0.5) { "buy" } else { "sell" };
        let crossing = self.dice.random_bool(self.configuration.mix.crossing);
        let name = format!("O-{n}");
        let body = json!({
            "type": "interest", "clOrdId": name, "symbol": self.symbol(), "side": side,
            "orderQty": self.dice.random_range(1..10).to_string(), "price": self.price(side, crossing),
        });
        self.orders.push(Order {
            at: n,
            name,
            owner,
            side,
            crossing,
        });
        (Kind::Interest, owner, body.to_string())
    }

    fn symbol(&mut self) -> String {
        symbol(self.dice.random_range(0..self.configuration.symbols.max(1)))
    }

    /// Around 100 what crosses, well away from it what does not; ten ticks of each.
    fn price(&mut self, side: &str, crossing: bool) -> String {
        let away = self.dice.random_range(0..10);
        let cents: u32 = match (side, crossing) {
            ("buy", true) => 10_000 + away,
            (_, true) => 10_000 - away,
            ("buy", false) => 9_000 + away,
            (_, false) => 11_000 - away,
        };
        format!("{}.{:02}", cents / 100, cents % 100)
    }

    fn cancel(&mut self, n: usize) -> (Kind, usize, String) {
        let (name, owner, ..) = self.original(n);
        let body = json!({"type": "cancel", "clOrdId": format!("C-{n}"), "origClOrdId": name});
        (Kind::Other, owner, body.to_string())
    }

    fn replace(&mut self, n: usize) -> (Kind, usize, String) {
        let (name, owner, side, crossing) = self.original(n);
        let mut body = json!({
            "type": "replace", "clOrdId": format!("R-{n}"), "origClOrdId": name,
            "orderQty": self.dice.random_range(1..10).to_string(),
        });
        if self.dice.random_bool(0.5) {
            body["price"] = Value::from(self.price(side, crossing));
        }
        (Kind::Replace, owner, body.to_string())
    }

    /// An order sent so many messages ago, or any when there are not as many yet.
    fn original(&mut self, n: usize) -> (String, usize, &'static str, bool) {
        let latest = n.saturating_sub(*ORIGINALS.start());
        let earliest = n.saturating_sub(*ORIGINALS.end());
        let from = self.orders.partition_point(|order| order.at < earliest);
        let to = self.orders.partition_point(|order| order.at < latest);
        let range = if from < to { from..to } else { 0..self.orders.len() };
        let order = &self.orders[self.dice.random_range(range)];
        (order.name.clone(), order.owner, order.side, order.crossing)
    }

    fn copy(&mut self) -> (Kind, usize, String) {
        let back = self.dice.random_range(1..=COPIES.min(self.messages.len()));
        let original = &self.messages[self.messages.len() - back];
        let kind = match original.kind {
            Kind::Replace => Kind::Replace,
            Kind::Interest | Kind::Other => Kind::Other,
        };
        (kind, original.sender, original.body.clone())
    }
}

/// The `n`th symbol.
pub(super) fn symbol(n: usize) -> String {
    format!("HOT{n}")
}
