//! What a bench comes out with: one row for each case, each with its figures, and which of them have a budget.

use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

use super::spent::Spent;

/// Everything that was measured, in the order in which it is shown.
#[derive(Debug, Clone, Default)]
pub struct BenchReport {
    /// The rows.
    pub rows: Vec<Row>,
}

impl Serialize for BenchReport {
    /// The verdict in front of what it stands on.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut json = serializer.serialize_struct("BenchReport", 2)?;
        json.serialize_field("within", &self.within())?;
        json.serialize_field("rows", &self.rows)?;
        json.end()
    }
}

/// One case.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// What was done.
    pub case: String,
    /// Interests at rest in the book that it was done to, where that is the question.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub book: Option<u64>,
    /// What it asked of AWS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counted: Option<Counted>,
    /// What it comes to.
    pub figures: Vec<Figure>,
    /// Why there is nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
}

/// What some messages asked of AWS.
#[derive(Debug, Clone, Default)]
pub struct Counted {
    /// Messages taken: interests, and in the single cases whatever the case is about.
    pub interests: u64,
    /// Matches made.
    pub matches: u64,
    /// Messages that reached an inbox.
    pub published: u64,
    /// What was asked.
    pub spent: Spent,
}

impl Counted {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: &Self) -> Self {
        Self {
            interests: self.interests + other.interests,
            matches: self.matches + other.matches,
            published: self.published + other.published,
            spent: self.spent.plus(&other.spent),
        }
    }

    /// `amount` for each interest.
    #[must_use]
    pub fn per_interest(&self, amount: f64) -> f64 {
        ratio(amount, self.interests).unwrap_or(0.0)
    }

    /// `amount` for each match; nothing without one.
    #[must_use]
    pub fn per_match(&self, amount: f64) -> Option<f64> {
        ratio(amount, self.matches)
    }

    /// Messages in one send request; nothing when nothing was published.
    #[must_use]
    pub fn messages_per_send(&self) -> Option<f64> {
        ratio(as_f64(self.published), self.spent.sends())
    }

    /// Requests of every operation.
    #[must_use]
    pub fn requests(&self) -> f64 {
        as_f64(self.spent.requests())
    }
}

/// As JSON: the counts, and what they come to.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CountedJson<'a> {
    interests: u64,
    matches: u64,
    published: u64,
    spent: &'a Spent,
    #[serde(skip_serializing_if = "Option::is_none")]
    per_interest: Option<Shares>,
    #[serde(skip_serializing_if = "Option::is_none")]
    per_match: Option<Shares>,
    #[serde(skip_serializing_if = "Option::is_none")]
    messages_per_send: Option<f64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shares {
    requests: f64,
    write_units: f64,
    read_units: f64,
}

impl Serialize for Counted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let shares = |of: u64| {
            Some(Shares {
                requests: ratio(self.requests(), of)?,
                write_units: ratio(self.spent.write_units(), of)?,
                read_units: ratio(self.spent.read_units(), of)?,
            })
        };
        let json = CountedJson {
            interests: self.interests,
            matches: self.matches,
            published: self.published,
            spent: &self.spent,
            per_interest: shares(self.interests),
            per_match: shares(self.matches),
            messages_per_send: self.messages_per_send(),
        };
        json.serialize(serializer)
    }
}

fn ratio(amount: f64, of: u64) -> Option<f64> {
    (of > 0).then(|| amount / as_f64(of))
}

/// A count as a number to calculate with.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts of a bench are far below 2^53")]
pub fn as_f64(count: u64) -> f64 {
    count as f64
}

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Things.
    Count,
    /// Milliseconds.
    Millis,
    /// Bytes.
    Bytes,
    /// Hundredths.
    Percent,
}

/// A bound.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Limit {
    /// No more than this.
    AtMost(f64),
    /// No less than this.
    AtLeast(f64),
}

/// One figure.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Figure {
    /// What it is.
    pub what: String,
    /// How much; where there is a spread, the median.
    pub value: f64,
    /// Of what.
    pub unit: Unit,
    /// The smallest and the greatest of several measurements.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spread: Option<[f64; 2]>,
    /// Its budget.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
}

impl Figure {
    /// A figure without a budget.
    pub fn new(what: impl Into<String>, value: f64, unit: Unit) -> Self {
        Self {
            what: what.into(),
            value,
            unit,
            spread: None,
            limit: None,
        }
    }

    /// The median of `measured` with its spread; `None` of nothing.
    pub fn median(what: impl Into<String>, mut measured: Vec<f64>, unit: Unit) -> Option<Self> {
        measured.sort_by(f64::total_cmp);
        let (least, most) = (*measured.first()?, *measured.last()?);
        let upper = *measured.get(measured.len() / 2)?;
        let lower = *measured.get((measured.len() - 1) / 2)?;
        Some(Self {
            spread: Some([least, most]),
            ..Self::new(what, f64::midpoint(lower, upper), unit)
        })
    }

    /// The same with a budget.
    #[must_use]
    pub fn at_most(self, limit: f64) -> Self {
        Self {
            limit: Some(Limit::AtMost(limit)),
            ..self
        }
    }

    /// The same with a budget.
    #[must_use]
    pub fn at_least(self, limit: f64) -> Self {
        Self {
            limit: Some(Limit::AtLeast(limit)),
            ..self
        }
    }

    /// Whether it keeps its budget; nothing without one.
    #[must_use]
    pub fn within(&self) -> Option<bool> {
        // What is computed from counts may differ from the budget by rounding alone.
        const ROUNDING: f64 = 1e-9;
        self.limit.map(|limit| match limit {
            Limit::AtMost(most) => self.value <= most + ROUNDING,
            Limit::AtLeast(least) => self.value >= least - ROUNDING,
        })
    }

    /// Whether its budget is what the bench's own verdict stands on. Times are shown beside their budget and never
    /// asserted: they belong to the machine and to whoever else uses it.
    #[must_use]
    pub fn is_asserted(&self) -> bool {
        self.unit != Unit::Millis
    }
}

impl Row {
    /// A row about what was asked of AWS.
    pub fn counted(case: impl Into<String>, book: Option<u64>, counted: Counted) -> Self {
        Self {
            case: case.into(),
            book,
            counted: Some(counted),
            figures: Vec::new(),
            skipped: None,
        }
    }

    /// A row of figures alone.
    pub fn of(case: impl Into<String>, figures: Vec<Figure>) -> Self {
        Self {
            case: case.into(),
            book: None,
            counted: None,
            figures,
            skipped: None,
        }
    }

    /// A row that says why there is nothing.
    pub fn skipped(case: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            skipped: Some(why.into()),
            ..Self::of(case, Vec::new())
        }
    }

    /// The same with these figures too.
    #[must_use]
    pub fn with(mut self, figures: impl IntoIterator<Item = Figure>) -> Self {
        self.figures.extend(figures);
        self
    }
}

impl BenchReport {
    /// Whether every budget that is asserted is kept.
    #[must_use]
    pub fn within(&self) -> bool {
        self.over().next().is_none()
    }

    /// Every figure that is over an asserted budget, with its case.
    pub fn over(&self) -> impl Iterator<Item = (&str, &Figure)> {
        let figures = self
            .rows
            .iter()
            .flat_map(|row| row.figures.iter().map(|figure| (row.case.as_str(), figure)));
        figures.filter(|(_, figure)| figure.is_asserted() && figure.within() == Some(false))
    }
}
