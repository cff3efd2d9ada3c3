use super::*;
use crate::domain::audit::LogRegion;
use crate::domain::envelope::{Envelope, Origin, SenderId};
use crate::domain::identifiers::{CounterpartyId, OrderKey, Principal};
use crate::domain::limits::{LETTER_PATIENCE_DAYS, MAX_MESSAGE_BYTES, SUBMISSION_LIFE_DAYS};
use crate::domain::own_roles::OwnRoles;
use crate::domain::reason::{PoisonReason, SetAsideReason, StopReason};
use crate::domain::time::Timestamp;

mod forms;
mod planning;

const SENT: Timestamp = Timestamp::from_millis(1_796_140_800_123);
const COUNTERPARTY: &str = "AROACOUNTERPARTY:desk";
const MATCHER: &str = "AROAMATCHER:matcher";
const REDRIVE: &str = "AROAREDRIVE:run";
const BULK: &str = "AROABULK:run";
const INTEREST: &str =
    r#"{"type":"interest","clOrdId":"A-1","symbol":"BTCUSD","side":"buy","orderQty":"1","price":"2"}"#;

fn roles() -> OwnRoles {
    let role = |id: &str| Principal::new(id).unwrap();
    OwnRoles {
        matcher: role("AROAMATCHER"),
        redrive: Some(role("AROAREDRIVE")),
        bulk: Some(role("AROABULK")),
    }
}

fn rules() -> Rules {
    Rules {
        now: SENT.plus_days(1),
        maximum_cycles: 3,
    }
}

fn read(sender: &str, body: &str) -> LetterAsRead {
    LetterAsRead {
        body: body.to_owned(),
        sender: Some(sender.to_owned()),
        sent_at: Some(SENT.as_millis().to_string()),
        receives: Some("11".to_owned()),
        ..LetterAsRead::default()
    }
}

fn because(reason: &str, letter: LetterAsRead) -> LetterAsRead {
    LetterAsRead {
        reason: Some(reason.to_owned()),
        ..letter
    }
}

fn envelope(body: &str) -> Envelope {
    Envelope {
        origin: Origin::Sender(SenderId::parse(COUNTERPARTY).unwrap()),
        sent_at: SENT,
        cycles: 0,
        reason: None,
        body: body.to_owned(),
    }
}

fn open(read: LetterAsRead) -> Letter {
    Letter::open(read, &roles())
}

fn class(read: LetterAsRead) -> Result<Transient, PoisonReason> {
    match classify(&open(read), rules()) {
        Class::Transient(transient) => Ok(transient),
        Class::Poison(reason) => Err(reason),
    }
}

fn source() -> SourceName {
    SourceName::new("intake").unwrap()
}

// ---- Letters ------------------------------------------------------------------------------------------------------

/// As SQS moved it, in the matcher's envelope, in ours after two cycles: one message.
#[test]
fn a_message_has_one_identity_in_every_envelope() {
    let bare = open(read(COUNTERPARTY, INTEREST));
    let enveloped = |sender: &str, cycles, reason| {
        let envelope = Envelope {
            cycles,
            reason,
            ..envelope(INTEREST)
        };
        let stamped = LetterAsRead {
            sent_at: Some("1799999999999".to_owned()),
            ..read(sender, &envelope.to_json())
        };
        open(stamped).identity
    };
    assert_eq!(enveloped(REDRIVE, 2, None), bare.identity);
    assert_eq!(
        enveloped(MATCHER, 1, Some(SetAsideReason::UnknownSender.into())),
        bare.identity
    );
    // Another message: another body, time or sender.
    for other in [
        open(read(COUNTERPARTY, &INTEREST.replace("A-1", "A-2"))),
        open(read("AROAOTHER:desk", INTEREST)),
        open(LetterAsRead {
            sent_at: Some("1796140800124".to_owned()),
            ..read(COUNTERPARTY, INTEREST)
        }),
        open(LetterAsRead {
            sent_at: None,
            ..read(COUNTERPARTY, INTEREST)
        }),
    ] {
        assert_ne!(other.identity, bare.identity);
    }
}

