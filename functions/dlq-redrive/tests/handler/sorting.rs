//! Each kind of poison to its place; and what is in the quarantine stays there.

use symbolon_shared::domain::reason::PoisonReason;
use symbolon_shared::domain::redrive::{QuarantineObject, SourceName};
use symbolon_shared::testing::{Mishap, Unlucky};

use crate::world::{NOON, SENT, World, conduct, from, interest, letter, only, relapsed, sender, source};

#[tokio::test]
async fn each_kind_of_poison_goes_to_its_own_place() {
    let world = World::new();
    world.dead(letter("no JSON"));
    world.dead(relapsed("A-1", 3));
    world.dead(from(&sender(1), &interest("A-2"), NOON.plus_days(-400)));
    let quotes = r#""\""#.repeat(400_000);
    world.dead(letter(&format!(
        r#"{{"type":"x","clOrdId":"A-3","quotes":[{}]}}"#,
        quotes.replace(r#""\""#, r#""\"","#) + "1"
    )));
    let report = world.run().await;
    let expected = [
        (PoisonReason::Malformed, 1),
        (PoisonReason::TooLarge, 1),
        (PoisonReason::Stale, 1),
        (PoisonReason::Exhausted, 1),
    ];
    assert_eq!(report.quarantined, expected.into());
    assert_eq!(world.poison().len(), 4);
    assert!(world.dead_letters().is_empty());
    for (name, body) in world.memory.objects() {
        let object = QuarantineObject::parse(&body).unwrap();
        assert_eq!(object.name().encode(), name);
        assert_eq!(object.quarantined_at, NOON);
        assert_eq!(object.attempts.receives, 11);
    }
    // One object each, whatever comes again.
    world.dead(letter("no JSON"));
    assert_eq!(
        world.run().await.quarantined,
        [(PoisonReason::Malformed, 1)].into()
    );
    assert_eq!(world.memory.objects().len(), 4);
    assert!(world.dead_letters().is_empty());
}

/// Its deletion failed, and meanwhile more cycles are allowed, or the parser has learnt to read it.
#[tokio::test]
async fn what_is_in_quarantine_is_not_sent_back_whatever_it_has_become() {
    let world = World::new();
    world.dead(relapsed("A-1", 3));
    let keeps = Unlucky::new(world.memory.clone(), |_, asked| {
        (asked == "delete_letters").then_some(Mishap::RequestLost)
    });
    only(
        world
            .over(keeps)
            .handle(serde_json::json!({}), world.deadline())
            .await,
    );
    assert_eq!((world.dead_letters().len(), world.memory.objects().len()), (1, 1));
    world.later().await;
    let mut patient = conduct();
    patient.maximum_cycles = 10;
    let redrive = dlq_redrive::Redrive::new(world.memory.clone(), patient, world.surroundings());
    let report = only(redrive.handle(serde_json::json!({}), world.deadline()).await);
    assert_eq!(report.sent_back, 0);
    assert_eq!(report.quarantined, [(PoisonReason::Exhausted, 1)].into());
    assert!(world.dead_letters().is_empty() && world.reached().is_empty());
    assert_eq!(world.memory.objects().len(), 1);
}

#[tokio::test]
async fn while_the_quarantine_cannot_be_read_nothing_goes_back() {
    let world = World::new();
    (0..5).for_each(|n| world.moved(&format!("A-{n}")));
    world.dead(letter("no JSON"));
    let blind = Unlucky::new(world.memory.clone(), |_, asked| {
        (asked == "read_quarantined").then_some(Mishap::Throttled)
    });
    let report = only(
        world
            .over(blind)
            .handle(serde_json::json!({}), world.deadline())
            .await,
    );
    assert_eq!((report.sent_back, report.left), (0, 6));
    assert_eq!(world.dead_letters().len(), 6);
}

/// Somebody else's object has the letter's name: the letter is not deleted for it.
#[tokio::test]
async fn an_object_that_is_not_the_letter_is_not_taken_for_it() {
    let world = World::new();
    world.dead(letter("no JSON"));
    let name = {
        let elsewhere = World::new();
        elsewhere.dead(letter("no JSON"));
        elsewhere.run().await;
        elsewhere.memory.objects().into_keys().next().unwrap()
    };
    world.memory.put_object(&name, b"something else".to_vec());
    let report = world.run().await;
    assert_eq!((report.left, report.quarantined.len()), (1, 0));
    assert_eq!(world.dead_letters().len(), 1);
    assert_eq!(world.memory.objects()[&name], b"something else");
}

/// A letter that makes the code panic fails alone.
#[tokio::test]
async fn a_panic_on_one_letter_fails_that_letter() {
    let world = World::new();
    for n in 0..10 {
        world.dead(letter(&format!("no JSON {n}")));
    }
    let mut puts = 0;
    let ports = Unlucky::new(world.memory.clone(), move |_, asked| {
        puts += u32::from(asked == "put_quarantined");
        (asked == "put_quarantined" && puts == 4).then_some(Mishap::Panics)
    });
    let report = only(
        world
            .over(ports)
            .handle(serde_json::json!({}), world.deadline())
            .await,
    );
    assert_eq!(
        (report.quarantined[&PoisonReason::Malformed], report.left),
        (9, 1)
    );
    assert_eq!(world.run().await.quarantined[&PoisonReason::Malformed], 1);
    assert_eq!(world.memory.objects().len(), 10);
}

#[tokio::test]
async fn queues_do_not_stand_in_each_others_way() {
    let world = World::new();
    world.dead(from(&sender(1), "no JSON", SENT));
    let mut both = conduct();
    let mut gone = both.queues[0].clone();
    gone.source = SourceName::new("gone").unwrap();
    gone.dead_letter_url = "memory://gone".to_owned();
    both.queues.insert(0, gone);
    let redrive = dlq_redrive::Redrive::new(world.memory.clone(), both, world.surroundings());
    let answer = redrive.handle(serde_json::json!({}), world.deadline()).await;
    let symbolon_shared::domain::redrive::Answer::Redrive(report) = answer else {
        panic!("it is no refusal");
    };
    assert!(report.queues[0].unfinished);
    assert_eq!(report.queues[1].source, source());
    assert_eq!(report.queues[1].quarantined[&PoisonReason::Malformed], 1);
}
