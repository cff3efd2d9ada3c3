//! Resource types that stand on AWS alone, each with the reason. They are named and passed over; whoever refers to one
//! in what the local deployment needs is refused.

const ONE_REGION: &str = "there is one region here, and it is the primary";
const NO_IAM: &str = "no IAM is enforced here";
const NO_TRAIL: &str = "the requests are counted by the run itself";
const NO_ALARMS: &str = "the run says on the terminal what became of it";
const NO_BACKUP: &str = "the stack lives as long as its process: nothing to restore or to protect";
const NO_BILL: &str = "nothing here costs anything";
const NO_ALIAS: &str = "keys are known by their ARNs here";

const TYPES: [(&str, &str); 19] = [
    ("AWS::Backup::BackupPlan", NO_BACKUP),
    ("AWS::Backup::BackupSelection", NO_BACKUP),
    ("AWS::Backup::BackupVault", NO_BACKUP),
    ("AWS::Backup::RestoreTestingPlan", NO_BACKUP),
    ("AWS::Backup::RestoreTestingSelection", NO_BACKUP),
    ("AWS::Budgets::Budget", NO_BILL),
    ("AWS::CloudTrail::Trail", NO_TRAIL),
    ("AWS::CloudWatch::Alarm", NO_ALARMS),
    ("AWS::CloudWatch::Dashboard", NO_ALARMS),
    ("AWS::Events::Rule", NO_ALARMS),
    ("AWS::IAM::ManagedPolicy", NO_IAM),
    ("AWS::KMS::Alias", NO_ALIAS),
    ("AWS::KMS::ReplicaKey", ONE_REGION),
    ("AWS::Logs::MetricFilter", NO_ALARMS),
    ("AWS::Logs::ResourcePolicy", NO_IAM),
    ("AWS::S3::BucketPolicy", NO_IAM),
    ("AWS::SNS::Subscription", NO_ALARMS),
    ("AWS::SNS::Topic", NO_ALARMS),
    ("AWS::SNS::TopicPolicy", NO_ALARMS),
];

/// Functions that look at what stands on AWS alone.
const FUNCTIONS: [(&str, &str); 1] = [("backup-check", NO_BACKUP)];

/// Why a function of this name does not run here, if so.
pub(super) fn reason_of_function(name: &str) -> Option<&'static str> {
    let known = FUNCTIONS.iter().find(|(known, _)| *known == name);
    known.map(|(_, reason)| *reason)
}

/// Why a resource of this type does not stand here; `None` for a type that is not known to be of that kind.
pub(super) fn reason(kind: &str) -> Option<&'static str> {
    TYPES
        .iter()
        .find(|(name, _)| *name == kind)
        .map(|(_, reason)| *reason)
}
