//! Who sent it: SQS's word for it, the registry's, and that of our own roles' envelopes.

use serde_json::{Value, json};
use symbolon_shared::domain::identifiers::Principal;
use symbolon_shared::testing::{FaultyPorts, Injection, Operation, Script};

use crate::checks::check;
use crate::records::{buy, cancel, envelope, id, raw_record, record, record_at, sell, sender_id, with};
use crate::world::{
    BULK_ROLE, COUNTERPARTIES, EPOCH_MILLIS, OWN_ROLE, REDRIVE_ROLE, World, owner, principal,
};

fn from_role(role: &str, at: i64, body: &Value) -> Value {
    raw_record(&format!("{role}:function"), at, &body.to_string())
}

/// What is set aside when `record` is delivered alone: its reason and its envelope.
async fn set_aside(world: &World, record: Value) -> (&'static str, Value) {
    assert!(world.deliver(&world.matcher(), [record]).await.is_empty());
    assert!(world.memory.submissions().is_empty());
    assert!(
        world.memory.inboxes().values().all(Vec::is_empty),
        "a stranger was answered"
    );
    world.dead_letters().pop().unwrap()
}

#[tokio::test]
async fn an_unknown_sender_is_set_aside_with_its_own_stamps() {
    for sender in [
        "AROASTRANGER:desk",
        "AROASTRANGER",
        ":desk",
        "a.b:desk",
        "123456789012",
    ] {
        let body = sell("A-1", "1", "100").to_string();
        let (reason, letter) = set_aside(&World::new(), raw_record(sender, 7, &body)).await;
        assert_eq!(reason, "unknown_sender");
        assert_eq!(
            letter,
            json!({
                "type": "envelope", "v": 1, "sender": sender, "sentAt": (EPOCH_MILLIS + 7).to_string(), "cycles": 0,
                "reason": "unknown_sender", "body": body
            })
        );
    }
}

#[tokio::test]
async fn the_session_name_says_nothing() {
    let world = World::new();
    let second = principal(2);
    // Both are counterparty 1, whatever the sessions call themselves.
    for (n, session) in [
        String::new(),
        ":desk".into(),
        format!(":{second}"),
        format!(":{second}:x"),
    ]
    .iter()
    .enumerate()
    {
        let body = sell(&format!("A-{n}"), "1", "100").to_string();
        let sender = principal(1) + session;
        assert!(
            world
                .deliver(&world.matcher(), [raw_record(&sender, 0, &body)])
                .await
                .is_empty()
        );
    }
    assert_eq!(world.memory.entries().len(), 4);
    assert!(world.memory.entries().iter().all(|entry| entry.owner == owner(1)));
}

#[tokio::test]
async fn a_name_in_the_body_is_malformed_not_believed() {
    let world = World::new();
    let body = with(sell("A-1", "1", "100"), &json!({"sender": sender_id(2)}));
    assert!(
        world
            .deliver(&world.matcher(), [record(1, &body)])
            .await
            .is_empty()
    );
    assert_eq!(world.inbox(1)[0]["reason"], "malformed");
    assert!(world.inbox(2).is_empty());
}

const NEW_PRINCIPAL: &str = "AROANEWNEWNEWNEW00001";

/// Counterparty 1 gets another principal than it was onboarded with; the old one's item is still there.
fn rename(world: &World) {
    world.register(1, |counterparty| {
        counterparty.principal = Principal::new(NEW_PRINCIPAL).unwrap();
    });
}

#[tokio::test]
async fn a_principal_that_its_counterparty_does_not_name_is_unknown() {
    let world = World::new();
    rename(&world);
    let (reason, _) = set_aside(&world, record(1, &sell("A-1", "1", "100"))).await;
    assert_eq!(reason, "unknown_sender");
}

#[tokio::test]
async fn a_new_principal_is_known_at_once_though_its_counterparty_is_remembered() {
    let world = World::new();
    let matcher = world.matcher();
    assert!(
        world
            .deliver(&matcher, [record(1, &sell("A-1", "1", "100"))])
            .await
            .is_empty()
    );
    rename(&world);
    let body = sell("A-2", "1", "100").to_string();
    let first = raw_record(&format!("{NEW_PRINCIPAL}:desk"), 0, &body);
    assert!(world.deliver(&matcher, [first]).await.is_empty());
    assert_eq!(world.memory.entries().len(), 2);
    assert!(world.dead_letters().is_empty());
}

