"""Asserts over the translated template what no general checker knows. A check yields a sentence for each fault.

    assert_template.py TRANSLATED

`assert_template_test.py` breaks the template for every check, so that none can pass for ever unseen.
"""

import json
import pathlib
import sys

FUNCTIONS = {"MatcherFunction": "matcher"}

ENVIRONMENT = {
    "MatcherFunction": {
        "STACK_NAME", "REGISTRY_TABLE", "PARAMETERS_TABLE", "SUBMISSIONS_TABLE", "INTERESTS_TABLE", "MATCHES_TABLE",
        "KEYS_TABLE", "INTAKE_DLQ_URL", "TOKEN_KEY_ARN", "MATCHER_ROLE_ID", "RUST_LOG",
    },
}  # fmt: skip

OUTPUTS = {
    "IntakeQueueUrl": "IntakeQueue",
    "IntakeDlqUrl": "IntakeDlq",
    "RegistryTable": "Registry",
    "ParametersTable": "Parameters",
    "SubmissionsTable": "Submissions",
    "InterestsTable": "Interests",
    "MatchesTable": "Matches",
    "KeysTable": "Keys",
    "TokenKeyArn": "TokenKey.Arn",
    "InboxKeyArn": "InboxKey.Arn",
    "MatcherRoleArn": "MatcherRole.Arn",
}

# Name behind the stack's → key attributes, and what TTL deletes. What never expires has none.
TABLES = {
    "registry": (["pk"], None),
    "parameters": (["symbol"], None),
    "submissions": (["owner", "clOrdId"], "expiresAt"),
    "interests": (["book", "rank"], "expiresAt"),
    "matches": (["matchId"], "expiresAt"),
    "keys": (["epoch"], "expiresAt"),
}

# The only wildcards in an identity policy, each with its reason.
WILDCARDS = {
    # Inbox queues are made by onboarding, after the stack.
    "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:${AWS::StackName}-inbox-*",
}

# A misspelt condition key is no error to AWS: the condition then never holds, or always does.
CONDITION_KEYS = {"aws:SecureTransport", "kms:EncryptionContext:purpose", "kms:ViaService"}

# A replace waits for its original on its first three receives and is answered on the fourth.
RECEIVES_OF_A_WAITING_REPLACE = 4

# What opens, makes or hands on the use of a key, and so belongs to nobody who only administers it.
KEY_USES = {
    "kms:CreateGrant", "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyPair",
    "kms:GenerateDataKeyPairWithoutPlaintext", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
}  # fmt: skip

CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


# ---- Reading ------------------------------------------------------------------------------------------------------


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
    documents = [(name, p["PolicyDocument"]) for name, p in of_type(template, "AWS::IAM::Policy").items()]
    for name, role in of_type(template, "AWS::IAM::Role").items():
        documents += [(name, p["PolicyDocument"]) for p in role.get("Policies", [])]
    return [(name, s) for name, document in documents for s in document["Statement"]]


def key_statements(template):
    keys = of_type(template, "AWS::KMS::Key")
    return [(name, s) for name, key in keys.items() for s in key["KeyPolicy"]["Statement"]]


def queue_statements(template):
    policies = of_type(template, "AWS::SQS::QueuePolicy")
    return [(target(q), s) for p in policies.values() for q in p["Queues"] for s in p["PolicyDocument"]["Statement"]]


def named(statement):
    return statement.get("Sid", "?")


def key_of(statement):
    return next((key for test in statement.get("Condition", {}).values() for key in test), None)


# ---- Queues -------------------------------------------------------------------------------------------------------


@check
def visibility_outlasts_six_invocations(template):
    for name, mapping in queue_mappings(template).items():
        function = functions(template)[target(mapping["FunctionName"])]
        window = most(template, mapping.get("MaximumBatchingWindowInSeconds", 0))
        needed = 6 * function["Timeout"] + window
        visibility = queues(template)[target(mapping["EventSourceArn"])].get("VisibilityTimeout", 30)
        if visibility < needed:
            yield f"{name}: visible again after {visibility} s; 6 × {function['Timeout']} + {window} = {needed} s"


@check
def mappings_report_failures_one_by_one(template):
    for name, mapping in queue_mappings(template).items():
        if mapping.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]:
            yield f"{name}: one failed record would bring its whole batch back"


