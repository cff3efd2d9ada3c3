//! From the services' answers to the forms that restore: field by field, so that what a form does not hold is noticed.

use aws_sdk_cloudformation::types::Stack;
use aws_sdk_lambda::operation::get_function::GetFunctionOutput;
use aws_sdk_lambda::types::{
    self as sdk, EventSourceMappingConfiguration, FunctionConfiguration, LastUpdateStatus, PackageType,
    SnapStartApplyOn,
};

use crate::domain::export::{
    Configuration, DeadLetters, Destination, Destinations, Digest, Environment, Filter, Filters,
    FunctionName, Logging, Mapping, Metrics, Network, Pollers, Reason, Scaling, StackParameter,
    StackSettings, StackTag, Storage, Tracing,
};
use crate::ports::export::{DeployedFunction, PackageLink, Seen};

/// Tags that AWS sets, and nobody else may.
const RESERVED_TAGS: &str = "aws:";

/// A text that says something. Services answer an empty one for what is not set.
fn said(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

fn texts<T: AsRef<str>>(values: Option<Vec<T>>) -> Vec<String> {
    let values = values.unwrap_or_default();
    values.iter().map(|value| value.as_ref().to_owned()).collect()
}

// ---- Functions ----------------------------------------------------------------------------------------------------

/// A function. The error is a code for an answer that cannot be read.
pub(super) fn function(
    answer: GetFunctionOutput,
    name: &FunctionName,
) -> Result<Seen<DeployedFunction>, &'static str> {
    let has_own_concurrency = answer
        .concurrency
        .is_some_and(|concurrency| concurrency.reserved_concurrent_executions.is_some());
    let read = answer.configuration.ok_or("NoConfiguration")?;
    if is_changing(&read) {
        return Ok(Err(Reason::Changing));
    }
    if has_own_concurrency || has_more(&read) {
        return Ok(Err(Reason::NotRestorable));
    }
    // Without permission for their key, variables come as an error. Tags come as an error, or do not come, without
    // permission for them: every function of a stack has some. Left out they would be forgotten.
    let unreadable = read
        .environment
        .as_ref()
        .is_some_and(|environment| environment.error.is_some());
    let Some(tags) = answer.tags.filter(|_| !unreadable && answer.tags_error.is_none()) else {
        return Ok(Err(Reason::NotRead));
    };
    let code = said(read.code_sha256.clone()).ok_or("NoCodeSha256")?;
    let link = answer
        .code
        .and_then(|code| said(code.location))
        .ok_or("NoCodeLocation")?;
    let tags = tags.into_iter();
    let tags = tags.filter(|(key, _)| !key.starts_with(RESERVED_TAGS)).collect();
    Ok(Ok(DeployedFunction {
        code: Digest::from_base64(&code).map_err(|_| "CodeSha256")?,
        bytes: u64::try_from(read.code_size).map_err(|_| "CodeSize")?,
        link: PackageLink::new(link),
        configuration: Configuration {
            tags,
            ..configuration(read, name)?
        },
    }))
}

/// Whether it is being made or changed: then its parts may be of two versions.
fn is_changing(read: &FunctionConfiguration) -> bool {
    matches!(read.state, Some(sdk::State::Pending))
        || matches!(read.last_update_status, Some(LastUpdateStatus::InProgress))
}

/// Whether it has what the form does not hold.
fn has_more(read: &FunctionConfiguration) -> bool {
    let snap_start = read
        .snap_start
        .as_ref()
        .and_then(|snap_start| snap_start.apply_on.as_ref());
    read.package_type
        .as_ref()
        .is_some_and(|package| *package != PackageType::Zip)
        || read.image_config_response.is_some()
        || !read.file_system_configs().is_empty()
        || snap_start.is_some_and(|apply_on| *apply_on != SnapStartApplyOn::None)
        || read.signing_job_arn.is_some()
        || read.durable_config.is_some()
        || read.tenancy_config.is_some()
        || read.capacity_provider_config.is_some()
}

fn configuration(read: FunctionConfiguration, name: &FunctionName) -> Result<Configuration, &'static str> {
    let logging = read.logging_config.map(logging);
    Ok(Configuration {
        function_name: name.clone(),
        role: said(read.role).ok_or("NoRole")?,
        runtime: read
            .runtime
            .map(|runtime| runtime.as_str().to_owned())
            .ok_or("NoRuntime")?,
        handler: said(read.handler).ok_or("NoHandler")?,
        description: said(read.description),
        timeout: read.timeout.ok_or("NoTimeout")?,
        memory_size: read.memory_size.ok_or("NoMemorySize")?,
        architectures: texts(read.architectures),
        environment: read.environment.and_then(|environment| {
            let variables = environment.variables?.into_iter().collect();
            Some(Environment { variables })
        }),
        tracing_config: read.tracing_config.and_then(|tracing| {
            let mode = tracing.mode?.as_str().to_owned();
            Some(Tracing { mode })
        }),
        logging_config: logging,
        ephemeral_storage: read
            .ephemeral_storage
            .map(|storage| Storage { size: storage.size }),
        kms_key_arn: said(read.kms_key_arn),
        dead_letter_config: read.dead_letter_config.and_then(|letters| {
            let target_arn = said(letters.target_arn)?;
            Some(DeadLetters { target_arn })
        }),
        vpc_config: read
            .vpc_config
            .map(network)
            .filter(|network| !network.subnet_ids.is_empty()),
        layers: read
            .layers
            .unwrap_or_default()
            .into_iter()
            .filter_map(|layer| layer.arn)
            .collect(),
        tags: std::collections::BTreeMap::new(),
    })
}

