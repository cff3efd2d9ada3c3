//! No log line, metric, event, answer, error or object name bears a sender or a body.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex};

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use serde_json::json;
use symbolon_shared::domain::reason::PoisonReason;
use symbolon_shared::testing::{Mishap, Unlucky};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::world::{Fate, SENT, World, from, interest, letter, relapsed, sender};

/// Lines as Lambda would take them.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

thread_local! {
    static WANTED: RefCell<Lines> = RefCell::default();
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Names and dimensions of every metric.
#[derive(Clone, Default)]
struct Names(Arc<Mutex<Vec<String>>>);

impl Recorder for Names {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.0.lock().unwrap().push(format!("{key:?}"));
        Counter::noop()
    }
    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        self.0.lock().unwrap().push(format!("{key:?}"));
        Gauge::noop()
    }
    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        self.0.lock().unwrap().push(format!("{key:?}"));
        Histogram::noop()
    }
}

/// Letters of every kind. Of the first canary one comes back, or nothing is heard of it.
fn mixed(comes_back: bool) -> World {
    let world = World::new();
    (0..15).for_each(|n| world.moved(&format!("SECRET-{n}")));
    for n in 0..4 {
        world.dead(letter(&format!("SECRET no JSON {n}")));
    }
    world.dead(relapsed("SECRET-E", 3));
    if comes_back {
        world.dead(relapsed("SECRET-0", 1));
    } else {
        world.fate("SECRET-0", Fate::Silent);
    }
    world.dead(from(&sender(3), &interest("SECRET-S"), SENT));
    world.fate("SECRET-S", Fate::SetsAside);
    let mut unstamped = letter(&interest("SECRET-U"));
    unstamped.sender = Some("SECRET sender".to_owned());
    world.dead(unstamped);
    world
}

/// The ports' operations.
const OPERATIONS: [&str; 10] = [
    "receive_letters",
    "delete_letters",
    "release_letters",
    "send_back",
    "is_enabled",
    "recent",
    "read_outcomes",
    "find_principals",
    "put_quarantined",
    "announce_redrive",
];

/// Everything that is said while a mixed queue is redriven, in the first run with this mishap at each call of the
/// operation but the first so many.
async fn said(operation: &'static str, mishap: Mishap, but: usize) -> (String, World) {
    let world = mixed(but == 0);
    let mut said = String::new();
    for run in 0..4 {
        let mut met = 0;
        let ports = Unlucky::new(world.memory.clone(), move |_, asked| {
            met += usize::from(asked == operation);
            (run == 0 && asked == operation && met > but).then_some(mishap)
        });
        let answer = world.over(ports).handle(json!({}), world.deadline()).await;
        writeln!(said, "{answer:?} {}", serde_json::to_string(&answer).unwrap()).unwrap();
        world.later().await;
    }
    for announcement in world.memory.announced() {
        writeln!(
            said,
            "{} {} {announcement:?}",
            announcement.detail_type(),
            announcement.detail()
        )
        .unwrap();
    }
    for name in world.memory.objects().keys() {
        writeln!(said, "{name}").unwrap();
    }
    (said, world)
}

#[tokio::test]
async fn no_line_metric_event_answer_or_name_bears_a_sender_or_a_body() {
    let lines = Lines::default();
    WANTED.set(lines.clone());
    let layer = tracing_subscriber::fmt::layer()
        .json()
        .with_writer(|| WANTED.with_borrow(Lines::clone));
    tracing_subscriber::registry().with(layer).init();
    symbolon_shared::lambda::log_panics_without_their_text();
    let names = Names::default();
    let mut everything = String::new();
    let mut found_what_is_there = true;
    {
        let _recording = metrics::set_default_local_recorder(&names);
        for mishap in [
            Mishap::RequestLost,
            Mishap::ResponseLost,
            Mishap::InPart,
            Mishap::Panics,
        ] {
            for (operation, but) in OPERATIONS.into_iter().flat_map(|asked| [(asked, 0), (asked, 1)]) {
                let (said, world) = said(operation, mishap, but).await;
                everything += &said;
                // The search finds what is there.
                let kept: Vec<u8> = world.memory.objects().into_values().flatten().collect();
                let kept = String::from_utf8(kept).unwrap();
                found_what_is_there &= kept.contains("SECRET") && kept.contains("AROACOUNTERPARTY01");
            }
        }
    }
    // From here on a failure may say why.
    drop(std::panic::take_hook());
    assert!(found_what_is_there);
    let logged = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    for event in [
        "redrive_done",
        "letter_quarantined",
        "canary_relapsed",
        "redrive_braked",
        "letters_not_sent_back",
        "letters_not_deleted",
        "letter_not_quarantined",
        "letters_not_received",
        "letters_not_released",
        "consumer_not_seen",
        "canary_not_chosen",
        "canary_not_read",
        "canary_unanswered",
        "not_announced",
        "panicked",
    ] {
        assert!(logged.contains(&format!("\"{event}\"")), "{event} was not met");
    }
    everything += &logged;
    everything += &names.0.lock().unwrap().concat();
    assert!(everything.contains("Redriven") && everything.contains(PoisonReason::Exhausted.code()));
    for secret in [
        "SECRET",
        "AROA",
        "COUNTERPARTY",
        "cp-",
        "BTCUSD",
        "desk",
        "memory://",
        "orderQty",
        "no JSON",
    ] {
        assert!(!everything.contains(secret), "{secret}");
    }
}
