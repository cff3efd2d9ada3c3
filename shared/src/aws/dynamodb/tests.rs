//! What goes over the wire to DynamoDB, and what is made of its answers. That the expressions mean what they
//! should is shown by the conformance suite on a table.

use serde_json::json;

use crate::aws::wire::{Answer, Wire};
use crate::domain::book::{BookKey, EntryKey, Rank, RankBound, Version};
use crate::domain::change_set::{ChangeSet, Progress};
use crate::domain::decimal::{Price, Quantity};
use crate::domain::identifiers::{ClOrdId, CounterpartyId, OrderKey, Side, Symbol};
use crate::domain::submission::OrdStatus;
use crate::domain::time::Timestamp;
use crate::ports::{Books, CommitError, Fault, Ledger, LostItem, Submissions};

fn order(name: &str) -> OrderKey {
    OrderKey::new(CounterpartyId::new("cp-a").unwrap(), ClOrdId::new(name).unwrap())
}

fn book() -> BookKey {
    BookKey {
        symbol: Symbol::new("BTCUSD").unwrap(),
        side: Side::Sell,
    }
}

fn entry_key() -> EntryKey {
    EntryKey {
        book: book(),
        rank: rank(1),
    }
}

fn rank(at: i64) -> Rank {
    Rank::new(
        Side::Sell,
        Price::parse("10").unwrap(),
        Timestamp::from_millis(at),
        &order("A-1"),
    )
}

/// One action: needs no transaction.
fn lone() -> ChangeSet {
    let mut changes = ChangeSet::default();
    changes.delete_entry(entry_key(), Version::FIRST);
    changes
}

/// Two actions: a submission and an entry, in this order.
fn two() -> ChangeSet {
    let mut changes = lone();
    let progress = Progress {
        ord_status: OrdStatus::Cancelled,
        cum_qty: Quantity::ZERO,
        leaves_qty: Quantity::ZERO,
        rests: None,
        tokens: Vec::new(),
        matches: Vec::new(),
        ended_by: None,
        generation: 7,
    };
    changes.advance(order("A-1"), progress);
    changes
}

fn refusal(code: &str) -> Answer {
    Answer::json(
        400,
        &json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{code}") }).to_string(),
    )
}

fn cancelled(codes: [&str; 2]) -> Answer {
    let reasons = codes.map(|code| json!({ "Code": code }));
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "CancellationReasons": reasons,
    });
    Answer::json(400, &body.to_string())
}

async fn commit(changes: &ChangeSet, answers: impl IntoIterator<Item = Answer>) -> Result<(), CommitError> {
    let answers: Vec<Answer> = answers.into_iter().collect();
    let attempts = u32::try_from(answers.len()).unwrap();
    Wire::answering(answers)
        .ports_trying(attempts)
        .commit(changes, [1; 16])
        .await
}

