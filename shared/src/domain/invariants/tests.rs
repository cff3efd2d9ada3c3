//! Each invariant is seen to fail: evidence of a sound run is falsified in one place, and the right one notices.

use super::*;
use crate::domain::counterparty::Standing;
use crate::domain::decimal::{Price, Quantity};
use crate::domain::decision::tests::world::{Handler, SYMBOLS, World, cp, order};
use crate::domain::submission::{OrdStatus, SubmissionKind};
use crate::domain::token::MatchId;

const CONSERVED: &str = "conserved quantity";
const OVERFILL: &str = "no overfill";
const LIMITS: &str = "limits respected";
const MEETING: &str = "no self or excluded match";
const MINIMUMS: &str = "minimums respected";
const EXPIRED: &str = "nothing expired matched";
const AT_REST: &str = "at rest no two interests that could have matched when the later of them last looked";
const TOLD: &str = "every match told to both, all copies identical";
const TOKENS: &str = "tokens unique and fitting their commitment";
const ENDS: &str = "every accepted message ends as resting, filled, cancelled, replaced, expired or rejected, and every \
                    other one set aside with a reason";
const IDENTITY: &str = "no identity crosses over";

fn interest(id: &str, side: &str, qty: &str, price: &str, more: &str) -> String {
    let symbol = SYMBOLS[0];
    format!(
        r#"{{"type":"interest","clOrdId":"{id}","symbol":"{symbol}","side":"{side}","orderQty":"{qty}","price":"{price}"{more}}}"#
    )
}

