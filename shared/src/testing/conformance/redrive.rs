//! Cases of the redrive's ports.
//!
//! How consumers do is not among them: no emulator here knows mappings or metrics (the wire's tests show what is asked
//! and what is made of the answers).

use std::pin::Pin;

use super::{ArrangeError, Nonconformance, Unmet, Verdict, ensure};
use crate::domain::audit::LogRegion;
use crate::domain::identifiers::{ClOrdId, CounterpartyId, OrderKey, Principal};
use crate::domain::limits::MAX_MESSAGE_BYTES;
use crate::domain::reason::StopReason;
use crate::domain::redrive::{Announcement, SourceName};
use crate::ports::redrive::{PutOnce, QuarantineShelf, Receipt, Received, RedrivePorts};

/// A hand at work.
pub type Handling<T> = Pin<Box<dyn Future<Output = Result<T, ArrangeError>> + Send>>;

/// What the cases need beside the ports: a queue of their own, and a hand that sends to it.
pub struct Hands<'a> {
    /// Makes a queue of this name (letters, digits, `-`) and gives its URL.
    pub create: &'a (dyn Fn(String) -> Handling<String> + Sync),
    /// Sends a body to a queue, with a reason as its attribute.
    pub send: &'a (dyn Fn(String, String, Option<&'static str>) -> Handling<()> + Sync),
}

struct Stage<'a, P> {
    ports: &'a P,
    name: String,
    hands: &'a Hands<'a>,
}

macro_rules! suite {
    ($($case:ident)+) => {
        /// The names of the redrive's cases.
        pub const REDRIVE_CASES: &[&str] = &[$(stringify!($case),)+];

        /// Runs every case of the redrive and gives those that were not passed. `seed` must be another for each run on
        /// the same bucket.
        pub async fn run_redrive<P: RedrivePorts + QuarantineShelf>(
            ports: &P,
            seed: &str,
            hands: &Hands<'_>,
        ) -> Vec<Nonconformance> {
            let mut failed = Vec::new();
            $({
                let name = format!("{seed}-{}", stringify!($case).replace('_', "-"));
                if let Err(Unmet(found)) = Box::pin($case(&Stage { ports, name, hands })).await {
                    failed.push(Nonconformance { case: stringify!($case), found });
                }
            })+
            failed
        }
    };
}

suite! {
    a_letter_is_received_with_its_stamps_and_its_reason
    a_letter_in_hand_is_seen_by_nobody_else
    a_letter_that_is_released_is_seen_again
    a_letter_that_is_deleted_is_gone
    of_many_letters_ten_are_received_at_once
    nothing_is_done_without_letters
    what_goes_back_arrives_to_the_letter
    what_is_too_long_does_not_go_back
    a_queue_that_is_not_there_is_refused
    a_message_that_was_never_processed_has_no_outcome
    a_stranger_is_no_counterparty
    an_object_is_put_once
    of_many_puts_of_one_name_one_is_done
    a_missing_object_is_none
    objects_are_listed_by_prefix_page_by_page
    an_object_is_removed
    more_than_one_call_takes_is_announced
}

/// Long enough that nothing in hand is seen again during a case.
const LONG: u32 = 600;

async fn queue<P>(on: &Stage<'_, P>) -> Result<String, Unmet> {
    Ok((on.hands.create)(on.name.clone()).await?)
}

async fn send<P>(on: &Stage<'_, P>, url: &str, body: &str, reason: Option<&'static str>) -> Verdict {
    Ok((on.hands.send)(url.to_owned(), body.to_owned(), reason).await?)
}

/// Everything that can be seen now.
async fn all<P: RedrivePorts>(on: &Stage<'_, P>, url: &str) -> Result<Vec<Received>, Unmet> {
    let mut letters = Vec::new();
    loop {
        let more = on.ports.receive_letters(url, LONG).await?;
        ensure(more.len() <= 10, "more than ten were received at once")?;
        if more.is_empty() {
            return Ok(letters);
        }
        letters.extend(more);
    }
}

fn receipts(letters: &[Received]) -> Vec<Receipt> {
    letters.iter().map(|letter| letter.receipt.clone()).collect()
}

