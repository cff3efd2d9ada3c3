"""Cuts the first events out of a recorded order flow, and compares a replay of them with what must come out.

    replay_check.py cut SOURCE EVENTS TARGET
    replay_check.py compare REPLAY
"""

import itertools
import json
import lzma
import sys

# Found for the first 5,000 events and 12 counterparties by a plain sequential book, written independently.
EXPECTED = {
    "interests": 2434,
    "matches": 90,
    "matchedQty": "243.25611186",
    "cancelled": 2227,
    "cancelsWaiting": 86,
    "tooLateToCancel": 5,
    "resting": 116,
    "restingQty": "1372.55787672",
}


def cut(source, events, target):
    with lzma.open(source, "rt", newline="") as flow, open(target, "w", newline="") as first:
        header = next(flow)
        rows = list(itertools.islice(flow, events))
        first.writelines([header, *rows])
    if len(rows) < events:
        raise SystemExit(f"{source} has {len(rows)} events only, not {events}")


def compare(replay):
    with open(replay) as file:
        result = json.load(file)
    failures = [
        f"{name}: {result.get(name)!r} instead of {expected!r}"
        for name, expected in EXPECTED.items()
        if result.get(name) != expected
    ]
    invariants = result.get("invariants") or {}
    if not invariants:
        failures.append("invariants: none were checked")
    failures += [f"invariant {name}: {verdict}" for name, verdict in invariants.items() if verdict != "held"]
    audit = result.get("audit") or {}
    if (audit.get("verdict"), audit.get("minted"), audit.get("entries")) != ("held", EXPECTED["matches"], EXPECTED["matches"]):
        failures.append(f"audit log: {audit}")
    if failures:
        raise SystemExit("the replay differs\n  " + "\n  ".join(failures))
    print(f"replay as expected in {len(EXPECTED)} figures, {len(invariants)} invariants held, the audit log whole, {result.get('seconds')} s")


match sys.argv[1:]:
    case ["cut", source, events, target]:
        cut(source, int(events), target)
    case ["compare", replay]:
        compare(replay)
    case _:
        raise SystemExit(__doc__)
