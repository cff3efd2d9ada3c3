"""Backups: taken, copied, tried."""

from assertions import check
from assertions.keys import SHARED
from assertions.reading import (
    document, environment, functions, is_all, is_primary, least, of_type, tables, target, text,
)  # fmt: skip
from assertions.tables import STRONG, TABLES

ELSEWHERE = "arn:${AWS::Partition}:backup:${PeerRegion}:${AWS::AccountId}:backup-vault:${AWS::StackName}"


def well_formed(schedule):
    """Six fields, of which exactly one of the two kinds of day is left open."""
    fields = schedule.removeprefix("cron(").removesuffix(")").split()
    return schedule.startswith("cron(") and len(fields) == 6 and [fields[2], fields[4]].count("?") == 1


@check
def tables_are_backed_up_and_copied(template):
    plans = of_type(template, "AWS::Backup::BackupPlan")
    if len(plans) != (1 if environment(template) == "primary" else 0):
        yield f"{len(plans)} plans"
    for name, plan in plans.items():
        for rule in plan["BackupPlan"]["BackupPlanRule"]:
            schedule = text(rule["ScheduleExpression"])
            if "${BackupRpoHours}" not in schedule or not well_formed(schedule):
                yield f"{name}: runs {schedule}, not as often as a restore may lose"
            if target(rule["TargetBackupVault"]) != "BackupVault":
                yield f"{name}: into another vault"
            if [text(c["DestinationBackupVaultArn"]) for c in rule.get("CopyActions", [])] != [ELSEWHERE]:
                yield f"{name}: not copied to the other region's vault"
            for kept in [rule, *rule.get("CopyActions", [])]:
                if kept.get("Lifecycle") != {"DeleteAfterDays": {"Ref": "BackupRetentionDays"}}:
                    yield f"{name}: kept {kept.get('Lifecycle')}"
    for name, selection in of_type(template, "AWS::Backup::BackupSelection").items():
        missing = tables(template).keys() - {target(r) for r in selection["BackupSelection"]["Resources"]}
        if missing:
            yield f"{name}: leaves out {sorted(missing)}"


@check
def the_vault_is_ours_and_locked(template):
    vaults = of_type(template, "AWS::Backup::BackupVault")
    if bool(vaults) != (is_all(template) or not is_primary(template)):
        yield f"vaults are {sorted(vaults)}"
    for name, vault in vaults.items():
        if text(vault["BackupVaultName"]) != "AWS::StackName" or text(vault["EncryptionKeyArn"]) != "BackupKey.Arn":
            yield f"{name}: not the one that the other region copies to, under our key"
        floor = vault.get("LockConfiguration", {}).get("MinRetentionDays")
        if floor is None:
            yield f"{name}: whoever may delete there may delete"
        elif "BackupRetentionDays" in template["Parameters"]:
            if least(template, {"Ref": "BackupRetentionDays"}) < floor:
                yield f"{name}: refuses what is kept for less than {floor} days, which the parameter allows"


@check
def restores_are_tried(template):
    plans = of_type(template, "AWS::Backup::RestoreTestingPlan")
    selections = of_type(template, "AWS::Backup::RestoreTestingSelection")
    if (len(plans), len(selections)) != ((1, 1) if environment(template) == "primary" else (0, 0)):
        yield f"{len(plans)} plans with {len(selections)} selections"
    for name, plan in plans.items():
        if not well_formed(plan["ScheduleExpression"]):
            yield f"{name}: runs {plan['ScheduleExpression']}"
        if [target(v) for v in plan["RecoveryPointSelection"]["IncludeVaults"]] != ["BackupVault"]:
            yield f"{name}: tries another vault's"
    for name, selection in selections.items():
        tried = {target(r) for r in selection["ProtectedResourceArns"]}
        for table in {"Submissions", "Interests", "Matches", "Keys"} - tried:
            yield f"{name}: does not try {table}"
        if selection["ProtectedResourceType"] != "DynamoDB":
            yield f"{name}: tries {selection['ProtectedResourceType']}"


# ---- What the backup check demands ----------------------------------------------------------------------------------

RECOVERED = {
    "pitr": {"days": "PointInTimeRecoveryDays", "minutes": "PointInTimeRpoMinutes"},
    "recovery": {"rpoHours": "BackupRpoHours", "graceHours": 4, "copy": True},
}
REPLICATED = {"rule": "to-the-other-region", "lagMinutes": "ReplicationRpoMinutes", "failures": 0}
LOCK = {"mode": "AuditLockMode", "days": "AuditRetentionDays"}
# What the check calls a key by, where it is not the key's own name.
KEYS = {"AuditSigningKey": "audit-signing"}
UNROTATED = {"AuditSigningKey"}  # KMS rotates no key that signs


def demanded(template):
    variables = functions(template)["BackupCheckFunction"]["Environment"]["Variables"]
    return document(variables["BACKUP_POLICY"])


@check
def everything_that_is_kept_is_demanded(template):
    """What the check does not ask for may be missing, and everything is called good."""
    if environment(template) not in ("primary", "standby"):
        return
    policy = demanded(template)
    if policy is None:
        yield "BACKUP_POLICY is no JSON"
        return
    lag = "ReplicaRpoMinutes" if is_primary(template) else None
    for name in TABLES.keys() | policy["tables"].keys():
        right = {**RECOVERED, "replica": {"lagMinutes": None if name == STRONG else lag}}
        if policy["tables"].get(name) != right:
            yield f"of the table {name} it demands {policy['tables'].get(name)}"
    buckets = of_type(template, "AWS::S3::Bucket")
    copied = {text(b["BucketName"]).split("-")[1]: b for b in buckets.values() if "ReplicationConfiguration" in b}
    for name in copied.keys() | policy["buckets"].keys():
        lock = LOCK if copied.get(name, {}).get("ObjectLockEnabled") else None
        right = {"versioning": True, "replication": REPLICATED, "lock": lock}
        if policy["buckets"].get(name) != right:
            yield f"of the bucket {name} it demands {policy['buckets'].get(name)}"
    keys = of_type(template, "AWS::KMS::Key", "AWS::KMS::ReplicaKey")
    right = {
        KEYS.get(name, name.removesuffix("Key").lower()): {
            "id": resource, "replica": name in SHARED, "rotation": name not in UNROTATED,
        }
        for name, resource in ((resource.removesuffix("Replica"), resource) for resource in keys)
    }  # fmt: skip
    for name in right.keys() | policy["keys"].keys():
        if policy["keys"].get(name) != right.get(name):
            yield f"of the key {name} it demands {policy['keys'].get(name)}"
    selections = of_type(template, "AWS::Backup::RestoreTestingSelection").values()
    tried = [target(resource).lower() for selection in selections for resource in selection["ProtectedResourceArns"]]
    if (policy["restoreTesting"] or {}).get("tables", []) != tried:
        yield f"of restores it demands {policy['restoreTesting']}, and tried are {tried}"
