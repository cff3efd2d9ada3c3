use aws_sdk_sqs::types::QueueAttributeName;

use super::*;
use crate::platform::template::{Deployment, PROJECT_TEMPLATE, read};

async fn start() -> LocalStack {
    let plan = read(PROJECT_TEMPLATE, &Deployment::local("symbolon")).expect("the template reads");
    LocalStack::start(plan, 0).await.expect("the stack starts")
}

#[tokio::test]
async fn everything_that_the_template_names_exists() {
    let stack = start().await;
    let clients = stack.clients("AROAX");
    for table in &stack.plan().tables {
        let described = clients
            .dynamodb
            .describe_table()
            .table_name(&table.name)
            .send()
            .await
            .expect("it exists");
        let keys = described.table().expect("its description").key_schema().len();
        assert_eq!(keys, 1 + usize::from(table.range_key.is_some()), "{}", table.name);
        let ttl = clients
            .dynamodb
            .describe_time_to_live()
            .table_name(&table.name)
            .send()
            .await
            .expect("known");
        let attribute = ttl
            .time_to_live_description()
            .and_then(|ttl| ttl.attribute_name());
        assert_eq!(attribute, table.ttl_attribute.as_deref(), "{}", table.name);
        let stream = described.table().and_then(|table| table.latest_stream_arn());
        let is_read = table.name == "symbolon-matches";
        assert_eq!(
            stream.is_some(),
            is_read,
            "{}: a stream where something reads it",
            table.name
        );
    }
    let arn = &stack.outputs()["TokenKeyArn"];
    let key = clients
        .kms
        .describe_key()
        .key_id(arn)
        .send()
        .await
        .expect("it exists")
        .key_metadata
        .expect("known");
    assert_eq!(
        (key.multi_region, key.key_id.starts_with("mrk-")),
        (Some(true), true)
    );
}

#[tokio::test]
async fn the_intake_queue_redrives_to_its_dead_letter_queue() {
    let stack = start().await;
    let sqs = stack.clients("AROAX").sqs;
    let attributes = |output: &str| {
        let request = sqs.get_queue_attributes().queue_url(&stack.outputs()[output]);
        request.attribute_names(QueueAttributeName::All).send()
    };
    let intake = attributes("IntakeQueueUrl")
        .await
        .expect("known")
        .attributes
        .expect("attributes");
    let dlq = attributes("IntakeDlqUrl")
        .await
        .expect("known")
        .attributes
        .expect("attributes");
    let policy: serde_json::Value =
        serde_json::from_str(&intake[&QueueAttributeName::RedrivePolicy]).expect("a policy");
    assert_eq!(
        policy["deadLetterTargetArn"],
        dlq[&QueueAttributeName::QueueArn].as_str()
    );
    assert_eq!(
        intake[&QueueAttributeName::QueueArn],
        stack.mapping("matcher").expect("mapped").queue_arn
    );
    let planned = stack
        .plan()
        .queues
        .iter()
        .find(|queue| queue.id == "IntakeQueue")
        .expect("planned");
    let visibility = planned.visibility_timeout.as_secs().to_string();
    assert_eq!(intake[&QueueAttributeName::VisibilityTimeout], visibility);
}

#[tokio::test]
async fn the_environment_is_the_templates_own_with_real_values() {
    let stack = start().await;
    let environment = stack.exported_environment("matcher").expect("an environment");
    for (variable, expected) in [
        ("AWS_ENDPOINT_URL", stack.endpoints().front.as_str()),
        ("INTERESTS_TABLE", "symbolon-interests"),
        ("INTAKE_DLQ_URL", &stack.outputs()["IntakeDlqUrl"]),
        ("TOKEN_KEY_ARN", &stack.outputs()["TokenKeyArn"]),
        // What the matcher sends must bear the stamp by which it knows its own envelopes.
        ("AWS_ACCESS_KEY_ID", &environment["MATCHER_ROLE_ID"]),
    ] {
        assert_eq!(environment[variable], expected, "{variable}");
    }
    assert!(matches!(
        stack.environment("nobody"),
        Err(StackError::NoFunction { .. })
    ));
}

#[tokio::test]
async fn a_mapping_that_is_not_enabled_polls_nothing() {
    let text = PROJECT_TEMPLATE.replace("Enabled: !If [IsPrimary, true, false]", "Enabled: false");
    let plan = read(&text, &Deployment::local("symbolon")).expect("the template reads");
    let stack = LocalStack::start(plan, 0).await.expect("the stack starts");
    assert!(matches!(
        stack.mapping("matcher"),
        Err(StackError::NoMapping { .. })
    ));
}

#[tokio::test]
async fn the_outputs_file_is_the_stack_outputs() {
    let stack = start().await;
    let file = std::env::temp_dir().join(format!("symbolon-outputs-{}.json", std::process::id()));
    stack.write_outputs(&file).expect("written");
    let written: BTreeMap<String, String> =
        serde_json::from_slice(&std::fs::read(&file).expect("read")).expect("a JSON object of texts");
    std::fs::remove_file(&file).expect("removed");
    assert_eq!(&written, stack.outputs());
}

#[test]
fn exports_survive_a_shell() {
    let environment = BTreeMap::from([
        ("A".to_owned(), "it's $HOME".to_owned()),
        ("B".to_owned(), String::new()),
    ]);
    assert_eq!(
        shell_exports(&environment),
        "export A='it'\\''s $HOME'\nexport B=''\n"
    );
}
