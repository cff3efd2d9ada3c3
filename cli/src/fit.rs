//! `fit`: whether two tokens are the two of one match. Pure, and by anybody.

use serde_json::json;
use symbolon_shared::domain::token::{Commitment, Token};

use crate::failure::Failure;
use crate::print::Printer;

/// What three texts are to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Fit,
    SameToken,
    OtherMatch,
    OtherCommitment,
}

impl Verdict {
    fn of(one: &Token, other: &Token, commitment: &Commitment) -> Self {
        if commitment.fits(one, other) {
            Self::Fit
        } else if one == other {
            Self::SameToken
        } else if one.match_id() != other.match_id() {
            Self::OtherMatch
        } else {
            Self::OtherCommitment
        }
    }

    fn why(self) -> &'static str {
        match self {
            Self::Fit => "they are the two of one match",
            Self::SameToken => "both are the same token: the other side of the match holds another one",
            Self::OtherMatch => "they are of two different matches: their first 26 characters differ",
            Self::OtherCommitment => {
                "the commitment is not that of these two tokens: one of the three was altered or is another match's"
            }
        }
    }
}

pub(crate) fn run(one: &str, other: &str, commitment: &str, printer: &mut Printer) -> Result<(), Failure> {
    // What was typed is not repeated: it may be a token but for one character.
    let token = |text: &str, which: &str| {
        Token::parse(text).map_err(|_| {
            Failure::usage(format!("the {which} token is no token"))
                .because(format!(
                    "a token is 52 characters of a-z and 2-7, this has {}",
                    described(text)
                ))
                .advice("copy it from the match message, whole and unchanged")
        })
    };
    let (one, other) = (token(one, "first")?, token(other, "second")?);
    let commitment = Commitment::parse(commitment).map_err(|_| {
        Failure::usage("the commitment is no commitment")
            .because(format!(
                "a commitment is 64 digits of 0-9 and a-f, this has {}",
                described(commitment)
            ))
            .advice("the order is TOKEN TOKEN COMMITMENT")
    })?;
    let verdict = Verdict::of(&one, &other, &commitment);
    let fits = verdict == Verdict::Fit;
    if printer.is_json() {
        printer.json(&json!({ "fits": fits, "why": verdict.why() }))?;
    } else if fits {
        printer.line(&format!("The tokens fit: {}.", verdict.why()))?;
    }
    if fits {
        Ok(())
    } else {
        Err(Failure::new("the tokens do not fit").because(verdict.why()))
    }
}

fn described(text: &str) -> String {
    let characters = text.chars().count();
    let ending = if characters == 1 { "" } else { "s" };
    format!("{characters} character{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(match_byte: u8, mac: u8) -> Token {
        let half = |byte| {
            data_encoding::BASE32_NOPAD
                .encode(&[byte; 16])
                .to_ascii_lowercase()
        };
        Token::parse(&(half(match_byte) + &half(mac))).unwrap()
    }

    #[test]
    fn each_way_of_not_fitting_is_told_apart() {
        let (buyer, seller, stranger) = (token(1, 1), token(1, 2), token(3, 2));
        let commitment = Commitment::of(&buyer, &seller);
        for (one, other, expected) in [
            (&buyer, &seller, Verdict::Fit),
            (&seller, &buyer, Verdict::Fit),
            (&buyer, &buyer, Verdict::SameToken),
            (&buyer, &stranger, Verdict::OtherMatch),
            (&buyer, &token(1, 3), Verdict::OtherCommitment),
        ] {
            assert_eq!(Verdict::of(one, other, &commitment), expected);
        }
    }
}
