#!/usr/bin/env python3
"""Computes token_v1.json from the written formats alone, sharing no code with the crate.

    python3 compute.py > token_v1.json

Needs hashlib and hmac of the standard library, and the package `cryptography` for AES-256-GCM.
The outputs are frozen: a format that changes gets a new label, a new version and a file of its own.
"""

import base64
import hashlib
import hmac
import json
from decimal import Decimal

from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def base32(raw):
    return base64.b32encode(raw).decode().rstrip("=").lower()


def labelled(label, *fields):
    """The label as it is, then each field behind its length in 8 big-endian bytes."""
    out = label.encode()
    for field in fields:
        raw = field if isinstance(field, bytes) else field.encode()
        out += len(raw).to_bytes(8, "big") + raw
    return out


def hkdf_sha256(salt, key, info):
    """RFC 5869 for one block of 32 bytes."""
    extracted = hmac.digest(salt, key, "sha256")
    return hmac.digest(extracted, info + b"\x01", "sha256")


def token(token_key, match_id, leg, owner):
    mac = hmac.digest(token_key, labelled("symbolon/token/v1", match_id, leg, owner), "sha256")
    return base32(match_id) + base32(mac[:16])


def quantity(text):
    """12 bytes of digits, 1 byte of places; no trailing zeros behind the point."""
    _, digits, exponent = Decimal(text).as_tuple()
    number, places = int("".join(map(str, digits))), -exponent
    while places > 0 and number % 10 == 0:
        number, places = number // 10, places - 1
    return number.to_bytes(12, "big") + bytes([places])


def leg(party):
    out = b""
    for name in ("owner", "clOrdId"):
        raw = party[name].encode()
        out += bytes([len(raw)]) + raw
    for name in ("cumQty", "leavesQty", "cxlQty"):
        out += quantity(party[name])
    return out


def seal(sealing_key, match_id, buyer, seller, nonce):
    plaintext = (leg(buyer) + leg(seller)).ljust(296, b"\x00")
    assert len(plaintext) == 296
    sealed = b"\x01" + nonce + AESGCM(sealing_key).encrypt(nonce, plaintext, match_id)
    return base64.b64encode(sealed).decode()


def match(epoch, data_key, match_id, nonce, buyer, seller):
    token_key = hkdf_sha256(epoch.encode(), data_key, b"symbolon/token-key/v1")
    sealing_key = hkdf_sha256(epoch.encode(), data_key, b"symbolon/sealing-key/v1")
    buyer_token = token(token_key, match_id, "buy", buyer["owner"])
    seller_token = token(token_key, match_id, "sell", seller["owner"])
    commitment = hashlib.sha256(
        b"symbolon/commitment/v1" + buyer_token.encode() + seller_token.encode()
    ).hexdigest()
    return {
        "epoch": epoch,
        "dataKey": data_key.hex(),
        "matchId": match_id.hex(),
        "nonce": nonce.hex(),
        "buyer": buyer,
        "seller": seller,
        "buyerToken": buyer_token,
        "sellerToken": seller_token,
        "commitment": commitment,
        "sealed": seal(sealing_key, match_id, buyer, seller, nonce),
    }


def message_id(kind, owner, cl_ord_id, body_hash, reason, own_token):
    hashed = labelled("symbolon/message/v1", kind, owner, cl_ord_id, body_hash, reason, own_token)
    return {
        "type": kind,
        "owner": owner,
        "clOrdId": cl_ord_id,
        "bodyHash": body_hash.hex(),
        "reason": reason,
        "token": own_token,
        "messageId": base32(hashlib.sha256(hashed).digest()[:16]),
    }


def party(owner, cl_ord_id, cum_qty, leaves_qty, cxl_qty):
    return {
        "owner": owner,
        "clOrdId": cl_ord_id,
        "cumQty": cum_qty,
        "leavesQty": leaves_qty,
        "cxlQty": cxl_qty,
    }


def main():
    matches = [
        match(
            "2026-11-23.g7",
            bytes(range(32)),
            bytes(range(0x40, 0x50)),
            bytes(range(0x80, 0x8C)),
            party("cp-alpha", "A-1", "0.50", "0.75", "0"),
            party("cp-beta", "B:2_x.y", "0.5", "0", "0.00000001"),
        ),
        # Every field at its longest or shortest, every byte of the keys at its largest.
        match(
            "1970-01-01.g18446744073709551615",
            b"\xff" * 32,
            b"\xff" * 16,
            b"\x00" * 12,
            party("cp-" + "z" * 40, "Z" * 64, "999999999999999999", "0.000000000000000001", "0"),
            party("cp-0", "-", "0", "79228162514264337593543950335", "7.9228162514264337593543950335"),
        ),
        match(
            "2028-02-29.g0",
            b"\x00" * 32,
            b"\x00" * 16,
            b"\xff" * 12,
            party("cp-same", "1", "100", "0", "0"),
            party("cp-same", "2", "100.00", "1200", "0"),
        ),
    ]
    first = matches[0]
    body_hash = hashlib.sha256(b"a body").digest()
    messages = [
        message_id("match", "cp-alpha", "A-1", b"", "", first["buyerToken"]),
        message_id("accepted", "cp-alpha", "A-1", body_hash, "", ""),
        message_id("rejected", "cp-beta", "B:2_x.y", body_hash, "off_tick", ""),
    ]
    print(json.dumps({"matches": matches, "messageIds": messages}, indent=2))


if __name__ == "__main__":
    main()
