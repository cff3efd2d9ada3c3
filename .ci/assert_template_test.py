"""Breaks the translated template once or more for every assertion, and fails where an assertion does not notice.

    assert_template_test.py TRANSLATED [-v]
"""

import copy
import json
import pathlib
import sys

import assert_template as assertions

ABSENT = object()

# What to break: the assertion that must notice, where (a path into the template), and what to put there.
RESOURCES = "Resources"
POLICY = (RESOURCES, "MatcherPolicy", "Properties", "PolicyDocument", "Statement")


def of(resource, *path):
    return (RESOURCES, resource, "Properties", *path)


def statement(resource, index, *path):
    return of(resource, "KeyPolicy", "Statement", index, *path)


FAULTS = [
    ("visibility_outlasts_six_invocations", of("IntakeQueue", "VisibilityTimeout"), 239),
    ("visibility_outlasts_six_invocations", of("IntakeQueue", "VisibilityTimeout"), ABSENT),
    ("visibility_outlasts_six_invocations", of("MatcherFunction", "Timeout"), 31),
    ("visibility_outlasts_six_invocations", ("Parameters", "MatcherBatchWindowSeconds", "MaxValue"), 61),
    ("mappings_report_failures_one_by_one", of("MatcherFunctionIntake", "FunctionResponseTypes"), ABSENT),
    ("mappings_bound_their_concurrency", of("MatcherFunctionIntake", "ScalingConfig"), ABSENT),
    ("mappings_bound_their_concurrency", ("Parameters", "MatcherMaximumConcurrency", "MinValue"), 1),
    ("mappings_bound_their_concurrency", of("MatcherFunction", "ReservedConcurrentExecutions"), 5),
    ("large_batches_have_a_window", ("Parameters", "MatcherBatchWindowSeconds", "MinValue"), 0),
    ("large_batches_have_a_window", ("Parameters", "MatcherBatchSize", "MaxValue"), 10_001),
    ("sources_have_a_dead_letter_queue", of("IntakeQueue", "RedrivePolicy"), ABSENT),
    ("replaces_may_wait", of("IntakeQueue", "RedrivePolicy", "maxReceiveCount"), 4),
    ("dead_letters_outlive_their_source", of("IntakeDlq", "MessageRetentionPeriod"), ABSENT),
    ("dead_letters_outlive_their_source", of("IntakeQueue", "MessageRetentionPeriod"), 1_209_600),
    ("dead_letter_queues_take_from_their_source_only", of("IntakeDlq", "RedriveAllowPolicy"), ABSENT),
    ("dead_letter_queues_take_from_their_source_only", of("IntakeQueue", "QueueName"), "other"),
    ("queues_are_encrypted_with_our_keys", of("IntakeDlq", "KmsMasterKeyId"), ABSENT),
    ("queues_are_encrypted_with_our_keys", of("IntakeQueue", "KmsMasterKeyId"), "alias/aws/sqs"),
    ("queues_take_tls_only", (RESOURCES, "IntakeDlqPolicy"), ABSENT),
    ("queues_take_tls_only", of("IntakeQueuePolicy", "PolicyDocument", "Statement", 0, "Effect"), "Allow"),
    ("queues_take_tls_only", of("IntakeQueuePolicy", "PolicyDocument", "Statement", 0, "Condition"), ABSENT),
    ("queues_are_open_to_nobody", of("IntakeQueuePolicy", "PolicyDocument", "Statement", 0, "Effect"), "Allow"),
    ("tables_are_those_of_the_design", (RESOURCES, "Keys"), ABSENT),
    ("tables_are_those_of_the_design", of("Registry", "TableName"), "registry"),
    ("tables_are_those_of_the_design", (RESOURCES, "Registry", "Type"), "AWS::DynamoDB::Table"),
    ("tables_have_their_keys", of("Submissions", "KeySchema", 1, "AttributeName"), "id"),
    ("tables_have_their_keys", of("Interests", "AttributeDefinitions", 1, "AttributeType"), "N"),
    ("tables_expire_what_the_design_says", of("Matches", "TimeToLiveSpecification"), ABSENT),
    ("tables_expire_what_the_design_says", of("Keys", "TimeToLiveSpecification", "Enabled"), False),
    ("tables_expire_what_the_design_says", of("Interests", "TimeToLiveSpecification", "AttributeName"), "ttl"),
    ("tables_are_encrypted_with_our_keys", of("Matches", "SSESpecification"), ABSENT),
    ("tables_are_encrypted_with_our_keys", of("Keys", "Replicas", 0, "SSESpecification"), ABSENT),
    ("tables_can_be_restored_to_any_second", of("Registry", "Replicas", 0, "PointInTimeRecoverySpecification"), ABSENT),
    ("tables_are_paid_by_request_here", of("Registry", "BillingMode"), "PROVISIONED"),
    ("tables_are_paid_by_request_here", of("Registry", "Replicas", 0, "Region"), "us-east-1"),
    ("what_holds_data_outlives_the_stack", (RESOURCES, "Interests", "DeletionPolicy"), ABSENT),
    ("what_holds_data_outlives_the_stack", (RESOURCES, "TokenKey", "UpdateReplacePolicy"), "Delete"),
    ("tables_refuse_deletion_by_default", of("Matches", "Replicas", 0, "DeletionProtectionEnabled"), False),
    ("tables_refuse_deletion_by_default", ("Parameters", "TableDeletionProtection", "Default"), "false"),
    ("keys_rotate", of("InboxKey", "EnableKeyRotation"), False),
    ("token_key_serves_both_regions", of("TokenKey", "MultiRegion"), ABSENT),
    ("keys_are_administered_without_being_used", statement("DataKey", 0, "Action"), "kms:*"),
    ("keys_are_administered_without_being_used", statement("DataKey", 1, "Condition"), ABSENT),
    ("keys_are_administered_without_being_used", statement("InboxKey", 1, "Principal"), {"AWS": "*"}),
    ("only_the_matcher_opens_epochs", statement("TokenKey", 1, "Principal", "AWS"), "arn:aws:iam::1:root"),
    ("only_the_matcher_opens_epochs", statement("TokenKey", 1, "Condition"), ABSENT),
    ("roles_allow_without_wildcards", (*POLICY, 0, "Action"), "sqs:*"),
    ("roles_allow_without_wildcards", (*POLICY, 4, "Resource"), "*"),
    ("roles_allow_without_wildcards", (*POLICY, 2, "Resource"), {"Fn::Sub": "arn:${AWS::Partition}:sqs:*"}),
    ("roles_use_keys_for_their_purpose_only", (*POLICY, 9, "Condition"), ABSENT),
    ("roles_use_keys_for_their_purpose_only", (*POLICY, 11, "Condition"), ABSENT),
    ("roles_have_no_managed_policies", of("MatcherRole", "ManagedPolicyArns"), ["arn:aws:iam::aws:policy/Any"]),
    (
        "function_roles_trust_lambda_alone",
        of("MatcherRole", "AssumeRolePolicyDocument", "Statement", 0, "Principal"),
        {"AWS": "*"},
    ),
    ("condition_keys_are_spelt_right", (*POLICY, 10, "Condition"), {"StringEquals": {"kms:viaService": "any"}}),
    ("functions_are_those_of_the_contract", of("MatcherFunction", "FunctionName"), "Matcher"),
    ("functions_are_those_of_the_contract", of("MatcherFunction", "Runtime"), "provided.al2"),
    ("functions_are_those_of_the_contract", of("MatcherFunction", "Architectures"), ABSENT),
    ("functions_are_those_of_the_contract", ("Parameters", "Architecture", "Default"), "x86_64"),
    (
        "functions_build_their_own_binary",
        (RESOURCES, "MatcherFunction", "Metadata", "BuildProperties", "Binary"),
        "relay",
    ),
    ("functions_have_their_settings", of("MatcherFunction", "Environment", "Variables", "KEYS_TABLE"), ABSENT),
    ("functions_have_their_settings", of("MatcherFunction", "Environment", "Variables", "EXTRA"), "1"),
    ("functions_log_no_payloads", of("MatcherFunction", "Environment", "Variables", "RUST_LOG"), "trace"),
    ("logs_end", of("MatcherLogGroup", "RetentionInDays"), ABSENT),
    ("logs_end", of("MatcherFunction", "LoggingConfig"), ABSENT),
    ("outputs_are_those_of_the_contract", ("Outputs", "InboxKeyArn"), ABSENT),
    ("outputs_are_those_of_the_contract", ("Outputs", "TokenKeyArn", "Value"), {"Ref": "TokenKey"}),
    ("outputs_are_those_of_the_contract", ("Outputs", "Extra"), {"Value": "1"}),
]


def broken(template, path, value):
    template = copy.deepcopy(template)
    *way, last = path
    place = template
    for step in way:
        place = place[step]
    if value is ABSENT:
        del place[last]
    else:
        place[last] = value
    return template


def main():
    template = json.loads(pathlib.Path(sys.argv[1]).read_text())
    silent = []
    if assertions.faults(template):
        raise SystemExit("the template must be whole before it is broken")
    for name, path, value in FAULTS:
        where = ".".join(map(str, path)) + (" absent" if value is ABSENT else f" = {value}")
        sentences = assertions.faults(broken(template, path, value)).get(name)
        if not sentences:
            silent.append(f"{name} did not notice {where}")
        elif "-v" in sys.argv:
            print(f"{name}: {where}\n    {sentences[0]}")
    never = {function.__name__ for function in assertions.CHECKS} - {name for name, _, _ in FAULTS}
    silent += [f"{name} is never seen to fail" for name in sorted(never)]
    if silent:
        raise SystemExit("\n".join(silent))
    print(f"{len(FAULTS)} faults, each noticed by its assertion; {len(assertions.CHECKS)} assertions")


main()
