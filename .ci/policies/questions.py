"""Turns the table of who may do what into questions over the template's own policies.

    questions.py TABLE PRIMARY STANDBY > QUESTIONS

TABLE is table.yaml; PRIMARY and STANDBY are the settled translations of both stacks. A question holds everything that
IAM would look at: the policies of who asks, its boundary, the policy of what is asked for, and the circumstances.
"""

import json
import pathlib
import re
import sys

import yaml

ACCOUNT = "123456789012"
STACK = "symbolon"
HERE, THERE = "us-east-1", "us-west-2"
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}

TAGS = {
    "aws:PrincipalTag/symbolon:counterparty": "cp-a",
    "aws:PrincipalTag/symbolon:inbox": "a",
}

# Multi-Region keys have the same id in both regions.
SHARED = ("TokenKey", "DataKey", "RegistryKey", "BucketKey", "QuarantineKey")
ALIASES = {"QueueKey": "alias/symbolon-queue", "InboxKey": "alias/symbolon-inbox"}


def key_id(name, region):
    name = name.removesuffix("Replica")
    return f"mrk-{SHARED.index(name) + 1:032x}" if name in SHARED else f"{name.lower()}-of-{region}"


def stream(region):
    return f"arn:aws:dynamodb:{region}:{ACCOUNT}:table/{STACK}-matches/stream/2026-01-01T00:00:00.000"


class Stack:
    """A settled template with real names in the place of its references."""

    def __init__(self, path, region, peer):
        self.template = json.loads(pathlib.Path(path).read_text())
        self.resources = self.template["Resources"]
        self.region = region
        self.names = {
            "AWS::Region": region, "AWS::AccountId": ACCOUNT, "AWS::StackName": STACK, "AWS::Partition": "aws",
            "PeerRegion": peer, "MatchesStreamArn": stream(region),
        }  # fmt: skip

    def properties(self, name):
        return self.resources[name]["Properties"]

    def reference(self, name):
        if name in self.names:
            return self.names[name]
        match self.resources[name]["Type"]:
            case "AWS::IAM::Role":
                return self.value(self.properties(name).get("RoleName", f"{STACK}-{name}-{self.region}"))
            case "AWS::IAM::ManagedPolicy":
                return f"arn:aws:iam::{ACCOUNT}:policy/{self.value(self.properties(name)['ManagedPolicyName'])}"
            case "AWS::KMS::Key" | "AWS::KMS::ReplicaKey":
                return key_id(name, self.region)
            case "AWS::S3::Bucket":
                return self.value(self.properties(name)["BucketName"])
            case "AWS::SNS::Topic":
                return f"arn:aws:sns:{self.region}:{ACCOUNT}:{self.value(self.properties(name)['TopicName'])}"
        raise KeyError(f"no Ref of {name}")

    def arn(self, name):
        match self.resources[name]["Type"]:
            case "AWS::IAM::Role":
                return f"arn:aws:iam::{ACCOUNT}:role/{self.reference(name)}"
            case "AWS::KMS::Key" | "AWS::KMS::ReplicaKey":
                return f"arn:aws:kms:{self.region}:{ACCOUNT}:key/{key_id(name, self.region)}"
            case "AWS::S3::Bucket":
                return f"arn:aws:s3:::{self.reference(name)}"
            case "AWS::SQS::Queue":
                return f"arn:aws:sqs:{self.region}:{ACCOUNT}:{self.value(self.properties(name)['QueueName'])}"
            case "AWS::Logs::LogGroup":
                group = self.value(self.properties(name)["LogGroupName"])
                return f"arn:aws:logs:{self.region}:{ACCOUNT}:log-group:{group}:*"
        raise KeyError(f"no Arn of {name}")

    def named(self, name):
        if "." in name:
            resource, attribute = name.split(".")
            assert attribute == "Arn", name
            return self.arn(resource)
        return self.reference(name)

    def value(self, value):
        match value:
            case {"Ref": name}:
                return self.reference(name)
            case {"Fn::GetAtt": [name, "Arn"]}:
                return self.arn(name)
            case {"Fn::GetAtt": ["Matches", "StreamArn"]}:
                return stream(self.region)
            case {"Fn::Sub": str(text)}:
                return self.substituted(text, {})
            case {"Fn::Sub": [text, variables]}:
                return self.substituted(text, variables)
            case dict():
                return {key: self.value(part) for key, part in value.items()}
            case list():
                return [self.value(part) for part in value]
        return value

    def substituted(self, text, variables):
        def one(found):
            name = found[1]
            if name.startswith("!"):
                return f"${{{name[1:]}}}"
            return self.value(variables[name]) if name in variables else self.named(name)

        return re.sub(r"\$\{([^}]+)\}", one, text)

    # ---- Policies -------------------------------------------------------------------------------------------------

    def identity_policies(self, role):
        """Those in the role and those beside it; none for a role that does not exist yet."""
        if role not in self.resources:
            return []
        inside = self.properties(role).get("Policies", [])
        beside = [
            resource["Properties"]
            for resource in self.resources.values()
            if resource["Type"] == "AWS::IAM::Policy" and {"Ref": role} in resource["Properties"]["Roles"]
        ]
        return [{"name": p["PolicyName"], "policy": self.value(p["PolicyDocument"])} for p in [*inside, *beside]]

    def managed(self, name):
        return {"name": name, "policy": self.value(self.properties(name)["PolicyDocument"])}

    def policy_of(self, kind, attribute, name):
        """The policy that a queue, bucket or topic has."""
        for resource in self.resources.values():
            if resource["Type"] == kind:
                of = resource["Properties"][attribute]
                if {"Ref": name} in (of if isinstance(of, list) else [of]):
                    return self.value(resource["Properties"]["PolicyDocument"])
        return None


