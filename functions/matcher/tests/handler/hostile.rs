//! Ten thousand malformed bodies, odd records and good interests in the same batches: each ends as it must, the good
//! ones are matched, and nothing of what was sent is ever said aloud.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::{Value, json};
use symbolon_shared::domain::identifiers::Side;
use symbolon_shared::domain::time::Timestamp;
use symbolon_shared::testing::MemoryPorts;
use symbolon_shared::testing::hostile::{
    Cast, End, GOOD_PRICE, GOOD_QTY, Hostile, Kind, MARK, RecordEnd, RecordKind, record,
};

use crate::checks::check;
use crate::logs::{Lines, Metrics, found};
use crate::records::sender_id;
use crate::world::{COUNTERPARTIES, EPOCH_MILLIS, REDRIVE_ROLE, World, failed, inbox_url, owner};

const SEED: u64 = 20_261_124;
const MALFORMED: usize = 10_000;
const GOOD: usize = 1_000;

/// Records of a batch: the template's own size.
const BATCH: usize = 250;
/// Odd records among them.
const ODD: usize = 4;

const STRANGER: &str = "AROASTRANGERWQZXKW:session-yqzx";
const FIRST_SENT_AT: Timestamp = Timestamp::from_millis(EPOCH_MILLIS + 7);

fn cast() -> Cast {
    Cast {
        counterparties: (1..=COUNTERPARTIES).map(sender_id).collect(),
        stranger: STRANGER.to_owned(),
        own_role: format!("{REDRIVE_ROLE}:function"),
        symbol: "BTCUSD".to_owned(),
        first_sent_at: FIRST_SENT_AT,
    }
}

/// One record and how it must end.
struct Sent {
    kind: &'static str,
    /// The id that must be in the answer, if it must come back.
    comes_back: Option<String>,
    /// When it says that it was sent.
    stamp: Timestamp,
    ends: Vec<End>,
}

/// Batches of records, and what must become of each.
fn batches() -> (Vec<Vec<Value>>, Vec<Vec<Sent>>) {
    let mut hostile = Hostile::new(SEED, cast());
    let items = hostile.plan(MALFORMED, GOOD);
    let mut kinds = RecordKind::ALL.into_iter().cycle();
    let (mut events, mut expected) = (Vec::new(), Vec::new());
    for (n, some) in items.chunks(BATCH - ODD).enumerate() {
        let at = |m: usize| Timestamp::from_millis(EPOCH_MILLIS + i64::try_from(n * BATCH + m).unwrap());
        let (mut records, mut sent) = (Vec::new(), Vec::new());
        for (m, item) in some.iter().enumerate() {
            let id = format!("item-{n}-{m}");
            records.push(record(&id, &item.sender_id, at(m), &item.body));
            sent.push(Sent {
                kind: item.kind.name(),
                comes_back: item.ends.contains(&End::ComesBack).then_some(id),
                stamp: at(m),
                ends: item.ends.clone(),
            });
        }
        for (m, kind) in kinds.by_ref().take(ODD).enumerate() {
            let (id, at) = (format!("odd-{n}-{m}"), at(BATCH - ODD + m));
            let odd = hostile.record(kind, &id, at);
            let (comes_back, ends) = match odd.end {
                RecordEnd::WholeDeliveryBack => (Some(String::new()), vec![]),
                RecordEnd::ComesBack => (Some(id), vec![]),
                RecordEnd::Taken(ends) => (None, ends),
            };
            // In the middle of the others.
            let place = records.len() * m / ODD;
            records.insert(place, odd.record);
            sent.insert(
                place,
                Sent {
                    kind: kind.name(),
                    comes_back,
                    stamp: at,
                    ends,
                },
            );
        }
        events.push(records);
        expected.push(sent);
    }
    (events, expected)
}

/// What lies in the inboxes and in the dead-letter queue, each as often as it does.
#[derive(Default)]
struct Seen {
    /// Counterparty, `clOrdId`, and what it was told.
    told: BTreeMap<(usize, String, String), usize>,
    /// Reason, sender, first time and body.
    letters: BTreeMap<(String, String, String, String), usize>,
}

