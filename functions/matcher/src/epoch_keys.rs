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
