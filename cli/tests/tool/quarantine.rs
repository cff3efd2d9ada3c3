//! `redrive` and `quarantine`, as whoever may use them does.

use serde_json::Value;

use crate::stand::Stand;

/// Who may ask the redrive.
const KEEPER: &str = "AROAQUARANTINE";

fn interest(id: &str) -> String {
    format!(
        r#"{{"type":"interest","clOrdId":"{id}","symbol":"BTCUSD","side":"buy","orderQty":"1","price":"2","ack":true}}"#
    )
}

/// The `clOrdId`s that an inbox tells of.
fn told(stand: &Stand, principal: &str, id: &str) -> Vec<String> {
    let read = stand
        .run(principal, &format!("inbox {id} --output json"))
        .done()
        .out;
    let message = |line: &str| serde_json::from_str::<Value>(line).unwrap()["clOrdId"].clone();
    read.lines()
        .map(|line| message(line).as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_stranger_is_quarantined_shown_onboarded_and_released() {
    let stand = Stand::start();
    for id in ["S-1", "S-2"] {
        stand
            .run_with("AROASTRANGER", "submit - --journal j", &interest(id))
            .done();
    }
    stand.settle();
    // Looked at first, and nothing done.
    let looked = stand.run(KEEPER, "redrive --dry-run").done().out;
    assert!(
        looked.contains("unknown_sender 2") && looked.contains("Nothing was done"),
        "{looked}"
    );
    let empty = stand.run(KEEPER, "quarantine list").done().out;
    assert_eq!(empty, "The quarantine is empty.\n");
    // What a dry run has looked at is seen again.
    let report = stand
        .run(KEEPER, "redrive --queue intake --output json")
        .done()
        .json();
    assert_eq!(
        report["queues"][0]["quarantined"]["unknown_sender"], 2,
        "{report}"
    );
    let listed = stand
        .run(KEEPER, "quarantine list --reason unknown_sender --output json")
        .done()
        .out;
    let listed: Vec<Value> = listed
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(listed.len(), 2);
    let table = stand.run(KEEPER, "quarantine list").done().out;
    assert!(
        !table.contains("AROASTRANGER") && !table.contains("S-1"),
        "{table}"
    );
    let hash = listed[0]["hash"].as_str().unwrap();
    let shown = stand
        .run(KEEPER, &format!("quarantine show {}", &hash[..12]))
        .done()
        .out;
    assert!(
        shown.contains("AROASTRANGER") && shown.contains("\"clOrdId\":\"S-"),
        "{shown}"
    );

    let id = stand.onboard("stranger", "AROASTRANGER");
    std::thread::sleep(std::time::Duration::from_secs(1));
    let released = stand
        .run(KEEPER, &format!("quarantine release {hash}"))
        .done()
        .out;
    assert!(released.contains("unknown_sender released"), "{released}");
    let purged = stand
        .run(KEEPER, "quarantine purge --all --reason unknown_sender")
        .done()
        .out;
    assert!(purged.contains("purged"), "{purged}");
    assert_eq!(
        stand.run(KEEPER, "quarantine list").done().out,
        "The quarantine is empty.\n"
    );
    stand.settle();
    assert_eq!(told(&stand, "AROASTRANGER", &id).len(), 1);
    let nothing = stand.run(KEEPER, &format!("quarantine show {hash}"));
    nothing.says(1, &["nothing in the quarantine begins with", "quarantine list"]);
}

#[test]
fn a_queue_that_is_none_is_refused() {
    let stand = Stand::without_matcher();
    stand
        .run(KEEPER, "redrive --queue relay")
        .says(1, &["has no such queue"]);
    let ran = stand.run(KEEPER, "redrive").done();
    assert!(ran.out.contains("dead letters  0"), "{}", ran.out);
    let none = stand
        .run(KEEPER, "quarantine purge --all --older-than 30")
        .done()
        .out;
    assert_eq!(none, "Nothing of that kind is in the quarantine.\n");
}
