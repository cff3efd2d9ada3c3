//! The redrive of a deployment that is kept up: answers whoever invokes it by name.

use std::collections::HashMap;
use std::sync::Arc;

use dlq_redrive::settings::Settings;
use dlq_redrive::{Redrive, Surroundings};
use serde_json::Value;
use symbolon_shared::aws::{AwsRedrive, AwsRedriveClients};

use crate::deployment::{DeploymentError, now};
use crate::platform::stack::LocalStack;

/// The function that runs here.
const DLQ_REDRIVE: &str = "dlq-redrive";

/// How long an invocation may take, in milliseconds: as long as the template lets it.
const TIMEOUT_MILLIS: i64 = 240_000;

/// From now on whoever invokes `dlq-redrive` is answered by the real function. No schedule starts it: what lies among the
/// dead letters here is there to be looked at.
///
/// # Errors
/// [`DeploymentError`] when the template gives the function no settings.
pub fn register(stack: &LocalStack) -> Result<(), DeploymentError> {
    let mut variables: HashMap<String, String> = stack.environment(DLQ_REDRIVE)?.into_iter().collect();
    variables.insert("AWS_REGION".to_owned(), stack.endpoints().region.clone());
    let settings = Settings::from_vars(&variables)?;
    let role = stack.function_role_id(DLQ_REDRIVE)?;
    let (clients, sdk) = (stack.clients(&role), stack.endpoints().sdk_config(&role));
    let clients = AwsRedriveClients {
        sqs: clients.sqs,
        s3: clients.s3,
        dynamodb: clients.dynamodb,
        lambda: aws_sdk_lambda::Client::new(&sdk),
        cloudwatch: aws_sdk_cloudwatch::Client::new(&sdk),
        events: clients.events,
    };
    let ports = AwsRedrive::new(clients, settings.resources);
    let surroundings = Surroundings {
        clock: Box::new(now),
        sleep: Box::new(|wait| Box::pin(tokio::time::sleep(wait))),
    };
    let redrive = Arc::new(Redrive::new(ports, settings.conduct, surroundings));
    stack.functions().register(DLQ_REDRIVE, move |event: Value| {
        let redrive = Arc::clone(&redrive);
        async move {
            let answer = Box::pin(redrive.handle(event, now().plus_millis(TIMEOUT_MILLIS))).await;
            serde_json::to_value(answer).unwrap_or_default()
        }
    });
    Ok(())
}
