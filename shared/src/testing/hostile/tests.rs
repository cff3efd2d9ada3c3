use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::domain::intake::{Member, parse_body};

fn cast() -> Cast {
    Cast {
        counterparties: (1..=4).map(|n| format!("AROACOUNTERPARTY{n}:desk")).collect(),
        stranger: "AROASTRANGER:desk".to_owned(),
        own_role: "AROAREDRIVE:function".to_owned(),
        symbol: "BTCUSD".to_owned(),
        first_sent_at: Timestamp::from_millis(1_796_140_800_000),
    }
}

fn plan(seed: u64, malformed: usize, good: usize) -> Vec<Item> {
    Hostile::new(seed, cast()).plan(malformed, good)
}

#[test]
fn every_kind_and_record_kind_has_a_name_of_its_own() {
    let names: BTreeSet<_> = Kind::ALL.map(Kind::name).into();
    assert_eq!(names.len(), Kind::ALL.len());
    assert!(Kind::MALFORMED.iter().all(|kind| !kind.is_good()));
    assert_eq!(BTreeSet::from(Kind::MALFORMED).len() + 2, Kind::ALL.len());
    let names: BTreeSet<_> = RecordKind::ALL.map(RecordKind::name).into();
    assert_eq!(names.len(), RecordKind::ALL.len());
}

#[test]
fn the_same_seed_makes_the_same_items_and_another_makes_others() {
    assert!(plan(7, 120, 20) == plan(7, 120, 20));
    assert!(plan(7, 120, 20) != plan(8, 120, 20));
}

#[test]
fn a_plan_has_every_kind_and_as_many_good_buys_as_sells() {
    let items = plan(7, 3_000, 500);
    let mut counts: BTreeMap<Kind, usize> = BTreeMap::new();
    for item in &items {
        *counts.entry(item.kind).or_default() += 1;
    }
    assert_eq!(counts.len(), Kind::ALL.len());
    assert!(
        counts.values().all(|count| *count >= MAX_LONG_ITEMS),
        "{counts:?}"
    );
    assert_eq!(items.iter().filter(|item| !item.kind.is_good()).count(), 3_000);
    let mut sides = [0_usize; 2];
    for end in items.iter().flat_map(|item| &item.ends) {
        if let End::Matched { counterparty, .. } = end {
            sides[counterparty % 2] += 1;
        }
    }
    assert!(sides[0] == sides[1] && sides[0] > 1_000, "{sides:?}");
}

#[test]
fn no_two_ends_are_about_one_id() {
    let items = plan(7, 3_000, 100);
    let mut ids = BTreeSet::new();
    for end in items.iter().flat_map(|item| &item.ends) {
        if let End::Matched { cl_ord_id, .. } | End::Rejected { cl_ord_id, .. } = end {
            assert!(cl_ord_id.starts_with(MARK) && ids.insert(cl_ord_id.clone()));
        }
    }
}

#[test]
fn what_sqs_refuses_is_not_sendable() {
    let item = |body: &str| Item {
        kind: Kind::Good,
        sender_id: String::new(),
        body: body.to_owned(),
        ends: Vec::new(),
    };
    for (body, sendable) in [
        ("", false),
        ("\u{0}", false),
        ("a\u{1f}", false),
        ("\t\n\r \u{7f}\u{85}", true),
        ("\u{d7ff}\u{e000}\u{fffd}\u{10000}\u{10ffff}", true),
        ("\u{fffe}", false),
        ("\u{ffff}", false),
        (&"x".repeat(MAX_MESSAGE_BYTES), true),
        (&"x".repeat(MAX_MESSAGE_BYTES + 1), false),
    ] {
        assert_eq!(item(body).sendable(), sendable, "{:?}", body.get(..8));
    }
    let items = plan(7, 3_000, 0);
    let refused = items.iter().filter(|item| !item.sendable()).count();
    assert!((50..500).contains(&refused), "{refused}");
}

/// What the parser alone can tell of an end. Envelopes and unknown senders are not its business.
#[test]
fn the_parser_agrees_with_how_the_items_were_made() {
    let cast = cast();
    for item in plan(7, 6_000, 200) {
        if !cast.counterparties.contains(&item.sender_id) {
            continue;
        }
        let mut expected: Vec<String> = item.ends.iter().map(told).collect();
        let mut parsed: Vec<String> = match parse_body(&item.body) {
            Ok(members) => members.iter().map(read).collect(),
            Err(_) if item.ends == [End::ComesBack] => expected.clone(),
            Err(reason) => vec![format!("{reason} {}", item.body)],
        };
        expected.sort();
        parsed.sort();
        let about = |parsed: &Vec<String>| parsed.join("\n").chars().take(2_000).collect::<String>();
        let parser_only = !matches!(
            item.kind,
            Kind::OffStep | Kind::SelfReference | Kind::BadSymbol | Kind::BadTime
        );
        assert!(
            parsed == expected || !parser_only,
            "{}: {}\nis parsed as {}\ninstead of {}",
            item.kind.name(),
            item.body.chars().take(500).collect::<String>(),
            about(&parsed),
            about(&expected)
        );
    }
}

fn told(end: &End) -> String {
    match end {
        End::Matched { cl_ord_id, .. } => format!("good {cl_ord_id}"),
        End::Rejected {
            cl_ord_id, reason, ..
        } => format!("{reason} {cl_ord_id}"),
        End::SetAside { reason, body, .. } => format!("{} {body}", reason.code()),
        End::ComesBack => "comes back".to_owned(),
    }
}

fn read(member: &Member) -> String {
    match member {
        Member::Message(message) => {
            let request = message
                .request
                .as_ref()
                .map_or_else(|reason| reason.code(), |_| "good");
            format!("{request} {}", message.cl_ord_id.as_str())
        }
        Member::Unreadable(text) => format!("malformed {text}"),
    }
}
