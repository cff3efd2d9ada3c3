#!/usr/bin/env python3
"""Computes audit_v1.json from docs/audit-log.md alone, sharing no code with writer or verifier.

    python3 compute_audit.py > audit_v1.json

Needs hashlib of the standard library, and the package `cryptography` (43 or later) for ECDSA.
The outputs are frozen: a format that changes gets a new version and a file of its own.
"""

import base64
import hashlib
import json

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

CHAINS = 8
REGION = "us-east-1"
KEY = ec.derive_private_key(int("07" * 32, 16), ec.SECP256R1())


def sha256(*parts):
    return hashlib.sha256(b"".join(p if isinstance(p, bytes) else p.encode() for p in parts)).digest()


def base32(raw):
    return base64.b32encode(raw).decode().rstrip("=").lower()


def chain_of(match_id):
    return sha256("symbolon/audit/chain/v1", match_id)[0] % CHAINS


def event_id(of_the_stream):
    return sha256("symbolon/audit/event/v1", of_the_stream)[:16].hex()


def line(**fields):
    return json.dumps({name: value for name, value in fields.items() if value is not None}, separators=(",", ":"))


def entry(event, stream_id, recorded_at, match_id, item=True, invariant=None):
    return line(
        event=event,
        invariant=invariant,
        eventId=event_id(stream_id),
        recordedAt=recorded_at,
        matchId=match_id,
        commitment=sha256(match_id).hex() if item else None,
        region=REGION if item else None,
        keyEpoch="2026-11-23.g7" if item else None,
        parameterVersion=3 if item else None,
        matchedAt=1795428930123 if item else None,
        expiresAt=1829988931000 if item else None,
    )


def genesis(chain):
    return sha256("symbolon/audit/genesis/v1", f"{REGION}/{chain}")


def write(chain, batches):
    """The objects of a chain by name, and its head."""
    link, entries, horizon, objects, sealed = genesis(chain), 0, 0, {}, ""
    for sequence, batch in enumerate(batches, 1):
        previous = link
        for text in batch:
            link = sha256("symbolon/audit/entry/v1", link, text)
            horizon = max(horizon, json.loads(text)["recordedAt"])
        entries += len(batch)
        statement = line(
            v=1, region=REGION, chain=chain, sequence=sequence, previous=previous.hex(), count=len(batch),
            entries=entries, horizon=horizon, link=link.hex(),
        )  # fmt: skip
        message = ("symbolon/audit/statement" + statement).encode()
        signature = KEY.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        sealed = f"{statement}\n{base64.b64encode(signature).decode()}\n"
        objects[f"{REGION}/{chain}/{sequence:016}"] = "".join(text + "\n" for text in batch) + sealed
    objects[f"{REGION}/{chain}/head"] = sealed
    return objects


def main():
    ids = [base32(bytes([n] * 16)) for n in range(24)]
    first = ids[0]
    chain = chain_of(first)
    others = [match_id for match_id in ids[1:] if chain_of(match_id) == chain]
    second, third = others[:2]
    at = 1795428931000
    batches = [
        [
            entry("minted", "c4ca4238a0b923820dcc509a6f75849b", at, first),
            entry("minted", "c81e728d9d4c2f636f067f89cc14862c", at + 2000, second),
        ],
        [
            entry("changed", "eccbc87e4b5ce2fe28308fd9f2a7baf3", at + 1000, first),
            entry("broken", "eccbc87e4b5ce2fe28308fd9f2a7baf3", at + 1000, first, False, "unchanged_after_minting"),
            entry("minted", "a87ff679a2f3e71d9181a67b7542122c", at + 3000, third, False),
            entry("broken", "a87ff679a2f3e71d9181a67b7542122c", at + 3000, third, False, "item_readable"),
        ],
        [
            entry("expired", "e4da3b7fbbce2345d7772b0674a318d5", 1829988932000, first),
            entry("deleted", "1679091c5a880faf6fb5e6087eb1b2dc", 1829988933000, second),
        ],
    ]
    public = KEY.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    print(json.dumps({
        "publicKey": base64.b64encode(public).decode(),
        "secret": "07" * 32,
        "chains": {match_id: chain_of(match_id) for match_id in ids},
        "eventIds": {text: event_id(text) for text in ("c4ca4238a0b923820dcc509a6f75849b", "1", "")},
        "region": REGION,
        "chain": chain,
        "genesis": {str(n): genesis(n).hex() for n in range(CHAINS)},
        "objects": write(chain, batches),
    }, indent=1))  # fmt: skip


if __name__ == "__main__":
    main()
