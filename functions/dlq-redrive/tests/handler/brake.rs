//! While the consumer fails as a whole nothing goes back; and a dry run changes nothing.

use std::collections::BTreeMap;

use serde_json::json;
use symbolon_shared::domain::reason::{PoisonReason, StopReason};
use symbolon_shared::domain::redrive::{Announcement, Consumer, Recent};
use symbolon_shared::testing::{Mishap, Unlucky};

use crate::world::{CONSUMER, NOON, World, conduct, from, interest, letter, only, relapsed, sender, working};

fn stuck() -> World {
    let world = World::new();
    (0..30).for_each(|n| world.moved(&format!("A-{n}")));
    world.dead(letter("no JSON"));
    world.dead(relapsed("old", 3));
    world
}

fn failing() -> Consumer {
    Consumer {
        enabled: Some(true),
        recent: Some(Recent {
            invocations: 10,
            errors: 6,
        }),
    }
}

#[tokio::test]
async fn an_outage_stops_it_before_anything_is_sent() {
    let disabled = Consumer {
        enabled: Some(false),
        ..working()
    };
    let without_mapping = Consumer {
        enabled: None,
        ..working()
    };
    let without_metric = Consumer {
        recent: None,
        ..working()
    };
    for (consumer, why) in [
        (disabled, StopReason::ConsumerDisabled),
        (failing(), StopReason::ConsumerFailing),
        (without_mapping, StopReason::ConsumerDisabled),
        (without_metric, StopReason::ConsumerUnknown),
    ] {
        let world = stuck();
        world.memory.set_consumer(CONSUMER, consumer);
        let report = world.run().await;
        assert_eq!(report.stopped, Some(why));
        assert_eq!((report.sent_back, report.left), (0, 30));
        assert!(world.reached().is_empty());
        let quarantined = [(PoisonReason::Malformed, 1), (PoisonReason::Exhausted, 1)];
        assert_eq!(
            report.quarantined,
            quarantined.into(),
            "poison goes under the brake"
        );
        let said = world.memory.announced();
        let stopped = said
            .iter()
            .filter(|said| matches!(said, Announcement::Stopped { .. }));
        assert_eq!(stopped.count(), 1);
        // Once it works again, they go.
        world.memory.set_consumer(CONSUMER, working());
        assert_eq!(world.run().await.sent_back, 30);
    }
}

#[tokio::test]
async fn a_consumer_that_cannot_be_read_brakes() {
    for operation in ["is_enabled", "recent"] {
        let world = stuck();
        let ports = Unlucky::new(world.memory.clone(), move |_, asked| {
            (asked == operation).then_some(Mishap::RequestLost)
        });
        let report = only(world.over(ports).handle(json!({}), world.deadline()).await);
        assert_eq!(
            (report.stopped, report.sent_back),
            (Some(StopReason::ConsumerUnknown), 0)
        );
    }
}

/// Nobody is told of a consumer that stands still while nothing waits for it, as in the standby region.
#[tokio::test]
async fn nothing_is_said_of_a_brake_that_holds_nothing_back() {
    let world = World::new();
    world.dead(letter("no JSON"));
    world.memory.set_consumer(CONSUMER, failing());
    let report = world.run().await;
    assert_eq!(report.stopped, Some(StopReason::ConsumerFailing));
    let said = world.memory.announced();
    assert!(matches!(said.as_slice(), [Announcement::Act { .. }]), "{said:?}");
}

/// An outage that begins after the canary was sent.
#[tokio::test]
async fn an_outage_after_the_canary_stops_the_rest() {
    let world = stuck();
    let memory = world.memory.clone();
    let ports = Unlucky::new(world.memory.clone(), move |_, asked| {
        if asked == "send_back" {
            memory.set_consumer(CONSUMER, failing());
        }
        None
    });
    let report = only(world.over(ports).handle(json!({}), world.deadline()).await);
    assert_eq!(report.stopped, Some(StopReason::ConsumerFailing));
    assert_eq!((report.sent_back, report.left), (10, 20));
}

/// And one that begins while the rest goes, within a minute.
#[tokio::test]
async fn an_outage_while_the_rest_goes_stops_it_within_a_minute() {
    let world = World::new();
    (0..1_500).for_each(|n| world.moved(&format!("A-{n}")));
    let memory = world.memory.clone();
    let mut sends = 0;
    let ports = Unlucky::new(world.memory.clone(), move |_, asked| {
        sends += u32::from(asked == "send_back");
        if sends == 30 {
            memory.set_consumer(CONSUMER, failing());
        }
        None
    });
    let mut slow = conduct();
    slow.sends_per_second = 10;
    let redrive = dlq_redrive::Redrive::new(ports, slow, world.surroundings());
    let report = only(redrive.handle(json!({}), world.deadline()).await);
    assert_eq!(report.stopped, Some(StopReason::ConsumerFailing));
    assert!((300..900).contains(&report.sent_back), "{report:?}");
}

