//! A batch: each record is parsed alone, taken in order of acceptance, and comes back alone when it must.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::FutureExt;
use serde_json::{Value, json};
use symbolon_shared::ports::Fault;
use symbolon_shared::testing::Operation;

use crate::checks::{check, check_so_far};
use crate::hooked::{fail, go_on};
use crate::records::{
    bundle, buy, cancel, id, interest, raw_record, received, record, record_at, replace, sell, sender_id,
    sent_again, status, with,
};
use crate::world::{COUNTERPARTIES, World, order};

/// Two records that match.
fn pair() -> [Value; 2] {
    [
        record(1, &sell("A-1", "1", "100")),
        record(2, &buy("B-1", "1", "100")),
    ]
}

#[tokio::test]
async fn a_bad_body_leaves_its_neighbours_alone() {
    for bad in [
        "not json",
        "",
        "{",
        "null",
        "[]",
        "7",
        "{\"type\":\"interest\"}",
        "\u{fffd}",
    ] {
        let world = World::new();
        let [first, second] = pair();
        let records = [first, raw_record(&sender_id(3), 0, bad), second];
        assert!(world.deliver(&world.matcher(), records).await.is_empty(), "{bad}");
        let letters = world.dead_letters();
        assert_eq!(letters.len(), 1, "{bad}");
        assert_eq!(letters[0].0, "malformed");
        assert_eq!(letters[0].1["body"], bad);
        assert_eq!(world.memory.matches().len(), 1, "{bad}");
        check(&world);
    }
}

#[tokio::test]
async fn what_cannot_be_named_brings_the_whole_delivery_back_after_the_others_are_done() {
    let nameless = with(record(3, &sell("A-2", "1", "90")), &json!({"messageId": null}));
    let empty_name = with(record(3, &sell("A-2", "1", "90")), &json!({"messageId": ""}));
    let odd_name = with(record(3, &sell("A-2", "1", "90")), &json!({"messageId": 7}));
    for odd in [
        json!(null),
        json!(7),
        json!("text"),
        json!([]),
        json!({}),
        nameless,
        empty_name,
        odd_name,
    ] {
        let world = World::new();
        let [first, second] = pair();
        let failed = world
            .deliver(&world.matcher(), [first, odd.clone(), second])
            .await;
        assert_eq!(failed, [""], "{odd}");
        assert_eq!(world.memory.matches().len(), 1, "{odd}");
        assert!(world.submission(3, "A-2").is_none(), "{odd}");
        check(&world);
    }
}

#[tokio::test]
async fn a_record_without_the_stamps_of_sqs_comes_back_as_it_was() {
    let attributes = |fields: Value| {
        let whole = record(3, &sell("A-2", "1", "90"));
        let attributes = with(whole["attributes"].clone(), &fields);
        with(whole, &json!({"attributes": attributes}))
    };
    let field = |fields: Value| with(record(3, &sell("A-2", "1", "90")), &fields);
    let wrong = [
        field(json!({"body": null})),
        field(json!({"body": 7})),
        field(json!({"body": {"type": "interest"}})),
        field(json!({"attributes": null})),
        field(json!({"attributes": []})),
        field(json!({"attributes": "SenderId"})),
        attributes(json!({"SenderId": null})),
        attributes(json!({"SenderId": ""})),
        attributes(json!({"SenderId": 7})),
        attributes(json!({"SentTimestamp": null})),
        attributes(json!({"SentTimestamp": ""})),
        attributes(json!({"SentTimestamp": "soon"})),
        attributes(json!({"SentTimestamp": "1e400"})),
        attributes(json!({"SentTimestamp": "-1"})),
        attributes(json!({"SentTimestamp": "99999999999999999999"})),
        attributes(json!({"SentTimestamp": 4_070_908_800_000_i64})),
    ];
    for odd in wrong {
        let world = World::new();
        let [first, second] = pair();
        let failed = world
            .deliver(&world.matcher(), [first, odd.clone(), second])
            .await;
        assert_eq!(failed, [id(&odd)], "{odd}");
        assert!(
            world.submission(3, "A-2").is_none() && world.dead_letters().is_empty(),
            "{odd}"
        );
        assert_eq!(world.memory.matches().len(), 1, "{odd}");
        check(&world);
    }
}

#[tokio::test]
async fn an_event_that_is_not_understood_comes_back_whole() {
    let matcher = World::new().matcher();
    let world = World::new();
    let odd = [
        json!(null),
        json!({}),
        json!([]),
        json!("Records"),
        json!({"records": []}),
        json!({"Records": null}),
        json!({"Records": {}}),
    ];
    for event in odd {
        let failed = world.deliver_event(&matcher, event.clone()).await;
        assert_eq!(failed, [""], "silence would delete what was in {event}");
    }
    assert!(
        world.deliver(&matcher, []).await.is_empty(),
        "no record is none too few"
    );
}

