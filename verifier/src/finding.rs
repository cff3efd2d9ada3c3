//! What is wrong with a log, exactly and where; and what could not be ruled out.

use std::fmt;

use serde::Serialize;

use crate::format::Malformed;

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
    #[error("{at}: the head is at {head}, and the log goes on to {last}")]
    HeadBehind {
        /// Where.
        at: Place,
        /// How far the head points.
        head: u64,
        /// The last object.
        last: u64,
    },
    /// Somebody remembers a head that the log does not reach.
    #[error("{at}: the tail is cut, a remembered head is at {remembered} and the log ends at {last}")]
    TailCut {
        /// Where.
        at: Place,
        /// How far the remembered head points.
        remembered: u64,
        /// The last object.
        last: u64,
    },
    /// Somebody remembers another history.
    #[error("{at}: a remembered head has another history")]
    RememberedDiffers {
        /// Where.
        at: Place,
    },
    /// A remembered head is not signed by any given key, or not of the form: it proves nothing.
    #[error("remembered head {number}: not a head that a given key has signed")]
    RememberedInvalid {
        /// Which one of those given, from 1 on.
        number: usize,
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
                "that the ends of chains {chains:?} were cut off: give heads that somebody remembers, or the other \
                 region's bucket"
            ),
            Self::StillOnTheirWay { matches } => write!(
                f,
                "that {matches} recent matches are missing in the other log: they may be on their way"
            ),
        }
    }
}
