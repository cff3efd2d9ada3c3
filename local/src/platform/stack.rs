//! The stack of a plan, standing on the emulators.

mod create;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use symbolon_shared::aws::sdk::SdkOptions;

use super::bus::Bus;
use super::clients::{Clients, Endpoints, SECRET_KEY};
use super::emulators::{EmulatorError, Emulators};
use super::faults::Faults;
use super::functions::{Functions, SourceMapping};
use super::meter::Meter;
use super::poller::{Mapping, Poller};
use super::requests::Requests;
use super::stamps::Stamps;
use super::streams::{StreamMapping, StreamPoller};
use super::template::{Attribute, FunctionPlan, StackPlan, Text};

/// Who creates the stack: as an access key id, an ordinary principal that no registry knows.
const CREATOR: &str = "LOCALSTACKCREATOR";
/// Who polls the queues.
const LAMBDA: &str = "LOCALLAMBDAPOLLER";

/// Why the local stack does not stand.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// The emulators do not start.
    #[error("the emulators do not start")]
    Emulators(#[from] EmulatorError),
    /// A resource cannot be created.
    #[error("cannot create {resource}: {reason}")]
    Create {
        /// Its logical id.
        resource: String,
        /// What the emulator says.
        reason: String,
    },
    /// The plan asks for an attribute that its resources do not have.
    #[error("{resource} has no attribute {attribute} here")]
    NoAttribute {
        /// The logical id.
        resource: String,
        /// The attribute.
        attribute: String,
    },
    /// The plan has no such function.
    #[error("the template has no function {name}")]
    NoFunction {
        /// Its name.
        name: String,
    },
    /// No queue triggers the function, or none that is enabled.
    #[error("the template maps no queue to the function {name}, or the mapping is not enabled")]
    NoMapping {
        /// Its name.
        name: String,
    },
}

/// A stack with everything that its template creates.
#[derive(Debug)]
pub struct LocalStack {
    plan: StackPlan,
    emulators: Emulators,
    attributes: BTreeMap<Attribute, String>,
    outputs: BTreeMap<String, String>,
}

impl LocalStack {
    /// Starts the emulators and creates what the plan needs; `port` is the front's, 0 for any free one.
    ///
    /// # Errors
    ///
    /// The emulators do not start, or refuse a resource of the plan.
    pub async fn start(plan: StackPlan, port: u16) -> Result<Self, StackError> {
        let emulators = Emulators::start(port, &plan.deployment.region).await?;
        let clients = emulators.endpoints().clients(CREATOR);
        let mut stack = Self {
            plan,
            emulators,
            attributes: BTreeMap::new(),
            outputs: BTreeMap::new(),
        };
        stack.name_roles_and_functions();
        stack.create_keys(&clients.kms).await?;
        stack.create_tables(&clients.dynamodb).await?;
        stack.create_queues(&clients.sqs).await?;
        stack.create_buckets(&clients.s3).await?;
        stack.outputs = stack.resolve_all(&stack.plan.outputs)?;
        stack.tell_mappings()?;
        Ok(stack)
    }

    /// What the Lambda API says of what starts which function.
    fn tell_mappings(&self) -> Result<(), StackError> {
        for function in &self.plan.functions {
            for mapping in &function.mappings {
                self.functions().map(SourceMapping {
                    function: function.name.clone(),
                    queue_arn: self.attribute(&mapping.queue, "Arn")?,
                    enabled: mapping.enabled,
                });
            }
        }
        Ok(())
    }

    /// The plan that it stands on.
    #[must_use]
    pub fn plan(&self) -> &StackPlan {
        &self.plan
    }

    /// The stack outputs.
    #[must_use]
    pub fn outputs(&self) -> &BTreeMap<String, String> {
        &self.outputs
    }

