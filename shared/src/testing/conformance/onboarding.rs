//! Cases of the ports `RegistryAdmin`, `ParameterAdmin` and `InboxAdmin`.

use std::collections::BTreeSet;

use super::fixtures::{Stage, price, quantity};
use super::registry::counterparty;
use super::{Arrange, EveryPort, Unmet, Verdict, ensure};
use crate::domain::counterparty::{Counterparty, Standing};
use crate::domain::parameters::{MatchParameters, PricePolicy};
use crate::onboarding::{InboxQueue, PrincipalArn, inbox_policy};
use crate::records::ReservationRecord;

pub(super) async fn the_first_reservation_of_a_principal_stays<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    let drawn = |n: u32| {
        Ok::<_, Unmet>(ReservationRecord::new(
            on.principal(1)?,
            on.owner(n),
            on.queue_name(n),
        ))
    };
    let (first, second) = (drawn(1)?, drawn(2)?);
    for offered in [&first, &second, &first] {
        ensure(
            on.ports.reserve(offered).await? == first,
            "the first did not stay",
        )?;
    }
    let of_another = ReservationRecord::new(on.principal(2)?, on.owner(2), on.queue_name(2));
    ensure(
        on.ports.reserve(&of_another).await? == of_another,
        "principals share a reservation",
    )?;
    // A reservation admits nobody.
    let found = on.ports.find_principals(&[on.principal(1)?]).await?;
    ensure(
        found.is_empty(),
        "a reservation is taken for a registered principal",
    )
}

async fn stored<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
    n: u32,
) -> Result<Option<Counterparty>, Unmet> {
    Ok(on.ports.read_counterparties(&[on.owner(n)]).await?.pop())
}

pub(super) async fn a_counterparty_is_inserted_once<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    let first = counterparty(on, 1)?;
    let mut second = first.clone();
    second.standing = Standing::Suspended;
    ensure(on.ports.insert_counterparty(&first).await?, "it was not stored")?;
    ensure(
        !on.ports.insert_counterparty(&second).await?,
        "it was stored twice",
    )?;
    ensure(stored(on, 1).await? == Some(first), "the first was changed")
}

pub(super) async fn a_counterparty_is_changed_if_it_is_still_as_read<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    let first = counterparty(on, 1)?;
    let mut second = first.clone();
    second.standing = Standing::Suspended;
    let mut third = second.clone();
    third.exclusions = BTreeSet::from([on.owner(2), on.owner(3)]);
    let mut fourth = third.clone();
    fourth
        .inboxes
        .insert("eu-west-1".to_owned(), "https://eu-west-1/1".to_owned());
    ensure(
        !on.ports.replace_counterparty(&first, &second).await?,
        "what does not exist was changed",
    )?;
    ensure(stored(on, 1).await?.is_none(), "it came of it")?;
    ensure(on.ports.insert_counterparty(&first).await?, "it was not stored")?;
    for (read, new) in [(&first, &second), (&second, &third), (&third, &fourth)] {
        ensure(
            on.ports.replace_counterparty(read, new).await?,
            "it was not changed",
        )?;
        ensure(
            stored(on, 1).await?.as_ref() == Some(new),
            "it was changed into something else",
        )?;
        ensure(
            !on.ports.replace_counterparty(read, new).await?,
            "it was changed although it was not as read",
        )?;
    }
    Ok(())
}

pub(super) async fn a_principal_is_admitted_as_one_counterparty<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    let principal = on.principal(1)?;
    for (n, admitted) in [(1, true), (1, true), (2, false), (1, true)] {
        ensure(
            on.ports.admit_principal(&principal, &on.owner(n)).await? == admitted,
            "admitted as somebody else",
        )?;
        let found = on.ports.find_principals(std::slice::from_ref(&principal)).await?;
        ensure(found == [(principal.clone(), on.owner(1))], "it is somebody else")?;
    }
    Ok(())
}

pub(super) async fn the_directory_lists_every_step_of_onboarding<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    let reserved = ReservationRecord::new(on.principal(1)?, on.owner(1), on.queue_name(1)).named("acme");
    let entered = counterparty(on, 1)?;
    let listed = async || {
        let everybody = on.ports.read_directory().await?.listed();
        Ok::<_, Unmet>(everybody.into_iter().find(|listed| listed.id == on.owner(1)))
    };
    ensure(listed().await?.is_none(), "it is listed before it is there")?;
    on.ports.reserve(&reserved).await?;
    let first = listed()
        .await?
        .ok_or(Unmet("a reservation is not listed".to_owned()))?;
    ensure(
        first.name.as_deref() == Some("acme") && first.inbox_name == Some(on.queue_name(1)),
        "its names are not listed",
    )?;
    ensure(
        first.counterparty.is_none() && !first.admitted,
        "it is listed as onboarded",
    )?;
    on.ports.insert_counterparty(&entered).await?;
    let second = listed().await?.ok_or(Unmet("it is listed no more".to_owned()))?;
    ensure(
        second.counterparty == Some(entered) && !second.admitted,
        "it is not listed as entered",
    )?;
    on.ports.admit_principal(&on.principal(1)?, &on.owner(1)).await?;
    let third = listed().await?.ok_or(Unmet("it is listed no more".to_owned()))?;
    ensure(third.admitted, "it is not listed as admitted")
}

pub(super) async fn parameters_are_replaced_under_their_version<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    let of_version = |version: u64| {
        Ok::<_, Unmet>(MatchParameters {
            symbol: on.symbol(1)?,
            tick: price("0.01")?,
            lot: quantity("1")?,
            price_policy: PricePolicy::Resting,
            currency: "USD".to_owned(),
            security_id: None,
            tradable: true,
            version,
        })
    };
    for (read, new, replaced, after) in [
        (Some(1), 2, false, None),
        (None, 1, true, Some(1)),
        (None, 1, false, Some(1)),
        (Some(1), 2, true, Some(2)),
        (Some(1), 3, false, Some(2)),
    ] {
        let outcome = on.ports.replace_parameters(read, &of_version(new)?).await?;
        ensure(
            outcome == replaced,
            "another version was replaced than the one read",
        )?;
        let stored = on.ports.read_parameters(&[on.symbol(1)?]).await?.pop();
        ensure(
            stored.map(|stored| stored.version) == after,
            "another version is stored",
        )?;
    }
    Ok(())
}

pub(super) async fn an_inbox_is_made_once_and_mended<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    let arn = |name: &str| {
        let arn = PrincipalArn::parse(&format!("arn:aws:iam::000000000000:role/{name}"));
        arn.map_err(|error| Unmet(error.to_string()))
    };
    let (sender, name) = (arn("matcher")?, on.queue_name(1));
    let mut urls = BTreeSet::new();
    for receiver in ["one", "one", "two"] {
        let queue = InboxQueue {
            policy: inbox_policy(&sender.queue_arn("us-east-1", &name), &[&sender], &arn(receiver)?),
            name: name.clone(),
            kms_key_arn: None,
        };
        urls.insert(on.ports.create_inbox(&queue).await?);
    }
    ensure(urls.len() == 1, "there is another queue of the same name")?;
    let url = urls.pop_first().unwrap_or_default();
    let left = on.ports.send_messages(&url, &[on.message(1, 10)]).await?;
    on.arrange.remove_inbox(&url).await?;
    ensure(left.is_empty(), "it takes no message")
}
