//! Writes that fail, and writes of which nobody knows whether they did: exactly one match, told, quantities right.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt;
use futures::future::pending;
use serde_json::{Value, json};
use symbolon_shared::ports::{Fault, Ledger, MatcherPorts};
use symbolon_shared::testing::{FaultyPorts, Injection, Operation, Script};

use crate::checks::check;
use crate::hooked::{Call, OPERATIONS, Step, fail, go_on};
use crate::records::{
    bundle, buy, cancel, id, raw_record, received, record, record_at, replace, sell, sender_id, status, with,
};
use crate::world::World;

fn commits(injections: impl IntoIterator<Item = (u64, Injection)>) -> Script {
    let call = |(nth, injection)| (Operation::Commit, nth, injection);
    Script::of(injections.into_iter().map(call).collect::<Vec<_>>())
}

#[tokio::test(start_paused = true)]
async fn a_write_that_fails_in_passing_is_made_good_in_the_same_batch() {
    for injection in [
        Injection::ResponseLost,
        Injection::RequestLost,
        Injection::Throttled,
        Injection::Conflict,
    ] {
        for times in [1, 3] {
            let world = World::new();
            let matcher = world.matcher();
            assert!(
                world
                    .deliver(&matcher, [record(1, &sell("A-1", "3", "100"))])
                    .await
                    .is_empty()
            );
            let script = commits((1..=times).map(|nth| (nth, injection.clone())));
            let ports = FaultyPorts::new(world.memory.clone(), script);
            let taker = record_at(2, 1, &with(buy("B-1", "5", "100"), &json!({"ack": true})));
            let failed = world.deliver(&world.matcher_over(ports.clone()), [taker]).await;
            assert!(failed.is_empty(), "{injection:?} {times}");
            assert!(ports.met().values().sum::<u64>() > 0);
            assert_eq!(world.memory.matches().len(), 1, "{injection:?} {times}");
            assert_eq!(world.submission(2, "B-1").unwrap().leaves_qty.to_string(), "2");
            assert_eq!(world.kinds(2), ["accepted", "match"], "{injection:?} {times}");
            check(&world);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_group_is_read_again_in_one_call() {
    for injection in [Injection::RequestLost, Injection::Conflict] {
        let world = World::new();
        let script = commits([(1, injection)]);
        let ports = FaultyPorts::new(world.memory.clone(), script);
        let records = (0..40).map(|n| record_at(1, n, &sell(&format!("A-{n}"), "3", "100")));
        let failed = world
            .deliver(&world.matcher_over(ports.clone()), records.collect::<Vec<_>>())
            .await;
        assert!(failed.is_empty());
        // The batch; then, in groups of half its size, the first half and the second.
        assert_eq!(ports.calls(Operation::ReadSubmissions), 3);
        check(&world);
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_never_succeeds_comes_back_and_nothing_is_said() {
    for injection in [Injection::RequestLost, Injection::Throttled, Injection::Conflict] {
        let world = World::new();
        let always = injection.clone();
        let script = Script::by(move |operation, _| (operation == Operation::Commit).then(|| always.clone()));
        let records = [
            record(1, &sell("A-1", "1", "100")),
            record_at(2, 1, &with(buy("B-1", "1", "100"), &json!({"ack": true}))),
        ];
        let ports = FaultyPorts::new(world.memory.clone(), script);
        let failed = world
            .deliver(&world.matcher_over(ports.clone()), records.clone())
            .await;
        assert_eq!(
            failed,
            records.iter().map(id).collect::<Vec<_>>(),
            "{injection:?}"
        );
        assert!(world.is_untouched(), "{injection:?}");
        assert!(ports.calls(Operation::Commit) < 40, "it never gives up");
        assert!(world.deliver(&world.matcher(), records).await.is_empty());
        check(&world);
    }
}

/// An interest that rests although it crosses, as two that come together do before their second look; and its
/// record, which when it is delivered once more looks and finds.
async fn about_to_look(world: &World, qty: &str) -> Value {
    world.add_symbol("XRPUSD");
    world.exclude(3, 2);
    let ripple = |body: Value| with(body, &json!({"symbol": "XRPUSD"}));
    let looker = record_at(2, 1, &ripple(buy("B-1", qty, "100")));
    let records = [record(3, &ripple(sell("C-1", "1", "100"))), looker.clone()];
    assert!(world.deliver(&world.matcher(), records).await.is_empty());
    assert_eq!(world.memory.entries().len(), 2);
    world.register(3, |_| ());
    looker
}

#[tokio::test(start_paused = true)]
async fn a_look_whose_write_fails_in_passing_is_made_good_in_the_same_batch() {
    let on_first = |fault| {
        move |call: Call| {
            if call.operation == Operation::Commit && call.nth == 1 {
                fail(fault)
            } else {
                go_on()
            }
        }
    };
    for qty in ["1", "2"] {
        for (fault, after) in [
            (Fault::TimedOut, true),
            (Fault::Unavailable, true),
            (Fault::TimedOut, false),
            (Fault::Throttled, false),
        ] {
            let world = World::new();
            let looker = about_to_look(&world, qty).await;
            let ports = if after {
                world.hooked().after(on_first(fault))
            } else {
                world.hooked().before(on_first(fault))
            };
            let failed = world.deliver(&world.matcher_over(ports), [looker]).await;
            assert!(failed.is_empty(), "{qty} {fault:?} {after}");
            assert_eq!(world.memory.matches().len(), 1, "{qty} {fault:?} {after}");
            assert_eq!(
                (world.kinds(2), world.kinds(3)),
                (vec!["match".to_owned()], vec!["match".to_owned()])
            );
            check(&world);
        }
    }
}

/// The look's first transaction gets no answer in time and is carried out all the same, only later: after its handler
/// has read the order again, before it reads the book again. Nothing is left in the book then, and the order does not
/// know yet why.
#[tokio::test(start_paused = true)]
async fn a_look_that_is_written_after_it_was_given_up_is_told() {
    for qty in ["1", "2"] {
        let world = World::new();
        let looker = about_to_look(&world, qty).await;
        let (memory, on_its_way) = (world.memory.clone(), Arc::new(Mutex::new(None)));
        let late = move |call: Call| {
            let (memory, on_its_way) = (memory.clone(), Arc::clone(&on_its_way));
            async move {
                match (call.operation, call.nth) {
                    (Operation::Commit, 1) => {
                        *on_its_way.lock().unwrap() = Some(call.changes);
                        return Err(Fault::TimedOut);
                    }
                    (Operation::ReadPage, 2) => {
                        let changes = on_its_way.lock().unwrap().take().unwrap();
                        memory.commit(&changes, [7; 16]).await.unwrap();
                    }
                    _ => {}
                }
                Ok(())
            }
            .boxed()
        };
        let matcher = world.matcher_over(world.hooked().before(late));
        let failed = world.deliver(&matcher, [looker.clone()]).await;
        assert_eq!(failed, [id(&looker)], "{qty}: it is done with, and may not be");
        redeliver(&world, vec![looker], "a late write").await;
        assert_eq!(world.memory.matches().len(), 1, "{qty}");
        assert_eq!((world.kinds(2).len(), world.kinds(3).len()), (1, 1), "{qty}");
        check(&world);
    }
}

/// The look's transaction gets no answer and never arrives, and what it found is taken by somebody else.
#[tokio::test(start_paused = true)]
async fn a_look_that_got_no_answer_and_finds_nothing_comes_back_once() {
    let world = World::new();
    let looker = about_to_look(&world, "1").await;
    let other = world.clone();
    let lost = move |call: Call| {
        let world = other.clone();
        async move {
            match (call.operation, call.nth) {
                (Operation::Commit, 1) => return Err(Fault::TimedOut),
                (Operation::ReadPage, 2) => {
                    let taker = record_at(5, 2, &with(buy("D-1", "1", "101"), &json!({"symbol": "XRPUSD"})));
                    assert!(world.deliver(&world.matcher(), [taker]).await.is_empty());
                }
                _ => {}
            }
            Ok(())
        }
        .boxed()
    };
    let matcher = world.matcher_over(world.hooked().before(lost));
    let failed = world.deliver(&matcher, [looker.clone()]).await;
    assert_eq!(failed, [id(&looker)]);
    assert!(world.deliver(&world.matcher(), [looker]).await.is_empty());
    assert_eq!((world.memory.matches().len(), world.kinds(2).len()), (1, 0));
    check(&world);
}

/// What rests before the scenario: one of them crosses what cannot see it yet.
async fn prepared() -> (World, Value) {
    let world = World::new();
    world.add_symbol("ETHUSD");
    let looker = about_to_look(&world, "1").await;
    let resting = [
        record_at(1, 2, &sell("R-1", "5", "110")),
        record_at(4, 3, &sell("R-2", "1", "111")),
        record_at(5, 4, &with(sell("R-3", "1", "100"), &json!({"symbol": "ETHUSD"}))),
    ];
    assert!(world.deliver(&world.matcher(), resting).await.is_empty());
    (world, looker)
}

/// A batch with something of everything.
fn scenario(looker: Value) -> Vec<Value> {
    let ether = |body: Value| with(body, &json!({"symbol": "ETHUSD", "ack": true}));
    vec![
        looker,
        record_at(6, 10, &buy("B-1", "3", "110")),
        record_at(7, 11, &with(buy("B-2", "4", "111"), &json!({"ack": true}))),
        record_at(8, 12, &sell("S-1", "2", "120")),
        // Crosses what is left of B-2: its look finds it.
        record_at(8, 13, &with(replace("S-2", "S-1", "1"), &json!({"price": "111"}))),
        record_at(9, 14, &cancel("X-1", "S-9")),
        record_at(9, 15, &sell("S-9", "1", "110")),
        record_at(
            10,
            16,
            &bundle([
                ether(buy("E-1", "1", "100")),
                ether(buy("E-2", "1", "99")),
                status("E-3", "E-2"),
            ]),
        ),
        record_at(10, 17, &cancel("E-4", "E-2")),
        raw_record(&sender_id(11), 18, "not json"),
        raw_record("AROASTRANGER:desk", 19, "{}"),
    ]
}

/// Delivers to a healthy process of its own until nothing comes back.
async fn redeliver(world: &World, mut records: Vec<Value>, what: &str) {
    for count in 2..6 {
        let again = records.iter().map(|record| received(record.clone(), count));
        let failed = world.deliver(&world.matcher(), again.collect::<Vec<_>>()).await;
        records.retain(|record| failed.contains(&id(record)));
        if records.is_empty() {
            return;
        }
    }
    panic!("{} records still come back after {what}", records.len());
}

fn all_is_well(world: &World, what: &str) {
    // Printed only when one of the checks fails.
    eprintln!("after {what}");
    check(world);
    let ended = |n: usize, name: &str| assert!(world.submission(n, name).is_some(), "{name} after {what}");
    for (n, name) in [
        (6, "B-1"),
        (7, "B-2"),
        (8, "S-2"),
        (9, "S-9"),
        (10, "E-1"),
        (10, "E-2"),
        (10, "E-3"),
        (10, "E-4"),
    ] {
        ended(n, name);
    }
    let reasons: BTreeSet<_> = world
        .dead_letters()
        .into_iter()
        .map(|(reason, _)| reason)
        .collect();
    assert_eq!(
        reasons,
        BTreeSet::from(["malformed", "unknown_sender"]),
        "after {what}"
    );
}

#[tokio::test(start_paused = true)]
async fn without_faults_the_scenario_matches_what_it_should() {
    let (world, looker) = prepared().await;
    assert!(world.deliver(&world.matcher(), scenario(looker)).await.is_empty());
    all_is_well(&world, "no fault");
    assert_eq!(world.memory.matches().len(), 6);
}

#[tokio::test(start_paused = true)]
async fn any_fault_is_repaired_at_the_latest_by_redelivery() {
    let injections = [
        Injection::RequestLost,
        Injection::ResponseLost,
        Injection::Throttled,
        Injection::Conflict,
        Injection::PartialFailure(vec![0]),
    ];
    for operation in OPERATIONS {
        for injection in &injections {
            for nths in [
                vec![1],
                vec![2],
                vec![3],
                vec![4],
                vec![5],
                vec![1, 2],
                (1..99).collect(),
            ] {
                let what = format!("{injection:?} of {operation} {}..", nths[0]);
                let (world, looker) = prepared().await;
                let calls = nths.into_iter().map(|nth| (operation, nth, injection.clone()));
                let ports = FaultyPorts::new(world.memory.clone(), Script::of(calls.collect::<Vec<_>>()));
                let mut records = scenario(looker);
                let failed = world.deliver(&world.matcher_over(ports), records.clone()).await;
                records.retain(|record| failed.contains(&id(record)));
                redeliver(&world, records, &what).await;
                all_is_well(&world, &what);
            }
        }
    }
}

/// Never returns from this call.
fn dies_at(operation: Operation, nth: u64) -> impl Fn(Call) -> Step + Send + Sync {
    move |call| {
        if call.operation == operation && call.nth == nth {
            pending().boxed()
        } else {
            go_on()
        }
    }
}

/// A process that ends in the middle gives no answer: everything comes back.
async fn dies<P: MatcherPorts>(world: &World, ports: P, records: &[Value]) -> bool {
    let matcher = world.matcher_over(ports);
    let delivery = world.deliver(&matcher, records.to_vec());
    tokio::time::timeout(Duration::from_mins(15), delivery)
        .await
        .is_err()
}

#[tokio::test(start_paused = true)]
async fn a_crash_before_or_after_any_call_is_repaired_by_redelivery() {
    for operation in OPERATIONS {
        let mut died = 0;
        for nth in 1..=8 {
            for after in [false, true] {
                let what = format!("crash at {operation} {nth}, after it: {after}");
                let (world, looker) = prepared().await;
                let (hooked, hook) = (world.hooked(), dies_at(operation, nth));
                let ports = if after {
                    hooked.after(hook)
                } else {
                    hooked.before(hook)
                };
                let records = scenario(looker);
                died += u32::from(dies(&world, ports, &records).await);
                redeliver(&world, records, &what).await;
                all_is_well(&world, &what);
            }
        }
        // Nothing in the scenario expires, nothing was left untold, and the key was made before.
        let rare = [
            Operation::RemoveEntry,
            Operation::ReadMatches,
            Operation::GenerateKey,
            Operation::PutKey,
        ];
        assert!(
            died > 0 || rare.contains(&operation),
            "{operation} is never called"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_crash_after_the_write_is_repaired_when_the_message_is_sent_again_under_another_id() {
    let world = World::new();
    let records = [
        record(1, &sell("A-1", "1", "100")),
        record_at(2, 1, &buy("B-1", "1", "100")),
    ];
    assert!(
        dies(
            &world,
            world.hooked().after(dies_at(Operation::Commit, 1)),
            &records
        )
        .await
    );
    assert_eq!(world.memory.matches().len(), 1);
    let again = records.iter().map(crate::records::sent_again);
    assert!(
        world
            .deliver(&world.matcher(), again.collect::<Vec<_>>())
            .await
            .is_empty()
    );
    check(&world);
}
