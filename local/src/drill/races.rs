//! Many matchers at one book: interests that all cross, cancels and replaces against matches and against each other
//! and before their original, duplicates delivered side by side.

use std::collections::{BTreeMap, BTreeSet};

use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use symbolon_shared::domain::parameters::MatchParameters;
use tokio::time::Instant;

use super::storm::until_done;
use super::{DrillOptions, Secrets, StageReport, conclude, dice, under_fire, unmet};
use crate::deployment::{DeploymentError, now};
use crate::platform::faults::{Counts, Injection};
use crate::progress::Progress;
use crate::replay::{Sender, Sent};
use crate::trial::Trial;

/// Everybody who takes part.
const COUNTERPARTIES: u32 = 12;

/// Small, so that many handlers work side by side.
const BATCH_SIZE: usize = 10;

/// How many places a message may be out of order.
const SHUFFLE: usize = 40;

pub(super) async fn run(
    options: &DrillOptions,
    secrets: &mut Secrets,
    progress: &Progress,
) -> Result<StageReport, DeploymentError> {
    let started = Instant::now();
    let numbers: BTreeSet<u32> = (1..=COUNTERPARTIES).collect();
    let mut trial = Trial::start(numbers, vec![one_symbol()?]).await?;
    let faults = dice::conflicts(options.seed);
    let mut racers = (0..options.racers)
        .map(|_| trial.process(&under_fire(&faults, Some(BATCH_SIZE))))
        .collect::<Result<Vec<_>, _>>()?;
    trial
        .send(messages(options.race_interests, options.seed, now().as_millis()))
        .await?;
    let returned = until_done(&mut trial, &mut racers).await?;
    progress.inc(trial.replayed().sent.len() as u64);
    let mut report = conclude("races", trial, &racers, &faults, returned, secrets, |_, _| None).await?;
    report.notes = contention(&report.attempts, &report.errors);
    report.unmet = unmet(&faults, &[("dynamodb:TransactWriteItems", Injection::Conflict)]);
    if !report.notes.contains_key(LOST) {
        report.unmet.push("a lost condition".to_owned());
    }
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}

const LOST: &str = "writes that lost a condition";

/// What the races cost: how many writes met another in their way, of all that were tried.
fn contention(attempts: &BTreeMap<String, u64>, errors: &Counts<String>) -> BTreeMap<&'static str, String> {
    let writes = |operation: &str| WRITES.contains(&operation);
    let tried: u64 = attempts
        .iter()
        .filter(|(operation, _)| writes(operation))
        .map(|(_, count)| count)
        .sum();
    let share = |codes: &[&str]| -> Option<String> {
        let met = errors
            .iter()
            .filter(|((operation, code), _)| writes(operation) && codes.contains(&code.as_str()));
        let met: u64 = met.map(|(_, count)| count).sum();
        let per_mille = (met * 1_000).checked_div(tried)?;
        (met > 0).then(|| format!("{met} of {tried} ({}.{} %)", per_mille / 10, per_mille % 10))
    };
    let lost = share(&["ConditionalCheckFailed", "ConditionalCheckFailedException"]);
    let conflicts = share(&["TransactionConflict", "TransactionConflictException"]);
    let again = share(&[
        "ConditionalCheckFailed",
        "ConditionalCheckFailedException",
        "TransactionConflict",
        "TransactionConflictException",
    ]);
    let rows = [
        (LOST, lost),
        ("writes that met another transaction", conflicts),
        ("writes decided again for either", again),
    ];
    rows.into_iter()
        .filter_map(|(name, share)| Some((name, share?)))
        .collect()
}

const WRITES: [&str; 4] = [
    "dynamodb:DeleteItem",
    "dynamodb:PutItem",
    "dynamodb:TransactWriteItems",
    "dynamodb:UpdateItem",
];

/// Whole units at whole prices.
fn one_symbol() -> Result<MatchParameters, DeploymentError> {
    serde_json::from_value(json!({
        "v": 1, "symbol": "RACE", "tick": "1", "lot": "1", "pricePolicy": "resting", "currency": "USD",
        "tradable": true, "version": 1,
    }))
    .map_err(|error| DeploymentError::Queue(Box::new(error)))
}

/// Orders of everybody within a few ticks, some cancelled, some replaced in place, some anew, some asked for; a
/// fifth is sent twice in a row, and nothing keeps its place.
fn messages(count: usize, seed: u64, now_millis: i64) -> Vec<Sent> {
    let mut dice = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut all = Vec::new();
    for n in 0..count {
        let counterparty = dice.random_range(1..=COUNTERPARTIES);
        let mut bodies = vec![interest(n, &mut dice)];
        bodies.extend(afterwards(n, &mut dice));
        all.extend(bodies.into_iter().map(|body| (counterparty, body.to_string())));
    }
    let first = now_millis - i64::try_from(all.len()).unwrap_or_default() - 1;
    let stamped = all
        .into_iter()
        .zip(first..)
        .map(|((counterparty, body), at_millis)| Sent {
            sender: Sender::Counterparty(counterparty),
            body,
            at_millis,
        });
    let mut placed: Vec<(usize, Sent)> = Vec::new();
    for (place, sent) in stamped.enumerate() {
        let place = place + dice.random_range(0..SHUFFLE);
        if dice.random_range(0..5) == 0 {
            placed.push((place, sent.clone()));
        }
        placed.push((place, sent));
    }
    placed.shuffle(&mut dice);
    placed.sort_by_key(|(place, _)| *place);
    placed.into_iter().map(|(_, sent)| sent).collect()
}

fn interest(n: usize, dice: &mut Xoshiro256PlusPlus) -> Value {
    let side = if dice.random_bool(0.5) { "buy" } else { "sell" };
    let qty = dice.random_range(1..9);
    let mut body = json!({
        "type": "interest", "clOrdId": format!("RACE-O-{n}"), "symbol": "RACE", "side": side,
        "orderQty": qty.to_string(), "price": dice.random_range(98..103).to_string(),
    });
    if qty > 2 && dice.random_bool(0.3) {
        body["minQty"] = json!(dice.random_range(1..=3).to_string());
    }
    body
}

/// What its owner wants of it next, if anything.
fn afterwards(n: usize, dice: &mut Xoshiro256PlusPlus) -> Vec<Value> {
    let orig = format!("RACE-O-{n}");
    let cancel = json!({ "type": "cancel", "clOrdId": format!("RACE-C-{n}"), "origClOrdId": orig });
    let cut = json!({
        "type": "replace", "clOrdId": format!("RACE-R-{n}"), "origClOrdId": orig,
        "orderQty": dice.random_range(1..9).to_string(),
    });
    let anew = json!({
        "type": "replace", "clOrdId": format!("RACE-N-{n}"), "origClOrdId": orig,
        "orderQty": "4", "price": dice.random_range(98..103).to_string(),
    });
    let status = json!({ "type": "status", "clOrdId": format!("RACE-S-{n}"), "origClOrdId": orig });
    match dice.random_range(0..8) {
        0 => vec![cancel],
        1 => vec![cut],
        2 => vec![anew],
        3 => vec![cut, cancel],
        4 => vec![status],
        _ => Vec::new(),
    }
}
