//! Finding and making matches for one order, on its arrival or when it looks again.

use super::{Entropy, Interruption, MadeMatch, Surroundings};
use crate::domain::book::{BookKey, Entry, EntryKey, Rank, Version};
use crate::domain::change_set::{ChangeSet, Progress};
use crate::domain::counterparty::Counterparty;
use crate::domain::decimal::{Price, Quantity};
use crate::domain::desk::{Desk, Need};
use crate::domain::form::Form;
use crate::domain::identifiers::{OrderKey, Side};
use crate::domain::limits::{BOOK_PAGE_ENTRIES, MAX_MATCHES_PER_DECISION};
use crate::domain::match_record::MatchRecord;
use crate::domain::pairing::{Fill, Leg, Pairing, Taker, match_price, pair};
use crate::domain::parameters::MatchParameters;
use crate::domain::submission::{OrdStatus, Rests, Submission, next_status, submission_expiry};
use crate::domain::token::{Commitment, MatchId, Parties, PartyLeg, Token};

/// What is at hand to find matches for one order of `sender`.
pub(super) struct Finder<'a> {
    pub(super) desk: &'a Desk,
    pub(super) sender: &'a Counterparty,
    pub(super) parameters: &'a MatchParameters,
    pub(super) around: &'a Surroundings<'a>,
}

/// The matches found, and what they change on the other side of the book.
pub(super) struct Found {
    /// The other side's entries and submissions, and the matches.
    pub(super) changes: ChangeSet,
    /// The matches, with their parties in the clear.
    pub(super) made: Vec<MadeMatch>,
    /// The order after each match.
    pub(super) taker_legs: Vec<Leg>,
    /// The order after all of them.
    pub(super) taker: Leg,
    /// Its owner's tokens.
    pub(super) tokens: Vec<Token>,
    /// The matches' ids.
    pub(super) matches: Vec<MatchId>,
    /// Expired entries that were passed over.
    pub(super) expired: Vec<(EntryKey, Version)>,
}

