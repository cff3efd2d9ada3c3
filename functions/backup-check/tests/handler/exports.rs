//! The export before the check: it comes first, and its faults are its own.

use backup_check::ExportRun;
use serde_json::json;
use symbolon_shared::domain::backup::{Fact, Observed, Verdict};
use symbolon_shared::domain::time::Timestamp;
use symbolon_shared::testing::MemoryBackup;
use symbolon_shared::testing::backup::{Reply, as_demanded, subject};

use crate::world::{GRANTED_MILLIS, START, check, good, latest, questions, verdicts};

const DEADLINE: Timestamp = START.plus_millis(GRANTED_MILLIS);

/// Puts an export where it is looked for.
struct Exports(MemoryBackup);

impl ExportRun for Exports {
    async fn export(&self, _until: Timestamp) {
        for (_, demand, about) in questions() {
            if demand.fact() == Fact::Export {
                assert_eq!(about, subject(&demand));
                self.0.reply(
                    Fact::Export,
                    &about,
                    Reply::Is(Observed::Seen(as_demanded(&demand, START))),
                );
            }
        }
    }
}

struct Panics;

impl ExportRun for Panics {
    async fn export(&self, _until: Timestamp) {
        panic!("as the test wants it");
    }
}

struct Hangs;

impl ExportRun for Hangs {
    async fn export(&self, until: Timestamp) {
        assert!(
            until < DEADLINE.plus_millis(-30_000),
            "half of what is left before answering"
        );
        std::future::pending::<()>().await;
    }
}

/// Never exported.
fn without_export() -> MemoryBackup {
    let ports = good();
    ports.reply(
        Fact::Export,
        "functions/symbolon/us-east-1/latest.json",
        Reply::Is(Observed::NeverRan),
    );
    ports
}

#[tokio::test]
async fn an_export_is_made_before_anything_is_looked_at() {
    let ports = without_export();
    let checked = check(&ports, Exports(ports.clone()))
        .handle(&json!({}), DEADLINE)
        .await;
    assert_eq!(checked.verdict, Verdict::Good);
}

#[tokio::test(start_paused = true)]
async fn an_export_that_panics_or_hangs_leaves_the_check_its_time() {
    for hangs in [false, true] {
        let ports = without_export();
        let checked = if hangs {
            check(&ports, Hangs).handle(&json!({}), DEADLINE).await
        } else {
            check(&ports, Panics).handle(&json!({}), DEADLINE).await
        };
        assert_eq!(
            (checked.verdict, checked.bad, checked.unknown),
            (Verdict::Bad, 1, 0)
        );
        assert_eq!(
            verdicts(&latest(&ports))["functions"],
            Verdict::Bad,
            "there is still none"
        );
    }
}
