//! Cases of the ports `EpochKeyStore` and `KeyService`.

use super::fixtures::{NOON, Stage, together};
use super::{Arrange, EveryPort, Unmet, Verdict, ensure};
use crate::domain::identifiers::Side;
use crate::domain::token::{EpochId, EpochKey, Token};
use crate::ports::{Fault, PortError, WrappedKey};

const EXPIRES_AT: i64 = NOON.plus_days(430).as_seconds_ceil();

pub(super) async fn the_first_key_of_an_epoch_stays<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    let epoch = on.epoch(1);
    let (first, second) = (WrappedKey(vec![1; 200]), WrappedKey(vec![2; 200]));
    ensure(
        on.ports.put_key(epoch, &first, EXPIRES_AT).await?,
        "the first was not stored",
    )?;
    for late in [&second, &first] {
        ensure(
            !on.ports.put_key(epoch, late, EXPIRES_AT).await?,
            "a later one was stored",
        )?;
        ensure(
            on.ports.read_key(epoch).await?.as_ref() == Some(&first),
            "the first did not stay",
        )?;
    }
    Ok(())
}

pub(super) async fn of_many_first_keys_one_stays<P: EveryPort, A: Arrange>(on: &Stage<'_, P, A>) -> Verdict {
    let epoch = on.epoch(1);
    let offered: Vec<WrappedKey> = (0..8).map(|n| WrappedKey(vec![n; 200])).collect();
    let stored = together(offered.iter().map(|key| on.ports.put_key(epoch, key, EXPIRES_AT))).await;
    let stored: Vec<bool> = stored.into_iter().collect::<Result<_, PortError>>()?;
    let winners: Vec<_> = offered
        .into_iter()
        .zip(stored)
        .filter(|(_, stored)| *stored)
        .collect();
    ensure(winners.len() == 1, "not exactly one was stored")?;
    let kept = on.ports.read_key(epoch).await?;
    ensure(
        kept.as_ref() == winners.first().map(|(key, _)| key),
        "another one is read",
    )
}

pub(super) async fn an_epoch_without_a_key_has_none<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    ensure(on.ports.read_key(on.epoch(1)).await?.is_none(), "there is one")
}

/// A token that only this data key gives.
async fn token_under<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
    epoch: EpochId,
    wrapped: &WrappedKey,
) -> Result<Token, PortError> {
    let key = EpochKey::derive(epoch, on.ports.unwrap_key(epoch, wrapped).await?);
    Ok(key.token(on.match_id(1), Side::Buy, &on.owner(1)))
}

pub(super) async fn a_wrapped_key_unwraps_to_the_same_key<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    let wrapped = on.ports.generate_key(on.epoch(1)).await?;
    ensure(
        on.ports.put_key(on.epoch(1), &wrapped, EXPIRES_AT).await?,
        "it was not stored",
    )?;
    let stored = on.ports.read_key(on.epoch(1)).await?;
    let stored = stored.ok_or_else(|| Unmet("it is not there".to_owned()))?;
    let tokens = [
        token_under(on, on.epoch(1), &wrapped).await?,
        token_under(on, on.epoch(1), &stored).await?,
    ];
    ensure(tokens[0] == tokens[1], "another key")
}

pub(super) async fn every_generated_key_is_another<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    let epoch = on.epoch(1);
    let (one, two) = (
        on.ports.generate_key(epoch).await?,
        on.ports.generate_key(epoch).await?,
    );
    let tokens = [
        token_under(on, epoch, &one).await?,
        token_under(on, epoch, &two).await?,
    ];
    ensure(one != two && tokens[0] != tokens[1], "the same key twice")
}

async fn is_refused<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
    epoch: EpochId,
    wrapped: &WrappedKey,
) -> Verdict {
    match on.ports.unwrap_key(epoch, wrapped).await {
        Err(error) => ensure(error.fault == Fault::Refused, "it failed, but was not refused"),
        Ok(_) => Err(Unmet("it was unwrapped".to_owned())),
    }
}

pub(super) async fn a_key_of_another_epoch_is_refused<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    let wrapped = on.ports.generate_key(on.epoch(1)).await?;
    is_refused(on, on.epoch(2), &wrapped).await?;
    is_refused(on, on.epoch(1).next_day(), &wrapped).await
}

pub(super) async fn a_changed_key_is_refused<P: EveryPort, A: Arrange>(on: &Stage<'_, P, A>) -> Verdict {
    let WrappedKey(mut bytes) = on.ports.generate_key(on.epoch(1)).await?;
    if let Some(last) = bytes.last_mut() {
        *last ^= 1;
    }
    is_refused(on, on.epoch(1), &WrappedKey(bytes)).await
}

pub(super) async fn what_was_never_wrapped_is_refused<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    is_refused(on, on.epoch(1), &WrappedKey(vec![0; 8])).await?;
    is_refused(on, on.epoch(1), &WrappedKey(vec![7; 200])).await
}