class Asker:
    def __init__(self, arn, policies, boundaries=(), tags=()):
        self.arn, self.policies, self.boundaries, self.tags = arn, policies, list(boundaries), dict(tags)


def askers(primary, standby):
    def role(stack, name):
        arn = stack.arn(name) if name in stack.resources else f"arn:aws:iam::{ACCOUNT}:role/{name}"
        return Asker(arn, stack.identity_policies(name))

    own = primary.managed("CounterpartyPolicy")
    boundary = [primary.managed("CounterpartyBoundary")]
    everything = {"name": "everything", "policy": EVERYTHING}
    path = f"arn:aws:iam::{ACCOUNT}:role/{STACK}/counterparty"
    return {
        "matcher": role(primary, "MatcherRole"),
        "standby matcher": role(standby, "MatcherRole"),
        "operator": role(primary, "OperatorRole"),
        # Somebody attaches more to it.
        "operator with everything": Asker(
            primary.arn("OperatorRole"), [*primary.identity_policies("OperatorRole"), everything]
        ),
        "settlement": role(primary, "SettlementRole"),
        "onboarding": role(primary, "OnboardingRole"),
        "quarantine": role(primary, "QuarantineRole"),
        "quarantine with everything": Asker(
            primary.arn("QuarantineRole"), [*primary.identity_policies("QuarantineRole"), everything]
        ),
        "redrive": role(primary, "DlqRedriveRole"),
        "standby redrive": role(standby, "DlqRedriveRole"),
        "redrive schedule": role(primary, "DlqRedriveScheduleRole"),
        "backup check": role(primary, "BackupCheckRole"),
        "standby backup check": role(standby, "BackupCheckRole"),
        "backup check schedule": role(primary, "BackupCheckScheduleRole"),
        "replication": role(primary, "ReplicationRole"),
        "heads": role(primary, "AuditHeadsRole"),
        "schedule": role(primary, "TokenAuditScheduleRole"),
        "trail": role(primary, "TrailRole"),
        "token-audit": role(primary, "TokenAuditRole"),
        # The role of a function that is still to come: what it may do is asked from the day it is there.
        "relay": role(primary, "RelayRole"),
        "counterparty": Asker(f"{path}/a", [own], boundary, TAGS),
        "counterparty with everything": Asker(f"{path}/a", [own, everything], boundary, TAGS),
        "counterparty without tags": Asker(f"{path}/a", [own], boundary),
        "administrator": Asker(f"arn:aws:iam::{ACCOUNT}:role/admin", [everything]),
        "cloudtrail.amazonaws.com": "cloudtrail.amazonaws.com",
        "events.amazonaws.com": "events.amazonaws.com",
        "cloudwatch.amazonaws.com": "cloudwatch.amazonaws.com",
    }


