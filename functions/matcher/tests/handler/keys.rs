//! Epoch keys: one for each day, whoever makes it, unwrapped once for each process.

use std::sync::Arc;

use futures::FutureExt;
use serde_json::{Value, json};
use symbolon_shared::domain::identifiers::Side;
use symbolon_shared::domain::token::{EpochId, EpochKey};
use symbolon_shared::ports::{EpochKeyStore, Fault, KeyService};
use symbolon_shared::testing::Operation;
use tokio::sync::Barrier;

use crate::checks::check;
use crate::hooked::{Call, Step, fail, go_on};
use crate::records::{buy, id, raw_record, record, record_at, sell, sender_id, with};
use crate::world::World;

fn pair(name: &str) -> [Value; 2] {
    [
        record(1, &sell(&format!("A-{name}"), "1", "100")),
        record_at(2, 1, &buy(&format!("B-{name}"), "1", "100")),
    ]
}

/// The key that is stored for an epoch, as the relay will have it.
async fn stored_key(world: &World, epoch: EpochId) -> EpochKey {
    let wrapped = world.memory.read_key(epoch).await.unwrap().unwrap();
    EpochKey::derive(epoch, world.memory.unwrap_key(epoch, &wrapped).await.unwrap())
}

/// Opens every match with what is stored: its tokens are those of its parties.
async fn every_match_opens(world: &World) {
    for record in world.memory.matches() {
        let key = stored_key(world, record.key_epoch).await;
        let parties = key.open(record.match_id, &record.parties).unwrap();
        for (side, leg) in [(Side::Buy, &parties.buyer), (Side::Sell, &parties.seller)] {
            assert!(key.verify(record.token(side), side, &leg.order.owner));
        }
    }
}

fn days(world: &World) -> Vec<String> {
    world.memory.epochs().iter().map(EpochId::encode).collect()
}

fn fails(operation: Operation, from: u64) -> impl Fn(Call) -> Step + Send + Sync {
    move |call| {
        if call.operation == operation && call.nth >= from {
            fail(Fault::Unavailable)
        } else {
            go_on()
        }
    }
}

#[tokio::test]
async fn two_cold_starts_that_race_end_with_one_key() {
    let world = World::new();
    world.add_symbol("ETHUSD");
    let barrier = Arc::new(Barrier::new(2));
    let matchers = [(), ()].map(|()| {
        let barrier = Arc::clone(&barrier);
        // Both have seen that there is none, and both have made one.
        let ports = world.hooked().before(move |call| {
            let barrier = Arc::clone(&barrier);
            match call.operation {
                Operation::PutKey if call.nth == 1 => async move {
                    barrier.wait().await;
                    Ok(())
                }
                .boxed(),
                _ => go_on(),
            }
        });
        world.matcher_over(ports)
    });
    let ether = pair("2").map(|record| {
        let body: Value = serde_json::from_str(record["body"].as_str().unwrap()).unwrap();
        let body = with(body, &json!({"symbol": "ETHUSD"})).to_string();
        with(record, &json!({"body": body}))
    });
    let (first, second) = tokio::join!(
        world.deliver(&matchers[0], pair("1")),
        world.deliver(&matchers[1], ether)
    );
    assert_eq!((first, second), (Vec::new(), Vec::new()));
    assert!(
        world.memory.calls(Operation::GenerateKey) >= 3,
        "they did not race"
    );
    assert_eq!(days(&world), ["2099-01-01.g0", "2099-01-02.g0"]);
    assert_eq!(world.memory.matches().len(), 2);
    every_match_opens(&world).await;
    check(&world);
}

#[tokio::test]
async fn a_process_unwraps_a_key_once() {
    let world = World::new();
    let matcher = world.matcher();
    for n in 0..20 {
        assert!(world.deliver(&matcher, pair(&n.to_string())).await.is_empty());
    }
    assert_eq!(world.memory.calls(Operation::UnwrapKey), 1);
    assert_eq!(
        world.memory.calls(Operation::GenerateKey),
        2,
        "today's and tomorrow's"
    );
    // Another process finds both.
    assert!(world.deliver(&world.matcher(), pair("other")).await.is_empty());
    assert_eq!(world.memory.calls(Operation::UnwrapKey), 2);
    assert_eq!(world.memory.calls(Operation::GenerateKey), 2);
    every_match_opens(&world).await;
}

