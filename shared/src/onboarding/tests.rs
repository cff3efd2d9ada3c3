//! Onboarding on memory, and on memory that fails at every point.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::domain::decimal::{Price, Quantity};
use crate::domain::identifiers::Symbol;
use crate::domain::parameters::PricePolicy;
use crate::testing::{FaultyPorts, Injection, MemoryPorts, Operation, Script};

/// Bytes that differ from call to call, and from source to source.
struct Counting(u8);

impl Entropy for Counting {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.0 = self.0.wrapping_add(1);
        bytes.fill(self.0);
    }
}

fn arn(name: &str) -> PrincipalArn {
    PrincipalArn::parse(&format!("arn:aws:iam::123456789012:role/{name}")).unwrap()
}

fn host(region: &str) -> InboxHost {
    InboxHost {
        region: region.to_owned(),
        stack: "symbolon".to_owned(),
        matcher_role: arn("matcher"),
        other_senders: vec![arn("relay")],
        inbox_key_arn: Some("arn:aws:kms:us-east-1:123456789012:key/k".to_owned()),
    }
}

fn applicant(name: &str) -> Applicant {
    Applicant {
        principal: Principal::new(name).unwrap(),
        receiver: arn(name),
        exclusions: BTreeSet::new(),
    }
}

async fn add<P>(
    ports: &P,
    region: &str,
    applicant: &Applicant,
    seed: u8,
) -> Result<Counterparty, OnboardingError>
where
    P: Registry + RegistryAdmin + InboxAdmin + Sync,
{
    let drawn = ReservationRecord::draw(&applicant.principal, &mut Counting(seed));
    onboard(ports, &host(region), applicant, &drawn).await
}

async fn known(ports: &MemoryPorts, principal: &Principal) -> Option<CounterpartyId> {
    let found = ports
        .find_principals(std::slice::from_ref(principal))
        .await
        .unwrap();
    found.into_iter().next().map(|(_, id)| id)
}

#[tokio::test]
async fn a_counterparty_gets_id_queue_and_place() {
    let ports = MemoryPorts::new();
    let acme = applicant("AROAACME");
    let added = add(&ports, "us-east-1", &acme, 0).await.unwrap();
    assert_eq!(known(&ports, &acme.principal).await.as_ref(), Some(&added.id));
    assert_eq!(ports.counterparties(), std::slice::from_ref(&added));
    let queues = ports.queues();
    let queue = &queues[&added.inboxes["us-east-1"]];
    assert!(queue.name.starts_with("symbolon-inbox-") && queue.name.len() == "symbolon-inbox-".len() + 26);
    assert_eq!(queue.kms_key_arn, host("us-east-1").inbox_key_arn);
    assert!(queue.policy.contains("role/relay") && queue.policy.contains("role/AROAACME"));
    // Whoever knows the queue's name does not know the id.
    let id = added.id.as_str().trim_start_matches("cp-");
    assert!(!queue.name.contains(id));
}

#[tokio::test]
async fn repeating_changes_nothing_and_takes_nothing_back() {
    let ports = MemoryPorts::new();
    let other = add(&ports, "us-east-1", &applicant("AROAOTHER"), 100)
        .await
        .unwrap();
    let mut acme = applicant("AROAACME");
    acme.exclusions.insert(other.id.clone());
    let first = add(&ports, "us-east-1", &acme, 0).await.unwrap();
    set_standing(&ports, &first.id, Standing::Suspended)
        .await
        .unwrap();
    acme.exclusions.clear();
    let again = add(&ports, "us-east-1", &acme, 50).await.unwrap();
    assert_eq!(again.id, first.id);
    assert_eq!(again.exclusions, BTreeSet::from([other.id]));
    assert_eq!(again.standing, Standing::Suspended);
    assert_eq!(ports.queues().len(), 2);
}

#[tokio::test]
async fn the_other_region_adds_its_inbox() {
    let ports = MemoryPorts::new();
    let acme = applicant("AROAACME");
    let east = add(&ports, "us-east-1", &acme, 0).await.unwrap();
    let both = add(&ports, "us-west-2", &acme, 50).await.unwrap();
    assert_eq!(both.id, east.id);
    assert!(both.inboxes.keys().eq(["us-east-1", "us-west-2"]));
}

