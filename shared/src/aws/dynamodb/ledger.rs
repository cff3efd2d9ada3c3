//! Transactions, and writes that need none.

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{CancellationReason, TransactWriteItem};
use data_encoding::HEXLOWER;

use super::writes::{self, Action, OPERATION, Write};
use crate::aws::AwsPorts;
use crate::aws::attempts::Attempts;
use crate::aws::error::{CONDITION_LOST, CONFLICT, not_sendable, of, port_error, service_fault};
use crate::domain::change_set::ChangeSet;
use crate::ports::{CommitError, Fault, Ledger, LostItem, needs_transaction};

impl Ledger for AwsPorts {
    async fn commit(&self, changes: &ChangeSet, request_token: [u8; 16]) -> Result<(), CommitError> {
        let mut writes = writes::of(&self.settings.tables, changes).map_err(CommitError::Failed)?;
        if needs_transaction(changes) {
            return self.transact(writes, request_token).await;
        }
        match writes.pop() {
            Some(write) => self.write_alone(write).await,
            None => Ok(()),
        }
    }
}

impl AwsPorts {
    async fn transact(&self, writes: Vec<Write>, request_token: [u8; 16]) -> Result<(), CommitError> {
        let targets: Vec<LostItem> = writes.iter().map(|write| write.target.clone()).collect();
        let items: Result<Vec<TransactWriteItem>, _> =
            writes.into_iter().map(Write::into_transact_item).collect();
        let items = items.map_err(|_| CommitError::Failed(not_sendable(OPERATION)))?;
        let attempts = Attempts::default();
        let sent = self
            .dynamodb
            .transact_write_items()
            .set_transact_items(Some(items))
            .client_request_token(HEXLOWER.encode(&request_token))
            .customize()
            .interceptor(attempts.clone())
            .send()
            .await;
        match sent {
            Ok(_) => Ok(()),
            Err(error) => Err(match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                    cancellation(cancelled.cancellation_reasons(), targets, &attempts)
                }
                _ => attempts.failure(port_error(OPERATION, &error)),
            }),
        }
    }

    async fn write_alone(&self, mut write: Write) -> Result<(), CommitError> {
        let attempts = Attempts::default();
        let (names, values) = write.placeholders();
        let Write {
            target,
            table,
            action,
            condition,
            ..
        } = write;
        let client = &self.dynamodb;
        match action {
            Action::Put(item) => {
                let put = client
                    .put_item()
                    .table_name(table)
                    .set_item(Some(item))
                    .condition_expression(condition);
                let put = put
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values);
                let sent = put.customize().interceptor(attempts.clone()).send().await;
                sent.map(drop)
                    .map_err(|error| lone_failure("dynamodb:PutItem", &error, target, &attempts))
            }
            Action::Update { key, expression } => {
                let update = client
                    .update_item()
                    .table_name(table)
                    .set_key(Some(key))
                    .update_expression(expression);
                let update = update
                    .condition_expression(condition)
                    .set_expression_attribute_names(names);
                let update = update.set_expression_attribute_values(values);
                let sent = update.customize().interceptor(attempts.clone()).send().await;
                sent.map(drop)
                    .map_err(|error| lone_failure("dynamodb:UpdateItem", &error, target, &attempts))
            }
            Action::Delete { key } => {
                let delete = client
                    .delete_item()
                    .table_name(table)
                    .set_key(Some(key))
                    .condition_expression(condition);
                let delete = delete
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values);
                let sent = delete.customize().interceptor(attempts.clone()).send().await;
                sent.map(drop)
                    .map_err(|error| lone_failure("dynamodb:DeleteItem", &error, target, &attempts))
            }
        }
    }
}

/// What became of a write that stood alone.
fn lone_failure<E: ProvideErrorMetadata>(
    operation: &'static str,
    error: &SdkError<E, HttpResponse>,
    target: LostItem,
    attempts: &Attempts,
) -> CommitError {
    let failure = port_error(operation, error);
    match failure.code.as_str() {
        CONDITION_LOST => CommitError::Lost(vec![target]),
        CONFLICT => attempts.conflict(failure),
        _ => attempts.failure(failure),
    }
}

/// What became of a cancelled transaction. There is a reason for each action, in their order.
///
/// A lost condition counts before a conflict: repeating the same would lose it again. A reason that is neither
/// says that something is wrong with the request or the table's capacity.
fn cancellation(reasons: &[CancellationReason], targets: Vec<LostItem>, attempts: &Attempts) -> CommitError {
    let codes: Vec<&str> = reasons
        .iter()
        .map(|reason| reason.code().unwrap_or("None"))
        .collect();
    let lost: Vec<LostItem> = targets
        .into_iter()
        .zip(&codes)
        .filter(|(_, code)| **code == "ConditionalCheckFailed")
        .map(|(target, _)| target)
        .collect();
    if !lost.is_empty() {
        return CommitError::Lost(lost);
    }
    if codes.contains(&"TransactionConflict") {
        return attempts.conflict(of(OPERATION, Fault::Unavailable, "TransactionConflict"));
    }
    let throttled = codes
        .iter()
        .any(|code| service_fault(code, 400) == Fault::Throttled);
    let (fault, code) = if throttled {
        (Fault::Throttled, "ThrottlingError")
    } else {
        (Fault::Refused, "TransactionCanceledException")
    };
    attempts.failure(of(OPERATION, fault, code))
}
