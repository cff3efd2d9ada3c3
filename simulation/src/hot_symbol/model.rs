//! AWS as it is modelled: every figure with its source.

use std::time::Duration;

use symbolon_shared::aws::sdk::SdkOptions;

use super::latency::Latency;

/// Latencies and limits. Measured ones come from tests that others published, run in a Lambda function of the same
/// region as the table; where nothing is published it says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsModel {
    /// `DynamoDB` `Query`, one page. AWS: the average of single-item requests is in single-digit milliseconds, that
    /// of a query depends on its size; no figure is published. Taken: a single-item write's.
    pub query: Latency,
    /// `DynamoDB` `BatchGetItem`, up to 100 keys. Taken: `BatchWriteItem` of 25 items, 8.0 ms at least, 10.2 ms in
    /// the median, 27.6 ms at the 99th percentile (github.com/alexdebrie/dynamodb-performance-testing, 2020).
    pub batch_get: Latency,
    /// `DynamoDB` `PutItem`, `UpdateItem`, `DeleteItem`, `GetItem`. `PutItem`: 5.5 ms at least, 7.6 ms in the
    /// median, 16.2 ms at the 99th percentile (the same).
    pub item: Latency,
    /// `DynamoDB` `TransactWriteItems`, without its actions. With 5 actions: 19.4, 25.3 and 92.5 ms; with 25: 23.5,
    /// 32.1 and 97.5 ms; a cancelled one takes as long (the same). A straight line through both, so 100 actions are
    /// extrapolated: 38.9 ms at least, 57.6 ms in the median.
    pub transaction: Latency,
    /// What each action adds to that.
    pub transaction_action: Latency,
    /// SQS `SendMessageBatch` and `ReceiveMessage`. AWS: "tens or low hundreds of milliseconds" (SQS FAQ).
    pub queue: Latency,
    /// KMS. No figure is published; one call in the life of a process.
    pub kms: Latency,
    /// From a full batch to the function's first instruction. No figure is published; a warm synchronous invocation
    /// is commonly seen to add 5 to 10 ms.
    pub invocation: Latency,
    /// A cold start on top: the function's own budget is 15 ms (design §12), a Rust hello-world initialises in 14 ms,
    /// and the environment comes before both. No figure is published.
    pub cold_start: Duration,
    /// The function's own work for one message, in requests signed and bodies parsed. At 512 MB it has 0.29 of a
    /// processor (AWS: one for 1,769 MB). Assumed.
    pub work_per_message: Duration,

    /// Write units per second that one partition takes: 1,000, on demand too (`DynamoDB` developer guide, "Best
    /// practices for designing partition keys").
    pub partition_write_units: u32,
    /// Read units per second that one partition takes: 3,000 (the same).
    pub partition_read_units: u32,
    /// Seconds of unused units that a partition may use at once. The guide ("Burst and adaptive capacity") keeps 300
    /// s of what a *table* leaves unused, yet says that a single partition is throttled above 1,000 writes all the
    /// same. So one second: the unit of the limit.
    pub burst_seconds: u32,
    /// Whether the SDK repeats a throttled transaction by itself. It repeats by error code, and the code of a
    /// transaction that was cancelled for want of capacity is `TransactionCanceledException`, which it does not
    /// repeat; the code `ProvisionedThroughputExceededException`, which the API lists too, it would.
    pub repeats_throttled_transactions: bool,
    /// The SDK's own attempts and pauses, as the function sets them.
    pub sdk: SdkOptions,

    /// Messages of one receive (SQS: 10) times the receives that one poller has under way while it fills a batch.
    /// How many those are is not published; 5 fill a batch of 250 in five rounds.
    pub messages_per_receive: usize,
    /// Invocations with which the mapping begins: 5 (Lambda developer guide, "Scaling behavior for SQS event source
    /// mappings"); also what it keeps when there is little to do and a maximum concurrency is set.
    pub first_pollers: usize,
    /// One more poller after each such pause while whole batches wait: 300 a minute (the same).
    pub poller_pause: Duration,
    /// How far the queue's order may differ from that of sending. SQS: best effort, no figure.
    pub disorder: Duration,
    /// The template's visibility time-out: when a record that was given back comes again. Lambda leaves it as the
    /// queue has it.
    pub visibility: Duration,
    /// The template's `maxReceiveCount`: received once more, a message is dead.
    pub max_receive_count: u32,
    /// The template's function time-out.
    pub function_timeout: Duration,
}

impl Default for AwsModel {
    fn default() -> Self {
        Self {
            query: Latency::micros(5_500, 3_000),
            batch_get: Latency::micros(8_000, 3_200),
            item: Latency::micros(5_500, 3_000),
            transaction: Latency::micros(18_400, 7_500),
            transaction_action: Latency::micros(205, 195),
            queue: Latency::micros(10_000, 15_000),
            kms: Latency::micros(5_000, 5_000),
            invocation: Latency::micros(5_000, 4_000),
            cold_start: Duration::from_millis(150),
            work_per_message: Duration::from_micros(500),
            partition_write_units: 1_000,
            partition_read_units: 3_000,
            burst_seconds: 1,
            repeats_throttled_transactions: false,
            sdk: SdkOptions::default(),
            messages_per_receive: 50,
            first_pollers: 5,
            poller_pause: Duration::from_millis(200),
            disorder: Duration::from_millis(50),
            visibility: Duration::from_mins(4),
            max_receive_count: 10,
            function_timeout: Duration::from_secs(30),
        }
    }
}

impl AwsModel {
    /// A transaction of `actions`.
    #[must_use]
    pub fn transaction_of(&self, actions: usize) -> Latency {
        self.transaction.and(self.transaction_action, actions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The medians that were measured, in milliseconds.
    #[test]
    fn the_model_meets_what_was_measured() {
        let model = AwsModel::default();
        let median =
            |latency: Latency| latency.floor.as_secs_f64() * 1e3 + latency.tail.as_secs_f64() * 693.147;
        for (name, latency, measured) in [
            ("PutItem", model.item, 7.55),
            ("BatchWriteItem of 25", model.batch_get, 10.2),
            ("TransactWriteItems of 5", model.transaction_of(5), 25.3),
            ("TransactWriteItems of 25", model.transaction_of(25), 32.1),
        ] {
            let modelled = median(latency);
            assert!(
                (modelled - measured).abs() < 0.5,
                "{name}: {modelled} for {measured}"
            );
        }
    }
}
