//! A new interest: checked, matched against the other side, the rest put into the book.

use super::matching::Finder;
use super::{Case, Effect, Entropy, Interruption};
use crate::domain::book::{Rank, Version};
use crate::domain::decimal::{Price, Quantity};
use crate::domain::intake::Interest;
use crate::domain::limits::MAX_INTEREST_LIFE_DAYS;
use crate::domain::pairing::Leg;
use crate::domain::parameters::MatchParameters;
use crate::domain::reason::Reason;
use crate::domain::submission::{Answer, OrdStatus, Rests, Submission, SubmissionKind, Terms, next_status};
use crate::domain::time::Timestamp;

/// What a sender asks of time and quantity, checked against the parameters.
pub(super) fn check_quantities(
    parameters: &MatchParameters,
    order_qty: Quantity,
    min_qty: Quantity,
) -> Result<(), Reason> {
    if !order_qty.is_countable_in(parameters.lot) {
        // More digits between the quantity and the lot than arithmetic keeps exactly.
        Err(Reason::BadQuantity)
    } else if !order_qty.is_multiple_of(parameters.lot) || !min_qty.is_multiple_of(parameters.lot) {
        Err(Reason::OffLot)
    } else if min_qty > order_qty {
        Err(Reason::BadMinQty)
    } else {
        Ok(())
    }
}

/// The limit, checked against the tick.
pub(super) fn check_price(parameters: &MatchParameters, price: Price) -> Result<(), Reason> {
    if !price.is_countable_in(parameters.tick) {
        Err(Reason::BadPrice)
    } else if !price.is_multiple_of(parameters.tick) {
        Err(Reason::OffTick)
    } else {
        Ok(())
    }
}

/// The moment from which an interest matches no more: at most 90 days after it was sent.
///
/// # Errors
/// [`Reason::BadExpireTime`] when it was not in the future when sent, or too far; [`Reason::Expired`] when it
/// has passed since.
pub(super) fn check_expiry(
    asked: Option<Timestamp>,
    sent_at: Timestamp,
    now: Timestamp,
) -> Result<Timestamp, Reason> {
    let latest = sent_at.plus_days(MAX_INTEREST_LIFE_DAYS);
    let expiry = asked.unwrap_or(latest);
    if expiry <= sent_at || expiry > latest {
        Err(Reason::BadExpireTime)
    } else if expiry <= now {
        Err(Reason::Expired)
    } else {
        Ok(expiry)
    }
}

