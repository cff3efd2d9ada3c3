"""Empties an inbox, each message once: consume.py INBOX_URL SEEN SECONDS

Region, endpoint and credentials are the SDK's own. SEEN is a file with the ids of messages
that have been dealt with. Ends when nothing has come for SECONDS.
"""

import json
import os
import sys
import time

import boto3


def main(inbox, seen_file, seconds):
    sqs = boto3.client("sqs")
    seen = set(open(seen_file).read().split()) if os.path.exists(seen_file) else set()
    last = time.monotonic()
    while time.monotonic() < last + seconds:
        answer = sqs.receive_message(QueueUrl=inbox, MaxNumberOfMessages=10, WaitTimeSeconds=min(seconds, 20))
        for received in answer.get("Messages", []):
            last = time.monotonic()
            message = json.loads(received["Body"])
            if message["messageId"] not in seen:
                handle(message)
                # First remembered, then deleted: a crash in between makes a copy, and copies are dropped.
                seen.add(message["messageId"])
                with open(seen_file, "a") as file:
                    file.write(message["messageId"] + "\n")
            sqs.delete_message(QueueUrl=inbox, ReceiptHandle=received["ReceiptHandle"])


def handle(message):
    match message["type"]:
        case "match":
            print("match", message["clOrdId"], message["lastQty"], message["lastPx"], message["token"], flush=True)
        case "rejected":
            print("rejected", message["clOrdId"], message["reason"], flush=True)
        case kind:  # a type that this program does not know is no error
            print(kind, message.get("clOrdId", ""), flush=True)


main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
