"""What the emulator of the run from end to end cannot take of the template, and what is done instead. All of it is here.

It ignores, of what the run does not touch, more than is made good here: replication, lifecycle, Object Lock and
encryption of buckets, and every policy (the table of who may do what asks those).
"""

import json
import pathlib

import yaml

HERE, THERE = "us-east-1", "us-west-2"
ACCOUNT = "000000000000"
STACK = "symbolon"

# Refused as a whole. None of them takes part in what the run shows.
REFUSED = {
    "AWS::Backup::BackupSelection": "not known",
    "AWS::Backup::RestoreTestingPlan": "not known",
    "AWS::Backup::RestoreTestingSelection": "not known",
    "AWS::Budgets::Budget": "not known",
    "AWS::CloudTrail::Trail": "not known",
}

# Known to its API, not to its CloudFormation: made before the stack, and named by ARN in it.
REPLICAS = "AWS::KMS::ReplicaKey"
SHARED_KEYS = ("TokenKey", "DataKey", "RegistryKey", "BucketKey", "QuarantineKey")

TABLES = ("registry", "parameters", "submissions", "interests", "matches", "keys", "control")
TTL_TABLES = ("submissions", "interests", "matches", "keys")

# Its SenderId is the account's id for everybody. So the account is the role that may send on behalf of others, and
# counterparties are told apart by the envelopes that it sends.
SENDER = ACCOUNT


class Tagged:
    """A short intrinsic, kept as it was written."""

    def __init__(self, tag, node):
        self.tag, self.node = tag, node


class Loader(yaml.SafeLoader):
    pass


class Dumper(yaml.SafeDumper):
    def ignore_aliases(self, _):
        return True


def construct(loader, suffix, node):
    if isinstance(node, yaml.ScalarNode):
        return Tagged(f"!{suffix}", loader.construct_scalar(node))
    if isinstance(node, yaml.SequenceNode):
        return Tagged(f"!{suffix}", loader.construct_sequence(node, deep=True))
    return Tagged(f"!{suffix}", loader.construct_mapping(node, deep=True))


def represent(dumper, tagged):
    if isinstance(tagged.node, str):
        return dumper.represent_scalar(tagged.tag, tagged.node)
    if isinstance(tagged.node, list):
        return dumper.represent_sequence(tagged.tag, tagged.node)
    return dumper.represent_mapping(tagged.tag, tagged.node)


Loader.add_multi_constructor("!", construct)
Dumper.add_representer(Tagged, represent)


# ---- Template -----------------------------------------------------------------------------------------------------


def without_replicas(value, replicas):
    """References to replica keys, as the parameters that name them say."""
    match value:
        case Tagged(tag="!GetAtt", node=str(node)) if node.removesuffix(".Arn") in replicas:
            key = node.removesuffix("Replica.Arn")
            return Tagged("!Sub", f"arn:${{AWS::Partition}}:kms:${{AWS::Region}}:${{AWS::AccountId}}:key/${{{key}Id}}")
        case Tagged(tag="!Ref", node=str(node)) if node in replicas:
            return Tagged("!Ref", f"{node.removesuffix('Replica')}Id")
        case Tagged():
            return Tagged(value.tag, without_replicas(value.node, replicas))
        case dict():
            return {key: without_replicas(part, replicas) for key, part in value.items()}
        case list():
            return [without_replicas(part, replicas) for part in value]
    return value


def template(built):
    """The built template without what is refused, and what was left out."""
    read = yaml.load(pathlib.Path(built).read_text(), Loader)
    resources = read["Resources"]
    replicas = {name for name, resource in resources.items() if resource["Type"] == REPLICAS}
    left_out = replicas | {name for name, resource in resources.items() if resource["Type"] in REFUSED}
    for name in left_out:
        del resources[name]
    resources["MatcherFunction"]["Properties"]["Environment"]["Variables"]["BULK_ROLE_ID"] = SENDER
    return yaml.dump(without_replicas(read, replicas), Dumper=Dumper, sort_keys=False), sorted(left_out)


def settings(samconfig, architecture):
    """The config environments, each with the architecture that can be built and run here."""
    anchor = '"WitnessRegion=us-east-2"'
    assert samconfig.count(anchor) == 4, "each environment names the witness"
    return samconfig.replace(anchor, f'{anchor}, "Architecture={architecture}"')


# ---- By API -------------------------------------------------------------------------------------------------------


def before(step, client):
    """What has to be there before the step."""
    if step == "standby-foundation":
        replicate_keys(client)


def after(step, client):
    """What the step would have made, had its CloudFormation not ignored it."""
    if step == "primary":
        replicate_tables(client)
    if step in ("primary", "standby"):
        count_in_numbers(client("lambda", HERE if step == "primary" else THERE))


def replicate_keys(client):
    """Its CloudFormation knows no ReplicaKey."""
    ids = json.loads(output(client, HERE, "StandbyParameters"))
    here, there = client("kms", HERE), client("kms", THERE)
    for key in SHARED_KEYS:
        try:
            there.describe_key(KeyId=ids[f"{key}Id"])
        except there.exceptions.NotFoundException:
            here.replicate_key(KeyId=ids[f"{key}Id"], ReplicaRegion=THERE)


def replicate_tables(client):
    """Its GlobalTable ignores replicas, time to live and point-in-time recovery."""
    here, there = client("dynamodb", HERE), client("dynamodb", THERE)
    for table in TABLES:
        name = f"{STACK}-{table}"
        if name not in there.list_tables()["TableNames"]:
            here.update_table(TableName=name, ReplicaUpdates=[{"Create": {"RegionName": THERE}}])
        for region in (here, there):
            if table in TTL_TABLES:
                ttl = region.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
                if ttl["TimeToLiveStatus"] == "DISABLED":
                    region.update_time_to_live(
                        TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expiresAt"}
                    )
            region.update_continuous_backups(
                TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
            )


def count_in_numbers(functions):
    """Its CloudFormation hands the numbers of parameters to a mapping as text, and its poller cannot compare those.

    A stream's window of a minute is made a second, for this run to end."""
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        if ":dynamodb:" in mapping["EventSourceArn"]:
            functions.update_event_source_mapping(UUID=mapping["UUID"], MaximumBatchingWindowInSeconds=1)
            continue
        functions.update_event_source_mapping(
            UUID=mapping["UUID"],
            BatchSize=int(mapping["BatchSize"]),
            MaximumBatchingWindowInSeconds=int(mapping["MaximumBatchingWindowInSeconds"]),
            ScalingConfig={name: int(value) for name, value in mapping["ScalingConfig"].items()},
        )


def output(client, region, name):
    stack = client("cloudformation", region).describe_stacks(StackName=STACK)["Stacks"][0]
    return next(o["OutputValue"] for o in stack["Outputs"] if o["OutputKey"] == name)
