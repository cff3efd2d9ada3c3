//! The ports of onboarding.

use super::MemoryPorts;
use crate::domain::counterparty::Counterparty;
use crate::domain::identifiers::{CounterpartyId, Principal};
use crate::domain::parameters::MatchParameters;
use crate::onboarding::{
    Directory, InboxAdmin, InboxQueue, ParameterAdmin, RegistryAdmin, RegistryDirectory,
};
use crate::ports::PortError;
use crate::records::ReservationRecord;
use crate::testing::Operation;

impl RegistryAdmin for MemoryPorts {
    async fn reserve(&self, offered: &ReservationRecord) -> Result<ReservationRecord, PortError> {
        let mut state = self.called(Operation::Reserve);
        let kept = state.reservations.entry(offered.principal.clone());
        Ok(kept.or_insert_with(|| offered.clone()).clone())
    }

    async fn insert_counterparty(&self, counterparty: &Counterparty) -> Result<bool, PortError> {
        let mut state = self.called(Operation::InsertCounterparty);
        let free = !state.counterparties.contains_key(&counterparty.id);
        if free {
            state
                .counterparties
                .insert(counterparty.id.clone(), counterparty.clone());
        }
        Ok(free)
    }

    async fn replace_counterparty(&self, read: &Counterparty, new: &Counterparty) -> Result<bool, PortError> {
        let mut state = self.called(Operation::ReplaceCounterparty);
        let as_read = state
            .counterparties
            .get_mut(&read.id)
            .filter(|stored| **stored == *read);
        Ok(as_read.map(|stored| stored.clone_from(new)).is_some())
    }

    async fn admit_principal(&self, principal: &Principal, id: &CounterpartyId) -> Result<bool, PortError> {
        let mut state = self.called(Operation::AdmitPrincipal);
        let known = state
            .principals
            .entry(principal.clone())
            .or_insert_with(|| id.clone());
        Ok(known == id)
    }
}

impl RegistryDirectory for MemoryPorts {
    async fn read_directory(&self) -> Result<Directory, PortError> {
        let state = self.called(Operation::ReadDirectory);
        let admitted = state.principals.iter();
        Ok(Directory {
            reservations: state.reservations.values().cloned().collect(),
            counterparties: state.counterparties.values().cloned().collect(),
            admitted: admitted
                .map(|(principal, id)| (principal.clone(), id.clone()))
                .collect(),
        })
    }
}

impl ParameterAdmin for MemoryPorts {
    async fn replace_parameters(&self, read: Option<u64>, new: &MatchParameters) -> Result<bool, PortError> {
        let mut state = self.called(Operation::ReplaceParameters);
        let stored = state.parameters.get(&new.symbol).map(|stored| stored.version);
        if stored == read {
            state.parameters.insert(new.symbol.clone(), new.clone());
        }
        Ok(stored == read)
    }
}

impl InboxAdmin for MemoryPorts {
    async fn create_inbox(&self, queue: &InboxQueue) -> Result<String, PortError> {
        let mut state = self.called(Operation::CreateInbox);
        let url = format!("memory://{}", queue.name);
        state.inboxes.entry(url.clone()).or_default();
        state.queues.insert(url.clone(), queue.clone());
        Ok(url)
    }
}
