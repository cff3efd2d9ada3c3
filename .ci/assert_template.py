"""Asserts over the translated template what no general checker knows.

    assert_template.py open TRANSLATED              while its conditions are open
    assert_template.py ENVIRONMENT TRANSLATED       settled for a config environment

`assert_template_test.py` breaks the template for every assertion, so that none can pass for ever unseen.
"""

import json
import pathlib
import sys

import assertions
import assertions.backup
import assertions.buckets
import assertions.deployment
import assertions.functions
import assertions.keys
import assertions.queues
import assertions.roles
import assertions.tables
import assertions.watching
import environments


def loaded(environment, path):
    template = json.loads(pathlib.Path(path).read_text())
    template.setdefault("Metadata", {})["environment"] = environment
    return template


def sentences(template):
    if template["Metadata"]["environment"] == "open":
        return [*assertions.deployment.faults_of_the_open(template), *environments.faults()]
    found = assertions.faults(template)
    return [f"{name}: {sentence}" for name, of_it in found.items() for sentence in of_it]


def main():
    environment, path = sys.argv[1:]
    found = sentences(loaded(environment, path))
    if found:
        raise SystemExit("\n".join([*found, f"{len(found)} faults in {path}"]))
    print(f"{len(assertions.CHECKS)} assertions hold over {path}")


if __name__ == "__main__":
    main()
