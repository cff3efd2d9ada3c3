//! What comes in: the body of an intake message, parsed once into types that cannot be wrong.
//!
//! A body is parsed member by member, so that one bad member of a bundle fails alone; a member that is bad but
//! bears a readable `clOrdId` keeps it, because its sender can be answered.

mod canonical;

use std::fmt;

use data_encoding::BASE64;
use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use self::canonical::canonical;
use super::decimal::{Price, Quantity};
use super::hash::Labelled;
use super::identifiers::{ClOrdId, Side, Symbol};
use super::limits::MAX_BUNDLE_MESSAGES;
use super::reason::Reason;
use super::time::Timestamp;

/// A new interest, its fields checked one by one; what needs parameters or a clock is checked when deciding.
#[derive(Clone, PartialEq, Eq)]
pub struct Interest {
    /// FIX `Symbol`.
    pub symbol: Symbol,
    /// FIX `Side`.
    pub side: Side,
    /// FIX `OrderQty`, above zero.
    pub order_qty: Quantity,
    /// FIX `Price`, the limit, above zero.
    pub price: Price,
    /// FIX `MinQty`; `None` for any.
    pub min_qty: Option<Quantity>,
    /// When it stops matching; `None` for the longest life.
    pub expire_time: Option<Timestamp>,
    /// Whether an `accepted` message is wanted.
    pub ack: bool,
}

/// A cancel-and-replace: what is `None` stays.
#[derive(Clone, PartialEq, Eq)]
pub struct Replace {
    /// FIX `OrigClOrdID`.
    pub orig_cl_ord_id: ClOrdId,
    /// The new total quantity, above zero.
    pub order_qty: Quantity,
    /// The new limit.
    pub price: Option<Price>,
    /// The new minimum.
    pub min_qty: Option<Quantity>,
    /// The new expiry.
    pub expire_time: Option<Timestamp>,
}

/// One parsed message.
#[derive(Clone, PartialEq, Eq)]
pub enum Request {
    /// Put an interest into the book.
    Interest(Interest),
    /// Take an order out of it.
    Cancel {
        /// FIX `OrigClOrdID`.
        orig_cl_ord_id: ClOrdId,
    },
    /// Change an order.
    Replace(Replace),
    /// Ask how an order stands.
    Status {
        /// FIX `OrigClOrdID`.
        orig_cl_ord_id: ClOrdId,
    },
}

impl Request {
    /// The order that this request is about, when it is not its own.
    #[must_use]
    pub fn original(&self) -> Option<&ClOrdId> {
        match self {
            Self::Interest(_) => None,
            Self::Cancel { orig_cl_ord_id } | Self::Status { orig_cl_ord_id } => Some(orig_cl_ord_id),
            Self::Replace(replace) => Some(&replace.orig_cl_ord_id),
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Request")
    }
}

/// SHA-256 over the canonical form of a message: the same alone, re-serialised or in a bundle.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BodyHash([u8; 32]);

/// Not 32 bytes of base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a body hash")]
pub struct InvalidBodyHash;

impl BodyHash {
    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl TryFrom<String> for BodyHash {
    type Error = InvalidBodyHash;
    fn try_from(text: String) -> Result<Self, InvalidBodyHash> {
        let bytes = BASE64.decode(text.as_bytes()).map_err(|_| InvalidBodyHash)?;
        bytes.try_into().map(Self).map_err(|_| InvalidBodyHash)
    }
}

impl From<BodyHash> for String {
    fn from(hash: BodyHash) -> String {
        BASE64.encode(&hash.0)
    }
}

impl fmt::Debug for BodyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BodyHash")
    }
}

/// One member of a body that can be answered: it bears a `clOrdId`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// FIX `ClOrdID` of this message.
    pub cl_ord_id: ClOrdId,
    /// Tells a duplicate from a reuse of the id.
    pub body_hash: BodyHash,
    /// What it asks, or why it is refused.
    pub request: Result<Request, Reason>,
}

/// One member of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Member {
    /// Bears a readable `clOrdId`.
    Message(Message),
    /// Bears none: to be set aside, with its own text.
    Unreadable(String),
}

/// Parses a body: one message, or a bundle of them.
///
/// # Errors
/// [`Reason::Malformed`] when there is nothing to take apart: not JSON, no object, no readable `clOrdId`, an
/// envelope, or a bundle that is empty, nested or over-long. The whole body is then to be set aside.
pub fn parse_body(body: &str) -> Result<Vec<Member>, Reason> {
    match kind_of(body).as_deref() {
        Some("bundle") => parse_bundle(body),
        Some("envelope") => Err(Reason::Malformed),
        _ => match parse_member(body) {
            Member::Message(message) => Ok(vec![Member::Message(message)]),
            Member::Unreadable(_) => Err(Reason::Malformed),
        },
    }
}

