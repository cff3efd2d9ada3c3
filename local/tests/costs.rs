//! `docs/costs.md` is reckoned from its own prices, assumptions and workloads.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fmt::Write as _;

use rust_decimal::{Decimal, RoundingStrategy};

const BEGIN: &str = "<!-- reckoned: begin -->\n";
const END: &str = "<!-- reckoned: end -->\n";
const DAYS_OF_A_MONTH: Decimal = Decimal::from_parts(304_375, 0, 0, false, 4);

fn page() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/costs.md")).unwrap()
}

fn cells(line: &str) -> Vec<&str> {
    line.trim_matches('|').split('|').map(str::trim).collect()
}

/// The rows of the table that begins with `head`: the first cell → the others.
fn table(page: &str, head: &str) -> BTreeMap<String, Vec<Decimal>> {
    page.lines()
        .skip_while(|line| !line.starts_with(&format!("| {head} |")))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let row = cells(line);
            let values = row[1..].iter().map(|value| value.parse().unwrap()).collect();
            (row[0].to_owned(), values)
        })
        .collect()
}

struct Book {
    prices: BTreeMap<String, Vec<Decimal>>,
    assumptions: BTreeMap<String, Vec<Decimal>>,
    workloads: BTreeMap<String, Vec<Decimal>>,
}

fn find(rows: &BTreeMap<String, Vec<Decimal>>, beginning: &str, column: usize) -> Decimal {
    let found: Vec<_> = rows
        .iter()
        .filter(|(name, _)| name.starts_with(beginning))
        .collect();
    assert_eq!(found.len(), 1, "rows that begin with {beginning:?}");
    found[0].1[column]
}

impl Book {
    fn of(page: &str) -> Self {
        Self {
            prices: table(page, "Price"),
            assumptions: table(page, "Assumption"),
            workloads: table(page, "For each interest"),
        }
    }

    fn price(&self, of: &str) -> Decimal {
        find(&self.prices, of, 0)
    }

    fn assumed(&self, what: &str) -> Decimal {
        find(&self.assumptions, what, 0)
    }

    /// What one interest of a workload takes of each thing, and what a million of these costs.
    fn lines(&self, workload: usize) -> Vec<(&'static str, Decimal, Decimal)> {
        let load = |what: &str| find(&self.workloads, what, workload);
        let regions = self.assumed("regions");
        let (both, sqs) = (Decimal::TWO, self.price("a million requests to SQS"));
        let stored = load("messages in") * self.assumed("KB stored of an interest")
            + load("matches") * self.assumed("KB stored of a match");
        let months = self.assumed("days that both are kept") / DAYS_OF_A_MONTH;
        let seconds = self.assumed("milliseconds of Lambda") / Decimal::ONE_THOUSAND;
        vec![
            (
                "write units, in each region",
                load("write units") * regions,
                self.price("a million write units"),
            ),
            (
                "read units",
                load("read units"),
                self.price("a million read units"),
            ),
            (
                "requests that send to the intakes",
                load("messages in") * regions / self.assumed("messages that a counterparty sends"),
                sqs,
            ),
            (
                "requests of the mapping",
                load("messages in") * both / self.assumed("messages that the mapping receives"),
                sqs,
            ),
            (
                "requests that send to inboxes",
                load("messages out") / self.assumed("inbox messages"),
                sqs,
            ),
            (
                "requests that empty inboxes",
                load("messages out") * both / self.assumed("messages that a counterparty receives"),
                sqs,
            ),
            (
                "Lambda requests",
                load("messages in") / self.assumed("interests in one batch"),
                self.price("a million requests to Lambda"),
            ),
            (
                "GB-seconds of Lambda",
                load("messages in") * seconds * self.assumed("GB of memory"),
                self.price("a million GB-seconds"),
            ),
            (
                "KB kept for a month, in each region",
                stored * months * regions,
                self.price("a GB-month in a table") + self.price("a GB-month of point-in-time"),
            ),
            (
                "KB written to the other region",
                stored * (regions - Decimal::ONE),
                self.price("a GB between regions"),
            ),
            (
                "KB of log lines",
                load("messages in") * self.assumed("KB of log lines"),
                self.price("a GB of logs"),
            ),
            (
                "data events of tables",
                load("table requests") * regions,
                self.price("a million data events"),
            ),
        ]
    }

    fn reckoned(&self) -> String {
        let mut text = String::new();
        for (workload, name) in [
            "a: rests, is cancelled",
            "b: half of a match",
            "c: the recorded morning",
        ]
        .into_iter()
        .enumerate()
        {
            let mut total = Decimal::ZERO;
            writeln!(
                text,
                "\n| {name} | for each interest | USD for a million |\n|---|---|---|"
            )
            .unwrap();
            for (what, count, price) in self.lines(workload) {
                let cost = (count * price).round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
                total += cost;
                writeln!(text, "| {what} | {} | {cost:.2} |", count.round_dp(4).normalize()).unwrap();
            }
            let matches = find(&self.workloads, "matches", workload);
            writeln!(text, "| **in all** | | **{total:.2}** |").unwrap();
            if !matches.is_zero() {
                writeln!(text, "| for a million matches | | {:.2} |", total / matches).unwrap();
            }
        }
        text.push('\n');
        text
    }
}

#[test]
fn what_the_page_reckons_follows_from_what_it_assumes() {
    let page = page();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (written, _) = rest.split_once(END).unwrap();
    let reckoned = Book::of(before).reckoned();
    assert!(
        written == reckoned,
        "docs/costs.md says otherwise; it should read\n{reckoned}"
    );
}

#[test]
fn its_units_are_the_ones_that_were_measured() {
    let performance =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/performance.md")).unwrap();
    let row = |beginning: &str, column: usize| -> Decimal {
        let line = performance.lines().find(|line| line.starts_with(beginning));
        let line = line.unwrap_or_else(|| panic!("no row {beginning}"));
        cells(line)[column].parse().unwrap()
    };
    let book = Book::of(&page());
    let units = |workload| find(&book.workloads, "write units", workload);
    let rests = row("| an interest that rests | 4", 2);
    assert_eq!(units(0), rests + row("| a cancel |", 2));
    assert_eq!(
        units(1) * Decimal::TWO,
        rests + row("| an interest filled by one other |", 2)
    );
    assert_eq!(units(2), row("| recorded order flow", 3));
    assert_eq!(
        find(&book.workloads, "read units", 2),
        row("| recorded order flow", 4)
    );
}
