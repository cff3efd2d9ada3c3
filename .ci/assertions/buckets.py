"""Buckets."""

from assertions import check
from assertions.reading import bucket_statements, is_all, is_primary, least, named, of_type, target, text

# Bucket → the key that encrypts it, and the prefix that it replicates; the trail's stays where it is.
BUCKETS = {
    "DataBucket": ("data", "BucketKey", ""),
    "AuditBucket": ("audit", "BucketKey", "${AWS::Region}/"),  # both regions' logs name their objects alike
    "QuarantineBucket": ("quarantine", "QuarantineKey", ""),
    "BackupBucket": ("backup", "BucketKey", ""),
    "TrailBucket": ("trail", "OperationsKey", None),
    "StreamRecordsBucket": ("stream-records", "TokenKey", None),
}

# Where the functions are, and there alone.
WITH_FUNCTIONS = {"TrailBucket", "StreamRecordsBucket"}

# What holds tokens is gone when it is logged, and soon in any case: no versions, no colder class.
SHORT_LIVED = {"StreamRecordsBucket": 14}

OWN_PREFIX = "/${!aws:PrincipalTag/symbolon:counterparty}/*"


def buckets(template):
    return of_type(template, "AWS::S3::Bucket")


def key_here(template, key):
    return f"{key}.Arn" if is_primary(template) or key == "OperationsKey" else f"{key}Replica.Arn"


@check
def buckets_are_those_of_the_design(template):
    early = {name for name in BUCKETS if not is_primary(template) and name not in WITH_FUNCTIONS}
    wanted = BUCKETS.keys() if is_all(template) else early
    if buckets(template).keys() != wanted:
        yield f"buckets are {sorted(buckets(template))}"
    for name, bucket in buckets(template).items():
        short = BUCKETS.get(name, ("?",))[0]
        if text(bucket["BucketName"]) != f"${{AWS::StackName}}-{short}-${{AWS::AccountId}}-${{AWS::Region}}":
            yield f"{name}: called {text(bucket['BucketName'])}, which the other region cannot derive"
        if "LoggingConfiguration" in bucket:
            yield f"{name}: S3's access logs could not be encrypted with our keys"


@check
def buckets_are_encrypted_with_our_keys(template):
    for name, bucket in buckets(template).items():
        rules = bucket.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration", [])
        found = [
            (r.get("BucketKeyEnabled"), r["ServerSideEncryptionByDefault"]["SSEAlgorithm"],
             text(r["ServerSideEncryptionByDefault"].get("KMSMasterKeyID")))
            for r in rules
        ]  # fmt: skip
        if found != [(True, "aws:kms", key_here(template, BUCKETS[name][1]))]:
            yield f"{name}: encrypted as {found}"


@check
def buckets_are_closed_to_the_public(template):
    sides = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    for name, bucket in buckets(template).items():
        if bucket.get("PublicAccessBlockConfiguration") != dict.fromkeys(sides, True):
            yield f"{name}: not closed on all four sides"
        if bucket.get("OwnershipControls") != {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}:
            yield f"{name}: its objects may have owners and access lists of their own"


@check
def buckets_keep_versions(template):
    for name, bucket in buckets(template).items():
        if name in SHORT_LIVED:
            if bucket.get("VersioningConfiguration") != {"Status": "Suspended"}:
                yield f"{name}: what is deleted stays as a version"
        elif bucket.get("VersioningConfiguration") != {"Status": "Enabled"}:
            yield f"{name}: without versions it can neither replicate nor be locked"


@check
def buckets_forget(template):
    """Colder first, gone at last; old versions and half uploads soon. All of it in the order of its days."""
    for name, bucket in buckets(template).items():
        rules = {r["Id"]: r for r in bucket.get("LifecycleConfiguration", {}).get("Rules", [])}
        if any(r["Status"] != "Enabled" for r in rules.values()):
            yield f"{name}: a lifecycle rule that is not enabled"
        main, rest = rules.get("colder-then-gone", {}), rules.get("leftovers", {})
        if name in SHORT_LIVED:
            found = rules.get("short-life", {}).get("ExpirationInDays")
            if found != SHORT_LIVED[name]:
                yield f"{name}: keeps tokens for {found} days"
            continue
        days = [t["TransitionInDays"] for t in main.get("Transitions", [])]
        if not days or "ExpirationInDays" not in main:
            yield f"{name}: keeps everything, or at the price of the hottest class"
        elif days != sorted(set(days)) or least(template, main["ExpirationInDays"]) <= days[-1]:
            yield f"{name}: gets colder after {days} days and may expire before"
        if "NoncurrentVersionExpiration" not in rest or "AbortIncompleteMultipartUpload" not in rest:
            yield f"{name}: old versions and half uploads stay for ever"


@check
def buckets_get_colder_when_they_may(template):
    """Infrequent access takes objects of 30 days and more: S3, "Transition general considerations"."""
    for name, bucket in buckets(template).items():
        for rule in bucket["LifecycleConfiguration"]["Rules"]:
            for transition in rule.get("Transitions", []):
                if transition["StorageClass"] in ("STANDARD_IA", "ONEZONE_IA") and transition["TransitionInDays"] < 30:
                    yield f"{name}: {transition['StorageClass']} after {transition['TransitionInDays']} days"