#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "type")]
    kind: String,
}

fn kind_of(text: &str) -> Option<String> {
    let kind = is_object(text).then(|| serde_json::from_str::<Kind>(text).ok());
    kind.flatten().map(|kind| kind.kind)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bundle<'a> {
    #[serde(rename = "type")]
    _kind: String,
    #[serde(borrow, deserialize_with = "members")]
    messages: Vec<&'a RawValue>,
}

/// Where the members are; reading ends with the first that is one too many, for there may be half a million.
fn members<'de, D: Deserializer<'de>>(list: D) -> Result<Vec<&'de RawValue>, D::Error> {
    struct Members;

    impl<'de> Visitor<'de> for Members {
        type Value = Vec<&'de RawValue>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of messages")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some(member) = list.next_element()? {
                if members.len() == MAX_BUNDLE_MESSAGES {
                    return Err(A::Error::custom("too many messages"));
                }
                members.push(member);
            }
            Ok(members)
        }
    }

    list.deserialize_seq(Members)
}

fn parse_bundle(body: &str) -> Result<Vec<Member>, Reason> {
    let bundle: Bundle<'_> = serde_json::from_str(body).map_err(|_| Reason::Malformed)?;
    let nested = |member: &&RawValue| matches!(kind_of(member.get()).as_deref(), Some("bundle" | "envelope"));
    if bundle.messages.is_empty() || bundle.messages.iter().any(nested) {
        return Err(Reason::Malformed);
    }
    Ok(bundle
        .messages
        .iter()
        .map(|member| parse_member(member.get()))
        .collect())
}

#[derive(Deserialize)]
struct Named {
    #[serde(rename = "clOrdId")]
    cl_ord_id: String,
}

/// Whether `text` can only be a JSON object: a derived reader takes an array of the fields' values too.
fn is_object(text: &str) -> bool {
    text.trim_start_matches([' ', '\t', '\n', '\r']).starts_with('{')
}

fn parse_member(text: &str) -> Member {
    let named = if is_object(text) {
        serde_json::from_str::<Named>(text).ok()
    } else {
        None
    };
    let named = named.and_then(|named| ClOrdId::new(named.cl_ord_id).ok());
    let Some(cl_ord_id) = named else {
        return Member::Unreadable(text.to_owned());
    };
    let request = match serde_json::from_str::<Fields>(text) {
        Ok(fields) => fields.check(),
        Err(_) => Err(Reason::Malformed),
    };
    let body_hash = match &request {
        Ok(request) => hash_of_request(&cl_ord_id, request),
        Err(_) => hash_of_refused(text),
    };
    Member::Message(Message {
        cl_ord_id,
        body_hash,
        request,
    })
}

/// The wire form of every type. Unknown fields, wrong types, nulls and repeated fields are all malformed, and each of
/// them ends the reading: a reader that chose the type first would have to keep every field until it has seen it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Fields {
    r#type: String,
    #[serde(rename = "clOrdId")]
    _cl_ord_id: String,
    #[serde(default, deserialize_with = "present")]
    orig_cl_ord_id: Option<String>,
    #[serde(default, deserialize_with = "present")]
    symbol: Option<String>,
    #[serde(default, deserialize_with = "present")]
    side: Option<String>,
    #[serde(default, deserialize_with = "present")]
    order_qty: Option<String>,
    #[serde(default, deserialize_with = "present")]
    price: Option<String>,
    #[serde(default, deserialize_with = "present")]
    min_qty: Option<String>,
    #[serde(default, deserialize_with = "present")]
    expire_time: Option<String>,
    #[serde(default, deserialize_with = "present")]
    ack: Option<bool>,
}

