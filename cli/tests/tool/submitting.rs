//! `submit`, with the queue as the witness.

use std::process::Stdio;
use std::time::Duration;

use crate::proxy::Fault;
use crate::stand::{Ran, Stand, interrupted};

fn interests(count: usize) -> String {
    (0..count).fold(String::new(), |text, n| {
        text + &format!(
            "{{\"type\":\"interest\",\"clOrdId\":\"A-{n}\",\"symbol\":\"BTCUSD\",\"side\":\"buy\",\"orderQty\":\"1\",\"price\":\"2\"}}\n"
        )
    })
}

fn submit(stand: &Stand, words: &str) -> Ran {
    stand.run("AROAACME", &format!("submit big.jsonl --output json {words}"))
}

#[test]
fn a_second_run_sends_nothing() {
    let stand = Stand::without_matcher();
    stand.file("big.jsonl", &interests(25));
    let first = submit(&stand, "").done().json();
    assert_eq!(
        (&first["sent"], &first["sentBefore"], &first["sqsMessages"]),
        (&25.into(), &0.into(), &25.into())
    );
    assert_eq!(stand.faults().requests("SendMessageBatch"), 3);
    let second = submit(&stand, "").done().json();
    assert_eq!((&second["sent"], &second["sentBefore"]), (&0.into(), &25.into()));
    assert_eq!(stand.faults().requests("SendMessageBatch"), 3);
    let told = stand.run("AROAACME", "submit big.jsonl").done().out;
    assert!(
        told.contains("Nothing was sent: 25 messages") && told.contains("big.jsonl.journal"),
        "{told}"
    );
    assert_eq!(stand.at_the_intake(), 25);
}

#[test]
fn what_was_acknowledged_before_a_failure_is_not_sent_again() {
    let stand = Stand::without_matcher();
    stand.file("big.jsonl", &interests(95));
    stand
        .faults()
        .set(|called, count| (called == "SendMessageBatch" && count > 4).then_some(Fault::Broken));
    submit(&stand, "").says(
        1,
        &[
            "40 of 95 messages were acknowledged",
            "run the same command again",
        ],
    );
    stand.faults().cease();
    let rest = submit(&stand, "").done().json();
    assert_eq!((&rest["sent"], &rest["sentBefore"]), (&55.into(), &40.into()));
    assert_eq!(stand.at_the_intake(), 95);
}

#[test]
fn a_lost_answer_is_made_good_by_sending_again() {
    let stand = Stand::without_matcher();
    stand.file("big.jsonl", &interests(30));
    stand
        .faults()
        .set(|called, count| (called == "SendMessageBatch" && count == 2).then_some(Fault::AnswerLost));
    submit(&stand, "").done();
    assert_eq!(stand.at_the_intake(), 40, "ten came twice, and count once");
}

#[test]
fn bundles_save_requests() {
    let stand = Stand::start();
    stand.onboard("acme", "AROAACME");
    stand.file("big.jsonl", &interests(1_234));
    let sent = submit(&stand, "--bundle 500").done().json();
    assert_eq!((&sent["sent"], &sent["sqsMessages"]), (&1_234.into(), &3.into()));
    assert_eq!(stand.faults().requests("SendMessageBatch"), 1);
    stand.settle();
    assert_eq!(stand.tables().submissions.len(), 1_234);
}

#[test]
fn standard_input_has_a_journal_only_when_one_is_named() {
    let stand = Stand::without_matcher();
    let run = |words: &str| {
        stand
            .run_with(
                "AROAACME",
                &format!("submit - --output json {words}"),
                &interests(3),
            )
            .done()
    };
    for _twice in 0..2 {
        let sent = run("").json();
        assert_eq!(
            (&sent["sent"], &sent["journal"]),
            (&3.into(), &serde_json::Value::Null)
        );
    }
    assert_eq!(run("--journal j").json()["sent"], 3);
    assert_eq!(run("--journal j").json()["sent"], 0);
    assert_eq!(stand.at_the_intake(), 9);
    stand
        .run_with("AROAACME", "submit -", "")
        .says(1, &["there is no message in standard input"]);
}

#[test]
fn a_journal_that_cannot_be_written_stops_it_before_anything_is_sent() {
    let stand = Stand::without_matcher();
    stand.file("big.jsonl", &interests(3));
    submit(&stand, "--journal nowhere/j").says(
        1,
        &[
            "cannot write the journal nowhere/j; nothing was sent",
            "--journal",
        ],
    );
    stand.file("taken", "something else\n");
    submit(&stand, "--journal taken").says(1, &["taken is no journal"]);
    assert_eq!(stand.faults().requests("SendMessageBatch"), 0);
    stand
        .run("AROAACME", "submit nowhere.jsonl")
        .says(1, &["cannot read nowhere.jsonl"]);
}

#[test]
fn who_interrupts_it_is_told_how_far_it_came() {
    let stand = Stand::without_matcher();
    stand.file("big.jsonl", &interests(20_000));
    let mut command = stand.symbolon("AROAACME", "submit big.jsonl");
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while stand.faults().requests("SendMessageBatch") < 5 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let ran = interrupted(child).says(
        1,
        &[
            "interrupted",
            "of 20000 messages were acknowledged: run the same command",
        ],
    );
    assert!(!ran.err.contains(" 0 of "), "{ran:?}");
    let journal = std::fs::read_to_string(stand.folder().join("big.jsonl.journal")).unwrap();
    assert!(journal.lines().count() > 4, "{journal}");
}

#[test]
fn a_part_of_a_batch_that_is_not_taken_is_sent_again_alone() {
    let stand = Stand::without_matcher();
    stand.file("big.jsonl", &interests(10));
    stand
        .faults()
        .set(|called, count| (called == "SendMessageBatch" && count <= 2).then_some(Fault::NotTaken));
    submit(&stand, "").done();
    assert_eq!(stand.faults().requests("SendMessageBatch"), 3);
    assert_eq!(stand.at_the_intake(), 10);
}

#[test]
fn a_message_that_sqs_refuses_is_named_by_its_line() {
    let stand = Stand::without_matcher();
    stand.file("big.jsonl", &interests(15));
    stand
        .faults()
        .set(|called, count| (called == "SendMessageBatch" && count == 2).then_some(Fault::FirstRefused));
    submit(&stand, "").says(
        1,
        &[
            "SQS does not take the message of line 11",
            "InvalidMessageContents",
            "14 of 15",
        ],
    );
    stand.faults().cease();
    submit(&stand, "").done();
    assert_eq!(stand.at_the_intake(), 15);
}
