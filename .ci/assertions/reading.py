"""Reads a translated and settled template."""

import json
import re


def of_type(template, *types):
    return {name: r["Properties"] for name, r in template["Resources"].items() if r["Type"] in types}


def queues(template):
    return of_type(template, "AWS::SQS::Queue")


def tables(template):
    return of_type(template, "AWS::DynamoDB::GlobalTable")


def functions(template):
    return of_type(template, "AWS::Lambda::Function")


def queue_mappings(template):
    mappings = of_type(template, "AWS::Lambda::EventSourceMapping")
    return {name: m for name, m in mappings.items() if target(m["EventSourceArn"]) in queues(template)}


def target(value):
    """The resource that a Ref or a GetAtt of its ARN names."""
    if not isinstance(value, dict):
        return None
    return value["Ref"] if "Ref" in value else value.get("Fn::GetAtt", [None])[0]


def text(value):
    """A value as one comparable string: a literal, the body of a Sub, `Name` or `Name.Attribute`."""
    match value:
        case {"Fn::Sub": str(body)}:
            return body
        case {"Ref": name}:
            return name
        case {"Fn::GetAtt": parts}:
            return ".".join(parts)
    return value


def least(template, value):
    return bound(template, value, "MinValue")


def most(template, value):
    return bound(template, value, "MaxValue")


def bound(template, value, which):
    """A number, or the bound of the parameter that gives it: an assertion must hold for all it may become."""
    return int(template["Parameters"][value["Ref"]][which] if isinstance(value, dict) else value)


def listed(value):
    return value if isinstance(value, list) else [value]


def identity_statements(template):
    policies = of_type(template, "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")
    documents = [(name, p["PolicyDocument"]) for name, p in policies.items()]
    for name, role in of_type(template, "AWS::IAM::Role").items():
        documents += [(name, p["PolicyDocument"]) for p in role.get("Policies", [])]
    return [(name, s) for name, document in documents for s in document["Statement"]]


def key_statements(template):
    keys = of_type(template, "AWS::KMS::Key", "AWS::KMS::ReplicaKey")
    return [(name, s) for name, key in keys.items() for s in key["KeyPolicy"]["Statement"]]


def queue_statements(template):
    policies = of_type(template, "AWS::SQS::QueuePolicy")
    return [(target(q), s) for p in policies.values() for q in p["Queues"] for s in p["PolicyDocument"]["Statement"]]


def named(statement):
    return statement.get("Sid", "?")


def keys_of(statement):
    """The condition keys of a statement."""
    return {key for test in statement.get("Condition", {}).values() for key in test}


def bucket_statements(template):
    policies = of_type(template, "AWS::S3::BucketPolicy")
    return [(target(p["Bucket"]), s) for p in policies.values() for s in p["PolicyDocument"]["Statement"]]


def topic_statements(template):
    policies = of_type(template, "AWS::SNS::TopicPolicy")
    return [(target(t), s) for p in policies.values() for t in p["Topics"] for s in p["PolicyDocument"]["Statement"]]


def trust_statements(template):
    roles = of_type(template, "AWS::IAM::Role")
    return [(name, s) for name, role in roles.items() for s in role["AssumeRolePolicyDocument"]["Statement"]]


# ---- Where the template is deployed -------------------------------------------------------------------------------


def environment(template):
    """The config environment for which the template was settled; `open` while its conditions are not."""
    return template["Metadata"]["environment"]


def is_primary(template):
    return environment(template).startswith("primary")


def is_all(template):
    return not environment(template).endswith("foundation")


# ---- Settings -------------------------------------------------------------------------------------------------------


def document(value, names=None):
    """A setting that is a JSON document, with what it refers to as text; nothing where it is none."""

    def written(found):
        match (names or {}).get(found[1], {"Ref": found[1]}):
            case {"Fn::Sub": str(body)}:
                return re.sub(REFERENCE, written, body)
            case str(literal):
                return literal
            case other:
                return json.dumps(text(other))

    match value:
        case {"Fn::Sub": [body, dict(inner)]}:
            return document({"Fn::Sub": body}, inner)
        case {"Fn::Sub": str(body)}:
            try:
                return json.loads(re.sub(REFERENCE, written, body))
            except ValueError:
                return None
    return None


REFERENCE = r'"?\$\{([^}]*)\}"?'
