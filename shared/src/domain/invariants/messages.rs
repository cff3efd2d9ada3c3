//! What was sent and what was received: answers, matches told, nothing lost, nobody named.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Map, Value};

use super::matches::shown_match;
use super::{Counterexample, Evidence, MatchedLeg, Name, OpenedMatch, Sent, Verdict, ensure, name_of, shown};
use crate::domain::counterparty::Counterparty;
use crate::domain::decimal::Quantity;
use crate::domain::identifiers::{CounterpartyId, OrderKey, Symbol};
use crate::domain::inbox::{OutboundMessage, answer_message, match_messages, refusal};
use crate::domain::intake::Request;
use crate::domain::limits::SUBMISSION_LIFE_DAYS;
use crate::domain::message_id::MessageId;
use crate::domain::reason::{Reason, SetAsideReason};
use crate::domain::submission::{Answer, OrdStatus, Submission, SubmissionKind};
use crate::domain::time::Timestamp;
use crate::domain::token::{Commitment, MatchId, Token};

/// The fields of each type of inbox message, as the contract lists them; every one of them is always there.
const INBOX_FIELDS: [(&str, &[&str]); 8] = [
    (
        "match",
        &[
            "type",
            "messageId",
            "clOrdId",
            "token",
            "commitment",
            "symbol",
            "side",
            "currency",
            "lastQty",
            "lastPx",
            "cumQty",
            "leavesQty",
            "cxlQty",
            "matchedAt",
        ],
    ),
    ("accepted", &["type", "messageId", "clOrdId", "leavesQty"]),
    (
        "cancelled",
        &[
            "type",
            "messageId",
            "clOrdId",
            "origClOrdId",
            "cumQty",
            "leavesQty",
            "cxlQty",
        ],
    ),
    ("cancelPending", &["type", "messageId", "clOrdId", "origClOrdId"]),
    (
        "replaced",
        &[
            "type",
            "messageId",
            "clOrdId",
            "origClOrdId",
            "cumQty",
            "leavesQty",
        ],
    ),
    (
        "status",
        &[
            "type",
            "messageId",
            "clOrdId",
            "origClOrdId",
            "ordStatus",
            "cumQty",
            "leavesQty",
            "tokens",
        ],
    ),
    ("rejected", &["type", "messageId", "clOrdId", "reason"]),
    ("message", &["type", "messageId", "token", "text"]),
];

/// One message as it lay in an inbox.
struct Received<'a> {
    by: &'a CounterpartyId,
    text: &'a str,
    fields: Map<String, Value>,
}

impl<'a> Received<'a> {
    fn read(by: &'a CounterpartyId, text: &'a str) -> Result<Self, Counterexample> {
        match serde_json::from_str(text) {
            Ok(Value::Object(fields)) => Ok(Self { by, text, fields }),
            _ => Err(Counterexample(format!(
                "{} received what is no JSON object: {text}",
                by.as_str()
            ))),
        }
    }

    fn field(&self, name: &str) -> &str {
        self.fields.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    fn kind(&self) -> &str {
        self.field("type")
    }

    fn shown(&self) -> String {
        format!("{} received {}", self.by.as_str(), self.text)
    }
}

fn received(evidence: &Evidence) -> Result<Vec<Received<'_>>, Counterexample> {
    let inboxes = evidence.inboxes.iter();
    inboxes
        .flat_map(|(by, bodies)| bodies.iter().map(move |body| Received::read(by, body)))
        .collect()
}

