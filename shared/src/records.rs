//! Stored forms that only adapters see: the items that answer a question by one key, and no domain type.

use std::fmt;

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use crate::domain::form::Form;
use crate::domain::identifiers::{CounterpartyId, Principal};
use crate::domain::token::EpochId;
use crate::ports::WrappedKey;

/// The item `PRINCIPAL#…` of the table `registry`: who a principal is. It is written last when a counterparty is
/// onboarded; before that its principal is a stranger.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PrincipalRecord {
    v: Form<1>,
    /// The counterparty.
    pub counterparty: CounterpartyId,
}

impl PrincipalRecord {
    /// The record of a principal that is `counterparty`.
    #[must_use]
    pub fn new(counterparty: CounterpartyId) -> Self {
        Self {
            v: Form,
            counterparty,
        }
    }
}

/// The item `ONBOARDING#…` of the table `registry`: the names drawn for a principal, kept before anything is made
/// under them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReservationRecord {
    v: Form<1>,
    /// Who is to be onboarded.
    pub principal: Principal,
    /// Its opaque id.
    pub counterparty: CounterpartyId,
    /// What its inbox queues' names end in, in every region.
    pub inbox_name: String,
    /// What staff call it: the name of its role. Kept here, where no function reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl ReservationRecord {
    /// The record of these names.
    #[must_use]
    pub fn new(principal: Principal, counterparty: CounterpartyId, inbox_name: String) -> Self {
        Self {
            v: Form,
            principal,
            counterparty,
            inbox_name,
            name: None,
        }
    }

    /// The same with what staff call it.
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        Self {
            name: Some(name.to_owned()),
            ..self
        }
    }
}

/// One item of the table `keys`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EpochKeyRecord {
    v: Form<1>,
    /// The partition key.
    pub epoch: EpochId,
    /// The data key as KMS wrapped it, in base64.
    wrapped_key: String,
    /// TTL attribute, in seconds since the epoch of time.
    pub expires_at: i64,
}

impl EpochKeyRecord {
    /// The record of a wrapped key.
    #[must_use]
    pub fn new(epoch: EpochId, key: &WrappedKey, expires_at: i64) -> Self {
        Self {
            v: Form,
            epoch,
            wrapped_key: BASE64.encode(&key.0),
            expires_at,
        }
    }

    /// The wrapped key, if what is stored is base64.
    #[must_use]
    pub fn wrapped_key(&self) -> Option<WrappedKey> {
        BASE64.decode(self.wrapped_key.as_bytes()).ok().map(WrappedKey)
    }
}

macro_rules! shows_only_its_name {
    ($($name:ident),+) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    )+};
}
shows_only_its_name!(PrincipalRecord, ReservationRecord, EpochKeyRecord);
