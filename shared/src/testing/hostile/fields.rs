//! Messages of right JSON whose fields are wrong. Each bears a readable `clOrdId`, so each is answered.

use super::draft::{Draft, quoted};
use super::maker::{Author, Made, Maker};
use super::{GOOD_QTY, MARK};
use crate::domain::reason::Reason;

/// A good interest, written plainly.
pub(super) fn good(maker: &mut Maker, _turn: usize) -> Made {
    let author = maker.author();
    let body = maker.interest(&author).text();
    let end = maker.good_end(&author);
    maker.sent(&author, body, vec![end])
}

fn malformed(maker: &Maker, author: &Author, draft: &Draft) -> Made {
    maker.rejected(author, draft.text(), Reason::Malformed)
}

/// An interest, with every optional field too.
fn with_all_fields(maker: &Maker, author: &Author) -> Draft {
    let plain = maker.interest(author).set("minQty", "\"1\"").set("ack", "true");
    plain.set("expireTime", "\"2026-12-01T16:00:00Z\"")
}

pub(super) fn wrong_type(maker: &mut Maker, turn: usize) -> Made {
    const WRONG: [&str; 10] = [
        "7",
        "-1.5",
        "null",
        "[]",
        "{}",
        "[\"buy\"]",
        "{\"buy\":null}",
        "{\"$numberDecimal\":\"1\"}",
        "1e400",
        "[[[]]]",
    ];
    const FIELDS: [&str; 9] = [
        "type",
        "symbol",
        "side",
        "orderQty",
        "price",
        "minQty",
        "expireTime",
        "ack",
        "origClOrdId",
    ];
    let author = maker.author();
    let field = FIELDS[turn % FIELDS.len()];
    let value = maker.any(&WRONG);
    let draft = match field {
        "origClOrdId" => maker.message(&author, 1 + turn % 3),
        _ => with_all_fields(maker, &author),
    };
    // A boolean is right for one field only, and a string for every other.
    let value = match maker.below(4) {
        0 if field == "ack" => "\"true\"",
        0 => "true",
        _ => value,
    };
    malformed(maker, &author, &draft.set(field, value))
}

pub(super) fn bad_symbol(maker: &mut Maker, turn: usize) -> Made {
    const ILL_FORMED: [&str; 12] = [
        "",
        " ",
        "btcusd",
        "BTC USD",
        "BTC#USD",
        "BTC_USD\\u0000",
        "\u{df}TC",
        "\u{1f4b0}",
        "BTC\\nUSD",
        "*",
        "' OR 1=1--",
        "${jndi:ldap://x}",
    ];
    let author = maker.author();
    let long = "X".repeat(33 + maker.below(1_000));
    let unknown = format!("{}.", maker.cast().symbol);
    let (symbol, reason) = match turn % 14 {
        12 => (long.as_str(), Reason::Malformed),
        13 => (unknown.as_str(), Reason::UnknownSymbol),
        other => (ILL_FORMED[other], Reason::Malformed),
    };
    let body = maker.interest(&author).set("symbol", quoted(symbol)).text();
    maker.rejected(&author, body, reason)
}

pub(super) fn bad_side(maker: &mut Maker, turn: usize) -> Made {
    const SIDES: [&str; 14] = [
        "",
        "BUY",
        "Buy",
        "b",
        "1",
        "2",
        "buy ",
        " sell",
        "hold",
        "bid",
        "both",
        "buysell",
        "sell\\u0000",
        "null",
    ];
    let author = maker.author();
    let draft = maker
        .interest(&author)
        .set("side", quoted(SIDES[turn % SIDES.len()]));
    malformed(maker, &author, &draft)
}

/// Of wrong form, or right and never within 90 days of any run.
const TIMES: [&str; 34] = [
    "",
    " ",
    "now",
    "tomorrow",
    "0",
    "1796140800",
    "1796140800000",
    "1e18",
    "NaN",
    "2026-12-01",
    "2026-12-01T16:00:00",
    "2026-12-01T16:00:00+01:00",
    "2026-12-01T16:00:00-00:01",
    "2026-12-01T16:00:00+24:00",
    "2026-12-01 16:00:00Z",
    "20261201T160000Z",
    "2026-W49-2T16:00:00Z",
    "2026-12-01T16:00:00Z[UTC]",
    "2026-12-01T16:00:00,5Z",
    "2026-12-01T16:00:00.Z",
    "2026-12-01T16:00Z",
    "Tue, 01 Dec 2026 16:00:00 GMT",
    "2026-13-01T00:00:00Z",
    "2026-02-30T00:00:00Z",
    "2026-12-01T25:00:00Z",
    "2026-12-01T16:60:00Z",
    "1969-12-31T23:59:59Z",
    "1970-01-01T00:00:00Z",
    "2000-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "10000-01-01T00:00:00Z",
    "+292277026-12-04T15:30:08Z",
    "-0001-01-01T00:00:00Z",
    "\u{ff12}026-12-01T16:00:00Z",
];

pub(super) fn bad_time(maker: &mut Maker, turn: usize) -> Made {
    let author = maker.author();
    let time = quoted(TIMES[turn % TIMES.len()]);
    let body = maker.interest(&author).set("expireTime", time).text();
    maker.rejected(&author, body, Reason::BadExpireTime)
}