@check
def mappings_bound_their_concurrency(template):
    for name, mapping in queue_mappings(template).items():
        concurrency = mapping.get("ScalingConfig", {}).get("MaximumConcurrency")
        if concurrency is None:
            yield f"{name}: no MaximumConcurrency"
        elif not 2 <= least(template, concurrency) <= most(template, concurrency) <= 1000:
            yield f"{name}: Lambda takes a MaximumConcurrency of 2 to 1,000"
    for name, function in functions(template).items():
        if "ReservedConcurrentExecutions" in function:
            yield f"{name}: reserved concurrency pushes good messages to the dead-letter queue"


@check
def large_batches_have_a_window(template):
    for name, mapping in queue_mappings(template).items():
        batch = most(template, mapping.get("BatchSize", 10))
        window = least(template, mapping.get("MaximumBatchingWindowInSeconds", 0))
        if batch > 10 and window < 1:
            yield f"{name}: Lambda takes batches above 10 with a window of at least 1 s only"
        if batch > 10_000:
            yield f"{name}: Lambda takes batches of up to 10,000"


@check
def sources_have_a_dead_letter_queue(template):
    dead = {target(q["RedrivePolicy"]["deadLetterTargetArn"]) for q in queues(template).values() if "RedrivePolicy" in q}
    for name, queue in queues(template).items():
        if name not in dead and "RedrivePolicy" not in queue:
            yield f"{name}: poison would circle until it expires"


@check
def replaces_may_wait(template):
    for name, queue in queues(template).items():
        receives = queue.get("RedrivePolicy", {}).get("maxReceiveCount")
        if receives is not None and receives <= RECEIVES_OF_A_WAITING_REPLACE:
            yield f"{name}: dead after {receives} receives, a waiting replace takes {RECEIVES_OF_A_WAITING_REPLACE}"


@check
def dead_letters_outlive_their_source(template):
    default = 345_600
    for name, queue in queues(template).items():
        if "RedrivePolicy" not in queue:
            continue
        dlq = target(queue["RedrivePolicy"]["deadLetterTargetArn"])
        kept, source = (q.get("MessageRetentionPeriod", default) for q in (queues(template)[dlq], queue))
        if kept <= source:
            yield f"{dlq}: keeps for {kept} s, {name} for {source} s, and a dead letter keeps its first enqueue time"


@check
def dead_letter_queues_take_from_their_source_only(template):
    for name, queue in queues(template).items():
        if "RedrivePolicy" not in queue:
            continue
        dlq = target(queue["RedrivePolicy"]["deadLetterTargetArn"])
        allow = queues(template)[dlq].get("RedriveAllowPolicy", {})
        source = f"arn:${{AWS::Partition}}:sqs:${{AWS::Region}}:${{AWS::AccountId}}:{text(queue['QueueName'])}"
        if allow.get("redrivePermission") != "byQueue" or [text(a) for a in allow["sourceQueueArns"]] != [source]:
            yield f"{dlq}: not by {name} alone"


@check
def queues_are_encrypted_with_our_keys(template):
    for name, queue in queues(template).items():
        if target(queue.get("KmsMasterKeyId")) not in of_type(template, "AWS::KMS::Key"):
            yield f"{name}: not under a key of this stack"


@check
def queues_take_tls_only(template):
    refused = {
        queue
        for queue, s in queue_statements(template)
        if s["Effect"] == "Deny"
        and s["Principal"] == "*"
        and s["Action"] == "sqs:*"
        and target(s["Resource"]) == queue
        and s.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
    }
    for name in queues(template).keys() - refused:
        yield f"{name}: answers without TLS"


@check
def queues_are_open_to_nobody(template):
    for queue, statement in queue_statements(template):
        if statement["Effect"] == "Allow" and statement["Principal"] in ("*", {"AWS": "*"}):
            yield f"{queue}: {named(statement)} allows everybody"


# ---- Tables -------------------------------------------------------------------------------------------------------


@check
def tables_are_those_of_the_design(template):
    for name in of_type(template, "AWS::DynamoDB::Table"):
        yield f"{name}: not a global table"
    names = {text(t["TableName"]) for t in tables(template).values()}
    wanted = {f"${{AWS::StackName}}-{name}" for name in TABLES}
    if names != wanted:
        yield f"tables {sorted(names ^ wanted)} are missing or too many"


@check
def tables_have_their_keys(template):
    for name, table in tables(template).items():
        keys, _ = TABLES.get(text(table["TableName"]).removeprefix("${AWS::StackName}-"), ([], None))
        schema = [(k["AttributeName"], k["KeyType"]) for k in table["KeySchema"]]
        if schema != list(zip(keys, ["HASH", "RANGE"])):
            yield f"{name}: keyed by {schema}"
        if {a["AttributeName"]: a["AttributeType"] for a in table["AttributeDefinitions"]} != dict.fromkeys(keys, "S"):
            yield f"{name}: defines other attributes than its keys, as strings"


