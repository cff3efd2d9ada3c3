//! The bodies of inbox messages, frozen: field by field what the contract shows, and the ids that every copy bears.

use serde_json::{Value, json};

use crate::domain::decimal::{Price, Quantity};
use crate::domain::form::Form;
use crate::domain::identifiers::{ClOrdId, CounterpartyId, OrderKey, Side, Symbol};
use crate::domain::inbox::{OutboundMessage, answer_message, match_messages, refusal};
use crate::domain::intake::BodyHash;
use crate::domain::match_record::MatchRecord;
use crate::domain::reason::Reason;
use crate::domain::submission::{Answer, OrdStatus, Submission, SubmissionKind, Terms, submission_expiry};
use crate::domain::time::Timestamp;
use crate::domain::token::{Commitment, DataKey, EpochId, EpochKey, MatchId, Parties, PartyLeg, Token};

use super::world::parse;

/// The contract's examples, their placeholders filled in with values of the fixtures.
const CONTRACT: &str = include_str!("bodies.json");

fn example(kind: &str) -> Value {
    let all: Value = serde_json::from_str(CONTRACT).unwrap();
    let examples = all.as_array().unwrap();
    let of_kind = examples.iter().find(|example| example["type"] == kind);
    of_kind.unwrap().clone()
}

fn owner() -> CounterpartyId {
    CounterpartyId::new("cp-a").unwrap()
}

fn id(text: &str) -> ClOrdId {
    ClOrdId::new(text).unwrap()
}

fn qty(text: &str) -> Quantity {
    Quantity::parse(text).unwrap()
}

fn at() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-23T10:15:30.123Z").unwrap()
}

fn key() -> EpochKey {
    EpochKey::derive(EpochId::new(at(), 1), DataKey::new([7; 32]))
}

fn hash() -> BodyHash {
    parse(r#"{"type":"cancel","clOrdId":"A-2","origClOrdId":"A-1"}"#).body_hash
}

fn token() -> Token {
    key().token(MatchId::from_random([1; 16]), Side::Buy, &owner())
}

fn answered(cl_ord_id: &str, answer: Answer) -> OutboundMessage {
    let terms = Terms {
        symbol: Symbol::new("BTCUSD").unwrap(),
        side: Side::Buy,
        order_qty: qty("1.25"),
        price: Price::parse("236.47").unwrap(),
        min_qty: Quantity::ZERO,
        expire_time: at().plus_days(1),
    };
    let submission = Submission {
        v: Form,
        owner: owner(),
        cl_ord_id: id(cl_ord_id),
        kind: SubmissionKind::Interest,
        body_hash: Some(hash()),
        accepted_at: at(),
        answer: Some(answer),
        terms: Some(terms),
        ord_status: Some(OrdStatus::New),
        // What the order has come to since says nothing in its answer, which is frozen.
        cum_qty: qty("1"),
        leaves_qty: qty("0.25"),
        rests: None,
        tokens: Vec::new(),
        matches: Vec::new(),
        told_at: None,
        ended_by: None,
        generation: 1,
        expires_at: submission_expiry(at()),
    };
    answer_message(&submission).unwrap()
}

#[track_caller]
fn assert_is_the_contracts(message: &OutboundMessage) {
    let body: Value = serde_json::from_str(&message.body).unwrap();
    assert_eq!(body, example(message.kind));
    assert_eq!(body["messageId"], message.message_id.encode());
    assert_eq!(message.to, owner());
}

#[test]
fn a_match() {
    let (key, match_id) = (key(), MatchId::from_random([1; 16]));
    let leg = |owner: &str, name: &str, leaves: &str| PartyLeg {
        order: OrderKey::new(CounterpartyId::new(owner).unwrap(), id(name)),
        cum_qty: qty("0.50"),
        leaves_qty: qty(leaves),
        cxl_qty: Quantity::ZERO,
    };
    let parties = Parties {
        buyer: leg("cp-a", "A-1", "0.75"),
        seller: leg("cp-b", "B-1", "0"),
    };
    let sell_token = key.token(match_id, Side::Sell, &parties.seller.order.owner);
    let record = MatchRecord {
        v: Form,
        match_id,
        commitment: Commitment::of(&token(), &sell_token),
        buy_token: token(),
        sell_token,
        symbol: Symbol::new("BTCUSD").unwrap(),
        currency: "USD".to_owned(),
        last_qty: qty("0.50"),
        last_px: Price::parse("236.47").unwrap(),
        matched_at: at(),
        region: "us-east-1".to_owned(),
        key_epoch: key.epoch(),
        parameter_version: 1,
        parties: key.seal(match_id, &parties, [0; 12]),
        generation: 1,
        expires_at: submission_expiry(at()),
    };
    let [buyers, sellers] = match_messages(&record, &parties);
    assert_is_the_contracts(&buyers);
    assert_eq!(sellers.to.as_str(), "cp-b");
    let sellers: Value = serde_json::from_str(&sellers.body).unwrap();
    assert_eq!(
        (&sellers["clOrdId"], &sellers["side"]),
        (&json!("B-1"), &json!("sell"))
    );
    assert_eq!(sellers["token"], record.sell_token.encode());
    assert_eq!(sellers["commitment"], example("match")["commitment"]);
}

#[test]
fn every_answer() {
    let orig_cl_ord_id = id("A-1");
    for (cl_ord_id, answer) in [
        ("A-1", Answer::Accepted),
        (
            "A-2",
            Answer::Cancelled {
                cl_ord_id: id("A-2"),
                orig_cl_ord_id: orig_cl_ord_id.clone(),
                cum_qty: qty("0.50"),
                cxl_qty: qty("0.75"),
            },
        ),
        (
            "A-2",
            Answer::CancelPending {
                orig_cl_ord_id: orig_cl_ord_id.clone(),
            },
        ),
        (
            "A-3",
            Answer::Replaced {
                orig_cl_ord_id: orig_cl_ord_id.clone(),
                cum_qty: qty("0.50"),
                leaves_qty: qty("0.25"),
            },
        ),
        (
            "A-4",
            Answer::Status {
                orig_cl_ord_id,
                ord_status: OrdStatus::PartiallyFilled,
                cum_qty: qty("0.50"),
                leaves_qty: qty("0.75"),
                tokens: vec![token()],
            },
        ),
        (
            "A-9",
            Answer::Rejected {
                reason: Reason::OffTick,
            },
        ),
    ] {
        assert_is_the_contracts(&answered(cl_ord_id, answer));
    }
}

#[test]
fn a_refusal_that_is_not_remembered_is_the_same_message() {
    let order = OrderKey::new(owner(), id("A-9"));
    assert_is_the_contracts(&refusal(&order, &hash(), Reason::OffTick));
}
