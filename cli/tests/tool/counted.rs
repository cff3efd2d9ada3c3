//! What the matcher makes of messages that came, copies among them: the real handler on ports in memory.

use std::collections::BTreeMap;

use local::deployment::now;
use matcher::settings::OwnRoles;
use matcher::{Matcher, Surroundings};
use serde_json::{Value, json};
use symbolon_shared::domain::counterparty::Counterparty;
use symbolon_shared::domain::identifiers::{CounterpartyId, Principal};
use symbolon_shared::testing::MemoryPorts;

/// Records of one event.
const BATCH: usize = 1_000;

/// The ports after every body was delivered in turn, sent by `AROAACME`, on these symbols.
pub(crate) fn counted(bodies: &[String], symbols: impl Iterator<Item = String>) -> MemoryPorts {
    let memory = MemoryPorts::new();
    let id = CounterpartyId::new("cp-acme").unwrap();
    let principal = Principal::new("AROAACME").unwrap();
    memory.put_counterparty(Counterparty::new(id, principal, BTreeMap::new()));
    for symbol in symbols {
        let parameters = json!({ "v": 1, "symbol": symbol, "tick": "1", "lot": "0.00000001",
            "pricePolicy": "resting", "currency": "USD", "tradable": true, "version": 1 });
        memory.put_parameters(serde_json::from_value(parameters).unwrap());
    }
    let surroundings = Surroundings {
        clock: Box::new(now),
        seed: Box::new(rand::random),
    };
    let roles = OwnRoles {
        matcher: Principal::new("AROAMATCHER").unwrap(),
        redrive: None,
        bulk: None,
    };
    let matcher = Matcher::new(memory.clone(), "us-east-1".to_owned(), roles, surroundings);
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    for batch in bodies.chunks(BATCH) {
        let records: Vec<Value> = batch.iter().enumerate().map(record).collect();
        let event = json!({ "Records": records });
        let answer = runtime.block_on(matcher.handle(event, now().plus_millis(600_000)));
        let answer = serde_json::to_value(answer).unwrap();
        assert_eq!(answer["batchItemFailures"], json!([]), "nothing comes back");
    }
    memory
}

fn record((index, body): (usize, &String)) -> Value {
    json!({
        "messageId": index.to_string(),
        "receiptHandle": "r",
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": now().as_millis().to_string(),
            "SenderId": "AROAACME:desk",
            "ApproximateFirstReceiveTimestamp": now().as_millis().to_string(),
        },
        "messageAttributes": {},
        "md5OfBody": "0",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:symbolon-intake",
        "awsRegion": "us-east-1",
    })
}