@check
def tables_expire_what_the_design_says(template):
    for name, table in tables(template).items():
        _, attribute = TABLES.get(text(table["TableName"]).removeprefix("${AWS::StackName}-"), ([], None))
        wanted = {"AttributeName": attribute, "Enabled": True} if attribute else None
        if table.get("TimeToLiveSpecification") != wanted:
            yield f"{name}: TTL is {table.get('TimeToLiveSpecification')}"


@check
def tables_are_encrypted_with_our_keys(template):
    for name, table in tables(template).items():
        if table.get("SSESpecification") != {"SSEEnabled": True, "SSEType": "KMS"}:
            yield f"{name}: SSE is {table.get('SSESpecification')}"
        for replica in table["Replicas"]:
            key = target(replica.get("SSESpecification", {}).get("KMSMasterKeyId"))
            if key not in of_type(template, "AWS::KMS::Key"):
                yield f"{name}: a replica is not under a key of this stack"


@check
def tables_can_be_restored_to_any_second(template):
    for name, table in tables(template).items():
        for replica in table["Replicas"]:
            if replica.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled") is not True:
                yield f"{name}: a replica without point-in-time recovery"


@check
def tables_are_paid_by_request_here(template):
    for name, table in tables(template).items():
        if table.get("BillingMode") != "PAY_PER_REQUEST":
            yield f"{name}: {table.get('BillingMode')}"
        if [r["Region"] for r in table["Replicas"]] != [{"Ref": "AWS::Region"}]:
            yield f"{name}: one replica, in the stack's own region, until there is a second region"


@check
def what_holds_data_outlives_the_stack(template):
    for name, resource in template["Resources"].items():
        if resource["Type"] in ("AWS::DynamoDB::GlobalTable", "AWS::KMS::Key"):
            kept = resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy")
            if kept != ("RetainExceptOnCreate", "Retain"):
                yield f"{name}: {kept}"


@check
def tables_refuse_deletion_by_default(template):
    for name, table in tables(template).items():
        for replica in table["Replicas"]:
            if replica.get("DeletionProtectionEnabled") != {"Ref": "TableDeletionProtection"}:
                yield f"{name}: a replica without deletion protection"
    if template["Parameters"]["TableDeletionProtection"]["Default"] != "true":
        yield "TableDeletionProtection: off by default"


# ---- Keys ---------------------------------------------------------------------------------------------------------


@check
def keys_rotate(template):
    for name, key in of_type(template, "AWS::KMS::Key").items():
        if key.get("EnableKeyRotation") is not True:
            yield f"{name}: does not rotate"


@check
def token_key_serves_both_regions(template):
    key = of_type(template, "AWS::KMS::Key")["TokenKey"]
    if key.get("MultiRegion") is not True or key.get("KeySpec") != "SYMMETRIC_DEFAULT":
        yield "TokenKey: not a symmetric multi-Region key; it cannot be made one later"


@check
def keys_are_administered_without_being_used(template):
    for name, statement in key_statements(template):
        actions = set(listed(statement["Action"]))
        if any("*" in action for action in actions):
            yield f"{name}: {named(statement)} allows by wildcard"
        if "Condition" not in statement and actions & KEY_USES:
            yield f"{name}: {named(statement)} allows {sorted(actions & KEY_USES)} without a condition"
        if "*" in str(text(statement["Principal"].get("AWS", "*"))):
            yield f"{name}: {named(statement)} is for everybody"


@check
def only_the_matcher_opens_epochs(template):
    for statement in (s for name, s in key_statements(template) if name == "TokenKey"):
        if set(listed(statement["Action"])) & KEY_USES:
            if text(statement["Principal"]["AWS"]) != "MatcherRole.Arn":
                yield f"TokenKey: {named(statement)} is for {text(statement['Principal']['AWS'])}"
            if statement.get("Condition") != {"StringEquals": {"kms:EncryptionContext:purpose": "symbolon/token"}}:
                yield f"TokenKey: {named(statement)} is for other purposes too"


# ---- Roles --------------------------------------------------------------------------------------------------------


@check
def roles_allow_without_wildcards(template):
    for name, statement in identity_statements(template):
        for action in listed(statement["Action"]):
            if "*" in action:
                yield f"{name}: {named(statement)} allows {action}"
        for resource in map(text, listed(statement["Resource"])):
            if "*" in resource and resource not in WILDCARDS:
                yield f"{name}: {named(statement)} is about {resource}"


