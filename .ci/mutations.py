"""Ways to break the template. Each changes the text of one resource, or of one section, once."""

import dataclasses
import re


@dataclasses.dataclass(frozen=True)
class Mutation:
    name: str
    block: str
    """A resource or parameter, or the section itself (`Outputs`)."""
    old: str
    new: str

    def applied(self, text):
        start, end = bounds(text, self.block)
        block = text[start:end]
        if self.old not in block:
            raise SystemExit(f"{self.name}: {self.block} has no {self.old!r}; the template has moved on")
        return text[:start] + block.replace(self.old, self.new, 1) + text[end:]


def bounds(text, name):
    """Where the block begins and ends: up to the next line that is indented as its head or less, comments aside."""
    head = re.search(rf"^( *){re.escape(name)}:\n", text, re.MULTILINE)
    if head is None:
        raise SystemExit(f"the template has no {name}")
    indent = len(head[1])
    following = re.compile(rf"^ {{0,{indent}}}[^ #\n]", re.MULTILINE).search(text, head.end())
    return head.start(), following.start() if following else len(text)


MUTATIONS = [
    # ---- Queues and the mapping
    Mutation("visibility below six time-outs", "IntakeQueue", "VisibilityTimeout: 240", "VisibilityTimeout: 180"),
    Mutation("visibility below the time-out", "IntakeQueue", "VisibilityTimeout: 240", "VisibilityTimeout: 20"),
    Mutation("dead before a waiting replace is answered", "IntakeQueue", "maxReceiveCount: 10", "maxReceiveCount: 3"),
    Mutation("dead letters die with their source", "IntakeDlq", "MessageRetentionPeriod: 1209600", "MessageRetentionPeriod: 345600"),
    Mutation("any queue may use the dead-letter queue", "IntakeDlq", "redrivePermission: byQueue", "redrivePermission: allowAll"),
    Mutation("a queue under AWS's own key", "IntakeQueue", "!GetAtt QueueKey.Arn", "alias/aws/sqs"),
    Mutation("any role sends to the intake", "IntakeQueuePolicy", "role/${AWS::StackName}/counterparty/*", "role/*"),
    Mutation("TLS denied instead of its absence", "IntakeQueuePolicy", 'aws:SecureTransport: "false"', 'aws:SecureTransport: "true"'),
    Mutation("a misspelt condition key", "IntakeQueuePolicy", "aws:PrincipalArn", "aws:PrincipleArn"),
    Mutation("anybody receives from the intake", "IntakeQueuePolicy", "- sqs:ReceiveMessage", "- sqs:ListQueueTags"),
    Mutation("anybody purges dead letters", "IntakeDlqPolicy", "Action: sqs:PurgeQueue", "Action: sqs:ListQueueTags"),
    Mutation("one failed record brings its batch back", "MatcherFunction", "ReportBatchItemFailures", "ReportBatchItemFailure"),
    Mutation("both regions match", "MatcherFunction", "Enabled: !If [IsPrimary, true, false]", "Enabled: true"),
    Mutation("one matcher at most", "MatcherFunction", "MaximumConcurrency: !Ref MatcherMaximumConcurrency", "MaximumConcurrency: 1"),
    Mutation("reserved concurrency", "MatcherFunction", "      Timeout: 30", "      ReservedConcurrentExecutions: 5\n      Timeout: 30"),
    Mutation("batches above the most", "MatcherBatchSize", "MaxValue: 10000", "MaxValue: 20000"),
    Mutation("batches without a window", "MatcherBatchWindowSeconds", "MinValue: 1", "MinValue: 0"),
    Mutation("a property that no event has", "MatcherFunction", "BatchSize: !Ref MatcherBatchSize", "Batch: !Ref MatcherBatchSize"),
    # ---- Functions
    Mutation("a time-out that visibility does not know", "MatcherFunction", "Timeout: 30", "Timeout: 60"),
    Mutation("a runtime that is none", "MatcherFunction", "provided.al2023", "provided.al2024"),
    Mutation("another binary", "MatcherFunction", "Binary: matcher", "Binary: symbolon"),
    Mutation("payloads in the log", "MatcherFunction", "RUST_LOG: info", "RUST_LOG: trace"),
    Mutation("no traces", "MatcherFunction", "      Tracing: Active\n", ""),
    Mutation("a variable too few", "MatcherFunction", "          STACK_NAME: !Ref AWS::StackName\n", ""),
    Mutation("the registry instead of the keys", "MatcherFunction", "KEYS_TABLE: !If [IsPrimary, !Ref Keys,", "KEYS_TABLE: !If [IsPrimary, !Ref Registry,"),
    Mutation("another key for tokens", "MatcherFunction", "!GetAtt TokenKey.Arn", "!GetAtt DataKey.Arn"),
    Mutation("logs without an end", "MatcherLogGroup", "      RetentionInDays: !Ref LogRetentionDays\n", ""),
    Mutation("logs without a key", "MatcherLogGroup", "      KmsKeyId: !GetAtt OperationsKey.Arn\n", ""),
    # ---- Who may do what
    Mutation("the matcher does anything to books", "MatcherPolicy", "- dynamodb:DeleteItem", "- dynamodb:*"),
    Mutation("the matcher may not delete what it has done", "MatcherPolicy", "              - sqs:DeleteMessage\n", ""),
    Mutation("the matcher may scan", "MatcherPolicy", "- dynamodb:Query", "- dynamodb:Scan\n              - dynamodb:Query"),
    Mutation("the matcher writes the registry", "MatcherPolicy", "Action: dynamodb:BatchGetItem", "Action: [dynamodb:BatchGetItem, dynamodb:PutItem]"),
    Mutation("the matcher reads every table", "MatcherPolicy", "table/${AWS::StackName}-matches", "table/*"),
    Mutation("the matcher reads the quarantine", "MatcherPolicy", "          - Sid: Log\n", "          - Sid: Quarantine\n            Effect: Allow\n            Action: s3:GetObject\n            Resource: !Sub ${QuarantineBucket.Arn}/*\n          - Sid: Log\n"),
    Mutation("an action that does not exist", "MatcherPolicy", "- dynamodb:Query", "- dynamodb:QueryItems"),
    Mutation("another service is the matcher", "MatcherRole", "Service: lambda.amazonaws.com", "Service: ec2.amazonaws.com"),
    Mutation("the operator receives messages", "OperatorPolicy", "              - sqs:ReceiveMessage\n", ""),
    Mutation("the operator reads matches", "OperatorPolicy", "              - !Sub arn:${AWS::Partition}:dynamodb:*:${AWS::AccountId}:table/${AWS::StackName}-control\n", "              - !Sub arn:${AWS::Partition}:dynamodb:*:${AWS::AccountId}:table/${AWS::StackName}-matches\n              - !Sub arn:${AWS::Partition}:dynamodb:*:${AWS::AccountId}:table/${AWS::StackName}-control\n"),
    Mutation("an operator without a second factor", "OperatorRole", 'aws:MultiFactorAuthPresent: "true"', 'aws:MultiFactorAuthPresent: "false"'),
    Mutation("a counterparty reads what is not its own", "CounterpartyPolicy", '                dynamodb:LeadingKeys: "${aws:PrincipalTag/symbolon:counterparty}"\n', ""),
    Mutation("a counterparty scans", "CounterpartyBoundary", "              - dynamodb:Query\n", "              - dynamodb:Query\n              - dynamodb:Scan\n"),
    Mutation("a counterparty reads where it rests", "CounterpartyPolicy", "                  - tokens\n", "                  - tokens\n                  - rests\n"),
    Mutation("a counterparty reads any inbox", "CounterpartyPolicy", "inbox-${!aws:PrincipalTag/symbolon:inbox}", "inbox-*"),
    Mutation("a counterparty writes anywhere", "CounterpartyPolicy", "/${!aws:PrincipalTag/symbolon:counterparty}/*", "/*"),
    Mutation("onboarding makes roles without a boundary", "OnboardingPolicy", "            Condition:\n              ArnEquals:\n                iam:PermissionsBoundary: !Ref CounterpartyBoundary\n", ""),
    # ---- Keys
    Mutation("anybody unseals", "TokenKey", "role/${AWS::StackName}-settlement", "role/*"),
    Mutation("epochs opened for any purpose", "TokenKey", "kms:EncryptionContext:purpose: symbolon/token", "kms:EncryptionContext:reason: symbolon/token"),
    Mutation("a key that stays as it is", "TokenKey", "EnableKeyRotation: true", "EnableKeyRotation: false"),
    Mutation("a token key of one region", "TokenKey", "MultiRegion: true", "MultiRegion: false"),
    Mutation("a key gone within days", "DataKey", "PendingWindowInDays: 30", "PendingWindowInDays: 7"),
    Mutation("a key gone at once", "DataKey", "PendingWindowInDays: 30", "PendingWindowInDays: 5"),
    Mutation("administrators decrypt", "Mappings", "        - kms:DescribeKey\n", "        - kms:DescribeKey\n        - kms:Decrypt\n"),
    Mutation("anybody in the account opens the registry", "RegistryKey", "role/${AWS::StackName}-onboarding", "role/${AWS::StackName}-*"),
    Mutation("a key that goes with the stack", "RegistryKey", "    DeletionPolicy: RetainExceptOnCreate\n", ""),
    # ---- Tables
    Mutation("time to live of an attribute that nobody writes", "Matches", "AttributeName: expiresAt", "AttributeName: expireAt"),
    Mutation("a key that is not defined", "Interests", "- AttributeName: rank\n          KeyType: RANGE", "- AttributeName: price\n          KeyType: RANGE"),
    Mutation("no recovery to any second", "Submissions", "PointInTimeRecoveryEnabled: true", "PointInTimeRecoveryEnabled: false"),
    Mutation("a lease that both regions may hold", "Control", "MultiRegionConsistency: STRONG", "MultiRegionConsistency: EVENTUAL"),
    Mutation("a lease without a witness", "Control", "      GlobalTableWitnesses:\n        - Region: !Ref WitnessRegion\n", ""),
    Mutation("a stream of keys only", "Matches", "StreamViewType: NEW_AND_OLD_IMAGES", "StreamViewType: KEYS_ONLY"),
    Mutation("two replicas in one region", "Submissions", "- Region: !Ref PeerRegion", "- Region: !Ref AWS::Region"),
    Mutation("the registry under the tables' key", "Registry", "!GetAtt RegistryKey.Arn", "!GetAtt DataKey.Arn"),
    Mutation("tables deleted by default", "TableDeletionProtection", 'Default: "true"', 'Default: "false"'),
    # ---- Buckets
    Mutation("objects without versions", "DataBucket", "      VersioningConfiguration:\n        Status: Enabled\n", ""),
    # ---- Token audit
    Mutation("a stream read from now on", "TokenAuditFunction", "StartingPosition: TRIM_HORIZON", "StartingPosition: LATEST"),
    Mutation("a stream that forgets first", "TokenAuditFunction", "MaximumRecordAgeInSeconds: 72000", "MaximumRecordAgeInSeconds: 86400"),
    Mutation("one bad record takes its batch along", "TokenAuditFunction", "BisectBatchOnFunctionError: true", "BisectBatchOnFunctionError: false"),
    Mutation("tokens set aside among poison", "TokenAuditFunction", "Destination: !GetAtt StreamRecordsBucket.Arn", "Destination: !GetAtt QuarantineBucket.Arn"),
    Mutation("a retry that nobody knows", "TokenAuditFunction", "'{\"retry\": \"set-aside\"}'", "'{\"retry\": \"all\"}'"),
    Mutation("the audit deletes objects", "TokenAuditPolicy", "          - Sid: KeepLog\n            Effect: Allow\n            Action:\n", "          - Sid: KeepLog\n            Effect: Allow\n            Action:\n              - s3:DeleteObject\n"),
    Mutation("the audit writes the other region's log", "TokenAuditPolicy", "${AuditBucket.Arn}/${AWS::Region}/*", "${AuditBucket.Arn}/*"),
    Mutation("the audit speaks for others", "TokenAuditPolicy", "events:source: symbolon.token-audit", "events:source: symbolon.*"),
    Mutation("the audit opens epochs", "TokenAuditPolicy", "                kms:EncryptionContext:aws:s3:arn: !GetAtt StreamRecordsBucket.Arn\n", ""),
    Mutation("the token key opens any bucket", "TokenKey", "                kms:EncryptionContext:aws:s3:arn: !Sub arn:${AWS::Partition}:s3:::${AWS::StackName}-stream-records-${AWS::AccountId}-${AWS::Region}\n", ""),
    Mutation("anybody signs", "AuditSigningKey", "              ArnEquals:\n                aws:PrincipalArn: !Sub arn:${AWS::Partition}:iam::${AWS::AccountId}:role/${AWS::StackName}-token-audit-${AWS::Region}\n", ""),
    Mutation("another curve", "AuditSigningKey", "KeySpec: ECC_NIST_P256", "KeySpec: ECC_NIST_P384"),
    Mutation("tokens kept as versions", "StreamRecordsBucket", "Status: Suspended", "Status: Enabled"),
    Mutation("tokens kept for long", "StreamRecordsBucket", "ExpirationInDays: 14", "ExpirationInDays: 400"),
    Mutation("heads that go round", "AuditHeadsToPeerRule", "region: [!Ref AWS::Region]", "region: [!Ref AWS::Region, !Ref PeerRegion]"),
    Mutation("heads kept for a month", "AuditHeadsLogGroup", "RetentionInDays: 2557", "RetentionInDays: 30"),
    Mutation("nobody hears of broken invariants", "InvariantBrokenRule", "Audit Invariant Broken", "Audit Invariant Held"),
    Mutation("an audit that can be deleted", "AuditBucket", "      ObjectLockEnabled: true\n", ""),
    Mutation("uploads under the right key refused", "DataBucketPolicy", "StringNotEquals:\n                s3:x-amz-server-side-encryption-aws", "StringEquals:\n                s3:x-amz-server-side-encryption-aws"),
    Mutation("a bucket that may be public", "DataBucket", "BlockPublicAcls: true", "BlockPublicAcls: false"),
    Mutation("copies under a key of the wrong region", "DataBucket", "kms:${PeerRegion}", "kms:${AWS::Region}"),
    Mutation("colder before it may be", "DataBucket", "TransitionInDays: 30", "TransitionInDays: 20"),
    Mutation("plain HTTP to a bucket", "DataBucketPolicy", 'aws:SecureTransport: "false"', 'aws:SecureTransport: "true"'),
    Mutation("counterparties in the quarantine", "QuarantineBucketPolicy", 'aws:PrincipalTag/symbolon:counterparty: "false"', 'aws:PrincipalTag/symbolon:counterparty: "true"'),
    # ---- Redrive and quarantine
    Mutation("a redrive that brakes for itself", "DlqRedriveFunction", '"consumer":"${MatcherFunction}"', '"consumer":"${DlqRedriveFunction}"'),
    Mutation("letters go back to where they lie", "DlqRedriveFunction", '"sourceUrl":"${IntakeQueue}"', '"sourceUrl":"${IntakeDlq}"'),
    Mutation("a redrive that outlives its turn", "DlqRedriveFunction", "Timeout: 240", "Timeout: 600"),
    Mutation("a redrive without memory for its letters", "DlqRedriveFunction", "MemorySize: 512 #", "MemorySize: 128 #"),
    Mutation("a redrive that is tried again beside the next", "DlqRedriveFunction", "MaximumRetryAttempts: 0", "MaximumRetryAttempts: 2"),
    Mutation("a canary that nobody waits for", "DlqRedriveFunction", 'CANARY_WAIT_SECONDS: "120"', 'CANARY_WAIT_SECONDS: "60"'),
    Mutation("the redrive taken for the matcher", "DlqRedriveFunction", "MATCHER_ROLE_ID: !GetAtt MatcherRole.RoleId", "MATCHER_ROLE_ID: !GetAtt DlqRedriveRole.RoleId"),
    Mutation("poison under the key of the buckets", "DlqRedriveFunction", "!GetAtt QuarantineKey.Arn, !GetAtt QuarantineKeyReplica.Arn", "!GetAtt BucketKey.Arn, !GetAtt BucketKeyReplica.Arn"),
    Mutation("a schedule that gives up unheard", "DlqRedriveFunction", "            DeadLetterConfig:\n              Arn: !GetAtt DlqRedriveDlq.Arn\n", ""),
    Mutation("a schedule that may not start it", "DlqRedriveScheduleRole", "function:dlq-redrive", "function:redrive"),
    Mutation("a schedule of every week", "RedriveSchedule", "rate(5 minutes)", "rate(7 days)"),
    Mutation("cycles without an end", "RedriveMaximumCycles", "MaxValue: 10", "MaxValue: 100000"),
    Mutation("the redrive takes from the intake", "DlqRedrivePolicy", "Resource: !GetAtt IntakeDlq.Arn", "Resource: [!GetAtt IntakeDlq.Arn, !GetAtt IntakeQueue.Arn]"),
    Mutation("the redrive may not delete what it has kept", "DlqRedrivePolicy", "              - sqs:DeleteMessage\n", ""),
    Mutation("the redrive may not look for poison", "DlqRedrivePolicy", "              - s3:GetObject\n", ""),
    Mutation("poison that is absent looks forbidden", "DlqRedrivePolicy", "Action: s3:ListBucket\n            Resource: !GetAtt QuarantineBucket.Arn", "Action: s3:GetBucketLocation\n            Resource: !GetAtt QuarantineBucket.Arn"),
    Mutation("the redrive writes submissions", "DlqRedrivePolicy", "Action: dynamodb:BatchGetItem", "Action: [dynamodb:BatchGetItem, dynamodb:UpdateItem]"),
    Mutation("the redrive speaks for others", "DlqRedrivePolicy", "events:source: symbolon.dlq-redrive", "events:source: symbolon.*"),
    Mutation("the redrive cannot ask of its consumer", "DlqRedrivePolicy", "              - cloudwatch:GetMetricData\n", ""),
    Mutation("anybody may fill the redrive's own queue", "DlqRedriveDlqPolicy", "                  - !GetAtt DlqRedriveScheduleRole.Arn", '                  - "*"'),
    Mutation("the quarantine opens to the matcher", "QuarantineKey", "role/${AWS::StackName}-dlq-redrive-${AWS::Region}", "role/${AWS::StackName}-*-${AWS::Region}"),
    Mutation("poison that dies with the letter's life", "QuarantineRetentionDays", "Default: 400", "Default: 31"),
    Mutation("quarantine without a second factor", "QuarantineRole", 'aws:MultiFactorAuthPresent: "true"', 'aws:MultiFactorAuthPresent: "false"'),
    Mutation("a way around the redrive", "QuarantinePolicy", "              - sts:GetCallerIdentity", "              - s3:GetObject\n              - sts:GetCallerIdentity"),
    Mutation("acts kept for a month", "QuarantineActsLogGroup", "RetentionInDays: 2557", "RetentionInDays: 30"),
    Mutation("acts that nobody keeps", "QuarantineActsRule", "Quarantine Act,", "Quarantine Action,"),
    Mutation("acts that may not be kept", "QuarantineActsLogPolicy", "${AWS::StackName}-quarantine-acts:*", "${AWS::StackName}-acts:*"),
    Mutation("a silence that is no alarm", "RedriveSilentAlarm", "TreatMissingData: breaching", "TreatMissingData: notBreaching"),
    Mutation("a relapse of another function", "RelapsedAlarm", "Value: dlq-redrive", "Value: matcher"),
    # ---- Backup check
    Mutation("a check that cannot reach its report", "BackupCheckFunction", "BACKUP_BUCKET: !Ref BackupBucket", "BACKUP_BUCKET: !Ref QuarantineBucket"),
    Mutation("an export into its own region", "BackupCheckFunction", "backup-${AWS::AccountId}-${PeerRegion}", "backup-${AWS::AccountId}-${AWS::Region}"),
    Mutation("a function that is not exported", "BackupCheckFunction", "matcher,token-audit,dlq-redrive,backup-check", "matcher,token-audit,dlq-redrive"),
    Mutation("a function whose export is not asked for", "BackupCheckFunction", '["matcher","token-audit","dlq-redrive","backup-check"]', '["matcher","token-audit","dlq-redrive"]'),
    Mutation("a table whose copies nobody asks for", "BackupCheckFunction", '"graceHours":4,"copy":true', '"graceHours":4,"copy":false'),
    Mutation("a key whose rotation nobody asks for", "BackupCheckFunction", '"rotation":true', '"rotation":false'),
    Mutation("the lock in another mode", "BackupCheckFunction", '"mode":"${AuditLockMode}"', '"mode":"GOVERNANCE"'),
    Mutation("a policy that is no JSON", "BackupCheckFunction", '"v":1,"partition"', '"v":1 "partition"'),
    Mutation("a check that outlives its turn", "BackupCheckSchedule", "rate(1 hour)", "rate(1 minute)"),
    Mutation("the check opens tables", "BackupCheckPolicy", "- dynamodb:DescribeTable", "- dynamodb:DescribeTable\n              - dynamodb:GetItem"),
    Mutation("the check writes anywhere in the bucket", "BackupCheckPolicy", "${BackupBucket.Arn}/backup-check/${AWS::Region}/*", "${BackupBucket.Arn}/*"),
    Mutation("the check may not export the check", "BackupCheckPolicy", "              - !Sub arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:backup-check\n", ""),
    Mutation("the check changes functions", "BackupCheckPolicy", "- lambda:GetFunction\n", "- lambda:GetFunction\n              - lambda:UpdateFunctionCode\n"),
    Mutation("the check speaks for others", "BackupCheckPolicy", "events:source: symbolon.backup-check", "events:source: symbolon.*"),
    Mutation("a changed verdict that nobody hears of", "BackupVerdictRule", "Backup Verdict Changed", "Backup Verdict Change"),
    Mutation("a silent check that is no alarm", "BackupCheckSilentAlarm", "TreatMissingData: breaching", "TreatMissingData: notBreaching"),
    Mutation("a silent check that tells nobody", "BackupCheckSilentAlarm", "      AlarmActions:\n        - !Ref AlarmTopic\n", ""),
    Mutation("a report that is not written, unheard", "ReportsNotWrittenAlarm", "Threshold: 2", "Threshold: 100000"),
    # ---- Watching
    Mutation("an alarm on a metric that is none", "IntakeDlqAlarm", "ApproximateNumberOfMessagesVisible", "NumberOfMessagesVisible"),
    Mutation("an alarm that tells nobody", "MatcherErrorsAlarm", "      AlarmActions:\n        - !Ref AlarmTopic\n", ""),
    Mutation("an alarm the wrong way round", "IntakeDlqAlarm", "GreaterThanThreshold", "LessThanThreshold"),
    Mutation("more datapoints than periods", "MatcherErrorsAlarm", "DatapointsToAlarm: 1", "DatapointsToAlarm: 6"),
    Mutation("a threshold nobody reaches", "IntakeDlqAlarm", "Threshold: 0", "Threshold: 100000"),
    Mutation("a keyword that nobody writes", "PanickedFilter", "panicked", "panicking"),
    Mutation("an event that never comes", "AccessDeniedRule", "AWS API Call via CloudTrail", "AWS Api Call via CloudTrail"),
    Mutation("a disabled key that nobody hears of", "KeyDisabledRule", "DisableKey, ", ""),
    Mutation("a dashboard that is no JSON", "Dashboard", '"widgets": [', '"widgets": [,'),
    Mutation("a trail that can be edited unseen", "Trail", "EnableLogFileValidation: true", "EnableLogFileValidation: false"),
    Mutation("a trail without tables", "Trail", '"AWS::DynamoDB::Table"', '"AWS::DynamoDB::Tables"'),
    Mutation("alarms without a key", "AlarmTopic", "      KmsMasterKeyId: !GetAtt OperationsKey.Arn\n", ""),
    Mutation("a budget that tells too late", "Budget", "Threshold: 80", "Threshold: 800"),
    # ---- Backup, outputs, parameters
    Mutation("backups at no time", "BackupPlan", "cron(0 0/${BackupRpoHours} * * ? *)", "cron(0 0/${BackupRpoHours} * * * *)"),
    Mutation("no copy in the other region", "BackupPlan", "backup:${PeerRegion}", "backup:${AWS::Region}"),
    Mutation("no restore is tested", "RestoreTestingPlan", "LATEST_WITHIN_WINDOW", "LATEST_IN_WINDOW"),
    Mutation("an output of another name", "Outputs", "IntakeQueueUrl:", "IntakeUrl:"),
    Mutation("an output of another thing", "Outputs", "Value: !Ref IntakeDlq", "Value: !Ref IntakeQueue"),
    Mutation("a parameter that nothing asks for", "Parameters", "  Role:\n", "  Unasked:\n    Type: String\n    Default: none\n  Role:\n"),
    Mutation("a condition on the region", "Conditions", "!Equals [!Ref Role, primary]", "!Equals [!Ref AWS::Region, us-east-1]"),
    Mutation("a reference to nothing", "MatcherPolicy", "!GetAtt IntakeDlq.Arn", "!GetAtt IntakeDeadLetters.Arn"),
    Mutation("x86-64 by default", "Architecture", "Default: arm64", "Default: x86_64"),
    Mutation("the standby waits for days", "StandbyIntakeRetentionSeconds", "Default: 21600", "Default: 345600"),
]  # fmt: skip

# What no check notices, each with the reason why that is left so.
KNOWN_UNNOTICED = {
    # Judgements, not faults: any number within the bounds deploys and works.
    "a redrive without memory for its letters",
    "cycles without an end",
    "poison that dies with the letter's life",
    "the standby waits for days",
}
