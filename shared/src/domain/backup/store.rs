//! What is looked after, and what can be known of it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What kind of thing a store is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// A table of DynamoDB.
    Table,
    /// A bucket of S3.
    Bucket,
    /// A key of KMS.
    Key,
    /// The functions: their code and configuration.
    Functions,
    /// The restores that prove that backups can be restored.
    RestoreTesting,
}

/// A store as the operator names it: `table/registry`, `bucket/audit`, `key/token`, `functions`, `restore-testing`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StoreId(String);

impl StoreId {
    /// The store of this kind and name; functions and restore testing are one store each.
    #[must_use]
    pub(super) fn new(kind: Kind, name: &str) -> Self {
        Self(match kind {
            Kind::Table => format!("table/{name}"),
            Kind::Bucket => format!("bucket/{name}"),
            Kind::Key => format!("key/{name}"),
            Kind::Functions => "functions".to_owned(),
            Kind::RestoreTesting => "restore-testing".to_owned(),
        })
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for StoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! facts {
    ($($(#[$doc:meta])* $fact:ident $name:literal of $kind:ident;)*) => {
        /// Something that can be known of a store. Each is asked for by itself, and fails by itself.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Fact {
            $($(#[$doc])* #[serde(rename = $name)] $fact,)*
        }

        impl Fact {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$fact),*];

            /// Its name in reports, logs and events.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$fact => $name),* }
            }

            /// The kind of store that it is known of.
            #[must_use]
            pub fn kind(self) -> Kind {
                match self { $(Self::$fact => Kind::$kind),* }
            }
        }
    };
}

facts! {
    /// The table is there, and so is its replica in the other region.
    Table "table" of Table;
    /// To which moments the table can be put back.
    PitrWindow "pitrWindow" of Table;
    /// The newest recovery point in this region's vault.
    RecoveryPoint "recoveryPoint" of Table;
    /// The newest recovery point in the other region's vault.
    Copy "copy" of Table;
    /// How far the other region's replica is behind.
    TableLag "tableLag" of Table;
    /// Whether the bucket keeps what is overwritten.
    Versioning "versioning" of Bucket;
    /// The rule that replicates the bucket.
    ReplicationRule "replicationRule" of Bucket;
    /// How far the other region's bucket is behind.
    BucketLag "bucketLag" of Bucket;
    /// What was not replicated.
    FailedOperations "failedOperations" of Bucket;
    /// Whether objects are locked.
    ObjectLock "objectLock" of Bucket;
    /// Whether the key can be used.
    KeyState "keyState" of Key;
    /// Whether its replica in the other region can be used.
    KeyReplica "keyReplica" of Key;
    /// Whether the key is rotated.
    Rotation "rotation" of Key;
    /// The newest export of the functions in the other region.
    Export "export" of Functions;
    /// The code that runs.
    Deployed "deployed" of Functions;
    /// The newest test restore of each table.
    RestoreTests "restoreTests" of RestoreTesting;
}
