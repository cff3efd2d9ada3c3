use std::cell::RefCell;

use aws_sdk_sqs::types::SendMessageBatchRequestEntry;

use super::*;
use crate::platform::stack::LocalStack;
use crate::platform::stamps::Stamp;
use crate::platform::template::{Deployment, PROJECT_TEMPLATE, read};

const NO_PATIENCE: Duration = Duration::ZERO;

struct Intake {
    stack: LocalStack,
    sqs: aws_sdk_sqs::Client,
    mapping: Mapping,
}

async fn start() -> Intake {
    let plan = read(PROJECT_TEMPLATE, &Deployment::local("s")).expect("the template reads");
    let stack = LocalStack::start(plan, 0).await.expect("the stack starts");
    let mapping = Mapping {
        window: Duration::ZERO,
        ..stack.mapping("matcher").expect("the matcher's mapping")
    };
    Intake {
        sqs: stack.clients("AROASENDER").sqs,
        stack,
        mapping,
    }
}

impl Intake {
    async fn send(&self, bodies: &[String]) {
        for chunk in bodies.chunks(BATCH_ENTRIES) {
            let entries = chunk.iter().enumerate().map(|(index, body)| {
                let entry = SendMessageBatchRequestEntry::builder().id(index.to_string());
                entry.message_body(body).build().expect("an entry")
            });
            let call = self.sqs.send_message_batch().queue_url(&self.mapping.queue_url);
            call.set_entries(Some(entries.collect()))
                .send()
                .await
                .expect("sent");
        }
    }

    async fn send_numbers(&self, count: usize) {
        self.send(&(0..count).map(|number| number.to_string()).collect::<Vec<_>>())
            .await;
    }

    fn poller(&self, change: impl FnOnce(&mut Mapping)) -> Poller {
        let mut mapping = self.mapping.clone();
        change(&mut mapping);
        Poller::new(self.sqs.clone(), mapping, Arc::clone(self.stack.stamps()))
            .releasing_after(Duration::ZERO)
    }
}

/// The bodies of an event, and the answer that fails those which `fails` picks.
fn answer(event: &Value, fails: impl Fn(&str) -> bool) -> (Vec<String>, Value) {
    let records = event["Records"].as_array().expect("records");
    let body = |record: &Value| record["body"].as_str().expect("a body").to_owned();
    let failed = records.iter().filter(|record| fails(&body(record)));
    let failures: Vec<_> = failed
        .map(|record| json!({ "itemIdentifier": record["messageId"] }))
        .collect();
    (
        records.iter().map(body).collect(),
        json!({ "batchItemFailures": failures }),
    )
}

/// A handler that fails some bodies and notes what it was given.
struct Noting<P> {
    fails: P,
    batches: RefCell<Vec<Vec<String>>>,
}

impl<P: Fn(&str) -> bool> Noting<P> {
    fn new(fails: P) -> Self {
        Self {
            fails,
            batches: RefCell::default(),
        }
    }

    async fn poll(&self, poller: &Poller) -> Delivery {
        let handler = async |event: Value| {
            let (bodies, answer) = answer(&event, &self.fails);
            self.batches.borrow_mut().push(bodies);
            Ok(answer)
        };
        poller.poll(NO_PATIENCE, handler).await.expect("polled")
    }
}

fn delivery(received: usize, deleted: usize, returned: usize) -> Delivery {
    Delivery {
        received,
        deleted,
        returned,
        ..Delivery::default()
    }
}

#[tokio::test]
async fn only_what_failed_comes_back() {
    let intake = start().await;
    intake.send_numbers(10).await;
    let poller = intake.poller(|_| {});
    let odd = Noting::new(|body: &str| body.parse::<u32>().expect("a number") % 2 == 1);
    assert_eq!(odd.poll(&poller).await, delivery(10, 5, 5));
    let none = Noting::new(|_: &str| false);
    assert_eq!(none.poll(&poller).await, delivery(5, 5, 0));
    assert_eq!(none.batches.take(), [["1", "3", "5", "7", "9"]]);
    assert_eq!(none.poll(&poller).await, Delivery::default());
}

