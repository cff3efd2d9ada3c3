//! How a source's consumer does: its event source mapping, and the function's own metrics.

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{
    Dimension, Metric, MetricDataQuery, MetricDataResult, MetricStat, StatusCode,
};

use super::AwsRedrive;
use crate::aws::error::{of, port_error};
use crate::domain::redrive::Recent;
use crate::domain::time::Timestamp;
use crate::ports::redrive::Consumers;
use crate::ports::{Fault, PortError};

const LIST_MAPPINGS: &str = "lambda:ListEventSourceMappings";
const GET_METRICS: &str = "cloudwatch:GetMetricData";

/// How far back "of late" reaches, in seconds: Lambda's metrics come within a minute or two.
const RECENT_SECONDS: i64 = 300;

/// Width of a point, in seconds.
const PERIOD_SECONDS: i32 = 60;

/// The state of a mapping that delivers.
const ENABLED: &str = "Enabled";

impl Consumers for AwsRedrive {
    async fn is_enabled(&self, function: &str, queue_url: &str) -> Result<Option<bool>, PortError> {
        let name = queue_url.rsplit('/').next().unwrap_or_default();
        let (mut found, mut marker) = (None, None);
        loop {
            let list = self.clients.lambda.list_event_source_mappings();
            let list = list.function_name(function).set_marker(marker);
            let answer = list.send().await;
            let answer = answer.map_err(|error| port_error(LIST_MAPPINGS, &error))?;
            for mapping in answer.event_source_mappings.into_iter().flatten() {
                let arn = mapping.event_source_arn.unwrap_or_default();
                // Queues of one account and region, as a function's mappings of queues always are.
                if arn.rsplit_once(':').is_some_and(|(_, queue)| queue == name) {
                    found = Some(found.unwrap_or(true) && mapping.state.as_deref() == Some(ENABLED));
                }
            }
            marker = answer.next_marker.filter(|marker| !marker.is_empty());
            if marker.is_none() {
                return Ok(found);
            }
        }
    }

    async fn recent(&self, function: &str, now: Timestamp) -> Result<Recent, PortError> {
        let end = DateTime::from_millis(now.as_millis());
        let start = DateTime::from_secs(end.secs() - RECENT_SECONDS);
        let get = self.clients.cloudwatch.get_metric_data();
        let get = get.start_time(start).end_time(end);
        let get = get.metric_data_queries(query("invocations", "Invocations", function));
        let get = get.metric_data_queries(query("errors", "Errors", function));
        let answer = get
            .send()
            .await
            .map_err(|error| port_error(GET_METRICS, &error))?;
        let results = answer.metric_data_results.unwrap_or_default();
        Ok(Recent {
            invocations: sum(&results, "invocations")?,
            errors: sum(&results, "errors")?,
        })
    }
}

fn query(id: &str, metric: &str, function: &str) -> MetricDataQuery {
    let dimension = Dimension::builder().name("FunctionName").value(function);
    let metric = Metric::builder()
        .namespace("AWS/Lambda")
        .metric_name(metric)
        .dimensions(dimension.build());
    let stat = MetricStat::builder()
        .metric(metric.build())
        .period(PERIOD_SECONDS)
        .stat("Sum");
    MetricDataQuery::builder()
        .id(id)
        .metric_stat(stat.build())
        .build()
}

/// The sum of a result's points; none are no invocations. A result that is missing, or not complete, says nothing.
fn sum(results: &[MetricDataResult], id: &str) -> Result<u64, PortError> {
    let mut of_id = results.iter().filter(|result| result.id() == Some(id));
    let (Some(result), None) = (of_id.next(), of_id.next()) else {
        return Err(of(GET_METRICS, Fault::Corrupt, "NoResult"));
    };
    if result.status_code() != Some(&StatusCode::Complete) {
        return Err(of(GET_METRICS, Fault::Unavailable, "NotComplete"));
    }
    let total: f64 = result.values().iter().sum();
    if !(0.0..1e15).contains(&total) {
        return Err(of(GET_METRICS, Fault::Corrupt, "NoCount"));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count below 10¹⁵, as was just seen"
    )]
    Ok(total.round() as u64)
}