/// Frozen, and computed by another program: objects are found again by it.
#[test]
fn the_identity_is_what_it_always_was() {
    let identity = open(read(COUNTERPARTY, INTEREST)).identity.encode();
    assert_eq!(
        identity,
        "c1263258bd1855e89ef3e7b6983de3139af4020ba563818760a24e34bf0ec60f"
    );
    assert_eq!(
        Identity::of_unstamped("x").encode(),
        "b63f388529c6a9c7b57e2349743957f60046dff9b6948202fe897c2fd5439068"
    );
    let on_behalf = Envelope {
        origin: Origin::OnBehalfOf(CounterpartyId::new("cp-a").unwrap()),
        ..envelope(INTEREST)
    };
    assert_eq!(
        Identity::of(&on_behalf).encode(),
        "e9d6eab8e41ed6d6c08ad9ff96a7e786058d70aeaea1cbe44b68713ff0bf31a0"
    );
}

#[test]
fn an_identity_is_64_digits_and_shows_none_of_them() {
    let identity = Identity::of_unstamped("x");
    assert_eq!(Identity::parse(&identity.encode()), Ok(identity));
    assert_eq!(format!("{identity:?}"), "Identity");
    for text in ["", "ab", &identity.encode().to_uppercase(), &"0".repeat(66)] {
        assert!(Identity::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_strangers_envelope_stays_shut() {
    let inside = envelope(INTEREST).to_json();
    for sender in [COUNTERPARTY, "AROAOTHER:AROAMATCHER", "AROAMATCHERX:f"] {
        assert_eq!(
            class(read(sender, &inside)),
            Err(PoisonReason::Malformed),
            "{sender}"
        );
    }
    for sender in [MATCHER, REDRIVE, BULK] {
        assert!(class(read(sender, &inside)).is_ok(), "{sender}");
    }
}

#[test]
fn what_a_stranger_says_of_the_reason_is_not_believed() {
    assert!(class(because("unknown_sender", read(COUNTERPARTY, INTEREST))).is_ok());
    let ours = because("unknown_sender", read(MATCHER, &envelope(INTEREST).to_json()));
    assert_eq!(class(ours), Err(PoisonReason::UnknownSender));
    // Nor one that is hidden in his body.
    let nested = read(COUNTERPARTY, &envelope(INTEREST).to_json());
    assert_eq!(open(nested).reason, None);
}

#[test]
fn odd_stamps_are_no_stamps() {
    for (sender, sent_at) in [
        (None, Some("1")),
        (Some(""), Some("1")),
        (Some("a b"), Some("1")),
        (Some(COUNTERPARTY), None),
        (Some(COUNTERPARTY), Some("")),
        (Some(COUNTERPARTY), Some("-1")),
        (Some(COUNTERPARTY), Some("soon")),
        (Some(COUNTERPARTY), Some("9223372036854775808")),
    ] {
        let letter = LetterAsRead {
            sender: sender.map(str::to_owned),
            sent_at: sent_at.map(str::to_owned),
            first_received_at: Some("7".to_owned()),
            ..read(COUNTERPARTY, INTEREST)
        };
        assert_eq!(open(letter.clone()).first_seen.as_millis(), 7);
        assert_eq!(
            class(letter),
            Err(PoisonReason::Unstamped),
            "{sender:?} {sent_at:?}"
        );
    }
}

// ---- Classes ------------------------------------------------------------------------------------------------------

#[test]
fn what_sqs_moved_goes_back_with_its_own_sender_and_time() {
    let transient = class(read(COUNTERPARTY, INTEREST)).unwrap();
    let expected = Envelope {
        cycles: 1,
        ..envelope(INTEREST)
    };
    assert!(transient.envelope == expected);
    assert_eq!(transient.cl_ord_ids.len(), 1);
    assert_eq!(transient.cl_ord_ids[0].as_str(), "A-1");
}

#[test]
fn each_kind_of_poison_is_told_from_the_others() {
    let with = |change: fn(&mut Envelope)| {
        let mut envelope = envelope(INTEREST);
        change(&mut envelope);
        read(REDRIVE, &envelope.to_json())
    };
    let at = |millis: i64| LetterAsRead {
        sent_at: Some(millis.to_string()),
        ..read(COUNTERPARTY, INTEREST)
    };
    let life = SUBMISSION_LIFE_DAYS * 86_400_000;
    let oldest = rules().now.as_millis() - life;
    let patience = rules().now.plus_days(-LETTER_PATIENCE_DAYS).as_millis();
    let quotes = format!(
        r#"{{"type":"status","clOrdId":"A-1","origClOrdId":"{}"}}"#,
        "\\u0041".repeat(MAX_MESSAGE_BYTES / 7)
    );
    for (what, letter, expected) in [
        (
            "no JSON",
            read(COUNTERPARTY, "hello"),
            Some(PoisonReason::Malformed),
        ),
        ("nothing", read(COUNTERPARTY, ""), Some(PoisonReason::Malformed)),
        (
            "no clOrdId",
            read(COUNTERPARTY, "{}"),
            Some(PoisonReason::Malformed),
        ),
        (
            "no envelope of ours",
            read(MATCHER, INTEREST),
            Some(PoisonReason::Malformed),
        ),
        (
            "set aside",
            because("malformed", read(MATCHER, &envelope(INTEREST).to_json())),
            Some(PoisonReason::Malformed),
        ),
        (
            "set aside for something new",
            because("moonstruck", read(MATCHER, &envelope(INTEREST).to_json())),
            Some(PoisonReason::UnknownReason),
        ),
        (
            "the last moment, long after SQS would have deleted it",
            at(oldest + 1),
            Some(PoisonReason::Expiring),
        ),
        ("waiting for long", at(patience + 1), None),
        ("waiting for too long", at(patience), Some(PoisonReason::Expiring)),
        ("too old", at(oldest), Some(PoisonReason::Stale)),
        ("from the future", at(i64::MAX), None),
        ("twice", with(|envelope| envelope.cycles = 2), None),
        (
            "thrice",
            with(|envelope| envelope.cycles = 3),
            Some(PoisonReason::Exhausted),
        ),
        (
            "often",
            with(|envelope| envelope.cycles = u32::MAX),
            Some(PoisonReason::Exhausted),
        ),
        (
            "too large",
            read(COUNTERPARTY, &quotes),
            Some(PoisonReason::TooLarge),
        ),
        (
            "on behalf",
            with(|envelope| envelope.origin = Origin::OnBehalfOf(CounterpartyId::new("cp-a").unwrap())),
            Some(PoisonReason::OnBehalf),
        ),
        (
            "refused, and answered",
            read(COUNTERPARTY, r#"{"type":"moon","clOrdId":"A-1"}"#),
            None,
        ),
    ] {
        assert_eq!(class(letter).err(), expected, "{what}");
    }
}

#[test]
fn every_readable_member_of_a_bundle_is_looked_for() {
    let bundle = format!(
        r#"{{"type":"bundle","messages":[{INTEREST},{{"x":1}},{}]}}"#,
        INTEREST.replace("A-1", "A-2")
    );
    let ids = class(read(COUNTERPARTY, &bundle)).unwrap().cl_ord_ids;
    let ids: Vec<&str> = ids
        .iter()
        .map(crate::domain::identifiers::ClOrdId::as_str)
        .collect();
    assert_eq!(ids, ["A-1", "A-2"]);
}

#[test]
fn nothing_of_a_letter_is_shown() {
    let letter = open(read(COUNTERPARTY, INTEREST));
    let transient = class(read(COUNTERPARTY, INTEREST)).unwrap();
    let object = QuarantineObject::of(&letter, &source(), PoisonReason::Stale, SENT);
    let shown = format!(
        "{letter:?} {transient:?} {object:?} {:?} {:?}",
        letter.content,
        read(COUNTERPARTY, INTEREST)
    );
    assert_eq!(shown, "Letter Transient QuarantineObject Content LetterAsRead");
}

// ---- Canary -------------------------------------------------------------------------------------------------------

#[test]
fn a_watched_letter_relapses_with_as_many_cycles_as_it_was_sent_with() {
    let identity = Identity::of_unstamped("x");
    let order = OrderKey::new(
        CounterpartyId::new("cp-a").unwrap(),
        crate::domain::identifiers::ClOrdId::new("A-1").unwrap(),
    );
    let watched = [Watched {
        identity,
        cycles: 2,
        orders: vec![order],
    }];
    assert!(!is_relapse(&watched, identity, 1), "a copy that never left");
    assert!(is_relapse(&watched, identity, 2));
    assert!(is_relapse(&watched, identity, 3));
    assert!(!is_relapse(&watched, Identity::of_unstamped("y"), 2));
}
