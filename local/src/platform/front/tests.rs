use std::pin::{Pin, pin};
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, SendMessageBatchRequestEntry};
use tokio::sync::Notify;
use winterbaume_sqs::SqsService;

use super::*;
use crate::platform::emulators::Emulators;

/// More than a call on the loopback takes.
const A_WHILE: Duration = Duration::from_millis(300);

async fn start() -> Emulators {
    Emulators::start(0, "eu-central-1")
        .await
        .expect("the emulators start")
}

async fn queue(emulators: &Emulators) -> (Client, String) {
    let sqs = emulators.endpoints().clients("owner").sqs;
    let created = sqs.create_queue().queue_name("q").send().await.expect("created");
    (sqs, created.queue_url.expect("its URL"))
}

async fn receive(sqs: &Client, url: &str) -> Vec<Message> {
    let request = sqs.receive_message().queue_url(url).max_number_of_messages(10);
    let request = request.message_system_attribute_names(MessageSystemAttributeName::All);
    request
        .send()
        .await
        .expect("received")
        .messages
        .unwrap_or_default()
}

fn attribute(message: &Message, name: &MessageSystemAttributeName) -> String {
    message.attributes().expect("attributes")[name].clone()
}

fn entry(id: usize, body: &str) -> SendMessageBatchRequestEntry {
    SendMessageBatchRequestEntry::builder()
        .id(id.to_string())
        .message_body(body)
        .build()
        .expect("an entry")
}

#[tokio::test]
async fn a_message_bears_the_access_key_id_of_its_sender() {
    let emulators = start().await;
    let (sqs, url) = queue(&emulators).await;
    let sender = |principal| emulators.endpoints().clients(principal).sqs;
    sender("AROAONE")
        .send_message()
        .queue_url(&url)
        .message_body("1")
        .send()
        .await
        .expect("sent");
    let two = sender("cp_two-2")
        .send_message_batch()
        .queue_url(&url)
        .entries(entry(0, "2"));
    two.send().await.expect("sent");
    let received = receive(&sqs, &url).await;
    let senders: Vec<_> = received
        .iter()
        .map(|message| attribute(message, &MessageSystemAttributeName::SenderId))
        .collect();
    assert_eq!(senders, ["AROAONE:local", "cp_two-2:local"]);
    emulators.shut_down().await;
}

#[tokio::test]
async fn a_registered_stamp_says_who_and_when() {
    let emulators = start().await;
    let (sqs, url) = queue(&emulators).await;
    let sent = sqs
        .send_message()
        .queue_url(&url)
        .message_body("1")
        .send()
        .await
        .expect("sent");
    emulators.stamps().register(
        sent.message_id().expect("an id"),
        Stamp::at("AROAX", 1_430_438_400_123),
    );
    let received = receive(&sqs, &url).await;
    assert_eq!(
        attribute(&received[0], &MessageSystemAttributeName::SenderId),
        "AROAX:local"
    );
    assert_eq!(
        attribute(&received[0], &MessageSystemAttributeName::SentTimestamp),
        "1430438400123"
    );
}

#[tokio::test]
async fn queue_urls_lead_here_and_name_the_callers_region() {
    let emulators = start().await;
    let (sqs, url) = queue(&emulators).await;
    let here = format!("{}/123456789012/q", emulators.endpoints().front);
    assert_eq!(url, here);
    assert_eq!(
        sqs.list_queues().send().await.expect("listed").queue_urls(),
        [here]
    );
    let elsewhere = emulators.endpoints().clone();
    let elsewhere = super::super::clients::Endpoints {
        region: "eu-west-1".to_owned(),
        ..elsewhere
    };
    assert!(
        elsewhere
            .clients("owner")
            .sqs
            .list_queues()
            .send()
            .await
            .expect("listed")
            .queue_urls()
            .is_empty()
    );
}

#[tokio::test]
async fn batches_that_sqs_would_refuse_are_refused() {
    let emulators = start().await;
    let (sqs, url) = queue(&emulators).await;
    let half = "x".repeat(BATCH_BYTES / 2 + 1);
    for (entries, expected) in [
        (
            (0..11).map(|id| entry(id, "x")).collect(),
            "TooManyEntriesInBatchRequest",
        ),
        (vec![entry(1, "x"), entry(1, "y")], "BatchEntryIdsNotDistinct"),
        (vec![entry(1, &half), entry(2, &half)], "BatchRequestTooLong"),
        (vec![entry(1, "x"), entry(2, "")], "MissingParameter"),
    ] {
        let request = sqs
            .send_message_batch()
            .queue_url(&url)
            .set_entries(Some(entries));
        let error = request.send().await.expect_err("refused");
        assert!(
            error.code().is_some_and(|code| code.ends_with(expected)),
            "{:?}, not {expected}",
            error.code()
        );
    }
    assert!(receive(&sqs, &url).await.is_empty());
}

