//! LOBSTER messages: CSV without a header, the orders of one NASDAQ share on one day.
//!
//! An execution names only the resting order. Whoever took it becomes counterparty 0, with an interest of its own.

use std::io::BufRead;
use std::num::NonZeroU32;

use symbolon_shared::domain::decimal::{Price, Quantity};
use symbolon_shared::domain::identifiers::{ClOrdId, Side, Symbol};

use super::rows::{LineFault, Parsed, ReadError, Row, Rows, decimal_digits, with_point};
use super::{Action, Event, OrderFlow, without_events};

/// `time,type,order id,size,price × 10 000,direction`.
const FIELDS: usize = 6;

/// Prices are dollars times 10,000.
const PRICE_SCALE: usize = 4;

/// Whom LOBSTER does not name.
const TAKERS: u32 = 0;

pub(super) fn read<R: BufRead>(
    rows: Rows<R>,
    symbol: Symbol,
    counterparties: NonZeroU32,
) -> Result<OrderFlow, ReadError> {
    rows.collect_into(without_events(symbol, "0.0001", "1"), FIELDS, |row| {
        parse(row, counterparties)
    })
}

fn parse(row: &Row, counterparties: NonZeroU32) -> Result<Parsed, LineFault> {
    let at_millis = row.parsed(0, "time", "seconds after midnight", millis_after_midnight)?;
    let action = match row.whole(1, "type")? {
        1 => Some(submission(row, counterparties)?),
        3 => Some(deletion(row, counterparties)?),
        4 => Some((TAKERS, execution(row)?)),
        _ => None,
    };
    let event = action.map(|(counterparty, action)| Event {
        at_millis,
        counterparty,
        action,
    });
    Ok(Parsed { at_millis, event })
}

fn submission(row: &Row, counterparties: NonZeroU32) -> Result<(u32, Action), LineFault> {
    let order = row.order(2, counterparties)?;
    let side = row.parsed(5, "direction", "1 or -1", side)?;
    Ok((order.counterparty, interest(row, order.interest, side)?))
}

fn deletion(row: &Row, counterparties: NonZeroU32) -> Result<(u32, Action), LineFault> {
    let order = row.order(2, counterparties)?;
    let action = Action::Cancel {
        cl_ord_id: order.cancel,
        orig_cl_ord_id: order.interest,
    };
    Ok((order.counterparty, action))
}

/// The direction is that of the resting order. The taker's interest is named after its line: an order is
/// executed more than once, and order ids are names of other interests.
fn execution(row: &Row) -> Result<Action, LineFault> {
    let side = row.parsed(5, "direction", "1 or -1", side)?.opposite();
    let name = row.parsed(2, "order id", "a decimal number", |resting| {
        decimal_digits(resting)?;
        ClOrdId::new(format!("x{}", row.line)).ok()
    })?;
    interest(row, name, side)
}

fn interest(row: &Row, cl_ord_id: ClOrdId, side: Side) -> Result<Action, LineFault> {
    let order_qty = row.parsed(3, "size", "a number of shares", shares)?;
    let price = row.parsed(4, "price", "a price times 10000", dollars)?;
    Ok(Action::Interest {
        cl_ord_id,
        side,
        order_qty,
        price,
    })
}

fn shares(text: &str) -> Option<Quantity> {
    Quantity::parse(decimal_digits(text)?).ok()
}

fn dollars(price: &str) -> Option<Price> {
    Price::parse(&with_point(price, PRICE_SCALE)?).ok()
}

fn side(text: &str) -> Option<Side> {
    match text {
        "1" => Some(Side::Buy),
        "-1" => Some(Side::Sell),
        _ => None,
    }
}

/// The file names no day, and the whole flow is shifted anyway: midnight is the epoch. What is below a
/// millisecond is cut off; the order of lines within one stays.
fn millis_after_midnight(text: &str) -> Option<i64> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let seconds: i64 = decimal_digits(seconds)?.parse().ok()?;
    let millis = decimal_digits(fraction)?.bytes().chain(*b"00").take(3);
    let millis = millis.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    seconds.checked_mul(1_000)?.checked_add(millis)
}
