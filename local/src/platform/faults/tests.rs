use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use symbolon_shared::aws::sdk::SdkOptions;

use super::*;
use crate::platform::clients::Clients;
use crate::platform::meter::Meter;
use crate::platform::stack::LocalStack;
use crate::platform::template::{Deployment, PROJECT_TEMPLATE, read};

/// No retries, and no patience.
const ONCE: SdkOptions = SdkOptions {
    max_attempts: 1,
    initial_backoff: Duration::from_millis(1),
    max_backoff: Duration::from_millis(1),
    connect_timeout: Duration::from_secs(1),
    read_timeout: Duration::from_secs(1),
    attempt_timeout: Duration::from_secs(1),
    operation_timeout: Duration::from_secs(2),
};

async fn start(faults: &Faults, options: &SdkOptions) -> (LocalStack, Clients) {
    let plan = read(PROJECT_TEMPLATE, &Deployment::local("s")).expect("the template reads");
    let stack = LocalStack::start(plan, 0).await.expect("the stack starts");
    let clients = stack
        .function_clients("matcher", &Meter::default(), faults, options)
        .expect("the matcher's clients");
    (stack, clients)
}

fn always(injection: Injection) -> Faults {
    Faults::by(move |_| Some(injection.clone()))
}

/// Whether an item was written, and whether the writer was told so.
async fn put_under(injection: Injection) -> (bool, bool) {
    let (stack, clients) = start(&always(injection), &ONCE).await;
    let put = clients
        .dynamodb
        .put_item()
        .table_name("s-parameters")
        .item("symbol", aws_sdk_dynamodb::types::AttributeValue::S("X".into()));
    let told = put.send().await.is_ok();
    let sees = stack.clients("AROASOMEBODY000000001").dynamodb;
    let scan = sees.scan().table_name("s-parameters").send().await.unwrap();
    (scan.count == 1, told)
}

#[tokio::test]
async fn what_is_done_and_what_is_heard_of_it() {
    for (injection, done, told) in [
        (Injection::RequestLost, false, false),
        (Injection::Throttled, false, false),
        (Injection::InternalError, false, false),
        (Injection::Denied, false, false),
        (Injection::Conflict, false, false),
        (Injection::NotTaken(vec![0]), false, false),
        (Injection::ResponseLost, true, false),
        (Injection::Silence, true, false),
        (Injection::Late(Duration::from_millis(1)), true, true),
    ] {
        assert_eq!(put_under(injection.clone()).await, (done, told), "{injection:?}");
    }
}

#[tokio::test]
async fn each_attempt_is_put_to_the_rule_and_counted() {
    let faults = Faults::by(|attempt| (attempt.nth < 3).then_some(Injection::Throttled));
    let options = SdkOptions {
        max_attempts: 3,
        ..ONCE
    };
    let (_stack, clients) = start(&faults, &options).await;
    let scan = clients.dynamodb.scan().table_name("s-keys").send().await;
    assert!(scan.is_ok());
    let operation = || "dynamodb:Scan".to_owned();
    assert_eq!(faults.met(), Counts::from([((operation(), "throttled"), 2)]));
    let code = "ProvisionedThroughputExceededException".to_owned();
    assert_eq!(faults.errors(), Counts::from([((operation(), code), 2)]));
    assert_eq!(faults.attempts(), BTreeMap::from([(operation(), 3)]));
    faults.cease();
    assert!(clients.dynamodb.scan().table_name("s-keys").send().await.is_ok());
}