/// The messages of all inboxes by their id: one owner and one text each.
fn copies<'a>(received: &'a [Received<'_>]) -> Result<HashMap<&'a str, &'a Received<'a>>, Counterexample> {
    let mut copies: HashMap<&str, &Received<'_>> = HashMap::new();
    for message in received {
        let first = copies.entry(message.field("messageId")).or_insert(message);
        ensure(first.by == message.by && first.text == message.text, || {
            format!(
                "not the same under one id: {}; {}",
                first.shown(),
                message.shown()
            )
        })?;
    }
    Ok(copies)
}

fn arrived(copies: &HashMap<&str, &Received<'_>>, expected: &OutboundMessage) -> bool {
    copies
        .get(expected.message_id.encode().as_str())
        .is_some_and(|message| *message.by == expected.to && message.text == expected.body)
}

/// Both owners of every match received its message, exactly as the stored match says it, and no other match message
/// was ever sent; all messages with one id are the same; the order on whose behalf a match was found remembers it as
/// told, and both orders list their token.
///
/// # Errors
/// The first counterexample.
pub fn invariant_every_match_told_to_both(evidence: &Evidence) -> Verdict {
    let received = received(evidence)?;
    let copies = copies(&received)?;
    let mut expected = HashSet::new();
    for opened in &evidence.matches {
        for message in match_messages(&opened.record, &opened.parties) {
            ensure(arrived(&copies, &message), || {
                format!("{}: not told to {}", shown_match(opened), message.to.as_str())
            })?;
            expected.insert(message.message_id.encode());
        }
    }
    for message in received.iter().filter(|message| message.kind() == "match") {
        ensure(expected.contains(message.field("messageId")), || {
            format!("no such match: {}", message.shown())
        })?;
    }
    remembered_as_told(evidence)?;
    tokens_listed(evidence)
}

fn remembered_as_told(evidence: &Evidence) -> Verdict {
    let mut finders: HashMap<MatchId, &Submission> = HashMap::new();
    for order in &evidence.submissions {
        ensure(!order.has_untold_matches(), || {
            format!("{} has matches that are not told", shown(name_of(order)))
        })?;
        for id in &order.matches {
            ensure(finders.insert(*id, order).is_none(), || {
                format!("{} found a match that was found before", shown(name_of(order)))
            })?;
        }
    }
    for opened in &evidence.matches {
        let finder = finders.remove(&opened.record.match_id).map(name_of);
        let own = opened.legs().iter().any(|leg| Some(leg.name()) == finder);
        ensure(own, || {
            format!("{}: neither order answers for it", shown_match(opened))
        })?;
    }
    ensure(finders.is_empty(), || {
        let orders: Vec<_> = finders.values().map(|order| shown(name_of(order))).collect();
        format!("matches that are not stored: of {}", orders.join(", "))
    })
}

/// Every order lists the tokens of its matches, and a replace those of what it replaced before its own.
fn tokens_listed(evidence: &Evidence) -> Verdict {
    let mut minted: HashMap<Name<'_>, HashSet<String>> = HashMap::new();
    for leg in evidence.legs() {
        let token = leg.record.token(leg.side).encode();
        minted.entry(leg.name()).or_default().insert(token);
    }
    let by_name = evidence.by_name();
    let listed = |order: &Submission| order.tokens.iter().map(Token::encode).collect::<Vec<_>>();
    let mut inherited: HashMap<Name<'_>, Vec<String>> = HashMap::new();
    for original in evidence.submissions.iter().filter(|order| !order.is_mark()) {
        let successor = original.ended_by.as_ref().map(|by| (&original.owner, by));
        let successor = successor.filter(|name| by_name.get(name).is_some_and(|s| is_order(s)));
        inherited.extend(successor.map(|name| (name, listed(original))));
    }
    for order in &evidence.submissions {
        let name = name_of(order);
        let old = inherited.remove(&name).unwrap_or_default();
        let own = minted.remove(&name).unwrap_or_default();
        let listed = listed(order);
        let complete = listed.strip_prefix(old.as_slice()).is_some_and(|new| {
            new.len() == own.len() && new.iter().collect::<HashSet<_>>() == own.iter().collect()
        });
        ensure(complete, || {
            format!("{} lists other tokens than its own", shown(name))
        })?;
    }
    Ok(())
}

fn is_order(submission: &Submission) -> bool {
    matches!(
        submission.kind,
        SubmissionKind::Interest | SubmissionKind::Replace
    )
}

/// Every message that can be answered is remembered by one submission of its kind and meaning, accepted when it was
/// sent, with its answer in its owner's inbox: an order rests or has ended, and one whose cancel was told to be pending
/// has ended as cancelled; a reuse of its id is refused. No submission remembers what nobody sent, and no inbox has an
/// answer to it. Everything else was set aside, with a reason that our code gives.
///
/// # Errors
/// The first counterexample.
pub fn invariant_every_message_ends(evidence: &Evidence) -> Verdict {
    let received = received(evidence)?;
    let copies = copies(&received)?;
    let by_name = evidence.by_name();
    let mut expected = HashSet::new();
    let sent = sent_by_name(evidence);
    for (name, sent) in &sent {
        let answers = match by_name.get(name) {
            Some(submission) => remembered(evidence, submission, sent)?,
            None => forgotten(evidence, *name, sent)?,
        };
        for answer in answers {
            ensure(arrived(&copies, &answer), || {
                format!("{}: {} did not arrive", shown(*name), answer.body)
            })?;
            expected.insert(answer.message_id.encode());
        }
    }
    for message in received.iter().filter(|message| is_answer(message.kind())) {
        ensure(expected.contains(message.field("messageId")), || {
            format!("nobody asked: {}", message.shown())
        })?;
    }
    for submission in &evidence.submissions {
        let asked = sent.contains_key(&name_of(submission)) || is_early_mark(submission, &sent);
        ensure(asked, || {
            format!("{} was sent by nobody", shown(name_of(submission)))
        })?;
        pending_cancel_came_true(submission, &by_name)?;
    }
    set_aside_with_a_reason(evidence)
}

/// An order whose cancel came first never trades (what comes under its name may still be refused, or be no order).
fn pending_cancel_came_true(cancel: &Submission, by_name: &HashMap<Name<'_>, &Submission>) -> Verdict {
    let Some(Answer::CancelPending { orig_cl_ord_id }) = &cancel.answer else {
        return Ok(());
    };
    let order = by_name.get(&(&cancel.owner, orig_cl_ord_id));
    let trades =
        |order: &&Submission| is_order(order) && !matches!(order.answer, Some(Answer::Cancelled { .. }));
    ensure(!order.is_some_and(trades), || {
        format!(
            "{} was to be cancelled when it came",
            shown((&cancel.owner, orig_cl_ord_id))
        )
    })
}

fn is_answer(kind: &str) -> bool {
    !matches!(kind, "match" | "message")
}

fn sent_by_name(evidence: &Evidence) -> BTreeMap<Name<'_>, Vec<&Sent>> {
    let mut by_name: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for sent in &evidence.sent {
        let name = (&sent.order.owner, &sent.order.cl_ord_id);
        by_name.entry(name).or_default().push(sent);
    }
    by_name
}

