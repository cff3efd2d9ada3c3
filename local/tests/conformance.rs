//! The ports' conformance suite on the adapters of AWS: against the embedded emulators, or, when
//! `AWS_ENDPOINT_URL` is set, against whatever answers there with the SDK's own settings of region and credentials.
//!
//! There it makes tables as `template.yaml` describes them, queues and a key, all of its own, and takes them down
//! again.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "what cannot be prepared fails the test"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message};
use local::platform::clients::Clients;
use local::platform::stack::LocalStack;
use local::platform::template::{
    self, Attribute, Deployment, KeyAttribute, PROJECT_TEMPLATE, StackPlan, TablePlan,
};
use symbolon_shared::aws::sdk::{self, SdkOptions};
use symbolon_shared::aws::{
    AwsAudit, AwsAuditSettings, AwsPorts, AwsRedrive, AwsRedriveClients, AwsRedriveSettings, AwsSettings,
    TableNames,
};
use symbolon_shared::domain::time::Timestamp;
use symbolon_shared::domain::token::EpochId;
use symbolon_shared::ports::{EpochKeyStore as _, WrappedKey};
use symbolon_shared::testing::conformance::{
    self, AUDIT_CASES, Arrange, ArrangeError, CASES, Delivered, Handling, Hands, REDRIVE_CASES,
};

/// What an endpoint that is not AWS is known not to do, by the case that asks for it.
const GAPS: &[(&str, &str)] = &[(
    "a_changed_key_is_refused",
    "ministack 1.5.33 encrypts data keys without authenticating them",
)];

/// How many empty receives it takes to believe that a queue is empty, and how long each waits.
#[derive(Clone, Copy)]
struct Patience {
    receives: usize,
    wait_seconds: i32,
}

fn unique(kind: &str) -> String {
    format!("{kind}-{:08x}", rand::random::<u32>())
}

fn plan(stack: &str) -> StackPlan {
    template::read(PROJECT_TEMPLATE, &Deployment::local(stack)).expect("the template reads")
}

/// The ports' names in `plan`.
fn settings(plan: &StackPlan, dead_letter_queue_url: String, token_key_arn: String) -> AwsSettings {
    let table = |id: &str| {
        let table = plan.tables.iter().find(|table| table.id == id);
        table.expect("the template has this table").name.clone()
    };
    AwsSettings {
        tables: TableNames {
            registry: table("Registry"),
            parameters: table("Parameters"),
            submissions: table("Submissions"),
            interests: table("Interests"),
            matches: table("Matches"),
            keys: table("Keys"),
        },
        dead_letter_queue_url,
        token_key_arn,
    }
}

fn ports(clients: &Clients, settings: AwsSettings) -> AwsPorts {
    let Clients {
        dynamodb, sqs, kms, ..
    } = clients.clone();
    AwsPorts::new(dynamodb, sqs, kms, settings)
}

/// Makes queues that anybody may read, and reads them.
struct Queues {
    sqs: aws_sdk_sqs::Client,
    dead_letter_queue_url: String,
    patience: Patience,
}

fn not_arranged(error: impl std::error::Error) -> ArrangeError {
    ArrangeError(format!(
        "{:?}",
        aws_smithy_types::error::display::DisplayErrorContext(&error).to_string()
    ))
}

impl Queues {
    async fn drain(&self, url: &str) -> Result<Vec<Delivered>, ArrangeError> {
        let (mut delivered, mut empty) = (Vec::new(), 0);
        while empty < self.patience.receives {
            let receive = self
                .sqs
                .receive_message()
                .queue_url(url)
                .max_number_of_messages(10);
            let received = receive
                .message_attribute_names("All")
                .wait_time_seconds(self.patience.wait_seconds)
                .send()
                .await;
            let messages = received.map_err(not_arranged)?.messages.unwrap_or_default();
            if messages.is_empty() {
                empty += 1;
            } else {
                self.delete(url, &messages).await?;
                delivered.extend(messages.into_iter().map(as_delivered));
            }
        }
        Ok(delivered)
    }

    async fn delete(&self, url: &str, messages: &[Message]) -> Result<(), ArrangeError> {
        let mut delete = self.sqs.delete_message_batch().queue_url(url);
        for (index, message) in messages.iter().enumerate() {
            let entry = DeleteMessageBatchRequestEntry::builder().id(index.to_string());
            let entry = entry.set_receipt_handle(message.receipt_handle.clone());
            delete = delete.entries(entry.build().map_err(not_arranged)?);
        }
        delete.send().await.map(drop).map_err(not_arranged)
    }
}

fn as_delivered(message: Message) -> Delivered {
    let attributes = message.message_attributes.unwrap_or_default();
    Delivered {
        body: message.body.unwrap_or_default(),
        attributes: attributes
            .into_iter()
            .map(|(name, value)| (name, value.string_value.unwrap_or_default()))
            .collect::<BTreeMap<_, _>>(),
    }
}

