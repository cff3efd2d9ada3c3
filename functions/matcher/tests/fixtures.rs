//! Every event fixture through the real handler: the answer and the effects as snapshots.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use matcher::settings::OwnRoles;
use matcher::{Matcher, Surroundings};
use serde_json::{Value, json};
use symbolon_shared::domain::counterparty::Counterparty;
use symbolon_shared::domain::identifiers::{CounterpartyId, Principal};
use symbolon_shared::domain::parameters::MatchParameters;
use symbolon_shared::domain::time::Timestamp;
use symbolon_shared::testing::MemoryPorts;

const REGION: &str = "us-east-1";
/// What the local deployment's matcher role has: `envelope-from-own-role` names it.
const OWN_ROLE: &str = "AROA7LGYHL3K6QY4Y7KSA";

fn events() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events")
}

fn ports() -> MemoryPorts {
    let ports = MemoryPorts::new();
    for n in 1..=3 {
        let inboxes = BTreeMap::from([(REGION.to_owned(), format!("inbox-{n}"))]);
        let principal = Principal::new(format!("AROACOUNTERPARTY{n:05}")).unwrap();
        ports.put_counterparty(Counterparty::new(
            CounterpartyId::new(format!("cp-{n}")).unwrap(),
            principal,
            inboxes,
        ));
    }
    let parameters: MatchParameters = serde_json::from_value(json!({
        "v": 1, "symbol": "BTCUSD", "tick": "0.01", "lot": "0.00000001", "pricePolicy": "resting",
        "currency": "USD", "tradable": true, "version": 1
    }))
    .unwrap();
    ports.put_parameters(parameters);
    ports
}

fn matcher(ports: MemoryPorts) -> Matcher<MemoryPorts> {
    let roles = OwnRoles {
        matcher: Principal::new(OWN_ROLE).unwrap(),
        redrive: None,
        bulk: None,
    };
    let surroundings = Surroundings {
        clock: Box::new(|| Timestamp::parse_rfc3339("2099-01-01T00:00:01Z").unwrap()),
        seed: Box::new(|| [7; 32]),
    };
    Matcher::new(ports, REGION.to_owned(), roles, surroundings)
}

async fn handle(matcher: &Matcher<MemoryPorts>, event: &Value) -> Value {
    let deadline = Timestamp::parse_rfc3339("2099-01-01T00:00:31Z").unwrap();
    serde_json::to_value(matcher.handle(event.clone(), deadline).await).unwrap()
}

fn effects(ports: &MemoryPorts) -> Value {
    let bodies = |queue: Vec<_>| -> Vec<Value> {
        let parse =
            |m: symbolon_shared::domain::inbox::OutboundMessage| serde_json::from_str(&m.body).unwrap();
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
    assert_eq!(names.len(), 16);
    for path in names {
        let event: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let ports = ports();
        let matcher = matcher(ports.clone());
        let answer = handle(&matcher, &event).await;
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        insta::assert_json_snapshot!(
            name.clone(),
            json!({"answer": answer, "effects": effects(&ports)})
        );

        // The same event once more: nothing new is stored, and every message is a copy of one already sent.
        let before = effects(&ports);
        let again = handle(&matcher, &event).await;
        let after = effects(&ports);
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
