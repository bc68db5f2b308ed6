"""Holds run folders and schemas against each other, with a validator that is not ours.

usage: validate_runs.py FOLDER...

Checks that every file of schemas/ is a valid JSON Schema 2020-12 whose references resolve and
whose examples it takes; that each of those that requires members refuses its example without
one; that every run folder below the FOLDERs (each that holds a run.json) keeps them: its
manifest, each record line, each failure report; and every other JSON file of the repository that
names one of the schemas in its `$schema` member.

Exit code 0 says that all of it holds and that there was something to check.
"""

import base64
import copy
import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.exceptions import Unresolvable

ROOT = Path(__file__).resolve().parent.parent
SCHEMAS = ROOT / "schemas"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
# The deceptive characters of spec/security.md; in JSON they stand as escapes.
DECEPTIVE = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f\\u061c\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff"
    "\\ufff9-\\ufffb\\U000e0000-\\U000e007f]"
)
# More of one kind help nobody.
SHOWN_PROBLEMS = 40


def main(folders):
    if not folders:
        sys.exit(__doc__)
    check = Check()
    check.schemas()
    check.examples()
    for folder in folders:
        check.runs(Path(folder))
    check.named_instances()
    return check.finish()


class Check:
    def __init__(self):
        self.problems = []
        self.counts = Counter()
        self.validators = {}

    # ------------------------------------------------------------------------------ schemas

    def schemas(self):
        """Loads every schema; one that is not valid is no use for the rest."""
        loaded = {}
        for path in sorted(SCHEMAS.glob("*.json")):
            schema = self.parse(path, path.read_text(encoding="utf-8"))
            if schema is None:
                continue
            if schema.get("$schema") != DIALECT:
                self.problem(path, f"$schema is not {DIALECT}")
            if not str(schema.get("$id", "")).endswith("/" + path.name):
                self.problem(path, "$id does not end with the file's name")
            try:
                Draft202012Validator.check_schema(schema)
            except Exception as error:  # the library raises its own and the regex engine's
                self.problem(path, f"not a valid schema: {error}")
            loaded[path] = schema
        registry = Registry().with_resources(
            (schema["$id"], Resource.from_contents(schema))
            for schema in loaded.values()
            if "$id" in schema
        )
        for path, schema in loaded.items():
            resolver = registry.resolver(base_uri=schema.get("$id", ""))
            for reference in references(schema):
                try:
                    resolver.lookup(reference)
                except Unresolvable:
                    self.problem(path, f"$ref {reference} leads nowhere")
            self.validators[path.name] = Draft202012Validator(schema, registry=registry)
            self.counts["schemas"] += 1

    def examples(self):
        for name, validator in self.validators.items():
            schema = validator.schema
            for number, example in enumerate(schema.get("examples", []), 1):
                where = f"schemas/{name} example {number}"
                self.validate(name, example, where)
                self.counts["examples"] += 1
                # Does the schema refuse anything? It has to refuse each of these.
                for member in schema.get("required", []):
                    self.control(name, where, example, member)

    def control(self, name, where, example, member):
        damaged = copy.deepcopy(example)
        damaged.pop(member, None)
        self.counts["refusals"] += 1
        if self.validators[name].is_valid(damaged):
            self.problem(where, f"taken without its member {member!r}")

    # -------------------------------------------------------------------------- run folders

    def runs(self, folder):
        manifests = sorted(folder.rglob("run.json"))
        if not manifests:
            self.problem(folder, "holds no run folder")
        for manifest in manifests:
            self.run(manifest.parent)

    def run(self, folder):
        self.counts["run folders"] += 1
        manifest = self.file("run-manifest.schema.json", folder / "run.json") or {}
        for path in sorted(folder.glob("*.ndjson")):
            self.records(path, manifest)
        for path in sorted(folder.glob("failures/*.json")):
            self.file("failure.schema.json", path)
            self.counts["failure reports"] += 1
        for path in sorted(folder.glob("stdout/*.log")):
            self.handshakes(path)

    def records(self, path, manifest):
        data = path.read_bytes()
        lines = data.split(b"\n")
        cut = lines.pop()
        if cut and manifest.get("state") == "finished":
            self.problem(path, "the last line has no line feed, and the run was finished")
        for number, line in enumerate(lines, 1):
            where = f"{path}:{number}"
            try:
                text = line.decode("utf-8")
            except UnicodeDecodeError as error:
                self.problem(where, f"not UTF-8: {error}")
                continue
            record = self.parse(where, text)
            if record is None:
                continue
            self.counts["records"] += 1
            self.validate("run-record.schema.json", record, where)
            self.beyond_schema(record, text, manifest, where)

    def beyond_schema(self, record, text, manifest, where):
        """What holds for a record line and no schema can say."""
        if DECEPTIVE.search(text):
            self.problem(where, "holds a character that can deceive a terminal, unescaped")
        if record.get("runId") != manifest.get("runId"):
            self.problem(where, "runId is not the manifest's")
        if "unknownFields" in record:
            try:
                base64.b64decode(record["unknownFields"], validate=True)
            except (ValueError, TypeError) as error:
                self.problem(where, f"unknownFields: {error}")

    def handshakes(self, path):
        for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
            if line.startswith(b'{"port"'):
                where = f"{path}:{number}"
                handshake = self.parse(where, line.decode("utf-8", "replace"))
                if handshake is not None:
                    self.validate("handshake.schema.json", handshake, where)
                    self.counts["handshake lines"] += 1

    # ------------------------------------------------------------------ files of the repository

    def named_instances(self):
        listing = subprocess.run(
            ["git", "ls-files", "-z", "*.json"], cwd=ROOT, check=True, capture_output=True
        )
        for name in filter(None, listing.stdout.decode().split("\0")):
            path = ROOT / name
            if path.parent == SCHEMAS or not path.exists():
                continue
            content = json.loads(path.read_text(encoding="utf-8"))
            named = content.get("$schema", "") if isinstance(content, dict) else ""
            schema = named.rsplit("/", 1)[-1]
            if schema in self.validators:
                self.validate(schema, content, name)
                self.counts["files that name a schema"] += 1

    # ------------------------------------------------------------------------------- common

    def file(self, schema, path):
        content = self.parse(path, path.read_text(encoding="utf-8"))
        if content is not None:
            self.validate(schema, content, path)
        return content

    def validate(self, name, instance, where):
        if name not in self.validators:
            self.problem(where, f"there is no schemas/{name}")
            return
        for error in self.validators[name].iter_errors(instance):
            self.problem(where, f"{name}: {error.json_path}: {error.message}")

    def parse(self, where, text):
        """JSON in the strict sense: no NaN, and no member twice."""
        try:
            return json.loads(text, parse_constant=refuse, object_pairs_hook=distinct)
        except ValueError as error:
            self.problem(where, f"not JSON: {error}")
            return None

    def problem(self, where, text):
        self.problems.append(f"{where}: {text[:400]}")

    def finish(self):
        for kind in ("schemas", "examples", "refusals", "run folders", "records", "failure reports"):
            if not self.counts[kind]:
                self.problem("validate_runs.py", f"there were no {kind} to check")
        for problem in self.problems[:SHOWN_PROBLEMS]:
            print(problem)
        if len(self.problems) > SHOWN_PROBLEMS:
            print(f"and {len(self.problems) - SHOWN_PROBLEMS} more")
        print(", ".join(f"{number} {kind}" for kind, number in self.counts.items()))
        print(f"{len(self.problems)} problems")
        return 1 if self.problems else 0


def references(schema):
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"]
        # What stands in an example is data.
        for key, value in schema.items():
            if key not in ("examples", "enum", "const", "default"):
                yield from references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from references(value)


def refuse(constant):
    raise ValueError(f"{constant} is not JSON")


def distinct(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands twice")
    return members


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
