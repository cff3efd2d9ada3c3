//! The last objects of a chain, as far as duplicates have to be told.

use std::collections::{HashMap, HashSet, VecDeque};

use symbolon_shared::domain::audit::{Entry, Event, EventId, Invariant, Link};
use symbolon_shared::domain::time::Timestamp;
use symbolon_shared::domain::token::MatchId;

/// Events that are remembered from one batch to the next, about: 16 bytes each and their room in a set.
const REMEMBERED: usize = 20_000;

/// Which events and matches some entries are about.
#[derive(Debug, Default)]
pub(super) struct Logged {
    events: HashSet<EventId>,
    minted: HashSet<MatchId>,
    /// What is said to be broken of an event. Seldom anything.
    broken: HashMap<EventId, Vec<Invariant>>,
}

impl Logged {
    pub(super) fn of(entries: &[Entry]) -> Self {
        let mut logged = Self::default();
        for entry in entries {
            logged.add(entry);
        }
        logged
    }

    pub(super) fn add(&mut self, entry: &Entry) {
        self.events.insert(entry.event_id);
        if let Some(invariant) = entry.invariant {
            self.broken.entry(entry.event_id).or_default().push(invariant);
        }
        if entry.event == Event::Minted {
            self.minted.insert(entry.match_id);
        }
    }

    pub(super) fn has(&self, event: &EventId) -> bool {
        self.events.contains(event)
    }

    pub(super) fn has_minted(&self, match_id: &MatchId) -> bool {
        self.minted.contains(match_id)
    }
}

/// One object, as far as it is remembered.
#[derive(Debug)]
pub(super) struct Past {
    /// Its place.
    pub(super) sequence: u64,
    /// Its horizon: nothing in it or before it was recorded later.
    pub(super) horizon: Timestamp,
    /// What the object before must end with, where that is known.
    pub(super) previous: Option<Link>,
    /// What is in it.
    pub(super) logged: Logged,
}

/// Objects without a gap, up to the chain's position; perhaps none.
#[derive(Debug, Default)]
pub(super) struct Recent(VecDeque<Past>);

impl Recent {
    /// The one that lies furthest back.
    pub(super) fn oldest(&self) -> Option<&Past> {
        self.0.front()
    }

    pub(super) fn push_older(&mut self, past: Past) {
        self.0.push_front(past);
    }

    pub(super) fn push_newer(&mut self, past: Past) {
        self.0.push_back(past);
        let mut events: usize = self.0.iter().map(|past| past.logged.events.len()).sum();
        while events > REMEMBERED && self.0.len() > 1 {
            let forgotten = self.0.pop_front();
            events -= forgotten.map_or(0, |past| past.logged.events.len());
        }
    }

    pub(super) fn has(&self, event: &EventId) -> bool {
        self.0.iter().any(|past| past.logged.has(event))
    }

    /// Which invariants an object says to be broken of an event, and the object's place.
    pub(super) fn broken(&self, event: &EventId) -> Option<(u64, &[Invariant])> {
        let said = |past: &'_ Past| past.logged.broken.contains_key(event);
        let past = self.0.iter().find(|past| said(past))?;
        Some((past.sequence, past.logged.broken.get(event)?))
    }

    pub(super) fn has_minted(&self, match_id: &MatchId) -> bool {
        self.0.iter().any(|past| past.logged.has_minted(match_id))
    }
}