/// Of what had to wait in memory until the canary was heard of, too: an outage that begins then stops the rest of it.
#[tokio::test]
async fn an_outage_while_what_waited_goes_stops_it_within_a_minute() {
    let world = World::new();
    (0..1_500).for_each(|n| world.moved(&format!("A-{n}")));
    let memory = world.memory.clone();
    let (mut sends, mut looks) = (0, 0);
    let ports = Unlucky::new(world.memory.clone(), move |_, asked| {
        sends += u32::from(asked == "send_back");
        if sends == 5 {
            memory.set_consumer(CONSUMER, failing());
        }
        // Nothing is heard of the canary for a while: meanwhile everything else is taken in hand.
        looks += u32::from(asked == "read_outcomes" && sends > 0);
        (asked == "read_outcomes" && sends > 0 && looks < 8).then_some(Mishap::Throttled)
    });
    let mut slow = conduct();
    slow.sends_per_second = 10;
    let redrive = dlq_redrive::Redrive::new(ports, slow, world.surroundings());
    let report = only(redrive.handle(json!({}), world.deadline()).await);
    assert_eq!(report.stopped, Some(StopReason::ConsumerFailing));
    assert!(report.sent_back < 800, "{report:?}");
}

/// The tables in which an answer would be seen are those that the matcher needs: nothing goes, watched or not.
#[tokio::test]
async fn nothing_goes_while_nobody_could_see_an_answer() {
    for table in ["find_principals", "read_outcomes"] {
        let world = stuck();
        let ports = Unlucky::new(world.memory.clone(), move |_, asked| {
            (asked == table).then_some(Mishap::Throttled)
        });
        let report = only(world.over(ports).handle(json!({}), world.deadline()).await);
        assert_eq!(report.stopped, Some(StopReason::OutcomeUnknown), "{table}");
        assert_eq!((report.sent_back, report.left), (0, 30), "{table}");
        assert_eq!(report.quarantined.values().sum::<u64>(), 2, "{table}");
    }
}

/// What the brake has held for so long that SQS will delete it is kept elsewhere.
#[tokio::test]
async fn what_has_waited_too_long_is_quarantined_before_sqs_deletes_it() {
    let world = World::new();
    world.memory.set_consumer(CONSUMER, failing());
    let days = |days: i64| NOON.plus_millis(-days * 86_400_000);
    world.dead(from(&sender(1), &interest("A-1"), days(11)));
    world.dead(from(&sender(1), &interest("A-2"), days(12)));
    let report = world.run().await;
    assert_eq!((report.sent_back, report.left), (0, 1));
    assert_eq!(world.poison(), BTreeMap::from([(PoisonReason::Expiring, 1)]));
}

#[tokio::test]
async fn a_dry_run_changes_nothing() {
    let world = stuck();
    let letters = |world: &World| -> Vec<(String, Option<String>)> {
        let letters = world.dead_letters().into_iter();
        letters.map(|letter| (letter.body, letter.sender)).collect()
    };
    let before = letters(&world);
    let ports = Unlucky::new(world.memory.clone(), |_, _| None);
    let asked = json!({"redrive": {"queue": "intake", "dryRun": true}});
    let report = only(world.over(ports.clone()).handle(asked, world.deadline()).await);
    assert!(report.dry_run);
    assert_eq!((report.sent_back, report.canaries, report.left), (30, 0, 0));
    assert_eq!(report.quarantined.values().sum::<u64>(), 2);
    assert!(letters(&world) == before);
    assert!(world.memory.objects().is_empty() && world.memory.announced().is_empty());
    assert!(world.reached().is_empty());
    // In earnest it does what the dry run said, and nobody has the letters in hand.
    let earnest = world.run().await;
    assert_eq!(earnest.quarantined, report.quarantined);
    assert_eq!(earnest.sent_back, report.sent_back);
    // Under the brake it says so.
    world.memory.set_consumer(CONSUMER, failing());
    world.moved("B-1");
    let braked = world.ask(json!({"redrive": {"dryRun": true}})).await;
    assert_eq!(
        (braked.stopped, braked.left),
        (Some(StopReason::ConsumerFailing), 1)
    );
}

/// Every five minutes, for as long as nothing is wrong: one receive, and nobody else is asked.
#[tokio::test]
async fn an_empty_queue_asks_for_nothing_but_letters() {
    let world = World::new();
    let asked = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let calls = asked.clone();
    let ports = Unlucky::new(world.memory.clone(), move |_, operation| {
        calls.lock().unwrap().push(operation);
        None
    });
    let report = only(world.over(ports).handle(json!({}), world.deadline()).await);
    assert_eq!(
        (report.received, report.stopped, report.unfinished),
        (0, None, false)
    );
    assert_eq!(*asked.lock().unwrap(), ["receive_letters"]);
}
