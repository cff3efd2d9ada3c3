use std::collections::BTreeMap;

use serde_json::json;
use symbolon_shared::domain::decimal::{Price, Quantity};
use symbolon_shared::domain::identifiers::{CounterpartyId, Side};
use symbolon_shared::domain::token::{Commitment, DataKey, EpochId, EpochKey, MatchId, Token};

use super::*;
use crate::platform::meter::OperationCount;
use crate::report::{AuditReport, HELD, Level, SeenMatch};

/// What the contract counts is that of the first 5,000 events of a real morning; units, notional and the like are
/// made up.
fn report() -> Report {
    let aws = [
        ("dynamodb:BatchGetItem", asked(101, 2634.5, 0.0)),
        ("dynamodb:Query", asked(1_254, 3_318.0, 0.0)),
        ("dynamodb:TransactWriteItems", asked(2_438, 0.0, 22_694.0)),
        ("dynamodb:UpdateItem", asked(97, 0.0, 97.0)),
        ("kms:Decrypt", asked(1, 0.0, 0.0)),
        ("kms:GenerateDataKeyWithoutPlaintext", asked(1, 0.0, 0.0)),
        ("sqs:SendMessageBatch", asked(511, 0.0, 0.0)),
    ];
    let invariants = [
        "conserved quantity",
        "every match told to both",
        "every message accounted for",
        "limits respected",
        "minimums respected",
        "no crossing pair at rest",
        "no identity crosses over",
        "no overfill",
        "no self or excluded match",
        "nothing expired matched",
        "tokens unique and fitting",
    ];
    Report {
        interests: 2_434,
        matches: 90,
        matched_qty: "243.25611186".to_owned(),
        notional: "57517.0932614".to_owned(),
        cancelled: 2_227,
        cancels_waiting: 86,
        too_late_to_cancel: 5,
        rejected: 0,
        resting: 116,
        resting_qty: "1372.55787672".to_owned(),
        ignored: 248,
        messages_published: 2_498,
        duplicates_delivered: 0,
        aws: aws.map(|(name, asked)| (name.to_owned(), asked)).into(),
        seconds: 14.83,
        invariants: invariants.map(|name| (name.to_owned(), HELD.to_owned())).into(),
        audit: audit(90, HELD),
    }
}

fn audit(minted: u64, verdict: &str) -> AuditReport {
    AuditReport {
        minted,
        entries: minted,
        objects: minted.min(71),
        heads_announced: minted.min(71),
        batches: minted.min(23),
        batches_again: minted.min(2),
        verdict: verdict.to_owned(),
    }
}

fn asked(requests: u64, read_units: f64, write_units: f64) -> OperationCount {
    OperationCount {
        requests,
        read_units,
        write_units,
    }
}

fn picture() -> Picture {
    Picture {
        source: "bitstamp-2015-05-01-orders.csv.xz".to_owned(),
        symbol: "BTCUSD".to_owned(),
        counterparties: 12,
        matches: vec![
            seen(
                1,
                &party(7, "65171942", "0"),
                &party(11, "65171896", "12.4"),
                "25.00000001",
            ),
            seen(
                2,
                &party(3, "65172006", "0.75"),
                &party(12, "65171993", "0"),
                "9.5",
            ),
        ],
        bids: levels(
            Side::Buy,
            &[
                ("236.47", "0.5", 1),
                ("236.4", "12.25", 2),
                ("236.01", "3.00000001", 1),
            ],
        ),
        asks: levels(
            Side::Sell,
            &[
                ("236.59", "0.02", 1),
                ("236.6", "4.2", 3),
                ("236.98", "10", 1),
                ("237", "31.7", 6),
                ("237.5", "2", 1),
                ("238", "8.8", 2),
                ("239", "6.125", 2),
                ("240", "55.9", 9),
                ("245", "30", 1),
                ("300", "1.5", 2),
            ],
        ),
    }
}

fn levels(side: Side, levels: &[(&str, &str, usize)]) -> Vec<Level> {
    let level = |(price, leaves_qty, interests): &(&str, &str, usize)| Level {
        side,
        price: Price::parse(price).unwrap(),
        leaves_qty: Quantity::parse(leaves_qty).unwrap(),
        interests: *interests,
    };
    levels.iter().map(level).collect()
}

/// What the tests say of one party of a match.
struct Party {
    number: u32,
    cl_ord_id: &'static str,
    leaves_qty: &'static str,
}

fn party(number: u32, cl_ord_id: &'static str, leaves_qty: &'static str) -> Party {
    Party {
        number,
        cl_ord_id,
        leaves_qty,
    }
}

