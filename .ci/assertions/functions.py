"""Functions, their logs and settings."""

import re

from assertions import check
from assertions.reading import (
    document, functions, is_all, is_primary, most, of_type, queue_mappings, queues, target, text,
)  # fmt: skip

FUNCTIONS = {
    "MatcherFunction": "matcher", "TokenAuditFunction": "token-audit", "DlqRedriveFunction": "dlq-redrive",
    "BackupCheckFunction": "backup-check",
}  # fmt: skip

ENVIRONMENT = {
    "MatcherFunction": {
        "STACK_NAME", "REGISTRY_TABLE", "PARAMETERS_TABLE", "SUBMISSIONS_TABLE", "INTERESTS_TABLE", "MATCHES_TABLE",
        "KEYS_TABLE", "INTAKE_DLQ_URL", "TOKEN_KEY_ARN", "MATCHER_ROLE_ID", "REDRIVE_ROLE_ID", "RUST_LOG",
    },
    "TokenAuditFunction": {
        "STACK_NAME", "AUDIT_BUCKET", "AUDIT_SIGNING_KEY_ARN", "KEYS_TABLE", "RUST_LOG",
        "STREAM_RECORDS_BUCKET",
    },
    "DlqRedriveFunction": {
        "STACK_NAME", "QUEUES", "QUARANTINE_BUCKET", "QUARANTINE_KEY_ARN", "REGISTRY_TABLE", "SUBMISSIONS_TABLE",
        "MATCHER_ROLE_ID", "REDRIVE_ROLE_ID", "MAXIMUM_CYCLES", "SENDS_PER_SECOND", "CANARY_WAIT_SECONDS", "RUST_LOG",
    },
    "BackupCheckFunction": {
        "STACK_NAME", "PEER_REGION", "BACKUP_BUCKET", "PEER_BACKUP_BUCKET", "BACKUP_EXPORT_RETENTION_DAYS",
        "EXPORTED_FUNCTIONS", "BACKUP_POLICY", "RUST_LOG",
    },
}  # fmt: skip

# What a variable that names a resource names, in whichever function it stands; of a table its name says which.
NAMED = {
    "AUDIT_BUCKET": "AuditBucket",
    "AUDIT_SIGNING_KEY_ARN": "AuditSigningKey.Arn",
    "BACKUP_BUCKET": "BackupBucket",
    "BACKUP_EXPORT_RETENTION_DAYS": "BackupExportRetentionDays",
    "INTAKE_DLQ_URL": "IntakeDlq",
    "MATCHER_ROLE_ID": "MatcherRole.RoleId",
    "PEER_BACKUP_BUCKET": "${AWS::StackName}-backup-${AWS::AccountId}-${PeerRegion}",
    "PEER_REGION": "PeerRegion",
    "QUARANTINE_BUCKET": "QuarantineBucket",
    "QUARANTINE_KEY_ARN": "QuarantineKey.Arn",
    "REDRIVE_ROLE_ID": "DlqRedriveRole.RoleId",
    "STACK_NAME": "AWS::StackName",
    "STREAM_RECORDS_BUCKET": "StreamRecordsBucket",
    "TOKEN_KEY_ARN": "TokenKey.Arn",
}
# What the function knows as a call to take up what was set aside; its own constant says the same.
RETRY = '{"retry": "set-aside"}'

# Schedule → the function, when, what it asks for, and where a start goes that fails for good.
SCHEDULES = {
    "TokenAuditFunctionRetry": ("TokenAudit", "rate(1 hour)", RETRY, None),
    "DlqRedriveFunctionSort": ("DlqRedrive", "RedriveSchedule", "{}", "DlqRedriveDlq"),
    "BackupCheckFunctionCheck": ("BackupCheck", "BackupCheckSchedule", "{}", "BackupCheckDlq"),
}

# How often the Scheduler starts a function by default, in seconds; the design says so.
PERIODS = {"DlqRedrive": 300, "BackupCheck": 3_600}

IN_THE_STANDBY = {"QUARANTINE_KEY_ARN": "QuarantineKeyReplica.Arn", "TOKEN_KEY_ARN": "TokenKeyReplica.Arn"}


