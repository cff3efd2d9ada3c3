//! How a message looks: a row for people, its own JSON for machines.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::print::Printer;

pub(super) fn titles(printer: &Printer) -> String {
    format!("{}\n", printer.strong(&row("type", "clOrdId", "what")))
}

fn row(kind: &str, id: &str, what: &str) -> String {
    format!("{kind:<13}  {id:<15}  {what}")
}

/// One message, with the end of its last line.
pub(super) fn message(body: &str, parsed: Option<&Value>, printer: &Printer) -> String {
    match (parsed, printer.is_json()) {
        (Some(_), true) if !body.contains(['\n', '\r']) => format!("{body}\n"),
        (Some(value), true) => format!("{value}\n"),
        (None, true) => format!("{}\n", json!({ "unreadable": body })),
        (Some(value), false) => for_people(value, printer),
        (None, false) => format!("{}\n", row("unreadable", "", &printable(body))),
    }
}

/// Text of somebody else's, without what a terminal would obey.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            }
        })
        .collect()
}

fn for_people(value: &Value, printer: &Printer) -> String {
    let text = |field: &str| printable(value[field].as_str().unwrap_or_default());
    let kind = text("type");
    let good = !["rejected", "cancelPending"].contains(&kind.as_str());
    // Padded before it is coloured: colours have no width.
    let shown = printer.mood(&format!("{kind:<13}"), good);
    let mut lines = format!("{shown}  {:<15}  {}\n", text("clOrdId"), what(&kind, &text));
    let mut also = |name: &str, value: &str| {
        if !value.is_empty() {
            // A text takes whatever is written to it.
            let _ = writeln!(lines, "  {name:<10}  {value}");
        }
    };
    if kind == "match" {
        also("after it", &after(&text));
    }
    also("token", &text("token"));
    also("commitment", &text("commitment"));
    for token in value["tokens"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
    {
        also("token", &printable(token));
    }
    lines
}

/// How an order stands after a match.
fn after(text: &dyn Fn(&str) -> String) -> String {
    let cut = match text("cxlQty").as_str() {
        "" | "0" => String::new(),
        cut => format!(", {cut} cancelled"),
    };
    format!("{} done, {} left{cut}", text("cumQty"), text("leavesQty"))
}

fn what(kind: &str, text: &dyn Fn(&str) -> String) -> String {
    let left = || format!("{} done, {} left", text("cumQty"), text("leavesQty"));
    match kind {
        "match" => {
            let verb = if text("side") == "buy" { "bought" } else { "sold" };
            format!(
                "{verb} {} {} at {} {}",
                text("lastQty"),
                text("symbol"),
                text("lastPx"),
                text("currency")
            )
        }
        "accepted" => format!("{} left", text("leavesQty")),
        "cancelled" => format!(
            "{}: {} done, {} cancelled",
            text("origClOrdId"),
            text("cumQty"),
            text("cxlQty")
        ),
        "cancelPending" => format!("{} has not come yet; it will be cancelled", text("origClOrdId")),
        "replaced" => format!("in place of {}: {}", text("origClOrdId"), left()),
        "status" => format!(
            "{} is {}: {}",
            text("origClOrdId"),
            text("ordStatus").replace('_', " "),
            left()
        ),
        "rejected" => text("reason"),
        // Types that a later version sends.
        _ => text("text"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::Output;

    fn shown(value: &Value, output: Output) -> String {
        let printer = Printer::to(Box::new(std::io::sink()), output);
        message(&value.to_string(), Some(value), &printer)
    }

    #[test]
    fn every_type_of_the_contract_is_a_row_of_at_most_eighty_columns() {
        let token = "a".repeat(52);
        for (value, expected) in [
            (
                json!({"type":"match","messageId":"m","clOrdId":"A-1","token":token,"commitment":"0".repeat(64),
                    "symbol":"BTCUSD","side":"buy","currency":"USD","lastQty":"0.50","lastPx":"236.47",
                    "cumQty":"0.50","leavesQty":"0.75","cxlQty":"0"}),
                "bought 0.50 BTCUSD at 236.47 USD\n  after it    0.50 done, 0.75 left\n",
            ),
            (
                json!({"type":"accepted","clOrdId":"A-1","leavesQty":"1.25"}),
                "1.25 left",
            ),
            (
                json!({"type":"cancelled","clOrdId":"A-2","origClOrdId":"A-1","cumQty":"0.5","cxlQty":"0.75"}),
                "A-1: 0.5 done, 0.75 cancelled",
            ),
            (
                json!({"type":"cancelPending","clOrdId":"A-2","origClOrdId":"A-1"}),
                "A-1 has not come yet; it will be cancelled",
            ),
            (
                json!({"type":"replaced","clOrdId":"A-3","origClOrdId":"A-1","cumQty":"0.5","leavesQty":"0.25"}),
                "in place of A-1: 0.5 done, 0.25 left",
            ),
            (
                json!({"type":"status","clOrdId":"A-4","origClOrdId":"A-1","ordStatus":"partially_filled",
                    "cumQty":"0.5","leavesQty":"0.75","tokens":[token]}),
                "A-1 is partially filled: 0.5 done, 0.75 left\n  token       aaa",
            ),
            (
                json!({"type":"rejected","clOrdId":"A-9","reason":"off_tick"}),
                "off_tick",
            ),
            (json!({"type":"message","token":token,"text":"hello"}), "hello"),
            (json!({"type":"something","clOrdId":"A-1"}), "something"),
        ] {
            let text = shown(&value, Output::Table);
            assert!(text.contains(expected), "{text}");
            assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        }
    }

    #[test]
    fn machines_get_the_message_as_it_is() {
        let value = json!({"type":"accepted","clOrdId":"A-1","leavesQty":"1"});
        assert_eq!(shown(&value, Output::Json), format!("{value}\n"));
        let printer = Printer::to(Box::new(std::io::sink()), Output::Json);
        assert_eq!(
            message("no JSON\n", None, &printer),
            "{\"unreadable\":\"no JSON\\n\"}\n"
        );
        assert_eq!(
            message("{\n\"a\":1}", Some(&json!({"a":1})), &printer),
            "{\"a\":1}\n"
        );
    }

    #[test]
    fn a_terminal_obeys_nothing_of_it() {
        let text = shown(&json!({"type":"message","text":"\u{1b}[2J\u{7}x"}), Output::Table);
        assert!(
            !text.contains(['\u{1b}', '\u{7}']) && text.contains('x'),
            "{text:?}"
        );
    }
}
