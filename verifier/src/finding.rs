//! What is wrong with a log, exactly and where; and what could not be ruled out.

use std::fmt;

use serde::Serialize;

use crate::format::{CHAINS, Malformed};

/// A place in a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Whose log.
    pub region: String,
    /// The chain.
    pub chain: u8,
    /// The object's place; none for the head.
    pub sequence: Option<u64>,
    /// The line of an entry, from 1 on.
    pub line: Option<u64>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.sequence {
            Some(sequence) => write!(f, "{}/{}/{sequence:016}", self.region, self.chain)?,
            None => write!(f, "{}/{}/head", self.region, self.chain)?,
        }
        self.line.map_or(Ok(()), |line| write!(f, " line {line}"))
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "finding", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Finding {
    /// Something lies under the region's name that the format does not have.
    #[error("{name}: the log has no such object")]
    Stray {
        /// Its name.
        name: String,
    },
    /// There is no log at all under this region's name.
    #[error("there is no log of {region}")]
    NoLog {
        /// The region.
        region: String,
    },
    /// A chain has objects and no head.
    #[error("{at}: the head is missing")]
    HeadMissing {
        /// Where.
        at: Place,
    },
    /// An object is missing.
    #[error("{at}: the object is missing")]
    ObjectMissing {
        /// Where.
        at: Place,
    },
    /// An object or a head is not of the form.
    #[error("{at}: {reason}")]
    Malformed {
        /// Where.
        at: Place,
        /// What it lacks.
        reason: Malformed,
    },
    /// The statement is of another log, chain or place.
    #[error("{at}: its statement belongs at {says}")]
    Elsewhere {
        /// Where it lies.
        at: Place,
        /// Where it says that it belongs.
        says: Place,
    },
    /// No given key has signed the statement.
    #[error("{at}: the signature is not of any given key")]
    SignatureWrong {
        /// Where.
        at: Place,
    },
    /// It does not follow what comes before.
    #[error("{at}: it follows another object than the one before it")]
    ChainBroken {
        /// Where.
        at: Place,
    },
    /// The entries are not those that were signed.
    #[error("{at}: the entries are not those of the statement")]
    EntriesChanged {
        /// Where.
        at: Place,
    },
    /// The numbers of the statement are not those that the entries make.
    #[error("{at}: count, entries or horizon are not what the entries make")]
    NumbersWrong {
        /// Where.
        at: Place,
    },
    /// A line is not an entry in its one spelling.
    #[error("{at}: the line is no entry")]
    NoEntry {
        /// Where.
        at: Place,
    },
    /// An entry is of a match that another chain is for.
    #[error("{at}: the entry belongs in chain {due}")]
    WrongChain {
        /// Where.
        at: Place,
        /// Its own chain.
        due: u8,
    },
    /// An event is logged in two objects.
    #[error("{at}: the event stands in object {first} already")]
    EventTwice {
        /// Where the second time.
        at: Place,
        /// The object of the first time.
        first: u64,
    },
    /// A match is minted twice, and the log does not say that it is broken.
    #[error("{at}: the match was minted in object {first} already")]
    MintedTwice {
        /// Where the second time.
        at: Place,
        /// The object of the first time.
        first: u64,
    },
    /// Two matches have one commitment.
    #[error("{at}: another match has this commitment, in object {first}")]
    CommitmentTwice {
        /// Where the second time.
        at: Place,
        /// The object of the first time.
        first: u64,
    },
    /// The head is not the statement of the object that it points to.
    #[error("{at}: the head says something else than the object of its sequence")]
    HeadDiffers {
        /// Where.
        at: Place,
    },
    /// There are objects that no head covers: a writer died between the two, or an old head was put back.
    #[error(
        "{at}: the head is at {head}, and the log goes on to {last}: a writer died in between, or is at work, and the \
         next batch of this chain mends it; if that does not, somebody put an old head back"
    )]
    HeadBehind {
        /// Where.
        at: Place,
        /// How far the head points.
        head: u64,
        /// The last object.
        last: u64,
    },
    /// The log ends before a head that somebody remembers: objects that were signed once, and seen, are not there. They
    /// were taken away with an old head put back, or what was read is a copy older than the head.
    #[error(
        "{at}: the log ends {} the remembered head of sequence {remembered}: {} that had been signed when the head was \
         seen, cut off since (or this is a copy from before)",
        ends(*.last), missing(*.remembered, *.last)
    )]
    TailCut {
        /// Where the object of the remembered head should be.
        at: Place,
        /// The sequence of the remembered head.
        remembered: u64,
        /// The sequence of the last object that is there; 0 when there is none.
        last: u64,
    },
    /// Somebody remembers another history.
    #[error(
        "{at}: the remembered head of this sequence has another link: the log was written anew, up to here or before"
    )]
    RememberedDiffers {
        /// Where.
        at: Place,
    },
    /// A remembered head is not signed by any given key, or not of the form: it proves nothing.
    #[error("remembered head, {from}: not a head that a given key has signed")]
    RememberedInvalid {
        /// Where it is from.
        from: String,
    },
    /// The other region's log does not have a match that this one has.
    #[error("{at}: the log of {missing_in} does not have the match")]
    MissingInOther {
        /// Where it is.
        at: Place,
        /// Where it is not.
        missing_in: String,
    },
    /// The other region's log says something else of a match.
    #[error("{at}: the log of {other} says something else of the match")]
    DiffersInOther {
        /// Where.
        at: Place,
        /// The other.
        other: String,
    },
}

