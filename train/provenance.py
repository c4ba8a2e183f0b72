"""What made a generated file: the command and the versions behind it."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("tensorflow", "keras", "numpy", "opencv-python-headless")


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that decide about numbers."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        found[package] = version(package)
    return found


def command_line(words: Sequence[str]) -> str:
    """The command that ``words`` were given to, absolute folders cut to their last name: where
    somebody's data lies is nobody's business."""
    kept = [Path(word).name if Path(word).is_absolute() else word for word in words]
    return " ".join(["python -m train", *kept])