/// A match with real tokens and their commitment.
fn seen(seed: u8, buyer: &Party, seller: &Party, last_qty: &str) -> SeenMatch {
    let tokens = [token(seed, Side::Buy, buyer), token(seed, Side::Sell, seller)];
    let commitment = Commitment::of(&tokens[0], &tokens[1]).encode();
    let message = |side: Side, token: &Token, party: &Party| {
        json!({
            "type": "match", "messageId": "4tqxkqw2n5x3jzq6y7kq3m5zpa", "clOrdId": party.cl_ord_id,
            "token": token, "commitment": commitment, "symbol": "BTCUSD", "side": side, "currency": "USD",
            "lastQty": last_qty, "lastPx": "236.47", "cumQty": last_qty, "leavesQty": party.leaves_qty,
            "cxlQty": "0", "matchedAt": "2026-11-23T10:15:30.123Z",
        })
    };
    SeenMatch {
        buyer: buyer.number,
        buyer_message: message(Side::Buy, &tokens[0], buyer),
        seller: seller.number,
        seller_message: message(Side::Sell, &tokens[1], seller),
    }
}

fn token(seed: u8, side: Side, party: &Party) -> Token {
    let key = EpochKey::derive(EpochId::parse("2015-05-01.g1").unwrap(), DataKey::new([seed; 32]));
    let mut match_id = [0; 16];
    for (place, byte) in (0_u8..).zip(&mut match_id) {
        *byte = seed.wrapping_mul(83) ^ place.wrapping_mul(151);
    }
    let owner = CounterpartyId::new(format!("cp-{}", party.number)).unwrap();
    key.token(MatchId::from_random(match_id), side, &owner)
}

fn drawn(report: &Report, picture: &Picture, width: usize) -> String {
    let colour = false;
    render(report, picture, Style { width, colour })
}

/// From its heading to the next one.
fn section<'a>(drawn: &'a str, heading: &str) -> &'a str {
    let start = drawn.find(&format!("── {heading}")).unwrap();
    let rest = &drawn[start..];
    rest.find("\n\n── ").map_or(rest, |end| &rest[..end])
}

/// Figures as long as they may get, and texts from outside that do not behave.
fn extreme() -> (Report, Picture) {
    let report = Report {
        interests: u64::MAX,
        matches: u64::MAX,
        matched_qty: "79228162514264337593543950335".to_owned(),
        notional: "7.9228162514264337593543950335".to_owned(),
        messages_published: u64::MAX,
        resting: u64::MAX,
        aws: [("dynamodb:\u{1b}[2J".repeat(9), asked(u64::MAX, 1e27, 1e-27))].into(),
        seconds: 1e-20,
        audit: audit(u64::MAX, &"us-east-1/3/\u{1b}[31m匹配 ".repeat(40)),
        invariants: [
            (
                "no overfill\n".repeat(30),
                "cl\u{1b}[31mOrdId \u{9b}7m 匹配 ".repeat(40),
            ),
            ("held".to_owned(), HELD.to_owned()),
        ]
        .into(),
        ..report()
    };
    let long = &"W".repeat(64);
    let mut matches = picture().matches;
    matches[0].buyer = u32::MAX;
    for name in [
        "clOrdId",
        "lastQty",
        "lastPx",
        "leavesQty",
        "cxlQty",
        "token",
        "commitment",
    ] {
        matches[0].buyer_message[name] = json!(long);
    }
    matches[1].seller_message = json!({ "token": "\u{1b}]0;é\u{7}", "clOrdId": "\u{202e}匹配" });
    let picture = Picture {
        source: "\u{1b}[31morders 匹配\n".repeat(20),
        symbol: "S".repeat(32),
        counterparties: usize::MAX,
        matches,
        bids: levels(
            Side::Buy,
            &[("0.000000000000000001", "123456789012345678", usize::MAX)],
        ),
        asks: levels(Side::Sell, &[("123456789012345678", "0.000000000000000001", 0)]),
    };
    (report, picture)
}

#[test]
fn a_real_morning() {
    insta::assert_snapshot!("a_real_morning_80", drawn(&report(), &picture(), 80));
    insta::assert_snapshot!("a_real_morning_140", drawn(&report(), &picture(), 140));
}

