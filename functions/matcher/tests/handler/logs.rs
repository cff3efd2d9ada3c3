//! What a run says of itself: every log line and every metric, searched for whatever names or opens something.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, Once};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, SharedString, Unit,
};
use serde_json::{Value, json};
use symbolon_shared::domain::counterparty::Counterparty;
use symbolon_shared::domain::identifiers::{CounterpartyId, Principal, Side};
use symbolon_shared::ports::{Fault, MatcherPorts};
use symbolon_shared::testing::{FaultyPorts, Injection, Script};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::dynamic_filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::hooked::{Call, HookedPorts, OPERATIONS, Step, fail, go_on};
use crate::records::{bundle, buy, cancel, envelope, id, raw_record, replace, sell, status, with};
use crate::world::{OWN_ROLE, REGION, World};

/// Log lines as Lambda would take them.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<u8>>>);

thread_local! {
    /// Where this thread's lines go, while somebody wants them.
    static WANTED: RefCell<Option<Lines>> = const { RefCell::new(None) };
}

/// Until it is dropped, this thread's lines are kept.
pub(crate) struct Catching;

impl Drop for Catching {
    fn drop(&mut self) {
        WANTED.take();
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Lines {
    /// Keeps everything that is traced on this thread from now on, at whatever level.
    pub(crate) fn catch(&self) -> Catching {
        static SUBSCRIBER: Once = Once::new();
        // One for the whole process: subscribers of single threads disable each other's call sites.
        SUBSCRIBER.call_once(|| {
            let wanted = dynamic_filter_fn(|_, _| WANTED.with_borrow(Option::is_some));
            let lines = || WANTED.with_borrow(|lines| lines.clone().unwrap_or_default());
            let layer = tracing_subscriber::fmt::layer().json().with_writer(lines);
            tracing_subscriber::registry()
                .with(layer.with_filter(wanted))
                .init();
        });
        WANTED.set(Some(self.clone()));
        Catching
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn events(&self) -> BTreeSet<String> {
        let event = |line: &str| -> String {
            let line: Value = serde_json::from_str(line).unwrap();
            line["fields"]["event"].as_str().unwrap().to_owned()
        };
        self.text().lines().map(event).collect()
    }
}

/// Names, dimensions and sums of every metric.
#[derive(Clone, Default)]
pub(crate) struct Metrics(Arc<Mutex<BTreeMap<String, f64>>>);

struct Metric(Metrics, String);

impl Metric {
    fn add(&self, value: f64) {
        *self.0.0.lock().unwrap().entry(self.1.clone()).or_default() += value;
    }
}

impl CounterFn for Metric {
    fn increment(&self, value: u64) {
        self.add(f64::from(u32::try_from(value).unwrap()));
    }
    fn absolute(&self, value: u64) {
        CounterFn::increment(self, value);
    }
}

impl GaugeFn for Metric {
    fn increment(&self, value: f64) {
        self.add(value);
    }
    fn decrement(&self, value: f64) {
        self.add(-value);
    }
    fn set(&self, value: f64) {
        self.add(value);
    }
}

impl HistogramFn for Metric {
    fn record(&self, value: f64) {
        self.add(value);
    }
}

impl Metrics {
    fn metric(&self, key: &Key) -> Arc<Metric> {
        // Labels and all.
        Arc::new(Metric(self.clone(), key.to_string()))
    }

    pub(crate) fn text(&self) -> String {
        format!("{:?}", self.0.lock().unwrap())
    }

    fn sum(&self, name: &str) -> f64 {
        self.0
            .lock()
            .unwrap()
            .get(&format!("Key({name})"))
            .copied()
            .unwrap_or_default()
    }
}

impl metrics::Recorder for Metrics {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.metric(key))
    }
    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.metric(key))
    }
    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.metric(key))
    }
}

/// Names that stand out, so that finding one is never chance.
fn counterparty(n: usize) -> Counterparty {
    let id = CounterpartyId::new(format!("cp-q{n}zvxkwj")).unwrap();
    let principal = Principal::new(format!("AROAWQZXJ{n}VKWQZXJ")).unwrap();
    let url = format!("https://sqs.example/000000000000/inbox-hq{n}xvzkw");
    Counterparty::new(id, principal, BTreeMap::from([(REGION.to_owned(), url)]))
}

fn market() -> World {
    let world = World::empty();
    (1..=5).for_each(|n| world.memory.put_counterparty(counterparty(n)));
    world.add_symbol("BTCUSD");
    world
}

