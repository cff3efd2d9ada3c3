//! Our own roles, whose envelopes are opened: by what SQS says of the sender, never by what a body says.

use super::envelope::{Envelope, Origin, SenderId};
use super::identifiers::Principal;

/// The roles whose envelopes are opened.
#[derive(Debug, Clone)]
pub struct OwnRoles {
    /// The matcher's.
    pub matcher: Principal,
    /// The redrive's, once there is one.
    pub redrive: Option<Principal>,
    /// The bulk ingest's, once there is one: the only one that sends on behalf of somebody.
    pub bulk: Option<Principal>,
}

/// What a body is, by who sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opening {
    /// Somebody else's: a body as it is, whatever it looks like.
    Foreign,
    /// Ours, out of its envelope.
    Ours(Envelope),
    /// Ours, and no envelope that this role may send.
    Broken,
}

impl OwnRoles {
    /// Whether SQS's `sender` is one of them.
    #[must_use]
    pub fn include(&self, sender: &SenderId) -> bool {
        let own = [Some(&self.matcher), self.redrive.as_ref(), self.bulk.as_ref()];
        sender
            .principal()
            .is_ok_and(|principal| own.contains(&Some(&principal)))
    }

    /// Opens the envelope when SQS says that one of these roles sent it; anybody else's is only a body, and as such
    /// malformed.
    #[must_use]
    pub fn open(&self, sender: &SenderId, body: &str) -> Opening {
        if !self.include(sender) {
            return Opening::Foreign;
        }
        let by_bulk = self.bulk.is_some() && self.bulk == sender.principal().ok();
        match Envelope::parse(body) {
            Ok(envelope) if by_bulk || matches!(envelope.origin, Origin::Sender(_)) => {
                Opening::Ours(envelope)
            }
            _ => Opening::Broken,
        }
    }
}
