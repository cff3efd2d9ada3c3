//! Onboarding: how a counterparty gets its opaque id, its inbox queue and its place in the registry, and how what
//! is kept of it and of symbols changes later.
//!
//! Every function here may be repeated: after a crash, after a lost response, or for good measure. A name that is
//! drawn at random is written down before anything is made under it, and the item by which SQS's `SenderId` is
//! recognised is written last: whoever is half onboarded is a stranger.
//!
//! What it is **not**: the matcher's. Its ports ask for permissions that no function has.

mod directory;
mod policy;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use data_encoding::BASE32_NOPAD;

use crate::domain::counterparty::{Counterparty, Standing};
use crate::domain::decision::Entropy;
use crate::domain::identifiers::{CounterpartyId, Principal};
use crate::domain::parameters::MatchParameters;
use crate::ports::{ParameterStore, PortError, Registry};
use crate::records::ReservationRecord;

pub use self::directory::{Directory, Listed, RegistryDirectory};
pub use self::policy::{InvalidArn, PrincipalArn, inbox_policy};

/// SQS: characters of a queue's name.
const MAX_QUEUE_NAME: usize = 80;

/// How often a change is made again because somebody else changed the same item in between.
const MAX_TRIES: usize = 5;

/// Changes the registry. IAM: `dynamodb:GetItem`, `dynamodb:PutItem`, `dynamodb:UpdateItem` on `registry`, for
/// whoever onboards.
pub trait RegistryAdmin {
    /// Keeps the names drawn for a principal unless some were kept before, and gives those that are kept. May be
    /// repeated.
    fn reserve(
        &self,
        offered: &ReservationRecord,
    ) -> impl Future<Output = Result<ReservationRecord, PortError>> + Send;

    /// Stores a counterparty unless it is known; `false` when it is. A repetition after a lost response gives
    /// `false`.
    fn insert_counterparty(
        &self,
        counterparty: &Counterparty,
    ) -> impl Future<Output = Result<bool, PortError>> + Send;

    /// Changes a counterparty's inboxes, exclusions and standing, on condition that they are still `read`; `false`
    /// when they are not. A repetition after a lost response gives `false`.
    fn replace_counterparty(
        &self,
        read: &Counterparty,
        new: &Counterparty,
    ) -> impl Future<Output = Result<bool, PortError>> + Send;

    /// Makes a principal known as a counterparty; `false` when it is known as another. May be repeated.
    fn admit_principal(
        &self,
        principal: &Principal,
        id: &CounterpartyId,
    ) -> impl Future<Output = Result<bool, PortError>> + Send;
}

/// Changes match parameters. IAM: `dynamodb:PutItem` on `parameters`, for whoever sets them.
pub trait ParameterAdmin {
    /// Stores the parameters of a symbol, on condition that its stored version is `read`, or that it has none;
    /// `false` when that is not so. A repetition after a lost response gives `false`.
    fn replace_parameters(
        &self,
        read: Option<u64>,
        new: &MatchParameters,
    ) -> impl Future<Output = Result<bool, PortError>> + Send;
}

/// An inbox queue as it shall be.
#[derive(Clone, PartialEq, Eq)]
pub struct InboxQueue {
    /// Its name.
    pub name: String,
    /// Who may do what with it, as JSON.
    pub policy: String,
    /// The customer key that encrypts it; SQS's own without one.
    pub kms_key_arn: Option<String>,
}

/// Makes inbox queues. IAM: `sqs:CreateQueue`, `sqs:GetQueueUrl`, `sqs:SetQueueAttributes` on `<stack>-inbox-*`, for
/// whoever onboards.
pub trait InboxAdmin {
    /// Makes the queue, or brings it to what it shall be, and gives its URL. May be repeated.
    fn create_inbox(&self, queue: &InboxQueue) -> impl Future<Output = Result<String, PortError>> + Send;
}

/// Where inboxes are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxHost {
    /// The AWS region.
    pub region: String,
    /// The stack.
    pub stack: String,
    /// The matcher's role: the first of those that may send. Its account is where the queues are.
    pub matcher_role: PrincipalArn,
    /// The other roles that may send: the relay's, and those of the other region.
    pub other_senders: Vec<PrincipalArn>,
    /// The customer key that encrypts the inboxes, if they have one.
    pub inbox_key_arn: Option<String>,
}

/// One region of an onboarding: what its inbox is like, and who makes it.
#[derive(Debug)]
pub struct Site<'a, I> {
    /// Where the inbox is made.
    pub host: &'a InboxHost,
    /// Makes queues in that region.
    pub inboxes: &'a I,
}