/// An optional field that is there has a value: `null` is a wrong type.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl Fields {
    /// Which fields a type must and may have; then each by itself.
    fn check(self) -> Result<Request, Reason> {
        let of_a_new_order = self.symbol.is_some() || self.side.is_some() || self.ack.is_some();
        let of_terms = self.order_qty.is_some()
            || self.price.is_some()
            || self.min_qty.is_some()
            || self.expire_time.is_some();
        match self.r#type.as_str() {
            "interest" if self.orig_cl_ord_id.is_none() => self.interest(),
            "replace" if !of_a_new_order => self.replace(),
            "cancel" if !of_a_new_order && !of_terms => Ok(Request::Cancel {
                orig_cl_ord_id: original(self.orig_cl_ord_id)?,
            }),
            "status" if !of_a_new_order && !of_terms => Ok(Request::Status {
                orig_cl_ord_id: original(self.orig_cl_ord_id)?,
            }),
            _ => Err(Reason::Malformed),
        }
    }

    fn interest(self) -> Result<Request, Reason> {
        let (Some(symbol), Some(side), Some(order_qty), Some(price)) =
            (self.symbol, self.side, self.order_qty, self.price)
        else {
            return Err(Reason::Malformed);
        };
        Ok(Request::Interest(Interest {
            symbol: Symbol::new(symbol).map_err(|_| Reason::Malformed)?,
            side: Side::parse(&side).ok_or(Reason::Malformed)?,
            order_qty: quantity(&order_qty, Reason::BadQuantity)?,
            price: limit(&price)?,
            min_qty: minimum(self.min_qty)?,
            expire_time: moment(self.expire_time)?,
            ack: self.ack.unwrap_or(false),
        }))
    }

    fn replace(self) -> Result<Request, Reason> {
        let order_qty = self.order_qty.ok_or(Reason::Malformed)?;
        Ok(Request::Replace(Replace {
            orig_cl_ord_id: original(self.orig_cl_ord_id)?,
            order_qty: quantity(&order_qty, Reason::BadQuantity)?,
            price: self.price.map(|text| limit(&text)).transpose()?,
            min_qty: minimum(self.min_qty)?,
            expire_time: moment(self.expire_time)?,
        }))
    }
}

fn original(text: Option<String>) -> Result<ClOrdId, Reason> {
    let id = text.and_then(|text| ClOrdId::new(text).ok());
    id.ok_or(Reason::Malformed)
}

fn quantity(text: &str, reason: Reason) -> Result<Quantity, Reason> {
    Quantity::parse(text).ok().filter(|q| !q.is_zero()).ok_or(reason)
}

fn limit(text: &str) -> Result<Price, Reason> {
    Price::parse(text)
        .ok()
        .filter(|p| !p.is_zero())
        .ok_or(Reason::BadPrice)
}

fn minimum(text: Option<String>) -> Result<Option<Quantity>, Reason> {
    let parsed = text.map(|text| quantity(&text, Reason::BadMinQty));
    parsed.transpose()
}

fn moment(text: Option<String>) -> Result<Option<Timestamp>, Reason> {
    let parsed = text.map(|text| Timestamp::parse_rfc3339(&text).map_err(|_| Reason::BadExpireTime));
    parsed.transpose()
}

/// Canonical form of a request: its type, then every field of the type in the order of the contract, an absent
/// one empty, numbers and times normalised.
fn hash_of_request(cl_ord_id: &ClOrdId, request: &Request) -> BodyHash {
    let form = Labelled::new("symbolon/body/v1");
    let time = |at: Option<Timestamp>| at.map(|at| at.as_millis().to_string()).unwrap_or_default();
    let amount = |q: Option<Quantity>| q.map(|q| q.to_string()).unwrap_or_default();
    let form = match request {
        Request::Interest(interest) => form
            .field("interest")
            .field(cl_ord_id.as_str())
            .field(interest.symbol.as_str())
            .field(interest.side.as_str())
            .field(interest.order_qty.to_string())
            .field(interest.price.to_string())
            .field(amount(interest.min_qty))
            .field(time(interest.expire_time))
            .field(if interest.ack { "ack" } else { "" }),
        Request::Cancel { orig_cl_ord_id } => form
            .field("cancel")
            .field(cl_ord_id.as_str())
            .field(orig_cl_ord_id.as_str()),
        Request::Replace(replace) => form
            .field("replace")
            .field(cl_ord_id.as_str())
            .field(replace.orig_cl_ord_id.as_str())
            .field(replace.order_qty.to_string())
            .field(replace.price.map(|p| p.to_string()).unwrap_or_default())
            .field(amount(replace.min_qty))
            .field(time(replace.expire_time)),
        Request::Status { orig_cl_ord_id } => form
            .field("status")
            .field(cl_ord_id.as_str())
            .field(orig_cl_ord_id.as_str()),
    };
    BodyHash(form.sha256())
}

/// Canonical form of a message that could not be parsed into a request: its canonical JSON, or, where even that cannot
/// be had (nesting beyond the parser's depth), its text.
fn hash_of_refused(text: &str) -> BodyHash {
    let form = Labelled::new("symbolon/body/v1").field("refused");
    let canonical = canonical(text);
    BodyHash(form.field(canonical.as_deref().unwrap_or(text)).sha256())
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