fn logging(read: sdk::LoggingConfig) -> Logging {
    Logging {
        log_format: read.log_format.map(|format| format.as_str().to_owned()),
        application_log_level: read.application_log_level.map(|level| level.as_str().to_owned()),
        system_log_level: read.system_log_level.map(|level| level.as_str().to_owned()),
        log_group: said(read.log_group),
    }
}

fn network(read: sdk::VpcConfigResponse) -> Network {
    Network {
        subnet_ids: texts(read.subnet_ids),
        security_group_ids: texts(read.security_group_ids),
    }
}

// ---- Mappings -----------------------------------------------------------------------------------------------------

/// A mapping; none when it is being deleted.
pub(super) fn mapping(read: EventSourceMappingConfiguration) -> Result<Option<Mapping>, Reason> {
    let enabled = match read.state.as_deref() {
        Some("Enabled" | "Enabling") => true,
        Some("Disabled" | "Disabling") => false,
        Some("Deleting") => return Ok(None),
        _ => return Err(Reason::Changing),
    };
    if has_more_than_a_mapping(&read) {
        return Err(Reason::NotRestorable);
    }
    let function = read.function_arn.as_deref().and_then(function_name);
    Ok(Some(Mapping {
        event_source_arn: said(read.event_source_arn).ok_or(Reason::NotRestorable)?,
        function_name: function.ok_or(Reason::NotRestorable)?,
        enabled,
        batch_size: read.batch_size,
        maximum_batching_window_in_seconds: read.maximum_batching_window_in_seconds,
        function_response_types: texts(read.function_response_types),
        filter_criteria: read.filter_criteria.and_then(filters),
        scaling_config: read.scaling_config.and_then(|scaling| {
            let maximum_concurrency = scaling.maximum_concurrency?;
            Some(Scaling { maximum_concurrency })
        }),
        provisioned_poller_config: read.provisioned_poller_config.map(|pollers| Pollers {
            minimum_pollers: pollers.minimum_pollers,
            maximum_pollers: pollers.maximum_pollers,
        }),
        destination_config: read.destination_config.and_then(|destinations| {
            let destination = said(destinations.on_failure?.destination)?;
            Some(Destinations {
                on_failure: Destination { destination },
            })
        }),
        starting_position: read
            .starting_position
            .map(|position| position.as_str().to_owned()),
        parallelization_factor: read.parallelization_factor,
        bisect_batch_on_function_error: read.bisect_batch_on_function_error,
        maximum_record_age_in_seconds: read.maximum_record_age_in_seconds,
        maximum_retry_attempts: read.maximum_retry_attempts,
        tumbling_window_in_seconds: read.tumbling_window_in_seconds,
        kms_key_arn: said(read.kms_key_arn),
        metrics_config: read.metrics_config.and_then(|metrics| {
            let metrics = texts(metrics.metrics);
            Some(Metrics { metrics }).filter(|metrics| !metrics.metrics.is_empty())
        }),
    }))
}

/// Whether it is of a kind that no function here has: a broker or a document store, a start at some moment, filters that
/// cannot be read.
fn has_more_than_a_mapping(read: &EventSourceMappingConfiguration) -> bool {
    let grouped = read.provisioned_poller_config.as_ref();
    let succeeds = read
        .destination_config
        .as_ref()
        .and_then(|config| config.on_success.as_ref());
    !read.topics().is_empty()
        || !read.queues().is_empty()
        || !read.source_access_configurations().is_empty()
        || read.self_managed_event_source.is_some()
        || read.amazon_managed_kafka_event_source_config.is_some()
        || read.self_managed_kafka_event_source_config.is_some()
        || read.document_db_event_source_config.is_some()
        || read.starting_position_timestamp.is_some()
        || read.filter_criteria_error.is_some()
        || read.logging_config.is_some()
        || grouped.is_some_and(|pollers| pollers.poller_group_name.is_some())
        || succeeds.is_some_and(|success| success.destination.is_some())
}

fn filters(read: sdk::FilterCriteria) -> Option<Filters> {
    let filters = read.filters.unwrap_or_default().into_iter();
    let filters: Vec<Filter> = filters
        .filter_map(|filter| {
            Some(Filter {
                pattern: filter.pattern?,
            })
        })
        .collect();
    Some(Filters { filters }).filter(|filters| !filters.filters.is_empty())
}

/// The name, and the alias if there is one: `arn:aws:lambda:REGION:ACCOUNT:function:NAME[:ALIAS]`.
fn function_name(arn: &str) -> Option<String> {
    let (_, name) = arn.split_once(":function:")?;
    said(Some(name.to_owned()))
}

// ---- Stacks -------------------------------------------------------------------------------------------------------

/// What a stack was deployed with.
pub(super) fn stack(read: Stack) -> Seen<StackSettings> {
    let status = read.stack_status.as_ref().map_or("", |status| status.as_str());
    if status.ends_with("IN_PROGRESS") {
        return Err(Reason::Changing);
    }
    if status == "DELETE_COMPLETE" {
        return Err(Reason::Missing);
    }
    let parameters = read.parameters.unwrap_or_default().into_iter();
    let mut parameters: Vec<StackParameter> = parameters
        .filter_map(|parameter| {
            Some(StackParameter {
                parameter_key: parameter.parameter_key?,
                parameter_value: parameter.parameter_value?,
            })
        })
        .collect();
    let tags = read.tags.unwrap_or_default().into_iter();
    let tags = tags.filter_map(|tag| {
        Some(StackTag {
            key: tag.key?,
            value: tag.value?,
        })
    });
    let mut tags: Vec<StackTag> = tags.filter(|tag| !tag.key.starts_with(RESERVED_TAGS)).collect();
    parameters.sort();
    tags.sort();
    Ok(StackSettings {
        stack_name: read.stack_name.unwrap_or_default(),
        capabilities: texts(read.capabilities),
        parameters,
        tags,
    })
}