impl Arrange for Queues {
    async fn create_inbox(&self, name: &str) -> Result<String, ArrangeError> {
        let created = self.sqs.create_queue().queue_name(name).send().await;
        Ok(created.map_err(not_arranged)?.queue_url.unwrap_or_default())
    }

    async fn remove_inbox(&self, url: &str) -> Result<(), ArrangeError> {
        let deleted = self.sqs.delete_queue().queue_url(url).send().await;
        deleted.map(drop).map_err(not_arranged)
    }

    fn inbox_url(&self, name: &str) -> String {
        let beside = self.dead_letter_queue_url.rsplit_once('/');
        format!("{}/{name}", beside.map_or("", |(before, _)| before))
    }

    async fn drain_inbox(&self, url: &str) -> Result<Vec<Delivered>, ArrangeError> {
        self.drain(url).await
    }

    async fn drain_dead_letters(&self) -> Result<Vec<Delivered>, ArrangeError> {
        self.drain(&self.dead_letter_queue_url).await
    }
}

async fn failures_on_emulators() -> Vec<conformance::Nonconformance> {
    let stack = LocalStack::start(plan("conformance"), 0)
        .await
        .expect("the stack starts");
    let dead_letter_queue_url = stack.outputs()["IntakeDlqUrl"].clone();
    let token_key_arn = stack.outputs()["TokenKeyArn"].clone();
    let clients = stack.clients("AROACONFORMANCE");
    let settings = settings(stack.plan(), dead_letter_queue_url.clone(), token_key_arn);
    let queues = Queues {
        sqs: clients.sqs.clone(),
        dead_letter_queue_url,
        patience: Patience {
            receives: 1,
            wait_seconds: 0,
        },
    };
    let ports = ports(&clients, settings);
    let mut failures = conformance::run(&ports, &queues, "emulators").await;
    failures.extend(audit_failures(&stack, &clients, &ports).await);
    failures.extend(redrive_failures(&stack, &clients).await);
    stack.shut_down().await;
    failures
}

async fn audit_failures(
    stack: &LocalStack,
    clients: &Clients,
    ports: &AwsPorts,
) -> Vec<conformance::Nonconformance> {
    let known = EpochId::new(Timestamp::from_millis(1), 7);
    let key = WrappedKey(vec![1; 200]);
    let put = ports.put_key(known, &key, i64::MAX / 1_000).await;
    assert!(put.expect("a key is stored"));
    let attribute = |resource, name| stack.attribute(resource, name).expect("the template has it");
    let settings = AwsAuditSettings {
        bucket: attribute("AuditBucket", Attribute::REF),
        set_aside_bucket: attribute("StreamRecordsBucket", Attribute::REF),
        signing_key_arn: attribute("AuditSigningKey", "Arn"),
        keys_table: attribute("Keys", Attribute::REF),
    };
    let Clients {
        s3,
        kms,
        dynamodb,
        events,
        ..
    } = clients.clone();
    let (hand, aside) = (s3.clone(), settings.set_aside_bucket.clone());
    let audit = AwsAudit::new(s3, kms, dynamodb, events, settings);
    let set_aside = |name: String, body: Vec<u8>| -> conformance::Setting {
        let put = hand.put_object().bucket(&aside).key(name).body(body.into());
        Box::pin(async move {
            let put = put.send().await;
            put.map(drop).map_err(|error| ArrangeError(error.to_string()))
        })
    };
    conformance::run_audit(&audit, "emulators", known, &set_aside).await
}

async fn redrive_failures(stack: &LocalStack, clients: &Clients) -> Vec<conformance::Nonconformance> {
    let table = |resource| {
        stack
            .attribute(resource, Attribute::REF)
            .expect("the template has it")
    };
    let settings = AwsRedriveSettings {
        quarantine_bucket: table("QuarantineBucket"),
        quarantine_key_arn: stack.outputs()["TokenKeyArn"].clone(),
        registry_table: table("Registry"),
        submissions_table: table("Submissions"),
    };
    // Nobody answers for mappings and metrics here, and no case asks for them.
    let nobody = aws_config::SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::v2026_01_12())
        .build();
    let redrive = AwsRedrive::new(
        AwsRedriveClients {
            sqs: clients.sqs.clone(),
            s3: clients.s3.clone(),
            dynamodb: clients.dynamodb.clone(),
            lambda: aws_sdk_lambda::Client::new(&nobody),
            cloudwatch: aws_sdk_cloudwatch::Client::new(&nobody),
            events: clients.events.clone(),
        },
        settings,
    );
    let sqs = clients.sqs.clone();
    let create = |name: String| -> Handling<String> {
        let create = sqs.create_queue().queue_name(name).send();
        Box::pin(async move { Ok(create.await.map_err(not_arranged)?.queue_url.unwrap_or_default()) })
    };
    let send = |url: String, body: String, reason: Option<&'static str>| -> Handling<()> {
        let value = reason.map(|reason| {
            let value = aws_sdk_sqs::types::MessageAttributeValue::builder();
            let value = value.data_type("String").string_value(reason).build();
            ("reason".to_owned(), value.expect("an attribute"))
        });
        let send = sqs.send_message().queue_url(url).message_body(body);
        let send = send
            .set_message_attributes(value.map(|value| [value].into()))
            .send();
        Box::pin(async move { send.await.map(drop).map_err(not_arranged) })
    };
    let hands = Hands {
        create: &create,
        send: &send,
    };
    conformance::run_redrive(&redrive, "emulators", &hands).await
}