#[tokio::test]
async fn a_thousand_records_are_done_in_one_batch() {
    let world = World::new();
    let records = (0..1_000_usize).map(|n| {
        let side = if n % 3 == 0 { "sell" } else { "buy" };
        let price = format!("{}.00", 95 + n * 7 % 11);
        let qty = format!("0.{}", 1 + n % 9);
        let at = i64::try_from(n * 31 % 1_000).unwrap();
        record_at(
            1 + n % COUNTERPARTIES,
            at,
            &interest(&format!("O-{n}"), side, &qty, &price),
        )
    });
    assert!(world.deliver(&world.matcher(), records).await.is_empty());
    assert_eq!(world.memory.submissions().len(), 1_000);
    assert!(world.memory.matches().len() > 100);
    check(&world);
    // Many records in few requests: without that, a batch would be as dear as its records alone.
    assert!(world.memory.calls(Operation::Commit) < 200);
    assert!(world.memory.calls(Operation::ReadPage) < 40);
}

#[tokio::test]
async fn records_of_a_symbol_are_taken_in_order_of_acceptance() {
    let world = World::new();
    let records = [
        record_at(3, 30, &sell("TAKER", "1", "100")),
        record_at(1, 20, &buy("LATER", "1", "100")),
        record_at(2, 10, &buy("EARLIER", "1", "100")),
    ];
    assert!(world.deliver(&world.matcher(), records).await.is_empty());
    assert!(world.submission(2, "EARLIER").unwrap().leaves_qty.is_zero());
    assert!(!world.submission(1, "LATER").unwrap().leaves_qty.is_zero());
    // The taker came last: it is the aggressor, and its record answers for the match.
    assert_eq!(world.submission(3, "TAKER").unwrap().matches.len(), 1);
    check(&world);
}

#[tokio::test]
async fn equal_times_stay_in_order_of_delivery() {
    let world = World::new();
    let records = (1..=9).map(|n| {
        record(
            1 + n % 2,
            &interest(
                &format!("O-{n}"),
                if n % 2 == 0 { "buy" } else { "sell" },
                "1",
                "100",
            ),
        )
    });
    assert!(world.deliver(&world.matcher(), records).await.is_empty());
    // Each even one takes the one before it.
    for n in [2, 4, 6, 8] {
        assert_eq!(
            world.submission(1, &format!("O-{n}")).unwrap().matches.len(),
            1,
            "{n}"
        );
    }
    check(&world);
}

#[tokio::test]
async fn a_cancel_delivered_before_its_interest_but_accepted_after_it_cancels() {
    let world = World::new();
    let records = [
        record_at(1, 20, &cancel("C-1", "A-1")),
        record_at(1, 10, &sell("A-1", "1", "100")),
    ];
    assert!(world.deliver(&world.matcher(), records).await.is_empty());
    assert_eq!(world.kinds(1), ["cancelled"]);
    assert!(world.memory.entries().is_empty());
}

#[tokio::test]
async fn what_names_an_original_runs_in_its_lane_whether_it_is_in_the_batch_or_stored() {
    let world = World::new();
    let matcher = world.matcher();
    let first = [record(1, &sell("A-1", "3", "100"))];
    assert!(world.deliver(&matcher, first).await.is_empty());
    let second = [
        // Accepted in this order: a replace of what is stored, a replace of that, a status of the last, its cancel.
        record_at(1, 4, &status("A-4", "A-3")),
        record_at(1, 3, &replace("A-3", "A-2", "1")),
        record_at(1, 5, &cancel("A-5", "A-3")),
        record_at(1, 2, &replace("A-2", "A-1", "2")),
        record_at(2, 6, &buy("B-1", "5", "100")),
    ];
    assert!(world.deliver(&matcher, second).await.is_empty());
    // An inbox keeps no order either.
    let mut answers = world.inbox(1);
    answers.sort_by_key(|answer| answer["clOrdId"].to_string());
    let kinds: Vec<&Value> = answers.iter().map(|answer| &answer["type"]).collect();
    assert_eq!(kinds, ["replaced", "replaced", "status", "cancelled"]);
    assert_eq!(answers[2]["leavesQty"], "1");
    assert_eq!(answers[3]["cxlQty"], "1");
    assert!(world.memory.matches().is_empty());
    check(&world);
}