/// A mark of a cancel that was sent, under the name that it cancels.
fn is_early_mark(submission: &Submission, sent: &BTreeMap<Name<'_>, Vec<&Sent>>) -> bool {
    let cancels = |sent: &&Sent| matches!(&sent.message.request, Ok(Request::Cancel { orig_cl_ord_id }) if *orig_cl_ord_id == submission.cl_ord_id);
    let by = submission.ended_by.as_ref();
    let cancel = by.and_then(|by| sent.get(&(&submission.owner, by)));
    submission.is_mark() && cancel.is_some_and(|sent| sent.iter().any(cancels))
}

/// The answers to everything sent under the name of `submission`.
fn remembered(
    evidence: &Evidence,
    submission: &Submission,
    sent: &[&Sent],
) -> Result<Vec<OutboundMessage>, Counterexample> {
    let name = || shown(name_of(submission));
    let same = |sent: &&&Sent| submission.body_hash == Some(sent.message.body_hash);
    let first = sent
        .iter()
        .filter(same)
        .find(|sent| sent.sent_at == submission.accepted_at);
    let Some(first) = first else {
        return Err(Counterexample(format!(
            "{} is remembered otherwise than it was sent",
            name()
        )));
    };
    ensure(kind_fits(first, submission), || {
        format!("{} is remembered as {:?}", name(), submission.kind)
    })?;
    ensure(has_ended_or_rests(submission, evidence.now), || {
        format!("{} is {:?} and does not rest", name(), submission.ord_status)
    })?;
    let reuses = sent.iter().filter(|sent| !same(sent));
    let mut answers: Vec<_> = reuses.map(|sent| refusal_of_reuse(evidence, sent)).collect();
    answers.extend(answer_message(submission));
    Ok(answers)
}

