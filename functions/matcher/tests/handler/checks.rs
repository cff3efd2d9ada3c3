//! What must hold of the tables and the inboxes when everything that was sent has been done.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use symbolon_shared::domain::book::Entry;
use symbolon_shared::domain::decimal::{Price, Quantity};
use symbolon_shared::domain::identifiers::Side;
use symbolon_shared::domain::submission::{OrdStatus, Submission};
use symbolon_shared::domain::token::Token;

use crate::world::World;

/// All of it.
pub(crate) fn check(world: &World) {
    copies_are_identical(world);
    every_match_is_told_to_both(world);
    nothing_is_left_untold(world);
    quantities_are_conserved(world);
    limits_are_respected(world);
    book_and_submissions_agree(world);
    nothing_that_crosses_is_at_rest(world);
}

/// Every inbox message, copies included, with the queue it lies in.
fn messages(world: &World) -> impl Iterator<Item = (String, Value)> {
    let inboxes = world.memory.inboxes().into_iter();
    inboxes.flat_map(|(url, queue)| {
        queue
            .into_iter()
            .map(move |message| (url.clone(), serde_json::from_str(&message.body).unwrap()))
    })
}

fn text<'a>(message: &'a Value, field: &str) -> &'a str {
    message[field].as_str().unwrap_or_else(|| panic!("no {field}"))
}

pub(crate) fn copies_are_identical(world: &World) {
    let mut seen = BTreeMap::new();
    for copy in messages(world) {
        let first = seen
            .entry(text(&copy.1, "messageId").to_owned())
            .or_insert_with(|| copy.clone());
        assert_eq!(*first, copy);
    }
}

/// Each stored match, and nothing else, has one message in each of two inboxes, and the two fit.
pub(crate) fn every_match_is_told_to_both(world: &World) {
    let mut told: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
    let matches = messages(world).filter(|(_, message)| message["type"] == "match");
    for (url, message) in matches {
        let of_match = told.entry(text(&message, "commitment").to_owned()).or_default();
        of_match.insert(url, message);
    }
    let stored = world.memory.matches();
    let commitments: BTreeSet<String> = stored.iter().map(|record| record.commitment.encode()).collect();
    assert_eq!(told.keys().cloned().collect::<BTreeSet<_>>(), commitments);
    for record in stored {
        let legs: Vec<&Value> = told[&record.commitment.encode()].values().collect();
        let [one, other] = legs.as_slice() else {
            panic!("a match in {} inboxes", legs.len())
        };
        assert_ne!(one["side"], other["side"]);
        for same in ["lastQty", "lastPx", "symbol", "matchedAt", "currency"] {
            assert_eq!(one[same], other[same]);
        }
        let token = |leg: &Value| Token::parse(text(leg, "token")).unwrap();
        assert!(record.commitment.fits(&token(one), &token(other)));
    }
}

/// No submission answers for matches that it does not know to be told.
pub(crate) fn nothing_is_left_untold(world: &World) {
    for submission in world.memory.submissions() {
        assert!(
            !submission.has_untold_matches(),
            "untold: {}",
            submission.cl_ord_id.as_str()
        );
    }
}

/// What an order has done is the sum of its matches, and with what is left at most what was wanted.
pub(crate) fn quantities_are_conserved(world: &World) {
    let lots: BTreeMap<String, Quantity> = world
        .memory
        .matches()
        .iter()
        .flat_map(|record| [Side::Buy, Side::Sell].map(|side| (record.token(side).encode(), record.last_qty)))
        .collect();
    let mut owned = Vec::new();
    for submission in world.memory.submissions() {
        let Some(terms) = &submission.terms else { continue };
        let tokens: Vec<String> = submission.tokens.iter().map(Token::encode).collect();
        let done = tokens
            .iter()
            .fold(Quantity::ZERO, |sum, token| sum.plus(lots[token]));
        let name = submission.cl_ord_id.as_str();
        assert_eq!(done, submission.cum_qty, "{name}");
        let all = submission.cum_qty.plus(submission.leaves_qty);
        assert!(all <= terms.order_qty, "overfilled: {name}");
        if is_open(&submission) || submission.ord_status == Some(OrdStatus::Filled) {
            assert_eq!(all, terms.order_qty, "{name}");
        }
        if submission.ord_status != Some(OrdStatus::Replaced) {
            owned.extend(tokens);
        }
    }
    // Each leg of each match is somebody's, once.
    owned.sort();
    assert_eq!(owned, lots.into_keys().collect::<Vec<_>>());
}

/// A replaced order and the one that replaced it both hold the token: one of them had terms that allow the match.
pub(crate) fn limits_are_respected(world: &World) {
    let submissions = world.memory.submissions();
    for record in world.memory.matches() {
        let holders = |side| {
            let token = record.token(side).clone();
            let holds = move |submission: &&Submission| submission.tokens.contains(&token);
            submissions.iter().filter(holds)
        };
        let allow = |side, allows: fn(Price, Price) -> bool| {
            holders(side).any(|holder| {
                let terms = holder.terms.as_ref().unwrap();
                allows(record.last_px, terms.price) && record.last_qty >= terms.min_qty
            })
        };
        assert!(allow(Side::Buy, |last, limit| last <= limit));
        assert!(allow(Side::Sell, |last, limit| last >= limit));
        let owner = |side| holders(side).next().unwrap().owner.clone();
        assert_ne!(owner(Side::Buy), owner(Side::Sell));
    }
}

/// Each entry is what its submission says, and no submission rests without one.
pub(crate) fn book_and_submissions_agree(world: &World) {
    let mut entries = world.memory.entries();
    let resting = world.memory.submissions().into_iter();
    let mut expected: Vec<Entry> = resting.filter_map(|submission| submission.entry()).collect();
    let key = |entry: &Entry| entry.key();
    entries.sort_by_key(key);
    expected.sort_by_key(key);
    assert!(entries == expected, "book and submissions differ");
}

/// For books whose owners may all meet.
pub(crate) fn nothing_that_crosses_is_at_rest(world: &World) {
    let entries = world.memory.entries();
    let of = |side| {
        entries
            .iter()
            .filter(move |entry: &&Entry| entry.book.side == side)
    };
    for bid in of(Side::Buy) {
        for ask in of(Side::Sell) {
            let lot = bid.leaves_qty.min(ask.leaves_qty);
            let fits = bid.book.symbol == ask.book.symbol
                && bid.price >= ask.price
                && bid.owner != ask.owner
                && lot >= bid.min_qty.max(ask.min_qty)
                && bid.expire_time.min(ask.expire_time) > world.clock.now();
            let names = (bid.cl_ord_id.as_str(), ask.cl_ord_id.as_str());
            assert!(!fits, "at rest although they cross: {names:?}");
        }
    }
}

fn is_open(submission: &Submission) -> bool {
    matches!(
        submission.ord_status,
        Some(OrdStatus::New | OrdStatus::PartiallyFilled)
    )
}
