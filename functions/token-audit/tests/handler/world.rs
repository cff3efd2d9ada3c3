//! Matches, stream records of them, and a log to look at.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use serde_json::{Value, json};
use symbolon_shared::domain::audit::{Entry, Event, LogRegion, Position, Sealed};
use symbolon_shared::domain::identifiers::{CounterpartyId, Side};
use symbolon_shared::domain::time::Timestamp;
use symbolon_shared::domain::token::{Commitment, DataKey, EpochId, EpochKey, MatchId, Token};
use symbolon_shared::testing::MemoryAudit;
use token_audit::{Surroundings, TokenAudit};

pub(crate) const REGION: &str = "us-east-1";
/// 2026-11-23T10:15:30Z.
pub(crate) const NOON: Timestamp = Timestamp::from_millis(1_795_428_930_000);

pub(crate) fn region() -> LogRegion {
    LogRegion::new(REGION).unwrap()
}

pub(crate) fn epoch() -> EpochId {
    EpochId::new(NOON, 1)
}

pub(crate) fn bucket() -> MemoryAudit {
    let bucket = MemoryAudit::new([7; 32]).unwrap();
    bucket.add_epoch(epoch());
    bucket
}

/// An hour later: whatever is unknown then has been so for long.
pub(crate) fn later() -> Surroundings {
    Surroundings {
        clock: Box::new(|| NOON.plus_millis(3_600_000)),
    }
}

pub(crate) fn audit<P: symbolon_shared::ports::audit::AuditPorts>(ports: P) -> TokenAudit<P> {
    TokenAudit::new(ports, &region(), later())
}

pub(crate) fn deadline() -> Timestamp {
    NOON.plus_millis(3_660_000)
}

/// The secrets of the `n`th match.
pub(crate) struct Secrets {
    pub(crate) match_id: MatchId,
    pub(crate) owners: [CounterpartyId; 2],
    pub(crate) tokens: [Token; 2],
}

pub(crate) fn key() -> EpochKey {
    EpochKey::derive(epoch(), DataKey::try_from(vec![9; 32]).unwrap())
}

pub(crate) fn secrets(n: u32) -> Secrets {
    let id = |kind: u32| {
        let mut id = [kind.to_be_bytes()[3]; 16];
        id[..4].copy_from_slice(&n.wrapping_mul(2_654_435_761).to_be_bytes());
        id
    };
    let match_id = MatchId::from_random(id(1));
    let owners = [2, 3].map(|kind| CounterpartyId::from_random(id(kind)));
    let key = key();
    Secrets {
        tokens: [
            key.token(match_id, Side::Buy, &owners[0]),
            key.token(match_id, Side::Sell, &owners[1]),
        ],
        match_id,
        owners,
    }
}

/// The item of the `n`th match, in DynamoDB's JSON.
pub(crate) fn item(n: u32) -> Value {
    let Secrets { match_id, tokens, .. } = secrets(n);
    let text = |text: &str| json!({"S": text});
    let number = |number: i64| json!({"N": number.to_string()});
    json!({
        "v": number(1),
        "matchId": text(&match_id.encode()),
        "buyToken": text(&tokens[0].encode()),
        "sellToken": text(&tokens[1].encode()),
        "commitment": text(&Commitment::of(&tokens[0], &tokens[1]).encode()),
        "symbol": text("BTCUSD"),
        "currency": text("USD"),
        "lastQty": text("0.5"),
        "lastPx": text("236.47"),
        "matchedAt": number(NOON.as_millis() + i64::from(n)),
        "region": text(REGION),
        "keyEpoch": text(&epoch().encode()),
        "parameterVersion": number(1),
        "parties": text(&BASE64.encode(&[n.to_be_bytes()[3]; 325])),
        "generation": number(1),
        "expiresAt": number(NOON.plus_days(400).as_seconds_ceil()),
    })
}

