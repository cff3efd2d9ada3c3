//! Whether anything was heard of the canary.

use std::collections::HashSet;

use symbolon_shared::domain::identifiers::OrderKey;
use symbolon_shared::domain::redrive::{Watched, is_heard};
use symbolon_shared::lambda::survive;
use symbolon_shared::ports::redrive::Outcomes;

/// Whether every message of every watched letter was processed to its end. What cannot be read was not heard of.
pub(crate) async fn all_heard<P: Outcomes>(ports: &P, watched: &[Watched]) -> bool {
    let orders: HashSet<&OrderKey> = watched.iter().flat_map(|one| &one.orders).collect();
    let orders: Vec<OrderKey> = orders.into_iter().cloned().collect();
    match survive(ports.read_outcomes(&orders)).await {
        Some(Ok(read)) => {
            let heard = read
                .iter()
                .filter(|(_, submission)| is_heard(submission.as_ref()));
            let heard: HashSet<&OrderKey> = heard.map(|(order, _)| order).collect();
            orders.iter().all(|order| heard.contains(order))
        }
        Some(Err(error)) => {
            tracing::warn!(event = "canary_not_read", reason = %error);
            false
        }
        None => false,
    }
}
