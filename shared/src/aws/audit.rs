//! The token audit's ports: objects in S3, signatures by KMS, which epochs have a key, and announcements on EventBridge.

use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{MessageType, SigningAlgorithmSpec};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ChecksumAlgorithm;

use super::announce::put_events;
use super::dynamodb::key_of;
use super::error::{of, port_error};
use crate::domain::audit::Announcement;
use crate::domain::token::EpochId;
use crate::ports::audit::{
    AuditAnnouncer, AuditObjects, AuditSigner, Expected, Handle, KnownEpochs, Put, SetAsideBatches,
};
use crate::ports::{Fault, PortError};

const GET_OBJECT: &str = "s3:GetObject";
const PUT_OBJECT: &str = "s3:PutObject";
const LIST_OBJECTS: &str = "s3:ListBucket";
const DELETE_OBJECT: &str = "s3:DeleteObject";
const SIGN: &str = "kms:Sign";
const VERIFY: &str = "kms:Verify";
const GET_ITEM: &str = "dynamodb:GetItem";

/// `source` of the audit's events.
pub const EVENT_SOURCE: &str = "symbolon.token-audit";

/// Where Lambda puts what a mapping sets aside: Lambda developer guide, "Retain discarded records for a DynamoDB event
/// source in Lambda".
const SET_ASIDE_PREFIX: &str = "aws/lambda/";

/// Codes with which S3 says that something else was there: by its state, by another put under way (the same one's
/// first attempt, perhaps), or by there being nothing to compare with.
const LOST: &[&str] = &["PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"];

/// What the adapter is told of its deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsAuditSettings {
    /// The bucket of the log.
    pub bucket: String,
    /// The bucket of what the stream's mapping sets aside.
    pub set_aside_bucket: String,
    /// The KMS key that signs: `ECC_NIST_P256`, `SIGN_VERIFY`.
    pub signing_key_arn: String,
    /// The table of wrapped epoch keys.
    pub keys_table: String,
}

/// Every port of the token audit, on AWS. A clone shares its clients' connections.
#[derive(Debug, Clone)]
pub struct AwsAudit {
    s3: aws_sdk_s3::Client,
    kms: aws_sdk_kms::Client,
    dynamodb: aws_sdk_dynamodb::Client,
    events: aws_sdk_eventbridge::Client,
    settings: AwsAuditSettings,
}

impl AwsAudit {
    /// The ports on these clients.
    #[must_use]
    pub fn new(
        s3: aws_sdk_s3::Client,
        kms: aws_sdk_kms::Client,
        dynamodb: aws_sdk_dynamodb::Client,
        events: aws_sdk_eventbridge::Client,
        settings: AwsAuditSettings,
    ) -> Self {
        Self {
            s3,
            kms,
            dynamodb,
            events,
            settings,
        }
    }
}

fn handle(operation: &'static str, e_tag: Option<String>) -> Result<Handle, PortError> {
    let e_tag = e_tag.ok_or_else(|| of(operation, Fault::Corrupt, "NoETag"))?;
    Ok(Handle(e_tag))
}

impl AwsAudit {
    /// An object and its `ETag`.
    async fn get(&self, bucket: &str, key: &str) -> Result<Option<(Vec<u8>, Option<String>)>, PortError> {
        let get = self.s3.get_object().bucket(bucket).key(key);
        let answer = match get.send().await.map_err(|error| port_error(GET_OBJECT, &error)) {
            Ok(answer) => answer,
            Err(error) if error.code == "NoSuchKey" => return Ok(None),
            Err(error) => return Err(error),
        };
        let body = answer.body.collect().await;
        let body = body.map_err(|_| of(GET_OBJECT, Fault::Unavailable, "BodyNotRead"))?;
        Ok(Some((body.to_vec(), answer.e_tag)))
    }
}

impl AuditObjects for AwsAudit {
    async fn read_object(&self, name: &str) -> Result<Option<(Vec<u8>, Handle)>, PortError> {
        match self.get(&self.settings.bucket, name).await? {
            Some((body, e_tag)) => Ok(Some((body, handle(GET_OBJECT, e_tag)?))),
            None => Ok(None),
        }
    }

