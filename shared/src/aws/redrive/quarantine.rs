//! The quarantine: a bucket whose objects are put once, under their own key.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ServerSideEncryption};

use super::AwsRedrive;
use crate::aws::error::{of, port_error};
use crate::ports::redrive::{PutOnce, Quarantine, QuarantineShelf};
use crate::ports::{Fault, PortError};

const GET_OBJECT: &str = "s3:GetObject";
const PUT_OBJECT: &str = "s3:PutObject";
const LIST_OBJECTS: &str = "s3:ListBucket";
const DELETE_OBJECT: &str = "s3:DeleteObject";

/// With this code S3 says that the name is taken. (Of a put that meets another under way it says
/// `ConditionalRequestConflict`: what will be there is not known, so that is a failure.)
const TAKEN: &str = "PreconditionFailed";

impl Quarantine for AwsRedrive {
    async fn put_quarantined(&self, name: &str, body: &[u8]) -> Result<PutOnce, PortError> {
        let put = self
            .clients
            .s3
            .put_object()
            .bucket(&self.settings.quarantine_bucket)
            .key(name)
            .if_none_match("*")
            .server_side_encryption(ServerSideEncryption::AwsKms)
            .ssekms_key_id(&self.settings.quarantine_key_arn)
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            .content_type("application/json")
            .body(ByteStream::from(body.to_vec()));
        match put.send().await.map_err(|error| port_error(PUT_OBJECT, &error)) {
            Ok(_) => Ok(PutOnce::Done),
            Err(error) if error.code == TAKEN => Ok(PutOnce::Exists),
            Err(error) => Err(error),
        }
    }

    async fn read_quarantined(&self, name: &str) -> Result<Option<Vec<u8>>, PortError> {
        let get = self.clients.s3.get_object();
        let get = get.bucket(&self.settings.quarantine_bucket).key(name);
        let answer = match get.send().await.map_err(|error| port_error(GET_OBJECT, &error)) {
            Ok(answer) => answer,
            Err(error) if error.code == "NoSuchKey" => return Ok(None),
            Err(error) => return Err(error),
        };
        let body = answer.body.collect().await;
        let body = body.map_err(|_| of(GET_OBJECT, Fault::Unavailable, "BodyNotRead"))?;
        Ok(Some(body.to_vec()))
    }
}

impl QuarantineShelf for AwsRedrive {
    async fn list_quarantined(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>, PortError> {
        let list = self
            .clients
            .s3
            .list_objects_v2()
            .bucket(&self.settings.quarantine_bucket)
            .prefix(prefix)
            .set_start_after(after.map(str::to_owned));
        let answer = list.send().await;
        let answer = answer.map_err(|error| port_error(LIST_OBJECTS, &error))?;
        let objects = answer.contents.into_iter().flatten();
        Ok(objects.filter_map(|object| object.key).collect())
    }

    async fn remove_quarantined(&self, name: &str) -> Result<(), PortError> {
        let delete = self.clients.s3.delete_object();
        let delete = delete.bucket(&self.settings.quarantine_bucket).key(name);
        let deleted = delete.send().await;
        deleted
            .map(drop)
            .map_err(|error| port_error(DELETE_OBJECT, &error))
    }
}
