//! The redrive: what becomes of dead letters. Transient ones go back to their source, poison goes to the quarantine,
//! and nothing follows a canary of which nothing good was heard (design §10).
//!
//! What it is **not**: the queues and the bucket. Everything here is pure: letters, states and moments are arguments.

mod announcement;
mod canary;
mod classify;
mod letter;
mod plan;
mod quarantine;
mod request;
mod shelf;
mod source;
#[cfg(test)]
mod tests;

pub use announcement::{Announcement, QuarantineAct};
pub use canary::{Watched, is_heard, is_relapse};
pub use classify::{Class, Rules, Transient, classify};
pub use letter::{Content, Identity, Letter, LetterAsRead};
pub use plan::{Act, CANARY_LETTERS, Canary, Case, Consumer, Disposition, Recent, brake, plan};
pub use quarantine::{Attempts, InvalidObject, ObjectName, QuarantineObject};
pub use request::{Answer, NotUnderstood, QueueReport, RedriveReport, RedriveRequest, Refusal, Request};
pub use shelf::{
    Listed, Listing, ObjectRequest, QuarantineAnswer, QuarantineRequest, ShelfRefusal, Shown, released,
};
pub use source::SourceName;
