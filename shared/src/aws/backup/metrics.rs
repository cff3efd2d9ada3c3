//! How far replication is behind, by CloudWatch. A metric without points is no good news; what tells an idle table or
//! bucket from a silent metric:
//!
//! - `DynamoDB` gives `ReplicationLatency` where the source is, for what arrived. What was written since is what requests
//!   of a kind that writes, and items that TTL has deleted, have points for ([`Lag::of_table`]). Where the last hours have
//!   not both, the last two months say when the newest write was and whether it arrived; where the newest arrival is of
//!   the same hour as a write, fine points of that hour say which came first.
//! - S3 gives `ReplicationLatency` and what is pending where the destination is, "still published if replication does not
//!   occur" (S3 user guide, "Using S3 Replication metrics"): without points they are silent, whether the bucket is idle or
//!   not. `OperationsFailedReplication` it gives where the source is, and only when something happens: without points nothing
//!   has failed, as long as the others speak. What has failed stays so: S3 does not try again by itself.

use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat, StatusCode};

use super::{AwsBackup, MOST_PAGES, date_time, endless, moment, next};
use crate::aws::error::{of, port_error};
use crate::domain::backup::{FAILED_OPERATIONS_DAYS, Lag, Observed, Point, Seen};
use crate::domain::time::Timestamp;
use crate::ports::backup::{Answer, Replication, ReplicationMetrics};
use crate::ports::{Fault, PortError};

const GET_METRICS: &str = "cloudwatch:GetMetricData";

const MINUTE_SECONDS: i32 = 60;
/// `DynamoDB` aggregates `ReplicationLatency` over five minutes (developer guide, "DynamoDB metrics and dimensions"), and
/// counts requests by the minute: over five, both begin at the same moments. Such points are kept for 63 days.
const FINE_SECONDS: i32 = 300;
const HOUR_SECONDS: i32 = 3_600;
const DAY_SECONDS: i32 = 86_400;
const HOUR_MILLIS: i64 = 3_600_000;
/// How far back a bucket's lag is looked for. Metrics are delivered as well as can be, and a quarter of an hour late at times.
const LAG_MILLIS: i64 = 3_600_000;
/// How far back a table's lag is looked for in fine points, at least.
const TABLE_LAG_MILLIS: i64 = 2 * HOUR_MILLIS;
/// How far back its newest write is looked for, and the arrival of it. Seven metrics have some 10,000 hourly points then,
/// where a call gives 100,800 (API reference, `GetMetricData`); CloudWatch keeps them for 15 months.
const WIDE_DAYS: i64 = 60;

/// Requests by which items change (`DynamoDB` developer guide, "Operation" dimension).
const WRITES: &[&str] = &[
    "PutItem",
    "UpdateItem",
    "DeleteItem",
    "BatchWriteItem",
    "TransactWriteItems",
];

/// A metric to ask for.
struct Ask<'a> {
    namespace: &'static str,
    name: &'static str,
    dimensions: Vec<(&'static str, &'a str)>,
    statistic: &'static str,
    period_seconds: i32,
}

impl ReplicationMetrics for AwsBackup {
    async fn table_lag(&self, table: &str, now: Timestamp) -> Answer {
        let recent = begun(now.plus_millis(-TABLE_LAG_MILLIS), HOUR_SECONDS);
        let mut traffic = self.traffic(table, FINE_SECONDS, (recent, now)).await?;
        if traffic.latency.is_empty() || traffic.writes.is_empty() {
            let wide = (recent.plus_days(-WIDE_DAYS), recent);
            let wide = self.traffic(table, HOUR_SECONDS, wide).await?;
            if let Some(hour) = traffic.undecided(&wide) {
                let hour = (hour, hour.plus_millis(HOUR_MILLIS));
                traffic.extend(self.traffic(table, FINE_SECONDS, hour).await?);
            }
            traffic.extend(wide);
        }
        let lag = Lag::of_table(&traffic.latency, &traffic.writes);
        Ok(lag.map_or(Observed::Silent, |lag| Observed::Seen(Seen::TableLag(lag))))
    }

