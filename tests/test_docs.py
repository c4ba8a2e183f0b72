"""The documents name existing targets, variables, packages and links, in one spelling."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from btmodels import registry
from btmodels.dataset import cohort
from ui.shared.content import sections

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
CODE = ("btmodels", "ui", "train")
PARTS = ("btmodels", "train", "ui", "pages", "tests", "assets", ".ci", "deploy")
OURS = [
    *sorted(ROOT.glob("*.md")),
    *sorted(file for part in PARTS for file in (ROOT / part).rglob("*.md")),
]
IDS = [str(file.relative_to(ROOT)) for file in OURS]

# Written as stems, so that this file does not trip over itself.
BRITISH = re.compile(
    r"\b("
    + "|".join(
        (
            "tumo" + "ur",
            "colo" + "ur",
            "behavio" + "ur",
            "neighbo" + "ur",
            "gr" + "ey",
            "cent" + "re",
            "millimet" + "re",
            r"anal" + r"yse[dr]?\b",
            "anal" + "ysing",
            "norma" + "lise",
            "standard" + "ise",
            "optim" + "ise",
            "visual" + "ise",
            "label" + "led",
            "licen" + "ce",
        )
    )
    + r")",
    re.IGNORECASE,
)


def sources(*suffixes: str) -> list[Path]:
    files = [file for part in PARTS for file in (ROOT / part).rglob("*")]
    files += [ROOT / "streamlit_app.py", ROOT / "Makefile", ROOT / ".ci" / "run"]
    return [file for file in files if file.suffix in suffixes and file.is_file()]


def test_the_readme_names_every_target():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)[1].split()
    assert {"demo", "test", "train", "bench", "lint", "clean"} <= set(targets)
    assert [target for target in targets if f"`{target}`" not in README] == []
    assert [t for t in targets if t != "help" and f"make {t} " not in makefile] == []


def test_the_readme_names_every_variable():
    text = "\n".join(file.read_text(encoding="utf-8") for file in sources(".py", ".sh", ""))
    read = {name.rstrip("_") for name in re.findall(r"\bBT_[A-Z_]+", text)}
    read |= {"PORT", "HOST", "PYTHON"}
    assert {"BT_DATA_DIR", "BT_ENGINE", "BT_BROWSER"} <= read
    assert sorted(name for name in read if f"| `{name}` |" not in README) == []


def test_the_readme_names_every_package():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    packages = [re.split(r"[<>=\[]", line)[0] for line in lines if line and line[0] not in "#-"]
    assert "streamlit" in packages
    assert [name for name in packages if name.lower() not in README.lower()] == []


def folders() -> list[Path]:
    """Every package of the project's own code, as a path from the top."""
    found = [file.parent for part in CODE for file in (ROOT / part).rglob("__init__.py")]
    return sorted(folder.relative_to(ROOT) for folder in found)


def test_the_readme_maps_every_folder():
    house = README.split("## Map of the repository")[1].split("\n## ")[0]
    rows = {part: house.split(f"| in `{part}/` |")[-1].split("\n\n")[0] for part in CODE}
    named = {
        f"{part}/{name.rstrip('/')}"
        for part in CODE
        for line in rows[part].splitlines()
        for name in re.findall(r"`([a-z_/]+/)`", line.split(" | ")[0])
    }
    lessons = {str(f) for f in folders() if f.parts[:2] == ("ui", "lessons") and len(f.parts) > 2}
    assert named == {str(f) for f in folders() if len(f.parts) > 1} - lessons


@pytest.mark.parametrize("folder", folders(), ids=str)
def test_a_folder_is_small_and_says_what_lives_there(folder):
    files = [f for f in (ROOT / folder).iterdir() if f.is_file() and f.suffix != ".pyc"]
    assert len(files) <= 20 + 1  # and __init__.py
    assert ast.get_docstring(ast.parse((ROOT / folder / "__init__.py").read_text("utf-8")))


