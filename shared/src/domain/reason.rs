//! Reason codes: what a sender is told, why a record is set aside, why one goes back to the queue.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $code:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $code)] $variant,)+
        }

        impl $name {
            /// Every one of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The code as it stands on the wire, in logs and in metrics.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.code())
            }
        }
    };
}

codes! {
    /// Why a message is refused, as the contract lists them. Its sender gets it in a `rejected` message.
    Reason {
        /// Not JSON, unknown field, wrong type, an envelope from a stranger.
        Malformed = "malformed",
        /// No parameters for the symbol.
        UnknownSymbol = "unknown_symbol",
        /// The symbol is halted.
        NotTradable = "not_tradable",
        /// The price is no multiple of the tick.
        OffTick = "off_tick",
        /// A quantity is no multiple of the lot.
        OffLot = "off_lot",
        /// `orderQty` is no decimal above zero, or a replace's total is not above what is done.
        BadQuantity = "bad_quantity",
        /// `price` is no decimal above zero.
        BadPrice = "bad_price",
        /// `minQty` is no decimal above zero, or above the quantity.
        BadMinQty = "bad_min_qty",
        /// `expireTime` is no UTC time, was not in the future when sent, or lies too far ahead.
        BadExpireTime = "bad_expire_time",
        /// Its time passed before it was processed, or it was first sent too long ago.
        Expired = "expired",
        /// The `clOrdId` was used with another body.
        DuplicateClOrdId = "duplicate_cl_ord_id",
        /// The original is not known.
        UnknownOrder = "unknown_order",
        /// The original is filled, cancelled, replaced, expired or rejected.
        TooLateToCancel = "too_late_to_cancel",
        /// The sender is suspended.
        Suspended = "suspended",
        /// The token is unknown, expired or not the sender's own.
        UnknownToken = "unknown_token",
        /// The text names somebody.
        IdentifyingContent = "identifying_content",
        /// More bytes than allowed.
        TooLarge = "too_large",
    }
}

codes! {
    /// Why a record, or one member of a bundle, is put on the dead-letter queue at once: there is nobody to
    /// answer, or nothing to answer about.
    SetAsideReason {
        /// No readable `clOrdId` to answer about.
        Malformed = "malformed",
        /// The sender is not in the registry.
        UnknownSender = "unknown_sender",
    }
}

codes! {
    /// Why a record goes back to the queue.
    RetryReason {
        /// A replace whose original has not come yet.
        OriginalUnknown = "original_unknown",
        /// Conditions were lost more often than one delivery may try.
        Contention = "contention",
        /// A table or its throttling stood in the way.
        StoreUnavailable = "store_unavailable",
        /// The epoch key could not be had.
        KeyUnavailable = "key_unavailable",
        /// Some of its messages did not reach their inbox.
        Unpublished = "unpublished",
        /// It could not be put on the dead-letter queue.
        NotSetAside = "not_set_aside",
        /// Too little time was left to do it safely.
        Deadline = "deadline",
        /// SQS's own stamps are missing (who sent it, when, or the body): without them there is nothing that an
        /// envelope could bear, so SQS itself moves it to the dead-letter queue.
        Unstamped = "unstamped",
        /// Its envelope would not fit a message, so SQS itself moves it to the dead-letter queue.
        TooLarge = "too_large",
        /// Processing it panicked.
        Panicked = "panicked",
    }
}

codes! {
    /// Why a dead letter is poison: it goes to the quarantine, never back to its source.
    PoisonReason {
        /// Not JSON, no readable `clOrdId`, a stranger's envelope, or an envelope of ours that cannot be read.
        Malformed = "malformed",
        /// The sender is not in the registry.
        UnknownSender = "unknown_sender",
        /// The matcher set it aside for a reason that this code does not know.
        UnknownReason = "unknown_reason",
        /// SQS's own stamps are missing: nobody could say whose it is.
        Unstamped = "unstamped",
        /// Sent on behalf of a counterparty: only the bulk role may send such a message, and the redrive is another.
        OnBehalf = "on_behalf",
        /// Its envelope would not fit a message.
        TooLarge = "too_large",
        /// First sent longer ago than submissions are kept: the memory that makes it harmless may be gone.
        Stale = "stale",
        /// Nothing is wrong with it, but it has waited so long that SQS will soon delete it.
        Expiring = "expiring",
        /// Sent back as often as a message may be.
        Exhausted = "exhausted",
    }
}

codes! {
    /// Why nothing more goes back to a source.
    StopReason {
        /// Its event source mapping is not enabled, or there is none.
        ConsumerDisabled = "consumer_disabled",
        /// Too many of its consumer's latest invocations failed.
        ConsumerFailing = "consumer_failing",
        /// The state of its consumer could not be read.
        ConsumerUnknown = "consumer_unknown",
        /// The tables in which an answer to a canary would be seen could not be read.
        OutcomeUnknown = "outcome_unknown",
        /// A canary came back.
        CanaryRelapsed = "canary_relapsed",
        /// Nothing was heard of a canary in time.
        CanaryUnanswered = "canary_unanswered",
        /// Every message that might have been the canary was answered before: none could tell anything new.
        CanaryMute = "canary_mute",
    }
}

/// How one record of a batch ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Answered, published, told: SQS may delete it.
    Done,
    /// Goes back to the queue.
    Retry(RetryReason),
    /// Set aside on the dead-letter queue with this reason; done at the source.
    Reject(SetAsideReason),
}

impl Outcome {
    /// The outcome of a record with several members: a member that must be tried again takes the record along,
    /// the others are then duplicates.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Retry(reason), _) | (_, Self::Retry(reason)) => Self::Retry(reason),
            (Self::Reject(reason), _) | (_, Self::Reject(reason)) => Self::Reject(reason),
            (Self::Done, Self::Done) => Self::Done,
        }
    }
}
