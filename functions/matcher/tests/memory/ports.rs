//! Ports that know who there is, take everything, and keep nothing.

use std::collections::BTreeMap;

use symbolon_shared::domain::book::{BookKey, EntryKey, RankBound, Version};
use symbolon_shared::domain::change_set::ChangeSet;
use symbolon_shared::domain::counterparty::Counterparty;
use symbolon_shared::domain::identifiers::{CounterpartyId, OrderKey, Principal, Symbol};
use symbolon_shared::domain::inbox::OutboundMessage;
use symbolon_shared::domain::match_record::MatchRecord;
use symbolon_shared::domain::parameters::MatchParameters;
use symbolon_shared::domain::submission::Submission;
use symbolon_shared::domain::time::Timestamp;
use symbolon_shared::domain::token::{DataKey, EpochId, MatchId};
use symbolon_shared::ports::{
    Books, CommitError, DeadLetter, DeadLetters, EpochKeyStore, Inboxes, KeyService, Ledger, Matches, Page,
    ParameterStore, PortError, Registry, Submissions, WrappedKey,
};
use symbolon_shared::testing::MemoryPorts;

/// Principals that begin with this are registered, each with a counterparty and an inbox of its own.
pub(crate) const REGISTERED: &str = "AROACOUNTERPARTY";

#[derive(Default)]
pub(crate) struct ForgetfulPorts {
    keys: MemoryPorts,
}

fn counterparty(id: &CounterpartyId) -> Counterparty {
    let number = id.as_str().trim_start_matches("cp-");
    let principal = Principal::new(format!("{REGISTERED}{number}")).unwrap();
    let inboxes = BTreeMap::from([("us-east-1".to_owned(), format!("inbox-{number}"))]);
    Counterparty::new(id.clone(), principal, inboxes)
}

impl Registry for ForgetfulPorts {
    async fn find_principals(
        &self,
        principals: &[Principal],
    ) -> Result<Vec<(Principal, CounterpartyId)>, PortError> {
        let registered = principals.iter().filter_map(|principal| {
            let number = principal.as_str().strip_prefix(REGISTERED)?;
            Some((
                principal.clone(),
                CounterpartyId::new(format!("cp-{number}")).unwrap(),
            ))
        });
        Ok(registered.collect())
    }

    async fn read_counterparties(&self, ids: &[CounterpartyId]) -> Result<Vec<Counterparty>, PortError> {
        Ok(ids.iter().map(counterparty).collect())
    }
}

impl ParameterStore for ForgetfulPorts {
    async fn read_parameters(&self, symbols: &[Symbol]) -> Result<Vec<MatchParameters>, PortError> {
        let known = symbols.iter().filter(|symbol| symbol.as_str() == "BTCUSD");
        let parameters = |symbol: &Symbol| {
            let text = format!(
                r#"{{"v":1,"symbol":"{}","tick":"0.01","lot":"0.01","pricePolicy":"resting","currency":"USD","tradable":true,"version":1}}"#,
                symbol.as_str()
            );
            serde_json::from_str(&text).unwrap()
        };
        Ok(known.map(parameters).collect())
    }
}

impl Submissions for ForgetfulPorts {
    async fn read_submissions(
        &self,
        keys: &[OrderKey],
    ) -> Result<Vec<(OrderKey, Option<Submission>)>, PortError> {
        Ok(keys.iter().map(|key| (key.clone(), None)).collect())
    }

    async fn mark_told(&self, _: &OrderKey, _: &[MatchId], _: Timestamp) -> Result<bool, PortError> {
        Ok(true)
    }
}

impl Books for ForgetfulPorts {
    async fn read_page(&self, _: &BookKey, _: &RankBound, bound: &RankBound) -> Result<Page, PortError> {
        Ok(Page {
            entries: Vec::new(),
            known_to: bound.clone(),
        })
    }

    async fn remove_entry(&self, _: &EntryKey, _: Version) -> Result<bool, PortError> {
        Ok(false)
    }
}

impl Ledger for ForgetfulPorts {
    async fn commit(&self, _: &ChangeSet, _: [u8; 16]) -> Result<(), CommitError> {
        Ok(())
    }
}

impl Matches for ForgetfulPorts {
    async fn read_matches(&self, _: &[MatchId]) -> Result<Vec<MatchRecord>, PortError> {
        Ok(Vec::new())
    }
}

impl EpochKeyStore for ForgetfulPorts {
    async fn read_key(&self, epoch: EpochId) -> Result<Option<WrappedKey>, PortError> {
        self.keys.read_key(epoch).await
    }

    async fn put_key(&self, epoch: EpochId, key: &WrappedKey, expires_at: i64) -> Result<bool, PortError> {
        self.keys.put_key(epoch, key, expires_at).await
    }
}

impl KeyService for ForgetfulPorts {
    async fn generate_key(&self, epoch: EpochId) -> Result<WrappedKey, PortError> {
        self.keys.generate_key(epoch).await
    }

    async fn unwrap_key(&self, epoch: EpochId, key: &WrappedKey) -> Result<DataKey, PortError> {
        self.keys.unwrap_key(epoch, key).await
    }
}

impl Inboxes for ForgetfulPorts {
    async fn send_messages(&self, _: &str, _: &[OutboundMessage]) -> Result<Vec<usize>, PortError> {
        Ok(Vec::new())
    }
}

impl DeadLetters for ForgetfulPorts {
    async fn send_dead_letters(&self, _: &[DeadLetter]) -> Result<Vec<usize>, PortError> {
        Ok(Vec::new())
    }
}
