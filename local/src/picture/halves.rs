//! A few matches, each as its two counterparties see it: two halves side by side that fit.

use serde_json::Value;
use symbolon_shared::domain::token::{Commitment, Token};

use super::canvas::{Canvas, Ink, padded, printable};
use super::numbers::{NONE, counted, grouped};
use crate::report::{Picture, Report, SeenMatch};

/// Characters of the half of a token that is the same on both sides (contract: the first 26 encode the match).
const SHARED_CHARS: usize = Token::CHARS / 2;

/// Wide enough for the longest label.
const LABEL_WIDTH: usize = 8;

pub(super) fn draw(canvas: &mut Canvas, report: &Report, picture: &Picture) {
    if picture.matches.is_empty() {
        canvas.heading("No match to show");
        return;
    }
    let shown = picture.matches.len();
    canvas.heading(&format!(
        "{shown} of {}, each as its two counterparties see it",
        counted(report.matches, "match", "matches"),
    ));
    canvas.paragraph(
        Ink::Faint,
        0,
        "Left what the buyer was told, right the seller: neither learns who the other is.",
    );
    for seen in &picture.matches {
        draw_match(canvas, seen);
    }
}

fn draw_match(canvas: &mut Canvas, seen: &SeenMatch) {
    let frame = Frame::within(canvas.width());
    let (buyer, seller) = (Half::of(&seen.buyer_message), Half::of(&seen.seller_message));
    frame.top(canvas, seen);
    for (left, right) in buyer.lines().iter().zip(&seller.lines()) {
        frame.line(canvas, left, right);
    }
    frame.bottom(canvas);
    frame.bond(canvas, &buyer, &seller);
}

/// What of a message is shown.
struct Half<'a> {
    message: &'a Value,
    token: String,
    commitment: String,
}

impl<'a> Half<'a> {
    fn of(message: &'a Value) -> Self {
        Self {
            message,
            token: field(message, "token"),
            commitment: field(message, "commitment"),
        }
    }

    fn lines(&self) -> [Line; 5] {
        let line = |label, kind, value| Line { label, kind, value };
        let [quantity, price] = ["lastQty", "lastPx"].map(|name| grouped(&field(self.message, name)));
        let (shared, own) = self
            .token
            .split_at_checked(SHARED_CHARS)
            .unwrap_or((&self.token, ""));
        [
            line("clOrdId", Kind::Field, field(self.message, "clOrdId")),
            line("lastQty", Kind::Field, format!("{quantity} @ {price}")),
            line("leaves", Kind::Field, self.leaves()),
            line("token", Kind::SharedHalf, shared.to_owned()),
            line("", Kind::OwnHalf, own.to_owned()),
        ]
    }

    fn leaves(&self) -> String {
        let [leaves, cancelled] = ["leavesQty", "cxlQty"].map(|name| field(self.message, name));
        if cancelled == "0" || cancelled == NONE {
            grouped(&leaves)
        } else {
            format!("{}, cancelled {}", grouped(&leaves), grouped(&cancelled))
        }
    }

    /// Whether both tokens fit the commitment, and both counterparties were told the same one.
    fn fits(&self, other: &Self) -> bool {
        let tokens = Token::parse(&self.token)
            .ok()
            .zip(Token::parse(&other.token).ok());
        let commitment = Commitment::parse(&self.commitment).ok();
        self.commitment == other.commitment
            && tokens
                .zip(commitment)
                .is_some_and(|((one, two), commitment)| commitment.fits(&one, &two))
    }
}

fn field(message: &Value, name: &str) -> String {
    printable(message[name].as_str().unwrap_or(NONE))
}

/// A line of a box.
struct Line {
    label: &'static str,
    kind: Kind,
    value: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Field,
    /// The half of a token that names the match.
    SharedHalf,
    /// The half of a token that its owner alone has.
    OwnHalf,
}

impl Line {
    /// A half that its owner alone has is not shown whole, here as little as in a log.
    fn shown(&self, canvas: &Canvas, width: usize) -> String {
        let fitted = |value: &str| padded(value, width).into_owned();
        match self.kind {
            Kind::Field => fitted(&self.value),
            Kind::SharedHalf => canvas.ink(Ink::Shared, &fitted(&self.value)),
            Kind::OwnHalf => canvas.ink(Ink::Own, &fitted(&middle_cut(&self.value))),
        }
    }

