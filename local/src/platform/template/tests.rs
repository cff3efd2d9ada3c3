use std::time::Duration;

use super::*;

/// A template of one queue whose properties are given, two parameters, three conditions and a mapping.
fn template(properties: &str) -> String {
    let properties = properties.replace('\n', "\n      ");
    format!(
        "Transform: AWS::Serverless-2016-10-31
Parameters:
  Seconds: {{Type: Number, Default: 40, MinValue: 1, MaxValue: 60}}
  Stage: {{Type: String, Default: test, AllowedValues: [test, live]}}
Conditions:
  Live: !Equals [!Ref Stage, live]
  Test: !Not [Condition: Live]
  Always: !Or [!Condition Live, !Condition Test]
Mappings:
  Names: {{test: {{short: tst, list: [a, b]}}}}
Resources:
  Dlq: {{Type: AWS::SQS::Queue, Properties: {{QueueName: dlq}}}}
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      {properties}
"
    )
}

fn read_queue(properties: &str) -> Result<QueuePlan, TemplateError> {
    let plan = read(&template(properties), &Deployment::local("s"))?;
    Ok(plan
        .queues
        .into_iter()
        .find(|queue| queue.id == "Queue")
        .expect("the queue is declared"))
}

fn complaint(text: &str) -> String {
    read(text, &Deployment::local("s"))
        .expect_err("the template must be refused")
        .to_string()
}

fn name_of(properties: &str) -> String {
    read_queue(properties).expect("the template reads").name
}

#[test]
fn the_projects_template_reads() {
    let plan = read(PROJECT_TEMPLATE, &Deployment::local("symbolon")).expect("the project's template reads");
    let tables: Vec<&str> = plan.tables.iter().map(|table| table.name.as_str()).collect();
    assert!(
        tables.contains(&"symbolon-interests") && tables.contains(&"symbolon-submissions"),
        "{tables:?}"
    );
    let intake = plan
        .queues
        .iter()
        .find(|queue| queue.name == "symbolon-intake")
        .expect("the intake queue");
    assert_eq!(
        intake
            .redrive
            .as_ref()
            .map(|redrive| redrive.dead_letter_queue.as_str()),
        Some("IntakeDlq")
    );
    let matcher = plan.function("matcher").expect("the matcher");
    let mapping = matcher.mappings.first().expect("its mapping");
    assert_eq!(mapping.queue, intake.id);
    assert!(mapping.report_batch_item_failures);
    assert!(intake.visibility_timeout >= matcher.timeout * 6 + mapping.window);
    assert!(plan.keys.iter().any(|key| key.multi_region));
    assert!(plan.outputs.contains_key("IntakeQueueUrl") && plan.outputs.contains_key("TokenKeyArn"));
    assert!(
        plan.passed_over
            .contains_key("Resources.TokenKey.Properties.KeyPolicy")
    );
}

#[test]
fn a_role_has_the_same_id_in_every_run_and_it_looks_like_one_of_iam() {
    let id = |stack| {
        let plan = read(PROJECT_TEMPLATE, &Deployment::local(stack)).expect("reads");
        plan.roles
            .into_iter()
            .find(|role| role.id == "MatcherRole")
            .expect("the matcher's role")
            .role_id
    };
    assert_eq!(id("a"), id("a"));
    assert_ne!(id("a"), id("b"));
    assert!(id("a").starts_with("AROA") && id("a").len() == 21, "{}", id("a"));
}

#[test]
fn a_queue_takes_what_the_template_says_and_the_defaults_of_sqs() {
    let queue = read_queue("QueueName: q\nVisibilityTimeout: !Ref Seconds\nRedrivePolicy:\n  deadLetterTargetArn: !GetAtt Dlq.Arn\n  maxReceiveCount: 3").expect("reads");
    assert_eq!(queue.visibility_timeout, Duration::from_secs(40));
    assert_eq!(queue.retention, Duration::from_hours(96));
    assert_eq!(
        queue.redrive,
        Some(Redrive {
            dead_letter_queue: "Dlq".to_owned(),
            max_receive_count: 3
        })
    );
}

