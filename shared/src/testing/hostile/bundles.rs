//! Bundles: malformed as a whole, or with members that are.

use super::draft::quoted;
use super::maker::{Author, Made, Maker, rejected};
use super::{End, MARK};
use crate::domain::limits::MAX_BUNDLE_MESSAGES;
use crate::domain::reason::Reason;

fn bundle(members: &[String]) -> String {
    format!(r#"{{"type":"bundle","messages":[{}]}}"#, members.join(","))
}

/// Another message of the same author.
fn another(maker: &mut Maker, author: &Author) -> Author {
    Author {
        id: maker.id(),
        ..author.clone()
    }
}

/// `count` members of `author` that nobody gets to see, because the whole is malformed.
fn unseen(maker: &mut Maker, author: &Author, count: usize) -> Vec<String> {
    let member = |maker: &mut Maker, n| {
        let author = another(maker, author);
        maker.message(&author, n).text()
    };
    (0..count).map(|n| member(maker, n)).collect()
}

pub(super) fn empty(maker: &mut Maker, turn: usize) -> Made {
    const EMPTY: [&str; 4] = [
        r#"{"type":"bundle","messages":[]}"#,
        r#" { "type" : "bundle" , "messages" : [ ] } "#,
        r#"{"messages":[],"type":"bundle"}"#,
        r#"{"type":"b\u0075ndle","messages":[]}"#,
    ];
    let author = maker.author();
    maker.set_aside(&author, EMPTY[turn % EMPTY.len()].to_owned())
}

pub(super) fn nested(maker: &mut Maker, turn: usize) -> Made {
    let author = maker.author();
    let count = 1 + maker.below(4);
    let mut members = unseen(maker, &author, count);
    let inner = match turn % 4 {
        0 => bundle(&[]),
        1 => bundle(&unseen(maker, &author, 2)),
        2 => bundle(&[bundle(&[bundle(&unseen(maker, &author, 1))])]),
        _ => r#"{"messages":7,"type":"b\u0075ndle"}"#.to_owned(),
    };
    members.insert(maker.below(members.len() + 1), inner);
    maker.set_aside(&author, bundle(&members))
}

pub(super) fn with_envelope(maker: &mut Maker, turn: usize) -> Made {
    let author = maker.author();
    let count = maker.below(4);
    let mut members = unseen(maker, &author, count);
    let inner = if turn.is_multiple_of(2) {
        r#"{"type":"envelope"}"#.to_owned()
    } else {
        let sender = maker.cast().own_role.clone();
        format!(r#"{{"type":"envelope","v":1,"sender":"{sender}","sentAt":"1","cycles":0,"body":"{{}}"}}"#)
    };
    members.insert(maker.below(members.len() + 1), inner);
    maker.set_aside(&author, bundle(&members))
}

pub(super) fn long(maker: &mut Maker, turn: usize) -> Made {
    let author = maker.author();
    let more = if turn.is_multiple_of(2) {
        1
    } else {
        1 + maker.below(1_500)
    };
    let members = unseen(maker, &author, MAX_BUNDLE_MESSAGES + more);
    maker.set_aside(&author, bundle(&members))
}

pub(super) fn wrong_form(maker: &mut Maker, turn: usize) -> Made {
    let author = maker.author();
    let members = unseen(maker, &author, 2).join(",");
    let id = maker.id();
    let body = match turn % 12 {
        0 => r#"{"type":"bundle"}"#.to_owned(),
        1 => r#"{"type":"bundle","messages":null}"#.to_owned(),
        2 => r#"{"type":"bundle","messages":{}}"#.to_owned(),
        3 => r#"{"type":"bundle","messages":"[]"}"#.to_owned(),
        4 => r#"{"type":"bundle","messages":7}"#.to_owned(),
        5 => format!(r#"{{"type":"bundle","Messages":[{members}]}}"#),
        6 => format!(r#"{{"type":"bundle","messages":[{members}],"messages":[{members}]}}"#),
        7 => format!(r#"{{"type":"bundle","messages":[{members}],"x":1}}"#),
        // A bundle has no id that could be answered about.
        8 => format!(r#"{{"type":"bundle","clOrdId":"{id}","messages":[{members}]}}"#),
        9 => format!(r#"{{"type":"bundle","messages":[{members},]}}"#),
        10 => format!(r#"{{"messages":[{members}]}}"#),
        _ => format!(r#"{{"type":"bundle","type":"bundle","messages":[{members}]}}"#),
    };
    maker.set_aside(&author, body)
}

/// Members that are no objects, each set aside alone, around a good one and a rejected one.
pub(super) fn of_scraps(maker: &mut Maker, turn: usize) -> Made {
    const SCRAPS: [&str; 14] = [
        "7",
        "null",
        "true",
        "\"text\"",
        "[]",
        "{}",
        "1e400",
        "-0",
        "[\"bundle\"]",
        "[\"envelope\"]",
        "[\"interest\"]",
        r#"{"clOrdId":7}"#,
        r#"{"type":"interest"}"#,
        r#"{"clOrdId":"\ud800"}"#,
    ];
    let author = maker.author();
    let (mut members, mut ends) = (Vec::new(), Vec::new());
    for n in 0..=maker.below(6) {
        let scrap = SCRAPS[(turn + n) % SCRAPS.len()];
        members.push(scrap.to_owned());
        ends.push(maker.malformed(author.counterparty, scrap));
    }
    let refused = another(maker, &author);
    members.push(maker.interest(&refused).set("x", quoted(MARK)).text());
    ends.push(rejected(&refused, Reason::Malformed));
    let (good, end) = good_member(maker, &author);
    members.push(good);
    ends.push(end);
    maker.sent(&author, bundle(&members), ends)
}

fn good_member(maker: &mut Maker, author: &Author) -> (String, End) {
    let author = another(maker, author);
    let end = maker.good_end(&author);
    (maker.interest(&author).text(), end)
}

/// Somebody whose good interests make up for those of others.
fn balancing(maker: &mut Maker) -> Author {
    maker.author_of_side(maker.surplus() < 0)
}

/// 499 good members and this one among them.
fn among_good_ones(maker: &mut Maker, author: &Author, bad: String, end: End) -> Made {
    let good = (1..MAX_BUNDLE_MESSAGES).map(|_| good_member(maker, author));
    let (mut members, mut ends): (Vec<_>, Vec<_>) = good.unzip();
    members.insert(maker.below(MAX_BUNDLE_MESSAGES), bad);
    ends.push(end);
    maker.sent(author, bundle(&members), ends)
}

pub(super) fn one_bad(maker: &mut Maker, turn: usize) -> Made {
    let author = balancing(maker);
    let bad = another(maker, &author);
    let plain = maker.interest(&bad);
    let (draft, reason) = match turn % 6 {
        0 => (plain.set("price", "7"), Reason::Malformed),
        1 => (plain.set("orderQty", "\"NaN\""), Reason::BadQuantity),
        2 => (plain.set("minQty", "\"-1\""), Reason::BadMinQty),
        3 => (plain.push("\"x\"", "[[[[{}]]]]"), Reason::Malformed),
        4 => (plain.set("expireTime", "\"soon\""), Reason::BadExpireTime),
        _ => (plain.set("type", "\"bundles\""), Reason::Malformed),
    };
    let end = rejected(&bad, reason);
    among_good_ones(maker, &author, draft.text(), end)
}

pub(super) fn one_unreadable(maker: &mut Maker, turn: usize) -> Made {
    let author = balancing(maker);
    let bad = another(maker, &author);
    let plain = maker.interest(&bad);
    let text = match turn % 5 {
        0 => plain.without("clOrdId").text(),
        1 => plain.set("clOrdId", "7").text(),
        2 => "[]".to_owned(),
        3 => plain.push("\"clOrdId\"", quoted(MARK)).text(),
        _ => quoted(MARK),
    };
    let end = maker.malformed(author.counterparty, &text);
    among_good_ones(maker, &author, text, end)
}
