//! A run ends in time, whatever hangs.

use serde_json::json;
use symbolon_shared::domain::backup::{Code, Verdict};
use symbolon_shared::testing::backup::Reply;
use tokio::time::Instant;

use crate::world::{GRANTED_MILLIS, NoExport, START, check, good, latest, policy, questions, run};

#[tokio::test(start_paused = true)]
async fn without_time_nothing_is_asked_and_everything_is_unknown() {
    let ports = good();
    let checked = check(&ports, NoExport)
        .handle(&json!({}), START.plus_millis(10_000))
        .await;
    assert_eq!(
        (checked.unknown, checked.verdict),
        (policy().stores().len(), Verdict::Unknown)
    );
    assert!(ports.asked().is_empty());
    let findings: Vec<_> = latest(&ports)
        .stores
        .into_iter()
        .flat_map(|store| store.findings)
        .collect();
    assert!(findings.iter().all(|finding| finding.code == Code::NotAsked));
}

#[tokio::test(start_paused = true)]
async fn a_run_in_which_everything_hangs_answers_in_time() {
    let ports = good();
    for (_, demand, about) in questions() {
        ports.reply(demand.fact(), &about, Reply::Hangs);
    }
    let began = Instant::now();
    let checked = run(&ports).await;
    let took = i64::try_from(began.elapsed().as_millis()).unwrap();
    assert!(took <= GRANTED_MILLIS - 15_000, "{took}");
    assert_eq!(checked.unknown, policy().stores().len());
    assert!(checked.report.is_some(), "and the report is kept");
}

#[tokio::test(start_paused = true)]
async fn a_deadline_long_past_is_survived() {
    let ports = good();
    let checked = check(&ports, NoExport)
        .handle(&json!({}), START.plus_days(-1))
        .await;
    assert_eq!(checked.verdict, Verdict::Unknown);
}

#[tokio::test(start_paused = true)]
async fn a_run_whose_bucket_and_bus_hang_answers_in_time() {
    let ports = good();
    ports.stall();
    let began = Instant::now();
    let checked = run(&ports).await;
    let took = i64::try_from(began.elapsed().as_millis()).unwrap();
    assert!(took <= GRANTED_MILLIS - 1_000, "{took}");
    assert_eq!(
        (checked.verdict, checked.report),
        (Verdict::Good, None),
        "what was seen was seen"
    );
    assert!(ports.announced().is_empty() && ports.objects().is_empty());
}
