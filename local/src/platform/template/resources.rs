//! How each resource type is read. What has no meaning here is listed with the reason; all else is an error.

use std::collections::BTreeMap;
use std::time::Duration;

use super::error::TemplateError;
use super::node::{Node, below};
use super::plan::{
    FunctionPlan, KeyAttribute, KeyPlan, MappingPlan, QueuePlan, Redrive, RolePlan, StackPlan, StreamPlan,
    TablePlan,
};
use super::properties::{Properties, WithoutMeaning};
use super::scope::Scope;
use super::text::{Attribute, Text};
use super::{buckets, elsewhere, streams};

/// A resource type: what can be asked of such a resource here, and how its properties are read.
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) attributes: &'static [&'static str],
    pub(super) read: fn(&str, Properties<'_, '_>, &mut StackPlan) -> Result<(), TemplateError>,
}

pub(super) const NO_IAM: &str = "no IAM is enforced here";
const NO_KMS_POLICY: &str = "the emulator enforces no key policy";
pub(super) const NO_ENCRYPTION: &str =
    "the emulator keeps nothing outside its memory, so there is nothing to encrypt";
const NO_THROTTLING: &str = "the emulator neither throttles nor bills";
pub(super) const ONE_REGION: &str = "there is one region here, and it always agrees with itself";
pub(super) const NO_BACKUP: &str = "the stack lives as long as its process: nothing to restore or to protect";
const ONLY_TEXT: &str = "for people to read";
const NO_PACKAGE: &str = "the handler is linked into this process, or run by cargo lambda";
const NO_LOG_GROUP: &str = "logs go to the terminal";

pub(super) const KINDS: [Kind; 9] = [
    Kind {
        name: "AWS::DynamoDB::GlobalTable",
        attributes: &[Attribute::REF, "Arn", "StreamArn"],
        read: table,
    },
    Kind {
        name: "AWS::SQS::Queue",
        attributes: &[Attribute::REF, "Arn", "QueueName", "QueueUrl"],
        read: queue,
    },
    Kind {
        name: "AWS::SQS::QueuePolicy",
        attributes: &[],
        read: queue_policy,
    },
    Kind {
        name: "AWS::KMS::Key",
        attributes: &[Attribute::REF, "Arn", "KeyId"],
        read: key,
    },
    Kind {
        name: "AWS::S3::Bucket",
        attributes: &[Attribute::REF, "Arn"],
        read: buckets::bucket,
    },
    Kind {
        name: "AWS::IAM::Role",
        attributes: &[Attribute::REF, "Arn", "RoleId"],
        read: role,
    },
    Kind {
        name: "AWS::IAM::Policy",
        attributes: &[],
        read: policy,
    },
    Kind {
        name: "AWS::Logs::LogGroup",
        attributes: &[],
        read: log_group,
    },
    Kind {
        name: "AWS::Serverless::Function",
        attributes: &[Attribute::REF, "Arn"],
        read: function,
    },
];

fn table(id: &str, mut properties: Properties<'_, '_>, plan: &mut StackPlan) -> Result<(), TemplateError> {
    properties.pass_over(&[
        ("BillingMode", NO_THROTTLING),
        ("WriteProvisionedThroughputSettings", NO_THROTTLING),
        ("SSESpecification", NO_ENCRYPTION),
        ("MultiRegionConsistency", ONE_REGION),
        ("GlobalTableWitnesses", ONE_REGION),
    ]);
    let kinds = attribute_kinds(&mut properties)?;
    let (hash_key, range_key) = key_schema(&mut properties, &kinds)?;
    let stream_view = match properties.map("StreamSpecification")? {
        Some(mut stream) => {
            let view = stream.known("StreamViewType")?;
            let view = stream.required("StreamViewType", view)?;
            stream.finish()?;
            Some(view)
        }
        None => None,
    };
    plan.tables.push(TablePlan {
        id: id.to_owned(),
        name: name(&mut properties, "TableName")?,
        hash_key,
        range_key,
        ttl_attribute: ttl_attribute(&mut properties)?,
        stream_view,
    });
    replicas(&mut properties)?;
    properties.finish()
}

