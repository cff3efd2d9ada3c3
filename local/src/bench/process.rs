//! What the matcher's process takes: the release bootstrap as Lambda runs it, the emulators outside.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use symbolon_shared::domain::identifiers::Side;

use super::budget;
use super::floor::{Floor, Interest};
use super::report::{Figure, Row, Unit, as_f64};
use super::{BenchError, Plan, Told, build};
use crate::deployment::now;
use crate::platform::process::{FunctionProcess, on_path};

const SYMBOL: &str = "BTCUSD";
/// Messages of the batch on which memory is measured.
const LARGE_BATCH: u32 = 1_000;
/// Messages of the two runs whose difference is counted: whole requests of a hundred keys and of a hundred actions.
const FEW: u32 = 100;
const MANY: u32 = 300;
/// How long a start or a batch may take; under valgrind it takes fifty times as long as without.
const PATIENCE: Duration = Duration::from_mins(10);
/// What an invocation is granted, in milliseconds.
const GRANTED_MILLIS: i64 = 600_000;

/// What an interest of a batch does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Rests,
    IsFilled,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Rests => "that rests",
            Self::IsFilled => "filled by one other",
        }
    }
}

/// Size, cold start, memory and instructions of the bootstrap.
pub(super) async fn rows(plan: &Plan, told: &Told<'_>) -> Result<Vec<Row>, BenchError> {
    if !cfg!(target_os = "linux") {
        let why = "its process can be looked at on Linux only";
        return Ok(vec![Row::skipped("bootstrap", why)]);
    }
    told("the matcher's bootstrap: build");
    let bootstrap = match &plan.bootstrap {
        Some(bootstrap) => bootstrap.clone(),
        None => build::bootstrap()?,
    };
    let bench = ProcessBench::start(&bootstrap, plan.scale.counterparties).await?;
    let mut rows = vec![size(&bootstrap)?];
    told("the matcher's bootstrap: cold starts");
    rows.push(bench.cold_start(plan.starts).await?);
    rows.push(bench.first_batch().await?);
    told("the matcher's bootstrap: memory");
    rows.push(bench.memory().await?);
    told("the matcher's bootstrap: instructions");
    rows.push(bench.instructions().await?);
    bench.floor.deployment.shut_down().await;
    Ok(rows)
}

fn size(bootstrap: &Path) -> Result<Row, BenchError> {
    let binary = std::fs::read(bootstrap).map_err(|error| BenchError::Pack(Box::new(error)))?;
    let zipped = as_f64(build::zipped_bytes(&binary)?);
    let figures = vec![
        Figure::new("zipped", zipped, Unit::Bytes).at_most(budget::ZIPPED_BYTES),
        Figure::new("unpacked", as_f64(binary.len() as u64), Unit::Bytes),
    ];
    Ok(Row::of("bootstrap: size", figures))
}

/// A floor, and a bootstrap to run on it.
struct ProcessBench {
    floor: Floor,
    bootstrap: String,
    environment: BTreeMap<String, String>,
}

impl ProcessBench {
    async fn start(bootstrap: &Path, counterparties: u32) -> Result<Self, BenchError> {
        let floor = Floor::start(counterparties, &[SYMBOL]).await?;
        // The epoch's key is made and stored: from here on the table of keys is warm.
        floor.warm(SYMBOL).await?;
        let environment = floor.deployment.stack().exported_environment("matcher");
        let environment = environment.map_err(crate::deployment::DeploymentError::from)?;
        Ok(Self {
            floor,
            bootstrap: bootstrap.to_string_lossy().into_owned(),
            environment,
        })
    }

    async fn process(&self, wrapper: &[&str]) -> Result<FunctionProcess, BenchError> {
        let command: Vec<&str> = wrapper.iter().copied().chain([self.bootstrap.as_str()]).collect();
        Ok(FunctionProcess::start(&command, &self.environment, PATIENCE).await?)
    }

    async fn cold_start(&self, starts: u32) -> Result<Row, BenchError> {
        let (mut processor, mut wall, mut resident) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..starts {
            let started = self.process(&[]).await?.started().await?;
            processor.push(millis(started.processor));
            wall.push(millis(started.wall));
            resident.push(as_f64(started.resident_bytes));
        }
        let of_processor = Figure::median("processor time", processor, Unit::Millis)
            .map(|figure| figure.at_most(budget::COLD_START_MILLIS));
        let of_wall = Figure::median("wall time", wall, Unit::Millis);
        let of_memory = Figure::median("resident", resident, Unit::Bytes);
        let figures = [of_processor, of_wall, of_memory].into_iter().flatten();
        Ok(Row::of(
            format!("bootstrap: {starts} starts to first poll"),
            figures.collect(),
        ))
    }

    /// KMS calls of a process from its start until its first batch is answered.
    async fn first_batch(&self) -> Result<Row, BenchError> {
        let role = self
            .environment
            .get("AWS_ACCESS_KEY_ID")
            .map_or("", String::as_str);
        let calls = || self.floor.deployment.stack().requests().of(role, "TrentService");
        let before = calls();
        let process = self.process(&[]).await?;
        process.started().await?;
        self.batch(&process, Kind::Rests, 1, "first").await?;
        let calls = as_f64(calls() - before);
        let figure = Figure::new("KMS calls", calls, Unit::Count).at_most(budget::KMS_CALLS);
        Ok(Row::of("bootstrap: start to first answer", vec![figure]))
    }

