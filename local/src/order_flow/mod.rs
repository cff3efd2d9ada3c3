//! Order flow from files: which interests and cancels a replay sends, whose they are, and when.
//!
//! Two formats are read, told apart by their content: Bitstamp order events and LOBSTER messages, each plain
//! or `.xz`. The built-in [`sample()`] goes through the same reader.
//!
//! What it is **not**: it sends nothing, owns no clock and knows neither queues nor the wire format of a message.

mod bitstamp;
mod lobster;
pub mod plan;
mod rows;
mod sample;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::num::NonZeroU32;
use std::path::Path;

use lzma_rust2::XzReader;
use symbolon_shared::domain::decimal::{Price, Quantity};
use symbolon_shared::domain::identifiers::{ClOrdId, Side, Symbol};

use rows::Rows;
pub use rows::{LineFault, ReadError};
pub use sample::csv as sample_csv;

/// The first bytes of every `.xz` stream (XZ file format 1.2.1, section 2.1.1.1).
const XZ_MAGIC: [u8; 6] = [0xfd, b'7', b'z', b'X', b'Z', 0];

/// What both formats are traded in: Bitstamp's BTC/USD, and the NASDAQ shares of LOBSTER.
const CURRENCY: &str = "USD";

/// What a file says, in the order in which it says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderFlow {
    /// The one symbol of all its events.
    pub symbol: Symbol,
    /// Every price is a multiple of this.
    pub tick: Price,
    /// Every quantity is a multiple of this.
    pub lot: Quantity,
    /// What prices are in.
    pub currency: &'static str,
    /// The interests and cancels.
    pub events: Vec<Event>,
    /// How many events of the file are neither.
    pub ignored: u64,
    /// The latest time in the file, that of ignored events included.
    pub last_at_millis: i64,
}

/// One message that a counterparty sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When, in milliseconds since the epoch.
    pub at_millis: i64,
    /// Who: 1 to the number of counterparties, or 0 for the takers whom LOBSTER does not name.
    pub counterparty: u32,
    /// What.
    pub action: Action,
}

/// What a counterparty sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// A new interest.
    Interest {
        /// Its name.
        cl_ord_id: ClOrdId,
        /// Buy or sell.
        side: Side,
        /// How much.
        order_qty: Quantity,
        /// The limit.
        price: Price,
    },
    /// A cancel of an interest of the same counterparty, which may not have been sent yet.
    Cancel {
        /// Its own name.
        cl_ord_id: ClOrdId,
        /// The name of the interest.
        orig_cl_ord_id: ClOrdId,
    },
}

/// What a file does not say itself.
#[derive(Debug, Clone)]
pub struct ReadOptions {
    /// Among how many counterparties the orders are dealt out.
    pub counterparties: NonZeroU32,
    /// The symbol of a LOBSTER file; a Bitstamp file is always `BTCUSD`.
    pub symbol: Option<Symbol>,
}

impl OrderFlow {
    /// Moves all times by one constant, so that the last event of the file falls at `run_start_millis`.
    ///
    /// Last means latest: in a file that is not in order of time nothing may have been sent after the start.
    pub fn shift_to(&mut self, run_start_millis: i64) {
        let by = run_start_millis.saturating_sub(self.last_at_millis);
        for event in &mut self.events {
            event.at_millis = event.at_millis.saturating_add(by);
        }
        self.last_at_millis = run_start_millis;
    }
}

/// Reads an order-flow file, plain or `.xz`, of either format.
///
/// # Errors
/// [`ReadError`] when the file cannot be read or is empty, when its header is unknown, when a LOBSTER file comes
/// without a symbol, and for the first line that breaks its format.
pub fn read(path: &Path, options: &ReadOptions) -> Result<OrderFlow, ReadError> {
    let file = File::open(path).map_err(|source| ReadError::Open {
        path: path.to_owned(),
        source,
    })?;
    read_from(file, path, options)
}

/// The built-in sample: what [`read`] makes of [`sample_csv`].
///
/// # Errors
/// As [`read`]; a test shows that there are none.
pub fn sample(counterparties: NonZeroU32) -> Result<OrderFlow, ReadError> {
    let options = ReadOptions {
        counterparties,
        symbol: None,
    };
    read_from(
        sample::csv().as_bytes(),
        Path::new("the built-in sample"),
        &options,
    )
}

fn read_from(input: impl Read, path: &Path, options: &ReadOptions) -> Result<OrderFlow, ReadError> {
    let failed = |source| ReadError::Read {
        path: path.to_owned(),
        source,
    };
    let mut input = BufReader::new(input);
    if input.fill_buf().map_err(failed)?.starts_with(&XZ_MAGIC) {
        read_text(BufReader::new(XzReader::new(input, true)), path, options)
    } else {
        read_text(input, path, options)
    }
}

fn read_text(mut text: impl BufRead, path: &Path, options: &ReadOptions) -> Result<OrderFlow, ReadError> {
    let first = text
        .fill_buf()
        .map_err(|source| ReadError::Read {
            path: path.to_owned(),
            source,
        })?
        .first();
    match first.copied() {
        None => Err(ReadError::Empty {
            path: path.to_owned(),
        }),
        // A LOBSTER line begins with its time; a header begins with anything but a digit.
        Some(b'0'..=b'9') => {
            let symbol = options.symbol.clone();
            let symbol = symbol.ok_or_else(|| ReadError::SymbolMissing {
                path: path.to_owned(),
            })?;
            lobster::read(Rows::new(text, path), symbol, options.counterparties)
        }
        Some(_) => bitstamp::read(Rows::new(text, path), options.counterparties),
    }
}

/// An order flow without events.
#[expect(
    clippy::expect_used,
    reason = "only literals of the two format modules go in, and tests read both"
)]
fn without_events(symbol: Symbol, tick: &str, lot: &str) -> OrderFlow {
    OrderFlow {
        symbol,
        tick: Price::parse(tick).expect("a decimal"),
        lot: Quantity::parse(lot).expect("a decimal"),
        currency: CURRENCY,
        events: Vec::new(),
        ignored: 0,
        last_at_millis: i64::MIN,
    }
}
