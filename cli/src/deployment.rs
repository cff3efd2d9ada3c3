//! A deployment: a stack's outputs and the clients of its region.

use std::collections::BTreeMap;

use symbolon_shared::aws::{AwsPorts, AwsSettings, TableNames, port_error};
use symbolon_shared::onboarding::PrincipalArn;
use symbolon_shared::ports::PortError;

use crate::connection::Connection;
use crate::failure::Failure;
use crate::outputs::Outputs;
use crate::settings::Settings;

/// Who may read and change the registry and the parameters.
const STAFF: &str = "the onboarding role (STACK-onboarding)";

/// One region of a deployment.
#[derive(Debug, Clone)]
pub(crate) struct Deployment {
    pub(crate) outputs: Outputs,
    pub(crate) connection: Connection,
}

impl Deployment {
    /// The primary's region.
    pub(crate) async fn primary(settings: &Settings) -> Result<Self, Failure> {
        let options = &settings.options;
        match (&options.stack, &options.outputs) {
            (Some(stack), _) => Self::of_stack(stack, options.region.as_deref()).await,
            (None, Some(file)) => Self::of_outputs(Outputs::read(file)?, options.region.as_deref()).await,
            (None, None) => Err(Failure::usage("no deployment is named")
                .advice("name it with --stack NAME, or its outputs with --outputs FILE or SYMBOLON_OUTPUTS")),
        }
    }

    /// The standby's region, when one is named.
    pub(crate) async fn peer(settings: &Settings) -> Result<Option<Self>, Failure> {
        let options = &settings.options;
        let region = options.peer_region.as_deref();
        match (&options.stack, &options.peer_outputs) {
            (Some(stack), None) if region.is_some() => Self::of_stack(stack, region).await.map(Some),
            (_, Some(file)) => Self::of_outputs(Outputs::read(file)?, region).await.map(Some),
            (_, None) if region.is_none() => Ok(None),
            (_, None) => Err(
                Failure::usage("the outputs of the peer region's stack are not known")
                    .advice("name their file with --peer-outputs, or both stacks with --stack NAME"),
            ),
        }
    }

    async fn of_outputs(outputs: Outputs, region: Option<&str>) -> Result<Self, Failure> {
        let connection = Connection::open(region.or(outputs.region())).await?;
        Ok(Self { outputs, connection })
    }

    async fn of_stack(stack: &str, region: Option<&str>) -> Result<Self, Failure> {
        let connection = Connection::open(region).await?;
        let client = aws_sdk_cloudformation::Client::new(&connection.sdk);
        let described = client.describe_stacks().stack_name(stack).send().await;
        let described = described.map_err(|error| {
            let error = port_error("cloudformation:DescribeStacks", &error);
            no_stack(&connection, stack, &error)
        })?;
        let outputs: BTreeMap<String, String> = described
            .stacks
            .unwrap_or_default()
            .into_iter()
            .flat_map(|stack| stack.outputs.unwrap_or_default())
            .filter_map(|output| Some((output.output_key?, output.output_value?)))
            .collect();
        let source = format!("the stack {stack} in {}", connection.region);
        Ok(Self {
            outputs: Outputs::new(outputs, source),
            connection,
        })
    }

    pub(crate) fn region(&self) -> &str {
        &self.connection.region
    }

    /// The stack's name.
    pub(crate) fn stack(&self) -> Result<&str, Failure> {
        self.outputs.stack().ok_or_else(|| {
            Failure::new("the outputs do not say what the stack is called")
                .because("neither RegistryTable nor IntakeQueueUrl is the name that template.yaml gives")
        })
    }

    /// The roles here that send to inboxes, the matcher's first.
    pub(crate) fn inbox_senders(&self) -> Result<Vec<PrincipalArn>, Failure> {
        let role = |name: &str, arn: &str| {
            PrincipalArn::parse(arn).map_err(|error| {
                Failure::new(format!("the output {name} cannot be used")).because(error.to_string())
            })
        };
        let mut senders = vec![role("MatcherRoleArn", self.outputs.get("MatcherRoleArn")?)?];
        if let Some(relay) = self.outputs.find("RelayRoleArn") {
            senders.push(role("RelayRoleArn", relay)?);
        }
        Ok(senders)
    }

    pub(crate) fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.connection.sdk)
    }

    /// The ports of the common crate. Tables that the caller does not need may be missing.
    pub(crate) fn ports(&self, needed: &[&str]) -> Result<AwsPorts, Failure> {
        for name in needed {
            self.outputs.get(name)?;
        }
        let name = |output: &str| self.outputs.find(output).unwrap_or_default().to_owned();
        let settings = AwsSettings {
            tables: TableNames {
                registry: name("RegistryTable"),
                parameters: name("ParametersTable"),
                submissions: name("SubmissionsTable"),
                interests: name("InterestsTable"),
                matches: name("MatchesTable"),
                keys: name("KeysTable"),
            },
            dead_letter_queue_url: name("IntakeDlqUrl"),
            token_key_arn: name("TokenKeyArn"),
        };
        let sdk = &self.connection.sdk;
        Ok(AwsPorts::new(
            aws_sdk_dynamodb::Client::new(sdk),
            self.sqs(),
            aws_sdk_kms::Client::new(sdk),
            settings,
        ))
    }

    /// What it means that `error` stood in the way of staff.
    pub(crate) fn explain_to_staff(&self, error: &PortError, doing: &str) -> Failure {
        self.connection.explain(error, doing, STAFF)
    }
}

/// CloudFormation says of a stack that is not there that the request is not valid.
fn no_stack(connection: &Connection, stack: &str, error: &PortError) -> Failure {
    if error.code == "ValidationError" {
        Failure::new(format!("there is no stack {stack} in {}", connection.region))
            .because(error.to_string())
            .advice("name the right one with --stack and --region")
    } else {
        connection.explain(
            error,
            &format!("read the outputs of the stack {stack}"),
            "a role that may cloudformation:DescribeStacks, or name a file of them with --outputs",
        )
    }
}
