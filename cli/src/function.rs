//! The function `dlq-redrive`, asked by hand: it does what the tool asks, and tells of it.

use std::time::Duration;

use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::config::timeout::TimeoutConfig;
use aws_sdk_lambda::primitives::Blob;
use symbolon_shared::aws::port_error;
use symbolon_shared::domain::redrive::{Answer, Refusal, Request};
use symbolon_shared::ports::{Fault, PortError};

use crate::connection::Connection;
use crate::failure::Failure;
use crate::outputs::Outputs;
use crate::progress::Bar;
use crate::settings::Settings;

/// Its name, as the contract has it.
const FUNCTION: &str = "dlq-redrive";

/// Who may ask it.
const ASKER: &str = "the quarantine's role (STACK-quarantine)";

const INVOKE: &str = "lambda:Invoke";

/// A little longer than the function itself may take.
const PATIENCE: Duration = Duration::from_secs(250);

/// How often it is seen that somebody waits.
const TICK: Duration = Duration::from_millis(250);

/// The function in one region.
pub(crate) struct Function {
    connection: Connection,
    client: aws_sdk_lambda::Client,
}

impl Function {
    pub(crate) async fn open(settings: &Settings) -> Result<Self, Failure> {
        // No stack is asked: the function's name is fixed, and whoever may ask it may ask nothing else.
        let options = &settings.options;
        let outputs = options.outputs.as_deref().map(Outputs::read).transpose()?;
        let known = outputs.as_ref().and_then(Outputs::region);
        let connection = Connection::open(options.region.as_deref().or(known)).await?;
        // Asked once: what takes minutes is not to be begun again because its answer was lost.
        let config = aws_sdk_lambda::config::Builder::from(&connection.sdk)
            .retry_config(RetryConfig::disabled())
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(Duration::from_secs(3))
                    .read_timeout(PATIENCE)
                    .operation_attempt_timeout(PATIENCE)
                    .operation_timeout(PATIENCE)
                    .build(),
            );
        Ok(Self {
            client: aws_sdk_lambda::Client::from_conf(config.build()),
            connection,
        })
    }

    /// What it answers, with a sign of life while it works.
    ///
    /// # Errors
    /// It could not be asked, did not come to its end, or did not understand.
    pub(crate) async fn ask(&self, request: &Request, doing: &str) -> Result<Answer, Failure> {
        let bar = Bar::new("{spinner} {msg} {elapsed}", 0);
        let asked = self.invoke(request);
        tokio::pin!(asked);
        let answer = loop {
            tokio::select! {
                answer = &mut asked => break answer,
                () = tokio::time::sleep(TICK) => bar.moved(|bar| {
                    bar.set_message(doing.to_owned());
                    bar.tick();
                }),
            }
        };
        bar.finish();
        match answer.map_err(|error| self.explain(&error, doing))? {
            Answer::Refused(why) => Err(refused(why)),
            answer => Ok(answer),
        }
    }

    async fn invoke(&self, request: &Request) -> Result<Answer, PortError> {
        let unreadable = |code: &str| PortError {
            operation: INVOKE,
            fault: Fault::Corrupt,
            code: code.to_owned(),
        };
        let payload = serde_json::to_vec(request).map_err(|_| unreadable("UnreadableRequest"))?;
        let call = self.client.invoke().function_name(FUNCTION);
        let answer = call.payload(Blob::new(payload)).send().await;
        let answer = answer.map_err(|error| port_error(INVOKE, &error))?;
        if answer.function_error.is_some() {
            return Err(PortError {
                operation: INVOKE,
                fault: Fault::Unavailable,
                code: "FunctionError".to_owned(),
            });
        }
        let payload = answer.payload.map(Blob::into_inner).unwrap_or_default();
        serde_json::from_slice(&payload).map_err(|_| unreadable("UnreadableAnswer"))
    }

    fn explain(&self, error: &PortError, doing: &str) -> Failure {
        if error.code == "FunctionError" {
            return Failure::new(format!(
                "cannot {doing}: the function {FUNCTION} did not come to its end"
            ))
            .because(error.to_string())
            .advice("its log says why; nothing is lost, and it is safe to ask again");
        }
        if error.code == "TooManyRequestsException" {
            return Failure::new(format!(
                "cannot {doing}: a run of {FUNCTION} is under way, or too many functions are"
            ))
            .because(error.to_string())
            .advice("run it again in a few minutes");
        }
        self.connection.explain(error, doing, ASKER)
    }
}

fn refused(why: Refusal) -> Failure {
    match why {
        Refusal::UnknownQueue => Failure::new("the deployment has no such queue")
            .advice("`symbolon redrive` alone takes every one"),
        Refusal::NotUnderstood => Failure::new("the deployment does not understand what is asked")
            .advice("is a newer symbolon than this one deployed, or an older?"),
    }
}

/// An answer to something else than was asked.
pub(crate) fn another_answer() -> Failure {
    Failure::new("the deployment answered something else than was asked")
        .advice("is a newer symbolon than this one deployed, or an older?")
}
