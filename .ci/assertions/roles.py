"""What roles may do, and who may assume them."""

from assertions import check
from assertions.reading import (
    bucket_statements, functions, identity_statements, is_all, is_primary, key_statements, keys_of, listed, named,
    of_type, queue_statements, target, text, topic_statements, trust_statements,
)  # fmt: skip

ACCOUNT = "arn:${AWS::Partition}:iam::${AWS::AccountId}"
COUNTERPARTIES = f"{ACCOUNT}:role/${{AWS::StackName}}/counterparty/*"

# The only wildcards in what an identity policy allows, each with its reason.
WILDCARDS = {
    # Inbox queues are made by onboarding, after the stack.
    "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:${AWS::StackName}-inbox-*": {
        "MatcherPolicy", "OnboardingPolicy",
    },
    "arn:${AWS::Partition}:sqs:${PeerRegion}:${AWS::AccountId}:${AWS::StackName}-inbox-*": {"OnboardingPolicy"},
    COUNTERPARTIES: {"OnboardingPolicy"},
    # The stack; what follows is an id that it is given when it is made.
    **{
        f"arn:${{AWS::Partition}}:cloudformation:${{{region}}}:${{AWS::AccountId}}:stack/${{AWS::StackName}}/*": {
            "OnboardingPolicy", *({"BackupCheckPolicy"} if region == "AWS::Region" else ()),
        }
        for region in ("AWS::Region", "PeerRegion")
    },
    # Objects of one bucket, or of one prefix.
    **{
        f"arn:${{AWS::Partition}}:s3:::${{AWS::StackName}}-{bucket}-${{AWS::AccountId}}-${{{region}}}/*": {
            "ReplicationRole",
        }
        for bucket in ("data", "audit", "quarantine", "backup")
        for region in ("AWS::Region", "PeerRegion")
    },
    **{
        f"arn:${{AWS::Partition}}:s3:::${{AWS::StackName}}-data-${{AWS::AccountId}}-${{{region}}}"
        "/${!aws:PrincipalTag/symbolon:counterparty}/*": {"CounterpartyPolicy", "CounterpartyBoundary"}
        for region in ("AWS::Region", "PeerRegion")
    },
    # The queues' keys differ by region and are known by their aliases, which a condition names.
    **{
        f"arn:${{AWS::Partition}}:kms:${{{region}}}:${{AWS::AccountId}}:key/*": {
            "CounterpartyPolicy", "CounterpartyBoundary",
        }
        for region in ("AWS::Region", "PeerRegion")
    },
    "${AuditBucket.Arn}/${AWS::Region}/*": {"TokenAuditPolicy"},
    "${QuarantineBucket.Arn}/v1/*": {"DlqRedrivePolicy"},
    "${BackupBucket.Arn}/backup-check/${AWS::Region}/*": {"BackupCheckPolicy"},
    "${BackupBucket.Arn}/backup-check/*": {"OperatorPolicy"},
    "arn:${AWS::Partition}:s3:::${AWS::StackName}-backup-${AWS::AccountId}-${PeerRegion}/backup-check/*": {"OperatorPolicy"},
    "arn:${AWS::Partition}:s3:::${AWS::StackName}-backup-${AWS::AccountId}-${PeerRegion}"
    "/functions/${AWS::StackName}/${AWS::Region}/*": {"BackupCheckPolicy"},
    "${StreamRecordsBucket.Arn}/aws/lambda/*": {"TokenAuditPolicy"},
    # Descriptions of all tables of the stack.
    "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${AWS::StackName}-*": {
        "BackupCheckPolicy", "OperatorPolicy",
    },
    "arn:${AWS::Partition}:dynamodb:${PeerRegion}:${AWS::AccountId}:table/${AWS::StackName}-*": {"OperatorPolicy"},
    # Streams of one group.
    **{
        f"arn:${{AWS::Partition}}:{what}": {"OperatorPolicy"}
        for region in ("AWS::Region", "PeerRegion")
        for what in (
            f"logs:${{{region}}}:${{AWS::AccountId}}:log-group:/aws/lambda/matcher:*",
            f"logs:${{{region}}}:${{AWS::AccountId}}:log-group:/aws/lambda/token-audit:*",
            f"logs:${{{region}}}:${{AWS::AccountId}}:log-group:/aws/lambda/dlq-redrive:*",
            f"logs:${{{region}}}:${{AWS::AccountId}}:log-group:/aws/lambda/backup-check:*",
        )
    },
}  # fmt: skip

