use serde_json::{Value, json};

use super::*;
use crate::aws::wire::{Answer, Wire};

const KEY: &str = "functions/symbolon/us-east-1/latest.json";
const LINK: &str = "https://packages.s3.amazonaws.com/snapshots/f?X-Amz-Signature=SECRET";

/// What is changed of an answer, and what comes of it.
type Change = (fn(&mut Value), Reason);

fn name() -> FunctionName {
    FunctionName::new("matcher").unwrap()
}

// ---- Functions ----------------------------------------------------------------------------------------------------

/// A function as Lambda describes it, with everything that it says of one of ours.
fn described() -> Value {
    json!({
        "Configuration": {
            "FunctionName": "matcher",
            "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:matcher",
            "Runtime": "provided.al2023",
            "Role": "arn:aws:iam::000000000000:role/matcher",
            "Handler": "bootstrap",
            "CodeSize": 4,
            "Description": "Matches interests",
            "Timeout": 30,
            "MemorySize": 256,
            "LastModified": "2026-11-30T00:00:00.000+0000",
            "CodeSha256": Digest::of(b"code").base64(),
            "Version": "$LATEST",
            "VpcConfig": { "SubnetIds": [], "SecurityGroupIds": [], "VpcId": "" },
            "Environment": { "Variables": { "STACK_NAME": "symbolon", "RUST_LOG": "info" } },
            "KMSKeyArn": "",
            "TracingConfig": { "Mode": "Active" },
            "RevisionId": "r",
            "State": "Active",
            "LastUpdateStatus": "Successful",
            "PackageType": "Zip",
            "Architectures": ["arm64"],
            "EphemeralStorage": { "Size": 512 },
            "SnapStart": { "ApplyOn": "None", "OptimizationStatus": "Off" },
            "LoggingConfig": { "LogFormat": "Text", "LogGroup": "/aws/lambda/matcher" },
            "RuntimeVersionConfig": { "RuntimeVersionArn": "arn:aws:lambda:us-east-1::runtime:x" },
        },
        "Code": { "RepositoryType": "S3", "Location": LINK },
        "Tags": { "symbolon:stack": "symbolon", "aws:cloudformation:stack-name": "symbolon" },
    })
}

async fn describe(answer: &Value) -> Result<Seen<DeployedFunction>, PortError> {
    let wire = Wire::answering([Answer::json(200, &answer.to_string())]);
    let described = wire.export().describe_function(&name()).await;
    assert_eq!(wire.asked()[0].operation, "GET /2015-03-31/functions/matcher");
    described
}

#[tokio::test]
async fn a_function_is_described_in_the_form_that_makes_it() {
    let function = describe(&described()).await.unwrap().unwrap();
    assert_eq!(function.code, Digest::of(b"code"));
    assert_eq!((function.bytes, function.link.expose()), (4, LINK));
    let document: Value = serde_json::from_slice(&function.configuration.document()).unwrap();
    assert_eq!(
        document,
        json!({
            "FunctionName": "matcher",
            "Role": "arn:aws:iam::000000000000:role/matcher",
            "Runtime": "provided.al2023",
            "Handler": "bootstrap",
            "Description": "Matches interests",
            "Timeout": 30,
            "MemorySize": 256,
            "Architectures": ["arm64"],
            "Environment": { "Variables": { "STACK_NAME": "symbolon", "RUST_LOG": "info" } },
            "TracingConfig": { "Mode": "Active" },
            "LoggingConfig": { "LogFormat": "Text", "LogGroup": "/aws/lambda/matcher" },
            "EphemeralStorage": { "Size": 512 },
            "Tags": { "symbolon:stack": "symbolon" },
        })
    );
}

