//! What the pure core costs: no table, no queue, no runtime.
//!
//! `cargo bench` runs it. Each benchmark of a decision is taken with books of 10², 10⁴ and 10⁶ entries, so that what
//! grows with the book is seen beside what does not. Under `cargo test --benches` everything runs once, on small
//! books.
//! What it is **not**: the handler. What its requests cost, `cargo run --release -- bench` counts.

#![expect(
    clippy::unwrap_used,
    reason = "a bench that cannot be set up has nothing to say"
)]

mod floor;

use std::cell::RefCell;

use divan::counter::ItemsCount;
use divan::{AllocProfiler, Bencher, black_box};
use symbolon_shared::domain::decimal::Quantity;
use symbolon_shared::domain::identifiers::{ClOrdId, CounterpartyId, OrderKey, Side};
use symbolon_shared::domain::intake::parse_body;
use symbolon_shared::domain::token::{Commitment, MatchId, Parties, PartyLeg};

use self::floor::{Floor, key, quantity};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

/// What a counterparty sends: every field that an interest may have.
const BODY: &str = r#"{"type":"interest","clOrdId":"order-000000000001","symbol":"BTCUSD","side":"buy","orderQty":"12.5","price":"236.47","minQty":"0.5","expireTime":"2026-12-31T00:00:00Z","ack":true}"#;

/// Interests of one sample. The floor is made good between samples, so the book changes by no more than this.
const SAMPLE: u32 = 10;

fn main() {
    divan::main();
}

/// Entries in the book. A million takes its time to be laid out: only where it is measured.
fn sizes() -> impl Iterator<Item = usize> {
    let measuring = std::env::args().any(|argument| argument == "--bench");
    let sizes: &[usize] = if measuring {
        &[100, 10_000, 1_000_000]
    } else {
        &[100]
    };
    sizes.iter().copied()
}

/// An interest that meets nobody and is put into the book.
#[divan::bench(args = sizes(), sample_size = SAMPLE, sample_count = 300)]
fn interest_that_rests(bencher: Bencher<'_, '_>, entries: usize) {
    measure(bencher, entries, "0.01", "1");
}

/// An interest that takes the best entry, though its limit reaches every entry of the book.
#[divan::bench(args = sizes(), sample_size = SAMPLE, sample_count = 300)]
fn interest_that_takes_the_best(bencher: Bencher<'_, '_>, entries: usize) {
    measure(bencher, entries, "999999", "1");
}

/// An interest that takes ten entries at ten prices, and could go on.
#[divan::bench(args = sizes(), sample_size = SAMPLE, sample_count = 100)]
fn interest_that_walks_ten_levels(bencher: Bencher<'_, '_>, entries: usize) {
    measure(bencher, entries, "999999", "10");
}

/// Decides and applies one interest at a time on a book of `entries`.
fn measure(bencher: Bencher<'_, '_>, entries: usize, price: &str, order_qty: &str) {
    // A sample of ten orders may take a hundred entries: they come on top, so that the book is never smaller.
    let floor = RefCell::new(Floor::with_book(entries + 10 * SAMPLE as usize));
    bencher
        .counter(ItemsCount::new(1_u32))
        .with_inputs(|| {
            let mut floor = floor.borrow_mut();
            floor.make_good();
            floor.order(price, order_qty)
        })
        .bench_local_values(|order| floor.borrow_mut().trade(order));
}

/// The body of an intake message, from text to a parsed message with its hash.
#[divan::bench]
fn parse_of_an_intake_body(bencher: Bencher<'_, '_>) {
    bencher
        .counter(ItemsCount::new(1_u32))
        .bench(|| parse_body(black_box(BODY)));
}

/// A bundle as long as the contract lets it be.
#[divan::bench]
fn parse_of_a_bundle_of_500(bencher: Bencher<'_, '_>) {
    let members = vec![BODY; 500].join(",");
    let bundle = format!(r#"{{"type":"bundle","messages":[{members}]}}"#);
    assert_eq!(parse_body(&bundle).unwrap().len(), 500);
    bencher
        .counter(ItemsCount::new(500_u32))
        .bench(|| parse_body(black_box(&bundle)));
}

/// Both tokens of a match, their commitment, and its parties sealed.
#[divan::bench]
fn mint_and_seal_of_a_match(bencher: Bencher<'_, '_>) {
    let key = key();
    let leg = |owner: &str| PartyLeg {
        order: OrderKey::new(
            CounterpartyId::new(owner).unwrap(),
            ClOrdId::new("order-000000000001").unwrap(),
        ),
        cum_qty: quantity("1"),
        leaves_qty: quantity("2"),
        cxl_qty: Quantity::ZERO,
    };
    let parties = Parties {
        buyer: leg("cp-000001"),
        seller: leg("cp-000002"),
    };
    bencher.counter(ItemsCount::new(1_u32)).bench(|| {
        let match_id = MatchId::from_random(black_box([7; 16]));
        let buy = key.token(match_id, Side::Buy, &parties.buyer.order.owner);
        let sell = key.token(match_id, Side::Sell, &parties.seller.order.owner);
        let commitment = Commitment::of(&buy, &sell);
        (buy, sell, commitment, key.seal(match_id, &parties, [9; 12]))
    });
}
