//! Names and items for the cases, drawn from the seed of the run and the name of the case.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use data_encoding::{BASE32_NOPAD, BASE64};
use sha2::{Digest as _, Sha256};

use super::{EveryPort, Unmet};
use crate::domain::book::{Entry, Rank, Version};
use crate::domain::change_set::{ChangeSet, Progress};
use crate::domain::decimal::{Price, Quantity};
use crate::domain::form::Form;
use crate::domain::identifiers::{ClOrdId, CounterpartyId, OrderKey, Principal, Side, Symbol};
use crate::domain::inbox::OutboundMessage;
use crate::domain::intake::BodyHash;
use crate::domain::match_record::MatchRecord;
use crate::domain::message_id::MessageId;
use crate::domain::submission::{Answer, OrdStatus, Rests, Submission, SubmissionKind, Terms};
use crate::domain::time::Timestamp;
use crate::domain::token::{Commitment, DataKey, EpochId, EpochKey, MatchId, Parties, PartyLeg, Token};

/// 2026-11-23T10:15:30.123Z.
pub(super) const NOON: Timestamp = Timestamp::from_millis(1_795_428_930_123);
/// Far enough not to be taken by a table's own housekeeping while a case runs, whatever the year.
const NEVER: i64 = 4_102_444_800;

/// One case at work on one adapter.
pub(super) struct Stage<'a, P, A> {
    pub(super) ports: &'a P,
    pub(super) arrange: &'a A,
    seed: [u8; 32],
}

impl<'a, P: EveryPort, A> Stage<'a, P, A> {
    pub(super) fn new(ports: &'a P, arrange: &'a A, run: &str, case: &str) -> Self {
        let seed = Sha256::new()
            .chain_update(run)
            .chain_update("/")
            .chain_update(case)
            .finalize()
            .into();
        Self { ports, arrange, seed }
    }

    /// The `n`th name of a kind, unlike any other.
    fn bytes(&self, kind: &str, n: u32) -> [u8; 16] {
        let hash: [u8; 32] = Sha256::new()
            .chain_update(self.seed)
            .chain_update(kind)
            .chain_update(n.to_be_bytes())
            .finalize()
            .into();
        hash.first_chunk().copied().unwrap_or_default()
    }

    fn text(&self, kind: &str, n: u32) -> String {
        BASE32_NOPAD.encode(&self.bytes(kind, n))
    }

    pub(super) fn owner(&self, n: u32) -> CounterpartyId {
        CounterpartyId::from_random(self.bytes("owner", n))
    }

    pub(super) fn principal(&self, n: u32) -> Result<Principal, Unmet> {
        Ok(Principal::new(format!("AROA{}", self.text("principal", n)))?)
    }

    pub(super) fn symbol(&self, n: u32) -> Result<Symbol, Unmet> {
        Ok(Symbol::new(self.text("symbol", n))?)
    }

    pub(super) fn queue_name(&self, n: u32) -> String {
        format!("conformance-{}", self.text("queue", n).to_ascii_lowercase())
    }

    pub(super) fn match_id(&self, n: u32) -> MatchId {
        MatchId::from_random(self.bytes("match", n))
    }

    /// A request token that no other write of the run has.
    pub(super) fn request(&self, n: u32) -> [u8; 16] {
        self.bytes("request", n)
    }

    pub(super) fn epoch(&self, n: u32) -> EpochId {
        let generation = self
            .bytes("epoch", n)
            .first_chunk()
            .map(|bytes| u32::from_be_bytes(*bytes));
        EpochId::new(NOON, u64::from(generation.unwrap_or_default()))
    }

    /// Writes `changes` under the request token `n`.
    pub(super) async fn write(&self, changes: &ChangeSet, n: u32) -> Result<(), Unmet> {
        Ok(self.ports.commit(changes, self.request(n)).await?)
    }

    pub(super) async fn stored(&self, key: &OrderKey) -> Result<Option<Submission>, Unmet> {
        let read = self.ports.read_submissions(std::slice::from_ref(key)).await?;
        match <[_; 1]>::try_from(read) {
            Ok([(read, submission)]) if read == *key => Ok(submission),
            _ => Err(Unmet(
                "another number of submissions than was asked for".to_owned(),
            )),
        }
    }

    pub(super) fn order(&self, n: u32) -> Result<OrderKey, Unmet> {
        Ok(OrderKey::new(self.owner(n), ClOrdId::new("A-1")?))
    }

    /// The token of a match's side, as the matcher would mint it.
    pub(super) fn token(&self, n: u32, side: Side) -> Token {
        key().token(self.match_id(n), side, &self.owner(n))
    }

    /// An interest that rests in the book of symbol 0.
    pub(super) fn resting(&self, n: u32) -> Result<Submission, Unmet> {
        let order = self.order(n)?;
        let terms = self.terms()?;
        let rank = Rank::new(terms.side, terms.price, NOON.plus_millis(i64::from(n)), &order);
        Ok(Submission {
            body_hash: Some(self.body_hash(n)?),
            answer: Some(Answer::Accepted),
            leaves_qty: terms.order_qty,
            terms: Some(terms),
            ord_status: Some(OrdStatus::New),
            rests: Some(Rests {
                rank,
                version: Version::FIRST,
            }),
            ..blank(order, SubmissionKind::Interest)
        })
    }

