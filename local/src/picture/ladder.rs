//! The book at the end: a ladder of prices, asks above, bids below, the best of both in the middle.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use symbolon_shared::domain::identifiers::Side;

use super::canvas::{Canvas, Ink};
use super::numbers::{aligned, count, counted, grouped, many, with_places};
use crate::report::{Level, Picture, Report};

/// Price levels shown of each side.
const SHOWN: usize = 8;

/// A full bar is at most so many times the median: one huge interest must not flatten all others.
const FULL_BAR_MEDIANS: u64 = 16;

/// Where a bar goes beyond a full one.
const BEYOND: &str = "»";

const INDENT: usize = 7;

const INTERESTS: &str = "interests";

pub(super) fn draw(canvas: &mut Canvas, report: &Report, picture: &Picture) {
    canvas.heading(&format!(
        "The book: {} at rest",
        counted(report.resting, "interest", INTERESTS)
    ));
    if picture.asks.is_empty() && picture.bids.is_empty() {
        canvas.paragraph(Ink::Faint, INDENT, "nothing rests");
        return;
    }
    let asks = picture.asks.iter().take(SHOWN).rev();
    let levels: Vec<&Level> = asks.chain(picture.bids.iter().take(SHOWN)).collect();
    let rows = Rows::of(&levels, canvas.width());
    let (asks, bids) = levels.split_at(picture.asks.len().min(SHOWN));
    rows.header(canvas);
    further(canvas, &picture.asks);
    rows.draw(canvas, 0, asks);
    canvas.paragraph(Ink::Strong, INDENT, &middle(picture));
    rows.draw(canvas, asks.len(), bids);
    further(canvas, &picture.bids);
    rows.legend(canvas);
}

/// Levels that lie too far from the middle to be shown.
fn further(canvas: &mut Canvas, levels: &[Level]) {
    let Some(hidden) = levels.get(SHOWN..).filter(|hidden| !hidden.is_empty()) else {
        return;
    };
    let quantities = hidden.iter().map(|level| level.leaves_qty.decimal());
    let quantity = quantities.fold(Decimal::ZERO, Decimal::saturating_add);
    let text = format!(
        "… {} further away: {} in {}",
        counted(many(hidden.len()), "level", "levels"),
        grouped(&quantity.normalize().to_string()),
        counted(
            many(hidden.iter().map(|level| level.interests).sum()),
            "interest",
            INTERESTS
        ),
    );
    canvas.paragraph(Ink::Faint, INDENT, &text);
}

/// What lies between the best of both sides.
fn middle(picture: &Picture) -> String {
    let best = |levels: &[Level]| levels.first().map(|level| level.price.decimal());
    match (best(&picture.asks), best(&picture.bids)) {
        (Some(ask), Some(bid)) => spread(ask, bid),
        (Some(_), None) => "no bids, so no spread".to_owned(),
        (None, _) => "no asks, so no spread".to_owned(),
    }
}

fn spread(ask: Decimal, bid: Decimal) -> String {
    let shown = |number: Decimal| grouped(&number.normalize().to_string());
    // Neither is a fault: the matcher passes over pairs of one owner, excluded pairs and fills below a minimum.
    if ask < bid {
        let distance = shown(bid - ask);
        return format!("crossed by {distance}, by interests that may not match each other");
    }
    if ask == bid {
        return format!(
            "locked at {}, by interests that may not match each other",
            shown(ask)
        );
    }
    let (distance, middle) = (ask - bid, (ask + bid) / Decimal::TWO);
    let part = distance.checked_div(middle).unwrap_or_default();
    let basis_points = with_places(part * Decimal::from(10_000), 1);
    format!(
        "spread {} · {basis_points} basis points · middle {}",
        shown(distance),
        shown(middle)
    )
}

/// All that is shown, laid out: asks and bids share their columns and the scale of their bars.
struct Rows {
    prices: Vec<String>,
    quantities: Vec<String>,
    full_bar: Decimal,
    bar_width: usize,
    clipped: bool,
}

impl Rows {
    fn of(levels: &[&Level], width: usize) -> Self {
        let prices = in_a_column(levels.iter().map(|level| level.price.decimal()));
        let quantities: Vec<_> = levels.iter().map(|level| level.leaves_qty.decimal()).collect();
        let (full_bar, clipped) = scale(quantities.clone());
        let quantities = in_a_column(quantities.into_iter());
        let columns = [&prices, &quantities].map(|column| column.first().map_or(0, String::len));
        let taken = INDENT + columns.iter().sum::<usize>() + INTERESTS.len() + 6;
        Self {
            prices,
            quantities,
            full_bar,
            bar_width: width.saturating_sub(taken + BEYOND.len()),
            clipped,
        }
    }

    fn header(&self, canvas: &mut Canvas) {
        let width = |column: &[String]| column.first().map_or(0, String::len);
        let (price, quantity) = (width(&self.prices), width(&self.quantities));
        let header = format!(
            "{:INDENT$}{:>price$}  {:>quantity$}  {INTERESTS}",
            "", "price", "quantity"
        );
        let header = canvas.ink(Ink::Faint, &header);
        canvas.line(&header);
    }

    /// Draws `levels`, of which the first is number `from` of all.
    fn draw(&self, canvas: &mut Canvas, from: usize, levels: &[&Level]) {
        let columns = self.prices.iter().zip(&self.quantities).skip(from);
        for (level, (price, quantity)) in levels.iter().zip(columns) {
            let (ink, side) = match level.side {
                Side::Buy => (Ink::Buy, "bid"),
                Side::Sell => (Ink::Sell, "ask"),
            };
            let interests = count(many(level.interests));
            let bar = self.bar(level.leaves_qty.decimal());
            let (side, bar) = (canvas.ink(ink, side), canvas.ink(ink, &bar));
            canvas.line(&format!("  {side}  {price}  {quantity}  {interests:>9}  {bar}"));
        }
    }

    fn bar(&self, quantity: Decimal) -> String {
        let beyond = if quantity > self.full_bar { BEYOND } else { "" };
        let share = quantity.min(self.full_bar).checked_div(self.full_bar);
        let eighths = share.unwrap_or_default() * Decimal::from(8 * self.bar_width);
        let eighths = eighths.ceil().to_usize().unwrap_or_default();
        format!("{}{beyond}", blocks(eighths))
    }

    fn legend(&self, canvas: &mut Canvas) {
        if self.clipped {
            let text = format!("{BEYOND} goes beyond the scale");
            canvas.paragraph(Ink::Faint, INDENT, &text);
        }
    }
}

/// A bar of eighths of a column; what is not nothing shows.
fn blocks(eighths: usize) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    format!("{}{}", "█".repeat(eighths / 8), PARTS[eighths % 8])
}

/// What a full bar stands for, and whether some are longer.
fn scale(mut quantities: Vec<Decimal>) -> (Decimal, bool) {
    quantities.sort_unstable();
    let median = quantities.get(quantities.len() / 2).copied().unwrap_or_default();
    let longest = quantities.last().copied().unwrap_or_default();
    let limit = median
        .checked_mul(Decimal::from(FULL_BAR_MEDIANS))
        .unwrap_or(longest);
    (longest.min(limit), longest > limit)
}

/// With as many places as the finest of them needs.
fn in_a_column(numbers: impl Iterator<Item = Decimal>) -> Vec<String> {
    let numbers: Vec<_> = numbers.map(|number| number.normalize()).collect();
    let places = numbers.iter().map(Decimal::scale).max().unwrap_or_default();
    let texts: Vec<_> = numbers
        .iter()
        .map(|number| with_places(*number, places))
        .collect();
    aligned(&texts)
}
