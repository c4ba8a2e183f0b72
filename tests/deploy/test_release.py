"""A release is refused for each thing that it lacks, and the version stands in one place."""

from __future__ import annotations

import datetime
import importlib.util
import re
import subprocess
from pathlib import Path

import pytest

import btmodels

ROOT = Path(__file__).resolve().parents[2]
TODAY = datetime.date(2027, 1, 31)
SOUND = {
    "btmodels/__init__.py": '__version__ = "1.2.3"\n',
    "CHANGELOG.md": "# Changelog\n\n## [1.2.3] - 2027-01-31\n\n### Fixed\n\n- A.\n\n## [1.2.2]\n",
    "CITATION.cff": "version: 1.2.3\ndate-released: 2027-01-31\n",
}


@pytest.fixture(scope="module")
def release():
    spec = importlib.util.spec_from_file_location("release", ROOT / ".ci" / "release.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def repository(tmp_path):
    for name, text in SOUND.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    git = ("git", "-c", "user.name=test", "-c", "user.email=test@example.org")
    for words in (("init", "-q", "-b", "main"), ("add", "."), ("commit", "-q", "-m", "All")):
        subprocess.run([*git, *words], cwd=tmp_path, check=True)
    return tmp_path


def test_a_sound_repository_is_a_release(release, repository):
    assert release.version(repository) == "1.2.3"
    assert release.problems(repository, TODAY) == release.state(repository) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "word"),
    [
        ("btmodels/__init__.py", "1.2.3", "1.2.4", "CHANGELOG"),
        ("btmodels/__init__.py", "1.2.3", "1.2.4", "CITATION"),
        ("btmodels/__init__.py", "1.2.3", "1.2.3.dev1", "no version"),
        ("CHANGELOG.md", " - 2027-01-31", ", unreleased", "CHANGELOG"),
        ("CHANGELOG.md", "2027-01-31", "2027-01-30", "CHANGELOG"),
        ("CHANGELOG.md", "### Fixed", "### Mended", "sections"),
        ("CITATION.cff", "date-released: 2027-01-31", "", "date-released"),
    ],
)
def test_each_thing_that_is_missing_is_named(release, repository, file, old, new, word):
    path = repository / file
    path.write_text(path.read_text().replace(old, new))
    assert any(word in sentence for sentence in release.problems(repository, TODAY))
    assert release.state(repository) == ["There are changes that are not committed."]


def test_a_tag_and_another_branch_are_named(release, repository):
    subprocess.run(["git", "tag", "v1.2.3"], cwd=repository, check=True)
    subprocess.run(["git", "checkout", "-q", "-b", "idea"], cwd=repository, check=True)
    assert release.state(repository) == [
        "A release is made on main.",
        "The tag v1.2.3 is there already.",
    ]


def test_the_version_stands_in_one_place(release):
    assert release.version(ROOT) == btmodels.__version__
    typed = re.compile(rf"[\"']{re.escape(btmodels.__version__)}[\"']")
    folders = ("btmodels", "ui", "pages", "train", ".ci")
    files = [file for folder in folders for file in (ROOT / folder).rglob("*.py")]
    found = [file.name for file in files if typed.search(file.read_text(encoding="utf-8"))]
    assert found == ["__init__.py"]
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {btmodels.__version__}\n" in citation


def test_the_changelog_has_sections(release):
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    assert versions[0].startswith(f"[{btmodels.__version__}]")
    for each in versions:
        sections = re.findall(r"^### (.+)$", each, re.MULTILINE)
        assert sections and set(sections) <= set(release.SECTIONS)
