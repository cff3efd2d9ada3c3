//! What holds for every text: it is parsed without a panic and in a time that grows as it does, and a message is known
//! again however it is spelt.

use std::time::Duration;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::*;
use crate::domain::limits::MAX_MESSAGE_BYTES;

/// Texts in which something of a message is left: its tokens in any order.
fn jsonish() -> impl Strategy<Value = String> {
    let token = prop_oneof![
        Just("{"),
        Just("}"),
        Just("["),
        Just("]"),
        Just(","),
        Just(":"),
        Just("\""),
        Just("\\"),
        Just("\\u"),
        Just("\\ud800"),
        Just(" "),
        Just("null"),
        Just("true"),
        Just("-"),
        Just("1e400"),
        Just("0.1"),
        Just("\u{0}"),
        Just("\"type\""),
        Just("\"bundle\""),
        Just("\"interest\""),
        Just("\"cancel\""),
        Just("\"envelope\""),
        Just("\"messages\""),
        Just("\"clOrdId\""),
        Just("\"A-1\""),
        Just("\"orderQty\""),
        Just("\"1\""),
        Just("\"expireTime\""),
        Just("\"2026-12-01T16:00:00Z\""),
        Just("\u{feff}"),
        Just("\u{1f600}"),
    ];
    vec(token, 0..40).prop_map(|tokens| tokens.concat())
}

/// Fields of any message, right and wrong ones, each there or not.
fn any_fields() -> impl Strategy<Value = Map<String, Value>> {
    let name = prop_oneof![
        Just("type"),
        Just("clOrdId"),
        Just("origClOrdId"),
        Just("symbol"),
        Just("side"),
        Just("orderQty"),
        Just("price"),
        Just("minQty"),
        Just("expireTime"),
        Just("ack"),
        Just("messages"),
        Just("x"),
    ];
    let value = prop_oneof![
        Just(json!(null)),
        Just(json!(7)),
        Just(json!(true)),
        Just(json!([])),
        Just(json!({"a": [1]})),
        Just(json!("interest")),
        Just(json!("replace")),
        Just(json!("bundle")),
        Just(json!("A-1")),
        Just(json!("buy")),
        Just(json!("BTCUSD")),
        Just(json!("1.5")),
        Just(json!("2026-12-01T16:00:00Z")),
        any::<String>().prop_map(Value::from),
    ];
    btree_map(name.prop_map(str::to_owned), value, 0..10).prop_map(|fields| fields.into_iter().collect())
}

/// A message that is taken.
fn any_message() -> impl Strategy<Value = Map<String, Value>> {
    let amount = || {
        (1_u64..1_000_000, 0_u32..6).prop_map(|(n, scale)| {
            Quantity::from_decimal(rust_decimal::Decimal::new(i64::try_from(n).unwrap(), scale))
                .unwrap()
                .to_string()
        })
    };
    let optional = (
        amount(),
        0..2_000_000_000_000_i64,
        any::<bool>(),
        any::<[bool; 3]>(),
    );
    let fields = (
        "[A-Za-z0-9._:-]{1,64}",
        "[A-Z]{1,32}",
        any::<bool>(),
        amount(),
        amount(),
        optional,
        0..4_usize,
    );
    fields.prop_map(|(id, symbol, buy, qty, price, (min, time, ack, there), kind)| {
        let original = format!("o{}", &id[1..]);
        let message = match kind {
            0 => json!({"type": "interest", "clOrdId": id, "symbol": symbol, "side": if buy { "buy" } else { "sell" },
                "orderQty": qty, "price": price}),
            1 => json!({"type": "replace", "clOrdId": id, "origClOrdId": original, "orderQty": qty, "price": price}),
            2 => json!({"type": "cancel", "clOrdId": id, "origClOrdId": original}),
            _ => json!({"type": "status", "clOrdId": id, "origClOrdId": original}),
        };
        let Value::Object(mut message) = message else { unreachable!("it is one") };
        let mut put = |name: &str, value: Value| message.insert(name.to_owned(), value);
        if kind < 2 && there[0] {
            put("minQty", min.into());
        }
        if kind < 2 && there[1] {
            put("expireTime", Timestamp::from_millis(time).to_rfc3339().into());
        }
        if kind == 0 && there[2] {
            put("ack", ack.into());
        }
        message
    })
}

/// How a text is spelt: which way round, with which blanks, and which characters as escapes.
#[derive(Debug, Clone)]
struct Spelling {
    reversed: bool,
    blank: &'static str,
    escaped: Vec<bool>,
    zeros: bool,
}

