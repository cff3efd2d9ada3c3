//! Who sent a message and when: the stamps that SQS makes and the emulator does not.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// More than the 120,000 messages that SQS lets be in flight per queue; about 20 MB when full.
const CAPACITY: usize = 1 << 17;

/// What SQS itself says of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// `SenderId`: for a role its unique id, a colon and the session's name.
    pub sender_id: String,
    /// `SentTimestamp` in milliseconds of Unix time; `None` for the emulator's own.
    pub sent_at_ms: Option<i64>,
}

impl Stamp {
    /// The stamp of a message that `principal` sends now.
    #[must_use]
    pub fn of(principal: &str) -> Self {
        Self {
            sender_id: sender_id(principal),
            sent_at_ms: None,
        }
    }

    /// The stamp of a message that `principal` sent at that time.
    #[must_use]
    pub fn at(principal: &str, sent_at_ms: i64) -> Self {
        Self {
            sender_id: sender_id(principal),
            sent_at_ms: Some(sent_at_ms),
        }
    }
}

fn sender_id(principal: &str) -> String {
    format!("{principal}:local")
}

/// The stamps of the messages that are still about, by message id.
///
/// Kept until the message is deleted by who polls it, or until too many newer ones came; a message whose stamp is
/// gone bears the emulator's own, which no registry knows. A message that SQS moves to a dead-letter queue keeps
/// its id and so its stamp.
#[derive(Debug, Default)]
pub struct Stamps(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    by_message: HashMap<String, (u64, Stamp)>,
    by_age: BTreeMap<u64, String>,
    next: u64,
}

impl Stamps {
    /// Remembers the stamp of a message, in place of an earlier one.
    pub fn register(&self, message_id: &str, stamp: Stamp) {
        self.kept().insert(message_id, stamp);
    }

    /// The stamp of a message.
    #[must_use]
    pub fn get(&self, message_id: &str) -> Option<Stamp> {
        self.kept()
            .by_message
            .get(message_id)
            .map(|(_, stamp)| stamp.clone())
    }

    /// Forgets a message that is no more.
    pub fn forget(&self, message_id: &str) {
        self.kept().remove(message_id);
    }

    /// A panic elsewhere leaves whole entries behind, so a poisoned lock is as good as any.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn insert(&mut self, message_id: &str, stamp: Stamp) {
        self.remove(message_id);
        self.by_message.insert(message_id.to_owned(), (self.next, stamp));
        self.by_age.insert(self.next, message_id.to_owned());
        self.next += 1;
        if self.by_message.len() > CAPACITY
            && let Some((_, oldest)) = self.by_age.pop_first()
        {
            self.by_message.remove(&oldest);
        }
    }

    fn remove(&mut self, message_id: &str) {
        if let Some((age, _)) = self.by_message.remove(message_id) {
            self.by_age.remove(&age);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_stamp_takes_the_place_of_an_earlier_one() {
        let stamps = Stamps::default();
        stamps.register("m", Stamp::of("a"));
        stamps.register("m", Stamp::at("b", 7));
        assert_eq!(
            stamps.get("m"),
            Some(Stamp {
                sender_id: "b:local".to_owned(),
                sent_at_ms: Some(7)
            })
        );
        stamps.forget("m");
        assert_eq!(stamps.get("m"), None);
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_go_first() {
        let stamps = Stamps::default();
        for number in 0..=CAPACITY {
            stamps.register(&number.to_string(), Stamp::of("a"));
        }
        assert_eq!(stamps.get("0"), None);
        assert!(stamps.get("1").is_some());
        let kept = stamps.kept();
        assert_eq!((kept.by_message.len(), kept.by_age.len()), (CAPACITY, CAPACITY));
    }
}
