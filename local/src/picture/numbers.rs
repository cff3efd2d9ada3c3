//! Numbers as people read them.

use rust_decimal::Decimal;

use super::canvas::width_of;

/// What stands for a number that there is not.
pub(super) const NONE: &str = "–";

/// `1234567.5` → `1,234,567.5`.
pub(super) fn grouped(number: &str) -> String {
    let point = number.find('.').unwrap_or(number.len());
    let mut text = String::with_capacity(number.len() + number.len() / 3);
    for (place, digit) in number.char_indices() {
        if place > 0 && place < point && (point - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// How many there are of something, as the other numbers have it.
pub(super) fn many(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// A whole number, grouped.
pub(super) fn count(number: u64) -> String {
    grouped(&number.to_string())
}

/// A number with what it counts.
pub(super) fn counted(number: u64, one: &str, more: &str) -> String {
    let noun = if number == 1 { one } else { more };
    format!("{} {noun}", count(number))
}

/// A decimal with so many places, no more and no fewer, grouped.
///
/// The noughts are put here: `Decimal` formats into a buffer of fixed size, and panics when they overflow it.
pub(super) fn with_places(number: Decimal, places: u32) -> String {
    let number = grouped(&number.round_dp(places).normalize().to_string());
    let places = usize::try_from(places).unwrap_or_default();
    match number.split_once('.') {
        Some((whole, fraction)) => format!("{whole}.{fraction:0<places$}"),
        None if places > 0 => format!("{number}.{:0<places$}", ""),
        None => number,
    }
}

/// A quotient with two places; [`NONE`] of nothing.
pub(super) fn per(number: Decimal, of: u64) -> String {
    let quotient = number.checked_div(Decimal::from(of));
    quotient.map_or_else(|| NONE.to_owned(), |quotient| with_places(quotient, 2))
}

/// What was measured as a float, as a decimal; none of what is no number.
pub(super) fn measured(number: f64) -> Option<Decimal> {
    Decimal::try_from(number).ok()
}

/// Filled with blanks so that their points stand one below the other, all equally long.
pub(super) fn aligned(numbers: &[String]) -> Vec<String> {
    let parts: Vec<_> = numbers
        .iter()
        .map(|number| number.split_at(number.find('.').unwrap_or(number.len())))
        .collect();
    let before = parts
        .iter()
        .map(|(whole, _)| width_of(whole))
        .max()
        .unwrap_or_default();
    let after = parts
        .iter()
        .map(|(_, fraction)| width_of(fraction))
        .max()
        .unwrap_or_default();
    let fill = |(whole, fraction)| format!("{whole:>before$}{fraction:<after$}");
    parts.into_iter().map(fill).collect()
}