#[tokio::test]
async fn envelopes_of_our_own_roles_are_opened() {
    for role in [OWN_ROLE, REDRIVE_ROLE, BULK_ROLE] {
        let world = World::new();
        let body = envelope(1, 5, &sell("A-1", "1", "100"));
        assert!(
            world
                .deliver(&world.matcher(), [from_role(role, 900, &body)])
                .await
                .is_empty()
        );
        let submission = world.submission(1, "A-1").unwrap();
        assert_eq!(submission.accepted_at.as_millis(), EPOCH_MILLIS + 5, "{role}");
        assert_eq!(
            world.memory.entries()[0].rank.accepted_at().as_millis(),
            EPOCH_MILLIS + 5,
            "{role}"
        );
    }
}

#[tokio::test]
async fn only_the_bulk_role_sends_on_behalf_of_somebody() {
    let on_behalf = |n: usize| {
        let behalf = json!({"sender": null, "onBehalfOf": owner(n).as_str(), "reason": null});
        with(envelope(n, 5, &sell("A-1", "1", "100")), &behalf)
    };
    let world = World::new();
    assert!(
        world
            .deliver(&world.matcher(), [from_role(BULK_ROLE, 9, &on_behalf(1))])
            .await
            .is_empty()
    );
    assert_eq!(world.memory.entries()[0].owner, owner(1));

    for role in [OWN_ROLE, REDRIVE_ROLE] {
        let (reason, letter) = set_aside(&World::new(), from_role(role, 9, &on_behalf(1))).await;
        assert_eq!(reason, "malformed");
        assert_eq!(letter["sender"], format!("{role}:function"));
        assert_eq!(letter["sentAt"], (EPOCH_MILLIS + 9).to_string());
        assert_eq!(letter["body"], on_behalf(1).to_string());
    }

    let nobody = COUNTERPARTIES + 1;
    let (reason, letter) = set_aside(&World::new(), from_role(BULK_ROLE, 9, &on_behalf(nobody))).await;
    assert_eq!(reason, "unknown_sender");
    assert_eq!(
        (&letter["onBehalfOf"], &letter["sentAt"]),
        (
            &json!(owner(nobody).as_str()),
            &json!((EPOCH_MILLIS + 5).to_string())
        )
    );
    assert!(letter.get("sender").is_none());
}

#[tokio::test]
async fn an_envelope_of_anybody_else_is_malformed() {
    for sender in [sender_id(1), format!("{}:{OWN_ROLE}", principal(1))] {
        let body = envelope(2, 5, &sell("A-1", "1", "100"));
        let (reason, letter) = set_aside(&World::new(), raw_record(&sender, 9, &body.to_string())).await;
        assert_eq!(reason, "malformed");
        assert_eq!(letter["sender"], sender);
        assert_eq!(letter["sentAt"], (EPOCH_MILLIS + 9).to_string());
        assert_eq!(letter["body"], body.to_string());
    }
}

#[tokio::test]
async fn what_our_own_roles_send_otherwise_is_malformed() {
    let inside = envelope(1, 5, &sell("A-1", "1", "100"));
    for (body, inner) in [
        (sell("A-1", "1", "100"), false),
        (with(inside.clone(), &json!({"v": 2})), false),
        (with(inside.clone(), &json!({"extra": 1})), false),
        (envelope(1, 5, &inside), true),
    ] {
        let (reason, letter) = set_aside(&World::new(), from_role(REDRIVE_ROLE, 9, &body)).await;
        assert_eq!(reason, "malformed", "{body}");
        // An envelope that was opened keeps its sender, its time and its count.
        let (sender, at, cycles) = if inner {
            (sender_id(1), 5, 1)
        } else {
            (format!("{REDRIVE_ROLE}:function"), 9, 0)
        };
        assert_eq!(letter["sender"], sender, "{body}");
        assert_eq!(letter["sentAt"], (EPOCH_MILLIS + at).to_string(), "{body}");
        assert_eq!(letter["cycles"], cycles, "{body}");
    }
}

#[tokio::test]
async fn the_sender_in_an_envelope_must_be_registered_too() {
    let body = with(
        envelope(1, 5, &sell("A-1", "1", "100")),
        &json!({"sender": "AROASTRANGER:desk"}),
    );
    let (reason, letter) = set_aside(&World::new(), from_role(REDRIVE_ROLE, 9, &body)).await;
    assert_eq!(reason, "unknown_sender");
    assert_eq!(
        (&letter["sender"], &letter["cycles"]),
        (&json!("AROASTRANGER:desk"), &json!(1))
    );
}