/// A restore without them would be another function.
#[tokio::test]
async fn what_a_function_has_beyond_the_form_is_not_left_out_in_silence() {
    let changes: &[Change] = &[
        (
            |f| f["Configuration"]["State"] = json!("Pending"),
            Reason::Changing,
        ),
        (
            |f| f["Configuration"]["LastUpdateStatus"] = json!("InProgress"),
            Reason::Changing,
        ),
        (
            |f| f["Configuration"]["PackageType"] = json!("Image"),
            Reason::NotRestorable,
        ),
        (
            |f| f["Configuration"]["SnapStart"]["ApplyOn"] = json!("PublishedVersions"),
            Reason::NotRestorable,
        ),
        (
            |f| f["Configuration"]["FileSystemConfigs"] = json!([{ "Arn": "a", "LocalMountPath": "/mnt/a" }]),
            Reason::NotRestorable,
        ),
        (
            |f| f["Concurrency"] = json!({ "ReservedConcurrentExecutions": 0 }),
            Reason::NotRestorable,
        ),
        (
            |f| {
                f["Configuration"]["Environment"] =
                    json!({ "Error": { "ErrorCode": "AccessDeniedException" } });
            },
            Reason::NotRead,
        ),
        (
            |f| f["TagsError"] = json!({ "ErrorCode": "AccessDenied", "Message": "no" }),
            Reason::NotRead,
        ),
    ];
    let mut untagged = described();
    untagged.as_object_mut().unwrap().remove("Tags");
    assert_eq!(describe(&untagged).await, Ok(Err(Reason::NotRead)));
    for (index, (change, reason)) in changes.iter().enumerate() {
        let mut answer = described();
        change(&mut answer);
        assert_eq!(describe(&answer).await, Ok(Err(*reason)), "change {index}");
    }
}

#[tokio::test]
async fn a_description_that_says_too_little_is_corrupt() {
    for (field, code) in [
        ("CodeSha256", "NoCodeSha256"),
        ("Role", "NoRole"),
        ("Timeout", "NoTimeout"),
        ("Runtime", "NoRuntime"),
    ] {
        let mut answer = described();
        answer["Configuration"].as_object_mut().unwrap().remove(field);
        let error = describe(&answer).await.unwrap_err();
        assert_eq!((error.fault, error.code.as_str()), (Fault::Corrupt, code));
    }
    let mut answer = described();
    answer["Configuration"]["CodeSha256"] = json!("short");
    assert_eq!(describe(&answer).await.unwrap_err().code, "CodeSha256");
    answer = described();
    answer["Code"]["Location"] = json!("");
    assert_eq!(describe(&answer).await.unwrap_err().code, "NoCodeLocation");
}

#[tokio::test]
async fn a_function_that_does_not_exist_is_told_from_one_that_may_not_be_read() {
    let refused = |status, code: &str| Answer::Headed {
        status,
        body: r#"{"Message":"about SECRET"}"#.to_owned(),
        headers: vec![("x-amzn-errortype", code.to_owned())],
    };
    let describe = async |answer| {
        let ports = Wire::answering([answer]).export();
        ports.describe_function(&name()).await
    };
    let missing = describe(refused(404, "ResourceNotFoundException")).await;
    assert_eq!(missing, Ok(Err(Reason::Missing)));
    for (status, code, fault) in [
        (403, "AccessDeniedException", Fault::Refused),
        (429, "TooManyRequestsException", Fault::Throttled),
        (500, "ServiceException", Fault::Unavailable),
    ] {
        let error = describe(refused(status, code)).await.unwrap_err();
        assert_eq!((error.fault, error.code.as_str()), (fault, code));
    }
}

// ---- Packages -----------------------------------------------------------------------------------------------------

async fn download(answer: Answer, bytes: u64) -> Result<Vec<u8>, PortError> {
    let wire = Wire::answering([answer]);
    let link = PackageLink::new(LINK.to_owned());
    let downloaded = wire.export().download_package(&link, bytes).await;
    assert_eq!(wire.asked()[0].operation, "GET /snapshots/f");
    downloaded
}

#[tokio::test]
async fn a_package_is_downloaded_of_just_the_length_that_was_said() {
    assert_eq!(
        download(Answer::object(200, "code", None), 4).await.unwrap(),
        b"code"
    );
    for bytes in [3, 5] {
        let error = download(Answer::object(200, "code", None), bytes)
            .await
            .unwrap_err();
        assert_eq!(
            (error.fault, error.code.as_str()),
            (Fault::Corrupt, "OtherLength")
        );
    }
}

