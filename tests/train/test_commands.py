"""Every command's --help works with only that command's requirements installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Runs in a fresh process: imports of distributions that REQUIREMENTS do not bring, directly or through
# others, fail as in an environment without them.
SCRIPT = """
import importlib.abc, importlib.metadata as metadata, re, sys
from pathlib import Path

def named(line):
    return re.split(r"[^A-Za-z0-9._-]", line.strip(), maxsplit=1)[0].lower().replace("_", "-")

def listed(path):
    for line in Path(path).read_text().splitlines():
        if line.startswith("-r "):
            yield from listed(line[3:])
        elif line and not line.startswith("#"):
            yield named(line)

allowed, waiting = {"pip", "setuptools"}, list(listed(sys.argv[1]))
while waiting:
    name = waiting.pop()
    if name in allowed:
        continue
    allowed.add(name)
    try:
        needs = metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        continue
    waiting += [named(need) for need in needs if "extra ==" not in need]

blocked = {
    package
    for package, names in metadata.packages_distributions().items()
    if not any(name.lower().replace("_", "-") in allowed for name in names)
} - {"btmodels", "ui", "train", "pages", "tests"}

class Blocker(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in blocked:
            raise ModuleNotFoundError(f"{name} is not in {sys.argv[1]}", name=name)

assert {"pytest", "hypothesis", "playwright"} <= blocked and "numpy" not in blocked, sorted(blocked)
sys.meta_path.insert(0, Blocker())
exec(sys.argv[2])
"""

TRAIN = """
from train.__main__ import COMMANDS, build_parser
for name in COMMANDS:
    try:
        build_parser(name).parse_args([name, "--help"])
    except SystemExit as done:
        assert not done.code, name
    print("asked:", name)
"""

LIBRARY = """
from btmodels.__main__ import build_parser
for name in ("analyze", "download"):
    try:
        build_parser().parse_args([name, "--help"])
    except SystemExit as done:
        assert not done.code, name
    print("asked:", name)
"""


@pytest.mark.parametrize(
    ("requirements", "code", "count"),
    [("requirements-train.txt", TRAIN, 18), ("requirements.txt", LIBRARY, 2)],
    ids=["train", "btmodels"],
)
def test_help_of_every_command_needs_no_development_package(requirements, code, count):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, requirements, code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("asked:") >= count
