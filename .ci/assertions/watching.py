"""The trail, alarms, rules and the dashboard."""

import json
import pathlib
import re

from assertions import check
from assertions.functions import PERIODS
from assertions.reading import (
    functions, is_all, is_primary, listed, named, of_type, queues, target, text, topic_statements,
)  # fmt: skip

ROOT = pathlib.Path(__file__).parents[2]

LEAST_ALARMS = 12

# Alarms of a state: whoever does not look says nothing of it, so the alarm stays as it is.
STATES = {"StoresBadAlarm", "StoresUnknownAlarm"}

# Alarms that go off when something has not happened.
SILENCES = {"BackupCheckSilentAlarm", "RedriveSilentAlarm"}

# Of the services' own metrics, those that we look at, with the dimensions that they come with.
METRICS = {
    "AWS/Lambda": (
        {"Errors", "Throttles", "Duration", "Invocations", "ConcurrentExecutions", "IteratorAge"},
        ({"FunctionName"},),
    ),
    "AWS/SQS": (
        {
            "ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible", "NumberOfMessagesSent",
            "NumberOfMessagesReceived", "NumberOfMessagesDeleted",
        },
        ({"QueueName"},),
    ),
    "AWS/DynamoDB": (
        {"WriteThrottleEvents", "ReplicationLatency", "ConsumedWriteCapacityUnits", "ConsumedReadCapacityUnits"},
        ({"TableName"}, {"TableName", "ReceivingRegion"}),
    ),
    "AWS/S3": ({"OperationsFailedReplication"}, ({"SourceBucket", "DestinationBucket", "RuleId"},)),
    "AWS/Events": ({"FailedInvocations"}, ({"RuleName"},)),
}  # fmt: skip

KEYWORDS = "Symbolon/${AWS::StackName}"

# What an event passes on: what happened, never who did it.
SAYS_NOBODY = {
    "$.detail.from", "$.detail.invariant", "$.detail.store", "$.detail.times", "$.detail.to",
    "$.detail-type", "$.detail.alarmName", "$.detail.errorCode", "$.detail.eventName", "$.region", "$.time",
}  # fmt: skip

# Rule → what it looks for.
RULES = {
    "AccessDeniedRule": ("AWS API Call via CloudTrail", {"errorCode"}),
    "KeyDisabledRule": ("AWS API Call via CloudTrail", {"eventName"}),
    "BackupFailedRule": ("Backup Job State Change", {"$or"}),
    "KeywordAlarmRule": ("CloudWatch Alarm State Change", {"alarmName", "state"}),
    "InvariantBrokenRule": ("Audit Invariant Broken", {"region"}),
    "QuarantineActsRule": ("Quarantine Act", {"region"}),
    "BackupVerdictRule": ("Backup Verdict Changed", {"region"}),
    "AuditHeadsRule": ("Audit Head Moved", {"region"}),
    "AuditHeadsToPeerRule": ("Audit Head Moved", {"region"}),
}

# Rule → whom it tells, where that is not people; the event goes there whole, for it names nobody.
TELLS = {
    "AuditHeadsRule": "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:${AuditHeadsLogGroup}",
    "QuarantineActsRule":
        "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:${QuarantineActsLogGroup}",
    "AuditHeadsToPeerRule": "arn:${AWS::Partition}:events:${PeerRegion}:${AWS::AccountId}:event-bus/default",
}

# Log groups that a rule writes to, by the end of their name.
EVENT_LOGS = {"audit-heads": "AuditHeadsLogGroup", "quarantine-acts": "QuarantineActsLogGroup"}

EVENTS_OF_KEYS = {"DisableKey", "ScheduleKeyDeletion", "PutKeyPolicy", "DisableKeyRotation"}


def emitted(function):
    """The metrics that a function writes in the embedded format, by the names that its code gives them."""
    code = "".join(file.read_text() for file in (ROOT / "functions").glob(f"{function}/src/telemetry.rs"))
    return set(re.findall(r'metrics::(?:counter|gauge|histogram)!\("(\w+)"\)', code))


def logged(function):
    """The events that a function logs, those of every function among them."""
    folders = (ROOT / "functions" / function / "src", ROOT / "shared" / "src" / "lambda")
    sources = [source for folder in folders for source in folder.rglob("*.rs")]
    return {event for source in sources for event in re.findall(r'event = "(\w+)"', source.read_text())}


def function_of(template, group):
    """Whose log a group is."""
    return next(f["FunctionName"] for f in functions(template).values() if target(f["LoggingConfig"]["LogGroup"]) == group)


