//! The export before the check: it comes first, and its faults are its own.

use backup_check::{ExportRun, FunctionExport};
use serde_json::json;
use symbolon_shared::domain::backup::{Fact, Observed, Verdict};
use symbolon_shared::domain::export::{Digest, FunctionName, Manifest, RenewAfter, Scope, StackSettings};
use symbolon_shared::domain::time::Timestamp;
use symbolon_shared::export::ExportPlan;
use symbolon_shared::testing::backup::{Reply, as_demanded, subject};
use symbolon_shared::testing::{MemoryBackup, MemoryExport};

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

/// The real one: the bucket has it by then, whole, and every function that the plan names is in its manifest.
#[tokio::test]
async fn the_functions_are_exported_by_each_check() {
    let deployed = MemoryExport::default();
    deployed.set_now(START);
    for name in ["matcher", "backup-check"] {
        let configuration = json!({
            "FunctionName": name, "Role": "arn:aws:iam::000000000000:role/r", "Runtime": "provided.al2023",
            "Handler": "bootstrap", "Timeout": 30, "MemorySize": 128, "Architectures": ["arm64"],
        });
        let configuration = serde_json::from_value(configuration).unwrap();
        deployed.deploy(configuration, name.as_bytes().to_vec(), Vec::new());
    }
    deployed.deploy_stack("{}", StackSettings::default());
    let names = ["matcher", "backup-check", "gone"].map(|name| FunctionName::new(name).unwrap());
    let plan = ExportPlan {
        scope: Scope::new("symbolon", "us-east-1").unwrap(),
        functions: names.to_vec(),
        renew_after: RenewAfter::half_of(400),
    };
    let scope = plan.scope.clone();
    let export = FunctionExport::new(deployed.clone(), plan, Box::new(|| START));
    let checked = check(&good(), export).handle(&json!({}), DEADLINE).await;
    assert_eq!(
        checked.verdict,
        Verdict::Good,
        "what is missing of it is the check's to find"
    );
    let objects = deployed.objects();
    let manifest = Manifest::read(&scope, &objects[&scope.latest_key()]).unwrap();
    let exported: Vec<&str> = manifest.functions.keys().map(FunctionName::as_str).collect();
    assert_eq!(exported, ["backup-check", "matcher"]);
    for digest in manifest.digests() {
        assert_eq!(Digest::of(&objects[&scope.object_key(digest)]), digest);
    }
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
