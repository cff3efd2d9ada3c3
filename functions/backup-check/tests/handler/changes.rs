//! What is told, once, until it was taken.

use symbolon_shared::domain::backup::{Change, Fact, Observed, ReportNames, Verdict};
use symbolon_shared::testing::MemoryBackup;
use symbolon_shared::testing::backup::Reply;

use crate::world::{LATEST, LATEST_PAGE, START, good, latest, policy, run, verdicts};

const TABLE: &str = "symbolon-keys";

/// The table's replica is gone.
fn lose(ports: &MemoryBackup) {
    ports.reply(Fact::Table, TABLE, Reply::Is(Observed::Missing));
}

fn told(changes: &[Change]) -> Vec<(&str, Verdict, Verdict)> {
    changes
        .iter()
        .map(|change| (change.store.as_str(), change.from, change.to))
        .collect()
}

#[tokio::test]
async fn the_first_run_tells_every_store_and_the_second_none() {
    let ports = good();
    let first = run(&ports).await;
    let stores = policy().stores().len();
    assert_eq!(
        (first.told, first.untold, first.verdict),
        (stores as u64, 0, Verdict::Good)
    );
    assert!(
        ports
            .announced()
            .iter()
            .all(|change| change.from == Verdict::Unknown)
    );
    let second = run(&ports).await;
    assert_eq!((second.told, ports.announced().len()), (0, stores));
    lose(&ports);
    let third = run(&ports).await;
    assert_eq!((third.told, third.verdict), (1, Verdict::Bad));
    assert_eq!(
        told(&ports.announced()[stores..]),
        [("table/keys", Verdict::Good, Verdict::Bad)]
    );
    assert_eq!(ports.announced()[stores].findings, ["table:missing"]);
}

#[tokio::test]
async fn what_the_bus_refuses_is_told_by_the_next_run_and_the_rest_is_not_told_again() {
    let ports = good();
    run(&ports).await;
    let before = ports.announced().len();
    lose(&ports);
    ports.reply(
        Fact::Rotation,
        "mrk-11111111111111111111111111111111",
        Reply::Is(Observed::Missing),
    );
    let id = latest(&ports)
        .stores
        .iter()
        .find(|store| store.id.as_str() == "table/keys")
        .unwrap()
        .id
        .clone();
    ports.refuse_changes([id]);
    let refused = run(&ports).await;
    assert_eq!((refused.told, refused.untold), (1, 1));
    assert_eq!(
        told(&ports.announced()[before..]),
        [("key/token", Verdict::Good, Verdict::Bad)]
    );
    // The report says what is, and what was told.
    let report = latest(&ports);
    let keys = report
        .stores
        .iter()
        .find(|store| store.id.as_str() == "table/keys")
        .unwrap();
    assert_eq!((keys.verdict, keys.told), (Verdict::Bad, Verdict::Good));
    ports.refuse_changes([]);
    assert_eq!(run(&ports).await.told, 1);
    assert_eq!(
        told(&ports.announced()[before + 1..]),
        [("table/keys", Verdict::Good, Verdict::Bad)]
    );
    assert_eq!(run(&ports).await.told, 0);
}

#[tokio::test]
async fn a_last_report_that_cannot_be_read_tells_nothing_and_is_left_as_it_is() {
    let ports = good();
    run(&ports).await;
    let (before, announced) = (ports.objects()[LATEST].clone(), ports.announced().len());
    lose(&ports);
    ports.fail_reads(true);
    let checked = run(&ports).await;
    assert_eq!(
        (checked.verdict, checked.told, checked.untold),
        (Verdict::Bad, 0, 0)
    );
    assert_eq!(
        (&ports.objects()[LATEST], ports.announced().len()),
        (&before, announced)
    );
    assert_ne!(
        ports.objects()[checked.report.as_ref().unwrap()],
        before,
        "the dated one says it all"
    );
    ports.fail_reads(false);
    assert_eq!(run(&ports).await.told, 1, "the next run tells it");
}

#[tokio::test]
async fn a_last_report_that_is_none_of_ours_was_none() {
    let ports = good();
    ports.put(LATEST, b"{\"v\":99}");
    let checked = run(&ports).await;
    assert_eq!(checked.told, policy().stores().len() as u64);
    assert_eq!(verdicts(&latest(&ports)).len(), policy().stores().len());
}

#[tokio::test]
async fn what_was_told_is_told_again_when_the_report_was_not_kept() {
    let ports = good();
    ports.refuse_writes([LATEST.to_owned()]);
    let stores = policy().stores().len() as u64;
    assert_eq!(run(&ports).await.told, stores);
    assert_eq!(run(&ports).await.told, stores, "twice rather than never");
    ports.refuse_writes([]);
    run(&ports).await;
    assert_eq!(run(&ports).await.told, 0);
}

#[tokio::test]
async fn a_run_leaves_the_newest_report_and_a_dated_one_each_with_its_page() {
    let ports = good();
    let checked = run(&ports).await;
    let names = ReportNames::new("us-east-1", START);
    let objects = ports.objects();
    let mut due = [names.dated.as_str(), &names.dated_page, LATEST, LATEST_PAGE];
    due.sort_unstable();
    assert_eq!(objects.keys().collect::<Vec<_>>(), due);
    assert_eq!(objects[LATEST], objects[&names.dated]);
    assert_eq!(objects[LATEST_PAGE], objects[&names.dated_page]);
    assert!(objects[LATEST_PAGE].starts_with(b"<!DOCTYPE html>"));
    assert_eq!(checked.report, Some(names.dated.clone()));
    ports.refuse_writes([names.dated]);
    assert_eq!(run(&ports).await.report, None);
}
