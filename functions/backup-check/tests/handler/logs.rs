//! The lines that an alarm, or somebody at night, looks for.

use std::io::Write;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use symbolon_shared::domain::backup::{Fact, Observed};
use symbolon_shared::lambda::subscriber;
use symbolon_shared::testing::backup::Reply;
use tracing_subscriber::EnvFilter;

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

#[tokio::test]
async fn a_change_and_a_failed_observation_are_lines_of_their_own() {
    let ports = good();
    run(&ports).await;
    let lines = Lines::default();
    let writer = lines.clone();
    let _guard = tracing::subscriber::set_default(subscriber(EnvFilter::new("info"), move || writer.clone()));
    ports.reply(Fact::Table, "symbolon-keys", Reply::Is(Observed::Missing));
    ports.reply(
        Fact::KeyState,
        "mrk-22222222222222222222222222222222",
        fails("AccessDeniedException"),
    );
    run(&ports).await;
    let changed = lines.of("verdict_changed");
    assert_eq!(changed.len(), 2, "{changed:?}");
    assert_eq!(
        (
            &changed[0]["store"],
            &changed[0]["from"],
            &changed[0]["to"],
            &changed[0]["findings"]
        ),
        (
            &"table/keys".into(),
            &"good".into(),
            &"bad".into(),
            &"table:missing".into()
        )
    );
    let failed = lines.of("observation_failed");
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!(
        (
            &failed[0]["store"],
            &failed[0]["fact"],
            &failed[0]["code"],
            &failed[0]["operation"]
        ),
        (
            &"key/data".into(),
            &"keyState".into(),
            &"denied".into(),
            &"service:Operation".into()
        )
    );
}
