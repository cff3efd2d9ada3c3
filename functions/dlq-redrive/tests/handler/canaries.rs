//! A canary goes first, and nothing follows one of which nothing good was heard.

use symbolon_shared::domain::identifiers::ClOrdId;
use symbolon_shared::domain::reason::{PoisonReason, StopReason};
use symbolon_shared::domain::redrive::{Announcement, QueueReport};
use symbolon_shared::domain::submission::SubmissionKind;
use symbolon_shared::domain::token::MatchId;
use symbolon_shared::testing::{Mishap, Unlucky};

use crate::world::{
    CYCLES, Fate, NOON, SENT, World, conduct, from, interest, letter, relapsed, sender, source, submission,
};

fn ids(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("A-{n}")).collect()
}

/// A world with so many letters that may go back.
fn with(count: usize) -> World {
    let world = World::new();
    for id in ids(count) {
        world.moved(&id);
    }
    world
}

fn stops(world: &World) -> Vec<StopReason> {
    let why = |announcement: &Announcement| match announcement {
        Announcement::Stopped { why, .. } => Some(*why),
        Announcement::Act { .. } | Announcement::Listed { .. } => None,
    };
    world.memory.announced().iter().filter_map(why).collect()
}

#[tokio::test]
async fn after_a_canary_that_was_heard_of_the_rest_follows() {
    let world = with(57);
    let report = world.run().await;
    let expected = QueueReport {
        received: 57,
        sent_back: 57,
        canaries: 10,
        ..QueueReport::new(source(), false)
    };
    assert_eq!(report, expected);
    world.consume().await;
    assert_eq!(world.effects().len(), 57);
    assert!(world.dead_letters().is_empty() && stops(&world).is_empty());
}

#[tokio::test]
async fn a_canary_that_relapses_stops_the_redrive_after_the_canary() {
    for fate in [Fate::SetsAside, Fate::FailsAtOnce] {
        let world = with(57);
        world.fate("A-3", fate);
        let report = world.run().await;
        assert_eq!((report.sent_back, report.canaries), (10, 10), "{fate:?}");
        assert_eq!(report.stopped, Some(StopReason::CanaryRelapsed));
        assert_eq!(report.relapsed, 1);
        assert_eq!(world.reached().len(), 10);
        assert_eq!(stops(&world), [StopReason::CanaryRelapsed]);
        // What nothing is wrong with lies there, and goes the next time: the one that came back is no canary now.
        let next = world.run().await;
        world.consume().await;
        assert_eq!(next.stopped, None);
        assert_eq!(world.effects().len(), 56);
        let set_aside = fate == Fate::SetsAside;
        assert_eq!(
            world.poison().contains_key(&PoisonReason::UnknownSender),
            set_aside
        );
    }
}

#[tokio::test]
async fn nothing_follows_a_canary_that_is_not_heard_of() {
    let world = with(57);
    world.fate("A-3", Fate::Silent);
    let start = world.memory.now();
    let report = world.run().await;
    assert_eq!(report.stopped, Some(StopReason::CanaryUnanswered));
    assert_eq!((report.sent_back, report.left), (10, 47));
    assert_eq!(world.reached().len(), 10);
    assert_eq!(stops(&world), [StopReason::CanaryUnanswered]);
    let waited = world.memory.now().millis_since(start);
    assert!((30_000..33_000).contains(&waited), "{waited}");
}

#[tokio::test]
async fn poison_is_sorted_out_whatever_the_canary_says() {
    let world = with(15);
    world.fate("A-0", Fate::Silent);
    for n in 0..40 {
        world.dead(letter(&format!("no JSON {n}")));
    }
    let report = world.run().await;
    assert_eq!(report.stopped, Some(StopReason::CanaryUnanswered));
    assert_eq!(report.quarantined[&PoisonReason::Malformed], 40);
    assert_eq!(world.dead_letters().len(), 5);
}

/// It was heard of, and after 400 letters of the rest it is there again.
#[tokio::test]
async fn a_canary_that_comes_back_later_in_the_run_stops_it() {
    let world = with(400);
    world.dead(relapsed("A-0", 1));
    (400..500).for_each(|n| world.moved(&format!("A-{n}")));
    let report = world.run().await;
    assert_eq!(report.stopped, Some(StopReason::CanaryRelapsed));
    assert_eq!((report.sent_back, report.received), (400, 501));
}

#[tokio::test]
async fn one_run_takes_one_cycle_of_a_message() {
    let world = with(400);
    world.fate("A-100", Fate::FailsAtOnce);
    let report = world.run().await;
    assert_eq!((report.stopped, report.sent_back), (None, 400));
    assert_eq!((report.relapsed, report.left), (1, 1));
    // Then it is alone, and the canary; the second time it comes back it is exhausted.
    for cycle in 1..CYCLES {
        let report = world.run().await;
        assert_eq!(report.stopped, Some(StopReason::CanaryRelapsed));
        let exhausted = report.quarantined.contains_key(&PoisonReason::Exhausted);
        assert_eq!(exhausted, cycle + 1 == CYCLES);
    }
    assert!(world.dead_letters().is_empty());
    let times = world
        .seen
        .lock()
        .unwrap()
        .iter()
        .filter(|id| *id == "A-100")
        .count();
    assert_eq!(times, 3);
    assert_eq!(
        stops(&world).len(),
        2,
        "each is told, though it holds nothing back"
    );
}