async fn a_letter_is_received_with_its_stamps_and_its_reason<P: RedrivePorts>(on: &Stage<'_, P>) -> Verdict {
    let url = queue(on).await?;
    let body = "{\"a\":\"ä\"}\n";
    send(on, &url, body, Some("malformed")).await?;
    let letters = all(on, &url).await?;
    let [letter] = letters.as_slice() else {
        return ensure(false, "not exactly one letter was received");
    };
    let letter = &letter.letter;
    ensure(letter.body == body, "another body was received")?;
    ensure(letter.reason.as_deref() == Some("malformed"), "another reason")?;
    ensure(letter.receives.as_deref() == Some("1"), "not a first receive")?;
    ensure(
        letter.sender.as_deref().is_some_and(|id| !id.is_empty()),
        "nobody sent it",
    )?;
    for stamp in [&letter.sent_at, &letter.first_received_at] {
        let millis = stamp.as_deref().and_then(|millis| millis.parse::<i64>().ok());
        ensure(millis.is_some_and(|millis| millis > 0), "a stamp is no moment")?;
    }
    Ok(())
}

async fn a_letter_in_hand_is_seen_by_nobody_else<P: RedrivePorts>(on: &Stage<'_, P>) -> Verdict {
    let url = queue(on).await?;
    send(on, &url, "x", None).await?;
    ensure(all(on, &url).await?.len() == 1, "it was not received")?;
    ensure(all(on, &url).await?.is_empty(), "it was received twice")
}

async fn a_letter_that_is_released_is_seen_again<P: RedrivePorts>(on: &Stage<'_, P>) -> Verdict {
    let url = queue(on).await?;
    send(on, &url, "x", None).await?;
    let held = receipts(&all(on, &url).await?);
    let left = on.ports.release_letters(&url, &held).await?;
    ensure(left.is_empty(), "it was not released")?;
    let again = all(on, &url).await?;
    ensure(again.len() == 1, "it is not seen again")?;
    let second = again.first().and_then(|letter| letter.letter.receives.as_deref());
    ensure(second == Some("2"), "the second receive is not counted")
}

async fn a_letter_that_is_deleted_is_gone<P: RedrivePorts>(on: &Stage<'_, P>) -> Verdict {
    let url = queue(on).await?;
    for body in ["x", "y"] {
        send(on, &url, body, None).await?;
    }
    let held = receipts(&on.ports.receive_letters(&url, 1).await?);
    let left = on.ports.delete_letters(&url, &held).await?;
    ensure(left.is_empty(), "it was not deleted")?;
    let rest = receipts(&all(on, &url).await?);
    ensure(rest.len() + held.len() == 2, "one is there twice, or lost")?;
    on.ports.delete_letters(&url, &rest).await?;
    ensure(all(on, &url).await?.is_empty(), "something is still there")
}

async fn of_many_letters_ten_are_received_at_once<P: RedrivePorts>(on: &Stage<'_, P>) -> Verdict {
    let url = queue(on).await?;
    for n in 0..12 {
        send(on, &url, &n.to_string(), None).await?;
    }
    let mut bodies: Vec<String> = all(on, &url).await?.into_iter().map(|l| l.letter.body).collect();
    bodies.sort_unstable();
    bodies.dedup();
    ensure(bodies.len() == 12, "not each was received once")
}

async fn nothing_is_done_without_letters<P: RedrivePorts>(on: &Stage<'_, P>) -> Verdict {
    let url = queue(on).await?;
    let left = [
        on.ports.delete_letters(&url, &[]).await?,
        on.ports.release_letters(&url, &[]).await?,
        on.ports.send_back(&url, &[]).await?,
    ];
    ensure(left.iter().all(Vec::is_empty), "something was left of nothing")
}

async fn what_goes_back_arrives_to_the_letter<P: RedrivePorts>(on: &Stage<'_, P>) -> Verdict {
    let url = queue(on).await?;
    let mut sent: Vec<String> = (0..10).map(|n| format!("{{\"n\":\"{n}\\n\"}}")).collect();
    ensure(
        on.ports.send_back(&url, &sent).await?.is_empty(),
        "not all were taken",
    )?;
    let letters = all(on, &url).await?;
    ensure(
        letters.iter().all(|letter| letter.letter.reason.is_none()),
        "a reason goes along",
    )?;
    let mut arrived: Vec<String> = letters.into_iter().map(|letter| letter.letter.body).collect();
    arrived.sort_unstable();
    sent.sort_unstable();
    ensure(arrived == sent, "something else arrived")
}

async fn what_is_too_long_does_not_go_back<P: RedrivePorts>(on: &Stage<'_, P>) -> Verdict {
    let url = queue(on).await?;
    let sent = ["x".to_owned(), "y".repeat(MAX_MESSAGE_BYTES + 1), "z".to_owned()];
    ensure(
        on.ports.send_back(&url, &sent).await? == [1],
        "not exactly the long one was left",
    )?;
    ensure(
        all(on, &url).await?.len() == 2,
        "not exactly the short ones arrived",
    )
}

