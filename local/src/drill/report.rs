//! What a drill comes out with, and how a person sees it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use comfy_table::{CellAlignment, Table, presets};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::Leak;
use crate::platform::faults::Counts;
use crate::report::HELD;

/// The whole drill.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DrillReport {
    /// What its faults were drawn from.
    pub seed: u64,
    /// What came of each stage.
    pub stages: Vec<StageReport>,
    /// Lines of log and metrics that were searched.
    pub said: usize,
    /// What was found in them.
    pub leaks: Vec<Leak>,
}

/// One stage, on a deployment of its own.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StageReport {
    /// What it was.
    pub name: &'static str,
    /// Processes of the matcher at the queue.
    pub processes: usize,
    /// Messages sent, those included that were sent twice.
    pub messages: usize,
    /// Messages done.
    pub done: usize,
    /// Deliveries that came back.
    pub returned: usize,
    /// Processes that died.
    pub deaths: u64,
    /// Matches made.
    pub matches: usize,
    /// Messages in the dead-letter queue at the end.
    pub set_aside: usize,
    /// Dead letters that bear anything but a reason.
    pub wrong_attributes: usize,
    /// Attempts of each operation.
    pub attempts: BTreeMap<String, u64>,
    /// Operation and injection → how often it was met.
    #[serde(serialize_with = "by_operation")]
    pub met: Counts<String>,
    /// Operation and error code → how often it came back, injected or not.
    #[serde(serialize_with = "by_operation")]
    pub errors: Counts<String>,
    /// What had to be met and was not.
    pub unmet: Vec<String>,
    /// What else is to be said.
    pub notes: BTreeMap<&'static str, String>,
    /// How long it took.
    pub seconds: f64,
    /// Invariant → `held`, or the first counterexample.
    pub verdicts: BTreeMap<String, String>,
}

fn by_operation<S: Serializer>(counts: &Counts<String>, serializer: S) -> Result<S::Ok, S::Error> {
    let mut all: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
    for ((operation, name), count) in counts {
        all.entry(operation).or_default().insert(name, *count);
    }
    let mut map = serializer.serialize_map(Some(all.len()))?;
    for (operation, counts) in &all {
        map.serialize_entry(operation, counts)?;
    }
    map.end()
}

impl StageReport {
    /// Whether everything was met, done, and as it must be.
    #[must_use]
    pub fn all_held(&self) -> bool {
        self.faults().is_empty()
    }

    /// What is wrong, each in a line.
    fn faults(&self) -> Vec<String> {
        let broken = self.verdicts.iter().filter(|(_, verdict)| *verdict != HELD);
        let mut faults: Vec<String> = broken
            .map(|(name, verdict)| format!("{name}: {verdict}"))
            .collect();
        if self.done != self.messages {
            faults.push(format!("{} of {} messages are done", self.done, self.messages));
        }
        if self.wrong_attributes > 0 {
            faults.push(format!(
                "{} dead letters bear more than a reason",
                self.wrong_attributes
            ));
        }
        faults.extend(self.unmet.iter().map(|what| format!("never met: {what}")));
        faults
    }
}

impl DrillReport {
    /// Whether every stage held and nothing leaked.
    #[must_use]
    pub fn all_held(&self) -> bool {
        self.leaks.is_empty() && self.said > 0 && self.stages.iter().all(StageReport::all_held)
    }

    /// For a person: each stage, what was met, and what was found.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = format!("The drill, seed {}\n", self.seed);
        for stage in &self.stages {
            text += &stage.render();
        }
        let _written = writeln!(
            text,
            "\nSaid: {} lines of log and metrics searched for names, tokens, queues and bodies: {}",
            self.said,
            if self.leaks.is_empty() {
                "none found"
            } else {
                "FOUND"
            }
        );
        for leak in &self.leaks {
            let _written = writeln!(text, "  {:?}: {}", leak.kind, leak.line);
        }
        let _written = write!(
            text,
            "\n{}",
            if self.all_held() {
                "All held."
            } else {
                "NOT all held."
            }
        );
        text
    }
}

impl StageReport {
    fn render(&self) -> String {
        let mut text = format!(
            "\n{}: {} messages by {} processes in {:.1} s\n  {} matches, {} deliveries came back, {} processes died, \
             {} dead letters\n",
            self.name,
            self.messages,
            self.processes,
            self.seconds,
            self.matches,
            self.returned,
            self.deaths,
            self.set_aside
        );
        for (name, note) in &self.notes {
            let _written = writeln!(text, "  {name}: {note}");
        }
        if !self.met.is_empty() {
            let _written = writeln!(text, "{}", matrix(&self.attempts, &self.met));
        }
        let faults = self.faults();
        if faults.is_empty() {
            let _written = writeln!(text, "  {} invariants held", self.verdicts.len());
        }
        for fault in faults {
            let _written = writeln!(text, "  BROKEN {fault}");
        }
        text
    }
}

/// A row for each operation, a column for each injection.
fn matrix(attempts: &BTreeMap<String, u64>, met: &Counts<String>) -> Table {
    let names: BTreeSet<&str> = met.keys().map(|(_, name)| name.as_str()).collect();
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let titles = ["met", "attempts"].into_iter().chain(names.iter().copied());
    table.set_header(titles.collect::<Vec<_>>());
    for (operation, count) in attempts {
        let of = |name: &&str| {
            let count = met.get(&(operation.clone(), (*name).to_owned()));
            count.map_or_else(|| "·".to_owned(), u64::to_string)
        };
        let row = [operation.clone(), count.to_string()]
            .into_iter()
            .chain(names.iter().map(of));
        table.add_row(row.collect::<Vec<_>>());
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
