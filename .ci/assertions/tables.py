"""Tables."""

from assertions import check
from assertions.reading import environment, of_type, tables, text

# Name behind the stack's → key attributes, and what TTL deletes. What never expires has none.
TABLES = {
    "registry": (["pk"], None),
    "parameters": (["symbol"], None),
    "submissions": (["owner", "clOrdId"], "expiresAt"),
    "interests": (["book", "rank"], "expiresAt"),
    "matches": (["matchId"], "expiresAt"),
    "keys": (["epoch"], "expiresAt"),
    "control": (["pk"], None),
}

# Strongly consistent over two regions and a witness: no TTL, no transactions, no stream needed.
STRONG = "control"

REGIONS = [{"Ref": "AWS::Region"}, {"Ref": "PeerRegion"}]


def short(table):
    return text(table["TableName"]).removeprefix("${AWS::StackName}-")


@check
def tables_are_those_of_the_design(template):
    for name in of_type(template, "AWS::DynamoDB::Table"):
        yield f"{name}: not a global table"
    wanted = TABLES.keys() if environment(template) == "primary" else set()
    found = {text(t["TableName"]) for t in tables(template).values()}
    if found != {f"${{AWS::StackName}}-{name}" for name in wanted}:
        yield f"tables of {environment(template)} are {sorted(found)}"


@check
def tables_have_their_keys(template):
    for name, table in tables(template).items():
        keys, _ = TABLES.get(short(table), ([], None))
        schema = [(k["AttributeName"], k["KeyType"]) for k in table["KeySchema"]]
        if schema != list(zip(keys, ["HASH", "RANGE"])):
            yield f"{name}: keyed by {schema}"
        if {a["AttributeName"]: a["AttributeType"] for a in table["AttributeDefinitions"]} != dict.fromkeys(keys, "S"):
            yield f"{name}: defines other attributes than its keys, as strings"


@check
def tables_expire_what_the_design_says(template):
    for name, table in tables(template).items():
        _, attribute = TABLES.get(short(table), ([], None))
        wanted = {"AttributeName": attribute, "Enabled": True} if attribute else None
        if table.get("TimeToLiveSpecification") != wanted:
            yield f"{name}: TTL is {table.get('TimeToLiveSpecification')}"


@check
def tables_are_encrypted_with_our_keys(template):
    """In each region with that region's key, which bears the same id; the registry with one of its own."""
    for name, table in tables(template).items():
        key = "RegistryKey" if short(table) == "registry" else "DataKey"
        if table.get("SSESpecification") != {"SSEEnabled": True, "SSEType": "KMS"}:
            yield f"{name}: SSE is {table.get('SSESpecification')}"
        here = f"{key}.Arn"
        there = f"arn:${{AWS::Partition}}:kms:${{PeerRegion}}:${{AWS::AccountId}}:key/${{{key}}}"
        found = [text(r.get("SSESpecification", {}).get("KMSMasterKeyId")) for r in table["Replicas"]]
        if found != [here, there]:
            yield f"{name}: its replicas are under {found}"


@check
def tables_can_be_restored_to_any_second(template):
    for name, table in tables(template).items():
        for replica in table["Replicas"]:
            if replica.get("PointInTimeRecoverySpecification") != {
                "PointInTimeRecoveryEnabled": True,
                "RecoveryPeriodInDays": {"Ref": "PointInTimeRecoveryDays"},
            }:
                yield f"{name}: a replica without point-in-time recovery"


@check
def tables_have_replicas_in_both_regions(template):
    for name, table in tables(template).items():
        if [r["Region"] for r in table["Replicas"]] != REGIONS:
            yield f"{name}: replicas in {[r['Region'] for r in table['Replicas']]}"


@check
def tables_replicate_as_they_must(template):
    for name, table in tables(template).items():
        strong = table.get("MultiRegionConsistency"), table.get("GlobalTableWitnesses")
        if short(table) == STRONG:
            if strong != ("STRONG", [{"Region": {"Ref": "WitnessRegion"}}]):
                yield f"{name}: {strong}, not strongly consistent with a witness"
        elif strong != (None, None):
            yield f"{name}: {strong}; transactions and TTL need eventual consistency"
        elif table.get("StreamSpecification") != {"StreamViewType": "NEW_AND_OLD_IMAGES"}:
            yield f"{name}: a table with two replicas has to have a stream of both images"


@check
def tables_are_paid_as_the_parameter_says(template):
    for name, table in tables(template).items():
        wanted = "PAY_PER_REQUEST" if short(table) == STRONG else {"Ref": "TableBillingMode"}
        if table.get("BillingMode") != wanted:
            yield f"{name}: {table.get('BillingMode')}"
        provisioned = "WriteProvisionedThroughputSettings" in table
        if any(("ReadProvisionedThroughputSettings" in r) != provisioned for r in table["Replicas"]):
            yield f"{name}: reads and writes are provisioned together or not at all"


@check
def tables_refuse_deletion_by_default(template):
    for name, table in tables(template).items():
        for replica in table["Replicas"]:
            if replica.get("DeletionProtectionEnabled") != {"Ref": "TableDeletionProtection"}:
                yield f"{name}: a replica without deletion protection"
    if template["Parameters"].get("TableDeletionProtection", {}).get("Default", "true") != "true":
        yield "TableDeletionProtection: off by default"


@check
def replicas_are_counted_to_the_stack(template):
    """A stack's own tags do not reach the replica of the other region."""
    for name, table in tables(template).items():
        for replica in table["Replicas"]:
            if replica.get("Tags") != [{"Key": "symbolon:stack", "Value": {"Ref": "AWS::StackName"}}]:
                yield f"{name}: a replica without the tag for cost allocation"


@check
def what_holds_data_outlives_the_stack(template):
    lasting = {
        "AWS::DynamoDB::GlobalTable", "AWS::KMS::Key", "AWS::KMS::ReplicaKey", "AWS::S3::Bucket",
        "AWS::Backup::BackupVault", "AWS::Logs::LogGroup",
    }  # fmt: skip
    for name, resource in template["Resources"].items():
        if resource["Type"] in lasting:
            kept = resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy")
            if kept != ("RetainExceptOnCreate", "Retain"):
                yield f"{name}: {kept}"
