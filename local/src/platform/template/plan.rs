//! What the local stack needs, as the template says it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Deployment;
use super::text::{Attribute, Text};

/// Everything that the local stack has to create and to answer for.
#[derive(Debug, Clone)]
pub struct StackPlan {
    /// The stack's name, region, account and parameters.
    pub deployment: Deployment,
    /// The tables.
    pub tables: Vec<TablePlan>,
    /// The queues.
    pub queues: Vec<QueuePlan>,
    /// The KMS keys.
    pub keys: Vec<KeyPlan>,
    /// The buckets.
    pub buckets: Vec<BucketPlan>,
    /// The IAM roles.
    pub roles: Vec<RolePlan>,
    /// The functions.
    pub functions: Vec<FunctionPlan>,
    /// The stack outputs.
    pub outputs: BTreeMap<String, Text>,
    /// The paths of all that has no meaning here, with the reason.
    pub passed_over: BTreeMap<String, &'static str>,
}

impl StackPlan {
    /// The function of that name.
    #[must_use]
    pub fn function(&self, name: &str) -> Option<&FunctionPlan> {
        self.functions.iter().find(|function| function.name == name)
    }

    /// Whether an output names the stream of that table.
    #[must_use]
    pub fn names_the_stream_of(&self, table: &TablePlan) -> bool {
        let stream = Attribute::new(&table.id, "StreamArn");
        let mut outputs = self.outputs.values();
        outputs.any(|output| output.only_attribute() == Some(&stream))
    }
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TablePlan {
    /// Its logical id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The attribute of its partition key.
    pub hash_key: KeyAttribute,
    /// The attribute of its sort key.
    pub range_key: Option<KeyAttribute>,
    /// The attribute that holds an item's time to live.
    pub ttl_attribute: Option<String>,
    /// What its stream shows, such as `NEW_AND_OLD_IMAGES`.
    pub stream_view: Option<String>,
}

/// An attribute of a table's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyAttribute {
    /// Its name.
    pub name: String,
    /// `S`, `N` or `B`.
    pub kind: String,
}

/// A queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuePlan {
    /// Its logical id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How long a received message stays hidden.
    pub visibility_timeout: Duration,
    /// How long it keeps a message.
    pub retention: Duration,
    /// How long a receive waits for a first message.
    pub receive_wait: Duration,
    /// Where messages go that were received too often.
    pub redrive: Option<Redrive>,
    /// The key that encrypts it.
    pub kms_key: Option<Text>,
}

/// Where messages go that were received too often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redrive {
    /// The logical id of the dead-letter queue.
    pub dead_letter_queue: String,
    /// After how many receives.
    pub max_receive_count: u32,
}

/// A KMS key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPlan {
    /// Its logical id.
    pub id: String,
    /// Whether it keeps its id in every region.
    pub multi_region: bool,
    /// Whether it signs (ECDSA over P-256); otherwise it encrypts.
    pub signs: bool,
}

/// A bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketPlan {
    /// Its logical id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether it keeps older versions of its objects.
    pub versions: bool,
}

/// An IAM role. There is no IAM here: its name and id are what others compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolePlan {
    /// Its logical id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its unique id, which begins `SenderId` of whatever it sends: made up, the same in every run.
    pub role_id: String,
}

/// A function.
#[derive(Debug, Clone)]
pub struct FunctionPlan {
    /// Its logical id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How long one invocation may take.
    pub timeout: Duration,
    /// Its memory.
    pub memory_mib: u32,
    /// The logical id of its role.
    pub role: String,
    /// Its environment variables.
    pub environment: BTreeMap<String, Text>,
    /// The queues that trigger it.
    pub mappings: Vec<MappingPlan>,
    /// The streams of tables that trigger it.
    pub streams: Vec<StreamPlan>,
}

/// An event source mapping from the stream of a table to a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamPlan {
    /// The logical id of the table.
    pub table: String,
    /// Records per invocation at most.
    pub batch_size: u32,
    /// Whether the function answers with what failed.
    pub report_batch_item_failures: bool,
    /// Deliveries of one record after the first at most.
    pub maximum_retries: u32,
}

/// An event source mapping from a queue to a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappingPlan {
    /// The logical id of the queue.
    pub queue: String,
    /// Messages per invocation at most.
    pub batch_size: u32,
    /// How long messages are gathered.
    pub window: Duration,
    /// Whether the function answers with the list of what failed.
    pub report_batch_item_failures: bool,
    /// Invocations side by side at most.
    pub maximum_concurrency: Option<u32>,
    /// Whether it polls at all.
    pub enabled: bool,
}
