//! Who is onboarded, and how far: for staff who onboard, never for a function.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use crate::domain::counterparty::Counterparty;
use crate::domain::identifiers::{CounterpartyId, Principal};
use crate::ports::PortError;
use crate::records::ReservationRecord;

/// Reads the whole registry. IAM: `dynamodb:Scan` on `registry`, for whoever onboards.
pub trait RegistryDirectory {
    /// Everything that onboarding wrote, strongly consistent item by item. May be repeated.
    fn read_directory(&self) -> impl Future<Output = Result<Directory, PortError>> + Send;
}

/// Everything that onboarding wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directory {
    /// The names that were drawn.
    pub reservations: Vec<ReservationRecord>,
    /// Who was entered.
    pub counterparties: Vec<Counterparty>,
    /// Who was admitted, and as whom.
    pub admitted: Vec<(Principal, CounterpartyId)>,
}

/// One counterparty, or what there is of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its opaque id.
    pub id: CounterpartyId,
    /// Who SQS says it is.
    pub principal: Principal,
    /// What staff call it, when that is known.
    pub name: Option<String>,
    /// What its inbox queues' names end in, when that is known.
    pub inbox_name: Option<String>,
    /// What the registry knows of it; `None` when its onboarding broke off before that.
    pub counterparty: Option<Counterparty>,
    /// Whether its messages are taken: the last step of onboarding.
    pub admitted: bool,
}

impl Directory {
    /// Everybody, by name and id.
    #[must_use]
    pub fn listed(self) -> Vec<Listed> {
        let admitted: BTreeSet<(Principal, CounterpartyId)> = self.admitted.into_iter().collect();
        let mut by_id: BTreeMap<CounterpartyId, Listed> = BTreeMap::new();
        for reserved in self.reservations {
            let listed = Listed {
                id: reserved.counterparty.clone(),
                admitted: admitted.contains(&(reserved.principal.clone(), reserved.counterparty.clone())),
                principal: reserved.principal,
                name: reserved.name,
                inbox_name: Some(reserved.inbox_name),
                counterparty: None,
            };
            by_id.insert(reserved.counterparty, listed);
        }
        for counterparty in self.counterparties {
            let listed = by_id.entry(counterparty.id.clone()).or_insert_with(|| Listed {
                id: counterparty.id.clone(),
                admitted: admitted.contains(&(counterparty.principal.clone(), counterparty.id.clone())),
                principal: counterparty.principal.clone(),
                name: None,
                inbox_name: None,
                counterparty: None,
            });
            listed.counterparty = Some(counterparty);
        }
        let mut all: Vec<Listed> = by_id.into_values().collect();
        all.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        all
    }
}