async fn failures_on_endpoint() -> Vec<conformance::Nonconformance> {
    let clients = clients_of_environment().await;
    let plan = plan(&unique("conformance"));
    for table in &plan.tables {
        create_table(&clients.dynamodb, table).await;
    }
    let created = clients
        .sqs
        .create_queue()
        .queue_name(unique("conformance-dlq"))
        .send()
        .await;
    let dead_letter_queue_url = created.expect("a queue").queue_url.expect("its URL");
    let key = clients
        .kms
        .create_key()
        .send()
        .await
        .expect("a key")
        .key_metadata
        .expect("its description");
    let settings = settings(
        &plan,
        dead_letter_queue_url.clone(),
        key.arn.clone().expect("its ARN"),
    );
    let queues = Queues {
        sqs: clients.sqs.clone(),
        dead_letter_queue_url,
        patience: Patience {
            receives: 2,
            wait_seconds: 1,
        },
    };
    let failures = conformance::run(&ports(&clients, settings), &queues, &plan.deployment.stack).await;
    for table in &plan.tables {
        clients
            .dynamodb
            .delete_table()
            .table_name(&table.name)
            .send()
            .await
            .expect("the table goes");
    }
    let dead_letters = queues.dead_letter_queue_url.clone();
    queues.remove_inbox(&dead_letters).await.expect("the queue goes");
    let doomed = clients
        .kms
        .schedule_key_deletion()
        .key_id(key.key_id)
        .pending_window_in_days(7);
    doomed.send().await.expect("the key goes");
    failures
}

async fn clients_of_environment() -> Clients {
    // An emulator on a busy machine is slower than AWS, and a time-out here would look like a lost response.
    let options = SdkOptions {
        read_timeout: Duration::from_secs(25),
        attempt_timeout: Duration::from_secs(25),
        operation_timeout: Duration::from_mins(1),
        ..SdkOptions::default()
    };
    let loader = aws_config::defaults(aws_config::BehaviorVersion::v2026_01_12());
    let config = sdk::explicit(loader, &options).load().await;
    Clients {
        dynamodb: aws_sdk_dynamodb::Client::new(&config),
        sqs: aws_sdk_sqs::Client::new(&config),
        kms: aws_sdk_kms::Client::new(&config),
        s3: aws_sdk_s3::Client::new(&config),
        events: aws_sdk_eventbridge::Client::new(&config),
    }
}

async fn create_table(dynamodb: &aws_sdk_dynamodb::Client, table: &TablePlan) {
    let mut create = dynamodb
        .create_table()
        .table_name(&table.name)
        .billing_mode(BillingMode::PayPerRequest);
    let keys = [
        (KeyType::Hash, Some(&table.hash_key)),
        (KeyType::Range, table.range_key.as_ref()),
    ];
    for (role, key) in keys {
        let Some(KeyAttribute { name, kind }) = key else {
            continue;
        };
        let attribute = AttributeDefinition::builder().attribute_name(name);
        let attribute = attribute.attribute_type(ScalarAttributeType::from(kind.as_str()));
        let element = KeySchemaElement::builder().attribute_name(name).key_type(role);
        create = create.attribute_definitions(attribute.build().expect("an attribute"));
        create = create.key_schema(element.build().expect("a key element"));
    }
    create.send().await.expect("the table is created");
    for _second in 0..60 {
        let described = dynamodb.describe_table().table_name(&table.name).send().await;
        let status = described
            .expect("the table is known")
            .table
            .and_then(|table| table.table_status);
        if status == Some(aws_sdk_dynamodb::types::TableStatus::Active) {
            return;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    panic!("the table does not become active");
}

#[tokio::test]
async fn the_adapters_of_aws_conform() {
    let mut failures = if std::env::var_os("AWS_ENDPOINT_URL").is_some() {
        failures_on_endpoint().await
    } else {
        failures_on_emulators().await
    };
    if std::env::var_os("AWS_ENDPOINT_URL").is_some() {
        failures.retain(|failure| {
            let gap = GAPS.iter().find(|(case, _)| *case == failure.case);
            gap.inspect(|(case, reason)| println!("not shown here: {case} ({reason})"))
                .is_none()
        });
    }
    let told: Vec<String> = failures.iter().map(ToString::to_string).collect();
    assert!(
        told.is_empty(),
        "{} of {} cases: {told:#?}",
        told.len(),
        CASES.len() + AUDIT_CASES.len() + REDRIVE_CASES.len()
    );
}
