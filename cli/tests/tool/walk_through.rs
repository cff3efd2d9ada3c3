//! The walk-through, line by line as it is written, with the answers that it prints.

use std::collections::BTreeMap;

use crate::stand::{Ran, Stand};

const PAGE: &str = include_str!("../../../README.md");

/// A command of the page and what it prints there.
struct Step {
    command: String,
    prints: String,
}

/// The steps of all `console` blocks.
fn steps(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        match line {
            "```console" => inside = true,
            "```" => inside = false,
            _ if !inside => {}
            _ if line.starts_with("$ ") => steps.push(Step {
                command: line[2..].to_owned(),
                prints: String::new(),
            }),
            _ => {
                let step = steps.last_mut().expect("a block begins with a command");
                step.prints += line;
                step.prints.push('\n');
            }
        }
    }
    steps
}

/// Splits a text into words of letters and digits and what is between them.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let of_word = first.is_ascii_alphanumeric();
        let end = rest
            .find(|c: char| c.is_ascii_alphanumeric() != of_word)
            .unwrap_or(rest.len());
        pieces.push(&rest[..end]);
        rest = &rest[end..];
    }
    pieces
}

/// What is drawn at random: the rest of an opaque id or an inbox's name (26), of a status question (13), a token (52),
/// a commitment (64), the beginning of a message's hash (16).
fn is_drawn(word: &str) -> bool {
    [13, 16, 26, 52, 64].contains(&word.len())
        && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

/// The page's ids and those of this run: one for one.
#[derive(Default)]
struct Ids(BTreeMap<String, String>);

impl Ids {
    /// The text with this run's ids in place of the page's.
    fn of_this_run(&self, text: &str) -> String {
        let swap = |piece| self.0.get(piece).map_or(piece, String::as_str);
        pieces(text).into_iter().map(swap).collect()
    }

    /// Compares what the page says with what was said, and learns ids on the way.
    fn compare(&mut self, page: &str, said: &str) -> Result<(), String> {
        let (ours, theirs) = (pieces(page), pieces(said));
        if ours.len() != theirs.len() {
            return Err("another number of words".to_owned());
        }
        for (ours, theirs) in ours.into_iter().zip(theirs) {
            let alike = if is_drawn(ours) && is_drawn(theirs) && ours.len() == theirs.len() {
                let known = self.0.entry(ours.to_owned()).or_insert_with(|| theirs.to_owned());
                known == theirs
            } else {
                ours == theirs
            };
            if !alike {
                return Err(format!("{ours:?} is {theirs:?}"));
            }
        }
        Ok(())
    }
}

#[test]
fn the_walk_through_goes_as_it_is_written() {
    let stand = Stand::start();
    let mut ids = Ids::default();
    let steps = steps(PAGE);
    assert!(steps.len() > 10, "{} steps", steps.len());
    for step in steps {
        // A person takes longer than the matcher.
        stand.settle();
        let command = ids.of_this_run(&step.command);
        let ran = stand
            .program("bash", "AROAOPERATOR")
            .args(["-c", &command])
            .output()
            .unwrap();
        let ran = Ran::of(ran);
        let said = format!("{}{}", ran.out, ran.err);
        if let Err(difference) = ids.compare(&step.prints, &said) {
            panic!(
                "$ {command}\n{said}--- and not, as the page says ({difference}):\n{}",
                step.prints
            );
        }
    }
    let mut real: Vec<&String> = ids.0.values().collect();
    real.sort();
    real.dedup();
    assert_eq!(real.len(), ids.0.len(), "two ids of the page are one here");
}

#[test]
fn a_difference_is_found() {
    let (a, b) = ("gndpq2oizkyk4kxrwsc7hj6cdu", "hndpq2oizkyk4kxrwsc7hj6cdu");
    let mut ids = Ids::default();
    assert_eq!(ids.compare(&format!("cp-{a} x"), &format!("cp-{b} x")), Ok(()));
    assert_eq!(
        ids.of_this_run(&format!("suspend cp-{a}")),
        format!("suspend cp-{b}")
    );
    assert!(
        ids.compare(&format!("cp-{a}"), &format!("cp-{a}")).is_err(),
        "it was another one before"
    );
    for (page, said) in [("1.25 left", "1.5 left"), ("a", "a b"), ("accepted", "rejected")] {
        assert!(ids.compare(page, said).is_err(), "{page}");
    }
}
