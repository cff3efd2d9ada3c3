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

fn answer(results: &[(usize, Points<'_>)]) -> Reply {
    page(results, "Complete", None)
}

fn page(results: &[(usize, Points<'_>)], status: &str, next: Option<&str>) -> Reply {
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

#[tokio::test]
async fn the_lag_of_a_table_is_that_of_what_was_written() {
    let line = Line::replying([
        answer(&[
            (0, &[(10, 1_500.0)]),
            (3, &[(10, 2.0), (4, 1.0)]),
            (6, &[(7, 5.0)]),
        ]),
        answer(&[]),
        answer(&[(2, &[(30, 1.0)])]),
    ]);
    let ports = line.ports();
    let lag = async || ports.table_lag("symbolon-matches", NOON).await;
    let until = Observed::Seen(Seen::TableLag(Lag::ArrivedUntil(minutes_ago(7))));
    assert_eq!(
        lag().await,
        Ok(until),
        "what was written seven minutes ago is on its way"
    );
    assert_eq!(lag().await, Ok(Observed::Seen(Seen::TableLag(Lag::Idle))));
    assert_eq!(
        lag().await,
        Ok(Observed::Silent),
        "written, and nothing is known of it"
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
        answer(&[(0, &[(60, 2.0), (600, 1.0)])]),
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