#[tokio::test]
async fn a_copy_that_never_left_is_no_relapse() {
    let world = with(30);
    (0..10).for_each(|n| world.moved(&format!("A-{n}")));
    let report = world.run().await;
    assert_eq!((report.stopped, report.sent_back), (None, 40));
    world.consume().await;
    assert!(world.effects().values().all(|times| *times == 1));
}

#[tokio::test]
async fn a_bundle_is_heard_of_when_each_of_its_members_is() {
    let bundle = |ids: [&str; 2]| {
        let members = ids.map(interest).join(",");
        format!(r#"{{"type":"bundle","messages":[{members},{{"x":1}}]}}"#)
    };
    for (fate, stopped) in [
        (Fate::Answers, None),
        (Fate::Silent, Some(StopReason::CanaryUnanswered)),
    ] {
        let world = World::new();
        world.dead(letter(&bundle(["B-1", "B-2"])));
        world.fate("B-2", fate);
        (0..9).for_each(|n| world.moved(&format!("A-{n}")));
        world.moved("last");
        let report = world.run().await;
        world.consume().await;
        assert_eq!(report.stopped, stopped);
        assert_eq!(world.reached().contains("last"), stopped.is_none());
    }
}

/// A match that is not told, and the mark of an early cancel, are no answers.
#[tokio::test]
async fn what_is_not_told_is_not_heard_of() {
    let id = ClOrdId::new("A-0").unwrap();
    let mut untold = submission(1, id.clone(), SENT);
    untold.matches = vec![MatchId::from_random([1; 16])];
    let mut mark = submission(1, id, SENT);
    mark.kind = SubmissionKind::Mark;
    for stored in [untold, mark] {
        let world = with(20);
        world.store(stored).await;
        let report = world.run().await;
        assert_eq!(report.stopped, Some(StopReason::CanaryUnanswered));
        assert_eq!(report.sent_back, 10);
    }
}

/// What was answered before says nothing of how the consumer does now.
#[tokio::test]
async fn what_was_answered_before_is_no_canary() {
    let world = with(30);
    for n in 0..10 {
        let id = ClOrdId::new(format!("A-{n}")).unwrap();
        world.store(submission(1, id, SENT)).await;
    }
    for id in &ids(30)[10..20] {
        world.fate(id, Fate::Silent);
    }
    let report = world.run().await;
    assert_eq!(report.stopped, Some(StopReason::CanaryUnanswered));
    assert!(!world.reached().contains("A-0") && world.reached().contains("A-10"));
}

/// Nor does what its sender is not registered for: both go a few at a time.
#[tokio::test]
async fn letters_that_can_tell_nothing_go_a_few_in_a_run() {
    let world = World::new();
    for n in 0..25 {
        world.dead(from("AROASTRANGER:desk", &interest(&format!("A-{n}")), SENT));
    }
    for expected in [10, 10, 5] {
        let report = world.run().await;
        assert_eq!((report.sent_back, report.canaries), (expected, 0));
        let rest = expected == 10;
        assert_eq!(report.stopped, rest.then_some(StopReason::CanaryMute));
    }
    assert!(world.dead_letters().is_empty());
}

#[tokio::test]
async fn letters_go_no_faster_than_they_may() {
    let world = with(500);
    let start = world.memory.now();
    world.run().await;
    let took = world.memory.now().millis_since(start);
    // 500 letters at 100 in a second, and a moment for the canary.
    assert!((4_500..9_000).contains(&took), "{took}");
}

#[tokio::test]
async fn without_time_to_wait_for_it_no_canary_goes() {
    let world = with(20);
    world.dead(letter("no JSON"));
    let deadline = NOON.plus_millis(conduct().canary_wait_millis + 29_999);
    let answer = world.redrive().handle(serde_json::json!({}), deadline).await;
    let report = crate::world::only(answer);
    assert_eq!((report.sent_back, report.left, report.stopped), (0, 20, None));
    assert!(report.unfinished);
    assert_eq!(report.quarantined[&PoisonReason::Malformed], 1);
    // The letters are not in anybody's hand.
    assert_eq!(world.run().await.sent_back, 20);
}

#[tokio::test]
async fn what_there_is_no_time_for_stays() {
    let world = with(20);
    let report = crate::world::only(world.redrive().handle(serde_json::json!({}), NOON).await);
    let expected = QueueReport {
        unfinished: true,
        ..QueueReport::new(source(), false)
    };
    assert_eq!(report, expected);
    assert_eq!(world.dead_letters().len(), 20);
}

#[tokio::test]
async fn a_sender_without_stamps_of_sqs_is_told_apart() {
    let world = World::new();
    let mut unstamped = letter(&interest("A-1"));
    unstamped.sender = None;
    world.dead(unstamped);
    world.dead(from(&sender(2), &interest("A-1"), SENT));
    let report = world.run().await;
    assert_eq!(report.quarantined[&PoisonReason::Unstamped], 1);
    assert_eq!(report.sent_back, 1);
}

/// A run that gave up looking for one sends none later, when nobody would wait for it.
#[tokio::test]
async fn after_the_search_for_a_canary_failed_nothing_goes() {
    let world = with(20);
    let mut receives = 0;
    let ports = Unlucky::new(world.memory.clone(), move |_, asked| {
        receives += u32::from(asked == "receive_letters");
        (asked == "receive_letters" && receives <= 3).then_some(Mishap::Throttled)
    });
    let answer = world
        .over(ports)
        .handle(serde_json::json!({}), world.deadline())
        .await;
    let report = crate::world::only(answer);
    assert_eq!((report.received, report.sent_back, report.left), (20, 0, 20));
    assert!(report.unfinished);
    assert_eq!(world.run().await.sent_back, 20);
}