# ---- What is asked for --------------------------------------------------------------------------------------------

QUEUES = {
    "intake": "IntakeQueue", "intake-dlq": "IntakeDlq", "dlq-redrive-dlq": "DlqRedriveDlq",
    "backup-check-dlq": "BackupCheckDlq",
}
BUCKETS = {name: f"{name.capitalize()}Bucket" for name in ("data", "audit", "quarantine", "backup", "trail")}
BUCKETS["stream-records"] = "StreamRecordsBucket"
GROUPS = {"token-audit": "TokenAuditLogGroup", "matcher": "MatcherLogGroup", "trail": "TrailLogGroup"}


def target(stack, what):
    """The ARN of what is asked for, and the policy that it has itself."""
    kind, name, *rest = [*what.split(" ", 2), ""]
    match kind:
        case "table":
            return f"arn:aws:dynamodb:{stack.region}:{ACCOUNT}:table/{STACK}-{name}", None
        case "stream":
            return stream(stack.region), None
        case "queue" if name in QUEUES:
            return stack.arn(QUEUES[name]), stack.policy_of("AWS::SQS::QueuePolicy", "Queues", QUEUES[name])
        case "queue":
            arn = f"arn:aws:sqs:{stack.region}:{ACCOUNT}:{STACK}-{name}"
            of_a = json.loads((pathlib.Path(__file__).parent / "inbox-policy.json").read_text())
            text = json.dumps(of_a).replace(f"sqs:{HERE}", f"sqs:{stack.region}")
            text = text.replace(f"{STACK}-inbox-a", f"{STACK}-{name}")
            text = text.replace("counterparty/a", f"counterparty/{name.removeprefix('inbox-')}")
            return arn, json.loads(text)
        case "bucket":
            policy = stack.policy_of("AWS::S3::BucketPolicy", "Bucket", BUCKETS[name])
            return f"{stack.arn(BUCKETS[name])}/{rest[0]}", policy
        case "key":
            logical = name if name in stack.resources else f"{name}Replica"
            return stack.arn(logical), stack.value(stack.properties(logical)["KeyPolicy"])
        case "role" if f"{name.capitalize()}Role" in stack.resources:
            logical = f"{name.capitalize()}Role"
            return stack.arn(logical), stack.value(stack.properties(logical)["AssumeRolePolicyDocument"])
        case "role":
            return f"arn:aws:iam::{ACCOUNT}:role/{name}", None
        case "log":
            return f"{stack.arn(GROUPS[name]).removesuffix(':*')}:log-stream:today", None
        case "topic":
            return stack.reference("AlarmTopic"), stack.policy_of("AWS::SNS::TopicPolicy", "Topics", "AlarmTopic")
        case "bus":
            region = {"own": stack.region, "peer": THERE if stack.region == HERE else HERE}[name]
            return f"arn:aws:events:{region}:{ACCOUNT}:event-bus/default", None
        case "function":
            return f"arn:aws:lambda:{stack.region}:{ACCOUNT}:function:{name}", None
        case "everything":
            return "*", None
    raise KeyError(what)


SERVICE_OF_KEY = {"dynamodb": "dynamodb", "sqs": "sqs", "s3": "s3"}


