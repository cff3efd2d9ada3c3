//! What the invariants judge, of everything that lies in memory.

use std::collections::HashMap;

use super::{MemoryPorts, State, ports};
use crate::domain::counterparty::Counterparty;
use crate::domain::envelope::Envelope;
use crate::domain::identifiers::CounterpartyId;
use crate::domain::invariants::{Evidence, Known, OpenedMatch, Sent, SetAside};
use crate::domain::match_record::MatchRecord;
use crate::domain::time::Timestamp;
use crate::domain::token::{EpochId, EpochKey};
use crate::ports::{DeadLetter, PortError};
use crate::testing::Operation;

impl MemoryPorts {
    /// The evidence of a run that ended at `now`, in which `sent` and `unanswerable` were delivered, and neither
    /// registry nor parameters changed. Inboxes are those of `region`.
    ///
    /// # Errors
    /// A match whose parties cannot be opened with the stored key of its epoch.
    pub fn evidence(
        &self,
        region: &str,
        now: Timestamp,
        sent: Vec<Sent>,
        unanswerable: Vec<String>,
    ) -> Result<Evidence, PortError> {
        let state = self.state();
        let counterparties = state.counterparties.values();
        let parameters = state.parameters.values().cloned();
        Ok(Evidence {
            now,
            sent,
            unanswerable,
            submissions: state.submissions.values().cloned().collect(),
            entries: state.entries.values().cloned().collect(),
            matches: state.opened_matches()?,
            inboxes: counterparties
                .clone()
                .map(|of| state.inbox_of(of, region))
                .collect(),
            counterparties: counterparties.cloned().map(Known::constant).collect(),
            parameters: parameters.map(Known::constant).collect(),
            set_aside: state.dead_letters.iter().map(set_aside).collect(),
        })
    }
}

impl State {
    fn opened_matches(&self) -> Result<Vec<OpenedMatch>, PortError> {
        let mut keys: HashMap<EpochId, EpochKey> = HashMap::new();
        for epoch in self.keys.keys() {
            if let Some(key) = self.key_of(*epoch) {
                keys.insert(*epoch, key);
            }
        }
        let open = |record: &MatchRecord| {
            let parties = keys
                .get(&record.key_epoch)?
                .open(record.match_id, &record.parties);
            Some(OpenedMatch {
                record: record.clone(),
                parties: parties.ok()?,
            })
        };
        let opened: Option<Vec<OpenedMatch>> = self.matches.values().map(open).collect();
        opened.ok_or_else(|| ports::refused(Operation::UnwrapKey, "InvalidCiphertextException"))
    }

    fn key_of(&self, epoch: EpochId) -> Option<EpochKey> {
        Some(EpochKey::derive(
            epoch,
            ports::unwrapped(epoch, self.keys.get(&epoch)?)?,
        ))
    }

    fn inbox_of(&self, of: &Counterparty, region: &str) -> (CounterpartyId, Vec<String>) {
        let queue = of.inboxes.get(region).and_then(|url| self.inboxes.get(url));
        let bodies = queue.into_iter().flatten().map(|message| message.body.clone());
        (of.id.clone(), bodies.collect())
    }
}

/// Out of its envelope, when it is in one.
fn set_aside(letter: &DeadLetter) -> SetAside {
    let enveloped = Envelope::parse(&letter.body).ok();
    SetAside {
        reason: Some(letter.reason.to_owned()),
        body: enveloped.map_or_else(|| letter.body.clone(), |envelope| envelope.body),
    }
}