#[test]
fn a_run_in_which_nothing_happened() {
    let report = Report {
        interests: 0,
        matches: 0,
        matched_qty: "0".to_owned(),
        notional: "0".to_owned(),
        cancelled: 0,
        cancels_waiting: 0,
        too_late_to_cancel: 0,
        resting: 0,
        resting_qty: "0".to_owned(),
        ignored: 0,
        messages_published: 0,
        aws: BTreeMap::new(),
        seconds: 0.0,
        invariants: BTreeMap::new(),
        audit: audit(0, HELD),
        ..report()
    };
    let picture = Picture {
        matches: Vec::new(),
        bids: Vec::new(),
        asks: Vec::new(),
        ..picture()
    };
    insta::assert_snapshot!("nothing_happened", drawn(&report, &picture, 80));
}

#[test]
fn a_run_that_broke() {
    let mut report = report();
    let counterexample = "match 4tqxkqw2n5x3jzq6y7kq3m5zpa took 0.75 of clOrdId 65172006 (counterparty 3), of which \
                          only 0.5 was left: orderQty 1.25, cumQty before 0.75";
    for name in ["conserved quantity", "no overfill"] {
        report
            .invariants
            .insert(name.to_owned(), counterexample.to_owned());
    }
    report.audit = audit(89, "us-east-1/3: object 7 is missing");
    let mut picture = picture();
    // Tokens of two matches: neither half is as it should be.
    picture.matches[0].seller_message["token"] = picture.matches[1].seller_message["token"].clone();
    let drawn = drawn(&report, &picture, 80);
    insta::assert_snapshot!("broken_invariants", section(&drawn, "Invariants"));
    insta::assert_snapshot!("a_log_with_a_hole", section(&drawn, "Audit log"));
    insta::assert_snapshot!("halves_that_do_not_fit", section(&drawn, "2 of 90 matches"));
}

#[test]
fn nothing_checked_is_not_all_held() {
    let report = Report {
        invariants: BTreeMap::new(),
        ..report()
    };
    let drawn = drawn(&report, &picture(), 80);
    let invariants = section(&drawn, "Invariants");
    assert!(invariants.contains("no invariant was checked"));
    assert!(!invariants.contains("held"));
}

mod width {
    use super::*;

    #[test]
    fn is_kept_and_used() {
        let runs = [(report(), picture()), extreme()];
        for ((report, picture), width) in runs
            .iter()
            .flat_map(|run| [80, 100, 140].map(|width| (run, width)))
        {
            for colour in [false, true] {
                let drawn = render(report, picture, Style { width, colour });
                let widest = drawn.lines().map(console::measure_text_width).max();
                assert_eq!(widest, Some(width.min(GREATEST_WIDTH)), "{width} {colour}");
            }
        }
    }

    #[test]
    fn below_80_is_80() {
        let (report, picture) = (report(), picture());
        let least = drawn(&report, &picture, 80);
        assert_eq!(drawn(&report, &picture, 0), least);
        assert_eq!(drawn(&report, &picture, 79), least);
        assert_ne!(drawn(&report, &picture, 81), least);
    }

    #[test]
    fn figures_too_long_for_two_columns_stand_in_one() {
        let report = Report {
            interests: u64::MAX,
            matched_qty: "12345678901234567.123456789".to_owned(),
            notional: "79228162514264337593543950335".to_owned(),
            ..report()
        };
        let drawn = drawn(&report, &picture(), 80);
        let summary = section(&drawn, "What happened");
        assert_eq!(summary.lines().count(), 1 + 14);
        assert!(
            summary.contains("79,228,162,514,264,337,593,543,950,335"),
            "{summary}"
        );
        assert!(!summary.contains('…'), "{summary}");
    }
}

mod colour {
    use super::*;

    #[test]
    fn off_leaves_no_escape_bytes() {
        for (report, picture) in [(report(), picture()), extreme()] {
            let drawn = drawn(&report, &picture, 80);
            let control = |c: char| c.is_control() && c != '\n';
            assert_eq!(drawn.find(control), None);
        }
    }

    #[test]
    fn on_changes_nothing_but_colours() {
        let (width, colour) = (100, true);
        for (report, picture) in [(report(), picture()), extreme()] {
            let coloured = render(&report, &picture, Style { width, colour });
            assert!(coloured.contains("\u{1b}["));
            let without = console::strip_ansi_codes(&coloured).into_owned();
            assert_eq!(without, drawn(&report, &picture, width));
        }
    }

    #[test]
    fn of_halves_that_are_not_as_they_should_be_is_red() {
        let (width, colour) = (80, true);
        let alarms = |picture: &Picture| {
            let drawn = render(&report(), picture, Style { width, colour });
            drawn.matches("\u{1b}[31m\u{1b}[1m").count()
        };
        let mut picture = picture();
        assert_eq!(alarms(&picture), 0);
        picture.matches[0].seller_message["token"] = picture.matches[1].seller_message["token"].clone();
        assert_eq!(alarms(&picture), 2, "the first halves and the verdict");
        picture.matches[0].seller_message["token"] = picture.matches[0].buyer_message["token"].clone();
        assert_eq!(alarms(&picture), 2, "the second halves and the verdict");
    }