fn kind_fits(sent: &Sent, submission: &Submission) -> bool {
    let refused = submission.kind == SubmissionKind::Refused;
    match &sent.message.request {
        Ok(Request::Interest(_)) => refused || submission.kind == SubmissionKind::Interest,
        Ok(Request::Cancel { .. }) => refused || submission.kind == SubmissionKind::Cancel,
        Ok(Request::Replace(_)) => refused || submission.kind == SubmissionKind::Replace,
        Ok(Request::Status { .. }) => refused || submission.kind == SubmissionKind::Status,
        Err(_) => refused,
    }
}

/// Whether an order rests, is filled, cancelled, replaced, expired or rejected. A cancel, a question and their
/// refusals are no orders: their answer is all.
fn has_ended_or_rests(submission: &Submission, now: Timestamp) -> bool {
    match submission.status_at(now) {
        Some(OrdStatus::New | OrdStatus::PartiallyFilled) => submission.rests.is_some(),
        Some(OrdStatus::Rejected) => submission.kind == SubmissionKind::Refused,
        Some(_) => is_order(submission),
        None => !is_order(submission) && submission.answer.is_some(),
    }
}

/// Beyond the life of a submission nothing is remembered: every copy is refused as expired.
fn forgotten(
    evidence: &Evidence,
    name: Name<'_>,
    sent: &[&Sent],
) -> Result<Vec<OutboundMessage>, Counterexample> {
    let old = sent.iter().all(|sent| is_too_old(evidence, sent));
    ensure(old, || format!("{} left no submission", shown(name)))?;
    Ok(sent
        .iter()
        .map(|sent| refusal(&sent.order, &sent.message.body_hash, Reason::Expired))
        .collect())
}

fn is_too_old(evidence: &Evidence, sent: &Sent) -> bool {
    sent.sent_at.plus_days(SUBMISSION_LIFE_DAYS) <= evidence.now
}

fn refusal_of_reuse(evidence: &Evidence, sent: &Sent) -> OutboundMessage {
    let reason = if is_too_old(evidence, sent) {
        Reason::Expired
    } else {
        Reason::DuplicateClOrdId
    };
    refusal(&sent.order, &sent.message.body_hash, reason)
}

fn set_aside_with_a_reason(evidence: &Evidence) -> Verdict {
    let reasons = [SetAsideReason::Malformed, SetAsideReason::UnknownSender].map(SetAsideReason::code);
    let unanswerable: HashSet<&str> = evidence.unanswerable.iter().map(String::as_str).collect();
    let mut kept = HashSet::new();
    for letter in &evidence.set_aside {
        let reason = letter.reason.as_deref();
        ensure(reason.is_some_and(|reason| reasons.contains(&reason)), || {
            format!("set aside for {reason:?}: {}", letter.body)
        })?;
        ensure(unanswerable.contains(letter.body.as_str()), || {
            format!("set aside though it could be answered: {}", letter.body)
        })?;
        kept.insert(letter.body.as_str());
    }
    let lost = unanswerable.difference(&kept).next();
    ensure(lost.is_none(), || {
        format!("neither answered nor set aside: {lost:?}")
    })
}

/// A message has the fields that the contract gives its type, each of its form; the orders and tokens that it names
/// are the receiver's own; and no text in it is anybody's opaque id, principal or inbox, the receiver's own included.
///
/// So a foreign `clOrdId` has no field to stand in: the two that hold one are compared with what the receiver sent,
/// every other field has a form of its own (that somebody calls an order `buy` or `236.47` proves nothing).
///
/// # Errors
/// The first counterexample.
pub fn invariant_no_identity_crosses_over(evidence: &Evidence) -> Verdict {
    let names = Names::of(evidence);
    for (by, bodies) in &evidence.inboxes {
        for body in bodies {
            let message = Received::read(by, body)?;
            ensure(has_the_contracts_fields(&message), || message.shown())?;
            for (field, value) in &message.fields {
                ensure(names.allow(by, field, value), || {
                    format!("{field}: {}", message.shown())
                })?;
            }
        }
    }
    Ok(())
}

