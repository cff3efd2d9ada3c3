"""Outputs, and what holds of the template as a whole while its conditions are open."""

import settle
from assertions import check
from assertions.reading import environment, of_type, text

FOUNDATION = {
    "TokenKeyArn": "TokenKey.Arn",
    "InboxKeyArn": "InboxKey.Arn",
    "MatcherRoleArn": "MatcherRole.Arn",
}
STORES = {f"{name}Bucket": f"{name}Bucket" for name in ("Data", "Audit", "Quarantine", "Backup")}
TABLES = {
    f"{name}Table": name
    for name in ("Registry", "Parameters", "Submissions", "Interests", "Matches", "Keys", "Control")
}
BOUNDARY = "arn:${AWS::Partition}:iam::${AWS::AccountId}:policy/${AWS::StackName}-counterparty-boundary"
CONSOLE = (
    "https://${AWS::Region}.console.aws.amazon.com/cloudwatch/home?region=${AWS::Region}"
    "#dashboards/dashboard/${Dashboard}"
)
TOLD_TO_THE_STANDBY = "TokenKey", "DataKey", "RegistryKey", "BucketKey", "QuarantineKey"


def wanted(where):
    outputs = dict(FOUNDATION)
    if where.startswith("primary"):
        outputs["StandbyParameters"] = (
            "{" + ", ".join(f'"{key}Id": "${{{key}}}"' for key in TOLD_TO_THE_STANDBY) + "}"
        )
    else:
        outputs["TokenKeyArn"] = "TokenKeyReplica.Arn"
    if where != "primary-foundation":
        outputs |= STORES
    if not where.endswith("foundation"):
        outputs |= {"IntakeQueueUrl": "IntakeQueue", "IntakeDlqUrl": "IntakeDlq", "DashboardUrl": CONSOLE}
        outputs["AuditSigningKeyArn"] = "AuditSigningKey.Arn"
        if where == "primary":
            outputs |= TABLES
            outputs |= {"CounterpartyBoundaryArn": "CounterpartyBoundary", "MatchesStreamArn": "Matches.StreamArn"}
        else:
            outputs |= {name: f"${{AWS::StackName}}-{table.lower()}" for name, table in TABLES.items()}
            outputs |= {"CounterpartyBoundaryArn": BOUNDARY, "MatchesStreamArn": "MatchesStreamArn"}
    return outputs


@check
def outputs_are_those_of_the_contract(template):
    found = {name: text(output["Value"]) for name, output in template["Outputs"].items()}
    right = wanted(environment(template))
    for name in sorted(found.keys() | right.keys()):
        if found.get(name) != right.get(name):
            yield f"{name}: {found.get(name)} instead of {right.get(name)}"


def faults_of_the_open(template):
    """What only the template with its conditions shows."""
    for name, condition in template.get("Conditions", {}).items():
        if "AWS::Region" in str(condition):
            yield f"conditions_ask_for_role_and_stage: {name} asks for the region"
    used = settle.references({key: part for key, part in template.items() if key != "Parameters"})
    for name in sorted(template["Parameters"].keys() - used):
        yield f"parameters_are_asked_for: nothing asks for {name}"
    keys = of_type(template, "AWS::KMS::Key")
    for name, replica in of_type(template, "AWS::KMS::ReplicaKey").items():
        if replica["KeyPolicy"] != keys[name.removesuffix("Replica")]["KeyPolicy"]:
            yield f"replicas_have_the_policy_of_their_key: {name} has another"