fn any_spelling() -> impl Strategy<Value = Spelling> {
    let blank = prop_oneof![Just(""), Just(" "), Just("\n\t"), Just("\r\n  ")];
    (any::<bool>(), blank, vec(any::<bool>(), 1..9), any::<bool>()).prop_map(
        |(reversed, blank, escaped, zeros)| Spelling {
            reversed,
            blank,
            escaped,
            zeros,
        },
    )
}

impl Spelling {
    fn string(&self, text: &str) -> String {
        let chars = text.chars().zip(self.escaped.iter().cycle());
        let spelt = chars.map(|(c, escaped)| match (u32::from(c), escaped) {
            (code @ 0..0xd800, true) => format!("\\u{code:04x}"),
            _ => serde_json::to_string(&c.to_string())
                .unwrap()
                .trim_matches('"')
                .replace('"', "\\\""),
        });
        format!("\"{}\"", spelt.collect::<String>())
    }

    fn value(&self, name: &str, value: &Value) -> String {
        match value {
            Value::String(text) if self.zeros && matches!(name, "orderQty" | "price" | "minQty") => {
                let point = if text.contains('.') { "" } else { "." };
                self.string(&format!("00{text}{point}00"))
            }
            Value::String(text) => self.string(text),
            other => other.to_string(),
        }
    }

    fn write(&self, message: &Map<String, Value>) -> String {
        let blank = self.blank;
        let field = |(name, value): (&String, &Value)| {
            format!(
                "{blank}{}{blank}:{blank}{}{blank}",
                self.string(name),
                self.value(name, value)
            )
        };
        let mut fields: Vec<String> = message.iter().map(field).collect();
        if self.reversed {
            fields.reverse();
        }
        format!("{blank}{{{}}}{blank}", fields.join(","))
    }
}

fn one(body: &str) -> Message {
    match parse_body(body).unwrap().as_slice() {
        [Member::Message(message)] => message.clone(),
        _ => panic!("not one message: {body}"),
    }
}