pub(super) fn name(properties: &mut Properties<'_, '_>, key: &str) -> Result<String, TemplateError> {
    let name = properties.known(key)?;
    properties.required(key, name)
}

fn attribute_kinds(properties: &mut Properties<'_, '_>) -> Result<BTreeMap<String, String>, TemplateError> {
    let mut kinds = BTreeMap::new();
    for mut attribute in properties.maps("AttributeDefinitions")? {
        kinds.insert(
            name(&mut attribute, "AttributeName")?,
            name(&mut attribute, "AttributeType")?,
        );
        attribute.finish()?;
    }
    Ok(kinds)
}

fn key_schema(
    properties: &mut Properties<'_, '_>,
    kinds: &BTreeMap<String, String>,
) -> Result<(KeyAttribute, Option<KeyAttribute>), TemplateError> {
    let (mut hash, mut range) = (None, None);
    for mut element in properties.maps("KeySchema")? {
        let name = name(&mut element, "AttributeName")?;
        let kind = kinds.get(&name).cloned();
        let kind = kind.ok_or_else(|| element.unexpected("AttributeName", "an attribute that is defined"))?;
        match element.known("KeyType")?.as_deref() {
            Some("HASH") => hash = Some(KeyAttribute { name, kind }),
            Some("RANGE") => range = Some(KeyAttribute { name, kind }),
            _ => return Err(element.unexpected("KeyType", "HASH or RANGE")),
        }
        element.finish()?;
    }
    Ok((properties.required("KeySchema", hash)?, range))
}

fn ttl_attribute(properties: &mut Properties<'_, '_>) -> Result<Option<String>, TemplateError> {
    let Some(mut ttl) = properties.map("TimeToLiveSpecification")? else {
        return Ok(None);
    };
    let attribute = name(&mut ttl, "AttributeName")?;
    let enabled = ttl.flag("Enabled")?;
    let enabled = ttl.required("Enabled", enabled)?;
    ttl.finish()?;
    Ok(enabled.then_some(attribute))
}

/// There is one region here: a replica elsewhere would be a table that nobody reads.
fn replicas(properties: &mut Properties<'_, '_>) -> Result<(), TemplateError> {
    let region = properties.scope().deployment.region.clone();
    let mut here = false;
    for mut replica in properties.maps("Replicas")? {
        here |= name(&mut replica, "Region")? == region;
        replica.pass_over(&[
            ("SSESpecification", NO_ENCRYPTION),
            ("PointInTimeRecoverySpecification", NO_BACKUP),
            ("DeletionProtectionEnabled", NO_BACKUP),
            ("ReadProvisionedThroughputSettings", NO_THROTTLING),
            ("Tags", NO_THROTTLING),
        ]);
        replica.finish()?;
    }
    if here {
        Ok(())
    } else {
        Err(properties.unexpected("Replicas", "a replica in the stack's own region"))
    }
}

fn queue(id: &str, mut properties: Properties<'_, '_>, plan: &mut StackPlan) -> Result<(), TemplateError> {
    // SQS's own defaults where the template says nothing.
    let seconds = |properties: &mut Properties<'_, '_>, key: &str, default: u64| {
        properties
            .number(key)
            .map(|seconds| Duration::from_secs(seconds.unwrap_or(default)))
    };
    plan.queues.push(QueuePlan {
        id: id.to_owned(),
        name: name(&mut properties, "QueueName")?,
        visibility_timeout: seconds(&mut properties, "VisibilityTimeout", 30)?,
        retention: seconds(&mut properties, "MessageRetentionPeriod", 345_600)?,
        receive_wait: seconds(&mut properties, "ReceiveMessageWaitTimeSeconds", 0)?,
        redrive: redrive(&mut properties)?,
        kms_key: properties.text("KmsMasterKeyId")?,
    });
    properties.pass_over(&[(
        "RedriveAllowPolicy",
        "the emulator lets every queue name every dead-letter queue",
    )]);
    properties.finish()
}

