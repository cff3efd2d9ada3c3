//! Quantities: what an order asked for is done, left or cancelled, and the book says what the submissions say.

use std::collections::HashMap;

use super::{Evidence, MatchedLeg, Name, Verdict, ensure, name_of, shown};
use crate::domain::book::{Entry, EntryKey};
use crate::domain::decimal::Quantity;
use crate::domain::submission::{Answer, OrdStatus, Submission, SubmissionKind, Terms};

/// Everything about orders that more than one check asks for.
struct Orders<'a> {
    by_name: HashMap<Name<'a>, &'a Submission>,
    /// Each replace and what it replaced.
    originals: HashMap<Name<'a>, &'a Submission>,
    /// The fills of each order, in the order in which they were done.
    fills: HashMap<Name<'a>, Vec<MatchedLeg<'a>>>,
}

impl<'a> Orders<'a> {
    fn of(evidence: &'a Evidence) -> Self {
        let mut fills: HashMap<_, Vec<_>> = HashMap::new();
        for leg in evidence.legs() {
            fills.entry(leg.name()).or_default().push(leg);
        }
        for legs in fills.values_mut() {
            legs.sort_by_key(|leg| leg.leg.cum_qty);
        }
        let ended = |order: &'a Submission| Some(((&order.owner, order.ended_by.as_ref()?), order));
        // A mark names the cancel that left it: it was never an order.
        let orders = evidence.submissions.iter().filter(|order| !order.is_mark());
        Self {
            by_name: evidence.by_name(),
            originals: orders.filter_map(ended).collect(),
            fills,
        }
    }

    fn fills<'b>(&'b self, order: &'b Submission) -> &'b [MatchedLeg<'a>] {
        self.fills.get(&name_of(order)).map_or(&[], Vec::as_slice)
    }

    fn original(&self, order: &Submission) -> Option<&'a Submission> {
        let replaces = order.kind == SubmissionKind::Replace;
        self.originals.get(&name_of(order)).copied().filter(|_| replaces)
    }

    /// What was done before the order had this name.
    fn inherited(&self, order: &Submission) -> Quantity {
        self.original(order)
            .map_or(Quantity::ZERO, |original| original.cum_qty)
    }
}

/// Of every order, done + left + cancelled = ordered, after each fill and at the end; what is done is what its
/// matches say and what it inherited; and the book holds exactly the orders that rest, as their submissions say.
///
/// # Errors
/// The first counterexample.
pub fn invariant_conserved_quantity(evidence: &Evidence) -> Verdict {
    let orders = Orders::of(evidence);
    for submission in &evidence.submissions {
        match &submission.terms {
            Some(terms) => conserved(&orders, submission, terms)?,
            None => no_order(&orders, submission)?,
        }
    }
    for name in orders.fills.keys() {
        let known = orders.by_name.contains_key(name);
        ensure(known, || format!("{} is matched but not known", shown(*name)))?;
    }
    book_says_the_same(evidence, &orders)
}

fn no_order(orders: &Orders<'_>, submission: &Submission) -> Verdict {
    let nothing = submission.cum_qty.is_zero()
        && submission.leaves_qty.is_zero()
        && submission.rests.is_none()
        && submission.tokens.is_empty()
        && submission.matches.is_empty()
        && orders.fills(submission).is_empty();
    ensure(nothing, || {
        format!(
            "{} is no order but was matched or rests",
            shown(name_of(submission))
        )
    })
}

fn conserved(orders: &Orders<'_>, order: &Submission, terms: &Terms) -> Verdict {
    let name = || shown(name_of(order));
    lineage(orders, order, terms)?;
    let mut done = orders.inherited(order);
    for fill in orders.fills(order) {
        done = done.plus(fill.record.last_qty);
        ensure(fill.leg.cum_qty == done, || {
            format!("{}: a fill says {} done, it is {done}", name(), fill.leg.cum_qty)
        })?;
        let total = done.plus(fill.leg.leaves_qty).plus(fill.leg.cxl_qty);
        ensure(total == terms.order_qty, || {
            format!("{}: after a fill {total} of {}", name(), terms.order_qty)
        })?;
    }
    ensure(order.cum_qty == done, || {
        format!("{}: {} done, its matches say {done}", name(), order.cum_qty)
    })?;
    let left = terms.order_qty.minus(done);
    ensure(remainder_accounted_for(orders, order, left), || {
        format!(
            "{}: {:?} with {} left of {left}",
            name(),
            order.ord_status,
            order.leaves_qty
        )
    })
}

