use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, Put, TransactWriteItem};

use super::*;
use crate::platform::clients::{Clients, PATIENT};
use crate::platform::faults::Faults;
use crate::platform::stack::LocalStack;
use crate::platform::template::{Deployment, PROJECT_TEMPLATE, read};

const TABLE: &str = "s-registry";

async fn start(meter: &Meter) -> (LocalStack, Clients) {
    let plan = read(PROJECT_TEMPLATE, &Deployment::local("s")).expect("the template reads");
    let stack = LocalStack::start(plan, 0).await.expect("the stack starts");
    let clients = stack
        .function_clients("matcher", meter, &Faults::none(), &PATIENT)
        .expect("the matcher's clients");
    (stack, clients)
}

fn put(key: &str) -> TransactWriteItem {
    let put = Put::builder()
        .table_name(TABLE)
        .item("pk", AttributeValue::S(key.to_owned()));
    let put = put
        .condition_expression("attribute_not_exists(pk)")
        .build()
        .expect("a put");
    TransactWriteItem::builder().put(put).build()
}

async fn put_two(client: &Client) -> bool {
    let request = client
        .transact_write_items()
        .transact_items(put("a"))
        .transact_items(put("b"));
    request.send().await.is_ok()
}

fn count(requests: u64, read_units: f64, write_units: f64) -> OperationCount {
    OperationCount {
        requests,
        read_units,
        write_units,
    }
}

#[tokio::test]
async fn a_transaction_of_two_small_puts_takes_four_write_units() {
    let meter = Meter::default();
    let (_stack, clients) = start(&meter).await;
    assert!(put_two(&clients.dynamodb).await);
    let transactions = |requests, units| {
        BTreeMap::from([(
            "dynamodb:TransactWriteItems".to_owned(),
            count(requests, 0.0, units),
        )])
    };
    assert_eq!(meter.counts(), transactions(1, 4.0));
    // A transaction that is cancelled reports nothing, here as on AWS.
    assert!(!put_two(&clients.dynamodb).await);
    assert_eq!(meter.counts(), transactions(2, 4.0));
}

#[tokio::test]
async fn reads_count_as_the_emulator_reports_them() {
    let meter = Meter::default();
    let (_stack, clients) = start(&meter).await;
    assert!(put_two(&clients.dynamodb).await);
    let key = |key: &str| {
        BTreeMap::from([("pk".to_owned(), AttributeValue::S(key.to_owned()))])
            .into_iter()
            .collect()
    };
    let get = clients
        .dynamodb
        .get_item()
        .table_name(TABLE)
        .consistent_read(true)
        .set_key(Some(key("a")));
    get.send().await.expect("the item is read");
    let keys = KeysAndAttributes::builder()
        .consistent_read(true)
        .keys(key("a"))
        .keys(key("c"))
        .build()
        .expect("keys");
    clients
        .dynamodb
        .batch_get_item()
        .request_items(TABLE, keys)
        .send()
        .await
        .expect("the items are read");
    let query = clients
        .dynamodb
        .query()
        .table_name(TABLE)
        .key_condition_expression("pk = :pk");
    let query = query.expression_attribute_values(":pk", AttributeValue::S("a".to_owned()));
    query.send().await.expect("the query is answered");
    let counts = meter.counts();
    assert_eq!(counts["dynamodb:GetItem"], count(1, 1.0, 0.0));
    assert_eq!(counts["dynamodb:BatchGetItem"], count(1, 2.0, 0.0));
    assert_eq!(counts["dynamodb:Query"], count(1, 0.5, 0.0));
}

#[tokio::test]
async fn queues_and_keys_count_without_units_and_only_for_metered_clients() {
    let meter = Meter::default();
    let (stack, clients) = start(&meter).await;
    let url = &stack.outputs()["IntakeQueueUrl"];
    clients
        .sqs
        .send_message()
        .queue_url(url)
        .message_body("x")
        .send()
        .await
        .expect("sent");
    clients.kms.list_keys().send().await.expect("listed");
    stack
        .clients("runner")
        .sqs
        .send_message()
        .queue_url(url)
        .message_body("y")
        .send()
        .await
        .expect("sent");
    let counts: Vec<_> = meter.counts().into_iter().collect();
    assert_eq!(
        counts,
        [
            ("kms:ListKeys".to_owned(), count(1, 0.0, 0.0)),
            ("sqs:SendMessage".to_owned(), count(1, 0.0, 0.0))
        ]
    );
}

/// Sends the first attempt to a port where nobody listens.
#[derive(Debug, Default)]
struct FirstAttemptIsLost(AtomicBool);

#[dyn_dispatch_hint]
impl Intercept for FirstAttemptIsLost {
    fn name(&self) -> &'static str {
        "FirstAttemptIsLost"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if !self.0.swap(true, Ordering::SeqCst) {
            context.request_mut().set_uri("http://127.0.0.1:1/")?;
        }
        Ok(())
    }
}

#[tokio::test]
async fn every_attempt_counts() {
    let meter = Meter::default();
    let (_stack, clients) = start(&meter).await;
    let config = clients
        .dynamodb
        .config()
        .to_builder()
        .interceptor(FirstAttemptIsLost::default())
        .build();
    assert!(put_two(&Client::from_conf(config)).await);
    assert_eq!(meter.counts()["dynamodb:TransactWriteItems"], count(2, 0.0, 4.0));
}

#[test]
fn the_wish_for_units_is_added_once() {
    let asking =
        |body: &str| asking_for_units(body.as_bytes()).map(|body| String::from_utf8(body).expect("UTF-8"));
    assert_eq!(
        asking("{}").as_deref(),
        Some(r#"{"ReturnConsumedCapacity":"TOTAL"}"#)
    );
    assert_eq!(
        asking(r#"{"A":1}"#).as_deref(),
        Some(r#"{"ReturnConsumedCapacity":"TOTAL","A":1}"#)
    );
    assert_eq!(asking(r#"{"A":1,"ReturnConsumedCapacity":"NONE"}"#), None);
}

#[test]
fn counts_are_written_as_the_report_has_them() {
    let json = serde_json::to_string(&count(1, 0.5, 4.0)).expect("JSON");
    assert_eq!(json, r#"{"requests":1,"readUnits":0.5,"writeUnits":4.0}"#);
}
