"""Prose of the pages, kept as Markdown in assets/."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from btmodels.paths import ASSETS


def sections(name: str) -> dict[str, str]:
    """Read a Markdown file of assets/ by its level-2 headings.

    Args:
        name: Path relative to assets/, such as ``cards/overview.md``.

    Returns:
        Text by heading, in file order; text before the first heading is under ``""``.
        Empty if the file is missing.
    """
    path = ASSETS / name
    return dict(_sections(path, path.stat().st_mtime_ns)) if path.exists() else {}


@lru_cache(maxsize=32)
def _sections(path: Path, mtime_ns: int) -> tuple[tuple[str, str], ...]:
    # Keyed by modification time, so that edited text appears without a restart.
    first, *rest = re.split(r"^## +", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    first = re.sub(r"^# .*$", "", first, count=1, flags=re.MULTILINE)
    pairs = [part.partition("\n")[::2] for part in rest]
    return (("", first.strip()), *((heading.strip(), body.strip()) for heading, body in pairs))
