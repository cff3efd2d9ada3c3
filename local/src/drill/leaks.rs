//! The search for what must not be said: names, tokens, queues and bodies, in every line and in every attribute of a
//! dead letter.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use aho_corasick::{AhoCorasick, MatchKind};
use serde::Serialize;
use serde_json::Value;
use symbolon_shared::domain::invariants::Evidence;
use symbolon_shared::domain::reason::SetAsideReason;

use crate::deployment::DeadLetter;
use crate::trial::Trial;

/// Words that stand in bodies and nowhere else: whoever quotes a body quotes one of them.
const WORDS_OF_BODIES: [&str; 5] = ["clOrdId", "origClOrdId", "orderQty", "minQty", "expireTime"];

/// Names of tables' attributes that a request to them bears.
const WORDS_OF_ITEMS: [&str; 4] = ["bodyHash", "leavesQty", "PRINCIPAL#", "CP#"];

/// So many characters of a body are looked for at its beginning and at its end.
const QUOTED_CHARS: usize = 24;

/// What kind of secret something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// The opaque id of a counterparty.
    Counterparty,
    /// A principal that SQS names.
    Principal,
    /// An inbox queue.
    Inbox,
    /// A token.
    Token,
    /// What a counterparty calls its order.
    ClOrdId,
    /// A body, or a part of one.
    Body,
}

/// Something that was said and must not have been.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Leak {
    /// What it is; nothing when the lines could not be read at all.
    pub kind: Option<Kind>,
    /// The line, shortened.
    pub line: String,
}

impl Leak {
    /// Nothing can be said of lines that cannot be read.
    pub(super) fn unreadable(error: &io::Error) -> Self {
        Self {
            kind: None,
            line: format!("what was said cannot be read: {error}"),
        }
    }
}

/// What must not be said.
#[derive(Debug, Default, Clone)]
pub struct Secrets(BTreeMap<String, Kind>);

/// Leaks that are told; more would only repeat them.
const MAX_LEAKS: usize = 20;
/// Characters of a line that are shown.
const SHOWN_CHARS: usize = 300;

impl Secrets {
    /// Whatever names somebody, opens something or was sent in the course of `trial`.
    pub fn learn(&mut self, trial: &Trial, evidence: &Evidence) {
        for known in &evidence.counterparties {
            let counterparty = &known.value;
            self.add(counterparty.id.as_str(), Kind::Counterparty);
            self.add(counterparty.principal.as_str(), Kind::Principal);
            for url in counterparty.inboxes.values() {
                self.add(url.rsplit('/').next().unwrap_or(url), Kind::Inbox);
            }
        }
        for matched in &evidence.matches {
            self.add(&matched.record.buy_token.encode(), Kind::Token);
            self.add(&matched.record.sell_token.encode(), Kind::Token);
        }
        for submission in &evidence.submissions {
            self.add(submission.cl_ord_id.as_str(), Kind::ClOrdId);
        }
        for sent in &trial.replayed().sent {
            self.add_body(&sent.body);
        }
    }

    /// Something of this kind, if it is long enough to be told from chance.
    pub fn add(&mut self, secret: &str, kind: Kind) {
        if secret.chars().count() >= 6 {
            self.0.entry(secret.to_owned()).or_insert(kind);
        }
    }

    /// The beginning and the end of a body.
    pub fn add_body(&mut self, body: &str) {
        let chars: Vec<char> = body.chars().collect();
        // The beginning of most bodies is the same, and no secret; what is said of them holds a word of a body.
        let uncommon = serde_json::from_str::<Value>(body).is_err();
        if uncommon && chars.len() >= QUOTED_CHARS {
            let first: String = chars.iter().take(QUOTED_CHARS).collect();
            let last: String = chars.iter().skip(chars.len() - QUOTED_CHARS).collect();
            self.add(&first, Kind::Body);
            self.add(&last, Kind::Body);
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What of them is found in `lines`: in the text as it is, and in what its JSON means.
    #[must_use]
    pub fn search(&self, lines: impl Iterator<Item = String>) -> Vec<Leak> {
        let words = WORDS_OF_BODIES.iter().chain(&WORDS_OF_ITEMS);
        let words = words.map(|word| ((*word).to_owned(), Kind::Body));
        let (patterns, kinds): (Vec<String>, Vec<Kind>) = self.0.clone().into_iter().chain(words).unzip();
        let searcher = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(&patterns);
        let searcher = match searcher {
            Ok(searcher) => searcher,
            Err(error) => return vec![Leak::unreadable(&io::Error::other(error))],
        };
        let mut leaks = Vec::new();
        for line in lines {
            if let Some(kind) = found(&searcher, &kinds, &line) {
                leaks.push(Leak {
                    kind: Some(kind),
                    line: line.chars().take(SHOWN_CHARS).collect(),
                });
            }
            if leaks.len() == MAX_LEAKS {
                break;
            }
        }
        leaks
    }
}

fn found(searcher: &AhoCorasick, kinds: &[Kind], line: &str) -> Option<Kind> {
    let meant = serde_json::from_str::<Value>(line).map_or_else(|_| String::new(), |line| texts(&line));
    [line, meant.as_str()].iter().find_map(|text| {
        let whole = |found: &aho_corasick::Match| stands_alone(text, found.start(), found.end());
        let found = searcher.find_iter(text).find(whole)?;
        kinds.get(found.pattern().as_usize()).copied()
    })
}

/// Not a part of a longer word or number: an order may be called by a number that stands within many others.
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let joins = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let before = text.get(..start).and_then(|text| text.chars().next_back());
    let after = text.get(end..).and_then(|text| text.chars().next());
    let first = text.get(start..).and_then(|text| text.chars().next());
    let last = text.get(..end).and_then(|text| text.chars().next_back());
    let grown = joins(before) && joins(first) || joins(after) && joins(last);
    !grown
}

/// Every text in a JSON value, names of fields included, each in a line.
fn texts(value: &Value) -> String {
    let all: Vec<String> = match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(all) => all.iter().map(texts).collect(),
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, value)| [name.clone(), texts(value)])
            .collect(),
        other => vec![other.to_string()],
    };
    all.join("\n")
}

