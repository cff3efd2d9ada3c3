//! What one stretch of work asked of AWS: the meter read before and after it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::platform::meter::OperationCount;

/// Operation → what was asked of it. Operations that were not used are left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Spent(BTreeMap<String, OperationCount>);

/// Reading the other side of a book.
const QUERY: &str = "dynamodb:Query";
/// Publishing.
const SENDS: &str = "sqs:SendMessageBatch";

impl Spent {
    /// What came between two readings of one meter.
    #[must_use]
    pub fn between(
        before: &BTreeMap<String, OperationCount>,
        after: &BTreeMap<String, OperationCount>,
    ) -> Self {
        let grown = after.iter().map(|(operation, now)| {
            let then = before.get(operation).copied().unwrap_or_default();
            let difference = OperationCount {
                requests: now.requests - then.requests,
                read_units: now.read_units - then.read_units,
                write_units: now.write_units - then.write_units,
            };
            (operation.clone(), difference)
        });
        Self(grown.filter(|(_, difference)| difference.requests > 0).collect())
    }

    /// Both together.
    #[must_use]
    pub fn plus(mut self, other: &Self) -> Self {
        for (operation, more) in &other.0 {
            let sum = self.0.entry(operation.clone()).or_default();
            sum.requests += more.requests;
            sum.read_units += more.read_units;
            sum.write_units += more.write_units;
        }
        self
    }

    /// Requests of every operation.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.0.values().map(|count| count.requests).sum()
    }

    /// Requests of one operation, by its name behind the colon.
    #[must_use]
    pub fn requests_of(&self, name: &str) -> u64 {
        let named = self.0.iter().filter(|(operation, _)| {
            operation
                .rsplit_once(':')
                .is_some_and(|(_, operation)| operation == name)
        });
        named.map(|(_, count)| count.requests).sum()
    }

    /// Write units.
    #[must_use]
    pub fn write_units(&self) -> f64 {
        self.0.values().map(|count| count.write_units).sum()
    }

    /// Read units.
    #[must_use]
    pub fn read_units(&self) -> f64 {
        self.0.values().map(|count| count.read_units).sum()
    }

    /// Read units of everything but the queries, whose share has a budget of its own.
    #[must_use]
    pub fn read_units_beside_queries(&self) -> f64 {
        self.read_units() - self.0.get(QUERY).map_or(0.0, |count| count.read_units)
    }

    /// Queries of books.
    #[must_use]
    pub fn queries(&self) -> u64 {
        self.0.get(QUERY).map_or(0, |count| count.requests)
    }

    /// Requests that publish.
    #[must_use]
    pub fn sends(&self) -> u64 {
        self.0.get(SENDS).map_or(0, |count| count.requests)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(query: (u64, f64), sends: u64) -> BTreeMap<String, OperationCount> {
        let count = |requests, read_units| OperationCount {
            requests,
            read_units,
            write_units: 2.0 * read_units,
        };
        [
            (QUERY, count(query.0, query.1)),
            ("dynamodb:BatchGetItem", count(3, 7.0)),
            (SENDS, count(sends, 0.0)),
        ]
        .map(|(name, count)| (name.to_owned(), count))
        .into()
    }

    #[test]
    fn only_what_came_between_counts() {
        let spent = Spent::between(&reading((1, 1.5), 2), &reading((4, 6.0), 2));
        assert_eq!((spent.requests(), spent.queries(), spent.sends()), (3, 3, 0));
        assert_eq!(spent.requests_of("Query"), 3);
        assert_eq!(spent.requests_of("BatchGetItem"), 0);
        assert_eq!(spent.0.len(), 1, "what was not used is left out");
        let all = Spent::between(&BTreeMap::new(), &reading((1, 1.5), 2)).plus(&spent);
        assert_eq!((all.requests(), all.queries()), (9, 4));
        assert!((all.read_units() - 13.0).abs() < 1e-9);
        assert!((all.read_units_beside_queries() - 7.0).abs() < 1e-9);
        assert!((all.write_units() - 26.0).abs() < 1e-9);
    }
}