fn record(n: u32, event: u32, name: &str, at_second: i64) -> Value {
    json!({
        "eventID": format!("{event:032x}"),
        "eventName": name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": REGION,
        "dynamodb": {
            "ApproximateCreationDateTime": NOON.as_millis() / 1_000 + at_second,
            "Keys": {"matchId": {"S": secrets(n).match_id.encode()}},
            "SequenceNumber": format!("{}", 100_000_000_000_000_000_000_u128 + u128::from(event)),
            "SizeBytes": 900,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
    })
}

/// The record of the `n`th match when it is put, `n` / 10 seconds after noon.
pub(crate) fn minted(n: u32) -> Value {
    let mut record = record(n, n, "INSERT", i64::from(n / 10));
    record["dynamodb"]["NewImage"] = item(n);
    record
}

/// The `n`th match is changed.
pub(crate) fn changed(n: u32, event: u32) -> Value {
    let mut record = record(n, event, "MODIFY", i64::from(n / 10) + 1);
    record["dynamodb"]["OldImage"] = item(n);
    record["dynamodb"]["NewImage"] = item(n);
    record["dynamodb"]["NewImage"]["lastQty"] = json!({"S": "0.6"});
    record
}

/// The `n`th match goes, so many days after noon.
pub(crate) fn removed(n: u32, event: u32, days: i64, by_ttl: bool) -> Value {
    let mut record = record(n, event, "REMOVE", days * 86_400);
    record["dynamodb"]["OldImage"] = item(n);
    if by_ttl {
        record["userIdentity"] = json!({"type": "Service", "principalId": "dynamodb.amazonaws.com"});
    }
    record
}

pub(crate) fn event(records: impl IntoIterator<Item = Value>) -> Value {
    json!({"Records": records.into_iter().collect::<Vec<_>>()})
}

pub(crate) fn number_of(record: &Value) -> String {
    record["dynamodb"]["SequenceNumber"].as_str().unwrap().to_owned()
}

/// The only failure of an answer, if any.
pub(crate) fn failed(answer: &impl serde::Serialize) -> Option<String> {
    let answer = serde_json::to_value(answer).unwrap();
    let failures = answer["batchItemFailures"].as_array().unwrap();
    assert!(failures.len() <= 1, "the first alone is named");
    let first = failures.first()?;
    Some(first["itemIdentifier"].as_str().unwrap().to_owned())
}

/// Every entry of a bucket, after everything that hangs together in it was seen to do so.
pub(crate) fn entries(bucket: &MemoryAudit) -> Vec<Entry> {
    let objects = bucket.objects();
    let mut entries = Vec::new();
    let mut seen = 0;
    for chain in symbolon_shared::domain::audit::Chain::all() {
        let mut position = Position::genesis(&region(), chain);
        let mut tip = None;
        while let Some(body) = objects.get(&position.next_name()) {
            let sealed = Sealed::parse(body).unwrap();
            position.check_next(&sealed).unwrap();
            entries.extend(sealed.entries().unwrap());
            position = Position::from(&sealed.statement);
            tip = Some(sealed);
            seen += 1;
        }
        let head = objects.get(&symbolon_shared::domain::audit::head_name(&region(), chain));
        let due = tip.map(|tip| tip.statement.line());
        let is = head.map(|head| Sealed::parse(head).unwrap().statement.line());
        assert_eq!(is, due, "the head of chain {} is at its end", chain.number());
        seen += usize::from(head.is_some());
    }
    assert_eq!(seen, objects.len(), "there is nothing else in the bucket");
    entries
}

/// How often each match is said to be minted.
pub(crate) fn mintings(entries: &[Entry]) -> BTreeMap<String, usize> {
    let mut mintings = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.event == Event::Minted) {
        *mintings.entry(entry.match_id.encode()).or_default() += 1;
    }
    mintings
}

/// That these matches are minted, each once, and nothing else is said.
pub(crate) fn assert_minted_once(bucket: &MemoryAudit, matches: impl IntoIterator<Item = u32>) {
    let entries = entries(bucket);
    let matches: Vec<u32> = matches.into_iter().collect();
    assert_eq!(entries.len(), matches.len());
    let due = matches
        .iter()
        .map(|n| (secrets(*n).match_id.encode(), 1))
        .collect();
    assert_eq!(mintings(&entries), due);
}