def filtered(template):
    return {
        t["MetricName"]: text(t["MetricNamespace"])
        for f in of_type(template, "AWS::Logs::MetricFilter").values()
        for t in f["MetricTransformations"]
    }


def alarms(template):
    return of_type(template, "AWS::CloudWatch::Alarm")


def unknown_metric(template, namespace, metric, dimensions):
    """Whether nobody writes a metric with such dimensions, which are given with their values."""
    if namespace == "Symbolon":
        known, shapes = emitted(text(dimensions.get("Function"))), ({"Stack", "Function"},)
    elif namespace == KEYWORDS:
        known, shapes = filtered(template).keys(), (set(),)
    else:
        known, shapes = METRICS.get(namespace, ((), ()))
    return metric not in known or dimensions.keys() not in shapes


# ---- Trail --------------------------------------------------------------------------------------------------------


@check
def the_trail_records_all_data_events(template):
    trails = of_type(template, "AWS::CloudTrail::Trail")
    if is_all(template) and len(trails) != 1:
        yield f"{len(trails)} trails"
    for name, trail in trails.items():
        if trail.get("EnableLogFileValidation") is not True or trail.get("IsLogging") is not True:
            yield f"{name}: its files could be changed unseen, or there are none"
        if text(trail.get("KMSKeyId")) != "OperationsKey.Arn" or target(trail["S3BucketName"]) != "TrailBucket":
            yield f"{name}: not under our key, in a bucket of its own"
        selected = {}
        for selector in trail["AdvancedEventSelectors"]:
            fields = {f["Field"]: f for f in selector["FieldSelectors"]}
            kinds = fields.get("resources.type", {}).get("Equals", fields["eventCategory"]["Equals"])
            starts = [text(s) for s in fields.get("resources.ARN", {}).get("StartsWith", [])]
            selected[tuple(kinds)] = (fields.keys() - {"userIdentity.arn"}, starts)
        table = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${AWS::StackName}-"
        buckets = [b for b in of_type(template, "AWS::S3::Bucket") if b != "TrailBucket"]
        data = {"eventCategory", "resources.type", "resources.ARN"}
        wanted = {
            ("Management",): ({"eventCategory"}, []),
            ("AWS::DynamoDB::Table",): (data, [table]),
            ("AWS::DynamoDB::Stream",): (data, [table]),
            ("AWS::S3::Object",): (data, [f"${{{b}.Arn}}/" for b in buckets]),
            ("AWS::Lambda::Function",): (data, [f"{f}.Arn" for f in functions(template)]),
        }
        for kind, what in wanted.items():
            if selected.get(kind) != what:
                yield f"{name}: of {kind[0]} it records {selected.get(kind)}"


# ---- Alarms -------------------------------------------------------------------------------------------------------


@check
def there_are_alarms_enough(template):
    if is_all(template) and len(alarms(template)) < LEAST_ALARMS:
        yield f"{len(alarms(template))} alarms"
    watched = {a["MetricName"] for a in alarms(template).values() if a["Namespace"] == "AWS/Lambda"}
    if is_all(template) and not {"Errors", "Throttles", "Duration"} <= watched:
        yield f"of the functions only {sorted(watched)} are watched"


@check
def alarms_look_at_what_there_is(template):
    for name, alarm in alarms(template).items():
        dimensions = {d["Name"]: d["Value"] for d in alarm.get("Dimensions", [])}
        if unknown_metric(template, text(alarm["Namespace"]), alarm["MetricName"], dimensions):
            yield f"{name}: {text(alarm['Namespace'])} {alarm['MetricName']} by {sorted(dimensions)} never has a point"
        for dimension in alarm.get("Dimensions", []):
            if dimension["Name"] == "QueueName" and target(dimension["Value"]) not in queues(template):
                yield f"{name}: looks at no queue of ours"


# Metrics that come less often than once a minute, with their seconds (DynamoDB, "metrics and dimensions").
SELDOM = {"ReplicationLatency": 300}


@check
def alarms_look_at_what_there_is_in_time(template):
    """A period without a point counts as good, so of shorter ones there are never enough that are bad."""
    for name, alarm in alarms(template).items():
        seconds = SELDOM.get(alarm["MetricName"], 0)
        if alarm["Period"] < seconds:
            yield f"{name}: looks every {alarm['Period']} s at what comes every {seconds}"