#[test]
fn intrinsics_are_evaluated_in_short_and_long_form() {
    for (properties, expected) in [
        (
            "QueueName: !Sub '${AWS::StackName}-${Stage}-${!x}'",
            "s-test-${x}",
        ),
        (
            "QueueName: {'Fn::Sub': ['${v}-${AWS::Region}', {v: {Ref: Stage}}]}",
            "test-us-east-1",
        ),
        ("QueueName: !Join ['-', [a, !Ref Stage, b]]", "a-test-b"),
        ("QueueName: !If [Live, l, !If [Always, t, n]]", "t"),
        (
            "QueueName: {'Fn::If': [Test, {Ref: 'AWS::AccountId'}, x]}",
            "123456789012",
        ),
        ("QueueName: q\nKmsMasterKeyId: !Ref AWS::NoValue", "q"),
        ("QueueName: !FindInMap [Names, !Ref Stage, short]", "tst"),
        (
            "QueueName: {'Fn::Join': ['-', {'Fn::FindInMap': [Names, test, list]}]}",
            "a-b",
        ),
        (
            "QueueName: !Join [_, !Split ['-', !Ref AWS::Region]]",
            "us_east_1",
        ),
    ] {
        assert_eq!(name_of(properties), expected, "{properties}");
    }
}

#[test]
fn attributes_stay_open_until_the_stack_stands() {
    let queue = read_queue("QueueName: q\nKmsMasterKeyId: !Sub 'x/${Dlq.Arn}'").expect("reads");
    let text = queue.kms_key.expect("a key");
    assert_eq!(text.literal(), None);
    let resolved =
        text.resolve(|attribute| Ok::<_, ()>(format!("<{}.{}>", attribute.resource, attribute.name)));
    assert_eq!(resolved, Ok("x/<Dlq.Arn>".to_owned()));
}

#[test]
fn a_resource_whose_condition_fails_does_not_exist() {
    let text = template("QueueName: q").replace("  Dlq: {Type", "  Dlq: {Condition: Live, Type");
    let plan = read(&text, &Deployment::local("s")).expect("reads");
    assert!(plan.queues.iter().all(|queue| queue.id != "Dlq"));
    let text = text.replace("QueueName: q\n", "QueueName: q\n      KmsMasterKeyId: !Ref Dlq\n");
    assert_eq!(
        complaint(&text),
        "Resources.Queue.Properties.KmsMasterKeyId: Dlq is neither a parameter nor a resource of this deployment"
    );
}

#[test]
fn what_the_reader_does_not_know_is_an_error_that_names_its_path() {
    for (properties, expected) in [
        (
            "QueueName: q\nFifoQueue: true",
            "Resources.Queue.Properties.FifoQueue: the local deployment does not know this property",
        ),
        (
            "QueueName: q\nRedrivePolicy: {deadLetterTargetArn: !GetAtt Dlq.Arn, maxReceiveCount: 1, x: 1}",
            "Resources.Queue.Properties.RedrivePolicy.x: the local deployment does not know this property",
        ),
        (
            "QueueName: !ImportValue x",
            "Resources.Queue.Properties.QueueName: the local deployment does not know the intrinsic function ImportValue",
        ),
        (
            "QueueName: q\nRedriveAllowPolicy: [{'Fn::Select': [0, [a]]}]",
            "Resources.Queue.Properties.RedriveAllowPolicy[0]: the local deployment does not know the intrinsic function Select",
        ),
        (
            "QueueName: !Ref Nobody",
            "Resources.Queue.Properties.QueueName: Nobody is neither a parameter nor a resource of this deployment",
        ),
        (
            "QueueName: !Sub 'a${Nobody.Arn}'",
            "Resources.Queue.Properties.QueueName: Nobody is neither a parameter nor a resource of this deployment",
        ),
        (
            "QueueName: q\nKmsMasterKeyId: !GetAtt Dlq.Colour",
            "Resources.Queue.Properties.KmsMasterKeyId: the local deployment does not know Dlq.Colour",
        ),
        (
            "QueueName: !If [Nowhere, a, b]",
            "Resources.Queue.Properties.QueueName: Nowhere is neither a parameter nor a resource of this deployment",
        ),
        (
            "QueueName: !FindInMap [Names, live, short]",
            "Resources.Queue.Properties.QueueName: Names.live.short is neither a parameter nor a resource of this deployment",
        ),
        (
            "QueueName: !FindInMap [Names, test]",
            "Resources.Queue.Properties.QueueName.FindInMap: expected the name of a mapping and two keys",
        ),
        (
            "QueueName: !Split ['-', a-b]",
            "Resources.Queue.Properties.QueueName: expected a value; what a Split makes can only be joined",
        ),
        (
            "QueueName: !Split ['', a-b]",
            "Resources.Queue.Properties.QueueName.Split: expected a delimiter and text",
        ),
        (
            "QueueName: !GetAtt Dlq.QueueName",
            "Resources.Queue.Properties.QueueName: expected text that does not depend on a resource",
        ),
        (
            "QueueName: q\nVisibilityTimeout: soon",
            "Resources.Queue.Properties.VisibilityTimeout: expected a whole number in range",
        ),
        (
            "QueueName: [q]",
            "Resources.Queue.Properties.QueueName: expected text",
        ),
        (
            "QueueName: ",
            "Resources.Queue.Properties.QueueName: expected a value, not null",
        ),
        (
            "VisibilityTimeout: 1",
            "Resources.Queue.Properties.QueueName: missing",
        ),
        (
            "QueueName: !Sub '${AWS::StackName'",
            "Resources.Queue.Properties.QueueName.Sub: expected text, or text with variables",
        ),
        (
            "QueueName: q\nRedrivePolicy: {deadLetterTargetArn: 'arn:x', maxReceiveCount: 1}",
            "Resources.Queue.Properties.RedrivePolicy.deadLetterTargetArn: expected the ARN of a resource of this template",
        ),
    ] {
        assert_eq!(complaint(&template(properties)), expected, "{properties}");
    }
}

