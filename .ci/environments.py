"""The config environments of samconfig.toml: the four steps of a deployment, and with which parameters."""

import pathlib
import tomllib

STEPS = ["primary-foundation", "standby-foundation", "primary", "standby"]
ROOT = pathlib.Path(__file__).parents[1]

# What the files that samconfig.toml names are, once the steps before have been taken.
FILES = {
    "standby.parameters.yaml": {
        "TokenKeyId": f"mrk-{1:032x}",
        "DataKeyId": f"mrk-{2:032x}",
        "RegistryKeyId": f"mrk-{3:032x}",
        "BucketKeyId": f"mrk-{4:032x}",
        "QuarantineKeyId": f"mrk-{5:032x}",
    },
    "standby.stream.yaml": {
        "MatchesStreamArn": "arn:aws:dynamodb:us-west-2:123456789012:table/symbolon-matches/stream/2026-01-01T00:00",
    },
}


def settings():
    """Each step's settings as written, in the order of the file."""
    read = tomllib.loads((ROOT / "samconfig.toml").read_text())
    return {name: step for name, step in read.items() if isinstance(step, dict)}


def parameters(step):
    """The step's parameters, files included."""
    found = {}
    for override in settings()[step]["deploy"]["parameters"]["parameter_overrides"]:
        if override.startswith("file://"):
            found |= FILES[override.removeprefix("file://")]
        else:
            name, value = override.split("=", 1)
            found[name] = value
    return found


def region(step):
    return settings()[step]["deploy"]["parameters"]["region"]


def faults():
    """A sentence for each way in which the steps are not those of the contract."""
    found = settings()
    if list(found) != STEPS:
        yield f"config environments are {list(found)}, not {STEPS}"
        return
    regions = {"primary": region("primary"), "standby": region("standby")}
    peers = {"primary": regions["standby"], "standby": regions["primary"]}
    for step in STEPS:
        role, _, stage = step.partition("-")
        deploy = found[step]["deploy"]["parameters"]
        given = parameters(step)
        wanted = {"Role": role, "Stage": stage or "all", "PeerRegion": peers[role]}
        for name, value in wanted.items():
            if given.get(name) != value:
                yield f"{step}: {name} is {given.get(name)}, not {value}"
        if given.get("WitnessRegion") in (None, *regions.values()):
            yield f"{step}: the witness is in {given.get('WitnessRegion')}"
        if deploy["region"] != regions[role]:
            yield f"{step}: goes to {deploy['region']}"
        if found[step]["global"]["parameters"] != {"stack_name": "symbolon"}:
            yield f"{step}: both stacks bear the same name"
        if deploy.get("tags") != ["symbolon:stack=symbolon"]:
            yield f"{step}: its costs are nobody's"
        if deploy.get("fail_on_empty_changeset") is not False or deploy.get("confirm_changeset") is not False:
            yield f"{step}: repeating it would fail, or ask"
        if deploy.get("capabilities") != "CAPABILITY_NAMED_IAM":
            yield f"{step}: may not make the roles of people, which have names"
