use super::*;

fn input(text: &str, ending: &str) -> Input {
    Input {
        bytes: text.as_bytes().to_vec(),
        name: "f".to_owned(),
        ending: ending.to_owned(),
    }
}

fn read_as(text: &str, ending: &str) -> Result<Vec<Line>, String> {
    read(&input(text, ending), None).map_err(|failure| failure.render(crate::arguments::Output::Table))
}

const GOOD: &str =
    r#"{"type":"interest","clOrdId":"A-1","symbol":"BTCUSD","side":"buy","orderQty":"1","price":"2"}"#;

#[test]
fn json_lines_go_out_as_they_came() {
    let text = format!("\u{feff}{GOOD}\r\n\n  {}  \n", GOOD.replace("A-1", "A-2"));
    let lines = read_as(&text, "").unwrap();
    assert_eq!(lines.iter().map(|line| line.number).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(lines[0].body, GOOD);
}

#[test]
fn csv_becomes_the_contracts_objects() {
    let text = "type,clOrdId,symbol,side,orderQty,price,minQty,ack,origClOrdId\n\
                interest,A-1,BTCUSD,buy,1,2,,true,\n\
                cancel,A-2,,,,,,,A-1\n\
                ,A-3,BTCUSD, sell ,1,\"2\",0.5,false,\n";
    let lines = read_as(text, "csv").unwrap();
    assert_eq!(
        lines
            .iter()
            .map(|line| serde_json::from_str::<Value>(&line.body).unwrap())
            .collect::<Vec<_>>(),
        [
            serde_json::json!({"type":"interest","clOrdId":"A-1","symbol":"BTCUSD","side":"buy","orderQty":"1",
                "price":"2","ack":true}),
            serde_json::json!({"type":"cancel","clOrdId":"A-2","origClOrdId":"A-1"}),
            serde_json::json!({"type":"interest","clOrdId":"A-3","symbol":"BTCUSD","side":"sell","orderQty":"1",
                "price":"2","minQty":"0.5","ack":false}),
        ]
    );
    // Guessed by its first character, too.
    assert_eq!(read_as(text, "").unwrap(), lines);
}

#[test]
fn every_fault_is_listed_with_its_line() {
    let bad = [
        ("", "line 1: malformed: it is no JSON"),
        ("[1]", "malformed: it is JSON, but no object"),
        (r#"{"type":"interest"}"#, "malformed: it needs a clOrdId"),
        (
            &GOOD.replace("\"1\"", "1"),
            "orderQty must be a string: a JSON number is not exact",
        ),
        (
            &GOOD.replace("\"2\"", "\"0\""),
            "bad_price: price is no decimal above zero",
        ),
        (
            &GOOD.replace("\"1\"", "\"-1\""),
            "bad_quantity: orderQty is no decimal",
        ),
        (&GOOD.replace("BTCUSD", "btcusd"), "symbol must be 1 to 32 of"),
        (&GOOD.replace("buy", "hold"), "side must be buy or sell"),
        (
            &GOOD.replace("\"side\":\"buy\",", ""),
            "malformed: side is missing",
        ),
        (&GOOD.replace("side", "sides"), "malformed: side is missing"),
        (
            &GOOD.replace('}', ",\"more\":\"x\"}"),
            "a field that no message has",
        ),
        (
            &GOOD.replace('}', ",\"origClOrdId\":\"x\"}"),
            "origClOrdId is no field of a message of type interest",
        ),
        (
            &GOOD.replace("interest", "order"),
            "type must be interest, cancel, replace or status",
        ),
        (
            &GOOD.replace('}', ",\"ack\":\"true\"}"),
            "ack must be true or false, without quotes",
        ),
        (
            &GOOD.replace('}', ",\"price\":\"3\"}"),
            "malformed: a field stands twice",
        ),
        (&GOOD.replace('}', ",\"minQty\":\"x\"}"), "bad_min_qty"),
        (
            &GOOD.replace('}', ",\"expireTime\":\"tomorrow\"}"),
            "bad_expire_time",
        ),
        (
            &format!(r#"{{"type":"bundle","messages":[{GOOD}]}}"#),
            "--bundle makes bundles",
        ),
        (
            &format!(r#"{{"type":"\u0062undle","messages":[{GOOD}]}}"#),
            "--bundle makes bundles",
        ),
        (r#"{"type":"envelope","clOrdId":"x"}"#, "--bundle makes bundles"),
    ];
    for (text, expected) in bad {
        let text = if text.is_empty() { "{" } else { text };
        let refused = read_as(text, "jsonl").unwrap_err();
        assert!(refused.contains(expected), "{text}: {refused}");
        assert!(
            refused.contains("1 line is wrong in f; nothing was sent"),
            "{refused}"
        );
        assert!(
            !refused.contains("BTCUSD"),
            "what a line holds is not repeated: {refused}"
        );
    }
    let all: Vec<String> = (1..=3).map(|n| format!("{GOOD}\n{{{n}")).collect();
    let refused = read_as(&all.join("\n"), "jsonl").unwrap_err();
    for line in ["line 2: ", "line 4: ", "line 6: ", "3 lines are wrong"] {
        assert!(refused.contains(line), "{refused}");
    }
}

#[test]
fn faults_of_csv_bear_the_line_of_the_file() {
    let text =
        "clOrdId,symbol,side,orderQty,price\nA-1,BTCUSD,buy,1,2\nA-2,BTCUSD,buy,1\nA-3,BTCUSD,buy,x,2\n";
    let refused = read_as(text, "csv").unwrap_err();
    assert!(
        refused.contains("line 3: it has 4 cells, the header 5"),
        "{refused}"
    );
    assert!(refused.contains("line 4: bad_quantity"), "{refused}");
    let refused = read_as("clOrdId,Symbol\nA,B\n", "csv").unwrap_err();
    assert!(
        refused.contains("a column that no message has: \"Symbol\""),
        "{refused}"
    );
}

#[test]
fn one_id_is_one_message() {
    let again = GOOD.replace("\"2\"", "\"2.0\"");
    assert_eq!(read_as(&format!("{GOOD}\n{again}"), "jsonl").unwrap().len(), 2);
    let other = GOOD.replace("\"2\"", "\"3\"");
    let refused = read_as(&format!("{GOOD}\n{other}"), "jsonl").unwrap_err();
    assert!(
        refused.contains("line 2: duplicate_cl_ord_id: line 1 uses the same clOrdId"),
        "{refused}"
    );
}

#[test]
fn what_is_no_text_is_refused_whole() {
    let mut bytes = GOOD.as_bytes().to_vec();
    bytes.extend_from_slice(b"\n\xff\n");
    let input = Input {
        bytes,
        ..input("", "jsonl")
    };
    let refused = read(&input, None)
        .unwrap_err()
        .render(crate::arguments::Output::Table);
    assert!(refused.contains("not UTF-8, from line 2 on"), "{refused}");
}
