//! Bitstamp order events: CSV with a header, one order book, `BTCUSD`.

use std::io::BufRead;
use std::num::NonZeroU32;

use symbolon_shared::domain::decimal::{Price, Quantity};
use symbolon_shared::domain::identifiers::{Side, Symbol};

use super::rows::{LineFault, Parsed, ReadError, Row, Rows, decimal_digits, with_point};
use super::{Action, Event, OrderFlow, without_events};

pub(super) const HEADER: [&str; 7] = [
    "id",
    "timestamp",
    "exchange.timestamp",
    "price",
    "volume",
    "action",
    "direction",
];

/// Volumes are in satoshi: 10⁻⁸ BTC.
const VOLUME_SCALE: usize = 8;

pub(super) fn read<R: BufRead>(
    mut rows: Rows<R>,
    counterparties: NonZeroU32,
) -> Result<OrderFlow, ReadError> {
    if let Some(header) = rows.next()?
        && !header.is(&HEADER)
    {
        return Err(rows.unknown_header(&header, &HEADER));
    }
    rows.collect_into(nothing_yet(), HEADER.len(), |row| parse(row, counterparties))
}

#[expect(clippy::expect_used, reason = "a literal, which the tests read")]
fn nothing_yet() -> OrderFlow {
    without_events(Symbol::new("BTCUSD").expect("a symbol"), "0.01", "0.00000001")
}

fn parse(row: &Row, counterparties: NonZeroU32) -> Result<Parsed, LineFault> {
    let at_millis = row.parsed(1, HEADER[1], "milliseconds since the epoch", millis)?;
    let action = match row.text(5) {
        "created" => Some(interest(row, counterparties)?),
        "deleted" if row.whole(4, HEADER[4])? > 0 => Some(cancel(row, counterparties)?),
        _ => None,
    };
    let event = action.map(|(counterparty, action)| Event {
        at_millis,
        counterparty,
        action,
    });
    Ok(Parsed { at_millis, event })
}

fn interest(row: &Row, counterparties: NonZeroU32) -> Result<(u32, Action), LineFault> {
    let order = row.order(0, counterparties)?;
    let action = Action::Interest {
        cl_ord_id: order.interest,
        side: row.parsed(6, HEADER[6], "`bid` or `ask`", side)?,
        order_qty: row.parsed(4, HEADER[4], "a number of satoshi", volume)?,
        price: row.parsed(3, HEADER[3], "a decimal", |text| Price::parse(text).ok())?,
    };
    Ok((order.counterparty, action))
}

fn cancel(row: &Row, counterparties: NonZeroU32) -> Result<(u32, Action), LineFault> {
    let order = row.order(0, counterparties)?;
    let action = Action::Cancel {
        cl_ord_id: order.cancel,
        orig_cl_ord_id: order.interest,
    };
    Ok((order.counterparty, action))
}

fn millis(text: &str) -> Option<i64> {
    decimal_digits(text)?.parse().ok()
}

fn volume(satoshi: &str) -> Option<Quantity> {
    Quantity::parse(&with_point(satoshi, VOLUME_SCALE)?).ok()
}

fn side(text: &str) -> Option<Side> {
    match text {
        "bid" => Some(Side::Buy),
        "ask" => Some(Side::Sell),
        _ => None,
    }
}