#[tokio::test]
async fn a_batch_is_filled_by_tens_up_to_its_size() {
    let intake = start().await;
    intake.send_numbers(57).await;
    let poller = intake.poller(|mapping| {
        mapping.batch_size = 25;
        mapping.window = Duration::from_secs(1);
    });
    let none = Noting::new(|_: &str| false);
    for size in [25, 25, 7] {
        assert_eq!(none.poll(&poller).await, delivery(size, size, 0));
    }
    let in_order: Vec<String> = (0..57).map(|number| number.to_string()).collect();
    assert_eq!(none.batches.take().concat(), in_order);
}

#[tokio::test]
async fn a_batch_of_another_size_than_the_mappings_is_full_when_it_is_asked_to_be() {
    let intake = start().await;
    intake.send_numbers(33).await;
    let poller = intake.poller(|mapping| {
        mapping.batch_size = 25;
        mapping.window = Duration::from_mins(10);
    });
    for size in [30, 3] {
        let none_fails = async |event: Value| Ok(answer(&event, |_| false).1);
        let taken = poller.poll_at_most(size, NO_PATIENCE, none_fails).await;
        assert_eq!(taken.expect("polled"), delivery(size, size, 0));
    }
}

#[tokio::test]
async fn the_window_counts_from_the_first_message() {
    let intake = start().await;
    let poller = intake.poller(|mapping| mapping.window = Duration::from_millis(600));
    let none = Noting::new(|_: &str| false);
    let late = async {
        for body in ["a", "b"] {
            tokio::time::sleep(Duration::from_millis(300)).await;
            intake.send(&[body.to_owned()]).await;
        }
    };
    let handler = async |event: Value| {
        none.batches.borrow_mut().push(answer(&event, |_| false).0);
        Ok(json!({}))
    };
    let start = Instant::now();
    let (outcome, ()) = tokio::join!(poller.poll(Duration::from_secs(5), handler), late);
    assert_eq!(outcome.expect("polled"), delivery(2, 2, 0));
    assert_eq!(none.batches.take(), [["a", "b"]]);
    let elapsed = start.elapsed().as_millis();
    assert!(
        (900..3000).contains(&elapsed),
        "{elapsed} ms for a window of 600 ms after a first message at 300 ms"
    );
}

#[tokio::test]
async fn poison_goes_to_the_dead_letter_queue_with_its_stamps() {
    let intake = start().await;
    intake.send(&["good".to_owned(), "poison".to_owned()]).await;
    let poller = intake.poller(|_| {});
    let poison = Noting::new(|body: &str| body == "poison");
    assert_eq!(poison.poll(&poller).await, delivery(2, 1, 1));
    let redrive = intake
        .stack
        .plan()
        .queues
        .iter()
        .find_map(|queue| queue.redrive.clone())
        .expect("a redrive");
    for _ in 1..redrive.max_receive_count {
        assert_eq!(poison.poll(&poller).await, delivery(1, 0, 1));
    }
    assert_eq!(
        poison.poll(&poller).await,
        Delivery::default(),
        "received more than maxReceiveCount times"
    );
    let dead_letters = Mapping {
        queue_url: intake.stack.outputs()["IntakeDlqUrl"].clone(),
        ..intake.mapping.clone()
    };
    let dead_letters = Poller::new(
        intake.sqs.clone(),
        dead_letters,
        Arc::clone(intake.stack.stamps()),
    );
    let seen = RefCell::new(Value::Null);
    let handler = async |event: Value| {
        seen.replace(event);
        Ok(Value::Null)
    };
    assert_eq!(
        dead_letters.poll(NO_PATIENCE, handler).await.expect("polled"),
        delivery(1, 1, 0)
    );
    let record = seen.take()["Records"][0].take();
    assert_eq!(
        (&record["body"], &record["attributes"]["SenderId"]),
        (&json!("poison"), &json!("AROASENDER:local"))
    );
    assert_eq!(
        intake
            .stack
            .stamps()
            .get(record["messageId"].as_str().expect("an id")),
        None,
        "deleted, yet remembered"
    );
}

