//! Bodies that are long, deep or wide.

use super::draft::quoted;
use super::maker::{Made, Maker, rejected};
use super::{End, MARK};
use crate::domain::limits::MAX_MESSAGE_BYTES;
use crate::domain::reason::Reason;

/// 256 KiB: what SQS took before 2025-08.
const LEAST: usize = 262_144;

/// With what the longest message has beside it still well below what SQS takes, in an envelope too, as long as nothing
/// in it must be escaped there.
const MOST: usize = 1_000_000;

const LEVELS: usize = 100_000;

fn some_length(maker: &mut Maker) -> usize {
    LEAST + maker.below(MOST - LEAST)
}

pub(super) fn huge_field(maker: &mut Maker, turn: usize) -> Made {
    let author = maker.author();
    let length = some_length(maker);
    let long = |text: &str| quoted(&text.repeat(length / text.len()));
    let draft = maker.interest(&author);
    let (draft, reason) = match turn % 9 {
        0 => (draft.set("symbol", long("X")), Reason::Malformed),
        1 => (draft.set("orderQty", long("1")), Reason::BadQuantity),
        2 => (draft.set("price", long("0")), Reason::BadPrice),
        3 => (draft.set("expireTime", long("2026-12-01")), Reason::BadExpireTime),
        4 => (draft.push(long("name"), "1"), Reason::Malformed),
        5 => (draft.push("\"x\"", long("\u{1f600}")), Reason::Malformed),
        6 => (draft.push("\"x\"", "9".repeat(length)), Reason::Malformed),
        7 => (draft.set("type", long("interest")), Reason::Malformed),
        _ => return maker.set_aside(&author, draft.set("clOrdId", long("A")).text()),
    };
    maker.rejected(&author, draft.text(), reason)
}

pub(super) fn huge_text(maker: &mut Maker, turn: usize) -> Made {
    let author = maker.author();
    match turn % 6 {
        0 | 1 => {
            let length = some_length(maker);
            maker.set_aside(&author, format!("{MARK}{}", "x".repeat(length - MARK.len())))
        }
        // Each quote takes two bytes in an envelope.
        2 => {
            let length = LEAST + maker.below(MOST / 2 - LEAST);
            maker.set_aside(&author, "\"".repeat(length))
        }
        3 => {
            let length = some_length(maker);
            maker.set_aside(&author, " ".repeat(length))
        }
        // As long as SQS takes: an envelope around it cannot be.
        4 => maker.sent(&author, "x".repeat(MAX_MESSAGE_BYTES), vec![End::ComesBack]),
        _ => maker.sent(
            &author,
            "\\".repeat(MAX_MESSAGE_BYTES * 5 / 8),
            vec![End::ComesBack],
        ),
    }
}

pub(super) fn oversized(maker: &mut Maker, turn: usize) -> Made {
    let author = maker.author();
    let more = MAX_MESSAGE_BYTES + 1 + maker.below(MAX_MESSAGE_BYTES / 8);
    let draft = maker.interest(&author).push("\"x\"", quoted(&"x".repeat(more)));
    if turn.is_multiple_of(2) {
        maker.rejected(&author, draft.text(), Reason::Malformed)
    } else {
        maker.sent(&author, draft.without("clOrdId").text(), vec![End::ComesBack])
    }
}

pub(super) fn deep_nesting(maker: &mut Maker, turn: usize) -> Made {
    let author = maker.author();
    let arrays = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let objects = |levels: usize| format!("{}1{}", "{\"\":".repeat(levels), "}".repeat(levels));
    let draft = maker.message(&author, turn);
    let draft = match turn % 9 {
        0 => return maker.set_aside(&author, "[".repeat(LEVELS)),
        1 => return maker.set_aside(&author, arrays(LEVELS)),
        2 => return maker.set_aside(&author, "{\"\":".repeat(LEVELS)),
        3 => return maker.set_aside(&author, objects(LEVELS)),
        4 => return maker.set_aside(&author, draft.push("\"x\"", "[".repeat(LEVELS)).text()),
        5 => {
            // One member, as deep as the rest of the body.
            let member = arrays(LEVELS);
            let body = format!(r#"{{"type":"bundle","messages":[{member}]}}"#);
            let end = maker.malformed(author.counterparty, &member);
            return maker.sent(&author, body, vec![end]);
        }
        6 => draft.push("\"x\"", arrays(LEVELS)),
        7 => draft.push("\"x\"", objects(LEVELS)),
        _ => {
            let member = draft.set("origClOrdId", arrays(LEVELS)).text();
            let body = format!(r#"{{"type":"bundle","messages":[{member}]}}"#);
            return maker.sent(&author, body, vec![rejected(&author, Reason::Malformed)]);
        }
    };
    maker.rejected(&author, draft.text(), Reason::Malformed)
}

pub(super) fn many_values(maker: &mut Maker, turn: usize) -> Made {
    const VALUES: [&str; 8] = ["0", "[]", "{}", "\"\"", "[0]", "{\"\":0}", "null", "[[],{}]"];
    let author = maker.author();
    let length = some_length(maker) * 9 / 10;
    let value = VALUES[turn % VALUES.len()];
    let raw = if (turn / VALUES.len()).is_multiple_of(2) {
        format!(
            "[{value}{}]",
            format!(",{value}").repeat(length / (value.len() + 1) - 1)
        )
    } else {
        // As many names: none twice.
        let fields: Vec<String> = (0..length / (value.len() + 9))
            .map(|n| format!("\"{n:x}\":{value}"))
            .collect();
        format!("{{{}}}", fields.join(","))
    };
    let field = maker.any(&["x", "symbol", "ack", "origClOrdId"]);
    let body = maker.message(&author, turn).set(field, raw).text();
    maker.rejected(&author, body, Reason::Malformed)
}
