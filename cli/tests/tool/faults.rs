//! What goes wrong, what is said of it, and that a second run repairs it.

use std::fs::OpenOptions;
use std::process::Stdio;

use crate::proxy::Fault;
use crate::stand::{Ran, Stand};

const STAFF: &str = "AROAOPERATOR";
const INTEREST: &str = r#"{"type":"interest","clOrdId":"A-1","symbol":"BTCUSD","side":"buy","orderQty":"1","price":"2","ack":true}"#;

/// Nothing of what a service says is repeated: it may quote anything.
fn quotes_nothing(ran: &Ran) {
    assert!(
        !ran.err.contains("SECRET-OF-THE-SERVICE") && !ran.out.contains("SECRET-OF-THE-SERVICE"),
        "{ran:?}"
    );
}

#[test]
fn a_wrong_parameter_is_named_with_what_it_may_be() {
    let stand = Stand::without_matcher();
    for (words, says) in [
        (
            "parameters set X --tick 0 --lot 1 --currency USD",
            "tick must be above zero",
        ),
        (
            "parameters set X --tick 1 --lot 0 --currency USD",
            "lot must be above zero",
        ),
        (
            "parameters set X --tick 1 --lot 1 --currency usd",
            "currency must be 3 to 10 of A-Z 0-9",
        ),
        (
            "parameters set X --tick 1e3 --lot 1 --currency USD",
            "decimal of at most 18",
        ),
        (
            "parameters set x --tick 1 --lot 1 --currency USD",
            "a symbol is 1 to 32",
        ),
        ("parameters set X --tick 1 --lot 1", "--currency"),
        ("cancel A-1 --as A-1", "clOrdId of its own"),
        (
            "inbox somebody",
            "neither a counterparty's id nor an inbox's name",
        ),
        ("fit a b c", "the first token is no token"),
    ] {
        stand.run(STAFF, words).says(2, &[says]);
    }
    stand
        .run(STAFF, "parameters get X")
        .says(1, &["X has no parameters"]);
    stand
        .run(STAFF, "parameters set X --tick 1 --lot 1 --currency USD")
        .done();
}

#[test]
fn a_missing_permission_is_said_with_who_has_it() {
    let stand = Stand::without_matcher();
    let acme = stand.onboard("acme", "AROAACME");
    let file = stand.file("acme.jsonl", INTEREST);
    let file = file.display();
    for (operation, words, says) in [
        (
            "BatchGetItem",
            "parameters get BTCUSD".to_owned(),
            "onboarding role",
        ),
        (
            "PutItem",
            "parameters set X --tick 1 --lot 1 --currency USD".to_owned(),
            "onboarding role",
        ),
        ("Scan", "counterparty list".to_owned(), "onboarding role"),
        (
            "SendMessageBatch",
            format!("submit {file}"),
            "onboarded counterparty's role",
        ),
        (
            "SendMessageBatch",
            "cancel A-1 --as A-2".to_owned(),
            "onboarded counterparty's role",
        ),
        (
            "BatchGetItem",
            format!("inbox {acme} --wait 1"),
            "name the inbox itself",
        ),
        (
            "ReceiveMessage",
            format!("inbox {acme} --wait 1"),
            "the counterparty's own role",
        ),
    ] {
        stand
            .faults()
            .set(move |called, _| (called == operation).then_some(Fault::Denied));
        let ran = stand
            .run("AROAACME", &words)
            .says(1, &["these credentials may not", "AccessDenied", says]);
        quotes_nothing(&ran);
        stand.faults().cease();
        if !words.contains("get") {
            stand.run("AROAACME", &words).done();
        }
    }
    assert_eq!(stand.at_the_intake(), 2, "the file's one and the cancel");
}