impl Finder<'_> {
    /// Finds and makes the matches of `order`. `seniority` gives the limits of a resting entry and the order,
    /// the earlier accepted of the two first.
    ///
    /// # Errors
    /// A need, when more of the book or of the registry must be known to be sure.
    pub(super) fn find(
        &self,
        order: &Submission,
        seniority: impl Fn(&Entry) -> (Price, Price),
        entropy: &mut dyn Entropy,
    ) -> Result<Found, Interruption> {
        let Some(terms) = &order.terms else {
            return Ok(Found::nothing(order));
        };
        let taker = Taker {
            side: terms.side,
            price: terms.price,
            min_qty: terms.min_qty,
            legs: Leg {
                cum_qty: order.cum_qty,
                leaves_qty: order.leaves_qty,
                cxl_qty: Quantity::ZERO,
            },
        };
        let book = BookKey {
            symbol: terms.symbol.clone(),
            side: terms.side.opposite(),
        };
        let bound = Rank::bound(book.side, terms.price);
        let (candidates, complete) = self.desk.book(&book, &bound);
        let policy = self.parameters.price_policy;
        let price_of = |entry: &Entry| {
            let (earlier, later) = seniority(entry);
            match_price(policy, earlier, later)
        };
        let eligible = |entry: &Entry| match self.desk.counterparty(&entry.owner) {
            Ok(other) => Ok(other.is_some_and(|other| self.sender.may_meet(other))),
            Err(_) => Err(self.owners_from(&entry.rank, candidates.clone())),
        };
        let pairing = pair(
            &taker,
            candidates.clone(),
            eligible,
            price_of,
            self.around.now,
            MAX_MATCHES_PER_DECISION,
        )?;
        if !complete && !pairing.cut && !pairing.taker.leaves_qty.is_zero() {
            return Err(Need::Book(book, bound).into());
        }
        let now = self.around.now;
        let met = candidates.take(pairing.met);
        let expired = met.filter(|entry| entry.expire_time <= now);
        let expired = expired.map(|entry| (entry.key(), entry.version)).collect();
        Ok(self.make(order, terms.side, pairing, expired, entropy))
    }

    /// Whom the registry must be asked about: the owner at `rank`, and everybody in the page behind, so that one
    /// question serves the whole page.
    fn owners_from<'e>(&self, rank: &Rank, candidates: impl Iterator<Item = &'e Entry>) -> Need {
        let page = candidates
            .skip_while(|entry| entry.rank < *rank)
            .take(BOOK_PAGE_ENTRIES as usize);
        Need::Counterparties(self.desk.strangers(page.map(|entry| &entry.owner)))
    }

    fn make(
        &self,
        order: &Submission,
        side: Side,
        pairing: Pairing,
        expired: Vec<(EntryKey, Version)>,
        entropy: &mut dyn Entropy,
    ) -> Found {
        let mut found = Found {
            taker: pairing.taker,
            expired,
            ..Found::nothing(order)
        };
        for fill in pairing.fills {
            let made = self.make_match(order, side, &fill, entropy);
            found.tokens.push(made.record.token(side).clone());
            found.matches.push(made.record.match_id);
            found.taker_legs.push(fill.taker);
            let resting_token = made.record.token(side.opposite()).clone();
            consume(&mut found.changes, &fill, resting_token, self.around.generation);
            found.changes.matches.push(made.record.clone());
            found.made.push(made);
        }
        found
    }

    fn make_match(
        &self,
        order: &Submission,
        side: Side,
        fill: &Fill,
        entropy: &mut dyn Entropy,
    ) -> MadeMatch {
        let (mut id, mut nonce) = ([0; 16], [0; 12]);
        entropy.fill(&mut id);
        entropy.fill(&mut nonce);
        let match_id = MatchId::from_random(id);
        let taker = party_leg(order.key(), fill.taker);
        let rested = party_leg(fill.resting.order(), fill.rested);
        let (buyer, seller) = match side {
            Side::Buy => (taker, rested),
            Side::Sell => (rested, taker),
        };
        let parties = Parties { buyer, seller };
        let key = self.around.key;
        let buy_token = key.token(match_id, Side::Buy, &parties.buyer.order.owner);
        let sell_token = key.token(match_id, Side::Sell, &parties.seller.order.owner);
        let record = MatchRecord {
            v: Form,
            commitment: Commitment::of(&buy_token, &sell_token),
            buy_token,
            sell_token,
            symbol: self.parameters.symbol.clone(),
            currency: self.parameters.currency.clone(),
            last_qty: fill.last_qty,
            last_px: fill.last_px,
            matched_at: self.around.now,
            region: self.around.region.to_owned(),
            key_epoch: key.epoch(),
            parameter_version: self.parameters.version,
            parties: key.seal(match_id, &parties, nonce),
            generation: self.around.generation,
            expires_at: submission_expiry(self.around.now),
            match_id,
        };
        MadeMatch { record, parties }
    }
}

impl Found {
    fn nothing(order: &Submission) -> Self {
        let taker = Leg {
            cum_qty: order.cum_qty,
            leaves_qty: order.leaves_qty,
            cxl_qty: Quantity::ZERO,
        };
        Self {
            changes: ChangeSet::default(),
            made: Vec::new(),
            taker_legs: Vec::new(),
            taker,
            tokens: Vec::new(),
            matches: Vec::new(),
            expired: Vec::new(),
        }
    }
}

fn party_leg(order: OrderKey, leg: Leg) -> PartyLeg {
    PartyLeg {
        order,
        cum_qty: leg.cum_qty,
        leaves_qty: leg.leaves_qty,
        cxl_qty: leg.cxl_qty,
    }
}

/// Takes the matched quantity out of the resting entry and tells its submission.
fn consume(changes: &mut ChangeSet, fill: &Fill, token: Token, generation: u64) {
    let expected = fill.resting.version;
    let mut entry = fill.resting.clone();
    entry.cum_qty = fill.rested.cum_qty;
    entry.leaves_qty = fill.rested.leaves_qty;
    entry.version = expected.next();
    entry.generation = generation;
    let before = if fill.resting.cum_qty.is_zero() {
        OrdStatus::New
    } else {
        OrdStatus::PartiallyFilled
    };
    let rests = Rests {
        rank: entry.rank.clone(),
        version: entry.version,
    };
    let progress = Progress {
        // An entry in the book is new or partially filled: both take every fill.
        ord_status: next_status(before, fill.rested.event()).unwrap_or(before),
        cum_qty: entry.cum_qty,
        leaves_qty: entry.leaves_qty,
        rests: (!entry.leaves_qty.is_zero()).then_some(rests),
        tokens: vec![token],
        matches: Vec::new(),
        ended_by: None,
        generation,
    };
    changes.advance(entry.order(), progress);
    changes.change_entry(entry, expected);
}
