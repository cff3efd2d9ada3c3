//! What a run shows at its end: what happened, a few matches as their counterparties see them, the book, what was
//! asked of AWS, the audit log, and the invariants.
//!
//! What it is **not**: it computes no figure that the run did not hand over, and it prints nothing.

mod audit;
mod canvas;
mod halves;
mod ladder;
mod numbers;
mod requests;
mod summary;
#[cfg(test)]
mod tests;
mod verdicts;

use std::time::Duration;

use self::canvas::{Canvas, Ink, printable};
use self::numbers::{NONE, count, many};
use crate::report::{Picture, Report};

/// Below this the picture is drawn as for this: its token halves and columns need the room.
const LEAST_WIDTH: usize = 80;

/// Wider than this, a line is no longer read at one glance.
const GREATEST_WIDTH: usize = 120;

/// How to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Columns of the terminal. Fewer than 80 count as 80.
    pub width: usize,
    /// Whether to colour, with ANSI escapes.
    pub colour: bool,
}

/// Draws what happened, line by line, each ended by a line feed.
#[must_use]
pub fn render(report: &Report, picture: &Picture, style: Style) -> String {
    let width = style.width.clamp(LEAST_WIDTH, GREATEST_WIDTH);
    let mut canvas = Canvas::new(width, style.colour);
    headline(&mut canvas, report, picture);
    summary::draw(&mut canvas, report, picture);
    halves::draw(&mut canvas, report, picture);
    ladder::draw(&mut canvas, report, picture);
    requests::draw(&mut canvas, report);
    audit::draw(&mut canvas, report);
    verdicts::draw(&mut canvas, report);
    canvas.into_text()
}

/// The source comes last but is cut first: it is the one part that may be of any length.
fn headline(canvas: &mut Canvas, report: &Report, picture: &Picture) {
    let name = "Symbolon";
    let rest = format!(
        " · {} · {} counterparties · {}",
        printable(&picture.symbol),
        count(many(picture.counterparties)),
        duration(report.seconds),
    );
    let room = canvas
        .width()
        .saturating_sub(name.len() + canvas::width_of(&rest) + 3);
    let source = printable(&picture.source);
    let source = canvas::shortened(&source, room);
    let name = canvas.ink(Ink::Strong, name);
    canvas.line(&format!("{name} · {source}{rest}"));
}

/// Seconds while they are few, then minutes.
fn duration(seconds: f64) -> String {
    let Ok(whole) = Duration::try_from_secs_f64(seconds) else {
        return NONE.to_owned();
    };
    match whole.as_secs() {
        0..=9 => format!("{seconds:.2} s"),
        10..=119 => format!("{seconds:.1} s"),
        seconds => format!("{} min {} s", count(seconds / 60), seconds % 60),
    }
}