fn about(kind: &str, id: &str, original: &str, more: &str) -> String {
    format!(r#"{{"type":"{kind}","clOrdId":"{id}","origClOrdId":"{original}"{more}}}"#)
}

/// A run with something of everything: `S-filled` (its remainder cancelled), `S-replaced` (partly filled) by `S-new`,
/// `B-filled`, `B-rests` (partly filled), `B-cancelled`, a mark, refusals, a question, a duplicate.
fn world() -> World {
    let mut world = World::new(4, 2);
    let min = r#","minQty":"0.50""#;
    let ack = r#","ack":true"#;
    let messages = [
        (0, interest("S-filled", "sell", "1.20", "100.00", min)),
        (1, interest("B-filled", "buy", "1.00", "101.00", ack)),
        (0, interest("S-replaced", "sell", "2.00", "100.50", min)),
        (1, interest("B-more", "buy", "0.80", "101.00", "")),
        (
            0,
            about("replace", "S-new", "S-replaced", r#","orderQty":"1.80""#),
        ),
        (2, interest("B-rests", "buy", "1.10", "100.60", "")),
        (2, interest("B-cancelled", "buy", "1.00", "99.00", "")),
        (2, about("cancel", "C-1", "B-cancelled", "")),
        (3, about("cancel", "C-early", "B-never", "")),
        (3, interest("S-other", "sell", "5.00", "130.00", "")),
        (3, interest("S-far", "sell", "1.00", "120.00", "")),
        (0, interest("S-wrong", "sell", "1.005", "100.00", "")),
        (0, interest("S-filled", "sell", "7.00", "100.00", "")),
        (0, about("status", "Q-1", "S-new", "")),
        (1, interest("B-filled", "buy", "1.00", "101.00", ack)),
    ];
    for (owner, body) in messages {
        world.wait(1);
        world.say(owner, &body);
    }
    world
}

fn sound() -> Evidence {
    let mut evidence = world().evidence();
    for (body, reason) in [("not JSON", "malformed"), ("{}", "unknown_sender")] {
        evidence.unanswerable.push(body.to_owned());
        evidence.set_aside.push(SetAside {
            reason: Some(reason.to_owned()),
            body: body.to_owned(),
        });
    }
    evidence
}

fn qty(text: &str) -> Quantity {
    Quantity::parse(text).unwrap()
}

fn price(text: &str) -> Price {
    Price::parse(text).unwrap()
}

impl Evidence {
    fn order(&mut self, owner: usize, id: &str) -> &mut Submission {
        let key = order(owner, id);
        let mut all = self.submissions.iter_mut();
        all.find(|submission| submission.key() == key).unwrap()
    }

    fn terms_of(&mut self, owner: usize, id: &str) -> &mut Terms {
        self.order(owner, id).terms.as_mut().unwrap()
    }

    fn entry(&mut self, owner: usize, id: &str) -> &mut Entry {
        let key = order(owner, id);
        let mut all = self.entries.iter_mut();
        all.find(|entry| entry.order() == key).unwrap()
    }

    fn counterparty(&mut self, number: usize) -> &mut Known<Counterparty> {
        let mut all = self.counterparties.iter_mut();
        all.find(|known| known.value.id == cp(number)).unwrap()
    }

    /// The message of an inbox that contains `what`.
    fn message(&mut self, owner: usize, what: &str) -> &mut String {
        let mut all = self.inboxes.get_mut(&cp(owner)).unwrap().iter_mut();
        all.find(|body| body.contains(what)).unwrap()
    }

    fn change_message(&mut self, owner: usize, what: &str, by: &str) {
        let message = self.message(owner, what);
        *message = message.replacen(what, by, 1);
    }

    /// The match of an order of counterparty 0 with another.
    fn matched(&mut self, id: &str) -> &mut OpenedMatch {
        let key = order(0, id);
        let mut all = self.matches.iter_mut();
        all.find(|opened| opened.parties.seller.order == key).unwrap()
    }
}

/// Falsifies the evidence of a sound run.
type Falsify = fn(&mut Evidence);

#[track_caller]
fn assert_seen(name: &str, falsifications: &[(&str, Falsify)]) {
    for (what, falsify) in falsifications {
        let mut evidence = sound();
        falsify(&mut evidence);
        assert!(check_all(&evidence)[name].is_err(), "{what}");
    }
}

#[test]
fn a_sound_run_holds_all_of_them() {
    let evidence = sound();
    assert_eq!(evidence.matches.len(), 3, "the run has become less telling");
    let verdicts = check_all(&evidence);
    let broken: Vec<_> = verdicts.iter().filter(|(_, verdict)| verdict.is_err()).collect();
    assert!(broken.is_empty(), "{broken:#?}");
    assert_eq!(verdicts.len(), INVARIANTS.len());
}

#[test]
fn an_empty_run_is_sound() {
    let evidence = World::new(0, 1).evidence();
    assert!(check_all(&evidence).values().all(Result::is_ok));
}

#[test]
fn quantities() {
    assert_seen(
        CONSERVED,
        &[
            ("a match is forgotten", |e| e.matches.truncate(2)),
            ("more is done", |e| e.order(0, "S-new").cum_qty = qty("1.0")),
            ("more is left", |e| e.order(2, "B-rests").leaves_qty = qty("0.2")),
            ("less is cancelled", |e| {
                e.matched("S-filled").parties.seller.cxl_qty = qty("0.1");
            }),
            ("a fill of another size", |e| {
                e.matched("S-filled").record.last_qty = qty("0.6");
            }),
            ("filled but not done", |e| {
                e.order(2, "B-cancelled").ord_status = Some(OrdStatus::Filled);
            }),
            ("cancelled by nobody", |e| {
                e.order(2, "B-cancelled").ended_by = None;
            }),
            ("replaced by nobody", |e| e.order(0, "S-replaced").ended_by = None),
            ("a status without rest", |e| e.order(3, "S-far").rests = None),
            ("a refusal that is matched", |e| {
                e.matched("S-filled").parties.seller.order = order(0, "S-wrong");
            }),
            ("an order that nobody knows", |e| {
                e.matched("S-filled").parties.seller.order = order(0, "S-none");
            }),
            ("another book", |e| e.entry(3, "S-far").leaves_qty = qty("0.9")),
            ("another version", |e| {
                e.entry(3, "S-far").version = e.entry(3, "S-far").version.next();
            }),
            ("not in the book", |e| e.entries.clear()),
            ("twice in the book", |e| e.entries.push(e.entries[0].clone())),
        ],
    );
    assert_seen(
        OVERFILL,
        &[
            ("less was ordered", |e| {
                e.terms_of(1, "B-filled").order_qty = qty("0.9");
            }),
            ("a match is told twice", |e| e.matches.push(e.matches[0].clone())),
            ("more is done", |e| e.order(3, "S-far").cum_qty = qty("1.1")),
        ],
    );
}

#[test]
fn matches() {
    assert_seen(
        LIMITS,
        &[
            ("above the buyer's", |e| {
                e.terms_of(1, "B-filled").price = price("99.99");
            }),
            ("below the seller's", |e| {
                e.terms_of(0, "S-filled").price = price("100.01");
            }),
            ("another price within", |e| {
                e.matched("S-filled").record.last_px = price("100.3");
            }),
            ("the sides changed", |e| {
                let parties = &mut e.matched("S-filled").parties;
                std::mem::swap(&mut parties.buyer, &mut parties.seller);
            }),
            ("another symbol", |e| {
                e.matched("S-filled").record.symbol = SYMBOLS[1].to_owned().try_into().unwrap();
            }),
        ],
    );
    assert_seen(
        MEETING,
        &[
            ("one owner", |e| {
                let parties = &mut e.matched("S-filled").parties;
                parties.buyer.order.owner = parties.seller.order.owner.clone();
            }),
            ("excluded", |e| {
                e.counterparty(0).value.exclusions.insert(cp(1));
            }),
            ("excluded by the other", |e| {
                e.counterparty(1).value.exclusions.insert(cp(0));
            }),
            ("suspended", |e| {
                e.counterparty(1).value.standing = Standing::Suspended;
            }),
            ("not registered", |e| {
                e.counterparties.retain(|known| known.value.id != cp(1));
            }),
        ],
    );
    assert_seen(
        MINIMUMS,
        &[
            ("the seller's", |e| {
                e.terms_of(0, "S-filled").min_qty = qty("1.01");
            }),
            ("the buyer's", |e| e.terms_of(1, "B-filled").min_qty = qty("1.01")),
            ("what is left", |e| {
                e.matched("S-filled").parties.seller.leaves_qty = qty("0.1");
            }),
            ("nothing", |e| {
                e.matched("S-filled").record.last_qty = Quantity::ZERO;
            }),
        ],
    );
    assert_seen(
        EXPIRED,
        &[
            ("the seller", |e| {
                e.terms_of(0, "S-filled").expire_time = e.matched("S-filled").record.matched_at;
            }),
            ("the buyer", |e| {
                e.terms_of(1, "B-filled").expire_time =
                    e.matched("S-filled").record.matched_at.plus_millis(-1);
            }),
        ],
    );
    assert_seen(
        TOKENS,
        &[
            ("one token for both", |e| {
                let record = &mut e.matched("S-filled").record;
                record.sell_token = record.buy_token.clone();
            }),
            ("another's commitment", |e| {
                e.matches[0].record.commitment = e.matches[1].record.commitment;
            }),
            ("a name used twice", |e| {
                e.matches[0].record.match_id = e.matches[1].record.match_id;
            }),
            ("tokens of another match", |e| {
                e.matches[0].record.match_id = MatchId::from_random([255; 16]);
            }),
            ("the sides changed", |e| {
                let record = &mut e.matched("S-filled").record;
                std::mem::swap(&mut record.buy_token, &mut record.sell_token);
            }),
        ],
    );
}

#[test]
fn what_changed_since_is_not_judged_by_what_is_now() {
    let mut evidence = sound();
    let now = evidence.now;
    let known = evidence.counterparty(1);
    known.value.standing = Standing::Suspended;
    known.value.exclusions.insert(cp(0));
    known.changed_at = Some(now);
    assert_eq!(check_all(&evidence)[MEETING], Ok(()));
}

/// Two interests that cross, and are in the book because neither handler looked again.
fn unseen(sell: &str, buy: &str) -> World {
    let mut world = World::new(3, 2);
    world.wait(1);
    world.send(0, sell);
    world.send(1, buy);
    let mut handlers = [(); 2].map(|()| Handler::take(&mut world, 1, 1));
    for _ in 0..2 {
        for handler in &mut handlers {
            handler.step(&mut world, crate::domain::decision::tests::world::Response::Comes);
        }
    }
    world
}

#[test]
fn a_crossing_pair_at_rest() {
    let rests = |sell: &str, buy: &str, change: fn(&mut World)| {
        let mut world = unseen(sell, buy);
        change(&mut world);
        assert_eq!(world.tables.entries.len(), 2);
        check_all(&world.evidence())[AT_REST].is_err()
    };
    let min = r#","minQty":"1.00""#;
    let brief = |world: &World| {
        let at = world.now.plus_millis(10).to_rfc3339();
        format!(r#","expireTime":"{at}""#)
    };
    let sell = |more: &str| interest("S-1", "sell", "1.00", "100.00", more);
    let buy = |qty: &str, price: &str, more: &str| interest("B-1", "buy", qty, price, more);
    let nothing: fn(&mut World) = |_| ();
    assert!(rests(&sell(""), &buy("1.00", "100.00", ""), nothing));
    assert!(rests(&sell(min), &buy("1.00", "101.00", min), nothing));
    assert!(
        !rests(&sell(""), &buy("1.00", "99.99", ""), nothing),
        "not crossing"
    );
    assert!(
        !rests(&sell(min), &buy("0.99", "100.00", ""), nothing),
        "the seller's minimum"
    );
    assert!(
        !rests(&sell(""), &buy("1.50", "100.00", r#","minQty":"1.50""#), nothing),
        "the buyer's"
    );
    let mut start = World::new(0, 1);
    start.wait(1);
    let expiring = brief(&start);
    assert!(rests(&sell(&expiring), &buy("1.00", "100.00", ""), |world| world
        .wait(9)));
    assert!(!rests(&sell(&expiring), &buy("1.00", "100.00", ""), |world| {
        world.wait(10);
    }));
    let pair = |change| rests(&sell(""), &buy("1.00", "100.00", ""), change);
    assert!(!pair(|world| world.exclude(0, 1)));
    assert!(!pair(|world| world.exclude(1, 0)));
    assert!(!pair(|world| world.set_standing(0, Standing::Suspended)));
    assert!(!pair(|world| world.set_tradable(SYMBOLS[0], false)));
    assert!(
        !pair(|world| world.set_tradable(SYMBOLS[0], true)),
        "what changed later is not judged"
    );
    assert!(
        pair(|world| world.exclude(2, 0)),
        "somebody else's changes are nothing to them"
    );
}

#[test]
fn the_best_of_many_crossing_ones_is_found_and_ones_own_are_none() {
    let mut world = World::new(3, 2);
    for (number, price) in ["103.00", "102.00", "104.00"].into_iter().enumerate() {
        world.say(0, &interest(&format!("B-{number}"), "buy", "1.00", price, ""));
        world.say(0, &interest(&format!("S-{number}"), "sell", "1.00", "90.00", ""));
    }
    assert_eq!(check_all(&world.evidence())[AT_REST], Ok(()));
    let mut evidence = world.evidence();
    evidence.entries[1].owner = cp(1);
    assert!(check_all(&evidence)[AT_REST].is_err());
}

#[test]
fn matches_told() {
    assert_seen(
        TOLD,
        &[
            ("the buyer is not told", |e| {
                e.inboxes.get_mut(&cp(1)).unwrap().clear();
            }),
            ("told otherwise", |e| {
                e.change_message(0, r#""lastQty":"1""#, r#""lastQty":"2""#);
            }),
            ("a copy that differs", |e| {
                let other = e
                    .message(0, r#""type":"match""#)
                    .replace(r#""cxlQty":"0""#, r#""cxlQty":"1""#);
                e.inboxes
                    .get_mut(&cp(0))
                    .unwrap()
                    .push(other.replace(r#""cxlQty":"0.2""#, r#""cxlQty":"1""#));
            }),
            ("a copy for somebody else", |e| {
                let copy = e.message(0, r#""type":"match""#).clone();
                e.inboxes.get_mut(&cp(3)).unwrap().push(copy);
            }),
            ("a match that is none", |e| {
                let other = e
                    .message(0, r#""type":"match""#)
                    .replace(r#""messageId":""#, r#""messageId":"x"#);
                e.inboxes.get_mut(&cp(0)).unwrap().push(other);
            }),
            ("not marked as told", |e| e.order(1, "B-filled").told_at = None),
            ("nobody's match", |e| e.order(1, "B-filled").matches.clear()),
            ("found twice", |e| {
                let matches = e.order(1, "B-filled").matches.clone();
                let other = e.order(2, "B-rests");
                other.matches.extend(matches);
            }),
            ("a token is not listed", |e| {
                e.order(0, "S-filled").tokens.clear();
            }),
            ("a token is not inherited", |e| {
                e.order(0, "S-new").tokens.remove(0);
            }),
            ("a token is listed twice", |e| {
                let tokens = e.order(0, "S-filled").tokens.clone();
                e.order(0, "S-filled").tokens.extend(tokens);
            }),
            ("no JSON", |e| {
                e.inboxes.get_mut(&cp(0)).unwrap().push("{".to_owned());
            }),
        ],
    );
}

#[test]
fn messages_ended() {
    assert_seen(
        ENDS,
        &[
            ("forgotten", |e| {
                e.submissions.retain(|s| s.cl_ord_id.as_str() != "S-far");
            }),
            ("of nobody", |e| {
                e.sent.retain(|sent| sent.order.cl_ord_id.as_str() != "S-far");
            }),
            ("a mark of nobody", |e| e.order(3, "B-never").ended_by = None),
            ("still a mark", |e| {
                e.order(3, "S-far").kind = SubmissionKind::Mark;
            }),
            ("of another kind", |e| {
                e.order(3, "S-far").kind = SubmissionKind::Cancel;
            }),
            ("of another meaning", |e| {
                e.order(3, "S-far").body_hash = e.order(3, "S-other").body_hash;
            }),
            ("of another time", |e| e.order(3, "S-far").accepted_at = e.now),
            ("it neither rests nor ended", |e| e.order(3, "S-far").rests = None),
            ("an order that is none", |e| e.order(3, "S-far").ord_status = None),
            ("pending, and yet it rests", |e| {
                e.order(3, "S-far").cl_ord_id = e.order(3, "B-never").cl_ord_id.clone();
            }),
            ("a refusal did not arrive", |e| {
                e.inboxes
                    .get_mut(&cp(0))
                    .unwrap()
                    .retain(|body| !body.contains("off_lot"));
            }),
            ("a reuse is not refused", |e| {
                e.inboxes
                    .get_mut(&cp(0))
                    .unwrap()
                    .retain(|body| !body.contains("duplicate"));
            }),
            ("an answer did not arrive", |e| {
                e.inboxes
                    .get_mut(&cp(0))
                    .unwrap()
                    .retain(|body| !body.contains("replaced"));
            }),
            ("an answer to nothing", |e| {
                let other = e
                    .message(0, "off_lot")
                    .replace(r#""messageId":""#, r#""messageId":"x"#);
                e.inboxes.get_mut(&cp(0)).unwrap().push(other);
            }),
            ("lost", |e| e.set_aside.truncate(1)),
            ("without a reason", |e| e.set_aside[0].reason = None),
            ("an unknown reason", |e| {
                e.set_aside[0].reason = Some("because".to_owned());
            }),
            ("set aside though readable", |e| {
                e.set_aside[0].body = "other".to_owned();
            }),
        ],
    );
}

#[test]
fn identities() {
    assert_seen(
        IDENTITY,
        &[
            ("one's own opaque id", |e| {
                e.change_message(0, r#""USD""#, r#""cp-0""#);
            }),
            ("another's order", |e| {
                e.change_message(0, r#""S-filled""#, r#""B-filled""#);
            }),
            ("another's token", |e| {
                let token = e.matched("S-filled").record.buy_token.encode();
                let own = e.matched("S-filled").record.sell_token.encode();
                e.change_message(0, &own, &token);
            }),
            ("a principal", |e| {
                e.change_message(0, r#""BTCUSD""#, r#""AROA00000001""#);
            }),
            ("an inbox", |e| {
                e.change_message(0, r#""sell""#, r#""https://sqs/inbox-1""#);
            }),
            ("one field more", |e| {
                e.change_message(0, r#"{"type""#, r#"{"counterparty":"x","type""#);
            }),
            ("one field less", |e| {
                e.change_message(0, r#","reason":"off_lot""#, "");
            }),
            ("an unknown type", |e| {
                e.change_message(0, r#""replaced""#, r#""x""#);
            }),
            ("a number", |e| {
                e.change_message(0, r#""cxlQty":"0.2""#, r#""cxlQty":0.2"#);
            }),
            ("a token of nobody", |e| {
                let own = e.matched("S-filled").record.sell_token.encode();
                e.change_message(0, &own, "x");
            }),
            ("another's token in a list", |e| {
                let token = e.matched("S-filled").record.buy_token.encode();
                e.change_message(0, r#""tokens":["#, &format!(r#""tokens":["{token}","#));
            }),
        ],
    );
}
