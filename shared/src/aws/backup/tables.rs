//! Tables: their state and their replicas', and to which moments they can be put back.

use aws_sdk_dynamodb::types::{
    PointInTimeRecoveryDescription, PointInTimeRecoveryStatus, ReplicaDescription, TableDescription,
};

use super::{AwsBackup, moment};
use crate::aws::error::{port_error, unreadable};
use crate::domain::backup::{Observed, Seen};
use crate::ports::PortError;
use crate::ports::backup::{Answer, TableProtection};

const DESCRIBE_TABLE: &str = "dynamodb:DescribeTable";
const DESCRIBE_BACKUPS: &str = "dynamodb:DescribeContinuousBackups";

/// How `DynamoDB` says that there is no such table: the two calls differ.
const NO_TABLE: &[&str] = &["ResourceNotFoundException", "TableNotFoundException"];

impl TableProtection for AwsBackup {
    async fn table(&self, table: &str) -> Answer {
        let describe = self.dynamodb.describe_table().table_name(table);
        let answer = describe
            .send()
            .await
            .map_err(|error| port_error(DESCRIBE_TABLE, &error));
        match answer {
            Ok(answer) => answer.table.map(seen).ok_or_else(|| unreadable(DESCRIBE_TABLE)),
            Err(error) => missing(error),
        }
    }

    async fn pitr_window(&self, table: &str) -> Answer {
        let describe = self.dynamodb.describe_continuous_backups().table_name(table);
        let answer = describe
            .send()
            .await
            .map_err(|error| port_error(DESCRIBE_BACKUPS, &error));
        match answer {
            Ok(answer) => {
                let backups = answer.continuous_backups_description;
                let recovery = backups.and_then(|backups| backups.point_in_time_recovery_description);
                recovery
                    .map(|recovery| window(&recovery))
                    .ok_or_else(|| unreadable(DESCRIBE_BACKUPS))
            }
            Err(error) => missing(error),
        }
    }
}

fn missing(error: PortError) -> Answer {
    if NO_TABLE.contains(&error.code.as_str()) {
        Ok(Observed::Missing)
    } else {
        Err(error)
    }
}

fn seen(table: TableDescription) -> Observed {
    let replica =
        |replica: ReplicaDescription| Some((replica.region_name?, status(replica.replica_status.as_ref())));
    Observed::Seen(Seen::Table {
        status: status(table.table_status.as_ref()),
        created: table.creation_date_time.as_ref().and_then(moment),
        replicas: table
            .replicas
            .unwrap_or_default()
            .into_iter()
            .filter_map(replica)
            .collect(),
    })
}

/// A status as the service writes it; one that it leaves out is none that anything may be.
fn status<T: AsRef<str>>(status: Option<&T>) -> String {
    status.map_or_else(String::new, |status| status.as_ref().to_owned())
}

fn window(recovery: &PointInTimeRecoveryDescription) -> Observed {
    let enabled = recovery.point_in_time_recovery_status == Some(PointInTimeRecoveryStatus::Enabled);
    Observed::Seen(Seen::PitrWindow {
        enabled,
        days: recovery
            .recovery_period_in_days
            .and_then(|days| days.try_into().ok()),
        earliest: recovery.earliest_restorable_date_time.as_ref().and_then(moment),
        latest: recovery.latest_restorable_date_time.as_ref().and_then(moment),
    })
}