@check
def alarms_can_go_off(template):
    for name, alarm in alarms(template).items():
        periods, points = alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]
        if not 1 <= points <= periods or alarm["Period"] * periods > 86_400:
            yield f"{name}: {points} of {periods} periods of {alarm['Period']} s"
        if ("Statistic" in alarm) == ("ExtendedStatistic" in alarm):
            yield f"{name}: one statistic, not none or two"
        missing = "breaching" if name in SILENCES else "ignore" if name in STATES else "notBreaching"
        if alarm.get("TreatMissingData") != missing:
            yield f"{name}: goes off where nothing happens, or not where nothing must not"
        if alarm.get("ActionsEnabled", True) is not True:
            yield f"{name}: tells nobody"


@check
def alarms_go_off_above_their_threshold(template):
    """Everything that is watched is bad when there is much of it; of some things one is enough."""
    one_is_enough = {
        "ApproximateNumberOfMessagesVisible", "Errors", "FailedInvocations", "NumberOfMessagesSent",
        "OperationsFailedReplication",
        *(filtered(template).keys() - {"AccessDenials"}),
    }  # fmt: skip
    for name, alarm in alarms(template).items():
        if name in SILENCES:
            if (alarm["MetricName"], alarm["ComparisonOperator"], alarm["Threshold"]) != (
                "Invocations", "LessThanThreshold", 1
            ):  # fmt: skip
                yield f"{name}: hears more than silence"
            continue
        if alarm["ComparisonOperator"] not in ("GreaterThanThreshold", "GreaterThanOrEqualToThreshold"):
            yield f"{name}: {alarm['ComparisonOperator']}"
        if alarm.get("MetricName") in one_is_enough and (alarm["Threshold"], alarm["ComparisonOperator"]) not in (
            (0, "GreaterThanThreshold"),
            (1, "GreaterThanOrEqualToThreshold"),
        ):
            yield f"{name}: one is enough, and it waits for {alarm['Threshold']}"


@check
def alarms_on_runs_can_be_reached(template):
    """What a scheduled function counts once a run can be no more than its runs in the alarm's period."""
    seconds = {f"{function}Function": period for function, period in PERIODS.items()}
    by_name = {f["FunctionName"]: seconds.get(name) for name, f in functions(template).items()}
    for name, alarm in alarms(template).items():
        dimensions = {d["Name"]: text(d["Value"]) for d in alarm.get("Dimensions", [])}
        every = by_name.get(dimensions.get("Function"))
        if every and alarm["Namespace"] == "Symbolon" and not alarm["Threshold"] < max(1, alarm["Period"] / every):
            yield f"{name}: waits for {alarm['Threshold']} in {alarm['Period']} s, and there is a run every {every} s"


@check
def alarms_tell_somebody(template):
    for name, alarm in alarms(template).items():
        for action in ("AlarmActions", "OKActions"):
            if [target(a) for a in alarm.get(action, [])] != ["AlarmTopic"]:
                yield f"{name}: {action} are {alarm.get(action)}"


@check
def alarms_are_explained(template):
    page = (ROOT / "docs/operations.md").read_text()
    for name, alarm in alarms(template).items():
        if f"`{text(alarm['AlarmName']).removeprefix('${AWS::StackName}-')}`" not in page:
            yield f"{name}: docs/operations.md does not say what to do"


@check
def slow_batches_are_seen_before_they_time_out(template):
    for name, alarm in alarms(template).items():
        if alarm["MetricName"] == "Duration":
            timeout = functions(template)["MatcherFunction"]["Timeout"] * 1000
            if not timeout / 2 <= alarm["Threshold"] < timeout:
                yield f"{name}: at {alarm['Threshold']} ms of {timeout}"


@check
def filters_look_for_what_is_logged(template):
    for name, log_filter in of_type(template, "AWS::Logs::MetricFilter").items():
        pattern = log_filter["FilterPattern"]
        if target(log_filter["LogGroupName"]) == "TrailLogGroup":
            if not re.fullmatch(r'\{ \$\.errorCode = "[\w.]+\*"( \|\| \$\.errorCode = "[\w.]+\*")* \}', pattern):
                yield f"{name}: {pattern}"
            continue
        events = re.findall(r'\$\.fields\.event = "(\w+)"', pattern)
        shape = r'\$\.fields\.\w+ = "\w+"'
        if not re.fullmatch(rf"\{{ {shape}( (&&|\|\|) {shape})* \}}", pattern) or not events:
            yield f"{name}: {pattern} fits no line of JSON that is logged"
        for event in set(events) - logged(function_of(template, target(log_filter["LogGroupName"]))):
            yield f"{name}: {event} is never logged"


@check
def filters_have_their_alarm(template):
    watched = {a["MetricName"] for a in alarms(template).values() if text(a["Namespace"]) == KEYWORDS}
    for metric, namespace in filtered(template).items():
        if namespace != KEYWORDS or metric not in watched:
            yield f"{namespace} {metric}: nobody is told"


