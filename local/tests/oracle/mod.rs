//! What a plain price–time book makes of a Bitstamp file: the answers that a replay must give.
//!
//! It shares no code with what it judges: it reads the text itself, counts in integers (satoshi, and units of
//! 10⁻⁸ USD), and looks at every resting interest for every match. It is slow and short on purpose.
//!
//! The rules: an arriving interest takes the best resting one of another counterparty at the resting price, equal
//! prices in order of arrival, until it is filled or nothing crosses; what is left rests. A cancel that comes
//! before its interest waits for it. A second cancel of an order is the first one again.

#![expect(
    clippy::panic,
    reason = "part of a test: a file that the oracle cannot read must fail the test, not be judged"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

const UNITS: i128 = 100_000_000;

/// What must come out. Quantities and the notional are decimals without trailing zeros.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) interests: u64,
    pub(crate) matches: Vec<Match>,
    pub(crate) matched_qty: String,
    pub(crate) notional: String,
    /// Interests that are cancelled, those included whose cancel came first.
    pub(crate) cancelled: u64,
    pub(crate) cancels_waiting: u64,
    pub(crate) too_late_to_cancel: u64,
    pub(crate) resting: u64,
    pub(crate) resting_qty: String,
    pub(crate) ignored: u64,
    /// Matches where another resting interest was as good and of the same millisecond: only there may a book that
    /// knows milliseconds and not the order of arrival find others.
    pub(crate) ties: u64,
}

/// One match: who came, who was there, how much, at what price.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Match {
    pub(crate) aggressor: String,
    pub(crate) resting: String,
    pub(crate) qty: String,
    pub(crate) price: String,
}

/// Where the real morning lies, beside the checkout; it is not part of it.
pub(crate) fn real_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/bitstamp-2015-05-01-orders.csv.xz")
}

/// The real morning, unpacked, or nothing and a word about it.
pub(crate) fn real_morning() -> Option<String> {
    let path = real_path();
    let Ok(file) = File::open(&path) else {
        // Not `println`: the test harness would keep it to itself.
        let _ = writeln!(
            io::stderr(),
            "SKIPPED: the real order flow is not at {}",
            path.display()
        );
        return None;
    };
    let mut text = String::new();
    match lzma_rust2::XzReader::new(file, true).read_to_string(&mut text) {
        Ok(_) => Some(text),
        Err(error) => panic!("{}: {error}", path.display()),
    }
}

/// The header and the first `events` events of a file.
pub(crate) fn head(csv: &str, events: usize) -> &str {
    let end = csv
        .match_indices('\n')
        .nth(events)
        .map_or(csv.len(), |(at, _)| at + 1);
    &csv[..end]
}

/// Replays the text of a file with its orders dealt out among `counterparties`.
pub(crate) fn judge(csv: &str, counterparties: u64) -> Verdict {
    let mut market = Market::default();
    let mut lines = csv.lines();
    assert_eq!(
        lines.next(),
        Some("id,timestamp,exchange.timestamp,price,volume,action,direction"),
        "not a Bitstamp file"
    );
    for line in lines {
        let fields: Vec<&str> = line.split(',').collect();
        let &[id, timestamp, _, price, volume, action, direction] = fields.as_slice() else {
            panic!("not seven fields: {line}");
        };
        let left = fixed_point(volume, 0);
        match action {
            "created" => market.arrive(Interest {
                id: id.to_owned(),
                owner: fnv_1a(id) % counterparties,
                buys: direction == "bid",
                price: fixed_point(price, 8),
                left,
                millis: fixed_point(timestamp, 0),
            }),
            "deleted" if left > 0 => market.cancel(id),
            _ => market.ignored += 1,
        }
    }
    market.verdict()
}

#[derive(Clone)]
struct Interest {
    id: String,
    owner: u64,
    buys: bool,
    price: i128,
    left: i128,
    millis: i128,
}

#[derive(Default)]
struct Market {
    /// In order of arrival.
    resting: Vec<Interest>,
    /// What has become of every interest that came and rests no more.
    ended: BTreeMap<String, End>,
    interests: u64,
    cancels: BTreeSet<String>,
    waiting: BTreeSet<String>,
    too_late: u64,
    ignored: u64,
    ties: u64,
    matches: Vec<(String, String, i128, i128)>,
}

