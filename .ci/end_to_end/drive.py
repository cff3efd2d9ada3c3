"""Sends interests with a plain AWS client and reads what both sides are told. What is not as it must be ends the run."""

import hashlib
import json
import subprocess
import time

import adapt

PAIRS = 100
BUYER, SELLER = "cp-buyer", "cp-seller"
POISON = "this is no JSON"
PATIENCE_SECONDS = 120


def drive(deployment, symbolon):
    inboxes = onboard(deployment)
    sqs = deployment.client("sqs", adapt.HERE)
    intake = deployment.output(adapt.HERE, "IntakeQueueUrl")
    started = time.monotonic()
    send(sqs, intake, [*interests(), POISON])
    told = {who: received(sqs, url, PAIRS) for who, url in inboxes.items()}
    seconds = time.monotonic() - started
    matched(told)
    identify_nobody(told, inboxes)
    print(f"{PAIRS} matches, {2 * PAIRS} anonymous messages, in {seconds:.1f} s")
    set_aside(sqs, deployment.output(adapt.HERE, "IntakeDlqUrl"))
    print("poison: one dead letter, with its reason")
    sorted_out(deployment)
    print("redrive: the dead letter is in the quarantine, and nowhere else")
    stored(deployment)
    print(f"{PAIRS} matches, all told, in the tables of both regions")
    audited(deployment, symbolon)
    proved(deployment)
    print("backup check: its report here, and every function exported to the other region")
    standby_is_idle(deployment)
    print("standby: keeps its copies and matches nothing")


def expect(holds, sentence):
    if not holds:
        raise SystemExit(f"end to end: {sentence}")


# ---- In -----------------------------------------------------------------------------------------------------------


def onboard(deployment):
    """Two counterparties with an inbox each, and a symbol; as the registry and the parameters hold them."""
    sqs, tables = deployment.client("sqs", adapt.HERE), deployment.client("dynamodb", adapt.HERE)
    inboxes = {
        who: sqs.create_queue(QueueName=f"{adapt.STACK}-inbox-{hashlib.sha256(who.encode()).hexdigest()[:26]}")["QueueUrl"]
        for who in (BUYER, SELLER)
    }
    for who, url in inboxes.items():
        counterparty = {
            "pk": {"S": f"CP#{who}"},
            "v": {"N": "1"},
            "id": {"S": who},
            "principal": {"S": f"AROA{who.upper().replace('-', '')}"},
            "inboxes": {"M": {adapt.HERE: {"S": url}}},
            "exclusions": {"L": []},
            "standing": {"S": "active"},
        }
        tables.put_item(TableName=deployment.output(adapt.HERE, "RegistryTable"), Item=counterparty)
    parameters = {
        "symbol": {"S": "BTCUSD"},
        "v": {"N": "1"},
        "tick": {"S": "0.01"},
        "lot": {"S": "0.00000001"},
        "pricePolicy": {"S": "resting"},
        "currency": {"S": "USD"},
        "tradable": {"BOOL": True},
        "version": {"N": "1"},
    }
    tables.put_item(TableName=deployment.output(adapt.HERE, "ParametersTable"), Item=parameters)
    return inboxes


def interests():
    """Pairs that cross, each at a quantity of its own."""
    for number in range(1, PAIRS + 1):
        for who, side in ((BUYER, "buy"), (SELLER, "sell")):
            body = {
                "type": "interest",
                "clOrdId": f"{side}-{number}",
                "symbol": "BTCUSD",
                "side": side,
                "orderQty": "1.5",
                "minQty": "1.5",
                "price": "236.47",
            }
            yield envelope(who, body)


def envelope(who, body):
    return json.dumps({
        "type": "envelope",
        "v": 1,
        "onBehalfOf": who,
        "sentAt": str(time.time_ns() // 1_000_000),
        "cycles": 0,
        "body": json.dumps(body),
    })  # fmt: skip


def send(sqs, queue, bodies):
    for first in range(0, len(bodies), 10):
        entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(bodies[first : first + 10])]
        answer = sqs.send_message_batch(QueueUrl=queue, Entries=entries)
        expect(not answer.get("Failed"), f"the intake did not take {answer.get('Failed')}")


def waiting_and_taken(sqs, queue):
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    counts = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    return [int(counts[name]) for name in names]


# ---- Out ----------------------------------------------------------------------------------------------------------


def received(sqs, queue, count):
    """So many different messages; copies are dropped by their id, as consumers do."""
    found = {}
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(found) < count and time.monotonic() < deadline:
        answer = sqs.receive_message(
            QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=2, MessageAttributeNames=["All"]
        )
        for message in answer.get("Messages", []):
            expect(not message.get("MessageAttributes"), "an inbox message bears attributes")
            body = json.loads(message["Body"])
            found[body["messageId"]] = body
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    expect(len(found) == count, f"{len(found)} of {count} messages after {PATIENCE_SECONDS} s")
    return list(found.values())