#[test]
fn an_endpoint_that_nobody_listens_at_is_named() {
    let stand = Stand::without_matcher();
    let file = stand.file("acme.jsonl", INTEREST).display().to_string();
    for words in [
        "counterparty list".to_owned(),
        "parameters get BTCUSD".to_owned(),
        format!("submit {file}"),
        "cancel A-1 --as A-2".to_owned(),
        "inbox aaaaaaaaaaaaaaaaaaaaaaaaaa".to_owned(),
    ] {
        let mut command = stand.symbolon("AROAACME", &words);
        let ran = Ran::of(
            command
                .env("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
                .output()
                .unwrap(),
        );
        ran.says(
            1,
            &[
                "http://127.0.0.1:9 (AWS_ENDPOINT_URL) does not answer",
                "try: check the network",
            ],
        );
    }
    let sent = stand.run("AROAACME", &format!("submit {file}")).done();
    assert!(sent.out.contains("1 message sent"), "{sent:?}");
}

#[test]
fn without_credentials_or_outputs_it_says_which() {
    let stand = Stand::without_matcher();
    let mut command = stand.symbolon(STAFF, "counterparty list");
    command
        .env_remove("AWS_ACCESS_KEY_ID")
        .env("AWS_EC2_METADATA_DISABLED", "true");
    Ran::of(command.output().unwrap()).says(1, &["no AWS credentials", "AWS_PROFILE"]);
    stand
        .run(STAFF, "counterparty list --outputs nowhere.json")
        .says(1, &["nowhere.json", "--outputs"]);
    stand.file("empty.json", "{}");
    let ran = stand.run(STAFF, "counterparty list --outputs empty.json --output json");
    let said: serde_json::Value = serde_json::from_str(&ran.says(1, &[]).err).unwrap();
    assert_eq!(said["error"], "empty.json has no output RegistryTable");
}

#[test]
fn a_half_finished_onboarding_is_finished_by_the_second_run() {
    let stand = Stand::without_matcher();
    // Each call that onboarding makes, before and after it is done.
    let calls = [
        ("PutItem", 1, 1),
        ("CreateQueue", 1, 1),
        ("PutItem", 2, 2),
        ("PutItem", 3, 3),
    ];
    let mut number = 0;
    for fault in [Fault::Denied, Fault::Broken, Fault::AnswerLost] {
        for (operation, from, to) in calls {
            number += 1;
            let (name, principal) = (format!("c{number}"), format!("AROAC{number}"));
            let add = format!("counterparty add {name} --principal {principal} --output json");
            // Every attempt of the SDK, too.
            stand.faults().set(move |called, count| {
                (called == operation && (from..=to + 3).contains(&count)).then_some(fault)
            });
            let broken = stand.run(STAFF, &add);
            stand.faults().cease();
            if broken.code == Some(0) {
                // It was done although no answer said so, and the SDK's next attempt found it done.
                assert_eq!(fault, Fault::AnswerLost, "{operation} {from}: {broken:?}");
            } else {
                quotes_nothing(&broken);
                broken.says(1, &[&format!("onboard {name}"), "repeat the same command"]);
            }
            let before = stand.run(STAFF, "counterparty list --output json").done().out;
            let id = stand.onboard(&name, &principal);
            let kept = before
                .lines()
                .find(|line| line.contains(&format!("\"{principal}\"")));
            assert!(
                kept.is_none_or(|line| line.contains(&id)),
                "the id that was drawn first stays: {kept:?}"
            );
            let after = stand.run(STAFF, "counterparty list").done().out;
            let row = after.lines().find(|line| line.contains(&id)).unwrap();
            assert!(row.starts_with(&name) && row.contains("active"), "{row}");
        }
    }
    let all = stand.run(STAFF, "counterparty list").done().out;
    assert_eq!(all.lines().count(), 2 + number, "{all}");
    let queues = stand.ask(async |deployment: &local::deployment::Deployment| {
        let sqs = deployment.stack().clients(STAFF).sqs;
        let listed = sqs
            .list_queues()
            .queue_name_prefix("symbolon-inbox-")
            .send()
            .await
            .unwrap();
        listed.queue_urls.unwrap_or_default().len()
    });
    assert_eq!(queues, 1 + number, "no inbox was made twice");
}

#[test]
fn a_half_onboarded_counterparty_is_listed_as_such() {
    let stand = Stand::without_matcher();
    stand
        .faults()
        .set(|called, _| (called == "CreateQueue").then_some(Fault::Denied));
    stand
        .run(STAFF, "counterparty add acme --principal AROAACME")
        .says(1, &["sqs:CreateQueue: AccessDenied"]);
    let listed = stand.run(STAFF, "counterparty list").done().out;
    assert!(
        listed
            .lines()
            .any(|line| line.contains("acme") && line.contains("incomplete")),
        "{listed}"
    );
}

#[test]
fn a_broken_line_holds_everything_back_until_it_is_mended() {
    let stand = Stand::without_matcher();
    let broken = format!(
        "{INTEREST}\n{}\nno JSON\n",
        INTEREST.replace("A-1", "A-2").replace("\"1\"", "1")
    );
    let file = stand.file("acme.jsonl", &broken).display().to_string();
    let ran = stand.run("AROAACME", &format!("submit {file}")).says(
        1,
        &[
            "line 2: malformed: orderQty must be a string",
            "line 3: malformed: it is no JSON",
            "2 lines are wrong",
        ],
    );
    assert_eq!(ran.out, "");
    assert_eq!(stand.faults().requests("SendMessageBatch"), 0);
    assert!(!stand.folder().join("acme.jsonl.journal").exists());
    stand.file(
        "acme.jsonl",
        &format!("{INTEREST}\n{}\n", INTEREST.replace("A-1", "A-2")),
    );
    stand.run("AROAACME", &format!("submit {file}")).done();
    assert_eq!(stand.at_the_intake(), 2);
}

#[test]
fn a_full_disk_under_the_inbox_deletes_nothing() {
    let stand = Stand::start();
    let acme = stand.onboard("acme", "AROAACME");
    stand.run_with("AROAACME", "submit -", INTEREST).done();
    stand.settle();
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let words = format!("inbox {acme} --output json");
    let mut command = stand.symbolon("AROAACME", &words);
    let ran = Ran::of(command.stdout(Stdio::from(full)).output().unwrap());
    ran.says(
        1,
        &["cannot write to standard output", "No space left", "comes again"],
    );
    assert_eq!(stand.faults().requests("DeleteMessageBatch"), 0);
    // SQS hides what was received for half a minute.
    let again = until_something_comes(&stand, &words);
    assert!(again.contains("\"accepted\"") && again.contains("A-1"), "{again}");
}

#[test]
fn a_reader_that_goes_away_loses_nothing() {
    let stand = Stand::start();
    let acme = stand.onboard("acme", "AROAACME");
    stand.run_with("AROAACME", "submit -", INTEREST).done();
    stand.settle();
    let words = format!("inbox {acme} --output json");
    let mut child = stand
        .symbolon("AROAACME", &words)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!((ran.code, ran.err.as_str()), (Some(1), ""), "quietly");
    assert_eq!(stand.faults().requests("DeleteMessageBatch"), 0);
    assert!(until_something_comes(&stand, &words).contains("A-1"));
}

/// What the inbox gives once SQS shows again what it hid.
fn until_something_comes(stand: &Stand, words: &str) -> String {
    (0..20)
        .map(|_| stand.run("AROAACME", words).done().out)
        .find(|out| !out.is_empty())
        .expect("it comes again")
}

#[test]
fn pages_and_help_end_quietly_when_nobody_reads() {
    let stand = Stand::without_matcher();
    for words in ["completions bash", "man", "counterparty list", "--help"] {
        let mut child = stand
            .symbolon(STAFF, words)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let ran = Ran::of(child.wait_with_output().unwrap());
        assert_eq!(ran.err, "", "{words}");
    }
}