#[tokio::test]
async fn a_link_that_gives_nothing_is_an_error_without_the_link() {
    for (answer, fault) in [
        (Answer::object(403, "expired SECRET", None), Fault::Refused),
        (Answer::object(503, "slow down", None), Fault::Throttled),
        (Answer::object(500, "", None), Fault::Unavailable),
        (Answer::ConnectionLost("to SECRET"), Fault::Unavailable),
        (Answer::NeverComes, Fault::TimedOut),
    ] {
        let error = download(answer, 4).await.unwrap_err();
        assert_eq!(error.fault, fault);
        assert!(!format!("{error} {error:?}").contains("SECRET"));
    }
    let link = PackageLink::new("no link SECRET".to_owned());
    assert_eq!(format!("{link:?}"), "PackageLink");
    let error = Wire::answering([]).export().download_package(&link, 4).await;
    assert!(!format!("{error:?}").contains("SECRET"));
}

#[tokio::test]
async fn no_link_is_printed_with_the_function_that_it_is_of() {
    let function = describe(&described()).await.unwrap().unwrap();
    assert!(!format!("{function:?}").contains("SECRET"));
}

// ---- Mappings -----------------------------------------------------------------------------------------------------

fn queue_mapping() -> Value {
    json!({
        "UUID": "u",
        "BatchSize": 250,
        "MaximumBatchingWindowInSeconds": 1,
        "EventSourceArn": "arn:aws:sqs:us-east-1:000000000000:intake",
        "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:matcher",
        "LastModified": 1_796_000_000.0,
        "State": "Enabled",
        "StateTransitionReason": "USER_INITIATED",
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": { "MaximumConcurrency": 10 },
        "EventSourceMappingArn": "arn:aws:lambda:us-east-1:000000000000:event-source-mapping:u",
    })
}

fn stream_mapping() -> Value {
    json!({
        "UUID": "v",
        "StartingPosition": "TRIM_HORIZON",
        "BatchSize": 1000,
        "MaximumBatchingWindowInSeconds": 60,
        "ParallelizationFactor": 1,
        "EventSourceArn": "arn:aws:dynamodb:us-east-1:000000000000:table/m/stream/t",
        "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:matcher:live",
        "State": "Disabled",
        "DestinationConfig": { "OnFailure": { "Destination": "arn:aws:s3:::aside" } },
        "MaximumRecordAgeInSeconds": 72000,
        "BisectBatchOnFunctionError": true,
        "MaximumRetryAttempts": 100,
        "TumblingWindowInSeconds": 0,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
    })
}

async fn list(pages: &[Value]) -> Result<Seen<Vec<Mapping>>, PortError> {
    let pages = pages.iter().map(|page| Answer::json(200, &page.to_string()));
    Wire::answering(pages).export().list_mappings(&name()).await
}

#[tokio::test]
async fn mappings_are_listed_to_the_last_page_in_the_form_that_makes_them() {
    let pages = [
        json!({ "EventSourceMappings": [queue_mapping()], "NextMarker": "more" }),
        json!({ "EventSourceMappings": [stream_mapping()] }),
    ];
    let mappings = list(&pages).await.unwrap().unwrap();
    assert_eq!(
        serde_json::to_value(mappings).unwrap(),
        json!([
            {
                "EventSourceArn": "arn:aws:sqs:us-east-1:000000000000:intake",
                "FunctionName": "matcher",
                "Enabled": true,
                "BatchSize": 250,
                "MaximumBatchingWindowInSeconds": 1,
                "FunctionResponseTypes": ["ReportBatchItemFailures"],
                "ScalingConfig": { "MaximumConcurrency": 10 },
            },
            {
                "EventSourceArn": "arn:aws:dynamodb:us-east-1:000000000000:table/m/stream/t",
                "FunctionName": "matcher:live",
                "Enabled": false,
                "BatchSize": 1000,
                "MaximumBatchingWindowInSeconds": 60,
                "FunctionResponseTypes": ["ReportBatchItemFailures"],
                "DestinationConfig": { "OnFailure": { "Destination": "arn:aws:s3:::aside" } },
                "StartingPosition": "TRIM_HORIZON",
                "ParallelizationFactor": 1,
                "BisectBatchOnFunctionError": true,
                "MaximumRecordAgeInSeconds": 72000,
                "MaximumRetryAttempts": 100,
                "TumblingWindowInSeconds": 0,
            },
        ])
    );
}

#[tokio::test]
async fn a_page_that_does_not_come_is_no_shorter_list() {
    let page = json!({ "EventSourceMappings": [queue_mapping()], "NextMarker": "more" });
    assert_eq!(list(&[page]).await.unwrap_err().fault, Fault::Unavailable);
}

