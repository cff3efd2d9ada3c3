//! Publication: what is written reaches both inboxes, in few sends, and only then is it marked as told.

use std::collections::BTreeSet;

use futures::FutureExt;
use serde_json::{Value, json};
use symbolon_shared::ports::Fault;
use symbolon_shared::testing::{FaultyPorts, Injection, Operation, Script};

use crate::checks::check;
use crate::hooked::{Call, Step, fail, go_on};
use crate::records::{bundle, buy, cancel, id, interest, record, record_at, replace, sell, status, with};
use crate::world::{COUNTERPARTIES, World, inbox_url, owner};

fn pair() -> [Value; 2] {
    [
        record(1, &sell("A-1", "1", "100")),
        record_at(2, 1, &buy("B-1", "1", "100")),
    ]
}

fn told(world: &World) -> bool {
    world.submission(2, "B-1").unwrap().told_at.is_some()
}

fn queue_fails(queue: &'static str, fault: Fault) -> impl Fn(Call) -> Step + Send + Sync {
    move |call| {
        if call.queue.as_deref() == Some(queue) {
            fail(fault)
        } else {
            go_on()
        }
    }
}

#[tokio::test(start_paused = true)]
async fn entries_that_were_not_taken_are_sent_again_and_only_those() {
    let world = World::new();
    let script = Script::of([
        (
            Operation::SendMessages,
            1,
            Injection::PartialFailure(vec![0, 5, 9]),
        ),
        (Operation::SendMessages, 2, Injection::PartialFailure(vec![1])),
        (Operation::SendMessages, 3, Injection::Throttled),
        (Operation::SendMessages, 4, Injection::PartialFailure(vec![0])),
    ]);
    let ports = FaultyPorts::new(world.memory.clone(), script);
    let asking = |n: usize| with(sell(&format!("A-{n}"), "1", "100"), &json!({"ack": true}));
    let whole = record(1, &bundle((0..10).map(asking)));
    assert!(
        world
            .deliver(&world.matcher_over(ports.clone()), [whole])
            .await
            .is_empty()
    );
    assert_eq!(ports.met().values().sum::<u64>(), 4);
    let bodies = world.bodies(1);
    assert_eq!(bodies.len(), 10, "a copy of what was taken was sent");
    assert_eq!(bodies.iter().collect::<BTreeSet<_>>().len(), 10, "one is missing");
}

#[tokio::test(start_paused = true)]
async fn what_no_inbox_takes_comes_back_untold_and_is_the_same_when_it_is_told() {
    for injection in [
        Injection::RequestLost,
        Injection::ResponseLost,
        Injection::Throttled,
        Injection::PartialFailure(vec![0]),
    ] {
        let world = World::new();
        let always = injection.clone();
        let script =
            Script::by(move |operation, _| (operation == Operation::SendMessages).then(|| always.clone()));
        let ports = FaultyPorts::new(world.memory.clone(), script);
        let records = pair();
        let failed = world.deliver(&world.matcher_over(ports), records.clone()).await;
        assert_eq!(failed, [id(&records[1])], "{injection:?}");
        assert!(!told(&world), "{injection:?}");
        let before = (world.bodies(1), world.bodies(2));
        let lost_on_the_way = injection == Injection::ResponseLost;
        assert_eq!(
            !before.0.is_empty() && !before.1.is_empty(),
            lost_on_the_way,
            "{injection:?}"
        );

        world.clock.advance(60_000);
        assert!(world.deliver(&world.matcher(), records).await.is_empty());
        assert!(told(&world));
        for bodies in [world.bodies(1), world.bodies(2)] {
            assert!(
                bodies.iter().all(|body| *body == bodies[0]),
                "{injection:?}: copies differ"
            );
        }
        check(&world);
    }
}

