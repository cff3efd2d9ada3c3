//! What every adapter of the ports does alike, as named cases: in memory, on emulators, on AWS.
//!
//! A case takes fresh names from the run's seed, so cases do not disturb each other, and a second run finds
//! nothing of the first in tables that outlive it. Cases need no clock and no empty table.

mod audit;
mod books;
mod epochs;
mod export;
mod fixtures;
mod ledger;
mod onboarding;
mod queues;
mod redrive;
mod registry;
mod submissions;

pub use audit::{AUDIT_CASES, SetAside, Setting, run_audit};
pub use export::{EXPORT_CASES, run_export};
pub use redrive::{Handling, Hands, REDRIVE_CASES, run_redrive};

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;

use crate::domain::identifiers::InvalidIdentifier;
use crate::onboarding::{InboxAdmin, ParameterAdmin, RegistryAdmin, RegistryDirectory};
use crate::ports::{CommitError, MatcherPorts, PortError};

use fixtures::Stage;

/// Every port that there is.
pub trait EveryPort: MatcherPorts + RegistryAdmin + RegistryDirectory + ParameterAdmin + InboxAdmin {}

impl<P: MatcherPorts + RegistryAdmin + RegistryDirectory + ParameterAdmin + InboxAdmin> EveryPort for P {}

/// Why a test could not be prepared or read back; says nothing of the adapter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ArrangeError(pub String);

/// What lay in a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// The message's body.
    pub body: String,
    /// Its message attributes.
    pub attributes: BTreeMap<String, String>,
}

/// What the cases need beside the ports that they check: queues that anybody may read, and the hand that reads them.
pub trait Arrange: Sync {
    /// Makes a queue of this name (letters, digits, `-`) and gives its URL.
    fn create_inbox(&self, name: &str) -> impl Future<Output = Result<String, ArrangeError>> + Send;

    /// Takes a queue down that a case has done with.
    fn remove_inbox(&self, url: &str) -> impl Future<Output = Result<(), ArrangeError>> + Send;

    /// The URL that a queue of this name would have.
    fn inbox_url(&self, name: &str) -> String;

    /// Takes everything out of a queue.
    fn drain_inbox(&self, url: &str) -> impl Future<Output = Result<Vec<Delivered>, ArrangeError>> + Send;

    /// Takes everything out of the dead-letter queue.
    fn drain_dead_letters(&self) -> impl Future<Output = Result<Vec<Delivered>, ArrangeError>> + Send;
}

/// A case that an adapter does not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nonconformance {
    /// The name of the case.
    pub case: &'static str,
    /// What it met.
    pub found: String,
}

impl fmt::Display for Nonconformance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.case, self.found)
    }
}

/// What a case met instead of what it states.
struct Unmet(String);

type Verdict = Result<(), Unmet>;

/// Fails the case with `otherwise` unless `met`.
fn ensure(met: bool, otherwise: &str) -> Verdict {
    if met {
        Ok(())
    } else {
        Err(Unmet(otherwise.to_owned()))
    }
}

macro_rules! unmet_from {
    ($($error:ty),+) => {$(
        impl From<$error> for Unmet {
            fn from(error: $error) -> Self {
                Self(error.to_string())
            }
        }
    )+};
}
unmet_from!(PortError, CommitError, ArrangeError, InvalidIdentifier);

macro_rules! suite {
    ($($module:ident: $($case:ident)+;)+) => {
        /// The names of all cases, in the order in which they run.
        pub const CASES: &[&str] = &[$($(stringify!($case),)+)+];

        /// Runs every case and gives those that were not passed. `seed` must be another for each run on the same
        /// tables.
        pub async fn run<P: EveryPort, A: Arrange>(ports: &P, arrange: &A, seed: &str) -> Vec<Nonconformance> {
            let mut failed = Vec::new();
            $($({
                let stage = Stage::new(ports, arrange, seed, stringify!($case));
                if let Err(Unmet(found)) = Box::pin($module::$case(&stage)).await {
                    failed.push(Nonconformance { case: stringify!($case), found });
                }
            })+)+
            failed
        }
    };
}