@check
def buckets_replicate_to_the_other_region(template):
    for name, bucket in buckets(template).items():
        short, key, prefix = BUCKETS[name]
        rules = bucket.get("ReplicationConfiguration", {}).get("Rules", [])
        if prefix is None or not is_all(template):
            if rules:
                yield f"{name}: replicates, and is not to, or not yet"
            continue
        found = [(r["Status"], text(r["Filter"]["Prefix"]), text(r["Destination"]["Bucket"])) for r in rules]
        there = f"arn:${{AWS::Partition}}:s3:::${{AWS::StackName}}-{short}-${{AWS::AccountId}}-${{PeerRegion}}"
        if found != [("Enabled", prefix, there)]:
            yield f"{name}: replicates {found}"
        for rule in rules:
            destination = rule["Destination"]
            if destination.get("Metrics", {}).get("Status") != "Enabled":
                yield f"{name}: nobody would see that it does not replicate"
            if rule.get("SourceSelectionCriteria", {}).get("SseKmsEncryptedObjects", {}).get("Status") != "Enabled":
                yield f"{name}: leaves out what is encrypted with our keys, which is everything"
            own = key if is_primary(template) else f"{key}Replica"
            wanted = [
                "arn:${AWS::Partition}:kms:${PeerRegion}:${AWS::AccountId}:key/${Id}",
                {"Id": {"Ref": own}},
            ]
            if destination.get("EncryptionConfiguration", {}).get("ReplicaKmsKeyID") != {"Fn::Sub": wanted}:
                yield f"{name}: its replicas are not under the other region's key"


@check
def the_audit_is_locked(template):
    for name, bucket in buckets(template).items():
        if name != "AuditBucket":
            continue
        lock = bucket.get("ObjectLockConfiguration", {})
        retention = lock.get("Rule", {}).get("DefaultRetention")
        wanted = {"Mode": {"Ref": "AuditLockMode"}, "Days": {"Ref": "AuditRetentionDays"}}
        if (bucket.get("ObjectLockEnabled"), lock.get("ObjectLockEnabled"), retention) != (True, "Enabled", wanted):
            yield f"{name}: not locked by default"
        if template["Parameters"].get("AuditLockMode", {}).get("Default") != "COMPLIANCE":
            yield f"{name}: somebody may lift its lock by default"


@check
def buckets_take_tls_only(template):
    refused = {
        bucket
        for bucket, s in bucket_statements(template)
        if (s["Effect"], s["Principal"], s["Action"]) == ("Deny", "*", "s3:*")
        and [text(r) for r in s.get("Resource", [])] == [f"{bucket}.Arn", f"${{{bucket}.Arn}}/*"]
        and s.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
    }
    for name in buckets(template).keys() - refused:
        yield f"{name}: answers without TLS"


@check
def buckets_refuse_other_keys(template):
    """A negated test holds where its key is absent; so Null must say that the key is there."""
    for name, (_, key, _) in BUCKETS.items():
        if name not in buckets(template) or name == "TrailBucket":
            continue
        denials = [s["Condition"] for b, s in bucket_statements(template)
                   if b == name and s["Effect"] == "Deny" and s["Action"] == "s3:PutObject"
                   and text(s["Resource"]) == f"${{{name}.Arn}}/*"]  # fmt: skip
        header = "s3:x-amz-server-side-encryption"
        of_key = f"{header}-aws-kms-key-id"
        wanted = [
            {"StringNotEquals": {of_key: key_here(template, key)}, "Null": {of_key: "false"}},
            {"StringNotEquals": {header: "aws:kms"}, "Null": {header: "false"}},
            {"Null": {f"{header}-customer-algorithm": "false"}},
        ]
        found = [{t: {k: text(v) for k, v in of.items()} for t, of in c.items()} for c in denials]
        for condition in wanted:
            if condition not in found:
                yield f"{name}: takes an upload that {condition} should refuse"


@check
def counterparties_reach_their_own_prefix_only(template):
    tagged = {"Null": {"aws:PrincipalTag/symbolon:counterparty": "false"}}
    for name in BUCKETS:
        if name not in buckets(template) or name == "TrailBucket":
            continue
        denials = [s for b, s in bucket_statements(template)
                   if b == name and (s["Effect"], s["Principal"], s["Action"]) == ("Deny", "*", "s3:*")
                   and s.get("Condition") == tagged]  # fmt: skip
        if name == "DataBucket":
            closed = [text(s.get("NotResource")) for s in denials] == [f"${{{name}.Arn}}{OWN_PREFIX}"]
        else:
            both = [f"{name}.Arn", f"${{{name}.Arn}}/*"]
            closed = [[text(r) for r in s.get("Resource", [])] for s in denials] == [both]
        if not closed:
            yield f"{name}: a counterparty gets beyond its own prefix"


@check
def buckets_are_open_to_nobody(template):
    for bucket, statement in bucket_statements(template):
        if statement["Effect"] == "Allow" and statement["Principal"] != {"Service": "cloudtrail.amazonaws.com"}:
            yield f"{bucket}: {named(statement)} allows {statement['Principal']}"
    policies = {target(p["Bucket"]) for p in of_type(template, "AWS::S3::BucketPolicy").values()}
    for name in buckets(template).keys() - policies:
        yield f"{name}: has no policy"
