//! Random scripts: what everybody sends, in what order it arrives, who works at the same time, what is lost on the
//! way, what the operator changes meanwhile. At the end, everything processed, every invariant holds.

use proptest::prelude::*;

use super::world::{Handler, Response, SYMBOLS, World};
use crate::domain::counterparty::Standing;
use crate::domain::time::Timestamp;

const COUNTERPARTIES: usize = 4;

/// Ids that each counterparty uses: few enough that cancels and replaces find their originals, and that an id is
/// now and then used twice.
const IDS: u8 = 14;

#[derive(Debug, Clone)]
enum Request {
    Interest {
        symbol: usize,
        buys: bool,
        qty: u32,
        price: u32,
        min_qty: Option<u32>,
        life_ms: Option<u16>,
        ack: bool,
    },
    Cancel,
    Replace {
        qty: u32,
        price: Option<u32>,
        min_qty: Option<u32>,
        life_ms: Option<u16>,
    },
    Status,
}

#[derive(Debug, Clone)]
struct Sending {
    owner: usize,
    id: u8,
    /// What a cancel, replace or status is about.
    original: u8,
    request: Request,
}

#[derive(Debug, Clone)]
enum Step {
    Send(Sending),
    /// The client sends one of its messages again, or the queue delivers it again.
    Repeat(prop::sample::Index),
    /// A handler takes some messages; so many may share a transaction.
    Take {
        count: usize,
        most: usize,
    },
    /// A handler does its next step.
    Work(prop::sample::Index, bool),
    /// A handler stops half way.
    Crash(prop::sample::Index),
    Wait(u8),
    Standing(usize, bool),
    Exclude(usize, usize),
    Tradable(usize, bool),
}

fn interest() -> impl Strategy<Value = Request> {
    let symbol = prop_oneof![3 => Just(0_usize), 1 => Just(1)];
    let min_qty = prop_oneof![3 => Just(None), 2 => (1_u32..9).prop_map(Some)];
    let life_ms = prop_oneof![5 => Just(None), 1 => (1_u16..200).prop_map(Some)];
    (
        symbol,
        any::<bool>(),
        1_u32..13,
        97_u32..104,
        min_qty,
        life_ms,
        any::<bool>(),
    )
        .prop_map(
            |(symbol, buys, qty, price, min_qty, life_ms, ack)| Request::Interest {
                symbol,
                buys,
                qty,
                price,
                min_qty,
                life_ms,
                ack,
            },
        )
}

fn replace() -> impl Strategy<Value = Request> {
    let price = prop::option::of(97_u32..104);
    let min_qty = prop_oneof![3 => Just(None), 1 => (1_u32..6).prop_map(Some)];
    let life_ms = prop_oneof![5 => Just(None), 1 => (1_u16..200).prop_map(Some)];
    (1_u32..13, price, min_qty, life_ms).prop_map(|(qty, price, min_qty, life_ms)| Request::Replace {
        qty,
        price,
        min_qty,
        life_ms,
    })
}

fn sending() -> impl Strategy<Value = Step> {
    let request = prop_oneof![
        10 => interest(),
        4 => Just(Request::Cancel),
        6 => replace(),
        1 => Just(Request::Status),
    ];
    (0..COUNTERPARTIES, 0..IDS, 0..IDS, request).prop_map(|(owner, id, original, request)| {
        Step::Send(Sending {
            owner,
            id,
            original,
            request,
        })
    })
}

/// What happens outside the handlers.
fn outside() -> impl Strategy<Value = Step> {
    prop_oneof![
        24 => sending(),
        3 => any::<prop::sample::Index>().prop_map(Step::Repeat),
        2 => (1_u8..60).prop_map(Step::Wait),
        1 => (0..COUNTERPARTIES, prop::bool::weighted(0.3)).prop_map(|(one, on)| Step::Standing(one, on)),
        1 => (0..COUNTERPARTIES, 0..COUNTERPARTIES).prop_map(|(one, other)| Step::Exclude(one, other)),
        1 => (0..SYMBOLS.len(), prop::bool::weighted(0.3)).prop_map(|(one, on)| Step::Tradable(one, on)),
    ]
}

/// The same, with several handlers at work.
fn anything() -> impl Strategy<Value = Step> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        30 => outside(),
        10 => (1_usize..5, 1_usize..4).prop_map(|(count, most)| Step::Take { count, most }),
        30 => (index(), prop::bool::weighted(0.1)).prop_map(|(handler, lost)| Step::Work(handler, lost)),
        4 => index().prop_map(Step::Crash),
    ]
}

fn amount(cents: u32) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

