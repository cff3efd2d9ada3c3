"""Runs checkov over translated templates, and knows why some of what it says does not hold here.

    checkov_reasons.py CHECKOV TRANSLATED […]

Fails on what it finds beside these, and on a reason that nothing needs any more.
"""

import json
import subprocess
import sys

NO_ACCESS_LOGS = "a bucket for S3's access logs could not be encrypted with our keys; CloudTrail's data events serve"
FOR_ONE_ROLE = (
    "its principal is everybody because a service-linked role that does not exist yet cannot be named; conditions on "
    "account, role and service let nobody else use it, and an assertion holds them to that"
)

# Check, and the resource that it is about.
REASONS = {
    ("CKV_AWS_18", "AWS::S3::Bucket.AuditBucket"): NO_ACCESS_LOGS,
    ("CKV_AWS_18", "AWS::S3::Bucket.BackupBucket"): NO_ACCESS_LOGS,
    ("CKV_AWS_18", "AWS::S3::Bucket.DataBucket"): NO_ACCESS_LOGS,
    ("CKV_AWS_18", "AWS::S3::Bucket.QuarantineBucket"): NO_ACCESS_LOGS,
    ("CKV_AWS_18", "AWS::S3::Bucket.StreamRecordsBucket"): NO_ACCESS_LOGS,
    ("CKV_AWS_18", "AWS::S3::Bucket.TrailBucket"): NO_ACCESS_LOGS,
    ("CKV_AWS_21", "AWS::S3::Bucket.StreamRecordsBucket"): "what is logged is to be gone, and its tokens with it",
    ("CKV_AWS_33", "AWS::KMS::Key.DataKey"): FOR_ONE_ROLE,
    ("CKV_AWS_33", "AWS::KMS::Key.RegistryKey"): FOR_ONE_ROLE,
    ("CKV_AWS_67", "AWS::CloudTrail::Trail.Trail"): "each region's stack has a trail of its own",
    (
        "CKV_AWS_115",
        "AWS::Lambda::Function.MatcherFunction",
    ): "reserved concurrency would push good messages to the dead-letter queue; the mapping bounds it",
    (
        "CKV_AWS_116",
        "AWS::Lambda::Function.MatcherFunction",
    ): "called by a queue that has a dead-letter queue; a function's own is for asynchronous calls",
    (
        "CKV_AWS_117",
        "AWS::Lambda::Function.MatcherFunction",
    ): "talks to AWS's own services alone, by TLS and IAM; a VPC would add endpoints to pay and to fail",
    (
        "CKV_AWS_173",
        "AWS::Lambda::Function.MatcherFunction",
    ): "its variables are names of resources, and nothing secret",
    (
        "CKV_AWS_117",
        "AWS::Lambda::Function.DlqRedriveFunction",
    ): "talks to AWS's own services alone, by TLS and IAM; a VPC would add endpoints to pay and to fail",
    (
        "CKV_AWS_173",
        "AWS::Lambda::Function.DlqRedriveFunction",
    ): "its variables are names of resources, and nothing secret",
    (
        "CKV_AWS_116",
        "AWS::Lambda::Function.DlqRedriveFunction",
    ): "what it does not end goes to a queue by its on-failure destination",
    (
        "CKV_AWS_115",
        "AWS::Lambda::Function.DlqRedriveFunction",
    ): "two runs at once are harmless; reserving would take concurrency from the matcher",
    (
        "CKV_AWS_115",
        "AWS::Lambda::Function.BackupCheckFunction",
    ): "two runs at once are harmless; reserving would take concurrency from the matcher",
    (
        "CKV_AWS_117",
        "AWS::Lambda::Function.BackupCheckFunction",
    ): "talks to AWS's own services alone, by TLS and IAM; a VPC would add endpoints to pay and to fail",
    (
        "CKV_AWS_173",
        "AWS::Lambda::Function.BackupCheckFunction",
    ): "its variables are names of resources, and nothing secret",
    (
        "CKV_AWS_116",
        "AWS::Lambda::Function.BackupCheckFunction",
    ): "what it does not end goes to a queue by its on-failure destination",
    (
        "CKV_AWS_115",
        "AWS::Lambda::Function.TokenAuditFunction",
    ): "one invocation for each shard of the stream; reserving would take concurrency from the matcher",
    (
        "CKV_AWS_116",
        "AWS::Lambda::Function.TokenAuditFunction",
    ): "called by a stream whose mapping has an on-failure destination",
    (
        "CKV_AWS_117",
        "AWS::Lambda::Function.TokenAuditFunction",
    ): "talks to AWS's own services alone, by TLS and IAM; a VPC would add endpoints to pay and to fail",
    (
        "CKV_AWS_173",
        "AWS::Lambda::Function.TokenAuditFunction",
    ): "its variables are names of resources, and nothing secret",
}

# The same, of what it finds in some places and not in others: the path of the file is a part of what it looks at.
SOMETIMES = {
    (
        "CKV_AWS_45",
        "AWS::Lambda::Function.MatcherFunction",
    ): "what looks like a secret to it is a path, or the name of a table",
    (
        "CKV_AWS_45",
        "AWS::Lambda::Function.DlqRedriveFunction",
    ): "what looks like a secret to it is a path, or the name of a table",
    (
        "CKV_AWS_45",
        "AWS::Lambda::Function.BackupCheckFunction",
    ): "what looks like a secret to it is a path, or the name of a table",
    (
        "CKV_AWS_45",
        "AWS::Lambda::Function.TokenAuditFunction",
    ): "what looks like a secret to it is a path, or the name of a table",
}


def findings(checkov, files):
    """Every failed check with its resource, of all files."""
    command = [checkov, "--framework", "cloudformation", "--quiet", "--output", "json", "--soft-fail"]
    for file in files:
        command += ["--file", file]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"checkov itself failed\n{done.stderr}")
    report = json.loads(done.stdout)
    if report["summary"]["passed"] == 0 or report["summary"]["parsing_errors"]:
        raise SystemExit(f"checkov has read nothing: {report['summary']}")
    failed = report["results"]["failed_checks"]
    return {(f["check_id"], f["resource"]): f["check_name"] for f in failed}, report["summary"]["passed"]


def main():
    checkov, *files = sys.argv[1:]
    found, passed = findings(checkov, files)
    unexplained = sorted(found.keys() - REASONS.keys() - SOMETIMES.keys())
    wrong = [f"{check} {resource}: {found[check, resource]}" for check, resource in unexplained]
    wrong += [f"{check} {resource}: nothing needs this reason" for check, resource in sorted(REASONS.keys() - found.keys())]
    if wrong:
        raise SystemExit("\n".join(wrong))
    print(f"checkov: {passed} checks passed, {len(found)} findings that do not hold here, each with its reason")


if __name__ == "__main__":
    main()
