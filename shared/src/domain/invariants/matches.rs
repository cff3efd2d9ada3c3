//! Each match alone: prices, parties, minimums, times, tokens.

use std::collections::{HashMap, HashSet};

use super::{Evidence, Known, MatchedLeg, Name, OpenedMatch, Verdict, ensure, known, shown};
use crate::domain::counterparty::Counterparty;
use crate::domain::decimal::Price;
use crate::domain::identifiers::Symbol;
use crate::domain::parameters::{MatchParameters, PricePolicy};
use crate::domain::submission::Terms;
use crate::domain::token::Commitment;

/// How a counterexample names a match.
pub(super) fn shown_match(opened: &OpenedMatch) -> String {
    let [buyer, seller] = opened.legs().map(|leg| shown(leg.name()));
    format!("the match of {buyer} with {seller}")
}

/// Checks both legs of every match, each with the terms of its order.
fn each_leg(evidence: &Evidence, check: impl Fn(&MatchedLeg<'_>, &Terms) -> Verdict) -> Verdict {
    let terms = evidence.terms();
    evidence
        .legs()
        .try_for_each(|leg| check(&leg, known(&terms, leg.name())?))
}

/// Every match is between a buyer and a seller of its symbol, at a price within both limits which is the one that
/// the symbol's policy gives.
///
/// # Errors
/// The first counterexample.
pub fn invariant_limits_respected(evidence: &Evidence) -> Verdict {
    let terms = evidence.terms();
    let values = evidence.parameters.iter().map(|known| &known.value);
    let parameters: HashMap<_, _> = values.map(|value| (&value.symbol, value)).collect();
    for opened in &evidence.matches {
        limits_respected(opened, &terms, &parameters)?;
    }
    Ok(())
}

fn limits_respected(
    opened: &OpenedMatch,
    terms: &HashMap<Name<'_>, &Terms>,
    parameters: &HashMap<&Symbol, &MatchParameters>,
) -> Verdict {
    let (record, legs) = (&opened.record, opened.legs());
    for leg in &legs {
        let terms = known(terms, leg.name())?;
        ensure(terms.symbol == record.symbol && terms.side == leg.side, || {
            format!("{}: not what {} is about", shown_match(opened), shown(leg.name()))
        })?;
    }
    let [buy, sell] = legs.map(|leg| leg.name());
    let (buy, sell) = (known(terms, buy)?.price, known(terms, sell)?.price);
    // Another version of the parameters may have had another policy.
    let then = parameters
        .get(&record.symbol)
        .filter(|now| now.version == record.parameter_version);
    let policy = then.map(|parameters| parameters.price_policy);
    let px = record.last_px;
    ensure(
        (sell..=buy).contains(&px) && follows(policy, px, buy, sell),
        || format!("{}: {px} between {sell} and {buy}", shown_match(opened)),
    )
}

fn follows(policy: Option<PricePolicy>, px: Price, buy: Price, sell: Price) -> bool {
    let doubled = |price: Price| price.decimal() + price.decimal();
    match policy {
        Some(PricePolicy::Resting) => px == buy || px == sell,
        Some(PricePolicy::Midpoint) => doubled(px) == buy.decimal() + sell.decimal(),
        None => true,
    }
}

/// Nobody is matched with itself, with somebody that either of the two excludes, or while one may not trade.
///
/// # Errors
/// The first counterexample.
pub fn invariant_no_self_or_excluded_match(evidence: &Evidence) -> Verdict {
    let counterparties = evidence.counterparties();
    for opened in &evidence.matches {
        let [buyer, seller] = opened.legs().map(|leg| &leg.leg.order.owner);
        ensure(buyer != seller, || format!("{}: one owner", shown_match(opened)))?;
        let both = counterparties.get(buyer).zip(counterparties.get(seller));
        let Some((buyer, seller)) = both else {
            return ensure(false, || {
                format!("{}: not both are registered", shown_match(opened))
            });
        };
        let at = opened.record.matched_at;
        let held = |known: &Known<Counterparty>| known.held_since(at);
        let allowed = buyer.value.may_meet(&seller.value) || !held(buyer) || !held(seller);
        ensure(allowed, || format!("{}: they may not meet", shown_match(opened)))?;
    }
    Ok(())
}

/// No fill is smaller than either minimum, and what it leaves can still be filled within the order's own.
///
/// # Errors
/// The first counterexample.
pub fn invariant_minimums_respected(evidence: &Evidence) -> Verdict {
    each_leg(evidence, |leg, terms| {
        let leaves = leg.leg.leaves_qty;
        ensure(
            leg.record.last_qty >= terms.min_qty && !leg.record.last_qty.is_zero(),
            || {
                let (last, min) = (leg.record.last_qty, terms.min_qty);
                format!("{}: a fill of {last}, its minimum is {min}", shown(leg.name()))
            },
        )?;
        ensure(leaves.is_zero() || leaves >= terms.min_qty, || {
            format!(
                "{}: {leaves} left, its minimum is {}",
                shown(leg.name()),
                terms.min_qty
            )
        })
    })
}

/// Both interests of a match were in their time when it was made.
///
/// # Errors
/// The first counterexample.
pub fn invariant_nothing_expired_matched(evidence: &Evidence) -> Verdict {
    each_leg(evidence, |leg, terms| {
        let at = leg.record.matched_at;
        ensure(at < terms.expire_time, || {
            let (name, expiry) = (shown(leg.name()), terms.expire_time);
            format!("{name}: matched at {at:?}, expired at {expiry:?}")
        })
    })
}

/// No two matches share a name, no two legs a token; the two tokens of a match name it, and its commitment is the
/// hash over the buyer's and the seller's, in this order.
///
/// # Errors
/// The first counterexample.
pub fn invariant_tokens_unique_and_fitting(evidence: &Evidence) -> Verdict {
    let (mut ids, mut tokens) = (HashSet::new(), HashSet::new());
    for opened in &evidence.matches {
        let record = &opened.record;
        let (buy, sell) = (&record.buy_token, &record.sell_token);
        let fresh =
            ids.insert(record.match_id) && tokens.insert(buy.encode()) && tokens.insert(sell.encode());
        ensure(fresh, || {
            format!("{}: its name or a token is another's too", shown_match(opened))
        })?;
        let named = buy.match_id() == record.match_id && sell.match_id() == record.match_id;
        let fitting = record.commitment == Commitment::of(buy, sell) && record.commitment.fits(sell, buy);
        ensure(named && fitting, || {
            format!(
                "{}: tokens and commitment do not fit each other",
                shown_match(opened)
            )
        })?;
    }
    Ok(())
}
