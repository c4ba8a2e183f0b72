"""Copies of the project for tests that alter or move it."""

from __future__ import annotations

import os
import shutil


def link_or_copy(source: str, target: str) -> None:
    """Link a file, or copy it where it lies on another disk; for `shutil.copytree`.

    A link is the same file: unlink it before it is written to.
    """
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
