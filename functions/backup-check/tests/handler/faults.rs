//! Every question that may go unanswered: it flips its own store, never to good, and no other.

use symbolon_shared::domain::backup::{Code, Observed, Verdict};
use symbolon_shared::testing::backup::Reply;

use crate::world::{fails, good, latest, questions, run, verdicts};

#[tokio::test(start_paused = true)]
async fn whatever_goes_unanswered_flips_its_own_store_and_no_other() {
    let before = {
        let ports = good();
        run(&ports).await;
        verdicts(&latest(&ports))
    };
    assert!(
        before.values().all(|verdict| *verdict == Verdict::Good),
        "{before:?}"
    );
    let questions = questions();
    let mut rows = 0;
    for (store, demand, about) in &questions {
        for (reply, verdict, code) in [
            (Reply::Is(Observed::Missing), Verdict::Bad, Code::Missing),
            (fails("AccessDenied"), Verdict::Unknown, Code::Denied),
            (fails("AccessDeniedException"), Verdict::Unknown, Code::Denied),
            (fails("ThrottlingException"), Verdict::Unknown, Code::Failed),
            (Reply::Hangs, Verdict::Unknown, Code::NotAsked),
            (Reply::Panics, Verdict::Unknown, Code::Failed),
        ] {
            let ports = good();
            ports.reply(demand.fact(), about, reply.clone());
            let checked = run(&ports).await;
            let report = latest(&ports);
            let mut due = before.clone();
            due.insert(store.clone(), verdict);
            assert_eq!(verdicts(&report), due, "{store} {:?} {reply:?}", demand.fact());
            assert_eq!((checked.verdict, checked.good), (verdict, due.len() - 1));
            let of_store = report.stores.iter().find(|is| is.id.as_str() == store).unwrap();
            assert!(
                of_store
                    .findings
                    .iter()
                    .all(|found| found.fact == demand.fact() && found.code == code),
                "{store} {reply:?}: {:?}",
                of_store.findings
            );
            rows += 1;
        }
    }
    println!("{rows} rows: {} questions, 6 faults", questions.len());
    assert!(rows == 6 * questions.len() && rows > 480, "{rows}");
}

#[tokio::test]
async fn every_question_is_asked_once_and_few_at_a_time() {
    let ports = good();
    run(&ports).await;
    let asked = ports.asked();
    assert_eq!(asked.len(), questions().len());
    assert!(asked.values().all(|times| *times == 1), "{asked:?}");
    assert!(
        (2..=8).contains(&ports.most_under_way()),
        "{}",
        ports.most_under_way()
    );
}

#[tokio::test]
async fn nothing_readable_at_all_is_unknown_and_still_reported() {
    let ports = good();
    for (_, demand, about) in questions() {
        ports.reply(demand.fact(), &about, fails("AccessDenied"));
    }
    let checked = run(&ports).await;
    assert_eq!(
        (checked.verdict, checked.good, checked.bad),
        (Verdict::Unknown, 0, 0)
    );
    assert_eq!(ports.objects().len(), 4);
    assert!(
        ports.announced().is_empty(),
        "unknown is what was told of nothing"
    );
}
