//! Every event fixture through the real handler: the answer, and what became of the letters, as snapshots.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::world::{NOON, SENT, World, from, interest, letter, relapsed, sender};

/// How many there are: one that is not read would be noticed.
const FIXTURES: usize = 7;

/// Letters of each kind: two that may go back, and three that are poison.
fn mixed() -> World {
    let world = World::new();
    world.moved("A-1");
    world.dead(from(&sender(2), &interest("A-2"), SENT));
    world.dead(letter("no JSON"));
    world.dead(relapsed("A-3", 3));
    world.dead(from(&sender(1), &interest("A-4"), NOON.plus_days(-400)));
    world
}

#[tokio::test]
async fn every_fixture_does_what_its_snapshot_says() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events/dlq-redrive");
    let files = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    names.sort();
    assert_eq!(names.len(), FIXTURES);
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    for path in names {
        let event: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let world = mixed();
        let answer = world.redrive().handle(event.clone(), world.deadline()).await;
        let announced: Vec<Value> = world
            .memory
            .announced()
            .iter()
            .map(|said| json!({said.detail_type(): serde_json::from_str::<Value>(&said.detail()).unwrap()}))
            .collect();
        let seen = json!({
            "answer": answer,
            "wentBack": world.reached(),
            "left": world.dead_letters().len(),
            "quarantine": world.memory.objects().keys().collect::<Vec<_>>(),
            "announced": announced,
        });
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        settings.bind(|| insta::assert_json_snapshot!(name.clone(), seen));
    }
}
