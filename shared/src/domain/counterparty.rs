//! What the registry knows of a counterparty.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::form::Form;
use super::identifiers::{CounterpartyId, Principal};

/// Whether a counterparty may trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// May trade.
    Active,
    /// Its interests are not matched and not taken; its cancels work.
    Suspended,
}

/// One onboarded participant: the item `CP#…` of the table `registry`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counterparty {
    v: Form<1>,
    /// The opaque id.
    pub id: CounterpartyId,
    /// Who SQS says it is.
    pub principal: Principal,
    /// Region → URL of its inbox queue there.
    pub inboxes: BTreeMap<String, String>,
    /// Whom it does not want to meet.
    #[serde(default)]
    pub exclusions: BTreeSet<CounterpartyId>,
    /// Whether it may trade.
    pub standing: Standing,
}

impl Counterparty {
    /// An active counterparty without exclusions.
    #[must_use]
    pub fn new(id: CounterpartyId, principal: Principal, inboxes: BTreeMap<String, String>) -> Self {
        Self {
            v: Form,
            id,
            principal,
            inboxes,
            exclusions: BTreeSet::new(),
            standing: Standing::Active,
        }
    }

    /// Whether these two may be matched with each other: different, neither excludes the other, both active.
    #[must_use]
    pub fn may_meet(&self, other: &Self) -> bool {
        self.id != other.id
            && !self.exclusions.contains(&other.id)
            && !other.exclusions.contains(&self.id)
            && self.standing == Standing::Active
            && other.standing == Standing::Active
    }
}

impl fmt::Debug for Counterparty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Counterparty")
    }
}