suite! {
    submissions:
        a_submission_reads_back_as_it_was_written
        a_submission_that_does_not_exist_is_none
        two_hundred_and_fifty_submissions_are_read_in_one_call
        told_is_set_when_the_matches_are_those_published
        told_is_not_set_when_there_are_other_matches
        told_is_not_set_on_what_does_not_exist;
    ledger:
        an_empty_change_set_is_written
        a_lone_insert_over_a_submission_is_lost
        an_insert_over_a_submission_is_lost
        a_mark_is_claimed_once
        only_a_mark_is_claimed
        an_advance_appends_and_takes_told_away
        an_advance_without_matches_leaves_told_and_lists
        an_advance_ends_an_order
        an_advance_of_nothing_is_lost
        a_lone_advance_is_written_once
        an_entry_is_changed_under_its_version
        a_lone_entry_is_changed_under_its_version
        an_entry_is_taken_out_under_its_version
        an_entry_is_put_once
        a_match_is_put_once
        all_or_nothing_and_every_lost_condition_is_named
        a_repeated_transaction_is_written_once
        a_token_is_good_for_one_content
        a_repeated_lone_write_loses_to_itself
        a_hundred_actions_are_written
        of_many_writers_of_one_entry_one_wins;
    books:
        a_book_is_read_best_first_page_by_page
        a_page_ends_at_its_bound
        a_page_starts_after_its_start
        an_empty_book_is_known_to_the_bound
        a_page_from_its_own_bound_is_empty
        books_do_not_mix
        an_expired_entry_is_removed_under_its_version;
    registry:
        principals_are_found_and_strangers_left_out
        counterparties_read_back_and_strangers_are_left_out
        parameters_read_back_and_unknown_symbols_are_left_out
        matches_read_back_and_unknown_ones_are_left_out;
    onboarding:
        the_first_reservation_of_a_principal_stays
        a_counterparty_is_inserted_once
        a_counterparty_is_changed_if_it_is_still_as_read
        a_principal_is_admitted_as_one_counterparty
        the_directory_lists_every_step_of_onboarding
        parameters_are_replaced_under_their_version
        an_inbox_is_made_once_and_mended;
    epochs:
        the_first_key_of_an_epoch_stays
        of_many_first_keys_one_stays
        an_epoch_without_a_key_has_none
        a_wrapped_key_unwraps_to_the_same_key
        every_generated_key_is_another
        a_key_of_another_epoch_is_refused
        a_changed_key_is_refused
        what_was_never_wrapped_is_refused;
    queues:
        ten_messages_arrive_as_they_were_sent
        more_than_a_mebibyte_arrives
        a_message_that_is_too_long_is_left_alone
        nothing_is_sent_without_messages
        a_queue_that_does_not_exist_is_refused
        a_dead_letter_bears_its_reason_alone;
}

#[cfg(test)]
mod tests {
    use super::super::{MemoryAudit, MemoryPorts, MemoryRedrive};
    use super::*;
    use crate::domain::redrive::LetterAsRead;
    use crate::domain::time::Timestamp;
    use crate::domain::token::EpochId;

    #[tokio::test]
    async fn the_audit_in_memory_conforms() {
        let ports = MemoryAudit::new([7; 32]).unwrap();
        let known = EpochId::new(Timestamp::from_millis(1), 1);
        ports.add_epoch(known);
        let set_aside = |name: String, body| -> Setting {
            ports.set_aside(&name, body);
            Box::pin(async { Ok(()) })
        };
        assert_eq!(run_audit(&ports, "memory", known, &set_aside).await, []);
    }

    #[tokio::test]
    async fn the_export_in_memory_conforms() {
        let ports = crate::testing::MemoryExport::default();
        assert_eq!(run_export(&ports, "memory").await, []);
    }

    #[tokio::test]
    async fn memory_conforms() {
        for page_entries in [1, 7, 100] {
            let ports = MemoryPorts::new().with_page_entries(page_entries);
            assert_eq!(run(&ports, &ports, "memory").await, []);
        }
    }

    #[tokio::test]
    async fn the_redrive_in_memory_conforms() {
        let now = Timestamp::from_millis(1_795_428_930_000);
        let ports = MemoryRedrive::new(MemoryPorts::new(), "AROAREDRIVE:run", now);
        let create = |name: String| -> Handling<String> {
            let url = format!("memory://{name}");
            ports.create_queue(&url);
            Box::pin(async { Ok(url) })
        };
        let send = |url: String, body, reason: Option<&str>| -> Handling<()> {
            let letter = LetterAsRead {
                body,
                sender: Some("AROASENDER:desk".to_owned()),
                sent_at: Some("1795428930000".to_owned()),
                reason: reason.map(str::to_owned),
                ..LetterAsRead::default()
            };
            ports.put_letter(&url, letter);
            Box::pin(async { Ok(()) })
        };
        let hands = Hands {
            create: &create,
            send: &send,
        };
        assert_eq!(run_redrive(&ports, "memory", &hands).await, []);
    }
}