#[tokio::test]
async fn too_long_a_request_is_refused() {
    let emulators = start().await;
    let (sqs, url) = queue(&emulators).await;
    let body = "x".repeat(JSON_BODY_BYTES);
    let error = sqs
        .send_message()
        .queue_url(&url)
        .message_body(body)
        .send()
        .await
        .expect_err("refused");
    assert_eq!(
        error.raw_response().map(|response| response.status().as_u16()),
        Some(413)
    );
}

#[tokio::test]
async fn one_address_answers_for_every_service() {
    let emulators = start().await;
    let sdk = emulators.endpoints().sdk_config("AROAX");
    let dynamodb = aws_sdk_dynamodb::Client::new(&sdk);
    assert!(
        dynamodb
            .list_tables()
            .send()
            .await
            .expect("listed")
            .table_names()
            .is_empty()
    );
    assert!(
        aws_sdk_kms::Client::new(&sdk)
            .list_keys()
            .send()
            .await
            .expect("listed")
            .keys()
            .is_empty()
    );
    let address = emulators.endpoints().front.clone();
    emulators.shut_down().await;
    let address = address.trim_start_matches("http://").to_owned();
    assert!(
        tokio::net::TcpStream::connect(address).await.is_err(),
        "the front still listens"
    );
}

/// A queue service that has taken what it was sent, and does not answer before it is let.
struct Slow {
    sqs: SqsService,
    taken: Notify,
    answer: Notify,
}

impl MockService for Slow {
    fn service_name(&self) -> &str {
        self.sqs.service_name()
    }

    fn url_patterns(&self) -> Vec<&str> {
        self.sqs.url_patterns()
    }

    fn handle(&self, request: MockRequest) -> Pin<Box<dyn Future<Output = MockResponse> + Send + '_>> {
        let sends = request.headers["x-amz-target"] == "AmazonSQS.SendMessageBatch";
        Box::pin(async move {
            let answer = self.sqs.handle(request).await;
            if sends {
                self.taken.notify_one();
                self.answer.notified().await;
            }
            answer
        })
    }
}

async fn start_slow() -> (Emulators, Arc<Slow>) {
    let slow = Arc::new(Slow {
        sqs: SqsService::new(),
        taken: Notify::new(),
        answer: Notify::new(),
    });
    let service: Arc<dyn MockService> = Arc::<Slow>::clone(&slow);
    let emulators = Emulators::start_with(0, "eu-central-1", service).await;
    (emulators.expect("the emulators start"), slow)
}

/// A message without its sender is one that nobody knows: the matcher would set it aside.
#[tokio::test]
async fn a_message_that_is_received_before_its_sending_is_answered_bears_its_sender() {
    let (emulators, slow) = start_slow().await;
    let (sqs, url) = queue(&emulators).await;
    let sender = emulators.endpoints().clients("AROASENDER").sqs;
    let send = sender.send_message_batch().queue_url(&url).entries(entry(0, "x"));
    let send = tokio::spawn(async move { send.send().await });
    slow.taken.notified().await;
    let mut received = pin!(receive(&sqs, &url));
    let early = tokio::time::timeout(A_WHILE, &mut received).await;
    slow.answer.notify_one();
    let received = match early {
        Ok(received) => received,
        Err(_) => received.await,
    };
    let senders: Vec<_> = received
        .iter()
        .map(|message| attribute(message, &MessageSystemAttributeName::SenderId))
        .collect();
    assert_eq!(senders, ["AROASENDER:local"]);
    send.await.expect("no panic").expect("sent");
    emulators.shut_down().await;
}

#[tokio::test]
async fn a_message_whose_sender_goes_away_before_the_answer_bears_its_sender() {
    let (emulators, slow) = start_slow().await;
    let (sqs, url) = queue(&emulators).await;
    let sender = emulators.endpoints().clients("AROASENDER").sqs;
    let send = sender.send_message_batch().queue_url(&url).entries(entry(0, "x"));
    let send = tokio::spawn(async move { send.send().await });
    slow.taken.notified().await;
    send.abort();
    assert!(send.await.expect_err("aborted").is_cancelled());
    // The front has to see that the connection is gone.
    tokio::time::sleep(A_WHILE).await;
    slow.answer.notify_one();
    let received = receive(&sqs, &url).await;
    let senders: Vec<_> = received
        .iter()
        .map(|message| attribute(message, &MessageSystemAttributeName::SenderId))
        .collect();
    assert_eq!(senders, ["AROASENDER:local"]);
    emulators.shut_down().await;
}
