"""Puts functions back from an export, in an emulator that has nothing else, by the commands of docs/recovery.md.

    recovery.py EXAMPLES SCRATCH

EXAMPLES is the folder of the common crate's examples `export` and `export_conformance`, SCRATCH one for what arises. The
template's functions are deployed into one emulator, with packages made here, exported from there by the adapters of AWS,
and one of them deleted and the rest exported again. A second emulator gets nothing but the bucket's objects, and before it
mappings take their time, as on AWS. The page's commands run there as they stand; then both are compared. All of it listens
on loopback alone and ends with this run. jq and bash are the machine's, the AWS command line is that of this environment.
"""

import contextlib
import http.client
import http.server
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import time
import urllib.parse
import zipfile

ROOT = pathlib.Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / ".ci" / "end_to_end"))

import adapt  # noqa: E402
import boto3  # noqa: E402
import run as end_to_end  # noqa: E402
import yaml  # noqa: E402

HERE, THERE, STACK = adapt.HERE, adapt.THERE, adapt.STACK
BUCKET = f"{STACK}-backup-{adapt.ACCOUNT}-{THERE}"
PREFIX = f"functions/{STACK}/{HERE}/"
CODE_BUCKET = "code"
PAGE = ROOT / "docs" / "recovery.md"
SECTION = "## Functions lost in a region"
# Of the moment, of the emulator, or an id.
NOT_CONFIGURED = {
    "LastModified", "RevisionId", "State", "StateReason", "StateReasonCode", "LastUpdateStatus", "LastUpdateStatusReason",
    "LastUpdateStatusReasonCode",
}
NOT_MAPPED = {"UUID", "EventSourceMappingArn", "LastModified", "LastProcessingResult", "StateTransitionReason"}
RESERVED_TAGS = "aws:"
MAPPINGS = "/2015-03-31/event-source-mappings"
LISTINGS_OF_A_CHANGE = 2
IMPATIENT = "settled() { :; }"
STILL_THERE = "its old mappings are not gone"


def expect(holds, sentence):
    if not holds:
        raise SystemExit(f"recovery: {sentence}")


def client(address, service, region):
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=address,
        aws_access_key_id=end_to_end.CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=end_to_end.CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )


# ---- The deployment that is exported --------------------------------------------------------------------------------


