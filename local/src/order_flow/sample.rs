//! The built-in sample: a made-up morning of one order book, in the form of a Bitstamp file.
//!
//! Nothing in it was observed. A price walks at random; makers quote around it and change their minds; takers come
//! for the best quote, or a part of it, or more. As in real files some cancels overtake their interest, some come
//! twice, and some name orders from before the file began.

use std::iter;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, SeedableRng};

use super::bitstamp::HEADER;

const EVENTS: usize = 2_000;

/// 2026-03-02T09:00:00Z, in milliseconds since the epoch.
const OPENING_MILLIS: u64 = 1_772_442_000_000;

const FIRST_ORDER_ID: u64 = 81_400_017;

/// Where the walk starts, in ticks of 0.01 USD.
const OPENING_TICKS: u64 = 25_130;

/// So many quotes stand before the first taker comes, and again whenever fewer are left.
const DEPTH: usize = 90;

const SEED: u64 = 20_260_302;

/// The sizes that people type, in satoshi; others send what a program worked out.
const ROUND_SIZES: [u64; 8] = [
    10_000_000,
    25_000_000,
    50_000_000,
    50_000_000,
    100_000_000,
    100_000_000,
    200_000_000,
    500_000_000,
];

/// The sample as the text of a file. Always the same text.
#[must_use]
pub fn csv() -> String {
    let mut morning = Morning::new();
    while morning.rows.len() < EVENTS {
        morning.step();
    }
    let lines = iter::once(HEADER.join(",")).chain(morning.rows);
    lines.map(|line| line + "\n").collect()
}

#[derive(Clone, Copy)]
enum Direction {
    Bid,
    Ask,
}

#[derive(Clone, Copy)]
struct Order {
    id: u64,
    direction: Direction,
    ticks: u64,
    satoshi: u64,
}

/// The morning so far. It keeps no book: `quotes` is what a maker believes to be standing.
struct Morning {
    /// A named generator, with reductions of our own: the crate keeps its output for good, unlike that of
    /// `StdRng` and of the ranges, and a sample must not change with an update.
    rng: Xoshiro256PlusPlus,
    rows: Vec<String>,
    at_millis: u64,
    next_id: u64,
    mid_ticks: u64,
    quotes: Vec<Order>,
}

impl Morning {
    fn new() -> Self {
        Self {
            rng: Xoshiro256PlusPlus::seed_from_u64(SEED),
            rows: Vec::with_capacity(EVENTS),
            at_millis: OPENING_MILLIS,
            next_id: FIRST_ORDER_ID,
            mid_ticks: OPENING_TICKS,
            quotes: Vec::new(),
        }
    }

    fn step(&mut self) {
        self.wait();
        self.walk();
        match self.below(100) {
            _ if self.quotes.len() < DEPTH => self.quote(),
            0..44 => self.quote(),
            44..82 => self.cancel(),
            82..83 => self.cancel_from_before(),
            _ => self.take(),
        }
    }

    /// Mostly a few seconds, now and then much more: the product of two draws.
    fn wait(&mut self) {
        self.at_millis += 40 + self.below(130) * self.below(130);
    }

    /// Mostly nowhere, else a tick or a few.
    fn walk(&mut self) {
        let step = self.below(4) * self.below(3) * self.below(2);
        self.mid_ticks = match self.coin() {
            Direction::Bid => self.mid_ticks + step,
            Direction::Ask => self.mid_ticks.saturating_sub(step),
        };
    }

    /// A maker's order: the closer to the price, the more of them.
    fn quote(&mut self) {
        let away = 2 + self.below(12) + self.below(16) * self.below(16) / 2;
        let direction = self.coin();
        let ticks = match direction {
            Direction::Bid => self.mid_ticks.saturating_sub(away),
            Direction::Ask => self.mid_ticks + away,
        };
        let satoshi = self.size();
        let order = self.order(direction, ticks, satoshi);
        if self.below(50) == 0 {
            self.row(order, "deleted");
            self.at_millis += 1 + self.below(30);
            self.row(order, "created");
        } else {
            self.row(order, "created");
            self.quotes.push(order);
        }
    }