impl Seen {
    fn of(world: &World) -> Self {
        let mut seen = Self::default();
        for counterparty in 0..COUNTERPARTIES {
            for message in world.inbox(counterparty + 1) {
                let text = |field: &str| message[field].as_str().unwrap_or_default().to_owned();
                let told = match text("type").as_str() {
                    "match" => format!(
                        "match of {} at {}, {} left, {} cancelled",
                        text("lastQty"),
                        text("lastPx"),
                        text("leavesQty"),
                        text("cxlQty")
                    ),
                    "rejected" => text("reason"),
                    other => other.to_owned(),
                };
                *seen
                    .told
                    .entry((counterparty, text("clOrdId"), told))
                    .or_default() += 1;
            }
        }
        for (reason, letter) in world.dead_letters() {
            let text = |field: &str| letter[field].as_str().unwrap_or_default().to_owned();
            assert_eq!(text("reason"), reason, "attribute and envelope differ");
            let key = (text("reason"), text("sender"), text("sentAt"), text("body"));
            *seen.letters.entry(key).or_default() += 1;
        }
        seen
    }

    /// Takes the end of something sent away; whether it was there.
    fn take(&mut self, end: &End, sent_at: Timestamp) -> bool {
        match end {
            End::Matched {
                counterparty,
                cl_ord_id,
            } => {
                let told = format!("match of {GOOD_QTY} at {GOOD_PRICE}, 0 left, 0 cancelled");
                take_one(&mut self.told, &(*counterparty, cl_ord_id.clone(), told))
            }
            End::Rejected {
                counterparty,
                cl_ord_id,
                reason,
            } => {
                let told = reason.code().to_owned();
                take_one(&mut self.told, &(*counterparty, cl_ord_id.clone(), told))
            }
            End::SetAside {
                reason,
                sender_id,
                first_sent_at,
                body,
            } => {
                let sent_at = first_sent_at.unwrap_or(sent_at).as_millis().to_string();
                let letter = (reason.code().to_owned(), sender_id.clone(), sent_at, body.clone());
                take_one(&mut self.letters, &letter)
            }
            End::ComesBack => true,
        }
    }

    fn is_empty(&self) -> bool {
        self.told.is_empty() && self.letters.is_empty()
    }
}

fn take_one<K: Ord>(all: &mut BTreeMap<K, usize>, key: &K) -> bool {
    let Some(count) = all.get_mut(key) else {
        return false;
    };
    *count -= 1;
    if *count == 0 {
        all.remove(key);
    }
    true
}

/// How many of a kind ended how.
#[derive(Default)]
struct Row {
    records: usize,
    matched: usize,
    set_aside: usize,
    came_back: usize,
    rejected: BTreeMap<&'static str, usize>,
}

impl Row {
    fn count(&mut self, sent: &Sent) {
        self.records += 1;
        self.came_back += usize::from(sent.comes_back.is_some());
        for end in &sent.ends {
            match end {
                End::Matched { .. } => self.matched += 1,
                End::SetAside { .. } => self.set_aside += 1,
                End::Rejected { reason, .. } => *self.rejected.entry(reason.code()).or_default() += 1,
                End::ComesBack => {}
            }
        }
    }
}

fn print(table: &BTreeMap<&'static str, Row>) {
    println!(
        "{:<28} {:>7} {:>7} {:>9} {:>9}  rejected",
        "kind", "records", "matched", "set aside", "came back"
    );
    for (kind, row) in table {
        let rejected: Vec<String> = row
            .rejected
            .iter()
            .map(|(reason, n)| format!("{reason} {n}"))
            .collect();
        println!(
            "{kind:<28} {:>7} {:>7} {:>9} {:>9}  {}",
            row.records,
            row.matched,
            row.set_aside,
            row.came_back,
            rejected.join(", ")
        );
    }
}

/// Everything that is stored.
fn stored(ports: &MemoryPorts) -> impl PartialEq + use<> {
    (ports.submissions(), ports.entries(), ports.matches())
}

/// Delivers each batch to one process, and compares what comes back.
async fn deliver_all(world: &World, events: &[Vec<Value>], expected: &[Vec<Sent>]) {
    let matcher = world.matcher();
    for (records, sent) in events.iter().zip(expected) {
        let deadline = world.clock.now().plus_millis(30_000);
        let event = json!({ "Records": records });
        let mut back = failed(Box::pin(matcher.handle(event, deadline)).await);
        let mut must: Vec<String> = sent.iter().filter_map(|sent| sent.comes_back.clone()).collect();
        back.sort();
        must.sort();
        assert_eq!(back, must);
    }
}

