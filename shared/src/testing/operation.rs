//! The names of the ports' methods: what calls are counted by, and what a fault is scripted for.

use std::fmt;

macro_rules! operations {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)+) => {
        /// One method of one port.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Operation {
            $($(#[$doc])* $variant,)+
        }

        impl Operation {
            /// Every operation.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The method's name.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }
    };
}

operations! {
    /// `Submissions::read_submissions`
    ReadSubmissions = "read_submissions",
    /// `Submissions::mark_told`
    MarkTold = "mark_told",
    /// `Books::read_page`
    ReadPage = "read_page",
    /// `Books::remove_entry`
    RemoveEntry = "remove_entry",
    /// `Ledger::commit`
    Commit = "commit",
    /// `Matches::read_matches`
    ReadMatches = "read_matches",
    /// `Registry::find_principals`
    FindPrincipals = "find_principals",
    /// `Registry::read_counterparties`
    ReadCounterparties = "read_counterparties",
    /// `ParameterStore::read_parameters`
    ReadParameters = "read_parameters",
    /// `EpochKeyStore::read_key`
    ReadKey = "read_key",
    /// `EpochKeyStore::put_key`
    PutKey = "put_key",
    /// `KeyService::generate_key`
    GenerateKey = "generate_key",
    /// `KeyService::unwrap_key`
    UnwrapKey = "unwrap_key",
    /// `Inboxes::send_messages`
    SendMessages = "send_messages",
    /// `DeadLetters::send_dead_letters`
    SendDeadLetters = "send_dead_letters",
    /// `RegistryAdmin::reserve`
    Reserve = "reserve",
    /// `RegistryAdmin::insert_counterparty`
    InsertCounterparty = "insert_counterparty",
    /// `RegistryAdmin::replace_counterparty`
    ReplaceCounterparty = "replace_counterparty",
    /// `RegistryAdmin::admit_principal`
    AdmitPrincipal = "admit_principal",
    /// `RegistryDirectory::read_directory`
    ReadDirectory = "read_directory",
    /// `ParameterAdmin::replace_parameters`
    ReplaceParameters = "replace_parameters",
    /// `InboxAdmin::create_inbox`
    CreateInbox = "create_inbox",
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
