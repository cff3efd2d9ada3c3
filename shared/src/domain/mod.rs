//! The domain: no async, no clock, no environment, no AWS type. Time and randomness are arguments.

pub mod audit;
pub mod backup;
pub mod book;
pub mod change_set;
pub mod counterparty;
pub mod decimal;
pub mod decision;
pub mod desk;
pub mod envelope;
pub mod export;
pub mod form;
pub mod hash;
pub mod identifiers;
pub mod inbox;
pub mod intake;
pub mod invariants;
pub mod limits;
pub mod match_record;
pub mod message_id;
mod opaque;
pub mod own_roles;
pub mod pairing;
pub mod parameters;
pub mod reason;
pub mod redrive;
pub mod submission;
#[cfg(test)]
mod test_tables;
pub mod time;
pub mod token;