impl Case<'_> {
    pub(super) fn interest(
        &self,
        interest: &Interest,
        entropy: &mut dyn Entropy,
    ) -> Result<Effect, Interruption> {
        let Some(parameters) = self.desk.parameters(&interest.symbol)? else {
            return Ok(self.refuse(Reason::UnknownSymbol));
        };
        let terms = match self.check(interest, parameters) {
            Ok(terms) => terms,
            Err(reason) => return Ok(self.refuse(reason)),
        };
        let mut submission =
            self.submission(SubmissionKind::Interest, interest.ack.then_some(Answer::Accepted));
        submission.ord_status = Some(OrdStatus::New);
        submission.leaves_qty = terms.order_qty;
        submission.terms = Some(terms.clone());
        match self.mark {
            Some(mark) => {
                let born = self.born_cancelled(submission, mark, Leg::untouched(terms.order_qty));
                Ok(Effect {
                    accepts_interest: true,
                    ..born
                })
            }
            None => self.enter(submission, &terms, parameters, entropy),
        }
    }

    fn check(&self, interest: &Interest, parameters: &MatchParameters) -> Result<Terms, Reason> {
        if self.suspended() {
            return Err(Reason::Suspended);
        }
        if !parameters.tradable {
            return Err(Reason::NotTradable);
        }
        check_price(parameters, interest.price)?;
        let min_qty = interest.min_qty.unwrap_or(Quantity::ZERO);
        check_quantities(parameters, interest.order_qty, min_qty)?;
        Ok(Terms {
            symbol: interest.symbol.clone(),
            side: interest.side,
            order_qty: interest.order_qty,
            price: interest.price,
            min_qty,
            expire_time: check_expiry(interest.expire_time, self.arrival.sent_at, self.around.now)?,
        })
    }

    /// An order whose cancel came first: it never enters the book, and is answered as the cancel.
    pub(super) fn born_cancelled(&self, mut order: Submission, mark: &Submission, leg: Leg) -> Effect {
        let cancel = mark
            .ended_by
            .clone()
            .unwrap_or_else(|| self.arrival.order.cl_ord_id.clone());
        order.ord_status = Some(OrdStatus::Cancelled);
        order.cum_qty = leg.cum_qty;
        order.leaves_qty = Quantity::ZERO;
        order.ended_by = Some(cancel.clone());
        order.answer = Some(Answer::Cancelled {
            cl_ord_id: cancel,
            orig_cl_ord_id: self.arrival.order.cl_ord_id.clone(),
            cum_qty: leg.cum_qty,
            cxl_qty: leg.leaves_qty,
        });
        let mut effect = Effect::default();
        self.remember(&mut effect, order);
        effect
    }

    /// Matches the interest and puts what is left of it into the book.
    fn enter(
        &self,
        mut submission: Submission,
        terms: &Terms,
        parameters: &MatchParameters,
        entropy: &mut dyn Entropy,
    ) -> Result<Effect, Interruption> {
        let rank = Rank::new(terms.side, terms.price, self.arrival.sent_at, &self.arrival.order);
        let finder = Finder {
            desk: self.desk,
            sender: self.sender,
            parameters,
            around: self.around,
        };
        let found = finder.find(&submission, |resting| (resting.price, terms.price), entropy)?;
        let mut effect = Effect {
            accepts_interest: true,
            expired: found.expired,
            made: found.made,
            ..Effect::default()
        };
        let mut status = OrdStatus::New;
        for leg in &found.taker_legs {
            // The taker is in no book yet, so no fill can come after its end.
            status = next_status(status, leg.event()).unwrap_or(status);
        }
        submission.ord_status = Some(status);
        submission.cum_qty = found.taker.cum_qty;
        submission.leaves_qty = found.taker.leaves_qty;
        submission.tokens = found.tokens;
        submission.matches = found.matches;
        effect.changes = found.changes;
        if !submission.leaves_qty.is_zero() {
            submission.rests = Some(Rests {
                rank,
                version: Version::FIRST,
            });
            effect.look = Some(submission.key());
            if let Some(entry) = submission.entry() {
                effect.changes.insert_entry(entry);
            }
        }
        effect.publish = submission.has_untold_matches().then(|| submission.key());
        self.remember(&mut effect, submission);
        Ok(effect)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::submission::submission_expiry;

    /// Any 64 bits, those at the ends of time and around it included.
    fn any_moment() -> impl Strategy<Value = i64> {
        prop_oneof![
            any::<i64>(),
            Just(i64::MAX),
            Just(i64::MIN),
            -10..10_i64,
            (i64::MAX - 10)..=i64::MAX
        ]
    }

    proptest! {
        /// Whatever a stamp says and whatever is asked: what comes in expires in the future, within 90 days.
        #[test]
        fn no_stamp_gives_an_interest_more_life_than_it_may_have(
            asked in prop::option::of(any_moment()), sent_at in any_moment(), now in any_moment(),
        ) {
            let [sent_at, now] = [sent_at, now].map(Timestamp::from_millis);
            if let Ok(expiry) = check_expiry(asked.map(Timestamp::from_millis), sent_at, now) {
                prop_assert!(expiry > sent_at && expiry > now);
                prop_assert!(expiry <= sent_at.plus_days(MAX_INTEREST_LIFE_DAYS));
            }
            let _ = submission_expiry(sent_at);
        }
    }

    #[test]
    fn more_digits_than_arithmetic_keeps_are_refused() {
        let parameters: MatchParameters = serde_json::from_str(
            r#"{"v":1,"symbol":"DUST","tick":"0.000000000000000001","lot":"0.000000000000000001","pricePolicy":"midpoint",
                "currency":"USD","tradable":true,"version":1}"#,
        )
        .unwrap();
        let quantity =
            |text: &str| check_quantities(&parameters, Quantity::parse(text).unwrap(), Quantity::ZERO);
        let price = |text: &str| check_price(&parameters, Price::parse(text).unwrap());
        assert_eq!((quantity("999999999"), price("999999999")), (Ok(()), Ok(())));
        assert_eq!(quantity("1000000000"), Err(Reason::BadQuantity));
        assert_eq!(price("1000000000"), Err(Reason::BadPrice));
    }
}
