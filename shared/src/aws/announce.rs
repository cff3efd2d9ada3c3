//! Events on the account's default bus, whose rules say who hears them.

use aws_sdk_eventbridge::types::PutEventsRequestEntry;

use super::error::{of, port_error};
use crate::ports::{Fault, PortError};

const PUT_EVENTS: &str = "events:PutEvents";

/// Entries that one `PutEvents` takes.
const EVENTS_AT_ONCE: usize = 10;

/// Puts all of them, in this order, in as many calls as it takes. What comes after one that is not taken is said all the
/// same; the first failure is what is known of it.
pub(super) async fn put_events(
    events: &aws_sdk_eventbridge::Client,
    entries: Vec<PutEventsRequestEntry>,
) -> Result<(), PortError> {
    let mut refused = Ok(());
    for entries in entries.chunks(EVENTS_AT_ONCE) {
        let put = events.put_events().set_entries(Some(entries.to_vec()));
        let answer = put.send().await.map_err(|error| port_error(PUT_EVENTS, &error));
        // The call succeeds though an entry of it may not.
        let answer = answer.and_then(|answer| {
            let mut entries = answer.entries.into_iter().flatten();
            let code = entries.find_map(|entry| entry.error_code);
            code.map_or(Ok(()), |code| Err(of(PUT_EVENTS, Fault::Unavailable, &code)))
        });
        refused = refused.and(answer);
    }
    refused
}