/// A replace has an original of the same symbol and side, which it ended.
fn lineage(orders: &Orders<'_>, order: &Submission, terms: &Terms) -> Verdict {
    if order.kind != SubmissionKind::Replace {
        return Ok(());
    }
    let old = orders
        .original(order)
        .and_then(|original| original.terms.as_ref());
    let same = old.is_some_and(|old| old.symbol == terms.symbol && old.side == terms.side);
    ensure(same, || {
        format!("{} replaces no order of its kind", shown(name_of(order)))
    })
}

/// Whether what is not done is left, cancelled or lives on, as the order's status says.
fn remainder_accounted_for(orders: &Orders<'_>, order: &Submission, left: Quantity) -> bool {
    let rests = order.rests.is_some();
    let closed = order.leaves_qty.is_zero() && !rests;
    match order.ord_status {
        Some(OrdStatus::New) => rests && order.leaves_qty == left && order.cum_qty.is_zero(),
        Some(OrdStatus::PartiallyFilled) => {
            let partly = !left.is_zero() && !order.cum_qty.is_zero();
            rests && order.leaves_qty == left && partly
        }
        Some(OrdStatus::Filled) => closed && left.is_zero(),
        Some(OrdStatus::Cancelled) => closed && cancelled(orders, order) == Some(left),
        Some(OrdStatus::Replaced) => closed && lives_on(orders, order),
        Some(OrdStatus::Rejected | OrdStatus::Expired) | None => false,
    }
}

/// What its owner was told is cancelled of it: by its last fill, by the answer to its cancel, or by its own answer
/// where the cancel came first.
fn cancelled(orders: &Orders<'_>, order: &Submission) -> Option<Quantity> {
    let Some(by) = &order.ended_by else {
        return orders.fills(order).last().map(|fill| fill.leg.cxl_qty);
    };
    let ender = orders.by_name.get(&(&order.owner, by));
    let answers = [
        order.answer.as_ref(),
        ender.and_then(|ender| ender.answer.as_ref()),
    ];
    answers.into_iter().flatten().find_map(|answer| match answer {
        Answer::Cancelled { cum_qty, cxl_qty, .. } => (*cum_qty == order.cum_qty).then_some(*cxl_qty),
        _ => None,
    })
}

fn lives_on(orders: &Orders<'_>, order: &Submission) -> bool {
    let by = order.ended_by.as_ref();
    let successor = by.and_then(|by| orders.by_name.get(&(&order.owner, by)));
    successor.is_some_and(|successor| {
        let told = matches!(&successor.answer, Some(Answer::Replaced { orig_cl_ord_id, cum_qty, leaves_qty })
            if *orig_cl_ord_id == order.cl_ord_id
                && *cum_qty == order.cum_qty
                && successor.terms.as_ref().map(|t| t.order_qty) == Some(cum_qty.plus(*leaves_qty)));
        successor.kind == SubmissionKind::Replace && told
    })
}

fn book_says_the_same(evidence: &Evidence, orders: &Orders<'_>) -> Verdict {
    let mut entries: HashMap<EntryKey, &Entry> = HashMap::new();
    for entry in &evidence.entries {
        let name = (&entry.owner, &entry.cl_ord_id);
        let submission = orders.by_name.get(&name);
        let expected = submission.and_then(|submission| submission.entry());
        ensure(expected.as_ref() == Some(entry), || {
            format!("{}: the book says otherwise than its submission", shown(name))
        })?;
        ensure(entries.insert(entry.key(), entry).is_none(), || {
            format!("{} shares its place in the book", shown(name))
        })?;
    }
    for order in &evidence.submissions {
        // Who meets an expired entry takes it out, and leaves the submission as it is.
        let missing =
            order.is_open_at(evidence.now) && order.entry_key().is_none_or(|key| !entries.contains_key(&key));
        ensure(!missing, || {
            format!("{} rests, but not in the book", shown(name_of(order)))
        })?;
    }
    Ok(())
}

/// No order is matched beyond what was ordered, whatever its submission says.
///
/// # Errors
/// The first counterexample.
pub fn invariant_no_overfill(evidence: &Evidence) -> Verdict {
    let orders = Orders::of(evidence);
    for order in &evidence.submissions {
        let Some(terms) = &order.terms else { continue };
        let quantities = orders.fills(order).iter().map(|fill| fill.record.last_qty);
        let done = quantities.fold(orders.inherited(order), Quantity::plus);
        let most = done.max(order.cum_qty);
        ensure(most <= terms.order_qty, || {
            format!("{}: {most} done of {}", shown(name_of(order)), terms.order_qty)
        })?;
    }
    Ok(())
}