# ---- Rules --------------------------------------------------------------------------------------------------------


@check
def rules_look_for_what_happens(template):
    rules = of_type(template, "AWS::Events::Rule")
    if rules.keys() != (RULES.keys() if is_all(template) else set()):
        yield f"rules are {sorted(rules)}"
    for name, rule in rules.items():
        kind, fields = RULES.get(name, (None, set()))
        pattern = rule["EventPattern"]
        if pattern.keys() != {"source", "detail-type", "detail"} or kind not in pattern["detail-type"]:
            yield f"{name}: matches {sorted(pattern)} of {pattern.get('detail-type')}"
        elif pattern["detail"].keys() != fields:
            yield f"{name}: asks for {sorted(pattern['detail'])}"
        if rule.get("State", "ENABLED") != "ENABLED":
            yield f"{name}: not enabled"
    if "KeyDisabledRule" in rules:
        if set(rules["KeyDisabledRule"]["EventPattern"]["detail"].get("eventName", [])) != EVENTS_OF_KEYS:
            yield "KeyDisabledRule: other events than those that end a key's use"
    if "KeywordAlarmRule" in rules:
        names = {text(a["AlarmName"]) for a in alarms(template).values()}
        asked = {text(n) for n in rules["KeywordAlarmRule"]["EventPattern"]["detail"].get("alarmName", [])}
        for name in asked - names:
            yield f"KeywordAlarmRule: there is no alarm {name}"


@check
def heads_are_kept_in_both_regions(template):
    """What came from the other region is kept, and does not go back: it would come for ever."""
    own, peer = "AWS::Region", "PeerRegion"
    for name, regions in {"AuditHeadsRule": [own, peer], "AuditHeadsToPeerRule": [own]}.items():
        rule = of_type(template, "AWS::Events::Rule").get(name)
        if rule and [target(r) for r in rule["EventPattern"]["detail"].get("region", [])] != regions:
            yield f"{name}: takes {rule['EventPattern']['detail']}"
    if not is_all(template):
        return
    documents = [text(p["PolicyDocument"]) for p in of_type(template, "AWS::Logs::ResourcePolicy").values()]
    if len(documents) != len(EVENT_LOGS):
        yield f"{len(documents)} resource policies of log groups"
    for statement in (s for d in documents for s in json.loads(d)["Statement"]):
        if statement["Principal"] != {"Service": ["delivery.logs.amazonaws.com", "events.amazonaws.com"]}:
            yield f"events are written by {statement['Principal']}"
        if not any(statement["Resource"].endswith(f":log-group:/aws/events/${{AWS::StackName}}-{log}:*") for log in EVENT_LOGS):
            yield f"events are written to {statement['Resource']}"
        if statement["Action"] == "logs:CreateLogStream":
            continue  # writes nothing; the services' own policies set no condition on it
        # EventBridge hands on the rule, by which its guide's policy asks, and not the account.
        rules = "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/*"
        if statement.get("Condition") != {"ArnLike": {"aws:SourceArn": rules}}:
            yield "events are written for other accounts"
    for group in EVENT_LOGS.values():
        if of_type(template, "AWS::Logs::LogGroup").get(group, {}).get("RetentionInDays", 0) < 2557:
            yield f"{group}: forgets before the audit log's objects may go"


@check
def rules_tell_somebody_and_name_nobody(template):
    for name, rule in of_type(template, "AWS::Events::Rule").items():
        if name in TELLS:
            if [text(t["Arn"]) for t in rule["Targets"]] != [TELLS[name]]:
                yield f"{name}: tells {rule['Targets']}"
            continue
        if [target(t["Arn"]) for t in rule["Targets"]] != ["AlarmTopic"]:
            yield f"{name}: tells {rule['Targets']}"
        for goal in rule["Targets"]:
            transformer = goal.get("InputTransformer", {"InputPathsMap": {"": "the whole event"}})
            for path in set(transformer["InputPathsMap"].values()) - SAYS_NOBODY:
                yield f"{name}: passes on {path}"
            used = set(re.findall(r"<(\w+)>", transformer.get("InputTemplate", "")))
            if used != transformer["InputPathsMap"].keys():
                yield f"{name}: its text uses {sorted(used)}"