fn fault(outcome: Result<(), CommitError>) -> (&'static str, Fault) {
    match outcome {
        Err(CommitError::Failed(error)) => ("failed", error.fault),
        Err(CommitError::Unknown(error)) => ("unknown", error.fault),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn lost_conditions_are_named_by_their_position() {
    let (submission, entry) = (LostItem::Submission(order("A-1")), LostItem::Entry(entry_key()));
    for (codes, lost) in [
        (["ConditionalCheckFailed", "None"], vec![submission.clone()]),
        (["None", "ConditionalCheckFailed"], vec![entry.clone()]),
        (
            ["ConditionalCheckFailed", "ConditionalCheckFailed"],
            vec![submission, entry.clone()],
        ),
        (
            ["TransactionConflict", "ConditionalCheckFailed"],
            vec![entry.clone()],
        ),
        (["ThrottlingError", "ConditionalCheckFailed"], vec![entry]),
    ] {
        assert_eq!(
            commit(&two(), [cancelled(codes)]).await,
            Err(CommitError::Lost(lost)),
            "{codes:?}"
        );
    }
}

#[tokio::test]
async fn other_cancellations_are_told_apart() {
    let outcome = async |codes| commit(&two(), [cancelled(codes)]).await;
    assert_eq!(
        outcome(["TransactionConflict", "None"]).await,
        Err(CommitError::Conflict)
    );
    assert_eq!(
        outcome(["None", "TransactionConflict"]).await,
        Err(CommitError::Conflict)
    );
    let failed = |fault| ("failed", fault);
    assert_eq!(
        fault(outcome(["ThrottlingError", "None"]).await),
        failed(Fault::Throttled)
    );
    assert_eq!(
        fault(outcome(["None", "ProvisionedThroughputExceeded"]).await),
        failed(Fault::Throttled)
    );
    assert_eq!(
        fault(outcome(["ValidationError", "None"]).await),
        failed(Fault::Refused)
    );
    assert_eq!(fault(outcome(["None", "None"]).await), failed(Fault::Refused));
}

#[tokio::test]
async fn what_may_have_been_written_is_unknown() {
    for changes in [two(), lone()] {
        for (answer, expected) in [
            (Answer::NeverComes, ("unknown", Fault::TimedOut)),
            (Answer::ConnectionLost("reset"), ("unknown", Fault::Unavailable)),
            (Answer::json(500, "{}"), ("unknown", Fault::Unavailable)),
            (Answer::json(200, "no JSON"), ("unknown", Fault::Corrupt)),
            (
                refusal("TransactionInProgressException"),
                ("unknown", Fault::Unavailable),
            ),
            (refusal("ThrottlingException"), ("failed", Fault::Throttled)),
            (refusal("AccessDeniedException"), ("failed", Fault::Refused)),
            (refusal("ValidationException"), ("failed", Fault::Refused)),
            (
                refusal("IdempotentParameterMismatchException"),
                ("failed", Fault::Refused),
            ),
        ] {
            assert_eq!(fault(commit(&changes, [answer]).await), expected);
        }
    }
}

#[tokio::test]
async fn an_attempt_without_an_answer_leaves_it_open() {
    let throttled = || refusal("ThrottlingException");
    for changes in [two(), lone()] {
        assert_eq!(
            fault(commit(&changes, [throttled(), throttled()]).await),
            ("failed", Fault::Throttled)
        );
        for open in [
            Answer::NeverComes,
            Answer::ConnectionLost("reset"),
            Answer::json(503, "{}"),
        ] {
            let outcome = commit(&changes, [open, throttled()]).await;
            assert_eq!(fault(outcome), ("unknown", Fault::Throttled));
        }
        assert_eq!(
            commit(&changes, [Answer::NeverComes, Answer::json(200, "{}")]).await,
            Ok(())
        );
    }
    let conflict = commit(
        &two(),
        [Answer::NeverComes, cancelled(["TransactionConflict", "None"])],
    )
    .await;
    assert_eq!(fault(conflict), ("unknown", Fault::Unavailable));
}

#[tokio::test]
async fn every_attempt_of_a_transaction_bears_its_token() {
    let wire = Wire::answering([Answer::NeverComes, Answer::json(200, "{}")]);
    wire.ports_trying(2).commit(&two(), [0xab; 16]).await.unwrap();
    let tokens: Vec<_> = wire
        .asked()
        .into_iter()
        .map(|asked| asked.body["ClientRequestToken"].clone())
        .collect();
    assert_eq!(tokens, [json!("ab".repeat(16)), json!("ab".repeat(16))]);
}

#[tokio::test]
async fn one_action_goes_alone_unless_it_could_be_done_twice() {
    let mut advance = two();
    advance.entries.clear();
    for (changes, operation) in [
        (lone(), "DeleteItem"),
        (two(), "TransactWriteItems"),
        (advance, "TransactWriteItems"),
    ] {
        let wire = Wire::answering([Answer::json(200, "{}")]);
        wire.ports().commit(&changes, [1; 16]).await.unwrap();
        assert_eq!(wire.asked()[0].operation, operation);
    }
    let wire = Wire::answering([]);
    assert_eq!(wire.ports().commit(&ChangeSet::default(), [1; 16]).await, Ok(()));
    assert_eq!(wire.asked(), []);
}

#[tokio::test]
async fn a_lone_write_says_what_it_lost() {
    let lost = commit(&lone(), [refusal("ConditionalCheckFailedException")]).await;
    assert_eq!(lost, Err(CommitError::Lost(vec![LostItem::Entry(entry_key())])));
    let conflict = commit(&lone(), [refusal("TransactionConflictException")]).await;
    assert_eq!(conflict, Err(CommitError::Conflict));
}

fn key_json(name: &str) -> serde_json::Value {
    json!({ "owner": { "S": "cp-a" }, "clOrdId": { "S": name } })
}

#[tokio::test]
async fn keys_that_were_not_processed_are_asked_for_again() {
    let left = |names: &[&str]| {
        let keys: Vec<_> = names.iter().map(|name| key_json(name)).collect();
        let unprocessed = json!({ "test-submissions": { "Keys": keys } });
        Answer::json(
            200,
            &json!({ "Responses": {}, "UnprocessedKeys": unprocessed }).to_string(),
        )
    };
    let wire = Wire::answering([left(&["A-1", "A-2"]), left(&["A-2"]), Answer::json(200, "{}")]);
    let keys = [order("A-1"), order("A-2")];
    let read = wire.ports().read_submissions(&keys).await.unwrap();
    assert!(
        read.iter()
            .map(|(key, found)| (key, found.is_none()))
            .eq(keys.iter().map(|key| (key, true)))
    );
    let asked: Vec<_> = wire
        .asked()
        .into_iter()
        .map(|asked| asked.body["RequestItems"]["test-submissions"].clone())
        .collect();
    assert_eq!(asked[0]["ConsistentRead"], json!(true));
    let third = json!({ "Keys": [key_json("A-2")], "ConsistentRead": true });
    assert_eq!(asked[2], third);

    let wire = Wire::answering((0..20).map(|_| left(&["A-1"])));
    let error = wire.ports().read_submissions(&keys[..1]).await.unwrap_err();
    assert_eq!((error.fault, wire.asked().len()), (Fault::Throttled, 7));
}

#[tokio::test]
async fn a_key_is_asked_for_once() {
    let wire = Wire::answering([Answer::json(200, "{}")]);
    let read = wire
        .ports()
        .read_submissions(&[order("A-1"), order("A-1")])
        .await
        .unwrap();
    assert_eq!(read.len(), 1);
    assert_eq!(
        wire.asked()[0].body["RequestItems"]["test-submissions"]["Keys"],
        json!([key_json("A-1")])
    );
}

#[tokio::test]
async fn an_item_of_an_unknown_form_is_corrupt() {
    let items = json!({ "Responses": { "test-submissions": [{ "v": { "N": "2" } }] } });
    let wire = Wire::answering([Answer::json(200, &items.to_string())]);
    let error = wire.ports().read_submissions(&[order("A-1")]).await.unwrap_err();
    assert_eq!(
        (error.fault, error.code.as_str()),
        (Fault::Corrupt, "UnreadableItem")
    );
}

#[tokio::test]
async fn a_page_is_known_to_where_the_query_stopped() {
    let stopped = json!({ "Items": [], "LastEvaluatedKey": { "book": { "S": "BTCUSD#sell" }, "rank": { "S": rank(5).as_str() } } });
    let wire = Wire::answering([
        Answer::json(200, &stopped.to_string()),
        Answer::json(200, r#"{"Items":[]}"#),
        Answer::json(
            200,
            r#"{"Items":[],"LastEvaluatedKey":{"book":{"S":"BTCUSD#sell"},"rank":{"S":"?"}}}"#,
        ),
    ]);
    let bound = Rank::bound(Side::Sell, Price::parse("11").unwrap());
    let page = async |after: &RankBound| wire.ports().read_page(&book(), after, &bound).await;
    let first = page(&RankBound::nothing()).await.unwrap();
    assert_eq!(first.known_to, RankBound::up_to(&rank(5)));
    assert_eq!(page(&first.known_to).await.unwrap().known_to, bound);
    assert_eq!(page(&first.known_to).await.unwrap_err().fault, Fault::Corrupt);
    let asked = wire.asked();
    assert_eq!(asked[0].body["ConsistentRead"], json!(true));
    assert_eq!(asked[0].body["Limit"], json!(100));
    assert_eq!(asked[0].body["ScanIndexForward"], json!(null));
    assert_eq!(
        asked[1].body["ExpressionAttributeValues"][":after"]["S"],
        json!(format!("{}~", rank(5).as_str()))
    );
}
