//! How much memory a batch takes, when whoever writes the messages wants it to be much: the most that Lambda delivers
//! in one event, in every shape that makes it large inside.
//!
//! The event itself counts, as text and taken apart, because the runtime holds it beside the handler. The ports keep
//! nothing, so whatever is still there after a batch is the matcher's.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod payloads;
mod ports;

use matcher::settings::OwnRoles;
use matcher::{Matcher, Surroundings};
use peak_alloc::PeakAlloc;
use serde_json::Value;
use symbolon_shared::domain::identifiers::Principal;
use symbolon_shared::domain::time::Timestamp;
use tokio::sync::Mutex;

use crate::ports::ForgetfulPorts;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// Tests share the heap: one at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// Batches of each payload, one after the other, in one process.
const BATCHES: usize = 3;

/// What a process may keep of one batch more: a table that has grown, no messages.
const KEPT_BYTES: usize = 64 * 1024;

const MIB: usize = 1024 * 1024;

/// Lambda: bytes of an invocation's payload.
const MAX_PAYLOAD_BYTES: usize = 6 * MIB;

/// What a batch may take at most, whatever it holds: an eighth of the function's 512 MiB.
const MAX_BYTES: usize = 64 * MIB;

fn matcher() -> Matcher<ForgetfulPorts> {
    let role = |id: &str| Principal::new(id).unwrap();
    let roles = OwnRoles {
        matcher: role("AROAMATCHER"),
        redrive: Some(role("AROAREDRIVE")),
        bulk: None,
    };
    let surroundings = Surroundings {
        clock: Box::new(|| payloads::NOW),
        seed: Box::new(|| [7; 32]),
    };
    Matcher::new(
        ForgetfulPorts::default(),
        "us-east-1".to_owned(),
        roles,
        surroundings,
    )
}

/// What one batch took.
struct Figures {
    payload: usize,
    /// The most that was in use during the batch, above what was before.
    peak: usize,
    /// What was still in use after it.
    live: usize,
    failed: usize,
}

async fn batch(matcher: &Matcher<ForgetfulPorts>, event: impl FnOnce() -> String) -> Figures {
    let before = HEAP.current_usage();
    let text = event();
    let payload = text.len();
    HEAP.reset_peak_usage();
    let parsed: Value = serde_json::from_str(&text).unwrap();
    let deadline = Timestamp::from_millis(payloads::NOW.as_millis() + 30_000);
    let answer = Box::pin(matcher.handle(parsed, deadline)).await;
    let failed = answer.batch_item_failures.len();
    let peak = HEAP.peak_usage() - before;
    drop((text, answer));
    Figures {
        payload,
        peak,
        live: HEAP.current_usage(),
        failed,
    }
}

/// Delivers batches of one shape and gives the figures of the most expensive one.
async fn measure(shape: &payloads::Shape) -> Figures {
    let matcher = matcher();
    let mut all = Vec::with_capacity(BATCHES);
    for n in 0..BATCHES {
        all.push(batch(&matcher, || (shape.event)(n)).await);
    }
    let (second, last) = (all[1].live, all[BATCHES - 1].live);
    let grown = last.saturating_sub(second);
    assert!(
        grown < KEPT_BYTES,
        "{}: {grown} bytes more after {BATCHES} batches",
        shape.name
    );
    let worst = all.into_iter().max_by_key(|figures| figures.peak).unwrap();
    println!(
        "{:<44} payload {:>5.2} MiB  peak {:>6.2} MiB  {:>5.1} times  {:>5} failed  {:>6} bytes kept",
        shape.name,
        mib(worst.payload),
        mib(worst.peak),
        mib(worst.peak) / mib(worst.payload),
        worst.failed,
        grown,
    );
    worst
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn mib(bytes: usize) -> f64 {
    bytes as f64 / MIB as f64
}

/// No batch of these shapes takes more than `times` its payload.
async fn hold_to(times: usize, shapes: Vec<payloads::Shape>) {
    let _alone = ONE_AT_A_TIME.lock().await;
    for shape in shapes {
        let worst = measure(&shape).await;
        assert!(
            worst.payload > MAX_PAYLOAD_BYTES / 3 * 2,
            "{}: {} bytes are little",
            shape.name,
            worst.payload
        );
        assert!(
            worst.peak <= times * worst.payload,
            "{}: more than {times} times",
            shape.name
        );
        assert!(
            worst.peak <= MAX_BYTES,
            "{}: more than the function has for it",
            shape.name
        );
    }
}

/// The event as text and taken apart is twice its payload; envelopes and letters of what is set aside are the rest.
#[tokio::test]
async fn long_deep_and_wide_bodies_take_at_most_five_times_their_payload() {
    hold_to(5, payloads::long_bodies()).await;
}

/// A message of 100 bytes becomes a task, a submission and an answer of about 4 KB together; at most 10,000 of them at
/// once.
#[tokio::test]
async fn very_many_messages_take_at_most_nine_times_their_payload() {
    hold_to(9, payloads::many_messages()).await;
}

/// The registry is remembered for at most 4,096 counterparties, whoever sends.
#[tokio::test]
async fn very_many_senders_take_at_most_thirteen_times_their_payload() {
    hold_to(13, payloads::many_senders()).await;
}