#[tokio::test]
async fn a_mapping_in_motion_or_of_another_kind_is_not_exported() {
    let changes: &[Change] = &[
        (|m| m["State"] = json!("Updating"), Reason::Changing),
        (|m| m["State"] = json!("Creating"), Reason::Changing),
        (|m| m["Topics"] = json!(["t"]), Reason::NotRestorable),
        (
            |m| m["FilterCriteriaError"] = json!({ "ErrorCode": "E" }),
            Reason::NotRestorable,
        ),
        (
            |m| m["StartingPositionTimestamp"] = json!(1.0),
            Reason::NotRestorable,
        ),
        (|m| m["EventSourceArn"] = json!(""), Reason::NotRestorable),
    ];
    for (index, (change, reason)) in changes.iter().enumerate() {
        let mut mapping = queue_mapping();
        change(&mut mapping);
        let listed = list(&[json!({ "EventSourceMappings": [mapping] })]).await;
        assert_eq!(listed, Ok(Err(*reason)), "change {index}");
    }
    let mut mapping = queue_mapping();
    mapping["State"] = json!("Deleting");
    let listed = list(&[json!({ "EventSourceMappings": [mapping] })]).await;
    assert_eq!(listed, Ok(Ok(vec![])));
}

// ---- Stacks -------------------------------------------------------------------------------------------------------

fn stacks(status: &str) -> Answer {
    let stack = format!(
        "<DescribeStacksResponse><DescribeStacksResult><Stacks><member>\
         <StackName>symbolon</StackName><CreationTime>2026-11-01T00:00:00Z</CreationTime>\
         <StackStatus>{status}</StackStatus>\
         <Parameters><member><ParameterKey>Stage</ParameterKey><ParameterValue>all</ParameterValue></member>\
         <member><ParameterKey>Role</ParameterKey><ParameterValue>primary</ParameterValue></member></Parameters>\
         <Capabilities><member>CAPABILITY_NAMED_IAM</member></Capabilities>\
         <Tags><member><Key>symbolon:stack</Key><Value>symbolon</Value></member></Tags>\
         </member></Stacks></DescribeStacksResult></DescribeStacksResponse>"
    );
    Answer::json(200, &stack)
}

fn template(body: &str) -> Answer {
    let answer = format!(
        "<GetTemplateResponse><GetTemplateResult><TemplateBody>{body}</TemplateBody></GetTemplateResult></GetTemplateResponse>"
    );
    Answer::json(200, &answer)
}

#[tokio::test]
async fn a_stack_is_its_template_and_what_it_was_deployed_with() {
    let wire = Wire::answering([stacks("UPDATE_COMPLETE"), template("{\"Resources\":{}}")]);
    let stack = wire.export().describe_stack().await.unwrap().unwrap();
    assert_eq!(stack.template, "{\"Resources\":{}}");
    let settings: Value = serde_json::from_slice(&stack.settings.document()).unwrap();
    assert_eq!(
        settings,
        json!({
            "StackName": "symbolon",
            "Capabilities": ["CAPABILITY_NAMED_IAM"],
            "Parameters": [
                { "ParameterKey": "Role", "ParameterValue": "primary" },
                { "ParameterKey": "Stage", "ParameterValue": "all" },
            ],
            "Tags": [{ "Key": "symbolon:stack", "Value": "symbolon" }],
        })
    );
}

#[tokio::test]
async fn a_stack_that_is_gone_or_in_motion_is_said_to_be() {
    let describe = async |answer| Wire::answering([answer]).export().describe_stack().await;
    for (status, reason) in [
        ("UPDATE_IN_PROGRESS", Reason::Changing),
        ("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", Reason::Changing),
        ("DELETE_COMPLETE", Reason::Missing),
    ] {
        assert_eq!(describe(stacks(status)).await, Ok(Err(reason)), "{status}");
    }
    let refused = |code: &str| {
        let body = format!("<ErrorResponse><Error><Code>{code}</Code></Error></ErrorResponse>");
        Answer::json(400, &body)
    };
    assert_eq!(
        describe(refused("ValidationError")).await,
        Ok(Err(Reason::Missing))
    );
    assert_eq!(
        describe(refused("AccessDenied")).await.unwrap_err().code,
        "AccessDenied"
    );
    let wire = Wire::answering([stacks("UPDATE_COMPLETE"), template("")]);
    let error = wire.export().describe_stack().await.unwrap_err();
    assert_eq!((error.fault, error.code.as_str()), (Fault::Corrupt, "NoTemplate"));
}

