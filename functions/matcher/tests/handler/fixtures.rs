//! Every event fixture through the real handler: the answer and the effects as snapshots.

use std::collections::BTreeMap;
use std::path::PathBuf;

use matcher::settings::OwnRoles;
use matcher::{Matcher, Surroundings};
use serde_json::{Value, json};
use symbolon_shared::domain::inbox::OutboundMessage;
use symbolon_shared::testing::MemoryPorts;

use crate::world::{REGION, World, own_roles};

/// How many there are: one that is not read would be noticed.
const FIXTURES: usize = 16;

fn events() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events")
}

fn market() -> World {
    let world = World::empty();
    (1..=3).for_each(|n| world.register(n, |_| ()));
    world.add_symbol("BTCUSD");
    world
}

/// As the local deployment has it so far, and with the same randomness for every fixture.
fn matcher(world: &World) -> Matcher<MemoryPorts> {
    let roles = OwnRoles {
        redrive: None,
        bulk: None,
        ..own_roles()
    };
    let surroundings = Surroundings {
        seed: Box::new(|| [7; 32]),
        ..world.surroundings()
    };
    Matcher::new(world.memory.clone(), REGION.to_owned(), roles, surroundings)
}

async fn handle(world: &World, matcher: &Matcher<MemoryPorts>, event: &Value) -> Value {
    let deadline = world.clock.now().plus_millis(30_000);
    serde_json::to_value(matcher.handle(event.clone(), deadline).await).unwrap()
}

fn effects(ports: &MemoryPorts) -> Value {
    let bodies = |queue: Vec<_>| -> Vec<Value> {
        let parse = |message: OutboundMessage| serde_json::from_str(&message.body).unwrap();
        queue.into_iter().map(parse).collect()
    };
    let inboxes: BTreeMap<_, _> = ports
        .inboxes()
        .into_iter()
        .map(|(url, queue)| (url, bodies(queue)))
        .collect();
    let letters: Vec<_> = ports
        .dead_letters()
        .into_iter()
        .map(|letter| json!({"reason": letter.reason, "body": serde_json::from_str::<Value>(&letter.body).unwrap()}))
        .collect();
    let book: Vec<_> = ports
        .entries()
        .into_iter()
        .map(|e| {
            let order = format!("{} {}", e.owner.as_str(), e.cl_ord_id.as_str());
            json!([
                String::from(e.book),
                order,
                e.leaves_qty.to_string(),
                e.price.to_string(),
                e.version
            ])
        })
        .collect();
    let submissions: Vec<_> = ports
        .submissions()
        .into_iter()
        .map(|s| {
            let order = format!("{} {}", s.owner.as_str(), s.cl_ord_id.as_str());
            json!([
                order,
                s.kind,
                s.ord_status,
                s.cum_qty,
                s.leaves_qty,
                s.matches.len(),
                s.told_at.is_some()
            ])
        })
        .collect();
    json!({"inboxes": inboxes, "deadLetters": letters, "book": book, "submissions": submissions})
}

#[tokio::test]
async fn every_fixture_does_what_its_snapshot_says() {
    let mut names: Vec<_> = std::fs::read_dir(events())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    names.sort();
    assert_eq!(names.len(), FIXTURES);
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    for path in names {
        let event: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let world = market();
        let matcher = matcher(&world);
        let answer = handle(&world, &matcher, &event).await;
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let before = effects(&world.memory);
        let seen = json!({"answer": answer, "effects": before});
        settings.bind(|| insta::assert_json_snapshot!(name.clone(), seen));

        // The same event once more: nothing new is stored, and every message is a copy of one already sent.
        let again = handle(&world, &matcher, &event).await;
        let after = effects(&world.memory);
        assert_eq!(again, answer, "{name}");
        assert_eq!(before["book"], after["book"], "{name}");
        assert_eq!(before["submissions"], after["submissions"], "{name}");
        for (url, messages) in after["inboxes"].as_object().unwrap() {
            let sent = before["inboxes"][url].as_array().unwrap();
            assert!(
                messages.as_array().unwrap().iter().all(|m| sent.contains(m)),
                "{name}: {url}"
            );
        }
    }
}
