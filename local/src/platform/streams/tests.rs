use std::sync::Mutex;

use aws_sdk_dynamodb::types::AttributeValue as Stored;

use super::*;
use crate::platform::stack::LocalStack;
use crate::platform::template::{self, Deployment, PROJECT_TEMPLATE};

/// A stack whose table of matches holds five items that are none.
async fn five() -> (LocalStack, StreamPoller) {
    let plan = template::read(PROJECT_TEMPLATE, &Deployment::local("streams")).unwrap();
    let stack = LocalStack::start(plan, 0).await.unwrap();
    for n in 0..5 {
        let put = stack.clients("ANYBODY").dynamodb.put_item();
        let put = put
            .table_name("streams-matches")
            .item("matchId", Stored::S(format!("m-{n}")));
        put.item("n", Stored::N(n.to_string())).send().await.unwrap();
    }
    let poller = stack.stream_poller("token-audit").unwrap();
    (stack, poller)
}

fn ids(event: &Value) -> Vec<String> {
    let records = event["Records"].as_array().unwrap().iter();
    let id = |record: &Value| {
        record["dynamodb"]["Keys"]["matchId"]["S"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    records.map(id).collect()
}

#[tokio::test]
async fn a_batch_goes_on_from_the_first_record_that_failed() {
    let (stack, mut poller) = five().await;
    let seen = Mutex::new(Vec::new());
    let third_fails_once = |event: Value| {
        let mut seen = seen.lock().unwrap();
        seen.push(ids(&event));
        let third = event["Records"][2]["dynamodb"]["SequenceNumber"].clone();
        let failures = match seen.len() {
            1 => json!([{ "itemIdentifier": third }]),
            _ => json!([]),
        };
        std::future::ready(Ok(json!({ "batchItemFailures": failures })))
    };
    let mut done = Vec::new();
    for _ in 0..3 {
        done.push(poller.poll(third_fails_once).await.unwrap());
    }
    assert_eq!(done, [2, 3, 0]);
    poller.again(third_fails_once).await.unwrap();
    let last = ["m-2", "m-3", "m-4"];
    assert_eq!(
        *seen.lock().unwrap(),
        [&["m-0", "m-1", "m-2", "m-3", "m-4"][..], &last, &last]
    );
    stack.shut_down().await;
}

#[tokio::test]
async fn an_event_looks_as_lambda_writes_it() {
    let (stack, mut poller) = five().await;
    let seen = Mutex::new(Value::Null);
    let keep = |event: Value| {
        *seen.lock().unwrap() = event;
        std::future::ready(Ok(json!({ "batchItemFailures": [] })))
    };
    poller.poll(keep).await.unwrap();
    let record = seen.lock().unwrap()["Records"][1].clone();
    assert_eq!(record["eventName"], "INSERT");
    assert_eq!(
        record["dynamodb"]["NewImage"],
        json!({"matchId": {"S": "m-1"}, "n": {"N": "1"}})
    );
    assert!(record["dynamodb"].get("OldImage").is_none());
    assert!(
        record["dynamodb"]["ApproximateCreationDateTime"]
            .as_f64()
            .unwrap()
            > 1e9
    );
    assert!(record["eventID"].as_str().unwrap().len() == 32);
    stack.shut_down().await;
}

#[tokio::test]
async fn what_is_given_back_each_time_ends_the_run() {
    let (stack, mut poller) = five().await;
    let never = |_| std::future::ready(Ok(json!({ "batchItemFailures": [{ "itemIdentifier": "" }] })));
    let mut polls = 0;
    let error = loop {
        match poller.poll(never).await {
            Ok(done) => assert_eq!(done, 0),
            Err(error) => break error,
        }
        polls += 1;
    };
    assert_eq!(polls, poller.mapping.maximum_retries);
    assert!(matches!(error, StreamError::GivenBack(_)));
    stack.shut_down().await;
}
