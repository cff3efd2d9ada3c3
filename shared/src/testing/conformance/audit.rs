//! Cases of the token audit's ports.

use std::pin::Pin;

use super::fixtures::together;
use super::{ArrangeError, Nonconformance, Unmet, Verdict, ensure};
use crate::domain::audit::{Announcement, LogRegion};
use crate::domain::time::Timestamp;
use crate::domain::token::EpochId;
use crate::ports::audit::{AuditPorts, Expected, Handle, Put};

/// A batch being set aside.
pub type Setting = Pin<Box<dyn Future<Output = Result<(), ArrangeError>> + Send>>;

/// The hand that sets a batch aside, under a name that begins as Lambda's do.
pub type SetAside<'a> = dyn Fn(String, Vec<u8>) -> Setting + Sync + 'a;

/// What the cases need beside the ports: an epoch of which they know that it has a key, and a hand that sets aside.
struct Stage<'a, P> {
    ports: &'a P,
    name: String,
    known: EpochId,
    set_aside: &'a SetAside<'a>,
}

macro_rules! suite {
    ($($case:ident)+) => {
        /// The names of the token audit's cases.
        pub const AUDIT_CASES: &[&str] = &[$(stringify!($case),)+];

        /// Runs every case of the token audit and gives those that were not passed. `seed` must be another for each
        /// run on the same bucket; `known` is an epoch that has a key; nothing is set aside at first.
        pub async fn run_audit<P: AuditPorts>(
            ports: &P,
            seed: &str,
            known: EpochId,
            set_aside: &SetAside<'_>,
        ) -> Vec<Nonconformance> {
            let mut failed = Vec::new();
            $({
                let name = format!("conformance/{seed}/{}", stringify!($case));
                if let Err(Unmet(found)) = Box::pin($case(&Stage { ports, name, known, set_aside })).await {
                    failed.push(Nonconformance { case: stringify!($case), found });
                }
            })+
            failed
        }
    };
}

suite! {
    an_object_reads_back_as_it_was_put
    an_object_that_does_not_exist_is_none
    a_put_where_something_is_loses
    a_put_over_the_state_that_was_read_is_done
    a_put_over_a_state_that_has_passed_loses
    a_put_over_nothing_with_a_state_loses
    a_state_comes_from_reading_too
    of_many_first_puts_one_is_done
    of_many_swaps_one_is_done
    a_signature_is_good_for_its_message
    a_signature_is_good_for_no_other_message
    what_is_no_signature_is_not_good
    an_epoch_with_a_key_is_known
    an_epoch_without_a_key_is_not_known
    more_than_one_call_takes_is_announced
    what_was_set_aside_is_listed_page_by_page
    what_was_set_aside_is_read_and_removed
}

fn done(put: Put) -> Result<Handle, Unmet> {
    match put {
        Put::Done(handle) => Ok(handle),
        Put::Lost => Err(Unmet("the put lost to nobody".to_owned())),
    }
}

async fn put<P: AuditPorts>(on: &Stage<'_, P>, body: &[u8]) -> Result<Handle, Unmet> {
    done(on.ports.put_object(&on.name, body, &Expected::Absent).await?)
}

async fn holds<P: AuditPorts>(on: &Stage<'_, P>, body: &[u8]) -> Verdict {
    let read = on.ports.read_object(&on.name).await?;
    ensure(
        read.is_some_and(|(found, _)| found == body),
        "something else is there",
    )
}

async fn an_object_reads_back_as_it_was_put<P: AuditPorts>(on: &Stage<'_, P>) -> Verdict {
    let body = b"{\"a\":1}\nline\n";
    put(on, body).await?;
    holds(on, body).await
}

async fn an_object_that_does_not_exist_is_none<P: AuditPorts>(on: &Stage<'_, P>) -> Verdict {
    ensure(
        on.ports.read_object(&on.name).await?.is_none(),
        "something is there",
    )
}

async fn a_put_where_something_is_loses<P: AuditPorts>(on: &Stage<'_, P>) -> Verdict {
    put(on, b"first").await?;
    for body in ["second", "first"] {
        let again = on.ports.put_object(&on.name, body.as_bytes(), &Expected::Absent);
        ensure(again.await? == Put::Lost, "a later put was done")?;
    }
    holds(on, b"first").await
}

async fn a_put_over_the_state_that_was_read_is_done<P: AuditPorts>(on: &Stage<'_, P>) -> Verdict {
    let mut handle = put(on, b"0").await?;
    for n in 1..4_u8 {
        let body = [b'0' + n];
        let read = Expected::Is(handle);
        handle = done(on.ports.put_object(&on.name, &body, &read).await?)?;
        holds(on, &body).await?;
    }
    Ok(())
}

async fn a_put_over_a_state_that_has_passed_loses<P: AuditPorts>(on: &Stage<'_, P>) -> Verdict {
    let first = Expected::Is(put(on, b"first").await?);
    done(on.ports.put_object(&on.name, b"second", &first).await?)?;
    let late = on.ports.put_object(&on.name, b"third", &first).await?;
    ensure(late == Put::Lost, "a swap over a passed state was done")?;
    holds(on, b"second").await
}

async fn a_put_over_nothing_with_a_state_loses<P: AuditPorts>(on: &Stage<'_, P>) -> Verdict {
    let elsewhere = format!("{}-elsewhere", on.name);
    let here = Expected::Is(put(on, b"here").await?);
    let swap = on.ports.put_object(&elsewhere, b"there", &here).await?;
    ensure(swap == Put::Lost, "a swap over nothing was done")?;
    ensure(
        on.ports.read_object(&elsewhere).await?.is_none(),
        "something is there",
    )
}