def matched(told):
    """Every interest is filled once, and the two tokens of a match fit its commitment."""
    for who, side in ((BUYER, "buy"), (SELLER, "sell")):
        wanted = {f"{side}-{number}" for number in range(1, PAIRS + 1)}
        expect({message["clOrdId"] for message in told[who]} == wanted, f"{side}: not each interest was told once")
        for message in told[who]:
            filled = (message["type"], message["side"], message["lastQty"], message["lastPx"], message["leavesQty"])
            expect(filled == ("match", side, "1.5", "236.47", "0"), f"{side}: a message says {filled[1:]}")
    sellers = {message["token"][:26]: message for message in told[SELLER]}
    expect(len(sellers) == PAIRS, "two matches share an id")
    for buyer in told[BUYER]:
        seller = sellers[buyer["token"][:26]]
        expect(buyer["token"] != seller["token"], "both sides hold one token")
        both = f"symbolon/commitment/v1{buyer['token']}{seller['token']}"
        commitment = hashlib.sha256(both.encode()).hexdigest()
        expect({buyer["commitment"], seller["commitment"]} == {commitment}, "tokens do not fit their commitment")


def identify_nobody(told, inboxes):
    """Nothing of the other side in any body."""
    for who, other, side in ((BUYER, SELLER, "sell-"), (SELLER, BUYER, "buy-")):
        foreign = {other, who, inboxes[other], inboxes[other].rsplit("/", 1)[1], side, adapt.SENDER}
        foreign |= {message["token"] for message in told[other]}
        for message in told[who]:
            text = json.dumps(message)
            expect(not any(word in text for word in foreign), "a message names the other side")


def set_aside(sqs, queue):
    answer = sqs.receive_message(
        QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=20, MessageAttributeNames=["All"]
    )
    letters = answer.get("Messages", [])
    expect(len(letters) == 1, f"{len(letters)} dead letters")
    attributes = {name: value["StringValue"] for name, value in letters[0].get("MessageAttributes", {}).items()}
    expect(attributes == {"reason": "malformed"}, f"a dead letter bears {attributes}")
    body = json.loads(letters[0]["Body"])
    expect((body["type"], body["body"], body["sender"]) == ("envelope", POISON, adapt.SENDER), "its envelope differs")
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=letters[0]["ReceiptHandle"], VisibilityTimeout=0)


# ---- What the Scheduler starts --------------------------------------------------------------------------------------


def invoked(deployment, function):
    """What a function answers to its schedule's event."""
    answer = deployment.client("lambda", adapt.HERE).invoke(FunctionName=function, Payload=b"{}")
    text = answer["Payload"].read().decode()
    expect("FunctionError" not in answer, f"{function} ended with {text}")
    return json.loads(text)


def objects(deployment, region, bucket):
    pages = deployment.client("s3", region).get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return [entry["Key"] for page in pages for entry in page.get("Contents", [])]


def sorted_out(deployment):
    """The dead letter is poison, whatever the emulator says of the consumer."""
    dead = (deployment.client("sqs", adapt.HERE), deployment.output(adapt.HERE, "IntakeDlqUrl"))
    expect(waiting_and_taken(*dead) == [1, 0], f"of the dead letters {waiting_and_taken(*dead)} are waiting and taken")
    [queue] = invoked(deployment, "dlq-redrive")["redrive"]["queues"]
    ended = (queue["received"], queue["quarantined"], queue["sentBack"], queue["left"])
    expect(ended == (1, {"malformed": 1}, 0, 0), f"the redrive says {queue}")
    names = objects(deployment, adapt.HERE, deployment.output(adapt.HERE, "QuarantineBucket"))
    expect([name.rsplit("/", 2)[0] for name in names] == ["v1/intake/malformed"], f"in the quarantine are {names}")
    # Not by another run: a letter that was not deleted would be invisible to it for minutes.
    expect(waiting_and_taken(*dead) == [0, 0], f"of the dead letters {waiting_and_taken(*dead)} are waiting and taken still")