#[tokio::test]
async fn at_midnight_the_key_that_was_made_a_day_ahead_is_used() {
    let world = World::new();
    world.clock.set("2099-01-01T23:59:59.999Z");
    // The key service makes no key after the first two.
    let matcher = world.matcher_over(world.hooked().before(fails(Operation::GenerateKey, 3)));
    assert!(world.deliver(&matcher, pair("1")).await.is_empty());
    assert_eq!(days(&world), ["2099-01-01.g0", "2099-01-02.g0"]);
    world.clock.advance(1);
    assert!(world.deliver(&matcher, pair("2")).await.is_empty());
    let epochs: Vec<String> = world
        .memory
        .matches()
        .iter()
        .map(|record| record.key_epoch.encode())
        .collect();
    assert!(epochs.contains(&"2099-01-01.g0".to_owned()) && epochs.contains(&"2099-01-02.g0".to_owned()));
    assert_eq!(world.memory.calls(Operation::UnwrapKey), 2);
    every_match_opens(&world).await;
    check(&world);
}

#[tokio::test]
async fn a_key_for_tomorrow_that_cannot_be_made_holds_up_nobody_today_and_is_made_later() {
    let world = World::new();
    let ports = world.hooked().before(|call| {
        if call.operation == Operation::GenerateKey && call.nth == 2 {
            fail(Fault::Throttled)
        } else {
            go_on()
        }
    });
    let matcher = world.matcher_over(ports);
    assert!(world.deliver(&matcher, pair("1")).await.is_empty());
    assert_eq!(days(&world), ["2099-01-01.g0"]);
    assert!(world.deliver(&matcher, pair("2")).await.is_empty());
    assert_eq!(days(&world), ["2099-01-01.g0", "2099-01-02.g0"]);
}

#[tokio::test]
async fn without_a_key_everything_goes_back_but_what_nobody_sent() {
    for operation in [
        Operation::GenerateKey,
        Operation::UnwrapKey,
        Operation::ReadKey,
        Operation::PutKey,
    ] {
        let world = World::new();
        let matcher = world.matcher_over(world.hooked().before(fails(operation, 1)));
        let mut records = pair("1").to_vec();
        records.push(raw_record(&sender_id(3), 0, "not json"));
        let failed = world.deliver(&matcher, records.clone()).await;
        assert_eq!(failed, [id(&records[0]), id(&records[1])], "{operation}");
        assert!(world.memory.submissions().is_empty() && world.memory.entries().is_empty());
        assert!(world.memory.inboxes().values().all(Vec::is_empty));
        assert_eq!(world.dead_letters().len(), 1);
        assert!(
            world
                .deliver(&world.matcher(), records[..2].to_vec())
                .await
                .is_empty()
        );
        check(&world);
    }
}

/// Matches a pair today that reaches no inbox.
async fn untold(world: &World, name: &str) -> Value {
    let mute = world.hooked().before(|call| match call.operation {
        Operation::SendMessages => fail(Fault::Unavailable),
        _ => go_on(),
    });
    let records = pair(name);
    assert_eq!(
        world.deliver(&world.matcher_over(mute), records.clone()).await,
        [id(&records[1])]
    );
    records[1].clone()
}

#[tokio::test(start_paused = true)]
async fn a_match_of_yesterday_is_opened_and_told_today() {
    let world = World::new();
    let record = untold(&world, "1").await;
    world.clock.advance(86_400_000);
    let (unwraps, matcher) = (world.memory.calls(Operation::UnwrapKey), world.matcher());
    assert!(world.deliver(&matcher, [record]).await.is_empty());
    assert_eq!(
        world.memory.calls(Operation::UnwrapKey),
        unwraps + 2,
        "today's and yesterday's"
    );
    assert_eq!(world.memory.matches()[0].key_epoch.encode(), "2099-01-01.g0");
    check(&world);
}

#[tokio::test(start_paused = true)]
async fn a_match_whose_key_cannot_be_had_does_not_keep_others_from_being_told() {
    for lost in 0..3 {
        let world = World::new();
        let mut records = Vec::new();
        for name in ["1", "2", "3"] {
            records.push(untold(&world, name).await);
            world.clock.advance(86_400_000);
        }
        let epoch = world.memory.epochs()[lost];
        let ports = world.hooked().before(move |call| {
            if call.epoch == Some(epoch) {
                fail(Fault::Unavailable)
            } else {
                go_on()
            }
        });
        let failed = world.deliver(&world.matcher_over(ports), records.clone()).await;
        assert_eq!(failed, [id(&records[lost])]);
        assert!(world.deliver(&world.matcher(), records).await.is_empty());
        check(&world);
    }
}