@check
def the_topic_is_encrypted_and_open_to_services_alone(template):
    for name, topic in of_type(template, "AWS::SNS::Topic").items():
        if text(topic.get("KmsMasterKeyId")) != "OperationsKey.Arn":
            yield f"{name}: not under our key"
        statements = [s for t, s in topic_statements(template) if t == name]
        # EventBridge knows no conditions in the policy of a topic: with one, nothing of its rules would arrive.
        bound = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
        wanted = {"budgets.amazonaws.com": bound, "cloudwatch.amazonaws.com": bound, "events.amazonaws.com": None}
        found = {
            service: statement.get("Condition")
            for statement in (s for s in statements if s["Effect"] == "Allow")
            for service in listed(statement["Principal"].get("Service", str(statement["Principal"])))
        }
        if found != wanted:
            yield f"{name}: lets {found} publish"
        if not any(s["Effect"] == "Deny" and "aws:SecureTransport" in str(s.get("Condition")) for s in statements):
            yield f"{name}: takes messages without TLS"


@check
def services_may_use_the_key_of_the_topic(template):
    """By the topic, which SNS names to KMS; EventBridge hands on no account that could be asked for."""
    key = of_type(template, "AWS::KMS::Key")["OperationsKey"]
    topic = "arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}:${AWS::StackName}-alarms"
    conditions = [s["Condition"] for s in key["KeyPolicy"]["Statement"] if named(s) == "Notify"]
    if conditions != [{"StringEquals": {"kms:EncryptionContext:aws:sns:topicArn": {"Fn::Sub": topic}}}]:
        yield f"OperationsKey: for the topic under {conditions}"
    for name, made in of_type(template, "AWS::SNS::Topic").items():
        if not topic.endswith(f":{text(made['TopicName'])}"):
            yield f"{name}: its key knows it by another name"


@check
def rules_that_fail_are_told_of(template):
    """The bus takes an event whether or not its rule can do anything with it."""
    watched = {
        target(dimension["Value"])
        for alarm in alarms(template).values()
        for dimension in alarm.get("Dimensions", [])
        if alarm["MetricName"] == "FailedInvocations"
    }
    for name in of_type(template, "AWS::Events::Rule").keys() - watched:
        yield f"{name}: nobody hears that it failed"


# ---- Dashboard ----------------------------------------------------------------------------------------------------


@check
def the_dashboard_shows_the_business_above_the_machinery(template):
    dashboards = of_type(template, "AWS::CloudWatch::Dashboard")
    if is_all(template) and not dashboards:
        yield "there is none"
    for name, dashboard in dashboards.items():
        try:
            widgets = json.loads(re.sub(r"\$\{MatcherMemoryMegabytes\}", "512", text(dashboard["DashboardBody"])))
            widgets = widgets["widgets"]
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            yield f"{name}: its body is not JSON with widgets: {error}"
            continue
        headings = {w["properties"]["markdown"]: w["y"] for w in widgets if w["type"] == "text"}
        shown = {}
        for widget in (w for w in widgets if w["type"] == "metric"):
            for metric in widget["properties"]["metrics"]:
                if isinstance(metric[0], dict):
                    shown[metric[0].get("id")] = widget["y"]
                    continue
                namespace, metric_name, *dimensions = [m for m in metric if not isinstance(m, dict)]
                if unknown_metric(template, namespace, metric_name, dict(zip(dimensions[::2], dimensions[1::2]))):
                    yield f"{name}: {namespace} {metric_name} by {dimensions} never has a point"
                shown.setdefault(metric_name, widget["y"])
        machinery = headings.get("## Machinery", -1)
        for business in (
            "Interests", "Matches", "MatchLatencyMillis", "OldestUnprocessedMillis",
            "ApproximateNumberOfMessagesVisible", "cost",
        ):  # fmt: skip
            if not headings.get("## Business", 99) < shown.get(business, 999) < machinery:
                yield f"{name}: {business} does not stand among the business, above the machinery"


@check
def costs_have_a_budget(template):
    budgets = of_type(template, "AWS::Budgets::Budget")
    if len(budgets) != (1 if is_primary(template) and is_all(template) else 0):
        yield f"{len(budgets)} budgets, for all regions together"
    for name, budget in budgets.items():
        filters = [text(v) for v in budget["Budget"]["CostFilters"].get("TagKeyValue", [])]
        if filters != ["user:symbolon:stack$${AWS::StackName}"]:
            yield f"{name}: counts {filters}"
        told = [target(s["Address"]) for n in budget["NotificationsWithSubscribers"] for s in n["Subscribers"]]
        if not told or set(told) != {"AlarmTopic"}:
            yield f"{name}: tells {told}"
        for notification in (n["Notification"] for n in budget["NotificationsWithSubscribers"]):
            if notification["ThresholdType"] != "PERCENTAGE" or notification["Threshold"] > 100:
                yield f"{name}: tells when {notification['Threshold']} are spent"