def package(name):
    """A code package of its own for each function, the same each time."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("bootstrap", (2026, 1, 1, 0, 0, 0)), f"#!/bin/sh\n# {name}\nexit 1\n")
    return content.getvalue()


def deploy(address):
    """The template, all of it that the emulator takes, with packages made here."""
    s3 = client(address, "s3", HERE)
    s3.create_bucket(Bucket=CODE_BUCKET)
    text, _ = adapt.template(ROOT / "template.yaml")
    template = yaml.load(text, adapt.Loader)
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            properties = resource["Properties"]
            name = properties["FunctionName"]
            s3.put_object(Bucket=CODE_BUCKET, Key=name, Body=package(name))
            properties["CodeUri"] = f"s3://{CODE_BUCKET}/{name}"
    text = yaml.dump(template, Dumper=adapt.Dumper, sort_keys=False)
    s3.put_object(Bucket=CODE_BUCKET, Key="template.yaml", Body=text.encode())
    cloudformation = client(address, "cloudformation", HERE)
    parameters = {"Role": "primary", "Stage": "all", "PeerRegion": THERE, "WitnessRegion": "us-east-2"}
    cloudformation.create_stack(
        StackName=STACK,
        TemplateURL=f"{address}/{CODE_BUCKET}/template.yaml",
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        Tags=[{"Key": "symbolon:stack", "Value": STACK}],
    )
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    adapt.count_in_numbers(client(address, "lambda", HERE))


def make_bucket(address, name=BUCKET):
    client(address, "s3", THERE).create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": THERE}
    )


def export(examples, address, functions, code=0):
    own = {
        "AWS_ENDPOINT_URL": address,
        "AWS_REGION": HERE,
        "STACK_NAME": STACK,
        "PEER_REGION": THERE,
        "PEER_BACKUP_BUCKET": BUCKET,
        "EXPORTED_FUNCTIONS": ",".join(functions),
    }
    done = subprocess.run([examples / "export"], env={**end_to_end.clean(), **own}, text=True, capture_output=True)
    expect(done.returncode == code, f"the export ended with {done.returncode}:\n{done.stdout}{done.stderr}")


def conform(examples, address):
    own = {"AWS_ENDPOINT_URL": address, "AWS_REGION": THERE, "PEER_BACKUP_BUCKET": "conformance", "SEED": "1"}
    make_bucket(address, own["PEER_BACKUP_BUCKET"])
    command = [examples / "export_conformance"]
    done = subprocess.run(command, env={**end_to_end.clean(), **own}, text=True, capture_output=True)
    expect(done.returncode == 0, f"the bucket's adapter does not conform:\n{done.stdout}{done.stderr}")
    print(f"the bucket's adapter: {done.stdout.strip()}")


def export_what_is_left(examples, address, functions):
    """A function is lost, and exports go on: what they have of it stays, and says of when it is. The bucket after that."""
    lost = "matcher"  # which leaves a mapping behind
    client(address, "lambda", HERE).delete_function(FunctionName=lost)
    export(examples, address, functions, code=1)
    kept = objects(address)
    stale = json.loads(kept[f"{PREFIX}latest.json"])["stale"]
    expect(list(stale) == [lost] and stale[lost]["reason"] == "missing", f"stale are {stale}, lost is {lost}")
    return lost, kept


def export_again(examples, address, functions, kept):
    """What has not changed is not copied again: the manifest that holds is moved, and nothing else."""
    export(examples, address, functions)
    now = objects(address)
    changed = [key for key in now if now[key] != kept.get(key)]
    expect(changed == [f"{PREFIX}latest.json"], f"an export of what has not changed wrote {changed}")


def state(address):
    """What is deployed: each function with its configuration and tags, and all mappings."""
    functions = client(address, "lambda", HERE)
    names = [f["FunctionName"] for page in functions.get_paginator("list_functions").paginate() for f in page["Functions"]]
    described = {}
    for name in sorted(names):
        answer = functions.get_function(FunctionName=name)
        configuration = {key: part for key, part in answer["Configuration"].items() if key not in NOT_CONFIGURED}
        tags = {key: tag for key, tag in answer.get("Tags", {}).items() if not key.startswith(RESERVED_TAGS)}
        described[name] = {"configuration": configuration, "tags": tags}
    mappings = [
        {key: part for key, part in mapping.items() if key not in NOT_MAPPED | invented(mapping)}
        for page in functions.get_paginator("list_event_source_mappings").paginate()
        for mapping in page["EventSourceMappings"]
    ]
    return {"functions": described, "mappings": sorted(mappings, key=lambda mapping: mapping["EventSourceArn"])}


def invented(mapping):
    """The emulator's CloudFormation gives a queue, which has none, a place to start from."""
    return {"StartingPosition"} if ":sqs:" in mapping["EventSourceArn"] else set()


def objects(address):
    """Everything of the export's bucket."""
    s3 = client(address, "s3", THERE)
    listed = [o["Key"] for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET) for o in page.get("Contents", [])]
    return {key: s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in listed}


# ---- The region that has lost everything ----------------------------------------------------------------------------


def commands():
    """The blocks of the page's section, in order."""
    _, section = PAGE.read_text().split(f"\n{SECTION}\n", 1)
    section = section.split("\n## ", 1)[0]
    blocks = [block.split("\n```", 1)[0] for block in section.split("\n```sh\n")[1:]]
    expect(len(blocks) >= 5, f"{len(blocks)} blocks of commands in {SECTION}")
    return blocks


def impatient(blocks):
    """The same without waiting for mappings."""
    [defining] = [block for block in blocks if "settled() {" in block]
    return [f"{block}\n{IMPATIENT}" if block == defining else block for block in blocks]


