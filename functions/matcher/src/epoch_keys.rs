//! Epoch keys: made once, unwrapped once per process.

use std::collections::HashMap;
use std::sync::Arc;

use symbolon_shared::domain::limits::KEY_LIFE_DAYS;
use symbolon_shared::domain::time::Timestamp;
use symbolon_shared::domain::token::{EpochId, EpochKey};
use symbolon_shared::ports::{EpochKeyStore, Fault, KeyService, PortError, WrappedKey};
use tokio::sync::Mutex;

/// The unwrapped keys of this process. One lock around reading and unwrapping: lanes that need a key at the same
/// time wait for one KMS call.
#[derive(Default)]
pub(crate) struct EpochKeys {
    unwrapped: Mutex<HashMap<EpochId, Arc<EpochKey>>>,
    /// The newest epoch that is known to be stored.
    provided: Mutex<Option<EpochId>>,
}

impl EpochKeys {
    /// The key of `epoch`, made if it does not exist yet.
    pub(crate) async fn current<P: EpochKeyStore + KeyService>(
        &self,
        ports: &P,
        epoch: EpochId,
        now: Timestamp,
    ) -> Result<Arc<EpochKey>, PortError> {
        let mut unwrapped = self.unwrapped.lock().await;
        if let Some(key) = unwrapped.get(&epoch) {
            return Ok(Arc::clone(key));
        }
        let wrapped = provide(ports, epoch, now).await?;
        let key = unwrap(ports, epoch, &wrapped).await?;
        unwrapped.insert(epoch, Arc::clone(&key));
        Ok(key)
    }

    /// The key of an epoch that some match names: it must exist.
    pub(crate) async fn of<P: EpochKeyStore + KeyService>(
        &self,
        ports: &P,
        epoch: EpochId,
    ) -> Result<Arc<EpochKey>, PortError> {
        let mut unwrapped = self.unwrapped.lock().await;
        if let Some(key) = unwrapped.get(&epoch) {
            return Ok(Arc::clone(key));
        }
        let wrapped = ports.read_key(epoch).await?.ok_or_else(missing)?;
        let key = unwrap(ports, epoch, &wrapped).await?;
        unwrapped.insert(epoch, Arc::clone(&key));
        Ok(key)
    }

    /// Makes the key of the day after `epoch`, once a day, off the path of the first message of that day.
    pub(crate) async fn provide_next<P: EpochKeyStore + KeyService>(
        &self,
        ports: &P,
        epoch: EpochId,
        now: Timestamp,
    ) -> Result<(), PortError> {
        let next = epoch.next_day();
        let mut provided = self.provided.lock().await;
        if *provided != Some(next) {
            provide(ports, next, now).await?;
            *provided = Some(next);
        }
        Ok(())
    }
}

/// The stored wrapped key of `epoch`. Of two that make one at the same time, the first to store it wins, and the
/// other reads what is stored: never is a key used that was only offered.
async fn provide<P: EpochKeyStore + KeyService>(
    ports: &P,
    epoch: EpochId,
    now: Timestamp,
) -> Result<WrappedKey, PortError> {
    if let Some(stored) = ports.read_key(epoch).await? {
        return Ok(stored);
    }
    let offered = ports.generate_key(epoch).await?;
    ports
        .put_key(epoch, &offered, now.plus_days(KEY_LIFE_DAYS).as_seconds_ceil())
        .await?;
    ports.read_key(epoch).await?.ok_or_else(missing)
}

async fn unwrap<P: KeyService>(
    ports: &P,
    epoch: EpochId,
    wrapped: &WrappedKey,
) -> Result<Arc<EpochKey>, PortError> {
    Ok(Arc::new(EpochKey::derive(
        epoch,
        ports.unwrap_key(epoch, wrapped).await?,
    )))
}

fn missing() -> PortError {
    PortError {
        operation: "dynamodb:GetItem",
        fault: Fault::Corrupt,
        code: "EpochKeyMissing".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use symbolon_shared::testing::{FaultyPorts, Injection, MemoryPorts, Operation, Script};

    use super::*;

    const NOON: Timestamp = Timestamp::from_millis(1_795_428_930_123);

    fn today() -> EpochId {
        EpochId::new(NOON, 0)
    }

    #[tokio::test]
    async fn whoever_asks_at_the_same_time_waits_for_one_unwrapping() {
        let (keys, ports) = (EpochKeys::default(), MemoryPorts::new());
        let ask = || keys.current(&ports, today(), NOON);
        let (one, other, third) = tokio::join!(ask(), ask(), keys.of(&ports, today()));
        assert!(Arc::ptr_eq(&one.unwrap(), &other.unwrap()));
        assert_eq!(third.unwrap().epoch(), today());
        assert_eq!(ports.calls(Operation::UnwrapKey), 1);
        assert_eq!(ports.calls(Operation::GenerateKey), 1);
    }

    #[tokio::test]
    async fn a_key_that_a_match_names_is_never_made() {
        let (keys, ports) = (EpochKeys::default(), MemoryPorts::new());
        let error = keys.of(&ports, today()).await.err().unwrap();
        assert_eq!(
            (error.fault, error.code.as_str()),
            (Fault::Corrupt, "EpochKeyMissing")
        );
        assert!(ports.epochs().is_empty());
    }

    #[tokio::test]
    async fn tomorrows_key_is_provided_once_a_day_and_not_unwrapped() {
        let (keys, ports) = (EpochKeys::default(), MemoryPorts::new());
        for _ in 0..3 {
            keys.provide_next(&ports, today(), NOON).await.unwrap();
        }
        assert_eq!(ports.epochs(), [today().next_day()]);
        keys.provide_next(&ports, today().next_day(), NOON).await.unwrap();
        assert_eq!(ports.epochs().len(), 2);
        assert_eq!(
            (
                ports.calls(Operation::GenerateKey),
                ports.calls(Operation::UnwrapKey)
            ),
            (2, 0)
        );
    }

    #[tokio::test]
    async fn an_offer_whose_answer_was_lost_is_read_back() {
        let script = Script::of([(Operation::PutKey, 1, Injection::ResponseLost)]);
        let (keys, ports) = (EpochKeys::default(), FaultyPorts::new(MemoryPorts::new(), script));
        assert!(keys.current(&ports, today(), NOON).await.is_err());
        assert!(keys.current(&ports, today(), NOON).await.is_ok());
        assert_eq!(ports.calls(Operation::GenerateKey), 1, "the stored one is taken");
    }

    #[tokio::test]
    async fn what_failed_is_not_remembered() {
        let script = Script::of([(Operation::UnwrapKey, 1, Injection::RequestLost)]);
        let (keys, ports) = (EpochKeys::default(), FaultyPorts::new(MemoryPorts::new(), script));
        assert!(keys.current(&ports, today(), NOON).await.is_err());
        assert!(keys.current(&ports, today(), NOON).await.is_ok());
    }
}
