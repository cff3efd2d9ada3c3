//! Lag and failures, by answers of CloudWatch as it writes them.

use aws_sdk_dynamodb::primitives::DateTime;
use aws_smithy_cbor::Encoder;

use super::{Line, Reply, at, denied, failed};
use crate::domain::backup::{Lag, Moment, Observed, Seen};
use crate::domain::time::Timestamp;
use crate::ports::backup::{Replication, ReplicationMetrics};

/// 2026-11-30T12:00:00Z.
const NOON: Timestamp = Timestamp::from_millis(1_796_040_000_000);

const OF: Replication<'_> = Replication {
    bucket: "here",
    rule: "to-the-other-region",
    to: "there",
};

/// A metric's points, in minutes before noon and values.
type Points<'a> = &'a [(i64, f64)];

/// The points of metrics, by the places of their questions.
type Results<'a> = &'a [(usize, Points<'a>)];

fn answer(results: Results<'_>) -> Reply {
    page(results, "Complete", None)
}

fn page(results: Results<'_>, status: &str, next: Option<&str>) -> Reply {
    let mut body = Encoder::new(Vec::new());
    body.begin_map().str("MetricDataResults").array(results.len());
    for (place, points) in results {
        body.begin_map().str("Id").str(&format!("m{place}"));
        body.str("StatusCode").str(status);
        body.str("Timestamps").array(points.len());
        for (minutes, _) in *points {
            body.timestamp(&DateTime::from_millis(NOON.as_millis() - minutes * 60_000));
        }
        body.str("Values").array(points.len());
        for (_, value) in *points {
            body.double(*value);
        }
        body.end();
    }
    if let Some(next) = next {
        body.str("NextToken").str(next);
    }
    body.end();
    Reply::cbor(200, body.into_writer())
}

fn refused(status: u16, code: &str) -> Reply {
    let mut body = Encoder::new(Vec::new());
    body.begin_map()
        .str("__type")
        .str(&format!("com.amazonaws.cloudwatch#{code}"))
        .end();
    Reply::cbor(status, body.into_writer())
}

fn minutes_ago(minutes: i64) -> Moment {
    Moment(NOON.plus_millis(-minutes * 60_000))
}

fn asks(body: &[u8], text: &str) -> bool {
    body.windows(text.len()).any(|window| window == text.as_bytes())
}

/// How many metrics a call asks for with this period.
fn metrics_of_period(body: &[u8], seconds: i32) -> usize {
    let mut period = Encoder::new(Vec::new());
    period.str("Period").integer(seconds);
    let period = period.into_writer();
    body.windows(period.len())
        .filter(|bytes| **bytes == period)
        .count()
}

fn begins(body: &[u8], minutes: i64) -> bool {
    let mut start = Encoder::new(Vec::new());
    let at = NOON.as_millis() - minutes * 60_000;
    start.str("StartTime").timestamp(&DateTime::from_millis(at));
    let start = start.into_writer();
    body.windows(start.len()).any(|bytes| bytes == start)
}

/// The lag of a table by the answers to one question after the other, and the bodies of the questions.
async fn table_lag(now: Timestamp, answers: impl IntoIterator<Item = Reply>) -> (Observed, Vec<Vec<u8>>) {
    let line = Line::replying(answers);
    let lag = line.ports().table_lag("symbolon-matches", now).await.unwrap();
    (lag, line.asked().into_iter().map(|asked| asked.body).collect())
}

fn table_arrived_until(minutes: i64) -> Observed {
    Observed::Seen(Seen::TableLag(Lag::ArrivedUntil(minutes_ago(minutes))))
}

const IDLE: Observed = Observed::Seen(Seen::TableLag(Lag::Idle));

const HOUR: i64 = 60;
const DAY: i64 = 24 * HOUR;

#[tokio::test]
async fn the_lag_of_a_table_is_that_of_what_was_written() {
    let line = Line::replying([answer(&[
        (0, &[(10, 1_500.0)]),
        (3, &[(10, 2.0), (0, 0.0)]),
        (6, &[(5, 5.0)]),
    ])]);
    let lag = line.ports().table_lag("symbolon-matches", NOON).await;
    assert_eq!(
        lag,
        Ok(table_arrived_until(5)),
        "what was written then is on its way"
    );
    let asked = &line.asked()[0];
    assert!(
        asked.to.contains("us-east-1."),
        "where the source is: {}",
        asked.to
    );
    for text in [
        "AWS/DynamoDB",
        "ReplicationLatency",
        "ReceivingRegion",
        "us-west-2",
        "symbolon-matches",
        "SuccessfulRequestLatency",
        "TransactWriteItems",
        "UpdateItem",
        "TimeToLiveDeletedItemCount",
        "SampleCount",
    ] {
        assert!(asks(&asked.body, text), "{text}");
    }
}

/// Documented are five minutes for arrivals and one for requests: of one period a write and its arrival begin together.
#[tokio::test]
async fn writes_and_arrivals_are_asked_for_with_one_period() {
    let (lag, asked) = table_lag(NOON, [answer(&[(0, &[(25, 900.0)]), (2, &[(25, 1.0)])])]).await;
    assert_eq!(lag, IDLE);
    assert_eq!(asked.len(), 1, "where both are near, nothing else is asked");
    assert_eq!(metrics_of_period(&asked[0], 300), 7);
    assert!(begins(&asked[0], 2 * HOUR));
}

#[tokio::test]
async fn a_table_is_idle_only_if_its_newest_write_is_known_to_have_arrived() {
    let wide: &[(&str, Results<'_>, Observed)] = &[
        ("nothing in two months", &[], Observed::Silent),
        ("arrivals of nothing", &[(0, &[(DAY, 900.0)])], Observed::Silent),
        (
            "arrived later",
            &[(0, &[(DAY - HOUR, 900.0)]), (1, &[(DAY, 1.0)])],
            IDLE,
        ),
        (
            "not arrived since",
            &[(0, &[(30 * DAY, 900.0)]), (3, &[(DAY, 1.0), (40 * DAY, 1.0)])],
            table_arrived_until(DAY),
        ),
        ("never arrived", &[(3, &[(DAY, 1.0)])], table_arrived_until(DAY)),
    ];
    for (what, points, due) in wide {
        let (lag, asked) = table_lag(NOON, [answer(&[]), answer(points)]).await;
        assert_eq!(lag, *due, "{what}");
        assert_eq!(asked.len(), 2, "{what}");
        assert_eq!(metrics_of_period(&asked[1], 3_600), 7);
        assert!(begins(&asked[1], 60 * DAY + 2 * HOUR));
    }
}

#[tokio::test]
async fn what_is_missing_of_the_last_hours_is_looked_for_before_them() {
    let late = [
        answer(&[(1, &[(20, 1.0)])]),
        answer(&[(0, &[(DAY, 900.0)]), (1, &[(DAY - HOUR, 1.0)])]),
    ];
    assert_eq!(
        table_lag(NOON, late).await.0,
        table_arrived_until(DAY - HOUR),
        "the first that has not arrived counts"
    );
    let arrived = [
        answer(&[(0, &[(110, 900.0)])]),
        answer(&[(1, &[(3 * HOUR, 1.0)])]),
    ];
    assert_eq!(table_lag(NOON, arrived).await.0, IDLE);
}

/// Replication broke off within the hour of the last write: hourly points do not show it.
#[tokio::test]
async fn the_hour_of_the_last_arrival_is_looked_at_closely() {
    let hour: Results<'_> = &[(0, &[(DAY, 900.0)]), (1, &[(DAY, 2.0)])];
    for (arrived, written, due) in [
        (DAY - 5, DAY - 20, table_arrived_until(DAY - 20)),
        (DAY - 20, DAY - 20, IDLE),
        (DAY - 25, DAY - 20, IDLE),
    ] {
        let close: Results<'_> = &[(0, &[(arrived, 900.0)]), (1, &[(written, 1.0)])];
        let (lag, asked) = table_lag(NOON, [answer(&[]), answer(hour), answer(close)]).await;
        assert_eq!(lag, due, "arrived {arrived}, written {written} minutes ago");
        assert_eq!(asked.len(), 3);
        assert_eq!(metrics_of_period(&asked[2], 300), 7);
        assert!(begins(&asked[2], DAY));
    }
}

/// Points begin where periods do, whenever the check runs.
#[tokio::test]
async fn windows_begin_with_the_hour() {
    let now = NOON.plus_millis(7 * 60_000 + 13);
    let (_, asked) = table_lag(now, [answer(&[]), answer(&[])]).await;
    assert!(begins(&asked[0], 2 * HOUR) && begins(&asked[1], 60 * DAY + 2 * HOUR));
}

#[tokio::test]
async fn the_lag_of_a_bucket_is_published_where_the_copies_are() {
    let line = Line::replying([
        answer(&[(0, &[(5, 120.0), (50, 0.0)]), (1, &[(5, 3.0)])]),
        answer(&[(0, &[]), (1, &[(40, 0.0), (9, 0.0), (3, 1.0)])]),
        answer(&[(0, &[]), (1, &[(3, 1.0)])]),
        answer(&[]),
    ]);
    let ports = line.ports();
    let lag = async || ports.bucket_lag(OF, NOON).await;
    let until = |minutes| {
        Ok(Observed::Seen(Seen::BucketLag(Lag::ArrivedUntil(minutes_ago(
            minutes,
        )))))
    };
    assert_eq!(lag().await, until(7));
    assert_eq!(lag().await, until(9), "then nothing was pending");
    assert_eq!(
        lag().await,
        Ok(Observed::Silent),
        "something is pending, since when is not known"
    );
    assert_eq!(
        lag().await,
        Ok(Observed::Silent),
        "published even when nothing is replicated"
    );
    let asked = &line.asked()[0];
    assert!(asked.to.contains("us-west-2."), "{}", asked.to);
    for text in [
        "AWS/S3",
        "SourceBucket",
        "here",
        "DestinationBucket",
        "there",
        "RuleId",
        "to-the-other-region",
    ] {
        assert!(asks(&asked.body, text), "{text}");
    }
}

#[tokio::test]
async fn no_failures_are_believed_only_where_replication_speaks() {
    let line = Line::replying([
        answer(&[(0, &[(12 * HOUR, 2.0), (89 * DAY, 1.0)])]),
        answer(&[(0, &[(60, 0.0)])]),
        answer(&[]),
        answer(&[(0, &[(5, 1.0)])]),
        answer(&[]),
        answer(&[]),
    ]);
    let ports = line.ports();
    let failures = async || ports.failed_operations(OF, NOON).await;
    for count in [3, 0, 0] {
        assert_eq!(
            failures().await,
            Ok(Observed::Seen(Seen::FailedOperations { count }))
        );
    }
    assert_eq!(failures().await, Ok(Observed::Silent));
    let regions: Vec<bool> = line
        .asked()
        .iter()
        .map(|asked| asked.to.contains("us-east-1."))
        .collect();
    assert_eq!(
        regions,
        [true, true, true, false, true, false],
        "failures here, the others there"
    );
    let body = &line.asked()[0].body;
    assert_eq!(metrics_of_period(body, 86_400), 1);
    assert!(begins(body, 90 * DAY + 12 * HOUR), "days begin at midnight");
}

#[tokio::test]
async fn points_are_read_to_the_last_page() {
    let line = Line::replying([
        page(&[(0, &[(40, 60.0)])], "PartialData", Some("two")),
        page(&[(0, &[(2, 60.0)])], "Complete", None),
    ]);
    let lag = line.ports().bucket_lag(OF, NOON).await;
    assert_eq!(
        lag,
        Ok(Observed::Seen(Seen::BucketLag(Lag::ArrivedUntil(at(
            "2026-11-30T11:57:00Z"
        )))))
    );
    assert!(asks(&line.asked()[1].body, "two"));
}

#[tokio::test]
async fn metrics_that_are_refused_are_not_silent() {
    let line = Line::replying([
        refused(403, "AccessDenied"),
        refused(400, "Throttling"),
        page(&[(0, &[])], "Forbidden", None),
        page(&[(0, &[])], "InternalError", None),
        // Failures could be read, and whether the others speak could not.
        answer(&[]),
        refused(403, "AccessDenied"),
    ]);
    let ports = line.ports();
    let operation = "cloudwatch:GetMetricData";
    denied(ports.bucket_lag(OF, NOON).await, operation);
    failed(ports.bucket_lag(OF, NOON).await, operation, "Throttling");
    denied(ports.table_lag("t", NOON).await, operation);
    failed(ports.table_lag("t", NOON).await, operation, "InternalError");
    denied(ports.failed_operations(OF, NOON).await, operation);
}
