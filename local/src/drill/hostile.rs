//! Hostile input: malformed bodies of every kind among good ones, on a wire that fails. Each must end as the contract
//! says, and the good ones be matched.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde_json::{Value, json};
use symbolon_shared::domain::envelope::{Envelope, Origin};
use symbolon_shared::domain::identifiers::CounterpartyId;
use symbolon_shared::domain::parameters::MatchParameters;
use symbolon_shared::domain::submission::OrdStatus;
use symbolon_shared::domain::time::Timestamp;
use symbolon_shared::testing::hostile::{Cast, End, Hostile, Item, MARK};
use tokio::time::Instant;

use super::leaks::Kind;
use super::storm::until_done;
use super::{DrillOptions, Secrets, StageReport, conclude, dice, under_fire};
use crate::deployment::{DeploymentError, now};
use crate::process::Process;
use crate::progress::Progress;
use crate::replay::{Sender, Sent};
use crate::report::HELD;
use crate::trial::{Judgement, Trial};

/// Everybody who takes part.
const COUNTERPARTIES: u32 = 6;
/// Matchers at the queue at once.
const PROCESSES: usize = 3;
/// Of so many malformed bodies there is one good one.
const MALFORMED_FOR_A_GOOD_ONE: usize = 20;
/// Messages that are sent before they are taken.
const WAVE: usize = 750;
/// Somebody whom no registry knows.
const STRANGER: &str = "AROASTRANGER000000001";
/// What the emulated SQS says behind the principal.
const SESSION: &str = ":local";

/// What is checked beside the invariants.
const ENDS: &str = "every hostile message ends as the contract says";

pub(super) async fn run(
    options: &DrillOptions,
    secrets: &mut Secrets,
    progress: &Progress,
) -> Result<StageReport, DeploymentError> {
    let started = Instant::now();
    let numbers: BTreeSet<u32> = (1..=COUNTERPARTIES).collect();
    let mut trial = Trial::start(numbers, vec![one_symbol()?]).await?;
    let faults = dice::faults(options.seed, dice::SELDOM);
    let mut processes = (0..PROCESSES)
        .map(|_| trial.process(&under_fire(&faults, None)))
        .collect::<Result<Vec<_>, _>>()?;
    let items = items(&trial, options)?;
    let mut returned = 0;
    let mut sent = Vec::with_capacity(items.len());
    for wave in items.chunks(WAVE) {
        let messages = messages(&trial, wave)?;
        sent.extend(messages.iter().map(|message| message.at_millis));
        trial.send(messages).await?;
        returned += one_wave(&mut trial, &mut processes, wave.len()).await?;
        progress.inc(wave.len() as u64);
    }
    returned += until_done(&mut trial, &mut processes).await?;
    secrets.add(MARK, Kind::Body);
    let verdict =
        |trial: &Trial, judgement: &Judgement| Some(Ends::of(trial, judgement).verdict(&items, &sent));
    let mut report = conclude(
        "hostile input",
        trial,
        &processes,
        &faults,
        returned,
        secrets,
        verdict,
    )
    .await?;
    report.notes.insert("bodies", counts(&items));
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}

/// Polls until about as many deliveries were made as were sent: what comes back comes later.
async fn one_wave(
    trial: &mut Trial,
    processes: &mut [Process],
    messages: usize,
) -> Result<usize, DeploymentError> {
    let (mut received, mut returned) = (0, 0);
    while received < messages {
        let (got, back) = super::storm::one_batch_each(trial, processes).await?;
        returned += back;
        if got == 0 {
            break;
        }
        received += got;
    }
    Ok(returned)
}

fn items(trial: &Trial, options: &DrillOptions) -> Result<Vec<Item>, DeploymentError> {
    let mut counterparties = Vec::new();
    for number in 1..=COUNTERPARTIES {
        let principal = &trial.deployment().participant(number)?.principal;
        counterparties.push(format!("{}{SESSION}", principal.as_str()));
    }
    let cast = Cast {
        counterparties,
        stranger: format!("{STRANGER}{SESSION}"),
        own_role: trial.deployment().own_role()? + SESSION,
        symbol: SYMBOL.to_owned(),
        first_sent_at: now().plus_millis(-3_600_000),
    };
    let good = options.hostile_bodies / MALFORMED_FOR_A_GOOD_ONE;
    let items = Hostile::new(options.seed, cast).plan(options.hostile_bodies, good);
    Ok(items.into_iter().filter(Item::sendable).collect())
}

const SYMBOL: &str = "HOSTILE";

fn one_symbol() -> Result<MatchParameters, DeploymentError> {
    serde_json::from_value(json!({
        "v": 1, "symbol": SYMBOL, "tick": "0.01", "lot": "0.00000001", "pricePolicy": "resting",
        "currency": "USD", "tradable": true, "version": 1,
    }))
    .map_err(|error| DeploymentError::Queue(Box::new(error)))
}