fn has_the_contracts_fields(message: &Received<'_>) -> bool {
    let contract = INBOX_FIELDS.iter().find(|(kind, _)| *kind == message.kind());
    contract.is_some_and(|(_, fields)| {
        fields.len() == message.fields.len() && fields.iter().all(|field| message.fields.contains_key(*field))
    })
}

/// Everything that names somebody.
struct Names<'a> {
    /// Opaque ids, principals and inbox addresses.
    identities: HashSet<&'a str>,
    /// What each counterparty calls its orders.
    orders: HashSet<OrderKey>,
    /// Whose each token is.
    tokens: HashMap<String, &'a CounterpartyId>,
}

impl<'a> Names<'a> {
    fn of(evidence: &'a Evidence) -> Self {
        let everybody = evidence.counterparties.iter().map(|known| &known.value);
        let named = |one: &'a Counterparty| {
            let inboxes = one.inboxes.values().map(String::as_str);
            [one.id.as_str(), one.principal.as_str()]
                .into_iter()
                .chain(inboxes)
        };
        let token = |leg: MatchedLeg<'a>| (leg.record.token(leg.side).encode(), &leg.leg.order.owner);
        Self {
            identities: everybody.flat_map(named).collect(),
            orders: evidence.sent.iter().flat_map(names_used).collect(),
            tokens: evidence
                .matches
                .iter()
                .flat_map(OpenedMatch::legs)
                .map(token)
                .collect(),
        }
    }

    fn allow(&self, by: &CounterpartyId, field: &str, value: &Value) -> bool {
        match value {
            Value::String(text) => !self.identities.contains(text.as_str()) && self.fits(by, field, text),
            Value::Array(items) => {
                field == "tokens" && items.iter().all(|item| self.allow(by, "token", item))
            }
            _ => false,
        }
    }

    fn fits(&self, by: &CounterpartyId, field: &str, text: &str) -> bool {
        match field {
            "clOrdId" | "origClOrdId" => {
                let name = text.to_owned().try_into();
                name.is_ok_and(|name| self.orders.contains(&OrderKey::new(by.clone(), name)))
            }
            "token" => self.tokens.get(text).is_some_and(|owner| *owner == by),
            _ => has_its_form(field, text),
        }
    }
}

/// What the owner of a message calls its orders in it.
fn names_used(sent: &Sent) -> impl Iterator<Item = OrderKey> {
    let request = sent.message.request.as_ref().ok();
    let original = request.and_then(Request::original).cloned();
    let original = original.map(|original| OrderKey::new(sent.order.owner.clone(), original));
    std::iter::once(sent.order.clone()).chain(original)
}

/// Whether a field that names nobody looks as the contract says. The text of a relayed message is its sender's.
fn has_its_form(field: &str, text: &str) -> bool {
    match field {
        "type" | "text" => true,
        "messageId" => MessageId::parse(text).is_ok(),
        "commitment" => Commitment::parse(text).is_ok(),
        "symbol" => Symbol::new(text).is_ok(),
        "side" => matches!(text, "buy" | "sell"),
        "currency" => {
            let known = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
            (3..=10).contains(&text.len()) && text.bytes().all(known)
        }
        "lastQty" | "lastPx" | "cumQty" | "leavesQty" | "cxlQty" => {
            Quantity::try_from(text.to_owned()).is_ok()
        }
        "matchedAt" => Timestamp::parse_rfc3339(text).is_ok(),
        "ordStatus" => serde_json::from_value::<OrdStatus>(text.into()).is_ok(),
        "reason" => serde_json::from_value::<Reason>(text.into()).is_ok(),
        _ => false,
    }
}
