"""What the emulator of the end-to-end run cannot take of the template, and what is done instead. All of it is here.

    adapt.py template BUILT TARGET      a template without what the emulator's CloudFormation refuses
    adapt.py before STEP                what has to be there before the step, made by API
    adapt.py after STEP                 what the emulator's CloudFormation ignores, made by API

BUILT is what `sam build` wrote. STEP is a config environment of samconfig.toml.
"""

import json
import os
import pathlib
import sys

import boto3
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
BUCKETS = ("data", "audit", "quarantine", "backup")


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


def template(built, target):
    read = yaml.load(pathlib.Path(built).read_text(), Loader)
    resources = read["Resources"]
    replicas = {name for name, resource in resources.items() if resource["Type"] == REPLICAS}
    for name, resource in list(resources.items()):
        if resource["Type"] in REFUSED or name in replicas:
            del resources[name]
            print(f"left out: {name} ({resource['Type']})")
    pathlib.Path(target).write_text(yaml.dump(without_replicas(read, replicas), Dumper=Dumper, sort_keys=False))


# ---- By API -------------------------------------------------------------------------------------------------------


def client(service, region):
    return boto3.client(service, region_name=region, endpoint_url=os.environ["AWS_ENDPOINT_URL"])


def output(region, name):
    stack = client("cloudformation", region).describe_stacks(StackName=STACK)["Stacks"][0]
    return next(o["OutputValue"] for o in stack["Outputs"] if o["OutputKey"] == name)


def replicate_keys():
    ids = json.loads(output(HERE, "StandbyParameters"))
    there = client("kms", THERE)
    for key in SHARED_KEYS:
        try:
            there.describe_key(KeyId=ids[f"{key}Id"])
        except there.exceptions.NotFoundException:
            client("kms", HERE).replicate_key(KeyId=ids[f"{key}Id"], ReplicaRegion=THERE)


def replicate_tables():
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


def before(step):
    if step == "standby-foundation":
        replicate_keys()


def after(step):
    if step == "primary":
        replicate_tables()


match sys.argv[1:]:
    case ["template", built, target]:
        template(built, target)
    case ["before", step]:
        before(step)
    case ["after", step]:
        after(step)
    case _:
        raise SystemExit(__doc__)