class SlowMappings(http.server.BaseHTTPRequestHandler):
    """The emulator's Lambda, with mappings that take their time. The emulator's change at once; on AWS a change is listed as
    under way at first, refuses others meanwhile, and one that is deleted stays listed for seconds."""

    def forward(self):
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not path.startswith(MAPPINGS):
            return self.say(*self.ask(body))
        changing, uuid = self.server.changing, path.removeprefix(MAPPINGS).strip("/")
        if uuid in changing and self.command != "GET":
            return self.refuse(400, "ResourceInUseException")
        if self.command == "POST" and any(same_mapping(change, json.loads(body)) for change in changing.values()):
            return self.refuse(409, "ResourceConflictException")
        code, answer = self.ask(body)
        if code < 300:
            mapping = json.loads(answer)
            if self.command == "GET" and not uuid:
                self.show(mapping, dict(urllib.parse.parse_qsl(query)))
            elif self.command != "GET":
                mapping["State"] = {"POST": "Creating", "PUT": "Updating", "DELETE": "Deleting"}[self.command]
                changing[mapping["UUID"]] = {**mapping, "listings": LISTINGS_OF_A_CHANGE}
            answer = json.dumps(mapping).encode()
        return self.say(code, answer)

    def show(self, page, asked):
        """Changes of the listed mappings as under way, deleted ones in addition; each a few times."""
        changing, listed = self.server.changing, page["EventSourceMappings"]
        deleted = [c for c in changing.values() if c["State"] == "Deleting" and same_mapping(c, asked)]
        listed += [{key: part for key, part in change.items() if key != "listings"} for change in deleted]
        for mapping in listed:
            if change := changing.get(mapping["UUID"]):
                mapping["State"] = change["State"]
                self.server.shown.add(change["State"])
                change["listings"] -= 1
                if not change["listings"]:
                    del changing[mapping["UUID"]]

    def ask(self, body):
        with contextlib.closing(http.client.HTTPConnection(self.server.emulator)) as connection:
            connection.request(self.command, self.path, body, dict(self.headers))
            answer = connection.getresponse()
            self.kind = {name: answer.headers[name] for name in ("Content-Type", "x-amzn-ErrorType") if name in answer.headers}
            return answer.status, answer.read()

    def refuse(self, code, kind):
        self.kind = {"Content-Type": "application/json", "x-amzn-ErrorType": kind}
        self.say(code, json.dumps({"Type": "User", "Message": "a mapping is changing"}).encode())

    def say(self, code, body):
        self.send_response(code)
        for name, value in {**self.kind, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

    do_GET = do_POST = do_PUT = do_DELETE = forward


def same_mapping(mapping, asked):
    """Whether a mapping is of the function and the source that are asked for, if any is."""
    name, source = asked.get("FunctionName"), asked.get("EventSourceArn")
    return name in (None, mapping["FunctionArn"].split(":")[6]) and source in (None, mapping["EventSourceArn"])


@contextlib.contextmanager
def slow_mappings(address):
    with http.server.HTTPServer(("127.0.0.1", 0), SlowMappings) as server:
        server.emulator, server.changing, server.shown = urllib.parse.urlsplit(address).netloc, {}, set()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


def follow(blocks, address, slow, folder):
    """Runs the blocks one after the other in one shell, as somebody does who pastes them."""
    folder.mkdir(parents=True)
    script = "set -euo pipefail\n" + "\n".join(blocks)
    own = {
        "AWS_ENDPOINT_URL": address,
        "AWS_ENDPOINT_URL_LAMBDA": f"http://127.0.0.1:{slow.server_port}",
        "PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(folder),  # no configuration of the caller's
        "AWS_PAGER": "",
    }
    return subprocess.run(
        ["bash"],
        input=script,
        env={**end_to_end.clean(), **own},
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def fill(address, kept):
    """Nothing but the bucket's objects."""
    make_bucket(address)
    s3 = client(address, "s3", THERE)
    for key, body in kept.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)


def damage_is_noticed(address, slow, kept, scratch):
    """One byte of each kind of object changed: the page's check of the hashes stops before anything is restored."""
    s3 = client(address, "s3", THERE)
    manifest = json.loads(kept[f"{PREFIX}latest.json"])
    name = next(iter(manifest["packages"]))
    for index, key in enumerate(
        [manifest["packages"][name]["key"], manifest["configurations"][name]["key"], manifest["mappings"]["key"]]
    ):
        body = kept[key]
        s3.put_object(Bucket=BUCKET, Key=key, Body=body[:-1] + bytes([body[-1] ^ 1]))
        done = follow(commands(), address, slow, scratch / f"damaged-{index}")
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        expect(done.returncode != 0, f"a changed {key} was not noticed:\n{done.stdout}")
        expect(not state(address)["functions"], f"a function was made from a changed {key}")


def restore(turn, address, slow, before, manifest, scratch):
    """The page, from its first command to its last, and what is there then."""
    done = follow(commands(), address, slow, scratch / turn)
    (scratch / f"{turn}.log").write_text(done.stdout)
    expect(done.returncode == 0, f"{PAGE.name} ended with {done.returncode}:\n{done.stdout}")
    compare(before, state(address), manifest)
    deployable(scratch / turn / "restore", manifest)


def lose(address, name):
    """One function of the restored region, which leaves its mapping behind."""
    functions = client(address, "lambda", HERE)
    functions.delete_function(FunctionName=name)
    left = functions.list_event_source_mappings()["EventSourceMappings"]
    expect([m for m in left if m["FunctionArn"].endswith(f":{name}")], f"{name} left no mapping behind")


def impatience_is_noticed(address, slow, scratch):
    """Without its waiting the page fails: the mapping is still going when the next command wants it to be gone."""
    done = follow(impatient(commands()), address, slow, scratch / "impatient")
    noticed = done.returncode != 0 and STILL_THERE in done.stdout
    expect(noticed, f"not waiting for mappings was not noticed:\n{done.stdout}")


# ---- Comparison -----------------------------------------------------------------------------------------------------


def compare(before, after, manifest):
    """The restored region against the deployed one, and against the manifest."""
    hashes = {name: f["configuration"]["CodeSha256"] for name, f in after["functions"].items()}
    expect(hashes == manifest["functions"], f"code: {hashes}, exported was {manifest['functions']}")
    for name, function in before["functions"].items():
        differs = {part: differences(function[part], after["functions"][name][part]) for part in function}
        differs = {part: found for part, found in differs.items() if found}
        expect(not differs, f"{name} is not as it was: {differs}")
    expect(len(before["mappings"]) == len(after["mappings"]), f"mappings: {after['mappings']}")
    for was, restored in zip(before["mappings"], after["mappings"]):
        differs = differences(was, restored)
        expect(not differs, f"the mapping of {was['EventSourceArn']} is not as it was: {differs}")


def deployable(folder, manifest):
    """The template that the page makes has each function's package, and it has its parameters."""
    template = json.loads((folder / "template.json").read_text())
    functions = [r["Properties"] for r in template["Resources"].values() if r["Type"] == "AWS::Lambda::Function"]
    keys = {f["FunctionName"]: f["Code"]["S3Key"] for f in functions}
    expect(keys == {name: p["key"] for name, p in manifest["packages"].items()}, f"the template's packages are {keys}")
    settings = json.loads((folder / "settings.json").read_text())
    given = {parameter["ParameterKey"] for parameter in settings["Parameters"]}
    expect(given == template["Parameters"].keys(), f"parameters are {given}")


def differences(was, restored):
    """What differs, by the name of the part."""
    plain = [said(part) for part in (was, restored)]
    keys = plain[0].keys() | plain[1].keys()
    return {key: (plain[0].get(key), plain[1].get(key)) for key in keys if plain[0].get(key) != plain[1].get(key)}


def said(value):
    """Without what says nothing: the emulator leaves out here what it answers empty there, as its CloudFormation or its
    API was asked. And its CloudFormation hands numbers on as text."""
    match value:
        case dict():
            parts = {key: said(part) for key, part in value.items()}
            return {key: part for key, part in parts.items() if part not in ("", [], {}, None)}
        case list():
            return [said(part) for part in value]
        case bool():
            return value
        case int() | float():
            return str(value)
    return value


def main():
    examples, scratch = map(pathlib.Path, sys.argv[1:])
    examples, scratch = examples.resolve(), scratch.resolve()
    shutil.rmtree(scratch, ignore_errors=True)
    for name in ("deployed", "empty"):
        (scratch / name).mkdir(parents=True)
    expect(shutil.which("jq"), "jq is not installed")
    started = time.monotonic()
    with end_to_end.emulator(scratch / "deployed") as address:
        deploy(address)
        before = state(address)
        print(f"deployed: {', '.join(before['functions'])}; {len(before['mappings'])} mappings")
        conform(examples, address)
        make_bucket(address)
        export(examples, address, before["functions"])
        kept = objects(address)
        export_again(examples, address, before["functions"], kept)
        print(f"exported: {len(kept)} objects; a second time moves the manifest alone")
        lost, kept = export_what_is_left(examples, address, before["functions"])
        print(f"lost: {lost}; an export after that keeps it")
    manifest = json.loads(kept[f"{PREFIX}latest.json"])
    with end_to_end.emulator(scratch / "empty") as address, slow_mappings(address) as slow:
        fill(address, kept)
        damage_is_noticed(address, slow, kept, scratch)
        print("damage: a changed package, configuration or list of mappings stops the restore")
        for turn in ("restore", "repeat"):
            restore(turn, address, slow, before, manifest, scratch)
        print(f"restored: {len(before['functions'])} functions as they were, by {PAGE.name}; repeating it changes nothing")
        lose(address, lost)
        restore("again", address, slow, before, manifest, scratch)
        expect(slow.shown == {"Creating", "Updating", "Deleting"}, f"of the changes of mappings only {slow.shown} were seen")
        lose(address, lost)
        impatience_is_noticed(address, slow, scratch)
        print(f"restored: {lost}, whose mapping was left behind; not waiting for mappings is noticed")
    print(f"{time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
