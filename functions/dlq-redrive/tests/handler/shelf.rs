//! The quarantine's tools, through the real handler.

use serde_json::{Value, json};
use symbolon_shared::domain::reason::PoisonReason;
use symbolon_shared::domain::redrive::{
    Announcement, Answer, Consumer, ObjectName, QuarantineAct, QuarantineAnswer, Recent, ShelfRefusal,
};
use symbolon_shared::domain::time::Timestamp;
use symbolon_shared::testing::{Mishap, Unlucky};

use crate::world::{CONSUMER, Fate, NOON, World, from, interest, letter, relapsed, sender};

/// A day in milliseconds.
const DAY: i64 = 86_400_000;

async fn asked(world: &World, request: Value) -> QuarantineAnswer {
    let event = json!({ "quarantine": request });
    match world.redrive().handle(event, world.deadline()).await {
        Answer::Quarantine(answer) => answer,
        other => panic!("{other:?}"),
    }
}

async fn names(world: &World, filter: Value) -> Vec<ObjectName> {
    match asked(world, json!({ "list": filter })).await {
        QuarantineAnswer::Listed(listed) => {
            assert_eq!(listed.next, None);
            listed.objects
        }
        other => panic!("{other:?}"),
    }
}

async fn act(world: &World, act: &str, name: &ObjectName) -> QuarantineAnswer {
    asked(world, json!({ act: { "object": name } })).await
}

/// A world with one message that nobody could process, in the quarantine as exhausted.
async fn with_exhausted() -> (World, ObjectName) {
    let world = World::new();
    world.dead(relapsed("A-1", 3));
    world.run().await;
    let name = world.quarantined().remove(0);
    assert_eq!(name.reason, PoisonReason::Exhausted);
    (world, name)
}

/// What was told of acts, in order.
fn acts(world: &World) -> Vec<&'static str> {
    let told = world.memory.announced();
    let act = |announcement: &Announcement| match announcement {
        Announcement::Listed { .. } => Some("listed"),
        Announcement::Act { act, .. } => Some(act.as_str()),
        Announcement::Stopped { .. } => None,
    };
    told.iter().filter_map(act).collect()
}

#[tokio::test]
async fn a_list_is_filtered_by_source_reason_and_age() {
    let world = World::new();
    for (n, days) in [(1, 0), (2, 3), (3, 30)] {
        let sent = Timestamp::from_millis(NOON.as_millis() - days * DAY);
        world.dead(from(&sender(n), "not JSON", sent));
    }
    world.dead(relapsed("A-1", 3));
    world.run().await;
    let count = |filter| async { names(&world, filter).await.len() };
    assert_eq!(count(json!({})).await, 4);
    assert_eq!(count(json!({ "reason": "malformed" })).await, 3);
    assert_eq!(
        count(json!({ "source": "intake", "reason": "exhausted" })).await,
        1
    );
    assert_eq!(count(json!({ "source": "relay" })).await, 0);
    let day = |days: i64| NOON.plus_millis(-days * DAY).utc_day();
    assert_eq!(count(json!({ "seenTo": day(3) })).await, 2);
    assert_eq!(
        count(json!({ "seenFrom": day(3), "reason": "malformed" })).await,
        2
    );
    assert_eq!(count(json!({ "seenFrom": day(29), "seenTo": day(3) })).await, 1);
}

#[tokio::test]
async fn a_message_is_shown_to_the_letter_with_who_sent_it() {
    let (world, name) = with_exhausted().await;
    let QuarantineAnswer::Shown(shown) = act(&world, "show", &name).await else {
        panic!("it is there");
    };
    assert_eq!(shown.0["envelope"]["sender"], json!(sender(1)));
    assert_eq!(shown.0["envelope"]["body"], json!(interest("A-1")));
    assert_eq!(format!("{shown:?}"), "Shown");
}

#[tokio::test]
async fn what_is_released_is_processed_and_gone_from_the_quarantine() {
    let (world, name) = with_exhausted().await;
    assert_eq!(act(&world, "release", &name).await, QuarantineAnswer::Released);
    world.consume().await;
    assert_eq!(world.effects().get("A-1"), Some(&1));
    assert!(world.quarantined().is_empty() && world.dead_letters().is_empty());
    assert_eq!(
        act(&world, "release", &name).await,
        QuarantineAnswer::Refused(ShelfRefusal::NotThere)
    );
}

#[tokio::test]
async fn what_is_released_and_fails_again_is_quarantined_again() {
    let (world, name) = with_exhausted().await;
    world.fate("A-1", Fate::FailsAtOnce);
    act(&world, "release", &name).await;
    world.consume().await;
    world.run().await;
    assert_eq!(world.quarantined(), [name]);
    assert!(world.dead_letters().is_empty() && world.effects().is_empty());
}

/// The released message is back among the dead letters before its object is removed: the redrive must not take the one
/// for the other and delete the letter.
#[tokio::test]
async fn a_released_message_that_comes_back_before_its_object_is_gone_is_not_lost() {
    let (world, name) = with_exhausted().await;
    world.fate("A-1", Fate::FailsAtOnce);
    let never_removed = |_: usize, operation: &'static str| {
        (operation == "remove_quarantined").then_some(Mishap::RequestLost)
    };
    let ports = Unlucky::new(world.memory.clone(), never_removed);
    let event = json!({ "quarantine": { "release": { "object": name } } });
    let answer = world.over(ports).handle(event, world.deadline()).await;
    assert_eq!(answer, Answer::Quarantine(QuarantineAnswer::ReleasedAndKept));
    world.consume().await;
    world.run().await;
    assert_eq!(
        world.dead_letters().len(),
        1,
        "it waits until the earlier one is gone"
    );
    assert_eq!(act(&world, "purge", &name).await, QuarantineAnswer::Purged);
    world.later().await;
    world.run().await;
    assert_eq!((world.quarantined(), world.dead_letters().len()), (vec![name], 0));
}