/// Who is onboarded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applicant {
    /// Who SQS will say sent its messages.
    pub principal: Principal,
    /// The role by which it receives.
    pub receiver: PrincipalArn,
    /// Whom it does not want to meet. Those of an earlier onboarding stay.
    pub exclusions: BTreeSet<CounterpartyId>,
}

/// Why onboarding, or a change, did not come to its end. It may be repeated as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OnboardingError {
    /// A port failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// A counterparty that is named is not in the registry.
    #[error("there is no such counterparty")]
    UnknownCounterparty,
    /// The principal is known as another counterparty than the one reserved for it.
    #[error("the principal is another counterparty's")]
    PrincipalTaken,
    /// An earlier onboarding of the principal called it otherwise: its inbox is another role's to read.
    #[error("the principal was onboarded under another name")]
    NamedOtherwise,
    /// The stack's name leaves no room for a queue's.
    #[error("queue names have at most 80 characters: the stack's name is too long")]
    StackNameTooLong,
    /// Somebody else changes the same item, again and again.
    #[error("the item keeps changing")]
    Contention,
}

impl ReservationRecord {
    /// Draws the opaque id and the inbox's name. Neither follows from the other, or from anything else: whoever
    /// sees queue names learns nothing of ids, and an id says nothing of who it is.
    #[must_use]
    pub fn draw(principal: &Principal, entropy: &mut dyn Entropy) -> Self {
        let (mut id, mut name) = ([0; 16], [0; 16]);
        entropy.fill(&mut id);
        entropy.fill(&mut name);
        let inbox_name = BASE32_NOPAD.encode(&name).to_ascii_lowercase();
        Self::new(principal.clone(), CounterpartyId::from_random(id), inbox_name)
    }
}

/// Onboards a counterparty in one region, or brings an onboarded one up to date: another region's inbox, more
/// exclusions. Its standing stays as it is. `drawn` is used only where nothing was drawn for the principal before.
///
/// # Errors
/// [`OnboardingError`]; whatever was done by then is taken up by the next repetition.
pub async fn onboard<P>(
    ports: &P,
    host: &InboxHost,
    applicant: &Applicant,
    drawn: &ReservationRecord,
) -> Result<Counterparty, OnboardingError>
where
    P: Registry + RegistryAdmin + InboxAdmin + Sync,
{
    let site = Site { host, inboxes: ports };
    onboard_at(ports, &[site], applicant, drawn)
        .await
        .map(|(counterparty, _)| counterparty)
}

