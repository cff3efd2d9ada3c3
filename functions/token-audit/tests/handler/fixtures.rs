//! Every event fixture through the real handler: the answer and the log as snapshots.

use std::path::PathBuf;

use serde_json::{Value, json};
use symbolon_shared::testing::MemoryAudit;

use crate::world::{audit, bucket, deadline, entries, failed};

/// How many there are: one that is not read would be noticed.
const FIXTURES: usize = 6;

async fn log(bucket: &MemoryAudit, event: &Value) -> Option<String> {
    failed(&audit(bucket.clone()).handle(event.clone(), deadline()).await)
}

#[tokio::test]
async fn every_fixture_does_what_its_snapshot_says() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events/token-audit");
    let files = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    names.sort();
    assert_eq!(names.len(), FIXTURES);
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    for path in names {
        let event: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let bucket = bucket();
        let answer = log(&bucket, &event).await;
        let lines: Vec<Value> = entries(&bucket)
            .iter()
            .map(|entry| serde_json::to_value(entry).unwrap())
            .collect();
        let before = bucket.objects();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let seen =
            json!({"firstFailed": answer, "objects": before.keys().collect::<Vec<_>>(), "entries": lines});
        settings.bind(|| insta::assert_json_snapshot!(name.clone(), seen));
        assert_eq!(log(&bucket, &event).await, answer, "{name}");
        assert_eq!(bucket.objects(), before, "{name}: once more changes nothing");
    }
}
