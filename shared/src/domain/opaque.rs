//! Opaque values as text: 16 bytes are 26 characters of lower-case base32 (RFC 4648, without padding), and every
//! opaque type reads, writes and hides itself in the same way.

use data_encoding::BASE32_NOPAD;

/// Characters of 16 bytes: 128 bits in groups of 5 are 25.6, so 26, of which the last bears 2 padding bits.
pub(super) const TEXT_CHARS: usize = 26;

/// The text of 16 bytes.
pub(super) fn encode(bytes: [u8; 16]) -> String {
    BASE32_NOPAD.encode(&bytes).to_ascii_lowercase()
}

/// The bytes of a text, if it is the one text that [`encode`] gives them: exactly 26 characters, lower case, both
/// padding bits zero. With one text per value, a value cannot come back in a second guise.
pub(super) fn decode(text: &str) -> Option<[u8; 16]> {
    // The crate's alphabet is upper case: the case is checked before it is changed.
    let lower = text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7'));
    if !lower || text.len() != TEXT_CHARS {
        return None;
    }
    // `BASE32_NOPAD` refuses non-zero padding bits by itself.
    let bytes = BASE32_NOPAD.decode(text.to_ascii_uppercase().as_bytes()).ok()?;
    bytes.try_into().ok()
}

/// Gives a type with `parse(&str)` and `encode(&self)` its stored form (so `serde(try_from, into)` can go through
/// the checked constructor) and a `Debug` that prints the type's name and nothing else.
macro_rules! text_form {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = $crate::domain::identifiers::InvalidIdentifier;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.encode()
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    };
}

pub(super) use text_form;