#[test]
fn sections_types_and_attributes_that_are_not_known_are_errors() {
    for (wrong, expected) in [
        (
            "Rules: {}\n",
            "Rules: the local deployment does not know this section or attribute of a template",
        ),
        (
            "Transform: AWS::LanguageExtensions\n",
            "Transform: the local deployment does not know this section or attribute of a template",
        ),
    ] {
        assert_eq!(complaint(wrong), expected);
    }
    let typed = |kind: &str| complaint(&format!("Resources: {{A: {{Type: '{kind}', Properties: {{}}}}}}"));
    assert_eq!(
        typed("AWS::SES::Template"),
        "Resources.A.Type: the local deployment does not know the resource type AWS::SES::Template"
    );
    let attribute = complaint("Resources: {A: {Type: AWS::SQS::Queue, CreationPolicy: {}}}");
    assert_eq!(
        attribute,
        "Resources.A.CreationPolicy: the local deployment does not know this property"
    );
}

#[test]
fn circles_are_errors() {
    let queue = |name: &str, other: &str| {
        format!(
            "  {name}: {{Type: AWS::SQS::Queue, Properties: {{QueueName: {name}, KmsMasterKeyId: !GetAtt {other}.Arn}}}}\n"
        )
    };
    let circle = format!(
        "Resources:\n{}{}{}",
        queue("A", "B"),
        queue("B", "C"),
        queue("C", "B")
    );
    assert_eq!(
        complaint(&circle),
        "these refer to one another in a circle: B → C → B"
    );
    let depends = "Resources: {A: {Type: AWS::SQS::Queue, DependsOn: A, Properties: {QueueName: a}}}";
    assert_eq!(
        complaint(depends),
        "these refer to one another in a circle: A → A"
    );
    let condition = template("QueueName: !If [Live, a, b]")
        .replace("!Equals [!Ref Stage, live]", "!Not [!Condition Always]");
    assert!(complaint(&condition).starts_with("these refer to one another in a circle: Live → Always"));
}

#[test]
fn parameters_are_checked_against_their_own_rules() {
    let with = |name: &str, value: &str| {
        let mut deployment = Deployment::local("s");
        deployment.parameters.insert(name.to_owned(), value.to_owned());
        read(
            &template("QueueName: q\nVisibilityTimeout: !Ref Seconds"),
            &deployment,
        )
    };
    assert!(with("Seconds", "60").is_ok() && with("Stage", "live").is_ok());
    for (name, value) in [
        ("Seconds", "61"),
        ("Seconds", "x"),
        ("Stage", "other"),
        ("Nobody", "1"),
    ] {
        assert!(with(name, value).is_err(), "{name}={value}");
    }
    assert_eq!(
        complaint("Parameters: {A: {Type: String}}"),
        "the parameter A has no default and was not given"
    );
}

#[test]
fn a_replica_of_another_region_alone_is_an_error() {
    let text = PROJECT_TEMPLATE.replacen("- Region: !Ref AWS::Region", "- Region: eu-west-1", 1);
    assert!(
        complaint(&text).ends_with("Replicas: expected a replica in the stack's own region"),
        "{}",
        complaint(&text)
    );
}

