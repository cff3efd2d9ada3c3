//! The replay against the oracle: the same file, the same figures, every invariant held.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod oracle;

use std::num::NonZeroU32;

use local::order_flow::plan::Disorder;
use local::order_flow::{OrderFlow, ReadOptions, read, sample, sample_csv};
use local::progress::Progress;
use local::report::Report;
use local::run::run;

use oracle::{Verdict, head, judge, real_morning};

/// Each message once, as recorded; of the stream's batches some twice, which must change nothing.
const IN_ORDER: Disorder = Disorder {
    duplicates: 0.0,
    shuffle: 0,
    stream_duplicates: 0.2,
    seed: 1,
};

async fn replayed(flow: OrderFlow, counterparties: u32, disorder: &Disorder) -> Report {
    run(flow, "a test", counterparties, disorder, &Progress::new(0, false))
        .await
        .unwrap()
        .0
}

fn flow_of(csv: &str, counterparties: u32) -> OrderFlow {
    let mut name = std::env::temp_dir();
    name.push(format!(
        "symbolon-{}-{}-{counterparties}.csv",
        std::process::id(),
        csv.len()
    ));
    std::fs::write(&name, csv).unwrap();
    let counterparties = NonZeroU32::new(counterparties).unwrap();
    let flow = read(
        &name,
        &ReadOptions {
            counterparties,
            symbol: None,
        },
    )
    .unwrap();
    std::fs::remove_file(name).unwrap();
    flow
}

fn assert_held(report: &Report) {
    assert!(report.all_held(), "{:#?} {:#?}", report.invariants, report.audit);
    assert_eq!(report.invariants.len(), 11);
    let audit = &report.audit;
    assert_eq!((audit.minted, audit.entries), (report.matches, report.matches));
    // Of few batches it may be none.
    assert!(audit.batches < 20 || audit.batches_again > 0, "{audit:#?}");
}

fn assert_same(report: &Report, verdict: &Verdict) {
    assert_held(report);
    let shown = (&report.matched_qty, &report.notional, &report.resting_qty);
    assert_eq!(
        shown,
        (&verdict.matched_qty, &verdict.notional, &verdict.resting_qty)
    );
    assert_eq!(
        [
            report.interests,
            report.matches,
            report.cancelled,
            report.cancels_waiting,
            report.too_late_to_cancel
        ],
        [
            verdict.interests,
            verdict.matches.len() as u64,
            verdict.cancelled,
            verdict.cancels_waiting,
            verdict.too_late_to_cancel
        ]
    );
    assert_eq!(
        [report.resting, report.ignored, report.rejected],
        [verdict.resting, verdict.ignored, 0]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sample_finds_what_the_oracle_finds() {
    let flow = sample(NonZeroU32::new(12).unwrap()).unwrap();
    assert_same(&replayed(flow, 12, &IN_ORDER).await, &judge(&sample_csv(), 12));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_thousand_real_events_find_what_the_oracle_finds() {
    let Some(morning) = real_morning() else { return };
    let csv = head(&morning, 5_000);
    for counterparties in [2, 12, 40] {
        let report = replayed(flow_of(csv, counterparties), counterparties, &IN_ORDER).await;
        assert_same(&report, &judge(csv, u64::from(counterparties)));
    }
}

async fn the_whole_morning_among(counterparties: u32) {
    let Some(morning) = real_morning() else { return };
    let report = replayed(flow_of(&morning, counterparties), counterparties, &IN_ORDER).await;
    assert_same(&report, &judge(&morning, u64::from(counterparties)));
}

// Two tests, to run side by side: each is most of a minute and more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_morning_among_five_finds_what_the_oracle_finds() {
    the_whole_morning_among(5).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_morning_among_twelve_finds_what_the_oracle_finds() {
    the_whole_morning_among(12).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn disorder_changes_the_matches_and_breaks_nothing() {
    let csv = real_morning().map_or_else(sample_csv, |morning| head(&morning, 5_000).to_owned());
    let interests = judge(&csv, 12).interests;
    for seed in 1..=3 {
        let disorder = Disorder {
            duplicates: 0.2,
            shuffle: 50,
            stream_duplicates: 0.2,
            seed,
        };
        let report = replayed(flow_of(&csv, 12), 12, &disorder).await;
        assert_held(&report);
        assert_eq!(report.interests, interests);
        assert!(
            report.duplicates_delivered > report.interests / 4,
            "{}",
            report.duplicates_delivered
        );
    }
}
