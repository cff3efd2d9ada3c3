//! The contract, rule by rule.

use serde_json::{Value, json};

use super::world::{Handler, Response, START, SYMBOLS, World, cp};
use crate::domain::counterparty::Standing;
use crate::domain::limits::{MAX_MATCHES_PER_DECISION, MAX_ORIGINAL_WAITS};
use crate::domain::submission::OrdStatus;

const DAY_MS: i64 = 86_400_000;

/// An interest in the first symbol; `more` are further fields.
fn interest(id: &str, side: &str, qty: &str, price: &str, more: &str) -> String {
    let symbol = SYMBOLS[0];
    format!(
        r#"{{"type":"interest","clOrdId":"{id}","symbol":"{symbol}","side":"{side}","orderQty":"{qty}","price":"{price}"{more}}}"#
    )
}

fn buy(id: &str, qty: &str, price: &str) -> String {
    interest(id, "buy", qty, price, "")
}

fn sell(id: &str, qty: &str, price: &str) -> String {
    interest(id, "sell", qty, price, "")
}

fn about(kind: &str, id: &str, original: &str) -> String {
    format!(r#"{{"type":"{kind}","clOrdId":"{id}","origClOrdId":"{original}"}}"#)
}

fn cancel(id: &str, original: &str) -> String {
    about("cancel", id, original)
}

fn replace(id: &str, original: &str, qty: &str, more: &str) -> String {
    format!(r#"{{"type":"replace","clOrdId":"{id}","origClOrdId":"{original}","orderQty":"{qty}"{more}}}"#)
}

/// What was received, without what is computed from keys and hashes.
fn plain(received: Vec<Value>) -> Value {
    let strip = |mut message: Value| {
        let fields = message.as_object_mut().unwrap();
        for opaque in ["messageId", "token", "commitment"] {
            fields.remove(opaque);
        }
        message
    };
    received.into_iter().map(strip).collect()
}

/// The reason for which the only message received is a refusal.
fn reason(received: &[Value]) -> &str {
    let [refusal] = received else {
        panic!("{received:?}")
    };
    assert_eq!(refusal["type"], "rejected");
    refusal["reason"].as_str().unwrap()
}

fn kinds(received: &[Value]) -> Vec<&str> {
    received
        .iter()
        .map(|message| message["type"].as_str().unwrap())
        .collect()
}

/// How an order stands: `ordStatus`, `cumQty`, `leavesQty` of the answer to a question asked under the id `ask`.
fn status(world: &mut World, owner: usize, ask: &str, original: &str) -> [String; 3] {
    let answer = world.say(owner, &about("status", ask, original)).remove(0);
    ["ordStatus", "cumQty", "leavesQty"].map(|field| answer[field].as_str().unwrap_or_default().to_owned())
}

fn world() -> World {
    World::new(4, 2)
}

mod interests {
    use super::*;

    #[test]
    fn the_first_rests_and_the_second_takes_it_at_its_price() {
        let mut world = world();
        assert!(world.say(0, &sell("S-1", "1.00", "100.00")).is_empty());
        let bought = world.say(1, &buy("B-1", "1.25", "101.00"));
        let matched_at = world.now.to_rfc3339();
        assert_eq!(
            plain(bought),
            json!([{
                "type": "match", "clOrdId": "B-1", "symbol": "BTCUSD", "side": "buy", "currency": "USD",
                "lastQty": "1", "lastPx": "100", "cumQty": "1", "leavesQty": "0.25", "cxlQty": "0",
                "matchedAt": matched_at,
            }])
        );
        assert_eq!(
            plain(world.received(0)),
            json!([{
                "type": "match", "clOrdId": "S-1", "symbol": "BTCUSD", "side": "sell", "currency": "USD",
                "lastQty": "1", "lastPx": "100", "cumQty": "1", "leavesQty": "0", "cxlQty": "0",
                "matchedAt": matched_at,
            }])
        );
        assert_eq!(world.tables.entries.len(), 1);
        world.assert_sound();
    }

    #[test]
    fn only_who_asks_is_told_that_it_is_in_and_always_with_the_whole_quantity() {
        let mut world = world();
        let ack = r#","ack":true"#;
        let quiet = r#","ack":false"#;
        assert_eq!(
            plain(world.say(0, &interest("S-1", "sell", "1.00", "100.00", ack))),
            json!([{"type": "accepted", "clOrdId": "S-1", "leavesQty": "1"}])
        );
        assert!(
            world
                .say(0, &interest("S-2", "sell", "1.00", "100.00", quiet))
                .is_empty()
        );
        let bought = world.say(1, &interest("B-1", "buy", "1.50", "100.00", ack));
        assert_eq!(kinds(&bought), ["accepted", "match", "match"]);
        assert_eq!(bought[0]["leavesQty"], "1.5");
        world.assert_sound();
    }

    #[test]
    fn best_price_first_then_the_earlier() {
        let mut world = world();
        for (id, price) in [
            ("S-1", "100.02"),
            ("S-2", "100.01"),
            ("S-3", "100.01"),
            ("S-4", "100.00"),
        ] {
            world.say(0, &sell(id, "1.00", price));
            world.wait(1);
        }
        world.say(1, &buy("B-1", "3.00", "100.02"));
        let done: Vec<_> = world.received(0).iter().map(|m| m["clOrdId"].clone()).collect();
        assert_eq!(done, ["S-4", "S-2", "S-3"]);
        world.assert_sound();
    }

    #[test]
    fn ones_own_and_excluded_interests_are_passed_over_by_either() {
        let mut world = world();
        world.say(0, &sell("S-1", "1.00", "99.00"));
        world.exclude(1, 2);
        world.say(1, &sell("S-1", "1.00", "99.50"));
        world.say(3, &sell("S-1", "1.00", "100.00"));
        world.say(0, &buy("B-1", "0.50", "100.00"));
        assert_eq!(
            world.received(0).len(),
            1,
            "not the own one, but the better of the other two"
        );
        assert_eq!(world.received(1).len(), 1);
        world.say(2, &buy("B-1", "2.00", "100.00"));
        assert_eq!(world.received(1).len(), 1, "it excludes the buyer");
        assert_eq!(world.received(2).len(), 2, "the first and the last");
        world.say(2, &sell("S-1", "0.10", "98.00"));
        world.say(1, &buy("B-1", "0.10", "98.00"));
        assert_eq!(
            world.received(1).len(),
            1,
            "nor does it meet the one that it excludes"
        );
        world.assert_sound();
    }

    #[test]
    fn a_fill_meets_both_minimums_or_is_passed_over() {
        let mut world = world();
        world.say(
            0,
            &interest("S-1", "sell", "2.00", "100.00", r#","minQty":"1.50""#),
        );
        world.say(0, &sell("S-2", "0.50", "100.01"));
        world.say(0, &sell("S-3", "1.00", "100.02"));
        let bought = world.say(
            1,
            &interest("B-1", "buy", "1.20", "100.02", r#","minQty":"1.00""#),
        );
        assert_eq!(bought.len(), 1);
        assert_eq!(
            (&bought[0]["lastQty"], &bought[0]["lastPx"]),
            (&json!("1"), &json!("100.02"))
        );
        assert_eq!(world.received(0)[0]["clOrdId"], "S-3");
        world.assert_sound();
    }

    #[test]
    fn what_is_left_below_an_interests_own_minimum_is_cancelled_with_the_match() {
        let mut world = world();
        world.say(
            0,
            &interest("S-1", "sell", "2.00", "100.00", r#","minQty":"1.00""#),
        );
        let bought = world.say(
            1,
            &interest("B-1", "buy", "1.50", "100.00", r#","minQty":"0.10""#),
        );
        assert_eq!(bought[0]["cxlQty"], "0");
        let sold = &world.received(0)[0];
        assert_eq!(
            (&sold["cumQty"], &sold["leavesQty"], &sold["cxlQty"]),
            (&json!("1.5"), &json!("0"), &json!("0.5"))
        );
        assert_eq!(status(&mut world, 0, "Q-1", "S-1"), ["cancelled", "1.5", "0"]);
        assert_eq!(reason(&world.say(0, &cancel("C-1", "S-1"))), "too_late_to_cancel");
        assert!(world.tables.entries.is_empty());
        world.assert_sound();
    }

    #[test]
    fn the_aggressors_remainder_below_its_minimum_is_cancelled_too() {
        let mut world = world();
        world.say(0, &sell("S-1", "1.50", "100.00"));
        world.say(0, &sell("S-2", "1.50", "100.00"));
        let bought = world.say(
            1,
            &interest("B-1", "buy", "2.00", "100.00", r#","minQty":"1.00""#),
        );
        assert_eq!(bought.len(), 1, "what is left takes no more");
        assert_eq!(
            (&bought[0]["leavesQty"], &bought[0]["cxlQty"]),
            (&json!("0"), &json!("0.5"))
        );
        world.assert_sound();
    }

    #[test]
    fn the_middle_of_both_limits_where_that_is_the_policy() {
        let mut world = world();
        let midpoint = |body: String| body.replace(SYMBOLS[0], SYMBOLS[1]);
        world.say(0, &midpoint(sell("S-1", "1.00", "100.00")));
        let bought = world.say(1, &midpoint(buy("B-1", "1.00", "100.03")));
        assert_eq!(bought[0]["lastPx"], "100.015");
        world.assert_sound();
    }

    #[test]
    fn each_mistake_has_its_reason() {
        let good = r#"{"type":"interest","clOrdId":"A-1","symbol":"BTCUSD","side":"buy","orderQty":"1.25","price":"236.47","minQty":"0.10","ack":true}"#;
        for (from, to, expected) in [
            (r#""236.47""#, r#""236.475""#, "off_tick"),
            (r#""1.25""#, r#""1.255""#, "off_lot"),
            (r#""0.10""#, r#""0.105""#, "off_lot"),
            (r#""0.10""#, r#""1.26""#, "bad_min_qty"),
            (r#""0.10""#, r#""0""#, "bad_min_qty"),
            (r#""1.25""#, r#""0""#, "bad_quantity"),
            (r#""236.47""#, r#""-1""#, "bad_price"),
            ("BTCUSD", "NOSUCH", "unknown_symbol"),
            (r#""ack":true"#, r#""expireTime":"soon""#, "bad_expire_time"),
            (r#""ack":true"#, r#""sender":"me""#, "malformed"),
        ] {
            let mut world = world();
            assert!(good.contains(from));
            let body = good.replacen(from, to, 1);
            assert_eq!(reason(&world.say(0, &body)), expected, "{to}");
            assert_eq!(status(&mut world, 0, "Q-1", "A-1")[0], "rejected");
            assert_eq!(reason(&world.say(0, &cancel("C-1", "A-1"))), "too_late_to_cancel");
            assert!(world.tables.entries.is_empty());
            world.assert_sound();
        }
    }

    #[test]
    fn an_expiry_is_bad_when_it_was_sent_and_expired_when_it_has_passed_since() {
        let expiring = |after_ms: i64| {
            let at = START.plus_millis(after_ms).to_rfc3339();
            interest(
                "A-1",
                "buy",
                "1.00",
                "100.00",
                &format!(r#","expireTime":"{at}""#),
            )
        };
        for (after_ms, taken_after_ms, expected) in [
            (0, 0, Some("bad_expire_time")),
            (-1, 10, Some("bad_expire_time")),
            (90 * DAY_MS + 1, 0, Some("bad_expire_time")),
            (90 * DAY_MS, 0, None),
            (10, 9, None),
            (10, 10, Some("expired")),
        ] {
            let mut world = world();
            world.send(0, &expiring(after_ms));
            world.wait(taken_after_ms);
            world.settle();
            let received = world.received(0);
            assert_eq!(
                (!received.is_empty()).then(|| reason(&received)),
                expected,
                "{after_ms}"
            );
            world.assert_sound();
        }
    }

    #[test]
    fn without_an_expiry_it_lives_for_ninety_days_from_its_sending() {
        let mut world = world();
        world.send(0, &buy("A-1", "1.00", "100.00"));
        world.send(0, &buy("A-2", "1.00", "100.00"));
        Handler::take(&mut world, 1, 1).finish(&mut world);
        world.now = START.plus_days(90);
        world.settle();
        assert_eq!(reason(&world.received(0)), "expired");
        assert!(world.say(1, &sell("S-1", "1.00", "100.00")).is_empty());
        world.assert_sound();
    }

    #[test]
    fn who_meets_an_expired_entry_passes_over_it_and_takes_it_out_and_tells_nobody() {
        let mut world = world();
        let at = START.plus_millis(10).to_rfc3339();
        world.say(
            0,
            &interest(
                "S-1",
                "sell",
                "1.00",
                "100.00",
                &format!(r#","expireTime":"{at}""#),
            ),
        );
        world.wait(10);
        assert_eq!(status(&mut world, 0, "Q-1", "S-1"), ["expired", "0", "0"]);
        assert!(world.say(1, &buy("B-1", "1.00", "100.00")).is_empty());
        assert_eq!(world.tables.entries.len(), 1, "only the buyer's");
        assert_eq!(world.received(0).len(), 1, "only the answer to the question");
        world.assert_sound();
    }

    #[test]
    fn a_suspended_counterparty_may_only_cancel() {
        let mut world = world();
        world.say(0, &sell("S-1", "1.00", "100.00"));
        world.set_standing(0, Standing::Suspended);
        assert_eq!(reason(&world.say(0, &sell("S-2", "1.00", "100.00"))), "suspended");
        assert_eq!(
            reason(&world.say(0, &replace("S-3", "S-1", "2.00", ""))),
            "suspended"
        );
        assert!(
            world.say(1, &buy("B-1", "0.50", "100.00")).is_empty(),
            "it is not matched"
        );
        world.set_standing(0, Standing::Active);
        assert_eq!(kinds(&world.say(1, &buy("B-2", "0.50", "100.00"))), ["match"]);
        world.set_standing(0, Standing::Suspended);
        assert_eq!(kinds(&world.say(0, &cancel("C-1", "S-1"))), ["cancelled"]);
        world.assert_sound();
    }

    #[test]
    fn of_a_halted_symbol_only_cancels_are_taken() {
        let mut world = world();
        world.say(0, &sell("S-1", "1.00", "100.00"));
        world.set_tradable(SYMBOLS[0], false);
        assert_eq!(
            reason(&world.say(1, &buy("B-1", "1.00", "100.00"))),
            "not_tradable"
        );
        assert_eq!(
            reason(&world.say(0, &replace("S-2", "S-1", "2.00", ""))),
            "not_tradable"
        );
        assert_eq!(status(&mut world, 0, "Q-1", "S-1")[0], "new");
        assert_eq!(kinds(&world.say(0, &cancel("C-1", "S-1"))), ["cancelled"]);
        world.assert_sound();
    }

    /// Somebody who crosses `resting` others, and what its handler has done after the first write.
    fn crossing(resting: usize) -> (World, Handler) {
        let mut world = world();
        for number in 0..resting {
            world.say(0, &sell(&format!("S-{number}"), "0.01", "100.00"));
        }
        world.send(1, &buy("B-1", "1.00", "100.00"));
        let mut handler = Handler::take(&mut world, 1, 1);
        handler.step(&mut world, Response::Comes);
        handler.step(&mut world, Response::Comes);
        (world, handler)
    }

    #[test]
    fn one_transaction_holds_so_many_matches_and_the_looks_find_the_rest() {
        // What is left after the arrival, after its look, and after that one's.
        for resting in [1, MAX_MATCHES_PER_DECISION + 1, 2 * MAX_MATCHES_PER_DECISION + 1] {
            let (mut world, handler) = crossing(resting);
            assert_eq!(world.tables.matches.len(), resting.min(MAX_MATCHES_PER_DECISION));
            assert_eq!(
                world.submission(1, "B-1").ord_status,
                Some(OrdStatus::PartiallyFilled)
            );
            handler.finish(&mut world);
            assert_eq!(world.received(1).len(), resting);
            world.assert_sound();
        }
    }

    #[test]
    fn no_look_matches_a_symbol_that_was_halted_meanwhile() {
        let (mut world, handler) = crossing(MAX_MATCHES_PER_DECISION + 1);
        handler.crash(&mut world);
        world.set_tradable(SYMBOLS[0], false);
        world.settle();
        assert_eq!(world.tables.matches.len(), MAX_MATCHES_PER_DECISION);
        assert_eq!(
            world.received(1).len(),
            MAX_MATCHES_PER_DECISION,
            "what was found is told"
        );
        world.assert_sound();
    }
}

mod cancels {
    use super::*;

    #[test]
    fn an_order_in_the_book_is_taken_out() {
        let mut world = world();
        world.say(0, &sell("A-1", "1.25", "100.00"));
        world.say(1, &buy("B-1", "0.50", "100.00"));
        assert_eq!(
            plain(world.say(0, &cancel("A-2", "A-1"))),
            json!([{
                "type": "cancelled", "clOrdId": "A-2", "origClOrdId": "A-1",
                "cumQty": "0.5", "leavesQty": "0", "cxlQty": "0.75",
            }])
        );
        assert_eq!(status(&mut world, 0, "Q-1", "A-1"), ["cancelled", "0.5", "0"]);
        assert!(world.say(1, &buy("B-2", "0.50", "100.00")).is_empty());
        world.assert_sound();
    }

    #[test]
    fn what_comes_before_its_interest_is_pending_and_the_interest_is_born_cancelled() {
        let mut world = world();
        let pending = |id: &str| json!([{"type": "cancelPending", "clOrdId": id, "origClOrdId": "A-1"}]);
        assert_eq!(plain(world.say(0, &cancel("A-2", "A-1"))), pending("A-2"));
        assert_eq!(status(&mut world, 0, "Q-1", "A-1"), ["cancelled", "0", "0"]);
        assert_eq!(plain(world.say(0, &cancel("A-3", "A-1"))), pending("A-3"));
        assert_eq!(
            reason(&world.say(0, &replace("A-4", "A-1", "1.00", ""))),
            "too_late_to_cancel"
        );
        world.say(1, &sell("S-1", "1.00", "100.00"));
        let born = world.say(0, &interest("A-1", "buy", "1.25", "100.00", r#","ack":true"#));
        assert_eq!(
            plain(born),
            json!([{
                "type": "cancelled", "clOrdId": "A-2", "origClOrdId": "A-1",
                "cumQty": "0", "leavesQty": "0", "cxlQty": "1.25",
            }])
        );
        assert!(world.received(1).is_empty());
        assert_eq!(status(&mut world, 0, "Q-2", "A-1"), ["cancelled", "0", "0"]);
        assert_eq!(reason(&world.say(0, &cancel("A-5", "A-1"))), "too_late_to_cancel");
        world.assert_sound();
    }

    #[test]
    fn a_mark_waits_for_an_interest_that_can_be_taken() {
        let mut world = world();
        world.say(0, &cancel("A-2", "A-1"));
        assert_eq!(reason(&world.say(0, &buy("A-1", "1.00", "100.005"))), "off_tick");
        assert_eq!(status(&mut world, 0, "Q-1", "A-1")[0], "rejected");
        world.assert_sound();
    }

    #[test]
    fn a_mark_does_not_stop_what_is_no_order() {
        let mut world = world();
        world.say(0, &buy("A-1", "1.00", "100.00"));
        world.say(0, &cancel("A-3", "A-2"));
        assert_eq!(kinds(&world.say(0, &cancel("A-2", "A-1"))), ["cancelled"]);
        assert_eq!(reason(&world.say(0, &cancel("A-4", "A-2"))), "unknown_order");
        world.assert_sound();
    }

    #[test]
    fn what_is_closed_is_too_late_to_cancel_and_to_replace() {
        let mut world = world();
        let at = START.plus_millis(10).to_rfc3339();
        world.say(0, &sell("filled", "1.00", "100.00"));
        world.say(1, &buy("B-1", "1.00", "100.00"));
        world.say(0, &sell("cancelled", "1.00", "100.00"));
        world.say(0, &cancel("C-1", "cancelled"));
        world.say(0, &sell("replaced", "1.00", "100.00"));
        world.say(0, &replace("R-1", "replaced", "2.00", ""));
        world.say(
            0,
            &interest(
                "expired",
                "sell",
                "1.00",
                "100.00",
                &format!(r#","expireTime":"{at}""#),
            ),
        );
        world.say(0, &sell("rejected", "1.005", "100.00"));
        world.wait(10);
        for order in ["filled", "cancelled", "replaced", "expired", "rejected"] {
            assert_eq!(status(&mut world, 0, &format!("Q-{order}"), order)[0], order);
            let late = |received: Vec<Value>| assert_eq!(reason(&received), "too_late_to_cancel", "{order}");
            late(world.say(0, &cancel(&format!("C-{order}"), order)));
            late(world.say(0, &replace(&format!("R-{order}"), order, "3.00", "")));
        }
        assert_eq!(
            kinds(&world.say(0, &cancel("C-2", "R-1"))),
            ["cancelled"],
            "it lives on as R-1"
        );
        world.assert_sound();
    }

    #[test]
    fn a_cancels_or_questions_id_names_no_order() {
        let mut world = world();
        world.say(0, &cancel("A-2", "A-1"));
        world.say(0, &about("status", "A-3", "A-1"));
        world.say(0, &cancel("A-4", "A-4"));
        for (number, original) in ["A-2", "A-3", "A-4"].into_iter().enumerate() {
            for kind in ["cancel", "status"] {
                let asked = world.say(0, &about(kind, &format!("{kind}-{number}"), original));
                assert_eq!(reason(&asked), "unknown_order", "{kind} of {original}");
            }
            let asked = world.say(0, &replace(&format!("replace-{number}"), original, "1.00", ""));
            assert_eq!(reason(&asked), "unknown_order");
        }
        world.assert_sound();
    }

    #[test]
    fn nothing_is_its_own_original() {
        let mut world = world();
        assert_eq!(reason(&world.say(0, &cancel("A-1", "A-1"))), "unknown_order");
        assert_eq!(
            reason(&world.say(0, &about("status", "A-2", "A-2"))),
            "unknown_order"
        );
        assert_eq!(
            reason(&world.say(0, &replace("A-3", "A-3", "1.00", ""))),
            "unknown_order"
        );
        world.assert_sound();
    }

    #[test]
    fn nobody_reaches_anothers_order() {
        let mut world = world();
        world.say(0, &sell("A-1", "1.00", "100.00"));
        assert_eq!(kinds(&world.say(1, &cancel("C-1", "A-1"))), ["cancelPending"]);
        assert_eq!(
            reason(&world.say(1, &about("status", "Q-1", "A-0"))),
            "unknown_order"
        );
        assert_eq!(status(&mut world, 0, "Q-1", "A-1")[0], "new");
        world.assert_sound();
    }
}

mod replaces {
    use super::*;

    /// Three sell orders at one price, the first of them replaced with `more` terms: who is matched first.
    fn first_after(qty: &str, more: &str) -> (World, String) {
        let mut world = world();
        for id in ["A-1", "A-2"] {
            world.say(0, &sell(id, "1.00", "100.00"));
            world.wait(1);
        }
        assert_eq!(
            kinds(&world.say(0, &replace("A-3", "A-1", qty, more))),
            ["replaced"]
        );
        world.say(1, &buy("B-1", "0.10", "100.00"));
        let first = world.received(0).pop().unwrap()["clOrdId"].clone();
        world.assert_sound();
        (world, first.as_str().unwrap().to_owned())
    }

    #[test]
    fn a_smaller_quantity_keeps_its_priority_and_nothing_else_does() {
        assert_eq!(first_after("0.50", "").1, "A-3");
        assert_eq!(first_after("0.50", r#","price":"100.00""#).1, "A-3");
        assert_eq!(first_after("1.00", "").1, "A-2", "nothing was cut");
        assert_eq!(first_after("1.50", "").1, "A-2");
        assert_eq!(first_after("0.50", r#","price":"100.01""#).1, "A-2");
        assert_eq!(first_after("0.50", r#","minQty":"0.10""#).1, "A-2");
        let sooner = START.plus_days(1).to_rfc3339();
        assert_eq!(
            first_after("0.50", &format!(r#","expireTime":"{sooner}""#)).1,
            "A-2"
        );
    }

    #[test]
    fn the_old_name_is_replaced_and_the_new_one_names_the_order() {
        let (mut world, _) = first_after("0.50", "");
        assert_eq!(status(&mut world, 0, "Q-1", "A-1"), ["replaced", "0", "0"]);
        assert_eq!(
            status(&mut world, 0, "Q-2", "A-3"),
            ["partially_filled", "0.1", "0.4"]
        );
        assert_eq!(world.tables.entries.len(), 2);
    }

    #[test]
    fn what_is_done_and_its_tokens_are_inherited_and_the_total_is_new() {
        let mut world = world();
        world.say(0, &sell("A-1", "1.00", "100.00"));
        world.say(1, &buy("B-1", "0.50", "100.00"));
        assert_eq!(
            plain(world.say(0, &replace("A-3", "A-1", "0.75", r#","price":"100.50""#))),
            json!([{
                "type": "replaced", "clOrdId": "A-3", "origClOrdId": "A-1", "cumQty": "0.5", "leavesQty": "0.25",
            }])
        );
        world.say(1, &buy("B-2", "1.00", "101.00"));
        let tokens: Vec<Value> = world
            .received(0)
            .iter()
            .filter_map(|m| m.get("token").cloned())
            .collect();
        let answer = world.say(0, &about("status", "A-4", "A-3")).remove(0);
        assert_eq!(answer["tokens"], json!(tokens));
        assert_eq!(tokens.len(), 2);
        assert_eq!(plain(vec![answer])[0]["ordStatus"], "filled");
        assert_eq!(status(&mut world, 0, "Q-1", "A-1"), ["replaced", "0.5", "0"]);
        world.assert_sound();
    }

    #[test]
    fn new_terms_look_again() {
        let mut world = world();
        world.say(0, &sell("A-1", "1.00", "101.00"));
        world.say(1, &buy("B-1", "1.00", "100.00"));
        world.wait(1);
        let received = world.say(0, &replace("A-2", "A-1", "1.00", r#","price":"99.00""#));
        assert_eq!(kinds(&received), ["replaced", "match"]);
        assert_eq!(
            received[1]["lastPx"], "100",
            "the earlier accepted is the resting one"
        );
        world.assert_sound();
    }

    #[test]
    fn what_cannot_be_leaves_the_order_as_it_was() {
        let mut world = world();
        world.say(
            0,
            &interest("A-1", "sell", "2.00", "100.00", r#","minQty":"0.50""#),
        );
        world.say(1, &buy("B-1", "1.00", "100.00"));
        let past = START.to_rfc3339();
        let far = START.plus_days(91).to_rfc3339();
        for (number, (qty, more, expected)) in [
            ("1.00", String::new(), "bad_quantity"),
            ("0.90", String::new(), "bad_quantity"),
            ("1.40", String::new(), "bad_min_qty"),
            ("3.00", r#","minQty":"2.10""#.to_owned(), "bad_min_qty"),
            ("3.00", r#","minQty":"3.10""#.to_owned(), "bad_min_qty"),
            ("3.005", String::new(), "off_lot"),
            ("3.00", r#","price":"100.005""#.to_owned(), "off_tick"),
            ("3.00", format!(r#","expireTime":"{past}""#), "bad_expire_time"),
            ("3.00", format!(r#","expireTime":"{far}""#), "bad_expire_time"),
        ]
        .into_iter()
        .enumerate()
        {
            let received = world.say(0, &replace(&format!("R-{number}"), "A-1", qty, &more));
            assert_eq!(reason(&received), expected, "{qty} {more}");
        }
        assert_eq!(
            status(&mut world, 0, "Q-1", "A-1"),
            ["partially_filled", "1", "1"]
        );
        assert_eq!(
            kinds(&world.say(0, &replace("R-last", "A-1", "1.50", ""))),
            ["replaced"]
        );
        world.assert_sound();
    }

    #[test]
    fn of_an_unknown_order_it_waits_for_three_receives() {
        let mut world = world();
        world.send(0, &replace("A-2", "A-1", "1.00", ""));
        for _ in 0..MAX_ORIGINAL_WAITS {
            Handler::take(&mut world, 1, 1).finish(&mut world);
            assert_eq!((world.queue.len(), world.received(0).len()), (1, 0));
        }
        world.settle();
        assert_eq!(reason(&world.received(0)), "unknown_order");
        assert_eq!(MAX_ORIGINAL_WAITS, 3);
        world.assert_sound();
    }

    #[test]
    fn it_takes_effect_when_its_original_comes_in_time() {
        let mut world = world();
        world.send(0, &replace("A-2", "A-1", "1.00", ""));
        Handler::take(&mut world, 1, 1).finish(&mut world);
        world.send(0, &sell("A-1", "2.00", "100.00"));
        world.settle();
        assert_eq!(status(&mut world, 0, "Q-1", "A-2"), ["new", "0", "1"]);
        world.assert_sound();
    }

    #[test]
    fn over_the_mark_of_its_own_cancel_it_ends_its_original() {
        let mut world = world();
        world.say(0, &sell("A-1", "2.00", "100.00"));
        world.say(1, &buy("B-1", "0.50", "100.00"));
        assert_eq!(kinds(&world.say(0, &cancel("C-1", "A-2"))), ["cancelPending"]);
        assert_eq!(
            plain(world.say(0, &replace("A-2", "A-1", "3.00", ""))),
            json!([{
                "type": "cancelled", "clOrdId": "C-1", "origClOrdId": "A-2",
                "cumQty": "0.5", "leavesQty": "0", "cxlQty": "1.5",
            }])
        );
        assert_eq!(status(&mut world, 0, "Q-1", "A-1"), ["cancelled", "0.5", "0"]);
        assert_eq!(status(&mut world, 0, "Q-2", "A-2"), ["cancelled", "0.5", "0"]);
        assert!(world.tables.entries.is_empty());
        world.assert_sound();
    }

    #[test]
    fn over_a_mark_it_is_a_cancel_whatever_the_operator_changed() {
        let mut world = world();
        world.say(0, &sell("A-1", "2.00", "100.00"));
        world.say(0, &cancel("C-1", "A-2"));
        world.set_tradable(SYMBOLS[0], false);
        world.set_standing(0, Standing::Suspended);
        world.parameters.clear();
        assert_eq!(
            kinds(&world.say(0, &replace("A-2", "A-1", "3.00", ""))),
            ["cancelled"]
        );
        world.assert_sound();
    }
}

mod duplicates {
    use super::*;

    #[test]
    fn the_same_again_changes_nothing_and_is_answered_alike() {
        let mut world = world();
        let messages = [
            interest("A-1", "sell", "1.00", "100.00", r#","ack":true"#),
            replace("A-2", "A-1", "0.80", ""),
            about("status", "A-3", "A-2"),
            cancel("A-4", "A-9"),
            sell("A-5", "1.005", "100.00"),
        ];
        let first: Vec<_> = messages.iter().map(|body| world.say(0, body)).collect();
        world.say(1, &buy("B-1", "0.50", "100.00"));
        world.set_tradable(SYMBOLS[0], false);
        world.set_standing(0, Standing::Suspended);
        let before = world.tables.clone();
        let again: Vec<_> = messages.iter().map(|body| world.say(0, body)).collect();
        assert_eq!(first, again);
        assert_eq!(world.tables, before);
        world.assert_sound();
    }

    #[test]
    fn another_body_under_a_used_id_is_refused_and_forgotten() {
        let mut world = world();
        world.say(0, &sell("A-1", "1.00", "100.00"));
        let before = world.tables.clone();
        for body in [
            sell("A-1", "2.00", "100.00"),
            cancel("A-1", "A-0"),
            replace("A-1", "A-0", "1.00", ""),
        ] {
            assert_eq!(reason(&world.say(0, &body)), "duplicate_cl_ord_id");
        }
        assert_eq!(world.tables, before);
        assert!(
            world.say(1, &sell("A-1", "2.00", "100.00")).is_empty(),
            "another's id is its own"
        );
        world.assert_sound();
    }

    #[test]
    fn what_was_first_sent_too_long_ago_is_refused_and_not_even_looked_up() {
        let mut world = world();
        world.say(0, &cancel("A-1", "A-0"));
        world.now = START.plus_days(400);
        world.send_as_of(0, &cancel("A-1", "A-0"), START);
        world.send_as_of(0, &cancel("A-2", "A-0"), START);
        world.send_as_of(0, &cancel("A-3", "A-0"), START.plus_millis(1));
        world.settle();
        let received = world.received(0);
        assert_eq!(
            kinds(&received),
            ["cancelPending", "rejected", "rejected", "cancelPending"]
        );
        assert_eq!(
            (&received[1]["reason"], &received[2]["reason"]),
            (&json!("expired"), &json!("expired"))
        );
        assert!(
            !world
                .tables
                .submissions
                .contains_key(&super::super::world::order(0, "A-2"))
        );
    }
}

/// What went wrong once, or was found by the search of design §5.
mod reproductions {
    use super::*;

    /// Both see an empty book, both write; whoever looks finds the other, at the price of the earlier accepted.
    #[test]
    fn two_that_arrive_together_find_each_other_after_their_writes() {
        for later_looks_first in [false, true] {
            let mut world = world();
            world.send(0, &sell("S-1", "1.00", "100.00"));
            world.wait(1);
            world.send(1, &buy("B-1", "1.00", "101.00"));
            let [mut first, mut second] = [(); 2].map(|()| Handler::take(&mut world, 1, 1));
            for handler in [&mut first, &mut second] {
                handler.step(&mut world, Response::Comes);
            }
            for handler in [&mut first, &mut second] {
                handler.step(&mut world, Response::Comes);
            }
            let [one, other] = if later_looks_first {
                [second, first]
            } else {
                [first, second]
            };
            one.finish(&mut world);
            other.finish(&mut world);
            let received = world.received(1);
            assert_eq!(received[0]["lastPx"], "100");
            assert_eq!(world.tables.matches.len(), 1);
            world.assert_sound();
        }
    }

    /// Both take the whole of the same entry: the second loses its condition and decides again.
    #[test]
    fn of_two_that_take_the_same_one_at_once_one_decides_again() {
        let mut world = world();
        world.say(0, &sell("S-1", "1.00", "100.00"));
        world.say(0, &sell("S-2", "1.00", "101.00"));
        world.send(1, &buy("B-1", "0.60", "101.00"));
        world.send(2, &buy("B-1", "0.60", "101.00"));
        let mut handlers = [(); 2].map(|()| Handler::take(&mut world, 1, 1));
        for handler in &mut handlers {
            handler.step(&mut world, Response::Comes);
        }
        for handler in handlers {
            handler.finish(&mut world);
        }
        let prices = |owner| -> Vec<Value> {
            world
                .received(owner)
                .iter()
                .map(|message| message["lastPx"].clone())
                .collect()
        };
        assert_eq!(
            (prices(1), prices(2)),
            (vec![json!("100")], vec![json!("100"), json!("101")])
        );
        world.assert_sound();
    }

    #[test]
    fn who_dies_before_its_look_looks_when_it_is_delivered_again() {
        let mut world = world();
        world.send(0, &sell("S-1", "1.00", "100.00"));
        world.send(1, &buy("B-1", "1.00", "100.00"));
        let mut handlers = [(); 2].map(|()| Handler::take(&mut world, 1, 1));
        for _ in 0..2 {
            for handler in &mut handlers {
                handler.step(&mut world, Response::Comes);
            }
        }
        for handler in handlers {
            handler.crash(&mut world);
        }
        assert!(world.tables.matches.is_empty());
        world.settle();
        assert_eq!(kinds(&world.received(0)), ["match"]);
        world.assert_sound();
    }

    /// The order's own redelivery looks no more, for it rests under another name: so the replace must look, although
    /// it only cut a quantity.
    #[test]
    fn a_replace_in_place_looks_for_the_order_that_died_before_its_look() {
        let mut world = world();
        world.send(0, &sell("S-1", "1.00", "100.00"));
        world.send(1, &buy("B-1", "2.00", "100.00"));
        let [mut seller, buyer] = [(); 2].map(|()| Handler::take(&mut world, 1, 1));
        seller.step(&mut world, Response::Comes);
        buyer.finish(&mut world);
        seller.step(&mut world, Response::Comes);
        seller.crash(&mut world);
        world.send(0, &replace("S-2", "S-1", "0.50", ""));
        world.queue.rotate_left(1);
        world.settle();
        assert_eq!(kinds(&world.received(0)), ["replaced", "match"]);
        world.assert_sound();
    }

    #[test]
    fn who_dies_before_it_tells_tells_when_it_is_delivered_again() {
        let mut world = world();
        world.say(0, &sell("S-1", "1.00", "100.00"));
        world.send(1, &buy("B-1", "1.00", "100.00"));
        let mut handler = Handler::take(&mut world, 1, 1);
        handler.step(&mut world, Response::Comes);
        handler.step(&mut world, Response::Comes);
        handler.crash(&mut world);
        assert_eq!(world.tables.matches.len(), 1);
        assert!(world.inboxes.is_empty());
        world.settle();
        assert_eq!((world.received(0).len(), world.received(1).len()), (1, 1));
        world.assert_sound();
    }

    /// The write of a look went through and its answer did not come: the look is decided again, finds its order
    /// filled, and must still have the match told.
    #[test]
    fn a_look_whose_response_was_lost_tells_what_it_found() {
        let mut world = world();
        world.send(0, &sell("S-1", "1.00", "100.00"));
        world.send(1, &buy("B-1", "1.00", "100.00"));
        let [mut seller, mut buyer] = [(); 2].map(|()| Handler::take(&mut world, 1, 1));
        for _ in 0..2 {
            seller.step(&mut world, Response::Comes);
            buyer.step(&mut world, Response::Comes);
        }
        for _ in 0..3 {
            buyer.step(&mut world, Response::IsLost);
        }
        assert_eq!(world.tables.matches.len(), 1);
        buyer.finish(&mut world);
        assert_eq!(kinds(&world.received(1)), ["match"]);
        seller.finish(&mut world);
        world.assert_sound();
    }

    /// In one batch an order is matched, of which only the book entry was read, and then cancelled: its submission,
    /// read for the cancel, is still as it was before the batch.
    #[test]
    fn a_cancel_in_the_batch_of_a_match_sees_the_match() {
        let mut world = world();
        world.say(0, &sell("S-1", "1.00", "100.00"));
        world.send(1, &buy("B-1", "0.40", "100.00"));
        world.send(0, &cancel("C-1", "S-1"));
        Handler::take(&mut world, 2, 2).finish(&mut world);
        let cancelled = world
            .received(0)
            .into_iter()
            .find(|m| m["type"] == "cancelled")
            .unwrap();
        assert_eq!(
            (&cancelled["cumQty"], &cancelled["cxlQty"]),
            (&json!("0.4"), &json!("0.6"))
        );
        world.assert_sound();
    }

    #[test]
    fn an_inbox_gets_only_its_owners_messages() {
        let mut world = world();
        world.say(0, &sell("S-1", "1.00", "100.00"));
        world.say(1, &buy("B-1", "1.00", "100.00"));
        let keys: Vec<_> = world.inboxes.keys().cloned().collect();
        assert_eq!(keys, [cp(0), cp(1)]);
    }
}