    async fn memory(&self) -> Result<Row, BenchError> {
        let mut figures = Vec::new();
        for kind in [Kind::Rests, Kind::IsFilled] {
            let process = self.process(&[]).await?;
            process.started().await?;
            self.batch(&process, kind, LARGE_BATCH, "memory").await?;
            let resident = as_f64(process.peak_resident_bytes()?);
            let what = format!("resident, each {}", kind.name());
            figures.push(Figure::new(what, resident, Unit::Bytes).at_most(budget::RESIDENT_BYTES));
        }
        Ok(Row::of(format!("bootstrap: a batch of {LARGE_BATCH}"), figures))
    }

    /// By callgrind: two runs that differ in nothing but the length of one batch.
    async fn instructions(&self) -> Result<Row, BenchError> {
        const CASE: &str = "bootstrap: instructions";
        let path = std::env::var_os("PATH").unwrap_or_default();
        let Some(valgrind) = on_path("valgrind", &path) else {
            return Ok(Row::skipped(CASE, "valgrind is not installed here"));
        };
        let valgrind = valgrind.to_string_lossy().into_owned();
        let start = self.counted(&valgrind, None).await?;
        let mut figures = vec![Figure::new("start to first poll", start, Unit::Count)];
        for kind in [Kind::Rests, Kind::IsFilled] {
            let few = self.counted(&valgrind, Some((kind, FEW))).await?;
            let many = self.counted(&valgrind, Some((kind, MANY))).await?;
            let each = (many - few) / f64::from(MANY - FEW);
            figures.push(Figure::new(
                format!("an interest {}", kind.name()),
                each,
                Unit::Count,
            ));
        }
        Ok(Row::of(CASE, figures))
    }

    /// Instructions of a process that starts, takes one batch if there is one, and ends.
    async fn counted(&self, valgrind: &str, batch: Option<(Kind, u32)>) -> Result<f64, BenchError> {
        let wrapper = [
            valgrind,
            "--tool=callgrind",
            // The sum stands in the log; who wants to know where they go runs it by hand.
            "--callgrind-out-file=/dev/null",
            "--log-fd=2",
        ];
        let process = self.process(&wrapper).await?;
        process.started().await?;
        if let Some((kind, messages)) = batch {
            self.batch(&process, kind, messages, &format!("instructions-{messages}"))
                .await?;
        }
        let log = process.end().await?;
        collected(&log).ok_or_else(|| BenchError::Unexpected("valgrind names no sum".to_owned()))
    }

    /// One batch through the process, from the queue as Lambda polls it.
    async fn batch(
        &self,
        process: &FunctionProcess,
        kind: Kind,
        messages: u32,
        name: &str,
    ) -> Result<(), BenchError> {
        if kind == Kind::IsFilled {
            let others = messages + self.floor.counterparties();
            let other = |n| {
                (
                    self.floor.turn(n),
                    interest(format!("{name}-other-{n}"), Side::Sell),
                )
            };
            self.floor.fill((0..others).map(other)).await?;
        }
        let taken: Vec<(u32, String)> = (0..messages)
            .map(|n| {
                let side = match kind {
                    // Alone on its side of the book: nobody buys at this price but who is to be filled.
                    Kind::Rests => Side::Sell,
                    Kind::IsFilled => Side::Buy,
                };
                let name = format!("{name}-{}-{n}", side.as_str());
                (self.floor.turn(n + 5), interest(name, side).body())
            })
            .collect();
        self.floor.send(&taken).await?;
        let handler = async |event: Value| {
            let deadline = now().plus_millis(GRANTED_MILLIS);
            let answered = process.invoke(&event, deadline.as_millis()).await;
            answered.map_err(|error| error.to_string())
        };
        let delivery = self.floor.deployment.hand_over(taken.len(), handler).await?;
        let (published, match_messages) = self.floor.drain().await?;
        let expected = if kind == Kind::IsFilled {
            u64::from(messages)
        } else {
            0
        };
        if delivery.deleted == taken.len() && match_messages / 2 == expected {
            return Ok(());
        }
        Err(BenchError::Unexpected(format!(
            "of {messages} messages {} are done, and {published} messages published",
            delivery.deleted
        )))
    }
}

fn interest(name: String, side: Side) -> Interest<'static> {
    Interest {
        name,
        symbol: SYMBOL,
        side,
        order_qty: "1",
        price: "100".to_owned(),
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// The sum in callgrind's log: `==1== Collected : 123`.
fn collected(log: &str) -> Option<f64> {
    let line = log.lines().find_map(|line| line.split_once("Collected :"))?;
    line.1.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_read_out_of_callgrinds_log() {
        let log = "==1== \n==1== Events    : Ir\n==1== Collected : 7247606\n==1== \n";
        assert_eq!(collected(log), Some(7_247_606.0));
        assert_eq!(collected("==1== Events : Ir\n"), None);
    }
}