proptest! {
    #[test]
    fn any_text_is_parsed_without_a_panic(text in prop_oneof![any::<String>(), jsonish(), "\\PC{0,60}"]) {
        let _ = parse_body(&text);
        let _ = parse_body(&format!(r#"{{"type":"bundle","messages":[{text}]}}"#));
        let _ = parse_body(&format!(r#"{{"clOrdId":"A-1","type":{text}}}"#));
    }

    /// Bytes that are no UTF-8 never get here: SQS and Lambda hand over text. What becomes of them does.
    #[test]
    fn any_bytes_are_parsed_without_a_panic(bytes in vec(any::<u8>(), 0..200)) {
        let _ = parse_body(&String::from_utf8_lossy(&bytes));
        let latin: String = bytes.into_iter().map(char::from).collect();
        let _ = parse_body(&latin);
    }

    /// A message is answered exactly when it bears a readable id, whatever else is wrong with it.
    #[test]
    fn what_bears_an_id_is_answered(fields in any_fields()) {
        let text = Value::Object(fields.clone()).to_string();
        let container = matches!(fields.get("type").and_then(Value::as_str), Some("bundle" | "envelope"));
        let id = fields.get("clOrdId").and_then(Value::as_str).is_some_and(|id| ClOrdId::new(id).is_ok());
        if !container {
            prop_assert_eq!(parse_body(&text).is_ok(), id, "{}", text);
        }
    }

    #[test]
    fn a_message_is_the_same_however_it_is_spelt(message in any_message(), spelling in any_spelling()) {
        let plain = one(&Value::Object(message.clone()).to_string());
        prop_assert!(plain.request.is_ok());
        let spelt = spelling.write(&message);
        prop_assert!(one(&spelt) == plain, "{}", spelt);
        let bundle = format!(r#"{{"type":"bundle","messages":[{spelt},{spelt}]}}"#);
        let members = parse_body(&bundle).unwrap();
        prop_assert!(members == [Member::Message(plain.clone()), Member::Message(plain)], "{}", bundle);
    }

    #[test]
    fn a_refused_message_is_the_same_however_it_is_spelt(
        message in any_message(), more in any_fields(), spelling in any_spelling(),
    ) {
        let mut message = message;
        message.insert("unknown".to_owned(), Value::Object(more));
        let spelling = Spelling { zeros: false, ..spelling };
        let plain = one(&Value::Object(message.clone()).to_string());
        prop_assert!(plain.request == Err(Reason::Malformed));
        prop_assert!(one(&spelling.write(&message)) == plain);
    }

    #[test]
    fn another_message_has_another_hash(one_message in any_message(), other in any_message()) {
        let (first, second) = (one(&Value::Object(one_message).to_string()), one(&Value::Object(other).to_string()));
        let same = first.cl_ord_id == second.cl_ord_id && first.request == second.request;
        prop_assert_eq!(first.body_hash == second.body_hash, same);
    }
}

/// Texts of about `bytes` that are worth trying: each a place where a reader may start over, keep, or copy.
fn shapes(bytes: usize) -> Vec<(&'static str, String)> {
    let message = |value: String| format!(r#"{{"clOrdId":"A-1","type":"interest","x":{value}}}"#);
    let bundle = |members: String| format!(r#"{{"type":"bundle","messages":[{members}]}}"#);
    let list = |value: &str| vec![value; bytes / (value.len() + 1)].join(",");
    let deep = |open: &str, close: &str| {
        let levels = bytes / (open.len() + close.len());
        format!("{}0{}", open.repeat(levels), close.repeat(levels))
    };
    let names: Vec<String> = (0..bytes / 12).map(|n| format!("\"{:x}\":0", n * 7919)).collect();
    let around = |inner: String| format!("{}{inner}{}", "{\"\":".repeat(120), "}".repeat(120));
    vec![
        ("no JSON", "x".repeat(bytes)),
        ("blanks", " ".repeat(bytes)),
        ("open brackets", "[".repeat(bytes)),
        ("open objects", "{\"\":".repeat(bytes / 4)),
        ("deep arrays", message(deep("[", "]"))),
        ("deep objects", message(deep("{\"\":", "}"))),
        ("wide array", message(format!("[{}]", list("0")))),
        (
            "wide array of objects",
            message(format!("[{}]", list("{\"\":0}"))),
        ),
        ("many names", message(format!("{{{}}}", names.join(",")))),
        (
            "one name again and again",
            message(format!("{{{}}}", list("\"a\":0"))),
        ),
        (
            "many names, 120 levels down",
            message(around(format!("{{{}}}", names.join(",")))),
        ),
        (
            "a long name",
            format!(r#"{{"clOrdId":"A-1","{}":0}}"#, "x".repeat(bytes)),
        ),
        ("escapes", message(format!("\"{}\"", "\\u0001".repeat(bytes / 6)))),
        ("a long number", message("9".repeat(bytes))),
        (
            "a long decimal",
            format!(
                r#"{{"clOrdId":"A-1","type":"cancel","orderQty":"{}"}}"#,
                "9".repeat(bytes)
            ),
        ),
        (
            "a long time",
            format!(
                r#"{{"clOrdId":"A-1","type":"replace","origClOrdId":"A","orderQty":"1","expireTime":"{}"}}"#,
                "2".repeat(bytes)
            ),
        ),
        ("a bundle too long", bundle(list("0"))),
        (
            "500 members",
            bundle(
                vec![format!(r#"{{"clOrdId":"A","x":"{}"}}"#, "x".repeat(bytes / 500 - 30)); 500].join(","),
            ),
        ),
        (
            "half a bundle",
            bundle(list("{}")).trim_end_matches('}').to_owned(),
        ),
    ]
}

/// How often the short text is parsed for the long one, and how much shorter it is.
const PARTS: u32 = 16;

/// The shortest of a few times, of one parsing after the other: a busy machine makes both of them longer.
fn times_of(short: &str, long: &str) -> (Duration, Duration) {
    let time = |text: &str, times: u32| {
        let start = Instant::now();
        for _ in 0..times {
            let _ = parse_body(text);
        }
        start.elapsed()
    };
    let rounds = (0..3).map(|_| (time(short, PARTS), time(long, 1)));
    let shortest = |(a, b): (Duration, Duration), (c, d): (Duration, Duration)| (a.min(c), b.min(d));
    rounds.reduce(shortest).unwrap_or_default()
}

/// A text takes as long as its length in short ones does. Where work grew with its square, it would take sixteen times
/// as long.
#[test]
fn the_time_of_parsing_grows_as_the_text_does() {
    let (short, long) = (
        shapes(MAX_MESSAGE_BYTES / PARTS as usize),
        shapes(MAX_MESSAGE_BYTES),
    );
    for ((name, short), (_, long)) in short.iter().zip(&long) {
        let (parts, whole) = times_of(short, long);
        println!(
            "{name:<32} {PARTS} of {:>6} bytes {parts:>10.1?}   {:>8} bytes {whole:>10.1?}",
            short.len(),
            long.len()
        );
        assert!(
            whole < 5 * parts + Duration::from_millis(50),
            "{name}: {parts:?}, then {whole:?}"
        );
    }
}