fn redrive(properties: &mut Properties<'_, '_>) -> Result<Option<Redrive>, TemplateError> {
    let Some(mut policy) = properties.map("RedrivePolicy")? else {
        return Ok(None);
    };
    let target = policy.text("deadLetterTargetArn")?;
    let dead_letter_queue = named(&policy, "deadLetterTargetArn", target, "Arn")?;
    let max_receive_count = policy.number("maxReceiveCount")?;
    let max_receive_count = policy.required("maxReceiveCount", max_receive_count)?;
    policy.finish()?;
    Ok(Some(Redrive {
        dead_letter_queue,
        max_receive_count,
    }))
}

/// The logical id of the resource of which the text under `key` is the given attribute.
pub(super) fn named(
    properties: &Properties<'_, '_>,
    key: &str,
    text: Option<Text>,
    attribute: &str,
) -> Result<String, TemplateError> {
    match properties.required(key, text)?.only_attribute() {
        Some(target) if target.name == attribute => Ok(target.resource.clone()),
        _ => Err(properties.unexpected(key, "the ARN of a resource of this template")),
    }
}

fn queue_policy(_: &str, mut properties: Properties<'_, '_>, _: &mut StackPlan) -> Result<(), TemplateError> {
    properties.pass_over(&[("Queues", NO_IAM), ("PolicyDocument", NO_IAM)]);
    properties.finish()
}

fn key(id: &str, mut properties: Properties<'_, '_>, plan: &mut StackPlan) -> Result<(), TemplateError> {
    // The two sorts of key that the local stack makes; another one must not silently become one of these.
    let (spec, usage) = (properties.known("KeySpec")?, properties.known("KeyUsage")?);
    let signs = match (spec.as_deref(), usage.as_deref()) {
        (None | Some("SYMMETRIC_DEFAULT"), None | Some("ENCRYPT_DECRYPT")) => false,
        (Some("ECC_NIST_P256"), Some("SIGN_VERIFY")) => true,
        _ => {
            let expected = "SYMMETRIC_DEFAULT for ENCRYPT_DECRYPT, or ECC_NIST_P256 for SIGN_VERIFY";
            return Err(properties.unexpected("KeySpec", expected));
        }
    };
    let multi_region = properties.flag("MultiRegion")?.unwrap_or(false);
    plan.keys.push(KeyPlan {
        id: id.to_owned(),
        multi_region,
        signs,
    });
    properties.pass_over(&[
        ("Description", ONLY_TEXT),
        ("KeyPolicy", NO_KMS_POLICY),
        ("EnableKeyRotation", "no run lasts a year"),
        ("PendingWindowInDays", NO_BACKUP),
    ]);
    properties.finish()
}

fn role(id: &str, mut properties: Properties<'_, '_>, plan: &mut StackPlan) -> Result<(), TemplateError> {
    properties.pass_over(&[
        ("Description", ONLY_TEXT),
        ("AssumeRolePolicyDocument", NO_IAM),
        ("ManagedPolicyArns", NO_IAM),
        ("MaxSessionDuration", NO_IAM),
        ("Policies", NO_IAM),
    ]);
    let name = match properties.known("RoleName")? {
        Some(name) => name,
        None => format!("{}-{id}", properties.scope().deployment.stack),
    };
    plan.roles.push(RolePlan {
        id: id.to_owned(),
        role_id: role_id(&name),
        name,
    });
    properties.finish()
}

