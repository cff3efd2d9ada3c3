//! Texts that are no JSON, or no object; and good ones that only look as if they were not.

use super::draft::quoted;
use super::maker::{Made, Maker};
use super::{GOOD_QTY, MARK};

/// An ASCII text with an escape for each character.
fn escaped(text: &str) -> String {
    text.bytes()
        .fold(String::new(), |all, byte| format!("{all}\\u{byte:04x}"))
}

/// A good interest whose JSON is spelt otherwise than anybody would.
pub(super) fn oddly_spelt(maker: &mut Maker, turn: usize) -> Made {
    let author = maker.author();
    let plain = maker.interest(&author);
    let body = match turn % 8 {
        0 => plain.spaced(1 + turn / 8),
        1 => plain.reversed().text(),
        2 => plain.set("clOrdId", quoted(&escaped(&author.id))).text(),
        3 => plain.renamed("side", quoted(&escaped("side"))).text(),
        4 => plain.set("orderQty", quoted(&format!("000{GOOD_QTY}00"))).text(),
        5 => plain.set("price", "\"002718.2800000000000000000000\"").text(),
        6 => plain.set("ack", "false").text(),
        _ => plain.set("minQty", "\"0.00000001\"").reversed().spaced(turn / 8),
    };
    let end = maker.good_end(&author);
    maker.sent(&author, body, vec![end])
}