async fn a_state_comes_from_reading_too<P: AuditPorts>(on: &Stage<'_, P>) -> Verdict {
    put(on, b"first").await?;
    let (_, handle) = on
        .ports
        .read_object(&on.name)
        .await?
        .ok_or_else(|| Unmet("nothing is there".to_owned()))?;
    done(
        on.ports
            .put_object(&on.name, b"second", &Expected::Is(handle))
            .await?,
    )?;
    holds(on, b"second").await
}

async fn of_many_first_puts_one_is_done<P: AuditPorts>(on: &Stage<'_, P>) -> Verdict {
    one_of_many(on, &Expected::Absent).await
}

async fn of_many_swaps_one_is_done<P: AuditPorts>(on: &Stage<'_, P>) -> Verdict {
    let handle = put(on, b"before").await?;
    one_of_many(on, &Expected::Is(handle)).await
}

async fn one_of_many<P: AuditPorts>(on: &Stage<'_, P>, expected: &Expected) -> Verdict {
    let bodies: Vec<[u8; 1]> = (0..8).map(|n| [n]).collect();
    let puts = bodies
        .iter()
        .map(|body| on.ports.put_object(&on.name, body, expected));
    let mut won = Vec::new();
    for (body, put) in bodies.iter().zip(together(puts).await) {
        if put? != Put::Lost {
            won.push(body);
        }
    }
    ensure(won.len() == 1, "not exactly one put was done")?;
    match won.first() {
        Some(body) => holds(on, *body).await,
        None => Ok(()),
    }
}

async fn a_signature_is_good_for_its_message<P: AuditPorts>(on: &Stage<'_, P>) -> Verdict {
    for message in [on.name.clone().into_bytes(), vec![b'm'; 4_096]] {
        let signature = on.ports.sign(&message).await?;
        ensure(
            on.ports.verify(&message, &signature).await?,
            "its own signature is not good",
        )?;
    }
    Ok(())
}

async fn a_signature_is_good_for_no_other_message<P: AuditPorts>(on: &Stage<'_, P>) -> Verdict {
    let signature = on.ports.sign(b"message").await?;
    ensure(
        !on.ports.verify(b"massage", &signature).await?,
        "good for another message",
    )?;
    let other = on.ports.sign(b"massage").await?;
    ensure(
        !on.ports.verify(b"message", &other).await?,
        "another's signature is good",
    )
}

async fn what_is_no_signature_is_not_good<P: AuditPorts>(on: &Stage<'_, P>) -> Verdict {
    let mut signature = on.ports.sign(b"message").await?;
    if let Some(last) = signature.last_mut() {
        *last ^= 1;
    }
    for no_signature in [signature, vec![0], vec![7; 72]] {
        ensure(
            !on.ports.verify(b"message", &no_signature).await?,
            "no signature is good",
        )?;
    }
    Ok(())
}

async fn an_epoch_with_a_key_is_known<P: AuditPorts>(on: &Stage<'_, P>) -> Verdict {
    ensure(on.ports.has_key(on.known).await?, "it is not known")
}

async fn an_epoch_without_a_key_is_not_known<P: AuditPorts>(on: &Stage<'_, P>) -> Verdict {
    let never = EpochId::new(Timestamp::from_millis(0), 77);
    ensure(!on.ports.has_key(never).await?, "it is known")
}

async fn more_than_one_call_takes_is_announced<P: AuditPorts>(on: &Stage<'_, P>) -> Verdict {
    let head = Announcement::Head {
        region: LogRegion::new("us-east-1".to_owned())?,
        statement: "{}".to_owned(),
        signature: "\"quoted\"".to_owned(),
    };
    for count in [0, 1, 11] {
        on.ports.announce(&vec![head.clone(); count]).await?;
    }
    Ok(())
}

/// Names and bodies of four: one page of them, or more.
async fn aside<P: AuditPorts>(on: &Stage<'_, P>) -> Result<Vec<String>, Unmet> {
    let names: Vec<_> = (0..4).map(|n| format!("aws/lambda/{}/{n}", on.name)).collect();
    for name in names.iter().rev() {
        (on.set_aside)(name.clone(), name.clone().into_bytes()).await?;
    }
    Ok(names)
}

async fn what_was_set_aside_is_listed_page_by_page<P: AuditPorts>(on: &Stage<'_, P>) -> Verdict {
    let names = aside(on).await?;
    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let page = on.ports.list_set_aside(after.as_deref()).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.clone());
        listed.extend(page);
    }
    for name in &names {
        on.ports.remove_set_aside(name).await?;
    }
    ensure(listed == names, &format!("{listed:?}"))?;
    let left = on.ports.list_set_aside(None).await?;
    ensure(left.is_empty(), &format!("{left:?} are left"))
}

async fn what_was_set_aside_is_read_and_removed<P: AuditPorts>(on: &Stage<'_, P>) -> Verdict {
    let names = aside(on).await?;
    for name in &names {
        let read = on.ports.read_set_aside(name).await?;
        ensure(read.as_deref() == Some(name.as_bytes()), &format!("{read:?}"))?;
        // The second time after a response that was lost.
        for _ in 0..2 {
            on.ports.remove_set_aside(name).await?;
        }
        let read = on.ports.read_set_aside(name).await?;
        ensure(read.is_none(), "it is still there")?;
    }
    Ok(())
}
