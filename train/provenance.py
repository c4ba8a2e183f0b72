"""What made a generated file: the command and the versions behind it."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("tensorflow", "keras", "numpy", "opencv-python-headless")


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that decide about numbers."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        found[package] = version(package)
    return found


def command_line() -> str:
    """The command as given, with folders outside the project cut to their last name."""
    words = []
    for word in sys.argv[1:]:
        path = Path(word)
        words.append(path.name if path.is_absolute() else word)
    return " ".join(["python -m train", *words])
