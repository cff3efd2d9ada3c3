"""Breaks the translated template once or more for every assertion, and fails where an assertion does not notice.

    assert_template_test.py DIRECTORY [-v]

DIRECTORY holds `ENVIRONMENT.json` of every config environment, as translate.py settles it, and `open.json`.
"""

import copy
import pathlib
import sys

import assert_template
import assertions

ABSENT = object()
RESOURCES = "Resources"


class Sid(str):
    """Finds the statement of that name in a list of statements."""


def of(resource, *path):
    return (RESOURCES, resource, "Properties", *path)


def policy(resource, sid, *path):
    return of(resource, "PolicyDocument", "Statement", Sid(sid), *path)


def key(resource, sid, *path):
    return of(resource, "KeyPolicy", "Statement", Sid(sid), *path)


def trust(resource, *path):
    return of(resource, "AssumeRolePolicyDocument", "Statement", 0, *path)


ANYBODY = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}
SELECTORS = of("Trail", "AdvancedEventSelectors")
DEMANDED = of("BackupCheckFunction", "Environment", "Variables", "BACKUP_POLICY")
SORTED = of("DlqRedriveFunction", "Environment", "Variables")
DENIAL = {"Sid": "X", "Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": "*"}

# The assertion that must notice, where (a path into the template), and what to put there. In `primary` unless a fourth
# member names another environment.
FAULTS = [
    # Queues
    ("visibility_outlasts_six_invocations", of("IntakeQueue", "VisibilityTimeout"), 239),
    ("visibility_outlasts_six_invocations", of("IntakeQueue", "VisibilityTimeout"), ABSENT),
    ("visibility_outlasts_six_invocations", of("MatcherFunction", "Timeout"), 31),
    ("visibility_outlasts_six_invocations", ("Parameters", "MatcherBatchWindowSeconds", "MaxValue"), 61),
    ("mappings_report_failures_one_by_one", of("MatcherFunctionIntake", "FunctionResponseTypes"), ABSENT),
    ("mappings_bound_their_concurrency", of("MatcherFunctionIntake", "ScalingConfig"), ABSENT),
    ("mappings_bound_their_concurrency", of("MatcherFunctionIntake", "ProvisionedPollerConfig"), {}),
    ("mappings_bound_their_concurrency", ("Parameters", "MatcherMaximumConcurrency", "MinValue"), 1),
    ("mappings_bound_their_concurrency", of("MatcherFunction", "ReservedConcurrentExecutions"), 5),
    ("large_batches_have_a_window", ("Parameters", "MatcherBatchWindowSeconds", "MinValue"), 0),
    ("large_batches_have_a_window", ("Parameters", "MatcherBatchSize", "MaxValue"), 10_001),
    ("sources_have_a_dead_letter_queue", of("IntakeQueue", "RedrivePolicy"), ABSENT),
    ("replaces_may_wait", of("IntakeQueue", "RedrivePolicy", "maxReceiveCount"), 4),
    ("dead_letters_outlive_their_source", of("IntakeDlq", "MessageRetentionPeriod"), ABSENT),
    ("dead_letters_outlive_their_source", ("Parameters", "IntakeRetentionSeconds", "MaxValue"), 1_209_600),
    (
        "dead_letters_outlive_their_source",
        ("Parameters", "StandbyIntakeRetentionSeconds", "MaxValue"),
        1_209_600,
        "standby",
    ),
    ("dead_letter_queues_take_from_their_source_only", of("IntakeDlq", "RedriveAllowPolicy"), ABSENT),
    ("dead_letter_queues_take_from_their_source_only", of("IntakeQueue", "QueueName"), "other"),
    ("queues_are_encrypted_with_our_keys", of("IntakeDlq", "KmsMasterKeyId"), ABSENT),
    ("queues_are_encrypted_with_our_keys", of("IntakeQueue", "KmsMasterKeyId"), "alias/aws/sqs"),
    ("queues_take_tls_only", (RESOURCES, "IntakeDlqPolicy"), ABSENT),
    ("queues_take_tls_only", policy("IntakeQueuePolicy", "TlsOnly", "Effect"), "Allow"),
    ("queues_take_tls_only", policy("IntakeQueuePolicy", "TlsOnly", "Condition"), ABSENT),
    ("queues_are_open_to_nobody", policy("IntakeQueuePolicy", "TlsOnly", "Effect"), "Allow"),
    ("queues_deny_sending_to_all_but_the_named", policy("IntakeQueuePolicy", "OnlyCounterpartiesSend"), DENIAL),
    (
        "queues_deny_sending_to_all_but_the_named",
        policy("IntakeQueuePolicy", "OnlyCounterpartiesSend", "Condition", "ArnNotLike", "aws:PrincipalArn"),
        "*",
    ),
    ("queues_deny_sending_to_all_but_the_named", policy("IntakeDlqPolicy", "OnlyTheMatcherSends", "Condition"), {}),
    ("the_standby_does_not_match", of("MatcherFunctionIntake", "Enabled"), True, "standby"),
    ("the_standby_does_not_match", of("MatcherFunctionIntake", "Enabled"), ABSENT, "standby"),
    ("the_standby_does_not_match", of("MatcherFunctionIntake", "Enabled"), False),
    ("the_standby_does_not_match", (RESOURCES, "MatcherFunctionIntake"), ABSENT),
    # Tables
    ("tables_are_those_of_the_design", (RESOURCES, "Keys"), ABSENT),
    ("tables_are_those_of_the_design", of("Registry", "TableName"), "registry"),
    ("tables_are_those_of_the_design", (RESOURCES, "Registry", "Type"), "AWS::DynamoDB::Table"),
    ("tables_have_their_keys", of("Submissions", "KeySchema", 1, "AttributeName"), "id"),
    ("tables_have_their_keys", of("Interests", "AttributeDefinitions", 1, "AttributeType"), "N"),
    ("tables_expire_what_the_design_says", of("Matches", "TimeToLiveSpecification"), ABSENT),
    ("tables_expire_what_the_design_says", of("Keys", "TimeToLiveSpecification", "Enabled"), False),
    ("tables_expire_what_the_design_says", of("Interests", "TimeToLiveSpecification", "AttributeName"), "ttl"),
    ("tables_are_encrypted_with_our_keys", of("Matches", "SSESpecification"), ABSENT),
    ("tables_are_encrypted_with_our_keys", of("Keys", "Replicas", 1, "SSESpecification"), ABSENT),
    (
        "tables_are_encrypted_with_our_keys",
        of("Registry", "Replicas", 0, "SSESpecification", "KMSMasterKeyId"),
        {"Fn::GetAtt": ["DataKey", "Arn"]},
    ),
    ("tables_can_be_restored_to_any_second", of("Registry", "Replicas", 1, "PointInTimeRecoverySpecification"), ABSENT),
    ("tables_have_replicas_in_both_regions", of("Submissions", "Replicas", 1), ABSENT),
    ("tables_have_replicas_in_both_regions", of("Registry", "Replicas", 0, "Region"), "us-east-1"),
    ("tables_replicate_as_they_must", of("Control", "MultiRegionConsistency"), ABSENT),
    ("tables_replicate_as_they_must", of("Control", "GlobalTableWitnesses"), ABSENT),
    ("tables_replicate_as_they_must", of("Keys", "MultiRegionConsistency"), "STRONG"),
    ("tables_replicate_as_they_must", of("Matches", "StreamSpecification", "StreamViewType"), "KEYS_ONLY"),
    ("tables_are_paid_as_the_parameter_says", of("Registry", "BillingMode"), "PROVISIONED"),
    ("tables_are_paid_as_the_parameter_says", of("Control", "BillingMode"), {"Ref": "TableBillingMode"}),
    ("tables_are_paid_as_the_parameter_says", of("Interests", "WriteProvisionedThroughputSettings"), {}),
    ("what_holds_data_outlives_the_stack", (RESOURCES, "Interests", "DeletionPolicy"), ABSENT),
    ("what_holds_data_outlives_the_stack", (RESOURCES, "TokenKey", "UpdateReplacePolicy"), "Delete"),
    ("what_holds_data_outlives_the_stack", (RESOURCES, "AuditBucket", "DeletionPolicy"), "Delete"),
    ("tables_refuse_deletion_by_default", of("Matches", "Replicas", 1, "DeletionProtectionEnabled"), False),
    ("tables_refuse_deletion_by_default", ("Parameters", "TableDeletionProtection", "Default"), "false"),
    ("replicas_are_counted_to_the_stack", of("Matches", "Replicas", 1, "Tags"), ABSENT),
    # Buckets
    ("buckets_are_those_of_the_design", (RESOURCES, "BackupBucket"), ABSENT),
    ("buckets_are_those_of_the_design", of("DataBucket", "BucketName"), "data"),
    ("buckets_are_those_of_the_design", of("DataBucket", "LoggingConfiguration"), {}),
    ("buckets_are_encrypted_with_our_keys", of("DataBucket", "BucketEncryption"), ABSENT),
    (
        "buckets_are_encrypted_with_our_keys",
        of("QuarantineBucket", "BucketEncryption", "ServerSideEncryptionConfiguration", 0, "BucketKeyEnabled"),
        False,
    ),
    ("buckets_are_closed_to_the_public", of("AuditBucket", "PublicAccessBlockConfiguration", "BlockPublicAcls"), False),
    ("buckets_are_closed_to_the_public", of("TrailBucket", "OwnershipControls"), ABSENT),
    ("buckets_keep_versions", of("DataBucket", "VersioningConfiguration", "Status"), "Suspended"),
    ("buckets_keep_versions", of("AuditBucket", "VersioningConfiguration"), ABSENT, "standby-foundation"),
    ("buckets_forget", of("BackupBucket", "LifecycleConfiguration"), ABSENT),
    (
        "buckets_get_colder_when_they_may",
        of("DataBucket", "LifecycleConfiguration", "Rules", 0, "Transitions", 0, "TransitionInDays"),
        29,
    ),
    ("buckets_forget", of("AuditBucket", "LifecycleConfiguration", "Rules", 0, "Transitions", 0, "TransitionInDays"), 400),
    ("buckets_forget", ("Parameters", "AuditRetentionDays", "MinValue"), 90),
    ("buckets_forget", of("DataBucket", "LifecycleConfiguration", "Rules", 1, "Status"), "Disabled"),
    ("buckets_replicate_to_the_other_region", of("DataBucket", "ReplicationConfiguration"), ABSENT),
    (
        "buckets_replicate_to_the_other_region",
        of("AuditBucket", "ReplicationConfiguration", "Rules", 0, "Filter", "Prefix"),
        "",
    ),
    (
        "buckets_replicate_to_the_other_region",
        of("AuditBucket", "ReplicationConfiguration", "Rules", 0, "Destination", "Metrics"),
        ABSENT,
    ),
    (
        "buckets_replicate_to_the_other_region",
        of("BackupBucket", "ReplicationConfiguration", "Rules", 0, "SourceSelectionCriteria"),
        ABSENT,
        "standby",
    ),
    ("the_audit_is_locked", of("AuditBucket", "ObjectLockEnabled"), ABSENT),
    ("the_audit_is_locked", of("AuditBucket", "ObjectLockConfiguration", "Rule"), ABSENT, "standby-foundation"),
    ("the_audit_is_locked", ("Parameters", "AuditLockMode", "Default"), "GOVERNANCE"),
    ("buckets_take_tls_only", policy("DataBucketPolicy", "TlsOnly", "Condition"), ABSENT),
    ("buckets_take_tls_only", policy("TrailBucketPolicy", "TlsOnly", "Resource", 1), ABSENT),
    ("buckets_refuse_other_keys", policy("DataBucketPolicy", "NoOtherKey", "Condition", "Null"), ABSENT),
    ("buckets_refuse_other_keys", policy("QuarantineBucketPolicy", "NoOtherEncryption", "Effect"), "Allow"),
    ("buckets_refuse_other_keys", policy("AuditBucketPolicy", "NoKeyOfTheCaller"), ABSENT),
    (
        "counterparties_reach_their_own_prefix_only",
        policy("DataBucketPolicy", "CounterpartiesUnderTheirOwnPrefixOnly", "NotResource"),
        {"Fn::Sub": "${DataBucket.Arn}/*"},
    ),
    ("counterparties_reach_their_own_prefix_only", policy("AuditBucketPolicy", "NoCounterparties"), ABSENT),
    ("buckets_are_open_to_nobody", policy("DataBucketPolicy", "TlsOnly"), ANYBODY),
    ("buckets_are_open_to_nobody", (RESOURCES, "BackupBucketPolicy"), ABSENT),
    # Keys
    ("keys_are_those_of_the_design", (RESOURCES, "InboxKey"), ABSENT),
    ("keys_are_those_of_the_design", (RESOURCES, "DataKeyReplica"), ABSENT, "standby"),
    ("keys_rotate", of("InboxKey", "EnableKeyRotation"), False),
    ("keys_can_be_called_back_for_a_month", of("DataKey", "PendingWindowInDays"), 7),
    ("keys_can_be_called_back_for_a_month", of("DataKeyReplica", "PendingWindowInDays"), ABSENT, "standby"),
    ("shared_keys_serve_both_regions", of("TokenKey", "MultiRegion"), ABSENT),
    (
        "shared_keys_serve_both_regions",
        of("TokenKeyReplica", "PrimaryKeyArn"),
        {"Fn::Sub": "arn:${AWS::Partition}:kms:${PeerRegion}:${AWS::AccountId}:key/${DataKeyId}"},
        "standby-foundation",
    ),
    ("keys_are_administered_without_being_used", key("DataKey", "Administer", "Action"), "kms:*"),
    ("keys_are_administered_without_being_used", key("DataKey", "UseThroughTables", "Condition"), ABSENT),
    ("keys_are_administered_without_being_used", key("InboxKey", "UseThroughQueues", "Principal"), {"AWS": "*"}),
    (
        "replicas_of_tables_are_made_from_either_region",
        key("DataKey", "Replicate", "Condition", "StringEquals", "kms:ViaService"),
        {"Fn::Sub": "dynamodb.${AWS::Region}.amazonaws.com"},
    ),
    ("keys_are_administered_without_being_used", key("OperationsKey", "Trail", "Condition"), ABSENT),
    ("keys_are_administered_without_being_used", key("DataKey", "Replicate", "Condition", "ArnEquals"), ABSENT),
    (
        "tokens_are_opened_by_the_matcher_and_settlement_alone",
        key("TokenKey", "CreateAndUnwrapEpochs", "Principal", "AWS"),
        "arn:aws:iam::1:root",
    ),
    ("tokens_are_opened_by_the_matcher_and_settlement_alone", key("TokenKey", "Unseal", "Condition"), {}),
    (
        "tokens_are_opened_by_the_matcher_and_settlement_alone",
        key("TokenKeyReplica", "Unseal", "Condition", "ArnEquals"),
        ABSENT,
        "standby",
    ),
    ("the_registry_is_opened_by_few", key("RegistryKey", "CreateTable", "Condition", "ForAnyValue:StringEquals"), ABSENT),
    ("the_registry_is_opened_by_few", key("RegistryKey", "UseThroughTable", "Sid"), "Another"),
    ("the_registry_is_opened_by_few", key("RegistryKey", "OnboardThroughTable", "Condition", "StringEquals"), ABSENT),
    # Roles
    ("roles_allow_without_wildcards", policy("MatcherPolicy", "Receive", "Action"), "sqs:*"),
    ("roles_allow_without_wildcards", policy("MatcherPolicy", "Submissions", "Resource"), "*"),
    ("roles_allow_without_wildcards", policy("MatcherPolicy", "Trace", "Action"), "xray:PutResourcePolicy"),
    (
        "roles_allow_without_wildcards",
        policy("MatcherPolicy", "Publish", "Resource"),
        {"Fn::Sub": "arn:${AWS::Partition}:sqs:*"},
    ),
    ("roles_allow_without_wildcards", policy("OperatorPolicy", "NoMessages", "Effect"), "Allow"),
    ("roles_use_keys_for_their_purpose_only", policy("MatcherPolicy", "CreateAndUnwrapEpochs", "Condition"), ABSENT),
    ("roles_use_keys_for_their_purpose_only", policy("MatcherPolicy", "UseQueues", "Condition"), ABSENT),
    (
        "roles_use_keys_for_their_purpose_only",
        policy("CounterpartyPolicy", "UseQueueKeys", "Condition", "ForAnyValue:StringEquals"),
        ABSENT,
    ),
    ("roles_have_no_managed_policies_of_others", of("MatcherRole", "ManagedPolicyArns"), ["arn:aws:iam::aws:policy/Any"]),
    ("roles_are_those_of_the_design", (RESOURCES, "SettlementRole"), ABSENT),
    ("roles_are_those_of_the_design", of("OnboardingRole", "RoleName"), ABSENT, "primary-foundation"),
    ("service_roles_trust_their_service_alone", trust("MatcherRole", "Principal"), {"AWS": "*"}),
    ("service_roles_trust_their_service_alone", trust("ReplicationRole", "Condition"), ABSENT),
    ("service_roles_trust_their_service_alone", of("MatcherFunction", "Role"), "arn:aws:iam::1:role/other"),
    ("people_identify_twice", trust("OperatorRole", "Condition"), ABSENT),
    ("people_identify_twice", trust("SettlementRole", "Principal"), {"AWS": "*"}),
    ("counterparties_are_made_under_the_boundary", policy("OnboardingPolicy", "CreateCounterpartyRoles", "Condition"), {}),
    (
        "counterparties_are_made_under_the_boundary",
        policy("OnboardingPolicy", "CreateCounterpartyRoles", "Action"),
        ["iam:CreateRole", "iam:PutRolePolicy"],
    ),
    (
        "counterparties_are_made_under_the_boundary",
        policy("OnboardingPolicy", "AttachTheirPolicy", "Resource"),
        {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/*"},
    ),
    ("the_boundary_is_the_policy", policy("CounterpartyBoundary", "SendInterests", "Action"), "sqs:SendMessage"),
    ("the_boundary_is_the_policy", (RESOURCES, "CounterpartyBoundary"), ABSENT),
    (
        "keys_that_may_be_absent_are_asked_for",
        policy("CounterpartyPolicy", "ReadOwnSubmissions", "Condition", "Null"),
        ABSENT,
    ),
    (
        "condition_keys_are_spelt_right",
        policy("MatcherPolicy", "UseTables", "Condition"),
        {"StringEquals": {"kms:viaService": "any"}},
    ),
    (
        "condition_keys_are_spelt_right",
        policy("DataBucketPolicy", "NoOtherKey", "Condition"),
        {"Null": {"s3:x-amz-server-side-encryption-aws-kms-key": "false"}},
    ),
    # Functions
    ("functions_are_those_of_the_contract", of("MatcherFunction", "FunctionName"), "Matcher"),
    ("functions_are_those_of_the_contract", of("MatcherFunction", "Runtime"), "provided.al2"),
    ("functions_are_those_of_the_contract", of("MatcherFunction", "Architectures"), ABSENT),
    ("functions_are_those_of_the_contract", ("Parameters", "Architecture", "Default"), "x86_64"),
    (
        "functions_build_their_own_binary",
        (RESOURCES, "MatcherFunction", "Metadata", "BuildProperties", "Binary"),
        "relay",
    ),
    (
        "functions_have_roles_of_their_own",
        (RESOURCES, "Second"),
        {"Type": "AWS::Lambda::Function", "Properties": {"Role": {"Fn::GetAtt": ["MatcherRole", "Arn"]}}},
    ),
    ("functions_have_their_settings", of("MatcherFunction", "Environment", "Variables", "KEYS_TABLE"), ABSENT),
    ("functions_have_their_settings", of("MatcherFunction", "Environment", "Variables", "EXTRA"), "1"),
    (
        "functions_have_their_settings",
        of("MatcherFunction", "Environment", "Variables", "TOKEN_KEY_ARN"),
        {"Fn::GetAtt": ["DataKey", "Arn"]},
    ),
    (
        "functions_have_their_settings",
        of("MatcherFunction", "Environment", "Variables", "TOKEN_KEY_ARN"),
        {"Fn::GetAtt": ["TokenKey", "Arn"]},
        "standby",
    ),
    (
        "functions_have_their_settings",
        of("MatcherFunction", "Environment", "Variables", "KEYS_TABLE"),
        {"Fn::Sub": "${AWS::StackName}-matches"},
        "standby",
    ),
    ("functions_have_their_settings", of("TokenAuditFunction", "Environment", "Variables", "AUDIT_BUCKET"), ABSENT),
    ("functions_have_their_settings", of("TokenAuditFunction", "Environment", "Variables", "STREAM_RECORDS_BUCKET"),
     {"Ref": "AuditBucket"}),
    ("functions_are_those_of_the_contract", of("TokenAuditFunction", "FunctionName"), "audit"),
    ("streams_are_read_on_after_a_bounded_time", of("TokenAuditFunctionMatches", "FunctionResponseTypes"), ABSENT),
    ("streams_are_read_on_after_a_bounded_time", of("TokenAuditFunctionMatches", "BisectBatchOnFunctionError"), False),
    ("streams_are_read_on_after_a_bounded_time", of("TokenAuditFunctionMatches", "MaximumRetryAttempts"), -1),
    ("streams_are_read_on_after_a_bounded_time", of("TokenAuditFunctionMatches", "MaximumRecordAgeInSeconds"), 86_400),
    ("streams_are_read_on_after_a_bounded_time", of("TokenAuditFunctionMatches", "DestinationConfig"), ABSENT),
    ("streams_are_read_on_after_a_bounded_time", of("TokenAuditFunctionMatches", "StartingPosition"), "LATEST"),
    ("streams_are_read_on_after_a_bounded_time", of("TokenAuditFunctionMatches", "EventSourceArn"), "arn:x", "standby"),
    ("streams_are_read_on_after_a_bounded_time", (RESOURCES, "TokenAuditFunctionMatches"), ABSENT),
    ("statements_are_signed_by_the_audit_alone", of("AuditSigningKey", "KeySpec"), "ECC_NIST_P384"),
    (
        "streams_are_read_on_after_a_bounded_time",
        of("TokenAuditFunctionMatches", "DestinationConfig", "OnFailure", "Destination"),
        {"Fn::GetAtt": ["QuarantineBucket", "Arn"]},
    ),
    ("schedules_start_what_they_should", (RESOURCES, "TokenAuditFunctionRetry"), ABSENT),
    ("schedules_start_what_they_should", of("TokenAuditFunctionRetry", "State"), "DISABLED"),
    ("schedules_start_what_they_should", of("TokenAuditFunctionRetry", "Target", "Input"), "{}"),
    ("schedules_start_what_they_should", of("DlqRedriveFunctionSort", "Target", "Input"), ABSENT),
    ("schedules_start_what_they_should", of("DlqRedriveFunctionSort", "ScheduleExpression"), "rate(1 day)"),
    ("schedules_start_what_they_should", of("DlqRedriveFunctionSort", "Target", "RetryPolicy"), ABSENT),
    ("schedules_start_what_they_should", of("DlqRedriveFunctionSort", "Target", "DeadLetterConfig"), ABSENT),
    (
        "schedules_start_what_they_should",
        of("DlqRedriveFunctionSort", "Target", "RoleArn"),
        {"Fn::GetAtt": ["TokenAuditScheduleRole", "Arn"]},
    ),
    (
        "every_function_is_exported",
        of("BackupCheckFunction", "Environment", "Variables", "EXPORTED_FUNCTIONS"),
        "matcher,token-audit,dlq-redrive",
    ),
    ("every_function_is_exported", of("BackupCheckFunction", "Environment", "Variables", "BACKUP_POLICY"), "{}"),
    ("settings_fit_into_four_kilobytes", of("MatcherFunction", "Environment", "Variables", "STACK_NAME"), "x" * 4_000),
    (
        "settings_fit_into_four_kilobytes",
        of("DlqRedriveFunction", "Environment", "Variables", "QUEUES"),
        {"Fn::Sub": "${IntakeQueue.Arn}" * 40},
    ),
    ("letters_go_back_to_where_they_came_from", (*SORTED, "QUEUES"), ("${IntakeQueue}", "${IntakeDlq}")),
    ("letters_go_back_to_where_they_came_from", (*SORTED, "QUEUES"), ("${MatcherFunction}", "${DlqRedriveFunction}")),
    ("letters_go_back_to_where_they_came_from", (*SORTED, "QUEUES"), {"Fn::Sub": "[]"}),
    ("letters_go_back_to_where_they_came_from", (*SORTED, "QUEUES"), {"Fn::Sub": "["}),
    ("letters_go_back_to_where_they_came_from", (*SORTED, "CANARY_WAIT_SECONDS"), "90"),
    ("letters_go_back_to_where_they_came_from", (*SORTED, "CANARY_WAIT_SECONDS"), "240"),
    ("runs_end_before_the_next_begins", of("DlqRedriveFunction", "Timeout"), 300),
    ("runs_end_before_the_next_begins", ("Parameters", "RedriveSchedule", "Default"), "rate(7 days)"),
    ("runs_end_before_the_next_begins", ("Parameters", "BackupCheckSchedule", "Default"), "rate(1 minute)"),
    (
        "schedules_may_start_their_function",
        of("DlqRedriveScheduleRole", "Policies", 0, "PolicyDocument", "Statement", Sid("Start"), "Resource"),
        ("function:dlq-redrive", "function:redrive"),
    ),
    ("alarms_look_at_what_there_is", of("RelapsedAlarm", "Dimensions", 1, "Value"), "matcher"),
    ("alarms_on_runs_can_be_reached", of("ReportsNotWrittenAlarm", "Threshold"), 3),
    ("alarms_on_runs_can_be_reached", of("RedriveBrakedAlarm", "Period"), 300),
    ("schedules_start_what_they_should", of("BackupCheckFunctionCheck", "ScheduleExpression"), "rate(1 day)"),
    ("queues_deny_sending_to_all_but_the_named", policy("BackupCheckDlqPolicy", "OnlyWhatStartsIt", "Condition"), {}),
    ("alarms_can_go_off", of("BackupCheckSilentAlarm", "TreatMissingData"), "notBreaching"),
    ("rules_look_for_what_happens", of("BackupVerdictRule", "EventPattern", "detail-type"), ["Backup Verdict Kept"]),
    ("runs_that_do_not_end_are_told", of("DlqRedriveFunctionEventInvokeConfig", "DestinationConfig"), ABSENT),
    ("runs_that_do_not_end_are_told", of("DlqRedriveFunctionEventInvokeConfig", "MaximumRetryAttempts"), 2),
    ("runs_that_do_not_end_are_told", (RESOURCES, "DlqRedriveFunctionEventInvokeConfig"), ABSENT),
    ("queues_are_emptied_by_one_function", policy("IntakeDlqPolicy", "OnlyTheRedriveTakes", "Condition"), {}),
    ("queues_are_emptied_by_one_function", policy("IntakeDlqPolicy", "OnlyTheRedriveTakes", "Action"), "sqs:ReceiveMessage"),
    ("queues_are_emptied_by_one_function", policy("IntakeQueuePolicy", "OnlyTheMatcherReceives"), DENIAL),
    ("mappings_bound_their_concurrency", of("DlqRedriveFunction", "ReservedConcurrentExecutions"), 1),
    ("letters_stay_hidden_for_a_run", of("IntakeDlq", "VisibilityTimeout"), 240),
    ("letters_stay_hidden_for_a_run", of("DlqRedriveFunction", "Timeout"), 900),
    ("queues_deny_sending_to_all_but_the_named", policy("DlqRedriveDlqPolicy", "OnlyWhatStartsIt", "Condition"), {}),
    ("alarms_can_go_off", of("RedriveSilentAlarm", "TreatMissingData"), "notBreaching"),
    ("alarms_go_off_above_their_threshold", of("RedriveSilentAlarm", "Threshold"), 2),
    ("alarms_go_off_above_their_threshold", of("RedriveSilentAlarm", "ComparisonOperator"), "GreaterThanThreshold"),
    ("heads_are_kept_in_both_regions", of("QuarantineActsLogGroup", "RetentionInDays"), 30),
    ("heads_are_kept_in_both_regions", (RESOURCES, "QuarantineActsLogPolicy"), ABSENT),
    ("alarms_can_go_off", of("StoresBadAlarm", "TreatMissingData"), "notBreaching"),
    ("buckets_keep_versions", of("StreamRecordsBucket", "VersioningConfiguration", "Status"), "Enabled"),
    ("buckets_forget", of("StreamRecordsBucket", "LifecycleConfiguration", "Rules", 0, "ExpirationInDays"), 90),
    ("buckets_replicate_to_the_other_region", of("StreamRecordsBucket", "ReplicationConfiguration"),
     {"Rules": [{"Status": "Enabled"}]}),
    ("buckets_refuse_other_keys", policy("StreamRecordsBucketPolicy", "NoOtherKey"), DENIAL),
    ("counterparties_reach_their_own_prefix_only", policy("StreamRecordsBucketPolicy", "NoCounterparties"), DENIAL),
    (
        "tokens_are_opened_by_the_matcher_and_settlement_alone",
        key("TokenKey", "SetStreamRecordsAside", "Condition", "StringEquals", "kms:EncryptionContext:aws:s3:arn"),
        "arn:aws:s3:::another",
    ),
    (
        "tokens_are_opened_by_the_matcher_and_settlement_alone",
        key("TokenKeyReplica", "SetStreamRecordsAside", "Condition", "ArnEquals"),
        ABSENT,
        "standby",
    ),
    ("heads_are_kept_in_both_regions", of("AuditHeadsToPeerRule", "EventPattern", "detail", "region", 0),
     {"Ref": "PeerRegion"}),
    ("heads_are_kept_in_both_regions", of("AuditHeadsRule", "EventPattern", "detail", "region", 1), ABSENT),
    ("heads_are_kept_in_both_regions", (RESOURCES, "AuditHeadsLogPolicy"), ABSENT),
    ("heads_are_kept_in_both_regions", of("AuditHeadsLogGroup", "RetentionInDays"), 90),
    ("rules_tell_somebody_and_name_nobody", of("AuditHeadsRule", "Targets"), []),
    ("service_roles_trust_their_service_alone", trust("AuditHeadsRole", "Condition"), ABSENT),
    ("service_roles_trust_their_service_alone", trust("TokenAuditScheduleRole", "Principal"), {"Service": "s3.amazonaws.com"}),
    ("statements_are_signed_by_the_audit_alone", key("AuditSigningKey", "SignStatements", "Condition"), {}),
    (
        "statements_are_signed_by_the_audit_alone",
        key("AuditSigningKey", "SignStatements", "Condition", "StringEquals", "kms:MessageType"),
        "DIGEST",
    ),
    ("statements_are_signed_by_the_audit_alone", key("QueueKey", "UseThroughQueues", "Action"), ["kms:Sign"]),
    ("roles_use_keys_for_their_purpose_only", policy("TokenAuditPolicy", "SignStatements", "Condition"), ABSENT),
    ("roles_allow_without_wildcards", policy("TokenAuditPolicy", "KeepLog", "Resource"), "arn:aws:s3:::*"),
    ("functions_log_no_payloads", of("MatcherFunction", "Environment", "Variables", "RUST_LOG"), "trace"),
    ("functions_are_traced", of("MatcherFunction", "TracingConfig"), ABSENT),
    ("logs_end", of("MatcherLogGroup", "RetentionInDays"), ABSENT),
    ("logs_end", of("MatcherFunction", "LoggingConfig"), ABSENT),
    ("logs_end", of("TrailLogGroup", "KmsKeyId"), ABSENT),
    ("log_groups_may_use_the_key", of("MatcherLogGroup", "LogGroupName"), "/aws/lambda/relay"),
    # Trail, alarms, rules, dashboard, budget
    ("the_trail_records_all_data_events", of("Trail", "EnableLogFileValidation"), False),
    ("the_trail_records_all_data_events", (*SELECTORS, 1), ABSENT),
    ("the_trail_records_all_data_events", (*SELECTORS, 3, "FieldSelectors", 2, "StartsWith", 0), ABSENT),
    ("the_trail_records_all_data_events", of("Trail", "KMSKeyId"), ABSENT),
    ("there_are_alarms_enough", (RESOURCES, "MatcherThrottlesAlarm"), ABSENT),
    ("alarms_look_at_what_there_is", of("MatchLatencyAlarm", "MetricName"), "MatchLatency"),
    ("alarms_look_at_what_there_is", of("PanickedAlarm", "MetricName"), "Panic"),
    ("alarms_look_at_what_there_is", of("IntakeDlqAlarm", "Dimensions", 0, "Name"), "Queue"),
    ("alarms_look_at_what_there_is", of("IntakeDlqAlarm", "Dimensions", 0, "Value"), "other"),
    ("alarms_can_go_off", of("MatcherErrorsAlarm", "DatapointsToAlarm"), 6),
    ("alarms_can_go_off", of("MatcherErrorsAlarm", "EvaluationPeriods"), 1441),
    ("alarms_can_go_off", of("MatcherSlowAlarm", "ExtendedStatistic"), ABSENT),
    ("alarms_can_go_off", of("IntakeDlqAlarm", "TreatMissingData"), "breaching"),
    ("alarms_can_go_off", of("IntakeDlqAlarm", "ActionsEnabled"), False),
    ("alarms_tell_somebody", of("NotToldAlarm", "AlarmActions"), []),
    ("alarms_go_off_above_their_threshold", of("MatchLatencyAlarm", "ComparisonOperator"), "LessThanThreshold"),
    ("alarms_go_off_above_their_threshold", of("IntakeDlqAlarm", "Threshold"), 100),
    ("alarms_go_off_above_their_threshold", of("PanickedAlarm", "Threshold"), 1),
    (
        "costs_have_a_budget",
        of("Budget", "NotificationsWithSubscribers", 0, "Notification", "Threshold"),
        800,
    ),
    ("alarms_are_explained", of("NotToldAlarm", "AlarmName"), {"Fn::Sub": "${AWS::StackName}-unheard-of"}),
    ("slow_batches_are_seen_before_they_time_out", of("MatcherSlowAlarm", "Threshold"), 30_000),
    ("filters_look_for_what_is_logged", of("PanickedFilter", "FilterPattern"), '{ $.fields.event = "panic" }'),
    ("filters_look_for_what_is_logged", of("PanickedFilter", "FilterPattern"), '{ $.event = "panicked" }'),
    ("filters_look_for_what_is_logged", of("AccessDeniedFilter", "FilterPattern"), '{ $.error = "AccessDenied" }'),
    ("filters_have_their_alarm", (RESOURCES, "UnknownSenderAlarm"), ABSENT),
    ("rules_look_for_what_happens", (RESOURCES, "KeyDisabledRule"), ABSENT),
    ("rules_look_for_what_happens", of("AccessDeniedRule", "EventPattern", "detail-type"), ["AWS API Call"]),
    ("rules_look_for_what_happens", of("AccessDeniedRule", "EventPattern", "detail"), {"error": ["AccessDenied"]}),
    ("rules_look_for_what_happens", of("KeyDisabledRule", "EventPattern", "detail", "eventName", 0), "DisableKeys"),
    ("rules_look_for_what_happens", of("KeywordAlarmRule", "EventPattern", "detail", "alarmName", 0), "other"),
    ("rules_look_for_what_happens", of("BackupFailedRule", "State"), "DISABLED"),
    ("rules_tell_somebody_and_name_nobody", of("BackupFailedRule", "Targets", 0, "Arn"), "arn:aws:sns:x:1:other"),
    ("rules_tell_somebody_and_name_nobody", of("AccessDeniedRule", "Targets", 0, "InputTransformer"), ABSENT),
    (
        "rules_tell_somebody_and_name_nobody",
        of("AccessDeniedRule", "Targets", 0, "InputTransformer", "InputPathsMap", "who"),
        "$.detail.userIdentity.arn",
    ),
    ("the_topic_is_encrypted_and_open_to_services_alone", of("AlarmTopic", "KmsMasterKeyId"), ABSENT),
    ("the_topic_is_encrypted_and_open_to_services_alone", policy("AlarmTopicPolicy", "Notify", "Condition"), ABSENT),
    (
        "the_topic_is_encrypted_and_open_to_services_alone",
        policy("AlarmTopicPolicy", "NotifyByRules", "Condition"),
        {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
    ),
    ("the_topic_is_encrypted_and_open_to_services_alone", policy("AlarmTopicPolicy", "NotifyByRules"), ABSENT),
    (
        "services_may_use_the_key_of_the_topic",
        key("OperationsKey", "Notify", "Condition"),
        {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
    ),
    ("services_may_use_the_key_of_the_topic", of("AlarmTopic", "TopicName"), "alarms"),
    ("rules_that_fail_are_told_of", (RESOURCES, "BackupVerdictFailedAlarm"), ABSENT),
    ("alarms_look_at_what_there_is_in_time", of("ReplicationLagAlarm", "Period"), 60),
    ("the_topic_is_encrypted_and_open_to_services_alone", policy("AlarmTopicPolicy", "TlsOnly"), ABSENT),
    ("the_dashboard_shows_the_business_above_the_machinery", of("Dashboard", "DashboardBody"), "{"),
    ("the_dashboard_shows_the_business_above_the_machinery", (RESOURCES, "Dashboard"), ABSENT),
    (
        "the_dashboard_shows_the_business_above_the_machinery",
        of("Dashboard", "DashboardBody"),
        ("MatchLatencyMillis", "MatchLatency"),
    ),
    ("costs_have_a_budget", (RESOURCES, "Budget"), ABSENT),
    ("costs_have_a_budget", of("Budget", "Budget", "CostFilters", "TagKeyValue"), ["user:stack$symbolon"]),
    # Backup
    ("tables_are_backed_up_and_copied", of("BackupPlan", "BackupPlan", "BackupPlanRule", 0, "CopyActions"), ABSENT),
    (
        "tables_are_backed_up_and_copied",
        of("BackupPlan", "BackupPlan", "BackupPlanRule", 0, "ScheduleExpression"),
        {"Fn::Sub": "cron(0 0/${BackupRpoHours} * * *)"},
    ),
    ("tables_are_backed_up_and_copied", of("BackupSelection", "BackupSelection", "Resources", 0), ABSENT),
    ("the_vault_is_ours_and_locked", of("BackupVault", "LockConfiguration"), ABSENT, "standby-foundation"),
    ("the_vault_is_ours_and_locked", ("Parameters", "BackupRetentionDays", "MinValue"), 1),
    ("the_vault_is_ours_and_locked", (RESOURCES, "BackupVault"), ABSENT),
    ("restores_are_tried", (RESOURCES, "RestoreTestingSelection"), ABSENT),
    ("restores_are_tried", of("RestoreTestingPlan", "ScheduleExpression"), "cron(0 5 * * SUN *)"),
    ("everything_that_is_kept_is_demanded", DEMANDED, ('"v":1,', '"v":1')),
    ("everything_that_is_kept_is_demanded", DEMANDED, ('"copy":true', '"copy":false')),
    ("everything_that_is_kept_is_demanded", DEMANDED, ('"control":', '"controls":')),
    ("everything_that_is_kept_is_demanded", DEMANDED, ('"versioning":true', '"versioning":false')),
    ("everything_that_is_kept_is_demanded", DEMANDED, ('"failures":0', '"failures":9')),
    ("everything_that_is_kept_is_demanded", DEMANDED, ("${AuditLockMode}", "GOVERNANCE")),
    ("everything_that_is_kept_is_demanded", DEMANDED, ('"replica":true', '"replica":false')),
    ("everything_that_is_kept_is_demanded", DEMANDED, ('"rotation":true', '"rotation":false'), "standby"),
    ("everything_that_is_kept_is_demanded", DEMANDED, ("${InboxKey}", "${QueueKey}")),
    ("everything_that_is_kept_is_demanded", DEMANDED, ("${RestoreTesting}", "null")),
    ("everything_that_is_kept_is_demanded", (*DEMANDED, "Fn::Sub", 1, "ReplicaLag"), "null"),
    (
        "everything_that_is_kept_is_demanded",
        (RESOURCES, "ArchiveBucket"),
        {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "x-archive-y", "ReplicationConfiguration": {}}},
    ),
    # Outputs
    ("outputs_are_those_of_the_contract", ("Outputs", "InboxKeyArn"), ABSENT),
    ("outputs_are_those_of_the_contract", ("Outputs", "TokenKeyArn", "Value"), {"Ref": "TokenKey"}),
    ("outputs_are_those_of_the_contract", ("Outputs", "Extra"), {"Value": "1"}),
    ("outputs_are_those_of_the_contract", ("Outputs", "MatchesStreamArn", "Value"), {"Ref": "PeerRegion"}, "standby"),
]

# The same for the template whose conditions are open.
OPEN_FAULTS = [
    ("replicas_have_the_policy_of_their_key", key("TokenKeyReplica", "Unseal", "Condition"), {}),
    (
        "conditions_ask_for_role_and_stage",
        ("Conditions", "IsPrimary"),
        {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]},
    ),
    ("parameters_are_asked_for", ("Parameters", "Unasked"), {"Type": "String", "Default": "none"}),
]


def found(place, step):
    if isinstance(step, Sid):
        return next(index for index, statement in enumerate(place) if statement.get("Sid") == step)
    return step


def broken(template, path, value):
    template = copy.deepcopy(template)
    *way, last = path
    place = template
    for step in way:
        place = place[found(place, step)]
    last = found(place, last)
    if value is ABSENT:
        del place[last]
    elif isinstance(value, tuple):
        match place[last]["Fn::Sub"]:
            case [body, names]:
                place[last] = {"Fn::Sub": [body.replace(*value), names]}
            case body:
                place[last] = {"Fn::Sub": body.replace(*value)}
    else:
        place[last] = value
    return template


def main():
    folder = pathlib.Path(sys.argv[1])
    templates = {}
    for environment in ("open", "primary-foundation", "standby-foundation", "primary", "standby"):
        templates[environment] = assert_template.loaded(environment, folder / f"{environment}.json")
        if assert_template.sentences(templates[environment]):
            raise SystemExit(f"{environment}: the template must be whole before it is broken")
    silent, open_silent = [], []
    for name, path, value, *where in FAULTS:
        template = broken(templates[where[0] if where else "primary"], path, value)
        sentences = assertions.faults(template).get(name)
        place = ".".join(map(str, path)) + (" absent" if value is ABSENT else f" = {value}")
        if not sentences:
            silent.append(f"{name} did not notice {place}")
        elif "-v" in sys.argv:
            print(f"{name}: {place}\n    {sentences[0]}")
    for name, path, value in OPEN_FAULTS:
        sentences = assert_template.sentences(broken(templates["open"], path, value))
        if not any(sentence.startswith(f"{name}:") for sentence in sentences):
            open_silent.append(f"{name} did not notice {'.'.join(map(str, path))}")
    never = {function.__name__ for function in assertions.CHECKS} - {fault[0] for fault in FAULTS}
    silent += open_silent + [f"{name} is never seen to fail" for name in sorted(never)]
    if silent:
        raise SystemExit("\n".join(silent))
    print(f"{len(FAULTS) + len(OPEN_FAULTS)} faults, each noticed by its assertion; {len(assertions.CHECKS)} assertions")


if __name__ == "__main__":
    main()