#[tokio::test]
async fn nothing_is_deleted_unless_the_answer_is_understood() {
    let intake = start().await;
    intake.send_numbers(3).await;
    let poller = intake.poller(|mapping| mapping.function_timeout = Duration::from_millis(50));
    for (wrong, failure) in [
        (
            Ok(json!({"batchItemFailures": [{"itemIdentifier": ""}]})),
            BatchFailure::NoId,
        ),
        (
            Ok(json!({"batchItemFailures": [{"itemIdentifier": null}]})),
            BatchFailure::NoId,
        ),
        (
            Ok(json!({"batchItemFailures": [{"itemIdentifier": "unknown"}]})),
            BatchFailure::UnknownId,
        ),
        (Ok(json!("done")), BatchFailure::NoBatchResponse),
        (
            Err("broken".to_owned()),
            BatchFailure::Failed {
                reason: "broken".to_owned(),
            },
        ),
    ] {
        let outcome = poller
            .poll(NO_PATIENCE, async |_| wrong.clone())
            .await
            .expect("polled");
        assert_eq!(
            outcome,
            Delivery {
                failures: vec![failure],
                ..delivery(3, 0, 3)
            }
        );
    }
    let slow = async |_| {
        tokio::time::sleep(Duration::from_secs(5)).await;
        Ok(Value::Null)
    };
    let outcome = poller.poll(NO_PATIENCE, slow).await.expect("polled");
    assert_eq!(
        outcome,
        Delivery {
            failures: vec![BatchFailure::TimedOut { seconds: 0 }],
            ..delivery(3, 0, 3)
        }
    );
    assert_eq!(
        poller
            .poll(NO_PATIENCE, async |_| Ok(Value::Null))
            .await
            .expect("polled"),
        delivery(3, 3, 0)
    );
}

#[tokio::test]
async fn without_batch_responses_any_answer_means_done() {
    let intake = start().await;
    intake.send_numbers(2).await;
    let poller = intake.poller(|mapping| mapping.report_batch_item_failures = false);
    let outcome = poller
        .poll(NO_PATIENCE, async |event: Value| Ok(answer(&event, |_| true).1))
        .await
        .expect("polled");
    assert_eq!(outcome, delivery(2, 2, 0));
}

#[tokio::test]
async fn an_event_is_what_lambda_would_send() {
    let intake = start().await;
    let sent = intake
        .sqs
        .send_message()
        .queue_url(&intake.mapping.queue_url)
        .message_body("{}")
        .message_attributes(
            "reason",
            MessageAttributeValue::builder()
                .data_type("String")
                .string_value("malformed")
                .build()
                .expect("an attribute"),
        );
    let id = sent.send().await.expect("sent").message_id.expect("an id");
    intake
        .stack
        .stamps()
        .register(&id, Stamp::at("cp-7", 1_430_438_400_000));
    let seen = RefCell::new(Value::Null);
    let handler = async |event: Value| {
        seen.replace(event);
        Ok(Value::Null)
    };
    intake
        .poller(|_| {})
        .poll(NO_PATIENCE, handler)
        .await
        .expect("polled");
    let mut record = seen.take()["Records"][0].take();
    let handle = record["receiptHandle"].take();
    assert!(handle.as_str().is_some_and(|handle| !handle.is_empty()));
    let first_receive = record["attributes"]["ApproximateFirstReceiveTimestamp"].take();
    assert!(
        first_receive.as_str().is_some_and(|time| time.len() == 13),
        "{first_receive}"
    );
    assert_eq!(
        record,
        json!({
            "messageId": id,
            "receiptHandle": null,
            "body": "{}",
            "attributes": {
                "SenderId": "cp-7:local",
                "SentTimestamp": "1430438400000",
                "ApproximateReceiveCount": "1",
                "ApproximateFirstReceiveTimestamp": null,
            },
            "messageAttributes": {
                "reason": {"stringValue": "malformed", "stringListValues": [], "binaryListValues": [], "dataType": "String"},
            },
            "md5OfBody": "99914b932bd37a50b983c5e7c90ae93b",
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:s-intake",
            "awsRegion": "us-east-1",
        })
    );
}

#[tokio::test]
async fn a_payload_longer_than_lambda_takes_is_split() {
    let intake = start().await;
    let long = "x".repeat(1_000_000);
    for _ in 0..7 {
        intake.send(std::slice::from_ref(&long)).await;
    }
    let none = Noting::new(|_: &str| false);
    assert_eq!(none.poll(&intake.poller(|_| {})).await, delivery(7, 7, 0));
    assert_eq!(
        none.batches.take().iter().map(Vec::len).collect::<Vec<_>>(),
        [6, 1]
    );
}
