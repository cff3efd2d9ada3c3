//! A file whose submission is killed at random moments and started again: nothing is lost, nothing counts twice.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rand::{RngExt as _, SeedableRng as _};
use symbolon_shared::domain::book::Entry;
use symbolon_shared::domain::decimal::Quantity;
use symbolon_shared::domain::submission::OrdStatus;

use crate::counted::counted;
use crate::stand::Stand;

/// Interests that a plain `cargo test` sends.
const FEW: usize = 5_000;
/// Messages that wait in the intake queue at most before the tool is started again.
const MOST_WAITING: u64 = 1_000;
/// Symbols that they are of: the matcher takes symbols side by side.
const SYMBOLS: usize = 16;
/// Interests of the full test.
const MANY: usize = 100_000;

#[test]
fn a_submission_that_is_killed_loses_nothing_and_doubles_nothing() {
    to_the_matcher(FEW, &[""]);
}

#[test]
fn a_submission_in_changing_bundles_that_is_killed_loses_nothing_and_doubles_nothing() {
    to_the_matcher(FEW, &["--bundle 2", "", "--bundle 5"]);
}

#[test]
fn of_a_killed_submission_only_the_calls_in_flight_are_sent_again() {
    to_the_queue(FEW);
}

/// Minutes: `cargo test -p cli --test tool -- --ignored --nocapture hundred_thousand`.
#[test]
#[ignore = "takes minutes"]
fn of_a_hundred_thousand_interests_only_the_calls_in_flight_are_sent_again() {
    to_the_queue(MANY);
}

/// A quarter of an hour on an idle machine.
#[test]
#[ignore = "takes a quarter of an hour"]
fn a_hundred_thousand_interests_are_each_taken_once() {
    to_the_matcher(MANY, &[""]);
}

/// The file: no two alike, so that a lost one and a doubled one cannot make up for each other.
fn file(count: usize) -> Vec<String> {
    let line = |n: usize| {
        let symbol = n % SYMBOLS;
        format!(
            r#"{{"type":"interest","clOrdId":"A-{n}","symbol":"S{symbol}","side":"sell","orderQty":"0.{n:08}","price":"300"}}"#
        )
    };
    (1..=count).map(line).collect()
}

/// With the matcher as the witness: every interest is in the book, once.
fn to_the_matcher(count: usize, options: &[&str]) {
    let stand = Stand::start();
    stand.onboard("acme", "AROAACME");
    for symbol in 0..SYMBOLS {
        let words = format!("parameters set S{symbol} --tick 1 --lot 0.00000001 --currency USD");
        stand.run("AROAOPERATOR", &words).done();
    }
    stand.file("big.jsonl", &file(count).join("\n"));
    // The emulated queue grows slow with its length; and so copies come before their originals are taken, and after.
    let kills = until_done(&stand, options, || stand.settle_to(MOST_WAITING));
    stand.settle();
    println!("{count} interests, killed {kills} times");
    let tables = stand.tables();
    assert_eq!(tables.submissions.len(), count);
    assert!(
        tables
            .submissions
            .iter()
            .all(|submission| submission.ord_status == Some(OrdStatus::New))
    );
    in_the_book_once(count, &tables.entries);
    sends_nothing_more(&stand, count);
}

/// With the queue as the witness: every message is there, and more than once only what a kill left open.
fn to_the_queue(count: usize) {
    let stand = Stand::without_matcher();
    let sent = file(count);
    stand.file("big.jsonl", &sent.join("\n"));
    let kills = until_done(&stand, &[""], || {});
    let came = stand.bodies_at_the_intake();
    let copies = came.len() - count;
    println!("{count} interests, killed {kills} times, {copies} copies");
    let expected: BTreeSet<String> = sent.into_iter().collect();
    let distinct: BTreeSet<String> = came.iter().cloned().collect();
    assert!(
        distinct == expected,
        "{} distinct messages of {count}",
        distinct.len()
    );
    let in_flight = 10 * usize::try_from(kills).unwrap();
    assert!(copies <= in_flight, "{copies} copies after {kills} kills");
    // And the matcher counts each once, copies or not.
    let memory = counted(&came, (0..SYMBOLS).map(|symbol| format!("S{symbol}")));
    assert_eq!(
        (memory.submissions().len(), memory.dead_letters().len()),
        (count, 0)
    );
    in_the_book_once(count, &memory.entries());
    sends_nothing_more(&stand, count);
}

/// As many entries as there are interests, with their quantities in all.
fn in_the_book_once(count: usize, entries: &[Entry]) {
    assert_eq!(entries.len(), count);
    let expected = (1..=count).map(|n| Quantity::parse(&format!("0.{n:08}")).unwrap());
    let total = entries.iter().map(|entry| entry.leaves_qty);
    assert_eq!(
        total.fold(Quantity::ZERO, Quantity::plus),
        expected.fold(Quantity::ZERO, Quantity::plus)
    );
}

fn sends_nothing_more(stand: &Stand, count: usize) {
    let again = stand
        .run("AROAACME", "submit big.jsonl --output json")
        .done()
        .json();
    assert_eq!((&again["sent"], &again["sentBefore"]), (&0.into(), &count.into()));
}

/// Starts the tool again and again, each time for a random while, until it comes to its end; gives how often it was
/// killed. The while grows when one was too short to get anywhere, so that it ends.
fn until_done(stand: &Stand, options: &[&str], between: impl Fn()) -> u32 {
    let mut random = rand::rngs::StdRng::seed_from_u64(7);
    let journal = stand.folder().join("big.jsonl.journal");
    let noted = || std::fs::metadata(&journal).map_or(0, |file| file.len());
    // Short, for a quick build too; it grows.
    let (mut kills, mut longest) = (0, Duration::from_millis(50));
    loop {
        let before = noted();
        let option = options[random.random_range(0..options.len())];
        let mut command = stand.symbolon("AROAACME", &format!("submit big.jsonl {option}"));
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let end = Instant::now() + longest.mul_f64(random.random_range(0.2..1.0));
        while Instant::now() < end {
            if let Some(status) = child.try_wait().unwrap() {
                assert!(status.success());
                assert!(kills >= 5, "killed {kills} times only: this shows little");
                return kills;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        if noted() == before {
            longest = longest.mul_f64(1.2);
        }
        between();
    }
}
