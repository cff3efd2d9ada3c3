use super::*;

const INTEREST: &str = r#"{"type":"interest","clOrdId":"A-1","symbol":"BTCUSD","side":"buy","orderQty":"1.25","price":"236.47","minQty":"0.10","expireTime":"2026-12-01T16:00:00Z","ack":true}"#;

fn only(body: &str) -> Message {
    match parse_body(body).unwrap().remove(0) {
        Member::Message(message) => message,
        Member::Unreadable(_) => panic!("unreadable"),
    }
}

fn refused(body: &str) -> Reason {
    only(body).request.unwrap_err()
}

#[test]
fn the_contract_examples_are_taken() {
    let Ok(Request::Interest(interest)) = only(INTEREST).request else {
        panic!()
    };
    assert_eq!((interest.side, interest.ack), (Side::Buy, true));
    assert_eq!(interest.min_qty.unwrap().to_string(), "0.1");
    for body in [
        r#"{"type":"cancel","clOrdId":"A-2","origClOrdId":"A-1"}"#,
        r#"{"type":"replace","clOrdId":"A-3","origClOrdId":"A-1","orderQty":"0.75","price":"236.50"}"#,
        r#"{"type":"status","clOrdId":"A-4","origClOrdId":"A-1"}"#,
    ] {
        assert_eq!(only(body).request.unwrap().original().unwrap().as_str(), "A-1");
    }
}

