"""Runs the examples of docs/integration.md against the local stack: two counterparties, each with its own program.

    examples.py LOCAL CONSUME SCRATCH

LOCAL is the local deployment's program, CONSUME the built Rust example; Python and the AWS CLI are those of the
environment that runs this.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import boto3

ROOT = pathlib.Path(__file__).parents[1]
EXAMPLES = ROOT / "docs" / "examples"
BUYER, SELLER = "AROACOUNTERPARTY00001", "AROACOUNTERPARTY00002"
SECONDS = "6"


def main():
    local, consume, scratch = sys.argv[1:]
    scratch = pathlib.Path(scratch)
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    outputs = scratch / "outputs.json"
    serve = subprocess.Popen([local, "serve", "--port", "0", "--outputs", outputs], stdout=subprocess.PIPE, text=True)
    try:
        environment = exported(serve.stdout)
        talk(Counterparties(environment, json.loads(outputs.read_text())), consume, scratch)
    finally:
        serve.terminate()
        serve.wait(timeout=20)


def exported(lines):
    """The variables that `serve` prints, which ends its output."""
    found = {}
    for line in lines:
        if export := re.fullmatch(r"export (\w+)='(.*)'\n", line):
            found[export[1]] = export[2]
        if "TOKEN_KEY_ARN" in found:  # the last of them: they come in order of their names
            return found
    raise SystemExit("the local stack did not come up")


class Counterparties:
    """What each was given when it was onboarded: credentials, an intake and an inbox."""

    def __init__(self, exported, outputs):
        names = ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SECRET_ACCESS_KEY")
        self.common = {name: exported[name] for name in names}
        self.common["INTAKE_QUEUE_URL"] = outputs["IntakeQueueUrl"]
        table = boto3.client(
            "dynamodb",
            endpoint_url=exported["AWS_ENDPOINT_URL"],
            region_name=exported["AWS_REGION"],
            aws_access_key_id="examples",
            aws_secret_access_key="examples",
        )
        items = table.scan(TableName=outputs["RegistryTable"])["Items"]
        self.inboxes = {
            item["principal"]["S"]: item["inboxes"]["M"][exported["AWS_REGION"]]["S"]
            for item in items
            if item["pk"]["S"].startswith("CP#")
        }

    def empty(self, who, *program):
        """What the program says of the inbox."""
        return self.run(who, *program[:-1], self.inboxes[who], program[-1], SECONDS)

    def run(self, who, *command):
        own = {"AWS_ACCESS_KEY_ID": who}
        clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        done = subprocess.run(
            command, env={**clean, **self.common, **own}, capture_output=True, text=True, timeout=120, check=False
        )
        if done.returncode != 0:
            raise SystemExit(f"{command[0]} ended with {done.returncode}: {done.stderr}")
        return done.stdout.split("\n")[:-1]


def talk(counterparties, consume, scratch):
    send = str(EXAMPLES / "send.sh")
    python = (sys.executable, str(EXAMPLES / "consume.py"), str(scratch / "seen.python"))
    rust = (consume, str(scratch / "seen.rust"))
    for _ in range(2):  # sent again, it counts once and is answered again
        counterparties.run(BUYER, send, "A-1", "buy", "0.5", "236.47")
    counterparties.run(SELLER, send, "B-1", "sell", "0.5", "236.40")
    counterparties.run(SELLER, send, "B-2", "sell", "0.5", "236.405")
    buyer = counterparties.empty(BUYER, *python)
    seller = counterparties.empty(SELLER, *rust)
    tokens = [line.split()[-1] for line in (*buyer, *seller) if line.startswith("match")]
    expect(len(tokens) == 2 and tokens[0] != tokens[1], f"tokens: {len(tokens)}")
    expect(tokens[0][:26] == tokens[1][:26], "the tokens name two matches")
    expect(sorted(buyer) == ["accepted A-1", f"match A-1 0.5 236.47 {tokens[0]}"], "the buyer's messages, each once")
    told = ["accepted B-1", f"match B-1 0.5 236.47 {tokens[1]}", "rejected B-2 off_tick"]
    expect(sorted(seller) == told, "the seller's messages, each once")
    # What is sent once more is answered once more, with the ids of before: both programs have seen them.
    counterparties.run(BUYER, send, "A-1", "buy", "0.5", "236.47")
    counterparties.run(SELLER, send, "B-1", "sell", "0.5", "236.40")
    expect(not counterparties.empty(BUYER, *python), "Python drops copies")
    expect(not counterparties.empty(SELLER, *rust), "Rust drops copies")
    print("examples: sent by the AWS CLI, told to Python and to Rust, each message once")


def expect(holds, sentence):
    if not holds:
        raise SystemExit(f"examples: not as it must be: {sentence}")


if __name__ == "__main__":
    main()
