//! A log as the function writes it, and a bucket to read it from.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use audit_verifier::{Bucket, BucketError, PublicKeys, RememberedHead, Report, verify};
use serde_json::{Value, json};
use symbolon_shared::domain::audit::LogRegion;
use symbolon_shared::domain::identifiers::{CounterpartyId, Side};
use symbolon_shared::domain::time::Timestamp;
use symbolon_shared::domain::token::{Commitment, DataKey, EpochId, EpochKey, MatchId};
use symbolon_shared::testing::MemoryAudit;
use token_audit::{Surroundings, TokenAudit};

pub(crate) const REGION: &str = "us-east-1";
pub(crate) const OTHER: &str = "us-west-2";
/// 2026-11-23T10:15:30Z.
pub(crate) const NOON: Timestamp = Timestamp::from_millis(1_795_428_930_000);

/// Names and bytes.
pub(crate) type Objects = BTreeMap<String, Vec<u8>>;

/// A bucket in memory.
#[derive(Default)]
pub(crate) struct Bytes(Mutex<Objects>);

impl Bytes {
    pub(crate) fn of(objects: &Objects) -> Arc<Self> {
        Arc::new(Self(Mutex::new(objects.clone())))
    }
}

impl Bucket for Bytes {
    async fn list(&self, prefix: &str, each: &mut (dyn FnMut(&str) + Send)) -> Result<(), BucketError> {
        let objects = self.0.lock().unwrap();
        let names = objects.keys().filter(|name| name.starts_with(prefix));
        names.for_each(|name| each(name));
        Ok(())
    }

    async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, BucketError> {
        Ok(self.0.lock().unwrap().get(name).cloned())
    }
}

pub(crate) fn signer(secret: u8) -> MemoryAudit {
    let signer = MemoryAudit::new([secret; 32]).unwrap();
    signer.add_epoch(epoch());
    signer
}

pub(crate) fn keys(bucket: &MemoryAudit) -> PublicKeys {
    PublicKeys::one(&bucket.public_key()).unwrap()
}

fn epoch() -> EpochId {
    EpochId::new(NOON, 1)
}

pub(crate) fn match_id(n: u32) -> MatchId {
    let mut id = [1; 16];
    id[..4].copy_from_slice(&n.wrapping_mul(2_654_435_761).to_be_bytes());
    MatchId::from_random(id)
}

/// The record of the `n`th match, put `n` / 10 seconds after noon.
pub(crate) fn minted(n: u32) -> Value {
    let key = EpochKey::derive(epoch(), DataKey::try_from(vec![9; 32]).unwrap());
    let match_id = match_id(n);
    let token = |side, owner: u8| key.token(match_id, side, &CounterpartyId::from_random([owner; 16]));
    let (buy, sell) = (token(Side::Buy, 1), token(Side::Sell, 2));
    let (text, number) = (
        |text: &str| json!({"S": text}),
        |n: i64| json!({"N": n.to_string()}),
    );
    json!({
        "eventID": format!("{n:032x}"),
        "eventName": "INSERT",
        "dynamodb": {
            "ApproximateCreationDateTime": NOON.as_millis() / 1_000 + i64::from(n / 10),
            "Keys": {"matchId": {"S": match_id.encode()}},
            "SequenceNumber": n.to_string(),
            "NewImage": {
                "v": number(1), "matchId": text(&match_id.encode()),
                "buyToken": text(&buy.encode()), "sellToken": text(&sell.encode()),
                "commitment": text(&Commitment::of(&buy, &sell).encode()),
                "symbol": text("BTCUSD"), "currency": text("USD"), "lastQty": text("0.5"), "lastPx": text("236.47"),
                "matchedAt": number(NOON.as_millis() + i64::from(n)), "region": text(REGION),
                "keyEpoch": text(&epoch().encode()), "parameterVersion": number(1), "parties": text("AAAA"),
                "generation": number(1), "expiresAt": number(NOON.plus_days(400).as_seconds_ceil()),
            }
        }
    })
}

/// Appends these records to the log of `region`.
pub(crate) async fn append(bucket: &MemoryAudit, region: &str, records: Vec<Value>) {
    let clock = Box::new(|| NOON.plus_millis(3_600_000));
    let audit = TokenAudit::new(
        bucket.clone(),
        &LogRegion::new(region).unwrap(),
        Surroundings { clock },
    );
    let answer = audit
        .handle(json!({"Records": records}), NOON.plus_millis(3_660_000))
        .await;
    assert!(answer.batch_item_failures.is_empty());
}

/// The log of so many batches of so many matches.
pub(crate) async fn log(bucket: &MemoryAudit, region: &str, batches: u32, matches: u32) {
    for batch in 0..batches {
        let records = (batch * matches..(batch + 1) * matches).map(minted);
        append(bucket, region, records.collect()).await;
    }
}

pub(crate) async fn check(objects: &Objects, keys: &PublicKeys, remembered: &[RememberedHead]) -> Report {
    verify(Bytes::of(objects), REGION, keys, remembered, Arc::new(|_| ()))
        .await
        .unwrap()
}

/// The heads of a log, as somebody may have kept them.
pub(crate) fn heads(objects: &Objects) -> Vec<RememberedHead> {
    let heads = objects.iter().filter(|(name, _)| name.ends_with("/head"));
    heads
        .map(|(name, body)| RememberedHead::parse(body, name).unwrap())
        .collect()
}