#[derive(PartialEq, Eq)]
enum End {
    Filled,
    Cancelled,
}

impl Market {
    fn arrive(&mut self, mut new: Interest) {
        self.interests += 1;
        if self.waiting.remove(&new.id) {
            self.ended.insert(new.id, End::Cancelled);
            return;
        }
        while new.left > 0
            && let Some(best) = self.best_for(&new)
        {
            self.take(&mut new, best);
        }
        if new.left > 0 {
            self.resting.push(new);
        } else {
            self.ended.insert(new.id, End::Filled);
        }
    }

    /// The first of the best prices: the vector is in order of arrival.
    fn best_for(&self, new: &Interest) -> Option<usize> {
        let mut best: Option<usize> = None;
        for (index, other) in self.resting.iter().enumerate() {
            let better = best.is_none_or(|best| is_better(new, other.price, self.resting[best].price));
            if fits(new, other) && better {
                best = Some(index);
            }
        }
        best
    }

    fn take(&mut self, new: &mut Interest, best: usize) {
        let other = self.resting[best].clone();
        let as_good = |i: &&Interest| fits(new, i) && i.price == other.price && i.millis == other.millis;
        if self.resting.iter().filter(as_good).count() > 1 {
            self.ties += 1;
        }
        let qty = new.left.min(other.left);
        new.left -= qty;
        self.resting[best].left -= qty;
        if self.resting[best].left == 0 {
            self.resting.remove(best);
            self.ended.insert(other.id.clone(), End::Filled);
        }
        self.matches.push((new.id.clone(), other.id, qty, other.price));
    }

    fn cancel(&mut self, id: &str) {
        if !self.cancels.insert(id.to_owned()) {
            return;
        }
        let resting = self.resting.iter().position(|interest| interest.id == id);
        if let Some(index) = resting {
            self.resting.remove(index);
            self.ended.insert(id.to_owned(), End::Cancelled);
        } else if self.ended.contains_key(id) {
            self.too_late += 1;
        } else {
            self.waiting.insert(id.to_owned());
        }
    }

    fn verdict(self) -> Verdict {
        let cancelled = self.ended.values().filter(|end| **end == End::Cancelled).count();
        let matched: i128 = self.matches.iter().map(|(_, _, qty, _)| qty).sum();
        let notional: i128 = self.matches.iter().map(|(_, _, qty, price)| qty * price).sum();
        let resting: i128 = self.resting.iter().map(|interest| interest.left).sum();
        Verdict {
            interests: self.interests,
            matched_qty: shown(matched, UNITS),
            notional: shown(notional, UNITS * UNITS),
            cancelled: cancelled as u64,
            cancels_waiting: self.waiting.len() as u64,
            too_late_to_cancel: self.too_late,
            resting: self.resting.len() as u64,
            resting_qty: shown(resting, UNITS),
            ignored: self.ignored,
            ties: self.ties,
            matches: self.matches.into_iter().map(as_shown).collect(),
        }
    }
}

fn fits(new: &Interest, other: &Interest) -> bool {
    let crosses = if new.buys {
        other.price <= new.price
    } else {
        other.price >= new.price
    };
    new.buys != other.buys && new.owner != other.owner && crosses
}

fn is_better(new: &Interest, price: i128, than: i128) -> bool {
    if new.buys { price < than } else { price > than }
}

fn as_shown((aggressor, resting, qty, price): (String, String, i128, i128)) -> Match {
    Match {
        aggressor,
        resting,
        qty: shown(qty, UNITS),
        price: shown(price, UNITS),
    }
}

/// The whole number that a decimal is in units of 10^−`scale`.
fn fixed_point(text: &str, scale: usize) -> i128 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    match format!("{whole}{fraction:0<scale$}").parse() {
        Ok(units) if fraction.len() <= scale => units,
        _ => panic!("not a decimal of {scale} places: {text}"),
    }
}

fn shown(units: i128, one: i128) -> String {
    let places = one.ilog10() as usize;
    let text = format!("{}.{:0places$}", units / one, units % one);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn fnv_1a(text: &str) -> u64 {
    let mut hash = 14_695_981_039_346_656_037;
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(1_099_511_628_211);
    }
    hash
}