    #[test]
    fn of_the_end_is_green_or_red() {
        let (width, colour) = (80, true);
        let last_line = |report: &Report| {
            let drawn = render(report, &picture(), Style { width, colour });
            drawn.lines().last().unwrap().to_owned()
        };
        let mut report = report();
        assert!(last_line(&report).contains("\u{1b}[32m"));
        report
            .invariants
            .insert("no overfill".to_owned(), "0.5".to_owned());
        assert!(last_line(&report).contains("\u{1b}[31m"));
    }
}

mod book {
    use super::*;

    fn ladder(bids: &[(&str, &str, usize)], asks: &[(&str, &str, usize)]) -> String {
        let picture = Picture {
            bids: levels(Side::Buy, bids),
            asks: levels(Side::Sell, asks),
            ..picture()
        };
        let drawn = drawn(&report(), &picture, 80);
        section(&drawn, "The book").to_owned()
    }

    #[test]
    fn with_one_side() {
        let (near, far) = (("236.47", "0.5", 1), ("240", "12", 20));
        insta::assert_snapshot!("no_asks", ladder(&[far, near], &[]));
        insta::assert_snapshot!("no_bids", ladder(&[], &[near, far]));
    }

    #[test]
    fn with_one_huge_interest() {
        let ladder = ladder(
            &[
                ("236.47", "0.00000001", 1),
                ("236.4", "2", 2),
                ("0.01", "4294967295", 1),
            ],
            &[("236.5", "1", 1), ("240", "3", 1)],
        );
        insta::assert_snapshot!("one_huge_interest", ladder);
    }

    #[test]
    fn crossed_by_what_may_not_match() {
        let crossed = ladder(&[("236.47", "1", 1)], &[("236.4", "1", 1)]);
        assert!(crossed.contains("crossed by 0.07, by interests that may not match each other"));
        assert!(!crossed.contains("spread"));
        let locked = ladder(&[("236.4", "1", 1)], &[("236.4", "1", 1)]);
        assert!(locked.contains("locked at 236.4, by interests that may not match each other"));
    }

    #[test]
    fn with_the_best_nearest_the_middle() {
        let deep: Vec<_> = (0..20).map(|step| format!("{}", 100 + step)).collect();
        let asks: Vec<_> = deep.iter().map(|price| (price.as_str(), "1", 2)).collect();
        let ladder = ladder(&[("99", "1", 1)], &asks);
        let prices: Vec<_> = ladder
            .lines()
            .filter(|line| line.starts_with("  ask") || line.starts_with("  bid"))
            .filter_map(|line| line.split_whitespace().nth(1))
            .collect();
        assert_eq!(
            prices,
            ["107", "106", "105", "104", "103", "102", "101", "100", "99"]
        );
        assert!(
            ladder.contains("… 12 levels further away: 12 in 24 interests"),
            "{ladder}"
        );
    }
}

mod number {
    use super::super::numbers::*;

    #[test]
    fn is_grouped_before_its_point() {
        for (number, shown) in [
            ("0", "0"),
            ("999", "999"),
            ("1000", "1,000"),
            ("50414", "50,414"),
            ("1234567.1234567", "1,234,567.1234567"),
            ("100000.5", "100,000.5"),
        ] {
            assert_eq!(grouped(number), shown);
        }
    }

    #[test]
    fn stands_with_its_point_below_the_others() {
        let numbers = ["1.5", "1,204", "0.123", NONE].map(str::to_owned);
        assert_eq!(
            aligned(&numbers),
            ["    1.5  ", "1,204    ", "    0.123", "    –    "]
        );
    }

    #[test]
    fn of_nothing_is_a_dash() {
        assert_eq!(per(7.into(), 2), "3.50");
        assert_eq!(per(7.into(), 0), NONE);
        assert_eq!(measured(f64::NAN), None);
        assert_eq!(measured(f64::INFINITY), None);
    }
}

#[test]
fn durations_are_read_at_a_glance() {
    for (seconds, shown) in [
        (0.0, "0.00 s"),
        (4.267, "4.27 s"),
        (14.83, "14.8 s"),
        (185.2, "3 min 5 s"),
        (-1.0, "–"),
        (f64::NAN, "–"),
    ] {
        assert_eq!(duration(seconds), shown);
    }
}
