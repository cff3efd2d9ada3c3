"""Queues and their mappings."""

from assertions import check
from assertions.reading import (
    environment, functions, is_all, is_primary, least, listed, most, named, of_type, queue_mappings, queue_statements, queues,
    target, text,
)  # fmt: skip

# A replace waits for its original on its first three receives and is answered on the fourth.
RECEIVES_OF_A_WAITING_REPLACE = 4

# Roles that onboarding makes, and nobody else.
COUNTERPARTY_ROLES = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/${AWS::StackName}/counterparty/*"


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
        if "ProvisionedPollerConfig" in mapping and concurrency is None:
            if not {"MinimumPollers", "MaximumPollers"} <= mapping["ProvisionedPollerConfig"].keys():
                yield f"{name}: pollers without bounds"
        elif concurrency is None or "ProvisionedPollerConfig" in mapping:
            yield f"{name}: MaximumConcurrency or bounded pollers, one of the two"
        elif not 2 <= least(template, concurrency) <= most(template, concurrency) <= 1000:
            yield f"{name}: Lambda takes a MaximumConcurrency of 2 to 1,000"
    for name, function in functions(template).items():
        if "ReservedConcurrentExecutions" in function:
            yield f"{name}: reserved concurrency pushes good messages to the dead-letter queue, and is not exported"


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
    schedules = of_type(template, "AWS::Scheduler::Schedule").values()
    dead |= {target(s["Target"].get("DeadLetterConfig", {}).get("Arn")) for s in schedules}
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
        kept = least(template, queues(template)[dlq].get("MessageRetentionPeriod", default))
        source = most(template, queue.get("MessageRetentionPeriod", default))
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


@check
def queues_deny_sending_to_all_but_the_named(template):
    """In one account IAM alone would be enough, so only a denial makes a name exclusive."""
    senders = {
        "IntakeQueue": ("ArnNotLike", [COUNTERPARTY_ROLES, "DlqRedriveRole.Arn"]),
        "IntakeDlq": ("ArnNotEquals", ["MatcherRole.Arn"]),
        "BackupCheckDlq": ("ArnNotEquals", ["BackupCheckRole.Arn", "BackupCheckScheduleRole.Arn"]),
        "DlqRedriveDlq": ("ArnNotEquals", ["DlqRedriveRole.Arn", "DlqRedriveScheduleRole.Arn"]),
    }
    for name in queues(template):
        test, sender = senders.get(name, (None, None))
        if not any(
            queue == name
            and (s["Effect"], s["Principal"], s["Action"]) == ("Deny", "*", "sqs:SendMessage")
            and list(s["Condition"]) == [test]
            and {key: [text(a) for a in listed(arn)] for key, arn in s["Condition"][test].items()}
            == {"aws:PrincipalArn": sender}
            for queue, s in queue_statements(template)
        ):
            yield f"{name}: not only {sender} may send"


@check
def queues_are_emptied_by_one_function(template):
    """Whoever receives reads who sent what, so a denial makes the receiver exclusive too."""
    receivers = {"IntakeQueue": "MatcherRole.Arn", "IntakeDlq": "DlqRedriveRole.Arn"}
    taking = {"sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage"}
    for name in queues(template).keys() & receivers.keys():
        if not any(
            queue == name
            and (s["Effect"], s["Principal"]) == ("Deny", "*")
            and taking <= set(listed(s["Action"]))
            and s["Condition"].keys() == {"ArnNotEquals"}
            and {k: text(arn) for k, arn in s["Condition"]["ArnNotEquals"].items()}
            == {"aws:PrincipalArn": receivers[name]}
            for queue, s in queue_statements(template)
        ):
            yield f"{name}: not only {receivers[name]} may take from it"


@check
def letters_stay_hidden_for_a_run(template):
    """The redrive holds what it has received until it is placed elsewhere."""
    for name, queue in queues(template).items():
        if name == "IntakeDlq" and queue["VisibilityTimeout"] < functions(template)["DlqRedriveFunction"]["Timeout"] + 30:
            yield f"{name}: visible again after {queue['VisibilityTimeout']} s, while a run may still hold it"


@check
def the_standby_does_not_match(template):
    """Two regions must never both match: until a lease says which one does, it is the primary's alone."""
    for name, mapping in queue_mappings(template).items():
        if mapping.get("Enabled", True) is not is_primary(template):
            yield f"{name}: Enabled is {mapping.get('Enabled', True)} in {environment(template)}"
    if is_all(template) and not queue_mappings(template):
        yield "no function takes from a queue"