pub(super) fn truncated(maker: &mut Maker, turn: usize) -> Made {
    let author = maker.author();
    let mut text = maker
        .message(&author, turn)
        .set("x", "[1,{\"y\":\"\\u0041\"}]")
        .text();
    if turn % 5 == 4 {
        text = format!(r#"{{"type":"bundle","messages":[{text},{text}]}}"#);
    }
    let cut = 1 + maker.below(text.len() - 1);
    text.truncate(cut);
    maker.set_aside(&author, text)
}

pub(super) fn trailing_text(maker: &mut Maker, turn: usize) -> Made {
    const BEHIND: [&str; 14] = [
        "}", "{}", "x", ",", "null", "]", "//", "\u{0}", "\u{feff}", "\u{a0}", "\"", "\\", "0", "[",
    ];
    let author = maker.author();
    let message = maker.message(&author, turn).text();
    let behind = if turn % 15 == 14 {
        message.as_str()
    } else {
        BEHIND[turn % 15 % BEHIND.len()]
    };
    maker.set_aside(&author, format!("{message}{behind}"))
}

pub(super) fn empty_body(maker: &mut Maker, turn: usize) -> Made {
    const EMPTY: [&str; 8] = ["", " ", "\n", "\t\r\n ", "{}", " { } ", "\u{a0}", "\u{0}"];
    let author = maker.author();
    maker.set_aside(&author, EMPTY[turn % EMPTY.len()].to_owned())
}

pub(super) fn top_level_scalar(maker: &mut Maker, turn: usize) -> Made {
    const SCALARS: [&str; 12] = [
        "null", "true", "false", "0", "-0", "7", "1.5", "1e2", "1e400", "\"\"", "\"{}\"", "-1e-400",
    ];
    let author = maker.author();
    let body = if turn % 13 == 12 {
        quoted(&maker.message(&author, turn).text().replace('"', "\\\""))
    } else {
        SCALARS[turn % 13 % SCALARS.len()].to_owned()
    };
    maker.set_aside(&author, body)
}

pub(super) fn top_level_array(maker: &mut Maker, turn: usize) -> Made {
    let author = maker.author();
    let message = maker.message(&author, turn / 7).text();
    let (id, symbol) = (&author.id, &maker.cast().symbol);
    let body = match turn % 7 {
        0 => "[]".to_owned(),
        1 => "[[]]".to_owned(),
        2 => format!("[{message}]"),
        3 => format!("[{message},{message}]"),
        // A reader that takes fields by their place would take these.
        4 => format!(r#"["{id}"]"#),
        5 => format!(r#"["interest","{id}","{symbol}","buy","1","1",null,null,true]"#),
        _ => format!(r#"["bundle",[{message}]]"#),
    };
    maker.set_aside(&author, body)
}

pub(super) fn not_json(maker: &mut Maker, turn: usize) -> Made {
    let author = maker.author();
    let id = &author.id;
    let body = match turn % 14 {
        0 => format!("not json {id}"),
        1 => format!("<interest clOrdId='{id}'/>"),
        2 => format!("8=FIX.4.4|35=D|11={id}|54=1|38=1|44=1|10=000|"),
        3 => format!("type=interest&clOrdId={id}&side=buy"),
        4 => format!("type: interest\nclOrdId: {id}\n"),
        5 => format!("{{'type':'interest','clOrdId':'{id}'}}"),
        6 => format!("{{type:\"interest\",clOrdId:\"{id}\"}}"),
        7 => format!("{{\"type\":\"interest\",\"clOrdId\":\"{id}\",}}"),
        8 => format!("{{\"type\":\"interest\",/* {id} */\"clOrdId\":\"{id}\"}}"),
        9 => format!("{{\"type\":\"interest\" \"clOrdId\":\"{id}\"}}"),
        10 => format!("{{\"type\"=\"interest\",\"clOrdId\"=\"{id}\"}}"),
        11 => format!("{{{{\"clOrdId\":\"{id}\"}}}}"),
        12 => format!("callback({{\"clOrdId\":\"{id}\"}})"),
        _ => format!("PK\u{3}\u{4}{MARK}\u{0}\u{fffd}\u{fffd}"),
    };
    maker.set_aside(&author, body)
}

pub(super) fn not_a_number(maker: &mut Maker, turn: usize) -> Made {
    const NUMBERS: [&str; 24] = [
        "NaN",
        "Infinity",
        "-Infinity",
        "nan",
        "inf",
        "+1",
        "01",
        "-01",
        "00",
        ".5",
        "-.5",
        "1.",
        "1.e2",
        "1e",
        "1e+",
        "0x10",
        "1_000",
        "1,5",
        "--1",
        "1f",
        "1.5d",
        "\u{ff11}",
        "\u{221e}",
        "undefined",
    ];
    let author = maker.author();
    let field = maker.any(&["orderQty", "price", "minQty", "x"]);
    let number = NUMBERS[turn % NUMBERS.len()];
    let body = maker.interest(&author).set(field, number).text();
    maker.set_aside(&author, body)
}

pub(super) fn broken_escape(maker: &mut Maker, turn: usize) -> Made {
    const ESCAPES: [&str; 12] = [
        r"\x41", r"\u12", r"\u", r"\u{41}", r"\uD8G0", r"\'", r"\U0041", r"\0", r"\a", r"\ ", r"\u 041",
        r"\u-041",
    ];
    let author = maker.author();
    let escape = ESCAPES[turn % ESCAPES.len()];
    let plain = maker.interest(&author);
    let body = match maker.below(5) {
        0 => plain.set("clOrdId", quoted(&format!("{}{escape}", author.id))),
        1 => plain.set("symbol", quoted(escape)),
        2 => plain.push(quoted(escape), "1"),
        3 => plain.set("orderQty", quoted(&format!("1{escape}"))),
        // The quote that should end the string is escaped.
        _ => plain.push("\"x\"", "\"\\\""),
    };
    maker.set_aside(&author, body.text())
}

pub(super) fn raw_control(maker: &mut Maker, turn: usize) -> Made {
    let author = maker.author();
    let control = char::from(u8::try_from(turn % 32).unwrap_or_default());
    let plain = maker.interest(&author);
    let body = match maker.below(4) {
        0 => plain.set("clOrdId", quoted(&format!("{}{control}", author.id))),
        1 => plain.set("symbol", quoted(&format!("BTC{control}USD"))),
        2 => plain.push(quoted(&control.to_string()), "1"),
        _ => plain.set("price", quoted(&format!("{control}1"))),
    };
    maker.set_aside(&author, body.text())
}

pub(super) fn invisible_between_tokens(maker: &mut Maker, turn: usize) -> Made {
    const INVISIBLE: [char; 12] = [
        '\u{feff}', '\u{fffe}', '\u{200b}', '\u{2028}', '\u{a0}', '\u{b}', '\u{c}', '\u{85}', '\u{0}',
        '\u{2060}', '\u{3000}', '\u{1680}',
    ];
    let author = maker.author();
    let invisible = INVISIBLE[turn % INVISIBLE.len()];
    let text = maker.message(&author, turn).text();
    let body = match maker.below(4) {
        0 => format!("{invisible}{text}"),
        1 => format!("{text}{invisible}"),
        2 => text.replacen(',', &format!("{invisible},"), 1),
        _ => text.replacen(':', &format!(":{invisible}"), 1),
    };
    maker.set_aside(&author, body)
}