@check
def functions_are_those_of_the_contract(template):
    found = {name: function["FunctionName"] for name, function in functions(template).items()}
    if found != (FUNCTIONS if is_all(template) else {}):
        yield f"functions are {found}"
    for name, function in functions(template).items():
        if (function["Runtime"], function["Handler"]) != ("provided.al2023", "bootstrap"):
            yield f"{name}: {function['Runtime']}, {function['Handler']}"
        if function.get("Architectures") != [{"Ref": "Architecture"}]:
            yield f"{name}: its architecture is no parameter"
    if template["Parameters"].get("Architecture", {}).get("Default", "arm64") != "arm64":
        yield "Architecture: arm64 by default"


@check
def functions_build_their_own_binary(template):
    for name, function in functions(template).items():
        metadata = template["Resources"][name].get("Metadata", {})
        binary = metadata.get("BuildProperties", {}).get("Binary")
        if metadata.get("BuildMethod") != "rust-cargolambda" or binary != function["FunctionName"]:
            yield f"{name}: builds {binary} by {metadata.get('BuildMethod')}"


@check
def functions_have_roles_of_their_own(template):
    roles = [target(function["Role"]) for function in functions(template).values()]
    if len(set(roles)) != len(roles):
        yield f"functions share roles: {roles}"


@check
def functions_have_their_settings(template):
    for name, function in functions(template).items():
        settings = function.get("Environment", {}).get("Variables", {})
        wanted = ENVIRONMENT.get(name, set())
        if settings.keys() != wanted:
            yield f"{name}: {sorted(settings.keys() ^ wanted)} are missing or too many"
        for variable, value in settings.items():
            if variable.endswith("_TABLE"):
                short = variable.removesuffix("_TABLE").lower()
                right = short.capitalize() if is_primary(template) else f"${{AWS::StackName}}-{short}"
            else:
                replicas = {} if is_primary(template) else IN_THE_STANDBY
                right = replicas.get(variable) or NAMED.get(variable, text(value))
            if text(value) != right:
                yield f"{name}: {variable} is {text(value)}"


