//! The book at rest.

use std::collections::{BTreeMap, HashMap};

use super::{Evidence, Known, Name, Verdict, ensure, shown};
use crate::domain::book::Entry;
use crate::domain::counterparty::Counterparty;
use crate::domain::decimal::Price;
use crate::domain::identifiers::{CounterpartyId, Side, Symbol};
use crate::domain::pairing::crosses;
use crate::domain::parameters::MatchParameters;
use crate::domain::submission::Submission;
use crate::domain::time::Timestamp;

/// At rest no two interests that could have matched when the later of them last looked: crossing limits, owners
/// that may meet, both in their time, and enough left for both minimums.
///
/// What is left only shrinks, and terms change only under a new id with a look of its own; so a pair that fits now
/// fitted then. Not judged is a pair whose later member was sent before the registry or the parameters changed last:
/// nobody looks again because of such a change.
///
/// # Errors
/// The first counterexample.
pub fn invariant_at_rest_nothing_could_match(evidence: &Evidence) -> Verdict {
    let facts = Facts::of(evidence);
    let mut books: BTreeMap<&Symbol, Book<'_>> = BTreeMap::new();
    let alive = |entry: &&Entry| entry.expire_time > evidence.now;
    for entry in evidence.entries.iter().filter(alive) {
        let book = books.entry(&entry.book.symbol).or_default();
        match entry.book.side {
            Side::Buy => book.buying.push(entry),
            Side::Sell => book.selling.entry(&entry.owner).or_default().push(entry),
        }
    }
    let tradable = |symbol: &&Symbol| {
        let parameters = facts.parameters.get(*symbol);
        parameters.is_some_and(|known| known.value.tradable)
    };
    for (_, book) in books.into_iter().filter(|(symbol, _)| tradable(symbol)) {
        book.check(&facts)?;
    }
    Ok(())
}

/// Who may meet whom, and since when that holds.
struct Facts<'a> {
    counterparties: HashMap<&'a CounterpartyId, &'a Known<Counterparty>>,
    parameters: HashMap<&'a Symbol, &'a Known<MatchParameters>>,
    submissions: HashMap<Name<'a>, &'a Submission>,
}

impl<'a> Facts<'a> {
    fn of(evidence: &'a Evidence) -> Self {
        let symbols = evidence.parameters.iter();
        Self {
            counterparties: evidence.counterparties(),
            parameters: symbols.map(|known| (&known.value.symbol, known)).collect(),
            submissions: evidence.by_name(),
        }
    }

    fn may_meet(&self, one: &CounterpartyId, other: &CounterpartyId) -> bool {
        let both = self.counterparties.get(one).zip(self.counterparties.get(other));
        both.is_some_and(|(one, other)| one.value.may_meet(&other.value))
    }

    /// When the terms that `entry` has now were sent: its look came after that.
    fn sent_at(&self, entry: &Entry) -> Timestamp {
        let submission = self.submissions.get(&(&entry.owner, &entry.cl_ord_id));
        submission.map_or(entry.rank.accepted_at(), |submission| submission.accepted_at)
    }

    /// Whether the later of the two saw the facts as they are.
    fn held_for(&self, one: &Entry, other: &Entry) -> bool {
        let later = self.sent_at(one).max(self.sent_at(other));
        let owners = [&one.owner, &other.owner];
        let mut owners = owners.iter().filter_map(|owner| self.counterparties.get(*owner));
        let parameters = self.parameters.get(&one.book.symbol);
        owners.all(|known| known.held_since(later)) && parameters.is_none_or(|known| known.held_since(later))
    }
}

/// What rests of one symbol and has not expired; the selling side by owner.
#[derive(Default)]
struct Book<'a> {
    buying: Vec<&'a Entry>,
    selling: HashMap<&'a CounterpartyId, Vec<&'a Entry>>,
}

impl Book<'_> {
    /// Compares crossing pairs alone, and of those not the ones whose owners may not meet: one counterparty's two
    /// sides may cross each other in any number.
    fn check(mut self, facts: &Facts<'_>) -> Verdict {
        for selling in self.selling.values_mut() {
            selling.sort_by(|one, other| one.rank.cmp(&other.rank));
        }
        let best = |selling: &[&Entry]| selling.first().map(|entry| entry.price);
        let mut sellers: Vec<(Price, _, _)> = self
            .selling
            .iter()
            .filter_map(|(owner, selling)| Some((best(selling)?, *owner, selling)))
            .collect();
        sellers.sort_by_key(|(best, ..)| *best);
        for buy in &self.buying {
            let crossing = sellers
                .iter()
                .take_while(|(best, ..)| crosses(Side::Buy, buy.price, *best));
            for (_, _, selling) in crossing.filter(|(_, owner, _)| facts.may_meet(&buy.owner, owner)) {
                no_pair(facts, buy, selling)?;
            }
        }
        Ok(())
    }
}

fn no_pair(facts: &Facts<'_>, buy: &Entry, selling: &[&Entry]) -> Verdict {
    let crossing = selling
        .iter()
        .take_while(|sell| crosses(Side::Buy, buy.price, sell.price));
    for sell in crossing {
        let quantity = buy.leaves_qty.min(sell.leaves_qty);
        let fits = quantity >= buy.min_qty && quantity >= sell.min_qty;
        ensure(!fits || !facts.held_for(buy, sell), || {
            let [buy, sell] = [buy, sell].map(|entry| shown((&entry.owner, &entry.cl_ord_id)));
            format!("{buy} and {sell} rest and could match")
        })?;
    }
    Ok(())
}