#[tokio::test]
async fn ten_thousand_malformed_bodies_end_as_they_must_and_the_good_among_them_are_matched() {
    let (events, expected) = batches();
    let world = World::new();
    world.clock.advance(60_000);
    let (lines, metrics) = (Lines::default(), Metrics::default());
    {
        let (_logs, _metrics) = (lines.catch(), metrics::set_default_local_recorder(&metrics));
        deliver_all(&world, &events, &expected).await;
    }

    let mut seen = Seen::of(&world);
    let mut table: BTreeMap<&str, Row> = BTreeMap::new();
    for sent in expected.iter().flatten() {
        for end in &sent.ends {
            assert!(
                seen.take(end, sent.stamp),
                "{}: did not end as {}",
                sent.kind,
                shown(end)
            );
        }
        table.entry(sent.kind).or_default().count(sent);
    }
    print(&table);
    assert!(seen.is_empty(), "more than was to be: {:?}", seen.told);
    assert!(
        Kind::ALL.iter().all(|kind| table[kind.name()].records >= 24),
        "some kind is rare"
    );
    assert!(
        RecordKind::ALL.iter().all(|kind| table[kind.name()].records >= 4),
        "some kind is rare"
    );
    assert!(world.memory.entries().is_empty(), "something of it rests");

    // What SQS itself would move is not the matcher's to end.
    let taken = |(record, sent): (&Value, &Sent)| sent.comes_back.is_none().then(|| record.clone());
    let all = events.iter().flatten().zip(expected.iter().flatten());
    world.note_delivered(all.filter_map(taken));
    check(&world);

    sealed(&world, &lines.text(), &metrics.text());
    again(&world, &events, &expected).await;
}

/// A second delivery of everything, to another process: nothing is stored, every message is a copy, and what was set
/// aside is set aside once more (that memory is the dead-letter queue's).
async fn again(world: &World, events: &[Vec<Value>], expected: &[Vec<Sent>]) {
    let inboxes = |world: &World| -> Vec<BTreeSet<String>> {
        let distinct = |n: usize| world.bodies(n).into_iter().collect();
        (1..=COUNTERPARTIES).map(distinct).collect()
    };
    let (before, told, letters) = (stored(&world.memory), inboxes(world), Seen::of(world).letters);
    deliver_all(world, events, expected).await;
    assert!(stored(&world.memory) == before, "something was stored");
    assert!(inboxes(world) == told, "something new was told");
    let twice: BTreeMap<_, _> = letters
        .into_iter()
        .map(|(letter, count)| (letter, 2 * count))
        .collect();
    assert!(Seen::of(world).letters == twice, "something else was set aside");
}

fn shown(end: &End) -> String {
    format!("{end:?}").chars().take(600).collect()
}

/// Nothing of what was sent is in a log line or a metric: neither names and marks, nor any word at all that the code
/// does not have itself.
fn sealed(world: &World, lines: &str, metrics: &str) {
    let mut secrets: Vec<String> = [
        MARK,
        GOOD_QTY,
        GOOD_PRICE,
        STRANGER,
        REDRIVE_ROLE,
        "AROACOUNTERPARTY",
        "inbox-",
    ]
    .map(str::to_owned)
    .into();
    secrets.extend((1..=COUNTERPARTIES).flat_map(|n| [owner(n).as_str().to_owned(), inbox_url(n)]));
    for text in [lines, metrics] {
        assert_eq!(found(text, &secrets), Vec::<&str>::new());
    }
    let mut halves = HashSet::new();
    for record in world.memory.matches() {
        for token in [Side::Buy, Side::Sell].map(|side| record.token(side).encode()) {
            halves.extend([token[..26].to_owned(), token[26..].to_owned()]);
        }
    }
    assert!(halves.len() > 10_000, "{} halves of tokens", halves.len());
    let words = |text: &str| {
        text.split(|c: char| !c.is_ascii_alphanumeric())
            .any(|word| holds(word, &halves))
    };
    assert!(!words(lines) && !words(metrics), "a token is told to everybody");
    let vocabulary = vocabulary(lines);
    println!("the log's words: {vocabulary:?}");
    assert!(vocabulary.len() < 30, "words of somebody else: {vocabulary:?}");
}

/// Whether half a token is in a word.
fn holds(word: &str, halves: &HashSet<String>) -> bool {
    let windows = (0..word.len().saturating_sub(25)).filter_map(|at| word.get(at..at + 26));
    windows.into_iter().any(|window| halves.contains(window))
}

/// Every value in the log but those that differ with each match: the commitment and the message id.
fn vocabulary(lines: &str) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        for (name, value) in line["fields"].as_object().unwrap() {
            if !matches!(name.as_str(), "commitment" | "message_id") {
                words.insert(value.to_string());
            }
        }
    }
    words
}