#[tokio::test]
async fn what_may_not_go_back_stays() {
    let world = World::new();
    let long_ago = Timestamp::from_millis(NOON.as_millis() - 401 * DAY);
    world.dead(from(&sender(1), &interest("A-1"), long_ago));
    let unstamped = symbolon_shared::domain::redrive::LetterAsRead {
        sender: None,
        ..letter(&interest("A-2"))
    };
    world.dead(unstamped);
    world.run().await;
    for name in world.quarantined() {
        let why = match name.reason {
            PoisonReason::Stale => ShelfRefusal::Stale,
            PoisonReason::Unstamped => ShelfRefusal::Unstamped,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            act(&world, "release", &name).await,
            QuarantineAnswer::Refused(why)
        );
    }
    assert_eq!(world.quarantined().len(), 2);
    world.consume().await;
    assert!(world.reached().is_empty());
}

/// In a region that does not match, it would lie on the intake until it expires.
#[tokio::test]
async fn nothing_is_released_where_nobody_takes_it() {
    let (world, name) = with_exhausted().await;
    for (enabled, why) in [
        (Some(false), ShelfRefusal::ConsumerDisabled),
        (None, ShelfRefusal::ConsumerDisabled),
    ] {
        let consumer = Consumer {
            enabled,
            recent: Some(Recent::default()),
        };
        world.memory.set_consumer(CONSUMER, consumer);
        assert_eq!(
            act(&world, "release", &name).await,
            QuarantineAnswer::Refused(why)
        );
    }
    world.consume().await;
    assert!(world.quarantined() == [name] && world.reached().is_empty());
    assert_eq!(
        acts(&world),
        ["quarantined"],
        "and nobody was told that it would be"
    );
}

#[tokio::test]
async fn every_act_is_told_before_it_is_done() {
    let (world, name) = with_exhausted().await;
    names(&world, json!({})).await;
    for what in ["show", "release", "show", "purge"] {
        act(&world, what, &name).await;
    }
    assert_eq!(
        acts(&world),
        ["quarantined", "listed", "shown", "released"],
        "the rest was not there"
    );
    assert_eq!(QuarantineAct::Purged.as_str(), "purged");
}

#[tokio::test]
async fn what_cannot_be_told_is_not_done() {
    for what in ["show", "release", "purge"] {
        let (world, name) = with_exhausted().await;
        let mute = |_: usize, operation: &'static str| {
            (operation == "announce_redrive").then_some(Mishap::Throttled)
        };
        let ports = Unlucky::new(world.memory.clone(), mute);
        let event = json!({ "quarantine": { what: { "object": name } } });
        let answer = world.over(ports).handle(event, world.deadline()).await;
        let refused = QuarantineAnswer::Refused(ShelfRefusal::NotAnnounced);
        assert_eq!(answer, Answer::Quarantine(refused), "{what}");
        world.consume().await;
        assert!(
            world.quarantined() == [name] && world.reached().is_empty(),
            "{what}"
        );
    }
}

#[tokio::test]
async fn whatever_goes_wrong_at_any_call_of_a_release_loses_nothing() {
    for mishap in Mishap::ALL {
        for call in 0..4 {
            let (world, name) = with_exhausted().await;
            let ports = Unlucky::new(world.memory.clone(), move |n, _| (n == call).then_some(mishap));
            let event = json!({ "quarantine": { "release": { "object": name } } });
            let redrive = world.over(ports);
            let released = redrive.handle(event, world.deadline());
            // Whoever dies is not waited for.
            let _ended = tokio::time::timeout(std::time::Duration::from_millis(50), released).await;
            world.consume().await;
            let (kept, done) = (
                world.quarantined() == [name.clone()],
                world.effects().contains_key("A-1"),
            );
            assert!(kept || done, "{mishap:?} at call {call}");
            act(&world, "release", &name).await;
            world.consume().await;
            assert_eq!(world.effects().get("A-1"), Some(&1), "{mishap:?} at call {call}");
            assert!(world.quarantined().is_empty(), "{mishap:?} at call {call}");
        }
    }
}

#[tokio::test]
async fn an_object_of_somebody_else_is_neither_shown_nor_released() {
    let (world, name) = with_exhausted().await;
    world.memory.put_object(&name.encode(), b"{}".to_vec());
    for what in ["show", "release"] {
        let answer = act(&world, what, &name).await;
        assert_eq!(
            answer,
            QuarantineAnswer::Refused(ShelfRefusal::Unreadable),
            "{what}"
        );
    }
    assert_eq!(act(&world, "purge", &name).await, QuarantineAnswer::Purged);
}

#[tokio::test]
async fn nothing_is_begun_when_too_little_time_is_left() {
    let (world, name) = with_exhausted().await;
    let event = json!({ "quarantine": { "release": { "object": name } } });
    let soon = world.memory.now().plus_millis(10_000);
    let answer = world.redrive().handle(event, soon).await;
    assert_eq!(
        answer,
        Answer::Quarantine(QuarantineAnswer::Refused(ShelfRefusal::Deadline))
    );
    assert_eq!(world.quarantined(), [name]);
}
