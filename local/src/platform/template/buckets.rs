//! How buckets are read.

use super::error::TemplateError;
use super::plan::{BucketPlan, StackPlan};
use super::properties::Properties;
use super::resources::{NO_BACKUP, NO_ENCRYPTION, NO_IAM, ONE_REGION, name};

pub(super) fn bucket(
    id: &str,
    mut properties: Properties<'_, '_>,
    plan: &mut StackPlan,
) -> Result<(), TemplateError> {
    properties.pass_over(&[
        ("BucketEncryption", NO_ENCRYPTION),
        ("OwnershipControls", NO_IAM),
        ("PublicAccessBlockConfiguration", NO_IAM),
        ("ObjectLockEnabled", NO_BACKUP),
        ("ObjectLockConfiguration", NO_BACKUP),
        ("LifecycleConfiguration", NO_BACKUP),
        ("ReplicationConfiguration", ONE_REGION),
    ]);
    let versions = match properties.map("VersioningConfiguration")? {
        Some(mut versioning) => {
            let status = name(&mut versioning, "Status")?;
            versioning.finish()?;
            status == "Enabled"
        }
        None => false,
    };
    plan.buckets.push(BucketPlan {
        id: id.to_owned(),
        name: name(&mut properties, "BucketName")?,
        versions,
    });
    properties.finish()
}