#[tokio::test(start_paused = true)]
async fn symbols_run_side_by_side_but_not_all_at_once() {
    let world = World::new();
    let symbols: Vec<String> = (0..40).map(|n| format!("S{n}")).collect();
    for symbol in &symbols {
        world.add_symbol(symbol);
    }
    let (reading, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (now, peak) = (Arc::clone(&reading), Arc::clone(&most));
    let ports = world.hooked().before(move |call| {
        if call.operation != Operation::ReadParameters {
            return go_on();
        }
        let (now, peak) = (Arc::clone(&now), Arc::clone(&peak));
        async move {
            peak.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            now.fetch_sub(1, Ordering::SeqCst);
            Ok(())
        }
        .boxed()
    });
    let records = symbols.iter().enumerate().flat_map(|(n, symbol)| {
        let of = |body: Value| with(body, &json!({"symbol": symbol}));
        [
            record_at(1, 2, &of(buy(&format!("B-{n}"), "1", "100"))),
            record_at(2, 1, &of(sell(&format!("A-{n}"), "1", "100"))),
        ]
    });
    assert!(
        world
            .deliver(&world.matcher_over(ports), records.collect::<Vec<_>>())
            .await
            .is_empty()
    );
    assert_eq!(world.memory.matches().len(), 40);
    assert_eq!(most.load(Ordering::SeqCst), 8);
    check(&world);
}

#[tokio::test]
async fn a_bundle_is_taken_member_by_member() {
    let world = World::new();
    let body = bundle([
        sell("A-1", "1", "100"),
        json!({"type": "interest", "clOrdId": "A-2", "price": 7}),
        json!({"type": "interest", "price": "7"}),
        json!(7),
        with(sell("A-3", "1", "100"), &json!({"symbol": "NONE"})),
        sell("A-4", "1", "100"),
    ]);
    let records = [record(1, &body), record_at(2, 1, &buy("B-1", "2", "100"))];
    assert!(world.deliver(&world.matcher(), records).await.is_empty());
    let mut answers: Vec<_> = world
        .inbox(1)
        .iter()
        .map(|answer| {
            format!("{} {} {}", answer["type"], answer["clOrdId"], answer["reason"]).replace('"', "")
        })
        .collect();
    answers.sort();
    assert_eq!(
        answers,
        [
            "match A-1 null",
            "match A-4 null",
            "rejected A-2 malformed",
            "rejected A-3 unknown_symbol"
        ]
    );
    let letters = world.dead_letters();
    assert!(
        letters
            .iter()
            .all(|(reason, letter)| *reason == "malformed" && letter["sender"] == sender_id(1))
    );
    let bodies: Vec<_> = letters
        .iter()
        .map(|(_, letter)| letter["body"].as_str().unwrap())
        .collect();
    assert_eq!(bodies, [r#"{"price":"7","type":"interest"}"#, "7"]);
    check(&world);
}

#[tokio::test]
async fn a_bundle_that_is_none_is_set_aside_as_a_whole() {
    let long = bundle((0..501).map(|n| sell(&format!("A-{n}"), "1", "100")));
    let nested = bundle([sell("A-1", "1", "100"), bundle([sell("A-2", "1", "100")])]);
    for body in [
        bundle([]),
        long,
        nested,
        json!({"type": "bundle"}),
        json!({"type": "bundle", "messages": 7}),
    ] {
        let world = World::new();
        assert!(
            world
                .deliver(&world.matcher(), [record(1, &body)])
                .await
                .is_empty()
        );
        assert_eq!(world.dead_letters().len(), 1);
        assert_eq!(world.dead_letters()[0].1["body"], body.to_string());
        assert!(world.memory.submissions().is_empty() && world.inbox(1).is_empty());
    }
}

#[tokio::test]
async fn a_bundle_with_a_member_to_try_again_comes_back_and_its_others_are_duplicates() {
    let world = World::new();
    let matcher = world.matcher();
    let whole = record(
        1,
        &bundle([
            with(sell("A-1", "1", "100"), &json!({"ack": true})),
            replace("A-3", "A-0", "1"),
            sell("A-2", "1", "101"),
            json!({"type": "interest"}),
        ]),
    );
    for count in 1..=3 {
        let failed = world.deliver(&matcher, [received(whole.clone(), count)]).await;
        assert_eq!(failed, [id(&whole)], "{count}");
        assert_eq!(world.memory.entries().len(), 2, "{count}");
        assert!(world.submission(1, "A-3").is_none(), "{count}");
        assert!(
            world.dead_letters().is_empty(),
            "{count}: it is set aside with each delivery"
        );
    }
    assert!(world.deliver(&matcher, [received(whole, 4)]).await.is_empty());
    assert_eq!((world.memory.entries().len(), world.dead_letters().len()), (2, 1));
    let last = world.inbox(1).pop().unwrap();
    assert_eq!(last["reason"], "unknown_order");
    let kinds: BTreeSet<_> = world.kinds(1).into_iter().collect();
    assert_eq!(
        kinds,
        BTreeSet::from(["accepted".to_owned(), "rejected".to_owned()])
    );
    check(&world);
}

#[tokio::test]
async fn a_duplicate_in_the_same_batch_counts_once() {
    let world = World::new();
    let first = record(1, &with(sell("A-1", "1", "100"), &json!({"ack": true})));
    let again = sent_again(&first);
    let other = record_at(1, 1, &sell("A-1", "2", "100"));
    let taker = record_at(2, 2, &buy("B-1", "5", "100"));
    let records = [
        again.clone(),
        first,
        other,
        taker.clone(),
        sent_again(&taker),
        again,
    ];
    assert!(world.deliver(&world.matcher(), records).await.is_empty());
    assert_eq!(world.memory.matches().len(), 1);
    let mut kinds = world.kinds(1);
    kinds.sort();
    assert_eq!(kinds, ["accepted", "match", "rejected"]);
    assert_eq!(
        world
            .inbox(1)
            .iter()
            .filter(|m| m["reason"] == "duplicate_cl_ord_id")
            .count(),
        1
    );
    check(&world);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_the_store_refuses_does_not_take_its_neighbours_along() {
    let world = World::new();
    let refused = |call: &crate::hooked::Call| call.orders.contains(&order(3, "POISON"));
    let ports = world.hooked().before(move |call| {
        if call.operation == Operation::Commit && refused(&call) {
            fail(Fault::Refused)
        } else {
            go_on()
        }
    });
    let poison = record_at(3, 5, &with(sell("POISON", "1", "100"), &json!({"ack": true})));
    let again = sent_again(&poison);
    let mut records: Vec<Value> = (0..10)
        .map(|n| record_at(1, n, &sell(&format!("A-{n}"), "1", "100")))
        .collect();
    records.extend([poison.clone(), again.clone()]);
    records.extend((0..10).map(|n| record_at(2, 10 + n, &buy(&format!("B-{n}"), "1", "100"))));
    let mut failed = world.deliver(&world.matcher_over(ports), records).await;
    failed.sort();
    let mut poisoned = [id(&poison), id(&again)];
    poisoned.sort();
    assert_eq!(failed, poisoned);
    assert!(world.inbox(3).is_empty(), "it was told what is not stored");
    assert_eq!(world.memory.matches().len(), 10);
    check_so_far(&world);
}

#[tokio::test]
async fn who_meets_an_expired_entry_passes_it_over_and_removes_it() {
    for (removable, left) in [(true, 0), (false, 1)] {
        let world = World::new();
        let short = json!({"expireTime": "2099-01-01T00:00:10Z"});
        let resting = [
            record(1, &with(sell("A-1", "1", "99"), &short)),
            record(2, &sell("B-1", "1", "100")),
        ];
        assert!(world.deliver(&world.matcher(), resting).await.is_empty());
        world.clock.advance(9_000);
        let ports = world.hooked().before(move |call| match call.operation {
            Operation::RemoveEntry if !removable => fail(Fault::Throttled),
            _ => go_on(),
        });
        let taker = record_at(3, 9_000, &buy("C-1", "1", "100"));
        assert!(
            world
                .deliver(&world.matcher_over(ports), [taker])
                .await
                .is_empty()
        );
        assert_eq!(world.kinds(2), ["match"]);
        // Nobody is told of it: that would reveal the look.
        assert!(world.kinds(1).is_empty());
        assert_eq!(world.memory.entries().len(), left);
        let asked = record_at(1, 9_001, &status("A-2", "A-1"));
        assert!(world.deliver(&world.matcher(), [asked]).await.is_empty());
        assert_eq!(world.inbox(1)[0]["ordStatus"], "expired");
    }
}

#[tokio::test]
async fn what_fits_no_envelope_comes_back_and_is_not_cut() {
    let world = World::new();
    // Each quote takes two characters in an envelope.
    let long = raw_record(&sender_id(1), 0, &"\"".repeat(600_000));
    let longest_that_fits = raw_record(&sender_id(1), 0, &"x".repeat(1_000_000));
    let failed = world
        .deliver(&world.matcher(), [long.clone(), longest_that_fits])
        .await;
    assert_eq!(failed, [id(&long)]);
    assert_eq!(world.dead_letters().len(), 1);
    assert_eq!(
        world.dead_letters()[0].1["body"].as_str().unwrap().len(),
        1_000_000
    );
}

#[tokio::test]
async fn reuse_of_an_id_for_another_symbol_is_refused_whichever_lane_is_first() {
    let world = World::new();
    world.add_symbol("ETHUSD");
    let one = record(1, &sell("A-1", "1", "100"));
    let other = record(1, &with(sell("A-1", "1", "100"), &json!({"symbol": "ETHUSD"})));
    assert!(world.deliver(&world.matcher(), [one, other]).await.is_empty());
    assert_eq!(world.memory.entries().len(), 1);
    assert_eq!(world.kinds(1), ["rejected"]);
    check(&world);
}
