//! A status question: how an order stands, from its submission alone.

use super::{Case, Effect, Interruption};
use crate::domain::identifiers::ClOrdId;
use crate::domain::reason::Reason;
use crate::domain::submission::{Answer, SubmissionKind};

impl Case<'_> {
    pub(super) fn status(&self, orig_cl_ord_id: &ClOrdId) -> Result<Effect, Interruption> {
        let now = self.around.now;
        let order = self.desk.submission(&self.original(orig_cl_ord_id))?;
        let Some((order, ord_status)) = order.and_then(|order| Some((order, order.status_at(now)?))) else {
            return Ok(self.refuse(Reason::UnknownOrder));
        };
        let answer = Answer::Status {
            orig_cl_ord_id: orig_cl_ord_id.clone(),
            ord_status,
            cum_qty: order.cum_qty,
            leaves_qty: order.leaves_at(now),
            tokens: order.tokens.clone(),
        };
        let mut effect = Effect::default();
        self.remember(&mut effect, self.submission(SubmissionKind::Status, Some(answer)));
        Ok(effect)
    }
}
