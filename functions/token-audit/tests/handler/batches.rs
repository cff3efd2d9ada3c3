//! What a batch becomes, and what is answered.

use serde_json::{Value, json};
use symbolon_shared::domain::audit::{Event, Invariant};
use symbolon_shared::testing::MemoryAudit;
use token_audit::{Surroundings, TokenAudit};

use crate::hooked::Hooked;
use crate::world::{
    NOON, assert_minted_once, audit, bucket, changed, deadline, entries, event, failed, item, minted,
    number_of, region, removed, secrets,
};

async fn log(bucket: &MemoryAudit, records: impl IntoIterator<Item = Value>) -> Option<String> {
    failed(&audit(bucket.clone()).handle(event(records), deadline()).await)
}

#[tokio::test]
async fn a_batch_is_logged_and_again_changes_nothing() {
    let bucket = bucket();
    assert_eq!(log(&bucket, (0..100).map(minted)).await, None);
    assert_minted_once(&bucket, 0..100);
    let before = bucket.objects();
    assert_eq!(log(&bucket, (0..100).map(minted)).await, None, "a cold process");
    let warm = audit(bucket.clone());
    for part in [0..100, 30..60, 99..100] {
        assert_eq!(
            failed(&warm.handle(event(part.map(minted)), deadline()).await),
            None
        );
    }
    let twice = (0..100).chain(0..100).map(minted);
    assert_eq!(failed(&warm.handle(event(twice), deadline()).await), None);
    assert_eq!(bucket.objects(), before);
}

#[tokio::test]
async fn a_duplicate_is_told_however_old_it_is() {
    let bucket = bucket();
    let warm = audit(bucket.clone());
    // Forty objects in each chain, far more than are read at once.
    for batch in 0..40 {
        let records = (batch * 40..(batch + 1) * 40).map(minted);
        assert_eq!(failed(&warm.handle(event(records), deadline()).await), None);
    }
    assert_minted_once(&bucket, 0..1_600);
    let before = bucket.objects();
    for old in [0, 800, 1_599] {
        assert_eq!(log(&bucket, [minted(old)]).await, None);
    }
    assert_eq!(bucket.objects(), before);
}

#[tokio::test]
async fn a_batch_in_time_reads_nothing_back() {
    let bucket = bucket();
    log(&bucket, (0..80).map(minted)).await;
    let hooked = Hooked::new(&bucket, None);
    let warm = audit(hooked.clone());
    warm.handle(event((80..160).map(minted)), deadline()).await;
    // The epoch; of each chain the head, its signature, a new one, the object, the head; the announcement.
    assert_eq!(hooked.calls(), 2 + 8 * 5);
    warm.handle(event((160..240).map(minted)), deadline()).await;
    assert_eq!(
        hooked.calls(),
        2 + 8 * 5 + 8 * 3 + 1,
        "what it remembers it does not read"
    );
}

#[tokio::test]
async fn what_happens_to_a_match_is_logged_in_order() {
    let bucket = bucket();
    let records = [
        minted(1),
        minted(2),
        changed(1, 900),
        removed(1, 901, 401, true),
        removed(2, 902, 401, false),
        minted(3),
        removed(3, 903, 10, false),
    ];
    assert_eq!(log(&bucket, records).await, None);
    let of = |n: u32| -> Vec<(Event, Option<Invariant>)> {
        let of_it = entries(&bucket).into_iter();
        of_it
            .filter(|entry| entry.match_id == secrets(n).match_id)
            .map(|entry| (entry.event, entry.invariant))
            .collect()
    };
    let unchanged = (Event::Broken, Some(Invariant::UnchangedAfterMinting));
    assert_eq!(
        of(1),
        [
            (Event::Minted, None),
            (Event::Changed, None),
            unchanged,
            (Event::Expired, None)
        ]
    );
    assert_eq!(of(2), [(Event::Minted, None), (Event::Deleted, None)]);
    assert_eq!(of(3), [(Event::Minted, None), (Event::Deleted, None), unchanged]);
}