async fn a_queue_that_is_not_there_is_refused<P: RedrivePorts>(on: &Stage<'_, P>) -> Verdict {
    let url = queue(on).await?.replace(&on.name, "not-there");
    let sent = on.ports.send_back(&url, &["x".to_owned()]).await;
    ensure(sent.is_err(), "it was taken")?;
    ensure(
        on.ports.receive_letters(&url, 1).await.is_err(),
        "it was received from",
    )
}

async fn a_message_that_was_never_processed_has_no_outcome<P: RedrivePorts>(on: &Stage<'_, P>) -> Verdict {
    let order = OrderKey::new(CounterpartyId::new("cp-nobody")?, ClOrdId::new("never")?);
    let read = on.ports.read_outcomes(&[order.clone(), order.clone()]).await?;
    ensure(
        read.iter().all(|(key, found)| *key == order && found.is_none()),
        "it has one",
    )?;
    ensure(!read.is_empty(), "nothing is said of it")
}

async fn a_stranger_is_no_counterparty<P: RedrivePorts>(on: &Stage<'_, P>) -> Verdict {
    let stranger = Principal::new("AROASTRANGER")?;
    ensure(
        on.ports.find_principals(&[stranger]).await?.is_empty(),
        "it is one",
    )
}

fn object<P>(on: &Stage<'_, P>, n: usize) -> String {
    format!("v1/{}/{n}.json", on.name)
}

async fn an_object_is_put_once<P: RedrivePorts>(on: &Stage<'_, P>) -> Verdict {
    let name = object(on, 0);
    let first = on.ports.put_quarantined(&name, b"{\"first\":1}").await?;
    ensure(first == PutOnce::Done, "the first was not put")?;
    for body in [b"{\"first\":1}".as_slice(), b"second"] {
        let again = on.ports.put_quarantined(&name, body).await?;
        ensure(again == PutOnce::Exists, "a later one was put")?;
    }
    let read = on.ports.read_quarantined(&name).await?;
    ensure(
        read.as_deref() == Some(b"{\"first\":1}"),
        "something else is there",
    )
}

async fn of_many_puts_of_one_name_one_is_done<P: RedrivePorts>(on: &Stage<'_, P>) -> Verdict {
    let name = object(on, 0);
    let puts = (0..8).map(|_| on.ports.put_quarantined(&name, b"x"));
    let mut done = 0;
    for put in super::fixtures::together(puts).await {
        // One that meets another under way may also fail.
        done += usize::from(put == Ok(PutOnce::Done));
    }
    ensure(done == 1, "not exactly one was done")
}

async fn a_missing_object_is_none<P: RedrivePorts>(on: &Stage<'_, P>) -> Verdict {
    let read = on.ports.read_quarantined(&object(on, 0)).await?;
    ensure(read.is_none(), "something is there")
}

async fn objects_are_listed_by_prefix_page_by_page<P: RedrivePorts + QuarantineShelf>(
    on: &Stage<'_, P>,
) -> Verdict {
    let names: Vec<String> = (0..7).map(|n| object(on, n)).collect();
    for name in names.iter().rev() {
        on.ports.put_quarantined(name, b"x").await?;
    }
    let beside = format!("v1/{}x/0.json", on.name);
    on.ports.put_quarantined(&beside, b"x").await?;
    let prefix = format!("v1/{}/", on.name);
    let (mut listed, mut after) = (Vec::<String>::new(), None);
    loop {
        let page = on.ports.list_quarantined(&prefix, after.as_deref()).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.clone());
        listed.extend(page);
    }
    ensure(listed == names, "other names are listed")
}

async fn an_object_is_removed<P: RedrivePorts + QuarantineShelf>(on: &Stage<'_, P>) -> Verdict {
    let name = object(on, 0);
    on.ports.put_quarantined(&name, b"x").await?;
    // The second time after a response that was lost.
    for _ in 0..2 {
        on.ports.remove_quarantined(&name).await?;
        let read = on.ports.read_quarantined(&name).await?;
        ensure(read.is_none(), "it is still there")?;
    }
    let again = on.ports.put_quarantined(&name, b"y").await?;
    ensure(again == PutOnce::Done, "its name stays taken")
}

async fn more_than_one_call_takes_is_announced<P: RedrivePorts>(on: &Stage<'_, P>) -> Verdict {
    let stopped = Announcement::Stopped {
        region: LogRegion::new("us-east-1".to_owned())?,
        source: SourceName::new("intake")?,
        why: StopReason::CanaryRelapsed,
    };
    for count in [0, 1, 11] {
        on.ports.announce_redrive(&vec![stopped.clone(); count]).await?;
    }
    Ok(())
}