fn ends(last: u64) -> String {
    match last {
        0 => "before its first object, and before".to_owned(),
        last => format!("at sequence {last}, before"),
    }
}

fn missing(remembered: u64, last: u64) -> String {
    match remembered - last.min(remembered) {
        1 => "one object is missing".to_owned(),
        missing => format!("{missing} objects are missing"),
    }
}

/// What could not be ruled out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "unproven", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Unproven {
    /// That the last objects of these chains were taken away and an old head put back: no remembered head reaches them.
    TailCut {
        /// The chains.
        chains: Vec<u8>,
    },
    /// That matches are missing in the other region's log: they are recent, and may be on their way.
    StillOnTheirWay {
        /// How many.
        matches: u64,
    },
}

impl fmt::Display for Unproven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TailCut { chains } => write!(
                f,
                "that the last objects of {} were cut off, and an old head put back: no remembered head reaches there",
                named(chains)
            ),
            Self::StillOnTheirWay { matches } => write!(
                f,
                "that {matches} recent matches are missing in the other log for good: they may still be on their way"
            ),
        }
    }
}

/// `chain 3`, `chains 0, 2 and 7`, `every chain`.
fn named(chains: &[u8]) -> String {
    match chains {
        all if all.len() == usize::from(CHAINS) => "every chain".to_owned(),
        [one] => format!("chain {one}"),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(u8::to_string).collect();
            format!("chains {} and {last}", first.join(", "))
        }
        [] => "no chain".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_tail_is_said_with_where_the_log_ends_and_what_that_means() {
        let at = Place {
            region: "us-east-1".to_owned(),
            chain: 3,
            sequence: Some(9),
            line: None,
        };
        let (remembered, last) = (9, 7);
        let cut = Finding::TailCut {
            at: at.clone(),
            remembered,
            last,
        };
        assert_eq!(
            cut.to_string(),
            "us-east-1/3/0000000000000009: the log ends at sequence 7, before the remembered head of sequence 9: 2 \
             objects are missing that had been signed when the head was seen, cut off since (or this is a copy from \
             before)"
        );
        let all = Finding::TailCut {
            at,
            remembered: 1,
            last: 0,
        };
        let text = all.to_string();
        assert!(
            text.contains("before its first object") && text.contains("one object is missing"),
            "{text}"
        );
    }

    #[test]
    fn chains_are_named_as_one_would_say_them() {
        let said = |chains: &[u8]| {
            Unproven::TailCut {
                chains: chains.to_vec(),
            }
            .to_string()
        };
        assert!(said(&[3]).contains("objects of chain 3 were"));
        assert!(said(&[0, 2, 7]).contains("objects of chains 0, 2 and 7 were"));
        assert!(said(&[0, 1, 2, 3, 4, 5, 6, 7]).contains("objects of every chain were"));
    }
}
