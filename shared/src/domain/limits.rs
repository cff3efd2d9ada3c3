//! Every bound in one place, with the arithmetic and the source of each. AWS figures: the service quota pages of
//! SQS, Lambda and DynamoDB as of 2026-11; ours: the contract.

/// Contract: significant digits of a decimal string. 18 decimal digits fit an `i64`, and a product of two fits
/// the 38 digits of a DynamoDB number.
pub const MAX_SIGNIFICANT_DIGITS: usize = 18;

/// Digits behind the point. With [`MAX_SIGNIFICANT_DIGITS`] a price needs at most 18 + 18 = 36 fixed-point
/// digits, which is the width of a rank's price field and below 2¹²⁷ ≈ 1.7 × 10³⁸.
pub const MAX_DECIMAL_SCALE: usize = 18;

/// Contract: messages in a bundle.
pub const MAX_BUNDLE_MESSAGES: usize = 500;

/// Contract: an interest lives at most this many days (its `expireTime`, or this).
pub const MAX_INTEREST_LIFE_DAYS: i64 = 90;

/// Design §4: a submission lives this many days from acceptance, longer than every retention (SQS: 14 days) and
/// redrive cycle. A message first sent longer ago is refused: the memory that makes it harmless may be gone.
pub const SUBMISSION_LIFE_DAYS: i64 = 400;

/// Days that a letter may wait in a dead-letter queue before it is quarantined whatever it waits for: SQS deletes it after
/// 14 (`MessageRetentionPeriod`, the longest that there is), counted from its own `SentTimestamp`.
pub const LETTER_PATIENCE_DAYS: i64 = 12;

/// A wrapped epoch key lives this many days: a match made on its day may be asked for until its submission is
/// forgotten, and TTL deletion may come days late.
pub const KEY_LIFE_DAYS: i64 = SUBMISSION_LIFE_DAYS + 30;

/// Contract: a replace whose original is unknown goes back to the queue on its first three receives.
pub const MAX_ORIGINAL_WAITS: u32 = 3;

/// `DynamoDB`: actions in one `TransactWriteItems`.
pub const MAX_TRANSACTION_ACTIONS: usize = 100;

/// Matches that one interest may make in one transaction: the interest's submission and book entry are 2 actions,
/// each match 3 (the consumed entry, its submission, the match): 2 + 3 × 32 = 98 ≤ 100.
pub const MAX_MATCHES_PER_DECISION: usize = (MAX_TRANSACTION_ACTIONS - 2) / 3;

/// `DynamoDB`: keys in one `BatchGetItem`.
pub const MAX_BATCH_GET_KEYS: usize = 100;

/// SQS: entries in one batch call.
pub const MAX_BATCH_ENTRIES: usize = 10;

/// SQS: bytes of one message, and of all messages of one batch call together (1 MiB since 2025-08).
pub const MAX_MESSAGE_BYTES: usize = 1_048_576;

/// Book entries in one page of a query. An entry takes about 400 bytes, so a page is about 40 KB, 10 read units
/// when strongly consistent: a hostile limit price cannot make one interest read the whole book at once.
pub const BOOK_PAGE_ENTRIES: u32 = 100;
