//! The market of a run: who trades what, the flow they send, and the judgement at the end.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use matcher::settings::OwnRoles;
use matcher::{Matcher, Surroundings};
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use serde_json::json;
use symbolon_shared::domain::counterparty::Counterparty;
use symbolon_shared::domain::identifiers::{CounterpartyId, InvalidIdentifier, OrderKey, Principal};
use symbolon_shared::domain::intake::{Member, parse_body};
use symbolon_shared::domain::invariants::{Evidence, Sent, SetAside};
use symbolon_shared::domain::time::Timestamp;
use symbolon_shared::testing::MemoryPorts;
use tokio::time::Instant;

use super::SimulationError;
use super::cloud::Cloud;
use super::configuration::Configuration;
use super::flow::{self, Message};
use super::mapping::Mapping;
use super::ports::TimedPorts;
use super::queue::{IntakeQueue, Sending};
use super::row::Row;

/// The region that matches.
pub(super) const REGION: &str = "us-east-1";

/// When a run begins: noon, so that no run sees midnight and its new key.
const START: Timestamp = Timestamp::from_millis(1_795_435_200_000); // 2026-11-23T12:00:00Z

/// Virtual time as the functions' wall clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    began: Instant,
}

impl Clock {
    fn start() -> Self {
        Self {
            began: Instant::now(),
        }
    }

    pub(super) fn now(self) -> Timestamp {
        self.at(Instant::now())
    }

    fn at(self, moment: Instant) -> Timestamp {
        let millis = moment.duration_since(self.began).as_millis();
        START.plus_millis(i64::try_from(millis).unwrap_or(i64::MAX))
    }
}

/// Runs one configuration.
pub(super) async fn trade(configuration: &Configuration) -> Result<Row, SimulationError> {
    let clock = Clock::start();
    let memory = open(configuration)?;
    let messages = flow::messages(configuration);
    let sent = everything_sent(&messages)?;
    let cloud = Arc::new(Cloud::new(configuration.aws.clone(), configuration.seed));
    let mapping = Arc::new(Mapping {
        queue: enqueue(configuration, clock, messages),
        configuration: configuration.clone(),
        cloud: Arc::clone(&cloud),
        clock,
    });
    let roles = OwnRoles {
        matcher: Principal::new("AROAMATCHER").map_err(invalid)?,
        redrive: None,
        bulk: None,
    };
    let matcher = |n: usize| {
        let ports = TimedPorts::new(memory.clone(), Arc::clone(&cloud));
        Matcher::new(
            ports,
            REGION.to_owned(),
            roles.clone(),
            surroundings(clock, configuration.seed, n),
        )
    };
    let pollers = mapping
        .run(matcher)
        .await
        .map_err(|_| SimulationError::Panicked)?;
    let outcome = mapping.queue.outcome();
    let mut evidence: Evidence = memory.evidence(REGION, clock.now(), sent, Vec::new())?;
    let moved = outcome.dead.iter().map(|body| SetAside {
        reason: None,
        body: body.clone(),
    });
    evidence.set_aside.extend(moved);
    Ok(Row::of(
        configuration,
        clock.began,
        pollers,
        &outcome,
        &cloud.counts(),
        &evidence,
    ))
}

fn invalid(error: InvalidIdentifier) -> SimulationError {
    SimulationError::Configuration(error.to_string())
}

/// Counterparties with their inboxes, and symbols with their parameters.
fn open(configuration: &Configuration) -> Result<MemoryPorts, SimulationError> {
    let memory = MemoryPorts::new();
    for n in 1..=configuration.counterparties {
        let inboxes = BTreeMap::from([(REGION.to_owned(), format!("inbox-{n}"))]);
        let counterparty = Counterparty::new(owner(n)?, principal(n)?, inboxes);
        memory.put_counterparty(counterparty);
    }
    for n in 0..configuration.symbols {
        let parameters = json!({
            "v": 1, "symbol": flow::symbol(n), "tick": "0.01", "lot": "1", "pricePolicy": "resting",
            "currency": "USD", "tradable": true, "version": 1
        });
        let parameters = serde_json::from_value(parameters);
        memory.put_parameters(parameters.map_err(|error| SimulationError::Configuration(error.to_string()))?);
    }
    Ok(memory)
}

fn owner(n: usize) -> Result<CounterpartyId, SimulationError> {
    CounterpartyId::new(format!("cp-{n}")).map_err(invalid)
}

fn principal(n: usize) -> Result<Principal, SimulationError> {
    Principal::new(format!("AROACOUNTERPARTY{n:05}")).map_err(invalid)
}

/// The messages as the invariants know them, copies included.
fn everything_sent(messages: &[Message]) -> Result<Vec<Sent>, SimulationError> {
    let mut sent = Vec::with_capacity(messages.len());
    for message in messages {
        let sent_at = START.plus_millis(i64::try_from(message.sent_after.as_millis()).unwrap_or(i64::MAX));
        let members =
            parse_body(&message.body).map_err(|reason| SimulationError::Configuration(reason.to_string()))?;
        for member in members {
            let Member::Message(parsed) = member else {
                return Err(SimulationError::Configuration(
                    "a message without a clOrdId".to_owned(),
                ));
            };
            sent.push(Sent {
                order: OrderKey::new(owner(message.sender)?, parsed.cl_ord_id.clone()),
                message: parsed,
                sent_at,
            });
        }
    }
    Ok(sent)
}

/// The queue with everything that will be sent, out of order as far as the model says.
fn enqueue(configuration: &Configuration, clock: Clock, messages: Vec<Message>) -> IntakeQueue {
    let mut dice = StdRng::seed_from_u64(configuration.seed.wrapping_add(1));
    let sendings = messages.into_iter().map(|message| {
        let sent_at = clock.began + message.sent_after;
        let share: f64 = dice.random();
        Sending {
            sent_at,
            sent_millis: clock.at(sent_at).as_millis(),
            visible_at: sent_at + configuration.aws.disorder.mul_f64(share),
            sender: format!("AROACOUNTERPARTY{:05}:desk", message.sender),
            message,
        }
    });
    IntakeQueue::new(configuration.aws.max_receive_count, sendings)
}

/// A clock and randomness of its own for the `n`th handler.
fn surroundings(clock: Clock, seed: u64, n: usize) -> Surroundings {
    let mut own = [0; 32];
    own[..8].copy_from_slice(&seed.to_be_bytes());
    own[8..16].copy_from_slice(&(n as u64).to_be_bytes());
    let dice = Mutex::new(StdRng::from_seed(own));
    Surroundings {
        clock: Box::new(move || clock.now()),
        seed: Box::new(move || {
            let mut seed = [0; 32];
            dice.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .fill_bytes(&mut seed);
            seed
        }),
    }
}