fn sent(n: usize, at: i64, body: &Value) -> Value {
    sent_text(n, at, &body.to_string())
}

fn sent_text(n: usize, at: i64, body: &str) -> Value {
    raw_record(
        &format!("{}:session-{n}-yqzx", counterparty(n).principal.as_str()),
        at,
        body,
    )
}

const GARBAGE: &str = "garbage-wqxz-in-a-body";
const QTY: &str = "31.41592653";
const PRICE: &str = "2718.28";
const DEARER: &str = "2818.28";
const CHEAPER: &str = "2618.28";

/// Matches, answers, rejects, what is set aside, what comes back.
fn records() -> Vec<Value> {
    let from = |n: usize, body: Value| {
        with(
            body,
            &json!({"sender": format!("{}:s", counterparty(n).principal.as_str())}),
        )
    };
    let own = format!("{OWN_ROLE}:function");
    vec![
        sent(1, 1, &sell("ID-vqwx-1", QTY, PRICE)),
        sent(2, 2, &with(buy("ID-vqwx-2", QTY, PRICE), &json!({"ack": true}))),
        sent(3, 3, &buy("ID-vqwx-3", "1", "0.001")),
        sent(3, 4, &cancel("ID-vqwx-4", "ID-vqwx-none")),
        sent(3, 5, &replace("ID-vqwx-5", "ID-vqwx-nil", QTY)),
        sent(
            4,
            6,
            &bundle([
                sell("ID-vqwx-6", QTY, DEARER),
                status("ID-vqwx-7", "ID-vqwx-6"),
                json!(GARBAGE),
            ]),
        ),
        sent(2, 7, &sell("ID-vqwx-2", QTY, PRICE)),
        sent_text(5, 8, GARBAGE),
        raw_record("AROASTRANGERWQZX:session-yqzx", 9, GARBAGE),
        raw_record(
            &own,
            10,
            &from(5, envelope(5, 0, &buy("ID-vqwx-8", "1", CHEAPER))).to_string(),
        ),
        raw_record(&own, 11, GARBAGE),
        with(sent_text(1, 12, GARBAGE), &json!({"attributes": null})),
        with(sent_text(1, 13, GARBAGE), &json!({"messageId": null})),
    ]
}

/// Whatever must never be found: as far as the world knows it by now.
fn secrets(world: &World) -> Vec<String> {
    // None that base32 could hold by chance: message ids are logged.
    let fixed = [
        "session-",
        "-yqzx",
        "ID-vqwx",
        GARBAGE,
        "AROAWQZXJ",
        "AROASTRANGERWQZX",
        QTY,
        PRICE,
        "https://sqs.example",
    ];
    let mut secrets: Vec<String> = fixed.map(str::to_owned).to_vec();
    for n in 1..=5 {
        let counterparty = counterparty(n);
        secrets.push(counterparty.id.as_str().to_owned());
        secrets.push(counterparty.principal.as_str().to_owned());
        secrets.extend(counterparty.inboxes.into_values());
    }
    for record in world.memory.matches() {
        for side in [Side::Buy, Side::Sell] {
            let token = record.token(side).encode();
            // Both halves alone too: the first links the two, the second opens.
            secrets.extend([token[..26].to_owned(), token[26..].to_owned()]);
        }
    }
    secrets
}

/// What of `secrets` is in `text`, however its letters are written.
pub(crate) fn found<'a>(text: &str, secrets: &'a [String]) -> Vec<&'a str> {
    let text = text.to_ascii_lowercase();
    let within = |secret: &&String| text.contains(&secret.to_ascii_lowercase());
    secrets.iter().filter(within).map(String::as_str).collect()
}

/// A market of its own for each of these ports, and healthy ones to make good what they left; gives the secrets of
/// them all.
async fn run_with_faults() -> Vec<String> {
    let mut all = BTreeSet::new();
    for operation in OPERATIONS {
        let injections = [
            Injection::ResponseLost,
            Injection::Conflict,
            Injection::PartialFailure(vec![0]),
        ];
        for injection in injections {
            let script = Script::of(
                (1..4)
                    .map(|nth| (operation, nth, injection.clone()))
                    .collect::<Vec<_>>(),
            );
            let world = market();
            let faulty = FaultyPorts::new(world.memory.clone(), script);
            all.extend(delivered_twice(&world, HookedPorts::new(faulty)).await);
        }
        let refuses = move |call: Call| -> Step {
            if call.operation == operation {
                fail(Fault::Refused)
            } else {
                go_on()
            }
        };
        let panics = move |call: Call| -> Step {
            assert!(call.operation != operation, "as the test wants it");
            go_on()
        };
        for (first, last) in [(1, 1), (2, 2), (1, u64::MAX)] {
            let at = move |call: &Call| (first..=last).contains(&call.nth);
            let world = market();
            let ports = world
                .hooked()
                .before(move |call| if at(&call) { refuses(call) } else { go_on() });
            all.extend(delivered_twice(&world, ports).await);
            let world = market();
            let ports = world
                .hooked()
                .before(move |call| if at(&call) { panics(call) } else { go_on() });
            all.extend(delivered_twice(&world, ports).await);
        }
    }
    all.into_iter().collect()
}

