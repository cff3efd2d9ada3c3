//! Cases of the ports `Registry`, `ParameterStore` and `Matches`: what is read by key, a hundred a request.

use std::collections::{BTreeMap, BTreeSet};

use super::fixtures::{Stage, price, quantity};
use super::{Arrange, EveryPort, Unmet, Verdict, ensure};
use crate::domain::change_set::ChangeSet;
use crate::domain::counterparty::{Counterparty, Standing};
use crate::domain::identifiers::{CounterpartyId, Principal, Symbol};
use crate::domain::parameters::{MatchParameters, PricePolicy, SecurityId};
use crate::domain::token::MatchId;

pub(super) fn counterparty<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
    n: u32,
) -> Result<Counterparty, Unmet> {
    let inboxes =
        ["us-east-1", "us-west-2"].map(|region| (region.to_owned(), format!("https://{region}/{n}")));
    Ok(Counterparty::new(
        on.owner(n),
        on.principal(n)?,
        BTreeMap::from(inboxes),
    ))
}

/// Enters a counterparty and its principal.
async fn register<P: EveryPort, A: Arrange>(on: &Stage<'_, P, A>, counterparty: &Counterparty) -> Verdict {
    ensure(
        on.ports.insert_counterparty(counterparty).await?,
        "it was not stored",
    )?;
    let admitted = on
        .ports
        .admit_principal(&counterparty.principal, &counterparty.id)
        .await?;
    ensure(admitted, "its principal was not admitted")
}

pub(super) async fn principals_are_found_and_strangers_left_out<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    let known = [counterparty(on, 1)?, counterparty(on, 2)?];
    for counterparty in &known {
        register(on, counterparty).await?;
    }
    // More than one request takes, with the known ones at both ends.
    let mut asked: Vec<Principal> = (100..250)
        .map(|n| on.principal(n))
        .collect::<Result<_, Unmet>>()?;
    asked.insert(0, on.principal(1)?);
    asked.push(on.principal(2)?);
    let found: BTreeSet<_> = on.ports.find_principals(&asked).await?.into_iter().collect();
    let expected: BTreeSet<_> = known
        .into_iter()
        .map(|known| (known.principal, known.id))
        .collect();
    ensure(found == expected, "others are found than are registered")?;
    ensure(
        on.ports.find_principals(&[]).await?.is_empty(),
        "nobody is asked for and somebody found",
    )
}

pub(super) async fn counterparties_read_back_and_strangers_are_left_out<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    let plain = counterparty(on, 1)?;
    let mut other = counterparty(on, 2)?;
    other.exclusions = BTreeSet::from([on.owner(1), on.owner(3)]);
    other.standing = Standing::Suspended;
    register(on, &plain).await?;
    register(on, &other).await?;
    let mut asked: Vec<CounterpartyId> = (100..250).map(|n| on.owner(n)).collect();
    asked.insert(0, on.owner(1));
    asked.push(on.owner(2));
    let mut found = on.ports.read_counterparties(&asked).await?;
    let mut expected = [plain, other];
    found.sort_by(|a, b| a.id.cmp(&b.id));
    expected.sort_by(|a, b| a.id.cmp(&b.id));
    ensure(found == expected, "they read back changed")
}

pub(super) async fn parameters_read_back_and_unknown_symbols_are_left_out<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    let plain = MatchParameters {
        symbol: on.symbol(1)?,
        tick: price("0.01")?,
        lot: quantity("0.00000001")?,
        price_policy: PricePolicy::Resting,
        currency: "USD".to_owned(),
        security_id: None,
        tradable: true,
        version: 1,
    };
    let other = MatchParameters {
        symbol: on.symbol(2)?,
        price_policy: PricePolicy::Midpoint,
        security_id: Some(SecurityId {
            id: "US0378331005".to_owned(),
            source: "4".to_owned(),
        }),
        tradable: false,
        ..plain.clone()
    };
    ensure(
        on.ports.replace_parameters(None, &plain).await?,
        "they were not stored",
    )?;
    ensure(
        on.ports.replace_parameters(None, &other).await?,
        "they were not stored",
    )?;
    let mut asked: Vec<Symbol> = (100..250).map(|n| on.symbol(n)).collect::<Result<_, Unmet>>()?;
    asked.insert(0, on.symbol(1)?);
    asked.push(on.symbol(2)?);
    let mut found = on.ports.read_parameters(&asked).await?;
    let mut expected = [plain, other];
    found.sort_by(|a, b| a.symbol.cmp(&b.symbol));
    expected.sort_by(|a, b| a.symbol.cmp(&b.symbol));
    ensure(found == expected, "they read back changed")
}

pub(super) async fn matches_read_back_and_unknown_ones_are_left_out<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    let mut records = (0..130)
        .map(|n| on.match_record(n))
        .collect::<Result<Vec<_>, Unmet>>()?;
    for (n, part) in (0..).zip(records.chunks(100)) {
        let changes = ChangeSet {
            matches: part.to_vec(),
            ..ChangeSet::default()
        };
        on.write(&changes, n).await?;
    }
    let mut ids: Vec<MatchId> = records.iter().map(|record| record.match_id).collect();
    ids.insert(40, on.match_id(1000));
    let mut found = on.ports.read_matches(&ids).await?;
    found.sort_by_key(|record| record.match_id);
    records.sort_by_key(|record| record.match_id);
    ensure(found == records, "they read back changed")
}