fn optional(field: &str, value: Option<String>) -> String {
    value.map_or_else(String::new, |value| format!(r#","{field}":"{value}""#))
}

fn expiry(now: Timestamp, life_ms: Option<u16>) -> Option<String> {
    life_ms.map(|life| now.plus_millis(life.into()).to_rfc3339())
}

impl Sending {
    fn body(&self, now: Timestamp) -> String {
        let (id, original) = (self.id, self.original);
        let head = |kind: &str| {
            format!(r#"{{"type":"{kind}","clOrdId":"order-{id}","origClOrdId":"order-{original}""#)
        };
        match &self.request {
            Request::Cancel => head("cancel") + "}",
            Request::Status => head("status") + "}",
            Request::Replace {
                qty,
                price,
                min_qty,
                life_ms,
            } => {
                let qty = format!(r#","orderQty":"{}""#, amount(*qty));
                let terms = optional("price", price.map(amount)) + &optional("minQty", min_qty.map(amount));
                head("replace") + &qty + &terms + &optional("expireTime", expiry(now, *life_ms)) + "}"
            }
            Request::Interest {
                symbol,
                buys,
                qty,
                price,
                min_qty,
                life_ms,
                ack,
            } => {
                let (symbol, side) = (SYMBOLS[*symbol], if *buys { "buy" } else { "sell" });
                let (qty, price) = (amount(*qty), amount(*price));
                let terms =
                    optional("minQty", min_qty.map(amount)) + &optional("expireTime", expiry(now, *life_ms));
                format!(
                    r#"{{"type":"interest","clOrdId":"order-{id}","symbol":"{symbol}","side":"{side}","orderQty":"{qty}","price":"{price}"{terms},"ack":{ack}}}"#
                )
            }
        }
    }
}

/// A world and the handlers at work in it.
struct Run {
    world: World,
    handlers: Vec<Handler>,
    bodies: Vec<(usize, String, Timestamp)>,
}

impl Run {
    fn new(page_entries: usize) -> Self {
        Self {
            world: World::new(COUNTERPARTIES, page_entries),
            handlers: Vec::new(),
            bodies: Vec::new(),
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Send(sending) => {
                let (body, now) = (sending.body(self.world.now), self.world.now);
                self.world.send(sending.owner, &body);
                self.bodies.push((sending.owner, body, now));
            }
            Step::Repeat(which) => self.repeat(*which),
            Step::Take { count, most } => {
                self.handlers.push(Handler::take(&mut self.world, *count, *most));
            }
            Step::Work(which, lost) => self.work(*which, *lost),
            Step::Crash(which) => {
                if !self.handlers.is_empty() {
                    let handler = self.handlers.swap_remove(which.index(self.handlers.len()));
                    handler.crash(&mut self.world);
                }
            }
            Step::Wait(millis) => self.world.wait(i64::from(*millis)),
            Step::Standing(..) | Step::Exclude(..) | Step::Tradable(..) => self.change(step),
        }
    }

    fn repeat(&mut self, which: prop::sample::Index) {
        if !self.bodies.is_empty() {
            let (owner, body, sent_at) = &self.bodies[which.index(self.bodies.len())];
            self.world.send_as_of(*owner, body, *sent_at);
        }
    }

    fn work(&mut self, which: prop::sample::Index, lost: bool) {
        if self.handlers.is_empty() {
            return;
        }
        let which = which.index(self.handlers.len());
        let response = if lost { Response::IsLost } else { Response::Comes };
        if self.handlers[which].step(&mut self.world, response) {
            self.handlers.swap_remove(which);
        }
    }

    /// The operator's changes are judged from a moment on at which nobody decides by what was before.
    fn change(&mut self, step: &Step) {
        self.finish_handlers();
        match step {
            Step::Standing(one, active) => {
                let standing = if *active {
                    Standing::Active
                } else {
                    Standing::Suspended
                };
                self.world.set_standing(*one, standing);
            }
            Step::Exclude(one, other) => self.world.exclude(*one, *other),
            Step::Tradable(symbol, tradable) => self.world.set_tradable(SYMBOLS[*symbol], *tradable),
            _ => {}
        }
    }

    fn finish_handlers(&mut self) {
        for handler in self.handlers.drain(..) {
            handler.finish(&mut self.world);
        }
    }

    /// Everything that is still under way comes to its end.
    fn finish(mut self) -> World {
        self.finish_handlers();
        self.world.settle();
        self.world
    }
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..ProptestConfig::with_cases(cases)
    }
}

proptest! {
    #![proptest_config(cases(250))]

    /// Each message is taken to its end before the next.
    #[test]
    fn one_after_the_other_every_invariant_holds(
        steps in prop::collection::vec(outside(), 1..70),
        page_entries in 1_usize..5,
    ) {
        let mut run = Run::new(page_entries);
        for step in &steps {
            run.step(step);
            run.world.settle();
        }
        let broken = run.finish().broken_invariants();
        prop_assert!(broken.is_empty(), "{broken:#?}");
    }

    /// Messages arrive in batches, handlers interleave, answers of writes are lost, handlers die half way.
    #[test]
    fn side_by_side_every_invariant_holds(
        steps in prop::collection::vec(anything(), 1..160),
        page_entries in 1_usize..5,
    ) {
        let mut run = Run::new(page_entries);
        for step in &steps {
            run.step(step);
        }
        let broken = run.finish().broken_invariants();
        prop_assert!(broken.is_empty(), "{broken:#?}");
    }

    /// Whole batches at once, many decisions in one transaction, nobody else at work.
    #[test]
    fn in_batches_every_invariant_holds(
        steps in prop::collection::vec(outside(), 1..100),
        page_entries in 1_usize..5,
        batch in 2_usize..30,
    ) {
        let mut run = Run::new(page_entries);
        for steps in steps.chunks(batch) {
            for step in steps {
                run.step(step);
            }
            Handler::take(&mut run.world, batch, usize::MAX).finish(&mut run.world);
        }
        let broken = run.finish().broken_invariants();
        prop_assert!(broken.is_empty(), "{broken:#?}");
    }
}
