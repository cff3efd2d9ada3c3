//! Every event fixture through the real handler: the answer, what was told and what is in the bucket as snapshots.

use std::path::PathBuf;

use serde_json::{Value, json};
use symbolon_shared::domain::backup::{Fact, Observed};
use symbolon_shared::testing::backup::Reply;

use crate::world::{GRANTED_MILLIS, NoExport, START, check, fails, good, latest};

/// How many there are: one that is not read would be noticed.
const FIXTURES: usize = 2;

#[tokio::test]
async fn every_fixture_does_what_its_snapshot_says() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events/backup-check");
    let files = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    names.sort();
    assert_eq!(names.len(), FIXTURES);
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    for path in names {
        let event: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let ports = good();
        ports.reply(Fact::Copy, &table("matches"), Reply::Is(Observed::NeverRan));
        ports.reply(
            Fact::KeyState,
            "mrk-22222222222222222222222222222222",
            fails("AccessDeniedException"),
        );
        let deadline = START.plus_millis(GRANTED_MILLIS);
        let answer = check(&ports, NoExport).handle(&event, deadline).await;
        let told: Vec<Value> = ports
            .announced()
            .iter()
            .map(|change| serde_json::from_str(&change.detail()).unwrap())
            .collect();
        let report = latest(&ports);
        let stores: Vec<Value> = report
            .stores
            .iter()
            .map(|store| json!({"id": store.id, "verdict": store.verdict, "told": store.told, "findings": store.findings}))
            .collect();
        let seen = json!({
            "answer": answer,
            "told": told,
            "objects": ports.objects().keys().collect::<Vec<_>>(),
            "stores": stores,
        });
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        settings.bind(|| insta::assert_json_snapshot!(name, seen));
    }
}

/// The newest report as it lies in the bucket: its form is kept by this snapshot.
#[tokio::test(start_paused = true)]
async fn the_form_of_a_report_is_kept() {
    let ports = good();
    ports.reply(Fact::Copy, &table("matches"), Reply::Is(Observed::NeverRan));
    let deadline = START.plus_millis(GRANTED_MILLIS);
    check(&ports, NoExport).handle(&json!({}), deadline).await;
    let report: Value = serde_json::to_value(latest(&ports)).unwrap();
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| insta::assert_json_snapshot!("report", report));
}

fn table(name: &str) -> String {
    format!("arn:aws:dynamodb:us-east-1:123456789012:table/symbolon-{name}")
}
