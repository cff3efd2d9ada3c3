//! The floor: a deployment with books on it, and messages that are counted.

use std::collections::BTreeMap;

use symbolon_shared::domain::counterparty::Counterparty;
use symbolon_shared::domain::identifiers::{Side, Symbol};
use symbolon_shared::domain::parameters::{MatchParameters, PricePolicy};
use symbolon_shared::domain::time::Timestamp;
use tokio::sync::Mutex;

use super::BenchError;
use super::report::Counted;
use super::spent::Spent;
use super::stored::{Scribe, put};
use crate::deployment::{Deployment, now};
use crate::process::{Process, ProcessOptions};
use crate::replay::{Sender, Sent};

/// SQS: entries of one batch call.
const BATCH_ENTRIES: usize = 10;
/// What rests was accepted so long ago, in milliseconds.
const AGE_MILLIS: i64 = 60_000;
/// Interests written in one go: what they take in memory is a few megabytes.
const WRITTEN_AT_ONCE: u32 = 10_000;
/// A price that nobody who sells asks for.
const FAR: &str = "0.01";

/// An interest, as a counterparty writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Interest<'a> {
    /// What its owner calls it.
    pub(super) name: String,
    pub(super) symbol: &'a str,
    pub(super) side: Side,
    pub(super) order_qty: &'a str,
    pub(super) price: String,
}

impl Interest<'_> {
    pub(super) fn body(&self) -> String {
        serde_json::json!({
            "type": "interest",
            "clOrdId": self.name,
            "symbol": self.symbol,
            "side": self.side,
            "orderQty": self.order_qty,
            "price": self.price,
        })
        .to_string()
    }
}

/// A deployment whose books are filled past the matcher.
pub(super) struct Floor {
    pub(super) deployment: Deployment,
    /// The matcher that takes what is counted: one batch at a time.
    matcher: Mutex<Process>,
    registered: BTreeMap<u32, Counterparty>,
}

impl Floor {
    /// A floor for `counterparties`, on which these symbols are traded.
    pub(super) async fn start(counterparties: u32, symbols: &[&str]) -> Result<Self, BenchError> {
        let mut parameters = Vec::new();
        for symbol in symbols {
            let symbol = Symbol::new(*symbol).map_err(|error| BenchError::Unexpected(error.to_string()))?;
            parameters.push(parameters_of(symbol)?);
        }
        let deployment = Deployment::start(0, (1..=counterparties).collect(), parameters).await?;
        let mut registered = BTreeMap::new();
        for counterparty in deployment.registered().await? {
            if let Some(number) = deployment.number_of(&counterparty.id) {
                registered.insert(number, counterparty);
            }
        }
        let matcher = Mutex::new(deployment.process(&ProcessOptions::undisturbed())?);
        Ok(Self {
            deployment,
            matcher,
            registered,
        })
    }

    /// How many take part.
    pub(super) fn counterparties(&self) -> u32 {
        u32::try_from(self.registered.len()).unwrap_or(u32::MAX)
    }

    /// Whose turn the `number`th interest is: 1, 2, … and again.
    pub(super) fn turn(&self, number: u32) -> u32 {
        1 + number % self.counterparties().max(1)
    }

    /// Lets `interests`, of which each names its owner, rest in the tables as if the matcher had taken them a minute
    /// ago.
    pub(super) async fn fill<'i>(
        &self,
        interests: impl Iterator<Item = (u32, Interest<'i>)>,
    ) -> Result<(), BenchError> {
        let (client, tables) = self.deployment.storage();
        let at = now().plus_millis(-AGE_MILLIS);
        let mut stored = Vec::new();
        for (owner, interest) in interests {
            stored.push(self.stored(owner, &interest, at)?);
            if stored.len() >= WRITTEN_AT_ONCE as usize {
                put(client, tables, std::mem::take(&mut stored)).await?;
            }
        }
        put(client, tables, stored).await
    }

    fn stored(
        &self,
        owner: u32,
        interest: &Interest<'_>,
        at: Timestamp,
    ) -> Result<super::stored::Stored, BenchError> {
        let named = |parameters: &&MatchParameters| parameters.symbol.as_str() == interest.symbol;
        let unknown = || BenchError::Unexpected("nobody and nothing of that name".to_owned());
        let parameters = self
            .deployment
            .parameters()
            .iter()
            .find(named)
            .ok_or_else(unknown)?;
        let owner = self.registered.get(&owner).ok_or_else(unknown)?;
        Scribe::new(parameters).stored(owner, &interest.body(), at)
    }

    /// Has the matcher read everybody and `symbol`, as a matcher at work has: with an interest of each counterparty
    /// that rests out of everybody's reach. What it reads is believed for half a minute, so this comes right before
    /// what is counted.
    pub(super) async fn warm(&self, symbol: &str) -> Result<(), BenchError> {
        let at = now();
        let interests = (1..=self.counterparties()).map(|owner| {
            let interest = Interest {
                name: format!("warm-{owner}-{}", at.as_millis()),
                symbol,
                side: Side::Buy,
                order_qty: "1",
                price: FAR.to_owned(),
            };
            (owner, interest.body())
        });
        self.count(interests.collect()).await.map(drop)
    }

    /// Sends messages, each with the number of its sender, has the matcher take them in one batch, and counts what
    /// it asked for.
    pub(super) async fn count(&self, messages: Vec<(u32, String)>) -> Result<Counted, BenchError> {
        self.send(&messages).await?;
        let before = self.deployment.counts();
        let delivery = self.matcher.lock().await.take(messages.len()).await?;
        let after = self.deployment.counts();
        if delivery.deleted != messages.len() {
            return Err(BenchError::Unexpected(format!(
                "of {} messages {} are done",
                messages.len(),
                delivery.deleted
            )));
        }
        let (published, match_messages) = self.drain().await?;
        Ok(Counted {
            interests: messages.len() as u64,
            matches: match_messages / 2,
            published,
            spent: Spent::between(&before, &after),
        })
    }

    /// Puts messages on the intake queue.
    pub(super) async fn send(&self, messages: &[(u32, String)]) -> Result<(), BenchError> {
        let at_millis = now().as_millis();
        let sent: Vec<Sent> = messages
            .iter()
            .map(|(counterparty, body)| Sent {
                sender: Sender::Counterparty(*counterparty),
                body: body.clone(),
                at_millis,
            })
            .collect();
        for ten in sent.chunks(BATCH_ENTRIES) {
            self.deployment.send_ten(ten).await?;
        }
        Ok(())
    }

    /// Empties the inboxes: how many messages there were, and how many of them told of a match.
    pub(super) async fn drain(&self) -> Result<(u64, u64), BenchError> {
        let inboxes = self.deployment.drain_inboxes().await?;
        let bodies = || inboxes.iter().flat_map(|(_, bodies)| bodies);
        let tells = |body: &&String| body.contains(r#""type":"match""#);
        Ok((bodies().count() as u64, bodies().filter(tells).count() as u64))
    }
}

fn parameters_of(symbol: Symbol) -> Result<MatchParameters, BenchError> {
    let broken = |_| BenchError::Unexpected("a constant is no decimal".to_owned());
    Ok(MatchParameters {
        symbol,
        tick: "0.01".to_owned().try_into().map_err(broken)?,
        lot: "1".to_owned().try_into().map_err(broken)?,
        price_policy: PricePolicy::Resting,
        currency: "USD".to_owned(),
        security_id: None,
        tradable: true,
        version: 1,
    })
}
