//! What goes out: the body of an inbox message, and its id.

use std::fmt;

use serde::Serialize;

use super::decimal::{Price, Quantity};
use super::identifiers::{CounterpartyId, OrderKey, Side};
use super::intake::BodyHash;
use super::match_record::MatchRecord;
use super::message_id::MessageId;
use super::reason::Reason;
use super::submission::{Answer, OrdStatus, Submission};
use super::token::{Commitment, Parties, Token};

/// A message for one counterparty, ready to be sent to its inbox.
#[derive(Clone, PartialEq, Eq)]
pub struct OutboundMessage {
    /// Whose inbox.
    pub to: CounterpartyId,
    /// The same in every copy.
    pub message_id: MessageId,
    /// Its type on the wire, for logs and metrics.
    pub kind: &'static str,
    /// The JSON body.
    pub body: String,
}

impl fmt::Debug for OutboundMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OutboundMessage({})", self.kind)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a, T: Serialize> {
    r#type: &'static str,
    message_id: &'a MessageId,
    cl_ord_id: &'a str,
    #[serde(flatten)]
    rest: T,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MatchBody<'a> {
    token: &'a Token,
    commitment: &'a Commitment,
    symbol: &'a str,
    side: Side,
    currency: &'a str,
    last_qty: Quantity,
    last_px: Price,
    cum_qty: Quantity,
    leaves_qty: Quantity,
    cxl_qty: Quantity,
    matched_at: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AcceptedBody {
    leaves_qty: Quantity,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CancelledBody<'a> {
    orig_cl_ord_id: &'a str,
    cum_qty: Quantity,
    leaves_qty: Quantity,
    cxl_qty: Quantity,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CancelPendingBody<'a> {
    orig_cl_ord_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReplacedBody<'a> {
    orig_cl_ord_id: &'a str,
    cum_qty: Quantity,
    leaves_qty: Quantity,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StatusBody<'a> {
    orig_cl_ord_id: &'a str,
    ord_status: OrdStatus,
    cum_qty: Quantity,
    leaves_qty: Quantity,
    tokens: &'a [Token],
}

#[derive(Serialize)]
struct RejectedBody {
    reason: Reason,
}

/// Both messages of a match, the buyer's first. Everything in them comes from the stored match, so every copy,
/// whoever makes it and when, is the same.
#[must_use]
pub fn match_messages(record: &MatchRecord, parties: &Parties) -> [OutboundMessage; 2] {
    [Side::Buy, Side::Sell].map(|side| {
        let leg = match side {
            Side::Buy => &parties.buyer,
            Side::Sell => &parties.seller,
        };
        let token = record.token(side);
        let body = MatchBody {
            token,
            commitment: &record.commitment,
            symbol: record.symbol.as_str(),
            side,
            currency: &record.currency,
            last_qty: record.last_qty,
            last_px: record.last_px,
            cum_qty: leg.cum_qty,
            leaves_qty: leg.leaves_qty,
            cxl_qty: leg.cxl_qty,
            matched_at: record.matched_at.to_rfc3339(),
        };
        // The token alone makes a match message unique: it has neither a body of the owner's nor a reason.
        let order = &leg.order;
        let id = MessageId::of(
            "match",
            &order.owner,
            order.cl_ord_id.as_str(),
            &[],
            "",
            &token.encode(),
        );
        wire("match", &order.owner, order.cl_ord_id.as_str(), id, body)
    })
}

/// The answer that a submission remembers, as the message to its owner; `None` when nothing was answered.
#[must_use]
pub fn answer_message(submission: &Submission) -> Option<OutboundMessage> {
    let hash = submission.body_hash.as_ref()?;
    Some(answer(
        &submission.key(),
        hash,
        submission,
        submission.answer.as_ref()?,
    ))
}

/// The refusal of a message that cannot be remembered, because its id is taken or its time is long past.
#[must_use]
pub fn refusal(order: &OrderKey, hash: &BodyHash, reason: Reason) -> OutboundMessage {
    let name = order.cl_ord_id.as_str();
    let id = MessageId::of("rejected", &order.owner, name, hash.as_bytes(), reason.code(), "");
    wire("rejected", &order.owner, name, id, RejectedBody { reason })
}

fn answer(order: &OrderKey, hash: &BodyHash, submission: &Submission, answer: &Answer) -> OutboundMessage {
    let owner = &order.owner;
    let own = order.cl_ord_id.as_str();
    let id = |kind: &str| MessageId::of(kind, owner, own, hash.as_bytes(), "", "");
    let zero = Quantity::ZERO;
    match answer {
        Answer::Accepted => {
            let leaves_qty = submission.terms.as_ref().map_or(zero, |terms| terms.order_qty);
            wire(
                "accepted",
                owner,
                own,
                id("accepted"),
                AcceptedBody { leaves_qty },
            )
        }
        Answer::Cancelled {
            cl_ord_id,
            orig_cl_ord_id,
            cum_qty,
            cxl_qty,
        } => {
            let body = CancelledBody {
                orig_cl_ord_id: orig_cl_ord_id.as_str(),
                cum_qty: *cum_qty,
                leaves_qty: zero,
                cxl_qty: *cxl_qty,
            };
            wire("cancelled", owner, cl_ord_id.as_str(), id("cancelled"), body)
        }
        Answer::CancelPending { orig_cl_ord_id } => {
            let body = CancelPendingBody {
                orig_cl_ord_id: orig_cl_ord_id.as_str(),
            };
            wire("cancelPending", owner, own, id("cancelPending"), body)
        }
        Answer::Replaced {
            orig_cl_ord_id,
            cum_qty,
            leaves_qty,
        } => {
            let body = ReplacedBody {
                orig_cl_ord_id: orig_cl_ord_id.as_str(),
                cum_qty: *cum_qty,
                leaves_qty: *leaves_qty,
            };
            wire("replaced", owner, own, id("replaced"), body)
        }
        Answer::Status {
            orig_cl_ord_id,
            ord_status,
            cum_qty,
            leaves_qty,
            tokens,
        } => {
            let body = StatusBody {
                orig_cl_ord_id: orig_cl_ord_id.as_str(),
                ord_status: *ord_status,
                cum_qty: *cum_qty,
                leaves_qty: *leaves_qty,
                tokens,
            };
            wire("status", owner, own, id("status"), body)
        }
        Answer::Rejected { reason } => refusal(order, hash, *reason),
    }
}

fn wire<T: Serialize>(
    kind: &'static str,
    to: &CounterpartyId,
    cl_ord_id: &str,
    message_id: MessageId,
    rest: T,
) -> OutboundMessage {
    let body = Wire {
        r#type: kind,
        message_id: &message_id,
        cl_ord_id,
        rest,
    };
    // Structs of strings always serialise; were one ever not to, SQS refuses the empty body and the record stays.
    let body = serde_json::to_string(&body).unwrap_or_default();
    OutboundMessage {
        to: to.clone(),
        message_id,
        kind,
        body,
    }
}
