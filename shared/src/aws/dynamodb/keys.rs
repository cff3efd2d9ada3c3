//! The table `keys`.

use super::{from_item, key_of, to_item};
use crate::aws::AwsPorts;
use crate::aws::error::{held, port_error, unreadable};
use crate::domain::token::EpochId;
use crate::ports::{EpochKeyStore, PortError, WrappedKey};
use crate::records::EpochKeyRecord;

const GET: &str = "dynamodb:GetItem";
const PUT: &str = "dynamodb:PutItem";

impl EpochKeyStore for AwsPorts {
    async fn read_key(&self, epoch: EpochId) -> Result<Option<WrappedKey>, PortError> {
        let get = self
            .dynamodb
            .get_item()
            .table_name(&self.settings.tables.keys)
            .set_key(Some(key_of("epoch", epoch.encode())))
            .consistent_read(true);
        let answer = get.send().await.map_err(|error| port_error(GET, &error))?;
        let Some(item) = answer.item else { return Ok(None) };
        let record: EpochKeyRecord = from_item(GET, item)?;
        record.wrapped_key().ok_or_else(|| unreadable(GET)).map(Some)
    }

    async fn put_key(&self, epoch: EpochId, key: &WrappedKey, expires_at: i64) -> Result<bool, PortError> {
        let put = self
            .dynamodb
            .put_item()
            .table_name(&self.settings.tables.keys)
            .set_item(Some(to_item(PUT, &EpochKeyRecord::new(epoch, key, expires_at))?))
            .condition_expression("attribute_not_exists(#epoch)")
            .expression_attribute_names("#epoch", "epoch");
        held(PUT, put.send().await)
    }
}