# Statements about everything, because their actions know no resources that could be told apart.
EVERYTHING = {
    ("MatcherPolicy", "Trace"): {"xray:PutTelemetryRecords", "xray:PutTraceSegments"},
    ("TokenAuditPolicy", "Trace"): {"xray:PutTelemetryRecords", "xray:PutTraceSegments"},
    ("DlqRedrivePolicy", "Trace"): {"xray:PutTelemetryRecords", "xray:PutTraceSegments"},
    ("BackupCheckPolicy", "Trace"): {"xray:PutTelemetryRecords", "xray:PutTraceSegments"},
    ("BackupCheckPolicy", "LookAround"): {
        "backup:ListRestoreJobs", "cloudwatch:GetMetricData", "lambda:ListEventSourceMappings",
    },
    ("DlqRedrivePolicy", "KnowConsumers"): {"cloudwatch:GetMetricData", "lambda:ListEventSourceMappings"},
    ("OperatorPolicy", "Watch"): {
        "backup:DescribeBackupJob", "backup:DescribeCopyJob", "backup:ListBackupJobs", "backup:ListCopyJobs",
        "backup:ListRestoreJobs", "cloudwatch:DescribeAlarmHistory", "cloudwatch:DescribeAlarms",
        "cloudwatch:GetDashboard", "cloudwatch:GetMetricData", "cloudwatch:GetMetricStatistics",
        "cloudwatch:ListDashboards", "cloudwatch:ListMetrics", "lambda:GetEventSourceMapping",
        "lambda:ListEventSourceMappings", "logs:DescribeLogGroups", "logs:GetQueryResults", "sqs:ListQueues",
        "xray:BatchGetTraces", "xray:GetTraceSummaries",
    },
}  # fmt: skip

# AWS Backup's own policies: what the service needs grows with it, and only the service may assume the role.
MANAGED = {
    "BackupRole": [
        "arn:${AWS::Partition}:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup",
        "arn:${AWS::Partition}:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForRestores",
    ],
}

# A misspelt condition key is no error to AWS: the condition then never holds, or always does.
CONDITION_KEYS = {
    "aws:CalledVia", "aws:MultiFactorAuthPresent", "aws:PrincipalArn", "aws:PrincipalTag/symbolon:counterparty",
    "aws:SecureTransport", "aws:SourceAccount", "aws:SourceArn", "aws:TagKeys", "dynamodb:Attributes",
    "dynamodb:LeadingKeys", "dynamodb:Select", "iam:PermissionsBoundary", "iam:PolicyARN", "kms:CallerAccount",
    "events:source", "kms:EncryptionContext:aws:logs:arn", "kms:EncryptionContext:aws:s3:arn",
    "kms:EncryptionContext:aws:sns:topicArn", "kms:EncryptionContext:purpose", "kms:MessageType",
    "kms:ResourceAliases", "kms:SigningAlgorithm", "kms:ViaService",
    "s3:x-amz-acl", "s3:x-amz-server-side-encryption", "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "s3:x-amz-server-side-encryption-customer-algorithm",
}  # fmt: skip

PEOPLE = {
    "OperatorRole": "operator", "SettlementRole": "settlement", "OnboardingRole": "onboarding",
    "QuarantineRole": "quarantine",
}  # fmt: skip

# What each service role is for.
SERVICES = {
    "MatcherRole": "lambda.amazonaws.com",
    "TokenAuditRole": "lambda.amazonaws.com",
    "TokenAuditScheduleRole": "scheduler.amazonaws.com",
    "DlqRedriveRole": "lambda.amazonaws.com",
    "DlqRedriveScheduleRole": "scheduler.amazonaws.com",
    "BackupCheckRole": "lambda.amazonaws.com",
    "BackupCheckScheduleRole": "scheduler.amazonaws.com",
    "AuditHeadsRole": "events.amazonaws.com",
    "ReplicationRole": "s3.amazonaws.com",
    "TrailRole": "cloudtrail.amazonaws.com",
    "BackupRole": "backup.amazonaws.com",
}


def allowed(template):
    return [(name, s) for name, s in identity_statements(template) if s["Effect"] == "Allow"]


@check
def roles_allow_without_wildcards(template):
    for name, statement in allowed(template):
        if "NotAction" in statement or "NotResource" in statement:
            yield f"{name}: {named(statement)} allows all but something"
            continue
        for action in listed(statement["Action"]):
            if "*" in action:
                yield f"{name}: {named(statement)} allows {action}"
        if listed(statement["Resource"]) == ["*"]:
            if not set(listed(statement["Action"])) <= EVERYTHING.get((name, named(statement)), set()):
                yield f"{name}: {named(statement)} is about everything"
            continue
        for resource in map(text, listed(statement["Resource"])):
            if "*" in str(resource) and name not in WILDCARDS.get(str(resource), ()):
                yield f"{name}: {named(statement)} is about {resource}"


@check
def roles_use_keys_for_their_purpose_only(template):
    for name, statement in allowed(template):
        actions = set(listed(statement["Action"]))
        if any(action.startswith("kms:") for action in actions - {"kms:DescribeKey", "kms:GetKeyRotationStatus"}):
            if not keys_of(statement) & {"kms:ViaService", "kms:EncryptionContext:purpose", "kms:SigningAlgorithm"}:
                yield f"{name}: {named(statement)} uses a key for anything"
            if any("key/*" in str(text(r)) for r in listed(statement["Resource"])):
                if "kms:ResourceAliases" not in keys_of(statement):
                    yield f"{name}: {named(statement)} uses any key"