    /// Writes the stack outputs as a JSON object, for tools that take them from a file.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn write_outputs(&self, file: &Path) -> std::io::Result<()> {
        std::fs::write(file, serde_json::to_vec_pretty(&self.outputs)?)
    }

    /// Where the emulators listen.
    #[must_use]
    pub fn endpoints(&self) -> &Endpoints {
        self.emulators.endpoints()
    }

    /// Who sent which message, and when.
    #[must_use]
    pub fn stamps(&self) -> &Arc<Stamps> {
        self.emulators.stamps()
    }

    /// Who asked for what at the front, which every request of a process outside this one goes through.
    #[must_use]
    pub fn requests(&self) -> &Requests {
        self.emulators.requests()
    }

    /// The functions that are invoked here by name.
    #[must_use]
    pub fn functions(&self) -> &Functions {
        self.emulators.functions()
    }

    /// What was said on the event bus.
    #[must_use]
    pub fn bus(&self) -> &Bus {
        self.emulators.bus()
    }

    /// The clients of `principal`.
    #[must_use]
    pub fn clients(&self, principal: &str) -> Clients {
        self.endpoints().clients(principal)
    }

    /// The clients that a function has by its role, every attempt counted, with the faults of `wire` and the SDK set
    /// as `options` say.
    ///
    /// # Errors
    ///
    /// The template has no such function, or no role for it.
    pub fn function_clients(
        &self,
        function: &str,
        meter: &Meter,
        wire: &Faults,
        options: &SdkOptions,
    ) -> Result<Clients, StackError> {
        let role_id = self.function_role_id(function)?;
        Ok(self.endpoints().function_clients(&role_id, meter, wire, options))
    }

    /// The unique id of a function's role: as an access key id it is who SQS says the function is.
    ///
    /// # Errors
    ///
    /// The template has no such function, or no role for it.
    pub fn function_role_id(&self, function: &str) -> Result<String, StackError> {
        self.role_id(self.function(function)?)
    }

    /// A function's environment variables, as the template sets them.
    ///
    /// # Errors
    ///
    /// The template has no such function.
    pub fn environment(&self, function: &str) -> Result<BTreeMap<String, String>, StackError> {
        self.resolve_all(&self.function(function)?.environment)
    }

    /// What to export so that a function outside this process, or the AWS CLI, works on this stack.
    ///
    /// # Errors
    ///
    /// The template has no such function, or no role for it.
    pub fn exported_environment(&self, function: &str) -> Result<BTreeMap<String, String>, StackError> {
        let mut environment = self.environment(function)?;
        // The role's id as the access key id: what the function sends bears its own stamp.
        let access_key_id = self.function_role_id(function)?;
        for (name, value) in [
            ("AWS_ENDPOINT_URL", self.endpoints().front.clone()),
            ("AWS_REGION", self.plan.deployment.region.clone()),
            ("AWS_DEFAULT_REGION", self.plan.deployment.region.clone()),
            ("AWS_ACCESS_KEY_ID", access_key_id),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY.to_owned()),
        ] {
            environment.insert(name.to_owned(), value);
        }
        Ok(environment)
    }

    /// The enabled mapping that polls a function's queue.
    ///
    /// # Errors
    ///
    /// The template has no such function, or maps no queue to it.
    pub fn mapping(&self, function: &str) -> Result<Mapping, StackError> {
        let function = self.function(function)?;
        let name = || function.name.clone();
        let mapping = function
            .mappings
            .iter()
            .find(|mapping| mapping.enabled)
            .ok_or_else(|| StackError::NoMapping { name: name() })?;
        Ok(Mapping {
            queue_url: self.attribute(&mapping.queue, Attribute::REF)?,
            queue_arn: self.attribute(&mapping.queue, "Arn")?,
            region: self.plan.deployment.region.clone(),
            batch_size: usize::try_from(mapping.batch_size).unwrap_or(usize::MAX),
            window: mapping.window,
            report_batch_item_failures: mapping.report_batch_item_failures,
            function_timeout: function.timeout,
        })
    }

    /// Lambda's poller of the stream that triggers a function, at its beginning.
    ///
    /// # Errors
    ///
    /// The template has no such function, or maps no stream to it.
    pub fn stream_poller(&self, function: &str) -> Result<StreamPoller, StackError> {
        let function = self.function(function)?;
        let stream = function.streams.first().ok_or_else(|| StackError::NoMapping {
            name: function.name.clone(),
        })?;
        let mapping = StreamMapping {
            stream_arn: self.attribute(&stream.table, "StreamArn")?,
            batch_size: stream.batch_size,
            report_batch_item_failures: stream.report_batch_item_failures,
            maximum_retries: stream.maximum_retries,
        };
        Ok(StreamPoller::new(self.endpoints().streams(LAMBDA), mapping))
    }

    /// Lambda's poller of a mapping; its calls are Lambda's, so no meter of the function counts them.
    #[must_use]
    pub fn poller(&self, mapping: Mapping) -> Poller {
        Poller::new(self.clients(LAMBDA).sqs, mapping, Arc::clone(self.stamps()))
    }

    /// An attribute of a resource, such as the `Arn` of a queue; [`Attribute::REF`] for what `Ref` gives.
    ///
    /// # Errors
    ///
    /// There is no such resource or attribute.
    pub fn attribute(&self, resource: &str, attribute: &str) -> Result<String, StackError> {
        let key = Attribute {
            resource: resource.to_owned(),
            name: attribute.to_owned(),
        };
        self.value(&key)
    }

    /// Ends the emulators; everything in them is gone.
    pub async fn shut_down(self) {
        self.emulators.shut_down().await;
    }

    fn function(&self, name: &str) -> Result<&FunctionPlan, StackError> {
        self.plan.function(name).ok_or_else(|| StackError::NoFunction {
            name: name.to_owned(),
        })
    }

    fn role_id(&self, function: &FunctionPlan) -> Result<String, StackError> {
        self.attribute(&function.role, "RoleId")
    }

    fn value(&self, key: &Attribute) -> Result<String, StackError> {
        self.attributes
            .get(key)
            .cloned()
            .ok_or_else(|| StackError::NoAttribute {
                resource: key.resource.clone(),
                attribute: key.name.clone(),
            })
    }

    fn resolve(&self, text: &Text) -> Result<String, StackError> {
        text.resolve(|attribute| self.value(attribute))
    }

    fn resolve_all(&self, texts: &BTreeMap<String, Text>) -> Result<BTreeMap<String, String>, StackError> {
        texts
            .iter()
            .map(|(name, text)| Ok((name.clone(), self.resolve(text)?)))
            .collect()
    }

    fn set(&mut self, resource: &str, attribute: &str, value: impl Into<String>) {
        let key = Attribute {
            resource: resource.to_owned(),
            name: attribute.to_owned(),
        };
        self.attributes.insert(key, value.into());
    }

    fn arn(&self, service: &str, rest: &str) -> String {
        let deployment = &self.plan.deployment;
        format!(
            "arn:aws:{service}:{}:{}:{rest}",
            deployment.region, deployment.account
        )
    }

    fn name_roles_and_functions(&mut self) {
        let account = self.plan.deployment.account.clone();
        for role in self.plan.roles.clone() {
            self.set(
                &role.id,
                "Arn",
                format!("arn:aws:iam::{account}:role/{}", role.name),
            );
            self.set(&role.id, "RoleId", role.role_id);
            self.set(&role.id, Attribute::REF, role.name);
        }
        for FunctionPlan { id, name, .. } in self.plan.functions.clone() {
            self.set(&id, "Arn", self.arn("lambda", &format!("function:{name}")));
            self.set(&id, Attribute::REF, name);
        }
    }
}

/// Lines for a shell to read: `export NAME='value'`.
#[must_use]
pub fn shell_exports(environment: &BTreeMap<String, String>) -> String {
    environment
        .iter()
        .fold(String::new(), |mut lines, (name, value)| {
            let quoted = value.replace('\'', r"'\''");
            // Writing to a string cannot fail.
            let _written = writeln!(lines, "export {name}='{quoted}'");
            lines
        })
}

#[cfg(test)]
mod tests;