#[tokio::test]
async fn who_is_broken_off_between_two_regions_is_a_stranger() {
    let acme = applicant("AROAACME");
    let drawn = ReservationRecord::draw(&acme.principal, &mut Counting(0)).named("acme");
    let memory = MemoryPorts::new();
    let (east, west) = (host("us-east-1"), host("us-west-2"));
    let faulty = FaultyPorts::new(
        memory.clone(),
        Script::of([(Operation::CreateInbox, 2, Injection::RequestLost)]),
    );
    let at = |inboxes| [&east, &west].map(|host| Site { host, inboxes });
    assert!(onboard_at(&faulty, &at(&faulty), &acme, &drawn).await.is_err());
    assert_eq!(known(&memory, &acme.principal).await, None);
    let (both, kept) = onboard_at(&faulty, &at(&faulty), &acme, &drawn).await.unwrap();
    assert_eq!(kept, drawn);
    assert!(both.inboxes.keys().eq(["us-east-1", "us-west-2"]));
    assert_eq!(known(&memory, &acme.principal).await, Some(both.id));
}

#[tokio::test]
async fn a_principal_keeps_the_name_it_was_onboarded_under() {
    let ports = MemoryPorts::new();
    let acme = applicant("AROAACME");
    let (host, drawn) = (
        host("us-east-1"),
        ReservationRecord::draw(&acme.principal, &mut Counting(0)),
    );
    // The local deployment names nobody.
    let first = onboard(&ports, &host, &acme, &drawn).await.unwrap();
    let named = onboard(&ports, &host, &acme, &drawn.clone().named("acme")).await;
    assert_eq!(named, Ok(first));
    let globex = applicant("AROAGLOBEX");
    let drawn = ReservationRecord::draw(&globex.principal, &mut Counting(50));
    onboard(&ports, &host, &globex, &drawn.clone().named("globex"))
        .await
        .unwrap();
    let otherwise = onboard(&ports, &host, &globex, &drawn.named("initech")).await;
    assert_eq!(otherwise, Err(OnboardingError::NamedOtherwise));
}

/// Does `injection` to the `at`th call of whatever operation; after it the caller is dead: no request arrives.
fn dying(at: u64, injection: &Injection) -> Script {
    let (calls, injection) = (Arc::new(AtomicU64::new(0)), injection.clone());
    Script::by(move |_, _| match calls.fetch_add(1, Ordering::Relaxed) + 1 {
        call if call < at => None,
        call if call == at => Some(injection.clone()),
        _ => Some(Injection::RequestLost),
    })
}

#[tokio::test]
async fn it_is_taken_up_wherever_it_was_broken_off() {
    let acme = applicant("AROAACME");
    for injection in [Injection::RequestLost, Injection::ResponseLost] {
        let mut broken_off = 0;
        for at in 1.. {
            let memory = MemoryPorts::new();
            let ports = FaultyPorts::new(memory.clone(), dying(at, &injection));
            if add(&ports, "us-east-1", &acme, 0).await.is_ok() {
                break;
            }
            broken_off += 1;
            let half = known(&memory, &acme.principal).await;
            // Known only once everything else is there.
            assert!(half.is_none() || memory.counterparties().len() == 1 && memory.queues().len() == 1);
            let whole = add(&memory, "us-east-1", &acme, 50).await.unwrap();
            assert_eq!(known(&memory, &acme.principal).await.as_ref(), Some(&whole.id));
            assert_eq!(memory.counterparties(), [whole], "{injection:?} at {at}");
            assert_eq!(memory.queues().len(), 1, "{injection:?} at {at}");
        }
        // Exclusions, reservation, queue, counterparty, principal.
        assert_eq!(broken_off, 5, "{injection:?}");
    }
}

#[tokio::test]
async fn a_principal_of_somebody_else_stays_theirs() {
    let ports = MemoryPorts::new();
    let acme = applicant("AROAACME");
    let id = CounterpartyId::new("cp-old").unwrap();
    ports.put_counterparty(Counterparty::new(
        id.clone(),
        acme.principal.clone(),
        BTreeMap::new(),
    ));
    let refused = add(&ports, "us-east-1", &acme, 0).await;
    assert_eq!(refused, Err(OnboardingError::PrincipalTaken));
    assert_eq!(known(&ports, &acme.principal).await, Some(id));
}

#[tokio::test]
async fn only_known_counterparties_are_excluded_or_changed() {
    let ports = MemoryPorts::new();
    let stranger = CounterpartyId::new("cp-stranger").unwrap();
    let mut acme = applicant("AROAACME");
    acme.exclusions.insert(stranger.clone());
    let unknown = Err(OnboardingError::UnknownCounterparty);
    assert_eq!(add(&ports, "us-east-1", &acme, 0).await, unknown);
    assert!(ports.queues().is_empty());
    acme.exclusions.clear();
    let acme = add(&ports, "us-east-1", &acme, 0).await.unwrap();
    assert_eq!(
        set_exclusions(&ports, &acme.id, &BTreeSet::from([stranger.clone()])).await,
        unknown
    );
    assert_eq!(
        set_standing(&ports, &stranger, Standing::Suspended).await,
        unknown
    );
}