def circumstances(row, asker, stack):
    found = {"aws:SecureTransport": "true", "aws:RequestedRegion": stack.region}
    if isinstance(asker, Asker):
        found |= {"aws:PrincipalArn": asker.arn, "aws:PrincipalAccount": ACCOUNT} | asker.tags
    return found | row.get("with", {})


def question(row, all_askers, stack, action, what, extra):
    asker = all_askers[row["who"]]
    arn, resource_policy = target(stack, what)
    asked = {
        "request": {
            "principal": asker if isinstance(asker, str) else asker.arn,
            "action": action,
            "resource": {"resource": arn, "accountId": ACCOUNT},
            "contextVariables": circumstances(row, asker, stack) | extra,
        },
        "identityPolicies": [] if isinstance(asker, str) else asker.policies,
        "serviceControlPolicies": [],
        "resourceControlPolicies": [],
    }
    if resource_policy is not None and action != "iam:GetRole":
        asked["resourcePolicy"] = resource_policy
    if not isinstance(asker, str) and asker.boundaries:
        asked["permissionBoundaryPolicies"] = asker.boundaries
    return asked


def as_the_evaluator_takes_it(asked):
    """Two things that IAM does and the evaluator does not, done for it.

    It knows variable condition keys behind a slash only, so `kms:EncryptionContext:x` stands as a request's tag; and it
    splits a queue's name at the colon of a variable in it, so tags of who asks are put into resources here.
    """
    text = json.dumps(asked).replace('"kms:EncryptionContext:', '"aws:RequestTag/kms:EncryptionContext:')
    asked = json.loads(text)
    tags = {key: value for key, value in asked["request"]["contextVariables"].items() if "PrincipalTag/" in key}

    def with_tags(resource):
        if isinstance(resource, list):
            return [with_tags(part) for part in resource]
        return re.sub(r"\$\{([^}]+)\}", lambda found: tags.get(found[1], found[0]), resource)

    def walk(value):
        match value:
            case dict():
                return {k: with_tags(v) if k in ("Resource", "NotResource") else walk(v) for k, v in value.items()}
            case list():
                return [walk(part) for part in value]
        return value

    return walk(asked)


def questions(row, all_askers, stacks):
    """The call itself, and where its row names a key the call of the key that it takes, by way of the service."""
    stack = stacks[row.get("in", HERE)]
    action = row["do"]
    about_a_key = {"kms:CallerAccount": ACCOUNT} if action.startswith("kms:") else {}
    if about_a_key and row["to"].removeprefix("key ") in ALIASES:
        about_a_key["kms:ResourceAliases"] = [ALIASES[row["to"].removeprefix("key ")]]
    asked = [question(row, all_askers, stack, action, row["to"], about_a_key)]
    for key, key_actions in row.get("opening", {}).items():
        via = {
            "kms:ViaService": f"{SERVICE_OF_KEY[action.split(':')[0]]}.{stack.region}.amazonaws.com",
            "kms:CallerAccount": ACCOUNT,
        }
        if row["to"].startswith("bucket "):
            via["kms:EncryptionContext:aws:s3:arn"] = target(stack, row["to"])[0].split("/")[0]
        if key in ALIASES:
            via["kms:ResourceAliases"] = [ALIASES[key]]
        for key_action in key_actions:
            plain = {name: row[name] for name in ("who",)}
            asked.append(question(plain, all_askers, stack, key_action, f"key {key}", via))
    return asked


def main():
    table, primary, standby = sys.argv[1:]
    stacks = {HERE: Stack(primary, HERE, THERE), THERE: Stack(standby, THERE, HERE)}
    all_askers = askers(stacks[HERE], stacks[THERE])
    rows = yaml.safe_load(pathlib.Path(table).read_text())

    def asks(row):
        return [as_the_evaluator_takes_it(asked) for asked in questions(row, all_askers, stacks)]

    json.dump(
        [{"row": r["row"], "answer": r["answer"], "asks": asks(r)} for r in rows], sys.stdout
    )


if __name__ == "__main__":
    main()