#[test]
fn what_stands_on_aws_alone_is_named_and_leaves_its_outputs_out() {
    let plan = read(PROJECT_TEMPLATE, &Deployment::local("symbolon")).expect("the project's template reads");
    for path in [
        "Resources.Dashboard",
        "Outputs.DashboardUrl.Value",
        "Resources.Trail",
        "Resources.TokenAuditFunction.Properties.Events.Retry.Properties",
    ] {
        assert!(plan.passed_over.contains_key(path), "{path}");
    }
    assert!(!plan.outputs.contains_key("DashboardUrl"));
    assert!(plan.outputs.contains_key("ControlTable") && plan.outputs.contains_key("MatchesStreamArn"));
}

#[test]
fn nothing_that_runs_here_may_need_what_stands_on_aws_alone() {
    let text = template("QueueName: q\nKmsMasterKeyId: !Ref Topic")
        .replace("  Dlq: {", "  Topic: {Type: AWS::SNS::Topic}\n  Dlq: {");
    assert_eq!(
        complaint(&text),
        "Resources.Queue.Properties.KmsMasterKeyId: Topic has no counterpart in the local deployment"
    );
}

fn project_as(role: &str, stage: &str) -> Result<StackPlan, TemplateError> {
    let mut deployment = Deployment::local("symbolon");
    for (name, value) in [("Role", role), ("Stage", stage)] {
        deployment.parameters.insert(name.to_owned(), value.to_owned());
    }
    read(PROJECT_TEMPLATE, &deployment)
}

#[test]
fn the_local_deployment_is_the_primary_with_all() {
    assert!(project_as("primary", "all").is_ok());
    let foundation = project_as("primary", "foundation").expect("keys and roles read");
    assert!(foundation.tables.is_empty() && foundation.functions.is_empty() && !foundation.keys.is_empty());
    let standby = project_as("standby", "all").expect_err("the standby's keys are replicas");
    assert!(
        standby
            .to_string()
            .ends_with("KeyReplica has no counterpart in the local deployment"),
        "{standby}"
    );
}

#[test]
fn a_function_may_be_mapped_to_a_stream_from_its_beginning() {
    let plan = read(PROJECT_TEMPLATE, &Deployment::local("s")).expect("reads");
    let audit = plan.function("token-audit").expect("the audit");
    assert!(audit.mappings.is_empty());
    let [stream] = &audit.streams[..] else {
        panic!("one stream")
    };
    assert_eq!(stream.table, "Matches");
    assert!(stream.report_batch_item_failures && stream.maximum_retries < u32::MAX);
    let latest = PROJECT_TEMPLATE.replacen("StartingPosition: TRIM_HORIZON", "StartingPosition: LATEST", 1);
    assert!(
        complaint(&latest).ends_with("StartingPosition: expected TRIM_HORIZON"),
        "{}",
        complaint(&latest)
    );
}

#[test]
fn a_key_encrypts_or_signs_and_nothing_in_between() {
    let plan = read(PROJECT_TEMPLATE, &Deployment::local("s")).expect("reads");
    let signing: Vec<&str> = plan
        .keys
        .iter()
        .filter(|key| key.signs)
        .map(|key| key.id.as_str())
        .collect();
    assert_eq!(signing, ["AuditSigningKey"]);
    let other = PROJECT_TEMPLATE.replacen("KeySpec: ECC_NIST_P256", "KeySpec: ECC_NIST_P384", 1);
    assert!(
        complaint(&other).contains("KeySpec: expected"),
        "{}",
        complaint(&other)
    );
}

#[test]
fn a_bucket_keeps_versions_where_the_template_says_so() {
    let versions = |text: &str| {
        let plan = read(text, &Deployment::local("s")).expect("reads");
        let audit = plan.buckets.into_iter().find(|bucket| bucket.id == "AuditBucket");
        audit.expect("the bucket").versions
    };
    assert!(versions(PROJECT_TEMPLATE));
    assert!(!versions(&PROJECT_TEMPLATE.replace(
        "Status: Enabled\n      OwnershipControls",
        "Status: Suspended\n      OwnershipControls"
    )));
}

#[test]
fn a_mapping_says_whether_it_polls() {
    let enabled = |text: &str| {
        let plan = read(text, &Deployment::local("s")).expect("reads");
        plan.function("matcher").expect("the matcher").mappings[0].enabled
    };
    assert!(enabled(PROJECT_TEMPLATE));
    let line = "Enabled: !If [IsPrimary, true, false]";
    assert!(!enabled(
        &PROJECT_TEMPLATE.replace(line, "Enabled: !If [IsPrimary, false, true]")
    ));
    assert!(enabled(&PROJECT_TEMPLATE.replace(line, "")));
}