    async fn bucket_lag(&self, of: Replication<'_>, now: Timestamp) -> Answer {
        let asks = [
            of_bucket("ReplicationLatency", "Maximum", MINUTE_SECONDS, of),
            of_bucket("OperationsPendingReplication", "Maximum", MINUTE_SECONDS, of),
        ];
        let window = (now.plus_millis(-LAG_MILLIS), now);
        let answers = points(&self.there.cloudwatch, &asks, window).await?;
        let [latency, pending] = answers.as_slice() else {
            return Ok(Observed::Silent);
        };
        // Where nothing is pending, everything until then has arrived.
        let done = pending
            .iter()
            .filter(|(_, count)| *count == 0.0)
            .map(|(at, _)| (*at, 0.0));
        let lag = Lag::of_points(latency.iter().copied().chain(done));
        Ok(lag.map_or(Observed::Silent, |lag| Observed::Seen(Seen::BucketLag(lag))))
    }

    async fn failed_operations(&self, of: Replication<'_>, now: Timestamp) -> Answer {
        let ask = of_bucket("OperationsFailedReplication", "Sum", DAY_SECONDS, of);
        let days = i64::from(FAILED_OPERATIONS_DAYS);
        let window = (begun(now.plus_days(-days), DAY_SECONDS), now);
        let failed = points(&self.here.cloudwatch, &[ask], window)
            .await?
            .into_iter()
            .flatten();
        let failed: Vec<f64> = failed.map(|(_, count)| count).collect();
        let speaks = !failed.is_empty() || self.bucket_lag(of, now).await? != Observed::Silent;
        Ok(if speaks {
            Observed::Seen(Seen::FailedOperations {
                count: whole(failed.iter().sum()),
            })
        } else {
            Observed::Silent
        })
    }
}

/// A count as CloudWatch gives it, rounded up.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast from floating point saturates, and there are no fewer than no failures"
)]
fn whole(count: f64) -> u64 {
    count.ceil() as u64
}

/// What arrived of a table, and what was written to it.
struct Traffic {
    /// Seconds.
    latency: Vec<Point>,
    /// Counts.
    writes: Vec<Point>,
}

impl Traffic {
    fn extend(&mut self, other: Self) {
        self.latency.extend(other.latency);
        self.writes.extend(other.writes);
    }

    /// The hour of the wide window whose points do not tell which came first: the newest arrival is of it, and a write is.
    fn undecided(&self, wide: &Self) -> Option<Timestamp> {
        let newest = wide.latency.iter().map(|(hour, _)| *hour).max()?;
        let written = wide.writes.iter().any(|(hour, _)| *hour == newest);
        (self.latency.is_empty() && written).then_some(newest.0)
    }
}

/// The beginning of the period that `at` is in: CloudWatch's points begin there, wherever the window does.
fn begun(at: Timestamp, period_seconds: i32) -> Timestamp {
    let period = i64::from(period_seconds) * 1_000;
    Timestamp::from_millis(at.as_millis().div_euclid(period) * period)
}

impl AwsBackup {
    /// All metrics of a table in one call and with one period, so that points of writes and of arrivals begin together.
    async fn traffic(
        &self,
        table: &str,
        period_seconds: i32,
        window: (Timestamp, Timestamp),
    ) -> Result<Traffic, PortError> {
        let asks = self.table_asks(table, period_seconds);
        let mut answers = points(&self.here.cloudwatch, &asks, window).await?;
        let latency = answers.remove(0).into_iter();
        Ok(Traffic {
            latency: latency.map(|(at, millis)| (at, millis / 1_000.0)).collect(),
            writes: answers
                .into_iter()
                .flatten()
                .filter(|(_, count)| *count > 0.0)
                .collect(),
        })
    }