/// Onboards a counterparty in several regions at once: it is admitted when every inbox stands. Else as [`onboard`];
/// gives the names that are kept, too.
///
/// # Errors
/// [`OnboardingError`]; whatever was done by then is taken up by the next repetition.
pub async fn onboard_at<P, I>(
    ports: &P,
    sites: &[Site<'_, I>],
    applicant: &Applicant,
    drawn: &ReservationRecord,
) -> Result<(Counterparty, ReservationRecord), OnboardingError>
where
    P: Registry + RegistryAdmin + Sync,
    I: InboxAdmin + Sync,
{
    let too_long = |site: &Site<'_, I>| inbox_queue_name(&site.host.stack, drawn).len() > MAX_QUEUE_NAME;
    if sites.iter().any(too_long) {
        return Err(OnboardingError::StackNameTooLong);
    }
    all_known(ports, &applicant.exclusions).await?;
    let reserved = ports.reserve(drawn).await?;
    if reserved.name.is_some() && drawn.name.is_some() && reserved.name != drawn.name {
        return Err(OnboardingError::NamedOtherwise);
    }
    let mut inboxes = BTreeMap::new();
    for Site { host, inboxes: maker } in sites {
        let url = maker
            .create_inbox(&inbox_queue(host, applicant, &reserved))
            .await?;
        inboxes.insert(host.region.clone(), url);
    }
    let counterparty = enter(ports, applicant, &reserved, inboxes).await?;
    if ports
        .admit_principal(&applicant.principal, &counterparty.id)
        .await?
    {
        Ok((counterparty, reserved))
    } else {
        Err(OnboardingError::PrincipalTaken)
    }
}

/// The name of a counterparty's inbox queue.
#[must_use]
pub fn inbox_queue_name(stack: &str, reserved: &ReservationRecord) -> String {
    format!("{stack}-inbox-{}", reserved.inbox_name)
}

fn inbox_queue(host: &InboxHost, applicant: &Applicant, reserved: &ReservationRecord) -> InboxQueue {
    let name = inbox_queue_name(&host.stack, reserved);
    let senders: Vec<&PrincipalArn> = std::iter::once(&host.matcher_role)
        .chain(&host.other_senders)
        .collect();
    let queue_arn = host.matcher_role.queue_arn(&host.region, &name);
    InboxQueue {
        policy: inbox_policy(&queue_arn, &senders, &applicant.receiver),
        kms_key_arn: host.inbox_key_arn.clone(),
        name,
    }
}

/// Enters the counterparty into the registry, or adds to what is there.
async fn enter<P: Registry + RegistryAdmin + Sync>(
    ports: &P,
    applicant: &Applicant,
    reserved: &ReservationRecord,
    inboxes: BTreeMap<String, String>,
) -> Result<Counterparty, OnboardingError> {
    let id = &reserved.counterparty;
    let mut new = Counterparty::new(id.clone(), applicant.principal.clone(), inboxes.clone());
    new.exclusions.clone_from(&applicant.exclusions);
    if ports.insert_counterparty(&new).await? {
        return Ok(new);
    }
    change(ports, id, |known| {
        known.inboxes.extend(inboxes.clone());
        known.exclusions.extend(applicant.exclusions.iter().cloned());
    })
    .await
}

/// Keeps two counterparties apart from now on, whoever of them is asked: one who does not want to meet the other is
/// enough.
///
/// # Errors
/// [`OnboardingError::UnknownCounterparty`] when one of them is not in the registry.
pub async fn exclude<P: Registry + RegistryAdmin + Sync>(
    ports: &P,
    id: &CounterpartyId,
    other: &CounterpartyId,
) -> Result<Counterparty, OnboardingError> {
    all_known(ports, &BTreeSet::from([other.clone()])).await?;
    change(ports, id, |known| {
        known.exclusions.insert(other.clone());
    })
    .await
}

/// Sets whom a counterparty does not want to meet.
///
/// # Errors
/// [`OnboardingError::UnknownCounterparty`] when it, or one of them, is not in the registry.
pub async fn set_exclusions<P: Registry + RegistryAdmin + Sync>(
    ports: &P,
    id: &CounterpartyId,
    exclusions: &BTreeSet<CounterpartyId>,
) -> Result<Counterparty, OnboardingError> {
    all_known(ports, exclusions).await?;
    change(ports, id, |known| known.exclusions.clone_from(exclusions)).await
}

/// Suspends a counterparty, or lets it trade again.
///
/// # Errors
/// [`OnboardingError::UnknownCounterparty`] when it is not in the registry.
pub async fn set_standing<P: Registry + RegistryAdmin + Sync>(
    ports: &P,
    id: &CounterpartyId,
    standing: Standing,
) -> Result<Counterparty, OnboardingError> {
    change(ports, id, |known| known.standing = standing).await
}

/// Sets the parameters of a symbol. The version is counted here, whatever `wanted` says, and stays when nothing
/// changes.
///
/// # Errors
/// [`OnboardingError`].
pub async fn put_parameters<P: ParameterStore + ParameterAdmin + Sync>(
    ports: &P,
    wanted: &MatchParameters,
) -> Result<MatchParameters, OnboardingError> {
    for _try in 0..MAX_TRIES {
        let stored = ports
            .read_parameters(std::slice::from_ref(&wanted.symbol))
            .await?
            .pop();
        let read = stored.as_ref().map(|stored| stored.version);
        let same = MatchParameters {
            version: read.unwrap_or_default(),
            ..wanted.clone()
        };
        if stored.as_ref() == Some(&same) {
            return Ok(same);
        }
        let new = MatchParameters {
            version: same.version.saturating_add(1),
            ..same
        };
        if ports.replace_parameters(read, &new).await? {
            return Ok(new);
        }
    }
    Err(OnboardingError::Contention)
}

/// Reads, changes and writes, until nobody else does so in between.
async fn change<P: Registry + RegistryAdmin + Sync>(
    ports: &P,
    id: &CounterpartyId,
    edit: impl Fn(&mut Counterparty) + Sync,
) -> Result<Counterparty, OnboardingError> {
    for _try in 0..MAX_TRIES {
        let read = ports.read_counterparties(std::slice::from_ref(id)).await?.pop();
        let read = read.ok_or(OnboardingError::UnknownCounterparty)?;
        let mut new = read.clone();
        edit(&mut new);
        if new == read || ports.replace_counterparty(&read, &new).await? {
            return Ok(new);
        }
    }
    Err(OnboardingError::Contention)
}

async fn all_known<P: Registry + Sync>(
    ports: &P,
    ids: &BTreeSet<CounterpartyId>,
) -> Result<(), OnboardingError> {
    let wanted: Vec<CounterpartyId> = ids.iter().cloned().collect();
    let known = ports.read_counterparties(&wanted).await?;
    if known.len() == wanted.len() {
        Ok(())
    } else {
        Err(OnboardingError::UnknownCounterparty)
    }
}
