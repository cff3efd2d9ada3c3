//! Where a log is read from: nothing but names and bytes.

use std::future::Future;
use std::path::{Path, PathBuf};

/// What cannot be read. That a name does not exist is no error.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {what}")]
pub struct BucketError {
    /// The name, or the prefix that was to be listed.
    pub what: String,
    /// Why not.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

impl BucketError {
    fn new(what: &str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self {
            what: what.to_owned(),
            source: source.into(),
        }
    }
}

/// A bucket to read.
pub trait Bucket: Send + Sync + 'static {
    /// Tells `each` every name that begins with `prefix`, in any order: a log may have more names than there is memory.
    fn list(
        &self,
        prefix: &str,
        each: &mut (dyn FnMut(&str) + Send),
    ) -> impl Future<Output = Result<(), BucketError>> + Send;

    /// The object of this name, if there is one.
    fn read(&self, name: &str) -> impl Future<Output = Result<Option<Vec<u8>>, BucketError>> + Send;
}

/// A copy of a bucket in a folder, names as paths: what `aws s3 sync` makes.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

impl Folder {
    /// The copy in this folder.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    fn tell_names(&self, folder: &Path, each: &mut (dyn FnMut(&str) + Send)) -> std::io::Result<()> {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                self.tell_names(&path, each)?;
            } else if let Ok(name) = path.strip_prefix(&self.0) {
                let parts = name.components().map(|part| part.as_os_str().to_string_lossy());
                each(&parts.collect::<Vec<_>>().join("/"));
            }
        }
        Ok(())
    }
}

impl Bucket for Folder {
    async fn list(&self, prefix: &str, each: &mut (dyn FnMut(&str) + Send)) -> Result<(), BucketError> {
        let explain = |error| BucketError::new(prefix, error);
        // That the copy is there at all: what it has not is not what nobody can read.
        std::fs::read_dir(&self.0).map_err(explain)?;
        // Only the folder that all such names lie in.
        let folder = prefix.rsplit_once('/').map_or("", |(folder, _)| folder);
        let folder = self.0.join(folder);
        if !folder.exists() {
            return Ok(());
        }
        let mut those = |name: &str| {
            if name.starts_with(prefix) {
                each(name);
            }
        };
        self.tell_names(&folder, &mut those).map_err(explain)
    }

    async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, BucketError> {
        match std::fs::read(self.0.join(name)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(BucketError::new(name, error)),
        }
    }
}

#[cfg(feature = "s3")]
mod s3 {
    use aws_sdk_s3::Client;
    use aws_sdk_s3::operation::get_object::GetObjectError;

    use super::{Bucket, BucketError};

    /// How often an object is asked for whose answer breaks off: the SDK repeats what was refused, not that.
    const ATTEMPTS: u32 = 4;

    /// A bucket of S3, in its present state.
    #[derive(Debug, Clone)]
    pub struct S3Bucket {
        client: Client,
        bucket: String,
    }

    impl S3Bucket {
        /// The bucket of this name.
        #[must_use]
        pub fn new(client: Client, bucket: impl Into<String>) -> Self {
            Self {
                client,
                bucket: bucket.into(),
            }
        }
    }

    impl Bucket for S3Bucket {
        async fn list(&self, prefix: &str, each: &mut (dyn FnMut(&str) + Send)) -> Result<(), BucketError> {
            let mut pages = self
                .client
                .list_objects_v2()
                .bucket(&self.bucket)
                .prefix(prefix)
                .into_paginator()
                .send();
            while let Some(page) = pages.next().await {
                let page = page.map_err(|error| BucketError::new(prefix, error))?;
                let names = page.contents().iter().filter_map(|object| object.key());
                names.for_each(&mut *each);
            }
            Ok(())
        }

        async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, BucketError> {
            let mut attempt = 1;
            loop {
                let get = self.client.get_object().bucket(&self.bucket).key(name);
                let object = match get.send().await {
                    Ok(object) => object,
                    Err(error)
                        if error
                            .as_service_error()
                            .is_some_and(GetObjectError::is_no_such_key) =>
                    {
                        return Ok(None);
                    }
                    Err(error) => return Err(BucketError::new(name, error)),
                };
                match object.body.collect().await {
                    Ok(body) => return Ok(Some(body.to_vec())),
                    Err(error) if attempt == ATTEMPTS => return Err(BucketError::new(name, error)),
                    Err(_) => attempt += 1,
                }
            }
        }
    }
}

#[cfg(feature = "s3")]
pub use s3::S3Bucket;
