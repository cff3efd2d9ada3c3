//! Requests that the front has taken, by who made them: the only count of what a process outside this one asks for.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Requests by access key id and operation, such as `TrentService.Decrypt`.
#[derive(Debug, Default)]
pub struct Requests(Mutex<BTreeMap<(String, String), u64>>);

impl Requests {
    pub(super) fn count(&self, access_key_id: &str, target: &str) {
        *self
            .counts()
            .entry((access_key_id.to_owned(), target.to_owned()))
            .or_default() += 1;
    }

    /// How many requests of `access_key_id` had a target that begins with `service`.
    #[must_use]
    pub fn of(&self, access_key_id: &str, service: &str) -> u64 {
        self.counts()
            .iter()
            .filter(|((caller, target), _)| caller == access_key_id && target.starts_with(service))
            .map(|(_, count)| count)
            .sum()
    }

    /// A count is whole at any moment, so a poisoned lock is as good as any.
    fn counts(&self) -> MutexGuard<'_, BTreeMap<(String, String), u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_and_services_are_told_apart() {
        let requests = Requests::default();
        for (caller, target) in [
            ("a", "TrentService.Decrypt"),
            ("a", "TrentService.Decrypt"),
            ("a", "TrentService.GenerateDataKeyWithoutPlaintext"),
            ("a", "AmazonSQS.SendMessage"),
            ("b", "TrentService.Decrypt"),
        ] {
            requests.count(caller, target);
        }
        assert_eq!(requests.of("a", "TrentService"), 3);
        assert_eq!(requests.of("a", "TrentService.Decrypt"), 2);
        assert_eq!(requests.of("a", "AmazonSQS"), 1);
        assert_eq!(requests.of("c", ""), 0);
    }
}
