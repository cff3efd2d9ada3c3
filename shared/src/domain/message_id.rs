//! The name of an outgoing message: computed, not drawn, so that every copy has the same one without being
//! remembered.

use serde::{Deserialize, Serialize};

use super::hash::Labelled;
use super::identifiers::{CounterpartyId, InvalidIdentifier};
use super::opaque::{self, text_form};

/// base32 of the first 16 bytes of SHA-256("symbolon/message/v1" ‖ len-prefixed(type, owner, clOrdId, body hash,
/// reason, own token or empty)): 26 characters, lower case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MessageId([u8; 16]);

impl MessageId {
    /// The id of the message of type `kind` to `owner` about `cl_ord_id`. `body_hash` is that of the message which
    /// is answered; `reason` and `token` are empty where the type has none.
    #[must_use]
    pub fn of(
        kind: &str,
        owner: &CounterpartyId,
        cl_ord_id: &str,
        body_hash: &[u8],
        reason: &str,
        token: &str,
    ) -> Self {
        let hash = Labelled::new("symbolon/message/v1")
            .field(kind)
            .field(owner.as_str())
            .field(cl_ord_id)
            .field(body_hash)
            .field(reason)
            .field(token)
            .sha256();
        let mut id = [0; 16];
        id.copy_from_slice(&hash[..16]);
        Self(id)
    }

    /// Reads the text form.
    ///
    /// # Errors
    /// [`InvalidIdentifier`] unless it is 26 characters of `a–z 2–7` whose two padding bits are zero.
    pub fn parse(text: &str) -> Result<Self, InvalidIdentifier> {
        opaque::decode(text)
            .map(Self)
            .ok_or(InvalidIdentifier { what: "message id" })
    }

    /// The text form.
    #[must_use]
    pub fn encode(&self) -> String {
        opaque::encode(self.0)
    }
}

text_form!(MessageId);
