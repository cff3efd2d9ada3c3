//! The domain: no async, no clock, no environment, no AWS type. Time and randomness are arguments.

pub mod decimal;
pub mod hash;
pub mod identifiers;
pub mod limits;
pub mod message_id;
mod opaque;
pub mod time;
pub mod token;
