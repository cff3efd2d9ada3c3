"""KMS keys."""

from assertions import check
from assertions.reading import (
    environment, is_all, is_primary, key_statements, keys_of, listed, named, of_type, text,
)  # fmt: skip

# Multi-Region: made by the primary, replicated by the standby. The others are each region's own.
SHARED = {"TokenKey", "DataKey", "RegistryKey", "BucketKey", "QuarantineKey"}
OWN = {"QueueKey", "InboxKey", "OperationsKey", "BackupKey", "AuditSigningKey"}

# What opens, makes or hands on the use of a key, and so belongs to nobody who only administers it.
KEY_USES = {
    "kms:CreateGrant", "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyPair",
    "kms:GenerateDataKeyPairWithoutPlaintext", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
}  # fmt: skip

# Who may use the registry's key, and through what.
REGISTRY_USERS = {
    "UseThroughTable", "OnboardThroughTable", "FollowCanariesThroughTable", "BackUpThroughTable", "CreateTable",
    "Replicate",
}  # fmt: skip



def replica_of(name):
    return name.removesuffix("Replica")


@check
def keys_are_those_of_the_design(template):
    own = OWN if is_all(template) or not is_primary(template) else OWN - {"BackupKey"}
    own = own if is_all(template) else own - {"AuditSigningKey"}
    shared = SHARED if is_primary(template) else {f"{name}Replica" for name in SHARED}
    found = of_type(template, "AWS::KMS::Key", "AWS::KMS::ReplicaKey")
    if found.keys() != own | shared:
        yield f"keys of {environment(template)} are {sorted(found)}"


@check
def keys_rotate(template):
    for name, key in of_type(template, "AWS::KMS::Key").items():
        if key.get("KeySpec", "SYMMETRIC_DEFAULT") != "SYMMETRIC_DEFAULT":
            continue  # KMS rotates symmetric keys alone
        if key.get("EnableKeyRotation") is not True:
            yield f"{name}: does not rotate"


@check
def keys_can_be_called_back_for_a_month(template):
    """What is under a key is gone with it: 30 days, the longest that KMS has, are there to hear the alarm."""
    for name, key in of_type(template, "AWS::KMS::Key", "AWS::KMS::ReplicaKey").items():
        if key.get("PendingWindowInDays") != 30:
            yield f"{name}: gone {key.get('PendingWindowInDays')} days after somebody wants it deleted"


@check
def statements_are_signed_by_the_audit_alone(template):
    role = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/${AWS::StackName}-token-audit-${AWS::Region}"
    for name, key in of_type(template, "AWS::KMS::Key").items():
        if name == "AuditSigningKey" and (key.get("KeySpec"), key.get("KeyUsage")) != ("ECC_NIST_P256", "SIGN_VERIFY"):
            yield f"{name}: {key.get('KeySpec')} for {key.get('KeyUsage')}, and the log's format wants P-256"
    for name, statement in key_statements(template):
        if not set(listed(statement["Action"])) & {"kms:Sign", "kms:Verify"}:
            continue
        condition = statement.get("Condition", {})
        caller = text(condition.get("ArnEquals", {}).get("aws:PrincipalArn"))
        form = {"kms:MessageType": "RAW", "kms:SigningAlgorithm": "ECDSA_SHA_256"}
        if name != "AuditSigningKey" or caller != role or condition.get("StringEquals") != form:
            yield f"{name}: {named(statement)} signs for {caller}"


@check
def shared_keys_serve_both_regions(template):
    for name, key in of_type(template, "AWS::KMS::Key").items():
        if name in SHARED and (key.get("MultiRegion") is not True or key.get("KeySpec") != "SYMMETRIC_DEFAULT"):
            yield f"{name}: not a symmetric multi-Region key; it cannot be made one later"
    for name, key in of_type(template, "AWS::KMS::ReplicaKey").items():
        primary = f"arn:${{AWS::Partition}}:kms:${{PeerRegion}}:${{AWS::AccountId}}:key/${{{replica_of(name)}Id}}"
        if text(key["PrimaryKeyArn"]) != primary:
            yield f"{name}: replicates {text(key['PrimaryKeyArn'])}"


