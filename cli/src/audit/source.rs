//! Which log, and the keys that it is verified with.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use audit_verifier::PublicKeys;
use symbolon_shared::aws::port_error;

use super::place::{Place, READER};
use crate::arguments::{AuditVerify, Log};
use crate::connection::Connection;
use crate::deployment::Deployment;
use crate::failure::Failure;
use crate::settings::Settings;

/// A log to read.
pub(super) struct Source {
    pub(super) place: Arc<Place>,
    /// Whose log it is.
    pub(super) region: String,
    pub(super) keys: PublicKeys,
}

/// The deployments that are named.
struct Known<'a> {
    settings: &'a Settings,
    primary: Option<Deployment>,
    peer: Option<Deployment>,
}

impl Source {
    /// The one log that is named.
    pub(super) async fn one(log: &Log, settings: &Settings) -> Result<Self, Failure> {
        Known::of(settings, is_offline(log)).await?.source(log).await
    }

    /// The log that is named, and the other region's, if that is.
    pub(super) async fn both(
        wanted: &AuditVerify,
        settings: &Settings,
    ) -> Result<(Self, Option<Self>), Failure> {
        let AuditVerify {
            other_bucket,
            other_dir,
            other_log,
            other_public_key,
            ..
        } = wanted;
        let other_named = other_bucket.is_some() || other_dir.is_some() || other_log.is_some();
        let other_offline = !other_named || (other_bucket.is_none() && !other_public_key.is_empty());
        let known = Known::of(settings, is_offline(&wanted.log) && other_offline).await?;
        let one = known.source(&wanted.log).await?;
        let peer = known.peer.as_ref();
        let place = if let Some(dir) = other_dir {
            Arc::new(Place::folder(dir))
        } else if let Some(bucket) = other_bucket {
            Arc::new(known.elsewhere(bucket, other_log.as_deref()).await?)
        } else if wanted.log.dir.is_some() || peer.is_none() {
            if other_log.is_none() {
                return Ok((one, None));
            }
            Arc::clone(&one.place)
        } else if let Some(peer) = peer {
            Arc::new(own_bucket(peer)?)
        } else {
            return Ok((one, None));
        };
        let region = match other_log {
            Some(region) => region.clone(),
            None => place.own_log(Some(&one.region), "--other-log")?,
        };
        if region == one.region && !other_named {
            return Ok((one, None));
        }
        if region == one.region {
            return Err(
                Failure::usage(format!("both logs are that of {region}, which shows nothing"))
                    .advice("name the other region's with --other-log, and this one's with --log"),
            );
        }
        let keys = known
            .keys(&region, other_public_key, "--other-public-key")
            .await?;
        Ok((one, Some(Self { place, region, keys })))
    }
}

/// Whether nobody has to be asked.
fn is_offline(log: &Log) -> bool {
    log.dir.is_some() && !log.public_key.is_empty()
}

fn own_bucket(deployment: &Deployment) -> Result<Place, Failure> {
    let bucket = deployment.outputs.get("AuditBucket")?;
    Ok(Place::bucket(&deployment.connection, bucket))
}

impl<'a> Known<'a> {
    async fn of(settings: &'a Settings, offline: bool) -> Result<Self, Failure> {
        let options = &settings.options;
        let is_named = options.stack.is_some() || options.outputs.is_some();
        let (primary, peer) = match (offline, is_named) {
            (true, _) => (None, None),
            (false, false) => (None, Deployment::peer(settings).await?),
            (false, true) => (
                Some(Deployment::primary(settings).await?),
                Deployment::peer(settings).await?,
            ),
        };
        Ok(Self {
            settings,
            primary,
            peer,
        })
    }

    async fn source(&self, log: &Log) -> Result<Source, Failure> {
        let place = match (&log.dir, &log.bucket, &self.primary) {
            (Some(dir), _, _) => Place::folder(dir),
            (None, Some(bucket), Some(primary)) => Place::bucket(&primary.connection, bucket),
            (None, Some(bucket), None) => {
                let region = self.settings.options.region.as_deref();
                Place::bucket(&Connection::open(region).await?, bucket)
            }
            (None, None, Some(primary)) => own_bucket(primary)?,
            (None, None, None) => {
                return Err(Failure::usage("no log is named").advice(
                    "name the deployment with --stack NAME or --outputs FILE, or the log itself with --bucket or --dir, \
                     and --public-key",
                ));
            }
        };
        let region = match &log.log {
            Some(region) => region.clone(),
            None => place.own_log(None, "--log")?,
        };
        let keys = self.keys(&region, &log.public_key, "--public-key").await?;
        Ok(Source {
            place: Arc::new(place),
            region,
            keys,
        })
    }

    /// A bucket of the other region.
    async fn elsewhere(&self, bucket: &str, region: Option<&str>) -> Result<Place, Failure> {
        let named = region.or(self.settings.options.peer_region.as_deref());
        match (&self.peer, named) {
            (Some(peer), _) => Ok(Place::bucket(&peer.connection, bucket)),
            (None, Some(region)) => Ok(Place::bucket(&Connection::open(Some(region)).await?, bucket)),
            (None, None) => Err(
                Failure::usage("the region of the other bucket is not known").advice(
                    "name it with --other-log REGION, or its stack with --peer-region or --peer-outputs",
                ),
            ),
        }
    }

    /// The keys in these files; where there is none, the one that KMS has in the log's region.
    async fn keys(&self, region: &str, files: &[PathBuf], option: &str) -> Result<PublicKeys, Failure> {
        let mut keys = PublicKeys::default();
        for file in files {
            let key = read(file)?;
            keys.add(&key).map_err(|error| {
                Failure::new(format!("{} is no public key", file.display()))
                    .because(error.to_string())
                    .advice("`aws kms get-public-key` gives it, in base64")
            })?;
        }
        if !files.is_empty() {
            return Ok(keys);
        }
        let deployments = [&self.primary, &self.peer];
        let mut deployments = deployments.into_iter().flatten();
        let deployment = deployments
            .find(|deployment| deployment.region() == region)
            .ok_or_else(|| {
                Failure::usage(format!("the public key of the log of {region} is not known")).advice(format!(
                    "name its file with {option}, or the stack of {region}, so that KMS is asked"
                ))
            })?;
        let arn = deployment.outputs.get("AuditSigningKeyArn")?;
        let kms = aws_sdk_kms::Client::new(&deployment.connection.sdk);
        let explain = |error| {
            let error = port_error("kms:GetPublicKey", &error);
            let doing = "ask KMS for the public key of the audit's signing key";
            deployment.connection.explain(&error, doing, READER)
        };
        let answer = kms.get_public_key().key_id(arn).send().await.map_err(explain)?;
        let key = answer.public_key.unwrap_or_default();
        keys.add(key.as_ref()).map_err(|error| {
            Failure::new("the audit's signing key, as KMS gives it, cannot be used")
                .because(error.to_string())
        })?;
        Ok(keys)
    }
}

/// A file that was named, whole.
pub(super) fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(file)
        .map_err(|error| Failure::new(format!("cannot read {}", file.display())).because(error.to_string()))
}