pub(super) fn unknown_field(maker: &mut Maker, turn: usize) -> Made {
    const NAMES: [&str; 14] = [
        "",
        " ",
        "sender",
        "SenderId",
        "owner",
        "onBehalfOf",
        "__proto__",
        "constructor",
        "$ref",
        "timeInForce",
        "clOrdIdx",
        "body",
        "sentAt",
        "messages",
    ];
    const VALUES: [&str; 8] = [
        "null",
        "true",
        "7",
        "1e400",
        "\"vqzxkwjy\"",
        "[]",
        "{\"a\":[{}]}",
        "-0.0",
    ];
    let author = maker.author();
    let name = quoted(NAMES[turn / 4 % NAMES.len()]);
    let value = maker.any(&VALUES);
    // A field of another type is unknown too.
    let draft = match turn % 4 {
        0 => maker.interest(&author).set("origClOrdId", quoted(MARK)),
        1 => maker.message(&author, 1).set("orderQty", quoted(GOOD_QTY)),
        2 => maker.message(&author, 2).set("symbol", quoted("BTCUSD")),
        _ => maker.message(&author, 3).set("ack", "true"),
    };
    let draft = if turn % 5 == 4 {
        draft
    } else {
        maker.message(&author, turn).push(name, value)
    };
    malformed(maker, &author, &draft)
}

pub(super) fn missing_field(maker: &mut Maker, turn: usize) -> Made {
    // The type of message, by its turn, and a field that it must have.
    const MISSING: [(usize, &str); 12] = [
        (0, "type"),
        (0, "symbol"),
        (0, "side"),
        (0, "orderQty"),
        (0, "price"),
        (1, "type"),
        (1, "origClOrdId"),
        (2, "type"),
        (2, "origClOrdId"),
        (2, "orderQty"),
        (3, "type"),
        (3, "origClOrdId"),
    ];
    let author = maker.author();
    let (of, field) = MISSING[turn % MISSING.len()];
    let draft = maker.message(&author, of).without(field);
    malformed(maker, &author, &draft)
}

pub(super) fn duplicate_field(maker: &mut Maker, turn: usize) -> Made {
    const FIELDS: [&str; 8] = [
        "type",
        "symbol",
        "side",
        "orderQty",
        "price",
        "minQty",
        "expireTime",
        "ack",
    ];
    const OTHER: [&str; 4] = ["\"sell\"", "\"2\"", "\"bundle\"", "null"];
    let author = maker.author();
    let field = FIELDS[turn % FIELDS.len()];
    let draft = with_all_fields(maker, &author);
    let same = draft.raw(field).unwrap_or("null").to_owned();
    let value = if maker.below(2) == 0 {
        same
    } else {
        maker.any(&OTHER).to_owned()
    };
    // The first letter as an escape: the same name all the same.
    let (first, rest) = field.split_at(1);
    let code = first.bytes().next().unwrap_or_default();
    let name = if maker.below(2) == 0 {
        quoted(field)
    } else {
        format!("\"\\u{code:04x}{rest}\"")
    };
    malformed(maker, &author, &draft.push(name, value))
}

pub(super) fn lone_surrogate(maker: &mut Maker, turn: usize) -> Made {
    const HALVES: [&str; 6] = [
        r"\ud800",
        r"\udc00",
        r"\ud800\ud800",
        r"\udbff\u0041",
        r"\uDFFF",
        r"\ud83d",
    ];
    let author = maker.author();
    let half = HALVES[turn / 6 % HALVES.len()];
    let draft = maker.interest(&author);
    if turn % 6 == 5 {
        let body = draft
            .set("clOrdId", quoted(&format!("{}{half}", author.id)))
            .text();
        return maker.set_aside(&author, body);
    }
    let field = ["symbol", "side", "orderQty", "expireTime", "x"][turn % 6];
    malformed(maker, &author, &draft.set(field, quoted(half)))
}

pub(super) fn escaped_control(maker: &mut Maker, turn: usize) -> Made {
    const CONTROLS: [&str; 10] = [
        r"\u0000", r"\u0001", r"\u001f", r"\n", r"\t", r"\b", r"\u007f", r"\u200b", r"\ufeff", r"\u2028",
    ];
    let author = maker.author();
    let control = CONTROLS[turn / 6 % CONTROLS.len()];
    let draft = maker.interest(&author);
    let (field, text, reason) = match turn % 6 {
        0 => ("symbol", format!("BTCUSD{control}"), Reason::Malformed),
        1 => ("side", format!("buy{control}"), Reason::Malformed),
        2 => ("orderQty", format!("1{control}"), Reason::BadQuantity),
        3 => ("price", format!("{control}1"), Reason::BadPrice),
        4 => ("type", format!("interest{control}"), Reason::Malformed),
        _ => {
            let body = draft
                .set("clOrdId", quoted(&format!("{}{control}", author.id)))
                .text();
            return maker.set_aside(&author, body);
        }
    };
    maker.rejected(&author, draft.set(field, quoted(&text)).text(), reason)
}

pub(super) fn unknown_type(maker: &mut Maker, turn: usize) -> Made {
    const TYPES: [&str; 14] = [
        "",
        " ",
        "Interest",
        "INTEREST",
        "interest ",
        " interest",
        "market",
        "order",
        "NewOrderSingle",
        "message",
        "respond",
        "interest\\u0000",
        "\u{456}nterest",
        "0",
    ];
    let author = maker.author();
    let tag = quoted(TYPES[turn % TYPES.len()]);
    let draft = maker.message(&author, turn / 14).set("type", tag);
    malformed(maker, &author, &draft)
}

/// These two types bear no `clOrdId`, so there is nothing to answer about.
pub(super) fn type_of_container(maker: &mut Maker, turn: usize) -> Made {
    let author = maker.author();
    let tag = ["\"bundle\"", "\"envelope\""][turn % 2];
    let body = maker.message(&author, turn / 2).set("type", tag).text();
    maker.set_aside(&author, body)
}