    async fn put_object(&self, name: &str, body: &[u8], expected: &Expected) -> Result<Put, PortError> {
        let put = self
            .s3
            .put_object()
            .bucket(&self.settings.bucket)
            .key(name)
            // Object Lock takes nothing without a checksum.
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            .content_type("text/plain; charset=us-ascii")
            .body(ByteStream::from(body.to_vec()));
        let put = match expected {
            Expected::Absent => put.if_none_match("*"),
            Expected::Is(Handle(e_tag)) => put.if_match(e_tag),
        };
        match put.send().await.map_err(|error| port_error(PUT_OBJECT, &error)) {
            Ok(answer) => Ok(Put::Done(handle(PUT_OBJECT, answer.e_tag)?)),
            Err(error) if LOST.contains(&error.code.as_str()) => Ok(Put::Lost),
            Err(error) => Err(error),
        }
    }
}

impl AuditSigner for AwsAudit {
    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, PortError> {
        let sign = self
            .kms
            .sign()
            .key_id(&self.settings.signing_key_arn)
            .signing_algorithm(SigningAlgorithmSpec::EcdsaSha256)
            .message_type(MessageType::Raw)
            .message(Blob::new(message));
        let answer = sign.send().await.map_err(|error| port_error(SIGN, &error))?;
        let signature = answer.signature.map(Blob::into_inner);
        signature.ok_or_else(|| of(SIGN, Fault::Corrupt, "NoSignature"))
    }

    async fn verify(&self, message: &[u8], signature: &[u8]) -> Result<bool, PortError> {
        let verify = self
            .kms
            .verify()
            .key_id(&self.settings.signing_key_arn)
            .signing_algorithm(SigningAlgorithmSpec::EcdsaSha256)
            .message_type(MessageType::Raw)
            .message(Blob::new(message))
            .signature(Blob::new(signature));
        match verify.send().await.map_err(|error| port_error(VERIFY, &error)) {
            Ok(answer) => Ok(answer.signature_valid),
            // KMS has no `false`; and what has not the form of a signature, or is longer than a statement, is not valid.
            Err(error)
                if ["KMSInvalidSignatureException", "ValidationException"].contains(&error.code.as_str()) =>
            {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }
}

impl KnownEpochs for AwsAudit {
    async fn has_key(&self, epoch: EpochId) -> Result<bool, PortError> {
        let get = self
            .dynamodb
            .get_item()
            .table_name(&self.settings.keys_table)
            .set_key(Some(key_of("epoch", epoch.encode())))
            .projection_expression("#epoch")
            .expression_attribute_names("#epoch", "epoch")
            .consistent_read(true);
        let answer = get.send().await.map_err(|error| port_error(GET_ITEM, &error))?;
        Ok(answer.item.is_some())
    }
}

impl AuditAnnouncer for AwsAudit {
    /// On the account's default bus, whose rules say who hears it.
    async fn announce(&self, announcements: &[Announcement]) -> Result<(), PortError> {
        let entry = |announcement: &Announcement| {
            PutEventsRequestEntry::builder()
                .source(EVENT_SOURCE)
                .detail_type(announcement.detail_type())
                .detail(announcement.detail())
                .build()
        };
        put_events(&self.events, announcements.iter().map(entry).collect()).await
    }
}

impl SetAsideBatches for AwsAudit {
    async fn list_set_aside(&self, after: Option<&str>) -> Result<Vec<String>, PortError> {
        let list = self
            .s3
            .list_objects_v2()
            .bucket(&self.settings.set_aside_bucket)
            .prefix(SET_ASIDE_PREFIX)
            .set_start_after(after.map(str::to_owned));
        let answer = list
            .send()
            .await
            .map_err(|error| port_error(LIST_OBJECTS, &error))?;
        let objects = answer.contents.into_iter().flatten();
        Ok(objects.filter_map(|object| object.key).collect())
    }

    async fn read_set_aside(&self, name: &str) -> Result<Option<Vec<u8>>, PortError> {
        let got = self.get(&self.settings.set_aside_bucket, name).await?;
        Ok(got.map(|(body, _)| body))
    }

    async fn remove_set_aside(&self, name: &str) -> Result<(), PortError> {
        let delete = self
            .s3
            .delete_object()
            .bucket(&self.settings.set_aside_bucket)
            .key(name);
        let deleted = delete.send().await;
        deleted
            .map(drop)
            .map_err(|error| port_error(DELETE_OBJECT, &error))
    }
}

#[cfg(test)]
mod tests;
