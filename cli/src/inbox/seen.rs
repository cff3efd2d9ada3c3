//! Which messages were shown, as far back as there is room.

use std::collections::{HashSet, VecDeque};

use sha2::{Digest as _, Sha256};

/// The last so many `messageId`s.
#[derive(Debug)]
pub(super) struct Seen {
    most: usize,
    known: HashSet<[u8; 16]>,
    by_age: VecDeque<[u8; 16]>,
}

/// As long as a `messageId` itself is, whatever somebody puts in its place.
fn digest(id: &str) -> [u8; 16] {
    let hash: [u8; 32] = Sha256::digest(id).into();
    let mut short = [0; 16];
    short.copy_from_slice(&hash[..16]);
    short
}

impl Seen {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            known: HashSet::new(),
            by_age: VecDeque::new(),
        }
    }

    pub(super) fn contains(&self, id: &str) -> bool {
        self.known.contains(&digest(id))
    }

    pub(super) fn insert(&mut self, id: &str) {
        let digest = digest(id);
        if !self.known.insert(digest) {
            return;
        }
        self.by_age.push_back(digest);
        if self.by_age.len() > self.most
            && let Some(oldest) = self.by_age.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_forgotten() {
        let mut seen = Seen::new(2);
        for id in ["a", "b", "b", "c"] {
            seen.insert(id);
        }
        assert_eq!(["a", "b", "c"].map(|id| seen.contains(id)), [false, true, true]);
        assert_eq!((seen.known.len(), seen.by_age.len()), (2, 2));
    }
}
