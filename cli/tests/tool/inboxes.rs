//! `inbox`, `cancel` and `status` as a counterparty uses them.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::stand::{Stand, interrupted};

fn interest(id: &str, side: &str) -> String {
    format!(
        r#"{{"type":"interest","clOrdId":"{id}","symbol":"BTCUSD","side":"{side}","orderQty":"1","price":"2","ack":true}}"#
    )
}

fn bodies(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn what_was_read_is_gone_and_the_registry_is_not_needed() {
    let stand = Stand::start();
    let add = "counterparty add acme --principal AROAACME --output json";
    let added = stand.run("AROAOPERATOR", add).done().json();
    let (id, name) = (added["id"].as_str().unwrap(), added["inbox"].as_str().unwrap());
    stand
        .run_with("AROAACME", "submit -", &interest("A-1", "buy"))
        .done();
    stand.settle();
    // What a counterparty has: the name of its inbox, and who it may write to.
    let all: Value =
        serde_json::from_str(&std::fs::read_to_string(&stand.environment()["SYMBOLON_OUTPUTS"]).unwrap())
            .unwrap();
    let own = serde_json::json!({ "IntakeQueueUrl": all["IntakeQueueUrl"] });
    stand.file("own.json", &own.to_string());
    let read = stand
        .run(
            "AROAACME",
            &format!("inbox {name} --outputs own.json --region us-east-1 --output json"),
        )
        .done();
    let messages = bodies(&read.out);
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert_eq!(
        (&messages[0]["type"], &messages[0]["clOrdId"]),
        (&"accepted".into(), &"A-1".into())
    );
    assert_eq!(
        stand.run("AROAACME", &format!("inbox {id} --wait 1")).done().out,
        ""
    );
    stand
        .run("AROAACME", "inbox aaaaaaaaaaaaaaaaaaaaaaaaaa")
        .says(1, &["find the inbox", "does not exist"]);
    stand
        .run("AROAACME", &format!("inbox {id} --region eu-west-1"))
        .says(1, &[]);
}

#[test]
fn a_follower_sees_messages_as_they_come_and_copies_once() {
    let stand = Stand::start();
    let acme = stand.onboard("acme", "AROAACME");
    let mut child = stand
        .symbolon("AROAACME", &format!("inbox {acme} --follow --output json"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap();
    let send = |body: &str| stand.run_with("AROAACME", "submit -", body).done();
    send(&interest("A-1", "buy"));
    assert_eq!(next()["clOrdId"], "A-1");
    // The same message again is answered by a copy, which is not shown; the next one is.
    send(&interest("A-1", "buy"));
    stand.settle();
    send(&interest("A-2", "buy"));
    assert_eq!(next()["clOrdId"], "A-2");
    stand.run("AROAACME", "cancel A-2 --as A-3").done();
    let cancelled = next();
    assert_eq!(
        (&cancelled["type"], &cancelled["origClOrdId"]),
        (&"cancelled".into(), &"A-2".into())
    );
    let asked = stand.run("AROAACME", "status A-2 --output json").done().json();
    let status = next();
    assert_eq!(
        (&status["type"], &status["ordStatus"]),
        (&"status".into(), &"cancelled".into())
    );
    assert_eq!(status["clOrdId"], asked["sent"]["clOrdId"]);
    assert_eq!(
        interrupted(child).code,
        Some(0),
        "to end a follower is no failure"
    );
}