    /// The latency first, then everything that may have been written.
    fn table_asks<'a>(&'a self, table: &'a str, period_seconds: i32) -> Vec<Ask<'a>> {
        let ask = |name, statistic, dimensions| Ask {
            namespace: "AWS/DynamoDB",
            name,
            dimensions,
            statistic,
            period_seconds,
        };
        let of_table = ("TableName", table);
        let peer = self.there.region.as_str();
        let latency = ask(
            "ReplicationLatency",
            "Maximum",
            vec![of_table, ("ReceivingRegion", peer)],
        );
        let expired = ask("TimeToLiveDeletedItemCount", "Sum", vec![of_table]);
        let writes = WRITES.iter().map(|operation| {
            let dimensions = vec![of_table, ("Operation", *operation)];
            ask("SuccessfulRequestLatency", "SampleCount", dimensions)
        });
        [latency, expired].into_iter().chain(writes).collect()
    }
}

fn of_bucket<'a>(
    name: &'static str,
    statistic: &'static str,
    period_seconds: i32,
    of: Replication<'a>,
) -> Ask<'a> {
    Ask {
        namespace: "AWS/S3",
        name,
        dimensions: vec![
            ("SourceBucket", of.bucket),
            ("DestinationBucket", of.to),
            ("RuleId", of.rule),
        ],
        statistic,
        period_seconds,
    }
}

/// The points of each metric within a window, in the order of the questions.
async fn points(
    client: &aws_sdk_cloudwatch::Client,
    asks: &[Ask<'_>],
    (from, to): (Timestamp, Timestamp),
) -> Result<Vec<Vec<Point>>, PortError> {
    let queries: Vec<MetricDataQuery> = asks.iter().enumerate().map(query).collect();
    let (mut found, mut token) = (vec![Vec::new(); asks.len()], None);
    for _ in 0..MOST_PAGES {
        let get = client
            .get_metric_data()
            .set_metric_data_queries(Some(queries.clone()))
            .start_time(date_time(from))
            .end_time(date_time(to))
            .set_next_token(token);
        let page = get
            .send()
            .await
            .map_err(|error| port_error(GET_METRICS, &error))?;
        for result in page.metric_data_results.into_iter().flatten() {
            refused(result.status_code.as_ref())?;
            let place = result
                .id
                .as_deref()
                .and_then(|id| id.strip_prefix('m')?.parse::<usize>().ok());
            let Some(points) = place.and_then(|place| found.get_mut(place)) else {
                continue;
            };
            let times = result.timestamps.into_iter().flatten();
            let both = times.zip(result.values.into_iter().flatten());
            points.extend(both.filter_map(|(at, value)| Some((moment(&at)?, value))));
        }
        token = next(page.next_token);
        if token.is_none() {
            return Ok(found);
        }
    }
    Err(endless(GET_METRICS))
}

/// A result may fail though the call does not.
fn refused(status: Option<&StatusCode>) -> Result<(), PortError> {
    match status {
        Some(StatusCode::Forbidden) => Err(of(GET_METRICS, Fault::Refused, "AccessDenied")),
        Some(StatusCode::InternalError) => Err(of(GET_METRICS, Fault::Unavailable, "InternalError")),
        _ => Ok(()),
    }
}

fn query((place, ask): (usize, &Ask<'_>)) -> MetricDataQuery {
    let dimension = |(name, value): &(&str, &str)| Dimension::builder().name(*name).value(*value).build();
    let metric = Metric::builder()
        .namespace(ask.namespace)
        .metric_name(ask.name)
        .set_dimensions(Some(ask.dimensions.iter().map(dimension).collect()));
    let stat = MetricStat::builder()
        .metric(metric.build())
        .period(ask.period_seconds)
        .stat(ask.statistic);
    MetricDataQuery::builder()
        .id(format!("m{place}"))
        .metric_stat(stat.build())
        .build()
}