#[test]
fn each_field_has_its_reason() {
    for (from, to, reason) in [
        (r#""1.25""#, r#""-1.25""#, Reason::BadQuantity),
        (r#""1.25""#, r#""0""#, Reason::BadQuantity),
        (r#""1.25""#, "1.25", Reason::Malformed),
        (r#""236.47""#, r#""1e3""#, Reason::BadPrice),
        (r#""236.47""#, r#""NaN""#, Reason::BadPrice),
        (r#""0.10""#, r#""0.0""#, Reason::BadMinQty),
        (r#""0.10""#, "null", Reason::Malformed),
        ("2026-12-01T16:00:00Z", "tomorrow", Reason::BadExpireTime),
        ("BTCUSD", "btcusd", Reason::Malformed),
        (r#""buy""#, r#""hold""#, Reason::Malformed),
        (r#""buy""#, r#"{"buy":null}"#, Reason::Malformed),
        (r#""ack":true"#, r#""ack":"yes""#, Reason::Malformed),
        (r#""ack":true"#, r#""sender":"me""#, Reason::Malformed),
        (r#""ack":true"#, r#""side":"sell""#, Reason::Malformed),
        (r#""ack":true"#, r#""x":1e400"#, Reason::Malformed),
        ("interest", "market", Reason::Malformed),
    ] {
        assert!(INTEREST.contains(from));
        assert_eq!(refused(&INTEREST.replacen(from, to, 1)), reason, "{from} -> {to}");
    }
}

#[test]
fn without_a_readable_id_the_body_is_set_aside() {
    for body in [
        "",
        "null",
        "[]",
        r#"["x-1"]"#,
        r#" [{"clOrdId":"x-1"}]"#,
        "{",
        "\u{feff}{}",
        r#"{"type":"interest"}"#,
        r#"{"clOrdId":7}"#,
        r#"{"clOrdId":""}"#,
        r#"{"clOrdId":"a","clOrdId":"a"}"#,
        r#"{"clOrdId":"a b"}"#,
        r#"{"clOrdId":"\ud800"}"#,
        r#"{"type":"envelope","v":1,"body":"{}","clOrdId":"A-1"}"#,
    ] {
        assert_eq!(parse_body(body).unwrap_err(), Reason::Malformed, "{body}");
    }
    assert_eq!(
        parse_body(&format!(r#"{{"clOrdId":"{}"}}"#, "a".repeat(65))).unwrap_err(),
        Reason::Malformed
    );
}

#[test]
fn a_bundle_is_taken_member_by_member() {
    let body =
        format!(r#"{{"type":"bundle","messages":[{INTEREST},{{"x":1e400}},{{"clOrdId":"B","type":7}},7]}}"#);
    let members = parse_body(&body).unwrap();
    assert_eq!(members.len(), 4);
    assert_eq!(members[0], Member::Message(only(INTEREST)));
    assert_eq!(members[1], Member::Unreadable(r#"{"x":1e400}"#.to_owned()));
    assert!(matches!(&members[2], Member::Message(m) if m.request == Err(Reason::Malformed)));
    assert_eq!(members[3], Member::Unreadable("7".to_owned()));
}

/// A derived reader takes the fields' values in an array too: such a member is no bundle, only unreadable.
#[test]
fn a_member_that_is_an_array_fails_alone() {
    for member in [r#"["bundle"]"#, r#"["envelope"]"#, r#" ["bundle", []] "#] {
        let members = parse_body(&format!(
            r#"{{"type":"bundle","messages":[{INTEREST},{member}]}}"#
        ))
        .unwrap();
        assert_eq!(members[0], Member::Message(only(INTEREST)), "{member}");
        assert_eq!(
            members[1],
            Member::Unreadable(member.trim().to_owned()),
            "{member}"
        );
    }
}

/// Every field that one type has and another has not, and every one that it must have.
#[test]
fn each_type_has_its_own_fields() {
    let bodies = [
        (INTEREST, r#""origClOrdId":"A-0""#, "symbol side orderQty price"),
        (
            r#"{"type":"replace","clOrdId":"A-3","origClOrdId":"A-1","orderQty":"0.75","price":"1","minQty":"0.5","expireTime":"2026-12-01T16:00:00Z"}"#,
            r#""symbol":"BTCUSD" "side":"buy" "ack":true"#,
            "origClOrdId orderQty",
        ),
        (
            r#"{"type":"cancel","clOrdId":"A-2","origClOrdId":"A-1"}"#,
            r#""symbol":"BTCUSD" "side":"buy" "ack":true "orderQty":"1" "price":"1" "minQty":"1" "expireTime":"2026-12-01T16:00:00Z""#,
            "origClOrdId",
        ),
        (
            r#"{"type":"status","clOrdId":"A-2","origClOrdId":"A-1"}"#,
            r#""symbol":"BTCUSD" "side":"buy" "ack":true "orderQty":"1" "price":"1" "minQty":"1" "expireTime":"2026-12-01T16:00:00Z""#,
            "origClOrdId",
        ),
    ];
    for (body, foreign, required) in bodies {
        assert!(only(body).request.is_ok(), "{body}");
        for field in foreign.split(' ') {
            let more = body.replacen('}', &format!(",{field}}}"), 1);
            assert_eq!(refused(&more), Reason::Malformed, "{more}");
        }
        for name in required.split(' ') {
            let mut fields: serde_json::Map<String, serde_json::Value> = serde_json::from_str(body).unwrap();
            // What is missing is seen first, whatever else is wrong.
            fields.entry("orderQty").and_modify(|qty| *qty = "-1".into());
            fields.remove(name);
            let less = serde_json::to_string(&fields).unwrap();
            assert_eq!(refused(&less), Reason::Malformed, "{less}");
        }
    }
}

#[test]
fn bundles_that_are_malformed_as_a_whole() {
    let bundle = |members: &str| format!(r#"{{"type":"bundle","messages":[{members}]}}"#);
    let nested = bundle(&format!("{INTEREST},{}", bundle(INTEREST)));
    let long = bundle(&vec!["7"; MAX_BUNDLE_MESSAGES + 1].join(","));
    for body in [
        bundle(""),
        nested,
        long,
        bundle(INTEREST).replace("]}", r#"],"clOrdId":"A"}"#),
    ] {
        assert_eq!(parse_body(&body).unwrap_err(), Reason::Malformed);
    }
    assert_eq!(
        parse_body(&bundle(&vec!["7"; MAX_BUNDLE_MESSAGES].join(",")))
            .unwrap()
            .len(),
        MAX_BUNDLE_MESSAGES
    );
}

#[test]
fn the_hash_sees_the_meaning_and_not_the_spelling() {
    let hash = |body: &str| only(body).body_hash;
    let respelled = r#" {"ack":true,"expireTime":"2026-12-01T16:00:00.000+00:00","minQty":"0.1","price":"236.470","orderQty":"01.25","side":"buy","symbol":"BTCUSD","clOrdId":"A-1","type":"interest"} "#;
    assert_eq!(hash(INTEREST), hash(respelled));
    assert_ne!(hash(INTEREST), hash(&INTEREST.replace("true", "false")));
    assert_ne!(hash(INTEREST), hash(&INTEREST.replace("1.25", "1.26")));
    assert_ne!(hash(INTEREST), hash(&INTEREST.replace(r#""minQty":"0.10","#, "")));
    let refused = r#"{"clOrdId":"A-1","type":"x","a":[1, {"b":2,"c":3}]}"#;
    assert_eq!(
        hash(refused),
        hash(r#"{"a":[1,{"c":3,"b":2}],"type":"x","clOrdId":"A-1"}"#)
    );
    assert_ne!(
        hash(refused),
        hash(r#"{"a":[1,{"c":3,"b":4}],"type":"x","clOrdId":"A-1"}"#)
    );
}

#[test]
fn hostile_nesting_neither_overflows_nor_crawls() {
    let deep = format!(
        r#"{{"clOrdId":"A-1","type":"interest","x":{}{}}}"#,
        "[".repeat(400_000),
        "]".repeat(400_000)
    );
    assert_eq!(refused(&deep), Reason::Malformed);
    assert_eq!(parse_body(&"[".repeat(1_000_000)).unwrap_err(), Reason::Malformed);
    let numbers = format!(
        r#"{{"type":"bundle","messages":[{}]}}"#,
        vec!["1"; 400_000].join(",")
    );
    assert_eq!(parse_body(&numbers).unwrap_err(), Reason::Malformed);
}