/// Attributes of dead letters other than one `reason` of our own list.
pub(super) fn wrong_attributes(letters: &[DeadLetter]) -> usize {
    let reasons: BTreeSet<&str> = [SetAsideReason::Malformed, SetAsideReason::UnknownSender]
        .iter()
        .map(|reason| reason.code())
        .collect();
    let right = |letter: &&DeadLetter| {
        letter.was_moved_by_sqs()
            || letter.attributes.len() == 1
                && letter
                    .attributes
                    .get("reason")
                    .is_some_and(|reason| reasons.contains(reason.as_str()))
    };
    letters.iter().filter(|letter| !right(letter)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "nb2hi4dthixs653xo4xgk6dbobqxg5dfonxw63lqnrsxgzlsmuxg";

    fn secrets() -> Secrets {
        let mut secrets = Secrets::default();
        secrets.add("cp-7f3a9c", Kind::Counterparty);
        secrets.add("AROACOUNTERPARTY00007", Kind::Principal);
        secrets.add("symbolon-inbox-k3j9", Kind::Inbox);
        secrets.add(TOKEN, Kind::Token);
        secrets.add("65227340", Kind::ClOrdId);
        secrets.add_body("this is no JSON \"at all\" and yet somebody's own words");
        secrets
    }

    fn kinds(line: &str) -> Vec<Option<Kind>> {
        let leaks = secrets().search(std::iter::once(line.to_owned()));
        leaks.into_iter().map(|leak| leak.kind).collect()
    }

    #[test]
    fn each_of_them_is_found_when_it_is_planted() {
        let nested = serde_json::json!({"fields": {"error": r#"{"clOrdId":"A-1"}"#}}).to_string();
        for (line, kind) in [
            (r#"{"fields":{"owner":"cp-7f3a9c"}}"#, Kind::Counterparty),
            ("sent by AROACOUNTERPARTY00007:desk", Kind::Principal),
            (
                r#"{"url":"http://q/000000000000/symbolon-inbox-k3j9"}"#,
                Kind::Inbox,
            ),
            (&format!("token={TOKEN}"), Kind::Token),
            (r#"{"order":65227340}"#, Kind::ClOrdId),
            (r#"{"said":"this is no JSON \"at all\" and"}"#, Kind::Body),
            (&nested, Kind::Body),
            (r#"{"body":"\u0063lOrdId"}"#, Kind::Body),
            ("panicked at clOrdId", Kind::Body),
        ] {
            assert_eq!(kinds(line), [Some(kind)], "{line}");
        }
    }

    #[test]
    fn what_is_none_of_them_is_left_alone() {
        for line in [
            r#"{"timestamp":"2026-11-24T09:00:00.652273401Z","fields":{"event":"token_generated"}}"#,
            "1652273409",
            "cp-7f3a9cd",
            "",
        ] {
            assert_eq!(kinds(line), [], "{line}");
        }
    }

    #[test]
    fn a_dead_letter_bears_a_reason_and_nothing_else() {
        let letter = |attributes: &[(&str, &str)]| DeadLetter {
            attributes: attributes
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            ..DeadLetter::default()
        };
        let letters = [
            letter(&[]),
            letter(&[("reason", "malformed")]),
            letter(&[("reason", "cp-7f3a9c")]),
            letter(&[("sender", "malformed")]),
            letter(&[("reason", "malformed"), ("sender", "x")]),
        ];
        assert_eq!(wrong_attributes(&letters), 3);
    }
}
