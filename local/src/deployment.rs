//! The deployment: the template's stack on the emulators, the matcher behind its queue, counterparties onboarded.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use aws_sdk_sqs::types::{
    DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName, SendMessageBatchRequestEntry,
};
use futures::stream::{self, StreamExt, TryStreamExt};
use matcher::settings::{Settings, SettingsError};
use rand::Rng;
use serde_json::Value;
use symbolon_shared::aws::{AwsPorts, TableNames};
use symbolon_shared::domain::counterparty::Counterparty;
use symbolon_shared::domain::decision::Entropy;
use symbolon_shared::domain::envelope::{Envelope, Origin, SenderId};
use symbolon_shared::domain::identifiers::{CounterpartyId, InvalidIdentifier, Principal};
use symbolon_shared::domain::parameters::MatchParameters;
use symbolon_shared::domain::time::Timestamp;
pub use symbolon_shared::lambda::now;
use symbolon_shared::onboarding::{
    Applicant, InboxHost, InvalidArn, OnboardingError, PrincipalArn, onboard, put_parameters,
};
use symbolon_shared::ports::{PortError, Registry};
use symbolon_shared::records::ReservationRecord;

use crate::platform::clients::Clients;
use crate::platform::meter::{Meter, OperationCount};
use crate::platform::poller::{Delivery, PollError};
use crate::platform::stack::{LocalStack, StackError};
use crate::platform::stamps::Stamp;
use crate::platform::template::{self, Deployment as Target, PROJECT_TEMPLATE, TemplateError};
use crate::process::{MATCHER, Process, ProcessOptions, ports};
use crate::replay::{Sender, Sent};
use crate::tables::{self, TableError, Tables};

/// The stack's name.
const STACK: &str = "symbolon";
/// Who onboards, sends for everybody, and reads what is left.
const RUNNER: &str = "AROALOCALRUNNER000001";
/// Inboxes read at once.
const INBOXES_AT_ONCE: usize = 16;

/// One onboarded counterparty.
#[derive(Debug, Clone)]
pub struct Participant {
    /// Its number in this run.
    pub number: u32,
    /// Its opaque id.
    pub id: CounterpartyId,
    /// Who SQS says it is.
    pub principal: Principal,
    /// Its inbox.
    pub inbox_url: String,
}

/// A message of the dead-letter queue.
#[derive(Debug, Clone, Default)]
pub struct DeadLetter {
    /// Its body: an envelope where our own code sent it, the original where SQS moved it.
    pub body: String,
    /// Its message attributes, by name.
    pub attributes: BTreeMap<String, String>,
    /// SQS's `SenderId`: of a message that SQS moved, its first sender's.
    pub sender_id: String,
    /// SQS's `SentTimestamp` in milliseconds of Unix time.
    pub sent_at_millis: i64,
}

impl DeadLetter {
    fn of(message: Message) -> Self {
        let stamp = |name| {
            message
                .attributes
                .as_ref()
                .and_then(|all| all.get(&name).cloned())
        };
        let attributes = message.message_attributes.iter().flatten();
        let value = |value: &aws_sdk_sqs::types::MessageAttributeValue| value.string_value.clone();
        Self {
            attributes: attributes
                .map(|(name, attribute)| (name.clone(), value(attribute).unwrap_or_default()))
                .collect(),
            sender_id: stamp(MessageSystemAttributeName::SenderId).unwrap_or_default(),
            sent_at_millis: stamp(MessageSystemAttributeName::SentTimestamp)
                .and_then(|millis| millis.parse().ok())
                .unwrap_or_default(),
            body: message.body.unwrap_or_default(),
        }
    }

    /// The envelope in which the redrive would send it again: with its own sender and time.
    ///
    /// # Errors
    /// [`InvalidIdentifier`] when it bears no `SenderId`.
    pub fn envelope(&self) -> Result<Envelope, InvalidIdentifier> {
        Ok(Envelope {
            origin: Origin::Sender(SenderId::parse(&self.sender_id)?),
            sent_at: Timestamp::from_millis(self.sent_at_millis),
            cycles: 1,
            reason: None,
            body: self.body.clone(),
        })
    }