fn messages(trial: &Trial, items: &[Item]) -> Result<Vec<Sent>, DeploymentError> {
    let mut by_principal = HashMap::new();
    for number in 1..=COUNTERPARTIES {
        let principal = trial.deployment().participant(number)?.principal.clone();
        by_principal.insert(principal.as_str().to_owned(), number);
    }
    let at = now().as_millis() - 1_000;
    let sent = items.iter().zip(at..).map(|(item, at_millis)| {
        let principal = item.sender_id.trim_end_matches(SESSION);
        let sender = match by_principal.get(principal) {
            Some(number) => Sender::Counterparty(*number),
            None => Sender::Principal(principal.to_owned()),
        };
        Sent {
            sender,
            body: item.body.clone(),
            at_millis,
        }
    });
    Ok(sent.collect())
}

/// How many there are of each kind.
fn counts(items: &[Item]) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for item in items {
        *counts.entry(item.kind.name().to_owned()).or_default() += 1;
    }
    let each = counts.iter().map(|(kind, count)| format!("{count} {kind}"));
    format!(
        "{} of {} kinds: {}",
        items.len(),
        counts.len(),
        each.collect::<Vec<_>>().join(", ")
    )
}

/// What was told and set aside, to look ends up in.
struct Ends {
    owners: Vec<CounterpartyId>,
    /// Whose, `clOrdId`, reason.
    rejected: HashSet<(CounterpartyId, String, String)>,
    /// Whose, `clOrdId`: filled, and told so.
    matched: HashSet<(CounterpartyId, String)>,
    /// Reason, sender, body → the times in the envelopes.
    set_aside: HashMap<(String, String, String), Vec<i64>>,
    unfit: HashSet<String>,
}

impl Ends {
    fn of(trial: &Trial, judgement: &Judgement) -> Self {
        let owner = |number| {
            let participant = trial.deployment().participant(number).ok()?;
            Some(participant.id.clone())
        };
        let (mut rejected, mut told) = (HashSet::new(), HashSet::new());
        for (owner, bodies) in &judgement.evidence.inboxes {
            for message in bodies
                .iter()
                .filter_map(|body| serde_json::from_str::<Value>(body).ok())
            {
                let field = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
                match message["type"].as_str() {
                    Some("rejected") => {
                        rejected.insert((owner.clone(), field("clOrdId"), field("reason")));
                    }
                    Some("match") => {
                        told.insert((owner.clone(), field("clOrdId")));
                    }
                    _ => {}
                }
            }
        }
        let filled = judgement
            .evidence
            .submissions
            .iter()
            .filter(|submission| submission.ord_status == Some(OrdStatus::Filled));
        let filled = filled.map(|filled| (filled.owner.clone(), filled.cl_ord_id.as_str().to_owned()));
        let mut set_aside: HashMap<_, Vec<i64>> = HashMap::new();
        for letter in &trial.replayed().dead_letters {
            if let Ok(envelope) = Envelope::parse(&letter.body)
                && let Origin::Sender(sender) = &envelope.origin
            {
                let reason = letter.attributes.get("reason").cloned().unwrap_or_default();
                set_aside
                    .entry((reason, sender.encode(), envelope.body))
                    .or_default()
                    .push(envelope.sent_at.as_millis());
            }
        }
        Self {
            owners: (1..=COUNTERPARTIES).filter_map(owner).collect(),
            rejected,
            matched: filled.filter(|name| told.contains(name)).collect(),
            set_aside,
            unfit: trial.unfit().iter().map(|letter| letter.body.clone()).collect(),
        }
    }

    /// Whether each item ended as it had to; the first that did not, if one did not.
    fn verdict(&self, items: &[Item], sent_at: &[i64]) -> (&'static str, String) {
        let wrong = items.iter().zip(sent_at).find_map(|(item, at)| {
            let end = item.ends.iter().find(|end| !self.came_to(end, item, *at))?;
            let body: String = item.body.chars().take(200).collect();
            Some(format!("{}: not {end:?}: {body}", item.kind.name()))
        });
        (ENDS, wrong.unwrap_or_else(|| HELD.to_owned()))
    }

    fn came_to(&self, end: &End, item: &Item, sent_at: i64) -> bool {
        match end {
            End::Matched {
                counterparty,
                cl_ord_id,
            } => self
                .owner(*counterparty)
                .is_some_and(|owner| self.matched.contains(&(owner, cl_ord_id.clone()))),
            End::Rejected {
                counterparty,
                cl_ord_id,
                reason,
            } => self.owner(*counterparty).is_some_and(|owner| {
                let answer = (owner, cl_ord_id.clone(), reason.code().to_owned());
                self.rejected.contains(&answer)
            }),
            End::SetAside {
                reason,
                sender_id,
                first_sent_at,
                body,
            } => {
                let letter = (reason.code().to_owned(), sender_id.clone(), body.clone());
                let at = first_sent_at.map_or(sent_at, Timestamp::as_millis);
                self.set_aside
                    .get(&letter)
                    .is_some_and(|times| times.contains(&at))
            }
            End::ComesBack => self.unfit.contains(&item.body),
        }
    }

    fn owner(&self, place: usize) -> Option<CounterpartyId> {
        self.owners.get(place).cloned()
    }
}
