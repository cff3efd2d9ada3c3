//! Amounts that are none, or none that a symbol takes. Each message bears a readable `clOrdId`, so each is answered.

use super::draft::{Draft, quoted};
use super::maker::{Author, Made, Maker};
use crate::domain::reason::Reason;

pub(super) fn number_for_decimal(maker: &mut Maker, turn: usize) -> Made {
    const NUMBERS: [&str; 14] = [
        "1",
        "1.25",
        "0",
        "-1",
        "-0",
        "1e2",
        "1E+2",
        "1e400",
        "-1e400",
        "1e-400",
        "0.1",
        "1234567890123456789",
        "123456789012345678901234567890.5",
        "0.1e1",
    ];
    let author = maker.author();
    let (draft, field) = decimal_field(maker, &author, turn);
    let body = draft.set(field.name, NUMBERS[turn / 4 % NUMBERS.len()]).text();
    maker.rejected(&author, body, Reason::Malformed)
}

/// A field that holds a decimal, and the reason that a wrong one is given.
struct DecimalField {
    name: &'static str,
    reason: Reason,
}

fn decimal_field(maker: &Maker, author: &Author, turn: usize) -> (Draft, DecimalField) {
    let field = |name, reason| DecimalField { name, reason };
    match turn % 4 {
        0 => (maker.interest(author), field("orderQty", Reason::BadQuantity)),
        1 => (maker.interest(author), field("price", Reason::BadPrice)),
        2 => (maker.interest(author), field("minQty", Reason::BadMinQty)),
        _ => (maker.message(author, 2), field("orderQty", Reason::BadQuantity)),
    }
}

/// A message with this text for a decimal, in each field that holds one.
fn bad_decimal(maker: &mut Maker, turn: usize, text: &str) -> Made {
    let author = maker.author();
    let (draft, field) = decimal_field(maker, &author, turn);
    let body = draft.set(field.name, quoted(text)).text();
    maker.rejected(&author, body, field.reason)
}

pub(super) fn word_for_decimal(maker: &mut Maker, turn: usize) -> Made {
    const WORDS: [&str; 40] = [
        "NaN",
        "Infinity",
        "-Infinity",
        "inf",
        "nan",
        "null",
        "",
        " ",
        "1 ",
        " 1",
        "1\\n",
        "\\t1",
        "\u{ff11}",
        "\u{663}",
        "1,5",
        "1.2.3",
        "0x1p3",
        "0x10",
        "1_0",
        "1f",
        "1.5d",
        "1L",
        "1n",
        "\u{bd}",
        "\u{b2}",
        ".",
        "1.",
        ".5",
        "1..2",
        "$1",
        "1 000",
        "1'000",
        "true",
        "[]",
        "{}",
        "0b1",
        "1/3",
        "50%",
        "\u{221e}",
        "vqzxkwjy",
    ];
    bad_decimal(maker, turn, WORDS[turn / 4 % WORDS.len()])
}

pub(super) fn negative(maker: &mut Maker, turn: usize) -> Made {
    const NEGATIVE: [&str; 10] = [
        "-1",
        "-0",
        "-0.0",
        "-1.25",
        "-0.00000001",
        "-999999999999999999",
        "--1",
        "1-",
        "\u{2212}1",
        "(1)",
    ];
    bad_decimal(maker, turn, NEGATIVE[turn / 4 % NEGATIVE.len()])
}

pub(super) fn zero(maker: &mut Maker, turn: usize) -> Made {
    const ZERO: [&str; 6] = [
        "0",
        "0.0",
        "00",
        "000.000",
        "0.000000000000000000",
        "0000000000000000000000",
    ];
    bad_decimal(maker, turn, ZERO[turn / 4 % ZERO.len()])
}

pub(super) fn too_many_digits(maker: &mut Maker, turn: usize) -> Made {
    let count = if (turn / 4).is_multiple_of(2) {
        19
    } else {
        20 + maker.below(45)
    };
    let digits = maker.digits(count);
    let text = match maker.below(4) {
        0 => digits,
        1 => format!("0.{digits}"),
        2 => format!("0.000{digits}"),
        _ => {
            let (whole, fraction) = digits.split_at(1 + maker.below(count - 1));
            format!("{whole}.{fraction}")
        }
    };
    bad_decimal(maker, turn, &text)
}

pub(super) fn exponent(maker: &mut Maker, turn: usize) -> Made {
    const EXPONENTS: [&str; 18] = [
        "1e2",
        "1E2",
        "1e+2",
        "1e-2",
        "1e400",
        "1E400",
        "1e-400",
        "1.5e3",
        "0e0",
        "1e0",
        "1e",
        "1.e1",
        "1e1.5",
        "1e999999999",
        "1e-999999999",
        "1e9223372036854775808",
        "1x10^2",
        "1p2",
    ];
    bad_decimal(maker, turn, EXPONENTS[turn / 4 % EXPONENTS.len()])
}

pub(super) fn plus_sign(maker: &mut Maker, turn: usize) -> Made {
    const PLUS: [&str; 6] = ["+1", "+0", "+1.5", "1+", "++1", "+"];
    bad_decimal(maker, turn, PLUS[turn / 4 % PLUS.len()])
}

pub(super) fn long_fraction(maker: &mut Maker, turn: usize) -> Made {
    const DIGITS: [usize; 7] = [19, 28, 40, 64, 65, 1_000, 100_000];
    let digits = maker.digits(DIGITS[turn / 4 % DIGITS.len()]);
    bad_decimal(maker, turn, &format!("1.{digits}"))
}

pub(super) fn off_step(maker: &mut Maker, turn: usize) -> Made {
    const STEPS: [(&str, &str, Reason); 10] = [
        ("price", "2718.281", Reason::OffTick),
        ("price", "0.001", Reason::OffTick),
        ("price", "0.000000000000000001", Reason::OffTick),
        ("price", "999999999999999.999", Reason::OffTick),
        ("orderQty", "31.415926535", Reason::OffLot),
        ("orderQty", "0.000000000000000001", Reason::OffLot),
        ("orderQty", "999999999.999999999", Reason::OffLot),
        ("minQty", "0.000000001", Reason::OffLot),
        ("minQty", "31.41592654", Reason::BadMinQty),
        ("minQty", "999999999999999999", Reason::BadMinQty),
    ];
    let author = maker.author();
    let (field, text, reason) = STEPS[turn % STEPS.len()];
    let body = maker.interest(&author).set(field, quoted(text)).text();
    maker.rejected(&author, body, reason)
}
