//! Counts what a client asks of AWS: every attempt, and the request units that DynamoDB reports.
//!
//! The units are asked for on the wire, by this interceptor alone, so that requests in production stay lean.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
    BeforeTransmitInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use serde::{Deserialize, Serialize};

/// What was asked of one operation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OperationCount {
    /// Requests put on the wire, each attempt one.
    pub requests: u64,
    /// Read units that DynamoDB reported.
    pub read_units: f64,
    /// Write units that DynamoDB reported.
    pub write_units: f64,
}

/// An interceptor that counts; its clones count together.
#[derive(Debug, Clone, Default)]
pub struct Meter(Arc<Mutex<BTreeMap<String, OperationCount>>>);

impl Meter {
    /// What was counted so far, by operation, such as `dynamodb:TransactWriteItems`.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, OperationCount> {
        self.lock().clone()
    }

    fn add(&self, cfg: &ConfigBag, add: impl FnOnce(&mut OperationCount)) {
        if let Some(operation) = cfg.load::<Metadata>() {
            let name = format!("{}:{}", operation.service().to_lowercase(), operation.name());
            add(self.lock().entry(name).or_default());
        }
    }

    /// A count is a plain sum, whole at any moment, so a poisoned lock is as good as any.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, OperationCount>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[dyn_dispatch_hint]
impl Intercept for Meter {
    fn name(&self) -> &'static str {
        "Meter"
    }

    /// Once for all attempts: the SDK rewinds to the request as it is after this.
    fn modify_before_retry_loop(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if cfg
            .load::<Metadata>()
            .is_some_and(|operation| axis(operation.name()).is_some())
            && let Some(body) = context.request().body().bytes().and_then(asking_for_units)
        {
            let request = context.request_mut();
            request
                .headers_mut()
                .insert("content-length", body.len().to_string());
            *request.body_mut() = SdkBody::from(body);
        }
        Ok(())
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.add(cfg, |count| count.requests += 1);
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(axis) = cfg
            .load::<Metadata>()
            .and_then(|operation| axis(operation.name()))
        else {
            return Ok(());
        };
        let capacities = context
            .response()
            .body()
            .bytes()
            .map(capacities)
            .unwrap_or_default();
        self.add(cfg, |count| {
            for capacity in capacities {
                capacity.add_to(count, axis);
            }
        });
        Ok(())
    }
}

/// What an operation of DynamoDB consumes where the answer does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Axis {
    Read,
    Write,
}

/// `None` for operations that report no units.
fn axis(operation: &str) -> Option<Axis> {
    match operation {
        "BatchGetItem" | "GetItem" | "Query" | "Scan" | "TransactGetItems" => Some(Axis::Read),
        "BatchWriteItem" | "DeleteItem" | "PutItem" | "TransactWriteItems" | "UpdateItem" => {
            Some(Axis::Write)
        }
        _ => None,
    }
}

/// The request with the wish for its units; `None` if it has one already.
fn asking_for_units(body: &[u8]) -> Option<Vec<u8>> {
    const KEY: &[u8] = br#""ReturnConsumedCapacity":"#;
    let fields = body.strip_prefix(b"{")?;
    if body.windows(KEY.len()).any(|window| window == KEY) {
        return None;
    }
    let comma: &[u8] = if fields.starts_with(b"}") { b"" } else { b"," };
    Some([b"{", KEY, br#""TOTAL""#, comma, fields].concat())
}

/// The capacity that a call consumed on one table.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Capacity {
    #[serde(rename = "CapacityUnits")]
    units: f64,
    /// Said by transactions only.
    #[serde(rename = "ReadCapacityUnits")]
    read: Option<f64>,
    #[serde(rename = "WriteCapacityUnits")]
    write: Option<f64>,
}

impl Capacity {
    fn add_to(self, count: &mut OperationCount, axis: Axis) {
        let unsaid = self.read.is_none() && self.write.is_none();
        let of = |this: Axis| if unsaid && axis == this { self.units } else { 0.0 };
        count.read_units += self.read.unwrap_or(of(Axis::Read));
        count.write_units += self.write.unwrap_or(of(Axis::Write));
    }
}

/// One for a call on one table, a list for a call on several.
fn capacities(answer: &[u8]) -> Vec<Capacity> {
    #[derive(Deserialize)]
    struct Answer<T> {
        #[serde(rename = "ConsumedCapacity")]
        consumed: Option<T>,
    }
    match serde_json::from_slice::<Answer<Vec<Capacity>>>(answer) {
        Ok(several) => several.consumed.unwrap_or_default(),
        Err(_) => serde_json::from_slice::<Answer<Capacity>>(answer)
            .ok()
            .and_then(|one| one.consumed)
            .into_iter()
            .collect(),
    }
}

#[cfg(test)]
mod tests;