def proved(deployment):
    """Much of what it looks at is not in the emulator: then it says so. What it writes is."""
    checked = invoked(deployment, "backup-check")
    expect(checked["verdict"] != "good", "what the emulator does not have is called good")
    kept = objects(deployment, adapt.HERE, deployment.output(adapt.HERE, "BackupBucket"))
    for name in (checked["report"], f"backup-check/{adapt.HERE}/latest.json", f"backup-check/{adapt.HERE}/latest.html"):
        expect(name in kept, f"{name} is not in the backup bucket")
    peer = deployment.output(adapt.THERE, "BackupBucket")
    key = f"functions/{adapt.STACK}/{adapt.HERE}/latest.json"
    manifest = json.loads(deployment.client("s3", adapt.THERE).get_object(Bucket=peer, Key=key)["Body"].read())
    running = deployment.client("lambda", adapt.HERE).list_functions()["Functions"]
    running = {function["FunctionName"]: function["CodeSha256"] for function in running}
    expect(manifest["functions"] == running, f"exported are {sorted(manifest['functions'])} of {sorted(running)}")


def stored(deployment):
    for region in (adapt.HERE, adapt.THERE):
        tables = deployment.client("dynamodb", region)
        matches = items(tables, deployment.output(region, "MatchesTable"))
        expect(len(matches) == PAIRS, f"{len(matches)} matches stored in {region}")
        submissions = items(tables, deployment.output(region, "SubmissionsTable"))
        expect(len(submissions) == 2 * PAIRS, f"{len(submissions)} submissions in {region}")
        states = {item["ordStatus"]["S"] for item in submissions}
        expect(states == {"filled"}, f"submissions are {states} in {region}")
        untold = [item for item in submissions if "matches" in item and "toldAt" not in item]
        expect(not untold, f"{len(untold)} matches untold in {region}")
        expect(not items(tables, deployment.output(region, "InterestsTable")), f"something rests in {region}")


def items(tables, name):
    pages = tables.get_paginator("scan").paginate(TableName=name, ConsistentRead=True)
    return [item for page in pages for item in page["Items"]]


# ---- Audit ----------------------------------------------------------------------------------------------------------


def audited(deployment, symbolon):
    """The log holds every match once, and the tool verifies it from a copy of the bucket and the public key."""
    copy = deployment.folder / "audit"
    buckets = deployment.client("s3", adapt.HERE)
    bucket = deployment.output(adapt.HERE, "AuditBucket")
    key = deployment.client("kms", adapt.HERE).get_public_key(
        KeyId=deployment.output(adapt.HERE, "AuditSigningKeyArn")
    )
    (deployment.folder / "audit.der").write_bytes(key["PublicKey"])
    deadline = time.monotonic() + PATIENCE_SECONDS
    report = {}
    while time.monotonic() < deadline and report.get("minted") != PAIRS:
        time.sleep(1)
        for page in buckets.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for entry in page.get("Contents", []):
                file = copy / entry["Key"]
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(buckets.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read())
        if copy.exists():
            report = verified(deployment, symbolon, copy)
    expect(report.get("minted") == PAIRS, f"the audit log says {report} after {PATIENCE_SECONDS} s")
    print(f"{PAIRS} matches minted in the audit log, verified from a copy of the bucket and the public key")
    # And a bit that is flipped is named.
    victim = next(file for file in copy.rglob("*") if file.is_file() and file.name != "head")
    body = bytearray(victim.read_bytes())
    body[len(body) // 2] ^= 1
    victim.write_bytes(body)
    expect("minted" not in verified(deployment, symbolon, copy), "a flipped bit is called good")
    print("a flipped bit in it is found")


def verified(deployment, symbolon, copy):
    """What the tool says of a log that is whole; nothing of another."""
    command = [symbolon, "--output", "json", "audit", "verify", "--dir", copy, "--log", adapt.HERE]
    command += ["--public-key", deployment.folder / "audit.der"]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    expect(done.returncode in (0, 1), f"symbolon ended with {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)["logs"][0] if done.returncode == 0 else {}


# ---- Standby ------------------------------------------------------------------------------------------------------


def standby_is_idle(deployment):
    """Its copies stay where they are. (The emulator calls every mapping enabled, and polls for the enabled ones only.)"""
    mappings = deployment.client("lambda", adapt.THERE).list_event_source_mappings()["EventSourceMappings"]
    sources = sorted(mapping["EventSourceArn"].split(":")[2] for mapping in mappings)
    expect(sources == ["dynamodb", "sqs"], f"the standby's mappings are of {sources}")
    sqs = deployment.client("sqs", adapt.THERE)
    intake = deployment.output(adapt.THERE, "IntakeQueueUrl")
    copies = list(interests())[:10]
    send(sqs, intake, copies)
    time.sleep(5)  # the primary's took less for all of its messages
    waiting = waiting_and_taken(sqs, intake)
    expect(waiting == [len(copies), 0], f"of {len(copies)} copies in the standby {waiting} are waiting and taken")
