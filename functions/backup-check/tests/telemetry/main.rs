//! The lines and the metrics that an alarm, or somebody at night, looks for. A process of its own: both have one place for
//! the whole process.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../handler/world.rs"]
#[expect(dead_code, reason = "the handler's world, of which this needs a part")]
mod world;

use std::io::Write;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use symbolon_shared::domain::backup::{Fact, Observed};
use symbolon_shared::lambda::{start_metrics, subscriber};
use symbolon_shared::testing::backup::Reply;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

use crate::world::{fails, good, run};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Lines {
    /// The fields of every line of this event.
    fn of(&self, event: &str) -> Vec<Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let fields = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["fields"].clone());
        fields.filter(|fields| fields["event"] == event).collect()
    }
}

/// Every metric of a flush, by its name; and its dimensions, which are the same for all.
fn flushed(bytes: &[u8]) -> Value {
    let text = std::str::from_utf8(bytes).unwrap();
    assert_eq!(text.lines().count(), 1, "one document a run");
    serde_json::from_str(text).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_run_says_what_an_alarm_needs() {
    let lines = Lines::default();
    let writer = lines.clone();
    subscriber(EnvFilter::new("info"), move || writer.clone()).init();
    let collector = start_metrics("symbolon", "backup-check").unwrap();
    let ports = good();
    run(&ports).await;
    let mut document = Vec::new();
    collector.flush(&mut document).unwrap();
    let metrics = flushed(&document);
    assert_eq!(
        (&metrics["Stack"], &metrics["Function"]),
        (&"symbolon".into(), &"backup-check".into())
    );
    for (name, value) in [
        ("StoresGood", json!(23.0)),
        ("StoresUnknown", json!(0.0)),
        ("StoresBad", json!(0.0)),
        ("NewestRecoveryPointHours", json!([200.0 / 60.0])),
        ("NewestCopyHours", json!([170.0 / 60.0])),
        ("OldestRestoreTestHours", json!([48.0])),
        ("NewestExportHours", json!([61.0 / 60.0])),
        ("FactsObserved", json!(78)),
        ("VerdictsTold", json!(23)),
        // Counts of nothing are left out.
        ("VerdictsUntold", Value::Null),
        ("PreviousReportNotRead", Value::Null),
        ("ReportsNotWritten", Value::Null),
        ("FactsUnseen", Value::Null),
    ] {
        assert_eq!(metrics[name], value, "{name}");
    }
    assert_eq!(lines.of("verdict_changed").len(), 23);
    assert_eq!(lines.of("observation_failed").len(), 0);

    ports.reply(Fact::Table, "symbolon-keys", Reply::Is(Observed::Missing));
    ports.reply(
        Fact::KeyState,
        "mrk-22222222222222222222222222222222",
        fails("AccessDeniedException"),
    );
    ports.reply(
        Fact::Export,
        "functions/symbolon/us-east-1/latest.json",
        Reply::Hangs,
    );
    let checked = run(&ports).await;
    assert_eq!((checked.bad, checked.unknown), (1, 2));
    let changed = lines.of("verdict_changed");
    assert_eq!(changed.len(), 26, "{changed:?}");
    let changed: Vec<_> = ["store", "from", "to", "findings"]
        .map(|field| changed[23][field].clone())
        .into();
    assert_eq!(changed, ["table/keys", "good", "bad", "table:missing"]);
    let failed = lines.of("observation_failed");
    assert_eq!(failed.len(), 2, "{failed:?}");
    let failed: Vec<_> = ["store", "fact", "code", "operation"]
        .map(|field| failed[0][field].clone())
        .into();
    assert_eq!(failed, ["key/data", "keyState", "denied", "service:Operation"]);
    let mut document = Vec::new();
    collector.flush(&mut document).unwrap();
    let metrics = flushed(&document);
    let counts = [
        "StoresGood",
        "StoresUnknown",
        "StoresBad",
        "FactsUnseen",
        "VerdictsTold",
    ];
    let counts = counts.map(|name| metrics[name].as_f64().unwrap_or(f64::NAN));
    assert_eq!(counts.map(|count| format!("{count}")), ["20", "2", "1", "3", "3"]);
}