@check
def roles_use_keys_for_their_purpose_only(template):
    for name, statement in identity_statements(template):
        if any(action.startswith("kms:") for action in listed(statement["Action"])):
            if key_of(statement) not in ("kms:ViaService", "kms:EncryptionContext:purpose"):
                yield f"{name}: {named(statement)} uses a key for anything"


@check
def roles_have_no_managed_policies(template):
    for name, role in of_type(template, "AWS::IAM::Role").items():
        if "ManagedPolicyArns" in role:
            yield f"{name}: a managed policy allows more than we read here"


@check
def function_roles_trust_lambda_alone(template):
    for name, function in functions(template).items():
        role = of_type(template, "AWS::IAM::Role")[target(function["Role"])]
        trusted = [(s["Principal"], s["Action"]) for s in role["AssumeRolePolicyDocument"]["Statement"]]
        if trusted != [({"Service": "lambda.amazonaws.com"}, "sts:AssumeRole")]:
            yield f"{name}: its role trusts {trusted}"


@check
def condition_keys_are_spelt_right(template):
    everywhere = identity_statements(template) + key_statements(template) + queue_statements(template)
    for name, statement in everywhere:
        for test in statement.get("Condition", {}).values():
            for key in test.keys() - CONDITION_KEYS:
                yield f"{name}: {named(statement)} asks for {key}"


# ---- Functions and outputs ----------------------------------------------------------------------------------------


@check
def functions_are_those_of_the_contract(template):
    found = {name: function["FunctionName"] for name, function in functions(template).items()}
    if found != FUNCTIONS:
        yield f"functions are {found}"
    for name, function in functions(template).items():
        if (function["Runtime"], function["Handler"]) != ("provided.al2023", "bootstrap"):
            yield f"{name}: {function['Runtime']}, {function['Handler']}"
        if function.get("Architectures") != [{"Ref": "Architecture"}]:
            yield f"{name}: its architecture is no parameter"
    if template["Parameters"]["Architecture"]["Default"] != "arm64":
        yield "Architecture: arm64 by default"


@check
def functions_build_their_own_binary(template):
    for name, function in functions(template).items():
        metadata = template["Resources"][name].get("Metadata", {})
        binary = metadata.get("BuildProperties", {}).get("Binary")
        if metadata.get("BuildMethod") != "rust-cargolambda" or binary != function["FunctionName"]:
            yield f"{name}: builds {binary} by {metadata.get('BuildMethod')}"


@check
def functions_have_their_settings(template):
    for name, function in functions(template).items():
        settings = function.get("Environment", {}).get("Variables", {}).keys()
        if settings != ENVIRONMENT.get(name):
            yield f"{name}: {sorted(settings ^ ENVIRONMENT.get(name, set()))} are missing or too many"


@check
def functions_log_no_payloads(template):
    for name, function in functions(template).items():
        level = function.get("Environment", {}).get("Variables", {}).get("RUST_LOG")
        if level not in ("info", "warn", "error"):
            yield f"{name}: logs at {level}; at TRACE the Lambda runtime writes raw payloads"


@check
def logs_end(template):
    groups = of_type(template, "AWS::Logs::LogGroup")
    for name, function in functions(template).items():
        group = groups.get(target(function.get("LoggingConfig", {}).get("LogGroup")), {})
        if "RetentionInDays" not in group:
            yield f"{name}: logs to a group without an end"


@check
def outputs_are_those_of_the_contract(template):
    found = {name: text(output["Value"]) for name, output in template["Outputs"].items()}
    for name in sorted(found.items() ^ OUTPUTS.items()):
        yield f"{name[0]}: {found.get(name[0])} instead of {OUTPUTS.get(name[0])}"


# ---- Run ----------------------------------------------------------------------------------------------------------


def faults(template):
    """Every fault, by the name of the check that found it."""
    found = {function.__name__: list(function(template)) for function in CHECKS}
    return {name: sentences for name, sentences in found.items() if sentences}


def main():
    found = faults(json.loads(pathlib.Path(sys.argv[1]).read_text()))
    for name, sentences in found.items():
        for sentence in sentences:
            print(f"{name}: {sentence}", file=sys.stderr)
    if found:
        raise SystemExit(f"{len(found)} of {len(CHECKS)} assertions over {sys.argv[1]} failed")
    print(f"{len(CHECKS)} assertions hold over {sys.argv[1]}")


if __name__ == "__main__":
    main()
