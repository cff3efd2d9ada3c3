//! What an interest asks of AWS, with few and with many resting in the book.

use symbolon_shared::domain::identifiers::Side;

use super::budget;
use super::floor::{Floor, Interest};
use super::report::{Counted, Row};
use super::{BenchError, Scale, Told};

/// The one symbol that is traded.
const SYMBOL: &str = "BTCUSD";
/// The best prices, in ticks of 0.01. The best of both sides, a tick apart.
const BEST_BUY_TICKS: u32 = 1_000_000;
const BEST_SELL_TICKS: u32 = BEST_BUY_TICKS + 1;
/// A limit that reaches every entry of every book.
const ANY_PRICE: &str = "999999";

/// Names of the two cases.
pub(super) const RESTING: &str = "interests that rest";
pub(super) const MATCHING: &str = "interests filled by one other each";

/// Both cases with every book of `scale`, and how much they grow.
pub(super) async fn rows(scale: &Scale, told: &Told<'_>) -> Result<Vec<Row>, BenchError> {
    let (mut resting, mut matching) = (Vec::new(), Vec::new());
    for book in &scale.books {
        told(&format!("books of {book}"));
        let floor = floor(*book, scale).await?;
        resting.push(rest(&floor, *book, scale).await?);
        matching.push(take(&floor, *book, scale).await?);
        floor.deployment.shut_down().await;
    }
    let grown = [
        budget::growth(RESTING, &resting),
        budget::growth(MATCHING, &matching),
    ];
    Ok(resting.into_iter().chain(matching).chain(grown).collect())
}

fn price(ticks: u32) -> String {
    format!("{}.{:02}", ticks / 100, ticks % 100)
}

/// A price level for each entry, the best in front, an owner for each in turn.
async fn floor(book: u32, scale: &Scale) -> Result<Floor, BenchError> {
    let floor = Floor::start(scale.counterparties, &[SYMBOL]).await?;
    let resting = |side: Side, number: u32, ticks: u32| {
        let interest = Interest {
            name: format!("resting-{}-{number}", side.as_str()),
            symbol: SYMBOL,
            side,
            order_qty: "1",
            price: price(ticks),
        };
        (floor.turn(number), interest)
    };
    // What is going to be taken lies in front of the book: it never holds less.
    let selling = book + scale.interests() + floor.counterparties();
    floor
        .fill((0..selling).map(|n| resting(Side::Sell, n, BEST_SELL_TICKS + n)))
        .await?;
    floor
        .fill((0..book).map(|n| resting(Side::Buy, n, BEST_BUY_TICKS - n)))
        .await?;
    Ok(floor)
}

/// Interests of both sides that do not cross, each nearer to the other side than the one before: each must look further
/// than anybody has looked, and one query has to do for all the same.
async fn rest(floor: &Floor, book: u32, scale: &Scale) -> Result<Row, BenchError> {
    let counted = batches(floor, scale, |number| {
        let behind_best = scale.interests() - number;
        let (side, ticks) = if number.is_multiple_of(2) {
            (Side::Buy, BEST_BUY_TICKS - behind_best)
        } else {
            (Side::Sell, BEST_SELL_TICKS + behind_best)
        };
        Interest {
            name: format!("rests-{number}"),
            symbol: SYMBOL,
            side,
            order_qty: "1",
            price: price(ticks),
        }
    })
    .await?;
    expect(RESTING, counted.matches, 0)?;
    let figures = [
        budget::write_units(&counted, budget::RESTS),
        budget::read_units(&counted),
        budget::queries(&counted, scale.batches.into(), 2.0),
    ];
    Ok(Row::counted(RESTING, Some(book.into()), counted).with(figures))
}

/// Interests that take one entry each, though their limit reaches the whole book.
async fn take(floor: &Floor, book: u32, scale: &Scale) -> Result<Row, BenchError> {
    let counted = batches(floor, scale, |number| Interest {
        name: format!("takes-{number}"),
        symbol: SYMBOL,
        side: Side::Buy,
        order_qty: "1",
        price: ANY_PRICE.to_owned(),
    })
    .await?;
    expect(MATCHING, counted.matches, counted.interests)?;
    let mut figures = vec![
        budget::write_units(&counted, budget::FILLED_BY_ONE),
        budget::read_units(&counted),
    ];
    // Twelve inboxes share the messages of a batch; of a small one there are too few to fill a request.
    if scale.is_full() {
        figures.extend(budget::messages_per_send(&counted));
    }
    Ok(Row::counted(MATCHING, Some(book.into()), counted).with(figures))
}

/// Every batch of `scale`, by a matcher that has read what it needs of everybody.
async fn batches<'i>(
    floor: &Floor,
    scale: &Scale,
    interest: impl Fn(u32) -> Interest<'i>,
) -> Result<Counted, BenchError> {
    let mut whole = Counted::default();
    for batch in 0..scale.batches {
        floor.warm(SYMBOL).await?;
        let numbers = batch * scale.batch_size..(batch + 1) * scale.batch_size;
        // Another turn than the entries': nobody meets itself all the time.
        let messages = numbers.map(|number| (floor.turn(number + 5), interest(number).body()));
        whole = whole.plus(&floor.count(messages.collect()).await?);
    }
    Ok(whole)
}

fn expect(case: &str, found: u64, expected: u64) -> Result<(), BenchError> {
    if found == expected {
        Ok(())
    } else {
        Err(BenchError::Unexpected(format!(
            "{case}: {found} matches, not {expected}"
        )))
    }
}