#[tokio::test]
async fn a_second_minting_of_a_match_is_an_entry_and_broken() {
    let bucket = bucket();
    log(&bucket, [minted(1)]).await;
    let mut again = minted(1);
    again["eventID"] = json!("another event");
    assert_eq!(log(&bucket, [again]).await, None);
    let broken: Vec<_> = entries(&bucket)
        .iter()
        .filter_map(|entry| entry.invariant)
        .collect();
    assert_eq!(broken, [Invariant::MintedOnce]);
}

#[tokio::test]
async fn a_record_that_cannot_be_placed_comes_back_alone_and_first() {
    let bucket = bucket();
    let mut records: Vec<Value> = (0..20).map(minted).collect();
    records[5]["dynamodb"]["Keys"] = json!({"matchId": {"S": "cp-somebody"}});
    records[9]["eventID"] = Value::Null;
    let name = number_of(&records[5]);
    assert_eq!(log(&bucket, records.clone()).await, Some(name));
    assert_eq!(entries(&bucket).len(), 18, "its neighbours are logged");
    // The stream goes on from there; a mapping that bisects gets past it in the end.
    assert_eq!(
        log(&bucket, records.split_off(6)).await,
        Some(number_of(&minted(9)))
    );
    assert_eq!(entries(&bucket).len(), 18);
}

#[tokio::test]
async fn a_record_without_a_number_brings_the_whole_batch_back() {
    let bucket = bucket();
    let mut records: Vec<Value> = (0..20).map(minted).collect();
    records[5]["eventID"] = Value::Null;
    records[7] = json!("what is this");
    assert_eq!(log(&bucket, records).await, Some(String::new()));
    assert_eq!(entries(&bucket).len(), 18);
    let odd = audit(bucket.clone()).handle(json!({"odd": 1}), deadline()).await;
    assert_eq!(failed(&odd), Some(String::new()));
    let empty = audit(bucket).handle(json!({"Records": []}), deadline()).await;
    assert_eq!(failed(&empty), None);
}

#[tokio::test]
async fn an_item_that_cannot_be_read_does_not_stop_the_log() {
    let bucket = bucket();
    let mut records: Vec<Value> = (0..3).map(minted).collect();
    records[1]["dynamodb"]["NewImage"]["commitment"] = json!({"S": "x"});
    records[2]["dynamodb"]["NewImage"] = Value::Null;
    assert_eq!(log(&bucket, records).await, None);
    let broken: Vec<_> = entries(&bucket)
        .iter()
        .filter_map(|entry| entry.invariant)
        .collect();
    assert_eq!(broken, [Invariant::ItemReadable; 2]);
}

#[tokio::test]
async fn tokens_that_do_not_fit_are_broken_and_logged() {
    let bucket = bucket();
    let mut record = minted(1);
    record["dynamodb"]["NewImage"]["sellToken"] = item(1)["buyToken"].clone();
    assert_eq!(log(&bucket, [record]).await, None);
    let broken: Vec<_> = entries(&bucket)
        .iter()
        .filter_map(|entry| entry.invariant)
        .collect();
    assert_eq!(broken, [Invariant::TokensFitCommitment]);
}

#[tokio::test]
async fn an_epoch_that_is_not_there_yet_is_waited_for_a_minute() {
    let bucket = MemoryAudit::new([7; 32]).unwrap();
    let at = |millis| {
        let clock = Box::new(move || NOON.plus_millis(millis));
        TokenAudit::new(bucket.clone(), &region(), Surroundings { clock })
    };
    let records = || event([minted(0), minted(1)]);
    let answer = at(59_999).handle(records(), deadline()).await;
    assert_eq!(failed(&answer), Some(number_of(&minted(0))));
    assert!(bucket.objects().is_empty());
    let answer = at(60_000).handle(records(), deadline()).await;
    assert_eq!(failed(&answer), None);
    let broken: Vec<_> = entries(&bucket)
        .iter()
        .filter_map(|entry| entry.invariant)
        .collect();
    assert_eq!(broken, [Invariant::KeyEpochKnown; 2]);
}

#[tokio::test]
async fn what_there_is_no_time_left_for_comes_back() {
    let bucket = bucket();
    let answer = audit(bucket.clone()).handle(event([minted(0)]), NOON).await;
    assert_eq!(failed(&answer), Some(number_of(&minted(0))));
    assert!(bucket.objects().is_empty());
}
