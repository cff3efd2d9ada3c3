//! Reports in this region's backup bucket, and changes on the event bus.

use aws_sdk_eventbridge::types::{PutEventsRequestEntry, PutEventsResultEntry};
use aws_sdk_s3::primitives::ByteStream;

use super::AwsBackup;
use crate::aws::error::{of, port_error, unreadable};
use crate::domain::backup::Change;
use crate::ports::backup::{BackupReports, VerdictAnnouncer};
use crate::ports::{Fault, PortError};

const GET_OBJECT: &str = "s3:GetObject";
const PUT_OBJECT: &str = "s3:PutObject";
const PUT_EVENTS: &str = "events:PutEvents";

/// `source` of the backup check's events.
pub const BACKUP_EVENT_SOURCE: &str = "symbolon.backup-check";
/// Entries that one `PutEvents` takes.
const EVENTS_AT_ONCE: usize = 10;

impl BackupReports for AwsBackup {
    async fn read_report(&self, name: &str) -> Result<Option<Vec<u8>>, PortError> {
        let get = self.reports.get_object().bucket(&self.bucket).key(name);
        let answer = match get.send().await.map_err(|error| port_error(GET_OBJECT, &error)) {
            Ok(answer) => answer,
            Err(error) if error.code == "NoSuchKey" => return Ok(None),
            Err(error) => return Err(error),
        };
        let body = answer.body.collect().await;
        let body = body.map_err(|_| of(GET_OBJECT, Fault::Unavailable, "BodyNotRead"))?;
        Ok(Some(body.to_vec()))
    }

    async fn put_report(&self, name: &str, content_type: &str, body: &[u8]) -> Result<(), PortError> {
        let put = self
            .reports
            .put_object()
            .bucket(&self.bucket)
            .key(name)
            .content_type(content_type)
            .body(ByteStream::from(body.to_vec()));
        let put = put.send().await;
        put.map(drop).map_err(|error| port_error(PUT_OBJECT, &error))
    }
}

impl VerdictAnnouncer for AwsBackup {
    /// On the account's default bus, whose rules say who hears it.
    async fn announce_changes(&self, changes: &[Change]) -> Vec<Result<(), PortError>> {
        let mut taken = Vec::with_capacity(changes.len());
        for changes in changes.chunks(EVENTS_AT_ONCE) {
            let entries = changes.iter().map(|change| {
                PutEventsRequestEntry::builder()
                    .source(BACKUP_EVENT_SOURCE)
                    .detail_type(Change::DETAIL_TYPE)
                    .detail(change.detail())
                    .build()
            });
            let put = self.events.put_events().set_entries(Some(entries.collect()));
            match put.send().await.map_err(|error| port_error(PUT_EVENTS, &error)) {
                Ok(answer) => {
                    // The call succeeds though an entry of it may not; they come in the order of the request.
                    let mut entries = answer.entries.into_iter().flatten().map(entry);
                    taken.extend(
                        changes
                            .iter()
                            .map(|_| entries.next().unwrap_or_else(|| Err(unreadable(PUT_EVENTS)))),
                    );
                }
                Err(error) => taken.extend(changes.iter().map(|_| Err(error.clone()))),
            }
        }
        taken
    }
}

/// An entry that was taken has an id, and no error.
fn entry(entry: PutEventsResultEntry) -> Result<(), PortError> {
    match (entry.error_code, entry.event_id) {
        (Some(code), _) => Err(of(PUT_EVENTS, Fault::Unavailable, &code)),
        (None, Some(_)) => Ok(()),
        (None, None) => Err(unreadable(PUT_EVENTS)),
    }
}