// ---- The bucket ---------------------------------------------------------------------------------------------------

fn head(checksum: Option<String>) -> Answer {
    let mut headers = vec![
        ("etag", "\"e\"".to_owned()),
        ("last-modified", "Tue, 01 Dec 2026 16:00:00 GMT".to_owned()),
    ];
    headers.extend(checksum.map(|checksum| ("x-amz-checksum-sha256", checksum)));
    Answer::Headed {
        status: 200,
        body: String::new(),
        headers,
    }
}

async fn find(answer: Answer) -> Result<Option<(Stored, Handle)>, PortError> {
    let wire = Wire::answering([answer]);
    let found = wire.export().find_exported(KEY).await;
    assert_eq!(wire.asked()[0].operation, format!("HEAD /{KEY}"));
    found
}

#[tokio::test]
async fn an_object_is_found_with_the_hash_that_the_store_took() {
    let digest = Digest::of(b"body");
    for (checksum, read) in [
        (Some(digest.base64()), Some(digest)),
        // Of parts, and none at all: what is there is not known to be what its name says.
        (Some(format!("{}-2", digest.base64())), None),
        (None, None),
    ] {
        let (stored, state) = find(head(checksum)).await.unwrap().unwrap();
        assert_eq!(stored.digest, read);
        assert_eq!(
            stored.modified,
            Timestamp::parse_rfc3339("2026-12-01T16:00:00Z").unwrap()
        );
        assert_eq!(state, Handle("\"e\"".to_owned()));
    }
    assert_eq!(find(Answer::object(404, "", None)).await, Ok(None));
    let error = find(Answer::object(403, "", None)).await.unwrap_err();
    assert_eq!(error.fault, Fault::Refused);
    let error = find(Answer::object(503, "", None)).await.unwrap_err();
    assert_eq!(error.fault, Fault::Unavailable);
}

#[tokio::test]
async fn content_is_read_is_missing_or_is_refused() {
    let read = async |answer| Wire::answering([answer]).export().read_exported(KEY).await;
    let refused =
        |status, code: &str| Answer::object(status, &format!("<Error><Code>{code}</Code></Error>"), None);
    let found = read(Answer::object(200, "body", Some("\"e\""))).await.unwrap();
    assert_eq!(found, Some((b"body".to_vec(), Handle("\"e\"".to_owned()))));
    assert_eq!(read(refused(404, "NoSuchKey")).await, Ok(None));
    for (status, code) in [(403, "AccessDenied"), (404, "NoSuchBucket")] {
        assert_eq!(read(refused(status, code)).await.unwrap_err().code, code);
    }
}

#[tokio::test]
async fn a_put_says_what_it_expects_and_loses_to_anything_else() {
    let is = Expected::Is(Handle("\"e\"".to_owned()));
    for (expected, conditions) in [
        (Expected::Absent, json!({ "if-none-match": "*" })),
        (is, json!({ "if-match": "\"e\"" })),
    ] {
        let wire = Wire::answering([
            Answer::object(200, "", Some("\"f\"")),
            Answer::object(412, "<Error><Code>PreconditionFailed</Code></Error>", None),
            Answer::object(
                409,
                "<Error><Code>ConditionalRequestConflict</Code></Error>",
                None,
            ),
            Answer::object(400, "<Error><Code>BadDigest</Code></Error>", None),
        ]);
        let export = wire.export();
        let put = async || export.put_exported(KEY, b"body".to_vec(), &expected).await;
        assert_eq!(put().await, Ok(Put::Done(Handle("\"f\"".to_owned()))));
        assert_eq!(put().await, Ok(Put::Lost));
        assert_eq!(put().await, Ok(Put::Lost));
        assert_eq!(put().await.unwrap_err().code, "BadDigest");
        assert_eq!(wire.asked()[0].operation, format!("PUT /{KEY}"));
        assert_eq!(wire.asked()[0].body, conditions);
    }
}
