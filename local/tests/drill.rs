//! The drill in small: everything is met, everything holds, and nothing is said; and what is planted is found.

use std::num::NonZeroU32;

use local::drill::{Capture, DrillOptions, Secrets, drill};
use local::order_flow::sample;
use local::progress::Progress;

/// One test, for one process has one subscriber.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_is_met_and_holds_and_what_is_planted_is_found() {
    let capture = Capture::new().unwrap();
    capture.install().unwrap();
    let options = DrillOptions {
        seed: 3,
        race_interests: 150,
        racers: 32,
        hostile_bodies: 300,
    };
    let flow = sample(NonZeroU32::new(12).unwrap()).unwrap();
    let report = drill(flow, &options, &capture, &Progress::new(0, false))
        .await
        .unwrap();
    println!("{}", report.render());
    assert!(report.all_held(), "{}", report.render());

    let mut secrets = Secrets::default();
    secrets.add("planted-by-the-test", local::drill::Kind::Token);
    assert_eq!(capture.search(&secrets), []);
    tracing::info!(target: "matcher", token = "planted-by-the-test");
    assert_eq!(capture.search(&secrets).len(), 1, "a log line is searched");
    metrics::counter!("planted-by-the-test").increment(1);
    assert_eq!(capture.search(&secrets).len(), 2, "a metric is searched");
}
