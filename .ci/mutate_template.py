"""Breaks the template in many ways, one at a time, and shows which check notices which.

    mutate_template.py TEMPLATE SCRATCH CHECKOV NODE ASK PERMISSIONS [NAME …]

CHECKOV, NODE and PERMISSIONS are programs, ASK is the script beside the installed policy evaluator, PERMISSIONS the
built test of ports against roles. With NAMEs only mutations whose name holds one of them. Run by
`.ci/run mutations` and by nothing else, for each takes half a minute. Ends with 1 where a mutation that some check must notice is
noticed by none, and lists those that we know none to notice.
"""

import contextlib
import io
import json
import os
import pathlib
import subprocess
import sys

import assert_template
import environments
import mutations
import settle
import translate

ROOT = pathlib.Path(__file__).parents[1]
REGION = "us-east-1"
SETTLED = ("primary", "standby")


class Bench:
    """The checks of the template, each for a template that lies in a folder of its own."""

    def __init__(self, folder, checkov, node, ask, permissions):
        self.folder, self.checkov, self.node, self.ask, self.permissions = folder, checkov, node, ask, permissions
        self.source = folder / "template.yaml"
        folder.mkdir(parents=True, exist_ok=True)
        # The test of ports against roles looks for the code beside the template.
        for name in ("functions", "shared"):
            link = folder / name
            if not link.is_symlink():
                link.symlink_to(ROOT / name)
        (folder / "local").mkdir(exist_ok=True)

    def noticed_by(self, text):
        """The checks that are not content with it."""
        self.source.write_text(text)
        found = {
            "sam validate": not self.runs("sam", "validate", "--template", str(self.source)),
            "cfn-lint, source": not self.runs("cfn-lint", str(self.source)),
            "permissions": not self.runs(self.permissions, env={"CARGO_MANIFEST_DIR": str(self.folder / "local")}),
        }
        translated = self.translated(text)
        if translated is None:
            found["translation"] = True
            return [name for name, is_red in found.items() if is_red]
        files = [str(self.folder / f"{name}.json") for name in SETTLED]
        found["cfn-lint, translation"] = not self.runs("cfn-lint", "--regions", REGION, "--", *files)
        found["assertions"] = self.asserts_object(translated)
        found["checkov"] = not self.runs(sys.executable, ".ci/checkov_reasons.py", self.checkov, *files)
        found["policies"] = not self.policies_hold()
        return [name for name, is_red in found.items() if is_red]

    def runs(self, *command, env=None):
        done = subprocess.run(
            command, cwd=ROOT, env={**os.environ, **(env or {})}, capture_output=True, text=True, check=False
        )
        self.last = done.stdout
        return done.returncode == 0

    def translated(self, text):
        """Settled for each step, or nothing where it cannot be translated."""
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                template = translate.translated(text, REGION)
            versions = {"open": template, **translate.settled(template)}
        except (Exception, settle.Unsettled):  # whatever the transform raises, it has noticed
            return None
        for name, version in versions.items():
            (self.folder / f"{name}.json").write_text(json.dumps(version, indent=2))
        return versions

    def asserts_object(self, versions):
        for name in ("open", *environments.STEPS):
            if assert_template.sentences(assert_template.loaded(name, self.folder / f"{name}.json")):
                return True
        return False

    def policies_hold(self):
        questions = self.folder / "questions.json"
        files = [str(self.folder / f"{name}.json") for name in SETTLED]
        if not self.runs(sys.executable, ".ci/policies/questions.py", ".ci/policies/table.yaml", *files):
            return False
        questions.write_text(self.last)
        return self.runs(self.node, self.ask, str(questions))


def main():
    template, scratch, *programs = sys.argv[1:]
    (checkov, node, ask, permissions), names = programs[:4], programs[4:]
    bench = Bench(pathlib.Path(scratch), checkov, node, ask, permissions)
    text = pathlib.Path(template).read_text()
    before = bench.noticed_by(text)
    if before:
        raise SystemExit(f"as it is, the template already displeases: {', '.join(before)}")
    chosen = [m for m in mutations.MUTATIONS if not names or any(name in m.name for name in names)]
    counts, unnoticed = {}, []
    for mutation in chosen:
        found = bench.noticed_by(mutation.applied(text))
        for name in found:
            counts[name] = counts.get(name, 0) + 1
        if not found:
            unnoticed.append(mutation.name)
        print(f"{mutation.name}: {', '.join(found) or 'NOBODY'}", flush=True)
    print(f"\n{len(chosen)} mutations")
    for name, count in sorted(counts.items(), key=lambda entry: -entry[1]):
        print(f"{count:4} noticed by {name}")
    print(f"{len(unnoticed):4} noticed by none{': ' if unnoticed else ''}{'; '.join(unnoticed)}")
    if set(unnoticed) - mutations.KNOWN_UNNOTICED:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