#[tokio::test]
async fn a_dead_process_sends_nothing_more_and_another_does() {
    for (injection, arrived) in [(Injection::CrashBefore, 0), (Injection::CrashAfter, 1)] {
        let first = injection.clone();
        let faults = Faults::by(move |attempt| {
            (attempt.operation == "dynamodb:PutItem" && attempt.nth == 1).then(|| first.clone())
        });
        let (stack, clients) = start(&faults, &ONCE).await;
        let put = |clients: &Clients, symbol: &str| {
            let item = aws_sdk_dynamodb::types::AttributeValue::S(symbol.into());
            clients
                .dynamodb
                .put_item()
                .table_name("s-parameters")
                .item("symbol", item)
        };
        tokio::select! {
            biased;
            () = faults.crash() => {}
            _ = put(&clients, "A").send() => panic!("a dead process heard an answer"),
        }
        assert!(faults.has_crashed());
        assert!(put(&clients, "B").send().await.is_err(), "{injection:?}");
        let another = faults.of_another_process();
        let clients = stack
            .function_clients("matcher", &Meter::default(), &another, &ONCE)
            .expect("the matcher's clients");
        assert!(!another.has_crashed());
        let scan = clients
            .dynamodb
            .scan()
            .table_name("s-parameters")
            .send()
            .await
            .unwrap();
        assert_eq!(scan.count, arrived, "{injection:?}");
    }
}

#[tokio::test]
async fn of_a_batch_send_the_named_entries_are_not_taken() {
    let faults = Faults::by(|attempt| {
        attempt.operation.ends_with("SendMessageBatch").then(|| {
            Injection::NotTaken(if attempt.nth == 1 {
                vec![0, 2]
            } else {
                vec![0, 1, 2]
            })
        })
    });
    let (stack, clients) = start(&faults, &ONCE).await;
    let url = stack.outputs()["IntakeDlqUrl"].clone();
    for (failed, successful) in [(vec!["a", "c"], vec!["b"]), (vec!["a", "b", "c"], vec![])] {
        let mut call = clients.sqs.send_message_batch().queue_url(&url);
        for id in ["a", "b", "c"] {
            let entry = SendMessageBatchRequestEntry::builder().id(id).message_body(id);
            call = call.entries(entry.build().unwrap());
        }
        let answer = call.send().await.unwrap();
        let ids: Vec<&str> = answer
            .failed()
            .iter()
            .map(aws_sdk_sqs::types::BatchResultErrorEntry::id)
            .collect();
        assert_eq!(ids, failed);
        let ids: Vec<&str> = answer
            .successful()
            .iter()
            .map(aws_sdk_sqs::types::SendMessageBatchResultEntry::id)
            .collect();
        assert_eq!(ids, successful);
    }
}

#[tokio::test]
async fn of_a_batch_read_the_named_keys_are_not_processed() {
    use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
    let faults = Faults::by(|_| Some(Injection::NotTaken(vec![1])));
    let (_stack, clients) = start(&faults, &ONCE).await;
    let key = |symbol: &str| {
        std::collections::HashMap::from([("symbol".to_owned(), AttributeValue::S(symbol.to_owned()))])
    };
    let keys = KeysAndAttributes::builder()
        .keys(key("A"))
        .keys(key("B"))
        .build()
        .unwrap();
    let read = clients
        .dynamodb
        .batch_get_item()
        .request_items("s-parameters", keys);
    let answer = read.send().await.unwrap();
    let unprocessed = answer.unprocessed_keys().unwrap();
    assert_eq!(unprocessed["s-parameters"].keys(), [key("B")]);
}

#[tokio::test]
async fn a_cancelled_transaction_has_a_reason_for_each_action() {
    use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
    use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
    let (_stack, clients) = start(&always(Injection::Conflict), &ONCE).await;
    let put = |symbol: &str| {
        let item = AttributeValue::S(symbol.to_owned());
        let put = Put::builder().table_name("s-parameters").item("symbol", item);
        TransactWriteItem::builder().put(put.build().unwrap()).build()
    };
    let call = clients.dynamodb.transact_write_items();
    let sent = call
        .transact_items(put("A"))
        .transact_items(put("B"))
        .send()
        .await;
    match sent.unwrap_err().into_service_error() {
        TransactWriteItemsError::TransactionCanceledException(cancelled) => {
            let codes: Vec<_> = cancelled
                .cancellation_reasons()
                .iter()
                .map(|reason| reason.code().unwrap_or_default())
                .collect();
            assert_eq!(codes, ["TransactionConflict", "None"]);
        }
        other => panic!("{other:?}"),
    }
}