    /// Of a few quotes, the one that is furthest from the price is given up.
    fn cancel(&mut self) {
        let candidates: Vec<usize> = (0..3).map(|_| self.any_quote()).collect();
        let distance = |index: &usize| self.quotes[*index].ticks.abs_diff(self.mid_ticks);
        if let Some(index) = candidates.into_iter().max_by_key(distance) {
            let order = self.quotes.swap_remove(index);
            self.row(order, "deleted");
            if self.below(60) == 0 {
                self.row(order, "deleted");
            }
        }
    }

    fn cancel_from_before(&mut self) {
        let id = FIRST_ORDER_ID - 1 - self.below(20_000);
        let (direction, away) = (self.coin(), self.below(400));
        let satoshi = self.size();
        let ticks = self.mid_ticks + away;
        self.row(
            Order {
                id,
                direction,
                ticks,
                satoshi,
            },
            "deleted",
        );
    }

    /// A taker's order, with a limit at the best quote of the other side or a little beyond.
    fn take(&mut self) {
        let direction = self.coin();
        let quotes = self.quotes.iter().enumerate();
        let best = match direction {
            Direction::Bid => quotes
                .filter(|(_, q)| q.direction.is_ask())
                .min_by_key(|(_, q)| q.ticks),
            Direction::Ask => quotes
                .filter(|(_, q)| !q.direction.is_ask())
                .max_by_key(|(_, q)| q.ticks),
        };
        let Some((index, quote)) = best.map(|(index, quote)| (index, *quote)) else {
            return;
        };
        let beyond = self.below(6);
        let ticks = match direction {
            Direction::Bid => quote.ticks + beyond,
            Direction::Ask => quote.ticks.saturating_sub(beyond),
        };
        let satoshi = self.wanted_of(index, quote);
        let order = self.order(direction, ticks, satoshi);
        self.row(order, "created");
    }

    /// How much a taker wants: a part of the quote, all of it, or more.
    fn wanted_of(&mut self, index: usize, quote: Order) -> u64 {
        let satoshi = match self.below(10) {
            0..4 => quote.satoshi * (1 + self.below(8)) / 10,
            4..7 => quote.satoshi,
            _ => quote.satoshi + self.size(),
        };
        if satoshi < quote.satoshi {
            self.quotes[index].satoshi -= satoshi;
        } else if self.below(12) > 0 {
            // The others have not seen that it is gone: their cancel will come too late.
            self.quotes.swap_remove(index);
        }
        satoshi
    }

    fn order(&mut self, direction: Direction, ticks: u64, satoshi: u64) -> Order {
        let id = self.next_id;
        self.next_id += 1 + self.below(3);
        Order {
            id,
            direction,
            ticks,
            satoshi,
        }
    }

    fn row(&mut self, order: Order, action: &str) {
        let Order {
            id,
            direction,
            ticks,
            satoshi,
        } = order;
        let (at, second) = (self.at_millis, self.at_millis / 1_000 * 1_000);
        let (whole, cents) = (ticks / 100, ticks % 100);
        let direction = if direction.is_ask() { "ask" } else { "bid" };
        self.rows.push(format!(
            "{id},{at},{second},{whole}.{cents:02},{satoshi},{action},{direction}"
        ));
    }

    fn size(&mut self) -> u64 {
        let round = usize::from(self.rng.next_u32().to_le_bytes()[0]);
        match self.below(3) {
            0 => 1_000_000 + self.below(300_000_000),
            _ => ROUND_SIZES[round % ROUND_SIZES.len()],
        }
    }

    fn any_quote(&mut self) -> usize {
        self.rng.next_u32() as usize % self.quotes.len().max(1)
    }

    fn coin(&mut self) -> Direction {
        if self.below(2) == 0 {
            Direction::Bid
        } else {
            Direction::Ask
        }
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.rng.next_u64() % bound
    }
}

impl Direction {
    fn is_ask(self) -> bool {
        matches!(self, Self::Ask)
    }
}