/// `AROA` and 17 digits of base 32, as IAM's own look; made from the role's name.
fn role_id(name: &str) -> String {
    const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut hash = name
        .bytes()
        .fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128, |hash, byte| {
            (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b) // FNV-1a, 128 bits
        });
    let mut id = String::from("AROA");
    for _ in 0..17 {
        id.push(char::from(DIGITS[usize::from(hash.to_le_bytes()[0] % 32)]));
        hash >>= 5;
    }
    id
}

fn policy(_: &str, mut properties: Properties<'_, '_>, _: &mut StackPlan) -> Result<(), TemplateError> {
    properties.pass_over(&[
        ("PolicyName", NO_IAM),
        ("Roles", NO_IAM),
        ("PolicyDocument", NO_IAM),
    ]);
    properties.finish()
}

fn log_group(_: &str, mut properties: Properties<'_, '_>, _: &mut StackPlan) -> Result<(), TemplateError> {
    properties.pass_over(&[
        ("LogGroupName", NO_LOG_GROUP),
        ("RetentionInDays", NO_LOG_GROUP),
        ("KmsKeyId", NO_LOG_GROUP),
    ]);
    properties.finish()
}

const FUNCTION_WITHOUT_MEANING: [WithoutMeaning; 9] = [
    ("Description", ONLY_TEXT),
    ("CodeUri", NO_PACKAGE),
    ("Handler", NO_PACKAGE),
    ("Runtime", NO_PACKAGE),
    ("Architectures", NO_PACKAGE),
    ("LoggingConfig", NO_LOG_GROUP),
    ("Tracing", NO_LOG_GROUP),
    ("Tags", NO_THROTTLING),
    (
        "EventInvokeConfig",
        "who invokes a function here waits for its answer",
    ),
];

fn function(id: &str, mut properties: Properties<'_, '_>, plan: &mut StackPlan) -> Result<(), TemplateError> {
    let function_name = name(&mut properties, "FunctionName")?;
    if let Some(reason) = elsewhere::reason_of_function(&function_name) {
        for key in properties.keys() {
            properties.pass_over(&[(key, reason)]);
        }
        return properties.finish();
    }
    properties.pass_over(&FUNCTION_WITHOUT_MEANING);
    let role = properties.text("Role")?;
    let (mappings, streams) = mappings(&mut properties)?;
    // Lambda's own defaults where the template says nothing.
    plan.functions.push(FunctionPlan {
        id: id.to_owned(),
        name: function_name,
        timeout: Duration::from_secs(properties.number("Timeout")?.unwrap_or(3)),
        memory_mib: properties.number("MemorySize")?.unwrap_or(128),
        role: named(&properties, "Role", role, "Arn")?,
        environment: environment(&mut properties)?,
        mappings,
        streams,
    });
    properties.finish()
}

fn environment(properties: &mut Properties<'_, '_>) -> Result<BTreeMap<String, Text>, TemplateError> {
    let Some(mut environment) = properties.map("Environment")? else {
        return Ok(BTreeMap::new());
    };
    let mut values = BTreeMap::new();
    if let Some(mut variables) = environment.map("Variables")? {
        for key in variables.keys() {
            if let Some(text) = variables.text(key)? {
                values.insert(key.to_owned(), text);
            }
        }
    }
    environment.finish()?;
    Ok(values)
}

fn mappings(
    properties: &mut Properties<'_, '_>,
) -> Result<(Vec<MappingPlan>, Vec<StreamPlan>), TemplateError> {
    let (mut queues, mut streams) = (Vec::new(), Vec::new());
    let Some(mut events) = properties.map("Events")? else {
        return Ok((queues, streams));
    };
    for id in events.keys() {
        let Some(mut event) = events.map(id)? else {
            continue;
        };
        match event.known("Type")?.as_deref() {
            Some("SQS") => queues.push(mapping(event)?),
            Some("DynamoDB") => streams.push(streams::stream(event)?),
            Some("ScheduleV2") => {
                event.pass_over(&[("Properties", "no run lasts as long as a schedule's rate")]);
                event.finish()?;
            }
            _ => return Err(event.unexpected("Type", "SQS, DynamoDB or ScheduleV2, the event sources here")),
        }
    }
    events.finish()?;
    Ok((queues, streams))
}

