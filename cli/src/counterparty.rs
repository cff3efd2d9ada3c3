//! `counterparty`: who takes part, and how they stand.

mod show;

use std::collections::BTreeSet;

use rand::Rng as _;
use symbolon_shared::aws::AwsPorts;
use symbolon_shared::domain::counterparty::Standing;
use symbolon_shared::domain::decision::Entropy;
use symbolon_shared::domain::identifiers::{CounterpartyId, Principal};
use symbolon_shared::onboarding::{
    Applicant, InboxHost, OnboardingError, PrincipalArn, RegistryDirectory as _, Site, exclude, onboard_at,
    set_standing,
};
use symbolon_shared::ports::{PortError, Registry as _};
use symbolon_shared::records::ReservationRecord;

use crate::arguments::CounterpartyCommand;
use crate::deployment::Deployment;
use crate::failure::Failure;
use crate::print::{Printer, note};
use crate::settings::Settings;

const NEEDED: &[&str] = &["RegistryTable"];

/// The operating system's randomness.
struct Drawn;

impl Entropy for Drawn {
    fn fill(&mut self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}

pub(crate) async fn run(
    command: CounterpartyCommand,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<(), Failure> {
    match command {
        CounterpartyCommand::Add {
            name,
            principal,
            exclude,
        } => {
            let exclusions = exclude.into_iter().collect();
            add(&name, principal, exclusions, settings, printer).await
        }
        CounterpartyCommand::List => {
            let (deployment, ports) = registry(settings).await?;
            let read = ports.read_directory().await;
            let everybody = read.map_err(|error| deployment.explain_to_staff(&error, "list the registry"))?;
            show::list(&everybody.listed(), printer)
        }
        CounterpartyCommand::Suspend { id } => stand(&id, Standing::Suspended, settings, printer).await,
        CounterpartyCommand::Resume { id } => stand(&id, Standing::Active, settings, printer).await,
        CounterpartyCommand::Exclude { one, other } => keep_apart(&one, &other, settings, printer).await,
    }
}

async fn registry(settings: &Settings) -> Result<(Deployment, AwsPorts), Failure> {
    let deployment = Deployment::primary(settings).await?;
    let ports = deployment.ports(NEEDED)?;
    Ok((deployment, ports))
}

fn host(deployment: &Deployment, all_senders: &[PrincipalArn]) -> Result<InboxHost, Failure> {
    let own = deployment.inbox_senders()?;
    let matcher_role = own
        .first()
        .cloned()
        .ok_or_else(|| Failure::new("no role sends to inboxes"))?;
    let others = all_senders.iter().filter(|sender| **sender != matcher_role);
    Ok(InboxHost {
        region: deployment.region().to_owned(),
        stack: deployment.stack()?.to_owned(),
        other_senders: others.cloned().collect(),
        inbox_key_arn: deployment.outputs.find("InboxKeyArn").map(str::to_owned),
        matcher_role,
    })
}

async fn add(
    name: &str,
    principal: Principal,
    exclusions: BTreeSet<CounterpartyId>,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<(), Failure> {
    let (deployment, ports) = registry(settings).await?;
    let peer = Deployment::peer(settings).await?;
    let regions: Vec<&Deployment> = std::iter::once(&deployment).chain(&peer).collect();
    let hosts = hosts(&regions)?;
    let receiver = receiver(name, &hosts)?;
    let doing = format!("onboard {name}");
    let refused = |error: &PortError| deployment.explain_to_staff(error, &doing);
    no_region_is_left_out(&ports, &principal, &regions, &refused).await?;
    let makers = regions
        .iter()
        .map(|region| region.ports(&[]))
        .collect::<Result<Vec<_>, _>>()?;
    let sites: Vec<Site<'_, AwsPorts>> = hosts
        .iter()
        .zip(&makers)
        .map(|(host, inboxes)| Site { host, inboxes })
        .collect();
    let drawn = ReservationRecord::draw(&principal, &mut Drawn).named(name);
    let applicant = Applicant {
        principal,
        receiver,
        exclusions,
    };
    let onboarded = onboard_at(&ports, &sites, &applicant, &drawn).await;
    let (counterparty, kept) = onboarded.map_err(|error| match error {
        OnboardingError::Port(error) => {
            let advice = "when that is mended, repeat the same command: it goes on where it ended";
            refused(&error).also(advice)
        }
        other => explain(&other, &doing),
    })?;
    show::onboarded(&hosts, &counterparty, &kept, printer)?;
    if peer.is_none() {
        note(&format!(
            "note: inbox in {} only; for the standby's, repeat with --peer-region",
            deployment.region()
        ));
    }
    Ok(())
}

fn hosts(regions: &[&Deployment]) -> Result<Vec<InboxHost>, Failure> {
    let mut senders = Vec::new();
    for region in regions {
        senders.extend(region.inbox_senders()?);
    }
    regions.iter().map(|region| host(region, &senders)).collect()
}

fn receiver(name: &str, hosts: &[InboxHost]) -> Result<PrincipalArn, Failure> {
    let role = hosts
        .first()
        .map(|host| host.matcher_role.counterparty_role(&host.stack, name));
    role.and_then(Result::ok).ok_or_else(|| {
        Failure::usage(format!("{name} cannot be the name of a role"))
            .because("a role's name is 1 to 64 of A-Z a-z 0-9 + = , . @ _ -")
            .advice("give the role's name alone, without its path")
    })
}

/// A repetition that names fewer regions than before would take the others' senders out of the inboxes' policies.
async fn no_region_is_left_out(
    ports: &AwsPorts,
    principal: &Principal,
    regions: &[&Deployment],
    refused: &dyn Fn(&PortError) -> Failure,
) -> Result<(), Failure> {
    let found = ports.find_principals(std::slice::from_ref(principal)).await;
    let ids: Vec<CounterpartyId> = found
        .map_err(|error| refused(&error))?
        .into_iter()
        .map(|(_, id)| id)
        .collect();
    let known = ports
        .read_counterparties(&ids)
        .await
        .map_err(|error| refused(&error))?;
    let named: BTreeSet<&str> = regions.iter().map(|region| region.region()).collect();
    let mut inboxes = known.iter().flat_map(|counterparty| counterparty.inboxes.keys());
    match inboxes.find(|region| !named.contains(region.as_str())) {
        None => Ok(()),
        Some(left_out) => Err(
            Failure::usage(format!("its inbox in {left_out} would be left out"))
                .because("it is onboarded there, too, and all its inboxes are brought up to date together")
                .advice(format!(
                    "name both regions: --region and --peer-region, one of them {left_out}"
                )),
        ),
    }
}

fn explain(error: &OnboardingError, doing: &str) -> Failure {
    let advice = match error {
        OnboardingError::Port(_) | OnboardingError::Contention => "run it again: that is safe",
        OnboardingError::UnknownCounterparty => "`symbolon counterparty list` shows who there is",
        OnboardingError::PrincipalTaken => "`symbolon counterparty list` shows whose role that is",
        OnboardingError::NamedOtherwise => {
            "`symbolon counterparty list` shows the name; repeat it with that one"
        }
        OnboardingError::StackNameTooLong => "a stack's name may have 47 characters",
    };
    Failure::new(format!("cannot {doing}"))
        .because(error.to_string())
        .advice(advice)
}

async fn stand(
    id: &CounterpartyId,
    standing: Standing,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<(), Failure> {
    let (deployment, ports) = registry(settings).await?;
    let doing = match standing {
        Standing::Suspended => format!("suspend {}", id.as_str()),
        Standing::Active => format!("resume {}", id.as_str()),
    };
    let changed = set_standing(&ports, id, standing).await;
    let counterparty = changed.map_err(|error| match error {
        OnboardingError::Port(error) => deployment.explain_to_staff(&error, &doing),
        other => explain(&other, &doing),
    })?;
    show::standing(&counterparty, printer)
}

async fn keep_apart(
    one: &CounterpartyId,
    other: &CounterpartyId,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<(), Failure> {
    if one == other {
        return Err(Failure::usage("these are one and the same counterparty")
            .advice("name two: nobody is ever matched with itself"));
    }
    let (deployment, ports) = registry(settings).await?;
    let doing = format!("keep {} and {} apart", one.as_str(), other.as_str());
    let excluded = exclude(&ports, one, other).await;
    excluded.map_err(|error| match error {
        OnboardingError::Port(error) => deployment.explain_to_staff(&error, &doing),
        other => explain(&other, &doing),
    })?;
    show::apart(one, other, printer)
}