    /// Whether SQS moved it by itself, after `maxReceiveCount` receives.
    #[must_use]
    pub fn was_moved_by_sqs(&self) -> bool {
        self.attributes.is_empty()
    }
}

/// A running deployment.
pub struct Deployment {
    stack: LocalStack,
    runner: Clients,
    ports: AwsPorts,
    batch_size: usize,
    intake_url: String,
    settings: Settings,
    meter: Meter,
    participants: BTreeMap<u32, Participant>,
    parameters: Vec<MatchParameters>,
}

/// Why the deployment does not stand, or does not answer.
#[derive(Debug, thiserror::Error)]
pub enum DeploymentError {
    /// The template cannot be read.
    #[error("template.yaml cannot be read")]
    Template(#[from] TemplateError),
    /// The stack does not come up.
    #[error("the stack does not come up")]
    Stack(#[from] StackError),
    /// The function's environment is incomplete.
    #[error("the matcher's settings are wrong")]
    Settings(#[from] SettingsError),
    /// A counterparty cannot be onboarded.
    #[error("counterparty {number} cannot be onboarded")]
    Onboarding {
        /// Its number.
        number: u32,
        /// Why not.
        #[source]
        source: OnboardingError,
    },
    /// A role of the stack has no ARN that can be named in a policy.
    #[error("a role of the stack cannot be named in a policy")]
    Role(#[from] InvalidArn),
    /// The parameters cannot be put.
    #[error("the parameters cannot be put")]
    Parameters(#[source] OnboardingError),
    /// The registry cannot be read.
    #[error("the registry cannot be read")]
    Registry(#[source] PortError),
    /// The tables cannot be read.
    #[error("the tables cannot be read")]
    Tables(#[from] TableError),
    /// The intake queue cannot be polled.
    #[error("the intake queue cannot be polled")]
    Poll(#[source] Box<PollError>),
    /// A queue cannot be used.
    #[error("a queue cannot be used")]
    Queue(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The token audit's settings are incomplete.
    #[error("the token audit's settings are wrong")]
    AuditSettings(#[from] token_audit::settings::SettingsError),
    /// The redrive's settings are incomplete.
    #[error("the redrive's settings are wrong")]
    RedriveSettings(#[from] dlq_redrive::settings::SettingsError),
    /// The stream cannot be read, or does not go on.
    #[error("the stream of the matches cannot be logged")]
    Stream(#[from] crate::platform::streams::StreamError),
    /// The audit log cannot be read.
    #[error("the audit log cannot be verified")]
    Audit(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The deployment has no such counterparty.
    #[error("counterparty {0} is not onboarded")]
    NobodyThere(u32),
}

impl DeploymentError {
    pub(crate) fn audit<E: std::error::Error + Send + Sync + 'static>(source: E) -> Self {
        Self::Audit(Box::new(source))
    }
}

/// The operating system's randomness.
struct Drawn;

impl Entropy for Drawn {
    fn fill(&mut self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}

/// The principal of a counterparty: the look of an IAM role id, and what the event fixtures name.
fn principal_of(number: u32) -> Result<Principal, DeploymentError> {
    Principal::new(format!("AROACOUNTERPARTY{number:05}")).map_err(|_| DeploymentError::NobodyThere(number))
}

impl Deployment {
    /// Stands the stack of `template.yaml` up, onboards the counterparties of these numbers and puts the parameters.
    /// `port` is the one that everything is reached at, 0 for any free one.
    ///
    /// # Errors
    /// [`DeploymentError`] says what does not stand.
    pub async fn start(
        port: u16,
        numbers: BTreeSet<u32>,
        parameters: Vec<MatchParameters>,
    ) -> Result<Self, DeploymentError> {
        let plan = template::read(PROJECT_TEMPLATE, &Target::local(STACK))?;
        let stack = LocalStack::start(plan, port).await?;
        let settings = settings(&stack)?;
        let mapping = stack.mapping(MATCHER)?;
        let runner = stack.clients(RUNNER);
        let mut deployment = Self {
            ports: ports(runner.clone(), &settings),
            batch_size: mapping.batch_size,
            intake_url: mapping.queue_url,
            participants: BTreeMap::new(),
            stack,
            runner,
            settings,
            meter: Meter::default(),
            parameters,
        };
        deployment.onboard(numbers).await?;
        Ok(deployment)
    }

    async fn onboard(&mut self, numbers: BTreeSet<u32>) -> Result<(), DeploymentError> {
        let host = self.inbox_host()?;
        for number in numbers {
            let participant = self.onboard_one(&host, number).await?;
            self.participants.insert(number, participant);
        }
        let mut put = Vec::new();
        for wanted in &self.parameters {
            put.push(
                put_parameters(&self.ports, wanted)
                    .await
                    .map_err(DeploymentError::Parameters)?,
            );
        }
        self.parameters = put;
        Ok(())
    }

    fn inbox_host(&self) -> Result<InboxHost, DeploymentError> {
        let outputs = self.stack.outputs();
        let matcher_role = outputs
            .get("MatcherRoleArn")
            .map(String::as_str)
            .unwrap_or_default();
        Ok(InboxHost {
            region: self.settings.region.clone(),
            stack: STACK.to_owned(),
            matcher_role: PrincipalArn::parse(matcher_role)?,
            other_senders: Vec::new(),
            inbox_key_arn: outputs.get("InboxKeyArn").cloned(),
        })
    }

    async fn onboard_one(&self, host: &InboxHost, number: u32) -> Result<Participant, DeploymentError> {
        let principal = principal_of(number)?;
        let account = &self.stack.plan().deployment.account;
        let applicant = Applicant {
            principal: principal.clone(),
            receiver: PrincipalArn::parse(&format!("arn:aws:iam::{account}:role/counterparty-{number}"))?,
            exclusions: BTreeSet::new(),
        };
        let drawn = ReservationRecord::draw(&principal, &mut Drawn);
        let onboarded = onboard(&self.ports, host, &applicant, &drawn).await;
        let counterparty = onboarded.map_err(|source| DeploymentError::Onboarding { number, source })?;
        let inbox_url = counterparty
            .inboxes
            .get(&host.region)
            .cloned()
            .unwrap_or_default();
        Ok(Participant {
            number,
            id: counterparty.id,
            principal,
            inbox_url,
        })
    }

    /// The stack that it stands on.
    #[must_use]
    pub fn stack(&self) -> &LocalStack {
        &self.stack
    }

    /// Messages that the mapping gives the matcher at once.
    #[must_use]
    pub fn batch_size(&self) -> usize {
        self.batch_size
    }

    /// What was asked of AWS on the matcher's side.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, OperationCount> {
        self.meter.counts()
    }

    /// The parameters that were put.
    #[must_use]
    pub fn parameters(&self) -> &[MatchParameters] {
        &self.parameters
    }

    /// The counterparty of this number.
    ///
    /// # Errors
    /// [`DeploymentError::NobodyThere`] when it is not onboarded.
    pub fn participant(&self, number: u32) -> Result<&Participant, DeploymentError> {
        self.participants
            .get(&number)
            .ok_or(DeploymentError::NobodyThere(number))
    }

    /// The number of a counterparty.
    #[must_use]
    pub fn number_of(&self, id: &CounterpartyId) -> Option<u32> {
        self.participants
            .values()
            .find(|participant| participant.id == *id)
            .map(|participant| participant.number)
    }

    /// The opaque id of whoever has this principal.
    #[must_use]
    pub fn owner_of(&self, principal: &Principal) -> Option<CounterpartyId> {
        let mut everybody = self.participants.values();
        let found = everybody.find(|participant| participant.principal == *principal);
        found.map(|participant| participant.id.clone())
    }

    /// Sends up to ten messages to the intake queue, each stamped as its sender's of its time.
    ///
    /// # Errors
    /// [`DeploymentError::Queue`] when the queue does not take one.
    pub async fn send_ten(&self, messages: &[Sent]) -> Result<(), DeploymentError> {
        let mut call = self.runner.sqs.send_message_batch().queue_url(&self.intake_url);
        for (index, message) in messages.iter().enumerate() {
            let entry = SendMessageBatchRequestEntry::builder()
                .id(index.to_string())
                .message_body(&message.body);
            call = call.entries(entry.build().map_err(queue_error)?);
        }
        let answer = call.send().await.map_err(queue_error)?;
        if let Some(failed) = answer.failed.first() {
            return Err(queue_error(std::io::Error::other(failed.code.clone())));
        }
        for taken in &answer.successful {
            let index: Option<usize> = taken.id.parse().ok();
            if let Some(message) = index.and_then(|index| messages.get(index)) {
                let principal = match &message.sender {
                    Sender::Counterparty(number) => self.participant(*number)?.principal.as_str(),
                    Sender::Principal(principal) => principal,
                };
                let stamp = Stamp::at(principal, message.at_millis);
                self.stack.stamps().register(&taken.message_id, stamp);
            }
        }
        Ok(())
    }

    /// The unique id of the matcher's own role.
    ///
    /// # Errors
    /// [`DeploymentError::Stack`] when the template gives it none.
    pub fn own_role(&self) -> Result<String, DeploymentError> {
        Ok(self.stack.function_role_id(MATCHER)?)
    }

    /// Sends dead letters that SQS moved by itself to the intake queue again, each under a new id and in an envelope
    /// with its first sender and time, as the redrive does.
    ///
    /// # Errors
    /// [`DeploymentError::Queue`] when a letter fits no envelope, or the queue does not take it.
    pub async fn send_again(&self, letters: &[DeadLetter]) -> Result<(), DeploymentError> {
        // The matcher opens its own role's envelopes, and so will it the redrive's.
        let sqs = self.stack.clients(&self.own_role()?).sqs;
        for letter in letters {
            let envelope = letter.envelope().map_err(queue_error)?;
            let send = sqs.send_message().queue_url(&self.intake_url);
            send.message_body(envelope.to_json())
                .send()
                .await
                .map_err(queue_error)?;
        }
        Ok(())
    }

    /// Takes the inbox of a counterparty away, as nobody should.
    ///
    /// # Errors
    /// [`DeploymentError::Queue`] when SQS refuses.
    pub async fn delete_inbox(&self, number: u32) -> Result<(), DeploymentError> {
        let url = &self.participant(number)?.inbox_url;
        let delete = self.runner.sqs.delete_queue().queue_url(url);
        delete.send().await.map(drop).map_err(queue_error)
    }

    /// Onboards a counterparty again: what is there stays as it is, what is missing is made.
    ///
    /// # Errors
    /// [`DeploymentError::Onboarding`] when it cannot be onboarded.
    pub async fn onboard_again(&self, number: u32) -> Result<(), DeploymentError> {
        self.onboard_one(&self.inbox_host()?, number).await.map(drop)
    }

    /// A cold process of the matcher at the intake queue.
    ///
    /// # Errors
    /// [`DeploymentError::Stack`] when the template does not map the queue to it.
    pub fn process(&self, options: &ProcessOptions) -> Result<Process, DeploymentError> {
        Ok(Process::start(&self.stack, &self.settings, &self.meter, options)?)
    }

    /// One batch of so many messages to `handler` in the matcher's place.
    ///
    /// # Errors
    /// [`DeploymentError::Poll`] when SQS refuses.
    pub async fn hand_over<H, F>(&self, messages: usize, handler: H) -> Result<Delivery, DeploymentError>
    where
        H: Fn(Value) -> F,
        F: Future<Output = Result<Value, String>>,
    {
        let polled = self
            .stack
            .poller(self.stack.mapping(MATCHER)?)
            .poll_at_most(messages, Duration::ZERO, handler)
            .await;
        polled.map_err(|error| DeploymentError::Poll(Box::new(error)))
    }

    /// The tables, for who fills them without the matcher: a client of no function's, and their names.
    #[must_use]
    pub fn storage(&self) -> (&aws_sdk_dynamodb::Client, &TableNames) {
        (&self.runner.dynamodb, &self.settings.resources.tables)
    }

    /// Empties every inbox, as its counterparty would: number → bodies.
    ///
    /// # Errors
    /// [`DeploymentError::Queue`] when SQS refuses.
    pub async fn drain_inboxes(&self) -> Result<Vec<(u32, Vec<String>)>, DeploymentError> {
        let everybody: Vec<u32> = self.participants.keys().copied().collect();
        self.drain_inboxes_of(&everybody).await
    }

    /// Empties the inboxes of these counterparties.
    ///
    /// # Errors
    /// [`DeploymentError::Queue`] when SQS refuses.
    pub async fn drain_inboxes_of(
        &self,
        numbers: &[u32],
    ) -> Result<Vec<(u32, Vec<String>)>, DeploymentError> {
        let drains = numbers.iter().map(|number| async {
            let participant = self.participant(*number)?;
            let messages = self.drain(&participant.inbox_url).await?;
            let bodies = messages.into_iter().filter_map(|message| message.body);
            Ok((participant.number, bodies.collect()))
        });
        stream::iter(drains)
            .buffer_unordered(INBOXES_AT_ONCE)
            .try_collect()
            .await
    }

    /// Empties the dead-letter queue.
    ///
    /// # Errors
    /// [`DeploymentError::Queue`] when SQS refuses.
    pub async fn drain_dead_letters(&self) -> Result<Vec<DeadLetter>, DeploymentError> {
        let letters = self.drain(&self.settings.resources.dead_letter_queue_url).await?;
        Ok(letters.into_iter().map(DeadLetter::of).collect())
    }

    async fn drain(&self, queue_url: &str) -> Result<Vec<Message>, DeploymentError> {
        let sqs = &self.runner.sqs;
        let mut drained = Vec::new();
        loop {
            let receive = sqs
                .receive_message()
                .queue_url(queue_url)
                .max_number_of_messages(10)
                .message_system_attribute_names(MessageSystemAttributeName::All)
                .message_attribute_names("All")
                .wait_time_seconds(0);
            let received = receive
                .send()
                .await
                .map_err(queue_error)?
                .messages
                .unwrap_or_default();
            if received.is_empty() {
                return Ok(drained);
            }
            let mut delete = sqs.delete_message_batch().queue_url(queue_url);
            for (index, message) in received.iter().enumerate() {
                let entry = DeleteMessageBatchRequestEntry::builder().id(index.to_string());
                let entry = entry.receipt_handle(message.receipt_handle().unwrap_or_default());
                delete = delete.entries(entry.build().map_err(queue_error)?);
            }
            drained.extend(received);
            // What could not be deleted comes again: a copy, as a consumer must expect.
            delete.send().await.map_err(queue_error)?;
        }
    }

    /// What the tables hold.
    ///
    /// # Errors
    /// [`DeploymentError::Tables`] when they cannot be read.
    pub async fn tables(&self) -> Result<Tables, DeploymentError> {
        Ok(tables::read(
            &self.runner.dynamodb,
            &self.settings.resources.tables,
            &self.ports,
        )
        .await?)
    }

    /// What the registry says of everybody.
    ///
    /// # Errors
    /// [`DeploymentError::Registry`] when it cannot be read.
    pub async fn registered(&self) -> Result<Vec<Counterparty>, DeploymentError> {
        let ids: Vec<_> = self
            .participants
            .values()
            .map(|participant| participant.id.clone())
            .collect();
        self.ports
            .read_counterparties(&ids)
            .await
            .map_err(DeploymentError::Registry)
    }

    /// Ends it; everything in it is gone.
    pub async fn shut_down(self) {
        self.stack.shut_down().await;
    }
}

fn queue_error<E: std::error::Error + Send + Sync + 'static>(source: E) -> DeploymentError {
    DeploymentError::Queue(Box::new(source))
}

/// The matcher's settings, from the environment that the template gives it.
fn settings(stack: &LocalStack) -> Result<Settings, DeploymentError> {
    let mut variables: HashMap<String, String> = stack.environment(MATCHER)?.into_iter().collect();
    variables.insert("AWS_REGION".to_owned(), stack.endpoints().region.clone());
    Ok(Settings::from_vars(&variables)?)
}
