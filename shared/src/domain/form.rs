//! The version that every stored form bears, so that each form ever written still reads.

use serde::{Deserialize, Serialize};

/// The form number `N`; reading any other number is an error, not a guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Form<const N: u32>;

/// A stored item of a form that this code does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stored form {found}, expected {expected}")]
pub struct UnknownForm {
    /// The number in the item.
    pub found: u32,
    /// The number that this code reads.
    pub expected: u32,
}

impl<const N: u32> TryFrom<u32> for Form<N> {
    type Error = UnknownForm;
    fn try_from(found: u32) -> Result<Self, UnknownForm> {
        if found == N {
            Ok(Self)
        } else {
            Err(UnknownForm { found, expected: N })
        }
    }
}

impl<const N: u32> From<Form<N>> for u32 {
    fn from(_: Form<N>) -> u32 {
        N
    }
}