    /// Between two halves of tokens: whether they are the same. The first ones should be, the second ones not.
    fn mark(&self, canvas: &Canvas, other: &Self) -> String {
        let same = self.value == other.value;
        let good = match self.kind {
            Kind::Field => return " ".to_owned(),
            Kind::SharedHalf => same,
            Kind::OwnHalf => !same,
        };
        let ink = if good { Ink::Strong } else { Ink::Bad };
        canvas.ink(ink, if same { "=" } else { "≠" })
    }
}

/// `0123456789abcdef0123456789` → `01234567…23456789`.
fn middle_cut(text: &str) -> String {
    const KEPT: usize = 8;
    let cut = text
        .len()
        .checked_sub(KEPT)
        .filter(|tail| *tail > KEPT)
        .and_then(|tail| text.get(..KEPT).zip(text.get(tail..)));
    cut.map_or_else(|| text.to_owned(), |(head, tail)| format!("{head}…{tail}"))
}

/// Two boxes, and what lies between them.
struct Frame {
    /// Columns of a box.
    box_width: usize,
    /// Columns between the boxes.
    gap: usize,
}

impl Frame {
    fn within(width: usize) -> Self {
        let box_width = (width - 4) / 2;
        Self {
            box_width,
            gap: width - 2 * box_width,
        }
    }

    fn top(&self, canvas: &mut Canvas, seen: &SeenMatch) {
        let top = |counterparty: u32, did: &str, ink| {
            let title = format!("counterparty {counterparty} {did}");
            let rest = "─".repeat(self.box_width.saturating_sub(title.len() + 5));
            let (start, title) = (canvas.ink(Ink::Faint, "╭─"), canvas.ink(ink, &title));
            format!("{start} {title} {}", canvas.ink(Ink::Faint, &format!("{rest}╮")))
        };
        let buyer = top(seen.buyer, "bought", Ink::Buy);
        let seller = top(seen.seller, "sold", Ink::Sell);
        canvas.line(&format!("{buyer}{:gap$}{seller}", "", gap = self.gap));
    }

    fn line(&self, canvas: &mut Canvas, left: &Line, right: &Line) {
        let before = (self.gap - 1) / 2;
        let after = self.gap - 1 - before;
        let mark = left.mark(canvas, right);
        let (left, right) = (self.boxed(canvas, left), self.boxed(canvas, right));
        canvas.line(&format!("{left}{:before$}{mark}{:after$}{right}", "", ""));
    }

    fn boxed(&self, canvas: &Canvas, line: &Line) -> String {
        let side = canvas.ink(Ink::Faint, "│");
        let label = canvas.ink(Ink::Faint, &format!("{:<LABEL_WIDTH$}", line.label));
        let value = line.shown(canvas, self.box_width - LABEL_WIDTH - 4);
        format!("{side} {label}{value} {side}")
    }

    fn bottom(&self, canvas: &mut Canvas) {
        let left = "─".repeat(self.centre() - 1);
        let right = "─".repeat(self.box_width - self.centre() - 2);
        let bottom = canvas.ink(Ink::Faint, &format!("╰{left}┬{right}╯"));
        canvas.line(&format!("{bottom}{:gap$}{bottom}", "", gap = self.gap));
    }

    /// What joins the two boxes below: whether their tokens fit the commitment that both were given.
    fn bond(&self, canvas: &mut Canvas, buyer: &Half<'_>, seller: &Half<'_>) {
        let (ink, verdict) = if buyer.fits(seller) {
            (Ink::Good, "✓ fit commitment")
        } else {
            (Ink::Bad, "✗ do not fit")
        };
        let commitment = middle_cut(&buyer.commitment);
        let written = verdict.chars().count() + commitment.chars().count() + 3;
        let free = (self.box_width + self.gap - 1).saturating_sub(written);
        let (before, after) = ("─".repeat(free / 2), "─".repeat(free - free / 2));
        let start = canvas.ink(Ink::Faint, &format!("╰{before}"));
        let end = canvas.ink(Ink::Faint, &format!("{after}╯"));
        let verdict = canvas.ink(ink, verdict);
        canvas.line(&format!(
            "{:indent$}{start} {verdict} {commitment} {end}",
            "",
            indent = self.centre()
        ));
    }

    fn centre(&self) -> usize {
        self.box_width / 2
    }
}