    /// The book entry of [`Self::resting`].
    pub(super) fn entry(&self, n: u32) -> Result<Entry, Unmet> {
        let entry = self.resting(n)?.entry();
        entry.ok_or_else(|| Unmet("a resting interest has an entry".to_owned()))
    }

    pub(super) fn terms(&self) -> Result<Terms, Unmet> {
        Ok(Terms {
            symbol: self.symbol(0)?,
            side: Side::Sell,
            order_qty: quantity("5.25")?,
            price: price("236.47")?,
            min_qty: quantity("0.1")?,
            expire_time: Timestamp::from_millis(NEVER * 1000),
        })
    }

    pub(super) fn mark(&self, n: u32) -> Result<Submission, Unmet> {
        Ok(Submission {
            ord_status: Some(OrdStatus::Cancelled),
            ended_by: Some(ClOrdId::new("A-2")?),
            ..blank(self.order(n)?, SubmissionKind::Mark)
        })
    }

    pub(super) fn body_hash(&self, n: u32) -> Result<BodyHash, Unmet> {
        let hash = Sha256::digest(self.bytes("body", n));
        BodyHash::try_from(BASE64.encode(&hash)).map_err(|error| Unmet(error.to_string()))
    }

    /// A partial fill by the match `n`, found on the order's own behalf.
    pub(super) fn fill(&self, n: u32, rests: Option<Rests>) -> Result<Progress, Unmet> {
        Ok(Progress {
            ord_status: OrdStatus::PartiallyFilled,
            cum_qty: quantity("1.25")?,
            leaves_qty: quantity("4")?,
            rests,
            tokens: vec![self.token(n, Side::Sell)],
            matches: vec![self.match_id(n)],
            ended_by: None,
            generation: 8,
        })
    }

    pub(super) fn match_record(&self, n: u32) -> Result<MatchRecord, Unmet> {
        let match_id = self.match_id(n);
        let (buy_token, sell_token) = (self.token(n, Side::Buy), self.token(n, Side::Sell));
        let parties = Parties {
            buyer: self.leg(n)?,
            seller: self.leg(n + 1)?,
        };
        Ok(MatchRecord {
            v: Form,
            match_id,
            commitment: Commitment::of(&buy_token, &sell_token),
            buy_token,
            sell_token,
            symbol: self.symbol(0)?,
            currency: "USD".to_owned(),
            last_qty: quantity("1.25")?,
            last_px: price("236.475")?,
            matched_at: NOON,
            region: "us-east-1".to_owned(),
            key_epoch: key().epoch(),
            parameter_version: 3,
            parties: key().seal(match_id, &parties, [9; 12]),
            generation: 7,
            expires_at: NEVER,
        })
    }

    fn leg(&self, n: u32) -> Result<PartyLeg, Unmet> {
        Ok(PartyLeg {
            order: self.order(n)?,
            cum_qty: quantity("1.25")?,
            leaves_qty: quantity("4")?,
            cxl_qty: Quantity::ZERO,
        })
    }

    /// A message with a body of about `bytes` bytes.
    pub(super) fn message(&self, n: u32, bytes: usize) -> OutboundMessage {
        let message_id = MessageId::of("status", &self.owner(n), "A-1", &[], "", &n.to_string());
        OutboundMessage {
            to: self.owner(n),
            body: format!("{{\"n\":{n},\"text\":\"é\\u0000€{}\"}}", "x".repeat(bytes)),
            message_id,
            kind: "status",
        }
    }
}

fn blank(order: OrderKey, kind: SubmissionKind) -> Submission {
    Submission {
        v: Form,
        owner: order.owner,
        cl_ord_id: order.cl_ord_id,
        kind,
        body_hash: None,
        accepted_at: NOON,
        answer: None,
        terms: None,
        ord_status: None,
        cum_qty: Quantity::ZERO,
        leaves_qty: Quantity::ZERO,
        rests: None,
        tokens: Vec::new(),
        matches: Vec::new(),
        told_at: None,
        ended_by: None,
        generation: 7,
        expires_at: NEVER,
    }
}

fn key() -> EpochKey {
    EpochKey::derive(EpochId::new(NOON, 7), DataKey::new([7; 32]))
}

pub(super) fn quantity(text: &str) -> Result<Quantity, Unmet> {
    Quantity::parse(text).map_err(|error| Unmet(error.to_string()))
}

pub(super) fn price(text: &str) -> Result<Price, Unmet> {
    Price::parse(text).map_err(|error| Unmet(error.to_string()))
}

/// Makes all calls at once and waits for all of them. Eight or so: each is polled whenever one of them moves.
pub(super) async fn together<T, F: Future<Output = T> + Send>(calls: impl IntoIterator<Item = F>) -> Vec<T> {
    let mut calls: Vec<Pin<Box<F>>> = calls.into_iter().map(Box::pin).collect();
    let mut done: Vec<Option<T>> = calls.iter().map(|_| None).collect();
    poll_fn(|context| {
        for (call, result) in calls.iter_mut().zip(&mut done) {
            if result.is_none()
                && let Poll::Ready(output) = call.as_mut().poll(context)
            {
                *result = Some(output);
            }
        }
        if done.iter().all(Option::is_some) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    done.into_iter().flatten().collect()
}
