//! Names that are wrong: of fields, of messages, of orders.

use super::draft::{Draft, quoted};
use super::maker::{Author, Made, Maker};
use crate::domain::reason::Reason;

/// What no `clOrdId` may be; the texts are raw JSON.
const BAD_IDS: [&str; 20] = [
    "",
    " ",
    "a b",
    "a/b",
    "a\\\\b",
    "a\\\"b",
    "\u{e4}",
    "\u{1f600}",
    "a\\nb",
    "a\\u0000",
    "*",
    "#1",
    "a,b",
    "{}",
    "../../etc/passwd",
    "' OR 1=1--",
    "${jndi:ldap://x}",
    "<script>",
    "%s%n",
    "a;b",
];

fn with_id(author: &Author, draft: Draft, text: &str) -> String {
    // The author's own id in front, where the text alone would not be unlike anybody else's.
    let joined = if text.is_empty() {
        String::new()
    } else {
        format!("{}{text}", author.id)
    };
    draft.set("clOrdId", quoted(&joined)).text()
}

pub(super) fn missing_id(maker: &mut Maker, turn: usize) -> Made {
    let author = maker.author();
    let body = maker.message(&author, turn).without("clOrdId").text();
    maker.set_aside(&author, body)
}

pub(super) fn id_of_wrong_type(maker: &mut Maker, turn: usize) -> Made {
    const WRONG: [&str; 10] = [
        "7",
        "-1.5",
        "1e400",
        "null",
        "true",
        "[]",
        "{}",
        "[\"vqzxkwjy\"]",
        "{\"vqzxkwjy\":1}",
        "[[\"vqzxkwjy\"]]",
    ];
    let author = maker.author();
    let draft = maker.message(&author, turn / WRONG.len());
    maker.set_aside(&author, draft.set("clOrdId", WRONG[turn % WRONG.len()]).text())
}

pub(super) fn bad_id(maker: &mut Maker, turn: usize) -> Made {
    let author = maker.author();
    let draft = maker.message(&author, turn);
    let long = "x".repeat(65 + maker.below(1_000));
    let text = BAD_IDS.get(turn % (BAD_IDS.len() + 1)).copied().unwrap_or(&long);
    maker.set_aside(&author, with_id(&author, draft, text))
}

pub(super) fn duplicate_id(maker: &mut Maker, turn: usize) -> Made {
    let author = maker.author();
    let other = maker.id();
    let draft = maker.message(&author, turn / 3);
    let draft = match turn % 3 {
        0 => draft.push("\"clOrdId\"", quoted(&author.id)),
        1 => draft.push("\"clOrdId\"", quoted(&other)),
        _ => draft.push("\"\\u0063lOrdId\"", quoted(&other)),
    };
    maker.set_aside(&author, draft.text())
}

pub(super) fn bad_original(maker: &mut Maker, turn: usize) -> Made {
    let author = maker.author();
    let draft = maker.message(&author, 1 + turn % 3);
    let long = "x".repeat(65 + maker.below(1_000));
    let text = BAD_IDS
        .get(turn / 3 % (BAD_IDS.len() + 1))
        .copied()
        .unwrap_or(&long);
    let body = draft.set("origClOrdId", quoted(text)).text();
    maker.rejected(&author, body, Reason::Malformed)
}

pub(super) fn self_reference(maker: &mut Maker, turn: usize) -> Made {
    let author = maker.author();
    let draft = maker.message(&author, 1 + turn % 3);
    let body = draft.set("origClOrdId", quoted(&author.id)).text();
    maker.rejected(&author, body, Reason::UnknownOrder)
}

pub(super) fn key_case(maker: &mut Maker, turn: usize) -> Made {
    const IDS: [&str; 6] = ["ClOrdID", "ClOrdId", "clordid", "CLORDID", "cl_ord_id", "clOrdID"];
    const OTHERS: [(&str, &str); 6] = [
        ("type", "Type"),
        ("symbol", "SYMBOL"),
        ("side", "Side"),
        ("orderQty", "orderqty"),
        ("orderQty", "order_qty"),
        ("price", "Price"),
    ];
    let author = maker.author();
    if turn.is_multiple_of(2) {
        let draft = maker.message(&author, turn / 2);
        let body = draft.renamed("clOrdId", quoted(IDS[turn / 2 % IDS.len()])).text();
        return maker.set_aside(&author, body);
    }
    let (right, wrong) = OTHERS[turn / 2 % OTHERS.len()];
    let body = maker.interest(&author).renamed(right, quoted(wrong)).text();
    maker.rejected(&author, body, Reason::Malformed)
}

pub(super) fn homoglyph(maker: &mut Maker, turn: usize) -> Made {
    let author = maker.author();
    let draft = maker.interest(&author);
    let rejected = |draft: Draft, reason| maker.rejected(&author, draft.text(), reason);
    match turn % 9 {
        // Cyrillic letters.
        0 => rejected(draft.set("symbol", "\"\u{412}\u{422}CUSD\""), Reason::Malformed),
        1 => rejected(draft.set("side", "\"bu\u{443}\""), Reason::Malformed),
        2 => rejected(draft.renamed("price", "\"\u{440}rice\""), Reason::Malformed),
        3 => maker.set_aside(&author, draft.renamed("clOrdId", "\"\u{441}lOrdId\"").text()),
        4 => maker.set_aside(&author, with_id(&author, draft, "-\u{410}")),
        // Full-width digits, a middle dot, an Arabic decimal separator.
        5 => rejected(draft.set("orderQty", "\"\u{ff13}1\""), Reason::BadQuantity),
        6 => rejected(draft.set("price", "\"2718\u{b7}28\""), Reason::BadPrice),
        7 => rejected(draft.set("minQty", "\"1\u{66b}5\""), Reason::BadMinQty),
        // Turned round by an override, as a reader would see it.
        _ => rejected(draft.set("side", "\"\u{202e}yub\""), Reason::Malformed),
    }
}

pub(super) fn utf8_lookalike(maker: &mut Maker, turn: usize) -> Made {
    const TEXTS: [&str; 10] = [
        "\u{fffd}",
        "\u{fffd}\u{fffd}",
        "\u{c3}\u{a9}",
        "\u{c2}",
        "\u{c0}\u{80}",
        "\u{ed}\u{a0}\u{80}",
        "%C0%80",
        "\u{ffff}",
        "\u{10ffff}",
        "&#233;",
    ];
    let author = maker.author();
    let text = TEXTS[turn / 3 % TEXTS.len()];
    let draft = maker.interest(&author);
    match turn % 3 {
        0 => maker.set_aside(&author, with_id(&author, draft, text)),
        1 => maker.rejected(
            &author,
            draft.set("symbol", quoted(text)).text(),
            Reason::Malformed,
        ),
        _ => maker.rejected(&author, draft.set("price", quoted(text)).text(), Reason::BadPrice),
    }
}
