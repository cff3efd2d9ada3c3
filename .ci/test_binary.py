"""Prints where the test of this name lies that cargo has built, from cargo's messages on standard input."""

import json
import sys

for message in map(json.loads, sys.stdin):
    target = message.get("target", {})
    if target.get("kind") == ["test"] and target.get("name") == sys.argv[1]:
        print(message["executable"])