#[tokio::test]
async fn an_older_envelope_beats_what_rests_since() {
    let world = World::new();
    let matcher = world.matcher();
    assert!(
        world
            .deliver(&matcher, [record_at(1, 100, &sell("A-1", "1", "100"))])
            .await
            .is_empty()
    );
    let older = from_role(REDRIVE_ROLE, 900, &envelope(2, 50, &sell("A-2", "1", "100")));
    assert!(world.deliver(&matcher, [older]).await.is_empty());
    assert!(
        world
            .deliver(&matcher, [record_at(3, 950, &buy("B-1", "1", "100"))])
            .await
            .is_empty()
    );
    assert_eq!(world.kinds(2), ["match"]);
    assert!(world.kinds(1).is_empty());
    check(&world);
}

#[tokio::test]
async fn an_envelope_takes_its_place_in_the_order_of_its_batch() {
    let world = World::new();
    let records = [
        record_at(1, 100, &sell("A-1", "1", "100")),
        record_at(3, 200, &buy("B-1", "1", "100")),
        from_role(REDRIVE_ROLE, 300, &envelope(2, 50, &sell("A-2", "1", "100"))),
    ];
    assert!(world.deliver(&world.matcher(), records).await.is_empty());
    assert_eq!(world.kinds(2), ["match"]);
    check(&world);
}

#[tokio::test]
async fn a_suspension_takes_effect_within_half_a_minute() {
    let world = World::new();
    let matcher = world.matcher();
    let first = [
        record(1, &sell("A-1", "1", "100")),
        record(2, &sell("A-2", "1", "101")),
    ];
    assert!(world.deliver(&matcher, first).await.is_empty());
    let reads = world.memory.calls(Operation::ReadCounterparties);
    world.suspend(1);
    world.clock.advance(29_999);
    assert!(
        world
            .deliver(&matcher, [record(2, &buy("B-1", "1", "1"))])
            .await
            .is_empty()
    );
    assert_eq!(
        world.memory.calls(Operation::ReadCounterparties),
        reads,
        "nothing is remembered"
    );
    world.clock.advance(1);
    let late = [
        record(1, &sell("A-3", "1", "99")),
        record_at(3, 9, &buy("B-2", "2", "101")),
        record_at(1, 10, &cancel("A-4", "A-1")),
    ];
    assert!(world.deliver(&matcher, late).await.is_empty());
    // The suspended one's interests are neither taken nor matched; its cancels work.
    assert_eq!(world.kinds(1), ["rejected", "cancelled"]);
    assert_eq!(world.inbox(1)[0]["reason"], "suspended");
    assert_eq!(world.kinds(2), ["match"]);
}

#[tokio::test]
async fn an_exclusion_takes_effect_within_half_a_minute() {
    let world = World::new();
    let matcher = world.matcher();
    assert!(
        world
            .deliver(&matcher, [record(1, &sell("A-1", "1", "100"))])
            .await
            .is_empty()
    );
    world.exclude(1, 2);
    world.clock.advance(30_000);
    assert!(
        world
            .deliver(&matcher, [record(2, &buy("B-1", "1", "100"))])
            .await
            .is_empty()
    );
    assert!(world.memory.matches().is_empty());
}

#[tokio::test]
async fn onboarding_takes_effect_at_once() {
    let world = World::new();
    let matcher = world.matcher();
    let newcomer = COUNTERPARTIES + 1;
    assert!(
        world
            .deliver(&matcher, [record(newcomer, &sell("A-1", "1", "100"))])
            .await
            .is_empty()
    );
    assert_eq!(world.dead_letters()[0].0, "unknown_sender");
    world.register(newcomer, |_| ());
    assert!(
        world
            .deliver(&matcher, [record(newcomer, &sell("A-1", "1", "100"))])
            .await
            .is_empty()
    );
    assert_eq!(world.memory.entries().len(), 1);
}

#[tokio::test]
async fn while_the_registry_cannot_be_read_everything_goes_back() {
    for operation in [Operation::FindPrincipals, Operation::ReadCounterparties] {
        let world = World::new();
        let script = Script::of([(operation, 1, Injection::RequestLost)]);
        let ports = FaultyPorts::new(world.memory.clone(), script);
        let matcher = world.matcher_over(ports.clone());
        let records = [
            record(1, &sell("A-1", "1", "100")),
            raw_record("AROASTRANGER:desk", 0, "{}"),
            raw_record(&sender_id(2), 0, "not json"),
        ];
        let failed = world.deliver(&matcher, records.clone()).await;
        assert_eq!(failed, records.iter().map(id).collect::<Vec<_>>());
        assert!(world.is_untouched());
        assert_eq!(ports.met().len(), 1);
        assert!(world.deliver(&matcher, records).await.is_empty());
        assert_eq!(world.dead_letters().len(), 2);
        assert_eq!(world.memory.entries().len(), 1);
    }
}