/// Delivers the records to `ports`, too late to any, and to healthy ones.
async fn delivered_twice<P: MatcherPorts>(world: &World, ports: P) -> Vec<String> {
    world.deliver(&world.matcher_over(ports), records()).await;
    let late = world.clock.now();
    world.matcher().handle(json!({"Records": records()}), late).await;
    world.deliver(&world.matcher(), records()).await;
    secrets(world)
}

#[tokio::test(start_paused = true)]
async fn no_log_line_and_no_metric_names_anybody_or_bears_a_body_or_a_token() {
    let (lines, metrics) = (Lines::default(), Metrics::default());
    let secrets = {
        let (_logs, _metrics) = (lines.catch(), metrics::set_default_local_recorder(&metrics));
        run_with_faults().await
    };
    assert!(secrets.len() > 300, "hardly a token among {}", secrets.len());
    assert_eq!(found(&lines.text(), &secrets), Vec::<&str>::new());
    assert_eq!(found(&metrics.text(), &secrets), Vec::<&str>::new());
    // A run that said nothing would have shown nothing.
    let events = lines.events();
    for expected in [
        "epoch_key_unavailable",
        "message_published",
        "next_epoch_key_not_made",
        "publish_failed",
        "read_failed",
        "record_given_back",
        "record_set_aside",
        "registry_unreadable",
        "set_aside_failed",
        "token_generated",
        "told_not_marked",
        "write_failed",
        "write_refused",
    ] {
        assert!(events.contains(expected), "{expected} is not among {events:?}");
    }
}

#[tokio::test]
async fn the_search_finds_each_of_them_when_it_is_planted() {
    let world = market();
    world.deliver(&world.matcher(), records()).await;
    let secrets = secrets(&world);
    assert!(secrets.len() > 25);
    for secret in &secrets {
        let (lines, metrics) = (Lines::default(), Metrics::default());
        let (_logs, _metrics) = (lines.catch(), metrics::set_default_local_recorder(&metrics));
        let alone = std::slice::from_ref(secret);
        tracing::trace!(event = "nothing");
        metrics::counter!("Nothing").increment(1);
        assert!(found(&lines.text(), alone).is_empty() && found(&metrics.text(), alone).is_empty());
        tracing::trace!(
            event = "planted",
            text = format!("<{}>", secret.to_ascii_uppercase())
        );
        metrics::counter!("Planted", "dimension" => secret.clone()).increment(1);
        assert_eq!(found(&lines.text(), alone), [secret]);
        assert_eq!(found(&metrics.text(), alone), [secret]);
    }
}

#[tokio::test]
async fn the_metrics_count_what_happened() {
    let (metrics, world) = (Metrics::default(), market());
    let _metrics = metrics::set_default_local_recorder(&metrics);
    world.clock.advance(4_000);
    let records = records();
    let back = world.deliver(&world.matcher(), records.clone()).await;
    assert_eq!(back, [id(&records[4]), id(&records[11]), String::new()]);
    let expected = [
        ("Interests", 4.0),
        ("Matches", 1.0),
        ("Rejects", 2.0),
        ("Duplicates", 0.0),
        ("LostConditions", 0.0),
        // Two of the match; accepted, cancelPending, status, two rejections.
        ("MessagesPublished", 7.0),
        ("SetAside", 4.0),
        ("GivenBack", 3.0),
        // The clock is five seconds on; the envelope was first sent at the start.
        ("OldestUnprocessedMillis", 5_000.0),
        ("MatchLatencyMillis", 4_998.0),
    ];
    for (name, value) in expected {
        assert!(
            (metrics.sum(name) - value).abs() < 0.1,
            "{name}: {}",
            metrics.text()
        );
    }
    world.deliver(&world.matcher(), records).await;
    assert!(
        (metrics.sum("Duplicates") - 7.0).abs() < 0.1,
        "{}",
        metrics.text()
    );
}