def test_the_twenty_questions_name_files_that_are_there():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.split("## Where is …?")[1].split("\n## ")[0]
    files = re.findall(r"\| `([^`]+)` \|", table)
    assert len(files) >= 20 and [file for file in files if not (ROOT / file).exists()] == []


def test_every_bound_is_closed():
    for file in ROOT.glob("requirements*.txt"):
        for line in file.read_text(encoding="utf-8").splitlines():
            if line and line[0] not in "#-":
                assert ">=" in line and "<" in line.replace(">=", ""), f"{file.name}: {line}"


@pytest.mark.parametrize("file", OURS, ids=IDS)
def test_links_between_files_lead_somewhere(file):
    links = re.findall(r"\]\(([^)\s]+)\)", file.read_text(encoding="utf-8"))
    local = [link.split("#")[0] for link in links if "://" not in link and link[0] != "#"]
    assert [link for link in local if not (file.parent / link).exists()] == []


def test_spelling_is_american():
    found = []
    for file in sources(".py", ".js", ".css", ".sh") + OURS:
        text = file.read_text(encoding="utf-8")
        # Titles of papers are spelled as their authors spelled them.
        own = text.split("\n## Sources\n")[0] if file.name == "about.md" else text
        # Names of other people's are theirs: an institute, a key of CSS or of a library.
        own = own.replace("Brain Imaging Cent" + "re", "")
        found += [f"{file.relative_to(ROOT)}: {match[0]}" for match in BRITISH.finditer(own)]
    assert found == []


SPACED_PERCENT = re.compile(
    r"""(?<=[0-9}])[ \u00a0]%(?=%?(?:["'`.,;:)/<*\]]|$| (?![0-9(\[{]|[a-z_.]+\()))""", re.MULTILINE
)
"""A percent sign after a space, but not the remainder of a division."""


def test_no_space_stands_before_a_percent_sign():
    assert SPACED_PERCENT.search("95 % of") and not SPACED_PERCENT.search("7 % len(values)")
    found = []
    for file in sources(".py", ".js", ".html", ".json") + OURS:
        text = file.read_text(encoding="utf-8")
        found += [
            f"{file.relative_to(ROOT)}: {text[match.start() - 9 : match.end()]}"
            for match in SPACED_PERCENT.finditer(text)
            if file != Path(__file__)
        ]
    assert found == []


def test_about_says_the_same_as_the_split():
    text = sections("lessons/about.md")
    split = {subset: len(folders) for subset, folders in cohort.load_split().items()}
    said = re.search(
        r"(\d+) for training, (\d+) for choosing settings, (\d+) for testing only; another (\d+)",
        text["The data"],
    )
    assert tuple(map(int, said.groups())) == tuple(split.values())
    assert sum(split.values()) == 110 and "110 patients" in text["The data"]


def test_every_source_of_about_is_numbered_and_used():
    text = sections("lessons/about.md")
    listed = re.findall(r"^(\d+)\. .*\]\(https://", text.pop("Sources"), re.MULTILINE)
    assert listed == [str(number) for number in range(1, len(listed) + 1)]
    groups = re.findall(r"\[(\d+(?:, \d+)*)\]", "\n".join(text.values()))
    assert {number for group in groups for number in group.split(", ")} == set(listed)


def test_no_class_name_stands_for_two_things():
    """Of the library, the site and the training together: a search for a name finds one class."""
    places: dict[str, list[str]] = {}
    for folder in ("btmodels", "ui", "train", "pages"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    places.setdefault(node.name, []).append(str(path.relative_to(ROOT)))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_the_talk_says_how_many_patients_the_default_network_was_trained_on():
    split, record = cohort.load_split(), registry.load_record("default")
    patients = sum(len(split[subset]) for subset in record.training_subsets)
    assert f"It was trained on {patients} patients" in sections("cards/present.md")["Limits"]
