//! The objects of a chain that were listed: a whole chain is one run of numbers, however long it is.

use std::collections::BTreeMap;

/// Sequence numbers, kept as runs without a gap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Listed(BTreeMap<u64, u64>);

impl Listed {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds one, in any order; once more changes nothing.
    pub(crate) fn insert(&mut self, sequence: u64) {
        let (mut first, mut last) = (sequence, sequence);
        if let Some((start, end)) = self.0.range(..=sequence).next_back().map(|(s, e)| (*s, *e)) {
            if end >= sequence {
                return;
            }
            if end + 1 == sequence {
                first = start;
            }
        }
        if let Some(end) = sequence.checked_add(1).and_then(|next| self.0.remove(&next)) {
            last = end;
        }
        self.0.insert(first, last);
    }

    /// Those after `covered`, in order.
    pub(crate) fn beyond(&self, covered: u64) -> impl Iterator<Item = u64> + use<> {
        let after = covered.saturating_add(1);
        self.0
            .clone()
            .into_iter()
            .filter(move |(_, end)| *end > covered)
            .flat_map(move |(start, end)| start.max(after)..=end)
    }

    /// How many there are after `covered`.
    pub(crate) fn count_beyond(&self, covered: u64) -> u64 {
        let runs = self.0.iter().filter(|(_, end)| **end > covered);
        runs.map(|(start, end)| end - start.max(&(covered + 1)) + 1).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_what_a_set_would_be_in_any_order() {
        let all = [5, 1, 2, 9, 3, 3, 8, 12, 4, 11, u64::MAX];
        let mut listed = Listed::default();
        assert!(listed.is_empty());
        for sequence in all {
            listed.insert(sequence);
        }
        let set: std::collections::BTreeSet<u64> = all.into_iter().collect();
        assert_eq!(listed.0.len(), 4, "{listed:?}");
        for covered in [0, 1, 4, 5, 6, 8, 10, 12, 13] {
            let beyond: Vec<u64> = set
                .iter()
                .copied()
                .filter(|sequence| *sequence > covered)
                .collect();
            assert_eq!(listed.beyond(covered).collect::<Vec<_>>(), beyond, "{covered}");
            assert_eq!(listed.count_beyond(covered), beyond.len() as u64, "{covered}");
        }
    }
}