@check
def streams_are_read_on_after_a_bounded_time(template):
    """A record that is never done holds up its shard; it is set aside before the stream forgets it after 24 hours."""
    mappings = of_type(template, "AWS::Lambda::EventSourceMapping")
    streams = {name: m for name, m in mappings.items() if "StartingPosition" in m}
    if is_all(template) and [target(m["FunctionName"]) for m in streams.values()] != ["TokenAuditFunction"]:
        yield f"streams are read by {sorted(streams)}"
    for name, mapping in streams.items():
        if mapping.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]:
            yield f"{name}: one failed record would bring its whole batch back"
        if mapping.get("BisectBatchOnFunctionError") is not True:
            yield f"{name}: one bad record would take its batch along"
        if not 1 <= mapping.get("MaximumRetryAttempts", -1) <= 1_000:
            yield f"{name}: retries without a bound"
        if not 3_600 <= mapping.get("MaximumRecordAgeInSeconds", -1) < 86_400:
            yield f"{name}: the stream forgets before the record is set aside"
        if target(mapping.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")) != "StreamRecordsBucket":
            yield f"{name}: what fails in the end is lost"
        right = "Matches.StreamArn" if is_primary(template) else "MatchesStreamArn"
        if text(mapping["EventSourceArn"]) != right or mapping["StartingPosition"] != "TRIM_HORIZON":
            yield f"{name}: reads {text(mapping['EventSourceArn'])} from {mapping['StartingPosition']}"


@check
def schedules_start_what_they_should(template):
    schedules = of_type(template, "AWS::Scheduler::Schedule")
    if schedules.keys() != (SCHEDULES.keys() if is_all(template) else set()):
        yield f"schedules are {sorted(schedules)}"
    for name, schedule in schedules.items():
        function, when, asked, dlq = SCHEDULES.get(name, (None,) * 4)
        if (text(schedule["ScheduleExpression"]), schedule.get("State", "ENABLED")) != (when, "ENABLED"):
            yield f"{name}: {text(schedule['ScheduleExpression'])}, {schedule.get('State')}"
        goal = schedule["Target"]
        if (text(goal["Arn"]), text(goal["RoleArn"])) != (f"{function}Function.Arn", f"{function}ScheduleRole.Arn"):
            yield f"{name}: starts {text(goal['Arn'])} as {text(goal['RoleArn'])}"
        if goal.get("Input") != asked:
            yield f"{name}: asks for {goal.get('Input')}, which the function takes for something else"
        if not 0 < goal.get("RetryPolicy", {}).get("MaximumRetryAttempts", -1) <= 10:
            yield f"{name}: a start that fails is tried again for a day, or never"
        if target(goal.get("DeadLetterConfig", {}).get("Arn")) != dlq:
            yield f"{name}: a start that fails for good is {'not told' if dlq else 'made up for by the next'}"


@check
def runs_end_before_the_next_begins(template):
    for function, seconds in PERIODS.items():
        default = template["Parameters"].get(f"{function.removeprefix('Dlq')}Schedule", {}).get("Default")
        if default is not None and default not in (f"rate({seconds // 60} minutes)", f"rate({seconds // 3600} hour)"):
            yield f"{function}: {default}, not every {seconds} s"
        timeout = functions(template).get(f"{function}Function", {}).get("Timeout", 0)
        if timeout >= seconds:
            yield f"{function}: runs for {timeout} s, and the next begins after {seconds}"


@check
def schedules_may_start_their_function(template):
    """The Scheduler keeps silent about a start that its role does not allow."""
    for name in SCHEDULES if is_all(template) else ():
        function = SCHEDULES[name][0]
        [policy] = of_type(template, "AWS::IAM::Role")[f"{function}ScheduleRole"]["Policies"]
        statements = policy["PolicyDocument"]["Statement"]
        own = functions(template)[f"{function}Function"]["FunctionName"]
        started = [text(s["Resource"]) for s in statements if s["Action"] == "lambda:InvokeFunction"]
        if [str(arn).split(":")[-1] for arn in started] != [own]:
            yield f"{name}: may start {started}"


@check
def letters_go_back_to_where_they_came_from(template):
    """Every queue that a function reads, with the queue of its dead letters and whoever could not take them."""
    redrive = functions(template).get("DlqRedriveFunction")
    if redrive is None:
        return
    found = document(redrive["Environment"]["Variables"]["QUEUES"])
    mapped = queue_mappings(template).values()
    right = [
        {
            "source": text(queues(template)[source]["QueueName"]).removeprefix("${AWS::StackName}-"),
            "sourceUrl": source,
            "deadLetterUrl": target(queues(template)[source]["RedrivePolicy"]["deadLetterTargetArn"]),
            "consumer": target(mapping["FunctionName"]),
        }
        for source, mapping in ((target(m["EventSourceArn"]), m) for m in mapped)
    ]
    if found != right:
        yield f"QUEUES is {found}"
    # A canary is answered within the longest window of its mapping, and the batch that takes it.
    for mapping in mapped:
        window = most(template, mapping.get("MaximumBatchingWindowInSeconds", 0))
        needed = window + functions(template)[target(mapping["FunctionName"])]["Timeout"]
        wait = int(redrive["Environment"]["Variables"]["CANARY_WAIT_SECONDS"])
        if not needed < wait < redrive["Timeout"]:
            yield f"DlqRedriveFunction: waits {wait} s for a canary that may take {needed}, within {redrive['Timeout']}"


@check
def runs_that_do_not_end_are_told(template):
    """Of a function that the Scheduler starts, nobody waits for the answer."""
    for name, config in of_type(template, "AWS::Lambda::EventInvokeConfig").items():
        function = target(config["FunctionName"]).removesuffix("Function")
        if target(config.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")) != f"{function}Dlq":
            yield f"{name}: a run that fails is lost"
        if config.get("MaximumRetryAttempts") != 0:
            yield f"{name}: the next run makes up for one that fails, and another at once would meet the same"
    told = {target(c["FunctionName"]) for c in of_type(template, "AWS::Lambda::EventInvokeConfig").values()}
    wanted = {f"{function}Function" for function, _, _, dlq in SCHEDULES.values() if dlq}
    if told != (wanted if is_all(template) else set()):
        yield f"of {sorted(wanted ^ told)} runs that fail are lost, or nobody asked"


@check
def every_function_is_exported(template):
    """What is not exported cannot be put back from the other region's bucket."""
    variables = functions(template).get("BackupCheckFunction", {}).get("Environment", {}).get("Variables", {})
    for name, function in functions(template).items():
        if function["FunctionName"] not in variables["EXPORTED_FUNCTIONS"].split(","):
            yield f"{name}: is not among {variables['EXPORTED_FUNCTIONS']}"
    text_of = str(variables.get("BACKUP_POLICY", ""))
    for name, function in functions(template).items():
        if f'"{function["FunctionName"]}"' not in text_of.split('"names":')[-1]:
            yield f"{name}: nobody asks whether it was exported"


@check
def settings_fit_into_four_kilobytes(template):
    """Lambda refuses more, names and values together (Lambda quotas, "Environment variables"), and only when deploying."""
    for name, function in functions(template).items():
        settings = function.get("Environment", {}).get("Variables", {})
        size = sum(len(variable) + longest(value) for variable, value in settings.items())
        if size > 4_096:
            yield f"{name}: its settings may take {size} bytes"


LONGEST = {"AWS::Partition": 10, "AWS::Region": 14, "PeerRegion": 14, "AWS::AccountId": 12, "AWS::StackName": 20}
NUMBER, ID, ARN_OR_URL = 6, 40, 120
NUMBERS = ("Days", "Minutes", "Hours", "Cycles", "PerSecond")


def longest(value, names=None):
    """How long a value may become. What it refers to is not known yet: a number, an id or a name, an ARN or a URL."""
    match value:
        case {"Fn::Sub": [body, names]}:
            return longest({"Fn::Sub": body}, names)
        case {"Fn::Sub": body}:
            size = len(re.sub(r"\$\{[^}]*\}", "", body))
            return size + sum(longest({"Ref": name}, names) for name in re.findall(r"\$\{([^}]*)\}", body))
        case {"Fn::If": [_, one, other]}:
            return max(longest(one), longest(other))
        case {"Ref": name} if name in (names or {}):
            return longest(names[name])
        case {"Ref": name} if name.endswith(("Arn", "Queue", "Dlq")):
            return ARN_OR_URL
        case {"Ref": name}:
            return LONGEST.get(name, NUMBER if name.endswith(NUMBERS) else ID)
        case {"Fn::GetAtt": _}:
            return ARN_OR_URL
    return len(str(value))


@check
def functions_log_no_payloads(template):
    for name, function in functions(template).items():
        level = function.get("Environment", {}).get("Variables", {}).get("RUST_LOG")
        if level not in ("info", "warn", "error"):
            yield f"{name}: logs at {level}; at TRACE the Lambda runtime writes raw payloads"


@check
def functions_are_traced(template):
    for name, function in functions(template).items():
        if function.get("TracingConfig") != {"Mode": "Active"}:
            yield f"{name}: no traces"


@check
def logs_end(template):
    groups = of_type(template, "AWS::Logs::LogGroup")
    for name, function in functions(template).items():
        if target(function.get("LoggingConfig", {}).get("LogGroup")) not in groups:
            yield f"{name}: logs to a group that is not ours"
    for name, group in groups.items():
        if "RetentionInDays" not in group:
            yield f"{name}: without an end"
        if text(group.get("KmsKeyId")) != "OperationsKey.Arn":
            yield f"{name}: not under our key"


@check
def log_groups_may_use_the_key(template):
    """The key's policy lists the groups by name: one that is not listed could not be made."""
    listed = [
        text(arn).split(":log-group:")[1]
        for s in of_type(template, "AWS::KMS::Key")["OperationsKey"]["KeyPolicy"]["Statement"]
        for arn in s.get("Condition", {}).get("ArnEquals", {}).get("kms:EncryptionContext:aws:logs:arn", [])
    ]
    for name, group in of_type(template, "AWS::Logs::LogGroup").items():
        if text(group["LogGroupName"]) not in listed:
            yield f"{name}: {text(group['LogGroupName'])} is not among {listed}"
    for group in listed:
        if re.search(r"[*?]", group):
            yield f"OperationsKey: any log group {group}"
