"""Says in sentences what keeps a commit from being a release; with --version, which one it would be.

The version stands in `btmodels/__init__.py` alone; what must name it as well is compared with it.
"""

import datetime
import re
import subprocess
import sys
from pathlib import Path

SECTIONS = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
"""Of a version in CHANGELOG.md, as Keep a Changelog has them."""


def version(root: Path) -> str:
    """Return the version of the source in ``root``."""
    source = (root / "btmodels" / "__init__.py").read_text(encoding="utf-8")
    return re.search(r'^__version__ = "([^"]+)"$', source, re.MULTILINE)[1]


def problems(root: Path, today: datetime.date) -> list[str]:
    """Return what the files in ``root`` lack for a release on ``today``."""
    found, wanted = [], version(root)
    if not re.fullmatch(r"\d+\.\d+\.\d+", wanted):
        found.append(f"btmodels/__init__.py: {wanted} is no version such as 1.2.3.")
    changelog = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    head, _, rest = changelog.partition("\n## ")[2].partition("\n")
    if head != f"[{wanted}] - {today.isoformat()}":
        found.append(
            f"CHANGELOG.md begins with '## {head}', not '## [{wanted}] - {today.isoformat()}'."
        )
    sections = re.findall(r"^### (.+)$", rest.split("\n## ")[0], re.MULTILINE)
    if not sections or not set(sections) <= set(SECTIONS):
        found.append(f"CHANGELOG.md: the sections of a version are {', '.join(SECTIONS)}.")
    citation = (root / "CITATION.cff").read_text(encoding="utf-8")
    for key, value in (("version", wanted), ("date-released", today.isoformat())):
        if not re.search(rf'^{key}: "?{re.escape(value)}"?$', citation, re.MULTILINE):
            found.append(f"CITATION.cff lacks '{key}: {value}'.")
    return found


def git(root: Path, *words: str) -> str:
    """Return what git prints."""
    done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def state(root: Path) -> list[str]:
    """Return what the repository in ``root`` lacks for a tag."""
    found, tag = [], f"v{version(root)}"
    if git(root, "status", "--porcelain"):
        found.append("There are changes that are not committed.")
    if git(root, "branch", "--show-current") != "main":
        found.append("A release is made on main.")
    if git(root, "tag", "--list", tag):
        found.append(f"The tag {tag} is there already.")
    return found


def main() -> int:
    root = Path(__file__).resolve().parent.parent
    if sys.argv[1:] == ["--version"]:
        print(version(root))
        return 0
    found = problems(root, datetime.date.today()) + state(root)
    print("\n".join(found), end="\n" if found else "", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
