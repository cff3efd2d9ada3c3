//! Cases of the ports `Inboxes` and `DeadLetters`.

use std::collections::BTreeMap;

use super::fixtures::Stage;
use super::{Arrange, Delivered, EveryPort, Unmet, Verdict, ensure};
use crate::domain::inbox::OutboundMessage;
use crate::domain::limits::MAX_MESSAGE_BYTES;
use crate::ports::{DeadLetter, Fault};

/// Sends to a new queue; gives the indices that were not taken, and what arrived.
async fn send<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
    messages: &[OutboundMessage],
) -> Result<(Vec<usize>, Vec<Delivered>), Unmet> {
    let url = on.arrange.create_inbox(&on.queue_name(1)).await?;
    let left = on.ports.send_messages(&url, messages).await?;
    let delivered = on.arrange.drain_inbox(&url).await?;
    on.arrange.remove_inbox(&url).await?;
    Ok((left, delivered))
}

/// Whether exactly these arrived, bare of attributes; a standard queue keeps no order.
fn arrived<'a>(delivered: &[Delivered], sent: impl IntoIterator<Item = &'a OutboundMessage>) -> Verdict {
    let mut bodies: Vec<&str> = delivered.iter().map(|message| message.body.as_str()).collect();
    let mut expected: Vec<&str> = sent.into_iter().map(|message| message.body.as_str()).collect();
    bodies.sort_unstable();
    expected.sort_unstable();
    ensure(bodies == expected, "other bodies arrived than were sent")?;
    ensure(
        delivered.iter().all(|message| message.attributes.is_empty()),
        "a message bears attributes",
    )
}

pub(super) async fn ten_messages_arrive_as_they_were_sent<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    let messages: Vec<OutboundMessage> = (0..10).map(|n| on.message(n, 100)).collect();
    let (left, delivered) = send(on, &messages).await?;
    ensure(left.is_empty(), "some were not taken")?;
    arrived(&delivered, &messages)
}

pub(super) async fn more_than_a_mebibyte_arrives<P: EveryPort, A: Arrange>(on: &Stage<'_, P, A>) -> Verdict {
    let messages: Vec<OutboundMessage> = (0..10).map(|n| on.message(n, 200_000)).collect();
    let (left, delivered) = send(on, &messages).await?;
    ensure(left.is_empty(), "some were not taken")?;
    arrived(&delivered, &messages)
}

pub(super) async fn a_message_that_is_too_long_is_left_alone<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    let lengths = [10, MAX_MESSAGE_BYTES, 10, 400_000];
    let messages: Vec<OutboundMessage> = (0..)
        .zip(lengths)
        .map(|(n, bytes)| on.message(n, bytes))
        .collect();
    let (left, delivered) = send(on, &messages).await?;
    ensure(left == [1], "not exactly the long one was left")?;
    arrived(&delivered, [&messages[0], &messages[2], &messages[3]])
}

pub(super) async fn nothing_is_sent_without_messages<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    let (left, delivered) = send(on, &[]).await?;
    ensure(left.is_empty() && delivered.is_empty(), "something arrived")?;
    ensure(
        on.ports.send_dead_letters(&[]).await?.is_empty(),
        "a dead letter was not taken",
    )
}

pub(super) async fn a_queue_that_does_not_exist_is_refused<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    let url = on.arrange.inbox_url(&on.queue_name(2));
    match on.ports.send_messages(&url, &[on.message(1, 10)]).await {
        Err(error) => ensure(error.fault == Fault::Refused, "it failed, but was not refused"),
        Ok(_) => Err(Unmet("it was taken".to_owned())),
    }
}

pub(super) async fn a_dead_letter_bears_its_reason_alone<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    let reasons = ["malformed", "unknown_sender"];
    let bodies = |n: u32| on.message(n, 300_000).body;
    let letters: Vec<DeadLetter> = (0..6)
        .zip(reasons.into_iter().cycle())
        .map(|(n, reason)| DeadLetter {
            body: bodies(n),
            reason,
        })
        .collect();
    ensure(
        on.ports.send_dead_letters(&letters).await?.is_empty(),
        "some were not taken",
    )?;
    let delivered = on.arrange.drain_dead_letters().await?;
    for letter in &letters {
        let copies: Vec<_> = delivered
            .iter()
            .filter(|message| message.body == letter.body)
            .collect();
        ensure(copies.len() == 1, "not each arrived once")?;
        let attributes = BTreeMap::from([("reason".to_owned(), letter.reason.to_owned())]);
        ensure(
            copies.iter().all(|copy| copy.attributes == attributes),
            "other attributes than the reason",
        )?;
    }
    Ok(())
}