fn mapping(mut event: Properties<'_, '_>) -> Result<MappingPlan, TemplateError> {
    let properties = event.map("Properties")?;
    let mut properties = event.required("Properties", properties)?;
    event.finish()?;
    let queue = properties.text("Queue")?;
    // Lambda's own defaults where the template says nothing.
    let mapping = MappingPlan {
        queue: named(&properties, "Queue", queue, "Arn")?,
        batch_size: properties.number("BatchSize")?.unwrap_or(10),
        window: Duration::from_secs(properties.number("MaximumBatchingWindowInSeconds")?.unwrap_or(0)),
        report_batch_item_failures: reports_failures(&mut properties)?,
        maximum_concurrency: maximum_concurrency(&mut properties)?,
        enabled: properties.flag("Enabled")?.unwrap_or(true),
    };
    properties.pass_over(&[(
        "ProvisionedPollerConfig",
        "there is one poller here, always ready",
    )]);
    properties.finish()?;
    Ok(mapping)
}

pub(super) fn reports_failures(properties: &mut Properties<'_, '_>) -> Result<bool, TemplateError> {
    let scope = properties.scope();
    let mut reports = false;
    for (path, kind) in properties.list("FunctionResponseTypes")? {
        if scope.known(kind, &path)? != "ReportBatchItemFailures" {
            return Err(TemplateError::Unexpected {
                path,
                expected: "ReportBatchItemFailures",
            });
        }
        reports = true;
    }
    Ok(reports)
}

fn maximum_concurrency(properties: &mut Properties<'_, '_>) -> Result<Option<u32>, TemplateError> {
    let Some(mut scaling) = properties.map("ScalingConfig")? else {
        return Ok(None);
    };
    let maximum = scaling.number("MaximumConcurrency")?;
    scaling.finish()?;
    Ok(maximum)
}

/// Where a resource of its type stands.
#[derive(Clone, Copy)]
pub(super) enum Standing {
    /// In the local deployment.
    Here(&'static Kind),
    /// On AWS alone, with the reason.
    Elsewhere(&'static str),
}

impl Standing {
    fn of(kind: &str) -> Option<Self> {
        let here = KINDS.iter().find(|known| known.name == kind).map(Self::Here);
        here.or_else(|| elsewhere::reason(kind).map(Self::Elsewhere))
    }
}

/// A resource as the template declares it.
pub(super) struct Declared<'n> {
    pub(super) kind: Standing,
    pub(super) properties: Option<&'n Node>,
    pub(super) condition: Option<&'n str>,
}

/// Reads everything of a resource but its properties.
pub(super) fn declared<'n>(
    scope: &Scope<'n>,
    id: &str,
    node: &'n Node,
) -> Result<Declared<'n>, TemplateError> {
    let mut attributes = Properties::of(scope, below("Resources", id), node)?;
    let kind = name(&mut attributes, "Type")?;
    let path = attributes.path_of("Type");
    let kind = Standing::of(&kind).ok_or(TemplateError::UnknownResourceType { path, kind })?;
    let condition = match attributes.take("Condition") {
        Some(Node::Text(name)) => Some(name.as_str()),
        Some(_) => return Err(attributes.unexpected("Condition", "the name of a condition")),
        None => None,
    };
    let properties = attributes.take("Properties");
    attributes.pass_over(&[
        ("DependsOn", "everything stands before anything runs"),
        ("DeletionPolicy", NO_BACKUP),
        ("UpdateReplacePolicy", NO_BACKUP),
        ("Metadata", NO_PACKAGE),
    ]);
    attributes.finish()?;
    Ok(Declared {
        kind,
        properties,
        condition,
    })
}