#[tokio::test]
async fn exclusions_and_standing_change() {
    let ports = MemoryPorts::new();
    let one = add(&ports, "us-east-1", &applicant("AROAONE"), 0).await.unwrap();
    let two = add(&ports, "us-east-1", &applicant("AROATWO"), 50).await.unwrap();
    let excluding = set_exclusions(&ports, &one.id, &BTreeSet::from([two.id.clone()]))
        .await
        .unwrap();
    assert!(!excluding.may_meet(&two));
    let meeting = set_exclusions(&ports, &one.id, &BTreeSet::new()).await.unwrap();
    assert!(meeting.may_meet(&two));
    assert!(
        !set_standing(&ports, &one.id, Standing::Suspended)
            .await
            .unwrap()
            .may_meet(&two)
    );
    assert_eq!(set_standing(&ports, &one.id, Standing::Active).await, Ok(one));
}

#[tokio::test]
async fn two_are_kept_apart_beside_earlier_exclusions() {
    let ports = MemoryPorts::new();
    let mut ids = Vec::new();
    for (name, seed) in [("AROAONE", 0), ("AROATWO", 50), ("AROATHREE", 100)] {
        ids.push(add(&ports, "us-east-1", &applicant(name), seed).await.unwrap().id);
    }
    exclude(&ports, &ids[0], &ids[1]).await.unwrap();
    let apart = exclude(&ports, &ids[0], &ids[2]).await.unwrap();
    assert_eq!(apart.exclusions, ids[1..].iter().cloned().collect());
    let stranger = CounterpartyId::new("cp-stranger").unwrap();
    for (one, other) in [(&ids[0], &stranger), (&stranger, &ids[0])] {
        let unknown = Err(OnboardingError::UnknownCounterparty);
        assert_eq!(exclude(&ports, one, other).await, unknown);
    }
}

#[tokio::test]
async fn a_lost_response_of_a_change_is_found_out() {
    let memory = MemoryPorts::new();
    let one = add(&memory, "us-east-1", &applicant("AROAONE"), 0).await.unwrap();
    for (at, injection) in [(2, Injection::ResponseLost), (2, Injection::RequestLost)] {
        let ports = FaultyPorts::new(memory.clone(), dying(at, &injection));
        assert!(set_standing(&ports, &one.id, Standing::Suspended).await.is_err());
        let suspended = set_standing(&memory, &one.id, Standing::Suspended).await.unwrap();
        assert_eq!(suspended.standing, Standing::Suspended);
        set_standing(&memory, &one.id, Standing::Active).await.unwrap();
    }
}

fn parameters() -> MatchParameters {
    MatchParameters {
        symbol: Symbol::new("BTCUSD").unwrap(),
        tick: Price::parse("0.01").unwrap(),
        lot: Quantity::parse("1").unwrap(),
        price_policy: PricePolicy::Resting,
        currency: "USD".to_owned(),
        security_id: None,
        tradable: true,
        version: 77,
    }
}

#[tokio::test]
async fn versions_of_parameters_are_counted() {
    let ports = MemoryPorts::new();
    let version = async |wanted: MatchParameters| put_parameters(&ports, &wanted).await.unwrap().version;
    let halted = MatchParameters {
        tradable: false,
        ..parameters()
    };
    assert_eq!(version(parameters()).await, 1);
    assert_eq!(version(parameters()).await, 1, "nothing has changed");
    assert_eq!(version(halted.clone()).await, 2);
    assert_eq!(version(parameters()).await, 3);
    let stored = ports.read_parameters(&[halted.symbol]).await.unwrap();
    assert_eq!(
        stored,
        [MatchParameters {
            version: 3,
            ..parameters()
        }]
    );
}

#[tokio::test]
async fn a_stack_name_must_leave_room_for_the_queues() {
    let acme = applicant("AROAACME");
    let drawn = ReservationRecord::draw(&acme.principal, &mut Counting(0));
    for (length, fits) in [(47, true), (48, false)] {
        let host = InboxHost {
            stack: "s".repeat(length),
            ..host("us-east-1")
        };
        let outcome = onboard(&MemoryPorts::new(), &host, &acme, &drawn).await;
        assert_eq!(outcome.is_ok(), fits, "{length}");
    }
}