#[tokio::test(start_paused = true)]
async fn a_crash_between_the_first_inbox_and_the_second_is_repaired() {
    for (broken, whole) in [(1, 2), (2, 1)] {
        for fault in [
            Fault::TimedOut,
            Fault::Refused,
            Fault::Throttled,
            Fault::Unavailable,
        ] {
            let world = World::new();
            let queue = if broken == 1 { "inbox-1" } else { "inbox-2" };
            let ports = world.hooked().before(queue_fails(queue, fault));
            let records = pair();
            let failed = world.deliver(&world.matcher_over(ports), records.clone()).await;
            assert_eq!(failed, [id(&records[1])]);
            assert_eq!((world.kinds(broken).len(), world.kinds(whole).len()), (0, 1));
            assert!(!told(&world));
            assert!(world.deliver(&world.matcher(), records).await.is_empty());
            assert_eq!((world.kinds(broken).len(), world.kinds(whole).len()), (1, 2));
            assert!(told(&world));
            check(&world);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_has_no_inbox_here_holds_up_nobody_else() {
    let world = World::new();
    world.register(1, |counterparty| {
        counterparty.inboxes = [("eu-west-1".to_owned(), "inbox-elsewhere".to_owned())].into();
    });
    let mut records = pair().to_vec();
    records.push(record_at(3, 2, &sell("C-1", "1", "100")));
    records.push(record_at(4, 3, &buy("D-1", "1", "100")));
    let failed = world.deliver(&world.matcher(), records.clone()).await;
    assert_eq!(failed, [id(&records[1])]);
    assert_eq!(world.kinds(2), ["match"]);
    assert_eq!(
        (world.kinds(3), world.kinds(4)),
        (vec!["match".to_owned()], vec!["match".to_owned()])
    );
    assert!(world.memory.inbox("inbox-elsewhere").is_empty());
    world.register(1, |_| ());
    assert!(world.deliver(&world.matcher(), records).await.is_empty());
    check(&world);
}

#[tokio::test]
async fn nothing_is_sent_before_it_is_written_and_nothing_marked_before_it_is_sent() {
    let world = World::new();
    let seen = world.clone();
    let ports = world.hooked().before(move |call| {
        match call.operation {
            Operation::SendMessages => assert_eq!(seen.memory.matches().len(), 1),
            Operation::MarkTold => {
                assert_eq!((seen.kinds(1).len(), seen.kinds(2).len()), (1, 1));
                assert!(!told(&seen));
            }
            _ => {}
        }
        go_on()
    });
    assert!(world.deliver(&world.matcher_over(ports), pair()).await.is_empty());
    assert!(told(&world));
    check(&world);
}

#[tokio::test(start_paused = true)]
async fn without_its_mark_a_record_comes_back_and_tells_again() {
    for (injection, marked) in [(Injection::RequestLost, false), (Injection::ResponseLost, true)] {
        let world = World::new();
        let script = Script::of([(Operation::MarkTold, 1, injection)]);
        let ports = FaultyPorts::new(world.memory.clone(), script);
        let records = pair();
        let failed = world.deliver(&world.matcher_over(ports), records.clone()).await;
        assert_eq!(failed, [id(&records[1])]);
        assert_eq!(told(&world), marked);
        assert!(world.deliver(&world.matcher(), records).await.is_empty());
        // What is known to be told is not told again.
        assert_eq!(world.kinds(1).len(), if marked { 1 } else { 2 });
        check(&world);
    }
}

#[tokio::test]
async fn an_answer_alone_needs_no_mark() {
    let world = World::new();
    let asking = with(sell("A-1", "1", "100"), &json!({"ack": true}));
    let records = [
        record(1, &asking),
        record(2, &with(asking.clone(), &json!({"symbol": "NONE"}))),
    ];
    assert!(world.deliver(&world.matcher(), records).await.is_empty());
    assert_eq!(
        (world.kinds(1), world.kinds(2)),
        (vec!["accepted".to_owned()], vec!["rejected".to_owned()])
    );
    assert_eq!(world.memory.calls(Operation::MarkTold), 0);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_grew_while_it_was_told_is_told_whole() {
    let world = World::new();
    world.exclude(3, 2);
    let resting = [
        record(1, &sell("A-1", "1", "100")),
        record(3, &sell("C-1", "1", "100")),
    ];
    assert!(world.deliver(&world.matcher(), resting).await.is_empty());

    let taker = record_at(2, 9, &buy("B-1", "2", "100"));
    let (inside, again) = (world.clone(), taker.clone());
    // Just before the mark, another delivery of the same finds one more match, and cannot tell it.
    let ports = world.hooked().before(move |call| {
        if call.operation != Operation::MarkTold || call.nth > 1 {
            return go_on();
        }
        let (inside, again) = (inside.clone(), again.clone());
        async move {
            inside.register(3, |_| ());
            let mute = inside.hooked().before(|call| match call.operation {
                Operation::SendMessages => fail(Fault::Unavailable),
                _ => go_on(),
            });
            assert_eq!(
                inside.deliver(&inside.matcher_over(mute), [again.clone()]).await,
                [id(&again)]
            );
            assert_eq!(inside.submission(2, "B-1").unwrap().matches.len(), 2);
            Ok(())
        }
        .boxed()
    });
    assert!(
        world
            .deliver(&world.matcher_over(ports), [taker])
            .await
            .is_empty()
    );
    assert_eq!(
        (world.kinds(1).len(), world.kinds(3).len(), world.kinds(2).len()),
        (1, 1, 2)
    );
    check(&world);
}

#[tokio::test]
async fn a_duplicate_is_answered_alike_whatever_has_changed_since() {
    let world = World::new();
    let matcher = world.matcher();
    let asking = |body: Value| with(body, &json!({"ack": true}));
    let records = [
        record_at(1, 0, &cancel("X-1", "EARLY")),
        record_at(1, 1, &sell("EARLY", "1", "100")),
        record_at(1, 2, &asking(sell("A-1", "3", "100"))),
        record_at(2, 3, &asking(buy("B-1", "1", "100"))),
        record_at(1, 4, &status("A-2", "A-1")),
        record_at(1, 5, &replace("A-3", "A-1", "2")),
        record_at(1, 6, &status("A-4", "A-3")),
        record_at(1, 7, &cancel("A-5", "A-3")),
        record_at(1, 8, &cancel("A-6", "A-3")),
        record_at(1, 9, &cancel("A-7", "LATE")),
        record_at(1, 10, &sell("A-8", "0.000000001", "100")),
        record_at(1, 11, &status("A-9", "NONE")),
        record_at(1, 12, &json!({"type": "interest", "clOrdId": "A-10"})),
    ];
    assert!(world.deliver(&matcher, records.clone()).await.is_empty());
    let first: BTreeSet<String> = world.bodies(1).into_iter().chain(world.bodies(2)).collect();
    let kinds: BTreeSet<String> = world.kinds(1).into_iter().collect();
    let all = [
        "accepted",
        "cancelPending",
        "cancelled",
        "match",
        "rejected",
        "replaced",
        "status",
    ];
    assert_eq!(kinds, all.map(str::to_owned).into());

    world.suspend(1);
    world.clock.advance(100 * 86_400_000);
    let mut backwards = records.clone();
    backwards.reverse();
    for record in backwards {
        assert!(world.deliver(&world.matcher(), [record]).await.is_empty());
    }
    let again: BTreeSet<String> = world.bodies(1).into_iter().chain(world.bodies(2)).collect();
    assert_eq!(again, first);
    // Each but the two that were never answered themselves.
    assert!(world.bodies(1).len() > first.len());
}

#[tokio::test]
async fn a_batch_of_250_needs_a_quarter_of_a_send_for_each_message() {
    let world = World::new();
    let records = (0..250_usize).map(|n| {
        let side = if n % 2 == 0 { "sell" } else { "buy" };
        let at = i64::try_from(n).unwrap();
        record_at(
            1 + n * 5 % COUNTERPARTIES,
            at,
            &interest(&format!("O-{n}"), side, "1", "100"),
        )
    });
    assert!(world.deliver(&world.matcher(), records).await.is_empty());
    let messages: usize = (1..=COUNTERPARTIES).map(|n| world.bodies(n).len()).sum();
    assert!(messages >= 200, "{messages}");
    let sends = world.memory.calls(Operation::SendMessages);
    assert!(
        sends * 4 <= u64::try_from(messages).unwrap(),
        "{sends} sends of {messages} messages"
    );
    assert!(
        world
            .memory
            .inbox(&inbox_url(1))
            .iter()
            .all(|message| message.to == owner(1))
    );
    check(&world);
}

#[tokio::test(start_paused = true)]
async fn dead_letters_that_were_not_taken_are_sent_again_or_their_records_come_back() {
    let world = World::new();
    let script = Script::of([
        (
            Operation::SendDeadLetters,
            1,
            Injection::PartialFailure(vec![0, 2]),
        ),
        (Operation::SendDeadLetters, 2, Injection::RequestLost),
    ]);
    let ports = FaultyPorts::new(world.memory.clone(), script);
    let bad: Vec<Value> = (0..12).map(|n| record(1, &json!({"n": n}))).collect();
    assert!(
        world
            .deliver(&world.matcher_over(ports), bad.clone())
            .await
            .is_empty()
    );
    let bodies: BTreeSet<String> = world
        .dead_letters()
        .iter()
        .map(|(_, letter)| letter["body"].to_string())
        .collect();
    assert_eq!((bodies.len(), world.dead_letters().len()), (12, 12));

    let world = World::new();
    let first = Script::by(|operation, _| {
        (operation == Operation::SendDeadLetters).then(|| Injection::PartialFailure(vec![0]))
    });
    let ports = FaultyPorts::new(world.memory.clone(), first);
    let failed = world.deliver(&world.matcher_over(ports), bad.clone()).await;
    assert_eq!(failed, [id(&bad[0])]);
    assert_eq!(world.dead_letters().len(), 11);
}