@check
def roles_have_no_managed_policies_of_others(template):
    for name, role in of_type(template, "AWS::IAM::Role").items():
        if [text(p) for p in role.get("ManagedPolicyArns", [])] != MANAGED.get(name, []):
            yield f"{name}: a managed policy allows more than we read here"


@check
def roles_are_those_of_the_design(template):
    wanted = {"MatcherRole"}
    if is_primary(template):
        wanted |= PEOPLE.keys() | {"BackupRole"}
    if is_all(template):
        wanted |= SERVICES.keys() - {"BackupRole"}
    roles = of_type(template, "AWS::IAM::Role")
    if roles.keys() != wanted:
        yield f"roles are {sorted(roles)}"
    for name, short in PEOPLE.items():
        if name in roles and text(roles[name].get("RoleName")) != f"${{AWS::StackName}}-{short}":
            yield f"{name}: key policies of both regions name it otherwise"


@check
def service_roles_trust_their_service_alone(template):
    for name, statement in trust_statements(template):
        if name in PEOPLE:
            continue
        if (statement["Principal"], statement["Action"]) != ({"Service": SERVICES.get(name)}, "sts:AssumeRole"):
            yield f"{name}: trusts {statement['Principal']}"
        # Lambda checks iam:PassRole of whoever makes the function; the others act for any account that asks.
        if SERVICES.get(name) != "lambda.amazonaws.com" and not keys_of(statement) & {"aws:SourceAccount", "aws:SourceArn"}:
            yield f"{name}: {SERVICES.get(name)} may assume it for another account"
    for name, function in functions(template).items():
        if target(function["Role"]) not in of_type(template, "AWS::IAM::Role"):
            yield f"{name}: its role is none of this template"


@check
def people_identify_twice(template):
    wanted = ({"AWS": {"Fn::Sub": f"{ACCOUNT}:root"}}, {"Bool": {"aws:MultiFactorAuthPresent": "true"}})
    for name, statement in trust_statements(template):
        if name in PEOPLE and (statement["Principal"], statement.get("Condition")) != wanted:
            yield f"{name}: may be assumed by {statement['Principal']} if {statement.get('Condition')}"


@check
def counterparties_are_made_under_the_boundary(template):
    for name, statement in allowed(template):
        for action in listed(statement["Action"]):
            if not action.startswith("iam:") or action == "iam:GetRole":
                continue
            wanted = {
                "iam:CreateRole": {"ArnEquals": {"iam:PermissionsBoundary": {"Ref": "CounterpartyBoundary"}}},
                "iam:AttachRolePolicy": {"ArnEquals": {"iam:PolicyARN": {"Ref": "CounterpartyPolicy"}}},
                "iam:TagRole": {
                    "ForAllValues:StringEquals": {
                        "aws:TagKeys": ["symbolon:counterparty", "symbolon:inbox", "symbolon:stack"]
                    },
                    "Null": {"aws:TagKeys": "false"},
                },
            }.get(action)
            if wanted is None or statement.get("Condition") != wanted:
                yield f"{name}: {action} on other terms than the boundary's"
            if [text(r) for r in listed(statement["Resource"])] != [COUNTERPARTIES]:
                yield f"{name}: {action} outside the counterparties' path"


@check
def the_boundary_is_the_policy(template):
    policies = of_type(template, "AWS::IAM::ManagedPolicy")
    documents = [p["PolicyDocument"] for p in policies.values()]
    if is_primary(template) and is_all(template):
        if policies.keys() != {"CounterpartyPolicy", "CounterpartyBoundary"} or documents[0] != documents[1]:
            yield "CounterpartyBoundary: what is attached beside the policy would add to it"


@check
def keys_that_may_be_absent_are_asked_for(template):
    """ForAllValues holds where its key is absent, so an Allow under it also asks whether the key is there."""
    for name, statement in allowed(template):
        for test, of in statement.get("Condition", {}).items():
            if not test.startswith("ForAllValues:"):
                continue
            there = statement["Condition"].get("Null", {})
            for key in of:
                if there.get(key) != "false":
                    yield f"{name}: {named(statement)} also holds without {key}"


@check
def condition_keys_are_spelt_right(template):
    everywhere = [
        *identity_statements(template), *key_statements(template), *queue_statements(template),
        *bucket_statements(template), *topic_statements(template), *trust_statements(template),
    ]  # fmt: skip
    for name, statement in everywhere:
        for key in keys_of(statement) - CONDITION_KEYS:
            yield f"{name}: {named(statement)} asks for {key}"
