//! A desk with a book on it, and interests for it. Only [`Floor::trade`] is measured.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use symbolon_shared::domain::book::{BookKey, Entry, EntryKey, Rank, Version};
use symbolon_shared::domain::change_set::ChangeSet;
use symbolon_shared::domain::counterparty::Counterparty;
use symbolon_shared::domain::decimal::{Price, Quantity};
use symbolon_shared::domain::decision::{Arrival, Effect, Entropy, Surroundings, decide};
use symbolon_shared::domain::desk::Desk;
use symbolon_shared::domain::form::Form;
use symbolon_shared::domain::identifiers::{ClOrdId, CounterpartyId, OrderKey, Principal, Side, Symbol};
use symbolon_shared::domain::intake::{Member, parse_body};
use symbolon_shared::domain::parameters::{MatchParameters, PricePolicy};
use symbolon_shared::domain::time::Timestamp;
use symbolon_shared::domain::token::{DataKey, EpochId, EpochKey};

const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);
const SYMBOL: &str = "BTCUSD";
/// Whose interests rest: 1 to 11; 0 is who sends.
const COUNTERPARTIES: usize = 12;

/// The key of the day.
pub(crate) fn key() -> EpochKey {
    EpochKey::derive(EpochId::new(NOW, 1), DataKey::new([7; 32]))
}

/// A quantity.
pub(crate) fn quantity(text: &str) -> Quantity {
    Quantity::parse(text).unwrap()
}

/// Never the same bytes twice, at no cost: drawing them is the handler's.
#[derive(Default)]
struct Counter(u64);

impl Entropy for Counter {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.0 += 1;
        let counted = self.0.to_be_bytes();
        let from = bytes.len() - counted.len();
        bytes[from..].copy_from_slice(&counted);
    }
}

/// An interest on its way to the desk, and where it would rest.
pub(crate) struct Order {
    arrival: Arrival,
    entry: EntryKey,
}

/// A desk with one selling book: at each price one entry of quantity 1. Nobody buys, but who comes.
pub(crate) struct Floor {
    desk: Desk,
    key: EpochKey,
    sender: Counterparty,
    entropy: Counter,
    sent: u64,
    traded: Traded,
}

/// What has to be undone before the next sample.
#[derive(Default)]
struct Traded {
    /// Entries taken: always the best ones.
    entries: usize,
    /// Who came, and where they may rest.
    orders: Vec<(OrderKey, EntryKey)>,
}

impl Floor {
    /// A floor with so many entries in its selling book, all of them known.
    pub(crate) fn with_book(entries: usize) -> Self {
        let mut desk = Desk::default();
        let all = (0..COUNTERPARTIES).map(counterparty);
        desk.learn_counterparties(all.map(|one| (one.id.clone(), Some(one))));
        desk.learn_parameters(symbol(), Some(parameters()));
        let everything = Rank::bound(Side::Sell, Price::parse("999999").unwrap());
        desk.learn_page(&book(Side::Sell), (0..entries).map(entry).collect(), everything);
        desk.learn_page(&book(Side::Buy), Vec::new(), Rank::bound(Side::Buy, tick()));
        Self {
            desk,
            key: key(),
            sender: counterparty(0),
            entropy: Counter::default(),
            sent: 0,
            traded: Traded::default(),
        }
    }

    /// An interest in buying, seen for the first time: its submission has been read, and there is none.
    pub(crate) fn order(&mut self, price: &str, order_qty: &str) -> Order {
        self.sent += 1;
        let body = format!(
            r#"{{"type":"interest","clOrdId":"order-{:012}","symbol":"{SYMBOL}","side":"buy","orderQty":"{order_qty}","price":"{price}"}}"#,
            self.sent
        );
        let Some(Member::Message(message)) = parse_body(&body).unwrap().pop() else {
            unreachable!("an interest is a message")
        };
        let order = OrderKey::new(self.sender.id.clone(), message.cl_ord_id.clone());
        self.desk.learn_submissions([(order.clone(), None)]);
        let rank = Rank::new(Side::Buy, Price::parse(price).unwrap(), NOW, &order);
        Order {
            entry: EntryKey {
                book: book(Side::Buy),
                rank,
            },
            arrival: Arrival {
                order,
                message,
                sent_at: NOW,
                receive_count: 1,
            },
        }
    }

    /// What is measured: one interest decided, and the desk after it.
    pub(crate) fn trade(&mut self, order: Order) -> Effect {
        let around = Surroundings {
            now: NOW,
            region: "us-east-1",
            generation: 1,
            key: &self.key,
        };
        let decided = decide(
            &self.desk,
            &order.arrival,
            &self.sender,
            &around,
            &mut self.entropy,
        );
        let effect = decided.unwrap_or_else(|need| unreachable!("everything is on the desk: {need:?}"));
        self.desk.apply(&effect.changes);
        self.traded.entries += effect.made.len();
        self.traded.orders.push((order.arrival.order, order.entry));
        effect
    }

    /// Puts back what was taken, and takes out who came: the next sample finds the floor as it was.
    pub(crate) fn make_good(&mut self) {
        let traded = std::mem::take(&mut self.traded);
        let mut changes = ChangeSet::default();
        for entry in (0..traded.entries).map(entry) {
            self.desk.forget_submissions([&entry.order()]);
            changes.insert_entry(entry);
        }
        for (order, entry) in traded.orders {
            self.desk.forget_submissions([&order]);
            changes.delete_entry(entry, Version::FIRST);
        }
        self.desk.apply(&changes);
    }
}

fn symbol() -> Symbol {
    Symbol::new(SYMBOL).unwrap()
}

fn tick() -> Price {
    Price::parse("0.01").unwrap()
}

fn book(side: Side) -> BookKey {
    BookKey {
        symbol: symbol(),
        side,
    }
}

fn parameters() -> MatchParameters {
    MatchParameters {
        symbol: symbol(),
        tick: tick(),
        lot: quantity("1"),
        price_policy: PricePolicy::Resting,
        currency: "USD".to_owned(),
        security_id: None,
        tradable: true,
        version: 1,
    }
}

fn counterparty(number: usize) -> Counterparty {
    Counterparty::new(
        CounterpartyId::new(format!("cp-{number:06}")).unwrap(),
        Principal::new(format!("AROA{number:017}")).unwrap(),
        BTreeMap::new(),
    )
}

/// The entry at the price of this number: 100.00, and a tick more with each.
fn entry(number: usize) -> Entry {
    let ticks = 10_000 + i64::try_from(number).unwrap();
    let price = Price::from_decimal(Decimal::new(ticks, 2)).unwrap();
    let order = OrderKey::new(
        counterparty(1 + number % (COUNTERPARTIES - 1)).id,
        ClOrdId::new(format!("resting-{number:012}")).unwrap(),
    );
    let accepted_at = NOW.plus_millis(-60_000);
    let expire_time = NOW.plus_days(30);
    Entry {
        v: Form,
        book: book(Side::Sell),
        rank: Rank::new(Side::Sell, price, accepted_at, &order),
        owner: order.owner,
        cl_ord_id: order.cl_ord_id,
        price,
        cum_qty: Quantity::ZERO,
        leaves_qty: quantity("1"),
        min_qty: Quantity::ZERO,
        expire_time,
        version: Version::FIRST,
        generation: 1,
        expires_at: expire_time.as_seconds_ceil(),
    }
}
