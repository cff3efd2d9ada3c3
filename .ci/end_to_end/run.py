"""Deploys the built template into two regions of an emulator by the four steps, and lets interests match there.

    run.py SAM ARCHITECTURE BUILT SCRATCH SYMBOLON

SAM is the path of sam, SYMBOLON that of the tool, BUILT what `sam build` wrote, SCRATCH a folder for what arises. The emulator listens on
loopback alone and ends with this run.
"""

import contextlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import adapt
import boto3
import drive

ROOT = pathlib.Path(__file__).parents[2]
STEPS = {
    "primary-foundation": adapt.HERE,
    "standby-foundation": adapt.THERE,
    "primary": adapt.HERE,
    "standby": adapt.THERE,
}
# What nothing of this run may ask: the caller's own account.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@contextlib.contextmanager
def emulator(scratch):
    """Its address, while it runs."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "127.0.0.1",
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "TMPDIR": str(scratch),
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",  # for the functions that it starts
    }
    log = (scratch / "emulator.log").open("w")
    command = [str(pathlib.Path(sys.executable).with_name("ministack"))]
    server = subprocess.Popen(command, env={**clean(), **own}, cwd=scratch, stdout=log, stderr=log)
    address = own["AWS_ENDPOINT_URL"]
    try:
        wait_for(address, server)
        yield address
    finally:
        server.terminate()
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()
        log.close()


def clean():
    """The environment without anything that names an account, a region or another endpoint."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**kept, **CREDENTIALS, "AWS_EC2_METADATA_DISABLED": "true", "SAM_CLI_TELEMETRY": "0"}


def wait_for(address, server):
    for _ in range(150):
        if server.poll() is not None:
            raise SystemExit(f"the emulator ended with {server.returncode}")
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"{address}/_ministack/health", timeout=2).close()
            return
        time.sleep(0.2)
    raise SystemExit("the emulator does not answer")


class Deployment:
    """The template in both regions."""

    def __init__(self, sam, address, folder):
        self.sam, self.address, self.folder = sam, address, folder

    def client(self, service, region):
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.address,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )

    def output(self, region, name):
        return adapt.output(self.client, region, name)

    def step(self, name):
        """Takes a step, and says whether it changed anything."""
        adapt.before(name, self.client)
        self.hand_over(name)
        command = [self.sam, "deploy", "--template", "template.yaml", "--config-file", "samconfig.toml"]
        done = subprocess.run(
            [*command, "--config-env", name],
            env={**clean(), "AWS_ENDPOINT_URL": self.address},
            cwd=self.folder,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        (self.folder / f"{name}.log").write_text(done.stdout)
        if done.returncode != 0:
            raise SystemExit(f"{done.stdout}\nsam deploy --config-env {name} ended with {done.returncode}")
        adapt.after(name, self.client)
        return "No changes to deploy" not in done.stdout

    def hand_over(self, name):
        """What docs/operations.md hands from one step to the next, in the files that samconfig.toml names."""
        if name == "standby-foundation":
            parameters = self.output(adapt.HERE, "StandbyParameters")
            (self.folder / "standby.parameters.yaml").write_text(parameters)
        if name == "standby":
            matches = self.client("dynamodb", adapt.THERE).describe_table(TableName="symbolon-matches")["Table"]
            stream = {"MatchesStreamArn": matches["LatestStreamArn"]}
            (self.folder / "standby.stream.yaml").write_text(json.dumps(stream))


def prepare(built, architecture, scratch):
    """The folder that the steps are taken in."""
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    text, left_out = adapt.template(built)
    # sam finds the code beside the template.
    (scratch / "template.yaml").write_text(text)
    for code in built.parent.iterdir():
        if code.is_dir():
            (scratch / code.name).symlink_to(code.resolve())
    (scratch / "samconfig.toml").write_text(adapt.settings((ROOT / "samconfig.toml").read_text(), architecture))
    print(f"left out for the emulator: {', '.join(left_out)}")


def main():
    sam, architecture, built, scratch, symbolon = sys.argv[1:]
    scratch = pathlib.Path(scratch).resolve()
    prepare(pathlib.Path(built).resolve(), architecture, scratch)
    with emulator(scratch) as address:
        deployment = Deployment(sam, address, scratch)
        for step in STEPS:
            started = time.monotonic()
            if not deployment.step(step):
                raise SystemExit(f"{step}: created nothing")
            print(f"{step}: deployed in {time.monotonic() - started:.0f} s")
            if deployment.step(step):
                raise SystemExit(f"{step}: a second time changed something")
            print(f"{step}: a second time changes nothing")
        drive.drive(deployment, symbolon)


if __name__ == "__main__":
    main()