@check
def replicas_of_tables_are_made_from_either_region(template):
    """DynamoDB calls across regions for them, and what it keeps using is a grant."""
    both = {f"dynamodb.${{{region}}}.amazonaws.com" for region in ("AWS::Region", "PeerRegion")}
    for name, statement in key_statements(template):
        services = listed(statement.get("Condition", {}).get("StringEquals", {}).get("kms:ViaService", []))
        services = {text(service) for service in services if "dynamodb." in str(text(service))}
        if "kms:CreateGrant" in listed(statement["Action"]) and services not in (set(), both):
            yield f"{name}: {named(statement)} lets in {sorted(services)} alone"


@check
def keys_are_administered_without_being_used(template):
    for name, statement in key_statements(template):
        actions = set(listed(statement["Action"]))
        if any("*" in action for action in actions):
            yield f"{name}: {named(statement)} allows by wildcard"
        if "Condition" not in statement and actions & KEY_USES:
            yield f"{name}: {named(statement)} allows {sorted(actions & KEY_USES)} without a condition"
        principal = statement["Principal"]
        if principal == "*" or "*" in str(text(principal.get("AWS", ""))):
            if not {"kms:CallerAccount", "aws:PrincipalArn", "kms:ViaService"} <= keys_of(statement):
                yield f"{name}: {named(statement)} is for everybody"
        if "Service" in principal and not keys_of(statement) & {
            "aws:SourceAccount", "aws:SourceArn", "kms:EncryptionContext:aws:logs:arn",
            "kms:EncryptionContext:aws:sns:topicArn",
        }:  # fmt: skip
            yield f"{name}: {named(statement)} lets a service act for other accounts"


@check
def tokens_are_opened_by_the_matcher_and_settlement_alone(template):
    purpose = {"kms:EncryptionContext:purpose": "symbolon/token"}
    settlement = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/${AWS::StackName}-settlement"
    auditor = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/${AWS::StackName}-token-audit-${AWS::Region}"
    # Objects of one bucket, whose context no epoch's key has.
    set_aside = {
        "kms:EncryptionContext:aws:s3:arn":
            "arn:${AWS::Partition}:s3:::${AWS::StackName}-stream-records-${AWS::AccountId}-${AWS::Region}",
        "kms:ViaService": "s3.${AWS::Region}.amazonaws.com",
    }  # fmt: skip
    for name, statement in key_statements(template):
        if replica_of(name) != "TokenKey" or not set(listed(statement["Action"])) & KEY_USES:
            continue
        condition = statement.get("Condition", {})
        found = {key: text(value) for key, value in condition.get("StringEquals", {}).items()}
        caller = text(condition.get("ArnEquals", {}).get("aws:PrincipalArn"))
        if (found, caller) == (set_aside, auditor):
            continue
        if found != purpose:
            yield f"{name}: {named(statement)} is for other purposes too"
        if text(statement["Principal"]["AWS"]) == "MatcherRole.Arn":
            continue
        if caller != settlement or listed(statement["Action"]) != ["kms:Decrypt"]:
            yield f"{name}: {named(statement)} is for {caller or text(statement['Principal']['AWS'])}"


@check
def the_registry_is_opened_by_few(template):
    for name, statement in key_statements(template):
        if replica_of(name) != "RegistryKey" or not set(listed(statement["Action"])) & KEY_USES:
            continue
        if named(statement) not in REGISTRY_USERS:
            yield f"{name}: {named(statement)} is one too many"
        everybody = text(statement["Principal"]["AWS"]) != "MatcherRole.Arn"
        if everybody and not keys_of(statement) & {"aws:PrincipalArn", "aws:CalledVia"}:
            yield f"{name}: {named(statement)} is for whom IAM lets"
        if "kms:ViaService" not in keys_of(statement):
            yield f"{name}: {named(statement)} is not for the table alone"
