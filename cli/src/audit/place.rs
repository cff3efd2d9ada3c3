//! Where a log lies: a bucket, or a folder with a copy of one.

use std::path::{Path, PathBuf};

use audit_verifier::bucket::{Folder, S3Bucket};
use audit_verifier::format::is_region;
use audit_verifier::{Bucket, BucketError};
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Error;
use symbolon_shared::aws::port_error;

use crate::connection::Connection;
use crate::failure::Failure;

/// Who may read a log: no role of the template has all of it, the operator's least of all.
pub(super) const READER: &str = "somebody who may s3:ListBucket and s3:GetObject in the audit bucket, kms:Decrypt with \
                                 the buckets' key and kms:GetPublicKey with the audit's signing key";

/// A bucket, or a folder with a copy of one.
pub(super) enum Place {
    Bucket {
        bucket: S3Bucket,
        name: String,
        connection: Box<Connection>,
    },
    Folder {
        folder: Folder,
        path: PathBuf,
    },
}

impl Place {
    pub(super) fn bucket(connection: &Connection, name: &str) -> Self {
        let builder = aws_sdk_s3::config::Builder::from(&connection.sdk);
        // Elsewhere than at AWS a bucket is no host.
        let config = builder.force_path_style(connection.sdk.endpoint_url().is_some());
        let client = aws_sdk_s3::Client::from_conf(config.build());
        Self::Bucket {
            bucket: S3Bucket::new(client, name),
            name: name.to_owned(),
            connection: Box::new(connection.clone()),
        }
    }

    pub(super) fn folder(path: &Path) -> Self {
        Self::Folder {
            folder: Folder::new(path),
            path: path.to_owned(),
        }
    }

    /// What it is called.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Bucket { name, .. } => name.clone(),
            Self::Folder { path, .. } => path.display().to_string(),
        }
    }

    /// Whose log it is that lies here, if nobody says: that of the bucket's own region, or the only one of the folder
    /// beside that of `but`.
    pub(super) fn own_log(&self, but: Option<&str>, option: &str) -> Result<String, Failure> {
        let path = match self {
            Self::Bucket { connection, .. } => return Ok(connection.region.clone()),
            Self::Folder { path, .. } => path,
        };
        let names = std::fs::read_dir(path).map_err(|error| self.unreadable("", &error.to_string()))?;
        let mut regions: Vec<String> = names
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| is_region(name) && Some(name.as_str()) != but && path.join(name).is_dir())
            .collect();
        regions.sort();
        match regions.as_slice() {
            [one] => Ok(one.clone()),
            [] => Err(Failure::new(format!("there is no log in {}", path.display())).advice(
                "the folder is that with the regions' names in it, as `aws s3 sync s3://BUCKET FOLDER` makes it",
            )),
            several => Err(Failure::usage(format!(
                "there is more than one log in {}",
                path.display()
            ))
            .advice(format!("name one with {option}: {}", several.join(" or ")))),
        }
    }

    /// What it means that something here cannot be read.
    pub(super) fn explain(&self, error: &BucketError) -> Failure {
        let source = error.source.as_ref();
        let Self::Bucket { name, connection, .. } = self else {
            return self.unreadable(&error.what, &source.to_string());
        };
        let said = source
            .downcast_ref::<SdkError<ListObjectsV2Error>>()
            .map(|error| port_error("s3:ListObjectsV2", error))
            .or_else(|| {
                let get = source.downcast_ref::<SdkError<GetObjectError>>()?;
                Some(port_error("s3:GetObject", get))
            });
        match said {
            None => Failure::new(format!(
                "cannot read {} of {name}: the answer breaks off",
                error.what
            ))
            .advice("check the network, then run it again"),
            Some(said) if said.code == "InvalidObjectState" => Failure::new(format!(
                "cannot read {} of {name}: it lies in the archive",
                error.what
            ))
            .because(said.to_string())
            .advice("have it restored (S3 Batch Operations, for many), or verify a copy with --dir"),
            Some(said) => connection.explain(&said, &format!("read the audit log in {name}"), READER),
        }
    }

    fn unreadable(&self, what: &str, because: &str) -> Failure {
        let name = if what.is_empty() {
            self.name()
        } else {
            format!("{what} in {}", self.name())
        };
        Failure::new(format!("cannot read {name}")).because(because)
    }
}

impl Bucket for Place {
    async fn list(&self, prefix: &str, each: &mut (dyn FnMut(&str) + Send)) -> Result<(), BucketError> {
        match self {
            Self::Bucket { bucket, .. } => bucket.list(prefix, each).await,
            Self::Folder { folder, .. } => folder.list(prefix, each).await,
        }
    }

    async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, BucketError> {
        match self {
            Self::Bucket { bucket, .. } => bucket.read(name).await,
            Self::Folder { folder, .. } => folder.read(name).await,
        }
    }
}
